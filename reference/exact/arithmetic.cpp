#include "reference/exact/arithmetic.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/exact_dot.hpp"

namespace assay {
namespace {

std::string shape(std::size_t rows, std::size_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

std::string accepted(const ArithmeticInfo& info) {
  std::string names;
  for (const auto& [a, b] : info.inputs) {
    names += (names.empty() ? "" : ", ") + std::string(a.short_name) + " x " + std::string(b.short_name);
  }
  return names;
}

std::string given(const ArithmeticInfo& info) {
  std::string names;
  for (const FormatSpec& f : info.outputs) names += (names.empty() ? "" : ", ") + std::string(f.short_name);
  return names;
}

std::string scales_text(const ScaleUse& use) {
  return "one " + std::string(scale_format_name(use.format)) + " for every block of " +
         std::to_string(use.block);
}

// What comes with the codes of an operand.
void check_extras(const ArithmeticInfo& info, const CodeVector& x) {
  if (x.sparse.given() && !info.sparse)
    throw ContractError(info.name + " has no sparse form: it takes every element of an operand");
  const BlockScales& scales = x.scales;
  if (!scales.given()) return;
  if (!info.block_scales) throw ContractError(info.name + " reads no scales of blocks");
  const ScaleUse& due = *info.block_scales;
  if (scales.use != due) {
    throw ContractError(info.name + ": an operand with " + scales_text(scales.use) + "; it takes " +
                        scales_text(due));
  }
  if (scales.first != 0) {
    throw ContractError(info.name + ": an operand that begins at element " + std::to_string(scales.first) +
                        " of a block of " + std::to_string(due.block));
  }
  if (scales.count != blocks_of(x.size, due.block)) {
    throw ContractError(info.name + ": " + std::to_string(scales.count) + " scales for " +
                        std::to_string(x.size) + " elements; it takes " +
                        std::to_string(blocks_of(x.size, due.block)) + ", " + scales_text(due));
  }
  if (!std::isfinite(scales.tensor) || scales.tensor <= 0) {
    throw ContractError(info.name + ": a tensor's scale of " + std::to_string(scales.tensor) +
                        "; it is positive and finite");
  }
}

void check_operands(const Arithmetic& arithmetic, const CodeVector& a, const CodeVector& b) {
  const ArithmeticInfo& info = arithmetic.info();
  if (a.size != b.size) {
    throw ContractError(info.name + ": a dot product of " + std::to_string(a.size) + " and " +
                        std::to_string(b.size) + " elements");
  }
  if (a.size != 0 && (a.data == nullptr || b.data == nullptr))
    throw ContractError(info.name + ": an operand is null");
  if (!arithmetic.accepts(a.format, b.format)) {
    throw ContractError(info.name + " does not take " + std::string(a.format.short_name) + " x " +
                        std::string(b.format.short_name) + "; it takes " + accepted(info));
  }
  check_extras(info, a);
  check_extras(info, b);
}

void check_output(const Arithmetic& arithmetic, const FormatSpec& output) {
  if (!arithmetic.gives(output)) {
    throw ContractError(arithmetic.info().name + " does not give " + std::string(output.short_name) +
                        "; it gives " + given(arithmetic.info()));
  }
}

// Nothing but 0 and +-1?
bool selects(const CodeVector& x) {
  for (std::size_t i = 0;
       i < (x.stride == 0 && !x.scales.given() ? std::min<std::size_t>(x.size, 1) : x.size); ++i) {
    const double magnitude = std::fabs(element_value(x, i));
    if (!(magnitude == 0 || magnitude == 1)) return false;
  }
  return true;
}

// Do values of `x` pass a rounding into `f` as they are, a flushing one too?
bool passes(const FormatSpec& x, const FormatSpec& f, bool flush) {
  return contains_format(f, x) && (!flush || x.emin >= f.emin);
}

// Are products with 0 and +-1 the values of `x` when they enter the sum?
bool enters_exactly(const Accumulation& how, const ArithmeticInfo& info, const FormatSpec& x) {
  if (how.flush && !info.flush_inputs) return false;
  return passes(x, how.accumulator, how.flush) && (!how.product || passes(x, *how.product, how.flush));
}

}  // namespace

ErrorBound chain_bound(const Accumulation& how, const ArithmeticInfo& info, const CodeVector& a,
                       const CodeVector& b, bool addend, const ExactDot& truth) {
  const TermSums data{
      .terms = a.size, .magnitudes = truth.magnitudes, .addend = addend, .exact = truth.value.magnitude_up()};
  if (enters_exactly(how, info, a.format) && selects(b)) return sum_bound(how, data, a.format);
  if (enters_exactly(how, info, b.format) && selects(a)) return sum_bound(how, data, b.format);
  return dot_bound(how, data);
}

std::string_view evidence_name(Evidence evidence) {
  switch (evidence) {
    case Evidence::DEF: return "DEF";
    case Evidence::HW: return "HW";
    case Evidence::REC: return "REC";
    case Evidence::CC: return "CC";
    case Evidence::SRC: return "SRC";
    case Evidence::UNV: return "UNV";
  }
  return "?";
}

Arithmetic::Arithmetic(ArithmeticInfo info) : info_(std::move(info)) {
  if (info_.outputs.empty()) info_.outputs.push_back(info_.accumulator);
}

bool Arithmetic::accepts(const FormatSpec& a, const FormatSpec& b) const {
  return info_.inputs.empty() ||
         std::find(info_.inputs.begin(), info_.inputs.end(), std::pair(a, b)) != info_.inputs.end();
}

bool Arithmetic::gives(const FormatSpec& output) const {
  return info_.any_output ||
         std::find(info_.outputs.begin(), info_.outputs.end(), output) != info_.outputs.end();
}

std::uint64_t Arithmetic::dot(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                              OutputPlace place) const {
  check_operands(*this, a, b);
  return dot_checked(a, b, c, info_.outputs.front(), place);
}

std::uint64_t Arithmetic::dot(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c,
                              const FormatSpec& output, OutputPlace place) const {
  check_dot(a, b, output);
  return dot_checked(a, b, c, output, place);
}

std::uint64_t Arithmetic::step(const CodeVector& a, const CodeVector& b, std::uint64_t c,
                               OutputPlace place) const {
  check_operands(*this, a, b);
  if (a.size > info_.step_terms) {
    throw ContractError(info_.name + ": a step of " + std::to_string(a.size) + " products; one takes " +
                        std::to_string(info_.step_terms));
  }
  return step_checked(a, b, c, place);
}

void Arithmetic::check_dot(const CodeVector& a, const CodeVector& b, const FormatSpec& output) const {
  check_operands(*this, a, b);
  check_output(*this, output);
}

void Arithmetic::check_gemm(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                            const MutableCodeMatrix& d) const {
  for (const auto& [x, lines] : {std::pair(&a, a.rows), std::pair(&b, b.cols)}) {
    if (x->scales.given() && x->scales.lines != lines) {
      throw ContractError(info_.name + ": scales of " + shape(x->scales.lines, x->scales.blocks) + " for " +
                          std::to_string(lines) + (x == &a ? " rows of A" : " columns of B"));
    }
  }
  if (a.cols != b.rows || d.rows != a.rows || d.cols != b.cols ||
      (c && (c->rows != d.rows || c->cols != d.cols))) {
    throw ContractError(info_.name + ": D of " + shape(d.rows, d.cols) + " from A of " +
                        shape(a.rows, a.cols) + " and B of " + shape(b.rows, b.cols) +
                        (c ? " and C of " + shape(c->rows, c->cols) : std::string()));
  }
  if (d.rows == 0 || d.cols == 0) return;
  check_dot(a.row(0), b.column(0), d.format);
  if (c && c->format != info_.accumulator) {
    throw ContractError(info_.name + " takes C as " + std::string(info_.accumulator.short_name) + ", not " +
                        std::string(c->format.short_name));
  }
  if (d.data == nullptr || (c && c->data == nullptr)) throw ContractError(info_.name + ": C or D is null");
}

void Arithmetic::gemm(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                      const MutableCodeMatrix& d, OutputOrigin origin) const {
  check_gemm(a, b, c, d);
  if (origin.row_stride == 0) origin.row_stride = d.cols;
  if (d.rows != 0 && d.cols != 0) gemm_checked(a, b, c, d, origin);
}

void Arithmetic::gemm_checked(const CodeMatrix& a, const CodeMatrix& b, const std::optional<CodeMatrix>& c,
                              const MutableCodeMatrix& d, OutputOrigin origin) const {
  parallel_for(d.rows, d.rows * d.cols > 1 ? 0 : 1, [&](std::size_t i) {
    for (std::size_t j = 0; j < d.cols; ++j) {
      const std::optional<std::uint64_t> start = c ? std::optional(c->code(i, j)) : std::nullopt;
      d.set(i, j, dot_checked(a.row(i), b.column(j), start, d.format, origin.place(i, j)));
    }
  });
}

ExactDot Arithmetic::exact(const CodeVector& a, const CodeVector& b, std::optional<std::uint64_t> c) const {
  check_operands(*this, a, b);
  const ExactDotOptions options{.flush_inputs = info_.flush_inputs};
  ExactDot truth{.value = exact_dot(a, b, options)};
  ExactSum magnitudes = exact_dot(a, b, {.magnitudes = true, .flush_inputs = info_.flush_inputs});
  if (c) {
    const FormatSpec& f = info_.accumulator;
    ExactValue<std::uint64_t> addend = exact_from_code(info_.flush_inputs ? flushed_code(*c, f) : *c, f);
    truth.value.add(addend);
    addend.negative = false;
    magnitudes.add(addend);
  }
  truth.magnitudes = magnitudes.rounded_up();
  return truth;
}

void ArithmeticRegistry::add(std::unique_ptr<const Arithmetic> arithmetic) {
  if (arithmetic == nullptr) throw ContractError("a null arithmetic");
  const std::string name = arithmetic->info().name;
  if (name.empty()) throw ContractError("an arithmetic without a name");
  const Arithmetic* member = arithmetic.get();
  if (!by_name_.emplace(name, std::move(arithmetic)).second) {
    throw ContractError("two arithmetics named " + name);
  }
  order_.push_back(member);
}

const Arithmetic* ArithmeticRegistry::lookup(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

const Arithmetic& ArithmeticRegistry::find(std::string_view name, std::string_view where) const {
  if (const Arithmetic* found = lookup(name)) return *found;
  throw unknown_name(where, "an arithmetic", name, names());
}

std::vector<std::string> ArithmeticRegistry::names() const {
  std::vector<std::string> all;
  for (const Arithmetic* member : order_) all.push_back(member->info().name);
  return all;
}

}  // namespace assay
