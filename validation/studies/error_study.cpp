#include "validation/studies/error_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/formats.hpp"
#include "validation/judge/sum_order.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::studies {
namespace {

// Each once, in the order in which they were typed.
template <class T, class Parse>
std::vector<T> parsed(const ErrorQuestion& q, std::string_view option, const std::vector<std::string>& typed,
                      std::vector<T> otherwise, const Parse& parse) {
  if (typed.empty()) return otherwise;
  std::vector<T> all;
  for (const std::string& text : typed) {
    T value = judge::typed_for(judge::option_name(q.caller, option), [&] { return parse(text); });
    if (std::find(all.begin(), all.end(), value) == all.end()) all.push_back(std::move(value));
  }
  return all;
}

std::vector<FormatSpec> formats_of(const ErrorQuestion& q, std::string_view option,
                                   const std::vector<std::string>& typed, std::vector<FormatSpec> otherwise) {
  return parsed(q, option, typed, std::move(otherwise),
                [](const std::string& text) { return parse_format(text); });
}

std::vector<NamedOrder> orders_of(const ErrorQuestion& q, std::vector<NamedOrder> otherwise) {
  if (q.orders.empty()) return otherwise;
  const std::string option = judge::option_name(q.caller, "order");
  std::vector<NamedOrder> orders;
  for (const std::string& text : q.orders) {
    const SumOrder order = judge::parse_order(option, text);
    if (order.kind == SumOrder::Kind::any || order.lanes > 65536)
      throw UsageError(
          fmt::format("{} requires an order that can be computed: sequential, pairwise[:BASE] or "
                      "blocked:LANES[:PANEL] with at most "
                      "65536 lanes, not {}",
                      option, quoted(text)));
    if (std::none_of(orders.begin(), orders.end(), [&](const NamedOrder& t) { return t.name == text; }))
      orders.push_back({text, order});
  }
  return orders;
}

// What studies of sums and of roundings have in common.
template <class Request>
void take_common(const ErrorQuestion& q, Request& r) {
  r.modes = parsed(q, "mode", q.modes, r.modes, [](const std::string& text) { return parse_rounding(text); });
  r.values =
      parsed(q, "values", q.values, r.values, [](const std::string& text) { return parse_values(text); });
  if (q.per_decade == 0)
    throw InputError::of_option(judge::option_name(q.caller, "per-decade"), "1 length a decade or more", "0");
  r.lengths = judge::typed_for(judge::option_name(q.caller, "n"),
                               [&] { return parse_lengths(q.lengths, q.per_decade); });
  r.trials = q.trials;
  r.seed = q.seed;
}

void refuse(const ErrorQuestion& q, std::string_view study,
            std::initializer_list<std::pair<std::string_view, bool>> options) {
  for (const auto& [option, given] : options) {
    if (given)
      throw UsageError(
          fmt::format("{}: a study of {} does not look at it", judge::option_name(q.caller, option), study));
  }
}

}  // namespace

Accumulate parse_accumulate(std::string_view name) {
  std::vector<std::string> names;
  for (const Accumulate operation : {Accumulate::sum, Accumulate::dot, Accumulate::gemm}) {
    if (accumulate_name(operation) == name) return operation;
    names.emplace_back(accumulate_name(operation));
  }
  for (const StudyInfo& info : all_studies()) {
    if (std::find(names.begin(), names.end(), info.name) == names.end()) names.emplace_back(info.name);
  }
  throw unknown_name("study", "a study", name, names);
}

AccumulationRequest accumulation_request(const ErrorQuestion& q, Accumulate operation) {
  if (operation == Accumulate::sum) refuse(q, "sum", {{"product", !q.products.empty()}});
  AccumulationRequest r;
  r.operation = operation;
  r.formats = formats_of(q, "format", q.formats, {});
  for (const NamedArithmetic& unit : q.units) {
    check_places(unit.name, *unit.arithmetic, std::nullopt);
    r.units.push_back(unit.arithmetic.get());
  }
  r.chains = q.units.empty() || !q.accumulators.empty() || !q.orders.empty() || !q.modes.empty() ||
             !q.products.empty();
  r.accumulators = formats_of(q, "acc", q.accumulators, {formats::float32});
  r.products = parsed(q, "product", q.products, r.products, [](const std::string& text) {
    return text == "fused" ? std::optional<FormatSpec>() : std::optional(parse_format(text));
  });
  r.orders = orders_of(q, r.orders);
  take_common(q, r);
  return r;
}

RoundingRequest rounding_request(const ErrorQuestion& q) {
  refuse(q, "convert",
         {{"acc", !q.accumulators.empty()},
          {"product", !q.products.empty()},
          {"order", !q.orders.empty()},
          {"unit", !q.units.empty()}});
  RoundingRequest r;
  r.formats = formats_of(q, "format", q.formats, {formats::bfloat16});
  take_common(q, r);
  return r;
}

}  // namespace assay::studies
