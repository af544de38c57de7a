// Wrong versions of the gradient path. A case passes only if the rung that it names refuses the mistake and accepts
// the same code without it.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "reference/autosparse/annealing.hpp"
#include "validation/suites/autosparse/ladder.hpp"

namespace assay::suites::ladder {
namespace {

using autosparse::Annealing;
using autosparse::annealing_factor;

// A question asked of plain loops with a mistake.
struct Rung {
  std::string_view name;
  void (*ask)(Mistake mistake, std::uint64_t seed, Expectations& found);
};

constexpr Rung rungs[] = {
    {"masks",
     [](Mistake m, std::uint64_t seed, Expectations& found) {
       for (const bool bf16 : {false, true})
         ask_for_masks(PlainPath<float>(m), true, bf16, false, seed, found);
     }},
    {"whole_numbers",
     [](Mistake m, std::uint64_t seed, Expectations& found) {
       ask_for_whole_numbers(PlainPath<float>(m), whole_layer(256, true, false, seed), found);
     }},
    {"bounds",
     [](Mistake m, std::uint64_t seed, Expectations& found) {
       const RandomLayer layer{.shape = {40, 120}, .batch = 9, .by_channel = true};
       ask_for_bounds(PlainPath<float>(m), random_layer(layer, seed), 1 << 14, seed, found);
     }},
    {"long_sum",
     [](Mistake m, std::uint64_t seed, Expectations& found) {
       ask_for_long_sum(PlainPath<float>(m), {64, 4608}, seed, found);
     }},
    {"adjoint",
     [](Mistake m, std::uint64_t seed, Expectations& found) {
       ask_for_adjoints(PlainPath<float>(m), whole_layer(256, true, false, seed), true, found);
     }},
    {"differences",
     [](Mistake m, std::uint64_t seed, Expectations& found) {
       ask_for_differences(PlainPath<double>(m), 0.5, true, seed, found);
     }},
    {"bits", [](Mistake m, std::uint64_t seed,
                Expectations& found) { ask_for_bits(PlainPath<float>(m), LibraryPath(), seed, found); }},
};

struct NamedMistake {
  std::string_view name;
  Mistake mistake;
  std::string_view rung;  // that must refuse it
};
constexpr NamedMistake all_mistakes[] = {
    {"alpha_on_the_kept", Mistake::alpha_on_the_kept, "differences"},
    {"threshold_kept", Mistake::threshold_kept, "masks"},
    {"no_slope_in_ds", Mistake::no_slope, "differences"},
    {"no_sign_in_ds", Mistake::no_sign, "differences"},
    {"masked_terms_left_out_of_ds", Mistake::kept_terms_alone, "differences"},
    {"no_decay", Mistake::no_decay, "differences"},
    {"v_without_threshold", Mistake::no_threshold_in_v, "masks"},
    {"ds_summed_in_float32", Mistake::sum_in_float32, "long_sum"},
    {"dx_of_dense_weights", Mistake::dense_weights_in_dx, "adjoint"},
    {"g_masked", Mistake::g_masked, "whole_numbers"},
    {"other_tree_of_ds", Mistake::other_tree, "bits"},
    {"v_truncated_to_bf16", Mistake::bf16_truncated, "masks"},
};

// Every rung but the long one is asked of every mistake; that one only where it is named.
bool asks(const Rung& rung, const NamedMistake& m) { return rung.name == m.rung || rung.name != "long_sum"; }

CaseResult mistake_case(const NamedMistake& m, const RunContext& context) {
  CaseResult result;
  result.evidence = fmt::format("rung {}", m.rung);
  std::string passed_by;
  for (const Rung& rung : rungs) {
    if (!asks(rung, m)) continue;
    Expectations found("", "");
    rung.ask(m.mistake, context.seed, found);
    ++result.checked;
    if (found.mismatches() > 0) {
      result.mutants.push_back({.name = std::string(m.name),
                                .by = fmt::format("rung {}", rung.name),
                                .kills = found.mismatches(),
                                .vectors = found.checked()});
    } else {
      passed_by += fmt::format("{}{}", passed_by.empty() ? "" : ", ", rung.name);
    }
    if (rung.name != m.rung) continue;
    if (found.mismatches() == 0) {
      ++result.mismatches;
      result.reason = fmt::format("rung {} accepts the mistake", rung.name);
    }
    Expectations without("", "");
    rung.ask(Mistake::none, context.seed, without);
    ++result.checked;
    if (without.mismatches() > 0) {
      ++result.mismatches;
      result.reason = fmt::format("rung {} refuses what has no mistake", rung.name);
    }
  }
  if (!passed_by.empty()) result.details.push_back("not seen by " + passed_by);
  result.status = result.mismatches == 0 ? Status::passed : Status::failed;
  return result;
}

// Plain loops without a mistake pass every rung.
CaseResult none_case(const RunContext& context) {
  Expectations found("all rungs", "a rung refuses what has no mistake");
  for (const Rung& rung : rungs) rung.ask(Mistake::none, context.seed, found);
  return found.result();
}

// --- schedules -------------------------------------------------------------------------------------------------------

double right(std::int64_t done, std::int64_t epochs) {
  return annealing_factor(Annealing::sigmoid_cosine, done, epochs);
}

struct NamedSchedule {
  std::string_view name;
  Schedule schedule;
};
constexpr NamedSchedule wrong_schedules[] = {
    {"alpha_compounded",
     [](std::int64_t done, std::int64_t epochs) {
       double alpha = 1;
       for (std::int64_t e = 0; e <= done; ++e) alpha *= right(e, epochs);
       return alpha;
     }},
    {"alpha_an_epoch_early",
     [](std::int64_t done, std::int64_t epochs) { return right(std::min(done + 1, epochs), epochs); }},
    {"alpha_an_epoch_late",
     [](std::int64_t done, std::int64_t epochs) {
       return right(std::max<std::int64_t>(done - 1, 0), epochs);
     }},
};

CaseResult schedule_mistake_case(const NamedSchedule& wrong, const RunContext&) {
  Expectations refused("", ""), accepted("", "");
  ask_for_schedule(wrong.schedule, refused);
  ask_for_schedule(right, accepted);
  CaseResult result;
  result.evidence = "rung schedules";
  result.checked = 2;
  result.mismatches = (refused.mismatches() == 0 ? 1U : 0U) + (accepted.mismatches() == 0 ? 0U : 1U);
  result.status = result.mismatches == 0 ? Status::passed : Status::failed;
  if (result.mismatches != 0) result.reason = "rung schedules does not tell the mistake";
  result.mutants.push_back({.name = std::string(wrong.name),
                            .by = refused.mismatches() == 0 ? "" : "rung schedules",
                            .kills = refused.mismatches(),
                            .vectors = refused.checked()});
  return result;
}

}  // namespace

void add_mistake_cases(const RunContext& context, std::vector<Case>& cases) {
  const std::string seed = std::to_string(context.seed);
  cases.push_back({"mistakes/none", {{"seed", seed}}, none_case, true});
  for (const NamedMistake& m : all_mistakes)
    cases.push_back({"mistakes/" + std::string(m.name),
                     {{"rung", std::string(m.rung)}, {"seed", seed}},
                     [&m](const RunContext& c) { return mistake_case(m, c); },
                     true});
  for (const NamedSchedule& wrong : wrong_schedules)
    cases.push_back({"mistakes/" + std::string(wrong.name),
                     {{"rung", "schedules"}},
                     [&wrong](const RunContext& c) { return schedule_mistake_case(wrong, c); },
                     true});
}

}  // namespace assay::suites::ladder
