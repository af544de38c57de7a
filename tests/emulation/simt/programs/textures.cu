// Textures and surfaces: point fetches against plain indexing, linear ones against the formula of CUDA's guide in
// double, over all addressing modes, types and shapes.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

static int failed = 0;
static void check(bool holds, int line) {
  if (holds) return;
  std::printf("line %d\n", line);
  failed = 1;
}
#define CHECK(condition) check((condition), __LINE__)
#define OK(call) check((call) == cudaSuccess, __LINE__)
#define EXPECT(call, error) check((call) == (error), __LINE__)

// --- the guide's words -----------------------------------------------------------------------------------------------

// Element i of a row of n, by words and not by arithmetic of periods; -1 outside.
static int addressed(int i, int n, cudaTextureAddressMode mode, bool normalized) {
  if (!normalized && (mode == cudaAddressModeWrap || mode == cudaAddressModeMirror))
    mode = cudaAddressModeClamp;
  switch (mode) {
    case cudaAddressModeClamp: return i < 0 ? 0 : i >= n ? n - 1 : i;
    case cudaAddressModeBorder: return i < 0 || i >= n ? -1 : i;
    case cudaAddressModeWrap:
      while (i < 0) i += n;
      while (i >= n) i -= n;
      return i;
    case cudaAddressModeMirror:
      while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
      return i;
  }
  return -1;
}
// Fraction in 9 bits, 8 of them behind the point.
static double fraction(double x) { return std::nearbyint((x - std::floor(x)) * 256) / 256; }

struct Image {
  int width, height, depth;
  std::vector<float> values;
  double border;
  double at(int x, int y, int z, const cudaTextureDesc& d) const {
    const bool normalized = d.normalizedCoords != 0;
    x = addressed(x, width, d.addressMode[0], normalized);
    y = addressed(y, height, d.addressMode[1], normalized);
    z = addressed(z, depth, d.addressMode[2], normalized);
    if (x < 0 || y < 0 || z < 0) return border;
    return values[static_cast<std::size_t>((z * height + y) * width + x)];
  }
};
static float expected(const Image& image, const cudaTextureDesc& d, int dimensions, float x, float y,
                      float z) {
  const double scale[3] = {double(image.width), double(image.height), double(image.depth)};
  double p[3] = {x, y, z};
  for (int i = 0; i < 3; ++i) {
    if (d.normalizedCoords != 0) p[i] *= scale[i];
    if (i >= dimensions) p[i] = 0.5;
  }
  if (d.filterMode == cudaFilterModePoint)
    return static_cast<float>(image.at(static_cast<int>(std::floor(p[0])), static_cast<int>(std::floor(p[1])),
                                       static_cast<int>(std::floor(p[2])), d));
  int i[3];
  double a[3];
  for (int k = 0; k < 3; ++k) {
    i[k] = static_cast<int>(std::floor(p[k] - 0.5));
    a[k] = fraction(p[k] - 0.5);
  }
  double sum = 0;
  for (int dz = 0; dz < 2; ++dz) {
    for (int dy = 0; dy < 2; ++dy) {
      for (int dx = 0; dx < 2; ++dx) {
        const double weight = (dx ? a[0] : 1 - a[0]) * (dy ? a[1] : 1 - a[1]) * (dz ? a[2] : 1 - a[2]);
        if (weight != 0) sum += weight * image.at(i[0] + dx, i[1] + dy, i[2] + dz, d);
      }
    }
  }
  return static_cast<float>(sum);
}
static bool near(float got, float want) { return std::fabs(got - want) <= 2e-7F * (std::fabs(want) + 1); }

// --- fetches ---------------------------------------------------------------------------------------------------------

__global__ void fetch(cudaTextureObject_t t, int dimensions, const float3* at, float* out) {
  const float3 p = at[threadIdx.x];
  out[threadIdx.x] = dimensions == 1   ? tex1D<float>(t, p.x)
                     : dimensions == 2 ? tex2D<float>(t, p.x, p.y)
                                       : tex3D<float>(t, p.x, p.y, p.z);
}

