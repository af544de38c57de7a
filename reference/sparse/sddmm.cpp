#include "reference/sparse/sddmm.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/sparse/arguments.hpp"

namespace assay::sparse {
namespace {

// --- the mask --------------------------------------------------------------------------------------------------------

// Whole rows, or a part of one: entries [begin, end) of the mask.
struct SddmmBlock {
  std::int64_t row = 0;
  std::int64_t begin = 0, end = 0;
  std::vector<std::uint32_t> row_entries{};
  std::vector<std::int32_t> columns{}, places{};  // as in SddmmTask
  bool shared = false;

  std::int64_t entries() const { return end - begin; }
  std::uint32_t rows() const { return static_cast<std::uint32_t>(row_entries.size()); }
  std::uint64_t bytes() const {
    return row_entries.size() * sizeof(std::uint32_t) +
           (columns.size() + places.size()) * sizeof(std::int32_t);
  }
};

// Rows of a block: those that share columns read a panel of B as often. Entries: what a worker takes at once.
constexpr std::size_t most_block_rows = 32;
constexpr std::int64_t most_block_entries = 1 << 17;

std::vector<SddmmBlock> blocks_of(const CsrView& mask) {
  std::vector<SddmmBlock> blocks;
  SddmmBlock open;
  const auto add = [&](std::int64_t entries) {
    open.row_entries.push_back(static_cast<std::uint32_t>(entries));
    open.end += entries;
  };
  const auto close = [&](std::int64_t row) {
    const std::int64_t end = open.end;
    if (open.entries() > 0) blocks.push_back(std::move(open));
    open = {.row = row, .begin = end, .end = end};
  };
  for (std::int64_t i = 0; i < mask.rows; ++i) {
    std::int64_t left = mask.row_length(i);
    if (open.rows() == most_block_rows || open.entries() + left > most_block_entries) close(i);
    for (; left > most_block_entries; left -= most_block_entries) {
      add(most_block_entries);
      close(i);
    }
    add(left);
  }
  close(mask.rows);
  return blocks;
}

// Finds the columns that rows of a block share.
class ColumnFinder {
 public:
  explicit ColumnFinder(std::int64_t cols) : place_of_(static_cast<std::size_t>(cols), -1) {}

  // Makes `block` share its columns unless there are more than `most`.
  void share(std::span<const std::int32_t> entries, std::int64_t most, SddmmBlock& block) {
    block.shared = true;
    for (const std::int32_t column : entries) {
      std::int32_t& place = place_of_[static_cast<std::size_t>(column)];
      if (place < 0) {
        block.shared = static_cast<std::int64_t>(block.columns.size()) < most;
        if (!block.shared) break;
        place = static_cast<std::int32_t>(block.columns.size());
        block.columns.push_back(column);
      }
      block.places.push_back(place);
    }
    for (const std::int32_t column : block.columns) place_of_[static_cast<std::size_t>(column)] = -1;
    if (!block.shared || are_all_in_order(block)) block.places = {};
  }

 private:
  static bool are_all_in_order(const SddmmBlock& block) {
    const std::size_t columns = block.columns.size();
    for (const std::uint32_t entries : block.row_entries) {
      if (entries != columns) return false;
    }
    for (std::size_t e = 0; e < block.places.size(); ++e) {
      if (static_cast<std::size_t>(block.places[e]) != e % columns) return false;
    }
    return true;
  }

