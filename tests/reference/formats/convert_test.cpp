// Array conversions: every kernel against the definition, at every alignment, length, thread count and MXCSR setting.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <functional>
#include <map>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/formats/stochastic.hpp"
#include "tests/reference/formats/conversion_check.hpp"

using namespace assay;
using namespace assay::test;

namespace {

constexpr std::uint64_t seed = 20240229;

// Formats that no standard has, at the edges of what a kernel takes.
constexpr FormatSpec wide_exponent{"custom", "custom:8,2,-126,ieee", 8, 2, -126, Specials::ieee};
constexpr FormatSpec beyond_float32{"custom", "custom:7,2,100,ieee", 7, 2, 100, Specials::ieee};
constexpr FormatSpec out_of_reach{"custom", "custom:6,3,400,fn", 6, 3, 400, Specials::fn};
constexpr FormatSpec two_bits{"custom", "custom:4,2,-3,fnuz", 4, 2, -3, Specials::fnuz};
constexpr FormatSpec no_exponent{"custom", "custom:8,7,0,ieee", 8, 7, 0, Specials::ieee};

constexpr Overflow overflows[] = {Overflow::ieee, Overflow::saturate};

// MXCSR: the default; flushing both ways; each other rounding; flushing with every exception unmasked.
constexpr std::uint32_t mxcsr_settings[] = {0x1F80, 0x9FC0, 0x3F80, 0x5F80, 0x7F80, 0x8040};

std::vector<std::uint32_t> patterns_for(const FormatSpec& to, std::size_t total) {
  std::vector<std::uint32_t> patterns = rounding_points(to);
  const std::vector<std::uint32_t> more = stratified(total - std::min(total, patterns.size()), seed);
  patterns.insert(patterns.end(), more.begin(), more.end());
  return patterns;
}

// What every kernel that runs here gave for the patterns. All are asked at once, for the definition is what takes time.
template <const FormatSpec& to>
const std::map<const ConversionKernel*, Differences>& differences(std::size_t total) {
  static const auto found = [total] {
    const std::vector<std::uint32_t> patterns = patterns_for(to, total);
    const std::vector<Conversion> conversions = conversions_to(to, deterministic_roundings, overflows);
    const std::vector<const ConversionKernel*> kernels = kernels_to(to);
    std::map<const ConversionKernel*, Differences> all;
    for (std::size_t i = 0; i < patterns.size(); i += 4096) {
      const std::size_t n = std::min<std::size_t>(4096, patterns.size() - i);
      check_each<to>(kernels, conversions, std::span(patterns).subspan(i, n),
                     [&](const ConversionKernel& kernel, const Differences& d) { all[&kernel].add(d); });
    }
    return all;
  }();
  return found;
}

template <const FormatSpec& to>
void against_the_definition(const ConversionKernel& kernel, std::size_t total) {
  const Differences& all = differences<to>(total).at(&kernel);
  BOOST_TEST(all.count == 0U, all);
}

// The check above derives policies from one evaluation of the definition; here convert_bits32() is asked for each
// element.
template <const FormatSpec& to>
void against_convert_bits32(const ConversionKernel& kernel) {
  const std::vector<std::uint32_t> patterns = stratified(1 << 14, seed + 1);
  std::vector<Code<to>> got(patterns.size()), expected(patterns.size());
  Differences all;
  for (const Conversion& c : conversions_to(to, deterministic_roundings, overflows)) {
    if (!kernel.supports(c)) continue;
    const EncodeOptions options{.rounding = c.rounding, .overflow = c.overflow};
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      expected[i] = static_cast<Code<to>>(convert_bits32(patterns[i], to, parse_policy(c.policy), options));
    }
    convert_array(kernel, patterns.data(), got.data(), patterns.size(), c, 1);
    all.add(compare<Code<to>>(patterns, got.data(), expected.data(), describe(c)));
  }
  BOOST_TEST(all.count == 0U, all);
}

