#include "reference/operations/dot_rows.hpp"

#include <string>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

namespace assay {

void dot_rows(const Arithmetic& arithmetic, const CodeMatrix& a, const CodeMatrix& b,
              const std::optional<CodeVector>& c, const MutableCodeVector& d, std::size_t first) {
  if (a.rows != b.rows || a.cols != b.cols || d.size != a.rows || (c && c->size != a.rows)) {
    throw ContractError("dot_rows: A of " + std::to_string(a.rows) + " x " + std::to_string(a.cols) +
                        ", B of " + std::to_string(b.rows) + " x " + std::to_string(b.cols) + ", D of " +
                        std::to_string(d.size) + (c ? ", C of " + std::to_string(c->size) : ""));
  }
  parallel_for(a.rows, 0, [&](std::size_t i) {
    const std::optional<std::uint64_t> start = c ? std::optional(c->code(i)) : std::nullopt;
    d.set(i, arithmetic.dot(a.row(i), b.row(i), start, d.format, first + i));
  });
}

}  // namespace assay
