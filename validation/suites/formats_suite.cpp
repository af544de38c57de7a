// Formats: the definition against itself, every conversion kernel and instruction against the definition.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/bf16_arithmetic.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"
#include "reference/formats/stochastic.hpp"
#include "validation/suites/float32_inputs.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {
namespace {

constexpr std::uint64_t all_floats = std::uint64_t{1} << 32;
constexpr std::size_t chunk_size = 1 << 16;

// Settings of MXCSR under which a kernel must give the same bits: default, flush and denormals-are-zero, and the three
// other rounding directions with both.
constexpr auto mxcsr_settings = std::to_array<std::uint32_t>({0x1F80, 0x9FC0, 0x3F80, 0xDFC0, 0x7F80});

// Counts over chunks that run in parallel, with the first mismatch by index: the same line for any number of threads.
class CodeTally {
 public:
  void add(std::uint64_t checked, std::uint64_t zeros) {
    checked_ += checked;
    zeros_ += zeros;
  }
  void mismatch(std::uint64_t index, const std::string& line) {
    ++mismatches_;
    const std::scoped_lock lock(mutex_);
    if (first_line_.empty() || index < first_index_) {
      first_index_ = index;
      first_line_ = line;
    }
  }
  CaseResult result(std::string evidence) const {
    CaseResult r;
    r.checked = checked_;
    r.mismatches = mismatches_;
    r.evidence = std::move(evidence);
    if (checked_ == zeros_) {
      r.status = Status::vacuous;
      r.reason = "every expected code is zero: an output of zeros would pass";
    } else if (mismatches_ == 0) {
      r.status = Status::passed;
    } else {
      r.status = Status::failed;
      r.reason = fmt::format("{} of {} codes differ", r.mismatches, r.checked);
      r.details.push_back(first_line_);
    }
    const double share =
        checked_ == 0 ? 0 : 100.0 * static_cast<double>(zeros_) / static_cast<double>(checked_);
    r.figures.push_back({"zeros would pass", share, "%"});
    return r;
  }

 private:
  std::atomic<std::uint64_t> checked_ = 0, zeros_ = 0, mismatches_ = 0;
  std::mutex mutex_;
  std::uint64_t first_index_ = 0;
  std::string first_line_;
};

std::uint64_t sample_size(const RunContext& context) {
  switch (context.scale) {
    case Scale::quick: return std::uint64_t{1} << 20;
    case Scale::standard: return std::uint64_t{1} << 24;
    case Scale::exhaustive: break;
  }
  return all_floats;
}

// With 2^32 inputs, every float; below, a stratified sample.
std::uint32_t input(std::uint64_t seed, std::uint64_t i, std::uint64_t n) {
  return n == all_floats ? static_cast<std::uint32_t>(i) : hard_float32(seed, i);
}

std::uint64_t code_at(const void* codes, std::size_t i, int bits) {
  if (bits <= 8) return static_cast<const std::uint8_t*>(codes)[i];
  if (bits <= 16) return static_cast<const std::uint16_t*>(codes)[i];
  return static_cast<const std::uint32_t*>(codes)[i];
}

std::uint64_t expected_code(const Conversion& c, const ConversionPolicy& policy, std::uint32_t bits,
                            std::uint64_t i) {
  EncodeOptions options{.rounding = c.rounding, .overflow = c.overflow};
  if (c.rounding == Rounding::stochastic) options.random = random_bits(c.seed, i, c.random_bits);
  return convert_bits32(bits, c.to, policy, options);
}

// The line that shows one element again.
std::string repro_of(const Conversion& c, std::uint32_t bits, std::uint64_t want, std::uint64_t got) {
  return fmt::format(
      "want {:#x} got {:#x}: assay round --format {} --mode {} --policy {} --overflow {} bits:{:#010x}", want,
      got, c.to.dtype, rounding_name(c.rounding), c.policy,
      c.overflow == Overflow::ieee ? "ieee" : "saturate", bits);
}

// One kernel, one conversion, n inputs, against the definition.
void check_conversion(const ConversionKernel& kernel, const Conversion& base, std::uint64_t n,
                      std::uint64_t seed, CodeTally& tally) {
  const ConversionPolicy& policy = parse_policy(base.policy);
  struct Buffers {
    std::vector<std::uint32_t> src = std::vector<std::uint32_t>(chunk_size);
    std::vector<std::uint32_t> dst = std::vector<std::uint32_t>(chunk_size);  // room for codes of any width
  };
  PerWorker buffers(0, [] { return Buffers{}; });
  const auto chunks = static_cast<std::size_t>((n + chunk_size - 1) / chunk_size);
  parallel_for(chunks, {0, Share::dynamic, 1}, [&](std::size_t chunk, std::size_t worker) {
    auto& [src, dst] = buffers[worker];
    const std::uint64_t first = std::uint64_t{chunk} * chunk_size;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_size, n - first));
    for (std::size_t i = 0; i < size; ++i) src[i] = input(seed, first + i, n);
    Conversion c = base;
    c.first_index = first;
    std::fill(dst.begin(), dst.end(), 0xA5A5A5A5);
    {
      const MxcsrGuard guard(mxcsr_settings[chunk % mxcsr_settings.size()]);
      convert_array(kernel, src.data(), dst.data(), size, c, 1);
    }
    std::uint64_t zeros = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t want = expected_code(c, policy, src[i], first + i);
      const std::uint64_t got = code_at(dst.data(), i, c.to.bits);
      zeros += want == 0 ? 1 : 0;
      if (want != got) tally.mismatch(first + i, repro_of(c, src[i], want, got));
    }
    tally.add(size, zeros);
  });
}

