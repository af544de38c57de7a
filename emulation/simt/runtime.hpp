// What the parts of the runtime API share: where memory lies, errors that stay, streams that capture, graphs.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "emulation/simt/include/cuda_runtime_api.h"
#include "emulation/simt/stream_capture.hpp"
#include "reference/core/large_memory.hpp"

namespace assay_simt::runtime {

// --- errors ----------------------------------------------------------------------------------------------------------

// Of a kernel: every call gives it until the device is reset. cudaSuccess for none.
cudaError_t lasting_error();
// Keeps an error for cudaGetLastError() of this host thread.
cudaError_t remember(cudaError_t error);

// A call that touches the device: not after an error that stays.
template <class Call>
cudaError_t on_device(const Call& call) {
  const cudaError_t error = lasting_error();
  return error != cudaSuccess ? error : remember(call());
}

// --- memory ----------------------------------------------------------------------------------------------------------

// Where a piece of memory lies for CUDA. What is not known is the host's.
enum class Place : std::uint8_t { host, pinned, registered, device, managed, symbol };

struct Piece {
  assay::LargeMemory memory{};
  std::size_t bytes = 0;
  Place place = Place::host;
  unsigned flags = 0;
  CUmemPoolHandle_st* pool = nullptr;
  // Of a node of a graph, which keeps the memory; between the node and its release it is live.
  bool of_graph = false, live = false;
};

// What is known of an address.
struct Found {
  Place place = Place::host;
  char* begin = nullptr;
  std::size_t bytes = 0;
  unsigned flags = 0;
  CUmemPoolHandle_st* pool = nullptr;
};

class Memory {
 public:
  cudaError_t allocate(void** out, std::size_t bytes, Piece piece);
  // Device and managed memory, or pinned memory.
  cudaError_t release(void* at, bool pinned);
  cudaError_t add(void* at, std::size_t bytes, Place place, unsigned flags);
  cudaError_t remove_registered(void* at);
  void add_symbol(const void* at, std::size_t bytes);
  Found find(const void* at) const;
  // Whether a piece of the place holds [at, at + bytes); memory of the host is taken to be whole.
  bool whole(const void* at, std::size_t bytes) const;
  void clear();

  cudaError_t begin_life(void* at, bool again);
  void drop_of_graph(void* at);
  std::size_t bytes_of_graphs(bool live) const;
  bool any_of_pool(const CUmemPoolHandle_st* pool) const;

 private:
  using Pieces = std::map<const char*, Piece>;
  Pieces::const_iterator at_or_before(const void* at) const;

  mutable std::mutex mutex_{};
  Pieces pieces_{};
};
Memory& memory();

// --- arrays ----------------------------------------------------------------------------------------------------------

// Bytes of an element; 0 if the format is none that textures have.
std::size_t element_bytes(const cudaChannelFormatDesc& format);

}  // namespace assay_simt::runtime

// Rows without gaps; layers and faces after one another. An array that no list of live ones holds is none.
struct cudaArray {
  cudaChannelFormatDesc format{};
  cudaExtent extent{};
  unsigned flags = 0;
  std::size_t element = 0;
  assay::LargeMemory memory{};
  bool of_mipmap = false;

  std::size_t row_bytes() const { return extent.width * element; }
  std::size_t rows() const { return extent.height == 0 ? 1 : extent.height; }
  std::size_t slices() const { return extent.depth == 0 ? 1 : extent.depth; }
  bool layered() const { return (flags & (cudaArrayLayered | cudaArrayCubemap)) != 0; }
  unsigned char* row(std::size_t y, std::size_t z) const {
    return memory.get() + (z * rows() + y) * row_bytes();
  }
};
struct cudaMipmappedArray {
  std::vector<std::unique_ptr<cudaArray>> levels{};
};

