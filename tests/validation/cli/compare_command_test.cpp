// `assay compare`: verdicts, exit codes, messages, reports.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/support/address_space.hpp"
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
  BOOST_TEST(holds(integers.out, "note   compared as integers (uint16); --format reads them as codes"));
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
  for (const char* option : {"--atol", "--rtol"}) {
    for (const char* typed : {"abc", "inf", "nan", "-1", "1e400"}) {
      const std::string said =
          std::string(option) + ": takes a finite number of 0 or more, not \"" + typed + '"';
      const Outcome outcome = assay(files + "--policy tolerance --because x " + option + " " + typed);
      BOOST_TEST(outcome.exit_code == 2);
      BOOST_TEST(holds(outcome.err, said), outcome.err);
    }
  }
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
  BOOST_TEST(holds(assay("compare got.npy wide.npy --got-format foo").err, "--got-format takes "));
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
  BOOST_TEST(holds(assay(files + "--policy bound --policies own.toml").err,
                   "--policy takes a policy, not \"bound\""));
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
  BOOST_TEST(
      holds(zeros.out, "why    the expected result is all zero; pass --expects-zero if that is intended"));
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
  const std::string limit = tests::can_limit_addresses ? "ulimit -v 8000000 && " : "";
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
  for (const char* option : {"--dtype bfloat16 --shape 64x33", "--layout column"}) {
    const Outcome outcome = assay(std::string("compare want.safetensors want.safetensors ") + option);
    BOOST_TEST(holds(outcome.err, " is for files without a header, and none was given"));
  }
  BOOST_TEST(
      holds(assay("compare want.npy want.npy --rounding toward-zero").err, "--rounding requires --convert"));
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

