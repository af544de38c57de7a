// Memory of every kind and copies between them, against loops over bytes; attributes of pointers; pools; errors.
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>
#include <vector>

static int failed = 0;
static void expect(cudaError_t got, cudaError_t want, int line) {
  if (got == want) return;
  std::printf("line %d: %s, not %s\n", line, cudaGetErrorName(got), cudaGetErrorName(want));
  failed = 1;
}
static void check(bool holds, int line) {
  if (holds) return;
  std::printf("line %d\n", line);
  failed = 1;
}
#define EXPECT(call, error) expect((call), error, __LINE__)
#define OK(call) expect((call), cudaSuccess, __LINE__)
#define CHECK(condition) check((condition), __LINE__)

using Bytes = std::vector<unsigned char>;
static Bytes pattern(std::size_t n, unsigned seed) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<unsigned char>((i * 167 + seed) >> 3);
  return bytes;
}

__device__ int symbol[5];
__constant__ float constants[4];
__global__ void add_to_symbol(int n) { symbol[threadIdx.x] += n; }
__global__ void read_constants(float* out) { out[threadIdx.x] = 2 * constants[threadIdx.x]; }

static void pitched() {
  constexpr std::size_t width = 37, height = 11, depth = 3;
  char* device = nullptr;
  std::size_t pitch = 0;
  OK(cudaMallocPitch(&device, &pitch, width, height));
  CHECK(pitch >= width && pitch % 32 == 0 && reinterpret_cast<std::size_t>(device) % 256 == 0);
  const Bytes from = pattern(50 * height, 1);
  OK(cudaMemset2D(device, pitch, 0xAB, pitch, height));
  OK(cudaMemcpy2D(device, pitch, from.data(), 50, width, height, cudaMemcpyHostToDevice));
  OK(cudaMemset2D(device + 2 * pitch + 5, pitch, 0x11, 7, 4));
  Bytes back(pitch * height);
  OK(cudaMemcpy(back.data(), device, back.size(), cudaMemcpyDeviceToHost));
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < pitch; ++x) {
      unsigned char want = x < width ? from[y * 50 + x] : 0xAB;
      if (y >= 2 && y < 6 && x >= 5 && x < 12) want = 0x11;
      if (back[y * pitch + x] != want) return check(false, __LINE__);
    }
  }
  EXPECT(cudaMemcpy2D(device, pitch, from.data(), width - 1, width, height, cudaMemcpyHostToDevice),
         cudaErrorInvalidPitchValue);
  EXPECT(cudaMemcpy2D(device, pitch, from.data(), 50, width, height + 1, cudaMemcpyHostToDevice),
         cudaErrorInvalidValue);
  EXPECT(cudaMemset2D(device, pitch, 0, pitch + 1, height), cudaErrorInvalidValue);
  OK(cudaFree(device));

  cudaPitchedPtr box;
  const cudaExtent extent = make_cudaExtent(width, height, depth);
  OK(cudaMalloc3D(&box, extent));
  CHECK(box.xsize == width && box.ysize == height && box.pitch >= width);
  OK(cudaMemset3D(box, 0x5C, extent));
  // A part of it from the middle of a box of the host.
  const Bytes source = pattern(40 * 13 * 4, 9);
  cudaMemcpy3DParms copy{};
  copy.srcPtr = make_cudaPitchedPtr(const_cast<unsigned char*>(source.data()), 40, 40, 13);
  copy.srcPos = make_cudaPos(2, 1, 1);
  copy.dstPtr = box;
  copy.dstPos = make_cudaPos(3, 4, 1);
  copy.extent = make_cudaExtent(20, 6, 2);
  copy.kind = cudaMemcpyHostToDevice;
  OK(cudaMemcpy3D(&copy));
  Bytes all(width * height * depth);
  cudaMemcpy3DParms out{};
  out.srcPtr = box;
  out.dstPtr = make_cudaPitchedPtr(all.data(), width, width, height);
  out.extent = extent;
  out.kind = cudaMemcpyDeviceToHost;
  OK(cudaMemcpy3DAsync(&out));
  for (std::size_t z = 0; z < depth; ++z) {
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const bool inside = x >= 3 && x < 23 && y >= 4 && y < 10 && z >= 1;
        const unsigned char want = inside ? source[(z * 13 + (y - 4 + 1)) * 40 + (x - 3 + 2)] : 0x5C;
        if (all[(z * height + y) * width + x] != want) return check(false, __LINE__);
      }
    }
  }
  copy.extent.depth = 3;
  EXPECT(cudaMemcpy3D(&copy), cudaErrorInvalidValue);
  copy.extent = make_cudaExtent(20, 6, 2);
  copy.kind = cudaMemcpyDeviceToHost;
  EXPECT(cudaMemcpy3D(&copy), cudaErrorInvalidValue);
  OK(cudaFree(box.ptr));
}

