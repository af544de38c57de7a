#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "validation/report/distinction_report.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/report/json.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using namespace diagnose;
using report::Json;

Json candidate_json(const ExplainedQuestion& q, const ExplainCandidate& candidate) {
  Json c{{"name", candidate.names.empty() ? candidate.name : candidate.names.front()},
         {"names", candidate.names}};
  if (!candidate.view.empty()) c["terms"] = candidate.view;
  if (candidate.sum_format != q.got) c["output"] = finish_name(candidate.finish);
  if (candidate.arithmetic != nullptr) {
    c["evidence"] = evidence_name(candidate.arithmetic->info().evidence);
    return c;
  }
  c["order"] = order_name(candidate.order);
  c["products"] = fusion_name(candidate.rules);
  c["accumulator"] = candidate.rules.accumulator.dtype;
  c["rounding"] = rounding_name(candidate.rules.rounding);
  c["flushed"] = flush_name(candidate.rules);
  return c;
}

Json divergence_json(const ExplainedQuestion& q, const Explanation& e, const ExplainDivergence& d) {
  const auto side = [&](const ExplainCandidate& c, std::uint64_t result, const std::vector<TracedStep>& all,
                        std::size_t at) {
    Json j{{"candidate", candidate_json(q, c)}, {"result", code_text(result, q.got)}, {"step", at}};
    if (at >= all.size()) return j;
    j["terms_below"] = all[at].below;
    const TraceStep& step = all[at];
    j["shown"] = report::trace_json({&step, 1}).front();
    return j;
  };
  return {{"index", d.index},
          {"got", code_text(d.got, q.got)},
          {"best", side(e.ranked.front().candidate, d.best_result, d.best, d.step)},
          {"other", side(d.other, d.other_result, d.other_steps, d.other_step)}};
}

std::string sums_json(const ExplainedQuestion& q, const std::vector<Explanation>& all) {
  const Explanation& e = all.front();
  Json j{{"operation", q.operation},
         {"parameters", q.parameters},
         {"got", q.got.dtype},
         {"sample", e.sample},
         {"seed", q.seed},
         {"candidates", e.candidates},
         {"orders", e.orders},
         {"rules", e.rules},
         {"named", e.named},
         {"first_stage", e.first_stage},
         {"set_aside", e.set_aside},
         {"remaining", e.remaining},
         {"ranked", Json::array()},
         {"attributes", Json::object()},
         {"separations", Json::array()}};
  for (std::size_t i = 0; i < std::min<std::size_t>(e.ranked.size(), q.top); ++i) {
    Json c = candidate_json(q, e.ranked[i].candidate);
    c["matches"] = e.ranked[i].matches;
    c["compared"] = e.ranked[i].compared;
    j["ranked"].push_back(std::move(c));
  }
  j["parts"] = Json::array();
  for (const Explanation& part : all) {
    if (part.ranked.empty()) break;
    Json c = candidate_json(q, part.ranked.front().candidate);
    c["matches"] = part.ranked.front().matches;
    c["compared"] = part.sample;
    c["given"] = part.given;
    j["parts"].push_back(std::move(c));
  }
  Json tried = Json::object();
  for (const ExplainAttribute& a : e.attributes) {
    Json values = Json::object();
    for (const auto& [value, count] : a.values) values[value] = count;
    j["attributes"][a.name] = std::move(values);
    if (a.tried != 0) tried[a.name] = a.tried;
  }
  for (const ExplainSeparation& s : e.separations)
    j["separations"].push_back(
        {{"other", s.other}, {"input", s.input.found ? separating_text(s.input) : ""}});
  if (e.divergence) j["divergence"] = divergence_json(q, e, *e.divergence);
  j["attributes_tried"] = std::move(tried);
  j["terms"] = {{"least", e.least_terms}, {"most", e.most_terms}};
  j["shape"] = q.shape;
  return report::one_line(j);
}

std::string conversion_json(const ExplainedQuestion& q, const ExplainedConversion& found) {
  const auto& [sample, e] = found;
  Json j{{"operation", "convert"},
         {"from", sample.from.dtype},
         {"to", q.got.dtype},
         {"sample", e.sample},
         {"seed", q.seed},
         {"candidates", e.candidates},
         {"remaining", e.remaining},
         {"ranked", Json::array()},
         {"separations", Json::array()}};
  for (std::size_t i = 0; i < std::min<std::size_t>(e.ranked.size(), q.top); ++i) {
    const ConversionRank& r = e.ranked[i];
    Json one{{"policy", r.policy}, {"how", r.how}, {"matches", r.matches}, {"compared", r.compared}};
    if (r.first_miss) {
      const std::size_t m = *r.first_miss;
      one["first_miss"] = {{"index", sample.index[m]},
                           {"value", code_text(sample.a[m], sample.from)},
                           {"answer", code_text(r.miss_answer, q.got)},
                           {"got", code_text(sample.got[m], q.got)}};
    }
    j["ranked"].push_back(std::move(one));
  }
  for (const ConversionSeparation& s : e.separations) {
    j["separations"].push_back({{"other", s.other},
                                {"input", s.found ? fmt::format("{:#x} becomes {:#x} or {:#x}", s.code,
                                                                s.best_answer, s.other_answer)
                                                  : ""}});
  }
  j["shape"] = q.shape;
  return report::one_line(j);
}

}  // namespace

std::string explanation_json(const diagnose::Explained& explained) {
  if (const auto* const conversion = std::get_if<ExplainedConversion>(&explained.found))
    return conversion_json(explained.question, *conversion);
  return sums_json(explained.question, std::get<std::vector<Explanation>>(explained.found));
}

}  // namespace assay
