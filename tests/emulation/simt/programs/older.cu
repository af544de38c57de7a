// What CUDA 12 removed and older programs have: references to textures, symbols named by literals, calls of the
// "thread" that mean the device.
#include <cuda_runtime.h>

#include <cstdio>
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

texture<float, 1, cudaReadModeElementType> line_of_floats;
static texture<int4> line_of_fours;
texture<unsigned char, cudaTextureType2D, cudaReadModeNormalizedFloat> picture(1, cudaFilterModeLinear,
                                                                               cudaAddressModeWrap);
texture<float2, 2> rows;
texture<short, 3> cube;

static __device__ float twice(texture<float> t, int i) { return 2 * tex1Dfetch(t, i); }
static __global__ void fetch(float* out, int4* fours, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= n) return;
  out[i] = tex1Dfetch(line_of_floats, i) + twice(line_of_floats, i + 1);
  if (i < n / 4) fours[i] = tex1Dfetch(line_of_fours, i);
}
static __global__ void fetch_picture(float* out) {
  // Between the elements, a whole picture further: in wrapped coordinates of [0, 1].
  const float x = (static_cast<float>(threadIdx.x) + 1) / 4 + 1;
  out[threadIdx.x] = tex2D(picture, x, 0.25F);
}
static __global__ void fetch_others(float2* out, short* of_cube) {
  const float x = static_cast<float>(threadIdx.x), y = static_cast<float>(threadIdx.y);
  const unsigned i = threadIdx.y * blockDim.x + threadIdx.x;
  out[i] = tex2D(rows, x, y);
  of_cube[i] = tex3D(cube, x, y, 1.0F);
}
static __global__ void fetch_unbound(float* out) { *out = tex1Dfetch(line_of_floats, 0); }

static __constant__ float factors[4];
static __device__ int counter;
static __global__ void use_symbols(float* out) {
  out[threadIdx.x] = factors[threadIdx.x];
  if (threadIdx.x == 0) counter = 41;
}

static void lines() {
  constexpr int n = 64;
  float *in = nullptr, *out = nullptr;
  int4* fours = nullptr;
  OK(cudaMalloc(&in, n * sizeof(float)));
  OK(cudaMalloc(&out, n * sizeof(float)));
  OK(cudaMalloc(&fours, n * sizeof(float)));
  std::vector<float> host(n);
  for (int i = 0; i < n; ++i) host[static_cast<std::size_t>(i)] = static_cast<float>(i * i);
  OK(cudaMemcpy(in, host.data(), n * sizeof(float), cudaMemcpyHostToDevice));
  // As far as the memory reaches; the bytes are those of integers too.
  OK(cudaBindTexture(nullptr, line_of_floats, in));
  OK(cudaBindTexture(nullptr, line_of_fours, in, cudaCreateChannelDesc<int4>(), n * sizeof(float)));
  fetch<<<1, n>>>(out, fours, n);
  OK(cudaThreadSynchronize());
  std::vector<float> got(n);
  std::vector<float> bytes(n);
  OK(cudaMemcpy(got.data(), out, n * sizeof(float), cudaMemcpyDeviceToHost));
  OK(cudaMemcpy(bytes.data(), fours, n * sizeof(float), cudaMemcpyDeviceToHost));
  for (int i = 0; i < n; ++i) {
    const float next = i + 1 < n ? static_cast<float>((i + 1) * (i + 1)) : 0;
    CHECK(got[static_cast<std::size_t>(i)] == static_cast<float>(i * i) + 2 * next);
  }
  CHECK(bytes == host);
  // From element 3 on: the texture begins before it.
  std::size_t offset = 0;
  EXPECT(cudaBindTexture(nullptr, line_of_floats, in + 3, n), cudaErrorInvalidValue);
  OK(cudaBindTexture(&offset, line_of_floats, in + 3, n * sizeof(float)));
  CHECK(offset == 3 * sizeof(float));
  OK(cudaGetTextureAlignmentOffset(&offset, line_of_floats));
  CHECK(offset == 3 * sizeof(float));
  EXPECT(cudaBindTexture(nullptr, line_of_floats, host.data(), n), cudaErrorInvalidValue);
  const textureReference* reference = nullptr;
  OK(cudaGetTextureReference(&reference, &line_of_floats));
  CHECK(reference == &line_of_floats);
  OK(cudaUnbindTexture(line_of_fours));
  OK(cudaUnbindTexture(reference));
  EXPECT(cudaGetTextureAlignmentOffset(&offset, reference), cudaErrorInvalidTextureBinding);
  OK(cudaFree(fours));
  OK(cudaFree(out));
  OK(cudaFree(in));
}

