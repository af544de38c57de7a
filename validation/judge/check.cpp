// A request to its verdict, and what to say beside it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "reference/core/error.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/judge/answer.hpp"
#include "validation/judge/any_order.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/question.hpp"
#include "validation/judge/request.hpp"

namespace assay::judge {
namespace {

using compare::PolicyKind;

// These elements alone, as a vector.
io::Array picked(const io::Array& array, const std::vector<std::size_t>& places) {
  io::Array some = io::make_array(array.element, {static_cast<std::int64_t>(places.size())});
  some.origin = array.origin;
  some.metadata = array.metadata;
  const std::size_t bytes = array.element.bytes();
  for (std::size_t i = 0; i < places.size(); ++i)
    std::memcpy(some.bytes.data() + i * bytes, array.bytes.data() + places[i] * bytes, bytes);
  return some;
}

std::string order_text(const Request& r) {
  return r.order == "any" ? "in any order" : "in the order " + r.order;
}

std::string name_of(const Request& r, const Question& q, std::size_t judged) {
  std::string name =
      fmt::format("check/{} {} got={}", r.operation, q.operation->parameters(), q.output.format.dtype);
  if (r.arithmetic != nullptr) {
    name += " unit=" + r.arithmetic_name;
  } else if (q.kind->sums) {
    name += fmt::format(" acc={}", q.how.accumulator.short_name);
  }
  name += q.arguments;
  if (judged != q.operation->size()) name += fmt::format(" sample={} seed={}", judged, r.seed);
  return name;
}

std::string evidence_of(const Request& r, const Question& q) {
  if (r.policy.kind == PolicyKind::bit_equal) {
    return !q.kind->sums
               ? "the integer definition of the rounding"
               : fmt::format("the bits that {} gives ({})", r.arithmetic_name, r.arithmetic->info().summary);
  }
  if (r.policy.kind != PolicyKind::bound) return "the exact result";
  if (!q.kind->sums) return "the exact values and the error of one rounding";
  if (r.arithmetic != nullptr) return fmt::format("the exact result and the bound of {}", r.arithmetic_name);
  return fmt::format("the exact result and the bound of sums in {} {}", q.how.accumulator.dtype,
                     order_text(r));
}

// What the file itself says of how it was made, and where that is not what is asked. Empty if it says nothing.
std::string metadata_note(const Request& r, const std::string& parameters) {
  std::string said;
  const auto add = [&](const std::string& key, const std::string& here) {
    const auto found = r.got.metadata.find(key);
    if (found == r.got.metadata.end()) return;
    said += fmt::format(" {}={}", key, found->second);
    if (!here.empty() && here != found->second) said += fmt::format(" (here {})", here);
  };
  const std::string padded = " " + parameters + " ", label = " k=";
  const std::size_t at = padded.find(label), begin = at + label.size();
  add("op", r.operation);
  add("k", at == std::string::npos ? "" : padded.substr(begin, padded.find(' ', begin) - begin));
  add("unit", r.arithmetic_name);
  return said.empty() ? "" : fmt::format("note   {} says{}", r.got.origin, said);
}

// Units that take these operands and give this output, and whose results the bound of float32 sums need not hold.
std::vector<std::string> units_for(const Request& r, const Question& q) {
  std::vector<std::string> names;
  if (r.known == nullptr) return names;
  for (const Arithmetic* unit : r.known->list()) {
    const ArithmeticInfo& info = unit->info();
    const bool takes =
        std::find(info.inputs.begin(), info.inputs.end(), std::pair(q.a, q.b)) != info.inputs.end();
    if (takes && !unit->accumulation() && unit->gives(q.output.format)) names.push_back(info.name);
  }
  return names;
}

// What was not said and would make the verdict sharper, or another one.
void add_what_would_decide(const Request& r, const Question& q, Judgement& j) {
  const compare::Comparison& comparison = j.comparison;
  if (r.policy.kind != PolicyKind::bound || r.arithmetic != nullptr || !q.kind->sums) return;
  const bool weak = comparison.verdict == compare::Verdict::vacuous &&
                    comparison.want.zero() < comparison.values &&
                    comparison.zeros_would_pass == comparison.values;
  if (weak && r.order == "any") {
    j.notes.push_back(fmt::format(
        "note   the bound of any order is too wide here. Say the kernel's order ({} pairwise, sequential or "
        "blocked:LANES), or its unit ({} NAME), for a narrower one",
        r.option("order"), r.option("unit")));
  }
  // Matrix units keep fewer bits than float32, 13 at least: what is further off is no matter of units.
  if (comparison.verdict != compare::Verdict::disagree || comparison.class_mismatches > 0 ||
      comparison.nmse > 1e-4 || !r.accumulator.empty())
    return;
  const std::vector<std::string> units = units_for(r, q);
  if (units.empty()) return;
  constexpr std::size_t most = 6;
  const std::vector<std::string> first(
      units.begin(), units.begin() + static_cast<std::ptrdiff_t>(std::min(most, units.size())));
  j.notes.push_back(fmt::format(
      "note   this is the bound of sums in {}. Matrix units keep fewer bits: if the kernel ran "
      "on one, name it ({} {}{})",
      q.how.accumulator.dtype, r.option("unit"), fmt::join(first, ", "), units.size() > most ? ", ..." : ""));
}

void add_notes(const Request& r, const Question& q, const std::vector<std::size_t>& sample, Judgement& j) {
  const bool by_bound = r.policy.kind == PolicyKind::bound;
  if (r.arithmetic != nullptr && is_unverified(r.arithmetic->info().evidence)) {
    j.notes.push_back(
        fmt::format("note   {} is unverified: {}", r.arithmetic_name, r.arithmetic->info().source));
  }
  if (by_bound && q.kind->name == "reduce" && r.reduction == "mean") {
    j.notes.emplace_back(
        "note   a mean may divide the sum by the number of terms, or multiply it by the rounded reciprocal");
  }
  if (std::string note = metadata_note(r, q.operation->parameters()); !note.empty())
    j.notes.push_back(std::move(note));
  if (!by_bound && r.arithmetic == nullptr) {
    for (const char* option : {"order", "product", "epilogue"}) {
      if (r.given.contains(option)) {
        j.notes.push_back(fmt::format("note   {} narrows the bound, which policy {} does not look at",
                                      r.option(option), r.policy.name));
      }
    }
  }
  if (!sample.empty()) {
    j.notes.push_back(fmt::format("note   {} of {} outputs were judged, drawn with seed {}", sample.size(),
                                  q.operation->size(), r.seed));
  }
  if (j.comparison.worst) {
    const std::size_t worst = j.comparison.worst->index, at = sample.empty() ? worst : sample[worst];
    if (const auto entry = q.operation->entry(at)) {
      j.notes.push_back(fmt::format("note   [{}] is row {}, column {} of {}", worst, entry->first,
                                    entry->second, q.sparse));
    } else if (!sample.empty()) {
      j.notes.push_back(fmt::format("note   [{}] of the sample is output {}", worst,
                                    compare::index_text(at, q.operation->shape())));
    }
  }
  add_what_would_decide(r, q, j);
  const bool double_sums =
      r.arithmetic == nullptr && r.accumulator.empty() && q.how.accumulator == formats::float64;
  if (j.comparison.verdict == compare::Verdict::disagree && double_sums && q.wide_operand && q.kind->sums) {
    const std::string advice =
        r.a_is_text
            ? fmt::format(": numbers in text have no format. If the kernel reads them as float32, say {} f32",
                          r.option("a-format"))
            : fmt::format(". If the kernel sums in float32, say {} f32", r.option("acc"));
    j.notes.push_back(fmt::format("note   sums are taken to be in float64, as an operand is{}", advice));
  }
}

}  // namespace

Judgement check(Request r) {
  const bool by_bits = r.policy.kind == PolicyKind::bit_equal, sums = kind_of(r).sums;
  if (by_bits && r.arithmetic == nullptr && sums) {
    throw UsageError(
        fmt::format("{} {} requires {} NAME: which bits are right depends on the arithmetic (or take {} "
                    "correctly-rounded)",
                    r.option("policy"), r.policy.name, r.option("unit"), r.option("policy")));
  }
  const Question q = make_question(r);
  if (by_bits && !sums && q.output.epilogue.rounding == Rounding::stochastic)
    throw UsageError(fmt::format("{} {} requires a rounding whose bits are known, not stochastic",
                                 r.option("policy"), r.policy.name));
  require_shape(r.got, q.operation->shape());
  if (r.stale) {
    require_shape(*r.stale, q.operation->shape());
    if (!(r.stale->element == r.got.element))
      throw InputError(r.stale->origin, "", r.got.element.name() + ", that of got", r.stale->element.name());
  }
  if (r.arithmetic != nullptr && r.require_places) r.require_places(q.operation->shape());
  const std::unique_ptr<const Arithmetic> any =
      r.arithmetic == nullptr ? make_any_order(q.how, q.output.format) : nullptr;
  const Arithmetic& arithmetic = r.arithmetic == nullptr ? *any : *r.arithmetic;

  AnswerOptions how{.threads = r.threads, .factor = r.policy.factor};
  how.progress = r.progress;
  if (r.sample) how.sample = sample_of(q.operation->size(), *r.sample, r.seed);
  const Answer answer = by_bits ? predicted_answer(*q.operation, arithmetic, q.output, how)
                                : exact_answer(*q.operation, arithmetic, q.output, how);
  const bool sampled = !how.sample.empty();
  const compare::Shape shape = sampled ? compare::Shape{how.sample.size()} : q.operation->shape();
  if (sampled) {
    r.got = picked(r.got, how.sample);
    if (r.stale) r.stale = picked(*r.stale, how.sample);
  }
  const compare::Expected expected{.codes = {answer.codes.data(), q.output.format, shape},
                                   .truth = answer.truth,
                                   .remainder = answer.remainder,
                                   .bound = answer.bound,
                                   .results = answer.results,
                                   .specials = answer.specials};
  compare::Options options;
  options.policy = r.policy;
  options.rounding = q.output.epilogue.rounding;
  options.overflow = q.output.epilogue.overflow;
  options.expects_zero = r.expects_zero;
  options.threads = r.threads;
  options.operation = r.operation + " " + q.operation->parameters();
  if (q.operation->size() > 0 && q.operation->entry(0))
    options.entry_of = [&](std::size_t i) { return *q.operation->entry(sampled ? how.sample[i] : i); };
  if (r.stale) options.stale = codes_of(*r.stale);

  Judgement judgement{.comparison = compare::judge(codes_of(r.got), expected, options),
                      .name = name_of(r, q, sampled ? how.sample.size() : q.operation->size()),
                      .evidence = evidence_of(r, q)};
  add_notes(r, q, how.sample, judgement);
  return judgement;
}

}  // namespace assay::judge
