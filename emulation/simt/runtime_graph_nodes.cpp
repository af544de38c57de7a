// Nodes of graphs: how they are made, asked about and changed.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

#include "emulation/simt/runtime_graphs.hpp"

namespace assay_simt::runtime {

cudaError_t kernel_work(const cudaKernelNodeParams* parameters, Work& work) {
  if (parameters == nullptr) return cudaErrorInvalidValue;
  if (parameters->func == nullptr || bind_kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  if (parameters->extra != nullptr) return cudaErrorNotSupported;
  KernelWork kernel;
  kernel.launch = {parameters->func, parameters->gridDim, parameters->blockDim, parameters->sharedMemBytes,
                   bind_kernel(parameters->func, parameters->kernelParams)};
  if (!kernel.launch.kernel.run) return cudaErrorInvalidDeviceFunction;
  work = std::move(kernel);
  return cudaSuccess;
}
cudaError_t copy_work(const cudaMemcpy3DParms* parameters, Work& work) {
  if (parameters == nullptr) return cudaErrorInvalidValue;
  work = *parameters;
  return check_copy(*parameters);
}
cudaError_t fill_work(const cudaMemsetParams* parameters, Work& work) {
  if (parameters == nullptr) return cudaErrorInvalidValue;
  work = *parameters;
  return check_fill(*parameters);
}
cudaError_t host_work(const cudaHostNodeParams* parameters, Work& work) {
  if (parameters == nullptr || parameters->fn == nullptr) return cudaErrorInvalidValue;
  work = *parameters;
  return cudaSuccess;
}
namespace {

// A graph of the program that may get this node; empty text is right.
cudaError_t add_checked(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                        std::size_t count, cudaError_t why_not, Work work) {
  if (why_not != cudaSuccess) return remember(why_not);
  if (node == nullptr || !is_graph(graph) || (dependencies == nullptr && count != 0))
    return remember(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> after;
  for (std::size_t i = 0; i < count; ++i) {
    const cudaGraphNode_t before = dependencies[i];
    if (!is_node(before) || before->graph != graph) return remember(cudaErrorInvalidValue);
    if (std::find(after.begin(), after.end(), before) != after.end()) return remember(cudaErrorInvalidValue);
    after.push_back(before);
  }
  *node = add_node(*graph, std::move(after), std::move(work));
  return cudaSuccess;
}
// The same of work that parameters describe.
template <class Parameters>
cudaError_t add_described(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                          std::size_t count, const Parameters* parameters,
                          cudaError_t (*describe)(const Parameters*, Work&)) {
  Work work;
  const cudaError_t error = describe(parameters, work);
  return add_checked(node, graph, dependencies, count, error, std::move(work));
}

cudaError_t child_work(cudaGraph_t child, Work& work) {
  if (!is_graph(child)) return cudaErrorInvalidValue;
  work = clone_of(*child);
  return cudaSuccess;
}
cudaError_t allocation_work(cudaMemAllocNodeParams* parameters, Work& work) {
  if (parameters == nullptr || parameters->bytesize == 0 ||
      parameters->poolProps.allocType != cudaMemAllocationTypePinned)
    return cudaErrorInvalidValue;
  if (parameters->poolProps.location.type != cudaMemLocationTypeDevice ||
      parameters->poolProps.location.id != 0)
    return cudaErrorInvalidDevice;
  Piece piece;
  piece.place = Place::device;
  piece.of_graph = true;
  const cudaError_t error = memory().allocate(&parameters->dptr, parameters->bytesize, std::move(piece));
  if (error != cudaSuccess) return error;
  AllocationWork allocation;
  allocation.parameters = *parameters;
  allocation.memory = std::make_shared<GraphMemory>();
  allocation.memory->memory = parameters->dptr;
  work = std::move(allocation);
  return cudaSuccess;
}
cudaError_t conditional_work(cudaConditionalNodeParams& parameters, Work& work) {
  const unsigned most = parameters.type == cudaGraphCondTypeWhile ? 1
                        : parameters.type == cudaGraphCondTypeIf  ? 2
                                                                  : std::numeric_limits<unsigned>::max();
  if (parameters.handle == 0 || parameters.size == 0 || parameters.size > most) return cudaErrorInvalidValue;
  ConditionalWork conditional;
  conditional.condition = reinterpret_cast<Conditional*>(parameters.handle);
  conditional.type = parameters.type;
  for (unsigned i = 0; i < parameters.size; ++i) {
    conditional.bodies.push_back(std::make_shared<CUgraph_st>());
    conditional.handles.push_back(conditional.bodies.back().get());
  }
  work = std::move(conditional);
  return cudaSuccess;
}

// Work of this kind of a node that lives, or null.
template <class T>
T* work_of(cudaGraphNode_t node) {
  return is_node(node) ? std::get_if<T>(&node->work) : nullptr;
}
template <class T>
cudaError_t tell_work(cudaGraphNode_t node, T* out) {
  const T* const work = work_of<T>(node);
  if (work == nullptr || out == nullptr) return remember(cudaErrorInvalidValue);
  *out = *work;
  return cudaSuccess;
}
cudaError_t set_work(cudaGraphNode_t node, cudaError_t why_not, Work work) {
  if (why_not != cudaSuccess) return remember(why_not);
  if (!is_node(node) || node->work.index() != work.index()) return remember(cudaErrorInvalidValue);
  node->work = std::move(work);
  return cudaSuccess;
}

// As many as there is room for, and how many there are.
cudaError_t tell_nodes(const std::vector<cudaGraphNode_t>& all, cudaGraphNode_t* out, std::size_t* count) {
  if (count == nullptr) return remember(cudaErrorInvalidValue);
  if (out == nullptr) {
    *count = all.size();
    return cudaSuccess;
  }
  for (std::size_t i = 0; i < *count; ++i) out[i] = i < all.size() ? all[i] : nullptr;
  *count = std::min(*count, all.size());
  return cudaSuccess;
}

const char* name_of(cudaGraphNodeType type) {
  switch (type) {
    case cudaGraphNodeTypeKernel: return "kernel";
    case cudaGraphNodeTypeMemcpy: return "memcpy";
    case cudaGraphNodeTypeMemset: return "memset";
    case cudaGraphNodeTypeHost: return "host";
    case cudaGraphNodeTypeGraph: return "graph";
    case cudaGraphNodeTypeEmpty: return "empty";
    case cudaGraphNodeTypeWaitEvent: return "wait for event";
    case cudaGraphNodeTypeEventRecord: return "record event";
    case cudaGraphNodeTypeMemAlloc: return "allocation";
    case cudaGraphNodeTypeMemFree: return "free";
    case cudaGraphNodeTypeConditional: return "conditional";
    default: return "?";
  }
}

}  // namespace
}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

// --- making graphs ---------------------------------------------------------------------------------------------------

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned flags) {
  if (graph == nullptr || flags != 0) return remember(cudaErrorInvalidValue);
  return on_device([&] {
    *graph = give(std::make_shared<CUgraph_st>());
    return cudaSuccess;
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  std::shared_ptr<CUgraph_st> last;
  {
    const std::scoped_lock lock(graphs().mutex);
    const auto found = graphs().graphs.find(graph);
    if (found == graphs().graphs.end()) return remember(cudaErrorInvalidValue);
    last = std::move(found->second);
    graphs().graphs.erase(found);
  }
  forget(*last);
  return cudaSuccess;
}
cudaError_t cudaGraphClone(cudaGraph_t* clone, cudaGraph_t graph) {
  if (clone == nullptr || !is_graph(graph)) return remember(cudaErrorInvalidValue);
  std::shared_ptr<CUgraph_st> made = clone_of(*graph);
  for (const auto& node : made->nodes) {
    for (auto* const inner : inner_graphs(node->work)) know_inner(**inner);
  }
  *clone = give(std::move(made));
  return cudaSuccess;
}

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, std::size_t count,
                                   const cudaKernelNodeParams* parameters) {
  return add_described(node, graph, dependencies, count, parameters, kernel_work);
}
cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, std::size_t count,
                                   const cudaMemcpy3DParms* parameters) {
  return add_described(node, graph, dependencies, count, parameters, copy_work);
}
cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph,
                                     const cudaGraphNode_t* dependencies, std::size_t count, void* to,
                                     const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const cudaMemcpy3DParms copy = copy_of_bytes(to, from, bytes, kind);
  return cudaGraphAddMemcpyNode(node, graph, dependencies, count, &copy);
}
cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                   const cudaGraphNode_t* dependencies, std::size_t count,
                                   const cudaMemsetParams* parameters) {
  return add_described(node, graph, dependencies, count, parameters, fill_work);
}
cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                 const cudaGraphNode_t* dependencies, std::size_t count,
                                 const cudaHostNodeParams* parameters) {
  return add_described(node, graph, dependencies, count, parameters, host_work);
}
cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                  const cudaGraphNode_t* dependencies, std::size_t count) {
  return add_checked(node, graph, dependencies, count, cudaSuccess, NoWork{});
}
cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                       const cudaGraphNode_t* dependencies, std::size_t count,
                                       cudaGraph_t child) {
  Work work;
  const cudaError_t error = child == graph ? cudaErrorInvalidValue : child_work(child, work);
  return add_checked(node, graph, dependencies, count, error, std::move(work));
}
cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                        const cudaGraphNode_t* dependencies, std::size_t count,
                                        cudaEvent_t event) {
  return add_checked(node, graph, dependencies, count,
                     is_event(event) ? cudaSuccess : cudaErrorInvalidResourceHandle, EventWork{event, true});
}
cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                      const cudaGraphNode_t* dependencies, std::size_t count,
                                      cudaEvent_t event) {
  return add_checked(node, graph, dependencies, count,
                     is_event(event) ? cudaSuccess : cudaErrorInvalidResourceHandle, EventWork{event, false});
}
cudaError_t cudaGraphAddMemAllocNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                     const cudaGraphNode_t* dependencies, std::size_t count,
                                     cudaMemAllocNodeParams* parameters) {
  Work work;
  const cudaError_t error = allocation_work(parameters, work);
  return add_checked(node, graph, dependencies, count, error, std::move(work));
}
cudaError_t cudaGraphAddMemFreeNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                    const cudaGraphNode_t* dependencies, std::size_t count, void* at) {
  return add_checked(node, graph, dependencies, count, at == nullptr ? cudaErrorInvalidValue : cudaSuccess,
                     FreeWork{at});
}
cudaError_t cudaGraphAddNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                             std::size_t count, cudaGraphNodeParams* p) {
  if (p == nullptr) return remember(cudaErrorInvalidValue);
  switch (p->type) {
    case cudaGraphNodeTypeKernel: {
      const uint3 &grid = p->kernel.gridDim, &block = p->kernel.blockDim;
      const cudaKernelNodeParams kernel{
          p->kernel.func,         dim3(grid),     dim3(block), p->kernel.sharedMemBytes,
          p->kernel.kernelParams, p->kernel.extra};
      return cudaGraphAddKernelNode(node, graph, dependencies, count, &kernel);
    }
    case cudaGraphNodeTypeMemcpy:
      return cudaGraphAddMemcpyNode(node, graph, dependencies, count, &p->memcpy.copyParams);
    case cudaGraphNodeTypeMemset: return cudaGraphAddMemsetNode(node, graph, dependencies, count, &p->memset);
    case cudaGraphNodeTypeHost: return cudaGraphAddHostNode(node, graph, dependencies, count, &p->host);
    case cudaGraphNodeTypeGraph:
      return cudaGraphAddChildGraphNode(node, graph, dependencies, count, p->graph.graph);
    case cudaGraphNodeTypeEmpty: return cudaGraphAddEmptyNode(node, graph, dependencies, count);
    case cudaGraphNodeTypeWaitEvent:
      return cudaGraphAddEventWaitNode(node, graph, dependencies, count, p->eventWait.event);
    case cudaGraphNodeTypeEventRecord:
      return cudaGraphAddEventRecordNode(node, graph, dependencies, count, p->eventRecord.event);
    case cudaGraphNodeTypeMemAlloc:
      return cudaGraphAddMemAllocNode(node, graph, dependencies, count, &p->alloc);
    case cudaGraphNodeTypeMemFree:
      return cudaGraphAddMemFreeNode(node, graph, dependencies, count, p->free.dptr);
    case cudaGraphNodeTypeConditional: {
      Work work;
      const cudaError_t error = conditional_work(p->conditional, work);
      const cudaError_t added = add_checked(node, graph, dependencies, count, error, std::move(work));
      if (added == cudaSuccess)
        p->conditional.phGraph_out = std::get<ConditionalWork>((*node)->work).handles.data();
      return added;
    }
    default: return remember(cudaErrorNotSupported);
  }
}
cudaError_t cudaGraphAddNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                             const cudaGraphEdgeData* edges, std::size_t count,
                             cudaGraphNodeParams* parameters) {
  for (std::size_t i = 0; edges != nullptr && i < count; ++i) {
    if (edges[i].type != 0 || edges[i].from_port != 0 || edges[i].to_port != 0)
      return remember(cudaErrorNotSupported);
  }
  return cudaGraphAddNode(node, graph, dependencies, count, parameters);
}

