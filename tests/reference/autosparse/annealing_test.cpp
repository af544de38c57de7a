// Schedules of alpha against the published values, and two ways to have them wrong.
#include "reference/autosparse/annealing.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>

#include "reference/core/error.hpp"

using namespace assay::autosparse;

namespace {

using Schedule = std::function<double(std::int64_t done, std::int64_t epochs)>;

// AutoSparse's own, of alpha_0 = 1, at parts of a run of 100 epochs.
struct Published {
  std::int64_t done;
  double factor;
};
constexpr Published published[] = {{0, 1},       {10, 0.9918}, {25, 0.9526}, {40, 0.7685}, {50, 0.5},
                                   {60, 0.3455}, {75, 0.1464}, {90, 0},      {100, 0}};

bool is_as_published(const Schedule& schedule) {
  for (const auto& [done, factor] : published) {
    if (std::fabs(schedule(done, 100) - factor) > 0.00005) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sigmoid_cosine_is_as_published) {
  BOOST_TEST(is_as_published([](std::int64_t done, std::int64_t epochs) {
    return annealing_factor(Annealing::sigmoid_cosine, done, epochs);
  }));
}

BOOST_AUTO_TEST_CASE(wrong_schedules_are_told) {
  const auto right = [](std::int64_t done, std::int64_t epochs) {
    return annealing_factor(Annealing::sigmoid_cosine, done, epochs);
  };
  // The factor applied to the alpha of the epoch before.
  BOOST_TEST(!is_as_published([&](std::int64_t done, std::int64_t epochs) {
    double alpha = 1;
    for (std::int64_t e = 0; e <= done; ++e) alpha *= right(e, epochs);
    return alpha;
  }));
  // The epoch that begins, counted as done; and one that is done, not counted.
  BOOST_TEST(!is_as_published(
      [&](std::int64_t done, std::int64_t epochs) { return right(std::min(done + 1, epochs), epochs); }));
  BOOST_TEST(!is_as_published([&](std::int64_t done, std::int64_t epochs) {
    return right(std::max<std::int64_t>(done - 1, 0), epochs);
  }));
  // The smaller of the two curves, and no end.
  BOOST_TEST(!is_as_published([](std::int64_t done, std::int64_t epochs) {
    return std::min(annealing_factor(Annealing::cosine, done, epochs),
                    annealing_factor(Annealing::sigmoid, done, epochs));
  }));
  BOOST_TEST(!is_as_published([](std::int64_t done, std::int64_t epochs) {
    return (1 + std::cos(3.14159265358979 * static_cast<double>(done) / static_cast<double>(epochs))) / 2;
  }));
}

BOOST_AUTO_TEST_CASE(schedules_fall_from_one_to_nothing) {
  BOOST_TEST(annealings().size() == 5U);
  for (const AnnealingName& a : annealings()) {
    for (const std::int64_t epochs : {1, 2, 7, 10, 30, 100}) {
      double before = 1;
      for (std::int64_t done = 0; done <= epochs; ++done) {
        const double factor = annealing_factor(a.annealing, done, epochs);
        BOOST_TEST((factor >= 0 && factor <= before),
                   a.name << " at " << done << " of " << epochs << ": " << factor);
        if (a.annealing != Annealing::none)
          BOOST_TEST((10 * done >= 9 * epochs) == (factor == 0),
                     a.name << " at " << done << " of " << epochs);
        before = factor;
      }
    }
    // The sigmoid begins at 1 / (1 + e^-6), the others at 1.
    BOOST_TEST(annealing_factor(a.annealing, 0, 10) ==
               (a.annealing == Annealing::sigmoid ? 1 - 1 / (1 + std::exp(6.0)) : 1));
  }
  BOOST_TEST(annealing_factor(Annealing::none, 10, 10) == 1);
  BOOST_TEST(annealing_factor(Annealing::linear, 3, 12) == 0.75);
  BOOST_TEST(annealed_alpha(Annealing::linear, 0.5, 3, 12) == 0.375);
}

BOOST_AUTO_TEST_CASE(alpha_is_tuned_beside_a_dense_run) {
  BOOST_TEST(tuned_alpha(0.5, 1.02, 1) == 0.525);
  BOOST_TEST(tuned_alpha(0.5, 1.01, 1) == 0.4975);
  BOOST_TEST(tuned_alpha(0.5, 0.2, 1) == 0.4975);
  BOOST_TEST(tuned_alpha(0.99, 2, 1) == 1);
}

BOOST_AUTO_TEST_CASE(arguments_of_schedules_are_checked) {
  BOOST_CHECK_THROW(annealing_factor(Annealing::cosine, -1, 10), assay::ContractError);
  BOOST_CHECK_THROW(annealing_factor(Annealing::cosine, 11, 10), assay::ContractError);
  BOOST_CHECK_THROW(annealing_factor(Annealing::none, 0, 0), assay::ContractError);
  BOOST_CHECK_THROW(annealed_alpha(Annealing::cosine, 1.5, 1, 10), assay::ContractError);
  BOOST_CHECK_THROW(annealed_alpha(Annealing::cosine, std::nan(""), 1, 10), assay::ContractError);
  BOOST_CHECK_THROW(tuned_alpha(0.5, std::nan(""), 1), assay::ContractError);
}
