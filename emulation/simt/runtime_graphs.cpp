// Graphs: nodes with what they do and what they come after, run in an order that keeps this.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "emulation/simt/runtime_graphs.hpp"

namespace assay_simt {
constinit BindKernel bind_kernel = nullptr;
}

namespace assay_simt::runtime {

Graphs& graphs() {
  static Graphs& all = *new Graphs;
  return all;
}

bool is_node(const CUgraphNode_st* node) {
  const std::scoped_lock lock(graphs().mutex);
  return node != nullptr && graphs().nodes.contains(node);
}
bool is_exec(const CUgraphExec_st* exec) {
  const std::scoped_lock lock(graphs().mutex);
  return exec != nullptr && graphs().execs.contains(exec);
}

std::size_t index_of(const CUgraph_st& graph, const CUgraphNode_st* node) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const auto& one) { return one.get() == node; });
  return static_cast<std::size_t>(found - graph.nodes.begin());
}

void know_nodes(const CUgraph_st& graph) {
  const std::scoped_lock lock(graphs().mutex);
  for (const auto& node : graph.nodes) graphs().nodes.insert(node.get());
}

std::vector<std::shared_ptr<CUgraph_st>*> inner_graphs(Work& work) {
  std::vector<std::shared_ptr<CUgraph_st>*> inner;
  if (auto* const child = std::get_if<std::shared_ptr<CUgraph_st>>(&work)) inner.push_back(child);
  if (auto* const conditional = std::get_if<ConditionalWork>(&work)) {
    for (auto& body : conditional->bodies) inner.push_back(&body);
  }
  return inner;
}

bool put_in_order(CUgraph_st& graph) {
  graph.order.clear();
  std::vector<std::size_t> waits(graph.nodes.size());
  std::unordered_map<const CUgraphNode_st*, std::vector<std::size_t>> followers;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    waits[i] = graph.nodes[i]->after.size();
    for (const CUgraphNode_st* const before : graph.nodes[i]->after) followers[before].push_back(i);
  }
  for (std::size_t i = 0; i < waits.size(); ++i) {
    if (waits[i] == 0) graph.order.push_back(graph.nodes[i].get());
  }
  for (std::size_t next = 0; next < graph.order.size(); ++next) {
    for (const std::size_t i : followers[graph.order[next]]) {
      if (--waits[i] == 0) graph.order.push_back(graph.nodes[i].get());
    }
  }
  if (graph.order.size() != graph.nodes.size()) return false;
  for (const auto& node : graph.nodes) {
    for (auto* const inner : inner_graphs(node->work)) {
      if (!put_in_order(**inner)) return false;
    }
  }
  return true;
}

namespace {

cudaError_t run(NoWork&) { return cudaSuccess; }
cudaError_t run(KernelWork& work) {
  const CapturedLaunch& launch = work.launch;
  launch.kernel.run(launch.grid, launch.block, launch.shared_bytes);
  return lasting_error();
}
cudaError_t run(cudaMemcpy3DParms& copy) {
  const cudaError_t error = check_copy(copy);
  return error != cudaSuccess ? error : do_copy(copy);
}
cudaError_t run(cudaMemsetParams& fill) {
  const cudaError_t error = check_fill(fill);
  return error != cudaSuccess ? error : do_fill(fill);
}
cudaError_t run(cudaHostNodeParams& call) {
  call.fn(call.userData);
  return cudaSuccess;
}
cudaError_t run(std::shared_ptr<CUgraph_st>& child) { return run_graph(*child); }
cudaError_t run(EventWork& work) {
  if (!is_event(work.event)) return cudaErrorInvalidResourceHandle;
  if (!work.record) return cudaSuccess;
  work.event->recorded = true;
  work.event->at = std::chrono::steady_clock::now();
  work.event->capture = nullptr;
  work.event->last.clear();
  return cudaSuccess;
}
cudaError_t run(AllocationWork& work) { return memory().begin_life(work.memory->memory, false); }
cudaError_t run(FreeWork& work) { return memory().release(work.memory, false); }
cudaError_t run(ConditionalWork& work) {
  const auto body = [&](std::size_t i) { return run_graph(*work.bodies[i]); };
  switch (work.type) {
    case cudaGraphCondTypeIf:
      if (work.condition->value != 0) return body(0);
      return work.bodies.size() > 1 ? body(1) : cudaSuccess;
    case cudaGraphCondTypeWhile:
      while (work.condition->value != 0) {
        if (const cudaError_t error = body(0); error != cudaSuccess) return error;
      }
      return cudaSuccess;
    case cudaGraphCondTypeSwitch: {
      const unsigned value = work.condition->value;
      return value < work.bodies.size() ? body(value) : cudaSuccess;
    }
  }
  return cudaErrorInvalidValue;
}

}  // namespace

