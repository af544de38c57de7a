// What a comparison looks like as text and as JSON.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "tests/validation/report/samples.hpp"
#include "validation/report/comparison_report.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/text_report.hpp"

using namespace assay;

namespace {

CaseRecord record_of(compare::Comparison c, std::string name) {
  CaseRecord record;
  record.name = std::move(name);
  record.result = judged(result_of(std::move(c)));
  return record;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

// The form is a contract: people and scripts read it.
BOOST_AUTO_TEST_CASE(a_failing_case_has_the_documented_form) {
  const CaseRecord record = record_of(samples::failing(), "spmm/csr_bf16_sm90 m=64 k=1024 n=33 seed=7");
  const std::string expected =
      "FAILED  spmm/csr_bf16_sm90 m=64 k=1024 n=33 seed=7          policy bound\n"
      "  2112 values: 2046 bit-equal, 66 differ, 64 outside the bound; NaN 0/0, Inf 0/0; zeros would pass "
      "0.0 %\n"
      "  worst [31,32] want 0x1.8ap+1 (0x4045) got 0x1.6p+1 (0x4030) 21 ulp  error/bound 37.2\n"
      "  would pass with atol 0.329 or rtol 0.107 or 21 ulp\n"
      "  where  64 of 64 in column 32 = last of n=33: tail of a 32-wide tile?\n"
      "  repro  assay run --case \"spmm/csr_bf16_sm90 m=64 k=1024 n=33 seed=7\"\n";
  BOOST_TEST(text_case({}, record, {}) == expected);
}

BOOST_AUTO_TEST_CASE(a_passing_case_says_what_it_proves_and_a_vacuous_one_why_nothing) {
  const std::string passed = text_case({}, record_of(samples::passing(), "x/y"), {});
  BOOST_TEST(passed.starts_with("PASSED  x/y"));
  BOOST_TEST(holds(passed, "zeros would pass 0.0 %"));
  BOOST_TEST(holds(passed, "error/bound 0."));
  BOOST_TEST(!holds(passed, "where"));
  const std::string vacuous = text_case({}, record_of(samples::vacuous(), "x/y"), {});
  BOOST_TEST(vacuous.starts_with("VACUOUS x/y"));
  BOOST_TEST(
      holds(vacuous, "why    the expected result is all zero; pass --expects-zero if that is intended"));
  BOOST_TEST(holds(vacuous, "zeros would pass 100.0 %"));
}

BOOST_AUTO_TEST_CASE(tolerances_are_printed_rounded_up) {
  compare::Comparison c = samples::failing();
  for (const double x :
       {0.1234000001, 0.32812, 1.0, 9.999, 123456.0, 1.001e-9, 0.99951, 1.7976e308, 0x1p-1074, 0x1.fp-1070}) {
    c.would_pass.atol = x;
    const std::string line = comparison_lines(c).at(2);
    const double printed =
        std::strtod(line.c_str() + line.find("atol ") + 5, nullptr);  // stod refuses subnormals
    BOOST_TEST(printed >= x, line);
    BOOST_TEST(printed <= x * 1.011 + 0x1p-1074, line);
  }
}

BOOST_AUTO_TEST_CASE(infinite_tolerances_are_words) {
  compare::Comparison c = samples::failing();
  c.would_pass.rtol = std::numeric_limits<double>::infinity();
  BOOST_TEST(holds(comparison_lines(c).at(2), "no rtol would: want is 0 where got is not"));
  c.class_mismatches = 3;
  BOOST_TEST(comparison_lines(c).at(2) ==
             "no tolerance would pass: 3 values are NaN or infinite on one side alone");
}

BOOST_AUTO_TEST_CASE(json_comes_back_as_it_went) {
  for (compare::Comparison c : {samples::failing(), samples::passing(), samples::vacuous()}) {
    c.would_pass.rtol = std::numeric_limits<double>::infinity();
    const std::string text = json_comparison(c);
    const compare::Comparison back = parse_comparison(text);
    BOOST_TEST(json_comparison(back) == text);
    BOOST_TEST(back.would_pass.rtol == c.would_pass.rtol);
    BOOST_TEST((back.ulps == c.ulps));
    BOOST_TEST((back.policy == c.policy));
    BOOST_TEST((back.scatter.counts == c.scatter.counts));
    BOOST_TEST((back.map.cells == c.map.cells));
    BOOST_TEST((back.format == c.format));
  }
}

BOOST_AUTO_TEST_CASE(a_value_stands_as_number_hex_and_bits) {
  const auto json = nlohmann::json::parse(json_comparison(samples::failing()));
  const auto& want = json.at("worst").at("want");
  BOOST_TEST(want.at("value").get<double>() == 3.078125);
  BOOST_TEST(want.at("hex") == "0x1.8ap+1");
  BOOST_TEST(want.at("bits") == "0x4045");
  BOOST_TEST(json.at("worst").at("index") == "[31,32]");
}

// A case goes from the process that runs it to the one that reports it as JSON.
BOOST_AUTO_TEST_CASE(a_case_carries_its_comparison) {
  const CaseRecord record = record_of(samples::failing(), "x/y n=1");
  const CaseRecord back = parse_json_case(json_case({}, record));
  BOOST_REQUIRE(back.result.comparison != nullptr);
  BOOST_TEST(text_case({}, back, {}) == text_case({}, record, {}));
  CaseRecord own = record;
  own.repro = "assay compare a.npy b.npy";
  BOOST_TEST(holds(text_case({}, own, {}), "  repro  assay compare a.npy b.npy\n"));
  BOOST_TEST(holds(json_case({}, own), "\"repro\":\"assay compare a.npy b.npy\""));
}

BOOST_AUTO_TEST_CASE(what_is_no_comparison_is_an_input_error) {
  for (const char* text : {"", "{}", "[]", "{\"verdict\":\"GOOD\"}"}) {
    BOOST_CHECK_THROW(parse_comparison(text), InputError);
  }
  auto json = nlohmann::json::parse(json_comparison(samples::failing()));
  json["map"]["rows"] = 1000000;
  BOOST_CHECK_THROW(parse_comparison(json.dump()), InputError);
  json = nlohmann::json::parse(json_comparison(samples::failing()));
  json["scatter"]["cells"] = {{5000, 5000, 1}};
  BOOST_CHECK_THROW(parse_comparison(json.dump()), InputError);
}
