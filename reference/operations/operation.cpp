#include "reference/operations/operation.hpp"

#include <algorithm>
#include <array>

namespace assay::operations {

std::span<const OperationKind* const> operation_kinds() {
  static constexpr auto kinds = std::to_array<const OperationKind*>({
#define OPERATION(name) &kind_of_##name,
#include "reference/operations/operations.def"
#undef OPERATION
  });
  return kinds;
}

const OperationKind* find_operation(std::string_view name) {
  const auto all = operation_kinds();
  const auto* const found = std::find_if(all.data(), all.data() + all.size(),
                                         [&](const OperationKind* k) { return k->name == name; });
  return found == all.data() + all.size() ? nullptr : *found;
}

}  // namespace assay::operations