cudaError_t cudaGraphMemAllocNodeGetParams(cudaGraphNode_t node, cudaMemAllocNodeParams* out) {
  const AllocationWork* const work = work_of<AllocationWork>(node);
  if (work == nullptr || out == nullptr) return remember(cudaErrorInvalidValue);
  *out = work->parameters;
  return cudaSuccess;
}
cudaError_t cudaGraphMemFreeNodeGetParams(cudaGraphNode_t node, void* out) {
  const FreeWork* const work = work_of<FreeWork>(node);
  if (work == nullptr || out == nullptr) return remember(cudaErrorInvalidValue);
  *static_cast<void**>(out) = work->memory;
  return cudaSuccess;
}
cudaError_t cudaDeviceGraphMemTrim(int device) {
  return device == 0 ? cudaSuccess : remember(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceGetGraphMemAttribute(int device, cudaGraphMemAttributeType attribute, void* value) {
  if (device != 0) return remember(cudaErrorInvalidDevice);
  if (value == nullptr || attribute < cudaGraphMemAttrUsedMemCurrent ||
      attribute > cudaGraphMemAttrReservedMemHigh)
    return remember(cudaErrorInvalidValue);
  // The memory of a graph is there from its making on; the highest figures are not kept.
  const bool used = attribute == cudaGraphMemAttrUsedMemCurrent || attribute == cudaGraphMemAttrUsedMemHigh;
  *static_cast<std::uint64_t*>(value) = memory().bytes_of_graphs(used);
  return cudaSuccess;
}
cudaError_t cudaDeviceSetGraphMemAttribute(int device, cudaGraphMemAttributeType attribute, void* value) {
  const bool high = attribute == cudaGraphMemAttrUsedMemHigh || attribute == cudaGraphMemAttrReservedMemHigh;
  if (device != 0) return remember(cudaErrorInvalidDevice);
  return value != nullptr && high ? cudaSuccess : remember(cudaErrorInvalidValue);
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* out) {
  KernelWork* const work = work_of<KernelWork>(node);
  if (work == nullptr || out == nullptr) return remember(cudaErrorInvalidValue);
  if (work->launch.function == nullptr) return remember(cudaErrorNotSupported);
  *out = {const_cast<void*>(work->launch.function),
          work->launch.grid,
          work->launch.block,
          static_cast<unsigned>(work->launch.shared_bytes),
          work->launch.kernel.parameters.data(),
          nullptr};
  return cudaSuccess;
}
cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* parameters) {
  Work work;
  const cudaError_t error = kernel_work(parameters, work);
  return set_work(node, error, std::move(work));
}
cudaError_t cudaGraphKernelNodeSetAttribute(cudaGraphNode_t node, cudaKernelNodeAttrID attribute,
                                            const cudaKernelNodeAttrValue* value) {
  if (work_of<KernelWork>(node) == nullptr || value == nullptr) return remember(cudaErrorInvalidValue);
  // Those that would change what the kernel does are not kept here.
  const bool harmless =
      attribute == cudaLaunchAttributeAccessPolicyWindow || attribute == cudaLaunchAttributePriority;
  return harmless ? cudaSuccess : remember(cudaErrorNotSupported);
}
cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* out) {
  return tell_work(node, out);
}
cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* parameters) {
  Work work;
  const cudaError_t error = copy_work(parameters, work);
  return set_work(node, error, std::move(work));
}
cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* to, const void* from,
                                           std::size_t bytes, cudaMemcpyKind kind) {
  const cudaMemcpy3DParms copy = copy_of_bytes(to, from, bytes, kind);
  return cudaGraphMemcpyNodeSetParams(node, &copy);
}
cudaError_t cudaGraphMemsetNodeGetParams(cudaGraphNode_t node, cudaMemsetParams* out) {
  return tell_work(node, out);
}
cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* parameters) {
  Work work;
  const cudaError_t error = fill_work(parameters, work);
  return set_work(node, error, std::move(work));
}
cudaError_t cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* out) {
  return tell_work(node, out);
}
cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* parameters) {
  Work work;
  const cudaError_t error = host_work(parameters, work);
  return set_work(node, error, std::move(work));
}
cudaError_t cudaGraphChildGraphNodeGetGraph(cudaGraphNode_t node, cudaGraph_t* graph) {
  const auto* const work = work_of<std::shared_ptr<CUgraph_st>>(node);
  if (work == nullptr || graph == nullptr) return remember(cudaErrorInvalidValue);
  *graph = work->get();
  return cudaSuccess;
}

cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                     const cudaGraphNode_t* to, std::size_t count) {
  if (!is_graph(graph)) return remember(cudaErrorInvalidValue);
  for (std::size_t i = 0; i < count; ++i) {
    const bool both = is_node(from[i]) && is_node(to[i]) && from[i]->graph == graph && to[i]->graph == graph;
    if (!both || from[i] == to[i]) return remember(cudaErrorInvalidValue);
    auto& after = to[i]->after;
    if (std::find(after.begin(), after.end(), from[i]) != after.end()) return remember(cudaErrorInvalidValue);
    after.push_back(from[i]);
  }
  return cudaSuccess;
}
cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                     const cudaGraphNode_t* to, const cudaGraphEdgeData*, std::size_t count) {
  return cudaGraphAddDependencies(graph, from, to, count);
}
cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, std::size_t count) {
  if (!is_graph(graph)) return remember(cudaErrorInvalidValue);
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_node(to[i]) || to[i]->graph != graph || std::erase(to[i]->after, from[i]) == 0)
      return remember(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}
cudaError_t cudaGraphRemoveDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, const cudaGraphEdgeData*,
                                        std::size_t count) {
  return cudaGraphRemoveDependencies(graph, from, to, count);
}
cudaError_t cudaGraphDestroyNode(cudaGraphNode_t node) {
  if (!is_node(node)) return remember(cudaErrorInvalidValue);
  // Memory that a node of a graph takes or gives back stays with the graph.
  if (std::holds_alternative<AllocationWork>(node->work) || std::holds_alternative<FreeWork>(node->work))
    return remember(cudaErrorNotSupported);
  CUgraph_st& graph = *node->graph;
  for (const auto& other : graph.nodes) std::erase(other->after, node);
  for (auto* const inner : inner_graphs(node->work)) forget(**inner);
  {
    const std::scoped_lock lock(graphs().mutex);
    graphs().nodes.erase(node);
  }
  std::erase_if(graph.nodes, [node](const auto& one) { return one.get() == node; });
  return cudaSuccess;
}

