// The C++ library's <math.h> without lerp: as the cmath beside it. C's own for C.
#pragma once
#pragma GCC system_header

#ifdef __cplusplus
#include <cmath>

#define lerp assay_simt_no_lerp
#include_next <math.h>
#undef lerp
#else
#include_next <math.h>
#endif
