#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/judge/saved_arithmetic.hpp"

namespace assay::judge {
namespace {

using Json = nlohmann::ordered_json;

class SavedReader {
 public:
  explicit SavedReader(const std::string& origin) : origin_(origin) {}

  SavedArithmetic read(const Json& json) const {
    SavedArithmetic saved;
    if (number(json, "assay_arithmetic", "") != 1) fail("assay_arithmetic", "version 1", "another");
    saved.name = text(json, "name", "");
    saved.program = text(json, "program", "");
    for (const auto& [key, value] : object(json, "environment", "").items()) {
      if (!value.is_string()) fail("environment." + key, "a text", value.type_name());
      saved.environment[key] = value.get<std::string>();
    }
    std::size_t i = 0, outputs = 0;
    for (const Json& shape : array(json, "shapes", "")) {
      const std::string here = place("shapes", i++);
      const Problem p = read_problem(member(shape, "problem", here), here + ".problem");
      outputs += p.outputs();
      if (outputs > most_outputs) {
        fail(here + ".problem", "at most " + std::to_string(most_outputs) + " outputs in all shapes",
             std::to_string(outputs));
      }
      saved.shapes.push_back(read_shape(shape, p, here));
    }
    if (saved.shapes.empty()) fail("shapes", "at least one", "none");
    return saved;
  }

 private:
  // A short file may name any shape: its map of outputs must not take the memory.
  static constexpr std::size_t most_outputs = std::size_t{1} << 22U;

  [[noreturn]] void fail(const std::string& where, std::string expected, std::string found) const {
    throw InputError(origin_, where, std::move(expected), std::move(found));
  }
  static std::string place(const std::string& name, std::size_t i) {
    return name + '[' + std::to_string(i) + ']';
  }

  const Json& member(const Json& json, const char* name, const std::string& where) const {
    if (!json.is_object()) fail(where, "an object", json.type_name());
    const auto found = json.find(name);
    if (found == json.end()) fail(where, std::string("a member ") + name, "none");
    return *found;
  }
  std::string text(const Json& json, const char* name, const std::string& where) const {
    const Json& x = member(json, name, where);
    if (!x.is_string()) fail(where + '.' + name, "a text", x.type_name());
    return x.get<std::string>();
  }
  std::int64_t number(const Json& json, const char* name, const std::string& where) const {
    const Json& x = member(json, name, where);
    if (!x.is_number_integer()) fail(where + '.' + name, "a whole number", x.type_name());
    return x.get<std::int64_t>();
  }
  std::size_t size(const Json& json, const char* name, const std::string& where) const {
    const std::int64_t x = number(json, name, where);
    if (x < 0) fail(where + '.' + name, "a number of 0 and more", std::to_string(x));
    return static_cast<std::size_t>(x);
  }
  double real(const Json& json, const char* name, const std::string& where) const {
    const Json& x = member(json, name, where);
    if (!x.is_number()) fail(where + '.' + name, "a number", x.type_name());
    return x.get<double>();
  }
  bool flag(const Json& json, const char* name, const std::string& where) const {
    const Json& x = member(json, name, where);
    if (!x.is_boolean()) fail(where + '.' + name, "true or false", x.type_name());
    return x.get<bool>();
  }
  const Json& array(const Json& json, const char* name, const std::string& where) const {
    const Json& x = member(json, name, where);
    if (!x.is_array()) fail(where + '.' + name, "an array", x.type_name());
    return x;
  }
  const Json& object(const Json& json, const char* name, const std::string& where) const {
    const Json& x = member(json, name, where);
    if (!x.is_object()) fail(where + '.' + name, "an object", x.type_name());
    return x;
  }
  FormatSpec format(const Json& json, const char* name, const std::string& where) const {
    const std::string typed = text(json, name, where);
    try {
      return parse_format(typed);
    } catch (const InputError& e) {
      fail(where + '.' + name, e.expected(), quoted(typed));
    }
  }
  Rounding rounding(const Json& json, const std::string& where) const {
    const std::string typed = text(json, "rounding", where);
    try {
      const Rounding mode = parse_rounding(typed);
      if (mode == Rounding::stochastic) fail(where + ".rounding", "one that is not random", quoted(typed));
      return mode;
    } catch (const InputError& e) {
      fail(where + ".rounding", e.expected(), quoted(typed));
    }
  }

  // The value of this name.
  template <class Value, std::size_t n>
  Value one_of(const Json& json, const char* key, const std::array<Value, n>& values,
               std::string_view (*name)(Value), const std::string& where) const {
    const std::string typed = text(json, key, where);
    std::string names;
    for (const Value value : values) {
      if (name(value) == typed) return value;
      names += (names.empty() ? "" : " or ") + std::string(name(value));
    }
    fail(where + '.' + key, names, quoted(typed));
  }

