// `assay round`: what may be typed, what is printed, what is refused. Codes here are from the formats' own documents
// and by hand; that the rounding is right is the affair of tests/reference/formats.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/validation/shell.hpp"

using assay::shell::Outcome;
using nlohmann::json;

namespace {

Outcome round(const std::string& arguments, const std::string& input = "") {
  const std::string program = std::string("exec '") + ASSAY_PROGRAM + "' round " + arguments;
  return assay::shell::run(input.empty() ? program : input + " | { " + program + "; }");
}

std::vector<json> objects(const std::string& arguments, const std::string& input = "") {
  const Outcome outcome = round(arguments + " --json", input);
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  std::vector<json> all;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
  return all;
}

std::string code(const std::string& arguments) { return objects(arguments).at(0).at("code"); }

bool refuses(const std::string& arguments, std::string_view says, const std::string& input = "") {
  const Outcome outcome = round(arguments, input);
  const bool told = outcome.exit_code == 2 && outcome.err.find(says) != std::string::npos;
  if (!told) BOOST_TEST_MESSAGE(arguments << ": " << outcome.exit_code << " " << outcome.err);
  return told;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_way_of_typing_a_number) {
  const auto all = objects("-f bf16 1 -1.5 .5 1e-3 0x1.8p-3 -0x1p+0 inf -inf nan bits:0x3f80 -0");
  const std::vector<std::string> codes{"0x3f80", "0xbfc0", "0x3f00", "0x3a83", "0x3e40", "0xbf80",
                                       "0x7f80", "0xff80", "0x7fc0", "0x3f80", "0x8000"};
  BOOST_TEST_REQUIRE(all.size() == codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) BOOST_TEST(all[i].at("code") == codes[i], all[i].dump());
  BOOST_TEST(all[6].at("value") == "inf");
  BOOST_TEST(all[8].at("value") == "nan");
  // After "--" as before it: no value looks like an option of this command.
  BOOST_TEST(round("-f bf16 -- -1.5 -inf").out == round("-f bf16 -1.5 -inf").out);
}

BOOST_AUTO_TEST_CASE(a_tie_and_its_neighbours) {
  const json tie = objects("-f bf16 1.00390625").at(0);
  BOOST_TEST(tie.at("input") == "1.00390625");
  BOOST_TEST(tie.at("code") == "0x3f80");
  BOOST_TEST(tie.at("value") == 1.0);
  BOOST_TEST(tie.at("below") == 0.99609375);
  BOOST_TEST(tie.at("above") == 1.0078125);
  BOOST_TEST(tie.at("error_ulp") == -0.5);
  BOOST_TEST(code("-f bf16 -m RU 1.00390625") == "0x3f81");
  BOOST_TEST(code("-f bf16 -m nearest-away 1.00390625") == "0x3f81");
  BOOST_TEST(code("-f bf16 -m to-odd 1.00390625") == "0x3f81");
  BOOST_TEST(code("-f bf16 -m RZ 1.0078124999") == "0x3f80");
  // Rounded once from what was typed: by way of float64 this is the tie.
  BOOST_TEST(code("-f bf16 1.00390625000000000000000000001") == "0x3f81");
}

BOOST_AUTO_TEST_CASE(overflow_policies_and_random_bits) {
  BOOST_TEST(code("-f f16 65519") == "0x7bff");
  BOOST_TEST(code("-f f16 65520") == "0x7c00");
  BOOST_TEST(code("-f f8_e4m3 448") == "0x7e");
  BOOST_TEST(code("-f f8_e4m3 500") == "0x7f");
  BOOST_TEST(code("-f f8_e4m3 --overflow saturate 500") == "0x7e");
  BOOST_TEST(code("-f bf16 --policy intel bits:0x7f800001") == "0x7fc0");
  BOOST_TEST(code("-f bf16 --policy cuda bits:0x7f800001") == "0x7fff");
  BOOST_TEST(code("-f bf16 --policy intel bits:0x00400000") == "0x0000");  // VCVTNEPS2BF16 flushes
  BOOST_TEST(code("-f bf16 --subnormals flush-result 0x1p-127") == "0x0000");
  BOOST_TEST(code("-f custom:6,3,-1,ieee 1.25") == code("-f custom:6,3,-1,ieee 0x1.4p0"));
  // A tie goes up for half of the random numbers, and the same seed says the same again.
  const std::string many = "for i in $(seq 2000); do echo 1.00390625; done";
  const auto drawn = objects("-f bf16 -m stochastic --bits 8 --seed 7 -", many);
  BOOST_TEST((drawn == objects("-f bf16 -m stochastic --bits 8 --seed 7 -", many)));
  BOOST_TEST((drawn != objects("-f bf16 -m stochastic --bits 8 --seed 8 -", many)));
  std::size_t up = 0;
  for (const json& j : drawn) up += j.at("code") == "0x3f81" ? 1 : 0;
  BOOST_TEST(up > 850);
  BOOST_TEST(up < 1150);
}

BOOST_AUTO_TEST_CASE(a_line_each_from_stdin) {
  const auto all = objects("-f f32 -", "seq 1 20000");
  BOOST_TEST_REQUIRE(all.size() == 20000);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].at("value") != static_cast<double>(i + 1)) BOOST_ERROR(all[i].dump());
  }
}

