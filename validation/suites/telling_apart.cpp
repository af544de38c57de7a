#include "validation/suites/telling_apart.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "emulation/units/distinguish.hpp"
#include "emulation/units/unit.hpp"
#include "reference/core/error.hpp"
#include "reference/formats/formats.hpp"
#include "validation/judge/saved_arithmetic.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay {
namespace {

bool is_saved(const NamedArithmetic& one) { return judge::saved_of(*one.arithmetic) != nullptr; }

// The lengths that a saved arithmetic was revealed for; nullopt where any will do.
std::optional<std::set<std::size_t>> lengths_of(const NamedArithmetic& one) {
  const judge::SavedArithmetic* const saved = judge::saved_of(*one.arithmetic);
  if (saved == nullptr) return std::nullopt;
  check_places(one.name, *one.arithmetic, std::nullopt);
  std::set<std::size_t> lengths;
  for (const auto& shape : saved->shapes) {
    const judge::Problem& p = shape.revelation.problem;
    if (!p.has_b())
      throw InputError(one.name, "", "an arithmetic of products", "one that was revealed for sums");
    lengths.insert(p.k);
  }
  return lengths;
}

// The terms to search with: what was typed, or the least length that both know.
std::optional<std::size_t> terms_of(const PairQuestion& q) {
  const std::string option = judge::option_name(q.caller, "k");
  if (q.terms == 0) throw InputError::of_option(option, "1 term or more", "0");
  std::optional<std::size_t> terms;
  if (q.terms) terms = static_cast<std::size_t>(*q.terms);
  const auto x_lengths = lengths_of(q.x), y_lengths = lengths_of(q.y);
  if (!x_lengths && !y_lengths) return terms;
  std::set<std::size_t> both = x_lengths ? *x_lengths : *y_lengths;
  if (x_lengths && y_lengths) std::erase_if(both, [&](std::size_t k) { return !y_lengths->contains(k); });
  std::string known;
  for (const auto& [one, lengths] : {std::pair{&q.x, &x_lengths}, std::pair{&q.y, &y_lengths}}) {
    if (*lengths)
      known += fmt::format("{}{} was revealed for {}", known.empty() ? "" : ", ", one->name,
                           fmt::join(**lengths, ", "));
  }
  if (both.empty()) throw UsageError("the two arithmetics share no number of terms: " + known);
  if (!terms) return *both.begin();
  if (!both.contains(*terms))
    throw UsageError(fmt::format("{} {} is no number of terms that is known: {}", option, *terms, known));
  return terms;
}

std::optional<FormatSpec> typed_format(const PairQuestion& q, std::string_view option,
                                       const std::string& text) {
  if (text.empty()) return std::nullopt;
  return judge::typed_for(judge::option_name(q.caller, option), [&] { return parse_format(text); });
}

// Which formats two arithmetics share is the business of whoever named them.
template <class Work>
auto with_shared_formats(const Work& work) {
  try {
    return work();
  } catch (const ContractError& e) {
    throw UsageError(fmt::format(
        "distinguish requires two arithmetics that take and give the same formats: {}", e.what()));
  }
}

std::vector<TraceStep> steps_of(const Arithmetic& arithmetic, const DotInput& input,
                                const FormatSpec& output) {
  const Unit* const unit = as_unit(arithmetic);
  if (unit == nullptr) return {};
  return unit->trace(input.a_view(), input.b_view(), c_for(input, arithmetic), output);
}

}  // namespace

DistinguishOptions search_options(const PairQuestion& q) {
  if (q.a_format.empty() != q.b_format.empty()) {
    throw UsageError(judge::option_name(q.caller, "a-format") + " and " +
                     judge::option_name(q.caller, "b-format") + " go together: one was given alone");
  }
  if (q.limit == 0)
    throw InputError::of_option(judge::option_name(q.caller, "limit"), "1 input or more", "0");
  DistinguishOptions options{.seed = q.seed, .limit = q.limit};
  if (const auto a = typed_format(q, "a-format", q.a_format))
    options.inputs = {*a, *typed_format(q, "b-format", q.b_format)};
  options.output = typed_format(q, "output", q.output);
  options.terms = terms_of(q);
  options.with_c = !is_saved(q.x) && !is_saved(q.y);
  return options;
}

std::optional<double> seconds_to_try_all(const PairQuestion& q, const DistinguishOptions& options) {
  if (!options.terms || is_saved(q.x) || is_saved(q.y)) return std::nullopt;
  return with_shared_formats([&] {
    return static_cast<double>(q.limit) * (seconds_a_dot(*q.x.arithmetic, options, *options.terms) +
                                           seconds_a_dot(*q.y.arithmetic, options, *options.terms));
  });
}

ToldApart tell_apart(const PairQuestion& q, const DistinguishOptions& options) {
  const Arithmetic &x = *q.x.arithmetic, &y = *q.y.arithmetic;
  ToldApart found{.distinction = with_shared_formats([&] { return distinguish(x, y, options); })};
  const Distinction& d = found.distinction;
  if (d.found) {
    found.x_steps = steps_of(x, d.input, d.x_output);
    found.y_steps = steps_of(y, d.input, d.y_output);
  }
  return found;
}

}  // namespace assay
