#include "reference/spdnn/inputs.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

// Eigen's FFT header trips -Wold-style-cast and others; it is not ours to mend.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <unsupported/Eigen/FFT>
#pragma GCC diagnostic pop

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

namespace assay::spdnn {
namespace {

using Complex = std::complex<double>;

// Frequency k of an n-point transform in -(n - 1) / 2 .. n / 2: an even size has its Nyquist term on the positive side.
std::ptrdiff_t signed_frequency(std::size_t k, std::size_t n) {
  return k <= n / 2 ? static_cast<std::ptrdiff_t>(k)
                    : static_cast<std::ptrdiff_t>(k) - static_cast<std::ptrdiff_t>(n);
}

// e^(2 pi i j / n) for j = 0 .. n - 1.
std::vector<Complex> roots_of_unity(std::size_t n, int threads) {
  std::vector<Complex> roots(n);
  parallel_for(n, {threads, Share::fixed}, [&](std::size_t j) {
    roots[j] = std::polar(1.0, 2 * std::numbers::pi * (static_cast<double>(j) / static_cast<double>(n)));
  });
  return roots;
}

// The sizes of the transforms along x. The picture has n = folds * block columns, the result m = phases * block, where
// block = count * gcd(cols, side). Result column phases * t + p is
//   sum over k of X[k] e^(2 pi i k p / m) e^(2 pi i k t / block),
// which for one phase p is a transform of `block` points over the spectrum, turned by k p / m and folded to length
// `block`. So no transform of m points and no buffer for one is needed: at side 256 that is 1/64 of the memory.
struct Sizes {
  Sizes(std::size_t count, std::size_t rows_, std::size_t cols_, std::size_t side_)
      : images(count), rows(rows_), cols(cols_), side(side_) {
    const std::size_t common = std::gcd(cols, side);
    folds = cols / common;
    phases = side / common;
    block = count * common;
    n = count * cols;
    m = count * side;
  }
  std::uint64_t shared_bytes() const {
    return BitMatrix::bytes(images, side * side) + images * rows * cols + m * sizeof(Complex);
  }
  // The row, its spectrum, Eigen's twiddles for both transforms, and two blocks.
  std::uint64_t bytes_a_thread() const { return (3 * n + 3 * block) * sizeof(Complex); }
  std::uint64_t row_bytes() const { return m * sizeof(double); }

  std::size_t images, rows, cols, side;
  std::size_t folds = 0, phases = 0, block = 0, n = 0, m = 0;
};

class RowTransform {
 public:
  RowTransform(const Sizes& sizes, const IdxImages& images, const std::vector<Complex>& roots)
      : sizes_(sizes),
        images_(images),
        roots_(roots),
        row_(sizes.n),
        spectrum_(sizes.n),
        folded_(sizes.block),
        values_(sizes.block) {
    fft_.SetFlag(Eigen::FFT<double>::Unscaled);
  }

  // Row `y` of the interpolated picture, squared magnitudes, phase by phase: consume(phase, values of columns phase,
  // phase + phases, phase + 2 * phases, ...).
  template <class Consume>
  void run(std::size_t y, Consume consume) {
    make_row(y);
    transform(&Eigen::FFT<double>::fwd, row_, spectrum_);
    for (std::size_t phase = 0; phase < sizes_.phases; ++phase) {
      fold(phase);
      transform(&Eigen::FFT<double>::inv, folded_, values_);
      consume(phase, std::span<const Complex>(values_));
    }
  }

 private:
  using Direction = void (Eigen::FFT<double>::*)(Complex*, const Complex*, Eigen::Index);
  void transform(Direction direction, const std::vector<Complex>& src, std::vector<Complex>& dst) {
    if (src.size() == 1) {
      dst = src;  // Eigen's transform of one point does not end
    } else {
      (fft_.*direction)(dst.data(), src.data(), static_cast<Eigen::Index>(src.size()));
    }
  }

