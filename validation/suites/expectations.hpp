// What a case expects of many things: counts of right and wrong ones, and the first that is wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "validation/report/result.hpp"

namespace assay::suites {

class Expectations {
 public:
  // `reason` is what a failure means, as a sentence of the report.
  Expectations(std::string evidence, std::string reason) : reason_(std::move(reason)) {
    result_.evidence = std::move(evidence);
  }

  template <class Text>
  void expect(bool right, const Text& text) {
    ++result_.checked;
    if (right) return;
    if (result_.mismatches++ == 0) result_.details.push_back(text());
  }
  // What another part of the case counted.
  void add(const CaseResult& part) {
    result_.checked += part.checked;
    const std::uint64_t wrong =
        part.status == Status::passed ? part.mismatches : std::max<std::uint64_t>(part.mismatches, 1);
    if (wrong > 0 && result_.mismatches == 0) {
      result_.details.push_back(part.reason);
      result_.details.insert(result_.details.end(), part.details.begin(), part.details.end());
    }
    result_.mismatches += wrong;
  }
  void say(std::string detail) { result_.details.push_back(std::move(detail)); }
  void figure(std::string name, double value, std::string unit = "") {
    result_.figures.push_back({std::move(name), value, std::move(unit)});
  }
  std::uint64_t checked() const { return result_.checked; }
  std::uint64_t mismatches() const { return result_.mismatches; }

  CaseResult& result() {
    result_.status = result_.mismatches == 0 ? Status::passed : Status::failed;
    if (result_.mismatches > 0) result_.reason = reason_;
    return result_;
  }

 private:
  std::string reason_;
  CaseResult result_{};
};

}  // namespace assay::suites
