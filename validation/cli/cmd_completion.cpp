// assay completion: a script with which a shell completes commands, options and the names that options take. All of it
// comes from the parser and from the lists of `assay list`, so it cannot disagree with the command that printed it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "reference/sparse/spmm.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/registries.hpp"
#include "validation/compare/policy.hpp"

namespace assay::cli {
namespace {

using Words = std::vector<std::string>;

// Only words that a shell takes as they stand, unquoted and as one word of its line.
bool is_plain(std::string_view word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:+-";
  return !word.empty() && word.find_first_not_of(plain) == std::string_view::npos;
}

Words members_of(std::string_view registry) {
  Words words;
  for (const Registry& r : all_registries()) {
    if (r.name != registry) continue;
    for (const Member& member : r.members()) {
      for (const auto& [column, value] : member) {
        if (column == "name") words.push_back(std::get<std::string>(value.get()));
      }
    }
  }
  return words;
}

// The set of CLI::IsMember, which stands in the type's name: "TEXT:{row,column}".
Words choices(const std::string& type) {
  const auto begin = type.find('{'), end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  Words words{""};
  for (const char c : type.substr(begin + 1, end - begin - 1)) {
    if (c == ',') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// "gemm, spmm, dot or gemm" as words; nothing if anything else stands there.
Words listed(const std::string& description) {
  Words words;
  std::string word;
  for (const char c : description + ",") {
    if (c != ',' && c != ' ') {
      word += c;
    } else if (!word.empty()) {
      if (!is_plain(word)) return {};
      if (word != "or") words.push_back(word);
      word.clear();
    }
  }
  return words;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The family of `assay list` that the values of an option or position belong to, by its name.
std::string_view family_of(const CLI::App& app, const CLI::Option& option) {
  const std::string name = option.get_lnames().empty() ? option.get_name() : option.get_lnames().front();
  if (name == "format" || name.ends_with("-format") || is_one_of(name, {"acc", "product", "output"})) {
    return "formats";
  }
  if (is_one_of(name, {"mode", "rounding"})) return "roundings";
  if (is_one_of(name, {"unit", "contract"}) || is_one_of(app.get_name(), {"units", "distinguish"})) {
    return option.get_positional() || is_one_of(name, {"unit", "contract"}) ? "arithmetics" : "";
  }
  if (name == "suite") return "suites";
  if (name == "policy") return app.get_name() == "round" ? "conversions" : "policies";
  return "";
}

Words values_of(const CLI::App& app, const CLI::Option& option) {
  Words words = choices(option.get_type_name());
  if (words.empty()) {
    const std::string_view family = family_of(app, option);
    if (family == "policies") {
      for (const compare::Policy& policy : compare::default_policies()) words.push_back(policy.name);
      words.emplace_back("tolerance");
    } else if (!family.empty()) {
      words = members_of(family);
    } else if (app.get_name() == "plan" && option.check_lname("kernel")) {
      for (const sparse::SpmmKernel& kernel : sparse::spmm_kernels()) words.emplace_back(kernel.name);
    } else if (option.get_positional() && option.get_name() == "operation") {
      words = listed(option.get_description());
    } else if (option.get_positional() && app.get_name() == "list") {
      for (const Registry& r : all_registries()) words.emplace_back(r.name);
    } else if (option.get_positional() && app.get_name() == "help") {
      for (const Command& command : all_commands()) words.emplace_back(command.name);
    }
  }
  std::erase_if(words, [](const std::string& word) { return !is_plain(word); });
  return words;
}

// What may follow a command's name.
struct Place {
  std::string path;  // "assay spdnn generate"
  Words options, operands;
  std::size_t positions = 0;  // how many operands there may be
};

struct Grammar {
  std::vector<Place> places;
  std::map<Words, Words> values;  // values -> "assay check --unit" and other options that take them
  Words free;                     // options that take what is not known here: a file, a number
};

void add(const CLI::App& app, const std::string& path, Grammar& grammar) {
  Place place{.path = path, .options = {}, .operands = {}};
  for (const CLI::Option* option : app.get_options()) {
    const Words values = values_of(app, *option);
    if (option->get_positional()) {
      place.operands.insert(place.operands.end(), values.begin(), values.end());
      ++place.positions;
      continue;
    }
    Words names;
    for (const std::string& name : option->get_lnames()) place.options.push_back("--" + name);
    for (const std::string& name : option->get_lnames()) names.push_back(path + " --" + name);
    for (const std::string& name : option->get_snames()) names.push_back(path + " -" + name);
    if (option->get_expected_max() == 0) continue;  // a flag
    Words& takers = values.empty() ? grammar.free : grammar.values[values];
    takers.insert(takers.end(), names.begin(), names.end());
  }
  std::sort(place.operands.begin(), place.operands.end());
  place.operands.erase(std::unique(place.operands.begin(), place.operands.end()), place.operands.end());
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* sub : below) place.operands.push_back(sub->get_name());
  // A subcommand stands where the first operand would.
  if (!below.empty()) place.positions = std::max<std::size_t>(place.positions, 1);
  grammar.places.push_back(std::move(place));
  for (const CLI::App* sub : below) add(*sub, path + " " + sub->get_name(), grammar);
}

std::string alternatives(const Words& words) { return fmt::format("'{}'", fmt::join(words, "' | '")); }

std::string bash_script(const CLI::App& root) {
  Grammar grammar;
  add(root, root.get_name(), grammar);
  Words paths;
  std::string places, values;
  for (const Place& place : grammar.places) {
    paths.push_back(place.path);
    places += fmt::format("    '{}')\n      options='{}'\n      operands='{}' positions={} ;;\n", place.path,
                          fmt::join(place.options, " "), fmt::join(place.operands, " "), place.positions);
  }
  for (const auto& [words, takers] : grammar.values) {
    values += fmt::format("    {})\n      values='{}' ;;\n", alternatives(takers), fmt::join(words, " "));
  }
  return fmt::format(R"(# bash completion for assay, printed by `assay completion bash`.
# Where a file is meant nothing is offered, and bash completes names of files.
_assay() {{
  local word before path=assay options= operands= values= positions=0 i
  # bash splits sm90.f16:f16 at the colon and --unit=sm90 at the sign.
  local -a words=(assay)
  for ((i = 1; i <= COMP_CWORD; ++i)); do
    if [[ ${{COMP_WORDS[i]}} == : || ${{COMP_WORDS[i - 1]}} == : ]]; then
      words[-1]+=${{COMP_WORDS[i]}}
    elif [[ ${{COMP_WORDS[i]}} != = || $i == "$COMP_CWORD" ]]; then
      words+=("${{COMP_WORDS[i]}}")
    fi
  done
  word=${{words[-1]}} before=${{words[-2]-}}
  if [[ $word == = ]]; then word=; fi
  local last=$((${{#words[@]}} - 1))
  for ((i = 1; i < last; ++i)); do
    case "$path ${{words[i]}}" in
    {}) path+=" ${{words[i]}}" ;;
    *) break ;;
    esac
  done
  COMPREPLY=()
  case "$path $before" in
{}    {}) return ;;
  esac
  if [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$word"))
    # What stands before the last colon is on the line already.
    if [[ $word == *:* && ${{COMP_WORDBREAKS-}} == *:* ]]; then
      COMPREPLY=("${{COMPREPLY[@]#"${{word%"${{word##*:}}"}}"}}")
    fi
    return
  fi
  case $path in
{}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
    return
  fi
  for (( ; i < last; ++i)); do
    if [[ " $operands " == *" ${{words[i]}} "* ]]; then ((--positions)); fi
  done
  if ((positions > 0)); then COMPREPLY=($(compgen -W "$operands" -- "$word")); fi
}}
complete -o default -F _assay assay
)",
                     alternatives({paths.begin() + 1, paths.end()}), values, alternatives(grammar.free),
                     places);
}

}  // namespace

std::function<int()> make_completion(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "The shell: bash")->required()->check(CLI::IsMember({"bash"}));
  return [&app, shell] {  // the option writes into `shell`
    fmt::print("{}", bash_script(*app.get_parent()));
    return agree;
  };
}

}  // namespace assay::cli
