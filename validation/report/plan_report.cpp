#include "validation/report/plan_report.hpp"

#include <fmt/format.h>

#include "reference/core/memory.hpp"
#include "validation/report/json.hpp"
#include "validation/report/table.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace {

using report::Json;

std::string count(std::int64_t n) { return grouped(static_cast<std::uint64_t>(n)); }

std::string seconds_text(double s) {
  return s >= 1      ? fmt::format("{:.3g} s", s)
         : s >= 1e-3 ? fmt::format("{:.3g} ms", 1e3 * s)
                     : fmt::format("{:.3g} us", 1e6 * s);
}

std::string matrix_lines(const PlannedSpmm& p) {
  const bool converted = p.value_format != "float32";
  std::vector<std::vector<std::string>> rows{
      {"shape", fmt::format("{} x {}", count(p.rows), count(p.cols))},
      {"entries", fmt::format("{}, {:.3g} % of the places", count(p.entries), 100 * p.density())},
      {"values", p.value_format + (converted ? ", rounded to float32" : "")},
      {"row lengths", fmt::format("least {}, median {}, longest {}; {} of {} rows empty",
                                  count(p.row_lengths.least), count(p.row_lengths.median),
                                  count(p.row_lengths.longest), count(p.row_lengths.empty), count(p.rows))}};
  return table_text(rows, 0, 2);
}

std::string forms_table(const PlannedSpmm& p) {
  std::vector<std::vector<std::string>> rows{
      {"format", "values", "indices", "together", "of CSR", "places added"}};
  const auto csr = static_cast<double>(p.forms.front().bytes());
  for (const StoredForm& f : p.forms) {
    rows.push_back({f.name, bytes_text(f.value_bytes), bytes_text(f.index_bytes), bytes_text(f.bytes()),
                    fmt::format("{:.3g} x", static_cast<double>(f.bytes()) / csr), grouped(f.added)});
  }
  std::string text = table_text(rows, 0, 2);
  if (p.unsorted_row)
    text +=
        fmt::format("  The columns of row {} do not ascend: only CSR holds such rows.\n", *p.unsorted_row);
  return text;
}

std::string choice_lines(const PlannedSpmm& p) {
  const sparse::SpmmChoice& c = p.choice;
  return table_text({{"kernel", std::string(c.kernel)},
                     {"ISA", p.isa},
                     {"panel", fmt::format("{} columns of X, {} {} of A side by side", c.width,
                                           p.rows_side_by_side, p.rows_side_by_side == 1 ? "row" : "rows")},
                     {"depth", fmt::format("{} rows of X a slice, {} {} of K", count(c.depth),
                                           count(c.slices), c.slices == 1 ? "slice" : "slices")},
                     {"chunks", fmt::format("{} of the rows of A", count(c.chunks))},
                     {"packed", bytes_text(c.packed_bytes)},
                     {"why", c.why}},
                    0, 2);
}

std::string times_lines(const PlannedSpmm& p, const PlanTimes& t) {
  return fmt::format("\nmedians of {}, one thread, random X (seed {})\n", t.repetitions, p.seed) +
         table_text({{"planning", fmt::format("{}, as long as {:.3g} products",
                                              seconds_text(t.planning_seconds), t.products())},
                     {"product", fmt::format("{}, {:.3g} GFLOP/s", seconds_text(t.product_seconds),
                                             1e-9 * t.flops_per_second)}},
                    0, 2);
}

Json form_json(const StoredForm& f) {
  return {{"format", f.name},
          {"value_bytes", f.value_bytes},
          {"index_bytes", f.index_bytes},
          {"bytes", f.bytes()},
          {"places_added", f.added}};
}

Json choice_json(const PlannedSpmm& p) {
  const sparse::SpmmChoice& c = p.choice;
  return {{"kernel", c.kernel},
          {"isa", p.isa},
          {"panel_width", c.width},
          {"rows_side_by_side", p.rows_side_by_side},
          {"depth", c.depth},
          {"slices", c.slices},
          {"chunks", c.chunks},
          {"packed_bytes", c.packed_bytes},
          {"why", c.why}};
}

}  // namespace

std::string plan_text(const PlannedSpmm& p) {
  return fmt::format("{}\n{}\n{}\nplan for {} {} of X, float32\n{}{}", p.name, matrix_lines(p),
                     forms_table(p), count(p.columns), p.columns == 1 ? "column" : "columns", choice_lines(p),
                     p.times ? times_lines(p, *p.times) : "");
}

std::string plan_json(const PlannedSpmm& p) {
  Json forms = Json::array();
  for (const StoredForm& f : p.forms) forms.push_back(form_json(f));
  Json j{{"operation", "spmm"},
         {"matrix", p.name},
         {"value_format", p.value_format},
         {"rows", p.rows},
         {"cols", p.cols},
         {"entries", p.entries},
         {"density", p.density()},
         {"row_lengths",
          {{"least", p.row_lengths.least},
           {"median", p.row_lengths.median},
           {"longest", p.row_lengths.longest},
           {"empty", p.row_lengths.empty}}},
         {"unsorted_row", p.unsorted_row ? Json(*p.unsorted_row) : Json()},
         {"formats", std::move(forms)},
         {"n", p.columns},
         {"plan", choice_json(p)},
         {"measured", nullptr}};
  if (p.times) {
    j["measured"] = {{"repetitions", p.times->repetitions},
                     {"seed", p.seed},
                     {"threads", 1},
                     {"planning_seconds", p.times->planning_seconds},
                     {"product_seconds", p.times->product_seconds},
                     {"flops_per_second", p.times->flops_per_second},
                     {"planning_in_products", p.times->products()}};
  }
  return report::one_line(j);
}

}  // namespace assay
