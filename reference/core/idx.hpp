// MNIST's IDX files: a magic number, big-endian sizes, then bytes. Plain or gzipped.
//
// Source: http://yann.lecun.com/exdb/mnist (the format's only specification).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace assay {

// `count` images of `rows` x `cols` bytes, row-major, one after the other.
struct IdxImages {
  std::size_t count = 0, rows = 0, cols = 0;
  std::vector<std::uint8_t> pixels;

  std::span<const std::uint8_t> image(std::size_t i) const {
    return std::span(pixels).subspan(i * rows * cols, rows * cols);
  }
};

// InputError if the magic number is another, a size is zero, the file is shorter or longer than its sizes say, or its
// sizes exceed what the file can hold (checked before memory is asked for).
IdxImages read_idx_images(const std::filesystem::path& path);
std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& path);

}  // namespace assay
