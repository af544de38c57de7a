#include "validation/suites/cuda/kernel_question.hpp"

#include <fmt/format.h>

#include <cstring>

#include "validation/compare/comparison.hpp"
#include "validation/suites/expectations.hpp"

namespace assay::suites::cuda {
namespace {

// Element by element; the first that differs is told.
void compare_bits(const std::string& name, const io::Array& got, const io::Array& want, Expectations& all) {
  if (got.element != want.element || got.shape != want.shape) {
    all.expect(false, [&] {
      return fmt::format("{} is {} of {}, not {} of {}", name, io::to_string(got.shape), got.element.name(),
                         io::to_string(want.shape), want.element.name());
    });
    return;
  }
  const std::size_t bytes = got.element.bytes();
  const compare::Shape shape(got.shape.begin(), got.shape.end());
  for (std::size_t i = 0; i < static_cast<std::size_t>(got.size()); ++i) {
    all.expect(std::memcmp(&got.bytes[i * bytes], &want.bytes[i * bytes], bytes) == 0, [&] {
      const auto at = static_cast<std::int64_t>(i);
      return fmt::format("{}{}: 0x{:0{}x}, not 0x{:0{}x}", name, compare::index_text(i, shape), got.code(at),
                         2 * bytes, want.code(at), 2 * bytes);
    });
  }
}

}  // namespace

CaseResult answer_of(const KernelQuestion& q) {
  Expectations all(
      "the bits of " + q.contract + (q.judged.empty() ? "" : ", and the exact result with a proven bound"),
      "the kernel's results are not those of its contract");
  all.expect(q.got.size() == q.predicted.size(),
             [&] { return fmt::format("{} arrays, not {}", q.got.size(), q.predicted.size()); });
  for (std::size_t i = 0; i < std::min(q.got.size(), q.predicted.size()); ++i)
    compare_bits(q.got[i].first, q.got[i].second, q.predicted[i].second, all);
  for (const judge::Judgement& judged : q.judged) {
    const compare::Comparison& c = judged.comparison;
    all.expect(c.verdict == compare::Verdict::agree,
               [&] { return judged.name + ": " + (c.reason.empty() ? "outside the bound" : c.reason); });
    if (!c.where.text.empty()) all.say(judged.name + ": " + c.where.text);
    if (c.over_bound)
      all.figure(judged.name.substr(judged.name.find(' ') + 1) + " error/bound", c.over_bound->max.value);
  }
  if (!q.distance.empty()) all.say(q.distance);
  return std::move(all.result());
}

}  // namespace assay::suites::cuda
