// Diagnosis held against arithmetics that are known: what a probe reveals predicts fresh results, what cannot be
// predicted is said, and explain finds who made an output. And sums as this compiler, its library and Eigen make them.
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/diagnose/explain/explain.hpp"
#include "validation/diagnose/reveal/reveal.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

using diagnose::Answer;
using diagnose::Target;
using judge::Problem;
using judge::SumOperation;

std::uint64_t fresh_results(const RunContext& context) {
  switch (context.scale) {
    case Scale::quick: return 100;
    case Scale::standard: return 1'000;
    case Scale::exhaustive: break;
  }
  return 10'000;
}

// --- probe -------------------------------------------------------------------------------------------------

CaseResult probe_case(const Problem& problem, const Target& target, const RunContext& context,
                      std::string evidence) {
  const diagnose::RevealOptions options{.seed = context.seed};
  const judge::Revelation r = reveal(problem, target, options);
  const judge::PredictionScore s = score(r, target, context.seed, fresh_results(context), options);
  CaseResult result;
  result.checked = s.results;
  result.mismatches = s.wrong;
  result.evidence = std::move(evidence);
  result.figures = {{"trees", static_cast<double>(r.classes.size()), ""},
                    {"runs", static_cast<double>(r.runs), ""}};
  result.status = all_predicted(s) ? Status::passed : Status::failed;
  if (s.wrong > 0) result.reason = "fresh results were predicted wrongly";
  if (s.changed > 0) result.reason = "answers changed when they were asked for again";
  if (s.without_tree > 0) result.reason = "no tree was found for some outputs";
  for (const judge::OrderClass& c : r.classes) {
    if (!c.why_not.empty()) result.details.push_back(c.why_not);
  }
  if (!s.first.empty()) {
    const judge::Misprediction& m = s.first.front();
    result.details.push_back(fmt::format("{} input {}, output {}: got {:#x}, predicted {:#x}",
                                         input_kind_name(m.kind), m.index, m.output, m.got, m.predicted));
  }
  return result;
}

// A dot product of the first formats that the arithmetic takes.
Problem problem_for(const Arithmetic& arithmetic, std::size_t k) {
  const ArithmeticInfo& info = arithmetic.info();
  Problem p{.operation = SumOperation::dot, .k = k};
  if (!info.inputs.empty()) std::tie(p.a, p.b) = info.inputs.front();
  p.output = info.outputs.front();
  return p;
}

// --- sums of this compiler, its library and Eigen ----------------------------------------------------------

using Floats = std::span<const float>;
using DotFunction = Answer (*)(Floats a, Floats b);

Answer one(float x) { return {std::bit_cast<std::uint32_t>(x)}; }

Target target_of(DotFunction function) {
  return [function](const Problem& p, std::span<const diagnose::Case> cases) {
    std::vector<Answer> answers;
    std::vector<float> a(p.k), b(p.b_size());
    for (const diagnose::Case& x : cases) {
      std::memcpy(a.data(), x.a.data(), 4 * a.size());
      if (!b.empty()) std::memcpy(b.data(), x.b.data(), 4 * b.size());
      answers.push_back(function(a, b));
    }
    return answers;
  };
}

struct Live {
  std::string_view name;
  SumOperation operation;
  DotFunction function;
};

Eigen::Map<const Eigen::VectorXf> eigen_vector(Floats x) {
  return {x.data(), static_cast<Eigen::Index>(x.size())};
}

const std::vector<Live>& live_sums() {
  static const std::vector<Live> all{
      {"std::accumulate", SumOperation::sum,
       [](Floats a, Floats) { return one(std::accumulate(a.begin(), a.end(), 0.0F)); }},
      {"std::reduce", SumOperation::sum,
       [](Floats a, Floats) { return one(std::reduce(a.begin(), a.end())); }},
      {"std::inner_product", SumOperation::dot,
       [](Floats a, Floats b) { return one(std::inner_product(a.begin(), a.end(), b.begin(), 0.0F)); }},
      {"std::transform_reduce", SumOperation::dot,
       [](Floats a, Floats b) { return one(std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0F)); }},
      {"Eigen::sum", SumOperation::sum, [](Floats a, Floats) { return one(eigen_vector(a).sum()); }},
      {"Eigen::dot", SumOperation::dot,
       [](Floats a, Floats b) { return one(eigen_vector(a).dot(eigen_vector(b))); }},
  };
  return all;
}

