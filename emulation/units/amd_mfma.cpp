#include "emulation/units/unit.hpp"

namespace assay {

void add_amd_mfma_units(ArithmeticRegistry&) {}

}  // namespace assay
