// NVTX by its older name: nvtx3/nvToolsExt.h.
#pragma once

#include "emulation/simt/include/nvtx3/nvToolsExt.h"
