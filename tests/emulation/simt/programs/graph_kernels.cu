// Kernels in graphs: captured launches, nodes by a kernel's address, their parameters changed, loops by a condition.
#include <cuda_runtime.h>

#include <cstdio>

static int failed = 0;
static void check(bool holds, int line) {
  if (holds) return;
  std::printf("line %d\n", line);
  failed = 1;
}
#define CHECK(condition) check((condition), __LINE__)
#define OK(call) check((call) == cudaSuccess, __LINE__)
#define EXPECT(call, error) check((call) == (error), __LINE__)

__global__ void add(int* x, int n) { atomicAdd(x, n); }
template <class T>
__global__ void scale(T* x, T by) {
  x[threadIdx.x] *= by;
}
__global__ void count_down(int* left, int* rounds, cudaGraphConditionalHandle handle) {
  ++*rounds;
  cudaGraphSetConditional(handle, --*left > 0 ? 1 : 0);
}

static void captured(int* x) {
  cudaStream_t s;
  OK(cudaStreamCreate(&s));
  cudaGraph_t graph;
  *x = 0;
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  int n = 3;
  add<<<2, 5, 0, s>>>(x, n);
  n = 1000;  // the launch has its own copy
  scale<int><<<1, 1, 0, s>>>(x, 2);
  add<<<1, 2000, 0, s>>>(x, n);
  EXPECT(cudaGetLastError(), cudaErrorInvalidConfiguration);
  OK(cudaStreamEndCapture(s, &graph));
  CHECK(*x == 0);
  std::size_t nodes = 0;
  OK(cudaGraphGetNodes(graph, nullptr, &nodes));
  CHECK(nodes == 2);
  cudaGraphExec_t exec;
  OK(cudaGraphInstantiate(&exec, graph));
  for (int run = 0, want = 0; run < 3; ++run) {
    want = (want + 30) * 2;
    OK(cudaGraphLaunch(exec, s));
    CHECK(*x == want);
  }
  // The same with other numbers.
  cudaGraph_t second;
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  add<<<1, 1, 0, s>>>(x, 7);
  scale<int><<<1, 1, 0, s>>>(x, 3);
  OK(cudaStreamEndCapture(s, &second));
  cudaGraphExecUpdateResultInfo info;
  OK(cudaGraphExecUpdate(exec, second, &info));
  *x = 1;
  OK(cudaGraphLaunch(exec, s));
  CHECK(*x == 24);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
  OK(cudaGraphDestroy(second));
  OK(cudaStreamDestroy(s));
}

static void by_address(int* x) {
  assay_simt::register_kernel(add);
  cudaGraph_t graph;
  OK(cudaGraphCreate(&graph, 0));
  int n = 4;
  void* arguments[] = {&x, &n};
  cudaKernelNodeParams kernel{};
  kernel.func = reinterpret_cast<void*>(add);
  kernel.gridDim = dim3(3);
  kernel.blockDim = dim3(2);
  kernel.kernelParams = arguments;
  cudaGraphNode_t node, none;
  OK(cudaGraphAddKernelNode(&node, graph, nullptr, 0, &kernel));
  n = 5;
  cudaGraphExec_t exec;
  OK(cudaGraphInstantiate(&exec, graph));
  *x = 0;
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(*x == 24);
  kernel.gridDim = dim3(1);
  OK(cudaGraphExecKernelNodeSetParams(exec, node, &kernel));
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(*x == 34);
  cudaKernelNodeParams told;
  OK(cudaGraphKernelNodeGetParams(node, &told));
  CHECK(told.func == kernel.func && told.gridDim.x == 3 && told.blockDim.x == 2);
  kernel.func = x;
  EXPECT(cudaGraphAddKernelNode(&none, graph, nullptr, 0, &kernel), cudaErrorInvalidDeviceFunction);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

static void loops(int* x) {
  int* rounds = x + 1;
  assay_simt::register_kernel(count_down);
  cudaGraph_t graph;
  OK(cudaGraphCreate(&graph, 0));
  cudaGraphConditionalHandle handle;
  OK(cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault));
  cudaGraphNodeParams loop = {cudaGraphNodeTypeConditional, {}, {}, 0};
  loop.conditional.handle = handle;
  loop.conditional.type = cudaGraphCondTypeWhile;
  loop.conditional.size = 1;
  cudaGraphNode_t node, inner;
  OK(cudaGraphAddNode(&node, graph, nullptr, 0, &loop));
  void* arguments[] = {&x, &rounds, &handle};
  cudaGraphNodeParams body = {cudaGraphNodeTypeKernel, {}, {}, 0};
  body.kernel.func = reinterpret_cast<void*>(count_down);
  body.kernel.gridDim = body.kernel.blockDim = dim3(1);
  body.kernel.kernelParams = arguments;
  OK(cudaGraphAddNode(&inner, loop.conditional.phGraph_out[0], nullptr, 0, &body));
  cudaGraphExec_t exec;
  OK(cudaGraphInstantiate(&exec, graph));
  for (const int count : {4, 1}) {
    *x = count;
    *rounds = 0;
    OK(cudaGraphLaunch(exec, nullptr));
    CHECK(*x == 0 && *rounds == count);
  }
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
}

int main() {
  int* x = nullptr;
  OK(cudaMallocManaged(&x, 64));
  captured(x);
  by_address(x);
  loops(x);
  OK(cudaFree(x));
  return failed;
}