static void pictures() {
  const unsigned char host[2][4] = {{0, 51, 102, 255}, {0, 0, 0, 0}};
  cudaArray_t array = nullptr;
  OK(cudaMallocArray(&array, &picture.channelDesc, 4, 2));
  OK(cudaMemcpyToArray(array, 0, 0, host, sizeof host, cudaMemcpyHostToDevice));
  OK(cudaBindTextureToArray(picture, array));
  float* out = nullptr;
  OK(cudaMallocManaged(&out, 4 * sizeof(float)));
  fetch_picture<<<1, 4>>>(out);
  OK(cudaDeviceSynchronize());
  CHECK(out[0] == 0.1F);
  CHECK(out[1] == (51.0F / 255 + 102.0F / 255) / 2);
  CHECK(out[2] == (102.0F / 255 + 1) / 2);
  CHECK(out[3] == 0.5F);
  OK(cudaUnbindTexture(picture));
  OK(cudaFreeArray(array));

  float2 *pitched = nullptr, *pairs = nullptr;
  short* of_cube = nullptr;
  std::size_t pitch = 0;
  OK(cudaMallocPitch(&pitched, &pitch, 4 * sizeof(float2), 2));
  OK(cudaMallocManaged(&pairs, 8 * sizeof(float2)));
  OK(cudaMallocManaged(&of_cube, 8 * sizeof(short)));
  std::vector<float2> values;
  for (int i = 0; i < 8; ++i) values.push_back({static_cast<float>(i), static_cast<float>(-i)});
  OK(cudaMemcpy2D(pitched, pitch, values.data(), 4 * sizeof(float2), 4 * sizeof(float2), 2,
                  cudaMemcpyHostToDevice));
  OK(cudaBindTexture2D(nullptr, rows, pitched, 4, 2, pitch));
  short numbers[2][2][4];
  for (int i = 0; i < 16; ++i) numbers[i / 8][i / 4 % 2][i % 4] = static_cast<short>(100 + i);
  cudaArray_t box = nullptr;
  OK(cudaMalloc3DArray(&box, &cube.channelDesc, make_cudaExtent(4, 2, 2)));
  cudaMemcpy3DParms copy{};
  copy.srcPtr = make_cudaPitchedPtr(numbers, 4 * sizeof(short), 4, 2);
  copy.dstArray = box;
  copy.extent = make_cudaExtent(4, 2, 2);
  copy.kind = cudaMemcpyHostToDevice;
  OK(cudaMemcpy3D(&copy));
  OK(cudaBindTextureToArray(cube, box, cube.channelDesc));
  fetch_others<<<1, dim3(4, 2)>>>(pairs, of_cube);
  OK(cudaDeviceSynchronize());
  for (int i = 0; i < 8; ++i) {
    CHECK(pairs[i].x == static_cast<float>(i) && pairs[i].y == static_cast<float>(-i));
    CHECK(of_cube[i] == 108 + i);
  }
  OK(cudaUnbindTexture(rows));
  OK(cudaUnbindTexture(cube));
  OK(cudaFreeArray(box));
}

static void symbols() {
  const float host[4] = {1, 2, 4, 8};
  OK(cudaMemcpyToSymbol("factors", host, sizeof host, 0, cudaMemcpyHostToDevice));
  float* out = nullptr;
  OK(cudaMallocManaged(&out, sizeof host));
  use_symbols<<<1, 4>>>(out);
  OK(cudaThreadSynchronize());
  for (int i = 0; i < 4; ++i) CHECK(out[i] == host[i]);
  int got = 0;
  OK(cudaMemcpyFromSymbol(&got, "counter", sizeof got));
  CHECK(got == 41);
  std::size_t bytes = 0;
  OK(cudaGetSymbolSize(&bytes, "factors"));
  CHECK(bytes == sizeof host);
}

int main() {
  lines();
  pictures();
  symbols();
  float* out = nullptr;
  OK(cudaMallocManaged(&out, sizeof(float)));
  fetch_unbound<<<1, 1>>>(out);
  EXPECT(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  OK(cudaThreadExit());
  return failed;
}
