// What the parts of the runtime API that make, change and run graphs share.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "emulation/simt/runtime.hpp"

struct CUgraphExec_st {
  std::shared_ptr<CUgraph_st> graph{};  // its nodes know their originals
  unsigned long long flags = 0;
};

namespace assay_simt::runtime {

// What lives: handles that a program may use.
struct Graphs {
  std::mutex mutex{};
  std::unordered_map<const CUgraph_st*, std::shared_ptr<CUgraph_st>> graphs{};  // of the program
  std::unordered_set<const CUgraph_st*> inner{};  // of child and conditional nodes
  std::unordered_set<const CUgraphNode_st*> nodes{};
  std::unordered_set<const CUgraphExec_st*> execs{};
};
Graphs& graphs();
bool is_node(const CUgraphNode_st* node);
bool is_exec(const CUgraphExec_st* exec);
void know_nodes(const CUgraph_st& graph);
// Of a graph that a node holds, and of those that its nodes hold.
void know_inner(CUgraph_st& graph);

std::size_t index_of(const CUgraph_st& graph, const CUgraphNode_st* node);
// Graphs that a node holds, or none.
std::vector<std::shared_ptr<CUgraph_st>*> inner_graphs(Work& work);
// In a clone, however deep; null if there is none.
CUgraphNode_st* node_of_original(CUgraph_st& graph, const CUgraphNode_st* original);
// False where the nodes wait for one another in a circle.
bool put_in_order(CUgraph_st& graph);

// The work that parameters describe; an error where they describe none.
cudaError_t kernel_work(const cudaKernelNodeParams* parameters, Work& work);
cudaError_t copy_work(const cudaMemcpy3DParms* parameters, Work& work);
cudaError_t fill_work(const cudaMemsetParams* parameters, Work& work);
cudaError_t host_work(const cudaHostNodeParams* parameters, Work& work);

}  // namespace assay_simt::runtime