// Every length up to 70 and every misalignment up to a vector's, under every MXCSR setting; the bytes around the
// destination stay as they were.
template <const FormatSpec& to>
void at_the_edges(const ConversionKernel& kernel) {
  using C = Code<to>;
  const std::vector<std::uint32_t> patterns = stratified(1 << 12, seed + 2);
  std::vector<unsigned char> source(4 * 80 + 64), target(sizeof(C) * 80 + 128);
  std::uint64_t wrong = 0, touched = 0, mxcsr_changed = 0;
  for (const Conversion& c : conversions_to(to, deterministic_roundings, overflows)) {
    if (!kernel.supports(c)) continue;
    for (std::size_t n = 0; n <= 70; ++n) {
      const std::size_t skew = n * 7 + static_cast<std::size_t>(c.rounding);
      const std::size_t from = skew % 64, first = 7 * skew % (patterns.size() - n);
      const std::size_t to_offset = 32 + skew * 5 % 33;
      std::memcpy(source.data() + from, patterns.data() + first, 4 * n);
      std::fill(target.begin(), target.end(), static_cast<unsigned char>(0xA5));
      {
        const std::uint32_t setting = mxcsr_settings[skew % std::size(mxcsr_settings)];
        const MxcsrGuard guard(setting);
        convert_array(kernel, source.data() + from, target.data() + to_offset, n, c, 1);
        if ((mxcsr() & 0xFFC0) != (setting & 0xFFC0)) ++mxcsr_changed;
      }
      for (std::size_t i = 0; i < n; ++i) {
        C code;
        std::memcpy(&code, target.data() + to_offset + sizeof code * i, sizeof code);
        const EncodeOptions options{.rounding = c.rounding, .overflow = c.overflow};
        if (code != convert_bits32(patterns[first + i], to, parse_policy(c.policy), options)) ++wrong;
      }
      for (std::size_t i = 0; i < target.size(); ++i) {
        if ((i < to_offset || i >= to_offset + sizeof(C) * n) && target[i] != 0xA5) ++touched;
      }
    }
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(touched == 0U);
  BOOST_TEST(mxcsr_changed == 0U);
}

// A large array is written around the caches, by whole lines from an address that may start within one.
template <const FormatSpec& to>
void around_the_caches(const ConversionKernel& kernel) {
  using C = Code<to>;
  const std::size_t n = non_temporal_bytes / sizeof(C) + 77;
  const std::vector<std::uint32_t> block = stratified(1 << 13, seed + 3);
  std::vector<std::uint32_t> patterns(n);
  for (std::size_t i = 0; i < n; ++i) patterns[i] = block[i % block.size()];
  std::vector<C> expected(block.size());
  std::vector<unsigned char> got((n + 1) * sizeof(C) + 64);
  for (const Rounding mode : {Rounding::nearest_even, Rounding::toward_positive}) {
    for (const std::string_view policy : {"format", "intel"}) {
      const Conversion c{.to = to, .rounding = mode, .policy = policy};
      if (!why_not(parse_policy(policy), to, mode).empty() || !kernel.supports(c)) continue;
      define<to>(mode, block, expected.data());
      apply<to>(c, block, expected.data());
      for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, 6 * sizeof(C)}) {
        convert_array(kernel, patterns.data(), got.data() + offset, n, c, 1);
        std::uint64_t wrong = 0;
        for (std::size_t i = 0; i < n; i += block.size()) {
          const std::size_t bytes = std::min(block.size(), n - i) * sizeof(C);
          if (std::memcmp(got.data() + offset + i * sizeof(C), expected.data(), bytes) != 0) ++wrong;
        }
        BOOST_TEST(wrong == 0U, wrong << " wrong stretches at offset " << offset << ", " << describe(c));
      }
    }
  }
}

// ---- stochastic rounding

template <const FormatSpec& to>
Differences stochastic_differences(const ConversionKernel& kernel, std::span<const std::uint32_t> bits,
                                   Conversion c, int threads) {
  c.to = to;
  c.rounding = Rounding::stochastic;
  if (!kernel.supports(c)) return {};
  const int k = c.random_bits != 0 ? c.random_bits : to == formats::bfloat16 ? 16 : 32;
  std::vector<Code<to>> got(bits.size()), expected(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    expected[i] = static_cast<Code<to>>(encode_stochastic(exact_from_bits32(bits[i]), to, c.seed,
                                                          c.first_index + i, k, {.overflow = c.overflow})
                                            .code);
  }
  convert_array(kernel, bits.data(), got.data(), bits.size(), c, threads);
  return compare<Code<to>>(bits, got.data(), expected.data(),
                           std::string(kernel.name) + " to " + describe(c) + " bits=" + std::to_string(k) +
                               " seed=" + std::to_string(c.seed) + " first=" + std::to_string(c.first_index) +
                               " threads=" + std::to_string(threads));
}

// Values across the format's range and well below it, where more bits are cut than there are random ones.
std::vector<std::uint32_t> stochastic_patterns(const FormatSpec& to, std::size_t n, std::uint64_t stream) {
  const CounterRandom random(seed, stream);
  std::vector<std::uint32_t> patterns = stratified(n, seed + stream);
  for (std::size_t i = 0; i < n; i += 2) {
    const int low = std::max(to.emin - to.precision - 40, -126), high = std::min(to.emax() + 1, 127);
    if (low > high) break;
    const auto exponent =
        static_cast<std::uint32_t>(low + 127) +
        static_cast<std::uint32_t>(random.below(static_cast<std::uint64_t>(high - low + 1), i));
    patterns[i] = (random.u32(i + 1) & 0x807FFFFF) | exponent << 23;
  }
  return patterns;
}

template <const FormatSpec& to>
void stochastic(const ConversionKernel& kernel) {
  constexpr std::uint64_t seeds[] = {0, 1, 0x123456789ABCDEF0};
  constexpr std::uint64_t starts[] = {0,
                                      1,
                                      15,
                                      16,
                                      31,
                                      33,
                                      (std::uint64_t{1} << 32) - 70,  // a key changes on the way
                                      (std::uint64_t{1} << 33) - 70,
                                      (std::uint64_t{1} << 40) + 5};
  Differences all;
  for (int k = 0; k <= 32; ++k) {
    for (const std::uint64_t s : seeds) {
      for (const std::uint64_t start : starts) {
        const std::vector<std::uint32_t> bits =
            stochastic_patterns(to, 150 + static_cast<std::size_t>(k), start % 1000);
        Conversion c{.overflow = start % 2 == 0 ? Overflow::ieee : Overflow::saturate,
                     .random_bits = k,
                     .seed = s,
                     .first_index = start};
        all.add(stochastic_differences<to>(kernel, bits, c, 1));
      }
    }
  }
  const std::vector<std::uint32_t> bits = stochastic_patterns(to, 60000, 7);
  for (const int k : {8, 16, 32}) {
    for (const int threads : {1, 2, 3, 8}) {
      all.add(
          stochastic_differences<to>(kernel, bits, {.random_bits = k, .seed = 5, .first_index = 9}, threads));
    }
  }
  BOOST_TEST(all.count == 0U, all);
}

// ---- widening

