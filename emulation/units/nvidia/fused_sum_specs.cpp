// The rows of units.def that are fused sums, and what is wrong with each of their mutants.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulation/units/nvidia/fused_sum.hpp"
#include "reference/formats/formats.hpp"

namespace assay {
namespace {

using Pairs = std::vector<std::pair<FormatSpec, FormatSpec>>;

}  // namespace

const std::vector<FusedSumSpec>& fused_sum_specs() {
  static const std::vector<FusedSumSpec> specs = [] {
    using namespace formats;
    std::vector<FusedSumSpec> rows;
    const Pairs f16_operands{{float16, float16}}, bf16_operands{{bfloat16, bfloat16}};
    const Pairs tf32_operands{{tf32, tf32}, {float32, float32}, {tf32, float32}, {float32, tf32}};
    const Pairs e4m3_operands{{float8_e4m3fn, float8_e4m3fn}, {float8_e4m3fn, float8_e5m2}};
    const Pairs e5m2_operands{{float8_e5m2, float8_e5m2}, {float8_e5m2, float8_e4m3fn}};
    const std::optional<int> no_floor;
    constexpr bool one_unit = false, f16_steps = true;
    const std::string published = "MATLAB-tensor-core (Khattak, Mikaitis)";
    const std::string chaining = "; chaining of chunks unverified";
    const std::string v100 = published + ": results recorded on a V100, K = 4" + chaining;
    const std::string turing = "publications alone: no recorded results; its ezero is unknown, none taken";
    const std::string a100 = published + ": results recorded on an A100, K = L" + chaining;
    const std::string ada = published + ": results recorded on an RTX 1000 Ada, K = L" + chaining;
    const std::string ada_f8 = published + ": results recorded on an RTX 1000 Ada, K = 32: two chunks";
    const std::string hopper = published + ": results recorded on an H100 and an H200, K = 16" + chaining;
    const std::string hopper_tf32 =
        published + ": results recorded on an H100 and an H200, K = 4: L = 8 itself and chaining unverified";
    const std::string hopper_wgmma = published +
                                     ": wgmma results recorded on an H100 and an H200, K = 32, c = 0; "
                                     "a c and chaining unverified";
    const std::string hopper_wgmma_f16 =
        "as the float32 result of wgmma; no recorded results of float16 here";
    const std::string hopper_mma =
        published +
        ": mma.sync results recorded on an H100 and an H200, K = 32; the two steps "
        "from its compiled code";
    const std::string hopper_mma_f32 =
        "compiled code of mma.sync for sm_90; the recorded results are of its float16 output alone";
    const std::string b200 = published + ": results recorded on a B200, K = 16" + chaining;
    const std::string b200_tf32 =
        published + ": results recorded on a B200, K = 4: L = 8 itself and chaining unverified";
    const std::string b200_mma = published +
                                 ": mma.sync results recorded on a B200, K = 32; the two steps from its "
                                 "compiled code";
    const std::string b200_tcgen05 = "published models of Blackwell: no recorded results of tcgen05 here";
    const std::string sm120 = "one unit, by its compiled code; L, F and ezero taken from sm_100";
#define FUSED_SUM(unit_name, operands, L, F, ezero, output, entry, tag, text) \
  rows.push_back({.name = unit_name,                                          \
                  .inputs = operands,                                         \
                  .terms = L,                                                 \
                  .fraction = F,                                              \
                  .floor = ezero,                                             \
                  .result = FusedResult::output,                              \
                  .by_f16_steps = entry,                                      \
                  .source = text,                                             \
                  .evidence = Evidence::tag,                                  \
                  .definition_only = std::string_view(unit_name).starts_with("sm75")});
#include "emulation/units/units.def"
    return rows;
  }();
  return specs;
}

const FusedSumSpec* find_fused_sum_spec(std::string_view name) {
  const std::vector<FusedSumSpec>& all = fused_sum_specs();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const FusedSumSpec& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<FusedSumMutant> fused_sum_mutants(const FusedSumSpec& spec) {
  std::vector<FusedSumMutant> mutants;
  const auto add = [&](const std::string& what, auto change) {
    FusedSumMutant mutant{what, spec};
    change(mutant.spec);
    mutant.spec.name = spec.name + ", wrong: " + what;
    mutant.spec.evidence = Evidence::UNV;
    mutant.spec.definition_only = true;
    mutants.push_back(std::move(mutant));
  };
  const auto number = [](std::string_view what, auto wrong, auto right) {
    return std::string(what) + " = " + std::to_string(wrong) + " for " + std::to_string(right);
  };
  const std::size_t half = spec.terms / 2;
  if (!spec.by_f16_steps) add(number("L", half, spec.terms), [&](FusedSumSpec& s) { s.terms = half; });
  for (const int wrong : {spec.fraction - 1, spec.fraction + 1}) {
    add(number("F", wrong, spec.fraction), [&](FusedSumSpec& s) { s.fraction = wrong; });
  }
  const auto fault = [&](const std::string& what, FusedFault f) {
    add(what, [&](FusedSumSpec& s) { s.fault = f; });
  };
  fault("terms to nearest", FusedFault::nearest_terms);
  fault("terms toward minus infinity", FusedFault::floored_terms);
  fault(spec.result == FusedResult::f16 ? "result truncated" : "result to nearest",
        FusedFault::other_rounding);
  fault("products normalised", FusedFault::normalised_terms);
  fault("c added to the truncated sum", FusedFault::addend_apart);
  // Below F = 19 a sum of 64 products and c fits a float32: it would be the same model.
  if (spec.result == FusedResult::f16 && spec.fraction >= 19) {
    fault("float16 by way of float32, truncated", FusedFault::by_way_of_float32);
    fault("float16 by way of float32, to nearest", FusedFault::by_way_of_nearest_float32);
  }
  if (spec.by_f16_steps) {
    if (spec.result == FusedResult::f16) fault("t in float32", FusedFault::steps_in_float32);
    add("one unit of 32, F = 13", [](FusedSumSpec& s) {
      s.by_f16_steps = false;
      s.terms = f16_steps_chunk;
      s.fraction = 13;
      if (s.result == FusedResult::f32) s.result = FusedResult::e8m13;
    });
  }
  return mutants;
}

void add_fused_sum_units(ArithmeticRegistry& registry) {
  for (const FusedSumSpec& spec : fused_sum_specs()) registry.add(make_fused_sum(spec));
}

}  // namespace assay
