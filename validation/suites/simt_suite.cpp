// CUDA kernels on the CPU: the same bits for every order of the threads and any number of the CPU's, and those of a
// second, plain computation; faults of kernels, found and named.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulation/simt/matrix.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/simt/kernels.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

struct Order {
  std::string_view name;
  simt::Schedule schedule;
  std::uint64_t seed;
  int threads;
};
constexpr Order orders[] = {{"forward", simt::Schedule::forward, 1, 1},
                            {"reverse", simt::Schedule::reverse, 1, 2},
                            {"random:1", simt::Schedule::random, 1, 1},
                            {"random:2", simt::Schedule::random, 2, 3}};

simt::LaunchOptions options_of(const Order& order) {
  simt::LaunchOptions options;
  options.block.schedule = order.schedule;
  options.block.seed = order.seed;
  options.threads = order.threads;
  return options;
}

CaseResult failed(std::string why) {
  CaseResult r;
  r.status = Status::failed;
  r.reason = std::move(why);
  return r;
}

// Results as they lie in memory, the first that differs as hexadecimal digits.
template <class T>
CaseResult same_bits(const std::vector<T>& got, const std::vector<T>& want, std::string evidence) {
  CaseResult r;
  r.status = Status::passed;
  r.evidence = std::move(evidence);
  r.checked = want.size();
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (std::memcmp(&got[i], &want[i], sizeof(T)) == 0) continue;
    if (r.mismatches++ == 0) r.details.push_back(fmt::format("element {}: {}, not {}", i, got[i], want[i]));
  }
  if (r.mismatches != 0) {
    r.status = Status::failed;
    r.reason = fmt::format("{} of {} results differ", r.mismatches, r.checked);
  }
  return r;
}

struct SparsePattern {
  std::vector<std::int32_t> offsets{0}, columns{};

  std::size_t begin(std::size_t row) const { return static_cast<std::size_t>(offsets[row]); }
  std::size_t end(std::size_t row) const { return begin(row + 1); }
  std::size_t column(std::size_t entry) const { return static_cast<std::size_t>(columns[entry]); }
};
// Of sizes that fit.
std::int32_t as_int(std::size_t n) { return static_cast<std::int32_t>(n); }
// Rows of every length: empty ones, and one that is full.
SparsePattern pattern(std::size_t rows, std::size_t cols, double density, const CounterRandom& random) {
  SparsePattern p;
  for (std::size_t i = 0; i < rows; ++i) {
    const double row_density = i % 7 == 3 ? 0 : i % 11 == 5 ? 1 : density;
    for (std::size_t j = 0; j < cols; ++j) {
      if (random.uniform(i * cols + j) < row_density) p.columns.push_back(as_int(j));
    }
    p.offsets.push_back(as_int(p.columns.size()));
  }
  return p;
}

std::vector<float> floats(std::size_t n, const CounterRandom& random) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<float>(
        std::ldexp(2 * random.uniform(2 * i) - 1, static_cast<int>(random.below(20, 2 * i + 1)) - 10));
  return x;
}
// Codes of a 16-bit format.
std::vector<std::uint16_t> codes(std::size_t n, const FormatSpec& format, const CounterRandom& random) {
  std::vector<std::uint16_t> x(n);
  const std::vector<float> values = floats(n, random);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<std::uint16_t>(encode(static_cast<double>(values[i]), format).code);
  return x;
}

// --- kernels ---------------------------------------------------------------------------------------------------------

CaseResult spmm(const Order& order, std::uint64_t seed) {
  constexpr std::size_t rows = 70, cols = 150, n = 77;
  const SparsePattern p = pattern(rows, cols, 0.2, CounterRandom(seed, 1));
  const std::vector<float> values = floats(p.columns.size(), CounterRandom(seed, 2)),
                           x = floats(cols * n, CounterRandom(seed, 3)),
                           bias = floats(rows, CounterRandom(seed, 4));
  std::vector<float> y(rows * n, NAN), want(y.size());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::size_t e = p.begin(i); e < p.end(i); ++e)
        sum = std::fma(values[e], x[p.column(e) * n + j], sum);
      want[i * n + j] = std::max(sum + bias[i], 0.0F);
    }
  }
  const SpmmOperands operands{as_int(rows),  as_int(n), p.offsets.data(), p.columns.data(),
                              values.data(), x.data(),  bias.data(),      y.data()};
  const std::string why = launch_spmm(operands, options_of(order));
  return why.empty() ? same_bits(y, want, "fused multiply-adds in order, in plain C++") : failed(why);
}

