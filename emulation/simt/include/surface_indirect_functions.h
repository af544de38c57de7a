// Reads and writes through surface objects, for kernels: surf1D, surf2D, surf3D, layers, cubemaps.
//
// x counts bytes, the other coordinates rows, slices and layers. Outside of the surface: trap ends the block with a
// message (cudaBoundaryModeTrap, the default), zero reads zeros and does not write, clamp takes the nearest element.
// Bytes are as in the array; a read or a write of other bytes than an element has, or at an x that is no multiple of
// them, ends the block with a message too.
#pragma once

#include "emulation/simt/include/channel_descriptor.h"

namespace assay_simt {

enum class SurfaceKind : unsigned char { d1, d2, d3, layered_1, layered_2, cubemap, layered_cubemap };
struct SurfaceAt {
  int x, y, z;  // z: a slice, a layer or a face
};
void read_surface(cudaSurfaceObject_t surface, SurfaceKind kind, const SurfaceAt& at, void* out,
                  std::size_t bytes, cudaSurfaceBoundaryMode mode);
void write_surface(cudaSurfaceObject_t surface, SurfaceKind kind, const SurfaceAt& at, const void* value,
                   std::size_t bytes, cudaSurfaceBoundaryMode mode);

}  // namespace assay_simt

#define ASSAY_SIMT_SURFACE(kind, name, suffix, parameters, ...)                                            \
  template <class T>                                                                                       \
  T name##suffix##read(cudaSurfaceObject_t surface, int x ASSAY_SIMT_PASS parameters,                      \
                       cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {                              \
    T value;                                                                                               \
    assay_simt::read_surface(surface, assay_simt::SurfaceKind::kind, {x, __VA_ARGS__}, &value, sizeof(T),  \
                             mode);                                                                        \
    return value;                                                                                          \
  }                                                                                                        \
  template <class T>                                                                                       \
  void name##suffix##read(T* out, cudaSurfaceObject_t surface, int x ASSAY_SIMT_PASS parameters,           \
                          cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {                           \
    assay_simt::read_surface(surface, assay_simt::SurfaceKind::kind, {x, __VA_ARGS__}, out, sizeof(T),     \
                             mode);                                                                        \
  }                                                                                                        \
  template <class T>                                                                                       \
  void name##suffix##write(T value, cudaSurfaceObject_t surface, int x ASSAY_SIMT_PASS parameters,         \
                           cudaSurfaceBoundaryMode mode = cudaBoundaryModeTrap) {                          \
    assay_simt::write_surface(surface, assay_simt::SurfaceKind::kind, {x, __VA_ARGS__}, &value, sizeof(T), \
                              mode);                                                                       \
  }
#define ASSAY_SIMT_PASS(...) __VA_OPT__(, ) __VA_ARGS__
ASSAY_SIMT_SURFACE(d1, surf1D, , (), 0, 0)
ASSAY_SIMT_SURFACE(d2, surf2D, , (int y), y, 0)
ASSAY_SIMT_SURFACE(d3, surf3D, , (int y, int z), y, z)
ASSAY_SIMT_SURFACE(layered_1, surf1D, Layered, (int layer), 0, layer)
ASSAY_SIMT_SURFACE(layered_2, surf2D, Layered, (int y, int layer), y, layer)
ASSAY_SIMT_SURFACE(cubemap, surfCubemap, , (int y, int face), y, face)
ASSAY_SIMT_SURFACE(layered_cubemap, surfCubemap, Layered, (int y, int layer_face), y, layer_face)
#undef ASSAY_SIMT_SURFACE
#undef ASSAY_SIMT_PASS