namespace assay_simt::runtime {

bool is_array(const cudaArray* array);
bool is_mipmapped(const cudaMipmappedArray* array);

// --- what streams and graphs do --------------------------------------------------------------------------------------

struct KernelWork {
  CapturedLaunch launch{};
};
struct EventWork {
  cudaEvent_t event;
  bool record;
};
// Freed with the last graph that holds it.
struct GraphMemory {
  void* memory = nullptr;
  GraphMemory() = default;
  GraphMemory(const GraphMemory&) = delete;
  GraphMemory& operator=(const GraphMemory&) = delete;
  ~GraphMemory();
};
struct AllocationWork {
  cudaMemAllocNodeParams parameters{};
  std::shared_ptr<GraphMemory> memory{};
};
struct FreeWork {
  void* memory;
};
struct Conditional {
  std::atomic<unsigned> value{0};
  unsigned first = 0;
  bool assigned_at_launch = false;
};
struct ConditionalWork {
  Conditional* condition = nullptr;
  cudaGraphConditionalNodeType type{};
  std::vector<std::shared_ptr<CUgraph_st>> bodies{};
  std::vector<cudaGraph_t> handles{};  // of the bodies, for the program
};
struct NoWork {};
using Work = std::variant<NoWork, KernelWork, cudaMemcpy3DParms, cudaMemsetParams, cudaHostNodeParams,
                          std::shared_ptr<CUgraph_st>, EventWork, AllocationWork, FreeWork, ConditionalWork>;

cudaGraphNodeType type_of(const Work& work);

// Checks and work, apart: a graph checks when a node is made, and again when it runs.
cudaError_t check_copy(const cudaMemcpy3DParms& copy);
cudaError_t check_fill(const cudaMemsetParams& fill);
cudaError_t do_copy(const cudaMemcpy3DParms& copy);
cudaError_t do_fill(const cudaMemsetParams& fill);
cudaMemcpy3DParms copy_of_bytes(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);

// Runs the work, or makes it a node of the graph that the stream captures.
cudaError_t enqueue(cudaStream_t stream, Work work);
// Of a call that waits for the device: what a capture makes of it. cudaSuccess where nothing captures.
cudaError_t why_not_now(bool of_legacy_stream);
cudaError_t run_work(Work& work);

// --- streams ---------------------------------------------------------------------------------------------------------

struct Capture {
  std::shared_ptr<CUgraph_st> graph{};
  cudaGraph_t shown = nullptr;  // the graph as the program knows it
  bool of_program = false;      // the graph was there before
  cudaStreamCaptureMode mode{};
  std::uint64_t thread = 0, id = 0;
  CUstream_st* origin = nullptr;
  bool invalid = false, ended = false;
  std::vector<CUstream_st*> streams{};
  std::vector<cudaGraphNode_t> left{};  // by streams that were destroyed
};

// Null where the handle is of no stream.
CUstream_st* stream_of(cudaStream_t stream);
bool is_event(cudaEvent_t event);

}  // namespace assay_simt::runtime

struct CUstream_st {
  unsigned flags = 0;
  int priority = 0;
  unsigned long long id = 0;
  std::map<cudaLaunchAttributeID, cudaLaunchAttributeValue> attributes{};
  std::shared_ptr<assay_simt::runtime::Capture> capture{};
  std::vector<cudaGraphNode_t> last{};  // what the next node of the capture comes after
};
struct CUevent_st {
  bool recorded = false;
  unsigned flags = 0;
  std::chrono::steady_clock::time_point at{};
  std::shared_ptr<assay_simt::runtime::Capture> capture{};
  std::vector<cudaGraphNode_t> last{};
};

struct CUgraphNode_st {
  assay_simt::runtime::Work work{};
  CUgraph_st* graph = nullptr;
  std::vector<CUgraphNode_st*> after{};
  CUgraphNode_st* original = nullptr;  // of a clone
  bool enabled = true;
};
struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes{};
  std::vector<std::shared_ptr<assay_simt::runtime::Conditional>> conditions{};
  std::vector<CUgraphNode_st*> order{};  // once instantiated
};

namespace assay_simt::runtime {

bool is_graph(cudaGraph_t graph);
CUgraphNode_st* add_node(CUgraph_st& graph, std::vector<cudaGraphNode_t> after, Work work);
std::shared_ptr<CUgraph_st> clone_of(const CUgraph_st& graph);
// Gives a graph to the program, which destroys it.
cudaGraph_t give(std::shared_ptr<CUgraph_st> graph);
cudaError_t run_graph(CUgraph_st& graph);
// A graph that another one holds, or a capture: the program may ask for it, and not destroy it.
void know_inner(CUgraph_st& graph);
// Of a graph that ends: its nodes are none any more.
void forget(CUgraph_st& graph);

}  // namespace assay_simt::runtime