static void filters() {
  constexpr int points = 256;
  float3* at = nullptr;
  float* out = nullptr;
  OK(cudaMallocManaged(&at, points * sizeof *at));
  OK(cudaMallocManaged(&out, points * sizeof *out));
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  for (int dimensions = 1; dimensions <= 3; ++dimensions) {
    Image image{7, dimensions > 1 ? 5 : 1, dimensions > 2 ? 4 : 1, {}, -3.5};
    for (int i = 0; i < image.width * image.height * image.depth; ++i)
      image.values.push_back(static_cast<float>(std::sin(i * 1.7) * 100));
    cudaArray_t array;
    const auto high = static_cast<std::size_t>(dimensions > 1 ? image.height : 0);
    const auto deep = static_cast<std::size_t>(dimensions > 2 ? image.depth : 0);
    OK(cudaMalloc3DArray(&array, &format, make_cudaExtent(7, high, deep)));
    cudaMemcpy3DParms copy{};
    copy.srcPtr = make_cudaPitchedPtr(image.values.data(), 7 * 4, 7, static_cast<std::size_t>(image.height));
    copy.dstArray = array;
    copy.extent =
        make_cudaExtent(7, static_cast<std::size_t>(image.height), static_cast<std::size_t>(image.depth));
    copy.kind = cudaMemcpyHostToDevice;
    OK(cudaMemcpy3D(&copy));
    cudaResourceDesc resource{};
    resource.resType = cudaResourceTypeArray;
    resource.res.array.array = array;
    for (int variant = 0; variant < 16; ++variant) {
      cudaTextureDesc d{};
      for (auto& mode : d.addressMode) mode = static_cast<cudaTextureAddressMode>(variant & 3);
      d.filterMode = (variant & 4) != 0 ? cudaFilterModeLinear : cudaFilterModePoint;
      d.normalizedCoords = (variant & 8) != 0 ? 1 : 0;
      d.borderColor[0] = -3.5F;
      cudaTextureObject_t texture;
      OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
      for (int i = 0; i < points; ++i) {
        // Sixteenths, halves of a step of the fraction among them, and some that lie far out.
        const auto coordinate = [&](int seed, int n) {
          const float x = static_cast<float>((i * seed) % 613 - 200) / 16 + static_cast<float>(i % 7) / 512;
          return d.normalizedCoords != 0 ? x / static_cast<float>(n) : x;
        };
        at[i] = make_float3(coordinate(37, image.width), coordinate(101, image.height),
                            coordinate(59, image.depth));
      }
      fetch<<<1, points>>>(texture, dimensions, at, out);
      OK(cudaDeviceSynchronize());
      int wrong = 0;
      for (int i = 0; i < points; ++i) {
        const float want = expected(image, d, dimensions, at[i].x, at[i].y, at[i].z);
        const bool same = d.filterMode == cudaFilterModePoint ? out[i] == want : near(out[i], want);
        // Where the fraction lies between two steps, it may be either.
        const float3 p = at[i];
        const auto tie = [&](float x, int n) {
          const double steps = (d.normalizedCoords != 0 ? double{x} * n : double{x}) * 256;
          return std::fabs(steps - std::floor(steps) - 0.5) < 1e-3;
        };
        const bool skip = d.filterMode == cudaFilterModeLinear &&
                          (tie(p.x, image.width) || tie(p.y, image.height) || tie(p.z, image.depth));
        if (!same && !skip) ++wrong;
      }
      if (wrong != 0) {
        std::printf("%d dimensions, variant %d: %d of %d differ\n", dimensions, variant, wrong, points);
        failed = 1;
      }
      OK(cudaDestroyTextureObject(texture));
      EXPECT(cudaDestroyTextureObject(texture), cudaErrorInvalidValue);
    }
    OK(cudaFreeArray(array));
  }
  OK(cudaFree(at));
  OK(cudaFree(out));
}

// --- types -----------------------------------------------------------------------------------------------------------

template <class T>
__global__ void fetch_all(cudaTextureObject_t t, T* out) {
  out[threadIdx.x] = tex1Dfetch<T>(t, static_cast<int>(threadIdx.x));
}
template <class T>
static void elements() {
  constexpr int n = 48;
  unsigned char* memory = nullptr;
  T* out = nullptr;
  OK(cudaMalloc(&memory, n * sizeof(T)));
  OK(cudaMallocManaged(&out, (n + 1) * sizeof(T)));
  std::vector<unsigned char> bytes(n * sizeof(T));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 61 + 3) & 0x7FU;
  OK(cudaMemcpy(memory, bytes.data(), bytes.size(), cudaMemcpyHostToDevice));
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeLinear;
  resource.res.linear = {memory, cudaCreateChannelDesc<T>(), n * sizeof(T)};
  const cudaTextureDesc d{};
  cudaTextureObject_t texture;
  OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
  fetch_all<<<1, n + 1>>>(texture, out);
  OK(cudaDeviceSynchronize());
  CHECK(std::memcmp(out, bytes.data(), bytes.size()) == 0);
  const T zero{};
  CHECK(std::memcmp(out + n, &zero, sizeof zero) == 0);
  OK(cudaDestroyTextureObject(texture));
  OK(cudaFree(memory));
  OK(cudaFree(out));
}

