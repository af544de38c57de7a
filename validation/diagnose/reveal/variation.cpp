#include "validation/diagnose/reveal/variation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <sstream>
#include <utility>

#include "reference/core/error.hpp"

namespace assay::diagnose {
namespace {

std::vector<std::string> things(const std::string& typed) {
  std::vector<std::string> words;
  std::istringstream in(typed);
  for (std::string word; std::getline(in, word, ',');) {
    if (!words.empty() && !word.empty() && word[0] >= '0' && word[0] <= '9') {
      words.back() += ',' + word;
    } else {
      words.push_back(word);
    }
  }
  return words;
}

std::vector<int> no_larger(const std::string& what, const std::vector<std::size_t>& numbers,
                           std::size_t least, std::size_t most) {
  std::vector<int> all;
  for (const std::size_t x : numbers) {
    if (x > most)
      throw UsageError(fmt::format("{} requires numbers of {} to {}, not {}", what, least, most, x));
    all.push_back(static_cast<int>(x));
  }
  return all;
}

}  // namespace

std::vector<std::size_t> parse_numbers(std::string_view option, const std::string& typed, std::size_t least) {
  constexpr std::size_t most = 100000;
  const auto refuse = [&] {
    throw UsageError(fmt::format("{} requires numbers of {} and more, as 64, 8,33,64, 1:16 or 1:64:8, not {}",
                                 option, least, quoted(typed)));
  };
  std::vector<std::size_t> list;
  const char* at = typed.data();
  const char* const end = at + typed.size();
  const auto number = [&] {
    std::size_t x = 0;
    const auto [read, status] = std::from_chars(at, end, x);
    if (status != std::errc{} || x < least) refuse();
    at = read;
    return x;
  };
  while (true) {
    const std::size_t first = number();
    std::size_t last = first, step = 1;
    if (at != end && *at == ':') {
      ++at;
      last = number();
      if (at != end && *at == ':') {
        ++at;
        step = number();
      }
    }
    if (last < first || (last - first) / step >= most) refuse();
    for (std::size_t i = 0; i <= (last - first) / step; ++i) list.push_back(first + i * step);
    if (list.size() > most) refuse();
    if (at == end) return list;
    if (*at++ != ',') refuse();
  }
}

Variation parse_variation(std::string_view option, const std::string& typed, int threads_here) {
  Variation v;
  std::set<std::string> names;
  for (const std::string& word : things(typed)) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals), what = std::string(option) + ' ' + name;
    const bool has = equals != std::string::npos;
    if (!names.insert(name).second)
      throw UsageError(fmt::format("{} requires each thing once, not {}", option, quoted(typed)));
    const auto values = [&] { return parse_numbers(what, word.substr(equals + 1)); };
    if (name == "m" && has) {
      v.m = values();
    } else if (name == "n" && has) {
      v.n = values();
    } else if (name == "row" && !has) {
      v.row = true;
    } else if (name == "threads") {
      v.threads = has ? no_larger(what, values(), 1, 4096) : std::vector{1, std::max(2, threads_here)};
    } else if (name == "offset") {
      v.offset =
          no_larger(what, parse_numbers(what, has ? word.substr(equals + 1) : "0,4,8,16,32", 0), 0, 63);
    } else if (name == "run") {
      v.runs = has ? values().front() : 3;
    } else {
      throw UsageError(
          fmt::format("{} takes m=NUMBERS, n=NUMBERS, row, threads[=NUMBERS], offset[=NUMBERS] and run[=HOW "
                      "OFTEN], not {}",
                      option, quoted(word)));
    }
  }
  return v;
}

ProgramInvariance program_invariance(const Problem& problem, ProgramOptions asked, const Variation& variation,
                                     RevealOptions options, std::size_t trials, std::size_t most_trees) {
  asked.watch_threads = variation.threads.size() > 1;
  Program program(std::move(asked));
  options.restart = [&program] { program.restart(); };
  ProgramInvariance all;
  const Target watched = [&](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers = program.ask(p, cases);
    ThreadsSeen& seen = all.threads_seen[p.threads];
    const ThreadsSeen now = program.threads_seen();
    seen.most = std::max(seen.most, now.most);
    seen.ended = seen.ended || now.ended;
    return answers;
  };
  all.found = invariance(problem, variation.threads.size() > 1 ? watched : program.target(), variation,
                         options, trials, most_trees);
  return all;
}

}  // namespace assay::diagnose
