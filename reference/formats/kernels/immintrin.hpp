// <immintrin.h> without a false alarm of GCC 12: its AVX-512 intrinsics make "any value" from a variable initialised
// by itself, and -Wall warns of it wherever one is inlined (GCC bug 105593).
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