__global__ void fetch_bytes(cudaTextureObject_t t, float4* out) {
  out[threadIdx.x] = tex2D<float4>(t, static_cast<float>(threadIdx.x) + 0.5F, 0.5F);
}
static void normalized_floats() {
  char* memory = nullptr;
  std::size_t pitch = 0;
  float4* out = nullptr;
  OK(cudaMallocPitch(&memory, &pitch, 64 * 4, 2));
  OK(cudaMallocManaged(&out, 64 * sizeof *out));
  std::vector<unsigned char> bytes(256);
  for (unsigned i = 0; i < 256; ++i) bytes[i] = static_cast<unsigned char>(i);
  OK(cudaMemcpy2D(memory, pitch, bytes.data(), 256, 256, 1, cudaMemcpyHostToDevice));
  for (const bool with_sign : {false, true}) {
    cudaResourceDesc resource{};
    resource.resType = cudaResourceTypePitch2D;
    resource.res.pitch2D.devPtr = memory;
    resource.res.pitch2D.desc = with_sign ? cudaCreateChannelDesc<char4>() : cudaCreateChannelDesc<uchar4>();
    resource.res.pitch2D.width = 64;
    resource.res.pitch2D.height = 2;
    resource.res.pitch2D.pitchInBytes = pitch;
    cudaTextureDesc d{};
    d.readMode = cudaReadModeNormalizedFloat;
    cudaTextureObject_t texture;
    OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
    fetch_bytes<<<1, 64>>>(texture, out);
    OK(cudaDeviceSynchronize());
    for (int i = 0; i < 64; ++i) {
      const float got[4] = {out[i].x, out[i].y, out[i].z, out[i].w};
      for (int c = 0; c < 4; ++c) {
        const int byte = 4 * i + c;
        const double value =
            with_sign ? std::fmax(-1.0, (byte < 128 ? byte : byte - 256) / 127.0) : byte / 255.0;
        CHECK(got[c] == static_cast<float>(value));
      }
    }
    OK(cudaDestroyTextureObject(texture));
    resource.res.pitch2D.devPtr = memory + 4;
    EXPECT(cudaCreateTextureObject(&texture, &resource, &d, nullptr), cudaErrorInvalidValue);
    resource.res.pitch2D.devPtr = memory;
    d.readMode = cudaReadModeElementType;
    d.filterMode = cudaFilterModeLinear;
    EXPECT(cudaCreateTextureObject(&texture, &resource, &d, nullptr), cudaErrorInvalidFilterSetting);
  }
  OK(cudaFree(memory));
  OK(cudaFree(out));
}

// --- layers, faces, gathers, levels, surfaces ------------------------------------------------------------------------