static void arrays() {
  constexpr std::size_t width = 9, height = 5;
  const cudaChannelFormatDesc format = cudaCreateChannelDesc<ushort2>();
  CHECK(format.x == 16 && format.y == 16 && format.z == 0 && format.w == 0 &&
        format.f == cudaChannelFormatKindUnsigned);
  cudaArray_t array = nullptr, other = nullptr;
  OK(cudaMallocArray(&array, &format, width, height));
  OK(cudaMallocArray(&other, &format, width, height));
  const Bytes from = pattern(width * 4 * height, 5);
  OK(cudaMemcpy2DToArray(array, 0, 0, from.data(), width * 4, width * 4, height, cudaMemcpyHostToDevice));
  OK(cudaMemcpy2DArrayToArray(other, 4, 1, array, 8, 0, 12, 3));
  Bytes part(12 * 3);
  OK(cudaMemcpy2DFromArray(part.data(), 12, other, 4, 1, 12, 3, cudaMemcpyDeviceToHost));
  for (std::size_t y = 0; y < 3; ++y) CHECK(std::memcmp(&part[y * 12], &from[y * width * 4 + 8], 12) == 0);
  // Over the ends of rows.
  Bytes run(52);
  OK(cudaMemcpyFromArray(run.data(), array, 20, 1, run.size(), cudaMemcpyDeviceToHost));
  CHECK(std::memcmp(run.data(), &from[width * 4 + 20], run.size()) == 0);
  EXPECT(cudaMemcpyFromArray(run.data(), array, 0, 4, 52, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT(cudaMemcpy2DToArray(array, 4, 0, from.data(), 36, 36, 5, cudaMemcpyHostToDevice),
         cudaErrorInvalidValue);
  EXPECT(cudaMemcpy2DToArray(array, 2, 0, from.data(), 36, 4, 1, cudaMemcpyHostToDevice),
         cudaErrorInvalidValue);
  cudaExtent extent;
  unsigned flags = 1;
  cudaChannelFormatDesc told;
  OK(cudaArrayGetInfo(&told, &extent, &flags, array));
  CHECK(told.x == 16 && extent.width == width && extent.height == height && extent.depth == 0 && flags == 0);
  OK(cudaFreeArray(other));
  EXPECT(cudaFreeArray(other), cudaErrorInvalidResourceHandle);
  EXPECT(cudaGetChannelDesc(&told, other), cudaErrorInvalidResourceHandle);
  OK(cudaFreeArray(array));
  const cudaChannelFormatDesc three = cudaCreateChannelDesc<float3>(), none{};
  EXPECT(cudaMallocArray(&array, &three, 4), cudaErrorInvalidChannelDescriptor);
  EXPECT(cudaMallocArray(&array, &none, 4), cudaErrorInvalidChannelDescriptor);
  EXPECT(cudaMalloc3DArray(&array, &format, make_cudaExtent(4, 5, 6), cudaArrayCubemap),
         cudaErrorInvalidValue);
}

static void pointers() {
  int host = 0, *device = nullptr, *pinned = nullptr, *managed = nullptr, *address = nullptr;
  OK(cudaMalloc(&device, 100));
  OK(cudaMallocHost(&pinned, 100));
  const float* constant = nullptr;
  OK(cudaMalloc(&constant, 100));
  OK(cudaFree(const_cast<float*>(constant)));
  OK(cudaMallocManaged(&managed, 100));
  const auto type_of = [](const void* p) {
    cudaPointerAttributes attributes;
    OK(cudaPointerGetAttributes(&attributes, p));
    return attributes.type;
  };
  CHECK(type_of(&host) == cudaMemoryTypeUnregistered);
  CHECK(type_of(device) == cudaMemoryTypeDevice && type_of(device + 24) == cudaMemoryTypeDevice);
  CHECK(type_of(reinterpret_cast<char*>(device) + 100) == cudaMemoryTypeUnregistered);
  CHECK(type_of(pinned) == cudaMemoryTypeHost && type_of(managed + 3) == cudaMemoryTypeManaged);
  unsigned flags = 0;
  OK(cudaHostGetFlags(&flags, pinned));
  EXPECT(cudaHostGetFlags(&flags, &host), cudaErrorInvalidValue);
  OK(cudaMemPrefetchAsync(managed, 100, 0));
  EXPECT(cudaMemPrefetchAsync(managed, 101, 0), cudaErrorInvalidValue);
  EXPECT(cudaMemPrefetchAsync(device, 100, 0), cudaErrorInvalidValue);
  EXPECT(cudaMemPrefetchAsync(managed, 100, 3), cudaErrorInvalidDevice);
  OK(cudaMemAdvise(managed, 100, cudaMemAdviseSetReadMostly, 0));
  OK(cudaFree(device));
  CHECK(type_of(device) == cudaMemoryTypeUnregistered);
  EXPECT(cudaMemcpy(&host, device, 4, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  // What is registered may not overlap.
  Bytes area(4096);
  OK(cudaHostRegister(&area[1000], 1000, 0));
  EXPECT(cudaHostRegister(&area[500], 501, 0), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT(cudaHostRegister(&area[1999], 2, 0), cudaErrorHostMemoryAlreadyRegistered);
  OK(cudaHostRegister(&area[500], 500, 0));
  EXPECT(cudaHostUnregister(&area[501]), cudaErrorHostMemoryNotRegistered);
  OK(cudaHostUnregister(&area[500]));
  OK(cudaHostUnregister(&area[1000]));
  EXPECT(cudaMemcpy(managed, managed, 4, static_cast<cudaMemcpyKind>(7)), cudaErrorInvalidMemcpyDirection);
  OK(cudaFree(managed));
  OK(cudaFreeHost(pinned));

  const int five[5] = {1, 2, 3, 4, 5};
  OK(cudaMemcpyToSymbol(symbol, five, sizeof five));
  OK(cudaMemcpyToSymbol(symbol, five, 8, 12));
  OK(cudaGetSymbolAddress(&address, symbol));
  std::size_t size = 0;
  OK(cudaGetSymbolSize(&size, symbol));
  CHECK(size == sizeof five && type_of(address) == cudaMemoryTypeDevice);
  OK(cudaMemset(address + 1, 0, 4));
  add_to_symbol<<<1, 5>>>(10);
  int back[5];
  OK(cudaMemcpyFromSymbol(back, symbol, sizeof back));
  const int want[5] = {11, 10, 13, 11, 12};
  CHECK(std::memcmp(back, want, sizeof want) == 0);
  EXPECT(cudaMemcpyToSymbol(symbol, five, sizeof five, 4), cudaErrorInvalidValue);
  EXPECT(cudaMemcpyToSymbol(symbol, five, 4, 0, cudaMemcpyDeviceToHost), cudaErrorInvalidMemcpyDirection);
  const float four[4] = {1, 2, 4, 8};
  OK(cudaMemcpyToSymbolAsync(constants, four, sizeof four, 0, cudaMemcpyHostToDevice));
  float *doubled = nullptr, got[4];
  OK(cudaMalloc(&doubled, sizeof got));
  read_constants<<<1, 4>>>(doubled);
  OK(cudaMemcpy(got, doubled, sizeof got, cudaMemcpyDefault));
  CHECK(got[0] == 2 && got[3] == 16);
  OK(cudaFree(doubled));
}

static void pools() {
  int has = 0;
  OK(cudaDeviceGetAttribute(&has, cudaDevAttrMemoryPoolsSupported, 0));
  CHECK(has == 1);
  cudaStream_t stream;
  OK(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, -1));
  int priority = 0;
  OK(cudaStreamGetPriority(stream, &priority));
  CHECK(priority == -1);
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, 0};
  cudaMemPool_t pool = nullptr, standard = nullptr;
  OK(cudaMemPoolCreate(&pool, &properties));
  OK(cudaDeviceGetDefaultMemPool(&standard, 0));
  char *a = nullptr, *b = nullptr, *c = nullptr;
  OK(cudaMallocFromPoolAsync(&a, 1000, pool, stream));
  OK(cudaMallocAsync(&b, 500, pool, stream));
  OK(cudaMallocAsync(&c, 100, stream));
  unsigned long long used = 0, high = 0;
  OK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used));
  CHECK(used == 1500);
  OK(cudaMemsetAsync(a, 7, 1000, stream));
  EXPECT(cudaMemsetAsync(a, 7, 1001, stream), cudaErrorInvalidValue);
  OK(cudaFreeAsync(a, stream));
  EXPECT(cudaFreeAsync(a, stream), cudaErrorInvalidValue);
  OK(cudaFree(b));
  OK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used));
  OK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemHigh, &high));
  CHECK(used == 0 && high == 1500);
  unsigned long long threshold = 12345;
  OK(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
  threshold = 0;
  OK(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
  CHECK(threshold == 12345);
  OK(cudaFreeAsync(c, stream));
  OK(cudaMemPoolDestroy(pool));
  EXPECT(cudaMemPoolDestroy(pool), cudaErrorInvalidValue);
  EXPECT(cudaMemPoolDestroy(standard), cudaErrorInvalidValue);
  OK(cudaStreamDestroy(stream));
  EXPECT(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT(cudaMallocAsync(&c, 100, stream), cudaErrorInvalidResourceHandle);
}

int main() {
  pitched();
  arrays();
  pointers();
  pools();
  return failed;
}
