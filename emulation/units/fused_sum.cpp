#include "emulation/units/unit.hpp"

namespace assay {

void add_fused_sum_units(ArithmeticRegistry&) {}

}  // namespace assay