__global__ void fill(cudaSurfaceObject_t s, int width, int height) {
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y),
            z = static_cast<int>(blockIdx.x);
  if (x < width && y < height) surf2DLayeredwrite(static_cast<float>(100 * z + 10 * y + x), s, x * 4, y, z);
}
__global__ void read_layers(cudaTextureObject_t t, float* out) {
  out[0] = tex2DLayered<float>(t, 2.5F, 1.5F, 0);
  out[1] = tex2DLayered<float>(t, 2.5F, 1.5F, 2);
  out[2] = tex2DLayered<float>(t, 2.5F, 1.5F, 9);
  out[3] = tex2DLayered<float>(t, 2.0F, 1.5F, 1);
}
__global__ void read_faces(cudaTextureObject_t t, float* out) {
  const float directions[6][3] = {{1, 0.1F, 0.1F},  {-1, 0.1F, 0.1F}, {0.1F, 1, 0.1F},
                                  {0.1F, -1, 0.1F}, {0.1F, 0.1F, 1},  {0.1F, 0.1F, -1}};
  for (int i = 0; i < 6; ++i)
    out[i] = texCubemap<float>(t, directions[i][0], directions[i][1], directions[i][2]);
}
static void layers() {
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  float* out = nullptr;
  OK(cudaMallocManaged(&out, 64));
  for (const bool cube : {false, true}) {
    const int width = 4, height = cube ? 4 : 3;
    const unsigned count = cube ? 6 : 3;
    cudaArray_t array;
    OK(cudaMalloc3DArray(&array, &format, make_cudaExtent(4, static_cast<std::size_t>(height), count),
                         cudaArraySurfaceLoadStore | (cube ? cudaArrayCubemap : cudaArrayLayered)));
    cudaResourceDesc resource{};
    resource.resType = cudaResourceTypeArray;
    resource.res.array.array = array;
    std::vector<float> values;
    for (unsigned z = 0; z < count; ++z) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x)
          values.push_back(static_cast<float>(static_cast<int>(z) * 100 + 10 * y + x));
      }
    }
    if (cube) {
      cudaMemcpy3DParms copy{};
      copy.srcPtr = make_cudaPitchedPtr(values.data(), 16, 4, 4);
      copy.dstArray = array;
      copy.extent = make_cudaExtent(4, 4, 6);
      copy.kind = cudaMemcpyHostToDevice;
      OK(cudaMemcpy3D(&copy));
    } else {
      cudaSurfaceObject_t surface;
      OK(cudaCreateSurfaceObject(&surface, &resource));
      fill<<<count, dim3(8, 8)>>>(surface, width, height);
      OK(cudaDestroySurfaceObject(surface));
    }
    cudaTextureDesc d{};
    d.filterMode = cube ? cudaFilterModePoint : cudaFilterModeLinear;
    cudaTextureObject_t texture;
    OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
    if (cube) {
      read_faces<<<1, 1>>>(texture, out);
      OK(cudaDeviceSynchronize());
      // s and t of the guide's table at 0.55 or 0.45 of the face, so at element 2 or 1.
      const float want[6] = {11, 112, 222, 312, 412, 511};
      for (int i = 0; i < 6; ++i) CHECK(out[i] == want[i]);
    } else {
      read_layers<<<1, 1>>>(texture, out);
      OK(cudaDeviceSynchronize());
      CHECK(out[0] == 12 && out[1] == 212 && out[2] == 212 && out[3] == 111.5F);
    }
    OK(cudaDestroyTextureObject(texture));
    OK(cudaFreeArray(array));
  }
  OK(cudaFree(out));
}

