// Graphs that are ready to run: instantiated, launched, updated.
#include <algorithm>
#include <utility>

#include "emulation/simt/runtime_graphs.hpp"

namespace assay_simt::runtime {
namespace {

cudaError_t set_in_exec(cudaGraphExec_t exec, cudaGraphNode_t node, cudaError_t why_not, Work work) {
  if (why_not != cudaSuccess) return remember(why_not);
  if (!is_exec(exec)) return remember(cudaErrorInvalidValue);
  CUgraphNode_st* const found = node_of_original(*exec->graph, node);
  if (found == nullptr || found->work.index() != work.index()) return remember(cudaErrorInvalidValue);
  found->work = std::move(work);
  return cudaSuccess;
}

// What of the graph is not as in the one that was instantiated.
cudaGraphExecUpdateResultInfo difference(const CUgraph_st& ours, const CUgraph_st& theirs) {
  if (ours.nodes.size() != theirs.nodes.size())
    return {cudaGraphExecUpdateErrorTopologyChanged, nullptr, nullptr};
  for (std::size_t i = 0; i < ours.nodes.size(); ++i) {
    CUgraphNode_st &our = *ours.nodes[i], &their = *theirs.nodes[i];
    if (our.work.index() != their.work.index())
      return {cudaGraphExecUpdateErrorNodeTypeChanged, &their, nullptr};
    const auto positions = [](const CUgraph_st& graph, const CUgraphNode_st& node) {
      std::vector<std::size_t> all;
      for (const CUgraphNode_st* const before : node.after) all.push_back(index_of(graph, before));
      std::sort(all.begin(), all.end());
      return all;
    };
    if (positions(ours, our) != positions(theirs, their))
      return {cudaGraphExecUpdateErrorTopologyChanged, &their, nullptr};
    if (std::holds_alternative<AllocationWork>(our.work) || std::holds_alternative<ConditionalWork>(our.work))
      return {cudaGraphExecUpdateErrorNotSupported, &their, nullptr};
    if (const auto* const child = std::get_if<std::shared_ptr<CUgraph_st>>(&our.work)) {
      const auto info = difference(**child, *std::get<std::shared_ptr<CUgraph_st>>(their.work));
      if (info.result != cudaGraphExecUpdateSuccess) return info;
    }
  }
  return {cudaGraphExecUpdateSuccess, nullptr, nullptr};
}
void take_work(CUgraph_st& ours, const CUgraph_st& theirs) {
  for (std::size_t i = 0; i < ours.nodes.size(); ++i) {
    if (auto* const child = std::get_if<std::shared_ptr<CUgraph_st>>(&ours.nodes[i]->work))
      take_work(**child, *std::get<std::shared_ptr<CUgraph_st>>(theirs.nodes[i]->work));
    else
      ours.nodes[i]->work = theirs.nodes[i]->work;
  }
}

void begin_run(CUgraph_st& graph, bool frees) {
  for (const auto& condition : graph.conditions) {
    if (condition->assigned_at_launch) condition->value = condition->first;
  }
  for (const auto& node : graph.nodes) {
    for (auto* const inner : inner_graphs(node->work)) begin_run(**inner, frees);
    auto* const allocation = std::get_if<AllocationWork>(&node->work);
    // What was not freed by then is freed, if the graph was instantiated so.
    if (allocation != nullptr && frees)
      static_cast<void>(memory().release(allocation->memory->memory, false));
  }
}

}  // namespace
}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  if (exec == nullptr || !is_graph(graph)) return remember(cudaErrorInvalidValue);
  if ((flags & cudaGraphInstantiateFlagDeviceLaunch) != 0) return remember(cudaErrorNotSupported);
  return on_device([&] {
    auto made = std::make_unique<CUgraphExec_st>();
    made->graph = clone_of(*graph);
    made->flags = flags;
    if (!put_in_order(*made->graph)) return cudaErrorInvalidValue;
    *exec = made.release();
    const std::scoped_lock lock(graphs().mutex);
    graphs().execs.insert(*exec);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, cudaGraphNode_t* error_node,
                                 char* log, std::size_t log_bytes) {
  if (error_node != nullptr) *error_node = nullptr;
  if (log != nullptr && log_bytes > 0) *log = '\0';
  return cudaGraphInstantiate(exec, graph, 0ULL);
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph,
                                          unsigned long long flags) {
  return cudaGraphInstantiate(exec, graph, flags);
}
cudaError_t cudaGraphInstantiateWithParams(cudaGraphExec_t* exec, cudaGraph_t graph,
                                           cudaGraphInstantiateParams* parameters) {
  if (parameters == nullptr) return remember(cudaErrorInvalidValue);
  const cudaError_t error = cudaGraphInstantiate(exec, graph, parameters->flags);
  parameters->errNode_out = nullptr;
  parameters->result_out =
      error == cudaSuccess ? cudaGraphInstantiateSuccess : cudaGraphInstantiateInvalidStructure;
  return error;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  {
    const std::scoped_lock lock(graphs().mutex);
    if (graphs().execs.erase(exec) == 0) return remember(cudaErrorInvalidValue);
  }
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (!is_exec(exec)) return remember(cudaErrorInvalidValue);
  return on_device([&] {
    begin_run(*exec->graph, (exec->flags & cudaGraphInstantiateFlagAutoFreeOnLaunch) != 0);
    if (assay_simt::captures(stream)) {
      std::shared_ptr<CUgraph_st> child = clone_of(*exec->graph);
      return enqueue(stream, std::move(child));
    }
    return enqueue(stream, exec->graph);
  });
}
cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream) {
  if (!is_exec(exec)) return remember(cudaErrorInvalidValue);
  return stream_of(stream) != nullptr ? cudaSuccess : remember(cudaErrorInvalidResourceHandle);
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* result) {
  if (!is_exec(exec) || !is_graph(graph)) return remember(cudaErrorInvalidValue);
  const cudaGraphExecUpdateResultInfo info = difference(*exec->graph, *graph);
  if (result != nullptr) *result = info;
  if (info.result != cudaGraphExecUpdateSuccess) return remember(cudaErrorGraphExecUpdateFailure);
  take_work(*exec->graph, *graph);
  return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphNode_t* error_node,
                                cudaGraphExecUpdateResult* result) {
  cudaGraphExecUpdateResultInfo info{};
  const cudaError_t error = cudaGraphExecUpdate(exec, graph, &info);
  if (error_node != nullptr) *error_node = info.errorNode;
  if (result != nullptr) *result = info.result;
  return error;
}
cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* parameters) {
  Work work;
  const cudaError_t error = kernel_work(parameters, work);
  return set_in_exec(exec, node, error, std::move(work));
}
cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* parameters) {
  Work work;
  const cudaError_t error = copy_work(parameters, work);
  return set_in_exec(exec, node, error, std::move(work));
}
cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t exec, cudaGraphNode_t node, void* to,
                                               const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const cudaMemcpy3DParms copy = copy_of_bytes(to, from, bytes, kind);
  return cudaGraphExecMemcpyNodeSetParams(exec, node, &copy);
}
cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaMemsetParams* parameters) {
  Work work;
  const cudaError_t error = fill_work(parameters, work);
  return set_in_exec(exec, node, error, std::move(work));
}
cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                           const cudaHostNodeParams* parameters) {
  Work work;
  const cudaError_t error = host_work(parameters, work);
  return set_in_exec(exec, node, error, std::move(work));
}
cudaError_t cudaGraphExecChildGraphNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                                 cudaGraph_t child) {
  if (!is_exec(exec) || !is_graph(child)) return remember(cudaErrorInvalidValue);
  CUgraphNode_st* const found = node_of_original(*exec->graph, node);
  auto* const ours = found == nullptr ? nullptr : std::get_if<std::shared_ptr<CUgraph_st>>(&found->work);
  if (ours == nullptr) return remember(cudaErrorInvalidValue);
  if (difference(**ours, *child).result != cudaGraphExecUpdateSuccess)
    return remember(cudaErrorGraphExecUpdateFailure);
  take_work(**ours, *child);
  return cudaSuccess;
}
cudaError_t cudaGraphNodeSetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned enabled) {
  CUgraphNode_st* const found = is_exec(exec) ? node_of_original(*exec->graph, node) : nullptr;
  if (found == nullptr) return remember(cudaErrorInvalidValue);
  const cudaGraphNodeType type = type_of(found->work);
  if (type > cudaGraphNodeTypeMemset)
    return remember(cudaErrorInvalidValue);  // kernels, copies and fills may
  found->enabled = enabled != 0;
  return cudaSuccess;
}
cudaError_t cudaGraphNodeGetEnabled(cudaGraphExec_t exec, cudaGraphNode_t node, unsigned* enabled) {
  const CUgraphNode_st* const found = is_exec(exec) ? node_of_original(*exec->graph, node) : nullptr;
  if (found == nullptr || enabled == nullptr) return remember(cudaErrorInvalidValue);
  *enabled = found->enabled ? 1 : 0;
  return cudaSuccess;
}

cudaError_t cudaGraphConditionalHandleCreate(cudaGraphConditionalHandle* handle, cudaGraph_t graph,
                                             unsigned first_value, unsigned flags) {
  if (handle == nullptr || !is_graph(graph) || flags > cudaGraphCondAssignDefault)
    return remember(cudaErrorInvalidValue);
  auto condition = std::make_shared<Conditional>();
  condition->value = condition->first = first_value;
  condition->assigned_at_launch = flags == cudaGraphCondAssignDefault;
  *handle = reinterpret_cast<cudaGraphConditionalHandle>(condition.get());
  graph->conditions.push_back(std::move(condition));
  return cudaSuccess;
}
void cudaGraphSetConditional(cudaGraphConditionalHandle handle, unsigned value) {
  reinterpret_cast<Conditional*>(handle)->value = value;
}
