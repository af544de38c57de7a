// Streams, events and the capture of streams.
#include <algorithm>
#include <set>
#include <unordered_set>

#include "emulation/simt/runtime.hpp"

namespace assay_simt::runtime {
namespace {

struct Handles {
  std::mutex mutex{};
  std::unordered_set<const CUstream_st*> streams{};
  std::unordered_set<const CUevent_st*> events{};
  std::vector<std::shared_ptr<Capture>> captures{};  // that are under way
  std::uint64_t next_id = 3;                         // 1 and 2 are the default streams
};
Handles& handles() {
  static Handles& all = *new Handles;
  return all;
}

constinit thread_local cudaStreamCaptureMode mode_of_thread = cudaStreamCaptureModeGlobal;

std::uint64_t this_thread() {
  static std::atomic<std::uint64_t> next{1};
  thread_local const std::uint64_t id = next++;
  return id;
}

CUstream_st& legacy_stream() {
  static CUstream_st& stream = *new CUstream_st;
  stream.id = 1;
  return stream;
}
CUstream_st& stream_per_thread() {
  thread_local CUstream_st stream;
  stream.id = 2;
  stream.flags = cudaStreamNonBlocking;
  return stream;
}

constexpr int least_priority = 0, greatest_priority = -5;

cudaError_t new_stream(cudaStream_t* stream, unsigned flags, int priority) {
  if (stream == nullptr || flags > cudaStreamNonBlocking) return remember(cudaErrorInvalidValue);
  return on_device([&] {
    auto* const made = new CUstream_st;
    made->flags = flags;
    made->priority = std::clamp(priority, greatest_priority, least_priority);
    const std::scoped_lock lock(handles().mutex);
    made->id = handles().next_id++;
    handles().streams.insert(made);
    *stream = made;
    return cudaSuccess;
  });
}

// A stream joins the capture of what it waits for.
void join(CUstream_st& stream, const std::shared_ptr<Capture>& capture) {
  if (stream.capture == capture) return;
  stream.capture = capture;
  stream.last.clear();
  capture->streams.push_back(&stream);
}
void add_last(CUstream_st& stream, const std::vector<cudaGraphNode_t>& nodes) {
  for (const cudaGraphNode_t node : nodes) {
    if (std::find(stream.last.begin(), stream.last.end(), node) == stream.last.end())
      stream.last.push_back(node);
  }
}

cudaError_t begin_capture(cudaStream_t stream, std::shared_ptr<Capture> capture,
                          std::vector<cudaGraphNode_t> last) {
  CUstream_st* const origin = stream_of(stream);
  if (origin == nullptr) return cudaErrorInvalidResourceHandle;
  // The legacy stream cannot capture.
  if (origin == &legacy_stream()) return cudaErrorStreamCaptureUnsupported;
  if (origin->capture != nullptr) return cudaErrorIllegalState;
  capture->thread = this_thread();
  capture->origin = origin;
  join(*origin, capture);
  origin->last = std::move(last);
  const std::scoped_lock lock(handles().mutex);
  capture->id = handles().next_id++;
  handles().captures.push_back(std::move(capture));
  return cudaSuccess;
}

void end_capture(Capture& capture) {
  for (CUstream_st* const stream : capture.streams) {
    stream->capture = nullptr;
    stream->last.clear();
  }
  capture.streams.clear();
  capture.ended = true;
  const std::scoped_lock lock(handles().mutex);
  std::erase_if(handles().captures, [&](const auto& one) { return one.get() == &capture; });
}

// Whether all that the streams of the capture did leads to the end of its origin.
bool joined(const Capture& capture) {
  std::set<const CUgraphNode_st*> before;
  std::vector<const CUgraphNode_st*> open(capture.origin->last.begin(), capture.origin->last.end());
  while (!open.empty()) {
    const CUgraphNode_st* const node = open.back();
    open.pop_back();
    if (before.insert(node).second) open.insert(open.end(), node->after.begin(), node->after.end());
  }
  const auto leads_there = [&](const std::vector<cudaGraphNode_t>& last) {
    return std::all_of(last.begin(), last.end(),
                       [&](const CUgraphNode_st* node) { return before.contains(node); });
  };
  return leads_there(capture.left) &&
         std::all_of(capture.streams.begin(), capture.streams.end(),
                     [&](const CUstream_st* stream) { return leads_there(stream->last); });
}

// Of a call on a stream that a capture forbids.
cudaError_t not_while_capturing(CUstream_st& stream) {
  if (stream.capture == nullptr) return cudaSuccess;
  stream.capture->invalid = true;
  return cudaErrorStreamCaptureUnsupported;
}

}  // namespace

CUstream_st* stream_of(cudaStream_t stream) {
  if (stream == nullptr || stream == cudaStreamLegacy) return &legacy_stream();
  if (stream == cudaStreamPerThread) return &stream_per_thread();
  const std::scoped_lock lock(handles().mutex);
  return handles().streams.contains(stream) ? stream : nullptr;
}
bool is_event(cudaEvent_t event) {
  const std::scoped_lock lock(handles().mutex);
  return event != nullptr && handles().events.contains(event);
}

cudaError_t why_not_now(bool of_legacy_stream) {
  std::vector<std::shared_ptr<Capture>> captures;
  {
    const std::scoped_lock lock(handles().mutex);
    if (handles().captures.empty()) return cudaSuccess;
    captures = handles().captures;
  }
  cudaError_t error = cudaSuccess;
  for (const auto& capture : captures) {
    const bool own = capture->thread == this_thread();
    const bool forbidden =
        mode_of_thread != cudaStreamCaptureModeRelaxed &&
        ((own && capture->mode != cudaStreamCaptureModeRelaxed) ||
         (mode_of_thread == cudaStreamCaptureModeGlobal && capture->mode == cudaStreamCaptureModeGlobal));
    const bool waited_for = of_legacy_stream && (capture->origin->flags & cudaStreamNonBlocking) == 0;
    if (!forbidden && !waited_for) continue;
    capture->invalid = true;
    error = waited_for ? cudaErrorStreamCaptureImplicit : cudaErrorStreamCaptureUnsupported;
  }
  return error;
}

cudaError_t enqueue(cudaStream_t stream, Work work) {
  CUstream_st* const queue = stream_of(stream);
  if (queue == nullptr) return cudaErrorInvalidResourceHandle;
  if (queue->capture == nullptr) {
    // The legacy stream waits for blocking streams: not for one that captures.
    if (queue == &legacy_stream()) {
      const std::scoped_lock lock(handles().mutex);
      for (const auto& capture : handles().captures) {
        if ((capture->origin->flags & cudaStreamNonBlocking) != 0) continue;
        capture->invalid = true;
        return cudaErrorStreamCaptureImplicit;
      }
    }
    return run_work(work);
  }
  if (queue->capture->invalid) return cudaErrorStreamCaptureInvalidated;
  queue->last = {add_node(*queue->capture->graph, queue->last, std::move(work))};
  return cudaSuccess;
}

}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

