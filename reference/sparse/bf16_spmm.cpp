#include "reference/sparse/bf16_spmm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/large_memory.hpp"
#include "reference/core/narrow.hpp"
#include "reference/core/parallel.hpp"
#include "reference/sparse/copy_turned.hpp"
#include "reference/sparse/spmm_arguments.hpp"

namespace assay::sparse {

const KernelTable<Bf16SpmmKernel>& bf16_spmm_kernels() {
  static constexpr auto kernels = std::to_array<Bf16SpmmKernel>({
      {{"bf16_tiles_amx_vbmi2", Isa::amx_vbmi2, "TDPBF16PS, 32 rows of compressed weights at once"},
       nullptr,
       kernels::bf16_spmm_tiles_amx_vbmi2,
       kernels::bf16_pack_tiles_amx_vbmi2},
      {{"bf16_pairs_avx512bf16", Isa::avx512bf16, "VDPBF16PS, two entries of a row at once"},
       kernels::bf16_spmm_pairs_avx512bf16},
  });
  static constexpr KernelTable<Bf16SpmmKernel> table("bf16_spmm", kernels);
  return table;
}

// What multiply() gets.
struct Bf16Product {
  const Bf16View& x;
  const MutableDenseView& y;
  const SpmmExtras& extras;
  int threads;
};

class Bf16SpmmPlan::Way {
 public:
  virtual ~Way() = default;
  virtual void multiply(const Bf16Product& p) const = 0;
  virtual std::string name() const = 0;
  virtual std::uint64_t packed_bytes() const = 0;
};

namespace {

// Through the epilogue, from rows of sums that are `width` apart.
void finish(const Bf16Product& p, std::int64_t row, std::int64_t rows, std::int64_t column,
            std::int64_t columns, const float* sums, std::int64_t width) {
  SpmmTask task{.columns = static_cast<std::uint32_t>(columns)};
  aim(p.y, p.extras, row, column, task);
  SpmmFinishFn* const to_y = spmm_kernels().best().finish;
  for (std::int64_t i = 0; i < rows; ++i) to_y(task, static_cast<std::uint32_t>(i), sums + i * width);
}

bool is_finite(bf16_t x) { return (x.code & 0x7F80) != 0x7F80; }

// --- both widened ----------------------------------------------------------------------------------------------------

class Widened : public Bf16SpmmPlan::Way {
 public:
  Widened(const Csr<bf16_t>& a, const SpmmOptions& options) : plan_(a.structure, floats(a), options) {}
  void multiply(const Bf16Product& p) const override { plan_.multiply(p.x, p.y, p.extras, p.threads); }
  std::string name() const override { return std::string(plan_.choice().kernel); }
  std::uint64_t packed_bytes() const override { return plan_.choice().packed_bytes; }

 private:
  static std::vector<float> floats(const Csr<bf16_t>& a) {
    std::vector<float> values(a.values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = std::bit_cast<float>(std::uint32_t{a.values[i].code} << 16);
    return values;
  }

  SpmmPlan plan_;
};

// --- VDPBF16PS -------------------------------------------------------------------------------------------------------

class Pairs : public Bf16SpmmPlan::Way {
 public:
  Pairs(const Csr<bf16_t>& a, const Bf16SpmmKernel& kernel)
      : kernel_(kernel), rows_(a.rows()), cols_(a.cols()) {
    const std::uint32_t zeros = narrow<std::uint32_t>(cols_, "columns of A");
    for (std::int64_t i = 0; i < rows_; ++i) {
      const auto columns = a.row_columns(i);
      const auto values = a.row_values(i);
      begin_.push_back(pairs_.size());
      for (std::size_t e = 0; e < columns.size(); e += 2) {
        Bf16Pair pair{values[e].code, {static_cast<std::uint32_t>(columns[e]), zeros}};
        if (e + 1 < columns.size()) {
          pair.values |= std::uint32_t{values[e + 1].code} << 16;
          pair.rows[1] = static_cast<std::uint32_t>(columns[e + 1]);
        }
        pairs_.push_back(pair);
      }
      count_.push_back(narrow<std::uint32_t>(pairs_.size() - begin_.back(), "pairs of a row"));
    }
  }

