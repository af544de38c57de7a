#include "reference/sparse/sddmm.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/sparse/arguments.hpp"

namespace assay::sparse {
namespace {

// --- arguments -------------------------------------------------------------------------------------------------------

void check_sampled(const CsrView& mask, const DenseView& a, const DenseView& b, std::span<float> out,
                   const SddmmExtras& e) {
  const auto said = [](const std::string& what) { throw ContractError("sddmm: " + what); };
  check_count("sddmm", "out", out, mask.nnz());
  if (overlap(extent_of(out), extent_of_matrix(a))) said("out shares memory with a");
  if (overlap(extent_of(out), extent_of_matrix(b))) said("out shares memory with b");
  const auto check_joined = [&](std::string_view name, std::span<const float> x) {
    check_count("sddmm", name, x, mask.nnz());
    if (x.data() != out.data() && overlap(extent_of(out), extent_of(x)))
      said("out shares memory with " + std::string(name) + ", and is not the same");
  };
  if (e.beta != 0) check_joined("c", e.c);
  if (!e.scale.empty()) check_joined("scale", e.scale);
  if (e.alpha != e.alpha || e.beta != e.beta) said("alpha or beta is NaN");
}

const SddmmKernel& choose_kernel(const SddmmOptions& options) {
  if (options.with != nullptr) return *options.with;
  if (options.kernel.empty()) return sddmm_kernels().best();
  const SddmmKernel& named = sddmm_kernels().named(options.kernel);
  require_cpu(named);
  return named;
}

// --- work ------------------------------------------------------------------------------------------------------------

// Whole rows, or a part of one: entries [begin, end) of the mask.
struct SddmmBlock {
  std::int64_t row = 0;
  std::uint32_t rows = 0;
  std::int64_t begin = 0, end = 0;
};

constexpr std::uint32_t most_block_rows = 32;

// Blocks of about as much work; no block has more than `most` entries.
std::vector<SddmmBlock> blocks_of(const CsrView& mask, std::int64_t most) {
  std::vector<SddmmBlock> blocks;
  SddmmBlock open;
  const auto close = [&] {
    if (open.end > open.begin) blocks.push_back(open);
  };
  for (std::int64_t i = 0; i < mask.rows; ++i) {
    const std::int64_t end = mask.row_begin(i + 1);
    if (open.rows == most_block_rows || end - open.begin > most) {
      close();
      open = {i, 0, mask.row_begin(i), mask.row_begin(i)};
    }
    for (; end - open.begin > most; open.begin += most)
      blocks.push_back({i, 1, open.begin, open.begin + most});
    open.end = end;
    ++open.rows;
  }
  close();
  return blocks;
}

// Products that are computed for each that is kept, at most, where rows share their columns. Measured on an Intel Xeon
// with AVX-512.
constexpr double most_wasted = 3;

// What a worker keeps between blocks.
class SddmmSpace {
 public:
  // Finds the columns of a block: false, and nothing is found, once there are more than `most`.
  bool find_columns(std::span<const std::int32_t> entries, std::int64_t cols, std::int64_t most) {
    place_of_.resize(static_cast<std::size_t>(cols), -1);
    columns_.clear();
    places_.resize(entries.size());
    bool few = true;
    for (std::size_t e = 0; e < entries.size() && few; ++e) {
      std::int32_t& place = place_of_[static_cast<std::size_t>(entries[e])];
      if (place < 0) {
        place = static_cast<std::int32_t>(columns_.size());
        columns_.push_back(entries[e]);
        few = static_cast<std::int64_t>(columns_.size()) <= most;
      }
      places_[e] = place;
    }
    for (const std::int32_t column : columns_) place_of_[static_cast<std::size_t>(column)] = -1;
    return few;
  }

  // The columns that were found, for `task`.
  void aim(SddmmTask& task) {
    task.shared_columns = columns_.data();
    task.shared = static_cast<std::uint32_t>(columns_.size());
    task.places = places_.data();
    task.sums_stride = (std::int64_t{task.shared} + sddmm_panel - 1) / sddmm_panel * sddmm_panel;
    task.panel = panel_.at_least(static_cast<std::size_t>(sddmm_depth) * sddmm_panel);
    task.sums = sums_.at_least(static_cast<std::size_t>(task.sums_stride) * task.rows);
  }

  std::vector<std::uint32_t> row_entries{};

