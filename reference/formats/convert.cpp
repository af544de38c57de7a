#include "reference/formats/convert.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "reference/core/parallel.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/stochastic.hpp"

namespace assay {
namespace {

std::uint32_t low32(std::uint64_t code) { return static_cast<std::uint32_t>(code); }

// What a kernel may ask of a conversion, named in conversions.def.

bool narrows(const Conversion& c, const FormatSpec& to) { return c.from == formats::float32 && c.to == to; }
bool flushes(const Conversion& c) { return parse_policy(c.policy).flush_subnormal_inputs; }

// The kernels flush on the way to bfloat16, in deterministic rounding; no policy does it elsewhere.
bool any_bf16(const Conversion& c) {
  return narrows(c, formats::bfloat16) && (c.rounding != Rounding::stochastic || !flushes(c));
}
bool any_f16(const Conversion& c) { return narrows(c, formats::float16) && !flushes(c); }
bool any_f8(const Conversion& c) {
  return c.from == formats::float32 && c.to.bits <= 8 && c.to.emin >= formats::float32.emin &&
         why_unsound(c.to).empty() && !flushes(c);
}

bool instruction_bf16(const Conversion& c) {
  if (!any_bf16(c) || c.rounding != Rounding::nearest_even || c.overflow != Overflow::ieee) return false;
  const ConversionPolicy& policy = parse_policy(c.policy);
  return policy.nan == NanRule::quiet_payload && policy.flush_subnormal_inputs;
}

// The instruction quiets a NaN and keeps its sign and payload, from which every other rule follows but `truncated`.
bool instruction_f16(const Conversion& c) {
  const bool immediate = c.rounding == Rounding::nearest_even || c.rounding == Rounding::toward_zero ||
                         c.rounding == Rounding::toward_positive || c.rounding == Rounding::toward_negative;
  if (!any_f16(c) || !immediate || c.overflow != Overflow::ieee) return false;
  const ConversionPolicy& policy = parse_policy(c.policy);
  return policy.nan != NanRule::truncated && !policy.flush_subnormal_inputs;
}

// Widening is exact: no rounding, overflow or policy plays a part.
bool widen_bf16(const Conversion& c) { return c.from == formats::bfloat16 && c.to == formats::float32; }
bool widen_f16(const Conversion& c) { return c.from == formats::float16 && c.to == formats::float32; }

constexpr auto kernels_of_def = std::to_array<ConversionKernel>({
#define CONVERSION(name, needs, supports, description) \
  {{#name, Isa::needs, description}, &supports, &kernels::name},
#include "reference/formats/conversions.def"
#undef CONVERSION
});
constexpr KernelTable<ConversionKernel> table{"conversion", kernels_of_def};

// One call of the kernel, or one for each range of indices that has a key of its own.
void run_range(const ConversionKernel& kernel, const Conversion& c, const unsigned char* src,
               unsigned char* dst, std::size_t n, ConvertParams params) {
  if (params.rounding != Rounding::stochastic) {
    kernel.run(src, dst, n, params);
    return;
  }
  const int shift =
      params.random_bits <= 16 ? 33 : 32;  // see random_bits(): a word serves two elements up to 16 bits
  while (n > 0) {
    const std::uint64_t left =
        (std::uint64_t{1} << shift) - (params.first_index & ((std::uint64_t{1} << shift) - 1));
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(n, left));
    const StochasticKey key = stochastic_key(c.seed, low32(params.first_index >> shift));
    params.key_before = key.before;
    params.key_between = key.between;
    kernel.run(src, dst, piece, params);
    src += piece * code_bytes(c.from);
    dst += piece * code_bytes(c.to);
    n -= piece;
    params.first_index += piece;
  }
}

// The best kernel for it; null where the definition has to do.
const ConversionKernel* find_kernel(const Conversion& c) {
  return table.find([&](const ConversionKernel& k) { return k.supports(c); });
}

// Pairs of formats without a kernel: the definition, element by element.
void convert_by_definition(const unsigned char* src, unsigned char* dst, std::size_t n, const Conversion& c,
                           const ConvertParams& params, int threads) {
  const ConversionPolicy& policy = parse_policy(c.policy);
  const std::size_t from_bytes = code_bytes(c.from), to_bytes = code_bytes(c.to);
  parallel_for(n, threads, [&](std::size_t i) {
    EncodeOptions options{.rounding = c.rounding, .overflow = c.overflow};
    if (c.rounding == Rounding::stochastic)
      options.random = random_bits(c.seed, params.first_index + i, static_cast<int>(params.random_bits));
    std::uint64_t code = 0;  // little-endian, as this machine
    std::memcpy(&code, src + i * from_bytes, from_bytes);
    code = policy.name == "format" ? convert(code, c.from, c.to, options).code
                                   : convert_bits32(static_cast<std::uint32_t>(code), c.to, policy, options);
    std::memcpy(dst + i * to_bytes, &code, to_bytes);
  });
}

}  // namespace

const KernelTable<ConversionKernel>& conversion_kernels() { return table; }

ConvertParams convert_params(const Conversion& c) {
  const ConversionPolicy& policy = parse_policy(c.policy);
  if (const std::string why = why_not(policy, c.to, c.rounding); !why.empty()) {
    throw ContractError("conversion to " + std::string(c.to.dtype) + ": policy " + why);
  }
  if (c.random_bits < 0 || c.random_bits > 32) {
    throw ContractError("conversion: " + std::to_string(c.random_bits) + " random bits, not 0 to 32");
  }
  const FormatSpec& to = c.to;
  const NanCode nan = nan_code(policy.nan, to);
  ConvertParams p{};
  p.rounding = c.rounding;
  p.flush_subnormal_inputs = policy.flush_subnormal_inputs;
  p.saturate = c.overflow == Overflow::saturate || to.specials == Specials::finite;
  p.nan_keep = nan.keep;
  p.nan_set = nan.set;
  p.precision = to.precision;
  p.emin = to.emin;
  p.sign_code = low32(to.sign_code());
  p.max_finite_code = low32(to.max_finite_code());
  p.max_finite_bits32 =
      low32(convert(to.max_finite_code(), to, formats::float32, {.rounding = Rounding::toward_zero}).code);
  p.overflow_code = low32(to.has_infinity() ? to.infinity_code() : to.nan_code());
  p.overflow_code_signed = to.has_infinity() || policy.overflow_nan_signed;
  p.one_zero = to.specials == Specials::fnuz;
  if (c.rounding == Rounding::stochastic) {
    p.random_bits = c.random_bits != 0 ? c.random_bits : to == formats::bfloat16 ? 16 : 32;
    p.first_index = c.first_index;
  }
  return p;
}

const ConversionKernel& best_kernel(const Conversion& c) {
  if (const ConversionKernel* const kernel = find_kernel(c)) return *kernel;
  throw Unavailable("no kernel converts arrays of " + std::string(c.from.dtype) + " to " +
                    std::string(c.to.dtype));
}

void convert_array(const void* src, void* dst, std::size_t n, const Conversion& c, int threads) {
  const ConvertParams params = convert_params(c);  // refuses what the policy does not have
  if (const ConversionKernel* const kernel = find_kernel(c))
    return convert_array(*kernel, src, dst, n, c, threads);
  if (c.policy != "format" && c.from != formats::float32) {
    throw ContractError("policy " + std::string(c.policy) + " converts float32, not " +
                        std::string(c.from.dtype));
  }
  convert_by_definition(static_cast<const unsigned char*>(src), static_cast<unsigned char*>(dst), n, c,
                        params, threads);
}

void convert_array(const ConversionKernel& kernel, const void* src, void* dst, std::size_t n,
                   const Conversion& c, int threads) {
  if (!kernel.supports(c)) {
    throw ContractError("convert_array: " + std::string(kernel.name) + " does not convert " +
                        std::string(c.from.dtype) + " to " + std::string(c.to.dtype) + " as asked");
  }
  require_cpu(kernel);
  ConvertParams params = convert_params(c);
  if (n == 0) return;
  if (src == nullptr || dst == nullptr) {
    throw ContractError("convert_array: a null array of " + std::to_string(n) + " elements");
  }
  params.non_temporal = n * code_bytes(c.to) >= non_temporal_bytes;

  const auto* from = static_cast<const unsigned char*>(src);
  auto* to = static_cast<unsigned char*>(dst);
  if (threads <= 0) threads = n >= std::size_t{1} << 18 ? default_threads() : 1;
  // Chunks of whole pages of either array, so that no cache line of the destination has two writers.
  constexpr std::size_t grain = 4096;
  const std::size_t chunk = (n / static_cast<std::size_t>(threads) / grain + 1) * grain;
  const std::size_t chunks = (n + chunk - 1) / chunk;
  if (chunks == 1) return run_range(kernel, c, from, to, n, params);
  parallel_for(chunks, {threads, Share::fixed}, [&](std::size_t i) {
    const std::size_t begin = i * chunk;
    ConvertParams mine = params;
    mine.first_index += begin;
    run_range(kernel, c, from + begin * code_bytes(c.from), to + begin * code_bytes(c.to),
              std::min(chunk, n - begin), mine);
  });
}

}  // namespace assay
