#include "validation/judge/sum_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

namespace assay::judge {

SumOrder parse_order(std::string_view option, const std::string& typed) {
  std::vector<std::uint64_t> numbers;
  const std::size_t first = typed.find(':');
  for (std::size_t at = first; at != std::string::npos;) {
    const std::size_t end = std::min(typed.find(':', at + 1), typed.size());
    std::uint64_t number = 0;
    const char* const stop = typed.data() + end;
    const auto [read, status] = std::from_chars(typed.data() + at + 1, stop, number);
    if (status != std::errc{} || read != stop)
      throw UsageError(
          fmt::format("{} requires a whole number after each colon, not {}", option, quoted(typed)));
    numbers.push_back(number);
    at = end == typed.size() ? std::string::npos : end;
  }
  const std::string_view kind = std::string_view(typed).substr(0, first);
  constexpr auto known =
      std::to_array<std::pair<std::string_view, SumOrder>>({{"any", SumOrder::any()},
                                                            {"sequential", SumOrder::sequential()},
                                                            {"pairwise", SumOrder::pairwise()},
                                                            {"blocked", SumOrder::blocked(1)}});
  const auto* const found =
      std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == kind; });
  if (found == known.end()) {
    std::vector<std::string> names;
    for (const auto& [name, order] : known) names.emplace_back(name);
    throw unknown_name(std::string(option), "a known name", kind, names);
  }
  SumOrder order = found->second;
  const bool pairwise = kind == "pairwise", blocked = kind == "blocked";
  const std::size_t most = blocked ? 2 : pairwise ? 1 : 0;
  const bool lanes_missing = blocked && numbers.empty();
  if (numbers.size() > most || lanes_missing || (!numbers.empty() && numbers[0] == 0)) {
    throw UsageError(
        fmt::format("{} requires any, sequential, pairwise[:BASE] or blocked:LANES[:PANEL], not {}", option,
                    quoted(typed)));
  }
  if (pairwise && !numbers.empty()) order.base = numbers[0];
  if (blocked) {
    order.lanes = numbers[0];
    if (numbers.size() > 1) order.panel = numbers[1];
  }
  return order;
}

}  // namespace assay::judge