  void multiply(const Bf16Product& p) const override {
    constexpr std::int64_t width = bf16_pair_width, rows_at_once = 32;
    const std::int64_t panels = (p.x.cols + width - 1) / width;
    const std::int64_t groups = (rows_ + rows_at_once - 1) / rows_at_once;
    for (std::int64_t panel = 0; panel < panels; ++panel) {
      const std::int64_t first = panel * width, columns = std::min(width, p.x.cols - first);
      const LargeMemory packed = packed_panel(p.x, first, columns, p.threads);
      PerWorker sums(p.threads, [] { return AlignedBuffer(); });
      parallel_for(static_cast<std::size_t>(groups), p.threads, [&](std::size_t group, std::size_t worker) {
        const std::int64_t row = static_cast<std::int64_t>(group) * rows_at_once;
        const std::int64_t rows = std::min(rows_at_once, rows_ - row);
        const auto at = static_cast<std::size_t>(row);
        float* const to = sums[worker].at_least(static_cast<std::size_t>(rows_at_once * width));
        kernel_.pairs({pairs_.data() + begin_[at], count_.data() + at, static_cast<std::uint32_t>(rows),
                       reinterpret_cast<const std::uint16_t*>(packed.get()), to});
        finish(p, row, rows, first, columns, to, width);
      });
    }
  }
  std::string name() const override { return std::string(kernel_.name); }
  std::uint64_t packed_bytes() const override {
    return pairs_.size() * sizeof(Bf16Pair) + begin_.size() * sizeof begin_[0] +
           count_.size() * sizeof count_[0];
  }

 private:
  // A row of zeros follows.
  LargeMemory packed_panel(const Bf16View& x, std::int64_t first, std::int64_t columns, int threads) const {
    constexpr std::size_t width = bf16_pair_width, row_bytes = width * sizeof(bf16_t);
    LargeMemory packed = large_memory((static_cast<std::size_t>(cols_) + 1) * row_bytes);
    parallel_for(static_cast<std::size_t>(cols_) + 1, threads, [&](std::size_t k) {
      const auto row = static_cast<std::int64_t>(k);
      const std::size_t bytes = row == cols_ ? 0 : static_cast<std::size_t>(columns) * sizeof(bf16_t);
      unsigned char* const to = packed.get() + k * row_bytes;
      if (bytes != 0) std::memcpy(to, x.data + row * x.stride + first, bytes);
      std::memset(to + bytes, 0, row_bytes - bytes);
    });
    return packed;
  }

  const Bf16SpmmKernel& kernel_;
  std::int64_t rows_, cols_;
  std::vector<Bf16Pair> pairs_{};
  std::vector<std::size_t> begin_{};
  std::vector<std::uint32_t> count_{};
};

// --- the Arithmetic itself -------------------------------------------------------------------------------------------

CodeMatrix codes(const bf16_t* data, std::size_t rows, std::size_t cols, std::int64_t stride) {
  return {data, rows, cols, stride, 1, formats::bfloat16};
}
MutableCodeMatrix floats(float* data, std::size_t rows, std::size_t cols, std::int64_t stride) {
  return {data, rows, cols, stride, 1, formats::float32};
}

// Row by row: the entries and the rows of X that they multiply.
class ByEntries : public Bf16SpmmPlan::Way {
 public:
  ByEntries(const Csr<bf16_t>& a, const Arithmetic& contract) : a_(a), contract_(contract) {}

  void multiply(const Bf16Product& p) const override {
    const std::int64_t n = p.x.cols, width = (n + 15) / 16 * 16;
    struct Space {
      std::vector<bf16_t> x{};
      AlignedBuffer sums{};
    };
    PerWorker workers(p.threads, [] { return Space(); });
    parallel_for(static_cast<std::size_t>(a_.rows()), p.threads, [&](std::size_t number, std::size_t worker) {
      const auto row = static_cast<std::int64_t>(number);
      const auto columns = a_.row_columns(row);
      const auto length = static_cast<std::int64_t>(columns.size());
      Space& space = workers[worker];
      space.x.resize(columns.size() * static_cast<std::size_t>(n));
      auto to = space.x.begin();
      for (const std::int32_t column : columns) to = std::copy_n(p.x.data + column * p.x.stride, n, to);
      float* const sums = space.sums.at_least(static_cast<std::size_t>(width));
      const auto k = columns.size(), outputs = static_cast<std::size_t>(n);
      contract_.gemm(codes(a_.row_values(row).data(), 1, k, length), codes(space.x.data(), k, outputs, n), {},
                     floats(sums, 1, outputs, n));
      finish(p, row, 1, 0, n, sums, width);
    });
  }
  std::string name() const override { return contract_.info().name; }
  std::uint64_t packed_bytes() const override {
    return a_.values.size() * sizeof(bf16_t) + a_.structure.column_indices.size() * sizeof(std::int32_t);
  }