// The unit's D = A B + C, block after block, each from what the one before left.
CaseResult bsr(const Order& order, std::uint64_t seed, const std::string& gpu, const std::string& unit) {
  constexpr std::size_t block_rows = 9, block_cols = 12, n = 128;
  const SparsePattern p = pattern(block_rows, block_cols, 0.4, CounterRandom(seed, 1));
  const std::vector<std::uint16_t> values = codes(p.columns.size() * 256, formats::bfloat16,
                                                  CounterRandom(seed, 2)),
                                   x = codes(block_cols * 16 * n, formats::bfloat16, CounterRandom(seed, 3));
  std::vector<float> y(block_rows * 16 * n, NAN), want(y.size(), 0.0F);
  const Arithmetic& arithmetic = arithmetics().find(unit);
  for (std::size_t r = 0; r < block_rows; ++r) {
    const MutableCodeMatrix sum{want.data() + 16 * r * n, 16, n, n, 1, formats::float32};
    for (std::size_t e = p.begin(r); e < p.end(r); ++e) {
      const CodeMatrix a{values.data() + 256 * e, 16, 16, 16, 1, formats::bfloat16},
          b{x.data() + 16 * p.column(e) * n, 16, n, n, 1, formats::bfloat16};
      arithmetic.gemm(a, b, CodeMatrix(sum), sum);
    }
  }
  simt::imitate_architecture(gpu);
  const BsrOperands operands{as_int(block_rows), as_int(n), p.offsets.data(), p.columns.data(),
                             values.data(),      x.data(),  y.data()};
  const std::string why = launch_bsr(operands, options_of(order));
  return why.empty() ? same_bits(y, want, fmt::format("the unit {}, block after block", unit)) : failed(why);
}

CaseResult wmma(const Order& order, std::uint64_t seed, const std::string& gpu, const std::string& unit) {
  constexpr std::size_t m = 48, n = 32, k = 80;
  const std::vector<std::uint16_t> a = codes(m * k, formats::float16, CounterRandom(seed, 1)),
                                   b = codes(k * n, formats::float16, CounterRandom(seed, 2));
  const std::vector<float> c = floats(m * n, CounterRandom(seed, 3));
  std::vector<float> d(c.size(), NAN), want = c;
  const Arithmetic& arithmetic = arithmetics().find(unit);
  const MutableCodeMatrix sum{want.data(), m, n, n, 1, formats::float32};
  for (std::size_t at = 0; at < k; at += 16) {
    const CodeMatrix left{a.data() + at, m, 16, k, 1, formats::float16},
        right{b.data() + at * n, 16, n, n, 1, formats::float16};
    arithmetic.gemm(left, right, CodeMatrix(sum), sum);
  }
  simt::imitate_architecture(gpu);
  const GemmOperands operands{as_int(m), as_int(n), as_int(k), a.data(), b.data(), c.data(), d.data()};
  const std::string why = launch_wmma(operands, options_of(order));
  return why.empty() ? same_bits(d, want, fmt::format("the unit {}, 16 terms after 16", unit)) : failed(why);
}

CaseResult int8(const Order& order, std::uint64_t seed) {
  constexpr std::size_t m = 32, n = 24, k = 96;
  const CounterRandom random(seed, 1);
  std::vector<std::int8_t> a(m * k), b(k * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::int8_t>(random.u32(i));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<std::int8_t>(random.u32(a.size() + i));
  std::vector<std::int32_t> d(m * n, -1), want(d.size());
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t t = 0; t < k; ++t) want[i * n + j] += a[i * k + t] * b[t * n + j];
    }
  }
  simt::imitate_architecture("sm_90");  // the cases before this one have imitated others
  const std::string why =
      launch_int8(a.data(), b.data(), as_int(m), as_int(n), as_int(k), d.data(), options_of(order));
  return why.empty() ? same_bits(d, want, "integers, in plain C++") : failed(why);
}

CaseResult row_sums(const Order& order, std::uint64_t seed) {
  constexpr std::size_t rows = 12, columns = 1000, threads = 256;
  const std::vector<float> x = floats(rows * columns, CounterRandom(seed, 1));
  std::vector<float> sums(rows, NAN), want;
  const auto add_pairs = [](std::vector<float> lanes) {  // lane l takes what lane l + distance has
    for (std::size_t distance = 16; distance > 0; distance /= 2) {
      for (std::size_t l = 0; l < distance; ++l) lanes[l] += lanes[l + distance];
    }
    return lanes[0];
  };
  for (std::size_t r = 0; r < rows; ++r) {
    std::vector<float> of_warp(32, 0.0F);
    for (std::size_t w = 0; w < threads / 32; ++w) {
      std::vector<float> lanes(32, 0.0F);
      for (std::size_t l = 0; l < 32; ++l) {
        for (std::size_t i = 32 * w + l; i < columns; i += threads) lanes[l] += x[r * columns + i];
      }
      of_warp[w] = add_pairs(lanes);
    }
    want.push_back(add_pairs(of_warp));
  }
  const std::string why =
      launch_row_sums(x.data(), as_int(rows), as_int(columns), sums.data(), options_of(order));
  return why.empty() ? same_bits(sums, want, "the same tree of additions, in plain C++") : failed(why);
}

