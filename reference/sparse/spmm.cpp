#include "reference/sparse/spmm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/parallel.hpp"
#include "reference/sparse/copy_turned.hpp"
#include "reference/sparse/spmm_arguments.hpp"
#include "reference/sparse/spmm_choice.hpp"
#include "reference/sparse/spmm_packing.hpp"

namespace assay::sparse {

const KernelTable<SpmmKernel>& spmm_kernels() {
  static constexpr auto kernels = std::to_array<SpmmKernel>({
#define SPMM(isa, lanes, width, rows)                                                \
  {{"f32_" #width "_" #isa, Isa::isa, #width " columns; rows side by side: " #rows}, \
   lanes,                                                                            \
   width,                                                                            \
   rows,                                                                             \
   kernels::spmm_f32_##width##_near_##isa,                                           \
   kernels::spmm_f32_##width##_far_##isa,                                            \
   kernels::spmm_f32_finish_##isa,                                                   \
   kernels::spmm_f32_pack_##isa},
#include "reference/sparse/spmm.def"
#undef SPMM
  });
  static constexpr KernelTable<SpmmKernel> table("spmm", kernels);
  return table;
}

// --- the plan --------------------------------------------------------------------------------------------------------

struct SpmmPlan::Packed : PackedSpmm {
  using PackedSpmm::PackedSpmm;

  // Every panel of n columns with every chunk of rows, on several threads. X lies as a panel at `in_place`, or
  // pack(part, to) packs a part of one; aim(tile, task) sets y and what joins the sums, done(tile) is told that
  // the tile has run.
  template <class Pack, class Ahead, class Aim, class Done>
  void for_each_tile(std::int64_t n, int threads, const DenseView& in_place, const Pack& pack,
                     const Ahead& ahead, const Aim& aim, const Done& done) const;
};

SpmmPlan::SpmmPlan(const CsrView& a, std::span<const float> values, const SpmmOptions& options) {
  const MxcsrGuard callers_own(0x1F80);  // choosing rounds
  check(a, ColumnOrder::stored);
  check_value_count(a, values.size());
  const SpmmDecision chosen = decide(a, options);
  packed_ = std::make_unique<Packed>(a, values, *chosen.kernel, chosen.depth, chosen.sharing);
  const auto filled = packed_->total([](const PackedSlice& slice) { return slice.filled_zeros; });
  if (filled != 0) {
    unfilled_ = std::make_unique<Packed>(a, values, *chosen.kernel, chosen.depth, SpmmSharing::same_columns);
    last_bits_.add(values);
  }
  choice_ = {.kernel = chosen.kernel->name,
             .width = chosen.kernel->width,
             .depth = packed_->depth,
             .slices = packed_->slices(),
             .chunks = static_cast<std::int64_t>(packed_->chunks.size()),
             .sharing = chosen.sharing,
             .shared_entries = packed_->total([](const PackedSlice& slice) { return slice.shared_entries; }),
             .filled_zeros = filled,
             .packed_bytes = packed_->bytes() + (unfilled_ ? unfilled_->bytes() : 0),
             .why = why(chosen, *packed_)};
  nnz_ = a.nnz();
}

// A zero of A that was filled in changes no sum where X is finite and no product lies below float32's last bit: a
// product of it is a zero, and no sum is -0, for one begins at +0, what cancels is +0, and nothing rounds to zero.
template <class View>
const SpmmPlan::Packed& SpmmPlan::packed_for(const View& x) const {
  using Number = std::remove_cvref_t<decltype(*x.data)>;
  if (unfilled_ == nullptr) return *packed_;
  LastBits<Number> of_x;
  of_x.add_matrix(x);
  const bool shows = !of_x.all_finite() || products_reach_below(of_x, last_bits_, -149);
  return shows ? *unfilled_ : *packed_;
}

SpmmPlan::~SpmmPlan() = default;
SpmmPlan::SpmmPlan(SpmmPlan&&) noexcept = default;
SpmmPlan& SpmmPlan::operator=(SpmmPlan&&) noexcept = default;

std::int64_t SpmmPlan::rows() const { return packed_->rows; }
std::int64_t SpmmPlan::cols() const { return packed_->cols; }
std::int64_t SpmmPlan::nnz() const { return nnz_; }
const SpmmChoice& SpmmPlan::choice() const { return choice_; }

namespace {

float widened(bf16_t x) { return std::bit_cast<float>(std::uint32_t{x.code} << 16); }

// What a worker keeps between tasks.
struct Workspace {
  AlignedBuffer panel{}, sums{}, y{}, c{};
};

// What is packed of X: rows [row, row + rows) and columns [first, first + columns); of X^T in a transposed product.
struct Part {
  std::int64_t row, rows, first, columns;
};

void pack_columns(const DenseView& x, const Part& part, const SpmmKernel& kernel, float* to) {
  kernel.pack({.x = x.data + part.row * x.stride + part.first,
               .stride = x.stride,
               .rows = part.rows,
               .columns = static_cast<std::uint32_t>(part.columns),
               .width = kernel.width,
               .to = to});
}

// What pack_columns() reads.
SpmmAhead asked_for(const DenseView& x, const Part& part) {
  return {x.data + part.row * x.stride + part.first, x.stride, static_cast<std::uint32_t>(part.rows),
          static_cast<std::uint32_t>(part.columns)};
}
SpmmAhead asked_for(const Bf16View&, const Part&) { return {}; }

void pack_columns(const Bf16View& x, const Part& part, const SpmmKernel& kernel, float* to) {
  const std::int64_t width = kernel.width;
  for (std::int64_t k = part.row; k < part.row + part.rows; ++k, to += width) {
    const bf16_t* const from = x.data + k * x.stride + part.first;
    for (std::int64_t j = 0; j < part.columns; ++j) to[j] = widened(from[j]);
    std::fill(to + part.columns, to + width, 0.0F);
  }
}

// Rows of X as columns of a panel.
void pack_rows(const DenseView& x, const Part& part, std::int64_t width, float* to) {
  copy_turned(x.data + part.first * x.stride + part.row, x.stride, part.columns, part.rows, to, width);
  if (part.columns == width) return;
  for (std::int64_t k = 0; k < part.rows; ++k)
    std::fill(to + k * width + part.columns, to + (k + 1) * width, 0.0F);
}

// X, if its panels can be read where they lie.
DenseView in_place(const DenseView& x, std::int64_t width, bool near) {
  // Rows a page apart share the sets of the caches.
  constexpr std::int64_t page = 4096 / sizeof(float);
  const bool lies_well =
      near ? x.stride == width && x.cols == width && reinterpret_cast<std::uintptr_t>(x.data) % 64 == 0
           : x.stride % page != 0 || x.stride == width;
  return lies_well ? x : DenseView{};
}
DenseView in_place(const Bf16View&, std::int64_t, bool) { return {}; }

// A chunk of rows times a panel of columns, and the worker that computes it with others that lie beside it.
struct Tile {
  const Chunk& chunk;
  std::int64_t first, columns;
  std::size_t number;  // among those that a worker computes at once
  Workspace& space;

  float* part_of(AlignedBuffer& buffer, std::size_t floats) const;
};

// How many panels a worker takes through one chunk at once, so that all but the first read a slice of A from L2:
// what their sums have room for there, and not so many that workers have nothing to do.
constexpr std::int64_t most_panels = 8, sums_bytes = 1 << 19;
// The part of a buffer that is this tile's, of `floats` for each.
float* Tile::part_of(AlignedBuffer& buffer, std::size_t floats) const {
  return buffer.at_least(most_panels * floats) + number * floats;
}

std::int64_t panels_at_once(std::int64_t panels, std::int64_t chunks, std::int64_t bytes, int threads) {
  const std::int64_t room =
      std::clamp<std::int64_t>(sums_bytes / std::max<std::int64_t>(bytes, 1), 1, most_panels);
  const std::int64_t workers = threads_or_default(threads);
  const std::int64_t shared = workers == 1 ? room : panels * chunks / (3 * workers);
  return std::clamp<std::int64_t>(shared, 1, std::min(room, panels));
}

}  // namespace

template <class Pack, class Ahead, class Aim, class Done>
void SpmmPlan::Packed::for_each_tile(std::int64_t n, int threads, const DenseView& in_place, const Pack& pack,
                                     const Ahead& ahead, const Aim& aim, const Done& done) const {
  const MxcsrGuard no_flushing(0x1F80);
  if (n == 0 || chunks.empty()) return;
  const std::int64_t floats = most_rows * width();
  const std::int64_t at_once = panels_at_once(panels(n), static_cast<std::int64_t>(chunks.size()),
                                              floats * static_cast<std::int64_t>(sizeof(float)), threads);
  const std::int64_t groups = (panels(n) + at_once - 1) / at_once;
  const auto columns_of = [&](std::int64_t panel) { return std::min(width(), n - panel * width()); };
  const auto lies_there = [&](std::int64_t panel) {
    return in_place.data != nullptr && columns_of(panel) == width();
  };

  // The panels of a group with one chunk. `whole` has them if all of K is one slice, where they do not lie there.
  const auto compute = [&](std::int64_t group, const Chunk& chunk, Workspace& space, const float* whole) {
    float* const sums = space.sums.at_least(static_cast<std::size_t>(at_once * floats));
    std::array<SpmmTask, most_panels> tasks;
    const auto for_each_panel = [&](const auto& visit) {
      const std::int64_t begin = group * at_once, end = std::min(panels(n), begin + at_once);
      for (std::int64_t panel = begin; panel < end; ++panel) {
        const auto i = static_cast<std::size_t>(panel - begin);
        visit(Tile{chunk, panel * width(), columns_of(panel), i, space}, tasks[i]);
      }
    };
    for_each_panel([&](const Tile& tile, SpmmTask& task) {
      task = {.sums = sums + static_cast<std::int64_t>(tile.number) * floats,
              .columns = static_cast<std::uint32_t>(tile.columns)};
      aim(tile, task);
    });
    const std::size_t slices = chunk.slices.size();
    const auto panels_here = static_cast<std::size_t>(std::min(at_once, panels(n) - group * at_once));
    const auto part_of = [&](std::size_t slice, std::int64_t first) {
      const std::int64_t row = static_cast<std::int64_t>(slice) * depth;
      return Part{row, std::min(depth, cols - row), first, std::min(width(), n - first)};
    };
    for (std::size_t s = 0; s < slices; ++s) {
      for_each_panel([&](const Tile& tile, SpmmTask& task) {
        task.slice = chunk.slices[s].view();
        const std::int64_t row = static_cast<std::int64_t>(s) * depth;
        task.x_stride = width();
        if (lies_there(tile.first / width())) {
          task.x = in_place.data + row * in_place.stride + tile.first;
          task.x_stride = in_place.stride;
        } else if (whole != nullptr) {
          task.x = whole + static_cast<std::int64_t>(tile.number) * depth * width();
        } else {
          // A slice of a panel is packed right before it is used: then it is in the first cache.
          float* const packed = space.panel.at_least(static_cast<std::size_t>(depth * width()));
          pack(part_of(s, tile.first), packed);
          task.x = packed;
          const bool more = tile.number + 1 < panels_here;
          const std::int64_t next = more ? tile.first + width() : group * at_once * width();
          task.ahead = more || s + 1 < slices ? ahead(part_of(more ? s : s + 1, next)) : SpmmAhead{};
        }
        task.first = s == 0;
        task.last = s + 1 == slices;
        run(task);
      });
    }
    for_each_panel([&](const Tile& tile, SpmmTask&) { done(tile); });
  };

  PerWorker workspaces(threads, [] { return Workspace(); });
  if (chunks.front().slices.size() > 1) {
    parallel_for(static_cast<std::size_t>(groups) * chunks.size(), threads,
                 [&](std::size_t number, std::size_t worker) {
                   compute(static_cast<std::int64_t>(number / chunks.size()), chunks[number % chunks.size()],
                           workspaces[worker], nullptr);
                 });
    return;
  }
  // All of K is packed once for all chunks.
  AlignedBuffer panels_of_group;
  const bool all_lie_there = in_place.data != nullptr && n % width() == 0;
  float* const whole =
      all_lie_there ? nullptr : panels_of_group.at_least(static_cast<std::size_t>(at_once * depth * width()));
  for (std::int64_t group = 0; group < groups; ++group) {
    constexpr std::int64_t rows_at_once = 1024;
    const std::int64_t parts = (cols + rows_at_once - 1) / rows_at_once;
    const std::int64_t first = group * at_once, count = std::min(at_once, panels(n) - first);
    parallel_for(static_cast<std::size_t>(count * parts), threads, [&](std::size_t number) {
      const std::int64_t i = static_cast<std::int64_t>(number) / parts, panel = first + i;
      const std::int64_t row = static_cast<std::int64_t>(number) % parts * rows_at_once;
      if (lies_there(panel)) return;
      pack(Part{row, std::min(rows_at_once, cols - row), panel * width(), columns_of(panel)},
           whole + (i * depth + row) * width());
    });
    parallel_for(chunks.size(), threads, [&](std::size_t number, std::size_t worker) {
      compute(group, chunks[number], workspaces[worker], whole);
    });
  }
}

template <class View>
void SpmmPlan::multiply_from(const View& x, const MutableDenseView& y, const SpmmExtras& extras,
                             int threads) const {
  check_matrix("spmm", "x", x, cols(), x.cols);
  check_matrix("spmm", "y", y, rows(), x.cols);
  check_extras(extent_of_matrix(x), y, extras);
  const Packed& p = packed_for(x);
  const std::int64_t n = x.cols;
  p.for_each_tile(
      n, threads, in_place(x, p.width(), p.is_near()),
      [&](const Part& part, float* to) { pack_columns(x, part, *p.kernel, to); },
      [&](const Part& part) { return asked_for(x, part); },
      [&](const Tile& tile, SpmmTask& task) { aim(y, extras, tile.chunk.first_row, tile.first, task); },
      [](const Tile&) {});
}

void SpmmPlan::multiply(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras,
                        int threads) const {
  multiply_from(x, y, extras, threads);
}
void SpmmPlan::multiply(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras,
                        int threads) const {
  multiply_from(x, y, extras, threads);
}

void SpmmPlan::multiply_transposed(const DenseView& x, const MutableDenseView& y, const SpmmExtras& extras,
                                   int threads) const {
  check_matrix("spmm", "x", x, x.rows, cols());
  check_matrix("spmm", "y", y, x.rows, rows());
  check_extras(extent_of_matrix(x), y, extras);
  const Packed& p = packed_for(x);
  const std::int64_t width = p.width();
  p.for_each_tile(
      x.rows, threads, {}, [&](const Part& part, float* to) { pack_rows(x, part, width, to); },
      [](const Part&) { return SpmmAhead{}; },
      [&](const Tile& tile, SpmmTask& task) {
        const std::int64_t row = tile.chunk.first_row, rows = tile.chunk.rows;
        const auto floats = static_cast<std::size_t>(rows * width);
        task.y = tile.part_of(tile.space.y, floats);
        task.y_stride = width;
        task.epilogue = epilogue_of(extras);
        if (extras.beta != 0) {
          float* const c = tile.part_of(tile.space.c, floats);
          copy_turned(extras.c.data + tile.first * extras.c.stride + row, extras.c.stride, tile.columns, rows,
                      c, width);
          task.epilogue.c = c;
          task.epilogue.c_stride = width;
        }
        // What is a row of Y is a column of A X^T.
        if (extras.bias_along == SpmmBias::columns) task.epilogue.row_bias = extras.bias.data() + row;
        if (extras.bias_along == SpmmBias::rows) task.epilogue.column_bias = extras.bias.data() + tile.first;
      },
      [&](const Tile& tile) {
        const auto floats = static_cast<std::size_t>(tile.chunk.rows * width);
        copy_turned(tile.part_of(tile.space.y, floats), width, tile.chunk.rows, tile.columns,
                    y.data + tile.first * y.stride + tile.chunk.first_row, y.stride);
      });
}

}  // namespace assay::sparse
