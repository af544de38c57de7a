#include "validation/judge/revelation.hpp"

#include "reference/core/near_names.hpp"

namespace assay::judge {
namespace {

constexpr InputKind input_kinds[] = {InputKind::normal, InputKind::wide,    InputKind::tiny,
                                     InputKind::sparse, InputKind::zeros,   InputKind::integers,
                                     InputKind::deep,   InputKind::special, InputKind::threshold,
                                     InputKind::ties,   InputKind::top,     InputKind::patterned};

}  // namespace

std::size_t unexplained(const Revelation& r) {
  std::size_t count = 0;
  for (const OrderClass& c : r.classes) count += c.training_misses;
  return count;
}

std::string_view input_kind_name(InputKind kind) {
  switch (kind) {
    case InputKind::normal: return "normal";
    case InputKind::wide: return "wide";
    case InputKind::tiny: return "tiny";
    case InputKind::sparse: return "sparse";
    case InputKind::zeros: return "zeros";
    case InputKind::integers: return "integers";
    case InputKind::special: return "special";
    case InputKind::threshold: return "threshold";
    case InputKind::deep: return "deep";
    case InputKind::ties: return "ties";
    case InputKind::top: return "top";
    case InputKind::patterned: return "patterned";
  }
  return "?";
}

InputKind parse_input_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const InputKind kind : input_kinds) {
    if (input_kind_name(kind) == name) return kind;
    names.emplace_back(input_kind_name(kind));
  }
  throw unknown_name("--values", "a kind of inputs", name, names);
}

bool all_predicted(const PredictionScore& s) {
  return s.results > 0 && s.wrong == 0 && s.without_tree == 0 && s.changed == 0;
}
bool all_explained(const Revelation& r, const PredictionScore& s) {
  return all_predicted(s) && unexplained(r) == 0;
}

}  // namespace assay::judge
