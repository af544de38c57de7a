// Inference of a sparse network with separate formats and roundings for weights, activations, bias and
// accumulator.
//
// Numerics
//   weights, bias  each rounded once from the file's float32.
//   inputs         rounded as activations.
//   sum            s starts at +0 and takes the inputs of an output in ascending order: s = R(w x + s), the product
//                  exact, R the rounding to the accumulator.
//   bias           z = R(s + b).
//   clip           y = min(upper, max(lower, z)), then rounded as an activation. The last layer of a trained network,
//                  which has no clip, is not rounded: its outputs are compared as they are.
//   float32        with float32 everywhere, to nearest: the bits of kernel_task.hpp.
//   stochastic     the random bits are a function of (seed, image, layer, output, step): threads change nothing.
//   shortcuts      none changes a bit. Outputs of a layer with equal weights and bias are computed once (not under
//                  stochastic rounding). A row that all remaining layers keep at 0, or at the upper clip, is not
//                  computed further; the constructor tests the layers for this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"
#include "reference/networks/network.hpp"
#include "validation/report/study_results.hpp"

namespace assay::studies {

// "bf16", "bf16:RZ"; InputError with `option` for any other text.
Quantity parse_quantity(std::string_view option, const std::string& text);

// Quantities that are not float32 to nearest: "weights, activations bf16; accumulator f16:RZ"; "float32" if all are.
std::string arithmetic_text(const InferenceArithmetic& a);

class QuantizedNetwork {
 public:
  // ContractError if the layers do not fit one another or there is none.
  QuantizedNetwork(const networks::Network& network, const InferenceArithmetic& arithmetic);

  std::int64_t inputs() const { return layers_.front().inputs; }
  // `x` holds inputs() values; image: its number, for random bits.
  Answer answer(Question question, std::span<const float> x, std::uint64_t image) const;
  // The outputs of the last layer; all zeros once a row has died.
  std::vector<double> outputs(std::span<const float> x, std::uint64_t image) const;

  // For tests: computes sums by exact arithmetic and encode() alone, with the same bits.
  void use_definition() { definition_ = true; }

 private:
  struct Rounded {
    std::int64_t inputs = 0, outputs = 0;
    std::vector<std::uint64_t> offsets{0};  // of the distinct outputs
    std::vector<std::uint32_t> columns;
    std::vector<double> weights;
    std::vector<double> bias;             // of the distinct outputs
    std::vector<std::uint32_t> distinct;  // of each output
    double lower = 0, upper = 0;
    bool last = false;                           // its outputs are not activations
    bool keeps_zero = false, keeps_top = false;  // as do all later layers
  };
  struct Trace;

  Rounded laid_out(const networks::Layer& from, std::size_t l) const;  // rounded, each output once
  void try_what_is_kept();
  double sum(const Rounded& layer, std::size_t output, std::span<const double> x,
             std::uint64_t counter) const;
  double rounded_sum(double product_weight, double product_x, double s, std::uint64_t counter) const;
  // Computes y from x; returns the largest sum before the clip.
  double apply(std::size_t l, std::span<const double> x, std::span<double> y, std::uint64_t image) const;
  void run(std::span<const float> x, std::uint64_t image, Trace& trace) const;

  InferenceArithmetic a_;
  std::vector<Rounded> layers_;
  bool definition_ = false, stochastic_ = false;
  std::int64_t widest_ = 0;
};

// Fills x with image i.
using ImageSource = std::function<void(std::size_t i, std::span<float> x)>;
std::vector<Answer> answers(const QuantizedNetwork& network, Question question, std::size_t images,
                            const ImageSource& source, int threads = 0,
                            const std::function<void(double)>& progress = {});

// Rounds x into f. x is exact, or an exact value rounded to odd (f then has fewer than 52 bits): the result is one
// rounding of the exact value. Not for stochastic rounding. Equal to encode(), and faster.
double round_once(double x, const FormatSpec& f, Rounding mode);
// w x + s rounded to odd in float64, for round_once(). w x must be exact in float64.
double odd_fma(double w, double x, double s);

}  // namespace assay::studies
