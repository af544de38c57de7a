#include "validation/judge/sum_order.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

namespace assay::judge {

SumTree parse_order(const std::string& typed) {
  std::vector<std::uint64_t> numbers;
  const std::size_t first = typed.find(':');
  for (std::size_t at = first; at != std::string::npos;) {
    const std::size_t end = std::min(typed.find(':', at + 1), typed.size());
    std::uint64_t number = 0;
    const char* const stop = typed.data() + end;
    const auto [read, status] = std::from_chars(typed.data() + at + 1, stop, number);
    if (status != std::errc{} || read != stop)
      throw InputError("--order", "", "a whole number after the colon", quoted(typed));
    numbers.push_back(number);
    at = end == typed.size() ? std::string::npos : end;
  }
  SumTree tree;
  const std::string_view kind = std::string_view(typed).substr(0, first);
  constexpr auto known =
      std::to_array<std::pair<std::string_view, SumOrder>>({{"any", SumOrder::any},
                                                            {"sequential", SumOrder::sequential},
                                                            {"pairwise", SumOrder::pairwise},
                                                            {"blocked", SumOrder::blocked}});
  const auto* const found =
      std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == kind; });
  if (found == known.end()) {
    std::vector<std::string> names;
    for (const auto& [name, order] : known) names.emplace_back(name);
    throw unknown_name("--order", "a known name", kind, names);
  }
  tree.order = found->second;
  const std::size_t most = tree.order == SumOrder::blocked ? 2 : tree.order == SumOrder::pairwise ? 1 : 0;
  const bool lanes_missing = tree.order == SumOrder::blocked && numbers.empty();
  if (numbers.size() > most || lanes_missing || (!numbers.empty() && numbers[0] == 0)) {
    throw InputError("--order", "", "any, sequential, pairwise[:BASE] or blocked:LANES[:PANEL]",
                     quoted(typed));
  }
  if (tree.order == SumOrder::pairwise && !numbers.empty()) tree.base = numbers[0];
  if (tree.order == SumOrder::blocked) {
    tree.lanes = numbers[0];
    if (numbers.size() > 1) tree.panel = numbers[1];
  }
  return tree;
}

}  // namespace assay::judge