template <const FormatSpec& from>
void widening(const ConversionKernel& kernel) {
  const Conversion c{.from = from, .to = formats::float32};
  std::vector<std::uint16_t> codes(65536);
  std::vector<std::uint32_t> expected(codes.size());
  for (std::uint32_t code = 0; code < 65536; ++code) {
    codes[code] = static_cast<std::uint16_t>(code);
    expected[code] = static_cast<std::uint32_t>(convert(code, from, formats::float32).code);
    if (!from.is_nan(code)) continue;
    // Payload and sign move up; the widening of fp16 is an operation and quiets, that of bf16 is not.
    const std::uint32_t payload = (code & 0x7FFF) << (24 - from.precision);
    expected[code] = (code & 0x8000) << 16 | 0x7F800000 | payload | (from == formats::float16 ? 0x400000 : 0);
  }
  for (const std::uint32_t setting : mxcsr_settings) {
    std::vector<std::uint32_t> got(codes.size());
    {
      const MxcsrGuard guard(setting);
      convert_array(kernel, codes.data(), got.data(), codes.size(), c, 1);
    }
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) wrong += got[i] != expected[i] ? 1 : 0;
    BOOST_TEST(wrong == 0U, wrong << " of 65536 codes differ under MXCSR 0x" << std::hex << setting);
  }
  // Lengths and alignments.
  std::uint64_t wrong = 0, touched = 0;
  for (std::size_t n = 0; n <= 70; ++n) {
    std::vector<unsigned char> source(2 * 70 + 64), target(4 * 70 + 128, static_cast<unsigned char>(0xA5));
    const std::size_t offset = 32 + n * 5 % 33, first = n * 911;
    std::memcpy(source.data() + n % 64, codes.data() + first, 2 * n);
    convert_array(kernel, source.data() + n % 64, target.data() + offset, n, c, 1);
    if (std::memcmp(target.data() + offset, expected.data() + first, 4 * n) != 0) ++wrong;
    for (std::size_t i = 0; i < target.size(); ++i) {
      if ((i < offset || i >= offset + 4 * n) && target[i] != 0xA5) ++touched;
    }
  }
  BOOST_TEST(wrong == 0U);
  BOOST_TEST(touched == 0U);
  // Around the caches.
  const std::size_t n = non_temporal_bytes / 4 + 77;
  std::vector<std::uint16_t> large(n);
  for (std::size_t i = 0; i < n; ++i) large[i] = static_cast<std::uint16_t>(i);
  std::vector<std::uint32_t> got(n + 3);
  convert_array(kernel, large.data(), got.data() + 3, n, c, 1);
  for (std::size_t i = 0; i < n; ++i) wrong += got[i + 3] != expected[i % 65536] ? 1 : 0;
  BOOST_TEST(wrong == 0U);
}

// ---- what the array functions promise

void same_bits_for_any_number_of_threads() {
  constexpr std::size_t n = (1 << 18) + 4099;
  const std::vector<std::uint32_t> bits = stratified(n, seed + 4);
  const auto threads_agree = [&]<const FormatSpec & to>(Rounding mode) {
    const Conversion c{.to = to, .rounding = mode, .seed = 3, .first_index = 11};
    std::vector<Code<to>> one(n), many(n);
    convert_array(bits.data(), one.data(), n, c, 1);
    for (const int threads : {0, 2, 3, 7}) {
      std::fill(many.begin(), many.end(), Code<to>{});
      convert_array(bits.data(), many.data(), n, c, threads);
      BOOST_TEST((one == many), threads << " threads, " << describe(c));
    }
  };
  for (const Rounding mode : {Rounding::nearest_even, Rounding::stochastic}) {
    threads_agree.template operator()<formats::bfloat16>(mode);
    threads_agree.template operator()<formats::float16>(mode);
    threads_agree.template operator()<formats::float8_e4m3fn>(mode);
  }
}

// Rounded in pieces with their indices, or whole: the same codes.
void pieces_equal_the_whole() {
  constexpr std::size_t n = 1000;
  const std::vector<std::uint32_t> bits = stochastic_patterns(formats::bfloat16, n, 8);
  for (const int k : {7, 16, 24}) {
    Conversion c{.rounding = Rounding::stochastic, .random_bits = k, .seed = 77, .first_index = 5};
    std::vector<std::uint16_t> whole(n), pieces(n);
    convert_array(bits.data(), whole.data(), n, c);
    for (std::size_t i = 0, length = 1; i < n; i += length, length = length * 3 % 101 + 1) {
      length = std::min(length, n - i);
      c.first_index = 5 + i;
      convert_array(bits.data() + i, pieces.data() + i, length, c);
    }
    BOOST_TEST((whole == pieces), "k = " << k);
  }
}

