// Where the values lie that differ or are outside, counted by row, column, batch and tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "validation/compare/comparison.hpp"

namespace assay::compare {

class PlaceTally {
 public:
  explicit PlaceTally(const MatrixView& view);

  // A value that differs or is outside. Indices ascend.
  void note(std::size_t i, bool outside);
  // `later` saw higher indices only.
  void merge(const PlaceTally& later);
  // The tiles, merged until they fit a picture.
  TileMap map() const;

  std::uint64_t outside() const { return outside_; }
  // Values outside by row, column and batch; empty if none is outside or the dimension is above 2^22.
  const std::vector<std::uint32_t>& rows() const { return rows_; }
  const std::vector<std::uint32_t>& cols() const { return cols_; }
  const std::vector<std::uint32_t>& batches() const { return batches_; }
  // The first indices outside, ascending; at most 2^16.
  const std::vector<std::size_t>& sample() const { return sample_; }

 private:
  MatrixView view_;
  std::size_t tile_, tiles_across_, tile_count_;
  int tile_shift_;
  std::uint64_t outside_ = 0;
  std::vector<std::uint32_t> rows_, cols_, batches_, outside_tiles_, differ_tiles_;
  std::vector<std::size_t> sample_;
  // Places of ascending indices: the division is done once a row.
  std::size_t line_begin_ = 0, line_end_ = 0, batch_ = 0, row_ = 0;
};

}  // namespace assay::compare
