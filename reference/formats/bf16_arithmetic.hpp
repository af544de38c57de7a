// Correctly rounded arithmetic on bfloat16.
//
// Numerics
//   add, sub, mul, div   the float32 operation, then one rounding nearest-even: correctly rounded for every finite
//                        pair, as the exhaustive test proves (float32 has p = 24 >= 2 * 8 + 2, and the same emin, so
//                        only subnormal results need the proof by counting).
//   fma                  not so: product and sum are formed exactly, then rounded once.
//   NaN                  becomes bfloat16's one quiet NaN. Subnormals are kept; the host must not flush (MXCSR
//                        default).
#pragma once

#include <cstdint>

#include "reference/formats/storage.hpp"

namespace assay {

bf16_t add(bf16_t a, bf16_t b);
bf16_t sub(bf16_t a, bf16_t b);
bf16_t mul(bf16_t a, bf16_t b);
bf16_t div(bf16_t a, bf16_t b);
bf16_t fma(bf16_t a, bf16_t b, bf16_t c);

// The same four by integers alone, one rounding from the exact result: what the float32 path is proved against.
namespace definition {
bf16_t add(bf16_t a, bf16_t b);
bf16_t mul(bf16_t a, bf16_t b);
bf16_t div(bf16_t a, bf16_t b);
}  // namespace definition

}  // namespace assay
