// Handwritten-looking digits where no data set is at hand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference/core/idx.hpp"

namespace assay::spdnn {

// `count` images of 28 x 28 bytes: digits 0-9 in a seeded order, each drawn as strokes of a round pen under a random
// shift, scale, shear and pen width. Image i depends on (seed, i) alone.
IdxImages generate_digits(std::size_t count, std::uint64_t seed = 1);

}  // namespace assay::spdnn
