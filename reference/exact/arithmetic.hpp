// The interface of every arithmetic that can form a dot product: float chains here, machines' units in
// emulation/units. Code that compares or trains uses this interface and knows no machine.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/exact/code_view.hpp"
#include "reference/exact/error_bound.hpp"
#include "reference/exact/exact_sum.hpp"

namespace assay {

// The evidence for an arithmetic's claim to give the bits of something else.
enum class Evidence : std::uint8_t {
  DEF,  // it is its own definition: nothing to verify
  HW,   // run against the hardware
  REC,  // against recorded results of the hardware
  CC,   // read from compiled code
  SRC,  // from a publication or a manual alone
  UNV,  // a guess
};
std::string_view evidence_name(Evidence evidence);  // "DEF"
// True for SRC and UNV: every output must say "unverified".
constexpr bool is_unverified(Evidence evidence) {
  return evidence == Evidence::SRC || evidence == Evidence::UNV;
}

// A product with more in it than a . b + c, which whoever asks must not add once more: alpha a . b + beta c, or the
// mean of a.
struct OwnScaling {
  double alpha = 1;
  std::optional<double> beta{};  // empty: it takes no c
  bool mean = false;

  auto operator<=>(const OwnScaling&) const = default;
};

// What is known about an arithmetic. The texts are for people; code uses the typed members.
struct ArithmeticInfo {
  std::string name{};     // as typed: "chain_f32"
  std::string family{};   // "chain", "fma_chain", "fused_sum", ...; for lists alone
  std::string summary{};  // one line for a list
  // Accepted (format of a, format of b); empty: any two formats.
  std::vector<std::pair<FormatSpec, FormatSpec>> inputs{};
  FormatSpec accumulator = formats::float32;  // of c and of step()'s result
  std::vector<FormatSpec> outputs{};          // of dot() and gemm(); the first is the default
  bool any_output = false;                    // rounds its default output into every other format too
  std::size_t step_terms = 1;                 // L: products that enter one step
  std::string order{};                        // "sequential", "chunks of 16 in order", ...
  bool sequential = false;                    // one term after another, each added to the sum so far
  std::string products{};                     // "rounded to float32", "exact"
  std::string rounding = "nearest-even";      // of each step
  bool stochastic = false;                    // it draws random bits, by the output's place: OutputPlace
  bool fused = false;                         // a product and the addition it enters are one rounding
  bool flush_inputs = false;                  // subnormal operands (c too) are read as zeros: so is the truth
  bool flush_results = false;
  bool flush_by_code = true;  // those whose rounded code is subnormal, as encode() does; else see the unit
  std::optional<ScaleUse> block_scales{};  // operands may have such scales; empty: they must have none
  bool sparse = false;                     // A may be 2:4 sparse
  bool divisible = true;  // outputs may be asked for in tiles; else only in the shape that is known
  std::optional<OwnScaling> scaling{};                            // empty: dot() is a . b + c
  std::vector<std::pair<std::string, std::string>> parameters{};  // of the family, for lists: {"F", "25"}
  std::string nan{};                                              // which NaN comes out
  std::string source{};                                           // document, or "this file"
  Evidence evidence = Evidence::DEF;
};

// Where one output lies in a whole result: what a stochastic arithmetic draws its random bits for.
struct OutputPlace {
  // An index alone is a place in stream 0.
  constexpr OutputPlace(std::uint64_t i = 0, std::uint32_t s = 0) : index(i), stream(s) {}

  std::uint64_t index;  // row * columns + column; batches, images and rows of dot products follow one another
  std::uint32_t stream;  // results of one seed that draw apart: a layer, a training step
};

// Where output (0, 0) of a call to gemm() lies in the whole result. A tile that says where it lies gets the bits that
// the whole would get there, however the result is cut.
struct OutputOrigin {
  std::uint64_t offset = 0;      // index of output (0, 0)
  std::uint64_t row_stride = 0;  // columns of the whole; 0: of the call's own result
  std::uint32_t stream = 0;

