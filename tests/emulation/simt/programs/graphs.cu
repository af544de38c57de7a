// Graphs of copies, sets and calls of the host; capture of streams; events; what a capture forbids.
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

static std::vector<int> order;
static int numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
static void note(void* number) { order.push_back(*static_cast<int*>(number)); }
static cudaGraphNode_t host_node(cudaGraph_t graph, int number, const std::vector<cudaGraphNode_t>& after) {
  cudaGraphNode_t node = nullptr;
  const cudaHostNodeParams call{note, &numbers[number]};
  OK(cudaGraphAddHostNode(&node, graph, after.data(), after.size(), &call));
  return node;
}
static std::size_t place_of(int number) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] == number) return i;
  }
  return 1000;
}

// A diamond, made in an order that is not the one in which it must run.
static void diamond() {
  cudaGraph_t graph;
  OK(cudaGraphCreate(&graph, 0));
  const cudaGraphNode_t last = host_node(graph, 3, {}), left = host_node(graph, 1, {}),
                        right = host_node(graph, 2, {}), first = host_node(graph, 0, {});
  const cudaGraphNode_t from[] = {first, first, left, right}, to[] = {left, right, last, last};
  OK(cudaGraphAddDependencies(graph, from, to, 4));
  EXPECT(cudaGraphAddDependencies(graph, from, to, 1), cudaErrorInvalidValue);
  std::size_t nodes = 0, edges = 0, roots = 0, count = 0;
  OK(cudaGraphGetNodes(graph, nullptr, &nodes));
  OK(cudaGraphGetEdges(graph, nullptr, nullptr, &edges));
  OK(cudaGraphGetRootNodes(graph, nullptr, &roots));
  CHECK(nodes == 4 && edges == 4 && roots == 1);
  OK(cudaGraphNodeGetDependencies(last, nullptr, &count));
  CHECK(count == 2);
  OK(cudaGraphNodeGetDependentNodes(first, nullptr, &count));
  CHECK(count == 2);
  cudaGraphNodeType type;
  OK(cudaGraphNodeGetType(first, &type));
  CHECK(type == cudaGraphNodeTypeHost);

  cudaGraphExec_t exec;
  OK(cudaGraphInstantiate(&exec, graph, 0));
  for (int run = 1; run <= 3; ++run) {
    order.clear();
    OK(cudaGraphLaunch(exec, nullptr));
    CHECK(order.size() == 4 && order.front() == 0 && order.back() == 3);
  }
  // What changes in the graph does not change what was instantiated.
  const cudaHostNodeParams other{note, &numbers[7]};
  OK(cudaGraphHostNodeSetParams(left, &other));
  order.clear();
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(place_of(1) != 1000 && place_of(7) == 1000);
  cudaGraphExecUpdateResultInfo info;
  OK(cudaGraphExecUpdate(exec, graph, &info));
  CHECK(info.result == cudaGraphExecUpdateSuccess);
  order.clear();
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(place_of(1) == 1000 && place_of(7) != 1000);
  const cudaHostNodeParams third{note, &numbers[6]};
  OK(cudaGraphExecHostNodeSetParams(exec, right, &third));
  order.clear();
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(place_of(2) == 1000 && place_of(6) != 1000);
  // Another topology.
  const cudaGraphNode_t fifth = host_node(graph, 4, {last});
  EXPECT(cudaGraphExecUpdate(exec, graph, &info), cudaErrorGraphExecUpdateFailure);
  CHECK(info.result == cudaGraphExecUpdateErrorTopologyChanged);
  OK(cudaGraphDestroyNode(fifth));
  EXPECT(cudaGraphDestroyNode(fifth), cudaErrorInvalidValue);
  // A circle cannot be run.
  OK(cudaGraphAddDependencies(graph, &last, &first, 1));
  cudaGraphExec_t circle;
  EXPECT(cudaGraphInstantiate(&circle, graph, 0), cudaErrorInvalidValue);
  OK(cudaGraphRemoveDependencies(graph, &last, &first, 1));

  // A clone lives on its own, and as a child it runs in its parent's order.
  cudaGraph_t clone, parent;
  OK(cudaGraphClone(&clone, graph));
  cudaGraphNode_t in_clone = nullptr;
  OK(cudaGraphNodeFindInClone(&in_clone, left, clone));
  CHECK(in_clone != left);
  OK(cudaGraphDestroy(graph));
  EXPECT(cudaGraphDestroy(graph), cudaErrorInvalidValue);
  EXPECT(cudaGraphNodeGetType(first, &type), cudaErrorInvalidValue);
  OK(cudaGraphCreate(&parent, 0));
  const cudaGraphNode_t before = host_node(parent, 4, {});
  cudaGraphNode_t child;
  OK(cudaGraphAddChildGraphNode(&child, parent, &before, 1, clone));
  host_node(parent, 5, {child});
  OK(cudaGraphDestroy(clone));
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphInstantiateWithFlags(&exec, parent));
  order.clear();
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(order.size() == 6 && order.front() == 4 && order[1] == 0 && order[4] == 3 && order.back() == 5);
  OK(cudaGraphExecDestroy(exec));
  EXPECT(cudaGraphLaunch(exec, nullptr), cudaErrorInvalidValue);
  OK(cudaGraphDestroy(parent));
}

