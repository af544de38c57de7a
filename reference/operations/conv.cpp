#include "reference/operations/conv.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

namespace assay {
namespace {

// Windows end within the padded input, so that its size and the kernel's reach are all that can be too large.
bool is_countable(std::size_t size, std::size_t before, std::size_t after, std::size_t kernel,
                  std::size_t dilation) {
  std::size_t padded = 0, reach = 0;
  if (__builtin_add_overflow(size, before, &padded) || __builtin_add_overflow(padded, after, &padded) ||
      padded >> 63 != 0)
    return false;
  return kernel == 0 || (!__builtin_mul_overflow(dilation, kernel - 1, &reach) &&
                         !__builtin_add_overflow(reach, std::size_t{1}, &reach));
}

std::size_t out_size(std::size_t size, std::size_t before, std::size_t after, std::size_t kernel,
                     std::size_t dilation, std::size_t stride) {
  const std::size_t padded = size + before + after;
  const std::size_t reach = kernel == 0 ? 0 : dilation * (kernel - 1) + 1;
  return kernel == 0 || stride == 0 || padded < reach ? 0 : (padded - reach) / stride + 1;
}

std::string dims(std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
  return std::to_string(a) + " x " + std::to_string(b) + " x " + std::to_string(c) + " x " +
         std::to_string(d);
}

void check(const ConvProblem& p, const CodeVector& x, const CodeVector& w,
           const std::optional<CodeVector>& bias) {
  check_epilogue(p.epilogue);
  if (p.epilogue.beta != 0) throw ContractError("conv2d: it takes no C");
  if (x.scales.given() || w.scales.given()) throw ContractError("conv2d: it takes no scales of blocks");
  if (p.stride_height == 0 || p.stride_width == 0 || p.dilation_height == 0 || p.dilation_width == 0) {
    throw ContractError("conv2d: a stride or dilation of 0");
  }
  if (!p.has_countable_sizes())
    throw ContractError("conv2d: a padded input of 2^63 and more, or a dilated kernel of 2^64");
  if (p.groups == 0 || p.channels % p.groups != 0 || p.outputs % p.groups != 0) {
    throw ContractError("conv2d: " + std::to_string(p.groups) + " groups of " + std::to_string(p.channels) +
                        " channels and " + std::to_string(p.outputs) + " outputs");
  }
  if (x.size != p.input_size()) {
    throw ContractError("conv2d: x of " + std::to_string(x.size) + " elements for " +
                        dims(p.batch, p.channels, p.height, p.width));
  }
  if (w.size != p.weight_size()) {
    throw ContractError("conv2d: w of " + std::to_string(w.size) + " elements for " +
                        dims(p.outputs, p.channels / p.groups, p.kernel_height, p.kernel_width));
  }
  if (bias && bias->size != p.outputs) {
    throw ContractError("conv2d: a bias of " + std::to_string(bias->size) + " elements for " +
                        std::to_string(p.outputs) + " outputs");
  }
}

// Index of element (n, c, h, w) of an array n x C x H x W in the layout.
std::size_t index_of(ImageLayout layout, std::size_t n, std::size_t c, std::size_t h, std::size_t w,
                     std::size_t C, std::size_t H, std::size_t W) {
  return layout == ImageLayout::nchw ? ((n * C + c) * H + h) * W + w : ((n * H + h) * W + w) * C + c;
}

// The operands of one output, in the order of its terms.
class Taps {
 public:
  Taps(const ConvProblem& p, const CodeVector& x, const CodeVector& w) : p_(p), x_(x), w_(w) {}

  void gather(std::size_t n, std::size_t o, std::size_t row, std::size_t col) {
    xs_.clear();
    ws_.clear();
    const std::size_t channels = p_.channels / p_.groups;
    const std::size_t first = o / (p_.outputs / p_.groups) * channels;
    const bool outer = p_.terms == TapOrder::channels_first;
    for (std::size_t c0 = 0; c0 < (outer ? channels : 1); ++c0) {
      for (std::size_t r = 0; r < p_.kernel_height; ++r) {
        for (std::size_t s = 0; s < p_.kernel_width; ++s) {
          for (std::size_t c1 = 0; c1 < (outer ? 1 : channels); ++c1) {
            const std::size_t c = c0 + c1;
            // Compared before the padding is taken away: sizes have no sign.
            const std::size_t h = row * p_.stride_height + r * p_.dilation_height;
            const std::size_t v = col * p_.stride_width + s * p_.dilation_width;
            const bool inside = h >= p_.pad_top && h < p_.pad_top + p_.height && v >= p_.pad_left &&
                                v < p_.pad_left + p_.width;
            if (!inside && p_.padding == Padding::absent) continue;
            xs_.push_back(inside ? x_.code(index_of(p_.layout, n, first + c, h - p_.pad_top, v - p_.pad_left,
                                                    p_.channels, p_.height, p_.width))
                                 : 0);
            ws_.push_back(
                w_.code(index_of(p_.layout, o, c, r, s, channels, p_.kernel_height, p_.kernel_width)));
          }
        }
      }
    }
  }
  CodeVector x() { return packed(xs_, x_.format, packed_x_); }
  CodeVector w() { return packed(ws_, w_.format, packed_w_); }

