#include "emulation/units/unit.hpp"

namespace assay {

void add_fma_chain_units(ArithmeticRegistry&) {}

}  // namespace assay
