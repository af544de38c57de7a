#include "validation/report/invariance_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

#include "validation/report/trace_report.hpp"
#include "validation/report/tree_picture.hpp"

namespace assay {
namespace {

using namespace diagnose;

std::string count_text(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : what.ends_with("s") ? "es" : "s");
}

bool was_varied(const Invariance& r, std::string_view axis) {
  return std::any_of(r.dependences.begin(), r.dependences.end(),
                     [&](const Dependence& d) { return d.on == axis; });
}

// What tells settings apart: the run only where it matters.
bool is_told(const Invariance& r, std::string_view axis) {
  return std::any_of(r.dependences.begin(), r.dependences.end(), [&](const Dependence& d) {
    return d.on == axis && (axis != "run" || d.first || r.dependences.size() == 1);
  });
}

// The problem without the words that a setting says.
std::string problem_text(const Invariance& r) {
  std::istringstream in(to_string(r.problem));
  std::string text;
  for (std::string word; in >> word;) {
    if (!was_varied(r, word.substr(0, word.find('=')))) text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// "1:16", "1:40:3", "4,9": as --vary takes them.
std::string numbers_text(const std::vector<std::size_t>& list) {
  std::string text;
  for (std::size_t i = 0; i < list.size();) {
    std::size_t last = i;
    const std::size_t step = i + 1 < list.size() && list[i + 1] > list[i] ? list[i + 1] - list[i] : 0;
    while (step > 0 && last + 1 < list.size() && list[last + 1] == list[last] + step) ++last;
    if (last < i + 2) last = i;
    text += fmt::format("{}{}", i == 0 ? "" : ",", list[i]);
    if (last > i) text += fmt::format(":{}{}", list[last], step == 1 ? "" : fmt::format(":{}", step));
    i = last + 1;
  }
  return text;
}

// What a line of settings says of all that can be varied.
struct Line {
  static constexpr auto& names = diagnose::axes;
  std::array<std::string, names.size()> text{};
  diagnose::Coordinates value{};
};

// Alike for every number of rows.
std::string row_word(const Setting& s) {
  constexpr const char* begin[] = {"first", "second", "third", "fourth"};
  if (s.row > 0 && s.row + 1 == s.m) return "last";
  if (s.row < std::size(begin)) return begin[s.row];
  return s.row + 2 == s.m ? "last but one" : "middle";
}

Line line_of(const Setting& s) {
  Line line;
  line.value = coordinates(s);
  for (std::size_t i = 0; i < line.text.size(); ++i) line.text[i] = std::to_string(line.value[i]);
  line.text[2] = row_word(s);
  return line;
}

// Lines that are alike but for one thing become one.
std::vector<Line> merged(const std::vector<Line>& lines, std::size_t thing) {
  std::vector<std::vector<Line>> alike;
  std::map<std::array<std::string, Line::names.size()>, std::size_t> known;
  for (const Line& line : lines) {
    std::array<std::string, Line::names.size()> others = line.text;
    others[thing].clear();
    const auto [at, fresh] = known.try_emplace(others, alike.size());
    if (fresh) alike.emplace_back();
    alike[at->second].push_back(line);
  }
  std::vector<Line> result;
  for (const std::vector<Line>& group : alike) {
    Line line = group.front();
    std::vector<std::size_t> values;
    std::string words;
    for (const Line& one : group) {
      values.push_back(one.value[thing]);
      words += (words.empty() ? "" : ",") + one.text[thing];
    }
    line.text[thing] = Line::names[thing] == "row" ? words : numbers_text(values);
    result.push_back(std::move(line));
  }
  return result;
}

std::string members_text(const Invariance& r, int which) {
  std::vector<Line> lines;
  for (const Setting& s : r.settings) {
    if (s.by_bits == which) lines.push_back(line_of(s));
  }
  for (std::size_t thing = 0; thing < Line::names.size(); ++thing) lines = merged(lines, thing);
  std::string text;
  for (const Line& line : lines) {
    text += "   ";
    for (std::size_t i = 0; i < Line::names.size(); ++i) {
      if (is_told(r, Line::names[i])) text += fmt::format(" {}={}", Line::names[i], line.text[i]);
    }
    text += '\n';
  }
  return text;
}

std::string difference_text(const Invariance& r, const Difference& d) {
  const FormatSpec& f = r.problem.output;
  const std::string place =
      r.problem.operation == SumOperation::gemm ? fmt::format("column {}", d.column) : "the first";
  return fmt::format("{} of {} differ; {}: {} = {}, was {} = {}", d.results, count_text(d.of, "result"),
                     place, code_text(d.got, f), value_text(d.got, f), code_text(d.was, f),
                     value_text(d.was, f));
}

std::string dependences_text(const Invariance& r) {
  constexpr std::size_t width = 9;  // of "threads" and a gap
  std::string text = "\n  Do the row's bits depend on\n";
  for (const Dependence& d : r.dependences) {
    text += fmt::format("    {:{}}{}", d.on, width, d.first ? "" : "no\n");
    if (!d.first) continue;
    text += fmt::format("yes, first at {} (against {}):\n{:{}}{}\n", setting_text(r, d.first->setting),
                        setting_text(r, d.first->against), "", width + 4, difference_text(r, *d.first));
  }
  return text;
}

// Where threads ended there was at least one more than the first, and more may have been there at once than were met.
std::string threads_text(const InvarianceQuestion& q, const Invariance& r) {
  std::string text;
  bool reached = false, ended = false;
  const auto least = [](const ThreadsSeen& seen) {
    return seen.ended ? std::max<std::size_t>(seen.most, 2) : seen.most;
  };
  for (const auto& [asked, seen] : q.threads_seen) {
    if (seen.most == 0) return "";
    text += fmt::format("{}{}{} when {} requested", text.empty() ? "" : ", ", least(seen),
                        seen.ended ? " or more" : "", asked == 1 ? "1 was" : fmt::format("{} were", asked));
    const ThreadsSeen& first = q.threads_seen.begin()->second;
    reached = reached || seen.most != first.most || seen.ended != first.ended;
    ended = ended || seen.ended;
  }
  if (text.empty()) return "";
  text = "  threads of the program: " + text + '\n';
  if (ended)
    text +=
        "  \"or more\": threads ended within a call or before it; how many there were at once is not known\n";
  const bool told = std::any_of(r.dependences.begin(), r.dependences.end(),
                                [](const Dependence& d) { return d.on == "threads" && d.first; });
  if (reached || told || q.threads_seen.size() < 2) return text;
  return text + (ended ? "  whether the requested number reached the program is not known\n"
                       : "  so the number did not reach the program, or the program does not use it: no "
                         "proof for other numbers\n");
}

std::string notes_text(const InvarianceQuestion& q, const Invariance& r) {
  std::string text = threads_text(q, r);
  if (is_vacuous(r)) text += "  every random row has the same answer, or NaN: equal bits prove nothing\n";
  if (r.by_tree) {
    text += fmt::format(
        "  all gave the same bits, but {} uses a different order of additions than {}: other rows will "
        "differ\n",
        setting_text(r, r.first_change), setting_text(r, 0));
  }
  if (!r.repeats)
    text +=
        "  equal inputs had different answers in another case or process: all differences may come from "
        "that\n";
  return text;
}

// "column 3", "columns 0, 31".
std::string columns_text(const std::vector<std::size_t>& columns) {
  return fmt::format("column{} {}", columns.size() == 1 ? "" : "s", fmt::join(columns, ", "));
}

std::string indented(const std::string& text, std::size_t by) {
  std::string out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out += std::string(by, ' ') + line + '\n';
  return out;
}

// An earlier class that has this order, and in which columns.
std::string known_order(const Invariance& r, std::size_t which, const std::string& order) {
  for (std::size_t i = 0; i < which; ++i) {
    const std::vector<std::string>& orders = r.classes[i].orders;
    if (std::find(orders.begin(), orders.end(), order) == orders.end()) continue;
    std::vector<std::size_t> columns;
    for (std::size_t c = 0; c < orders.size(); ++c) {
      if (orders[c] == order) columns.push_back(r.columns[c]);
    }
    return fmt::format("that of class {}{}", i + 1,
                       columns.size() == orders.size() ? "" : ", " + columns_text(columns));
  }
  return "";
}

std::string orders_text(const InvarianceQuestion& q, const Invariance& r, std::size_t which) {
  const BitClass& c = r.classes[which];
  if (!c.looked_at) return "    order of additions not looked at (--trees)\n";
  std::string text = c.why_not.empty() ? "" : "    order of additions not found: " + c.why_not + '\n';
  std::vector<std::string> told;
  for (std::size_t first = 0; first < c.orders.size(); ++first) {
    const std::string& order = c.orders[first];
    if (order.empty() || std::find(told.begin(), told.end(), order) != told.end()) continue;
    told.push_back(order);
    std::vector<std::size_t> columns;
    for (std::size_t at = first; at < c.orders.size(); ++at) {
      if (c.orders[at] == order) columns.push_back(r.columns[at]);
    }
    text += "    order of additions";
    if (r.problem.operation == SumOperation::gemm) text += " in " + columns_text(columns);
    const std::string known = known_order(r, which, order);
    text += known.empty() ? fmt::format(", at {}:\n", setting_text(r, c.first)) : ": " + known + '\n';
    if (known.empty())
      text += indented(draw_text(c.trees[first], {.rules = false, .most_lines = q.lines}), 6);
  }
  for (std::size_t i = 0; i < which && !told.empty(); ++i) {
    if (r.classes[i].orders != c.orders || !c.why_not.empty()) continue;
    text += fmt::format(
        "    the bits differ from class {}: terms or additions are rounded differently, or another\n"
        "    column has a different order (`assay probe gemm` looks at all of them)\n",
        i + 1);
  }
  return text;
}

}  // namespace

bool is_vacuous(const Invariance& r) { return r.invariant && !r.answers_vary; }

std::string setting_text(const Invariance& r, std::size_t setting) {
  const Line line = line_of(r.settings[setting]);
  std::string text;
  for (std::size_t i = 0; i < Line::names.size(); ++i) {
    if (is_told(r, Line::names[i]))
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", Line::names[i], line.value[i]);
  }
  return text;
}

std::string invariance_text(const InvarianceQuestion& q, const Invariance& r) {
  const char* const verdict = is_vacuous(r) ? "VACUOUS" : r.invariant ? "INVARIANT" : "NOT INVARIANT";
  std::string text = fmt::format("{}  {}, varied: {}\n", verdict, problem_text(r), q.varied);
  text += fmt::format("  one row in {}, {}: {} of equal bits; {}\n", count_text(r.settings.size(), "setting"),
                      count_text(r.trials, "random row"),
                      count_text(r.classes.size() - (r.by_tree ? 1 : 0), "class"), count_text(r.runs, "run"));
  text += notes_text(q, r) + dependences_text(r);
  for (std::size_t i = 0; i < r.classes.size(); ++i) {
    text += fmt::format("\n  class {}: {}\n{}", i + 1, count_text(r.classes[i].settings, "setting"),
                        members_text(r, static_cast<int>(i)));
    text += orders_text(q, r, i);
  }
  return text;
}

}  // namespace assay
