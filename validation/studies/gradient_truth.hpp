// A layer whose gradients a study measures, and all of its results that no rounding of operands changes.
//
//   layer    W [outputs x inputs] with one threshold T = g(s), X [batch x inputs], dY [batch x outputs]: float32
//   masks    |w| > T with w and T in float32, everywhere: only arithmetic differs
//   truth    v = sign(w) (|w| - T), dX = dY v, G = dY^T X in float64, from the float32 operands and T = g(s) in
//            float64; so too dW = h G + lambda w and ds, which depend on alpha
//   float32  the path of reference/autosparse/gradient.hpp, its products by chain_f32_fused
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reference/autosparse/gradient.hpp"
#include "reference/sparse/csr.hpp"

namespace assay::studies {

struct GradientLayer {
  std::size_t outputs = 0, inputs = 0, batch = 0;
  std::vector<float> w{}, x{}, dy{};
};

// W normal with variance 2 / width (He), X and dY standard normal: of a width always the same.
GradientLayer random_layer(std::size_t width, std::size_t batch, std::uint64_t seed);

// s of the threshold that masks this share of the weights. Rounding s may move T past the weights next to it.
// ContractError where no threshold in (0, 1) does it.
float s_of_sparsity(std::span<const float> w, double per_cent);

struct GradientThreshold {
  double sparsity = 0;  // per cent, as asked for
  float s = 0;
};

// The layer under one threshold. Entries: the kept weights by inputs, of each input by channels ascending; the product
// with dY^T is dX^T, [inputs x batch].
struct PrunedLayer {
  GradientThreshold asked{};
  float threshold = 0;     // T of the masks and of the tested path
  double threshold64 = 0;  // T of the truth
  std::vector<std::uint8_t> mask{};
  sparse::CsrStructure entries{};
  std::vector<std::uint32_t> weight{};  // of an entry: its place in W
  std::vector<float> v32{};             // of an entry
  std::vector<double> v{}, v_slack{};   // |v32 - v| <= v_slack
  std::vector<double> dx{}, dx_magnitudes{};
  std::vector<float> dx32{};
};

class GradientTruth {
 public:
  // lambda is that of s too. ContractError for arrays that do not match and for alphas outside [0, 1].
  GradientTruth(GradientLayer layer, const std::vector<GradientThreshold>& thresholds,
                std::vector<double> alphas, double lambda, std::uint64_t seed);

  GradientLayer layer{};
  std::vector<double> alphas{};  // as asked for; every path takes alpha and lambda as float32 has them
  double lambda = 0;
  std::uint64_t seed = 1;  // of stochastic rounding
  autosparse::LayerShape shape{};
  std::vector<float> dy_by_outputs{};  // dY^T, [outputs x batch]
  sparse::CsrStructure whole{};        // of dY^T: every place
  std::vector<double> w64{}, g{}, g_magnitudes{};
  std::vector<float> g32{};
  std::vector<PrunedLayer> pruned{};

  // ds, and dW unless that is empty. `threshold`: T as the path has it; masks are those of float32.
  template <class Real>
  double ds(const PrunedLayer& p, double threshold, std::span<const Real> w, std::span<const Real> gradient,
            double alpha, std::span<Real> dw) const {
    const Real of_masks = static_cast<Real>(p.threshold);
    double sum = 0;
    autosparse::backward<Real>(w, shape, std::span(&of_masks, 1), gradient,
                               {.alpha = alpha, .lambda = lambda, .lambda_s = lambda}, dw,
                               std::span(&sum, 1));
    return autosparse::s_gradient(threshold, sum, double{p.asked.s}, lambda);
  }
  // The weights of a mask by inputs, and where they lie in W.
  sparse::CsrStructure entries_of(std::span<const std::uint8_t> mask,
                                  std::vector<std::uint32_t>& weight) const;

 private:
  PrunedLayer pruned_by(const GradientThreshold& asked) const;
};

inline double sign_of(double w) { return w > 0 ? 1 : w < 0 ? -1 : 0; }

// What measuring a layer takes. Nothing: 2^64 bytes and more.
std::optional<std::uint64_t> gradient_bytes(std::uint64_t width, std::uint64_t batch,
                                            std::uint64_t thresholds, std::uint64_t threads);

}  // namespace assay::studies
