// The instructions themselves, in assembly: nothing between the operands and the hardware.
#include "emulation/units/kernels/scoped_mxcsr.hpp"
#include "emulation/units/x86/live_x86.hpp"

namespace assay {
namespace {

// Masks that change from vector to vector.
__mmask16 mask_of(std::size_t i) { return static_cast<__mmask16>(i * 0x9E3779B1U >> 13); }

template <LaneForm form>
[[gnu::noinline]] void lanes(const std::uint32_t* c, const std::uint32_t* a, const std::uint32_t* b,
                             std::uint32_t* d, std::size_t n) {
  if constexpr (form == LaneForm::xmm) {
    for (std::size_t i = 0; i < n; i += 4) {
      const auto at = [&](const std::uint32_t* p) {
        return _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p + i)));
      };
      __m128i acc = at(c);
      asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(at(a)), "v"(at(b)));
      _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(d + i)), acc);
    }
  } else if constexpr (form == LaneForm::ymm) {
    for (std::size_t i = 0; i < n; i += 8) {
      const auto at = [&](const std::uint32_t* p) {
        return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p + i)));
      };
      __m256i acc = at(c);
      asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(at(a)), "v"(at(b)));
      _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(d + i)), acc);
    }
  } else {
    for (std::size_t i = 0; i < n; i += 16) {
      const __m512i x = _mm512_loadu_si512(a + i), y = _mm512_loadu_si512(b + i);
      __m512i acc = _mm512_loadu_si512(c + i);
      const __mmask16 mask = mask_of(i / 16), others = static_cast<__mmask16>(~mask);
      if constexpr (form == LaneForm::zmm) {
        asm("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(x), "v"(y));
      } else if constexpr (form == LaneForm::merge_masked) {
        asm("vdpbf16ps %2, %1, %0 %{%3%}" : "+v"(acc) : "v"(x), "v"(y), "Yk"(mask));
        asm("vdpbf16ps %2, %1, %0 %{%3%}" : "+v"(acc) : "v"(x), "v"(y), "Yk"(others));
      } else {
        __m512i rest = acc;
        asm("vdpbf16ps %2, %1, %0 %{%3%}%{z%}" : "+v"(acc) : "v"(x), "v"(y), "Yk"(mask));
        asm("vdpbf16ps %2, %1, %0 %{%3%}%{z%}" : "+v"(rest) : "v"(x), "v"(y), "Yk"(others));
        acc = _mm512_or_si512(acc, rest);
      }
      _mm512_storeu_si512(d + i, acc);
    }
  }
}

template <ConversionForm form>
[[gnu::noinline]] void conversion(const std::uint32_t* src, std::uint16_t* dst, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 32) {
    const std::uint32_t* const p = src + i;
    std::uint16_t* const q = dst + i;
    const auto v4 = [](const std::uint32_t* x) {
      return _mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(x)));
    };
    const auto v8 = [](const std::uint32_t* x) {
      return _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(x)));
    };
    if constexpr (form == ConversionForm::ps_xmm) {
      for (std::size_t j = 0; j < 32; j += 4) {
        __m128i out;
        asm("vcvtneps2bf16 %1, %0" : "=v"(out) : "v"(v4(p + j)));
        _mm_storel_epi64(static_cast<__m128i*>(static_cast<void*>(q + j)), out);
      }
    } else if constexpr (form == ConversionForm::ps_ymm) {
      for (std::size_t j = 0; j < 32; j += 8) {
        __m128i out;
        asm("vcvtneps2bf16 %1, %0" : "=v"(out) : "v"(v8(p + j)));
        _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(q + j)), out);
      }
    } else if constexpr (form == ConversionForm::ps_zmm) {
      for (std::size_t j = 0; j < 32; j += 16) {
        __m256i out;
        asm("vcvtneps2bf16 %1, %0" : "=v"(out) : "v"(_mm512_loadu_si512(p + j)));
        _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(q + j)), out);
      }
    } else if constexpr (form == ConversionForm::two_ps_xmm) {  // the second source is the lower half
      for (std::size_t j = 0; j < 32; j += 8) {
        __m128i out;
        asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(out) : "v"(v4(p + j + 4)), "v"(v4(p + j)));
        _mm_storeu_si128(static_cast<__m128i*>(static_cast<void*>(q + j)), out);
      }
    } else if constexpr (form == ConversionForm::two_ps_ymm) {
      for (std::size_t j = 0; j < 32; j += 16) {
        __m256i out;
        asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(out) : "v"(v8(p + j + 8)), "v"(v8(p + j)));
        _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(q + j)), out);
      }
    } else {
      __m512i out;
      asm("vcvtne2ps2bf16 %2, %1, %0"
          : "=v"(out)
          : "v"(_mm512_loadu_si512(p + 16)), "v"(_mm512_loadu_si512(p)));
      _mm512_storeu_si512(q, out);
    }
  }
}

}  // namespace

void kernels::vdpbf16ps_live_avx512bf16(LaneForm form, std::uint32_t mxcsr, const std::uint32_t* c,
                                        const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* d,
                                        std::size_t n) noexcept {
  const ScopedMxcsr control(mxcsr);
  switch (form) {
    case LaneForm::xmm: return lanes<LaneForm::xmm>(c, a, b, d, n);
    case LaneForm::ymm: return lanes<LaneForm::ymm>(c, a, b, d, n);
    case LaneForm::zmm: return lanes<LaneForm::zmm>(c, a, b, d, n);
    case LaneForm::merge_masked: return lanes<LaneForm::merge_masked>(c, a, b, d, n);
    case LaneForm::zero_masked: return lanes<LaneForm::zero_masked>(c, a, b, d, n);
  }
}

void kernels::vcvtneps2bf16_live_avx512bf16(ConversionForm form, std::uint32_t mxcsr,
                                            const std::uint32_t* src, std::uint16_t* dst,
                                            std::size_t n) noexcept {
  const ScopedMxcsr control(mxcsr);
  switch (form) {
    case ConversionForm::ps_xmm: return conversion<ConversionForm::ps_xmm>(src, dst, n);
    case ConversionForm::ps_ymm: return conversion<ConversionForm::ps_ymm>(src, dst, n);
    case ConversionForm::ps_zmm: return conversion<ConversionForm::ps_zmm>(src, dst, n);
    case ConversionForm::two_ps_xmm: return conversion<ConversionForm::two_ps_xmm>(src, dst, n);
    case ConversionForm::two_ps_ymm: return conversion<ConversionForm::two_ps_ymm>(src, dst, n);
    case ConversionForm::two_ps_zmm: return conversion<ConversionForm::two_ps_zmm>(src, dst, n);
  }
}

}  // namespace assay
