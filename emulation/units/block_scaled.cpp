#include "emulation/units/unit.hpp"

namespace assay {

void add_block_scaled_units(ArithmeticRegistry&) {}

}  // namespace assay
