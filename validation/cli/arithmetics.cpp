#include "validation/cli/arithmetics.hpp"

#include "emulation/units/unit.hpp"
#include "reference/exact/chain.hpp"

namespace assay::cli {

const ArithmeticRegistry& arithmetics() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_chains(r);
    add_units(r);
    return r;
  }();
  return registry;
}

}  // namespace assay::cli
