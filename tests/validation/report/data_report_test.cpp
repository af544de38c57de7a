// Results that travel as data, shown as text and as JSON: what the one says, the other has.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/formats/encode.hpp"
#include "validation/report/distinction_report.hpp"
#include "validation/report/doctor_report.hpp"
#include "validation/report/explanation_report.hpp"
#include "validation/report/invariance_report.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/listing.hpp"
#include "validation/report/pairs_report.hpp"
#include "validation/report/probe_report.hpp"
#include "validation/report/rounding_report.hpp"
#include "validation/report/spdnn_report.hpp"
#include "validation/report/study_page.hpp"
#include "validation/report/text_report.hpp"
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
  const diagnose::Explained found{.question = {.operation = "dot", .parameters = "k=3", .shape = {2, 2}},
                                  .found = std::vector{e}};
  const std::string text = explanation_text(found);
  BOOST_TEST(holds(text, "  pairwise\n    K = 2: [0] 0x1p+0 * 0x1p-24"), text);
  BOOST_TEST(holds(text, "  2 lanes\n    no input found in 4000 tries"), text);
  const json j = json::parse(explanation_json(found));
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
  const diagnose::Explained convert{
      .question = {.operation = "convert", .shape = {8}, .got = formats::bfloat16},
      .found = diagnose::ExplainedConversion{{.index = {4, 6}, .a = {f32(1), f32(2)}, .got = {8, 9}}, c}};
  const std::string said = explanation_text(convert);
  BOOST_TEST(holds(said, "  format: 0x1 becomes 0x0 or 0x3\n  amd: no input at the edges of the formats\n"),
             said);
  const json k = json::parse(explanation_json(convert));
  BOOST_TEST(k.at("separations").at(0).at("input") == "0x1 becomes 0x0 or 0x3");
  BOOST_TEST(k.at("ranked").at(1).at("first_miss") ==
             json({{"index", 6}, {"value", "0x40000000"}, {"answer", "0x0007"}, {"got", "0x0009"}}));
}

BOOST_AUTO_TEST_CASE(a_probe_with_a_wrong_prediction) {
  using namespace judge;
  SavedArithmetic saved{.name = "sums", .program = "python3 sums.py", .environment = {{"cpu", "a CPU"}}};
  SavedArithmetic::Shape shape;
  Problem& p = shape.revelation.problem;
  p.operation = SumOperation::dot;
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
  SumOperands fewest;
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
  const std::vector<std::optional<SumOperands>> left{fewest};
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
             "written to sums.json; it holds no tree and cannot be replayed\n");
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

BOOST_AUTO_TEST_CASE(members_of_a_family) {
  const std::vector<ListedMember> members{
      {{"name", "avx2"}, {"needs_bits", 256}, {"here", true}, {"why_not", ""}},
      {{"name", std::string("scalar")}, {"needs_bits", 0}, {"here", false}, {"why_not", ""}}};
  const std::string text = listing_text(members, "bits: of a register", 0, false);
  BOOST_TEST(holds(text, "needs bits"), text);
  BOOST_TEST(holds(text, "yes"), text);
  BOOST_TEST(!holds(text, "why not"), text);  // empty in every row
  BOOST_TEST(holds(text, "\nbits: of a register\n"), text);
  BOOST_TEST(holds(listing_text(members, "", 0, true), "\x1b[1m"));
  const json j = json::parse(listing_json(members));
  BOOST_TEST(j.at(0) == json({{"name", "avx2"}, {"needs_bits", 256}, {"here", true}, {"why_not", ""}}));
  BOOST_TEST(listing_json({}) == "[]");
}

