// A result to judge, with its inputs and options as a person gives them. check() makes an operation and a policy of
// them and returns a verdict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/operations/operation.hpp"
#include "validation/compare/comparison.hpp"
#include "validation/compare/policy.hpp"
#include "validation/io/array.hpp"
#include "validation/judge/option.hpp"
#include "validation/judge/scales.hpp"

namespace assay::judge {

struct Request {
  std::string operation;  // a name of operations.def

  // All of floating-point elements. `sparse` is the A of spmm or the mask of sddmm, in place of `a` or beside it.
  std::optional<io::Array> a{}, b{}, c{}, bias{};
  std::optional<io::SparseArray> sparse{};
  io::Array got{};
  std::optional<io::Array> stale{};  // what the memory of got held before: would it pass?

  GivenScales a_scales{}, b_scales{};  // of blocks, for an arithmetic that reads them

  // Texts as they were given: they stand in the name of the case. Numbers are decimal or C99 hexadecimal, and rounded
  // into the format of the sums.
  std::string alpha = "1", beta{}, activation = "none", bias_along = "columns", rounding{}, overflow = "ieee",
              epilogue = "anywhere";
  bool transpose_a = false, transpose_b = false, c_first = false, expects_zero = false;
  std::optional<std::size_t> batch{};
  std::string layout = "row";  // of the files, for the name alone: the arrays lie by rows

  // How the kernel sums, where no arithmetic is named.
  std::string accumulator{}, product{}, order = "any", mode = "nearest-even";
  bool flush = false;

  // The arithmetic whose bound (by policy bit-equal: whose bits) the result must meet; null: sums as above.
  const Arithmetic* arithmetic = nullptr;
  std::string arithmetic_name{};  // as it was given, a file perhaps
  // Throws where the arithmetic knows no outputs of this shape. May be null.
  std::function<void(const operations::Shape&)> require_places{};
  // Arithmetics to suggest if the bound of plain sums fails. May be null.
  const ArithmeticRegistry* known = nullptr;

  std::string reduction = "sum", nan = "propagate";
  std::optional<int> axis{};
  std::vector<std::size_t> stride{1}, pad{0}, dilation{1};  // one number, or rows and columns
  std::size_t groups = 1;
  std::string image_layout = "nchw", padding = "zeros";

  compare::Policy policy{};
  std::optional<std::uint64_t> sample{};  // judge this many outputs, drawn with `seed`
  std::uint64_t seed = 1;
  int threads = 0;  // 0: as OpenMP decides

  // The options that were given, by the names of the command's options without dashes at their front: one that the
  // operation does not look at is an error.
  std::set<std::string, std::less<>> given{};
  Caller caller = Caller::command;         // whose names of options messages use
  bool a_is_text = false;                  // numbers in text have no format unless somebody says it
  std::function<void(double)> progress{};  // is told the share that is done. May be null.

  std::string option(std::string_view name) const;
};

struct Judgement {
  compare::Comparison comparison{};
  std::string name{};      // of the case: "check/gemm m=64 n=33 ... got=bfloat16 acc=f32"
  std::string evidence{};  // what stood behind it
  std::vector<std::string> notes{};
};

// UsageError or InputError, naming the option or the array, for a question that has no answer.
Judgement check(Request request);

}  // namespace assay::judge
