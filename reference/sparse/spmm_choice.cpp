#include "reference/sparse/spmm_choice.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/core/memory.hpp"
#include "reference/sparse/spmm_packing.hpp"

namespace assay::sparse {
namespace {

// Few entries a slice cost more in sums that travel than in products: then slices are deeper, then narrower too, and in
// the end all of K is taken at once, X being read from the second cache where it lies. Measured on two Intel Xeons
// with 2 MiB of it.
constexpr double thin = 0.07, thinner = 0.035;
// The width of panels that take all of K, which X has to lie in; 0 where slices are better.
std::uint32_t width_for_all_of_k(std::int64_t k, std::int64_t n, double density) {
  constexpr std::int64_t most_floats = 1 << 18;
  if (density >= thinner || n > most_floats / std::max<std::int64_t>(k, 1)) return 0;
  for (const std::uint32_t width : {256U, 128U, 64U}) {
    if (n % width == 0) return width;
  }
  return 0;
}

// Below this part of the places panels have up to 32 columns, else 64. Registers of 8 take three rows of 32 columns at
// once, but one of 64.
double narrow_below(const SpmmKernel& best) { return best.lanes < 16 ? thin : thinner; }

double density_of(const CsrView& a) {
  return a.nnz() == 0
             ? 0
             : static_cast<double>(a.nnz()) / static_cast<double>(a.rows) / static_cast<double>(a.cols);
}

// That a plan is made for: any number will do, and none beyond this changes a choice.
std::int64_t wanted_columns(const SpmmOptions& options) {
  return std::clamp<std::int64_t>(options.columns, 1, std::int64_t{1} << 40);
}

// Columns that a kernel computes for n of them: of a last panel that is half empty half, and so on.
std::int64_t padded(std::int64_t n, const SpmmKernel& k) {
  const std::int64_t width = k.width, whole = n / width * width;
  std::int64_t last = width;
  while (last > k.lanes && n - whole <= last / 2) last /= 2;
  return n == whole ? n : whole + last;
}

// A kernel for a product of n columns by rows with columns of their own.
const SpmmKernel& choose_kernel(std::int64_t k, std::int64_t n, double density, const SpmmOptions& options) {
  if (options.with != nullptr) return *options.with;
  if (!options.kernel.empty()) {
    const SpmmKernel& named = spmm_kernels().named(options.kernel);
    require_cpu(named);
    return named;
  }
  // The widest ISA; of its panels one that wastes least of n.
  const SpmmKernel& best = spmm_kernels().best();
  const std::uint32_t all = width_for_all_of_k(k, n, density);
  const std::uint32_t widest = all != 0 ? all : density < narrow_below(best) ? 32 : 64;
  const SpmmKernel* chosen = nullptr;
  for (const SpmmKernel& one : spmm_kernels()) {
    if (one.needs != best.needs || one.width > widest) continue;
    // Of two that waste as little the wider one, which reads A fewer times.
    if (chosen == nullptr || padded(n, one) < padded(n, *chosen) ||
        (padded(n, one) == padded(n, *chosen) && one.width > chosen->width))
      chosen = &one;
  }
  return *chosen;
}

// The part of the places that are entries, if neighbours, as many as a kernel has side by side, had all columns of each
// other. Of a sample of the rows: a plan costs less than 20 products.
double entries_of_places(const CsrView& a, std::int64_t side_by_side) {
  constexpr std::int64_t samples = 24;
  std::vector<std::int32_t> columns, before;
  std::int64_t places = 0, entries = 0;
  const std::int64_t groups = (a.rows + side_by_side - 1) / side_by_side;
  for (std::int64_t sample = 0; sample < std::min(groups, samples); ++sample) {
    const std::int64_t i = sample * groups / std::min(groups, samples) * side_by_side;
    const std::int64_t end = std::min(a.rows, i + side_by_side);
    columns.clear();
    for (std::int64_t r = i; r < end; ++r) {
      const auto more = a.row_columns(r);
      before.swap(columns);
      columns.clear();
      std::set_union(before.begin(), before.end(), more.begin(), more.end(), std::back_inserter(columns));
    }
    places += static_cast<std::int64_t>(columns.size()) * (end - i);
    entries += a.row_begin(end) - a.row_begin(i);
  }
  return places == 0 ? 0 : static_cast<double>(entries) / static_cast<double>(places);
}

bool asks_for_kernel(const SpmmOptions& options) {
  return options.with != nullptr || !options.kernel.empty();
}

void decide_kernel(const CsrView& a, const SpmmOptions& options, SpmmDecision& out) {
  const std::int64_t n = wanted_columns(options);
  const double density = density_of(a);
  const SpmmKernel& own = choose_kernel(a.cols, n, density, options);
  const bool ascends = !first_defect(a, ColumnOrder::ascending);
  out.kernel = &own;
  if (asks_for_kernel(options)) {
    out.why_kernel = "the kernel that was asked for";
  } else if (width_for_all_of_k(a.cols, n, density) != 0) {
    out.why_kernel = "under 3.5 % of the places stored, and X fits the second cache";
  } else {
    const double bound = narrow_below(spmm_kernels().best());
    const std::string percent = bound == thin ? "7 %" : "3.5 %";
    out.why_kernel = density < bound
                         ? "under " + percent + " of the places stored: panels of up to 32 columns"
                         : percent + " of the places stored or more: panels of up to 64 columns";
  }
  if (options.sharing != SpmmSharing::chosen) {
    out.sharing =
        options.sharing == SpmmSharing::filled && !ascends ? SpmmSharing::same_columns : options.sharing;
    return;
  }
  out.sharing = SpmmSharing::same_columns;
  if (!ascends) return;
  constexpr double half_width_cost = 1.12;  // measured, as own_columns_cost
  std::uint32_t widest = 0;
  double least = own_columns_cost * static_cast<double>(padded(n, own));
  for (const SpmmKernel& one : spmm_kernels()) {
    if (one.rows <= 2 || !(asks_for_kernel(options) ? &one == &own : one.needs == own.needs)) continue;
    const double share = entries_of_places(a, one.rows);
    double cost = static_cast<double>(padded(n, one)) / std::max(share, 1e-9);
    // Fewer columns at once read A more often.
    widest = std::max(widest, one.width);
    for (std::uint32_t width = one.width; width < widest; width *= 2) cost *= half_width_cost;
    if (cost >= least) continue;
    least = cost;
    out.kernel = &one;
    out.of_blocks = share == 1;
    out.sharing = out.of_blocks ? SpmmSharing::same_columns : SpmmSharing::filled;
    out.why_kernel =
        out.of_blocks
            ? "rows side by side have the same columns: one load of X serves them all"
            : "rows side by side have most columns in common: zeros fill the rest, and one load of X "
              "serves them all";
  }
}

void decide_depth(const CsrView& a, const SpmmOptions& options, SpmmDecision& out) {
  constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t second_cache = 1 << 20;  // the part of it that X gets
  constexpr double thin_blocks = 0.25;
  const std::int64_t row_bytes = out.kernel->width * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t farthest = static_cast<std::int64_t>(spmm_near_bytes) / row_bytes;  // of 16-bit offsets
  const double density = density_of(a);
  if (options.depth != 0) {
    out.depth = options.depth;
    out.why_depth = "the depth that was asked for";
  } else if (out.of_blocks && density < thin_blocks && a.cols * row_bytes <= second_cache) {
    out.depth = all;
    out.why_depth = "few blocks read X less often than sums would travel: all of K at once";
  } else if (out.sharing != SpmmSharing::filled &&
             width_for_all_of_k(a.cols, wanted_columns(options), density) != 0) {
    out.depth = all;
    out.why_depth = "all of K at once";
  } else if (static_cast<double>(a.nnz()) * static_cast<double>(farthest) <
             static_cast<double>(a.rows) * static_cast<double>(a.cols)) {
    out.depth = all;
    out.why_depth = "less than one entry a row and slice: all of K at once";
  } else if (out.sharing != SpmmSharing::filled && density < thin) {
    out.depth = farthest / 4 * 3;
    out.why_depth = "few entries a row: slices of 48 KiB of a panel";
  } else {
    out.depth = farthest / 2;
    out.why_depth = "slices of 32 KiB of a panel";
  }
}

}  // namespace

std::string why(const SpmmDecision& decision, const PackedSpmm& packed) {
  const bool all = packed.depth >= packed.cols;
  const std::string depth = !all || decision.depth == std::numeric_limits<std::int64_t>::max()
                                ? decision.why_depth
                            : decision.depth >= packed.cols
                                ? (packed.is_near() ? "all of K fits in one slice"
                                                    : "all of K at once, beyond what 16-bit offsets reach")
                            : decision.depth * packed.width() * static_cast<std::int64_t>(sizeof(float)) >
                                    static_cast<std::int64_t>(spmm_near_bytes)
                                ? "all of K at once, beyond what 16-bit offsets reach"
                                : "all of K at once, as the columns of a row do not ascend";
  return decision.why_kernel + "; " + depth;
}

SpmmDecision decide(const CsrView& a, const SpmmOptions& options) {
  SpmmDecision out;
  decide_kernel(a, options, out);
  decide_depth(a, options, out);
  return out;
}

std::optional<std::uint64_t> spmm_plan_bytes(std::int64_t rows, std::int64_t cols, std::int64_t nnz,
                                             const SpmmOptions& options) {
  const auto all_rows = static_cast<std::uint64_t>(rows), entries = static_cast<std::uint64_t>(nnz),
             k = static_cast<std::uint64_t>(std::max<std::int64_t>(cols, 1));
  // The widest panels have the shallowest slices. Of its own accord a plan cuts K for 64 columns at most.
  const std::uint64_t width = asks_for_kernel(options) ? choose_kernel(cols, 1, 1, options).width : 64;
  // Less than an entry a row and slice of the narrowest panels: all of K at once, as decide_depth() has it.
  constexpr std::uint64_t narrowest = 8;
  const std::uint64_t deepest =
      spmm_near_bytes / sizeof(float) / (asks_for_kernel(options) ? width : narrowest);
  const bool all_of_k = options.depth == 0 && static_cast<double>(nnz) * static_cast<double>(deepest) <
                                                  static_cast<double>(rows) * static_cast<double>(cols);
  const std::uint64_t slices = all_of_k             ? 1
                               : options.depth != 0 ? k / options.depth + 1
                                                    : k * width * sizeof(float) * 2 / spmm_near_bytes + 1;
  const std::uint64_t chunks =
      all_rows / static_cast<std::uint64_t>(spmm_most_rows) + entries / (1 << 15) + 1;
  // Runs: of rows with entries in a slice, and of all rows in the first and in the last. Vectors that grow hold up to
  // twice what they need, before they are copied into one stream; filled zeros come with a second packing.
  const auto of_rows = bytes_product({all_rows, slices});
  const auto runs = bytes_sum({std::min(entries, of_rows.value_or(entries)), 2 * all_rows});
  constexpr std::uint64_t of_run = 2 * (sizeof(SpmmGroup) + 2 * sizeof(std::uint32_t)), of_entry = 48;
  const std::uint64_t depth = options.depth == 0 ? k : std::min<std::uint64_t>(k, options.depth);
  return bytes_sum({bytes_product({entries, of_entry}), bytes_product({runs.value_or(UINT64_MAX), of_run}),
                    bytes_product({chunks, slices, 2 * sizeof(PackedSlice)}),
                    bytes_product({all_rows, sizeof(std::int64_t)}), bytes_product({depth, 8})});
}

std::optional<std::uint64_t> spmm_product_bytes(std::int64_t cols, const SpmmOptions& options) {
  const auto k = static_cast<std::uint64_t>(std::max<std::int64_t>(cols, 1));
  // Of its own accord a plan takes panels wider than 64 columns only where they divide X. It takes at most eight at
  // once.
  const std::uint64_t width = asks_for_kernel(options) ? choose_kernel(cols, 1, 1, options).width : 64;
  const auto n = static_cast<std::uint64_t>(wanted_columns(options));
  const std::uint64_t widest = 8 * std::max<std::uint64_t>(width, 256);
  const std::uint64_t columns = n >= widest ? widest : (n + width - 1) / width * width;
  return bytes_product({bytes_sum({k, static_cast<std::uint64_t>(spmm_most_rows)}).value_or(UINT64_MAX),
                        columns, sizeof(float)});
}

}  // namespace assay::sparse