void misuse_is_refused() {
  std::vector<float> x(8);
  std::vector<bf16_t> y(7);
  BOOST_CHECK_THROW(convert_array(std::span<const float>(x), std::span(y)), ContractError);
  y.resize(8);
  BOOST_CHECK_NO_THROW(convert_array(std::span<const float>(x), std::span(y)));
  BOOST_CHECK_THROW(convert_array(nullptr, y.data(), 8, {}), ContractError);
  BOOST_CHECK_THROW(convert_array(x.data(), nullptr, 8, {}), ContractError);
  BOOST_CHECK_NO_THROW(convert_array(nullptr, nullptr, 0, {}));
  BOOST_CHECK_THROW(
      convert_array(x.data(), y.data(), 8, {.rounding = Rounding::stochastic, .random_bits = 33}),
      ContractError);
  BOOST_CHECK_THROW(convert_array(x.data(), y.data(), 8, {.rounding = Rounding::to_odd, .policy = "intel"}),
                    ContractError);
  BOOST_CHECK_THROW(best_kernel({.to = formats::tf32}), Unavailable);
  BOOST_CHECK_THROW(convert_array(x.data(), y.data(), 2, {.from = formats::float64, .policy = "intel"}),
                    ContractError);
  BOOST_CHECK_THROW(convert_array(conversion_kernels().named("f32_f8_scalar"), x.data(), y.data(), 8, {}),
                    ContractError);
}

void best_kernel_is_the_first_that_can() {
  for (const ConversionKernel& kernel : conversion_kernels()) {
    for (const FormatSpec* to : formats::all) {
      const Conversion c{.to = *to, .policy = "format"};
      if (!kernel.supports(c) || !runs_here(kernel)) continue;
      const ConversionKernel& best = best_kernel(c);
      BOOST_TEST((&best <= &kernel), best.name << " is listed after " << kernel.name);
      BOOST_TEST(best.supports(c));
    }
  }
}

// Pairs without a kernel go element by element; an array converted in two pieces is the array.
void without_a_kernel_the_definition_converts() {
  constexpr std::size_t n = 1000;
  const CounterRandom random(41);
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = random.normal(i);
  for (const Rounding rounding : {Rounding::nearest_even, Rounding::toward_zero, Rounding::stochastic}) {
    for (const FormatSpec* to : {&formats::tf32, &formats::float16, &formats::float8_e4m3fn}) {
      const std::size_t bytes = code_bytes(*to);
      Conversion c{.from = formats::float64, .to = *to, .rounding = rounding, .seed = 7};
      std::vector<unsigned char> whole(n * bytes), pieces(n * bytes);
      convert_array(x.data(), whole.data(), n, c);
      convert_array(x.data(), pieces.data(), 300, c);
      c.first_index = 300;
      convert_array(x.data() + 300, pieces.data() + 300 * bytes, n - 300, c, 2);
      BOOST_TEST((whole == pieces), rounding_name(rounding) << ' ' << to->dtype);
      for (std::size_t i = 0; i < n; ++i) {
        EncodeOptions options{.rounding = rounding};
        if (rounding == Rounding::stochastic) options.random = random_bits(7, i, 32);
        std::uint64_t code = 0;
        std::memcpy(&code, whole.data() + i * bytes, bytes);
        BOOST_TEST(code == encode(x[i], *to, options).code);
      }
    }
  }
}

// ---- wrong kernels, which the checks above must tell from right ones

namespace mutants {

std::uint32_t load(const void* src, std::size_t i) {
  std::uint32_t x;
  std::memcpy(&x, static_cast<const unsigned char*>(src) + 4 * i, 4);
  return x;
}

// float32 to bfloat16 with one step replaced by `Wrong`; without a fault it is a correct kernel.
enum class Fault {
  none,
  ties_away,
  no_nan_test,
  no_flush,
  carry_lost,
  infinity_from_low_payload,
  saturates_nothing
};

template <Fault fault>
void bf16(const void* src, void* dst, std::size_t n, const ConvertParams& p) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    std::uint32_t x = load(src, i), code = 0;
    const std::uint32_t sign = x >> 31, low = x & 0xFFFF;
    if ((x & 0x7F800000) == 0 && p.flush_subnormal_inputs && fault != Fault::no_flush) x &= 0x80000000;
    if ((x & 0x7FFFFFFF) > 0x7F800000 && fault != Fault::no_nan_test) {
      code = ((x >> 16) & p.nan_keep) |
             (fault == Fault::infinity_from_low_payload ? p.nan_set & ~0x40U : p.nan_set);
    } else {
      std::uint32_t add = 0;
      switch (p.rounding) {
        case Rounding::nearest_even: add = fault == Fault::ties_away ? 0x8000 : 0x7FFF + (x >> 16 & 1); break;
        case Rounding::nearest_away: add = 0x8000; break;
        case Rounding::toward_positive: add = sign != 0 ? 0 : 0xFFFF; break;
        case Rounding::toward_negative: add = sign != 0 ? 0xFFFF : 0; break;
        default: break;
      }
      code = (x + add) >> 16;
      if (fault == Fault::carry_lost) code = (code & 0x7F) | (x >> 16 & 0xFF80);
      if (p.rounding == Rounding::to_odd && low != 0) code |= 1;
      if (p.saturate && fault != Fault::saturates_nothing && (code & 0x7FFF) == 0x7F80) code -= 1;
    }
    const auto out = static_cast<std::uint16_t>(code);
    std::memcpy(static_cast<unsigned char*>(dst) + 2 * i, &out, 2);
  }
}

