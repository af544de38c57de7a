#include "validation/cli/registries.hpp"

#include <fmt/format.h>

#include "reference/core/cpu.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"
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

Member kernel_member(std::string_view family, std::string_view name, Isa needs,
                     std::string_view description) {
  std::string why_not = why_unavailable(needs);
  if (why_not.empty() && !isa_allowed(needs)) why_not = "ASSAY_ISA leaves it out";
  return {{"family", family},        {"name", name},       {"needs", isa_name(needs)},
          {"here", why_not.empty()}, {"why_not", why_not}, {"description", description}};
}

std::vector<Member> kernels_members() {
  std::vector<Member> members;
  for (const ConversionKernel& k : conversion_kernels()) {
    members.push_back(kernel_member("conversion", k.name, k.needs, k.description));
  }
  for (const spdnn::Kernel& k : spdnn::all_kernels()) {
    members.push_back(kernel_member("spdnn", k.name, k.needs, fmt::format("images at a time: {}", k.lanes)));
  }
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
