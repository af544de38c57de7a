// `assay probe` and `assay invariance` as a person starts them, and what `check` and `dot` make of the file.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/thread_counts.hpp"
#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

const std::string asked = ASSAY_ASKED_PROGRAM;

std::string from(const std::string& arguments) {
  return " --got-from '\"" + asked + "\" " + arguments + "' ";
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_program_is_revealed_saved_and_replayed, Folder) {
  const Outcome text =
      assay("probe dot --k 40 --out lanes.json --svg lanes.svg --results 500" + from("lanes8_f32_fused"));
  BOOST_TEST(text.exit_code == 0, text.out + text.err);
  BOOST_TEST(holds(text.out, "PREDICTED  2000 of 2000"), text.out);
  BOOST_TEST(holds(text.out, "step 8"), text.out);
  BOOST_TEST(shell::contents((path / "lanes.svg").string()).starts_with("<svg"));
  const Outcome in_json =
      assay("probe dot --k 5,40 --json --form text --results 100" + from("lanes8_f32_fused once"));
  BOOST_TEST(in_json.exit_code == 0, in_json.err);
  const json found = json::parse(in_json.out);
  BOOST_TEST(found.at("shapes").size() == 2u);
  BOOST_TEST(found.at("shapes").at(1).at("predicted") == true);
  BOOST_TEST(found.at("shapes").at(1).at("classes").at(0).at("not_explained") == 0);

  write("a.npy", normal(formats::float32, {12, 40}, 1));
  write("b.npy", normal(formats::float32, {12, 40}, 2));
  BOOST_TEST(assay("dot --unit lanes8_f32_fused --a a.npy --b b.npy --out want.npy").exit_code == 0);
  const Outcome same =
      assay("check dot --unit lanes.json --policy bit-equal --a a.npy --b b.npy --got want.npy");
  BOOST_TEST(same.exit_code == 0, same.out + same.err);
  BOOST_TEST(assay("check dot --unit lanes.json --a a.npy --b b.npy --got want.npy").exit_code == 0);
  BOOST_TEST(assay("dot --unit chain_f32 --a a.npy --b b.npy --out other.npy").exit_code == 0);
  BOOST_TEST(
      assay("check dot --unit lanes.json --policy bit-equal --a a.npy --b b.npy --got other.npy").exit_code ==
      1);
  BOOST_TEST(assay("dot --unit lanes.json --a a.npy --b b.npy --out replayed.npy").exit_code == 0);
  BOOST_TEST(shell::contents((path / "replayed.npy").string()) ==
             shell::contents((path / "want.npy").string()));
  // Another length.
  write("short.npy", normal(formats::float32, {12, 39}, 1));
  const Outcome length = assay("dot --unit lanes.json --a short.npy --b short.npy --out x.npy");
  BOOST_TEST(length.exit_code == 2, length.err);
  BOOST_TEST(holds(length.err, "40"), length.err);
  BOOST_TEST(assay("dot --unit missing.json --a a.npy --b b.npy --out x.npy").exit_code == 2);
}

BOOST_FIXTURE_TEST_CASE(alpha_and_beta_are_revealed_saved_and_replayed, Folder) {
  const std::string shape = "probe gemm --k 16 --m 2 --n 3 --results 300 ";
  const Outcome found =
      assay(shape + "--with-c --alpha 0.7 --beta 0.3 --out scaled.json" + from("lanes8_f32_fused"));
  BOOST_TEST(found.exit_code == 0, found.out + found.err);
  BOOST_TEST(holds(found.out, "alpha 0.7 times each sum that is added to C, in the addition (fma); beta 0.3"),
             found.out);
  write("a.npy", normal(formats::float32, {2, 16}, 1));
  write("b.npy", normal(formats::float32, {16, 3}, 2));
  write("c.npy", normal(formats::float32, {2, 3}, 3));
  const std::string operands = " --unit scaled.json --a a.npy --b b.npy --c c.npy";
  BOOST_TEST(assay("gemm" + operands + " --out d.npy").exit_code == 0);
  const std::string check = "check gemm" + operands + " --got d.npy ";
  const Outcome same = assay(check + "--c-first --policy bit-equal");
  BOOST_TEST(same.exit_code == 0, same.out + same.err);
  // The truth of such a unit is alpha A B + beta C, and the bound holds for it.
  const Outcome bound = assay(check + "--c-first");
  BOOST_TEST(bound.exit_code == 0, bound.out + bound.err);
  const Outcome general =
      assay("check gemm --a a.npy --b b.npy --c c.npy --alpha 0.7 --beta 0.3 --got d.npy");
  BOOST_TEST(general.exit_code == 0, general.out + general.err);
  const Outcome twice = assay(check + "--c-first --alpha 0.7");
  BOOST_TEST(twice.exit_code == 2, twice.out);
  BOOST_TEST(holds(twice.err, "alpha=0.7 beta=0.3"), twice.err);
  const Outcome beside = assay(check);
  BOOST_TEST(beside.exit_code == 2, beside.out);
  BOOST_TEST(holds(beside.err, "--c-first"), beside.err);
  const Outcome without = assay("check gemm --unit scaled.json --a a.npy --b b.npy --got d.npy");
  BOOST_TEST(without.exit_code == 2, without.out);
  BOOST_TEST(holds(without.err, "--c is missing"), without.err);
  const Outcome other = assay(shape + "--alpha -2 --form text" + from("chain_f32 once"));
  BOOST_TEST(other.exit_code == 0, other.out + other.err);
}