BOOST_AUTO_TEST_CASE(input_that_cannot_be_read_is_not_its_end) {
  for (const char* input : {"< /", "<&-"}) {
    const Outcome outcome = round(std::string("-f bf16 - ") + input);
    BOOST_TEST(outcome.exit_code == 2, input);
    BOOST_TEST(outcome.err.find("stdin: after line 0: expected readable input") != std::string::npos,
               outcome.err);
  }
  BOOST_TEST(round("-f bf16 - < /dev/null").exit_code == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_meant_is_refused) {
  for (const char* seed : {"-1", "18446744073709551616", "12345678901234567890123", "1x", "1.5", "''"})
    BOOST_TEST(
        refuses(std::string("-f bf16 -m stochastic 1 --seed ") + seed, "--seed: takes a whole number"));
  BOOST_TEST(round("-f bf16 -m stochastic 1 --seed 18446744073709551615").exit_code == 0);
  BOOST_TEST(round("-f bf16 -m stochastic 1.001 --seed 010").out ==
             round("-f bf16 -m stochastic 1.001 --seed 10").out);
  BOOST_TEST(refuses("-f bf61 1", "bf16"));
  BOOST_TEST(refuses("-f bf16 -m nearst 1", "near"));
  BOOST_TEST(refuses("-f bf16 --policy inteel 1", "intel"));
  BOOST_TEST(refuses("-f bf16 1,5", "1,5"));
  BOOST_TEST(refuses("-f bf16 0x", "0x"));
  BOOST_TEST(refuses("-f bf16 bits:0x12345678901234567", "bits:"));
  BOOST_TEST(refuses("-f bf16", "VALUE"));
  BOOST_TEST(refuses("1", "--format"));
  BOOST_TEST(refuses("-f bf16 --bits 33 1", "33"));
  BOOST_TEST(refuses("-f bf16 --overflow wrap 1", "saturate"));
  BOOST_TEST(refuses("-f bf16 -- --foo", "--foo"));
  BOOST_TEST(refuses("-f bf16 -", "line 2", "printf '1\\nx\\n3\\n'"));
}

// A policy with one rounding has that one; a rounding that is typed and that it lacks is the mode's fault.
BOOST_AUTO_TEST_CASE(truncation_needs_no_mode) {
  const Outcome truncated = round("-f bf16 --policy truncate 0x1.ffp0 --json");
  BOOST_TEST(truncated.exit_code == 0, truncated.err);
  BOOST_TEST(json::parse(truncated.out).at("code") == "0x3fff");
  BOOST_TEST(round("-f bf16 --policy truncate -m RZ 0x1.ffp0 --json").out == truncated.out);
  BOOST_TEST(json::parse(round("-f bf16 --policy intel 0x1.ffp0 --json").out).at("code") == "0x4000");
  const Outcome refused = round("-f bf16 --policy truncate -m nearest-even 1.1");
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.err.find("--mode: truncate has no rounding nearest-even, only toward-zero") !=
                 std::string::npos,
             refused.err);
  const Outcome none = round("-f f16 --policy truncate 1.1");
  BOOST_TEST(none.err.find("--policy") != std::string::npos, none.err);
}