bool assay_simt::captures(const void* stream) {
  CUstream_st* const queue = stream_of(static_cast<cudaStream_t>(const_cast<void*>(stream)));
  return queue != nullptr && queue->capture != nullptr;
}
void assay_simt::capture(const void* stream, CapturedLaunch launch) {
  remember(enqueue(static_cast<cudaStream_t>(const_cast<void*>(stream)), KernelWork{std::move(launch)}));
}

// --- streams ---------------------------------------------------------------------------------------------------------

cudaError_t cudaStreamCreate(cudaStream_t* stream) { return new_stream(stream, cudaStreamDefault, 0); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return new_stream(stream, flags, 0);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return new_stream(stream, flags, priority);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread)
    return remember(cudaErrorInvalidResourceHandle);
  {
    const std::scoped_lock lock(handles().mutex);
    if (handles().streams.erase(stream) == 0) return remember(cudaErrorInvalidResourceHandle);
  }
  if (stream->capture != nullptr) {
    const std::shared_ptr<Capture> capture = stream->capture;
    std::erase(capture->streams, stream);
    capture->left.insert(capture->left.end(), stream->last.begin(), stream->last.end());
    if (capture->origin == stream) {
      end_capture(*capture);
      if (!capture->of_program) forget(*capture->graph);
      capture->invalid = true;
    }
  }
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = least_priority;
  if (greatest != nullptr) *greatest = greatest_priority;
  return cudaSuccess;
}