BOOST_FIXTURE_TEST_CASE(a_library_that_skips_zeros_passes_its_own_check, Folder) {
  const Outcome found = assay("probe dot --k 3 --results 300 --out skip.json" + from("chain_f32 skip"));
  BOOST_TEST(found.exit_code == 0, found.out + found.err);
  BOOST_TEST(holds(found.out, "a term whose factor in A is 0 adds nothing"), found.out);
  const double infinity = std::numeric_limits<double>::infinity();
  write("a.npy", array_of(formats::float32, {2, 3}, {1, 0, 2, 0, 1, 2}));
  write("b.npy", array_of(formats::float32, {2, 3}, {3, infinity, 4, -infinity, 5, 6}));
  write("got.npy", array_of(formats::float32, {2}, {11, 17}));
  write("wrong.npy", array_of(formats::float32, {2}, {11, 18}));
  const std::string check = "check dot --unit skip.json --a a.npy --b b.npy --got ";
  for (const char* const policy : {"", " --policy bit-equal"}) {
    const Outcome own = assay(check + "got.npy" + policy);
    BOOST_TEST(own.exit_code == 0, own.out + own.err);
    BOOST_TEST(assay(check + "wrong.npy" + policy).exit_code == 1);
  }
}

BOOST_FIXTURE_TEST_CASE(what_no_rule_explains_is_said_though_all_else_is_predicted, Folder) {
  const Outcome part = assay("probe dot --k 8 --results 300" + from("chain_f32 lone"));
  BOOST_TEST(part.exit_code == 1, part.out + part.err);
  BOOST_TEST(holds(part.out, "PREDICTED IN PART  1200 of 1200"), part.out);
  BOOST_TEST(holds(part.out, "not explained"), part.out);
}

