// `assay compare`: verdicts, exit codes, messages, reports.
#define BOOST_TEST_MODULE cli_compare
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

// 64 x 33 bfloat16 values, the last column wrong.
struct TailFolder : Folder {
  TailFolder() {
    const io::Array want = normal(formats::bfloat16, {64, 33}, 1);
    io::Array got = want;
    for (std::size_t row = 0; row < 64; ++row) {
      const std::size_t i = row * 33 + 32;
      set_code(got, i, code(got, i) ^ (3 + row % 5));
    }
    write("want.npy", as_integers(want));
    write("got.npy", as_integers(got));
    write("want.safetensors", want);
    write("got.safetensors", got);
    write("float.npy", normal(formats::float32, {64, 33}, 1));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(equal_files_are_0_and_others_1, TailFolder) {
  const Outcome same = assay("compare want.npy want.npy --format bf16");
  BOOST_TEST(same.exit_code == 0);
  BOOST_TEST(same.out.starts_with("PASSED  compare/want.npy want=want.npy"));
  BOOST_TEST(
      holds(same.out, "2112 values: 2112 bit-equal, 0 differ; NaN 0/0, Inf 0/0; zeros would pass 0.0 %\n"));
  const Outcome other = assay("compare got.npy want.npy --format bf16");
  BOOST_TEST(other.exit_code == 1);
  BOOST_TEST(holds(other.out, "policy bit-equal\n"));
  BOOST_TEST(holds(other.out, "2048 bit-equal, 64 differ;"));
  BOOST_TEST(holds(other.out, "  where  64 of 64 in column 32 = last of n=33: tail of a 32-wide tile?\n"));
  BOOST_TEST(holds(other.out, "  repro  assay compare got.npy want.npy --format bf16\n"));
  BOOST_TEST(other.err == "");
}

BOOST_FIXTURE_TEST_CASE(the_repro_line_gives_the_same_again, TailFolder) {
  const Outcome first = assay(
      "compare got.npy want.npy --policy tolerance --atol 1e-9 --because 'what we said' --format bf16 "
      "--json");
  const auto repro = json::parse(first.out).at("repro").get<std::string>();
  BOOST_TEST(holds(repro, "--because 'what we said'"));
  const Outcome again = assay(repro.substr(std::string("assay ").size()) + " --json");
  json a = json::parse(first.out), b = json::parse(again.out);
  a.erase("seconds");
  b.erase("seconds");
  BOOST_TEST(a == b);
  BOOST_TEST(first.exit_code == again.exit_code);
}

BOOST_FIXTURE_TEST_CASE(formats_come_from_files_or_options, TailFolder) {
  BOOST_TEST(assay("compare got.safetensors want.safetensors").exit_code == 1);
  BOOST_TEST(assay("compare got.safetensors got.npy --want-format bf16").exit_code == 0);
  const Outcome integers = assay("compare got.npy want.npy");
  BOOST_TEST(integers.exit_code == 1);
  BOOST_TEST(holds(integers.out, "note   uint16 and uint16 are compared as numbers; --format reads codes"));
  const Outcome differ = assay("compare got.npy float.npy --got-format bf16");
  BOOST_TEST(differ.exit_code == 2);
  BOOST_TEST(
      holds(differ.err, "expected float32, that of float.npy (bit-equal compares codes; with --convert"));
  BOOST_TEST(assay("compare want.npy float.npy --got-format bf16 --convert").exit_code == 0);
  BOOST_TEST(assay("compare got.npy float.npy --got-format bf16 --convert").exit_code == 1);
  BOOST_TEST(assay("compare want.npy float.npy --got-format bf16 --policy correctly-rounded").exit_code == 0);
}

BOOST_FIXTURE_TEST_CASE(tolerances_need_a_number_and_a_reason, TailFolder) {
  const std::string files = "compare got.npy want.npy --format bf16 ";
  BOOST_TEST(holds(assay(files + "--policy tolerance --atol 1").err, "--because TEXT"));
  BOOST_TEST(holds(assay(files + "--policy tolerance --because x").err, "--atol, --rtol or --ulps"));
  BOOST_TEST(holds(assay(files + "--atol 1").err, "--policy tolerance"));
  BOOST_TEST(holds(assay(files + "--policy allclsoe").err, "near names: allclose"));
  BOOST_TEST(assay(files + "--policy tolerance --ulps 7 --because x").exit_code == 0);
  const Outcome tight = assay(files + "--policy tolerance --ulps 6 --because 'one step of six'");
  BOOST_TEST(tight.exit_code == 1);
  BOOST_TEST(holds(tight.out, "policy tolerance atol 0 rtol 0 or 6 ulp: one step of six\n"));
}

// What the report says would pass passes: no ulp at all is a limit too.
BOOST_FIXTURE_TEST_CASE(no_ulps_is_a_limit, Folder) {
  const io::Array wide = normal(formats::float64, {50}, 1);
  io::Array got = io::make_array(formats::float32, {50});
  for (std::size_t i = 0; i < 50; ++i) set_value(got, i, value(wide, i));
  write("got.npy", got);
  write("wide.npy", wide);
  const Outcome tight = assay("compare got.npy wide.npy --policy tolerance --atol 1e-12 --because x");
  BOOST_TEST(tight.exit_code == 1);
  BOOST_TEST(holds(tight.out, "or 0 ulp"));
  const std::string none = "compare got.npy wide.npy --policy tolerance --ulps 0 --because x";
  BOOST_TEST(assay(none).exit_code == 0);
  BOOST_TEST(holds(assay(none).out, "atol 0 rtol 0 or 0 ulp: x"));
  set_code(got, 7, code(got, 7) + 1);
  write("got.npy", got);
  BOOST_TEST(assay(none).exit_code == 1);
  BOOST_TEST(assay("compare got.npy wide.npy --policy tolerance --ulps -1 --because x").exit_code == 2);
  BOOST_TEST(holds(assay("compare got.npy wide.npy --got-format foo").err, "--got-format: "));
}

BOOST_FIXTURE_TEST_CASE(a_policy_file_and_a_file_of_bounds, TailFolder) {
  shell::run("printf '[ours]\\nkind = \"bound\"\\nfactor = 3\\nbecause = \"two more steps\"\\n' > " +
             (path / "own.toml").string());
  io::Array bound = normal(formats::float64, {64, 33}, 9);
  for (std::size_t i = 0; i < 64 * 33; ++i) set_value(bound, i, 1.0);
  write("bound.npy", bound);
  const std::string files = "compare got.npy want.npy --format bf16 ";
  BOOST_TEST(holds(assay(files + "--policy bound").err, "--bound FILE"));
  BOOST_TEST(holds(assay(files + "--bound bound.npy").err, "--policy bound"));
  const Outcome outcome = assay(files + "--policy ours --policies own.toml --bound bound.npy");
  // A bound of 1 is above most values: some zeros would pass, not all.
  BOOST_TEST(outcome.exit_code == 0);
  BOOST_TEST(holds(outcome.out, "policy ours x3: two more steps\n"));
  BOOST_TEST(holds(assay(files + "--policy bound --policies own.toml").err, "found \"bound\""));
  set_value(bound, 7, -1.0);
  write("bound.npy", bound);
  BOOST_TEST(holds(assay(files + "--policy bound --bound bound.npy").err, "value 7"));
}

BOOST_FIXTURE_TEST_CASE(what_proves_nothing_is_3_and_strictness_makes_it_1, TailFolder) {
  write("zeros.npy", array_of(formats::float32, {3, 4}, std::vector<double>(12, 0)));
  write("empty.npy", io::make_array(formats::float32, {0, 4}));
  const Outcome zeros = assay("compare zeros.npy zeros.npy");
  BOOST_TEST(zeros.exit_code == 3);
  BOOST_TEST(holds(zeros.out, "VACUOUS compare/zeros.npy"));
  BOOST_TEST(holds(zeros.out, "why    the truth is zero everywhere"));
  BOOST_TEST(assay("compare zeros.npy zeros.npy --expects-zero").exit_code == 0);
  const Outcome empty = assay("compare empty.npy empty.npy");
  BOOST_TEST(empty.exit_code == 3);
  BOOST_TEST(holds(empty.out, "why    the output is empty, [0,4]"));
}

BOOST_FIXTURE_TEST_CASE(empty_arrays_are_reported_like_others, TailFolder) {
  for (const io::Shape& shape : {io::Shape{0, 3}, {3, 0}, {0}, {2, 3, 0}, {0, 3, 2}}) {
    write("empty.npy", io::make_array(formats::float32, shape));
    const Outcome outcome = assay("compare empty.npy empty.npy --json --report report --statistics");
    BOOST_TEST(outcome.exit_code == 3, outcome.err);
    const json line = json::parse(outcome.out);
    BOOST_TEST(line.at("status") == "VACUOUS");
    BOOST_TEST(line.at("comparison").at("max_absolute").is_null());
    BOOST_TEST(!std::filesystem::exists(path / "report" / "report.jsonl.partial"));
    for (const char* name : {"report.txt", "report.jsonl", "report.junit.xml", "report.html"})
      BOOST_TEST(holds(shell::contents((path / "report" / name).string()), "the output is empty"), name);
    std::filesystem::remove_all(path / "report");
    BOOST_TEST(assay("compare empty.npy empty.npy --statistics").exit_code == 3);
  }
}

BOOST_FIXTURE_TEST_CASE(pipes_are_read_like_files, TailFolder) {
  io::write_arrays(path / "want.npz", {{"x", normal(formats::float32, {64, 33}, 1)}});
  for (const char* name : {"float.npy", "want.safetensors", "want.npz"}) {
    const std::string file = name;
    const Outcome outcome = shell::run("cd " + path.string() + " && cat " + file + " | { exec '" +
                                       ASSAY_PROGRAM + "' compare /dev/stdin " + file + "; }");
    BOOST_TEST(outcome.exit_code == 0, file << ": " << outcome.err);
  }
}

// Without the checks these ask for 16 GB and more, and the limit makes that a fault and not the end of the machine.
BOOST_FIXTURE_TEST_CASE(a_file_that_claims_a_huge_matrix_costs_no_memory, TailFolder) {
#ifdef __SANITIZE_ADDRESS__
  const std::string limit;  // its shadow takes terabytes of addresses
#else
  const std::string limit = "ulimit -v 8000000 && ";
#endif
  shell::run(
      "cd " + path.string() +
      " && printf '%%%%MatrixMarket matrix coordinate real general\n2000000000 3 1\n1 1 1\n' > tall.mtx"
      " && printf '%%%%MatrixMarket matrix coordinate real general\n2000000000 2000000000 1\n1 1 1\n' > "
      "huge.mtx");
  write("b.npy", normal(formats::float32, {3, 2}, 1));
  write("bt.npy", normal(formats::float32, {2, 3}, 1));
  const auto limited = [&](const std::string& arguments) {
    return shell::run("cd " + path.string() + " && " + limit + "exec '" ASSAY_PROGRAM "' " + arguments);
  };
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"check spmm --a tall.mtx --b b.npy --got b.npy", "b.npy: expected shape [2000000000,2], found [3,2]"},
      {"check spmm --a tall.mtx --transpose-a --b b.npy --got b.npy", "2000000000 rows, as many as op(A)"},
      {"check sddmm --mask tall.mtx --a b.npy --b bt.npy --got b.npy", "2000000000 rows, as the mask"},
      {"compare huge.mtx huge.mtx", "huge.mtx: expected a dense array of shape [2000000000,2000000000]"},
      {"compare tall.mtx tall.mtx --expects-zero",
       "tall.mtx: expected a dense array of shape [2000000000,3]"}};
  for (const auto& [arguments, said] : refused) {
    const Outcome outcome = limited(arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments << ": " << outcome.exit_code);
    BOOST_TEST(holds(outcome.err, said), arguments << ": " << outcome.err);
  }
}