BOOST_AUTO_TEST_CASE(what_can_run_here) {
  Examination e{.available_memory = std::uint64_t{3} << 30};
  e.build = {.version = "1.2.3", .compiler = "GCC 12.2.0", .build_type = "Release", .flags = "-O3"};
  e.machine.no_gpu = "no driver";
  e.libraries = {{"fmt", "9.1.0", "text"}, {"MPFR", "", "tests"}};
  e.mpirun = {.path = "/usr/bin/mpirun", .version = "Open MPI 4.1.4"};
  const std::string text = examination_text(e, 0, false);
  const json j = json::parse(examination_json(e));
  for (const char* const part :
       {"3.0 GiB available", "not found when this was configured; for tests",
        "Open MPI 4.1.4 at /usr/bin/mpirun", "no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda",
        "no driver, no nvidia-smi"}) {
    BOOST_TEST(holds(text, part), part << " in " << text);
    BOOST_TEST(holds(j.dump(), part), part << " in " << j);
  }
  BOOST_TEST(
      j.at("libraries").at(1) ==
      json({{"name", "MPFR"}, {"here", false}, {"text", "not found when this was configured; for tests"}}));
  e.gpus = {"H100, 9.0, 80 GB, 580"};
  BOOST_TEST(
      holds(examination_text(e, 0, false), "H100, 9.0, 80 GB, 580 (model, capability, memory, driver)"));
  BOOST_TEST(version_text(e.build) == "assay 1.2.3\nGCC 12.2.0, Release: -O3\n");
  BOOST_TEST(json::parse(version_json(e.build)).at("assay") == "1.2.3");
}

BOOST_AUTO_TEST_CASE(a_number_in_a_format) {
  RoundingRules rules{.format = formats::bfloat16, .policy = "format"};
  RoundedNumber n{.input = "1.1", .below = 0x3f8c, .above = 0x3f8e, .error_ulp = 0.25};
  n.encoded.code = 0x3f8d;
  n.encoded.inexact = true;
  BOOST_TEST(rounding_head_text(rules).starts_with("bfloat16, nearest-even, policy format\ninput"));
  BOOST_TEST(holds(rounded_text(n, rules), "0x3f8d"));
  const json j = json::parse(rounded_json(n, rules));
  BOOST_TEST(j.at("code") == "0x3f8d");
  BOOST_TEST(j.at("format") == "bfloat16");
  BOOST_TEST(j.at("rounding") == "nearest-even");
  BOOST_TEST(j.at("policy") == "format");
  BOOST_TEST(!j.contains("seed"));
  rules.rounding = Rounding::stochastic;
  rules.random_bits = 8;
  rules.seed = 5;
  BOOST_TEST(holds(rounding_head_text(rules), ", 8 random bits, seed 5\n"));
  BOOST_TEST(json::parse(rounded_json(n, rules)).at("seed") == 5);
}

BOOST_AUTO_TEST_CASE(runs_of_sparse_networks) {
  SpdnnResult r{.all_images = 60000, .categories = 2, .out = "c.tsv"};
  r.task = {
      .neurons = 1024, .layers = 120, .inputs = "generated", .needed_memory = 1 << 20, .available_memory = 3};
  r.figures = {.images = 100, .kernel = "spdnn avx2", .isa = "avx2", .cpu = "a CPU", .row_layers = 12000};
  r.figures.row_layers_computed = 3000;
  r.truth = {.path = "truth.tsv", .status = Status::failed, .missing = {7, 9}};
  BOOST_TEST(spdnn_task_text(r.task) ==
             "network     1024 neurons x 120 layers, generated\ninputs      generated\n"
             "memory      1.0 MiB needed, 3 bytes available\n");
  const std::string text = spdnn_text(r);
  for (const char* const part :
       {"images      100, the first of 60000", "(25.00 % of the row-layers)",
        "categories  2, written to c.tsv\n",
        "truth       truth.tsv: DISAGREES on the first 100 images\n  missing   2: 7, 9\n"})
    BOOST_TEST(holds(text, part), part << " in " << text);
  json j = json::parse(spdnn_json(r));
  BOOST_TEST(j.at("status") == "FAILED");
  BOOST_TEST(j.at("truth").at("missing_images") == json({7, 9}));
  BOOST_TEST(j.at("memory").at("needed") == 1 << 20);
  BOOST_TEST(j.at("all_images") == 60000);
  BOOST_TEST(j.at("cpu") == "a CPU");
  BOOST_TEST((j.at("device") == "cpu" && j.at("isa") == "avx2" && !holds(text, "device ")));
  BOOST_TEST(j.at("out") == "c.tsv");
  SpdnnResult on_device = r;
  on_device.figures.device = "simt: slow";
  on_device.figures.isa = "";
  BOOST_TEST(holds(spdnn_text(on_device), " threads, a CPU\ndevice      simt: slow\n"));
  j = json::parse(spdnn_json(on_device));
  BOOST_TEST((j.at("device") == "simt" && j.at("isa").is_null()));
  r.truth = {.none = "nobody knows"};
  BOOST_TEST(holds(spdnn_text(r), "judged nothing: nobody knows\n"));
  j = json::parse(spdnn_json(r));
  BOOST_TEST((j.at("status").is_null() && j.at("truth").is_null() && j.at("no_truth") == "nobody knows"));

  TrainedResult t{.network = "net", .images_path = "t10k", .layers = 3, .correct = 9, .accuracy = 0.9};
  t.figures = r.figures;
  BOOST_TEST(holds(trained_text(t), "accuracy    0.9000: 9 of 100 right\n"));
  BOOST_TEST(json::parse(trained_json(t)).at("row_layers_computed") == 3000);
  const WrittenLayers w{.neurons = 1024, .layers = 2, .folder = "L", .bytes = 2048};
  BOOST_TEST(layers_to_write_text(w) == "network     1024 neurons x 2 layers: 2.0 KiB of text\n");
  BOOST_TEST(written_layers_text(w) == "written     2 files to L in 0.0 s\n");
  BOOST_TEST(json::parse(written_layers_json(w)).at("bytes") == 2048);
}

