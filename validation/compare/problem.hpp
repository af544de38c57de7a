// The two sides of a comparison and its rule, checked once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "validation/compare/codes.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/compare/pairs.hpp"
#include "validation/compare/rule.hpp"

namespace assay::compare {

// ContractError for sides, bounds or options that do not go together.
class Problem final : public Pairs {
 public:
  Problem(const Codes& got, const Expected& want, const Options& options);

  const Codes& got() const { return got_; }
  const Expected& want() const { return want_; }
  const Rule& rule() const { return rule_; }
  const FormatSpec& format() const { return got_.format; }
  const Narrower& narrower() const { return narrower_; }
  const Decoder& got_decoder() const { return got_decoder_; }
  const Decoder& want_decoder() const { return want_decoder_; }
  std::size_t size() const override { return size_; }
  MatrixView view() const override { return view_; }
  bool has_truth() const { return !want_.truth.empty(); }

  std::uint64_t got_code(std::size_t i) const override { return code_at(got_, i); }
  double got_value(std::size_t i) const;
  std::uint64_t want_code(std::size_t i) const override { return narrower_.one(code_at(want_.codes, i)); }
  Target target(std::size_t i) const;
  bool accepts(std::uint64_t code, std::size_t i) const override;
  const FormatSpec* floating() const override { return &got_.format; }
  bool are_finite(std::size_t i) const override;
  Numbers numbers(std::size_t i) const override;

 private:
  Codes got_;
  Expected want_;
  Rule rule_;
  Narrower narrower_;
  Decoder got_decoder_, want_decoder_;
  std::size_t size_;
  MatrixView view_;
};

}  // namespace assay::compare