void know_inner(CUgraph_st& graph) {
  {
    const std::scoped_lock lock(graphs().mutex);
    graphs().inner.insert(&graph);
  }
  know_nodes(graph);
  for (const auto& node : graph.nodes) {
    for (auto* const inner : inner_graphs(node->work)) know_inner(**inner);
  }
}
void forget(CUgraph_st& graph) {
  {
    const std::scoped_lock lock(graphs().mutex);
    graphs().inner.erase(&graph);
    for (const auto& node : graph.nodes) graphs().nodes.erase(node.get());
  }
  for (const auto& node : graph.nodes) {
    for (auto* const inner : inner_graphs(node->work)) forget(**inner);
  }
}

GraphMemory::~GraphMemory() {
  if (memory != nullptr) runtime::memory().drop_of_graph(memory);
}

cudaGraphNodeType type_of(const Work& work) {
  struct {
    cudaGraphNodeType operator()(const NoWork&) const { return cudaGraphNodeTypeEmpty; }
    cudaGraphNodeType operator()(const KernelWork&) const { return cudaGraphNodeTypeKernel; }
    cudaGraphNodeType operator()(const cudaMemcpy3DParms&) const { return cudaGraphNodeTypeMemcpy; }
    cudaGraphNodeType operator()(const cudaMemsetParams&) const { return cudaGraphNodeTypeMemset; }
    cudaGraphNodeType operator()(const cudaHostNodeParams&) const { return cudaGraphNodeTypeHost; }
    cudaGraphNodeType operator()(const std::shared_ptr<CUgraph_st>&) const { return cudaGraphNodeTypeGraph; }
    cudaGraphNodeType operator()(const EventWork& event) const {
      return event.record ? cudaGraphNodeTypeEventRecord : cudaGraphNodeTypeWaitEvent;
    }
    cudaGraphNodeType operator()(const AllocationWork&) const { return cudaGraphNodeTypeMemAlloc; }
    cudaGraphNodeType operator()(const FreeWork&) const { return cudaGraphNodeTypeMemFree; }
    cudaGraphNodeType operator()(const ConditionalWork&) const { return cudaGraphNodeTypeConditional; }
  } const types;
  return std::visit(types, work);
}

cudaError_t run_work(Work& work) {
  return std::visit([](auto& one) { return run(one); }, work);
}

cudaError_t run_graph(CUgraph_st& graph) {
  for (CUgraphNode_st* const node : graph.order) {
    if (!node->enabled) continue;
    if (const cudaError_t error = run_work(node->work); error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

bool is_graph(cudaGraph_t graph) {
  const std::scoped_lock lock(graphs().mutex);
  return graph != nullptr && (graphs().graphs.contains(graph) || graphs().inner.contains(graph));
}

CUgraphNode_st* add_node(CUgraph_st& graph, std::vector<cudaGraphNode_t> after, Work work) {
  auto node = std::make_unique<CUgraphNode_st>();
  node->work = std::move(work);
  node->graph = &graph;
  node->after = std::move(after);
  CUgraphNode_st* const made = node.get();
  graph.nodes.push_back(std::move(node));
  {
    const std::scoped_lock lock(graphs().mutex);
    graphs().nodes.insert(made);
  }
  for (auto* const inner : inner_graphs(made->work)) know_inner(**inner);
  return made;
}

std::shared_ptr<CUgraph_st> clone_of(const CUgraph_st& graph) {
  auto clone = std::make_shared<CUgraph_st>();
  clone->conditions = graph.conditions;
  std::unordered_map<const CUgraphNode_st*, CUgraphNode_st*> copies;
  for (const auto& node : graph.nodes) {
    clone->nodes.push_back(std::make_unique<CUgraphNode_st>(*node));
    CUgraphNode_st& copy = *clone->nodes.back();
    copies[node.get()] = &copy;
    copy.graph = clone.get();
    copy.original = node.get();
    for (auto* const inner : inner_graphs(copy.work)) *inner = clone_of(**inner);
  }
  for (const auto& node : clone->nodes) {
    for (CUgraphNode_st*& before : node->after) before = copies.at(before);
  }
  return clone;
}

cudaGraph_t give(std::shared_ptr<CUgraph_st> graph) {
  know_nodes(*graph);
  cudaGraph_t handle = graph.get();
  const std::scoped_lock lock(graphs().mutex);
  graphs().inner.erase(handle);
  graphs().graphs.emplace(handle, std::move(graph));
  return handle;
}

CUgraphNode_st* node_of_original(CUgraph_st& graph, const CUgraphNode_st* original) {
  for (const auto& node : graph.nodes) {
    if (node->original == original) return node.get();
    for (auto* const inner : inner_graphs(node->work)) {
      if (CUgraphNode_st* const found = node_of_original(**inner, original)) return found;
    }
  }
  return nullptr;
}

}  // namespace assay_simt::runtime