  std::vector<std::int32_t> place_of_;
};

// Columns that a block may have if its rows are to share them. Of the products that they compute, one in `most_wasted`
// is kept, at least. Measured on an Intel Xeon with AVX-512.
std::int64_t most_columns(const SddmmBlock& block, SddmmSharing sharing) {
  if (sharing == SddmmSharing::never) return 0;
  if (sharing == SddmmSharing::always) return block.entries();
  constexpr std::int64_t most_wasted = 8;
  constexpr std::uint32_t fewest_rows = 4;
  return block.rows() < fewest_rows ? 0 : most_wasted * block.entries() / block.rows();
}

// --- arguments -------------------------------------------------------------------------------------------------------

void check_sampled(std::int64_t nnz, const DenseView& a, const DenseView& b, std::span<float> out,
                   const SddmmExtras& e) {
  const auto said = [](const std::string& what) { throw ContractError("sddmm: " + what); };
  check_count("sddmm", "out", out, nnz);
  if (overlap(extent_of(out), extent_of_matrix(a))) said("out shares memory with a");
  if (overlap(extent_of(out), extent_of_matrix(b))) said("out shares memory with b");
  const auto check_joined = [&](std::string_view name, std::span<const float> x) {
    check_count("sddmm", name, x, nnz);
    if (x.data() != out.data() && overlap(extent_of(out), extent_of(x)))
      said("out shares memory with " + std::string(name) + ", and is not the same");
  };
  if (e.beta != 0) check_joined("c", e.c);
  if (!e.scale.empty()) check_joined("scale", e.scale);
  if (e.alpha != e.alpha || e.beta != e.beta) said("alpha or beta is NaN");
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

// What a worker keeps between blocks.
struct SddmmBuffers {
  AlignedBuffer panel{}, sums{};
};

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

struct SddmmPlan::Packed {
  std::int64_t rows = 0, cols = 0, nnz = 0;
  const SddmmKernel* kernel = nullptr;
  std::vector<SddmmBlock> blocks{};
  SddmmChoice choice{};

  // B is (n x k).
  void run(const DenseView& a, const DenseView& b, std::span<float> out, const SddmmExtras& extras,
           int threads) const;
  void run_block(const SddmmBlock& block, SddmmTask task, SddmmBuffers& buffers) const;
};

SddmmPlan::SddmmPlan(const CsrView& mask, const SddmmOptions& options) : packed_(std::make_unique<Packed>()) {
  check(mask, ColumnOrder::stored);
  Packed& p = *packed_;
  p.rows = mask.rows;
  p.cols = mask.cols;
  p.nnz = mask.nnz();
  if (options.with != nullptr) {
    p.kernel = options.with;
  } else if (options.kernel.empty()) {
    p.kernel = &sddmm_kernels().best();
  } else {
    p.kernel = &sddmm_kernels().named(options.kernel);
    require_cpu(*p.kernel);
  }
  p.blocks = blocks_of(mask);
  p.choice = {.kernel = p.kernel->name, .blocks = static_cast<std::int64_t>(p.blocks.size())};
  ColumnFinder finder(mask.cols);
  for (SddmmBlock& block : p.blocks) {
    const auto entries = mask.column_indices.subspan(static_cast<std::size_t>(block.begin),
                                                     static_cast<std::size_t>(block.entries()));
    finder.share(entries, most_columns(block, options.sharing), block);
    if (!block.shared) block.columns.assign(entries.begin(), entries.end());
    p.choice.shared += block.shared ? 1 : 0;
    p.choice.packed_bytes += block.bytes();
  }
}

SddmmPlan::~SddmmPlan() = default;
SddmmPlan::SddmmPlan(SddmmPlan&&) noexcept = default;
SddmmPlan& SddmmPlan::operator=(SddmmPlan&&) noexcept = default;

std::int64_t SddmmPlan::rows() const { return packed_->rows; }
std::int64_t SddmmPlan::cols() const { return packed_->cols; }
std::int64_t SddmmPlan::nnz() const { return packed_->nnz; }
const SddmmChoice& SddmmPlan::choice() const { return packed_->choice; }

void SddmmPlan::Packed::run_block(const SddmmBlock& block, SddmmTask task, SddmmBuffers& buffers) const {
  task.a += block.row * task.a_stride;
  task.rows = block.rows();
  task.row_entries = block.row_entries.data();
  task.columns = block.columns.data();
  task.out += block.begin;
  if (task.c != nullptr) task.c += block.begin;
  if (task.scale != nullptr) task.scale += block.begin;
  if (!block.shared) {
    kernel->own(task);
    return;
  }
  task.shared = static_cast<std::uint32_t>(block.columns.size());
  task.places = block.places.empty() ? nullptr : block.places.data();
  task.sums_stride = (std::int64_t{task.shared} + sddmm_panel - 1) / sddmm_panel * sddmm_panel;
  task.panel = buffers.panel.at_least(static_cast<std::size_t>(sddmm_depth) * sddmm_panel);
  task.sums = buffers.sums.at_least(static_cast<std::size_t>(task.sums_stride) * task.rows);
  kernel->shared(task);
}

void SddmmPlan::Packed::run(const DenseView& a, const DenseView& b, std::span<float> out,
                            const SddmmExtras& extras, int threads) const {
  const MxcsrGuard no_flushing(0x1F80);
  SddmmTask task{.a = a.data, .b = b.data, .depth = a.cols, .out = out.data()};
  // Without k there is nothing to point to.
  task.a_stride = a.cols == 0 ? 0 : a.stride;
  task.b_stride = a.cols == 0 ? 0 : b.stride;
  task.alpha = extras.alpha;
  task.beta = extras.beta;
  if (extras.beta != 0) task.c = extras.c.data();
  if (!extras.scale.empty()) task.scale = extras.scale.data();
  PerWorker buffers(threads, [] { return SddmmBuffers(); });
  parallel_for(blocks.size(), threads, [&](std::size_t number, std::size_t worker) {
    run_block(blocks[number], task, buffers[worker]);
  });
}

void SddmmPlan::multiply(const DenseView& a, const DenseView& b, std::span<float> out,
                         const SddmmExtras& extras, int threads) const {
  const Packed& p = *packed_;
  check_matrix("sddmm", "a", a, p.rows, a.cols);
  check_matrix("sddmm", "b", b, a.cols, p.cols);
  check_sampled(p.nnz, a, b, out, extras);
  // Rows that begin at a multiple of 64 bytes, and not all in the same sets of the caches.
  const std::int64_t stride = (b.rows + 15) / 16 * 16 + 16;
  AlignedBuffer turned;
  float* const columns = turned.at_least(static_cast<std::size_t>(stride * b.cols));
  turn(b, columns, stride, threads);
  p.run(a, {columns, b.cols, b.rows, stride}, out, extras, threads);
}

void SddmmPlan::multiply_transposed(const DenseView& a, const DenseView& b, std::span<float> out,
                                    const SddmmExtras& extras, int threads) const {
  const Packed& p = *packed_;
  check_matrix("sddmm", "a", a, p.rows, a.cols);
  check_matrix("sddmm", "b", b, p.cols, a.cols);
  check_sampled(p.nnz, a, b, out, extras);
  p.run(a, b, out, extras, threads);
}

}  // namespace assay::sparse
