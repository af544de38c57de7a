#include "validation/compare/problem.hpp"

#include <cmath>
#include <string>
#include <string_view>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"

namespace assay::compare {
namespace {

std::string size_text(std::string_view what, std::size_t got, std::size_t expected) {
  return "judge: " + std::to_string(got) + " " + std::string(what) + " for " + std::to_string(expected) +
         " values";
}

}  // namespace

Problem::Problem(const Codes& got, const Expected& want, const Options& options)
    : got_(got),
      want_(want),
      rule_(options.policy, got.format, {.rounding = options.rounding, .overflow = options.overflow},
            options.convert && !(got.format == want.codes.format), want.specials),
      narrower_(want.codes.format, got.format, options.rounding),
      got_decoder_(got.format),
      want_decoder_(want.codes.format),
      size_(got.size()),
      view_(matrix_view(got.shape)) {
  if (const std::string why = why_unsound(options.policy); !why.empty()) throw ContractError("judge: " + why);
  if (got.shape != want.codes.shape) {
    throw ContractError("judge: got has shape " + shape_text(got.shape) + " and want " +
                        shape_text(want.codes.shape));
  }
  if (size_ > 0 && (got.data == nullptr || want.codes.data == nullptr))
    throw ContractError("judge: a null array");
  const PolicyKind kind = options.policy.kind;
  if (kind == PolicyKind::bit_equal && !options.convert && !(got.format == want.codes.format)) {
    throw ContractError("judge: bit-equal of " + std::string(got.format.dtype) + " and " +
                        std::string(want.codes.format.dtype) + " without Options::convert");
  }
  if (!want.truth.empty() && want.truth.size() != size_)
    throw ContractError(size_text("exact results", want.truth.size(), size_));
  if (!want.remainder.empty() && want.remainder.size() != size_) {
    throw ContractError(size_text("remainders", want.remainder.size(), size_));
  }
  if (kind != PolicyKind::bound) {
    want_.bound = {};
    want_.results = {};
  }
  if (kind == PolicyKind::bound && want.bound.size() != size_)
    throw ContractError(size_text("bounds", want.bound.size(), size_));
  if (!want_.results.empty() && want_.results.size() != size_)
    throw ContractError(size_text("sets of results", want_.results.size(), size_));
  for (std::size_t i = 0; i < want_.bound.size(); ++i) {
    if (!(want_.bound[i] >= 0))
      throw ContractError("judge: the bound of value " + std::to_string(i) + " is negative or NaN");
  }
  if (options.stale && (options.stale->shape != got.shape || !(options.stale->format == got.format))) {
    throw ContractError("judge: the earlier content has another shape or format than got");
  }
}

double Problem::got_value(std::size_t i) const { return decode(got_code(i), got_.format); }

Target Problem::target(std::size_t i) const {
  const std::uint64_t stored = code_at(want_.codes, i);
  Target t{.code = narrower_.one(stored)};
  if (has_truth()) {
    t.value = want_.truth[i];
  } else if (rule_.policy().kind == PolicyKind::bit_equal) {
    t.value = decode(t.code, got_.format);
  } else {
    t.value = decode(stored, want_.codes.format);
  }
  if (!want_.remainder.empty()) t.remainder = want_.remainder[i];
  if (!want_.bound.empty()) {
    t.bound = want_.bound[i];
    if (!want_.results.empty()) t.results = &want_.results[i];
  }
  return t;
}

bool Problem::accepts(std::uint64_t code, std::size_t i) const {
  return rule_.accepts(code, decode(code, got_.format), target(i));
}

bool Problem::are_finite(std::size_t i) const {
  return got_.format.is_finite(got_code(i)) && std::isfinite(target(i).value);
}

Pairs::Numbers Problem::numbers(std::size_t i) const {
  const Target want = target(i);
  const double got = got_value(i);
  return {got, want.value, (got - want.value) - want.remainder, std::isinf(want.bound) ? 0 : want.bound};
}

}  // namespace assay::compare
