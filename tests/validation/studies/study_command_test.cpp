// `assay study`: pages that stand alone, CSV and JSON that parse, the spdnn table on real data, bad input.
#include <boost/test/unit_test.hpp>
#include <boost/test/unit_test_suite.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "reference/exact/chain.hpp"
#include "tests/validation/cli/files.hpp"
#include "validation/diagnose/reveal/reveal.hpp"
#include "validation/judge/saved_arithmetic.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

struct Study : Folder {
  std::string file(const std::string& name) const { return shell::contents((path / name).string()); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
  }
  // No script, nothing from outside; light and dark.
  void stands_alone(const std::string& page) const {
    BOOST_TEST(page.starts_with("<!DOCTYPE html>"));
    BOOST_TEST(page.ends_with("</html>\n"));
    for (const char* const bad :
         {"<script", "<link", "<iframe", "http:", "https:", "@import", "url(", "src="})
      BOOST_TEST(!holds(page, bad), bad);
    BOOST_TEST(holds(page, "prefers-color-scheme: dark"));
    BOOST_TEST(!holds(page, "nan"));
    BOOST_TEST(!std::regex_search(page, std::regex("[xyd]=\"[^\"]*(nan|inf)")));
  }
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(dot_writes_a_page_with_files_beside_it, Study) {
  const std::string options =
      "study dot --unit sm80.bf16 --unit sm90.wgmma.f8_e4m3 --acc f32 --acc bf16 --order sequential "
      "--order pairwise --mode RNE --mode RZ --n 1:2000 --trials 10 ";
  const Outcome outcome = assay(options + "--out study.html");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  BOOST_TEST(holds(outcome.out, "sm80.bf16"), outcome.out);
  BOOST_TEST(holds(outcome.out, "written to study.html"));
  const std::string page = file("study.html");
  stands_alone(page);
  const json data = json::parse(file("study.json"));
  BOOST_TEST(data.at("series").size() == 10U);
  BOOST_TEST(count(page, "<svg ") == 3U);
  for (const json& series : data.at("series")) {
    BOOST_TEST(count(page, ">" + series.at("name").get<std::string>() + "</text>") == 3U, series.at("name"));
    BOOST_TEST(series.at("points").size() == 11U);
    for (const json& point : series.at("points")) BOOST_TEST(point.at("outside") == 0);
  }
  BOOST_TEST(count(page, "dashed\" d=") > 10U);
  BOOST_TEST(count(file("study.csv"), "\n") == 1 + 10 * 11U);
  for (const char* const kind : {"rms", "max", "bias"}) {
    const std::string svg = file(std::string("study-study-") + kind + ".svg");
    BOOST_TEST(svg.starts_with("<svg xmlns="));
    BOOST_TEST(!holds(svg, "var("));
    BOOST_TEST(!holds(svg, "nan"));
  }
  BOOST_TEST(files() == 6U);
  // The same again, and JSON alone on stdout.
  const Outcome again = assay(options + "--json");
  BOOST_TEST(again.out == file("study.json"));
}

BOOST_FIXTURE_TEST_CASE(the_other_studies_write_theirs, Study) {
  BOOST_TEST(
      assay(
          "study sum --acc bf16 --mode SR --mode RNE --values positive --values normal --n 1:300 --trials 5 "
          "--out sum.html")
          .exit_code == 0);
  stands_alone(file("sum.html"));
  BOOST_TEST(count(file("sum.html"), "<svg ") == 6U);
  BOOST_TEST(assay("study gemm --unit sm90.bf16 --n 1:64 --trials 16 --out gemm.html").exit_code == 0);
  stands_alone(file("gemm.html"));
  BOOST_TEST(json::parse(file("gemm.json")).at("series").at(0).at("points").at(0).at("trials") == 16);
  BOOST_TEST(assay("study convert --format bf16 --format f8_e4m3 --mode RNE --mode RZ --n 1:300 --trials 5 "
                   "--out c.html")
                 .exit_code == 0);
  stands_alone(file("c.html"));
  const json convert = json::parse(file("c.json"));
  BOOST_TEST(convert.at("by_magnitude").at("series").size() == 4U);
  BOOST_TEST(count(file("c-magnitude.csv"), "\n") > 100U);
}

BOOST_FIXTURE_TEST_CASE(bf16_writes_a_page_of_its_grid, Study) {
  const std::string grid =
      "--shape 8x40x4 --shape 8x80x4 --sparsity 50 --sparsity 90 --contract tdpbf16ps --contract sm90.bf16 ";
  for (const std::string operation : {"spmm", "sddmm"}) {
    const Outcome outcome = assay("study bf16 " + operation + " " + grid + "--out " + operation + ".html");
    BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
    BOOST_TEST(holds(outcome.out, "error/bound"), outcome.out);
    BOOST_TEST(holds(outcome.out, "; seed 1\n"), outcome.out);
    BOOST_TEST(holds(outcome.out, operation == "spmm" ? "stored entries of its row" : "elements 0 to k - 1"));
    BOOST_TEST(outcome.err.empty(), outcome.err);
    const std::string page = file(operation + ".html");
    stands_alone(page);
    BOOST_TEST(count(page, "<svg ") == 3U);
    BOOST_TEST(count(page, "<table") == 3U);
    BOOST_TEST(count(page, "<td>8x80x4</td>") == 8U);
    BOOST_TEST(count(file(operation + ".csv"), "\n") == 1 + 8U);
    const json data = json::parse(file(operation + ".json"));
    BOOST_TEST(data.at("results").size() == 8U);
    BOOST_TEST(data.at("outside") == 0);
    BOOST_TEST(assay("study bf16 " + operation + " " + grid + "--json").out == file(operation + ".json"));
  }
}

BOOST_FIXTURE_TEST_CASE(autosparse_writes_a_page_of_its_grid, Study) {
  const std::string grid =
      "study bf16 autosparse --width 16,32 --sparsity 50 --sparsity 80 --alpha 0,0.5 --format bf16,f32 "
      "--unit chain_f32_fused --unit sm80.bf16 --batch 4 --lambda 0.01 ";
  const Outcome outcome = assay(grid + "--out a.html");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  for (const char* const part :
       {"Relative errors", "ds by the sum", "Master weights", "bf16 sm80.bf16", "; seed 1\n"})
    BOOST_TEST(holds(outcome.out, part), outcome.out);
  BOOST_TEST(outcome.err.empty(), outcome.err);
  const std::string page = file("a.html");
  stands_alone(page);
  // By width, sparsity (four each) and alpha (dW, ds); sums alone (two), of ds; masks, v and dW of master weights.
  BOOST_TEST(count(page, "<svg ") == 4 + 4 + 2 + 3 + 3U);
  BOOST_TEST(count(page, "<table") == 4 + 4U);
  // Three arithmetics, two widths, sparsities and alphas, four results; one format of master weights.
  BOOST_TEST(count(file("a.csv"), "\n") == 1 + 3 * 8 * 4U);
  BOOST_TEST(count(file("a-masters.csv"), "\n") == 1 + 8U);
  const json data = json::parse(file("a.json"));
  BOOST_TEST(data.at("results").size() == 3 * 8U);
  BOOST_TEST(data.at("outside") == 0);
  BOOST_TEST(data.at("results").at(0).at("dX").at("error_over_bound").get<double>() <= 1);
  BOOST_TEST(assay(grid + "--json").out == file("a.json"));
}

// What `assay probe` saves goes by the name of its file, and errs as what it was revealed from.
BOOST_FIXTURE_TEST_CASE(a_saved_arithmetic_is_a_unit, Study) {
  ArithmeticRegistry chains;
  add_chains(chains);
  const judge::Problem problem{.operation = judge::SumOperation::dot, .k = 16};
  const diagnose::Target target = diagnose::target_of(chains.find("lanes4_f32"));
  judge::SavedArithmetic saved{.name = "sample", .program = "./sample", .environment = {}, .shapes = {}};
  judge::Revelation revelation = diagnose::reveal(problem, target);
  const judge::PredictionScore score = diagnose::score(revelation, target, 1, 50);
  saved.shapes.push_back({std::move(revelation), score});
  judge::save(saved, path / "sample.json");
  const Outcome outcome = assay("study dot --unit sample.json --unit lanes4_f32 --n 16 --trials 50 --json");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  const json data = json::parse(outcome.out);
  const json &revealed = data.at("series").at(0), &chain = data.at("series").at(1);
  BOOST_TEST(revealed.at("name") == "sample");
  BOOST_TEST(revealed.at("points").at(0).at("rms") == chain.at("points").at(0).at("rms"));
  BOOST_TEST(revealed.at("points").at(0).at("bias") == chain.at("points").at(0).at("bias"));
  const Outcome other = assay("study dot --unit sample.json --n 15,16");
  BOOST_TEST(other.exit_code == 2);
  BOOST_TEST(holds(other.err, "expected sums of 16 terms: no other length was revealed, found 15 terms"),
             other.err);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_studied, Study) {
  const auto refused = [&](const std::string& arguments, const std::string& says) {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments << " " << outcome.out << outcome.err);
    BOOST_TEST(holds(outcome.err, says), outcome.err);
    BOOST_TEST(files() == 0U, arguments);
  };
  refused("study", "one of sum, dot, gemm, convert, bf16, spdnn");
  refused("study dott", "near names: dot");
  refused("study dot --n 10:1", "FIRST no larger");
  refused("study dot --n ''", "whole numbers");
  refused("study dot --n 0:5", "whole numbers");
  refused("study dot --n 1:1e12", "1e8");
  refused("study dot --n nan", "whole numbers");
  refused("study dot --n 5:", "whole numbers");
  refused("study dot --unit missing.json --n 4", "missing.json");
  refused("study dot --n 4 --out /proc/x.html", "/proc");
  refused("study dot --unit sm80.bf61 --n 4 --out x.html", "sm80.bf16");
  refused("study dot --unit sm80.bf16 --format f32 --n 4 --out x.html", "--format bf16");
  refused("study dot --format bf61 --n 4", "bf16");
  refused("study dot --mode XX --n 4", "RNE");
  refused("study dot --order any --n 4", "sequential");
  refused("study dot --order blocked --n 4", "blocked:LANES");
  refused("study dot --values postive --n 4", "positive");
  refused("study dot --trials 0 --n 4", "--trials");
  refused("study dot --n 4 --out x.txt", "NAME.html");
  refused("study dot --n 4 --out .html", "NAME.html");
  refused("study dot --n 4 --out missing/x.html", "missing");
  refused("study dot --n 4 --out ''", "--out");
  refused("study convert --acc f32 --n 4", "--acc");
  refused("study sum --product f32 --n 4", "--product");
  refused("study bf16", "operation");
  refused("study bf16 gemm --out x.html", "near names: spmm");
  refused("study bf16 spmm --shape 4x4 --out x.html", "MxKxN");
  refused("study bf16 spmm --sparsity 100", "below 100");
  refused("study bf16 spmm --contract sm80.bf61", "sm80.bf16");
  refused("study bf16 spmm --contract sm80.f16", "takes no dense bf16 operands");
  refused("study bf16 spmm --shape 9999999x9999999x9", "of memory");
  refused("study bf16 autosprase", "near names: autosparse");
  refused("study bf16 -- autosparse", "study bf16 autosparse --help");
  refused("study bf16 --shape 4x4x4 autosparse", "options of autosparse follow its name");
  refused("study bf16 spmm autosparse", "options of autosparse follow its name");
  refused("study bf16 autosparse --shape 4x4x4", "--shape");
  refused("study bf16 autosparse --width 1 --out x.html", "--width");
  refused("study bf16 autosparse --width 16,x", "--width");
  refused("study bf16 autosparse --width 65536 --out x.html", "of memory");
  refused("study bf16 autosparse --sparsity 100", "below 100");
  refused("study bf16 autosparse --alpha 2", "from 0 to 1");
  refused("study bf16 autosparse --format bf61", "bf16");
  refused("study bf16 autosparse --rounding stocastic", "stochastic");
  refused("study bf16 autosparse --unit sm80.bf61", "sm80.bf16");
  refused("study bf16 autosparse --unit sm80.bf16 --format f32", "it takes bf16");
  refused("study bf16 autosparse --lambda nan", "--lambda");
  refused("study spdnn --neurons 1000", "1024");
  refused("study spdnn --acc bf16:XX", "--acc");
  refused("study spdnn --network missing", "weights-l1-dense.tsv");
  refused("study spdnn --network a --neurons 1024", "--neurons");
  refused("study spdnn --inputs missing.tsv --out x.html", "missing.tsv");
}

