// Results that travel as data, shown as text and as JSON: what the one says, the other has.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/formats/encode.hpp"
#include "validation/report/distinction_report.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/report/invariance_report.hpp"
#include "validation/report/probe_report.hpp"
#include "validation/report/unit_report.hpp"

using namespace assay;
using nlohmann::json;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::uint64_t f32(double x) { return encode(x, formats::float32).code; }

// 1 * 2^-24 + 1 * 0, from c = 1.
Distinction one_and_a_half_ulp() {
  Distinction d{.found = true, .tried = 12, .reduced = 3};
  d.input.a = {f32(1), f32(1)};
  d.input.b = {f32(0x1p-24), f32(0)};
  d.input.c = f32(1);
  d.x_result = f32(1);
  d.y_result = f32(0x1.000002p0);
  return d;
}

ArithmeticInfo info_of(std::string name, Evidence evidence) {
  ArithmeticInfo info{.name = std::move(name), .family = "f"};
  info.summary = "of a test";
  info.inputs = {{formats::bfloat16, formats::bfloat16}};
  info.outputs = {formats::float32};
  info.evidence = evidence;
  return info;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_tells_two_arithmetics_apart) {
  const Distinction d = one_and_a_half_ulp();
  BOOST_TEST(distinction_summary(d) == "K = 2, 4 of 5 operands not zero: 0x3f800000 or 0x3f800001");
  BOOST_TEST(separating_text(d) ==
             "K = 2: [0] 0x1p+0 * 0x1p-24 + [1] 0x1p+0 * 0 + c 0x1p+0 gives 0x1p+0 or 0x1.000002p+0");
  BOOST_TEST(distinction_summary({.found = false, .tried = 20000}) == "no difference found in 20000 inputs");
  Distinction zero = d;
  zero.by_value = false;
  BOOST_TEST(holds(distinction_summary(zero), "(no more than a NaN's bits or the sign of a zero)"));

  const ArithmeticInfo x = info_of("x.unit", Evidence::HW), y = info_of("y.unit", Evidence::UNV);
  const DistinguishedSide left{.name = "x.unit", .info = &x}, right{.name = "y.json", .info = &y};
  const std::string text = distinction_text(d, left, right);
  for (const char* const part : {"a[1]  0x3f800000  0x1p+0", "x.unit gives 0x3f800000 = 0x1p+0",
                                 "y.json (unverified) gives 0x3f800001 = 0x1.000002p+0"})
    BOOST_TEST(holds(text, part), part << " in " << text);
  const json j = json::parse(distinction_json(d, left, right));
  BOOST_TEST(j.at("x") == "x.unit");
  BOOST_TEST(j.at("y_unverified") == true);
  BOOST_TEST(j.at("a").size() == 2U);
  BOOST_TEST(j.at("c") == "0x3f800000");
  BOOST_TEST(j.at("y_result") == "0x3f800001");
  BOOST_TEST(j.at("y_output") == "float32");
  BOOST_TEST(json::parse(distinction_json({.tried = 7}, left, right)).at("tried") == 7);
}