// Everything that the kernel offers from float32: formats, policies, roundings, both kinds of overflow. Stochastic
// rounding has cases of its own.
std::vector<Conversion> offered(const ConversionKernel& kernel) {
  std::vector<Conversion> out;
  for (const FormatSpec* to : formats::all) {
    for (const ConversionPolicy& policy : all_policies()) {
      for (const Rounding mode : deterministic_roundings) {
        if (!why_not(policy, *to, mode).empty()) continue;
        for (const Overflow overflow : {Overflow::ieee, Overflow::saturate}) {
          Conversion c;
          c.to = *to;
          c.rounding = mode;
          c.policy = policy.name;
          c.overflow = overflow;
          if (kernel.supports(c)) out.push_back(c);
        }
      }
    }
  }
  return out;
}

CaseResult skipped_kernel(std::string reason) {
  CaseResult r;
  r.status = Status::skipped;
  r.reason = std::move(reason);
  return r;
}

std::string kernel_evidence(const ConversionKernel& kernel) {
  return kernel.needs == Isa::avx512bf16 || kernel.needs == Isa::f16c
             ? fmt::format("this CPU's instruction ({})", kernel.description)
             : "the integer definition";
}

CaseResult narrowing_case(const ConversionKernel& kernel, std::uint64_t n, const RunContext& context) {
  if (std::string why = why_not(kernel); !why.empty()) return skipped_kernel(std::move(why));
  const std::vector<Conversion> conversions = offered(kernel);
  // Each conversion gets its share of the inputs in a sample, all of them in the exhaustive form.
  const std::uint64_t share = n == all_floats ? n : std::max<std::uint64_t>(n / conversions.size(), 1 << 16);
  CodeTally tally;
  for (std::size_t i = 0; i < conversions.size(); ++i) {
    context.progress(static_cast<double>(i) / static_cast<double>(conversions.size()), kernel.name);
    check_conversion(kernel, conversions[i], share, context.seed + i, tally);
  }
  CaseResult r = tally.result(kernel_evidence(kernel));
  r.figures.push_back({"conversions", static_cast<double>(conversions.size()), ""});
  return r;
}

CaseResult stochastic_case(const ConversionKernel& kernel, const FormatSpec& to, int bits, std::uint64_t n,
                           const RunContext& context) {
  if (std::string why = why_not(kernel); !why.empty()) return skipped_kernel(std::move(why));
  Conversion c;
  c.to = to;
  c.rounding = Rounding::stochastic;
  c.random_bits = bits;
  c.seed = context.seed;
  CodeTally tally;
  check_conversion(kernel, c, n, context.seed, tally);
  return tally.result("the integer definition");
}