static void copies_and_sets() {
  int *a = nullptr, *b = nullptr, host[16], back[16];
  for (int i = 0; i < 16; ++i) host[i] = i * i;
  OK(cudaMalloc(&a, sizeof host));
  OK(cudaMalloc(&b, sizeof host));
  cudaGraph_t graph;
  OK(cudaGraphCreate(&graph, 0));
  cudaGraphNode_t up, across, set, down;
  OK(cudaGraphAddMemcpyNode1D(&up, graph, nullptr, 0, a, host, sizeof host, cudaMemcpyHostToDevice));
  cudaMemcpy3DParms copy{};
  copy.srcPtr = make_cudaPitchedPtr(a, sizeof host, sizeof host, 1);
  copy.dstPtr = make_cudaPitchedPtr(b, sizeof host, sizeof host, 1);
  copy.extent = make_cudaExtent(sizeof host, 1, 1);
  copy.kind = cudaMemcpyDeviceToDevice;
  OK(cudaGraphAddMemcpyNode(&across, graph, &up, 1, &copy));
  const cudaMemsetParams fill{b + 4, 16, 0x01020304, 4, 2, 3};
  OK(cudaGraphAddMemsetNode(&set, graph, &across, 1, &fill));
  OK(cudaGraphAddMemcpyNode1D(&down, graph, &set, 1, back, b, sizeof host, cudaMemcpyDeviceToHost));
  EXPECT(cudaGraphAddMemcpyNode1D(&down, graph, &set, 1, back, b, 65, cudaMemcpyDeviceToHost),
         cudaErrorInvalidValue);
  cudaGraphExec_t exec;
  OK(cudaGraphInstantiate(&exec, graph, nullptr, nullptr, 0));
  for (int run = 0; run < 2; ++run) {
    host[1] += 100;
    std::memset(back, 0, sizeof back);
    OK(cudaGraphLaunch(exec, nullptr));
    for (int i = 0; i < 16; ++i) {
      const bool is_set = i >= 4 && i % 4 < 2;
      CHECK(back[i] == (is_set ? 0x01020304 : host[i]));
    }
  }
  OK(cudaGraphNodeSetEnabled(exec, set, 0));
  OK(cudaGraphLaunch(exec, nullptr));
  CHECK(back[4] == 16);
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
  OK(cudaFree(a));
  OK(cudaFree(b));
}

static void capture() {
  int *a = nullptr, host = 5, back = 0;
  OK(cudaMalloc(&a, 4));
  cudaStream_t s, t;
  cudaEvent_t fork, join;
  OK(cudaStreamCreate(&s));
  OK(cudaStreamCreate(&t));
  OK(cudaEventCreate(&fork));
  OK(cudaEventCreate(&join));
  cudaGraph_t graph = nullptr;
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  EXPECT(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal), cudaErrorIllegalState);
  cudaStreamCaptureStatus status;
  OK(cudaStreamIsCapturing(s, &status));
  CHECK(status == cudaStreamCaptureStatusActive);
  OK(cudaMemcpyAsync(a, &host, 4, cudaMemcpyHostToDevice, s));
  OK(cudaEventRecord(fork, s));
  OK(cudaStreamWaitEvent(t, fork));
  OK(cudaStreamIsCapturing(t, &status));
  CHECK(status == cudaStreamCaptureStatusActive);
  OK(cudaLaunchHostFunc(t, note, &numbers[1]));
  OK(cudaLaunchHostFunc(s, note, &numbers[2]));
  OK(cudaEventRecord(join, t));
  OK(cudaStreamWaitEvent(s, join));
  OK(cudaMemcpyAsync(&back, a, 4, cudaMemcpyDeviceToHost, s));
  order.clear();
  OK(cudaStreamEndCapture(s, &graph));
  CHECK(order.empty() && back == 0);
  OK(cudaStreamIsCapturing(t, &status));
  CHECK(status == cudaStreamCaptureStatusNone);
  std::size_t nodes = 0, edges = 0;
  OK(cudaGraphGetNodes(graph, nullptr, &nodes));
  OK(cudaGraphGetEdges(graph, nullptr, nullptr, &edges));
  CHECK(nodes == 4 && edges == 4);
  cudaGraphExec_t exec;
  OK(cudaGraphInstantiate(&exec, graph));
  OK(cudaGraphLaunch(exec, s));
  CHECK(back == 5 && order.size() == 2);
  host = 6;
  OK(cudaGraphLaunch(exec, s));
  CHECK(back == 6 && order.size() == 4);

  // Not joined again.
  cudaGraph_t none = nullptr;
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  OK(cudaEventRecord(fork, s));
  OK(cudaStreamWaitEvent(t, fork));
  OK(cudaLaunchHostFunc(t, note, &numbers[1]));
  EXPECT(cudaStreamEndCapture(t, &none), cudaErrorStreamCaptureUnmatched);
  EXPECT(cudaStreamEndCapture(s, &none), cudaErrorStreamCaptureUnjoined);
  CHECK(none == nullptr);
  // A stream may end once it is joined, and not before.
  for (const bool joined : {false, true}) {
    cudaStream_t third;
    OK(cudaStreamCreate(&third));
    OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
    OK(cudaEventRecord(fork, s));
    OK(cudaStreamWaitEvent(third, fork));
    OK(cudaLaunchHostFunc(third, note, &numbers[1]));
    OK(cudaEventRecord(join, third));
    if (joined) OK(cudaStreamWaitEvent(s, join));
    OK(cudaStreamDestroy(third));
    EXPECT(cudaStreamEndCapture(s, &none), joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined);
  }
  OK(cudaGraphDestroy(none));
  // Into a graph that is there.
  cudaGraph_t mine;
  OK(cudaGraphCreate(&mine, 0));
  const cudaGraphNode_t begin = host_node(mine, 0, {});
  OK(cudaStreamBeginCaptureToGraph(s, mine, &begin, nullptr, 1, cudaStreamCaptureModeGlobal));
  OK(cudaLaunchHostFunc(s, note, &numbers[1]));
  OK(cudaStreamEndCapture(s, nullptr));
  OK(cudaGraphGetNodes(mine, nullptr, &nodes));
  OK(cudaGraphGetEdges(mine, nullptr, nullptr, &edges));
  CHECK(nodes == 2 && edges == 1);
  OK(cudaGraphDestroy(mine));
  // The graph of a capture takes nodes while it lasts, and what comes next comes after them.
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  OK(cudaLaunchHostFunc(s, note, &numbers[0]));
  const cudaGraphNode_t* last = nullptr;
  std::size_t lasts = 0;
  OK(cudaStreamGetCaptureInfo(s, &status, nullptr, &mine, &last, nullptr, &lasts));
  CHECK(lasts == 1);
  cudaGraphNode_t between = host_node(mine, 1, {last, last + lasts});
  OK(cudaStreamUpdateCaptureDependencies(s, &between, 1, cudaStreamSetCaptureDependencies));
  OK(cudaLaunchHostFunc(s, note, &numbers[2]));
  EXPECT(cudaGraphDestroy(mine), cudaErrorInvalidValue);
  OK(cudaStreamEndCapture(s, &none));
  CHECK(none == mine);
  OK(cudaGraphGetEdges(mine, nullptr, nullptr, &edges));
  CHECK(edges == 2);
  OK(cudaGraphDestroy(mine));
  // Calls that wait.
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  EXPECT(cudaStreamSynchronize(s), cudaErrorStreamCaptureUnsupported);
  EXPECT(cudaStreamEndCapture(s, &none), cudaErrorStreamCaptureInvalidated);
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
  EXPECT(cudaMemcpy(a, &host, 4, cudaMemcpyHostToDevice), cudaErrorStreamCaptureImplicit);
  EXPECT(cudaLaunchHostFunc(s, note, &numbers[1]), cudaErrorStreamCaptureInvalidated);
  EXPECT(cudaStreamEndCapture(s, &none), cudaErrorStreamCaptureInvalidated);
  int* more = nullptr;
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  EXPECT(cudaMalloc(&more, 4), cudaErrorStreamCaptureUnsupported);
  EXPECT(cudaStreamEndCapture(s, &none), cudaErrorStreamCaptureInvalidated);
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
  OK(cudaMalloc(&more, 4));
  OK(cudaStreamEndCapture(s, &none));
  OK(cudaGraphDestroy(none));
  EXPECT(cudaStreamEndCapture(s, &none), cudaErrorIllegalState);
  EXPECT(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);

  // Memory of a capture, and of nodes.
  char *taken = nullptr, byte = 0;
  OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
  OK(cudaMallocAsync(&taken, 10, s));
  OK(cudaMemsetAsync(taken, 42, 10, s));
  OK(cudaMemcpyAsync(&byte, taken + 9, 1, cudaMemcpyDeviceToHost, s));
  OK(cudaFreeAsync(taken, s));
  cudaGraph_t with_memory;
  OK(cudaStreamEndCapture(s, &with_memory));
  cudaGraphExec_t memory_exec;
  OK(cudaGraphInstantiate(&memory_exec, with_memory));
  OK(cudaGraphLaunch(memory_exec, s));
  CHECK(byte == 42);
  OK(cudaGraphLaunch(memory_exec, s));
  OK(cudaGraphExecDestroy(memory_exec));
  OK(cudaGraphDestroy(with_memory));
  EXPECT(cudaMemset(taken, 0, 10), cudaErrorInvalidValue);

  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
  float milliseconds = -1;
  cudaEvent_t without_time;
  OK(cudaEventCreateWithFlags(&without_time, cudaEventDisableTiming));
  OK(cudaEventRecord(without_time, s));
  EXPECT(cudaEventElapsedTime(&milliseconds, fork, join), cudaErrorInvalidResourceHandle);
  OK(cudaEventRecord(fork, s));
  OK(cudaEventRecord(join, t));
  OK(cudaEventElapsedTime(&milliseconds, fork, join));
  CHECK(milliseconds >= 0);
  EXPECT(cudaEventElapsedTime(&milliseconds, fork, without_time), cudaErrorInvalidResourceHandle);
  OK(cudaEventDestroy(fork));
  EXPECT(cudaEventRecord(fork, s), cudaErrorInvalidResourceHandle);
  OK(cudaStreamDestroy(s));
  OK(cudaStreamDestroy(t));
}

int main() {
  diamond();
  copies_and_sets();
  capture();
  return failed;
}