namespace {

void name_digits(const Folder& folder, const std::string& sums) {
  const std::string command = "probe " + sums + " --form text --results 50";
  const Outcome six = folder.assay(command + from("chain_f32 six"));
  BOOST_TEST(six.exit_code == 1, six.out + six.err);
  BOOST_TEST(holds(six.out, "its results have 6 significant digits at most, and float32 needs 9"), six.out);
  BOOST_TEST(!holds(folder.assay(command + from("chain_f32")).out, "significant digits"));
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(too_few_digits_are_named, Folder) { name_digits(*this, "sum --k 2"); }
BOOST_TEST_DECORATOR(*boost::unit_test::label("full"))
BOOST_FIXTURE_TEST_CASE(too_few_digits_of_dot_products_are_named, Folder) { name_digits(*this, "dot --k 4"); }

// A zero beside an infinity, in a row of a large matrix alone.
BOOST_FIXTURE_TEST_CASE(invariance_asks_for_zeros_and_infinities, Folder) {
  const Outcome skips = assay("invariance gemm --k 16 --n 2 --vary m=1:6" + from("chain_f32 resting"));
  BOOST_TEST(skips.exit_code == 1, skips.out + skips.err);
  BOOST_TEST(holds(skips.out, "m        yes, first at m=4"), skips.out);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(tests::ThreadsAreThePrograms{}))
BOOST_FIXTURE_TEST_CASE(invariance_shows_classes_and_both_trees, Folder) {
  const Outcome text = assay("invariance gemm --k 16 --n 2 --vary m=1:6,row,run=2" + from("batch"));
  BOOST_TEST(text.exit_code == 1, text.out + text.err);
  for (const char* const said : {"NOT INVARIANT", "m        yes, first at m=4 row=0 (against m=1 row=0)",
                                 "run      no", "row      no", "class 1: 12 settings", "m=1:3 row=first",
                                 "m=4:6 row=first,second,third,last", "chain of 16 terms: 0..15", "step 4"})
    BOOST_TEST(holds(text.out, said), said << " in " << text.out);
  const Outcome same =
      assay("invariance gemm --k 16 --n 2 --vary m=1:6,threads=1,2 --json" + from("chain_f32"));
  BOOST_TEST(same.exit_code == 0, same.out + same.err);
  const json found = json::parse(same.out);
  BOOST_TEST(found.at("invariant") == true);
  BOOST_TEST(found.at("depends_on").at("threads").is_null());
  BOOST_TEST(found.at("threads_seen") == json({{"1", 1}, {"2", 1}}));
  // Bits alone, of one class: no order was looked at, so none differs.
  const Outcome bits = assay("invariance gemm --k 16 --n 2 --vary m=1,2 --trees 0" + from("chain_f32"));
  BOOST_TEST(bits.exit_code == 0, bits.out + bits.err);
  BOOST_TEST(holds(bits.out, "1 class of equal bits"), bits.out);
}

BOOST_FIXTURE_TEST_CASE(invariance_sees_addresses, Folder) {
  const Outcome text = assay("invariance dot --k 16 --vary offset=0,16,4,32,8" + from("offset"));
  BOOST_TEST(text.exit_code == 1, text.out + text.err);
  for (const char* const part :
       {"offset   yes, first at offset=4 (against offset=0)", "offset=0:32:16", "offset=4,8"})
    BOOST_TEST(holds(text.out, part), text.out);
  BOOST_TEST(assay("invariance dot --k 16 --vary offset" + from("chain_f32")).exit_code == 0);
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(tests::ThreadsAreThePrograms{}))
BOOST_FIXTURE_TEST_CASE(invariance_sees_threads, Folder) {
  const Outcome text = assay("invariance dot --k 16 --vary threads=2,1,3" + from("threads"));
  BOOST_TEST(text.exit_code == 1, text.out + text.err);
  for (const char* const said :
       {"threads  yes, first at threads=1 (against threads=2)",
        "1 when 1 was requested, 2 when 2 were requested", "threads=2,3", "class 2: 1 setting\n"})
    BOOST_TEST(holds(text.out, said), said << " in " << text.out);
  // Threads that are gone between two answers.
  const Outcome joined = assay("invariance dot --k 16 --vary threads=1,3" + from("joined"));
  BOOST_TEST(joined.exit_code == 0, joined.out + joined.err);
  BOOST_TEST(holds(joined.out, "1 when 1 was requested, "), joined.out);
  BOOST_TEST(holds(joined.out, "or more when 3 were requested"), joined.out);
  BOOST_TEST(!holds(joined.out, "did not reach"), joined.out);
  // A program that takes no notice.
  const Outcome deaf = assay("invariance dot --k 16 --vary threads=1,2" + from("chain_f32"));
  BOOST_TEST(deaf.exit_code == 0, deaf.out + deaf.err);
  BOOST_TEST(holds(deaf.out, "the number did not reach the program"), deaf.out);
}

BOOST_FIXTURE_TEST_CASE(invariance_looks_at_the_column_that_differs, Folder) {
  // Neither the first column nor the last.
  const Outcome text = assay("invariance gemm --k 16 --n 5 --vary m=3,4" + from("column"));
  BOOST_TEST(text.exit_code == 1, text.out + text.err);
  for (const char* const said : {"column 1: 0x", "columns 0, 1, 4, at m=3", "columns 0, 4: that of class 1",
                                 "column 1, at m=4:", "step 4"})
    BOOST_TEST(holds(text.out, said), said << " in " << text.out);
}

BOOST_FIXTURE_TEST_CASE(a_saved_arithmetic_is_refused_where_it_knows_nothing, Folder) {
  for (const char* const probe : {"dot --k 8,40 --out dots.json", "dot --k 16 --out dot.json",
                                  "sum --k 16 --out sum.json", "gemm --m 4 --n 3 --k 16 --out column.json"}) {
    const std::string program = std::string(probe).starts_with("gemm") ? "column" : "lanes4_f32";
    BOOST_TEST(assay("probe --results 50 " + std::string(probe) + from(program)).exit_code == 0, probe);
  }
  write("a.npy", normal(formats::float32, {4, 16}, 1));
  write("b.npy", normal(formats::float32, {4, 16}, 2));
  write("right.npy", normal(formats::float32, {16, 4}, 2));
  write("d.npy", normal(formats::float32, {4}, 3));
  write("square.npy", normal(formats::float32, {4, 4}, 3));
  const auto refused = [&](const std::string& arguments, std::string_view says) {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments + ": " + outcome.out + outcome.err);
    BOOST_TEST(holds(outcome.err, says), outcome.err);
  };
  const std::string rows = " --a a.npy --b b.npy", dot = rows + " --got d.npy";
  const std::string gemm = " --a a.npy --b right.npy --got square.npy";
  // Another length, named with those that are known.
  refused("check dot --unit dots.json" + dot, "sums of 8 or 40 terms");
  refused("explain dot --also dots.json" + dot, "sums of 8 or 40 terms");
  refused("distinguish dots.json dot.json", "dots.json was revealed for 8, 40, dot.json was revealed for 16");
  refused("distinguish dot.json chain_f32 --k 15", "dot.json was revealed for 16");
  BOOST_TEST(assay("distinguish dot.json chain_f32 --limit 2000").exit_code == 0);
  // A sum is no product.
  for (const std::string policy : {"bound", "bit-equal"})
    refused("check dot --unit sum.json" + dot + " --policy " + policy, "sums: it was revealed for them");
  refused("dot --unit sum.json --out x.npy" + rows, "sums: it was revealed for them");
  refused("check gemm --unit sum.json" + gemm, "sums: it was revealed for them");
  refused("explain dot --also sum.json" + dot, "sums: it was revealed for them");
  refused("study dot --unit sum.json --n 16", "sums: it was revealed for them");
  refused("distinguish sum.json chain_f32", "revealed for sums");
  BOOST_TEST(assay("study sum --unit sum.json --n 16").exit_code == 0);
  // Places decide which tree an output has: another shape, or no matrix at all.
  const std::string_view places =
      "a product of 4 x 3 outputs, whose places decide which of 2 trees they have";
  refused("check gemm --unit column.json" + gemm, places);
  refused("check dot --unit column.json" + dot, places);
  refused("explain gemm --also column.json" + gemm, places);
  refused("dot --unit column.json --out x.npy" + rows, places);
  refused("study dot --unit column.json --n 16", places);
  refused("distinguish column.json chain_f32", places);
}

BOOST_FIXTURE_TEST_CASE(progress_is_for_terminals, Folder) {
  // As if the work had taken two seconds.
  const std::string command = "probe dot --k 8 --results 50 --round 128" + from("chain_f32");
  const Outcome piped = assay(command);
  BOOST_TEST(piped.exit_code == 0, piped.out + piped.err);
  BOOST_TEST(piped.err.empty(), piped.err);
  // `script` takes one word, and the programs may lie in a folder with a blank.
  std::ofstream(path / "probe.sh") << "exec '" ASSAY_PROGRAM "' " << command << '\n';
  const Outcome terminal = shell::run(
      "cd '" + path.string() + "' && ASSAY_PROGRESS_AFTER=0 TERM=xterm script -qec 'sh probe.sh' /dev/null");
  BOOST_TEST(holds(terminal.out, " s  probe  "), terminal.out);
}

BOOST_FIXTURE_TEST_CASE(what_no_rule_explains_is_shown_in_json, Folder) {
  const Outcome part = assay("probe dot --k 8 --results 100 --json" + from("chain_f32 lone"));
  BOOST_TEST(part.exit_code == 1, part.out + part.err);
  const json found = json::parse(part.out).at("shapes").at(0).at("classes").at(0);
  BOOST_TEST(found.at("not_explained") == found.at("examples").size());
  const json& example = found.at("examples").at(0);
  BOOST_TEST(example.at("a").size() == 8u);
  BOOST_TEST(example.at("got") != example.at("predicted"));
}

BOOST_FIXTURE_TEST_CASE(bad_programs_and_words_are_said, Folder) {
  const auto ends = [&](const std::string& arguments, int code, std::string_view says) {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == code, arguments + ": " + outcome.out + outcome.err);
    BOOST_TEST(holds(outcome.out + outcome.err, says), outcome.out + outcome.err);
  };
  ends("probe dot --k 8 --seconds 0.5" + from("chain_f32 hang"), 1, "not done");
  ends("probe dot --k 8" + from("chain_f32 die"), 1, "no such device");
  ends("probe dot --k 8 --form text" + from("chain_f32 word"), 1, "no number");
  ends("probe dot --k 8" + from("chain_f32 huge"), 1, "more than");
  ends("probe dot --k 8" + from("chain_f32 change"), 1, "NOT PREDICTED");
  ends("probe dot --k 0" + from("chain_f32"), 2, "--k");
  ends("probe gemm --k 8 --m -1" + from("chain_f32"), 2, "--m");
  ends("probe dot --k 8 --seconds nan" + from("chain_f32"), 2, "--seconds");
  ends("probe dot --k 8 --runs 0" + from("chain_f32"), 2, "--runs");
  ends("probe dot --k 1:9:18446744073709551615,12 --results 5" + from("chain_f32"), 0, "k=12");
  ends("probe dot --out x.txt" + from("chain_f32 hang"), 2, "x.txt");
  ends("probe dot --svg nowhere/x.svg" + from("chain_f32 hang"), 2, "nowhere");
  ends("probe dto --k 8" + from("chain_f32"), 2, "dot");
  ends("probe dot --k 8 --m 3" + from("chain_f32"), 2, "gemm");
  ends("probe dot --k 8 --alpha 2" + from("chain_f32"), 2, "gemm");
  ends("probe gemm --k 8 --alpha 0" + from("chain_f32"), 2, "alpha");
  ends("probe gemm --k 8 --alpha inf" + from("chain_f32"), 2, "alpha");
  ends("probe gemm --k 8 --alpha 1e-60" + from("chain_f32"), 2, "alpha");
  ends("probe gemm --k 8 --beta 2" + from("chain_f32"), 2, "--with-c");
  ends("probe gemm --k 8 --with-c --beta nan" + from("chain_f32"), 2, "beta");
  ends("probe sum --k 8 --offset 64" + from("chain_f32"), 2, "offset");
  ends(
      "probe sum --k 8 --form text --got-from 'while read h; do i=0; while [ $i -lt ${h##* } ]; do read a; "
      "echo "
      "0.125; i=$((i+1)); done; done'",
      1, "not found");
  ends("probe dot --k 8 --form morse" + from("chain_f32"), 2, "binary");
  ends("probe dot --k 8 -f f31" + from("chain_f32"), 2, "f32");
  ends("probe dot --k 64 --runs 50" + from("chain_f32"), 1, "more than 50 runs");
  ends("invariance gemm --k 8 --vary q=1" + from("chain_f32"), 2, "--vary");
  ends("invariance gemm --k 8 --vary row" + from("chain_f32"), 2, "two settings");
  ends("invariance gemm --k 8 --vary m=3,3" + from("chain_f32"), 2, "two settings");
  ends("invariance dot --k 8 --vary run=2" + from("chain_f32 change"), 1,
       "different answers in another case or process");
  ends("invariance dot --k 8 --vary run=2 --trials 3" + from("chain_f32 change"), 1,
       "run      yes, first at run=1");
  ends("invariance gemm --k 64 --vary m=3,4 --runs 40" + from("batch"), 1, "order of additions not found");
  ends("invariance gemm --k 64 --vary m=3,4 --runs 40" + from("chain_f32"), 1, "ERROR");
  ends("invariance gemm --k 8 --vary m=1,m=2" + from("chain_f32"), 2, "once");
  ends("invariance dot --k 8 --vary threads=1,5000" + from("chain_f32"), 2, "5000");
  ends("invariance dot --k 8 --vary offset=0,64" + from("chain_f32"), 2, "64");
  const std::string zeros = " --got-from 'while read h; do read a; read b; echo 0; done'";
  ends("invariance dot --k 8 --form text --vary run=2 --round 1" + zeros, 3, "VACUOUS");
  ends("invariance dot --k 8 --vary m=1:4" + from("chain_f32"), 2, "for gemm");
}