CaseResult histogram(const Order& order, std::uint64_t seed) {
  constexpr std::size_t count = 5000, bins = 200;
  const CounterRandom random(seed, 1);
  std::vector<std::uint8_t> x(count);
  std::vector<std::int32_t> counts(bins), want(bins);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<std::uint8_t>(random.below(bins, i) * random.below(2, i + x.size()));
    ++want[x[i]];
  }
  const std::string why =
      launch_histogram(x.data(), as_int(count), as_int(bins), counts.data(), options_of(order));
  return why.empty() ? same_bits(counts, want, "integers, in plain C++") : failed(why);
}

// --- faults ----------------------------------------------------------------------------------------------------------

CaseResult found(const std::string& said, std::string_view part) {
  CaseResult r;
  r.checked = 1;
  r.evidence = "a kernel with this fault";
  r.status = said.find(part) != std::string::npos ? Status::passed : Status::failed;
  if (r.status == Status::failed) {
    r.mismatches = 1;
    r.reason = fmt::format("the fault is not named: it says \"{}\", without \"{}\"", said, part);
  }
  return r;
}

CaseResult late_copy(const Order& order) {
  std::vector<std::uint32_t> x(32), stale(32), waited(32), want(32, 7);
  for (std::uint32_t i = 0; i < 32; ++i) x[i] = 100 + i;
  const std::string why = launch_copy(x.data(), stale.data(), waited.data(), options_of(order));
  if (!why.empty()) return failed(why);
  stale.insert(stale.end(), waited.begin(), waited.end());
  want.insert(want.end(), x.begin(), x.end());
  return same_bits(stale, want, "what was there before, and what was copied");
}

}  // namespace

std::vector<Case> simt_cases(const RunContext& context) {
  std::vector<Case> cases;
  const std::string seed = std::to_string(context.seed);
  const auto add = [&](const char* member, const Order& order,
                       std::vector<std::pair<std::string, std::string>> more,
                       std::function<CaseResult(const RunContext&)> run) {
    Case c{.member = member,
           .parameters = std::move(more),
           .run = std::move(run),
           .one_thread = order.threads == 1};
    c.parameters.emplace_back("schedule", std::string(order.name));
    c.parameters.emplace_back("threads", std::to_string(order.threads));
    c.parameters.emplace_back("seed", seed);
    cases.push_back(std::move(c));
  };
  constexpr std::pair<const char*, const char*> bf16_units[] = {{"sm_80", "sm80.bf16"},
                                                                {"sm_90", "sm90.bf16"}};
  constexpr std::pair<const char*, const char*> f16_units[] = {
      {"sm_70", "sm70.f16"}, {"sm_80", "sm80.f16"}, {"sm_90", "sm90.f16"}};
  for (const Order& order : orders) {
    add("spmm/csr", order, {}, [&order](const RunContext& c) { return spmm(order, c.seed); });
    for (const auto& [gpu, unit] : bf16_units)
      add("spmm/bsr16_mma", order, {{"arch", gpu}},
          [&order, gpu = gpu, unit = unit](const RunContext& c) { return bsr(order, c.seed, gpu, unit); });
    for (const auto& [gpu, unit] : f16_units)
      add("gemm/wmma_f16", order, {{"arch", gpu}},
          [&order, gpu = gpu, unit = unit](const RunContext& c) { return wmma(order, c.seed, gpu, unit); });
    add("gemm/mma_s8", order, {}, [&order](const RunContext& c) { return int8(order, c.seed); });
    add("reduce/shuffles", order, {}, [&order](const RunContext& c) { return row_sums(order, c.seed); });
    add("histogram/atomics", order, {}, [&order](const RunContext& c) { return histogram(order, c.seed); });
    add("fault/late_copy", order, {}, [&order](const RunContext&) { return late_copy(order); });
    add("fault/divergent_barrier", order, {}, [&order](const RunContext&) {
      return found(launch_divergent_barrier(options_of(order)), "deadlock: 64 of 64 threads wait");
    });
    add("fault/mask_of_absent_lanes", order, {}, [&order](const RunContext&) {
      return found(launch_wrong_mask(options_of(order)), "16 at a barrier and 16 in a warp operation");
    });
  }
  return cases;
}

}  // namespace assay::suites
