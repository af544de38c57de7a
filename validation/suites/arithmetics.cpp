#include "validation/suites/arithmetics.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"
#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/exact/chain.hpp"
#include "validation/judge/saved_arithmetic.hpp"

namespace assay {

const ArithmeticRegistry& arithmetics() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_chains(r);
    add_units(r);
    return r;
  }();
  return registry;
}

std::shared_ptr<const Arithmetic> load_arithmetic(const std::string& name_or_file, std::string_view where) {
  // Those of the registry live as long as the program.
  if (!name_or_file.ends_with(".json")) {
    if (const Arithmetic* const known = arithmetics().lookup(name_or_file))
      return {std::shared_ptr<void>(), known};
    std::vector<std::string> names;
    for (const Arithmetic* one : arithmetics().list()) names.push_back(one->info().name);
    const bool near = !near_names(name_or_file, names).empty();
    const InputError e = unknown_name(where, "an arithmetic", name_or_file, names);
    throw InputError::of_option(
        e.path(), near ? e.expected() : e.expected() + " (`assay list arithmetics` shows all)", e.found());
  }
  try {
    return judge::make_revealed(judge::load(name_or_file));
  } catch (const ContractError& e) {
    throw InputError(name_or_file, "", "a saved arithmetic", e.what());
  }
}

const Arithmetic& find_arithmetic(const std::string& name_or_file, std::string_view where) {
  static std::map<std::string, std::shared_ptr<const Arithmetic>> loaded;
  std::shared_ptr<const Arithmetic>& slot = loaded[name_or_file];
  if (slot == nullptr) slot = load_arithmetic(name_or_file, where);
  return *slot;
}

MatrixPlaces places_of(std::string_view operation, const operations::Shape& shape) {
  if (operation != "gemm" || shape.size() != 2) return std::nullopt;
  return std::pair(shape[0], shape[1]);
}

void check_places(const std::string& name, const Arithmetic& arithmetic, const MatrixPlaces& places) {
  const judge::SavedArithmetic* const saved = judge::saved_of(arithmetic);
  if (saved == nullptr) return;
  for (const auto& shape : saved->shapes) {
    const judge::Problem& p = shape.revelation.problem;
    const std::size_t trees = shape.revelation.classes.size();
    if (trees < 2 || places == std::pair(p.m, p.n)) continue;
    const std::string found = places ? fmt::format("{} x {}", places->first, places->second)
                                     : "sums that have no place in a matrix";
    throw InputError(
        name, "",
        fmt::format("a product of {} x {} outputs, whose places decide which of {} trees they have", p.m, p.n,
                    trees),
        found);
  }
}

}  // namespace assay
