// CUDA's types for programs, all of them.
#pragma once

#include "emulation/simt/include/driver_types.h"
