// Two-dimensional convolution (in the sense of neural networks, that is cross-correlation), computed by its definition.
//
//   y[n][o][p][q] = epilogue( sum over c, r, s of x[n][g Cg + c][p stride - pad + r dilation][q ...] * w[o][c][r][s] )
//   with Cg = channels / groups and g the group of output channel o.
//
// Numerics
//   order    one dot product under `arithmetic` for each output, its terms in the order of `terms`: c outermost, then
//            r, then s (channels_first), or r, s, c (channels_last).
//   padding  Padding::absent: taps outside the input are no terms (their number differs at the border).
//            Padding::zeros: they are terms 0 * w, as an implicit matrix product has them: 0 * Inf gives NaN.
//   then     the epilogue with bias[o]; no C.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "reference/operations/epilogue.hpp"
#include "reference/operations/gemm.hpp"

namespace assay {

enum class ImageLayout : std::uint8_t {
  nchw,  // x N C H W, w O C/groups R S, y N O P Q
  nhwc,  // x N H W C, w O R S C/groups, y N P Q O
};
enum class TapOrder : std::uint8_t { channels_first, channels_last };
enum class Padding : std::uint8_t { absent, zeros };

struct ConvProblem {
  std::size_t batch = 1, channels = 1, height = 1, width = 1;
  std::size_t outputs = 1, kernel_height = 1, kernel_width = 1;
  std::size_t stride_height = 1, stride_width = 1;
  std::size_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  std::size_t dilation_height = 1, dilation_width = 1;
  std::size_t groups = 1;
  ImageLayout layout = ImageLayout::nchw;
  TapOrder terms = TapOrder::channels_first;
  Padding padding = Padding::zeros;
  Epilogue epilogue{};  // beta = 0
  OutputPlace first =
      {};  // of y[0], for stochastic arithmetics; y's elements follow one another as they are stored

  // Do the padded input and the dilated kernel have sizes that can be counted, and the windows' ends too?
  bool has_countable_sizes() const;
  // floor((size + padding - dilation (kernel - 1) - 1) / stride) + 1; 0 if the kernel does not fit.
  std::size_t out_height() const;
  std::size_t out_width() const;
  std::size_t input_size() const { return batch * channels * height * width; }
  std::size_t weight_size() const { return outputs * (channels / groups) * kernel_height * kernel_width; }
  std::size_t output_size() const { return batch * outputs * out_height() * out_width(); }
};

// x, w and y are dense arrays in the order of `layout`; `bias` has `outputs` elements. ContractError, with the sizes,
// if they do not match, groups do not divide channels and outputs, a stride or dilation is 0, or has_countable_sizes()
// is false.
void conv2d(const Arithmetic& arithmetic, const ConvProblem& problem, const CodeVector& x,
            const CodeVector& w, const std::optional<CodeVector>& bias, const MutableCodeVector& y);

// The terms of y[n][o][p][q] in their order: taps of x and of w, which lie in `scratch`.
struct ConvTerms {
  CodeVector x{}, w{};
};
ConvTerms conv2d_terms(const ConvProblem& problem, const CodeVector& x, const CodeVector& w, std::size_t n,
                       std::size_t o, std::size_t p, std::size_t q, std::vector<std::byte>& scratch);

// Truth and bound of y[n][o][p][q].
ElementTruth conv2d_truth(const Arithmetic& arithmetic, const ConvProblem& problem, const CodeVector& x,
                          const CodeVector& w, const std::optional<CodeVector>& bias,
                          const FormatSpec& output, std::size_t n, std::size_t o, std::size_t p,
                          std::size_t q, double factor = 1);

}  // namespace assay