BOOST_AUTO_TEST_CASE(what_was_written_where) {
  RunSummary summary;
  summary.verdict = "all agree";
  summary.report = "R/report.txt";
  summary.evidence = "E/x.json";
  BOOST_TEST(text_files(summary) == "report   R/report.txt\nevidence E/x.json\n");
  json j = json::parse(json_summary(summary, {}));
  BOOST_TEST((j.at("report") == "R/report.txt" && j.at("evidence") == "E/x.json"));
  summary.report = summary.evidence = "";
  BOOST_TEST(text_files(summary).empty());
  j = json::parse(json_summary(summary, {}));
  BOOST_TEST((!j.contains("report") && !j.contains("evidence")));

  std::vector<PairedArray> pairs(2);
  pairs[0].array = "w";
  pairs[0].record.result.status = Status::failed;
  pairs[0].record.result.reason = "missing: got has none of this name";
  pairs[0].is_missing = true;
  pairs[1].array = "x";
  pairs[1].notes = {"note   the names differ"};
  const std::string text = pairs_text(pairs, {}, summary, {});
  BOOST_TEST(holds(text, "MISSING  w"), text);
  BOOST_TEST(holds(text, "note   the names differ\n"), text);
  j = json::parse(pairs_json("got", "want", pairs, {}, summary));
  BOOST_TEST(j.at("missing") == json({"w"}));
  BOOST_TEST(j.at("pairs").at(0).at("notes") == json({"note   the names differ"}));
}

BOOST_AUTO_TEST_CASE(pages_of_studies) {
  using namespace studies;
  Study study{.name = "dot", .x_name = "n", .x_label = "products n"};
  StudySeries series{.name = "chain"};
  series.points = {{.x = 16, .trials = 8, .outside = 2, .rms = 0.5, .max = 1}};
  study.series = {series};
  const StudyPage page = accumulation_page(study, {.most = 100, .terms = 4096});
  BOOST_TEST(page.title == "assay study dot");
  BOOST_TEST(
      holds(page.lead, "100 trials a point, fewer where they would have more than 4,096 terms together"));
  BOOST_TEST(page.charts.size() == 3U);
  BOOST_TEST(json::parse(page.json).at("series").at(0).at("points").at(0).at("outside") == 2);
  BOOST_TEST(holds(page.csv.at(0).second, "dot,positive,chain"));
  BOOST_TEST(holds(study_page_html(page, 5, {}), "; seed 5</p>"));
  BOOST_TEST(
      outside_texts(study) == std::vector<std::string>{"chain, n = 16: 2 of 8 errors are over the bound"},
      boost::test_tools::per_element());
  const StudyPage both = rounding_page(study, study, {.most = 10, .terms = 20}, 2000);
  BOOST_TEST(both.csv.at(1).first == "-magnitude");
  BOOST_TEST(both.charts.at(0).kind == "study-rms-magnitude");
  BOOST_TEST(study_files_text("d.html", "d") == "written to d.html; d.csv, .json and .svg beside it\n");
  InferenceStudy inference{.network = "net", .inputs = "digits", .images = 1000};
  inference.margins.resize(2);
  BOOST_TEST(inference_page(inference).text.starts_with("net; 1000 images of digits\n"));
}
