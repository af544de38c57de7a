// Gradient annealing: the factor alpha of the gradient that a masked weight gets, by epoch.
//
// Source: Kundu, Mellempudi, Vooturi, Kaul and Dubey, "AutoSparse" (arXiv 2304.06941). alpha is constant within an
// epoch. With e of E epochs done and p = e / E it is alpha_0 times the schedule's factor, and 0 from p = 0.9 on, so
// that the last tenth of a run trains what inference will compute; `none` alone has no end.
//
// The factor belongs to alpha_0, not to the alpha of the epoch before (which compounds), and to the epochs that are
// done, so that the first epoch has all of alpha_0.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace assay::autosparse {

enum class Annealing : std::uint8_t {
#define ANNEALING(name, words) name,
#include "reference/autosparse/annealing.def"
#undef ANNEALING
};

struct AnnealingName {
  Annealing annealing;
  std::string_view name, words;
};
std::span<const AnnealingName> annealings();

// In [0, 1], for `done` of `epochs` epochs. ContractError unless 0 <= done <= epochs and 1 <= epochs <= 2^53.
double annealing_factor(Annealing annealing, std::int64_t done, std::int64_t epochs);

// alpha_0 times that. ContractError unless alpha_0 is in [0, 1].
double annealed_alpha(Annealing annealing, double alpha_0, std::int64_t done, std::int64_t epochs);

// The tuning of alpha_0 in the first epochs beside a dense run: a loss more than a hundredth above the dense run's
// raises it by a twentieth, else it falls by a two-hundredth; it stays in [0, 1]. ContractError for losses that are no
// numbers.
inline constexpr std::int64_t tuned_epochs = 10;
double tuned_alpha(double alpha_0, double loss, double dense_loss);

}  // namespace assay::autosparse
