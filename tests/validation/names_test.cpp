// Names: those of cases there and back, those near to one that does not exist, and what a selection makes of them.
#include <boost/test/unit_test.hpp>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "tests/validation/selftest_suite.hpp"
#include "validation/suites/selection.hpp"

using namespace assay;
using namespace assay::suites;

namespace {

std::string input_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& e) {
    return e.what();
  }
  return "no InputError";
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::vector<SelectedCase> select(const Selection& selection, const RunContext& context = {}) {
  static const std::vector<Suite> suites = selftest::all_suites();
  return select_cases(suites, selection, context);
}

}  // namespace

BOOST_AUTO_TEST_CASE(edit_distances) {
  BOOST_TEST(edit_distance("", "") == 0U);
  BOOST_TEST(edit_distance("abc", "") == 3U);
  BOOST_TEST(edit_distance("", "abc") == 3U);
  BOOST_TEST(edit_distance("kitten", "sitting") == 3U);
  BOOST_TEST(edit_distance("bf61", "bf16") == 1U);  // a swap
  BOOST_TEST(edit_distance("RNE", "rne") == 0U);
  BOOST_TEST(edit_distance("formats", "format") == 1U);
}

BOOST_AUTO_TEST_CASE(near) {
  const std::vector<std::string> formats = {"bfloat16", "bf16", "float16", "f16", "float8_e4m3fn", "f8_e4m3"};
  const auto first = [&](std::string_view wanted) {
    const auto names = near_names(wanted, formats);
    return names.empty() ? std::string() : names.front();
  };
  BOOST_TEST(first("bf61") == "bf16");
  BOOST_TEST(first("e4m3") == "float8_e4m3fn");
  BOOST_TEST(first("float_16") == "float16");
  BOOST_TEST(first("BFLOAT16") == "bfloat16");
  BOOST_TEST(first("zzzzzzz").empty());
  BOOST_TEST(near_names("f16", formats, 2).size() == 2U);
  BOOST_TEST(near_names("x", {"ab", "q"}).empty());  // every letter would have to change
  BOOST_TEST(near_names("", formats).empty());
}

BOOST_AUTO_TEST_CASE(unknown_names_say_what_there_is) {
  BOOST_TEST(
      holds(unknown_name("--suite", "a suite", "spdn", {"formats", "spdnn"}).what(), "near names: spdnn"));
  BOOST_TEST(holds(unknown_name("--suite", "a suite", "zzzz", {"formats", "spdnn"}).what(),
                   "known: formats, spdnn"));
  BOOST_TEST(holds(unknown_name("--suite", "a suite", "z\nz", {}).what(), "\"z\\nz\""));
}

// What a person typed is no file: a sentence, with and without an option's name.
BOOST_AUTO_TEST_CASE(unknown_names_are_sentences) {
  const auto text = [](const InputError& e) { return std::string(e.what()); };
  const std::vector<std::string> known{"gemm", "dot"};
  BOOST_TEST(text(unknown_name("check", "an operation", "gem", known)) ==
             "check takes an operation, not \"gem\"; near names: gemm");
  BOOST_TEST(text(unknown_name("--mode", "an operation", "gem", known)) ==
             "--mode takes an operation, not \"gem\"; near names: gemm");
  BOOST_TEST(text(unknown_name("", "a command", "gem", known)) ==
             "expected a command, not \"gem\"; near names: gemm");
  BOOST_TEST(text(InputError("x.npy", "", "an array", "none")) == "x.npy: expected an array, found none");
}

BOOST_AUTO_TEST_CASE(case_names_there_and_back) {
  const Suite suite{"formats", "", nullptr};
  const Case c{"convert/f32_bf16_avx512", {{"policy", "intel"}, {"n", "1e6"}, {"seed", "1"}}, {}};
  const std::string name = case_name(suite, c);
  BOOST_TEST(name == "formats/convert/f32_bf16_avx512 policy=intel n=1e6 seed=1");
  const CaseNameParts parts = parse_case_name(name);
  BOOST_TEST(parts.suite == "formats");
  BOOST_TEST(parts.member == c.member);
  BOOST_TEST((parts.parameters == c.parameters));
  BOOST_TEST(parse_case_name("a/b").parameters.empty());
}

