#include "emulation/simt/matrix.hpp"

namespace assay::simt {

std::string matrix_format_name(MatrixFormat f) {
  constexpr const char* names[] = {"f16", "bf16", "tf32", "e4m3", "e5m2", "f32", "f64",
                                   "s8",  "u8",   "s4",   "u4",   "b1",   "s32"};
  return names[static_cast<std::size_t>(f)];
}

std::string imitated_architecture() { return "sm_90"; }
void imitate_architecture(const std::string&) { throw MatrixUnavailable("not yet"); }
std::string why_no_matrix_operation(const MatrixOperation&) { return "not yet"; }
void multiply_add(const MatrixOperation&, const std::uint64_t*, const std::uint64_t*, const std::uint64_t*,
                  std::uint64_t*) {
  throw MatrixUnavailable("not yet");
}
std::vector<std::string> matrix_notes() { return {}; }
void clear_matrix_notes() {}
void mma_sync(const MatrixOperation&, const std::uint32_t*, const std::uint32_t*, const std::uint32_t*,
              std::uint32_t*) {
  throw MatrixUnavailable("not yet");
}

}  // namespace assay::simt
