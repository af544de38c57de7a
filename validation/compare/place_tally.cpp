#include "validation/compare/place_tally.hpp"

#include <algorithm>
#include <bit>

namespace assay::compare {
namespace {

constexpr std::size_t longest_counted = std::size_t{1}
                                        << 22;  // of a dimension whose places are counted one by one
constexpr std::size_t most_samples = std::size_t{1} << 16;
constexpr std::size_t most_tiles = std::size_t{1} << 18;
constexpr std::size_t widest_map = 64;

std::size_t tiles(std::size_t length, std::size_t tile) { return (length + tile - 1) / tile; }

std::size_t base_tile(const MatrixView& view) {
  std::size_t tile = 1;
  while (tiles(view.rows, tile) * tiles(view.cols, tile) > most_tiles) tile *= 2;
  return tile;
}

void add(std::vector<std::uint32_t>& counts, std::size_t size, std::size_t i) {
  if (size > longest_counted) return;
  if (counts.empty()) counts.resize(size);
  ++counts[i];
}

void add_all(std::vector<std::uint32_t>& counts, const std::vector<std::uint32_t>& more) {
  if (more.empty()) return;
  if (counts.empty()) counts.resize(more.size());
  for (std::size_t i = 0; i < more.size(); ++i) counts[i] += more[i];
}

}  // namespace

PlaceTally::PlaceTally(const MatrixView& view)
    : view_(view),
      tile_(base_tile(view)),
      tiles_across_(tiles(view.cols, tile_)),
      tile_count_(tiles_across_ * tiles(view.rows, tile_)),
      tile_shift_(std::countr_zero(tile_)) {}

void PlaceTally::note(std::size_t i, bool outside) {
  if (i < line_begin_ || i >= line_end_) {
    const std::size_t line = i / view_.cols;
    line_begin_ = line * view_.cols;
    line_end_ = line_begin_ + view_.cols;
    batch_ = line / view_.rows;
    row_ = line % view_.rows;
  }
  const std::size_t col = i - line_begin_;
  const std::size_t cell = (row_ >> tile_shift_) * tiles_across_ + (col >> tile_shift_);
  add(differ_tiles_, tile_count_, cell);
  if (!outside) return;
  ++outside_;
  add(outside_tiles_, tile_count_, cell);
  add(rows_, view_.rows, row_);
  add(cols_, view_.cols, col);
  add(batches_, view_.batches, batch_);
  if (sample_.size() < most_samples) sample_.push_back(i);
}

void PlaceTally::merge(const PlaceTally& later) {
  outside_ += later.outside_;
  add_all(rows_, later.rows_);
  add_all(cols_, later.cols_);
  add_all(batches_, later.batches_);
  add_all(outside_tiles_, later.outside_tiles_);
  add_all(differ_tiles_, later.differ_tiles_);
  const std::size_t room = std::min(most_samples - sample_.size(), later.sample_.size());
  sample_.insert(sample_.end(), later.sample_.begin(),
                 later.sample_.begin() + static_cast<std::ptrdiff_t>(room));
}

TileMap PlaceTally::map() const {
  TileMap map;
  map.of_outside = outside_ > 0;
  const std::vector<std::uint32_t>& counted = map.of_outside ? outside_tiles_ : differ_tiles_;
  map.tile = tile_;
  while (tiles(view_.rows, map.tile) > widest_map || tiles(view_.cols, map.tile) > widest_map) map.tile *= 2;
  map.rows = tiles(view_.rows, map.tile);
  map.cols = tiles(view_.cols, map.tile);
  map.cells.resize(map.rows * map.cols);
  const std::size_t factor = map.tile / tile_;
  for (std::size_t i = 0; i < counted.size(); ++i) {
    map.cells[i / tiles_across_ / factor * map.cols + i % tiles_across_ / factor] += counted[i];
  }
  return map;
}

}  // namespace assay::compare