  // Interpolation along y is a sum over the rows of each image, the same at every x: the transform of `rows` points,
  // padded and transformed back, written out. Scaled for both directions.
  void make_row(std::size_t y) {
    std::vector<Complex> weights(sizes_.rows);
    const auto rows = static_cast<double>(sizes_.rows);
    for (std::size_t r = 0; r < sizes_.rows; ++r) {
      const double shift =
          static_cast<double>(y) / static_cast<double>(sizes_.side) - static_cast<double>(r) / rows;
      for (std::size_t k = 0; k < sizes_.rows; ++k) {
        const auto turns = static_cast<double>(signed_frequency(k, sizes_.rows)) * shift;
        weights[r] += std::polar(1.0, 2 * std::numbers::pi * turns);
      }
      weights[r] /= rows * static_cast<double>(sizes_.n);
    }
    std::vector<double> real(sizes_.cols), imaginary(sizes_.cols);
    for (std::size_t i = 0; i < sizes_.images; ++i) {
      std::ranges::fill(real, 0.0);
      std::ranges::fill(imaginary, 0.0);
      const std::uint8_t* pixel = images_.image(i).data();
      for (std::size_t r = 0; r < sizes_.rows; ++r) {
        const double re = weights[r].real(), im = weights[r].imag();
        for (std::size_t x = 0; x < sizes_.cols; ++x) {
          const double value = *pixel++;
          real[x] += re * value;
          imaginary[x] += im * value;
        }
      }
      for (std::size_t x = 0; x < sizes_.cols; ++x) row_[i * sizes_.cols + x] = {real[x], imaginary[x]};
    }
  }

