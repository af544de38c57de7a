#include "tests/support/judged_operation.hpp"

#include <fmt/format.h>

#include <utility>

#include "reference/core/error.hpp"
#include "reference/formats/encode.hpp"
#include "validation/judge/any_order.hpp"

namespace assay::oracle {
namespace {

void store(std::vector<std::byte>& bytes, std::size_t i, std::uint64_t code, const FormatSpec& f) {
  detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), code);
}

}  // namespace

JudgedOperation::JudgedOperation(RandomOperation operation) : operation_(std::move(operation)) {
  const auto any = judge::make_any_order(operation_.how, format());
  answer_ = judge::exact_answer(*operation_.operation, *any, operation_.output, {.threads = 1});
  options_.policy = compare::find_policy(compare::default_policies(), "bound", "test");
  options_.rounding = operation_.output.epilogue.rounding;
  options_.overflow = operation_.output.epilogue.overflow;
  options_.threads = 1;
  if (operation_.operation->size() != sums().size())
    throw ContractError("the second implementation counts other outputs: " + operation_.text);
}

std::uint64_t JudgedOperation::exact_code(std::size_t output) const {
  return compare::code_at(answer_.codes.data(), code_bytes(format()), output);
}

compare::Comparison JudgedOperation::judge(std::span<const Claim> claims) const {
  std::vector<std::byte> got(claims.size() * code_bytes(format())), want(got.size());
  std::vector<double> truth, remainder, bound;
  std::vector<ResultSet> results;
  for (const Claim& claim : claims) {
    store(got, truth.size(), claim.code, format());
    store(want, truth.size(), exact_code(claim.output), format());
    truth.push_back(answer_.truth[claim.output]);
    remainder.push_back(answer_.remainder[claim.output]);
    bound.push_back(answer_.bound[claim.output]);
    results.push_back(answer_.results[claim.output]);
  }
  const compare::Shape shape{claims.size()};
  return compare::judge({got.data(), format(), shape},
                        {.codes = {want.data(), format(), shape},
                         .truth = truth,
                         .remainder = remainder,
                         .bound = bound,
                         .results = results,
                         .specials = answer_.specials},
                        options_);
}

std::string JudgedOperation::reproduction(const Claim& claim) const {
  const std::size_t i = claim.output;
  const ResultSet& set = answer_.results[i];
  return fmt::format(
      "output {} is {:#x} = {}\n  {}\n  exact {} + {}, rounded {:#x}; right: {:#x} to {:#x}{}{}{}{}\n", i,
      claim.code, decode(claim.code, format()), operation_.text, answer_.truth[i], answer_.remainder[i],
      exact_code(i), code_at_position(set.low, format()), code_at_position(set.high, format()),
      set.negative_infinity ? ", -Inf" : "", set.positive_infinity ? ", +Inf" : "", set.nan ? ", NaN" : "",
      set.judged ? "" : ", not judged");
}

}  // namespace assay::oracle
