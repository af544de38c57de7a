#include <nlohmann/json.hpp>

#include "reference/core/file.hpp"
#include "validation/judge/saved_arithmetic.hpp"

namespace assay::judge {
namespace {

using Json = nlohmann::ordered_json;

std::string format_text(const FormatSpec& f) {
  for (const FormatSpec* known : formats::all) {
    if (*known == f) return std::string(f.dtype);
  }
  return "custom:" + std::to_string(f.bits) + ',' + std::to_string(f.precision) + ',' +
         std::to_string(f.emin) + ',' + std::string(specials_name(f.specials));
}

Json to_json(const Problem& p) {
  Json json{{"operation", operation_name(p.operation)},
            {"m", p.m},
            {"n", p.n},
            {"k", p.k},
            {"a", format_text(p.a)}};
  if (p.has_b()) json["b"] = format_text(p.b);
  if (p.c) json["c"] = format_text(*p.c);
  json["output"] = format_text(p.output);
  if (p.scaled()) {
    json["alpha"] = p.alpha;
    json["beta"] = p.beta;
  }
  json["threads"] = p.threads;
  if (p.offset != 0) json["offset"] = p.offset;
  return json;
}

Json to_json(const LeafRule& r) {
  Json json{{"product", r.product ? Json(format_text(*r.product)) : Json("exact")},
            {"rounding", rounding_name(r.rounding)},
            {"started", r.started},
            {"flush_operands", r.flush_operands},
            {"flush_result", r.flush_result}};
  return json;
}

Json to_json(const NodeRule& r) {
  Json json{{"format", format_text(r.format)},
            {"rounding", rounding_name(r.rounding)},
            {"flush_inputs", r.flush_inputs},
            {"flush_result", r.flush_result},
            {"padded", r.padded}};
  if (r.fraction) json["fraction"] = *r.fraction;
  if (r.floor) json["floor"] = *r.floor;
  if (r.infinite) json["infinite"] = true;
  return json;
}

Json to_json(const TreeScaling& s) {
  const auto product = [](const std::optional<FormatSpec>& f) { return f ? format_text(*f) : "exact"; };
  return {{"alpha", s.alpha},
          {"beta", s.beta},
          {"alpha_enters", alpha_place_name(s.place)},
          {"from", s.from},
          {"alpha_product", product(s.alpha_format)},
          {"beta_product", product(s.beta_format)},
          {"rounding", rounding_name(s.rounding)},
          {"flush", s.flush},
          {"reads_c", s.reads_c}};
}

Json to_json(const AdditionTree& t) {
  Json nodes = Json::array(), leaf_rules = Json::array(), node_rules = Json::array();
  for (const TreeNode& node : t.nodes) {
    nodes.push_back(node.children.empty() ? Json{node.rule, node.leaf} : Json{node.rule, node.children});
  }
  for (const LeafRule& r : t.leaf_rules) leaf_rules.push_back(to_json(r));
  for (const NodeRule& r : t.node_rules) node_rules.push_back(to_json(r));
  Json json{{"leaf_rules", leaf_rules},
            {"node_rules", node_rules},
            {"output",
             {{"format", format_text(t.output.format)},
              {"rounding", rounding_name(t.output.rounding)},
              {"flush", t.output.flush},
              {"started", t.output.started}}},
            {"nodes", nodes}};
  if (t.output.overflow != OutputOverflow::as_rounded)
    json["output"]["overflow"] = output_overflow_name(t.output.overflow);
  if (const auto& mean = t.output.mean) {
    json["mean"] = {{"format", format_text(mean->format)},
                    {"rounding", rounding_name(mean->rounding)},
                    {"reciprocal", mean->reciprocal}};
  }
  if (t.scaling) json["scaling"] = to_json(*t.scaling);
  if (t.tiny != Tininess::as_stored) json["tiny"] = tininess_name(t.tiny);
  if (t.skipped != SkippedTerms::none) json["zero_terms_skipped"] = skipped_name(t.skipped);
  return json;
}

}  // namespace

std::string to_json(const SavedArithmetic& saved) {
  Json shapes = Json::array();
  for (const SavedArithmetic::Shape& shape : saved.shapes) {
    const Revelation& r = shape.revelation;
    Json classes = Json::array();
    for (const OrderClass& c : r.classes) {
      Json ranges = Json::array();
      for (std::size_t i = 0; i < c.outputs.size();) {
        std::size_t last = i;
        while (last + 1 < c.outputs.size() && c.outputs[last + 1] == c.outputs[last] + 1) ++last;
        ranges.push_back({c.outputs[i], c.outputs[last]});
        i = last + 1;
      }
      Json json{{"outputs", ranges},       {"why_not", c.why_not},       {"how", c.how},
                {"as_exact", c.as_exact},  {"order_runs", c.order_runs}, {"rule_runs", c.rule_runs},
                {"ambiguous", c.ambiguous}};
      if (!c.tree.nodes.empty()) json["tree"] = to_json(c.tree);
      classes.push_back(std::move(json));
    }
    Json json{{"problem", to_json(r.problem)}};
    if (r.problem.scaled()) {
      const Problem even = with_even_scales(r.problem);
      json["order_found_with"] = {{"alpha", even.alpha}, {"beta", even.beta}};
    }
    json.update({{"runs", r.runs},
                 {"rounds", r.rounds},
                 {"repeats", r.repeats},
                 {"prediction",
                  {{"results", shape.score.results},
                   {"wrong", shape.score.wrong},
                   {"without_tree", shape.score.without_tree}}},
                 {"classes", classes}});
    shapes.push_back(std::move(json));
  }
  const Json json{{"assay_arithmetic", 1},
                  {"name", saved.name},
                  {"program", saved.program},
                  {"environment", saved.environment},
                  {"shapes", shapes}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

void save(const SavedArithmetic& saved, const std::filesystem::path& path) {
  AtomicFile file(path);
  file.write(to_json(saved));
  file.commit();
}

}  // namespace assay::judge