BOOST_AUTO_TEST_CASE(what_tells_candidates_apart) {
  diagnose::Explanation e{.sample = 4, .least_terms = 2, .most_terms = 3, .candidates = 9, .remaining = 1};
  e.ranked = {{.candidate = {.name = "sequential, fused, float32"}, .matches = 4, .compared = 4}};
  e.given = {0, 1, 2, 3};
  e.attributes = {{.name = "order", .values = {{"sequential", 1}}, .tried = 85}};
  e.separations = {{"pairwise", one_and_a_half_ulp()}, {"2 lanes", {}}};
  const ExplainedQuestion q{.operation = "dot", .parameters = "k=3", .shape = {2, 2}};
  const std::string text = explanation_text(q, {e});
  BOOST_TEST(holds(text, "  pairwise\n    K = 2: [0] 0x1p+0 * 0x1p-24"), text);
  BOOST_TEST(holds(text, "  2 lanes\n    no input found in 4000 tries"), text);
  const json j = json::parse(explanation_json(q, {e}));
  BOOST_TEST(j.at("separations").at(0).at("input") == separating_text(one_and_a_half_ulp()));
  BOOST_TEST(j.at("separations").at(1).at("input") == "");
  BOOST_TEST(j.at("attributes_tried").at("order") == 85);
  BOOST_TEST(j.at("terms").at("most") == 3);
  BOOST_TEST(j.at("shape") == json({2, 2}));
  BOOST_TEST(j.at("parts").at(0).at("given") == json({0, 1, 2, 3}));

  diagnose::ConversionExplanation c{.sample = 2, .candidates = 5, .remaining = 1};
  c.ranked = {{.how = "intel, nearest-even", .matches = 2, .compared = 2},
              {.how = "format, toward-zero", .matches = 1, .compared = 2, .first_miss = 1, .miss_answer = 7}};
  c.separations = {{.other = "format", .found = true, .code = 1, .best_answer = 0, .other_answer = 3},
                   {.other = "amd"}};
  const ConvertedSample sample{.index = {4, 6}, .a = {f32(1), f32(2)}, .got = {8, 9}};
  const ExplainedQuestion convert{.operation = "convert", .shape = {8}, .got = formats::bfloat16};
  const std::string said = explanation_text(convert, sample, c);
  BOOST_TEST(holds(said, "  format: 0x1 becomes 0x0 or 0x3\n  amd: no input at the edges of the formats\n"),
             said);
  const json k = json::parse(explanation_json(convert, sample, c));
  BOOST_TEST(k.at("separations").at(0).at("input") == "0x1 becomes 0x0 or 0x3");
  BOOST_TEST(k.at("ranked").at(1).at("first_miss") ==
             json({{"index", 6}, {"value", "0x40000000"}, {"answer", "0x0007"}, {"got", "0x0009"}}));
}

BOOST_AUTO_TEST_CASE(a_probe_with_a_wrong_prediction) {
  using namespace diagnose;
  SavedArithmetic saved{.name = "sums", .program = "python3 sums.py", .environment = {{"cpu", "a CPU"}}};
  SavedArithmetic::Shape shape;
  Problem& p = shape.revelation.problem;
  p.operation = Operation::dot;
  p.k = 2;
  OrderClass found{.how = "masks", .outputs = {0}, .gave_up = true};
  found.tree.terms = 2;
  found.tree.nodes = {{.leaf = 0}, {.leaf = 1}, {.children = {0, 1}}};
  shape.revelation.classes = {found};
  shape.revelation.class_of = {0};
  shape.revelation.rounds = 5;
  shape.score.results = 100;
  shape.score.wrong = 1;
  shape.score.wrong_by_kind.at(1) = 1;
  shape.score.first = {{.kind = scored_kinds[1], .index = 17, .got = f32(1), .predicted = f32(2)}};
  saved.shapes = {shape};
  Operands fewest;
  for (const std::uint64_t code : {f32(3), f32(0)}) {
    for (unsigned byte = 0; byte < 4; ++byte)
      fewest.a.push_back(static_cast<std::byte>(code >> 8 * byte & 255));
  }
  fewest.b = fewest.a;

  const std::string text = probe_text(shape.revelation, shape.score, {}, fewest);
  for (const char* const part :
       {"NOT PREDICTED  99 of 100", " runs in 5 rounds", "input 17, output 0: got 0x1p+0 (0x3f800000)",
        "the fewest terms found that still differ (all others +0):\n      term 0: 0x1.8p+1 (0x40400000) x "})
    BOOST_TEST(holds(text, part), part << " in " << text);
  const std::vector<std::optional<Operands>> left{fewest};
  const json j = json::parse(probe_json(saved, left, {.out = "sums.json", .svg = "sums.svg"}));
  BOOST_TEST(j.at("cpu") == "a CPU");
  BOOST_TEST(j.at("out") == "sums.json");
  BOOST_TEST(j.at("svg").is_null());
  const json& one = j.at("shapes").at(0);
  BOOST_TEST(one.at("verdict") == "NOT PREDICTED");
  BOOST_TEST(one.at("rounds") == 5);
  BOOST_TEST(one.at("wrong_by_inputs").at(std::string(input_kind_name(scored_kinds[1]))) == 1);
  BOOST_TEST(one.at("first_wrong").at(0).at("predicted") == "0x40000000");
  BOOST_TEST(one.at("fewest_terms").at("a") == json({"0x40400000", "0x00000000"}));
  const json& tree = one.at("classes").at(0);
  BOOST_TEST(tree.at("gave_up") == true);
  BOOST_TEST(tree.at("output_indices") == json::array({0}));
  for (const json& rule : tree.at("rules"))
    BOOST_TEST(holds(text, rule.get<std::string>()), rule << " in " << text);
  BOOST_TEST(tree.at("rules").size() == 3U);

  BOOST_TEST(
      probe_files_text({.out = "sums.json", .svg = "sums.svg"}, saved) ==
      "no tree was found: sums.svg is not written\nwritten to sums.json: `--unit sums.json` replays it\n");
  saved.shapes.front().revelation.classes.front().tree = {};
  BOOST_TEST(probe_files_text({.out = "sums.json"}, saved) ==
             "written to sums.json, which holds no tree: nothing replays it\n");
  BOOST_TEST(json::parse(target_error_json("it \"ended\"")) == json({{"error", "it \"ended\""}}));
}

