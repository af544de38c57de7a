// cuda::atomic and atomic_ref in all scopes, latches, semaphores, cuda::barrier of the device; cuda::std.
#include <cuda/atomic>
#include <cuda/barrier>
#include <cuda/latch>
#include <cuda/semaphore>
#include <cuda/std/array>
#include <cuda/std/atomic>
#include <cuda/std/chrono>
#include <cuda/std/cmath>
#include <cuda/std/complex>
#include <cuda/std/cstddef>
#include <cuda/std/cstdint>
#include <cuda/std/functional>
#include <cuda/std/limits>
#include <cuda/std/span>
#include <cuda/std/tuple>
#include <cuda/std/type_traits>
#include <cuda/std/utility>

#include <cstdio>
#include <thread>

__device__ int wrong = 0;
#define EXPECT(condition)                                                         \
  do {                                                                            \
    if (!(condition) && atomicAdd(&wrong, 1) == 0)                                \
      std::printf("line %d, thread %u: %s\n", __LINE__, threadIdx.x, #condition); \
  } while (0)

struct Counters {
  cuda::atomic<unsigned, cuda::thread_scope_device> add, least, most;
  cuda::atomic<unsigned long long, cuda::thread_scope_system> bits;
  cuda::std::atomic<int> wraps;
  cuda::atomic<float, cuda::thread_scope_device> sum;
  double plain;
};

template <class T, cuda::thread_scope Scope>
__device__ void check_one() {
  cuda::atomic<T, Scope> a{T(5)};
  EXPECT(a.load(cuda::std::memory_order_acquire) == T(5) && a == T(5));
  a.store(T(7), cuda::memory_order_release);
  EXPECT(a.exchange(T(9)) == T(7) && a.load(cuda::memory_order_relaxed) == T(9));
  auto& seen_by_host = static_cast<volatile cuda::atomic<T, Scope>&>(a);
  EXPECT(seen_by_host.load(cuda::memory_order_acquire) == T(9) && seen_by_host.fetch_add(T(0)) == T(9));
  T expected = T(1);
  EXPECT(!a.compare_exchange_strong(expected, T(2)) && expected == T(9));
  EXPECT(a.compare_exchange_weak(expected, T(12), cuda::memory_order_acq_rel, cuda::memory_order_relaxed));
  EXPECT(a.fetch_sub(T(2)) == T(12) && (a += T(3)) == T(13) && ++a == T(14) && a-- == T(14));
  EXPECT(a.fetch_min(T(20)) == T(13) && a.fetch_max(T(20)) == T(13) && a.fetch_min(T(4)) == T(20) &&
         a == T(4));
  if constexpr (std::is_integral_v<T>) {
    a = T(12);
    EXPECT(a.fetch_and(T(10)) == T(12) && a.fetch_or(T(3)) == T(8) && a.fetch_xor(T(1)) == T(11) &&
           a == T(10));
    a = std::numeric_limits<T>::max();
    EXPECT(++a == std::numeric_limits<T>::min());
  }
}

__global__ void all(Counters* c, int* array, unsigned n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  check_one<int, cuda::thread_scope_thread>();
  check_one<unsigned char, cuda::thread_scope_block>();
  check_one<long long, cuda::thread_scope_system>();
  check_one<float, cuda::thread_scope_device>();
  c->add.fetch_add(i, cuda::memory_order_relaxed);
  c->least.fetch_min(i * 7919 % n + 3);
  c->most.fetch_max(i * 7919 % n + 3);
  c->bits.fetch_xor(1ULL << i % 64);
  c->wraps.fetch_add(1 << 30);
  c->sum.fetch_add(0.5F);
  cuda::atomic_ref<double, cuda::thread_scope_device>(c->plain).fetch_add(0.25);
  cuda::std::atomic_ref<int> element(array[i % 10]);
  ++element;
  cuda::atomic_thread_fence(cuda::memory_order_seq_cst, cuda::thread_scope_device);
  int* at = array;
  cuda::atomic<int*> pointer(at);
  EXPECT(pointer.fetch_add(2) == array && pointer.load() == array + 2);
}

// Threads of a block wait for each other, backwards.
__global__ void waits() {
  __shared__ cuda::atomic<unsigned, cuda::thread_scope_block> turn;
  __shared__ cuda::latch<cuda::thread_scope_block> started;
  __shared__ cuda::counting_semaphore<cuda::thread_scope_block, 4> places;
  __shared__ int inside, most;
  if (threadIdx.x == 0) {
    turn = blockDim.x - 1;
    init(&started, blockDim.x);
    init(&places, 4);
    inside = most = 0;
  }
  __syncthreads();
  if (threadIdx.x % 2 == 0) {
    for (unsigned now = turn; now != threadIdx.x; now = turn) turn.wait(now);
  } else {
    while (turn.load(cuda::memory_order_acquire) != threadIdx.x) {
    }
  }
  turn.fetch_sub(1, cuda::memory_order_release);
  turn.notify_all();
  started.arrive_and_wait();
  EXPECT(turn == ~0U);
  places.acquire();
  most = max(most, ++inside);
  __syncwarp(1U << threadIdx.x % 32);
  --inside;
  places.release();
  __syncthreads();
  EXPECT(most >= 1 && most <= 4 && inside == 0);
}

// The last block sums, as the guide's threadFenceReduction; a barrier of the device that each block uses alone.
__global__ void last_block(int* parts, cuda::atomic<unsigned>* done, int* sum,
                           cuda::barrier<cuda::thread_scope_device>* barriers) {
  __shared__ bool last;
  if (threadIdx.x == 0) {
    init(barriers + blockIdx.x, blockDim.x);
    parts[blockIdx.x] = static_cast<int>(blockIdx.x) + 1;
    last = done->fetch_add(1, cuda::memory_order_acq_rel) == gridDim.x - 1;
  }
  __syncthreads();
  for (int i = 0; i < 3; ++i) barriers[blockIdx.x].arrive_and_wait();
  auto token = barriers[blockIdx.x].arrive();
  barriers[blockIdx.x].wait(std::move(token));
  if (last && threadIdx.x == 0) {
    for (unsigned b = 0; b < gridDim.x; ++b) *sum += parts[b];
  }
}

template <class T>
__device__ void check_built_in() {
  constexpr int order = __NV_ATOMIC_RELAXED, scope = __NV_THREAD_SCOPE_BLOCK;
  T a = T(5), b = T(6), was = T(0);
  __nv_atomic_store_n(&a, T(7), __NV_ATOMIC_RELEASE);
  EXPECT(__nv_atomic_load_n(&a, __NV_ATOMIC_ACQUIRE, scope) == T(7));
  __nv_atomic_store(&a, &b, order);
  __nv_atomic_load(&a, &was, order);
  EXPECT(was == T(6) && __nv_atomic_exchange_n(&a, T(9), order) == T(6));
  __nv_atomic_exchange(&a, &b, &was, __NV_ATOMIC_ACQ_REL, scope);
  EXPECT(was == T(9) && a == T(6));
  T expected = T(1);
  EXPECT(!__nv_atomic_compare_exchange_n(&a, &expected, T(2), true, __NV_ATOMIC_SEQ_CST, order) &&
         expected == T(6));
  b = T(12);
  EXPECT(__nv_atomic_compare_exchange(&a, &expected, &b, false, order, order, scope) && a == T(12));
}
__global__ void built_in(unsigned* counts) {
  check_built_in<int>();
  check_built_in<double>();
  check_built_in<signed char>();
  check_built_in<unsigned short>();
  constexpr int order = __NV_ATOMIC_RELAXED;
  int a = 12;
  EXPECT(__nv_atomic_fetch_add(&a, 3, order) == 12 && __nv_atomic_fetch_sub(&a, 2, order) == 15);
  EXPECT(__nv_atomic_fetch_min(&a, 7, order) == 13 && __nv_atomic_fetch_max(&a, 9, order) == 7);
  EXPECT(__nv_atomic_fetch_and(&a, 8, order) == 9 && __nv_atomic_fetch_or(&a, 3, order) == 8 &&
         __nv_atomic_fetch_xor(&a, 1, order) == 11 && a == 10);
  __nv_atomic_thread_fence(__NV_ATOMIC_SEQ_CST, __NV_THREAD_SCOPE_DEVICE);
  __nv_atomic_add(counts, 1, order, __NV_THREAD_SCOPE_DEVICE);
  __nv_atomic_max(counts + 1, blockIdx.x * blockDim.x + threadIdx.x, order);
}

__global__ void standard() {
  cuda::std::array<int, 3> a{1, 2, 3};
  const auto [x, y] = cuda::std::make_tuple(a[0], cuda::std::get<1>(a));
  static_assert(cuda::std::is_same_v<cuda::std::int32_t, int>);
  EXPECT(x + y == 3 && cuda::std::plus<int>()(2, 3) == 5);
  EXPECT(cuda::std::numeric_limits<short>::max() == 32767 && cuda::std::span<int>(a).size() == 3);
  const cuda::std::complex<float> i(0, 1);
  EXPECT((i * i).real() == -1 && cuda::std::fma(2.0, 3.0, 1.0) == 7 &&
         cuda::std::chrono::seconds(2).count() == 2);
}

int main() {
  constexpr unsigned blocks = 10, threads = 128, n = blocks * threads;
  Counters* c = nullptr;
  int *array = nullptr, *parts = nullptr;
  cuda::atomic<unsigned>* done = nullptr;
  cuda::barrier<cuda::thread_scope_device>* barriers = nullptr;
  cudaMallocManaged(&c, sizeof *c);
  cudaMallocManaged(&array, 10 * sizeof(int));
  cudaMallocManaged(&parts, (blocks + 1) * sizeof(int));
  cudaMallocManaged(&done, sizeof *done);
  cudaMallocManaged(&barriers, blocks * sizeof *barriers);
  c->add = c->most = 0;
  c->least = ~0U;
  c->bits = 0;
  c->wraps = 0;
  c->sum = 0;
  c->plain = 0;
  *done = 0;
  for (unsigned i = 0; i < 10; ++i) array[i] = 0;
  parts[blocks] = 0;
  all<<<blocks, threads>>>(c, array, n);
  waits<<<3, 96>>>();
  last_block<<<blocks, threads>>>(parts, done, parts + blocks, barriers);
  standard<<<1, 1>>>();
  unsigned* counts = nullptr;
  cudaMallocManaged(&counts, 2 * sizeof *counts);
  counts[0] = counts[1] = 0;
  built_in<<<blocks, threads>>>(counts);
  if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess) {
    std::printf("%s\n", cudaGetErrorString(error));
    return 1;
  }
  if (c->add != n * (n - 1) / 2 || c->least != 3 || c->most != n + 2 || c->bits != 0 || c->wraps != 0 ||
      c->sum != 0.5F * n || c->plain != 0.25 * n || parts[blocks] != 55)
    return 3;
  for (unsigned i = 0; i < 10; ++i) {
    if (array[i] != static_cast<int>(n / 10)) return 4;
  }
  if (counts[0] != n || counts[1] != n - 1) return 5;
  return wrong == 0 ? 0 : 2;
}