 private:
  Csr<bf16_t> a_;
  const Arithmetic& contract_;
};

// All of K, and zeros up to a whole block, for some rows at once.
class ByBlocksOfK : public Bf16SpmmPlan::Way {
 public:
  ByBlocksOfK(const Csr<bf16_t>& a, const Arithmetic& contract)
      : a_(a), contract_(contract), k_((a.cols() + depth - 1) / depth * depth) {}

  void multiply(const Bf16Product& p) const override { multiply_columns(p, 0, p.x.cols); }

  // Columns `first` to first + n - 1 of X and Y alone.
  void multiply_columns(const Bf16Product& p, std::int64_t first, std::int64_t n) const {
    const std::int64_t width = (n + 15) / 16 * 16;
    const auto outputs = static_cast<std::size_t>(n), depth_of_all = static_cast<std::size_t>(k_);
    bool finite = true;
    std::vector<bf16_t> x(depth_of_all * outputs, zero());
    for (std::int64_t k = 0; k < p.x.rows; ++k) {
      const bf16_t* const from = p.x.data + k * p.x.stride + first;
      finite = finite && std::all_of(from, from + n, is_finite);
      std::copy_n(from, n, x.begin() + k * n);
    }
    struct Space {
      std::vector<bf16_t> a{};
      AlignedBuffer sums{};
    };
    PerWorker workers(p.threads, [] { return Space(); });
    const std::int64_t groups = (a_.rows() + at_once - 1) / at_once;
    parallel_for(static_cast<std::size_t>(groups), p.threads, [&](std::size_t group, std::size_t worker) {
      const std::int64_t row = static_cast<std::int64_t>(group) * at_once;
      const std::int64_t rows = std::min(at_once, a_.rows() - row);
      Space& space = workers[worker];
      float* const sums = space.sums.at_least(static_cast<std::size_t>(at_once * width));
      expand(row, rows, space.a);
      if (finite) {
        const auto m = static_cast<std::size_t>(rows);
        contract_.gemm(codes(space.a.data(), m, depth_of_all, k_), codes(x.data(), depth_of_all, outputs, n),
                       {}, floats(sums, m, outputs, width));
      } else {
        for (std::int64_t r = 0; r < rows; ++r)
          row_of_mixed(row + r, space.a.data() + r * k_, x, n, sums + r * width);
      }
      finish(p, row, rows, first, n, sums, width);
    });
  }
  std::string name() const override { return contract_.info().name; }
  std::uint64_t packed_bytes() const override {
    return a_.values.size() * sizeof(bf16_t) + a_.structure.column_indices.size() * sizeof(std::int32_t);
  }

 private:
  static constexpr std::int64_t depth = bf16_tile_depth, at_once = bf16_tile_rows;
  static bf16_t zero() { return bf16_t::from_code(0); }

  void expand(std::int64_t row, std::int64_t rows, std::vector<bf16_t>& to) const {
    to.assign(static_cast<std::size_t>(rows * k_), zero());
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto columns = a_.row_columns(row + r);
      const auto values = a_.row_values(row + r);
      for (std::size_t e = 0; e < columns.size(); ++e)
        to[static_cast<std::size_t>(r * k_ + columns[e])] = values[e];
    }
  }