 private:
  static CodeVector packed(const std::vector<std::uint64_t>& codes, const FormatSpec& f,
                           std::vector<std::byte>& bytes) {
    bytes.resize(codes.size() * code_bytes(f) + 1);  // + 1: a view of no elements is not null either
    for (std::size_t i = 0; i < codes.size(); ++i) {
      detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), codes[i]);
    }
    return {bytes.data(), codes.size(), 1, f};
  }

  const ConvProblem& p_;
  CodeVector x_, w_;
  std::vector<std::uint64_t> xs_, ws_;
  std::vector<std::byte> packed_x_, packed_w_;
};

std::optional<Addend> bias_of(const std::optional<CodeVector>& bias, std::size_t o) {
  return bias ? std::optional(Addend{bias->code(o), bias->format}) : std::nullopt;
}

}  // namespace

bool ConvProblem::has_countable_sizes() const {
  return is_countable(height, pad_top, pad_bottom, kernel_height, dilation_height) &&
         is_countable(width, pad_left, pad_right, kernel_width, dilation_width);
}

std::size_t ConvProblem::out_height() const {
  return out_size(height, pad_top, pad_bottom, kernel_height, dilation_height, stride_height);
}

std::size_t ConvProblem::out_width() const {
  return out_size(width, pad_left, pad_right, kernel_width, dilation_width, stride_width);
}

void conv2d(const Arithmetic& arithmetic, const ConvProblem& problem, const CodeVector& x,
            const CodeVector& w, const std::optional<CodeVector>& bias, const MutableCodeVector& y) {
  check(problem, x, w, bias);
  const std::size_t rows = problem.out_height(), cols = problem.out_width();
  if (y.size != problem.output_size()) {
    throw ContractError("conv2d: y of " + std::to_string(y.size) + " elements for " +
                        dims(problem.batch, problem.outputs, rows, cols));
  }
  const FormatSpec given = arithmetic.info().outputs.front();
  const FormatSpec format = problem.epilogue.format.value_or(arithmetic.info().accumulator);
  const bool direct = is_plain(problem.epilogue) && !bias && arithmetic.gives(y.format);
  parallel_for(problem.batch * problem.outputs, y.size > 1 ? 0 : 1, [&](std::size_t image) {
    const std::size_t n = image / problem.outputs, o = image % problem.outputs;
    Taps taps(problem, x, w);
    for (std::size_t p = 0; p < rows; ++p) {
      for (std::size_t q = 0; q < cols; ++q) {
        const std::size_t at = index_of(problem.layout, n, o, p, q, problem.outputs, rows, cols);
        taps.gather(n, o, p, q);
        const std::uint64_t sum = arithmetic.dot(taps.x(), taps.w(), std::nullopt, direct ? y.format : given,
                                                 {problem.first.index + at, problem.first.stream});
        y.set(at, direct ? sum
                         : apply_epilogue(problem.epilogue, format, {sum, given}, std::nullopt,
                                          bias_of(bias, o), y.format));
      }
    }
  });
}

ConvTerms conv2d_terms(const ConvProblem& problem, const CodeVector& x, const CodeVector& w, std::size_t n,
                       std::size_t o, std::size_t p, std::size_t q, std::vector<std::byte>& scratch) {
  check(problem, x, w, std::nullopt);
  if (n >= problem.batch || o >= problem.outputs || p >= problem.out_height() || q >= problem.out_width()) {
    throw ContractError("conv2d: no output " + dims(n, o, p, q));
  }
  Taps taps(problem, x, w);
  taps.gather(n, o, p, q);
  const CodeVector xs = taps.x(), ws = taps.w();
  const std::size_t bytes_x = xs.size * code_bytes(xs.format), bytes_w = ws.size * code_bytes(ws.format);
  scratch.resize(bytes_x + bytes_w + 1);  // + 1: a view of no elements is not null either
  std::memcpy(scratch.data(), xs.data, bytes_x);
  std::memcpy(scratch.data() + bytes_x, ws.data, bytes_w);
  return {{scratch.data(), xs.size, 1, xs.format}, {scratch.data() + bytes_x, ws.size, 1, ws.format}};
}

ElementTruth conv2d_truth(const Arithmetic& arithmetic, const ConvProblem& problem, const CodeVector& x,
                          const CodeVector& w, const std::optional<CodeVector>& bias,
                          const FormatSpec& output, std::size_t n, std::size_t o, std::size_t p,
                          std::size_t q, double factor) {
  check(problem, x, w, bias);
  if (n >= problem.batch || o >= problem.outputs || p >= problem.out_height() || q >= problem.out_width()) {
    throw ContractError("conv2d: no output " + dims(n, o, p, q));
  }
  Taps taps(problem, x, w);
  taps.gather(n, o, p, q);
  return element_truth(arithmetic, problem.epilogue, taps.x(), taps.w(), std::nullopt, std::nullopt,
                       bias_of(bias, o), output, factor);
}

}  // namespace assay
