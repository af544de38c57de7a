#include "reference/autosparse/annealing.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "reference/core/error.hpp"

namespace assay::autosparse {
namespace {

constexpr AnnealingName names[] = {
#define ANNEALING(name, words) {Annealing::name, #name, words},
#include "reference/autosparse/annealing.def"
#undef ANNEALING
};

double cosine_factor(double p) { return (1 + std::cos(std::numbers::pi * p)) / 2; }
double sigmoid_factor(double p) { return 1 - 1 / (1 + std::exp(6 - 12 * p)); }

void require_alpha(double alpha_0) {
  if (!(alpha_0 >= 0 && alpha_0 <= 1))
    throw ContractError("alpha is a share of the gradient, from 0 to 1, not " + std::to_string(alpha_0));
}

}  // namespace

std::span<const AnnealingName> annealings() { return names; }

double annealing_factor(Annealing annealing, std::int64_t done, std::int64_t epochs) {
  constexpr std::int64_t most = std::int64_t{1} << 53;  // that double tells apart
  if (epochs < 1 || epochs > most)
    throw ContractError("a run has 1 to 2^53 epochs, not " + std::to_string(epochs));
  if (done < 0 || done > epochs)
    throw ContractError("epochs that are done: 0 to " + std::to_string(epochs) + ", not " +
                        std::to_string(done));
  if (annealing == Annealing::none) return 1;
  // In integers: 0.9 E is no double.
  if (10 * done >= 9 * epochs) return 0;
  const double p = static_cast<double>(done) / static_cast<double>(epochs);
  switch (annealing) {
    case Annealing::none: return 1;
    case Annealing::linear: return 1 - p;
    case Annealing::cosine: return cosine_factor(p);
    case Annealing::sigmoid: return sigmoid_factor(p);
    case Annealing::sigmoid_cosine: return std::max(cosine_factor(p), sigmoid_factor(p));
  }
  return 0;
}

double annealed_alpha(Annealing annealing, double alpha_0, std::int64_t done, std::int64_t epochs) {
  require_alpha(alpha_0);
  return alpha_0 * annealing_factor(annealing, done, epochs);
}

double tuned_alpha(double alpha_0, double loss, double dense_loss) {
  require_alpha(alpha_0);
  if (std::isnan(loss) || std::isnan(dense_loss)) throw ContractError("a loss is no number");
  return std::min(1.0, alpha_0 * (loss > 1.01 * dense_loss ? 1.05 : 0.995));
}

}  // namespace assay::autosparse
