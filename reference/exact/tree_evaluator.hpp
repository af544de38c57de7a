// The bits that a tree of additions gives; what every rule does is said in addition_tree.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "reference/exact/addition_tree.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/format_spec.hpp"

namespace assay {

// The bits of the sum. `b` is null for a sum; `c` is used if the tree has an addend, and +0 without one, or if its
// scaling reads it.
// Codes are of the given formats. Works on scratch memory that a caller may keep between calls.
class TreeEvaluator {
 public:
  TreeEvaluator(const AdditionTree& tree, const FormatSpec& a, const FormatSpec& b, const FormatSpec& c);
  ~TreeEvaluator();
  TreeEvaluator(const TreeEvaluator&) = delete;
  TreeEvaluator& operator=(const TreeEvaluator&) = delete;
  std::uint64_t operator()(const CodeVector& a, const CodeVector* b, std::optional<std::uint64_t> c);

  // From now on with these in the places of the tree's alpha and beta. ContractError if the tree has none.
  void set_scales(double alpha, double beta);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay
