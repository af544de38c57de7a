#include "validation/report/study_page.hpp"

#include <fmt/format.h>

#include "validation/report/inference_report.hpp"
#include "validation/report/page.hpp"
#include "validation/report/study_report.hpp"
#include "validation/report/table.hpp"
#include "validation/report/text_report.hpp"

namespace assay::studies {
namespace {

std::string trials_text(const StudyTrials& trials) {
  return fmt::format("{} trials a point, fewer where they would have more than {} terms together",
                     trials.most, grouped(trials.terms));
}

}  // namespace

StudyPage accumulation_page(const Study& study, const StudyTrials& trials) {
  const auto rows = study_rows(study);
  return {.title = "assay study " + study.name,
          .lead = fmt::format("error of {} against the number of terms, by the long accumulator; {}",
                              study.name, trials_text(trials)),
          .charts = study_charts(study),
          .tables = html_table(rows),
          .json = study_json(study),
          .csv = {{"", study_csv(study)}},
          .text = table_text(rows, 0)};
}

StudyPage rounding_page(const Study& by_number, const Study& by_magnitude, const StudyTrials& trials,
                        std::uint64_t per_binade) {
  const auto rows = study_rows(by_number);
  StudyPage page{.title = "assay study convert",
                 .lead = fmt::format(
                     "error of rounding float64 values; by magnitude {} values a power of two; by number {}",
                     per_binade, trials_text(trials)),
                 .charts = study_charts(by_magnitude),
                 .tables = html_table(rows),
                 .json = study_json(by_number, &by_magnitude),
                 .csv = {{"", study_csv(by_number)}, {"-magnitude", study_csv(by_magnitude)}},
                 .text = table_text(rows, 0)};
  for (LineChart& chart : page.charts) {
    chart.kind += "-magnitude";
    chart.title += " of one rounding";
  }
  for (LineChart& chart : study_charts(by_number)) {
    chart.title += " of the sum of n rounded values";
    page.charts.push_back(std::move(chart));
  }
  return page;
}

StudyPage inference_page(const InferenceStudy& study) {
  const auto rows = inference_rows(study);
  return {.title = "assay study spdnn",
          .lead = html_escaped(
              fmt::format("{}; {} images of {}", study.network, grouped(study.images), study.inputs)),
          .charts = {inference_chart(study)},
          .tables = html_table(rows),
          .json = inference_json(study),
          .csv = {{"", inference_csv(study)}},
          .text = fmt::format("{}; {} images of {}\n{}", study.network, study.images, study.inputs,
                              table_text(rows, 0))};
}

std::string study_page_html(const StudyPage& page, std::uint64_t seed, const RunHeader& header) {
  std::string body = fmt::format("<h1>{}</h1>\n<p class=\"counts\">{}; seed {}</p>\n<div class=\"charts\">\n",
                                 html_escaped(page.title), page.lead, seed);
  for (const LineChart& chart : page.charts) body += line_chart_figure(chart);
  body += "</div>\n" + page.tables + html_facts(header);
  return html_page(page.title, body);
}

std::string study_files_text(const std::string& page, const std::string& stem) {
  return fmt::format("written to {}; {}.csv, .json and .svg beside it\n", page, stem);
}

std::vector<std::string> outside_texts(const Study& study) {
  std::vector<std::string> texts;
  for (const StudySeries& s : study.series) {
    for (const StudyPoint& p : s.points) {
      if (p.outside == 0) continue;
      texts.push_back(fmt::format("{}, {} = {}: {} of {} errors are over the bound", s.name, study.x_name,
                                  p.x, p.outside, p.trials));
    }
  }
  return texts;
}

}  // namespace assay::studies
