#include "validation/cli/registries.hpp"

#include <fmt/format.h>

#include "emulation/units/fma_gemm.hpp"
#include "emulation/units/nvidia/fused_sum_gemm.hpp"
#include "emulation/units/x86/live_x86.hpp"
#include "reference/autosparse/gradient.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/exact/window_sums.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"
#include "reference/sparse/bf16_spmm.hpp"
#include "reference/sparse/sddmm.hpp"
#include "reference/sparse/spmm.hpp"
#include "reference/sparse/spmv.hpp"
#include "reference/spdnn/inference.hpp"
#include "validation/cli/command.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/suite.hpp"

namespace assay::cli {
namespace {

std::vector<Member> formats_members() {
  std::vector<Member> members;
  for (const FormatSpec* f : formats::all) {
    const auto value = [f](std::uint64_t code) { return fmt::format("{:.6g}", decode(code, *f)); };
    members.push_back({{"name", f->dtype},
                       {"short_name", f->short_name},
                       {"bits", f->bits},
                       {"precision", f->precision},
                       {"emin", f->emin},
                       {"specials", specials_name(f->specials)},
                       {"largest", value(f->max_finite_code())},
                       {"smallest", value(1)}});
  }
  return members;
}

std::vector<Member> roundings_members() {
  std::vector<Member> members;
  for (const Rounding mode : all_roundings) {
    members.push_back({{"name", rounding_name(mode)}, {"alias", rounding_alias(mode)}});
  }
  return members;
}

std::vector<Member> conversions_members() {
  std::vector<Member> members;
  for (const ConversionPolicy& policy : all_policies()) {
    members.push_back(
        {{"name", policy.name}, {"evidence", policy.evidence}, {"description", policy.description}});
  }
  return members;
}

// A new family of kernels is a line in kernels_members().
template <class Kernel>
void add_kernels(std::vector<Member>& members, const KernelTable<Kernel>& table) {
  for (const KernelInfo& k : table.infos()) {
    const std::string reason = why_not(k);
    members.push_back({{"family", table.family()},
                       {"name", k.name},
                       {"needs", isa_name(k.needs)},
                       {"here", reason.empty()},
                       {"why_not", reason},
                       {"description", k.description}});
  }
}

std::vector<Member> kernels_members() {
  std::vector<Member> members;
  add_kernels(members, conversion_kernels());
  add_kernels(members, window_sums_kernels());
  add_kernels(members, sparse::spmm_kernels());
  add_kernels(members, sparse::bf16_spmm_kernels());
  add_kernels(members, sparse::spmv_kernels());
  add_kernels(members, sparse::sddmm_kernels());
  add_kernels(members, autosparse::gradient_kernels());
  add_kernels(members, spdnn::all_kernels());
  add_kernels(members, fma_kernels());
  add_kernels(members, fused_sum_kernels());
  add_kernels(members, x86_lanes_kernels());
  add_kernels(members, live_x86_kernels());
  return members;
}

std::vector<Member> arithmetics_members() {
  std::vector<Member> members;
  for (const Arithmetic* arithmetic : arithmetics().list()) {
    const ArithmeticInfo& info = arithmetic->info();
    members.push_back({{"name", info.name},
                       {"accumulator", info.accumulator.short_name},
                       {"order", info.order},
                       {"products", info.products},
                       {"evidence", fmt::format("{}{}", evidence_name(info.evidence),
                                                is_unverified(info.evidence) ? ", unverified" : "")},
                       {"summary", info.summary}});
  }
  return members;
}

std::vector<Member> suites_members() {
  std::vector<Member> members;
  for (const suites::Suite& suite : suites::all_suites()) {
    members.push_back({{"name", suite.name}, {"description", suite.description}});
  }
  return members;
}

std::vector<Member> commands_members() {
  std::vector<Member> members;
  for (const Command& command : all_commands()) {
    members.push_back({{"name", command.name}, {"example", command.example}, {"summary", command.summary}});
  }
  return members;
}

constexpr Registry registries[] = {
    {"formats", "number formats; --format takes either name", formats_members,
     "emin: exponent of the smallest normal number. specials: ieee has infinity and NaN, fn one NaN per "
     "sign, fnuz one\n"
     "NaN and one zero, finite neither. A custom format is custom:bits,precision,emin,specials."},
    {"roundings", "rounding modes; --mode takes name or alias", roundings_members},
    {"conversions", "conversion policies: who converts float32 how", conversions_members,
     "evidence: HW compared with hardware, SRC published source was read, UNV unverified, DEF our "
     "definition."},
    {"kernels", "kernels, best first, and why one cannot run here", kernels_members},
    {"arithmetics", "arithmetics of dot products; --unit of `assay check` takes the name",
     arithmetics_members},
    {"suites", "suites of cases that `assay run` expands", suites_members},
    {"commands", "commands, each with an example", commands_members},
};

}  // namespace

std::span<const Registry> all_registries() { return registries; }

}  // namespace assay::cli