  Problem read_problem(const Json& json, const std::string& where) const {
    Problem p;
    const std::string operation = text(json, "operation", where);
    try {
      p.operation = parse_operation(operation);
    } catch (const InputError& e) {
      fail(where + ".operation", e.expected(), quoted(operation));
    }
    p.m = size(json, "m", where);
    p.n = size(json, "n", where);
    p.k = size(json, "k", where);
    p.a = format(json, "a", where);
    if (p.has_b()) p.b = format(json, "b", where);
    if (json.contains("c")) p.c = format(json, "c", where);
    p.output = format(json, "output", where);
    if (json.contains("alpha")) {
      p.alpha = real(json, "alpha", where);
      p.beta = real(json, "beta", where);
    }
    p.threads = static_cast<int>(size(json, "threads", where));
    if (json.contains("offset"))
      p.offset = static_cast<int>(std::min<std::size_t>(size(json, "offset", where), 64));
    try {
      check_problem(p);
    } catch (const InputError& e) {
      fail(where, e.expected(), e.found());
    }
    return p;
  }

  AdditionTree read_tree(const Json& json, const Problem& p, const std::string& where) const {
    AdditionTree t;
    t.terms = p.k;
    t.addend = p.adds_c();
    t.leaf_rules.clear();
    t.node_rules.clear();
    std::size_t i = 0;
    for (const Json& r : array(json, "leaf_rules", where)) {
      const std::string here = where + "." + place("leaf_rules", i++);
      LeafRule rule;
      if (text(r, "product", here) != "exact") rule.product = format(r, "product", here);
      rule.rounding = rounding(r, here);
      rule.started = flag(r, "started", here);
      rule.flush_operands = flag(r, "flush_operands", here);
      rule.flush_result = flag(r, "flush_result", here);
      t.leaf_rules.push_back(rule);
    }
    i = 0;
    for (const Json& r : array(json, "node_rules", where)) {
      const std::string here = where + "." + place("node_rules", i++);
      NodeRule rule{format(r, "format", here),
                    rounding(r, here),
                    flag(r, "flush_inputs", here),
                    flag(r, "flush_result", here),
                    {}};
      if (r.contains("fraction"))
        rule.fraction = static_cast<int>(std::min<std::size_t>(size(r, "fraction", here), 4096));
      rule.padded = flag(r, "padded", here);
      if (r.contains("infinite")) rule.infinite = flag(r, "infinite", here);
      if (r.contains("floor"))
        rule.floor = static_cast<int>(std::clamp<std::int64_t>(number(r, "floor", here), -4096, 4096));
      t.node_rules.push_back(rule);
    }
    const Json& output = object(json, "output", where);
    t.output = {format(output, "format", where + ".output"), rounding(output, where + ".output"),
                flag(output, "flush", where + ".output"), flag(output, "started", where + ".output")};
    if (output.contains("overflow")) {
      t.output.overflow =
          one_of(output, "overflow", all_output_overflows, output_overflow_name, where + ".output");
    }
    if (array(json, "nodes", where).size() < t.leaves()) {  // before memory is asked for so many leaves
      fail(where + ".nodes", "a node for each of " + std::to_string(t.leaves()) + " leaves",
           std::to_string(json["nodes"].size()));
    }
    i = 0;
    for (const Json& n : array(json, "nodes", where)) {
      const std::string here = where + "." + place("nodes", i++);
      if (!n.is_array() || n.size() != 2 || !n[0].is_number_integer())
        fail(here, "[rule, leaf or children]", n.dump());
      TreeNode node;
      node.rule = index(n[0], here);
      if (n[1].is_array()) {
        for (const Json& child : n[1]) node.children.push_back(index(child, here));
        if (node.children.empty()) fail(here, "two children or more", "none");
      } else {
        node.leaf = index(n[1], here);
      }
      t.nodes.push_back(std::move(node));
    }
    if (p.operation == SumOperation::mean) {
      const std::string here = where + ".mean";
      const Json& mean = object(json, "mean", where);
      t.output.mean = {format(mean, "format", here), rounding(mean, here), flag(mean, "reciprocal", here)};
    }
    if (!p.scaled() && json.contains("scaling")) fail(where, "no scaling where alpha and beta are 1", "one");
    if (p.scaled()) t.scaling = read_scaling(member(json, "scaling", where), p, where + ".scaling");
    if (json.contains("tiny")) t.tiny = one_of(json, "tiny", all_tininess, tininess_name, where);
    if (json.contains("zero_terms_skipped") && !p.has_b())
      fail(where, "zero_terms_skipped for products alone",
           "it for a " + std::string(operation_name(p.operation)));
    if (json.contains("zero_terms_skipped"))
      t.skipped = one_of(json, "zero_terms_skipped", all_skipped, skipped_name, where);
    try {
      check_tree(t);
    } catch (const ContractError& e) {
      fail(where, "a tree of additions over " + std::to_string(t.leaves()) + " leaves", e.what());
    }
    if (t.node_rules.empty()) fail(where + ".node_rules", "at least one", "none");
    return t;
  }
  TreeScaling read_scaling(const Json& json, const Problem& p, const std::string& where) const {
    TreeScaling s;
    const auto product = [&](const char* name) {
      return text(json, name, where) == "exact" ? std::nullopt : std::optional(format(json, name, where));
    };
    s.alpha = real(json, "alpha", where);
    s.beta = real(json, "beta", where);
    if (s.alpha != p.alpha || s.beta != (p.c ? p.beta : 1)) {
      fail(where, "alpha and beta of the problem: " + to_string(p),
           std::to_string(s.alpha) + " and " + std::to_string(s.beta));
    }
    s.place = one_of(json, "alpha_enters", std::array{AlphaPlace::a, AlphaPlace::b, AlphaPlace::sums},
                     alpha_place_name, where);
    s.from = index(member(json, "from", where), where + ".from");
    s.alpha_format = product("alpha_product");
    s.beta_format = product("beta_product");
    s.rounding = rounding(json, where);
    s.flush = flag(json, "flush", where);
    s.reads_c = flag(json, "reads_c", where);
    return s;
  }
  int index(const Json& x, const std::string& where) const {
    if (!x.is_number_integer()) fail(where, "a whole number", x.type_name());
    const auto value = x.get<std::int64_t>();
    if (value < 0 || value > (1 << 30)) fail(where, "an index", std::to_string(value));
    return static_cast<int>(value);
  }

