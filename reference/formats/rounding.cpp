#include "reference/formats/rounding.hpp"

#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

namespace assay {
namespace {

struct Names {
  Rounding mode;
  std::string_view name, alias;
};

constexpr auto names = std::to_array<Names>({
#define ROUNDING(enumerator, name, alias) {Rounding::enumerator, name, alias},
#include "reference/formats/roundings.def"
#undef ROUNDING
});

}  // namespace

std::string_view rounding_name(Rounding mode) { return names[static_cast<std::size_t>(mode)].name; }
std::string_view rounding_alias(Rounding mode) { return names[static_cast<std::size_t>(mode)].alias; }

Rounding parse_rounding(std::string_view name) {
  std::vector<std::string> known;
  for (const Names& n : names) {
    if (name == n.name || name == n.alias) return n.mode;
    known.emplace_back(n.name);
    known.emplace_back(n.alias);
  }
  throw unknown_name("rounding", "a known name", name, known);
}

}  // namespace assay