BOOST_AUTO_TEST_CASE(on_what_a_row_depends) {
  using namespace diagnose;
  Invariance r{.trials = 24, .settings = {{.m = 1, .by_bits = 0}, {.m = 4, .by_bits = 1}}};
  r.dependences = {
      {axes[0], Difference{.setting = 1, .against = 0, .results = 2, .of = 24, .got = 1, .was = 2}}};
  r.classes = {{.first = 0, .settings = 1}, {.first = 1, .settings = 1}};
  r.invariant = false;
  r.first_change = 1;
  const InvarianceQuestion q{.varied = "m=1,4"};
  BOOST_TEST(holds(invariance_text(q, r), "24 random rows"));
  const json j = json::parse(invariance_json(q, r));
  BOOST_TEST(j.at("trials") == 24);
  BOOST_TEST(j.at("first_change").at("m") == 4);
  BOOST_TEST(j.at("depends_on").at("m").at("different") == 2);
  BOOST_TEST(j.at("classes").at(1).at("settings").at(0).at("m") == 4);
}

BOOST_AUTO_TEST_CASE(units_and_what_they_compute) {
  const ArithmeticInfo info = info_of("x.unit", Evidence::UNV);
  const UnitDescription unit{.info = &info,
                             .paths = {{.name = "definition", .needs = "scalar"},
                                       {.name = "wide", .needs = "avx512", .why_not = "no AVX-512"}}};
  BOOST_TEST(holds(unit_text(unit, 0), "definition; wide (no AVX-512)"));
  BOOST_TEST(json::parse(unit_json(unit)).at("paths").at(1).at("here") == false);
  BOOST_TEST(json::parse(units_json(std::vector{unit, unit})).size() == 2U);
  BOOST_TEST(holds(units_text(std::vector{unit}, 0), "x.unit"));

  const UnitProducts computed{
      .info = &info, .a = "bfloat16", .b = "bfloat16", .shape = {2, 3}, .products = 24, .out = "d.npy"};
  BOOST_TEST(
      unit_products_text(computed) ==
      "x.unit (unverified): bfloat16 x bfloat16 into float32 [2,3], 24 products in 0 s\nwritten to d.npy\n");
  BOOST_TEST(json::parse(unit_products_json(computed)).at("shape") == json({2, 3}));

  UnitTrace trace{.info = &info, .row = 1, .products = 2};
  trace.steps = {{.name = "sum", .result = f32(1)}};
  BOOST_TEST(holds(unit_trace_text(trace), "x.unit, row 1: 2 products (unverified)\n\nsum\n"));
  const json j = json::parse(unit_trace_json(trace));
  BOOST_TEST(j.at("products") == 2);
  BOOST_TEST(j.at("steps").at(0).at("result") == "0x3f800000");
}