 private:
  std::vector<std::int32_t> place_of_{}, columns_{}, places_{};
  AlignedBuffer panel_{}, sums_{};
};

// Columns that a block may have if its rows are to share them.
std::int64_t most_columns(const SddmmBlock& block, const SddmmOptions& options) {
  if (options.sharing == SddmmSharing::never) return 0;
  if (options.sharing == SddmmSharing::always) return block.end - block.begin;
  constexpr std::uint32_t fewest_rows = 4;
  if (block.rows < fewest_rows) return 0;
  return static_cast<std::int64_t>(most_wasted * static_cast<double>(block.end - block.begin) / block.rows);
}

void run_block(const CsrView& mask, const SddmmBlock& block, const SddmmKernel& kernel,
               const SddmmOptions& options, SddmmTask task, SddmmSpace& space) {
  space.row_entries.clear();
  for (std::int64_t i = block.row; i < block.row + block.rows; ++i) {
    const std::int64_t begin = std::max(block.begin, mask.row_begin(i)),
                       end = std::min(block.end, mask.row_begin(i + 1));
    space.row_entries.push_back(static_cast<std::uint32_t>(end - begin));
  }
  const auto entries = mask.column_indices.subspan(static_cast<std::size_t>(block.begin),
                                                   static_cast<std::size_t>(block.end - block.begin));
  task.a += block.row * task.a_stride;
  task.rows = block.rows;
  task.row_entries = space.row_entries.data();
  task.columns = entries.data();
  task.out += block.begin;
  if (task.c != nullptr) task.c += block.begin;
  if (task.scale != nullptr) task.scale += block.begin;
  const std::int64_t most = most_columns(block, options);
  if (most > 0 && space.find_columns(entries, mask.cols, most)) {
    space.aim(task);
    kernel.shared(task);
  } else {
    kernel.own(task);
  }
}

// B is (n x k).
void sample(const CsrView& mask, const DenseView& a, const DenseView& b, std::span<float> out,
            const SddmmExtras& extras, const SddmmOptions& options) {
  const MxcsrGuard no_flushing(0x1F80);
  const SddmmKernel& kernel = choose_kernel(options);
  SddmmTask task{.a = a.data, .b = b.data, .depth = a.cols, .out = out.data()};
  // Without k there is nothing to point to.
  task.a_stride = a.cols == 0 ? 0 : a.stride;
  task.b_stride = a.cols == 0 ? 0 : b.stride;
  task.alpha = extras.alpha;
  task.beta = extras.beta;
  if (extras.beta != 0) task.c = extras.c.data();
  if (!extras.scale.empty()) task.scale = extras.scale.data();
  constexpr std::int64_t fewest = 1024, most = 32768;
  const std::int64_t share = mask.nnz() / (4 * threads_or_default(options.threads));
  const std::vector<SddmmBlock> blocks = blocks_of(mask, std::clamp(share, fewest, most));
  PerWorker spaces(options.threads, [] { return SddmmSpace(); });
  parallel_for(blocks.size(), options.threads, [&](std::size_t number, std::size_t worker) {
    run_block(mask, blocks[number], kernel, options, task, spaces[worker]);
  });
}

// to (cols x rows, rows `stride` apart) = the transpose of b.
void turn(const DenseView& b, float* to, std::int64_t stride, int threads) {
  constexpr std::int64_t side = 16;
  const std::int64_t strips = (b.cols + side - 1) / side;
  parallel_for(static_cast<std::size_t>(strips), threads, [&](std::size_t strip) {
    const std::int64_t first = static_cast<std::int64_t>(strip) * side, end = std::min(b.cols, first + side);
    for (std::int64_t k = 0; k < b.rows; ++k) {
      for (std::int64_t j = first; j < end; ++j) to[j * stride + k] = b.data[k * b.stride + j];
    }
  });
}

}  // namespace

const KernelTable<SddmmKernel>& sddmm_kernels() {
  static constexpr auto kernels = std::to_array<SddmmKernel>({
#define SDDMM(isa, lanes)                                            \
  {{"f32_" #isa, Isa::isa, #lanes " entries of a row side by side"}, \
   kernels::sddmm_f32_own_##isa,                                     \
   kernels::sddmm_f32_shared_##isa},
#include "reference/sparse/sddmm.def"
#undef SDDMM
  });
  static constexpr KernelTable<SddmmKernel> table("sddmm", kernels);
  return table;
}

void sddmm(const CsrView& mask, const DenseView& a, const DenseView& b, std::span<float> out,
           const SddmmExtras& extras, const SddmmOptions& options) {
  check(mask, ColumnOrder::stored);
  check_matrix("sddmm", "a", a, mask.rows, a.cols);
  check_matrix("sddmm", "b", b, a.cols, mask.cols);
  check_sampled(mask, a, b, out, extras);
  // Rows of B that begin at a multiple of 16 bytes, and not all in the same sets of the caches.
  const std::int64_t stride = (b.rows + 15) / 16 * 16 + 16;
  AlignedBuffer turned;
  float* const columns = turned.at_least(static_cast<std::size_t>(stride * b.cols));
  turn(b, columns, stride, options.threads);
  sample(mask, a, {columns, b.cols, b.rows, stride}, out, extras, options);
}

void sddmm_transposed(const CsrView& mask, const DenseView& a, const DenseView& b, std::span<float> out,
                      const SddmmExtras& extras, const SddmmOptions& options) {
  check(mask, ColumnOrder::stored);
  check_matrix("sddmm", "a", a, mask.rows, a.cols);
  check_matrix("sddmm", "b", b, mask.cols, a.cols);
  check_sampled(mask, a, b, out, extras);
  sample(mask, a, b, out, extras, options);
}

}  // namespace assay::sparse