  // Where X has infinities or NaNs: those that no entry multiplies count as zeros.
  void row_of_mixed(std::int64_t row, const bf16_t* a, const std::vector<bf16_t>& x, std::int64_t n,
                    float* sums) const {
    const auto k = static_cast<std::size_t>(k_), outputs = static_cast<std::size_t>(n);
    std::vector<char> stored(k, 0);
    for (const std::int32_t column : a_.row_columns(row)) stored[static_cast<std::size_t>(column)] = 1;
    std::vector<bf16_t> column(k);
    for (std::size_t j = 0; j < outputs; ++j) {
      for (std::size_t i = 0; i < k; ++i) {
        const bf16_t here = x[i * outputs + j];
        column[i] = stored[i] != 0 || is_finite(here) ? here : zero();
      }
      const std::uint64_t code = contract_.dot(code_vector(a, k), code_vector(column.data(), k));
      sums[j] = std::bit_cast<float>(static_cast<std::uint32_t>(code));
    }
  }

  Csr<bf16_t> a_;
  const Arithmetic& contract_;
  std::int64_t k_;
};

// --- TDPBF16PS -------------------------------------------------------------------------------------------------------

class Tiles : public Bf16SpmmPlan::Way {
 public:
  Tiles(const Csr<bf16_t>& a, const Arithmetic& contract, const Bf16SpmmKernel& kernel)
      : kernel_(kernel),
        rows_(a.rows()),
        blocks_((a.cols() + depth - 1) / depth),
        with_specials_(a, contract) {
    last_bits_.add(a.values);
    std::vector<std::size_t> next(static_cast<std::size_t>(rows_));
    for (std::int64_t i = 0; i < rows_; ++i)
      next[static_cast<std::size_t>(i)] = static_cast<std::size_t>(a.structure.row_begin(i));
    const std::int64_t stripes = (rows_ + stripe - 1) / stripe;
    bytes_ = static_cast<std::size_t>(stripes * blocks_) * bits_bytes + a.values.size() * sizeof(bf16_t) + 64;
    stream_ = large_memory(bytes_);
    unsigned char* to = stream_.get();
    for (std::int64_t row = 0; row < rows_; row += stripe) {
      begin_.push_back(static_cast<std::size_t>(to - stream_.get()));
      for (std::int64_t block = 0; block < blocks_; ++block) to = pack_block(a, row, block, next, to);
    }
    std::fill(to, stream_.get() + bytes_, static_cast<unsigned char>(0));
  }

  void multiply(const Bf16Product& p) const override {
    const std::int64_t tiles = (p.x.cols + 2 * tile_width - 1) / (2 * tile_width) * 2;  // side by side
    const std::int64_t at_once = std::min(tiles, tiles_at_once());
    for (std::int64_t first = 0; first < tiles; first += at_once)
      multiply_part(p, first * tile_width, std::min(at_once, tiles - first));
  }
  std::string name() const override { return std::string(kernel_.name); }
  std::uint64_t packed_bytes() const override { return bytes_ + with_specials_.packed_bytes(); }

 private:
  static constexpr std::int64_t stripe = bf16_tile_rows, depth = bf16_tile_depth,
                                tile_width = bf16_tile_width;
  static constexpr std::size_t tile_bytes = 1024, bits_bytes = stripe * sizeof(std::uint32_t);

  // Returns the end of what was packed.
  static unsigned char* pack_block(const Csr<bf16_t>& a, std::int64_t row, std::int64_t block,
                                   std::vector<std::size_t>& next, unsigned char* to) {
    std::uint32_t bits[stripe] = {};
    unsigned char* codes = to + sizeof bits;
    for (std::int64_t r = 0; r < stripe && row + r < a.rows(); ++r) {
      std::size_t& e = next[static_cast<std::size_t>(row + r)];
      const auto begin = e, end = static_cast<std::size_t>(a.structure.row_begin(row + r + 1));
      for (; e < end && a.structure.column_indices[e] < (block + 1) * depth; ++e)
        bits[r] |= std::uint32_t{1} << a.structure.column_indices[e] % depth;
      const std::size_t bytes = (e - begin) * sizeof(bf16_t);
      if (bytes != 0) std::memcpy(codes, a.values.data() + begin, bytes);
      codes += bytes;
    }
    std::memcpy(to, bits, sizeof bits);
    return codes;
  }

  // Of X: what stays in the second cache with a stripe of A.
  std::int64_t tiles_at_once() const {
    constexpr std::int64_t room = 1 << 20;
    const std::int64_t column_bytes =
        std::max<std::int64_t>(blocks_, 1) * static_cast<std::int64_t>(tile_bytes);
    return std::max<std::int64_t>(room / column_bytes / 2 * 2, 8);
  }