BOOST_FIXTURE_TEST_CASE(shapes_that_differ_and_files_that_are_none_are_2, TailFolder) {
  write("turned.npy", normal(formats::float32, {33, 64}, 1));
  const Outcome turned = assay("compare turned.npy float.npy");
  BOOST_TEST(turned.exit_code == 2);
  BOOST_TEST(
      holds(turned.err, "shape [64,33], that of float.npy, found [33,64], which is that of its transpose"));
  BOOST_TEST(assay("compare nowhere.npy float.npy").exit_code == 2);
  BOOST_TEST(assay("compare float.npy").exit_code == 2);
  BOOST_TEST(assay("compare float.npy float.npy --format bf16").exit_code == 2);
  BOOST_TEST(assay("compare float.npy float.npy --shape 3").exit_code == 2);
}

BOOST_FIXTURE_TEST_CASE(raw_files_take_dtype_and_shape, TailFolder) {
  write("want.raw", as_integers(normal(formats::bfloat16, {64, 33}, 1)));
  BOOST_TEST(assay("compare want.raw want.npy --format bf16 --dtype uint16 --shape 64x33").exit_code == 0);
  BOOST_TEST(assay("compare want.raw want.safetensors --dtype bfloat16 --shape 64,33").exit_code == 0);
  BOOST_TEST(assay("compare want.raw want.safetensors --dtype bfloat16 --shape 64x32").exit_code == 2);
  BOOST_TEST(assay("compare want.raw want.safetensors --dtype bfloat16 --shape 64x").exit_code == 2);
}

