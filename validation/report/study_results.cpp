#include "validation/report/study_results.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace assay::studies {
namespace {

struct ValuesRow {
  Values values;
  std::string_view name, text;
};
constexpr auto values_rows = std::to_array<ValuesRow>({
    {Values::positive, "positive", "uniform in [0, 1)"},
    {Values::uniform, "uniform", "uniform in [\u22121, 1)"},
    {Values::normal, "normal", "standard normal"},
    {Values::wide, "wide", "\u00b12^u, u uniform in [\u221212, 12)"},
    {Values::above_tenth, "above-tenth", "uniform in [0.1, 1)"},
});

}  // namespace

std::string_view values_name(Values values) { return values_rows[static_cast<std::size_t>(values)].name; }
std::string_view values_text(Values values) { return values_rows[static_cast<std::size_t>(values)].text; }

bool StudyPoint::biased() const { return std::fabs(bias) > 2 * bias_error; }

std::uint64_t Study::outside() const {
  std::uint64_t count = 0;
  for (const StudySeries& s : series) {
    for (const StudyPoint& p : s.points) count += p.outside;
  }
  return count;
}

std::string quantity_text(const Quantity& q) {
  std::string text(q.format.short_name);
  return q.mode == Rounding::nearest_even ? text : text + ":" + std::string(rounding_alias(q.mode));
}

std::uint64_t Bf16Study::outside() const {
  return std::accumulate(results.begin(), results.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ContractErrors& r) { return sum + r.outside; });
}

const std::vector<double>& peers(const InferenceStudy& study, std::uint32_t label) {
  return study.margins[study.margins.size() == 1 ? 0 : label];
}

}  // namespace assay::studies
