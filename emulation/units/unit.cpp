#include "emulation/units/unit.hpp"

#include "reference/core/error.hpp"

namespace assay {

std::vector<TraceStep> Unit::trace(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                   const FormatSpec& output) const {
  check_dot(a, b, output);
  return trace_checked(a, b, c, output);
}

void Unit::gemm_by(std::string_view path, const CodeMatrix& a, const CodeMatrix& b,
                   const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const {
  check_gemm(a, b, c, d);
  const std::vector<UnitPath> all = paths();
  const UnitPath* const found = KernelTable<UnitPath>(info().name, all).lookup(path);
  if (found == nullptr) {
    std::string names;
    for (const UnitPath& p : all) names += (names.empty() ? "" : ", ") + std::string(p.name);
    throw ContractError(info().name + " has no path '" + std::string(path) + "'; it has " + names);
  }
  if (const std::string why = why_unavailable(found->needs); !why.empty()) throw Unavailable(why);
  if (d.rows != 0 && d.cols != 0) gemm_by_checked(*found, a, b, c, d);
}

void Unit::gemm_by_checked(const UnitPath&, const CodeMatrix& a, const CodeMatrix& b,
                           const std::optional<CodeMatrix>& c, const MutableCodeMatrix& d) const {
  Arithmetic::gemm_checked(a, b, c, d, {.row_stride = d.cols});
}

void Unit::gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                        const MutableCodeMatrix& d, OutputOrigin) const {
  const std::vector<UnitPath> all = paths();
  gemm_by_checked(KernelTable<UnitPath>(info().name, all).best(), a, b, c, d);
}

}  // namespace assay