  void multiply_part(const Bf16Product& p, std::int64_t first, std::int64_t tiles) const {
    const std::int64_t columns = std::min(tiles * tile_width, p.x.cols - first);
    const auto blocks = static_cast<std::size_t>(blocks_),
               floats = static_cast<std::size_t>(stripe * tiles * tile_width);
    const std::size_t block_bytes = static_cast<std::size_t>(tiles) * tile_bytes;
    const LargeMemory x = large_memory(blocks * block_bytes);
    std::vector<Bf16Range> ranges(blocks);
    parallel_for(blocks, p.threads, [&](std::size_t block) {
      const std::int64_t k = static_cast<std::int64_t>(block) * depth;
      ranges[block] =
          kernel_.pack_tiles({reinterpret_cast<const std::uint16_t*>(p.x.data + k * p.x.stride + first),
                              p.x.stride, static_cast<std::uint32_t>(std::min(depth, p.x.rows - k)),
                              static_cast<std::uint32_t>(columns), static_cast<std::uint32_t>(tiles),
                              reinterpret_cast<std::uint16_t*>(x.get() + block * block_bytes)});
    });
    LastBits<bf16_t> of_x;
    for (const Bf16Range& range : ranges) of_x.merge(range.least_but_one, range.largest);
    if (!of_x.all_finite()) {
      with_specials_.multiply_columns(p, first, columns);
      return;
    }
    // A block without an entry adds +0. That changes a sum of -0 alone, which none is where nothing can be flushed: the
    // last bits of all products, and so all sums, lie at 2^-126 or above.
    const bool skips_empty = !products_reach_below(of_x, last_bits_, -126);
    PerWorker workers(p.threads, [] { return AlignedBuffer(); });
    parallel_for(begin_.size(), p.threads, [&](std::size_t number, std::size_t worker) {
      float* const sums = workers[worker].at_least(floats);
      kernel_.tiles({stream_.get() + begin_[number], static_cast<std::uint32_t>(blocks),
                     reinterpret_cast<const std::uint16_t*>(x.get()), static_cast<std::uint32_t>(tiles),
                     skips_empty, sums});
      const std::int64_t row = static_cast<std::int64_t>(number) * stripe;
      finish(p, row, std::min(stripe, rows_ - row), first, columns, sums, tiles * tile_width);
    });
  }