// Stochastic rounding to bfloat16; `half` moves an element to the other half of its word.
template <unsigned half>
void stochastic_bf16(const void* src, void* dst, std::size_t n, const ConvertParams& p) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t x = load(src, i);
    const std::uint64_t index = p.first_index + i;
    const std::uint32_t word = stochastic_word({p.key_before, p.key_between},
                                               static_cast<std::uint32_t>((index >> 5 << 4) + (index & 15)));
    const std::uint32_t r = ((index >> 4 & 1) ^ half) != 0 ? word >> 16 : word & 0xFFFF;
    const auto code = static_cast<std::uint16_t>((x & 0x7FFFFFFF) > 0x7F800000 ? p.nan_set : (x + r) >> 16);
    std::memcpy(static_cast<unsigned char*>(dst) + 2 * i, &code, 2);
  }
}

bool deterministic(const Conversion& c) {
  return c.to == formats::bfloat16 && c.rounding != Rounding::stochastic;
}
bool sixteen_bits(const Conversion& c) {
  return c.rounding == Rounding::stochastic && c.overflow == Overflow::ieee;
}

// The number of differences of each. All are asked at once, for the definition is what takes time.
std::vector<std::uint64_t> tested(const std::vector<ConvertFn*>& runs) {
  std::vector<ConversionKernel> kernels;
  std::vector<const ConversionKernel*> asked;
  for (ConvertFn* const run : runs) kernels.push_back({{"mutant"}, &deterministic, run});
  for (const ConversionKernel& kernel : kernels) asked.push_back(&kernel);
  std::vector<std::uint64_t> counts(runs.size());
  check_each<formats::bfloat16>(asked, conversions_to(formats::bfloat16, deterministic_roundings, overflows),
                                patterns_for(formats::bfloat16, 1 << 20),
                                [&](const ConversionKernel& kernel, const Differences& d) {
                                  counts[static_cast<std::size_t>(&kernel - kernels.data())] += d.count;
                                });
  return counts;
}

Differences tested_stochastic(ConvertFn* run) {
  const ConversionKernel kernel{{"mutant"}, &sixteen_bits, run};
  return stochastic_differences<formats::bfloat16>(kernel, stochastic_patterns(formats::bfloat16, 1000, 1),
                                                   {}, 1);
}

}  // namespace mutants

void wrong_kernels_are_found() {
  using mutants::Fault;
  const std::vector<std::uint64_t> counts = mutants::tested(
      {&mutants::bf16<Fault::none>, &mutants::bf16<Fault::ties_away>, &mutants::bf16<Fault::no_nan_test>,
       &mutants::bf16<Fault::no_flush>, &mutants::bf16<Fault::carry_lost>,
       &mutants::bf16<Fault::infinity_from_low_payload>, &mutants::bf16<Fault::saturates_nothing>});
  BOOST_TEST(counts[0] == 0U);
  for (std::size_t i = 1; i < counts.size(); ++i) BOOST_TEST(counts[i] != 0U, "fault " << i);
  BOOST_TEST(mutants::tested_stochastic(&mutants::stochastic_bf16<0>).count == 0U);
  BOOST_TEST(mutants::tested_stochastic(&mutants::stochastic_bf16<1>).count != 0U);
}