BOOST_AUTO_TEST_CASE(names_that_could_not_be_typed) {
  const Suite suite{"s", "", nullptr};
  for (const char* const bad : {"", "a b", "a\"b", "a$b", "a`b", "a\\b", "a!b", "a\nb", "\xC3\xA9"}) {
    BOOST_CHECK_THROW(case_name(suite, {bad, {}, {}}), ContractError);
    BOOST_CHECK_THROW(case_name(suite, {"m", {{"key", bad}}, {}}), ContractError);
    BOOST_CHECK_THROW(case_name(suite, {"m", {{bad, "value"}}, {}}), ContractError);
  }
}

BOOST_AUTO_TEST_CASE(names_that_are_none) {
  for (const char* const bad : {"", "noslash", "/member", "suite/", "suite/m x", "suite/m =1",
                                "suite/m k=", "suite/m  k=1", "suite/m k=1 "}) {
    BOOST_CHECK_THROW(parse_case_name(bad), InputError);
  }
}

BOOST_AUTO_TEST_CASE(every_case_is_found_by_its_name) {
  // At whatever scale and seed it was printed, whatever scale and seed are the default.
  int missed = 0;
  for (const Scale scale : {Scale::quick, Scale::standard, Scale::exhaustive}) {
    RunContext printed;
    printed.scale = scale;
    printed.seed = 18446744073709551615U;
    for (const SelectedCase& c : select({}, printed)) {
      const auto found = select({.case_name = c.name});
      const bool seeded = holds(c.name, "seed=");
      missed +=
          found.size() != 1 || found[0].name != c.name || (seeded && found[0].context.seed != printed.seed);
    }
  }
  BOOST_TEST(missed == 0);
}

BOOST_AUTO_TEST_CASE(selections) {
  BOOST_TEST(select({.suites = {"calm"}}).size() == 4U);
  BOOST_TEST(select({.suites = {"none"}}).empty());
  BOOST_TEST(select({.suites = {"calm"}, .filter = "*i=[12] *"}).size() == 2U);
  BOOST_TEST(select({.filter = "calm/*"}).size() == 4U);
}

BOOST_AUTO_TEST_CASE(unknown_selections) {
  BOOST_TEST(holds(input_error([] { select({.suites = {"clam"}}); }), "near names: calm"));
  BOOST_TEST(holds(input_error([] { select({.filter = "adds"}); }), "did you mean '*adds*'?"));
  BOOST_TEST(holds(input_error([] { select({.filter = "calm/adds i=0 sed=1"}); }), "calm/adds i=0 seed=1"));
  BOOST_TEST(holds(input_error([] { select({.case_name = "selftest/pases"}); }), "selftest/passes"));
  BOOST_TEST(
      holds(input_error([] { select({.case_name = "calm/adds i=9 seed=5"}); }), "calm/adds i=0 seed=5"));
  BOOST_TEST(
      holds(input_error([] { select({.case_name = "calm/adds i=0 seed=-1"}); }), "a number below 2^64"));
  BOOST_TEST(holds(input_error([] { select({.case_name = "clam/adds i=0"}); }), "near names: calm"));
  BOOST_TEST(holds(input_error([] { select({.case_name = "what"}); }), "suite/member"));
}

BOOST_AUTO_TEST_CASE(a_name_stands_for_one_case) {
  const Suite twice{"s", "", [](const RunContext&) {
                      return std::vector<Case>{{"m", {}, {}}, {"m", {}, {}}};
                    }};
  BOOST_CHECK_THROW(select_cases({&twice, 1}, {}, {}), ContractError);
}
