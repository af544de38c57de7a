// What `assay dot` and `assay gemm` share: operands in a unit's formats, and results on their way out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "reference/exact/arithmetic.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/io/array.hpp"
#include "validation/io/scales.hpp"

namespace CLI {
class App;
}

namespace assay::cli {

// The scales of operands' blocks (MX, NVFP4), as typed.
struct ScaleOptions {
  std::string a, b, a_tensor, b_tensor;

  bool any_tensor() const { return !a_tensor.empty() || !b_tensor.empty(); }
};
// --a-scales, --b-scales, --a-tensor-scale, --b-tensor-scale.
void add_scale_options(CLI::App& app, ScaleOptions& options);

// 1 if nothing was typed. InputError, naming `option`.
float tensor_scale(std::string_view option, const std::string& typed);

// Of an operand of this shape, whose blocks lie `along` its rows or columns; empty if none were typed. The file's array
// goes through `arrange` first. InputError where `info` reads no scales, or others.
std::optional<io::Scales> scales_of_a(const ScaleOptions& options, const ArithmeticInfo& info,
                                      const io::Shape& shape, Lines along,
                                      const std::function<io::Array(io::Array)>& arrange = {});
std::optional<io::Scales> scales_of_b(const ScaleOptions& options, const ArithmeticInfo& info,
                                      const io::Shape& shape, Lines along,
                                      const std::function<io::Array(io::Array)>& arrange = {});

struct UnitOptions {
  std::string unit, a, b, c, out, output;
  std::string format, a_format, b_format, c_format;
  ScaleOptions scales;
  bool round = false, raw_codes = false, json = false;
  int threads = 0;
  RawOptions raw;
};
void add_unit_options(CLI::App& app, UnitOptions& options);

// The pair of formats in which `info` takes arrays of formats a and b: as they are, else one of them as it is, else its
// first pair.
std::pair<FormatSpec, FormatSpec> input_formats(const ArithmeticInfo& info, const FormatSpec& a,
                                                const FormatSpec& b);

// Every element in format `to`: exactly, or with `round` to nearest even. InputError with the array's origin, the
// element and what `info` takes for a value that does not fit.
io::Array fitted(io::Array&& array, const FormatSpec& to, bool round, const ArithmeticInfo& info);

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