  constexpr OutputPlace place(std::uint64_t row, std::uint64_t column) const {
    return {offset + row * row_stride + column, stream};
  }
};

// The exact value of a dot product and the sum of magnitudes that its bound is a multiple of.
struct ExactDot {
  ExactSum value{};
  double magnitudes = 0;  // sum |a||b| + |c|, rounded up
};

// dot_bound() of a . b (+ c, counted in `truth`), or sum_bound() where one operand holds nothing but 0 and +-1: a
// product with those is the other operand, a value of its format, and does not round. `info` says whether operands are
// flushed before they enter.
ErrorBound chain_bound(const Accumulation& how, const ArithmeticInfo& info, const CodeVector& a,
                       const CodeVector& b, bool addend, const ExactDot& truth);

// Implementations are immutable: any number of threads may use one.
class Arithmetic {
 public:
  virtual ~Arithmetic() = default;
  Arithmetic(const Arithmetic&) = delete;
  Arithmetic& operator=(const Arithmetic&) = delete;

  const ArithmeticInfo& info() const { return info_; }
  bool accepts(const FormatSpec& a, const FormatSpec& b) const;
  bool gives(const FormatSpec& output) const;

  // a . b, plus c if given: c is a code of the accumulator's format, the result one of `output`. `place` picks
  // the random bits of a stochastic arithmetic, or which output of a revealed program this is, and nothing else.
  // ContractError if the sizes differ, or the formats, the scales or the indices of a sparse operand are not accepted
  // (the message names what is).
  std::uint64_t dot(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c = {},
                    OutputPlace place = {}) const;
  std::uint64_t dot(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                    const FormatSpec& output, OutputPlace place = {}) const;

  // One step of at most info().step_terms products: c and the result are codes of the accumulator's format.
  std::uint64_t step(const CodeVector& a, const CodeVector& b, std::uint64_t c, OutputPlace place = {}) const;

  // D = A B + C: A m x k, B k x n, C (a code of the accumulator's format each) and D m x n, D in one of
  // info().outputs. C may be the same memory as D if the strides and formats are the same. Every element equals dot()
  // of its row and column at its place, counted from `origin`.
  void gemm(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
            const MutableCodeMatrix& d, OutputOrigin origin = {}) const;

  // The truth of dot(): exact, from the operands as this arithmetic reads them (flushed where it flushes inputs).
  virtual ExactDot exact(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const;

  // A proven bound on |dot() - exact()| for these very operands, the rounding to `output` included, valid without
  // overflow on the way; computed upward. +Inf if this arithmetic has no bound for them (NaN or infinite operands).
  virtual double bound(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                       const FormatSpec& output) const = 0;

  // How it adds, where dot_bound() holds for it as it stands: then all that may happen on the way, overflow too,
  // follows from the data (reference/operations/result_set.hpp). Empty: only bound() knows.
  virtual std::optional<Accumulation> accumulation() const { return std::nullopt; }

 protected:
  explicit Arithmetic(ArithmeticInfo info);

  // What dot() and gemm() ask of their operands, for implementations with entries of their own. ContractError.
  void check_dot(const CodeVector& a, const CodeVector& b, const FormatSpec& output) const;
  void check_gemm(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                  const MutableCodeMatrix& d) const;

  // Called with operands that are checked.
  virtual std::uint64_t dot_checked(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                                    const FormatSpec& output, OutputPlace place) const = 0;
  virtual std::uint64_t step_checked(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                                     OutputPlace place) const = 0;
  // The default takes dot_checked() element by element, rows shared out over OpenMP's threads. `origin` has its row
  // stride.
  virtual void gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                            const MutableCodeMatrix& d, OutputOrigin origin) const;

 private:
  ArithmeticInfo info_;
};

// Arithmetics by name, passed to the code that needs one: there is no global list.
class ArithmeticRegistry {
 public:
  // ContractError if the name is empty or taken.
  void add(std::unique_ptr<const Arithmetic> arithmetic);
  // Null if unknown.
  const Arithmetic* lookup(std::string_view name) const;
  // InputError with the near names if unknown; `where` is the option or command that it stood in ("--unit").
  const Arithmetic& find(std::string_view name, std::string_view where = "arithmetic") const;
  // In the order of addition.
  const std::vector<const Arithmetic*>& list() const { return order_; }
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::unique_ptr<const Arithmetic>, std::less<>> by_name_;
  std::vector<const Arithmetic*> order_;
};

}  // namespace assay