// Answers that follow no tree: the terms are added by size. A probe that claims to predict them is wrong.
Answer largest_first(Floats a, Floats b) {
  std::vector<float> products(a.size());
  std::transform(a.begin(), a.end(), b.begin(), products.begin(), std::multiplies<>());
  std::sort(products.begin(), products.end(), [](float x, float y) { return std::fabs(x) > std::fabs(y); });
  return one(std::accumulate(products.begin(), products.end(), 0.0F));
}

// What no tree of one rule a node is: random rounding, products that are summed before C in a way of their own. The
// probe has to say that it cannot predict them.
bool is_limit(std::string_view name) {
  constexpr std::string_view names[] = {"chain_f32_sr", "chain_bf16_sr", "gfx908.f16",
                                        "gfx908.bf16",  "gfx942.f16",    "gfx942.bf16"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

CaseResult limit_case(const Problem& problem, const Target& target, const RunContext& context) {
  CaseResult result = probe_case(problem, target, context, "what no tree predicts");
  const bool said = result.status == Status::failed;
  result.details.clear();
  result.figures.push_back({"wrong predictions", static_cast<double>(result.mismatches), ""});
  result.checked = 1;
  result.mismatches = said ? 0 : 1;
  result.status = said ? Status::passed : Status::failed;
  result.reason = said ? "" : "predicted what no tree predicts";
  return result;
}

// All of them where there is time; else every chain that can be predicted, of machines' units one of each kind, and two
// that cannot be.
std::vector<const Arithmetic*> arithmetics_for(const RunContext& context) {
  constexpr std::string_view of_each[] = {
      "fma_f32",   "fma_f32_ftz",  "mul_add_f32_ftz",    "fma_bf16.sm80",  "fma_f64",
      "vdpbf16ps", "tdpbf16ps",    "sm70.f16",           "sm80.bf16",      "sm89.tf32",
      "sm90.bf16", "sm90.f16:f16", "sm90.wgmma.f8_e4m3", "gfx90a.bf16_1k", "gfx942.f16",
      "arm.bfdot", "chain_f32_sr"};
  std::vector<const Arithmetic*> list;
  for (const Arithmetic* const arithmetic : arithmetics().list()) {
    const bool named =
        std::find(std::begin(of_each), std::end(of_each), arithmetic->info().name) != std::end(of_each);
    const bool chain = as_unit(*arithmetic) == nullptr && !is_limit(arithmetic->info().name);
    if (context.scale == Scale::exhaustive || named || chain) list.push_back(arithmetic);
  }
  return list;
}

// --- explain -----------------------------------------------------------------------------------------------

constexpr std::size_t explained_terms = 40, explained_outputs = 24;

// Outputs of an arithmetic, of normal inputs; with `dropped`, of one term less than there were.
diagnose::ExplainInput outputs_of(const Arithmetic& arithmetic, std::uint64_t seed, bool dropped) {
  const Problem p = problem_for(arithmetic, explained_terms);
  diagnose::ExplainInput input{
      .a = p.a, .b = p.b, .c = arithmetic.info().accumulator, .got = p.output, .views = {{}}};
  const CounterRandom random(seed);
  const auto words = [](const std::vector<std::uint64_t>& codes, std::size_t size, const FormatSpec& f) {
    return CodeVector{codes.data(), size, static_cast<std::ptrdiff_t>(8 / code_bytes(f)), f};
  };
  for (std::size_t i = 0; i < explained_outputs; ++i) {
    diagnose::ExplainElement e{.index = i};
    for (std::size_t t = 0; t < explained_terms; ++t) {
      const std::uint64_t at = 2 * (i * explained_terms + t);
      e.a.push_back(encode(random.normal(at), p.a).code);
      e.b.push_back(encode(random.normal(at + 1), p.b).code);
    }
    const std::size_t size = dropped ? explained_terms - 1 : explained_terms;
    e.got = arithmetic.dot(words(e.a, size, p.a), words(e.b, size, p.b), std::nullopt, p.output, i);
    input.views[0].elements.push_back(std::move(e));
  }
  return input;
}

CaseResult explain_case(const Arithmetic& arithmetic, const RunContext& context) {
  const diagnose::Explanation right =
      explain(outputs_of(arithmetic, context.seed, false), arithmetics().list());
  const diagnose::Explanation wrong =
      explain(outputs_of(arithmetic, context.seed, true), arithmetics().list());
  CaseResult result;
  result.evidence = "outputs of known make";
  result.checked = 2 * explained_outputs;
  const bool among =
      std::any_of(right.ranked.begin(), right.ranked.end(), [&](const diagnose::ExplainRank& r) {
        const std::vector<std::string>& names = r.candidate.names;  // of a chain
        return r.matches == explained_outputs &&
               (r.candidate.arithmetic == &arithmetic ||
                std::find(names.begin(), names.end(), arithmetic.info().name) != names.end());
      });
  result.figures = {{"candidates", static_cast<double>(right.candidates), ""},
                    {"remain", static_cast<double>(right.remaining), ""}};
  result.status = Status::passed;
  if (!among) result.reason = "who made the outputs is not among the candidates that remain";
  if (wrong.remaining > 0) result.reason = "outputs of a term less were explained";
  if (!result.reason.empty()) {
    result.status = Status::failed;
    result.mismatches = 1;
  }
  return result;
}

}  // namespace

std::vector<Case> diagnose_cases(const RunContext& context) {
  const std::string seed = std::to_string(context.seed), results = std::to_string(fresh_results(context));
  std::vector<Case> cases;
  const auto probe = [&](const std::string& member, const Problem& p, const Target& target, auto run) {
    cases.push_back({member,
                     {{"k", std::to_string(p.k)}, {"results", results}, {"seed", seed}},
                     [p, target, run](const RunContext& c) { return run(p, target, c); }});
  };
  const auto predicted = [](const Problem& p, const Target& target, const RunContext& c) {
    return probe_case(p, target, c, "an arithmetic that is known");
  };
  const auto live = [](const Problem& p, const Target& target, const RunContext& c) {
    return probe_case(p, target, c, "fresh results of the function itself");
  };
  const std::vector<const Arithmetic*> known = arithmetics_for(context);
  for (const Arithmetic* const arithmetic : known) {
    const bool limit = is_limit(arithmetic->info().name);
    const Target target = diagnose::target_of(*arithmetic);
    const Problem p = problem_for(*arithmetic, 24);
    if (limit) {
      probe("limit/" + arithmetic->info().name, p, target, limit_case);
    } else {
      probe("probe/" + arithmetic->info().name, p, target, predicted);
    }
  }
  probe("limit/largest_first", {.operation = SumOperation::dot, .k = 24}, target_of(&largest_first),
        limit_case);
  for (const Live& one : live_sums()) {
    for (const std::size_t k : {std::size_t{33}, std::size_t{100}})
      probe("live/" + std::string(one.name), {.operation = one.operation, .k = k}, target_of(one.function),
            live);
  }
  for (const Arithmetic* const arithmetic : known) {
    cases.push_back({"explain/" + arithmetic->info().name,
                     {{"outputs", std::to_string(explained_outputs)},
                      {"k", std::to_string(explained_terms)},
                      {"seed", seed}},
                     [arithmetic](const RunContext& c) { return explain_case(*arithmetic, c); }});
  }
  for (Case& c : cases) c.one_thread = true;
  return cases;
}

}  // namespace assay::suites
