#include "validation/report/study_page.hpp"

#include <fmt/format.h>

#include "validation/report/autosparse_report.hpp"
#include "validation/report/bf16_report.hpp"
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

// A table with its heading and what it shows.
struct Part {
  std::string title, text;
  std::vector<std::vector<std::string>> rows;
  bool on_page_alone = false;  // too much for a terminal
};

void add_parts(StudyPage& page, const std::vector<Part>& parts) {
  for (const Part& part : parts) {
    page.tables += fmt::format("<h2>{}</h2>\n<p class=\"counts\">{}</p>\n{}", html_escaped(part.title),
                               html_escaped(part.text), html_table(part.rows));
    if (part.on_page_alone) continue;
    page.text += fmt::format("\n{}\n", part.title);
    for (const std::string& line : wrapped(part.text, 100)) page.text += fmt::format("  {}\n", line);
    page.text += '\n' + table_text(part.rows, 0, 2);
  }
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

StudyPage bf16_page(const Bf16Study& study) {
  const std::string lead = fmt::format("{} of values {}, rounded to bf16, results in float32",
                                       study.operation, values_text(study.values));
  const std::vector<Part> parts{{"Contracts", bf16_pairing_text(study), bf16_contract_rows(study)},
                                {"Distance from the float32 product",
                                 "The product of the operands before they were rounded to bf16, under "
                                 "chain_f32_fused. An ulp is the distance of "
                                 "neighbours at the reference's magnitude; relative: the root of the sum of "
                                 "squares, by that of the reference.",
                                 bf16_float32_rows(study)},
                                {"Error against the exact result",
                                 "The exact result of the bf16 operands. An error/bound above 1 would be a "
                                 "fault of the contract's model or of "
                                 "the bound. Outputs without a term count nowhere.",
                                 bf16_exact_rows(study)}};
  StudyPage page{.title = "assay study bf16 " + study.operation,
                 .lead = html_escaped(lead),
                 .charts = bf16_charts(study),
                 .json = bf16_json(study),
                 .csv = {{"", bf16_csv(study)}},
                 .text = fmt::format("{}; seed {}\n", lead, study.seed)};
  add_parts(page, parts);
  return page;
}

StudyPage autosparse_page(const AutosparseStudy& study) {
  const std::string lead = fmt::format(
      "gradients of an AutoSparse layer beside float64: weights He-initialised, inputs and output gradients "
      "of a batch "
      "of {} standard normal, lambda {}; masks are those of float32 weights",
      study.batch, study.lambda);
  const std::string figures =
      "relative: root of the sum of squared errors, by that of the truth; bias: mean signed error, by the "
      "root mean "
      "square of the truth; outward: mean error away from zero, by the mean magnitude; ulp: of the result's "
      "format at "
      "the truth; error/bound: above 1 would be a fault of the arithmetic's model or of the bound. From "
      "float32: "
      "distance from the same path wholly in float32.";
  const std::string sums =
      " Sums: the arithmetic alone, beside the exact results of the operands as they were rounded.";
  StudyPage page{.title = "assay study bf16 autosparse",
                 .lead = html_escaped(lead),
                 .charts = autosparse_charts(study),
                 .json = autosparse_json(study),
                 .csv = {{"", autosparse_csv(study)}, {"-masters", masters_csv(study)}},
                 .text = fmt::format("{}; seed {}\n", lead, study.seed)};
  std::vector<Part> parts{
      {"Arithmetics",
       "v, X and dY are rounded to the format of the operands; each step takes the next terms, of dX those "
       "of kept "
       "weights alone, and masked weights fill no place in a step. dX and dY^T X are float32.",
       gradient_arithmetic_rows(study)},
      {"Relative errors",
       "Lines through the middle of the grid; CSV and JSON have all of it. Root of the sum of squared "
       "errors, by that "
       "of the truth; of ds, one number, |error / ds|. Error/bound: the largest of all four results and "
       "their sums.",
       gradient_rows(study)},
      {"ds by the sum of its terms",
       "|error / ds|, with the terms of " + study.arithmetics.front().series +
           ": summed in float64 in the stated order; in float32, one after the other; terms, sums and result "
           "in "
           "bfloat16. Terms / |sum|: magnitudes of the terms by that of their sum.",
       ds_rows(study)}};
  if (!study.masters.empty())
    parts.push_back(
        {"Master weights that are rounded",
         "Weights kept in the format, everything else in float64: masks that change (lost: kept before, "
         "masked now), and relative errors.",
         master_rows(study)});
  for (const Gradient g : all_gradients)
    parts.push_back({"All figures of " + std::string(gradient_name(g)),
                     figures + (g == Gradient::dx || g == Gradient::dw ? sums : ""),
                     gradient_detail_rows(study, g), true});
  add_parts(page, parts);
  return page;
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

std::vector<std::string> outside_texts(const Bf16Study& study) {
  std::vector<std::string> texts;
  for (const ContractErrors& r : study.results) {
    if (r.outside == 0) continue;
    texts.push_back(fmt::format("{} {}x{}x{}, {} % absent, {}: {} of {} errors are over the bound",
                                study.operation, r.m, r.k, r.n, r.sparsity, r.contract, r.outside,
                                r.outputs));
  }
  return texts;
}

std::vector<std::string> outside_texts(const AutosparseStudy& study) {
  std::vector<std::string> texts;
  for (const GradientPoint& p : study.points) {
    for (const Gradient g : all_gradients) {
      const GradientErrors& e = p.of(g);
      if (e.outside > 0)
        texts.push_back(
            fmt::format("width {}, {} % masked, alpha {}, {}: {} of {} errors of {} are over the bound",
                        p.width, p.sparsity, p.alpha, p.series, e.outside, e.elements, gradient_name(g)));
    }
  }
  return texts;
}

}  // namespace assay::studies