// All codes of a 16-bit format widened to float32. NaN keeps its payload; VCVTPH2PS quiets it.
CaseResult widening_case(const ConversionKernel& kernel, const FormatSpec& from) {
  if (std::string why = why_not(kernel); !why.empty()) return skipped_kernel(std::move(why));
  Conversion c;
  c.from = from;
  c.to = formats::float32;
  std::vector<std::uint16_t> src(0x10000);
  std::vector<std::uint32_t> dst(src.size());
  for (std::size_t i = 0; i < src.size(); ++i) src[i] = static_cast<std::uint16_t>(i);
  CodeTally tally;
  for (const std::uint32_t setting : mxcsr_settings) {
    {
      const MxcsrGuard guard(setting);
      convert_array(kernel, src.data(), dst.data(), src.size(), c, 1);
    }
    for (std::size_t i = 0; i < src.size(); ++i) {
      auto want = static_cast<std::uint32_t>(convert(src[i], from, formats::float32).code);
      if (from.is_nan(src[i])) {
        const auto payload = static_cast<std::uint32_t>(src[i] & (from.min_normal_code() - 1));
        want = (from.is_negative(src[i]) ? 0xFF800000U : 0x7F800000U) | payload << (24 - from.precision);
        if (from == formats::float16) want |= 0x00400000;
      }
      if (want != dst[i])
        tally.mismatch(i, fmt::format("code {:#06x} want {:#010x} got {:#010x}", i, want, dst[i]));
    }
    tally.add(src.size(), 2);
  }
  return tally.result(kernel_evidence(kernel));
}

// Every code of the format decodes to a value that encodes to the same code in every mode; a NaN to the format's NaN.
CaseResult round_trip_case(const FormatSpec& f, std::uint64_t n, const RunContext& context) {
  const bool every = f.bits <= 19;
  const std::uint64_t codes = every ? std::uint64_t{1} << f.bits : n;
  const CounterRandom random(context.seed, 2);
  CodeTally tally;
  for (std::uint64_t i = 0; i < codes; ++i) {
    const std::uint64_t code = every ? i : random.u64(i) & (f.sign_code() | f.magnitude_mask());
    const std::uint64_t want = f.is_nan(code) ? f.nan_code() : code;
    for (const Rounding mode : deterministic_roundings) {
      const std::uint64_t got = encode(decode(code, f), f, mode).code;
      if (got != want)
        tally.mismatch(i, fmt::format("{} code {:#x} came back as {:#x}", rounding_name(mode), code, got));
    }
    tally.add(deterministic_roundings.size(), want == 0 ? deterministic_roundings.size() : 0);
  }
  return tally.result(every ? "every code" : "random codes");
}

// P(up) at eight fractions of a quantum, as a z-score each, and the lag-1 correlation of the decisions.
CaseResult statistics_case(std::uint64_t n, const RunContext& context) {
  constexpr std::array<double, 8> fractions{1.0 / 65536, 0.01, 0.125, 0.25, 0.5, 0.75, 0.9, 65535.0 / 65536};
  constexpr double limit = 5;  // of |z|: a false alarm once in a million for a fresh seed; seeds are fixed
  CaseResult r;
  r.status = Status::passed;
  r.evidence = "the binomial distribution";
  double worst = 0;
  const auto judge = [&](double z, const std::string& what) {
    worst = std::max(worst, std::fabs(z));
    ++r.checked;
    if (std::fabs(z) <= limit) return;
    ++r.mismatches;
    r.status = Status::failed;
    r.reason = "the random bits are not what rounding needs";
    r.details.push_back(fmt::format("{}: z = {:.2f}, limit {}", what, z, limit));
  };
  const double count = static_cast<double>(n);
  for (std::size_t f = 0; f < fractions.size(); ++f) {
    const auto cut = static_cast<std::uint32_t>(std::lround(fractions[f] * 65536));
    const double p = cut / 65536.0;
    const std::uint32_t bits = 0x3F800000 | cut;
    std::uint64_t ups = 0, pairs = 0;
    bool previous = false;
    for (std::uint64_t i = 0; i < n; ++i) {
      const bool up =
          encode_stochastic(exact_from_bits32(bits), formats::bfloat16, context.seed + f, i, 16).code !=
          0x3F80;
      ups += up ? 1 : 0;
      pairs += up && previous ? 1 : 0;
      previous = up;
    }
    judge((static_cast<double>(ups) - count * p) / std::sqrt(count * p * (1 - p)),
          fmt::format("P(up) at {:.6f}", p));
    const double q = p * p, pair_count = count - 1;
    // Neighbouring pairs share an element: their variance has a covariance term each side.
    const double variance = pair_count * (q * (1 - q) + 2 * (p * q - q * q));
    judge((static_cast<double>(pairs) - pair_count * q) / std::sqrt(variance),
          fmt::format("lag 1 at {:.6f}", p));
  }
  r.figures.push_back({"worst |z|", worst, ""});
  return r;
}