BOOST_FIXTURE_TEST_CASE(a_folder_is_no_page, Study) {
  std::filesystem::create_directory(path / "x.html");
  const Outcome outcome = assay("study dot --n 4 --trials 2 --out x.html");
  BOOST_TEST(outcome.exit_code == 2, outcome.err);
  BOOST_TEST(holds(outcome.err, "x.html"), outcome.err);
  BOOST_TEST(files() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_file_beside_that_cannot_be_written_leaves_nothing, Study) {
  std::filesystem::create_directory(path / "x.csv");
  const Outcome outcome = assay("study dot --n 4 --trials 2 --out x.html");
  BOOST_TEST(outcome.exit_code == 2, outcome.err);
  BOOST_TEST(holds(outcome.err, "x.csv"), outcome.err);
  BOOST_TEST(!std::filesystem::exists(path / "x.html"));
}

// Inputs as the challenge's files have them: a few images of a small stack of its real layers.
BOOST_FIXTURE_TEST_CASE(spdnn_on_a_file_of_inputs, Study) {
  std::ofstream out(path / "inputs.tsv");
  for (int image = 1; image <= 40; ++image) {
    for (int pixel = 1; pixel <= 1024; ++pixel) {
      if ((pixel * 7 + image * image) % (4 + image % 9) == 0) out << image << '\t' << pixel << "\t1\n";
    }
  }
  out.close();
  const Outcome outcome =
      assay("study spdnn --inputs inputs.tsv --layers 6 --acc f32 --acc f8_e4m3 --out s.html");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  stands_alone(file("s.html"));
  const json data = json::parse(file("s.json"));
  BOOST_TEST(data.at("images") == 40);
  BOOST_TEST_REQUIRE(data.at("cases").size() == 2U);
  BOOST_TEST(data.at("cases").at(0).at("differing") == 0);
  BOOST_TEST(data.at("cases").at(0).at("categories") == data.at("categories"));
  const json& narrow = data.at("cases").at(1);
  BOOST_TEST(narrow.at("differing").get<std::size_t>() == narrow.at("changed").size());
  BOOST_TEST(count(file("s.csv"), "\n") == 1 + narrow.at("changed").size());
  BOOST_TEST(assay("study spdnn --inputs inputs.tsv --layers 6 --images 41").exit_code == 2);
}

// A network of one layer, two outputs, four pixels; two test images beside it.
struct TinyNetwork : Study {
  void put_file(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
  TinyNetwork() {
    using std::string_literals::operator""s;
    put_file("data/mnist/t10k-images-idx3-ubyte",
             "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02"s + "\xFF\0\0\0"s + "\0\xFF\0\0"s);
    put_file("data/mnist/t10k-labels-idx1-ubyte", "\0\0\x08\x01\0\0\0\x02\0\x01"s);
    write_weights("1");
    put_file("net/biases-l1-dense.tsv", "0\n0\n");
  }
  // The second image's first output: its other one is 1.
  void write_weights(const std::string& close) const {
    put_file("net/weights-l1-dense.tsv", "1\n0\n" + close + "\n1\n0\n0\n0\n0\n");
  }
  Outcome study(const std::string& more) const {
    return assay("study spdnn --data data --network net " + more);
  }
};

BOOST_FIXTURE_TEST_CASE(a_network_whose_answer_a_rounding_turns, TinyNetwork) {
  write_weights("0.999");  // 1 in bfloat16, and the first of equals is the answer
  const Outcome outcome = study("--weights bf16 --weights f16 --json");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  const json data = json::parse(outcome.out);
  BOOST_TEST(data.at("right") == 2);
  const json& changed = data.at("cases").at(0).at("changed");
  BOOST_TEST_REQUIRE(changed.size() == 1U);
  BOOST_TEST(changed.at(0).at("image") == 2);
  BOOST_TEST(changed.at(0).at("reference") == 1);
  BOOST_TEST(changed.at(0).at("answer") == 0);
  BOOST_TEST(std::fabs(changed.at(0).at("margin").get<double>() - 1e-3) < 1e-6);
  BOOST_TEST(changed.at(0).at("nearer") == 0);
  BOOST_TEST(data.at("cases").at(1).at("differing") == 0);
}

BOOST_FIXTURE_TEST_CASE(networks_that_cannot_be_read, TinyNetwork) {
  BOOST_TEST(study("").exit_code == 0);
  const auto refused = [&](const std::string& says) {
    const Outcome outcome = study("--out x.html");
    BOOST_TEST(outcome.exit_code == 2, outcome.err);
    BOOST_TEST(holds(outcome.err, says), outcome.err);
    BOOST_TEST(!std::filesystem::exists(path / "x.html"));
  };
  write_weights("nan");
  refused("weights-l1-dense.tsv");
  write_weights("inf");
  refused("line 3");
  write_weights("x");
  refused("line 3");
  write_weights("1\n1");
  refused("weights-l1-dense.tsv");
  write_weights("1");
  put_file("net/biases-l1-dense.tsv", "0\nnan\n");
  refused("biases-l1-dense.tsv");
  put_file("net/biases-l1-dense.tsv", "0\n0\n");
  put_file("data/mnist/t10k-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x01\0", 9));
  refused("2 labels");
  std::filesystem::remove(path / "data/mnist/t10k-labels-idx1-ubyte");
  refused("t10k-labels-idx1-ubyte");
  std::filesystem::remove_all(path / "net");
  refused("--network");
}

namespace {
boost::test_tools::assertion_result data_is_here(boost::unit_test::test_unit_id) {
  const char* const data = std::getenv("ASSAY_DATA");
  boost::test_tools::assertion_result here(data != nullptr &&
                                           std::filesystem::exists(std::filesystem::path(data) / "mnist"));
  here.message() << "no MNIST: ASSAY_DATA names no folder with mnist/";
  return here;
}
}  // namespace

BOOST_FIXTURE_TEST_CASE(the_challenges_categories_by_arithmetic, Study,
                        *boost::unit_test::label("full") * boost::unit_test::precondition(data_is_here)) {
  const Outcome outcome = assay("study spdnn --neurons 1024 --json");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  const json data = json::parse(outcome.out);
  BOOST_TEST(data.at("categories") == 1812);  // the official ones
  // The specification's table, all of it.
  struct Row {
    const char* name;
    std::size_t categories, differing;
  };
  const std::vector<Row> table = {{"accumulator f64", 1812, 0},
                                  {"activations bf16", 1798, 14},
                                  {"activations, bias bf16", 1772, 40},
                                  {"activations bf16:RZ", 1769, 43},
                                  {"activations, bias, accumulator bf16", 1663, 149},
                                  {"activations f16", 1815, 3},
                                  {"activations, bias, accumulator f16", 1829, 17}};
  BOOST_TEST_REQUIRE(data.at("cases").size() == table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const json& one = data.at("cases").at(i);
    BOOST_TEST(one.at("case") == table[i].name);
    BOOST_TEST(one.at("categories") == table[i].categories, table[i].name);
    BOOST_TEST(one.at("differing") == table[i].differing, table[i].name);
  }
}