namespace {

io::Array integers(const io::ElementType& element, const std::vector<std::uint64_t>& values) {
  io::Array array = io::make_array(element, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) set_code(array, i, values[i]);
  return array;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(integers_are_compared_to_the_last_of_64_bits, Folder) {
  const auto int64 = io::ElementType::signed_integer(64), uint64 = io::ElementType::unsigned_integer(64);
  constexpr std::uint64_t big = (std::uint64_t{1} << 53) + 1, most = ~std::uint64_t{0},
                          least = std::uint64_t{1} << 63;
  write("want.npy", integers(int64, {big, least, 7}));
  write("got.npy", integers(int64, {big - 1, least, 7}));
  BOOST_TEST(assay("compare want.npy want.npy").exit_code == 0);
  const Outcome outcome = assay("compare got.npy want.npy --report report --statistics");
  BOOST_TEST(outcome.exit_code == 1);
  BOOST_TEST(holds(outcome.out, "  3 values: 2 equal, 1 differ; zeros would pass 0.0 %\n"));
  BOOST_TEST(holds(outcome.out, "  worst [0] want 9007199254740993 got 9007199254740992, difference -1\n"));
  BOOST_TEST(holds(outcome.out, "  would pass with atol 1 or rtol 1.12e-16\n"));
  BOOST_TEST(holds(outcome.out, "  want   from -9223372036854775808 to 9007199254740993, zero 0\n"));
  BOOST_TEST(!holds(outcome.out, "ulp"));
  BOOST_TEST(!holds(outcome.out, "NaN"));
  for (const char* name : {"report.txt", "report.jsonl", "report.junit.xml", "report.html"})
    BOOST_TEST(holds(shell::contents((path / "report" / name).string()), "9007199254740993"), name);
  BOOST_TEST(!holds(shell::contents((path / "report" / "report.html").string()), "ulp)"));
  const json worst = json::parse(assay("compare got.npy want.npy --json").out).at("comparison").at("worst");
  BOOST_TEST(worst.at("want").at("value").get<std::uint64_t>() == big);
  BOOST_TEST(worst.at("want").at("decimal") == "9007199254740993");
  BOOST_TEST(worst.at("want").at("bits") == "0x0020000000000001");
  BOOST_TEST(worst.at("difference").at("value") == -1);
  const std::string because = " --policy tolerance --because x ";
  BOOST_TEST(assay("compare got.npy want.npy --atol 1" + because).exit_code == 0);
  BOOST_TEST(assay("compare got.npy want.npy --atol 0.5" + because).exit_code == 1);
  BOOST_TEST(assay("compare got.npy want.npy --rtol 1.12e-16" + because).exit_code == 0);
  BOOST_TEST(assay("compare got.npy want.npy --rtol 1.11e-16" + because).exit_code == 1);

  write("unsigned.npy", integers(uint64, {most, 1}));
  write("less.npy", integers(uint64, {most - 1, 1}));
  write("signed.npy", integers(int64, {most, 1}));
  BOOST_TEST(holds(assay("compare less.npy unsigned.npy").out,
                   "want 18446744073709551615 got 18446744073709551614,"));
  BOOST_TEST(assay("compare unsigned.npy signed.npy").exit_code == 2);
  const Outcome mixed = assay("compare signed.npy unsigned.npy --convert");
  BOOST_TEST(mixed.exit_code == 1);
  BOOST_TEST(holds(mixed.out, "want 18446744073709551615 got -1, difference -18446744073709551616"));
  write("bools.npy", integers(io::ElementType::boolean(), {1, 0, 1}));
  write("other.npy", integers(io::ElementType::boolean(), {1, 1, 1}));
  BOOST_TEST(holds(assay("compare other.npy bools.npy").out, "worst [1] want 0 got 1, difference 1"));
  // What float64 does not hold is not compared with floating-point numbers.
  write("float.npy", array_of(formats::float64, {3}, {1, 2, 3}));
  const Outcome refused = assay("compare float.npy want.npy --convert");
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(holds(refused.err, "integers that float64 holds exactly"));
}

BOOST_FIXTURE_TEST_CASE(figures_of_a_report_pass_as_options, TailFolder) {
  for (const char* files : {"compare got.npy want.npy --format bf16 ", "compare got.npy want.npy ",
                            "compare got.npy float.npy --got-format bf16 --convert "}) {
    const std::string pair = files;
    const json would = json::parse(assay(pair + "--json").out).at("comparison").at("would_pass");
    for (const char* key : {"atol", "rtol", "ulps"}) {
      if (!would.contains(key)) continue;
      const Outcome outcome =
          assay(pair + "--policy tolerance --because x --" + key + " " + would.at(key).dump());
      BOOST_TEST(outcome.exit_code == 0, pair << key << ": " << outcome.out << outcome.err);
    }
  }
  const double most = 1e300;
  write("top.npy", array_of(formats::float64, {2}, {most, 1}));
  write("bottom.npy", array_of(formats::float64, {2}, {-most, 1}));
  const json would =
      json::parse(assay("compare top.npy bottom.npy --json").out).at("comparison").at("would_pass");
  // So wide a limit admits zeros: VACUOUS, and no disagreement.
  const std::string wide = "compare top.npy bottom.npy --policy tolerance --because x --ulps ";
  BOOST_TEST(assay(wide + would.at("ulps").dump()).exit_code == 3);
  BOOST_TEST(assay(wide + "18000000000000000000").exit_code == 1);
}

BOOST_FIXTURE_TEST_CASE(policies_are_named, TailFolder) {
  const std::string files = "compare got.npy want.npy --format bf16 ";
  const Outcome unknown = assay(files + "--policy truncate");
  BOOST_TEST(unknown.exit_code == 2);
  for (const char* name : {"tolerance", "bit-equal", "correctly-rounded", "allclose"})
    BOOST_TEST(holds(unknown.err, name), unknown.err);
  BOOST_TEST(holds(assay(files + "--policy tolerence --atol 1").err, "near names: tolerance"));
  BOOST_TEST(holds(assay(files + "--rtol 1").err, "--rtol requires --policy tolerance"));
}

namespace {

struct NamedFolder : TailFolder {
  NamedFolder() {
    const io::Array same = normal(formats::float32, {8, 5}, 1);
    io::Array wrong = same;
    set_code(wrong, 7, code(wrong, 7) ^ 0x300000);
    io::Array ids = integers(io::ElementType::signed_integer(64), {1, 2, 3});
    io::write_arrays(path / "want.npz", {{"ids", ids}, {"k", same}, {"q", same}, {"v", same}});
    io::write_arrays(path / "got.npz", {{"q", wrong}, {"k", same}, {"ids", ids}, {"extra one", same}});
    io::write_arrays(path / "all.safetensors", {{"q", same}, {"v", same}, {"ids", ids}, {"k", same}});
    io::write_arrays(path / "short.npz", {{"k", same}, {"q", normal(formats::float32, {8, 4}, 1)}});
    io::write_arrays(path / "short_want.npz", {{"k", same}, {"q", same}});
    for (const char* folder : {"a", "b", "b/layer"}) std::filesystem::create_directory(path / folder);
    std::filesystem::create_directory(path / "a/layer");
    for (const char* folder : {"a", "b"}) {
      io::write_array(path / folder / "k.npy", same);
      io::write_array(path / folder / "layer" / "q.npy", same);
      shell::run("echo text > " + (path / folder / "README.md").string());
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(arrays_are_paired_by_name, NamedFolder) {
  const Outcome outcome = assay("compare got.npz want.npz");
  BOOST_TEST(outcome.exit_code == 1);
  BOOST_TEST(outcome.err == "");
  const std::vector<std::string> rows = {
      "         array      type     shape  values  differ  outside  largest error\n",
      "PASSED   ids        int64    [3]    3       0       0        0\n",
      "PASSED   k          float32  [8,5]  40      0       0        0\n",
      "FAILED   q          float32  [8,5]  40      1       1        ",
      "MISSING  v                                                   missing: got.npz has none of this name\n",
      "EXTRA    extra one                                           extra: want.npz has none of this name\n",
      "  where  1 of 1 at [1,2]",
      "  repro  assay compare got.npz:q want.npz:q\n",
      "SOME DISAGREE: 2 passed, 3 failed, 0 vacuous, 0 skipped, 0 errors; 5 cases in"};
  for (const std::string& row : rows) BOOST_TEST(holds(outcome.out, row), row << "\nin\n" << outcome.out);
  BOOST_TEST(assay("compare got.npz:q want.npz:q").exit_code == 1);
  BOOST_TEST(assay("compare got.npz:k want.npz:k").exit_code == 0);
  // Whatever the kind of file; all agree only if nothing is missing.
  const Outcome all = assay("compare all.safetensors want.npz");
  BOOST_TEST(all.exit_code == 0, all.out);
  BOOST_TEST(holds(all.out, "all agree: 4 passed"));
  BOOST_TEST(assay("compare want.npz short_want.npz").exit_code == 1);
  BOOST_TEST(assay("compare got.npz want.npz --quiet").out == "");
  BOOST_TEST(assay("compare got.npz want.npz --policy tolerance --atol 10 --because x").exit_code == 1);
}

BOOST_FIXTURE_TEST_CASE(pairs_as_json_and_reports, NamedFolder) {
  const Outcome outcome = assay("compare got.npz want.npz --json --report report");
  BOOST_TEST(outcome.exit_code == 1);
  const json all = json::parse(outcome.out);
  BOOST_TEST(all.at("exit_code") == 1);
  BOOST_TEST(all.at("missing") == json({"v"}));
  BOOST_TEST(all.at("extra") == json({"extra one"}));
  BOOST_REQUIRE(all.at("pairs").size() == 3U);
  BOOST_TEST(all.at("pairs")[2].at("array") == "q");
  BOOST_TEST(all.at("pairs")[2].at("status") == "FAILED");
  BOOST_TEST(all.at("pairs")[2].at("repro") == "assay compare got.npz:q want.npz:q");
  BOOST_TEST(all.at("pairs")[0].at("comparison").at("format") == "int64");
  for (const char* name : {"report.txt", "report.jsonl", "report.junit.xml", "report.html"}) {
    const std::string text = shell::contents((path / "report" / name).string());
    for (const char* part :
         {"array=q", "array=v", "missing: got.npz has none of this name", "array=extra one"})
      BOOST_TEST(holds(text, part), name << ": " << part);
  }
  BOOST_TEST(
      holds(shell::contents((path / "report" / "report.junit.xml").string()), "tests=\"5\" failures=\"3\""));
}

BOOST_FIXTURE_TEST_CASE(folders_are_paired_by_path, NamedFolder) {
  const Outcome same = assay("compare a b");
  BOOST_TEST(same.exit_code == 0, same.err);
  BOOST_TEST(holds(same.out, "PASSED  layer/q"));
  io::Array other = normal(formats::float32, {8, 5}, 2);
  io::write_array(path / "a/layer/q.npy", other);
  const Outcome wrong = assay("compare a b");
  BOOST_TEST(wrong.exit_code == 1);
  BOOST_TEST(holds(wrong.out, "  repro  assay compare a/layer/q.npy b/layer/q.npy\n"));
  io::write_array(path / "b/k.mtx", normal(formats::float64, {8, 5}, 2));
  const Outcome twice = assay("compare a b");
  BOOST_TEST(twice.exit_code == 2);
  BOOST_TEST(holds(twice.err, "expected one array named \"k\", found b/k.mtx and b/k.npy"));
  const Outcome one = assay("compare a want.npy");
  BOOST_TEST(one.exit_code == 2);
  BOOST_TEST(holds(one.err, "want.npy: expected a folder, npz or safetensors"));
  std::filesystem::create_directory(path / "none");
  BOOST_TEST(assay("compare none none").exit_code == 3);
}

// One array each, whatever it is called: said, alone and in a row of a folder.
BOOST_FIXTURE_TEST_CASE(names_that_differ_are_said, NamedFolder) {
  const io::Array x = normal(formats::float32, {8}, 1);
  io::write_arrays(path / "logits.npz", {{"logits", x}});
  io::write_arrays(path / "loss.npz", {{"loss", x}});
  io::write_arrays(path / "loss.safetensors", {{"loss", x}});
  for (const char* want : {"loss.npz", "loss.safetensors"}) {
    const std::string note =
        std::string("note   the names differ: \"logits\" of logits.npz is compared with \"loss\" of ") + want;
    const std::string command = std::string("compare logits.npz ") + want;
    BOOST_TEST(assay(command).exit_code == 0);
    BOOST_TEST(holds(assay(command).out, note));
    BOOST_TEST(holds(json::parse(assay(command + " --json").out).dump(), "the names differ: "));
  }
  BOOST_TEST(!holds(assay("compare loss.npz loss.safetensors").out, "names"));
  BOOST_TEST(!holds(assay("compare logits.npz:logits loss.npz:loss").out, "names"));
  std::filesystem::copy(path / "logits.npz", path / "a/one.npz");
  std::filesystem::copy(path / "loss.npz", path / "b/one.npz");
  const Outcome folders = assay("compare a b");
  BOOST_TEST(folders.exit_code == 0);
  BOOST_TEST(holds(folders.out, "note   the names differ: \"logits\" of a/one.npz"));
  BOOST_TEST(holds(assay("compare a b --json").out, "the names differ: "));
}

BOOST_FIXTURE_TEST_CASE(a_folder_is_not_read_before_it_is_known_what_for, NamedFolder) {
  for (const char* arguments : {"compare / want.npy", "compare want.npy /"}) {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(
        holds(outcome.err,
              "want.npy: expected a folder, npz or safetensors, whose arrays are paired with those of /"));
  }
  BOOST_TEST(holds(assay("compare / nowhere").err, "found no such file"));
  std::filesystem::path deep = path / "a";
  for (int level = 0; level < 40; ++level) deep /= "x";
  std::filesystem::create_directories(deep);
  const Outcome outcome = assay("compare a b");
  BOOST_TEST(outcome.exit_code == 2);
  BOOST_TEST(holds(outcome.err, "a: expected a folder of at most 32 levels of folders"));
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_read_is_a_row, NamedFolder) {
  shell::run("cd " + path.string() + " && printf 'PK\\003\\004 no' > a/broken.npz && printf x > a/z.npy");
  io::write_arrays(path / "b/broken.npz",
                   {{"u", normal(formats::float32, {3}, 1)}, {"v", normal(formats::float32, {3}, 1)}});
  io::write_array(path / "b/z.npy", normal(formats::float32, {3}, 1));
  shell::run("printf text > " + (path / "b/alone.npz").string());
  shell::run("cd " + path.string() +
             " && ln -s nowhere.npy a/lost.npy && ln -s nowhere.npy b/lost.npy && mkfifo a/pipe.npy");
  const Outcome outcome = assay("compare a b");
  BOOST_TEST(outcome.exit_code == 2, outcome.err);
  for (const char* row :
       {"PASSED  k ", "PASSED  layer/q", "ERROR   broken:u", "ERROR   broken:v", "ERROR   z ",
        "ERROR   alone", "ERROR   lost", "ERROR   pipe", "a/broken.npz: expected ", "b/alone.npz: expected "})
    BOOST_TEST(holds(outcome.out, row), row << "\nin\n" << outcome.out);
  BOOST_TEST(!holds(outcome.out, "MISSING"));
}

// A name with a line break must not make a row, a test case or a table of its own.
BOOST_FIXTURE_TEST_CASE(names_with_control_characters_are_escaped, NamedFolder) {
  const io::Array x = normal(formats::float32, {3}, 1), y = normal(formats::float32, {3}, 2);
  io::write_arrays(path / "evil.safetensors", {{"k\nPASSED  all", x}, {"\x1b[2Jv", x}, {"", x}});
  io::write_arrays(path / "want2.safetensors", {{"k\nPASSED  all", y}, {"\x1b[2Jv", x}, {"other\r", x}});
  const Outcome outcome = assay("compare evil.safetensors want2.safetensors --report report");
  BOOST_TEST(holds(outcome.out, "FAILED   \"k\\nPASSED  all\""), outcome.out);
  BOOST_TEST(holds(outcome.out, "PASSED   \"\\x1b[2Jv\""));
  BOOST_TEST(holds(outcome.out, "MISSING  \"other\\r\""));
  BOOST_TEST(holds(outcome.out, "EXTRA    \"\" "));
  BOOST_TEST(holds(outcome.out, "  repro  assay compare $'evil.safetensors:k\\x0aPASSED  all' "));
  std::string texts = outcome.out + assay("compare evil.safetensors want2.safetensors --json").out;
  for (const char* name : {"report.txt", "report.jsonl", "report.junit.xml", "report.html"})
    texts += shell::contents((path / "report" / name).string());
  for (const char* raw : {"k\nPASSED", "\x1b[2J", "other\r"}) BOOST_TEST(!holds(texts, raw));
  BOOST_TEST(!holds(assay("compare evil.safetensors:none want2.safetensors").err, "\x1b"));
  io::write_arrays(path / "lines.npz", {{"a\nb", x}, {"c", x}});
  BOOST_TEST(holds(assay("compare lines.npz lines.npz").out, "PASSED  \"a\\nb\""));
}

// Exit codes: unreadable input before disagreement, disagreement before nothing verified.
BOOST_FIXTURE_TEST_CASE(pairs_that_cannot_be_compared_are_2, NamedFolder) {
  const Outcome outcome = assay("compare short.npz short_want.npz");
  BOOST_TEST(outcome.exit_code == 2);
  BOOST_TEST(holds(outcome.out, "PASSED  k"));
  BOOST_TEST(holds(outcome.out, "ERROR   q"));
  BOOST_TEST(holds(outcome.out, "expected shape [8,5], that of short_want.npz:q"));
  io::write_arrays(path / "zeros.npz", {{"x", array_of(formats::float32, {2}, {0, 0})},
                                        {"y", array_of(formats::float32, {2}, {0, 0})}});
  BOOST_TEST(assay("compare zeros.npz zeros.npz").exit_code == 3);
  BOOST_TEST(assay("compare zeros.npz zeros.npz --expects-zero").exit_code == 0);
}
