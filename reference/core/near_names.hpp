// Known names that are close to a mistyped one, for the error message.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/printable.hpp"

namespace assay {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; letters of either case are
// equal. (Optimal string alignment: what is swapped is not edited again.)
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  // Rows i-2, i-1 and i of the table of prefixes.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same(a[i - 1], b[j - 1]) ? 0U : 1U)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

// At most `most` of `known`, nearest first. Near is a distance of two or of a third of the name, or that one name
// contains the other ("e4m3" for "float8_e4m3fn"), which ranks as a distance of one.
inline std::vector<std::string> near_names(std::string_view wanted, const std::vector<std::string>& known,
                                           std::size_t most = 3) {
  const std::size_t limit = std::max<std::size_t>(2, wanted.size() / 3);
  std::vector<std::pair<std::size_t, const std::string*>> found;
  for (const std::string& name : known) {
    std::size_t distance = edit_distance(wanted, name);
    const bool contained = wanted.size() >= 2 && name.size() >= 2 &&
                           (name.find(wanted) != std::string::npos || wanted.find(name) != std::string::npos);
    if (contained) distance = std::min<std::size_t>(distance, 1);
    // A name of which every letter must change is not near, however short.
    if (distance <= limit && distance < std::max(wanted.size(), name.size()))
      found.emplace_back(distance, &name);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<std::string> names;
  for (const auto& [distance, name] : found) {
    if (names.size() < most) names.push_back(*name);
  }
  return names;
}

// A mistyped name, quoted, with names of `known` that are near, or all if there are few: ""gem"; near names: gemm".
inline std::string with_near_names(std::string_view wanted, const std::vector<std::string>& known) {
  constexpr std::size_t few = 16;
  std::vector<std::string> shown = near_names(wanted, known);
  std::string label = "; near names: ";
  if (shown.empty() && known.size() <= few) {
    shown = known;
    label = "; known: ";
  }
  std::string text = quoted(wanted);
  for (const std::string& name : shown) {
    text += label + printable(name);
    label = ", ";
  }
  return text;
}

// What to throw when a person typed a name that is not in `known`. `where` is the option, argument or command
// ("--suite", "check"; empty for the name of a command itself), `kind` what the name should be ("a suite").
inline InputError unknown_name(std::string_view where, std::string_view kind, std::string_view wanted,
                               const std::vector<std::string>& known) {
  return InputError::of_option(std::string(where), std::string(kind), with_near_names(wanted, known));
}

}  // namespace assay
