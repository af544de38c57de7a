// Shared by `assay dot` and `assay gemm`: operands in a unit's formats, and the output of results.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/io/array.hpp"
#include "validation/io/scales.hpp"
#include "validation/judge/scales.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

// The scales of operands' blocks (MX, NVFP4), as typed.
struct ScaleOptions {
  std::string a, b, a_tensor, b_tensor;
};
// --a-scales, --b-scales, --a-tensor-scale, --b-tensor-scale.
void add_scale_options(CLI::App& app, ScaleOptions& options);

// What the file holds, and the tensor's scale as typed.
judge::GivenScales read_scales(const std::string& path, const std::string& tensor);

struct UnitOptions {
  std::string unit, a, b, c, out, output;
  std::string format, a_format, b_format, c_format;
  ScaleOptions scales;
  bool round = false, raw_codes = false, json = false;
  int threads = 0;
  RawOptions raw;
};
void add_unit_options(CLI::App& app, UnitOptions& options);

struct UnitOperands {
  const Arithmetic* arithmetic = nullptr;
  io::Array a{}, b{};
  std::optional<io::Array> c{};
  std::optional<io::Scales> a_scales{}, b_scales{};
  FormatSpec output = formats::float32;
};

// The arithmetic of --unit and the files, each in a format that it takes: an array of another format is converted,
// which must be exact without --round. InputError with the accepted formats otherwise. Shapes are the caller's to
// check. Blocks of A and B lie along these lines of the files.
UnitOperands unit_operands(const UnitOptions& options, Lines a_blocks = Lines::rows,
                           Lines b_blocks = Lines::columns);

// Writes D to --out, as codes with --raw, and says on stdout what was computed and by whom. The exit code.
int put_result(const UnitOptions& options, const UnitOperands& operands, io::Array&& d,
               std::uint64_t products, double seconds);

// body(first, count) for all of [0, rows) in pieces, with a line of progress on a terminal where it takes over two
// seconds. One piece if not `divisible`.
void in_pieces(std::size_t rows, bool divisible, std::string_view what,
               const std::function<void(std::size_t first, std::size_t count)>& body);

// A two-dimensional array as rows. InputError for another number of dimensions; `option` names it.
CodeMatrix matrix_of(const io::Array& array, std::string_view option);

}  // namespace assay::cli
