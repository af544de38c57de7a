// Surface objects, and what an access outside of one does.
#pragma once

enum cudaSurfaceBoundaryMode { cudaBoundaryModeZero, cudaBoundaryModeClamp, cudaBoundaryModeTrap };
enum cudaSurfaceFormatMode { cudaFormatModeForced, cudaFormatModeAuto };

using cudaSurfaceObject_t = unsigned long long;
