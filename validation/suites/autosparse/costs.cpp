// Schedules of alpha, and what sparse training costs: published figures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reference/autosparse/annealing.hpp"
#include "reference/autosparse/flops.hpp"
#include "validation/suites/autosparse/ladder.hpp"

namespace assay::suites::ladder {
namespace {

using autosparse::Annealing;
constexpr const char* other_figures = "not the published figures";

CaseResult published_schedule_case(const RunContext&) {
  Expectations found("AutoSparse's schedule at nine parts of a run", other_figures);
  ask_for_schedule(
      [](std::int64_t done, std::int64_t epochs) {
        return autosparse::annealed_alpha(Annealing::sigmoid_cosine, 1, done, epochs);
      },
      found);
  return found.result();
}

// Each schedule by its formula, in long double.
long double factor_of(Annealing annealing, long double p) {
  constexpr long double pi = 3.14159265358979323846L;
  const long double cosine = (1 + std::cos(pi * p)) / 2, sigmoid = 1 - 1 / (1 + std::exp(6 - 12 * p));
  switch (annealing) {
    case Annealing::none: return 1;
    case Annealing::linear: return 1 - p;
    case Annealing::cosine: return cosine;
    case Annealing::sigmoid: return sigmoid;
    case Annealing::sigmoid_cosine: break;
  }
  return std::max(cosine, sigmoid);
}

CaseResult schedule_case(const autosparse::AnnealingName& name, const RunContext&) {
  Expectations found("its formula in long double", "alpha is another one");
  for (const std::int64_t epochs : {1, 2, 7, 10, 40, 90, 100, 250}) {
    for (std::int64_t done = 0; done <= epochs; ++done) {
      for (const double alpha : {0.0, 0.25, 1.0}) {
        const bool over = name.annealing != Annealing::none && 10 * done >= 9 * epochs;
        const long double p = static_cast<long double>(done) / static_cast<long double>(epochs),
                          want = over ? 0 : alpha * factor_of(name.annealing, p);
        const double got = autosparse::annealed_alpha(name.annealing, alpha, done, epochs);
        found.expect(std::fabs(got - want) <= 4e-16L && (!over || got == 0), [&] {
          return fmt::format("{} of {} epochs: {}, not {}", done, epochs, got, static_cast<double>(want));
        });
      }
    }
  }
  return found.result();
}

// Counts and the cost of densities, against printed figures of this many places.
CaseResult network_case(const RunContext&) {
  Expectations found("published figures of ResNet-50 and MobileNetV1", other_figures);
  const std::vector<autosparse::Layer> resnet = autosparse::resnet50(),
                                       mobilenet = autosparse::mobilenet_v1();
  const auto equal = [&](const char* what, auto got, auto want) {
    found.expect(static_cast<std::int64_t>(got) == static_cast<std::int64_t>(want),
                 [&] { return fmt::format("{}: {}, not {}", what, got, want); });
  };
  equal("layers of ResNet-50", resnet.size(), 54);
  equal("its parameters", autosparse::parameters(resnet), 25'502'912);
  equal("its multiply-adds", autosparse::multiply_adds(resnet), 4'089'184'256);
  equal("layers of MobileNetV1", mobilenet.size(), 28);
  equal("its parameters", autosparse::parameters(mobilenet), 4'209'088);
  equal("its multiply-adds", autosparse::multiply_adds(mobilenet), 568'740'352);
  return found.result();
}

CaseResult density_case(const RunContext&) {
  Expectations found("published costs of sparse ResNet-50s beside the dense one", other_figures);
  const std::vector<autosparse::Layer> layers = autosparse::resnet50();
  const auto whole = static_cast<double>(autosparse::multiply_adds(layers)),
             parameters = static_cast<double>(autosparse::parameters(layers));
  const struct {
    double density, kernel, uniform;
  } published[] = {{0.20, 0.414, 0.223}, {0.10, 0.242, 0.126}, {0.05, 0.122, 0.077}, {0.035, 0.085, 0.063}};
  for (const auto& [of, kernel, uniform] : published) {
    const double density = of;
    const auto cost = [&](const char* what, const std::vector<double>& densities, double want) {
      const double got = autosparse::sparse_multiply_adds(layers, densities) / whole;
      found.expect(std::fabs(got - want) < 0.0005, [&] {
        return fmt::format("{} at {}: {:.4f} of dense, not {}", what, density, got, want);
      });
    };
    const std::vector<double> erk = autosparse::erdos_renyi_densities(layers, density, true);
    cost("ERK", erk, kernel);
    cost("uniform", autosparse::uniform_densities(layers, density, true), uniform);
    const double left = autosparse::sparse_parameters(layers, erk) / parameters;
    found.expect(std::fabs(left - density) < 1e-12,
                 [&] { return fmt::format("ERK at {} leaves {}", density, left); });
    // A step is two sparse products and the gradient of the weights.
    const double sparse = autosparse::sparse_multiply_adds(layers, erk);
    using autosparse::WeightGradient;
    for (const auto& [kind, of_weights] :
         {std::pair(WeightGradient::dense, whole), std::pair(WeightGradient::top_half, whole / 2),
          std::pair(WeightGradient::sparse, sparse)}) {
      const double got = autosparse::training_multiply_adds(layers, erk, kind);
      found.expect(std::fabs(got - (2 * sparse + of_weights)) <= 1e-12 * got,
                   [&, wanted = 2 * sparse + of_weights] {
                     return fmt::format("a step costs {}, not {}", got, wanted);
                   });
    }
  }
  return found.result();
}

}  // namespace

void ask_for_schedule(Schedule schedule, Expectations& found) {
  constexpr struct {
    std::int64_t done;
    double factor;
  } published[] = {{0, 1},       {10, 0.9918}, {25, 0.9526}, {40, 0.7685}, {50, 0.5},
                   {60, 0.3455}, {75, 0.1464}, {90, 0},      {100, 0}};
  for (const auto& [done, factor] : published) {
    const double got = schedule(done, 100);
    found.expect(std::fabs(got - factor) <= 0.00005, [&, at = done, want = factor] {
      return fmt::format("{} of 100 epochs: {:.4f}, not {}", at, got, want);
    });
  }
}

void add_cost_cases(const RunContext&, std::vector<Case>& cases) {
  cases.push_back({"schedules/published", {{"epochs", "100"}}, published_schedule_case, true});
  for (const autosparse::AnnealingName& name : autosparse::annealings())
    cases.push_back({"schedules/" + std::string(name.name),
                     {{"epochs", "1..250"}},
                     [&name](const RunContext& c) { return schedule_case(name, c); },
                     true});
  cases.push_back({"costs/networks", {}, network_case, true});
  cases.push_back({"costs/densities", {{"network", "resnet50"}}, density_case, true});
}

}  // namespace assay::suites::ladder
