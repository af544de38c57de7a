#include "emulation/units/unit.hpp"

namespace assay {

void add_units(ArithmeticRegistry& registry) {
  add_fma_chain_units(registry);
  add_fused_sum_units(registry);
  add_block_scaled_units(registry);
  add_amd_mfma_units(registry);
  add_arm_bfdot_units(registry);
}

}  // namespace assay