namespace assay_simt::runtime {
namespace {
template <class T, class Value>
cudaError_t tell(cudaStream_t stream, T* out, const Value& value) {
  const CUstream_st* const queue = stream_of(stream);
  if (queue == nullptr) return remember(cudaErrorInvalidResourceHandle);
  if (out == nullptr) return remember(cudaErrorInvalidValue);
  *out = value(*queue);
  return cudaSuccess;
}
}  // namespace
}  // namespace assay_simt::runtime

cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  return tell(stream, priority, [](const CUstream_st& queue) { return queue.priority; });
}
cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
  return tell(stream, flags, [](const CUstream_st& queue) { return queue.flags; });
}
cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long* id) {
  return tell(stream, id, [](const CUstream_st& queue) { return queue.id; });
}
cudaError_t cudaStreamGetDevice(cudaStream_t stream, int* device) {
  return tell(stream, device, [](const CUstream_st&) { return 0; });
}
cudaError_t cudaStreamSetAttribute(cudaStream_t stream, cudaStreamAttrID attribute,
                                   const cudaStreamAttrValue* value) {
  CUstream_st* const queue = stream_of(stream);
  if (queue == nullptr) return remember(cudaErrorInvalidResourceHandle);
  if (value == nullptr) return remember(cudaErrorInvalidValue);
  queue->attributes[attribute] = *value;
  if (attribute == cudaLaunchAttributePriority)
    queue->priority = std::clamp(value->priority, greatest_priority, least_priority);
  return cudaSuccess;
}
cudaError_t cudaStreamGetAttribute(cudaStream_t stream, cudaStreamAttrID attribute,
                                   cudaStreamAttrValue* value) {
  return tell(stream, value, [attribute](const CUstream_st& queue) {
    const auto found = queue.attributes.find(attribute);
    if (found != queue.attributes.end()) return found->second;
    cudaStreamAttrValue none{};
    if (attribute == cudaLaunchAttributePriority) none.priority = queue.priority;
    if (attribute == cudaLaunchAttributeSynchronizationPolicy) none.syncPolicy = cudaSyncPolicyAuto;
    return none;
  });
}
cudaError_t cudaStreamCopyAttributes(cudaStream_t to, cudaStream_t from) {
  CUstream_st *const target = stream_of(to), *const source = stream_of(from);
  if (target == nullptr || source == nullptr) return remember(cudaErrorInvalidResourceHandle);
  target->attributes = source->attributes;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return on_device([&] {
    CUstream_st* const queue = stream_of(stream);
    return queue == nullptr ? cudaErrorInvalidResourceHandle : not_while_capturing(*queue);
  });
}
cudaError_t cudaStreamQuery(cudaStream_t stream) { return cudaStreamSynchronize(stream); }
cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t call, void* argument,
                                  unsigned flags) {
  if (call == nullptr || flags != 0) return remember(cudaErrorInvalidValue);
  CUstream_st* const queue = stream_of(stream);
  if (queue == nullptr) return remember(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = not_while_capturing(*queue); error != cudaSuccess) return remember(error);
  // Called after errors too, and told of them.
  call(stream, lasting_error(), argument);
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t call, void* argument) {
  if (call == nullptr) return remember(cudaErrorInvalidValue);
  return on_device([&] { return enqueue(stream, cudaHostNodeParams{call, argument}); });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  return on_device([&] {
    CUstream_st* const queue = stream_of(stream);
    if (queue == nullptr || !is_event(event)) return cudaErrorInvalidResourceHandle;
    if (flags == cudaEventWaitExternal && queue->capture != nullptr)
      return enqueue(stream, EventWork{event, false});
    if (event->capture != nullptr && event->capture->ended) return cudaErrorCapturedEvent;
    if (event->capture == nullptr) {
      // What comes from outside of a capture cannot be waited for in it.
      if (queue->capture == nullptr) return cudaSuccess;
      queue->capture->invalid = true;
      return cudaErrorStreamCaptureIsolation;
    }
    if (queue->capture != nullptr && queue->capture != event->capture) {
      queue->capture->invalid = event->capture->invalid = true;
      return cudaErrorStreamCaptureMerge;
    }
    if (queue == &legacy_stream()) {
      event->capture->invalid = true;
      return cudaErrorStreamCaptureImplicit;
    }
    join(*queue, event->capture);
    add_last(*queue, event->last);
    return cudaSuccess;
  });
}

