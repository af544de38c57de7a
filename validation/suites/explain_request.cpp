#include "validation/suites/explain_request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/printable.hpp"
#include "validation/compare/where.hpp"
#include "validation/diagnose/explain/asked.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/scales.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/explain_units.hpp"

namespace assay {
namespace {

using judge::Request;

// --- what was given --------------------------------------------------------------------------------------------------

// Which operations look at an option; those that are not here serve all.
struct OptionUse {
  std::string_view option;
  std::vector<std::string_view> operations;
};

std::span<const OptionUse> option_uses() {
  static const std::array<OptionUse, 15> all{{{"b", {"gemm", "spmm", "dot", "conv"}},
                                              {"c", {"gemm", "dot"}},
                                              {"transpose-a", {"gemm", "spmm"}},
                                              {"transpose-b", {"gemm", "spmm"}},
                                              {"stride", {"conv"}},
                                              {"a-scales", {"gemm", "dot"}},
                                              {"b-scales", {"gemm", "dot"}},
                                              {"a-tensor-scale", {"gemm", "dot"}},
                                              {"b-tensor-scale", {"gemm", "dot"}},
                                              {"scale-format", {"gemm", "dot"}},
                                              {"pad", {"conv"}},
                                              {"dilation", {"conv"}},
                                              {"groups", {"conv"}},
                                              {"image-layout", {"conv"}},
                                              {"padding", {"conv"}}}};
  return all;
}

void require_operand(const Request& r, bool given, std::string_view name) {
  if (given) return;
  throw UsageError(fmt::format("explain {} requires {}{}", r.operation, r.option(name),
                               r.caller == judge::Caller::command ? " FILE" : ""));
}

void require_operands(const Request& r) {
  require_operand(r, r.a.has_value() || r.sparse.has_value(), "a");
  if (r.operation != "convert") require_operand(r, r.b.has_value(), "b");
}

// --- outputs ---------------------------------------------------------------------------------------------------------

std::size_t place_of(const ExplainRequest& q, const compare::Shape& shape) {
  const std::optional<std::size_t> index = judge::flat_index(*q.at, shape);
  if (!index)
    throw InputError::of_option(
        q.asked.option("at"),
        fmt::format("{} indices inside the output's shape {}", shape.size(), compare::shape_text(shape)),
        fmt::format("\"{}\"", fmt::join(*q.at, ",")));
  return *index;
}

std::vector<std::size_t> sample_of(const ExplainRequest& q, const compare::Shape& shape, std::size_t size) {
  if (size == 0)
    throw InputError(q.asked.got.origin, "", "an output to explain",
                     "none: shape " + compare::shape_text(shape));
  if (q.at) return {place_of(q, shape)};
  return diagnose::drawn_sample(size, q.sample, q.asked.seed);
}

diagnose::ExplainedQuestion question_of(const ExplainRequest& q, const compare::Shape& shape) {
  return {.operation = q.asked.operation,
          .shape = shape,
          .got = q.asked.got.element.format(),
          .seed = q.asked.seed,
          .top = q.top};
}

// --- conversions -----------------------------------------------------------------------------------------------------

diagnose::Explained explain_conversion(const ExplainRequest& q) {
  const Request& r = q.asked;
  const io::Array& a = r.a.value();
  if (a.shape != r.got.shape)
    throw InputError(r.got.origin, "", "shape " + io::to_string(a.shape), io::to_string(r.got.shape));
  const compare::Codes from = judge::codes_of(a), got = judge::codes_of(r.got);
  const std::size_t size = from.size();
  const diagnose::ConvertedSample sample =
      size == 0 || q.at ? diagnose::converted_sample(from, got, sample_of(q, from.shape, size))
                        : diagnose::converted_sample(from, got, q.sample, r.seed);
  return {.question = question_of(q, from.shape),
          .found = diagnose::ExplainedConversion{sample, diagnose::explain_converted(sample, got.format)}};
}

// --- sums ------------------------------------------------------------------------------------------------------------

// The arithmetics to replay: all that have a name here, and those of `also`.
std::vector<const Arithmetic*> candidates(const ExplainRequest& q, const diagnose::Asked& asked) {
  const std::string option = q.asked.option("also");
  const MatrixPlaces places = places_of(q.asked.operation, asked.shape);
  std::vector<const Arithmetic*> all = arithmetics().list();
  for (const NamedArithmetic& one : q.also) {
    const Arithmetic* const arithmetic = one.arithmetic.get();
    if (!arithmetic->accepts(asked.input.a, asked.input.b))
      throw UsageError(fmt::format("{} {}: this arithmetic does not take {} and {}", option,
                                   printable(one.name), asked.input.a.dtype, asked.input.b.dtype));
    check_places(one.name, *arithmetic, places);
    if (std::find(all.begin(), all.end(), arithmetic) != all.end()) continue;
    // The answer names arithmetics: two of one name would be taken for each other.
    const std::string& called = arithmetic->info().name;
    if (std::any_of(all.begin(), all.end(),
                    [&](const Arithmetic* other) { return other->info().name == called; }))
      throw UsageError(fmt::format(
          "{} {}: another candidate is named {} too; {} renames it", option, printable(one.name),
          quoted(called), q.asked.caller == judge::Caller::command ? "probe --name" : "probe(name=...)"));
    all.push_back(arithmetic);
  }
  return all;
}

}  // namespace

const std::vector<std::string>& explained_operations() {
  static const std::vector<std::string> all{"gemm", "spmm", "dot", "conv", "convert"};
  return all;
}

bool is_explain_option(std::string_view name) {
  constexpr auto of_all = std::to_array<std::string_view>({"a", "got", "at", "sample", "seed", "threads"});
  return std::ranges::find(of_all, name) != of_all.end() ||
         std::ranges::find(option_uses(), name, &OptionUse::option) != option_uses().end();
}

void require_explainable(const Request& r) {
  if (std::ranges::find(explained_operations(), r.operation) == explained_operations().end())
    throw unknown_name("explain", "an operation", r.operation, explained_operations());
  for (const auto& [option, operations] : option_uses()) {
    if (!r.given.contains(option) || std::ranges::find(operations, r.operation) != operations.end()) continue;
    throw UsageError(fmt::format("{} is an option of {}; explain {} does not look at it", r.option(option),
                                 fmt::join(operations, ", "), r.operation));
  }
  const bool scaled = r.given.contains("a-scales") || r.given.contains("b-scales");
  if (!scaled && r.given.contains("scale-format"))
    throw UsageError(fmt::format("{} requires {} or {}", r.option("scale-format"), r.option("a-scales"),
                                 r.option("b-scales")));
}

diagnose::Explained explain_arrays(ExplainRequest q) {
  require_explainable(q.asked);
  if (q.sample == 0) throw UsageError(q.asked.option("sample") + ": 0, not 1 or more outputs");
  require_operands(q.asked);
  if (q.asked.operation == "convert") return explain_conversion(q);
  const bool scaled = q.asked.a_scales.blocks || q.asked.b_scales.blocks;
  const std::optional<ScaleUse> use =
      scaled ? std::optional(judge::parse_scale_use(q.asked.option("scale-format"), q.scale_format))
             : std::nullopt;
  const diagnose::Asked asked = diagnose::asked_of(q.asked, use, [&](const operations::Shape& shape) {
    return sample_of(q, shape, operations::size_of(shape));
  });
  diagnose::ExplainOptions options = explain_options(asked.input, q.asked.seed);
  // Those that differ in flushing alone are shown as one.
  options.keep = 4 * std::max<std::size_t>(q.top, 20);
  options.threads = q.asked.threads;
  options.progress = q.asked.progress;
  diagnose::Explained explained{.question = question_of(q, asked.shape)};
  for (const NamedArithmetic& one : q.also) explained.kept.push_back(one.arithmetic);
  explained.question.parameters = asked.parameters;
  explained.found = diagnose::explain_parts(asked.input, candidates(q, asked), options);
  return explained;
}

}  // namespace assay
