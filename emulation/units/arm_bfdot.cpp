#include "emulation/units/unit.hpp"

namespace assay {

void add_arm_bfdot_units(ArithmeticRegistry&) {}

}  // namespace assay
