#include <vector>

#include "validation/report/json.hpp"
#include "validation/report/probe_report.hpp"
#include "validation/report/trace_report.hpp"

namespace assay {
namespace {

using namespace judge;
using report::Json;

Json numbers(const Problem& p, const std::vector<std::byte>& codes, const FormatSpec& f) {
  Json list = Json::array();
  for (std::size_t i = 0; i < p.k; ++i)
    list.push_back(code_text(CodeVector{codes.data(), p.k, 1, f}.code(i), f));
  return list;
}

Json operands_json(const Problem& p, const SumOperands& in) {
  Json json{{"a", numbers(p, in.a, p.a)}};
  if (p.has_b()) json["b"] = numbers(p, in.b, p.b);
  if (p.c) json["c"] = code_text(in.c, *p.c);
  return json;
}

Json unexplained_json(const Problem& p, const Unexplained& x) {
  Json json = operands_json(p, x.in), near = Json::array();
  if (p.scaled()) {
    json["alpha"] = x.alpha;
    json["beta"] = x.beta;
  }
  for (const Unexplained::Near& one : x.near)
    near.push_back({{"rule", one.rule}, {"says", code_text(one.says, p.output)}, {"misses", one.misses}});
  json["got"] = code_text(x.got, p.output);
  json["predicted"] = code_text(x.predicted, p.output);
  json["near"] = near;
  return json;
}

Json class_json(const Problem& p, const OrderClass& c) {
  Json examples = Json::array();
  for (const Unexplained& x : c.unexplained) examples.push_back(unexplained_json(p, x));
  const bool found = !c.tree.nodes.empty();
  const AdditionTree& order = found ? c.tree : c.order;
  return {{"outputs", c.outputs.size()},
          {"found", found},
          {"why_not", c.why_not},
          {"as_exact", c.as_exact},
          {"order_runs", c.order_runs},
          {"rule_runs", c.rule_runs},
          {"order", order.nodes.empty() ? "" : canonical_order(order)},
          {"ambiguous", c.ambiguous},
          {"answers", c.training},
          {"not_explained", c.training_misses},
          {"examples", examples},
          {"output_indices", c.outputs},
          {"how", c.how},
          {"rules", found ? Json(tree_legend(c.tree)) : Json::array()},
          {"gave_up", c.gave_up}};
}

Json shape_json(const Revelation& r, const PredictionScore& s, const std::optional<SumOperands>& fewest) {
  const Problem& p = r.problem;
  Json classes = Json::array(), first = Json::array(), wrong = Json::object();
  for (const OrderClass& c : r.classes) classes.push_back(class_json(p, c));
  for (const Misprediction& m : s.first) {
    first.push_back({{"inputs", input_kind_name(m.kind)},
                     {"index", m.index},
                     {"output", m.output},
                     {"got", code_text(m.got, p.output)},
                     {"predicted", code_text(m.predicted, p.output)}});
  }
  for (std::size_t k = 0; k < scored_kinds.size(); ++k)
    wrong[std::string(input_kind_name(scored_kinds[k]))] = s.wrong_by_kind[k];
  return {{"problem", to_string(p)},
          {"repeats", r.repeats && s.changed == 0},
          {"asked_again", s.asked_again},
          {"changed", s.changed},
          {"runs", r.runs},
          {"notes", r.notes},
          {"results", s.results},
          {"wrong", s.wrong},
          {"without_tree", s.without_tree},
          {"predicted", all_predicted(s)},
          {"not_explained", unexplained(r)},
          {"classes", classes},
          {"verdict", prediction_verdict(r, s)},
          {"rounds", r.rounds},
          {"wrong_by_inputs", wrong},
          {"changed_in_small_rounds", s.changed_in_small_rounds},
          {"first_wrong", first},
          {"fewest_terms", fewest ? operands_json(p, *fewest) : Json()}};
}

}  // namespace

std::string probe_json(const SavedArithmetic& saved, std::span<const std::optional<SumOperands>> fewest,
                       const ProbeFiles& files) {
  Json shapes = Json::array();
  for (std::size_t i = 0; i < saved.shapes.size(); ++i)
    shapes.push_back(shape_json(saved.shapes[i].revelation, saved.shapes[i].score, fewest[i]));
  const auto cpu = saved.environment.find("cpu");
  return report::one_line({{"name", saved.name},
                           {"program", saved.program},
                           {"cpu", cpu == saved.environment.end() ? "" : cpu->second},
                           {"shapes", shapes},
                           {"out", files.out.empty() ? Json() : Json(files.out)},
                           {"svg", files.svg_is_written ? Json(files.svg) : Json()}});
}

std::string target_error_json(std::string_view what) { return report::one_line({{"error", what}}); }

}  // namespace assay