CaseResult arithmetic_case(std::string_view operation, std::uint64_t n, const RunContext& context) {
  const CounterRandom random(context.seed, 3);
  CodeTally tally;
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t r = random.u64(i);
    const auto a = bf16_t::from_code(static_cast<std::uint16_t>(r));
    // Every third pair lies within a few binades, so that sums cancel and quotients stay in range.
    const auto b = bf16_t::from_code(
        static_cast<std::uint16_t>(i % 3 == 0 ? (r + (r >> 16 & 0x7FF)) ^ (r >> 40 & 1) << 15 : r >> 16));
    const bool add_them = operation == "add", multiply = operation == "mul";
    const bf16_t got = add_them ? add(a, b) : multiply ? mul(a, b) : div(a, b);
    const bf16_t want = add_them   ? definition::add(a, b)
                        : multiply ? definition::mul(a, b)
                                   : definition::div(a, b);
    if (!(got == want)) {
      tally.mismatch(i, fmt::format("{}({:#06x}, {:#06x}) want {:#06x} got {:#06x}", operation, a.code,
                                    b.code, want.code, got.code));
    }
    tally.add(1, want.code == 0 ? 1 : 0);
  }
  return tally.result("exact integer arithmetic, one rounding");
}

std::string number(std::uint64_t x) { return std::to_string(x); }

}  // namespace

std::vector<Case> formats_cases(const RunContext& context) {
  const std::uint64_t n = sample_size(context);
  const std::string seed = number(context.seed);
  std::vector<Case> cases;
  for (const FormatSpec* f : formats::all) {
    cases.push_back(
        {"round_trip/" + std::string(f->dtype),
         f->bits <= 19
             ? std::vector<std::pair<std::string, std::string>>{{"codes",
                                                                 number(std::uint64_t{1} << f->bits)}}
             : std::vector<std::pair<std::string, std::string>>{{"codes", number(1 << 20)}, {"seed", seed}},
         [f](const RunContext& c) { return round_trip_case(*f, 1 << 20, c); }});
  }
  for (const ConversionKernel& kernel : conversion_kernels()) {
    const std::string name(kernel.name);
    const bool from_bf16 = name.starts_with("bf16_"), from_f16 = name.starts_with("f16_");
    if (from_bf16 || from_f16) {
      const FormatSpec& from = from_bf16 ? formats::bfloat16 : formats::float16;
      cases.push_back({"widen/" + name, {{"codes", "65536"}}, [&kernel, &from](const RunContext&) {
                         return widening_case(kernel, from);
                       }});
      continue;
    }
    cases.push_back({"convert/" + name,
                     {{"n", number(n)}, {"seed", seed}},
                     [&kernel, n](const RunContext& c) { return narrowing_case(kernel, n, c); }});
    for (const auto& [to, bits] : std::to_array<std::pair<const FormatSpec*, int>>(
             {{&formats::bfloat16, 16}, {&formats::float16, 32}, {&formats::float8_e4m3fn, 32}})) {
      Conversion c;
      c.to = *to;
      c.rounding = Rounding::stochastic;
      c.random_bits = bits;
      if (!kernel.supports(c)) continue;
      cases.push_back({"stochastic/" + name,
                       {{"bits", std::to_string(bits)}, {"n", number(n)}, {"seed", seed}},
                       [&kernel, format = to, k = bits, n](const RunContext& context_) {
                         return stochastic_case(kernel, *format, k, n, context_);
                       }});
    }
  }
  cases.push_back({"stochastic/statistics",
                   {{"n", number(1 << 20)}, {"seed", seed}},
                   [](const RunContext& c) { return statistics_case(1 << 20, c); }});
  for (const char* operation : {"add", "mul", "div"}) {
    cases.push_back({"bf16_arithmetic/" + std::string(operation),
                     {{"n", number(1 << 22)}, {"seed", seed}},
                     [operation](const RunContext& c) { return arithmetic_case(operation, 1 << 22, c); }});
  }
  return cases;
}

}  // namespace assay::suites
