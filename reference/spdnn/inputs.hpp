// The challenge's inputs: small grey images, enlarged together as one picture and thresholded to black and white.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "reference/core/idx.hpp"
#include "reference/spdnn/bit_matrix.hpp"

namespace assay::spdnn {

struct InterpolateOptions {
  int threads = 0;  // 0: all that this process may use
  std::uint64_t memory_limit = std::uint64_t{2}
                               << 30;  // fewer threads, and rows computed twice, keep below it
  std::function<void(double)> progress = [](double) {
  };  // by the calling thread, the fraction done; must not throw
};

struct InterpolatedInputs {
  BitMatrix pixels;    // image i is row i; the neuron of column x, row y is x * side + y
  double maximum = 0;  // the largest magnitude of the picture; the threshold is half of it
  double nearest =
      0;  // the least distance of a magnitude from the threshold: how much error the pixels forgive
};

// All images side by side make one picture of rows x (cols * count). It is Fourier-interpolated to side x (side *
// count): its spectrum is padded with zeros, the Nyquist term of an even size wholly on the positive side. A pixel is
// set where the magnitude exceeds half of the global maximum. Neighbours leak into each other: the picture is one
// periodic signal, so an image's pixels depend on which images stand beside it, and all of the file's must be given.
//
// Numerics
//   types   float64 throughout; the magnitude is compared as its square, m^2 > max^2 / 4.
//   order   the sum over the rows of an image ascends; the order within a transform is that of Eigen's FFT. Threads do
//           not matter: each row of the result is computed by one.
//   error   about 1e-12 of the maximum, against `nearest`: 1.4e-5 for MNIST at side 32, 4.9e-7 at 256. float32 would
//           not do.
//
// Cost: 2 * side transforms of cols * count points each way, fast where the prime factors of `count` are small.
// ContractError if there are no images or `side` is below rows or cols.
InterpolatedInputs interpolate(const IdxImages& images, std::size_t side,
                               const InterpolateOptions& options = {});

// What interpolate() needs at least and at most, its result included.
std::uint64_t interpolate_bytes(std::size_t count, std::size_t rows, std::size_t cols, std::size_t side,
                                int threads);

}  // namespace assay::spdnn
