// The C++ library's <math.h> without lerp: as the cmath beside it.
#pragma once
#pragma GCC system_header

#include <cmath>

#define lerp assay_simt_no_lerp
#include_next <math.h>
#undef lerp
