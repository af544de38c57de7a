#include "validation/report/invariance_report.hpp"
#include "validation/report/json.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using namespace diagnose;
using report::Json;

Json setting_json(const Setting& s) {
  return {{"m", s.m},           {"n", s.n},    {"row", s.row}, {"threads", s.threads},
          {"offset", s.offset}, {"run", s.run}};
}

Json difference_json(const Invariance& r, const Difference& d) {
  return {{"setting", setting_json(r.settings[d.setting])},
          {"against", setting_json(r.settings[d.against])},
          {"different", d.results},
          {"results", d.of},
          {"column", d.column},
          {"got", code_text(d.got, r.problem.output)},
          {"was", code_text(d.was, r.problem.output)}};
}

Json class_json(const Invariance& r, std::size_t which) {
  Json settings = Json::array();
  for (const Setting& s : r.settings) {
    if (s.by_bits == static_cast<int>(which)) settings.push_back(setting_json(s));
  }
  const BitClass& c = r.classes[which];
  return {{"settings", settings}, {"looked_at", c.looked_at}, {"orders", c.orders}, {"why_not", c.why_not}};
}

}  // namespace

std::string invariance_json(const InvarianceQuestion& q, const Invariance& r) {
  Json classes = Json::array(), depends_on, threads_seen, threads_ended, first_change;
  for (std::size_t i = 0; i < r.classes.size(); ++i) classes.push_back(class_json(r, i));
  for (const Dependence& d : r.dependences)
    depends_on[std::string(d.on)] = d.first ? difference_json(r, *d.first) : Json();
  for (const auto& [asked, seen] : q.threads_seen) {
    threads_seen[std::to_string(asked)] = seen.most;
    threads_ended[std::to_string(asked)] = seen.ended;
  }
  if (r.first_change < r.settings.size()) first_change = setting_json(r.settings[r.first_change]);
  return report::one_line({{"problem", to_string(r.problem)},
                           {"vary", q.varied},
                           {"invariant", r.invariant},
                           {"vacuous", is_vacuous(r)},
                           {"settings", r.settings.size()},
                           {"runs", r.runs},
                           {"repeats", r.repeats},
                           {"first_change", first_change},
                           {"by_tree", r.by_tree},
                           {"depends_on", depends_on},
                           {"threads_seen", threads_seen},
                           {"threads_ended", threads_ended},
                           {"columns", r.columns},
                           {"classes", classes},
                           {"trials", r.trials}});
}

}  // namespace assay
