// `assay help` and `assay completion bash`: the script is loaded into a bash, which is asked what it offers for a line.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/validation/cli/files.hpp"
#include "tests/validation/shell.hpp"

using assay::cli_test::Folder;
using assay::cli_test::holds;
using assay::shell::Outcome;
using nlohmann::json;

namespace {

Outcome assay_with(const std::string& arguments) {
  return assay::shell::run(std::string("exec '") + ASSAY_PROGRAM + "' " + arguments);
}

using Offers = std::set<std::string>;

// What bash offers for each line, whose last word is being typed; "assay check " has an empty one.
std::vector<Offers> offers(const std::vector<std::string>& lines) {
  const Folder folder;
  BOOST_TEST_REQUIRE(folder.assay("completion bash > script").exit_code == 0);
  std::ofstream program(folder.path / "program");
  program
      << "set -u\nsource ./script\nCOMP_WORDBREAKS=' \t\n=:'\n"
         "ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _assay; echo \"offers ${COMPREPLY[*]-}\"; }\n";
  for (const std::string& line : lines) {
    std::istringstream words(line);
    program << "ask";
    for (std::string word; words >> word;) program << " '" << word << "'";
    program << (line.ends_with(' ') ? " ''\n" : "\n");
  }
  program.close();
  const Outcome outcome = assay::shell::run("cd " + folder.path.string() + " && bash program");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  BOOST_TEST(outcome.err.empty(), outcome.err);
  std::vector<Offers> all;
  std::istringstream out(outcome.out);
  for (std::string line; std::getline(out, line);) {
    std::istringstream words(line.substr(7));
    Offers& offered = all.emplace_back();
    for (std::string word; words >> word;) offered.insert(word);
  }
  BOOST_TEST_REQUIRE(all.size() == lines.size());
  return all;
}

Offers offers(const std::string& line) { return offers(std::vector{line}).front(); }

Offers names(const std::string& family) {
  Offers all;
  for (const json& member : json::parse(assay_with("list " + family + " --json").out)) {
    all.insert(member.at("name").get<std::string>());
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(help_is_what_the_option_shows) {
  BOOST_TEST(assay_with("help").out == assay_with("--help").out);
  BOOST_TEST(assay_with("help check").out == assay_with("check --help").out);
  BOOST_TEST(assay_with("help spdnn generate").out == assay_with("spdnn generate --help").out);
  BOOST_TEST(assay_with("help help").out == assay_with("help --help").out);
  BOOST_TEST(assay_with("help check").exit_code == 0);
  const Outcome unknown = assay_with("help chekc");
  BOOST_TEST(unknown.exit_code == 2);
  BOOST_TEST(holds(unknown.err, "check"), unknown.err);
  BOOST_TEST(assay_with("help check gemm").exit_code == 2);
}

BOOST_AUTO_TEST_CASE(commands_and_options_are_completed) {
  BOOST_TEST((offers("assay ch") == Offers{"check"}));
  BOOST_TEST((offers("assay ") == names("commands")));
  BOOST_TEST((offers("assay check gemm --un") == Offers{"--unit"}));
  BOOST_TEST((offers("assay check gemm --json --un") == Offers{"--unit"}));  // a flag takes no value
  BOOST_TEST((offers("assay spdnn gen") == Offers{"generate"}));
  BOOST_TEST((offers("assay spdnn --device ") == Offers{"cpu", "simt", "gpu"}));
  BOOST_TEST((offers("assay help compa") == Offers{"compare"}));
  BOOST_TEST((offers("assay --ver") == Offers{"--version"}));
  BOOST_TEST((offers("assay completion ") == Offers{"bash"}));
}

BOOST_AUTO_TEST_CASE(values_are_completed) {
  BOOST_TEST((offers("assay check con") == Offers{"conv", "convert"}));
  BOOST_TEST((offers("assay check auto") == Offers{"autosparse"}));
  BOOST_TEST((offers("assay check autosparse --got-d") ==
              Offers{"--got-ds", "--got-ds-dtype", "--got-ds-shape", "--got-dw", "--got-dw-dtype",
                     "--got-dw-shape", "--got-dx", "--got-dx-dtype", "--got-dx-shape"}));
  BOOST_TEST((offers("assay probe ") == Offers{"sum", "mean", "dot", "gemm"}));
  BOOST_TEST(offers("assay check gemm --unit sm90.bf").contains("sm90.bf16"));
  BOOST_TEST((offers("assay gemm --unit ") == names("arithmetics")));
  BOOST_TEST((offers("assay study bf16 --contract ") == names("arithmetics")));
  BOOST_TEST((offers("assay study bf16 ") == Offers{"autosparse", "sddmm", "spmm"}));
  BOOST_TEST((offers("assay study bf16 autosparse --unit ") == names("arithmetics")));
  BOOST_TEST((offers("assay study bf16 autosparse --rounding ") == names("roundings")));
  BOOST_TEST((offers("assay plan ") == Offers{"spmm"}));
  BOOST_TEST((offers("assay plan spmm --kernel f32_8_sc") == Offers{"f32_8_scalar"}));
  BOOST_TEST((offers("assay check gemm --unit = ") == names("arithmetics")));  // as bash splits --unit=
  BOOST_TEST((offers("assay gemm --unit sm90.f16 : ") == Offers{"f16"}));      // as bash splits sm90.f16:
  BOOST_TEST((offers("assay gemm --unit sm90.f16 : f") == Offers{"f16"}));
  BOOST_TEST((offers("assay gemm --unit sm90.f16:f16 --tra") == Offers{"--transpose-a", "--transpose-b"}));
  BOOST_TEST((offers("assay gemm --unit = sm90.bf16 --tra") == Offers{"--transpose-a", "--transpose-b"}));
  BOOST_TEST((offers("assay round -f ") == names("formats")));
  BOOST_TEST((offers("assay check gemm --b-format bfl") == Offers{"bfloat16"}));
  BOOST_TEST((offers("assay run --suite ") == names("suites")));
  BOOST_TEST((offers("assay round --policy ") == names("conversions")));
  BOOST_TEST(offers("assay check gemm --policy ").contains("bound"));
  BOOST_TEST((offers("assay compare a b --layout ") == Offers{"row", "column"}));
  BOOST_TEST((offers("assay distinguish sm80.bf16 sm90.bf") == Offers{"sm90.bf16"}));
}

// Where nothing is offered bash completes names of files.
BOOST_AUTO_TEST_CASE(files_are_left_to_bash) {
  BOOST_TEST(offers("assay check gemm --a ").empty());
  BOOST_TEST(offers("assay check gemm ").empty());
  BOOST_TEST(offers("assay compare ").empty());
  BOOST_TEST(offers("assay distinguish sm80.bf16 sm90.bf16 ").empty());
}

// The script is made from the parser: what --help names it offers, for every command.
BOOST_AUTO_TEST_CASE(every_option_of_every_command_is_offered) {
  std::vector<std::string> lines;
  std::vector<Offers> expected;
  for (const std::string& name : names("commands")) {
    lines.push_back("assay " + name + " --");
    std::istringstream help(assay_with(name + " --help").out);
    Offers& options = expected.emplace_back();
    for (std::string line; std::getline(help, line);) {
      const auto at = line.find("--");
      if (line.starts_with("  -") && at != std::string::npos) {
        options.insert(line.substr(at, line.find_first_of(" ,", at) - at));
      }
    }
  }
  const std::vector<Offers> found = offers(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) BOOST_TEST((found[i] == expected[i]), lines[i]);
}
