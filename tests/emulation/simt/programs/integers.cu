// Integer, SIMD and DPX intrinsics in a kernel, against loops over lanes and __int128 on the host.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

constexpr int fields = 117;

struct Operands {
  unsigned a, b, c;
  unsigned long long wide_a, wide_b;
};

// Each row of results in this order, on the device and on the host.
#define SIMD2(DO, n) \
  DO(__vadd##n)      \
  DO(__vaddss##n)    \
  DO(__vaddus##n)    \
  DO(__vsub##n)      \
  DO(__vsubss##n)    \
  DO(__vsubus##n)    \
  DO(__vabsdiffs##n) \
  DO(__vabsdiffu##n) \
  DO(__vavgs##n)     \
  DO(__vavgu##n)     \
  DO(__vhaddu##n)    \
  DO(__vmaxs##n)     \
  DO(__vmaxu##n)     \
  DO(__vmins##n)     \
  DO(__vminu##n)     \
  DO(__vsads##n)     \
  DO(__vsadu##n)     \
  DO(__vcmpeq##n)    \
  DO(__vcmpne##n)    \
  DO(__vcmpges##n)   \
  DO(__vcmpgeu##n)   \
  DO(__vcmpgts##n)   \
  DO(__vcmpgtu##n)   \
  DO(__vcmples##n)   \
  DO(__vcmpleu##n)   \
  DO(__vcmplts##n)   \
  DO(__vcmpltu##n)   \
  DO(__vseteq##n)    \
  DO(__vsetne##n)    \
  DO(__vsetges##n)   \
  DO(__vsetgeu##n)   \
  DO(__vsetgts##n) DO(__vsetgtu##n) DO(__vsetles##n) DO(__vsetleu##n) DO(__vsetlts##n) DO(__vsetltu##n)
#define SIMD1(DO, n) DO(__vabs##n) DO(__vabsss##n) DO(__vneg##n) DO(__vnegss##n)

__global__ void compute(const Operands* in, unsigned long long* out, int rows) {
  const int row = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (row >= rows) return;
  const Operands& o = in[row];
  const unsigned a = o.a, b = o.b, c = o.c;
  const int sa = static_cast<int>(a), sb = static_cast<int>(b), sc = static_cast<int>(c);
  unsigned long long* at = out + row * fields;
#define TWO(f) *at++ = f(a, b);
#define ONE(f) *at++ = f(a);
  SIMD2(TWO, 2)
  SIMD2(TWO, 4)
  SIMD1(ONE, 2)
  SIMD1(ONE, 4)
  const int base = static_cast<int>(b % 32), offset = static_cast<int>(c % 70) - 35;
  *at++ = __fns(a, static_cast<unsigned>(base), offset);
  *at++ = __brev(a);
  *at++ = __brevll(o.wide_a);
  *at++ = static_cast<unsigned>(__mulhi(sa, sb));
  *at++ = __umulhi(a, b);
  const auto wide_a = static_cast<long long>(o.wide_a), wide_b = static_cast<long long>(o.wide_b);
  *at++ = static_cast<unsigned long long>(__mul64hi(wide_a, wide_b));
  *at++ = __umul64hi(o.wide_a, o.wide_b);
  *at++ = static_cast<unsigned>(__mul24(sa, sb));
  *at++ = __umul24(a, b);
  *at++ = static_cast<unsigned>(__hadd(sa, sb));
  *at++ = static_cast<unsigned>(__rhadd(sa, sb));
  *at++ = __uhadd(a, b);
  *at++ = __urhadd(a, b);
  *at++ = __sad(sa, sb, c);
  *at++ = __usad(a, b, c);
  *at++ = __funnelshift_l(a, b, c);
  *at++ = __funnelshift_r(a, b, c);
  *at++ = __funnelshift_lc(a, b, c % 40);
  *at++ = __funnelshift_rc(a, b, c % 40);
  *at++ = static_cast<unsigned>(__dp4a(sa, sb, sc));
  *at++ = __dp4a(a, b, c);
  *at++ = static_cast<unsigned>(__dp2a_lo(sa, sb, sc));
  *at++ = static_cast<unsigned>(__dp2a_hi(sa, sb, sc));
  *at++ = __dp2a_lo(a, b, c);
  *at++ = __dp2a_hi(a, b, c);
  *at++ = static_cast<unsigned>(__vimax3_s32(sa, sb, sc));
  *at++ = static_cast<unsigned>(__vimin3_s32_relu(sa, sb, sc));
  *at++ = static_cast<unsigned>(__viaddmax_s32(sa, sb, sc));
  *at++ = static_cast<unsigned>(__viaddmin_s32_relu(sa, sb, sc));
  *at++ = __viaddmin_u32(a, b, c);
  *at++ = __vimax3_s16x2_relu(a, b, c);
  *at++ = __viaddmax_s16x2(a, b, c);
  *at++ = __viaddmin_u16x2(a, b, c);
  bool high = false, low = false;
  *at++ = __vibmax_s16x2(a, b, &high, &low);
  *at++ = (high ? 2U : 0U) | (low ? 1U : 0U);
}

// --- the same by loops -----------------------------------------------------------------------------------------------

// Lane i of n, signed or not.
long long lane(unsigned x, int n, int i, bool is_signed) {
  const int bits = 32 / n;
  const long long v = static_cast<long long>(x >> (bits * i)) & ((1LL << bits) - 1);
  return is_signed && (v >> (bits - 1)) != 0 ? v - (1LL << bits) : v;
}
template <class F>
unsigned lanes(unsigned a, unsigned b, int n, bool is_signed, const F& f) {
  unsigned out = 0;
  const int bits = 32 / n;
  for (int i = 0; i < n; ++i) {
    const long long v = f(lane(a, n, i, is_signed), lane(b, n, i, is_signed)) & ((1LL << bits) - 1);
    out |= static_cast<unsigned>(v) << (bits * i);
  }
  return out;
}
template <class F>
unsigned long long total(unsigned a, unsigned b, int n, bool is_signed, const F& f) {
  unsigned long long sum = 0;
  for (int i = 0; i < n; ++i)
    sum += static_cast<unsigned long long>(f(lane(a, n, i, is_signed), lane(b, n, i, is_signed)));
  return sum;
}
using L = long long;
L distance(L x, L y) { return x > y ? x - y : y - x; }

void expect_simd(unsigned a, unsigned b, int n, std::vector<unsigned long long>& out) {
  const L most = (1LL << (32 / n - 1)) - 1, all = (1LL << (32 / n)) - 1;
  const auto s = [=](L x) { return std::clamp(x, -most - 1, most); };
  const auto u = [=](L x) { return std::clamp(x, 0LL, all); };
  const auto both = [&](const auto& f) {
    out.push_back(lanes(a, b, n, true, f));
    out.push_back(lanes(a, b, n, false, f));
  };
  out.push_back(lanes(a, b, n, true, [](L x, L y) { return x + y; }));
  out.push_back(lanes(a, b, n, true, [=](L x, L y) { return s(x + y); }));
  out.push_back(lanes(a, b, n, false, [=](L x, L y) { return u(x + y); }));
  out.push_back(lanes(a, b, n, true, [](L x, L y) { return x - y; }));
  out.push_back(lanes(a, b, n, true, [=](L x, L y) { return s(x - y); }));
  out.push_back(lanes(a, b, n, false, [=](L x, L y) { return u(x - y); }));
  both(distance);
  // PTX ISA, vavrg2: one is added to sums that are not negative.
  both([](L x, L y) { return (x + y + (x + y >= 0)) >> 1; });
  out.push_back(lanes(a, b, n, false, [](L x, L y) { return (x + y) / 2; }));
  both([](L x, L y) { return std::max(x, y); });
  both([](L x, L y) { return std::min(x, y); });
  out.push_back(static_cast<unsigned>(total(a, b, n, true, distance)));
  out.push_back(static_cast<unsigned>(total(a, b, n, false, distance)));
  for (const L yes : {-1LL, 1LL}) {
    out.push_back(lanes(a, b, n, false, [=](L x, L y) { return x == y ? yes : 0; }));
    out.push_back(lanes(a, b, n, false, [=](L x, L y) { return x != y ? yes : 0; }));
    both([=](L x, L y) { return x >= y ? yes : 0; });
    both([=](L x, L y) { return x > y ? yes : 0; });
    both([=](L x, L y) { return x <= y ? yes : 0; });
    both([=](L x, L y) { return x < y ? yes : 0; });
  }
}
void expect_simd_of_one(unsigned a, int n, std::vector<unsigned long long>& out) {
  const L most = (1LL << (32 / n - 1)) - 1;
  out.push_back(lanes(a, 0, n, true, [](L x, L) { return x < 0 ? -x : x; }));
  out.push_back(lanes(a, 0, n, true, [=](L x, L) { return std::min(most, x < 0 ? -x : x); }));
  out.push_back(lanes(a, 0, n, true, [](L x, L) { return -x; }));
  out.push_back(lanes(a, 0, n, true, [=](L x, L) { return std::min(most, -x); }));
}

std::vector<unsigned long long> expected(const Operands& o) {
  __extension__ using Wide = __int128;
  std::vector<unsigned long long> out;
  const unsigned a = o.a, b = o.b, c = o.c;
  const L sa = static_cast<int>(a), sb = static_cast<int>(b), sc = static_cast<int>(c), ua = a, ub = b;
  expect_simd(a, b, 2, out);
  expect_simd(a, b, 4, out);
  expect_simd_of_one(a, 2, out);
  expect_simd_of_one(a, 4, out);
  const auto word = [&](L x) { out.push_back(static_cast<unsigned>(x)); };
  // PTX ISA, fns.
  const int base = static_cast<int>(b % 32), offset = static_cast<int>(c % 70) - 35;
  unsigned found = 0xFFFFFFFF;
  if (offset == 0) {
    if ((a >> base & 1) != 0) found = static_cast<unsigned>(base);
  } else {
    int left = (offset < 0 ? -offset : offset) - 1;
    for (int at = base; at >= 0 && at<32; at += offset> 0 ? 1 : -1) {
      if ((a >> at & 1) == 0) continue;
      if (left-- == 0) {
        found = static_cast<unsigned>(at);
        break;
      }
    }
  }
  word(found);
  unsigned long long reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= static_cast<unsigned long long>(a >> i & 1) << (31 - i);
  out.push_back(reversed);
  reversed = 0;
  for (int i = 0; i < 64; ++i) reversed |= (o.wide_a >> i & 1) << (63 - i);
  out.push_back(reversed);
  word(sa * sb >> 32);
  word(static_cast<L>(static_cast<unsigned long long>(ua) * static_cast<unsigned long long>(ub) >> 32));
  out.push_back(static_cast<unsigned long long>(
      (static_cast<Wide>(static_cast<L>(o.wide_a)) * static_cast<L>(o.wide_b)) >> 64));
  out.push_back(
      static_cast<unsigned long long>((static_cast<Wide>(o.wide_a >> 1) * static_cast<Wide>(o.wide_b) +
                                       static_cast<Wide>((o.wide_a & 1) != 0 ? o.wide_b >> 1 : 0)) >>
                                      63));
  word((sa << 40 >> 40) * (sb << 40 >> 40));
  word((ua & 0xFFFFFF) * (ub & 0xFFFFFF));
  word((sa + sb) >> 1);
  word((sa + sb + 1) >> 1);
  word((ua + ub) >> 1);
  word((ua + ub + 1) >> 1);
  word(distance(sa, sb) + c);
  word(distance(ua, ub) + c);
  const unsigned long long joined = static_cast<unsigned long long>(b) << 32 | a;
  const auto left = [&](unsigned s) { return s == 0 ? b : static_cast<unsigned>(joined >> (32 - s)); };
  word(left(c % 32));
  word(static_cast<L>(joined >> c % 32));
  word(left(std::min(c % 40, 32U)));
  word(static_cast<L>(joined >> std::min(c % 40, 32U)));
  L sums[4] = {sc, static_cast<L>(c), 0, 0};
  for (int i = 0; i < 4; ++i) {
    sums[0] += lane(a, 4, i, true) * lane(b, 4, i, true);
    sums[1] += lane(a, 4, i, false) * lane(b, 4, i, false);
  }
  word(sums[0]);
  word(sums[1]);
  for (const bool is_signed : {true, false}) {
    for (const int first : {0, 2})
      word(static_cast<L>(c) + lane(a, 2, 0, is_signed) * lane(b, 4, first, is_signed) +
           lane(a, 2, 1, is_signed) * lane(b, 4, first + 1, is_signed));
  }
  const L wrapped = static_cast<int>(a + b);
  word(std::max({sa, sb, sc}));
  word(std::max(0LL, std::min({sa, sb, sc})));
  word(std::max(wrapped, sc));
  word(std::max(0LL, std::min(wrapped, sc)));
  word(std::min(a + b, c));
  const auto of_sum = [&](bool is_signed, const auto& f) {
    return lanes(lanes(a, b, 2, is_signed, [](L x, L y) { return x + y; }), c, 2, is_signed, f);
  };
  const auto greatest = [](L x, L y) { return std::max(x, y); };
  const auto least = [](L x, L y) { return std::min(x, y); };
  word(lanes(lanes(lanes(a, b, 2, true, greatest), c, 2, true, greatest), 0, 2, true, greatest));
  word(of_sum(true, greatest));
  word(of_sum(false, least));
  word(lanes(a, b, 2, true, greatest));
  word((lane(a, 2, 1, true) >= lane(b, 2, 1, true) ? 2 : 0) |
       (lane(a, 2, 0, true) >= lane(b, 2, 0, true) ? 1 : 0));
  return out;
}

int main() {
  constexpr int rows = 3000;
  Operands* in = nullptr;
  unsigned long long* out = nullptr;
  cudaMallocManaged(&in, rows * sizeof(Operands));
  cudaMallocManaged(&out, rows * fields * sizeof(unsigned long long));
  unsigned long long state = 1;
  const auto random = [&] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  const unsigned ends[] = {0,          1,          0x80808080, 0x7F7F7F7F, 0x80008000,
                           0x7FFF7FFF, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0xFF80017F};
  for (int row = 0; row < rows; ++row) {
    in[row] = {static_cast<unsigned>(random()), static_cast<unsigned>(random()),
               static_cast<unsigned>(random()), random(), random()};
    if (row < 1000) {
      in[row].a = ends[row % 10];
      in[row].b = ends[row / 10 % 10];
      in[row].c = ends[row / 100];
    }
  }
  compute<<<(rows + 127) / 128, 128>>>(in, out, rows);
  int failed = cudaDeviceSynchronize() == cudaSuccess ? 0 : 1;
  for (int row = 0; row < rows && failed < 10; ++row) {
    const auto right = expected(in[row]);
    for (std::size_t i = 0; i < right.size(); ++i) {
      const unsigned long long got = out[row * fields + static_cast<int>(i)];
      if (got == right[i]) continue;
      std::printf("field %zu of %x %x %x: %llx, not %llx\n", i, in[row].a, in[row].b, in[row].c, got,
                  right[i]);
      ++failed;
    }
  }
  const char4 x = make_char4(-128, 127, 1, -1);
  const ushort2 y = make_ushort2(65535, 3);
  if (__dp4a(x, x, 5) != 16384 + 16129 + 2 + 5 ||
      __dp2a_hi(y, make_uchar4(9, 9, 255, 2), 1U) != 65535U * 255U + 7U) {
    std::printf("dot products of vectors\n");
    failed = 1;
  }
  return failed == 0 ? 0 : 1;
}
