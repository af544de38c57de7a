// A random operation with what `assay check` would judge its results by, any order of additions allowed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/random_operation.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/judge/answer.hpp"

namespace assay::oracle {

// A result that somebody might bring for one output.
struct Claim {
  std::size_t output = 0;
  std::uint64_t code = 0;
};

class JudgedOperation {
 public:
  explicit JudgedOperation(RandomOperation operation);

  const std::vector<Sum>& sums() const { return operation_.sums; }
  const FormatSpec& format() const { return operation_.output.format; }
  // The exact result, rounded once, as the code under test has it.
  std::uint64_t exact_code(std::size_t output) const;

  // All claims in one comparison under the policy `bound`.
  compare::Comparison judge(std::span<const Claim> claims) const;
  bool is_outside(const Claim& claim) const { return judge({&claim, 1}).outside != 0; }
  // All that a person needs to run it again, and what was right.
  std::string reproduction(const Claim& claim) const;

 private:
  RandomOperation operation_;
  judge::Answer answer_;
  compare::Options options_;
};

}  // namespace assay::oracle
