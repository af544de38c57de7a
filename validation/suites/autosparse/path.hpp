// One step of a layer with pruned weights, and who computes it: the library by any of its kernels, or plain loops, as
// they should be or with one mistake. Every rung of the ladder is asked of a Path, so that it is asked of mistakes too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "reference/autosparse/gradient.hpp"

namespace assay::suites::ladder {

using autosparse::LayerShape;

template <class Real>
struct Layer {
  LayerShape shape{};
  std::size_t batch = 0;
  std::vector<Real> w{}, x{}, dy{};  // channels x inputs, batch x inputs, batch x channels
  std::vector<Real> thresholds{};    // one or one a channel
  std::vector<double> s{};           // as many
  autosparse::GradientScales scales{};
  bool bf16 = false;  // x and dy are values of bfloat16, and v is rounded to them

  std::size_t group(std::size_t weight) const {
    return thresholds.size() == 1 ? 0 : weight / shape.per_channel;
  }
};

template <class Real>
struct Step {
  std::vector<std::uint8_t> mask{};
  std::vector<Real> v{}, y{}, dx{}, g{}, dw{};
  std::vector<double> sums{}, ds{};  // a threshold each
};

template <class Real>
class Path {
 public:
  virtual ~Path() = default;
  virtual void forward(const Layer<Real>& layer, Step<Real>& step) const = 0;   // mask and v
  virtual void products(const Layer<Real>& layer, Step<Real>& step) const = 0;  // from v: y, dx, g
  virtual void backward(const Layer<Real>& layer, Step<Real>& step) const = 0;  // from g: dw, sums, ds

  Step<Real> run(const Layer<Real>& layer) const {
    Step<Real> step;
    forward(layer, step);
    products(layer, step);
    backward(layer, step);
    return step;
  }
};

// What a person may have wrong.
enum class Mistake : std::uint8_t {
  none,
  alpha_on_the_kept,
  threshold_kept,
  no_slope,
  no_sign,
  kept_terms_alone,
  no_decay,
  no_threshold_in_v,
  sum_in_float32,
  dense_weights_in_dx,
  g_masked,
  other_tree,
  bf16_truncated,
};

// The contract of gradient.hpp and layer.hpp a second time, an element at a time.
template <class Real>
class PlainPath : public Path<Real> {
 public:
  explicit PlainPath(Mistake mistake = Mistake::none) : mistake_(mistake) {}
  void forward(const Layer<Real>& layer, Step<Real>& step) const override;
  void products(const Layer<Real>& layer, Step<Real>& step) const override;
  void backward(const Layer<Real>& layer, Step<Real>& step) const override;

 private:
  Mistake mistake_;
};

// The library's float32 and bfloat16 forms.
class LibraryPath : public Path<float> {
 public:
  struct Options {
    const autosparse::GradientKernel* kernel = nullptr;  // null: the best
    std::string_view products{};  // a kernel of sparse::spmm_kernels(); empty: the plan's choice
    int threads = 1;
  };
  LibraryPath() = default;
  explicit LibraryPath(const Options& options) : options_(options) {}
  void forward(const Layer<float>& layer, Step<float>& step) const override;
  void products(const Layer<float>& layer, Step<float>& step) const override;
  void backward(const Layer<float>& layer, Step<float>& step) const override;

 private:
  Options options_{};
};

// G of the library at the places where a mask has 1, or all of it where the mask is empty.
std::vector<float> gradient_at(const Layer<float>& layer, std::span<const std::uint8_t> places, int threads);

// The kernels of gradient.def, and the plain loops of the library that define their results.
std::vector<const autosparse::GradientKernel*> gradient_kernels();

// The library's plain loops that define its results, products too; in float64 there is nothing else.
template <class Real>
class DefinitionPath : public Path<Real> {
 public:
  explicit DefinitionPath(int threads = 1) : threads_(threads) {}
  void forward(const Layer<Real>& layer, Step<Real>& step) const override;
  void products(const Layer<Real>& layer, Step<Real>& step) const override;
  void backward(const Layer<Real>& layer, Step<Real>& step) const override;

 private:
  int threads_;
};

// Normal numbers of these sizes. Thresholds, one or one a channel, that mask `sparsity` of the weights, about.
struct RandomLayer {
  LayerShape shape{};
  std::size_t batch = 1;
  double sparsity = 0.8;
  bool by_channel = false, bf16 = false;
};
Layer<float> random_layer(const RandomLayer& of, std::uint64_t seed);
// x and dy rounded to bfloat16.
Layer<float> rounded_to_bf16(Layer<float> layer);
// The same numbers, thresholds included, so that masks are the same.
Layer<double> in_double(const Layer<float>& layer);

std::string text_of(const LayerShape& shape);  // "512x4608"

}  // namespace assay::suites::ladder