// --- events ----------------------------------------------------------------------------------------------------------

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  constexpr unsigned known = cudaEventBlockingSync | cudaEventDisableTiming | cudaEventInterprocess;
  const bool unmatched = (flags & cudaEventInterprocess) != 0 && (flags & cudaEventDisableTiming) == 0;
  if (event == nullptr || (flags & ~known) != 0 || unmatched) return remember(cudaErrorInvalidValue);
  return on_device([&] {
    auto* const made = new CUevent_st;
    made->flags = flags;
    const std::scoped_lock lock(handles().mutex);
    handles().events.insert(made);
    *event = made;
    return cudaSuccess;
  });
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventCreate(cudaEvent_t* event, unsigned flags) {
  return cudaEventCreateWithFlags(event, flags);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  {
    const std::scoped_lock lock(handles().mutex);
    if (handles().events.erase(event) == 0) return remember(cudaErrorInvalidResourceHandle);
  }
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  return on_device([&] {
    const CUstream_st* const queue = stream_of(stream);
    if (queue == nullptr || !is_event(event)) return cudaErrorInvalidResourceHandle;
    if (flags > cudaEventRecordExternal) return cudaErrorInvalidValue;
    if (queue->capture == nullptr || flags == cudaEventRecordExternal)
      return enqueue(stream, EventWork{event, true});
    if (queue->capture->invalid) return cudaErrorStreamCaptureInvalidated;
    event->capture = queue->capture;
    event->last = queue->last;
    return cudaSuccess;
  });
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, cudaEventRecordDefault);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return on_device([&] {
    if (!is_event(event)) return cudaErrorInvalidResourceHandle;
    if (event->capture == nullptr) return cudaSuccess;
    event->capture->invalid = true;
    return cudaErrorCapturedEvent;
  });
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (milliseconds == nullptr) return remember(cudaErrorInvalidValue);
  return on_device([&] {
    if (!is_event(begin) || !is_event(end) || !begin->recorded || !end->recorded ||
        ((begin->flags | end->flags) & cudaEventDisableTiming) != 0)
      return cudaErrorInvalidResourceHandle;
    *milliseconds = std::chrono::duration<float, std::milli>(end->at - begin->at).count();
    return cudaSuccess;
  });
}