  void fold(std::size_t phase) {
    std::ranges::fill(folded_, Complex{});
    // Turns of frequency k are k * phase mod m; they step by `phase` from one k to the next.
    const auto visit = [&](std::size_t begin, std::size_t end, std::size_t turns, std::size_t to) {
      for (std::size_t k = begin; k < end; ++k) {
        const Complex a = spectrum_[k], b = roots_[turns];
        folded_[to] +=
            Complex{a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
        turns += phase;
        if (turns >= sizes_.m) turns -= sizes_.m;
        if (++to == sizes_.block) to = 0;
      }
    };
    const std::size_t positive = sizes_.n / 2 + 1;  // frequencies 0 .. n / 2, the Nyquist term among them
    visit(0, positive, 0, 0);
    const std::size_t negative = sizes_.n - positive;  // frequencies -negative .. -1
    visit(positive, sizes_.n, (sizes_.m - negative * phase % sizes_.m) % sizes_.m,
          (sizes_.block - negative % sizes_.block) % sizes_.block);
  }

  const Sizes& sizes_;
  const IdxImages& images_;
  const std::vector<Complex>& roots_;
  std::vector<Complex> row_, spectrum_, folded_, values_;
  Eigen::FFT<double> fft_;
};

int threads_within(const Sizes& sizes, int wanted, std::uint64_t limit) {
  const std::uint64_t shared = sizes.shared_bytes();
  const std::uint64_t fit = limit > shared ? (limit - shared) / sizes.bytes_a_thread() : 0;
  const auto most = static_cast<std::uint64_t>(std::min(wanted, static_cast<int>(sizes.side)));
  return static_cast<int>(std::clamp<std::uint64_t>(fit, 1, most));
}

// How many rows the first pass can keep for the second: all of them at side 32.
std::size_t rows_kept(const Sizes& sizes, int threads, std::uint64_t limit) {
  const std::uint64_t used =
      sizes.shared_bytes() + static_cast<std::uint64_t>(threads) * sizes.bytes_a_thread();
  const std::uint64_t room = limit > used ? limit - used : 0;
  return static_cast<std::size_t>(std::min<std::uint64_t>(sizes.side, room / sizes.row_bytes()));
}

}  // namespace

std::uint64_t interpolate_bytes(std::size_t count, std::size_t rows, std::size_t cols, std::size_t side,
                                int threads) {
  const InterpolateOptions defaults;
  const Sizes sizes(count, rows, cols, side);
  const int used = threads_within(sizes, threads_or_default(threads), defaults.memory_limit);
  return sizes.shared_bytes() + static_cast<std::uint64_t>(used) * sizes.bytes_a_thread() +
         rows_kept(sizes, used, defaults.memory_limit) * sizes.row_bytes();
}

InterpolatedInputs interpolate(const IdxImages& images, std::size_t side, const InterpolateOptions& options) {
  if (images.count == 0) throw ContractError("interpolate: no images");
  if (side < images.rows || side < images.cols) {
    throw ContractError("interpolate: images of " + std::to_string(images.rows) + " x " +
                        std::to_string(images.cols) + " to a side of " + std::to_string(side) +
                        "; only enlarging is defined");
  }
  const Sizes sizes(images.count, images.rows, images.cols, side);
  const int threads = threads_within(sizes, threads_or_default(options.threads), options.memory_limit);
  const std::vector<Complex> roots = roots_of_unity(sizes.m, threads);
  std::vector<std::vector<double>> kept(rows_kept(sizes, threads, options.memory_limit));

  InterpolatedInputs result;
  result.pixels = BitMatrix(images.count, side * side);
  std::vector<double> row_maximum(side, 0.0), row_nearest(side, 0.0);
  const std::size_t work = 2 * side - kept.size();
  std::atomic<std::size_t> done = 0;
  const auto one_done = [&](std::size_t worker) {
    const std::size_t so_far = ++done;
    if (worker == 0) options.progress(static_cast<double>(so_far) / static_cast<double>(work));
  };

  PerWorker transforms(threads, [&] { return RowTransform(sizes, images, roots); });
  const Sharing row_by_row{threads, Share::dynamic, 1};
  parallel_for(side, row_by_row, [&](std::size_t y, std::size_t worker) {
    double maximum = 0;
    if (y < kept.size()) kept[y].resize(sizes.m);
    transforms[worker].run(y, [&](std::size_t phase, std::span<const Complex> values) {
      for (std::size_t t = 0; t < values.size(); ++t) {
        const double norm = std::norm(values[t]);
        maximum = std::max(maximum, norm);
        if (y < kept.size()) kept[y][phase * sizes.block + t] = norm;
      }
    });
    row_maximum[y] = maximum;
    one_done(worker);
  });

  const double maximum = *std::ranges::max_element(row_maximum);
  const double threshold = maximum / 4;
  parallel_for(side, row_by_row, [&](std::size_t y, std::size_t worker) {
    double below = 0, above = maximum;  // the nearest squared magnitudes on either side of the threshold
    const auto compare = [&](std::size_t phase, std::size_t t, double norm) {
      if (norm > threshold) {
        above = std::min(above, norm);
        const std::size_t column = sizes.phases * t + phase;
        const std::size_t image = column / side, x = column % side, neuron = x * side + y;
        // Rows of the picture share words of the result, and rows are on different threads.
        std::atomic_ref word(result.pixels.word(image, neuron));
        word.fetch_or(std::uint64_t{1} << (neuron % 64), std::memory_order_relaxed);
      } else {
        below = std::max(below, norm);
      }
    };
    if (y < kept.size()) {
      for (std::size_t phase = 0; phase < sizes.phases; ++phase) {
        for (std::size_t t = 0; t < sizes.block; ++t) compare(phase, t, kept[y][phase * sizes.block + t]);
      }
    } else {
      transforms[worker].run(y, [&](std::size_t phase, std::span<const Complex> values) {
        for (std::size_t t = 0; t < values.size(); ++t) compare(phase, t, std::norm(values[t]));
      });
      one_done(worker);
    }
    const double half = std::sqrt(maximum) / 2;
    row_nearest[y] = std::min(half - std::sqrt(below), std::sqrt(above) - half);
  });
  result.maximum = std::sqrt(maximum);
  result.nearest = *std::ranges::min_element(row_nearest);
  options.progress(1);
  return result;
}

}  // namespace assay::spdnn