  const Bf16SpmmKernel& kernel_;
  std::int64_t rows_, blocks_;
  ByBlocksOfK with_specials_;  // has a copy of A
  LastBits<bf16_t> last_bits_{};
  std::vector<std::size_t> begin_{};  // of each stripe in the stream
  LargeMemory stream_{};
  std::size_t bytes_ = 0;
};

// The best kernel that may run and that takes(kernel), the one that is asked for, or none.
template <class Takes>
const Bf16SpmmKernel* kernel_for(const SpmmOptions& options, const Takes& takes) {
  if (options.kernel == by_arithmetic) return nullptr;
  if (options.with_bf16 != nullptr && takes(*options.with_bf16)) return options.with_bf16;
  if (options.kernel.empty()) return bf16_spmm_kernels().find(takes);
  const Bf16SpmmKernel& named = bf16_spmm_kernels().named(options.kernel);
  if (!takes(named)) throw ContractError("spmm: " + std::string(named.name) + " has another contract");
  require_cpu(named);
  return &named;
}

std::unique_ptr<Bf16SpmmPlan::Way> way_of(const Csr<bf16_t>& a, const Arithmetic& contract,
                                          const SpmmOptions& options) {
  const std::string& name = contract.info().name;
  const bool asks = !options.kernel.empty() && options.kernel != by_arithmetic;
  if (name == "chain_f32_fused" && options.kernel != by_arithmetic)
    return std::make_unique<Widened>(a, options);
  if (name == "vdpbf16ps") {
    const auto* const kernel =
        kernel_for(options, [](const Bf16SpmmKernel& k) { return k.pairs != nullptr; });
    if (kernel != nullptr) return std::make_unique<Pairs>(a, *kernel);
  } else if (name == "tdpbf16ps") {
    const auto* const kernel =
        kernel_for(options, [](const Bf16SpmmKernel& k) { return k.tiles != nullptr; });
    if (kernel != nullptr) return std::make_unique<Tiles>(a, contract, *kernel);
    return std::make_unique<ByBlocksOfK>(a, contract);
  } else if (asks) {
    throw ContractError("spmm: " + name + " has no kernel but \"" + std::string(by_arithmetic) + '"');
  }
  return std::make_unique<ByEntries>(a, contract);
}

}  // namespace

Bf16SpmmPlan::Bf16SpmmPlan(const Csr<bf16_t>& a, const Arithmetic& contract, const SpmmOptions& options)
    : rows_(a.rows()), cols_(a.cols()), nnz_(a.structure.view().nnz()) {
  const std::string& name = contract.info().name;
  check(a.structure, name == "tdpbf16ps" ? ColumnOrder::ascending : ColumnOrder::stored);
  check_value_count(a.structure, a.values.size());
  if (!contract.accepts(formats::bfloat16, formats::bfloat16) || !contract.gives(formats::float32))
    throw ContractError("spmm: " + name + " does not give float32 from bfloat16");
  way_ = way_of(a, contract, options);
  choice_ = {name, way_->name(), way_->packed_bytes()};
}

Bf16SpmmPlan::~Bf16SpmmPlan() = default;
Bf16SpmmPlan::Bf16SpmmPlan(Bf16SpmmPlan&&) noexcept = default;
Bf16SpmmPlan& Bf16SpmmPlan::operator=(Bf16SpmmPlan&&) noexcept = default;

std::int64_t Bf16SpmmPlan::rows() const { return rows_; }
std::int64_t Bf16SpmmPlan::cols() const { return cols_; }
std::int64_t Bf16SpmmPlan::nnz() const { return nnz_; }
const Bf16SpmmChoice& Bf16SpmmPlan::choice() const { return choice_; }

void Bf16SpmmPlan::multiply(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras,
                            int threads) const {
  check_matrix("spmm", "x", x, cols_, x.cols);
  check_matrix("spmm", "y", y, rows_, x.cols);
  check_extras(extent_of_matrix(x), y, extras);
  if (rows_ == 0 || x.cols == 0) return;
  const MxcsrGuard no_flushing(0x1F80);
  way_->multiply({x, y, extras, threads});
}

void Bf16SpmmPlan::multiply_transposed(const Bf16View& x, const MutableDenseView& y, const SpmmExtras& extras,
                                       int threads) const {
  check_matrix("spmm", "x", x, x.rows, cols_);
  check_matrix("spmm", "y", y, x.rows, rows_);
  check_extras(extent_of_matrix(x), y, extras);
  if (rows_ == 0) return;
  const MxcsrGuard no_flushing(0x1F80);
  constexpr std::int64_t most = 256;
  const std::int64_t at_once = std::min(most, x.rows);
  const auto outputs = static_cast<std::size_t>(rows_ * at_once);
  std::vector<bf16_t> x_turned(static_cast<std::size_t>(cols_ * at_once));
  std::vector<float> y_turned(outputs), c_turned(extras.beta == 0 ? 0 : outputs);
  for (std::int64_t first = 0; first < x.rows; first += at_once) {
    const std::int64_t n = std::min(at_once, x.rows - first);
    copy_turned(x.data + first * x.stride, x.stride, n, cols_, x_turned.data(), n);
    SpmmExtras turned = extras;
    if (extras.beta != 0) {
      copy_turned(extras.c.data + first * extras.c.stride, extras.c.stride, n, rows_, c_turned.data(), n);
      turned.c = {c_turned.data(), rows_, n, n};
    }
    if (extras.bias_along == SpmmBias::rows) {
      turned.bias_along = SpmmBias::columns;
      turned.bias = extras.bias.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
    } else if (extras.bias_along == SpmmBias::columns) {
      turned.bias_along = SpmmBias::rows;
    }
    const Bf16View x_part{x_turned.data(), cols_, n, n};
    const MutableDenseView y_part{y_turned.data(), rows_, n, n};
    way_->multiply({x_part, y_part, turned, threads});
    copy_turned(y_turned.data(), n, rows_, n, y.data + first * y.stride, y.stride);
  }
}

}  // namespace assay::sparse