__global__ void surfaces_2d(cudaSurfaceObject_t s, uchar4* out) {
  surf2Dwrite(make_uchar4(1, 2, 3, 4), s, 2 * 4, 1);
  surf2Dwrite(make_uchar4(9, 9, 9, 9), s, 4 * 4, 0, cudaBoundaryModeZero);
  surf2Dwrite(make_uchar4(5, 6, 7, 8), s, 100 * 4, 100, cudaBoundaryModeClamp);
  surf2Dread(&out[0], s, 2 * 4, 1);
  out[1] = surf2Dread<uchar4>(s, 3 * 4, 2);
  out[2] = surf2Dread<uchar4>(s, -4, 0, cudaBoundaryModeZero);
}
__global__ void surface_outside(cudaSurfaceObject_t s) { surf2Dwrite(make_uchar4(1, 2, 3, 4), s, 16, 0); }
__global__ void gathers(cudaTextureObject_t t, uchar4* out) {
  out[0] = tex2Dgather<uchar4>(t, 2.2F, 1.4F, 0);
  out[1] = tex2Dgather<uchar4>(t, 2.2F, 1.4F, 3);
}
static void surface_and_gather() {
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<uchar4>();
  cudaArray_t array, plain;
  OK(cudaMallocArray(&array, &format, 4, 3, cudaArraySurfaceLoadStore | cudaArrayTextureGather));
  OK(cudaMallocArray(&plain, &format, 4, 3));
  std::vector<unsigned char> bytes(48);
  for (unsigned i = 0; i < 48; ++i) bytes[i] = static_cast<unsigned char>(i);
  OK(cudaMemcpy2DToArray(array, 0, 0, bytes.data(), 16, 16, 3, cudaMemcpyHostToDevice));
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeArray;
  resource.res.array.array = plain;
  cudaSurfaceObject_t surface;
  EXPECT(cudaCreateSurfaceObject(&surface, &resource), cudaErrorInvalidValue);
  resource.res.array.array = array;
  uchar4* out = nullptr;
  OK(cudaMallocManaged(&out, 64));
  const cudaTextureDesc d{};
  cudaTextureObject_t texture;
  OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
  gathers<<<1, 1>>>(texture, out);
  OK(cudaDeviceSynchronize());
  // i = 1, j = 0: below left, below right, above right, above left.
  for (int c = 0; c < 2; ++c) {
    const unsigned char first = c == 0 ? 0 : 3;
    CHECK(out[c].x == 20 + first && out[c].y == 24 + first && out[c].z == 8 + first && out[c].w == 4 + first);
  }
  OK(cudaCreateSurfaceObject(&surface, &resource));
  surfaces_2d<<<1, 1>>>(surface, out);
  OK(cudaDeviceSynchronize());
  CHECK(out[0].x == 1 && out[0].w == 4 && out[1].x == 5 && out[1].w == 8 && out[2].x == 0 && out[2].w == 0);
  OK(cudaMemcpy2DFromArray(bytes.data(), 16, array, 0, 0, 16, 3, cudaMemcpyDeviceToHost));
  CHECK(bytes[16 + 8] == 1 && bytes[0] == 0 && bytes[15] == 15 && bytes[32 + 12] == 5);
  surface_outside<<<1, 1>>>(surface);
  EXPECT(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  CHECK(std::strstr(cudaGetErrorString(cudaErrorLaunchFailure), "outside: x = 4 of 4") != nullptr);
  OK(cudaDeviceReset());
}

__global__ void read_levels(cudaTextureObject_t t, float* out) {
  out[0] = tex2DLod<float>(t, 0.5F, 0.5F, 0);
  out[1] = tex2DLod<float>(t, 0.5F, 0.5F, 1.25F);
  out[2] = tex2DLod<float>(t, 0.5F, 0.5F, 7);
  out[3] = tex2D<float>(t, 0.5F, 0.5F);
}
static void levels() {
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
  cudaMipmappedArray_t array;
  OK(cudaMallocMipmappedArray(&array, &format, make_cudaExtent(4, 4, 0), 3));
  for (unsigned i = 0; i < 3; ++i) {
    cudaArray_t level;
    OK(cudaGetMipmappedArrayLevel(&level, array, i));
    const std::vector<float> values(16, static_cast<float>(10 * (i + 1)));
    const std::size_t width = std::size_t{4} >> i;
    OK(cudaMemcpy2DToArray(level, 0, 0, values.data(), width * 4, width * 4, width, cudaMemcpyHostToDevice));
    if (i == 0) EXPECT(cudaFreeArray(level), cudaErrorInvalidValue);
  }
  cudaArray_t none;
  EXPECT(cudaGetMipmappedArrayLevel(&none, array, 3), cudaErrorInvalidValue);
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeMipmappedArray;
  resource.res.mipmap.mipmap = array;
  cudaTextureDesc d{};
  d.normalizedCoords = 1;
  d.mipmapFilterMode = cudaFilterModeLinear;
  d.maxMipmapLevelClamp = 10;
  cudaTextureObject_t texture;
  OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
  float* out = nullptr;
  OK(cudaMallocManaged(&out, 64));
  read_levels<<<1, 1>>>(texture, out);
  OK(cudaDeviceSynchronize());
  CHECK(out[0] == 10 && out[1] == 22.5F && out[2] == 30 && out[3] == 10);
  OK(cudaDestroyTextureObject(texture));
  OK(cudaFreeMipmappedArray(array));
  EXPECT(cudaFreeMipmappedArray(array), cudaErrorInvalidResourceHandle);
}

__global__ void wrong_type(cudaTextureObject_t t, float* out) { *out = tex1Dfetch<float>(t, 0); }
static void refusals() {
  int* memory = nullptr;
  OK(cudaMallocManaged(&memory, 64));
  cudaResourceDesc resource{};
  resource.resType = cudaResourceTypeLinear;
  resource.res.linear = {memory, cudaCreateChannelDesc<int>(), 64};
  const cudaTextureDesc d{};
  cudaTextureObject_t texture;
  OK(cudaCreateTextureObject(&texture, &resource, &d, nullptr));
  float* out = nullptr;
  OK(cudaMallocManaged(&out, 64));
  wrong_type<<<1, 1>>>(texture, out);
  EXPECT(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  CHECK(std::strstr(cudaGetErrorString(cudaErrorLaunchFailure), "of another type") != nullptr);
  OK(cudaDeviceReset());
  wrong_type<<<1, 1>>>(texture + 1, out);
  EXPECT(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  OK(cudaDeviceReset());
}

int main() {
  filters();
  elements<char>();
  elements<unsigned char>();
  elements<short2>();
  elements<ushort4>();
  elements<int>();
  elements<uint2>();
  elements<uchar4>();
  elements<char2>();
  elements<float>();
  elements<float4>();
  normalized_floats();
  layers();
  levels();
  surface_and_gather();
  refusals();
  return failed;
}