// ---- the list of cases

using boost::unit_test::test_case;

void add(const std::string& name, const std::function<void()>& body, Isa needs = Isa::scalar) {
  test_case* test = boost::unit_test::make_test_case(body, name, __FILE__, __LINE__);
  if (!cpu_has(needs)) {
    test->add_precondition([needs](boost::unit_test::test_unit_id) {
      boost::test_tools::assertion_result can(false);
      can.message() << why_unavailable(needs);
      return can;
    });
  }
  boost::unit_test::framework::master_test_suite().add(test);
}

template <const FormatSpec& to>
void add_narrowing(std::size_t patterns) {
  for (const ConversionKernel& kernel : conversion_kernels()) {
    const std::vector<Conversion> asked = conversions_to(to, all_roundings, overflows);
    if (std::none_of(asked.begin(), asked.end(), kernel.supports)) continue;
    const std::string name = "convert/" + std::string(kernel.name) + " to=" + std::string(to.short_name);
    add(
        name, [&kernel, patterns] { against_the_definition<to>(kernel, patterns); }, kernel.needs);
    add(
        name + " one by one", [&kernel] { against_convert_bits32<to>(kernel); }, kernel.needs);
    add(
        name + " edges", [&kernel] { at_the_edges<to>(kernel); }, kernel.needs);
    const bool rounds_stochastically = std::any_of(asked.begin(), asked.end(), [&](const Conversion& c) {
      return c.rounding == Rounding::stochastic && kernel.supports(c);
    });
    if (rounds_stochastically)
      add(
          name + " stochastic", [&kernel] { stochastic<to>(kernel); }, kernel.needs);
  }
}

template <const FormatSpec& to>
void add_large() {
  for (const ConversionKernel& kernel : conversion_kernels()) {
    const bool supports = kernel.supports({.to = to}) || kernel.supports({.to = to, .policy = "intel"});
    if (!supports) continue;
    add(
        "convert/" + std::string(kernel.name) + " to=" + std::string(to.short_name) + " large",
        [&kernel] { around_the_caches<to>(kernel); }, kernel.needs);
  }
}

template <const FormatSpec& from>
void add_widening() {
  for (const ConversionKernel& kernel : conversion_kernels()) {
    if (!kernel.supports({.from = from, .to = formats::float32})) continue;
    add(
        "convert/" + std::string(kernel.name), [&kernel] { widening<from>(kernel); }, kernel.needs);
  }
}

bool make_tests() {
  add_narrowing<formats::bfloat16>(1 << 22);
  add_narrowing<formats::float16>(1 << 22);
  add_narrowing<formats::float8_e5m2>(1 << 19);
  add_narrowing<formats::float8_e4m3fn>(1 << 19);
  add_narrowing<formats::float8_e5m2fnuz>(1 << 19);
  add_narrowing<formats::float8_e4m3fnuz>(1 << 19);
  add_narrowing<formats::float6_e3m2fn>(1 << 19);
  add_narrowing<formats::float6_e2m3fn>(1 << 19);
  add_narrowing<formats::float4_e2m1fn>(1 << 19);
  add_narrowing<wide_exponent>(1 << 17);
  add_narrowing<beyond_float32>(1 << 17);
  add_narrowing<out_of_reach>(1 << 17);
  add_narrowing<two_bits>(1 << 17);
  add_narrowing<no_exponent>(1 << 17);
  add_large<formats::bfloat16>();
  add_large<formats::float16>();
  add_large<formats::float8_e4m3fn>();
  add_widening<formats::bfloat16>();
  add_widening<formats::float16>();
  add("convert/threads", &same_bits_for_any_number_of_threads);
  add("convert/pieces", &pieces_equal_the_whole);
  add("convert/misuse", &misuse_is_refused);
  add("convert/best kernel", &best_kernel_is_the_first_that_can);
  add("convert/without a kernel", &without_a_kernel_the_definition_converts);
  add("convert/mutants", &wrong_kernels_are_found);
  return true;
}

[[maybe_unused]] const bool made = make_tests();

}  // namespace