  SavedArithmetic::Shape read_shape(const Json& json, const Problem& problem,
                                    const std::string& where) const {
    SavedArithmetic::Shape shape;
    Revelation& r = shape.revelation;
    r.problem = problem;
    r.class_of.assign(r.problem.outputs(), -1);
    r.runs = size(json, "runs", where);
    r.rounds = size(json, "rounds", where);
    r.repeats = flag(json, "repeats", where);
    std::size_t i = 0;
    for (const Json& c : array(json, "classes", where)) {
      const std::string here = where + "." + place("classes", i++);
      OrderClass one;
      one.why_not = text(c, "why_not", here);
      one.how = text(c, "how", here);
      one.as_exact = flag(c, "as_exact", here);
      one.order_runs = size(c, "order_runs", here);
      one.rule_runs = size(c, "rule_runs", here);
      for (const Json& a : array(c, "ambiguous", here)) {
        if (!a.is_string()) fail(here + ".ambiguous", "texts", a.type_name());
        one.ambiguous.push_back(a.get<std::string>());
      }
      for (const Json& range : array(c, "outputs", here)) {
        if (!range.is_array() || range.size() != 2) fail(here + ".outputs", "[first, last]", range.dump());
        const auto first = static_cast<std::size_t>(index(range[0], here)),
                   last = static_cast<std::size_t>(index(range[1], here));
        for (std::size_t o = first; o <= last; ++o) {
          if (o >= r.class_of.size() || r.class_of[o] >= 0)
            fail(here + ".outputs", "outputs of the shape, each once", std::to_string(o));
          r.class_of[o] = static_cast<int>(i) - 1;
          one.outputs.push_back(o);
        }
      }
      if (c.contains("tree")) one.tree = read_tree(c["tree"], r.problem, here + ".tree");
      r.classes.push_back(std::move(one));
    }
    const Json& score = object(json, "prediction", where);
    shape.score.results = size(score, "results", where + ".prediction");
    shape.score.wrong = size(score, "wrong", where + ".prediction");
    shape.score.without_tree = size(score, "without_tree", where + ".prediction");
    return shape;
  }

  const std::string& origin_;
};

}  // namespace

SavedArithmetic parse_saved(std::string_view text, const std::string& origin) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& e) {
    throw InputError(origin, "byte " + std::to_string(e.byte), "JSON of a saved arithmetic",
                     "something else");
  } catch (const Json::out_of_range&) {
    throw InputError(origin, "", "numbers that a float64 holds", "a larger one");
  }
  return SavedReader(origin).read(json);
}

SavedArithmetic load(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path, std::uint64_t{1} << 30);
  std::string text(bytes.size(), '\0');
  std::transform(bytes.begin(), bytes.end(), text.begin(), [](std::byte b) { return static_cast<char>(b); });
  return parse_saved(text, path.string());
}

}  // namespace assay::judge