BOOST_FIXTURE_TEST_CASE(what_the_memory_held_before_is_asked_for, TailFolder) {
  const Outcome outcome = assay("compare float.npy float.npy --stale float.npy");
  BOOST_TEST(outcome.exit_code == 0);
  BOOST_TEST(holds(outcome.out, "weak   what the memory held before would pass too"));
}

BOOST_FIXTURE_TEST_CASE(reports_are_written, TailFolder) {
  const Outcome outcome = assay("compare got.npy want.npy --format bf16 --report report --statistics");
  BOOST_TEST(outcome.exit_code == 1);
  BOOST_TEST(holds(outcome.out, "report   report/report.html\n"));
  BOOST_TEST(holds(outcome.out, "NMSE"));
  for (const char* name : {"report.txt", "report.jsonl", "report.junit.xml", "report.html"}) {
    BOOST_TEST(holds(shell::contents((path / "report" / name).string()), "tail of a 32-wide tile?"), name);
  }
  const json line = json::parse(assay("compare got.npy want.npy --format bf16 --json").out);
  BOOST_TEST(line.at("status") == "FAILED");
  BOOST_TEST(line.at("comparison").at("outside") == 64);
  BOOST_TEST(line.at("comparison").at("worst").at("want").at("bits").get<std::string>().size() == 6U);
}