// --- capture ---------------------------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return on_device([&] {
    if (mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed)
      return cudaErrorInvalidValue;
    auto capture = std::make_shared<Capture>();
    capture->graph = std::make_shared<CUgraph_st>();
    capture->shown = capture->graph.get();
    capture->mode = mode;
    const cudaError_t error = begin_capture(stream, capture, {});
    if (error == cudaSuccess) know_inner(*capture->graph);
    return error;
  });
}
cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph,
                                          const cudaGraphNode_t* dependencies, const cudaGraphEdgeData*,
                                          std::size_t count, cudaStreamCaptureMode mode) {
  return on_device([&] {
    if (!is_graph(graph) || (dependencies == nullptr && count != 0)) return cudaErrorInvalidValue;
    auto capture = std::make_shared<Capture>();
    capture->graph = std::shared_ptr<CUgraph_st>(graph, [](CUgraph_st*) {});  // the program's
    capture->shown = graph;
    capture->of_program = true;
    capture->mode = mode;
    return begin_capture(stream, std::move(capture), {dependencies, dependencies + count});
  });
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return on_device([&] {
    CUstream_st* const queue = stream_of(stream);
    if (queue == nullptr) return cudaErrorInvalidResourceHandle;
    const std::shared_ptr<Capture> capture = queue->capture;
    if (capture == nullptr) return cudaErrorIllegalState;
    // Who captures into a graph has it already.
    if (graph == nullptr && !capture->of_program) return cudaErrorInvalidValue;
    if (graph != nullptr) *graph = nullptr;
    if (capture->origin != queue) return cudaErrorStreamCaptureUnmatched;
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != this_thread())
      return cudaErrorStreamCaptureWrongThread;
    const cudaError_t error = capture->invalid   ? cudaErrorStreamCaptureInvalidated
                              : joined(*capture) ? cudaSuccess
                                                 : cudaErrorStreamCaptureUnjoined;
    end_capture(*capture);
    if (error != cudaSuccess) {
      if (!capture->of_program) forget(*capture->graph);
      return error;
    }
    const cudaGraph_t made = capture->of_program ? capture->shown : give(capture->graph);
    if (graph != nullptr) *graph = made;
    return cudaSuccess;
  });
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                     unsigned long long* id, cudaGraph_t* graph,
                                     const cudaGraphNode_t** dependencies, std::size_t* count) {
  const CUstream_st* const queue = stream_of(stream);
  if (queue == nullptr) return remember(cudaErrorInvalidResourceHandle);
  if (status == nullptr) return remember(cudaErrorInvalidValue);
  const Capture* const capture = queue->capture.get();
  *status = capture == nullptr ? cudaStreamCaptureStatusNone
            : capture->invalid ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
  if (*status != cudaStreamCaptureStatusActive) return cudaSuccess;
  if (id != nullptr) *id = capture->id;
  if (graph != nullptr) *graph = capture->shown;
  if (dependencies != nullptr) *dependencies = queue->last.data();
  if (count != nullptr) *count = queue->last.size();
  return cudaSuccess;
}
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status,
                                     unsigned long long* id, cudaGraph_t* graph,
                                     const cudaGraphNode_t** dependencies, const cudaGraphEdgeData** edges,
                                     std::size_t* count) {
  if (edges != nullptr) *edges = nullptr;
  return cudaStreamGetCaptureInfo(stream, status, id, graph, dependencies, count);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return cudaStreamGetCaptureInfo(stream, status);
}
cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                std::size_t count, unsigned flags) {
  CUstream_st* const queue = stream_of(stream);
  if (queue == nullptr) return remember(cudaErrorInvalidResourceHandle);
  if (queue->capture == nullptr) return remember(cudaErrorIllegalState);
  if ((dependencies == nullptr && count != 0) || flags > cudaStreamSetCaptureDependencies)
    return remember(cudaErrorInvalidValue);
  if (flags == cudaStreamSetCaptureDependencies) queue->last.clear();
  add_last(*queue, {dependencies, dependencies + count});
  return cudaSuccess;
}
cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                                const cudaGraphEdgeData*, std::size_t count, unsigned flags) {
  return cudaStreamUpdateCaptureDependencies(stream, dependencies, count, flags);
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  if (mode == nullptr) return remember(cudaErrorInvalidValue);
  std::swap(*mode, mode_of_thread);
  return cudaSuccess;
}