// --- asking ----------------------------------------------------------------------------------------------------------

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  if (!is_graph(graph)) return remember(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> all;
  for (const auto& node : graph->nodes) all.push_back(node.get());
  return tell_nodes(all, nodes, count);
}
cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  if (!is_graph(graph)) return remember(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> all;
  for (const auto& node : graph->nodes) {
    if (node->after.empty()) all.push_back(node.get());
  }
  return tell_nodes(all, nodes, count);
}
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                              std::size_t* count) {
  if (!is_graph(graph) || count == nullptr || (from == nullptr) != (to == nullptr))
    return remember(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> froms, tos;
  for (const auto& node : graph->nodes) {
    for (const cudaGraphNode_t before : node->after) {
      froms.push_back(before);
      tos.push_back(node.get());
    }
  }
  std::size_t same = *count;
  tell_nodes(froms, from, &same);
  return tell_nodes(tos, to, count);
}
cudaError_t cudaGraphGetEdges(cudaGraph_t graph, cudaGraphNode_t* from, cudaGraphNode_t* to,
                              cudaGraphEdgeData* edges, std::size_t* count) {
  const cudaError_t error = cudaGraphGetEdges(graph, from, to, count);
  if (error == cudaSuccess && edges != nullptr) std::fill_n(edges, *count, cudaGraphEdgeData{});
  return error;
}
cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  if (!is_node(node) || type == nullptr) return remember(cudaErrorInvalidValue);
  *type = type_of(node->work);
  return cudaSuccess;
}
cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* dependencies,
                                         std::size_t* count) {
  if (!is_node(node)) return remember(cudaErrorInvalidValue);
  return tell_nodes(node->after, dependencies, count);
}
cudaError_t cudaGraphNodeGetDependencies(cudaGraphNode_t node, cudaGraphNode_t* dependencies,
                                         cudaGraphEdgeData* edges, std::size_t* count) {
  const cudaError_t error = cudaGraphNodeGetDependencies(node, dependencies, count);
  if (error == cudaSuccess && edges != nullptr) std::fill_n(edges, *count, cudaGraphEdgeData{});
  return error;
}
cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* dependents,
                                           std::size_t* count) {
  if (!is_node(node)) return remember(cudaErrorInvalidValue);
  std::vector<cudaGraphNode_t> all;
  for (const auto& other : node->graph->nodes) {
    if (std::find(other->after.begin(), other->after.end(), node) != other->after.end())
      all.push_back(other.get());
  }
  return tell_nodes(all, dependents, count);
}
cudaError_t cudaGraphNodeGetDependentNodes(cudaGraphNode_t node, cudaGraphNode_t* dependents,
                                           cudaGraphEdgeData* edges, std::size_t* count) {
  const cudaError_t error = cudaGraphNodeGetDependentNodes(node, dependents, count);
  if (error == cudaSuccess && edges != nullptr) std::fill_n(edges, *count, cudaGraphEdgeData{});
  return error;
}
cudaError_t cudaGraphNodeFindInClone(cudaGraphNode_t* node, cudaGraphNode_t original, cudaGraph_t clone) {
  if (node == nullptr || !is_graph(clone)) return remember(cudaErrorInvalidValue);
  CUgraphNode_st* const found = node_of_original(*clone, original);
  if (found == nullptr) return remember(cudaErrorInvalidValue);
  *node = found;
  return cudaSuccess;
}
cudaError_t cudaGraphDebugDotPrint(cudaGraph_t graph, const char* path, unsigned) {
  if (!is_graph(graph) || path == nullptr) return remember(cudaErrorInvalidValue);
  std::FILE* const file = std::fopen(path, "w");
  if (file == nullptr) return remember(cudaErrorOperatingSystem);
  std::fprintf(file, "digraph graph_0 {\n");
  for (std::size_t i = 0; i < graph->nodes.size(); ++i) {
    const CUgraphNode_st& node = *graph->nodes[i];
    std::fprintf(file, "  n%zu [label=\"%zu: %s\"];\n", i, i, name_of(type_of(node.work)));
    for (const cudaGraphNode_t before : node.after)
      std::fprintf(file, "  n%zu -> n%zu;\n", index_of(*graph, before), i);
  }
  std::fprintf(file, "}\n");
  return std::fclose(file) == 0 ? cudaSuccess : remember(cudaErrorOperatingSystem);
}
