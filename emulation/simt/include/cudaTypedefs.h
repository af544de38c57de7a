// CUDA's types of driver functions, as far as cuda.h has the functions.
#pragma once

#include "emulation/simt/include/cuda.h"
