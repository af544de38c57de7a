#include <boost/test/unit_test.hpp>

#include <cmath>
#include <complex>
#include <cstdlib>
#include <numbers>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inputs.hpp"

namespace {
using namespace assay;
using namespace assay::spdnn;
using Complex = std::complex<double>;

IdxImages random_images(std::size_t count, std::size_t rows, std::size_t cols) {
  IdxImages images;
  images.count = count;
  images.rows = rows;
  images.cols = cols;
  const CounterRandom random(count * 1000 + rows * 10 + cols);
  for (std::size_t i = 0; i < count * rows * cols; ++i)
    images.pixels.push_back(static_cast<std::uint8_t>(random.below(256, i)));
  return images;
}

std::ptrdiff_t frequency(std::size_t k, std::size_t n) {
  const auto signed_k = static_cast<std::ptrdiff_t>(k), size = static_cast<std::ptrdiff_t>(n);
  return 2 * signed_k > size ? signed_k - size : signed_k;
}

// The definition, term by term: the value at (y, x) of the picture's interpolation, its Nyquist terms on the positive
// side.
std::vector<double> by_definition(const IdxImages& images, std::size_t side) {
  const std::size_t h = images.rows, w = images.cols * images.count, wide = side * images.count;
  std::vector<Complex> spectrum(h * w);
  for (std::size_t v = 0; v < h; ++v) {
    for (std::size_t u = 0; u < w; ++u) {
      for (std::size_t y = 0; y < h; ++y) {
        for (std::size_t x = 0; x < w; ++x) {
          const double turns = static_cast<double>(v * y) / static_cast<double>(h) +
                               static_cast<double>(u * x) / static_cast<double>(w);
          spectrum[v * w + u] +=
              static_cast<double>(images.image(x / images.cols)[y * images.cols + x % images.cols]) *
              std::polar(1.0, -2 * std::numbers::pi * turns);
        }
      }
    }
  }
  std::vector<double> magnitude(side * wide);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < wide; ++x) {
      Complex sum = 0;
      for (std::size_t v = 0; v < h; ++v) {
        for (std::size_t u = 0; u < w; ++u) {
          const double turns =
              static_cast<double>(frequency(v, h)) * static_cast<double>(y) / static_cast<double>(side) +
              static_cast<double>(frequency(u, w)) * static_cast<double>(x) / static_cast<double>(wide);
          sum += spectrum[v * w + u] * std::polar(1.0, 2 * std::numbers::pi * turns);
        }
      }
      magnitude[y * wide + x] = std::abs(sum) / static_cast<double>(h * w);
    }
  }
  return magnitude;
}

struct Size {
  std::size_t count, rows, cols, side;
};

BOOST_AUTO_TEST_CASE(interpolation_is_the_definition) {
  for (const Size s : {Size{1, 1, 1, 1},
                       {1, 4, 4, 4},
                       {3, 4, 6, 8},
                       {2, 5, 4, 6},
                       {5, 3, 7, 8},
                       {2, 6, 5, 9},
                       {7, 4, 4, 16},
                       {3, 7, 7, 8}}) {
    const IdxImages images = random_images(s.count, s.rows, s.cols);
    const std::vector<double> want = by_definition(images, s.side);
    const double maximum = *std::ranges::max_element(want);
    double nearest = maximum;
    for (const double m : want) nearest = std::min(nearest, std::fabs(m - maximum / 2));
    const InterpolatedInputs got = interpolate(images, s.side);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < s.count; ++i) {
      for (std::size_t x = 0; x < s.side; ++x) {
        for (std::size_t y = 0; y < s.side; ++y) {
          const double m = want[y * s.side * s.count + i * s.side + x];
          wrong += got.pixels.test(i, x * s.side + y) == (m > maximum / 2) ? 0U : 1U;
        }
      }
    }
    BOOST_TEST(wrong == 0U, s.count << " images of " << s.rows << " x " << s.cols << " to " << s.side);
    BOOST_TEST(std::fabs(got.maximum - maximum) <= 1e-9 * maximum);
    BOOST_TEST(std::fabs(got.nearest - nearest) <= 1e-9 * maximum);
    BOOST_TEST(nearest > 1e-6 * maximum);  // else the comparison of pixels would prove nothing
  }
}

BOOST_AUTO_TEST_CASE(threads_and_memory_do_not_matter) {
  const IdxImages digits = generate_digits(40);
  const InterpolatedInputs one = interpolate(digits, 32, {.threads = 1});
  const InterpolatedInputs four = interpolate(digits, 32, {.threads = 4});
  const InterpolatedInputs computed_twice = interpolate(digits, 32, {.threads = 2, .memory_limit = 0});
  BOOST_TEST((one.pixels == four.pixels && one.maximum == four.maximum && one.nearest == four.nearest));
  BOOST_TEST((one.pixels == computed_twice.pixels && one.maximum == computed_twice.maximum &&
              one.nearest == computed_twice.nearest));
  BOOST_TEST(one.pixels.count() > 40U * 20);
}

BOOST_AUTO_TEST_CASE(neighbours_leak) {
  // The reason for interpolating the whole picture at once: alone, an image differs.
  const IdxImages digits = generate_digits(40);
  IdxImages first = digits;
  first.count = 1;
  first.pixels.resize(784);
  const BitMatrix all = interpolate(digits, 32).pixels, alone = interpolate(first, 32).pixels;
  std::size_t different = 0;
  for (std::size_t j = 0; j < 1024; ++j) different += all.test(0, j) != alone.test(0, j) ? 1U : 0U;
  BOOST_TEST(different > 0U);
}

BOOST_AUTO_TEST_CASE(misuse) {
  BOOST_CHECK_THROW(interpolate(IdxImages{}, 32), ContractError);
  BOOST_CHECK_THROW(interpolate(random_images(1, 28, 28), 27), ContractError);
}

BOOST_AUTO_TEST_CASE(memory_at_the_largest_size_stays_below_two_gibibytes) {
  for (const int threads : {1, 2, 64}) {
    for (const std::size_t side : {32U, 64U, 128U, 256U})
      BOOST_TEST(interpolate_bytes(60'000, 28, 28, side, threads) <= std::uint64_t{2} << 30);
  }
}

BOOST_AUTO_TEST_CASE(digits_depend_on_seed_and_index_alone) {
  const IdxImages few = generate_digits(10, 3), many = generate_digits(25, 3), other = generate_digits(10, 4);
  BOOST_TEST(std::equal(few.pixels.begin(), few.pixels.end(), many.pixels.begin()));
  BOOST_TEST((few.pixels != other.pixels));
  for (std::size_t i = 0; i < many.count; ++i) {
    std::size_t ink = 0;
    for (const std::uint8_t p : many.image(i)) ink += p > 127 ? 1U : 0U;
    BOOST_TEST((ink > 20 && ink < 400), "image " << i << " has " << ink << " dark pixels");
  }
}
}  // namespace
