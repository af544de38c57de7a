// Inline PTX: a line for every form of the table with a value worked out by the manual, MPFR for rounding, loops for
// integers; what is refused; texts of any kind.
#include "emulation/simt/ptx.hpp"

#include <boost/test/unit_test.hpp>

#include <mpfr.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "emulation/simt/async.hpp"
#include "emulation/simt/launch.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/formats.hpp"

namespace {
using namespace assay;
using namespace assay::simt;

struct Value {
  char type;
  std::uint64_t bits;
};
Value h(std::uint64_t x) { return {'h', x & 0xFFFF}; }
Value r(std::uint64_t x) { return {'r', x & 0xFFFFFFFF}; }
Value l(std::uint64_t x) { return {'l', x}; }
Value f(float x) { return {'f', std::bit_cast<std::uint32_t>(x)}; }
Value fb(std::uint32_t x) { return {'f', x}; }
Value d(double x) { return {'d', std::bit_cast<std::uint64_t>(x)}; }
class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}
  std::uint64_t next64() { return random_.u64(at_++); }

 private:
  CounterRandom random_;
  std::uint64_t at_ = 0;
};
int bytes_of(char type) { return type == 'h' ? 2 : type == 'r' || type == 'f' ? 4 : 8; }

std::vector<PtxOperand> operands_of(std::vector<Value>& values, std::size_t outputs) {
  std::vector<PtxOperand> all;
  for (std::size_t k = 0; k < values.size(); ++k) {
    PtxOperand o;
    o.value = &values[k].bits;
    o.type = values[k].type;
    o.bytes = static_cast<std::uint8_t>(bytes_of(o.type));
    o.reads = k >= outputs;
    o.writes = k < outputs;
    all.push_back(o);
  }
  return all;
}
std::string error_of(const std::string& text, std::vector<Value> values, std::size_t outputs = 1) {
  PtxError error;
  const auto operands = operands_of(values, outputs);
  const auto program = parse_ptx(text, operands.data(), operands.size(), error);
  return program == nullptr ? error.expected + " | " + error.found : "";
}
// %0 after the text has run for one thread; the others are read.
std::uint64_t result_of(const std::string& text, char out, std::vector<Value> inputs) {
  inputs.insert(inputs.begin(), Value{out, 0});
  const auto operands = operands_of(inputs, 1);
  PtxError error;
  const auto program = parse_ptx(text, operands.data(), operands.size(), error);
  if (program == nullptr) {
    BOOST_ERROR(text << ": expected " << error.expected << ", found " << error.found);
    return 0;
  }
  const std::string why = launch(1, 1, 4096, [&] { run_ptx(*program, operands.data(), operands.size()); });
  BOOST_TEST(why == "", text);
  return inputs[0].bits;
}

struct Line {
  const char* text;
  Value expected;
  std::vector<Value> inputs;
};
constexpr std::uint32_t f32_nan = 0x7FFFFFFF;
const std::vector<Line>& lines() {
  static const std::vector<Line> all = {
      // --- integers
      {"add.u16 %0, %1, %2;", h(1), {h(0xFFFF), h(2)}},
      {"add.s64 %0, %1, %2;", l(0), {l(~0ULL), l(1)}},
      {"add.u16x2 %0, %1, %2;", r(0x00010000), {r(0xFFFFFFFF), r(0x00020001)}},
      {"add.sat.s32 %0, %1, %2;", r(0x7FFFFFFF), {r(0x7FFFFFF0), r(0x20)}},
      {"add.sat.s32 %0, %1, %2;", r(0x80000000), {r(0x80000000), r(0xFFFFFFFF)}},
      {"{ .reg .u32 x; add.cc.u32 x, %1, %2; addc.u32 %0, 0, 0; }", r(1), {r(0xFFFFFFFF), r(1)}},
      {"{ .reg .u32 x; add.cc.u32 x, %1, %2; addc.cc.u32 x, %1, 0; addc.u32 %0, 0, 0; }",
       r(1),
       {r(0xFFFFFFFF), r(1)}},
      {"{ .reg .u32 x; add.cc.u32 x, %1, %2; addc.u32 %0, 0, 0; }", r(0), {r(0xFFFFFFFE), r(1)}},
      {"sub.s32 %0, %1, %2;", r(0xFFFFFFFF), {r(1), r(2)}},
      {"sub.sat.s32 %0, %1, %2;", r(0x80000000), {r(0x80000001), r(2)}},
      {"{ .reg .u32 x; sub.cc.u32 x, %1, %2; subc.u32 %0, 5, 1; }", r(3), {r(1), r(2)}},
      {"{ .reg .u32 x; sub.cc.u32 x, %1, %2; subc.u32 %0, 5, 1; }", r(4), {r(2), r(2)}},
      {"mul.lo.s16 %0, %1, %2;", h(0xFFFA), {h(0xFFFE), h(3)}},
      {"mul.hi.u32 %0, %1, %2;", r(0xFFFFFFFE), {r(0xFFFFFFFF), r(0xFFFFFFFF)}},
      {"mul.hi.s32 %0, %1, %2;", r(0), {r(0xFFFFFFFF), r(0xFFFFFFFF)}},
      {"mul.hi.u64 %0, %1, %2;", l(1), {l(1ULL << 63), l(2)}},
      {"mul.hi.s64 %0, %1, %2;", l(~0ULL), {l(1ULL << 63), l(2)}},
      {"mul.wide.u32 %0, %1, %2;", l(0xFFFFFFFE00000001), {r(0xFFFFFFFF), r(0xFFFFFFFF)}},
      {"mul.wide.s16 %0, %1, %2;", r(0xFFFFFFFA), {h(0xFFFE), h(3)}},
      {"mad.lo.u32 %0, %1, %2, %3;", r(47), {r(6), r(7), r(5)}},
      {"mad.hi.s32 %0, %1, %2, %3;", r(4), {r(0xFFFFFFFF), r(1), r(5)}},
      {"mad.hi.sat.s32 %0, %1, %2, %3;", r(0x7FFFFFFF), {r(0x40000000), r(0x40000000), r(0x7FFFFFFF)}},
      {"mad.wide.s32 %0, %1, %2, %3;", l(~0ULL), {r(0xFFFFFFFE), r(1), l(1)}},
      {"{ .reg .u32 x; mad.lo.cc.u32 x, %1, %2, %3; addc.u32 %0, 0, 0; }", r(1), {r(1), r(0xFFFFFFFF), r(1)}},
      {"{ .reg .u32 x; mad.lo.cc.u32 x, 1, %1, 1; madc.hi.u32 %0, %2, %3, 5; }",
       r(7),
       {r(0xFFFFFFFF), r(1U << 31), r(2)}},
      {"mul24.lo.s32 %0, %1, %2;", r(0xFFFFFFFE), {r(0xFFFFFF), r(2)}},
      {"mul24.hi.u32 %0, %1, %2;", r(0xFFFFFE00), {r(0xFFFFFF), r(0xFFFFFF)}},
      {"mad24.lo.u32 %0, %1, %2, %3;", r(7), {r(0xFF000002), r(3), r(1)}},
      {"div.s32 %0, %1, %2;", r(0xFFFFFFFD), {r(0xFFFFFFF9), r(2)}},
      {"div.u64 %0, %1, %2;", l(0x5555555555555555), {l(~0ULL), l(3)}},
      {"rem.s32 %0, %1, %2;", r(0xFFFFFFFF), {r(0xFFFFFFF9), r(2)}},
      {"abs.s16 %0, %1;", h(5), {h(0xFFFB)}},
      {"neg.s64 %0, %1;", l(~0ULL - 4), {l(5)}},
      {"min.s32 %0, %1, %2;", r(0xFFFFFFFF), {r(0xFFFFFFFF), r(1)}},
      {"min.u32 %0, %1, %2;", r(1), {r(0xFFFFFFFF), r(1)}},
      {"max.s16x2 %0, %1, %2;", r(0x00010002), {r(0xFFFF0002), r(0x00010001)}},
      {"min.relu.s32 %0, %1, %2;", r(0), {r(0xFFFFFFFF), r(1)}},
      {"sad.u32 %0, %1, %2, %3;", r(15), {r(5), r(15), r(5)}},
      {"sad.s32 %0, %1, %2, %3;", r(4), {r(0xFFFFFFFE), r(1), r(1)}},
      {"popc.b64 %0, %1;", r(33), {l(0xFFFFFFFF00000001)}},
      {"clz.b32 %0, %1;", r(32), {r(0)}},
      {"clz.b64 %0, %1;", r(63), {l(1)}},
      {"bfind.u32 %0, %1;", r(4), {r(0x1F)}},
      {"bfind.s32 %0, %1;", r(1), {r(0xFFFFFFFC)}},
      {"bfind.shiftamt.u32 %0, %1;", r(27), {r(0x1F)}},
      {"bfind.u64 %0, %1;", r(0xFFFFFFFF), {l(0)}},
      {"brev.b32 %0, %1;", r(0xC0000000), {r(3)}},
      {"brev.b64 %0, %1;", l(1), {l(1ULL << 63)}},
      {"bfe.u32 %0, %1, %2, %3;", r(0xCD), {r(0xABCDEF), r(8), r(8)}},
      {"bfe.s32 %0, %1, %2, %3;", r(0xFFFFFFCD), {r(0xABCDEF), r(8), r(8)}},
      {"bfe.s32 %0, %1, %2, %3;", r(0xFFFFFFFF), {r(0x80000000), r(31), r(8)}},
      {"bfi.b32 %0, %1, %2, %3, %4;", r(0xFFFF5AFF), {r(0x5A), r(0xFFFFFFFF), r(8), r(8)}},
      {"bmsk.clamp.b32 %0, %1, %2;", r(0xF0), {r(4), r(4)}},
      {"bmsk.wrap.b32 %0, %1, %2;", r(0xF0), {r(36), r(4)}},
      {"szext.clamp.s32 %0, %1, %2;", r(0xFFFFFF80), {r(0x180), r(8)}},
      {"szext.wrap.u32 %0, %1, %2;", r(0x80), {r(0x180), r(40)}},
      {"dp4a.u32.u32 %0, %1, %2, %3;", r(75), {r(0x01020304), r(0x05060708), r(5)}},
      {"dp4a.s32.s32 %0, %1, %2, %3;", r(3), {r(0xFF000000), r(0x02000000), r(5)}},
      {"dp2a.lo.s32.u32 %0, %1, %2, %3;", r(0xFFFFFFFE), {r(0x0001FFFF), r(0x0203), r(0xFFFFFFFF)}},
      {"dp2a.hi.u32.u32 %0, %1, %2, %3;", r(9), {r(0x00010002), r(0x01040000), r(0)}},
      {"and.b32 %0, %1, %2;", r(0x0F00), {r(0xFF00), r(0x0FF0)}},
      {"or.b64 %0, %1, %2;", l(7), {l(3), l(4)}},
      {"xor.b16 %0, %1, %2;", h(0xF0), {h(0xFF), h(0x0F)}},
      {"not.b32 %0, %1;", r(0xFFFF0000), {r(0xFFFF)}},
      {"{ .reg .pred p, q; setp.eq.u32 p, %1, 1; setp.eq.u32 q, %1, 2; or.pred p, p, q; not.pred p, p; "
       "selp.u32 %0, 7, 8, p; }",
       r(8),
       {r(2)}},
      {"cnot.b32 %0, %1;", r(1), {r(0)}},
      {"lop3.b32 %0, %1, %2, %3, 0xE2;", r(0xE2E2E2E2), {r(0xF0F0F0F0), r(0xCCCCCCCC), r(0xAAAAAAAA)}},
      {"{ .reg .pred p, q; .reg .b32 x; setp.eq.u32 q, 1, 2; lop3.or.b32 x|p, %1, %2, %3, 0x80, q; selp.u32 "
       "%0, 1, 0, p; }",
       r(1),
       {r(5), r(4), r(6)}},
      {"shl.b32 %0, %1, %2;", r(0), {r(1), r(32)}},
      {"shl.b64 %0, %1, %2;", l(1ULL << 40), {l(1), r(40)}},
      {"shr.s32 %0, %1, %2;", r(0xFFFFFFFF), {r(0x80000000), r(99)}},
      {"shr.u32 %0, %1, %2;", r(1), {r(0x80000000), r(31)}},
      {"shr.b16 %0, %1, %2;", h(0x00FF), {h(0xFF00), r(8)}},
      {"shf.l.wrap.b32 %0, %1, %2, %3;", r(0x23456789), {r(0x9ABCDEF0), r(0x12345678), r(36)}},
      {"shf.r.clamp.b32 %0, %1, %2, %3;", r(0x12345678), {r(0x9ABCDEF0), r(0x12345678), r(40)}},
      {"shf.r.wrap.b32 %0, %1, %2, %3;", r(0x89ABCDEF), {r(0x9ABCDEF0), r(0x12345678), r(36)}},
      {"prmt.b32 %0, %1, %2, %3;", r(0x77443300), {r(0x33221100), r(0x77665544), r(0x7430)}},
      {"prmt.b32 %0, %1, %2, %3;", r(0x00FF3380), {r(0x33228880), r(0x77665544), r(0xB930)}},
      {"prmt.b32.f4e %0, %1, %2, %3;", r(0x44332211), {r(0x33221100), r(0x77665544), r(1)}},
      {"prmt.b32.b4e %0, %1, %2, %3;", r(0x66770011), {r(0x33221100), r(0x77665544), r(1)}},
      {"prmt.b32.rc8 %0, %1, %2, %3;", r(0x22222222), {r(0x33221100), r(0x77665544), r(2)}},
      {"prmt.b32.ecl %0, %1, %2, %3;", r(0x33222222), {r(0x33221100), r(0x77665544), r(2)}},
      {"prmt.b32.ecr %0, %1, %2, %3;", r(0x22221100), {r(0x33221100), r(0x77665544), r(2)}},
      {"prmt.b32.rc16 %0, %1, %2, %3;", r(0x33223322), {r(0x33221100), r(0x77665544), r(1)}},
      // --- video instructions
      {"vadd.s32.u32.s32.sat %0, %1.b0, %2.h0;", r(0xFFFFFFFE), {r(0x12345601), r(0x0000FFFD)}},
      {"vsub.u32.u32.u32.sat %0, %1, %2;", r(0), {r(1), r(2)}},
      {"vabsdiff.u32.s32.s32.add %0, %1.b3, %2.b2, %3;", r(0x103), {r(0xFF000000), r(0x00020000), r(0x100)}},
      {"vmin.s32.s32.s32 %0.h1, %1, %2, %3;", r(0xFFFE5678), {r(0xFFFFFFFE), r(1), r(0x12345678)}},
      {"vmax.u32.u32.u32.sat %0.b1, %1, %2, %3;", r(0x1234FF78), {r(0x1FF), r(1), r(0x12345678)}},
      {"vshl.s32.u32.u32.clamp %0, %1, %2;", r(0), {r(1), r(40)}},
      {"vshl.s32.u32.u32.sat.clamp %0, %1, %2;", r(0x7FFFFFFF), {r(1), r(40)}},
      {"vshl.u32.u32.u32.wrap %0.b0, %1, %2, %3;", r(0xAABBCC00), {r(1), r(40), r(0xAABBCCDD)}},
      {"vshr.s32.s32.u32.wrap.max %0, %1, %2.b1, %3;", r(3), {r(0x80000000), r(0x2200), r(3)}},
      {"vset.u32.s32.lt %0, %1, %2;", r(0), {r(0), r(0xFFFFFFFF)}},
      {"vset.u32.u32.lt %0.h1, %1, %2, %3;", r(0x0001FFFF), {r(0), r(0xFFFFFFFF), r(0xFFFFFFFF)}},
      {"vset.s32.s32.ge.min %0, %1.h1, %2.h1, %3;", r(1), {r(0), r(0x80000000), r(0x80000000)}},
      {"vmad.s32.s32.u32.sat %0, %1, %2, -%3;", r(0x80000000), {r(0x80000000), r(1), r(1)}},
      {"vmad.u32.u32.u32.shr15 %0, %1.h0, %2.h0, %3;", r(0x1FFFC), {r(0xFFFF), r(0xFFFF), r(0)}},
      {"vmad.s32.u32.u32 %0, -%1, %2, %3;", r(0xFFFFFFFF), {r(2), r(3), r(5)}},
      {"vmad.u32.u32.u32.po.shr7 %0, %1, %2, %3;", r(1), {r(1), r(64), r(63)}},
      {"vabsdiff4.u32.u32.u32.add %0, %1, %2, %3;", r(1026), {r(0x01FF00FF), r(0xFF0000FE), r(516)}},
      {"vadd2.s32.s32.s32.sat %0, %1, %2, %3;", r(0x7FFF8000), {r(0x7FFF8000), r(0x0001FFFF), r(0)}},
      {"vavrg4.s32.s32.s32 %0.b20, %1.b7654, %2.b0123, %3;",
       r(0x11023302),
       {r(0x03FD0501), r(0xFEFEFE00), r(0x11223344)}},
      {"vset4.u32.u32.gt.add %0, %1, %2, %3;", r(12), {r(0x01020304), r(0x00020203), r(9)}},
      {"vset2.s32.s32.ne %0.h1, %1, %2, %3;", r(0x00015678), {r(1), r(0x10001), r(0x12345678)}},
      // --- floating point
      {"add.f32 %0, %1, %2;", f(3.75F), {f(1.5F), f(2.25F)}},
      {"add.rz.f32 %0, %1, %2;", fb(0x3F800000), {f(1), fb(0x33FFFFFF)}},
      {"add.rp.f32 %0, %1, %2;", fb(0x3F800001), {f(1), fb(1)}},
      {"add.ftz.f32 %0, %1, %2;", fb(0x80000000), {fb(0x80000001), fb(0x80000001)}},
      {"add.sat.f32 %0, %1, %2;", f(1), {f(1), f(2)}},
      {"add.sat.f32 %0, %1, %2;", f(0), {fb(f32_nan), f(2)}},
      {"add.f32 %0, %1, %2;", fb(f32_nan), {fb(0x7F800000), fb(0xFF800000)}},
      {"add.rn.f64 %0, %1, %2;", d(0.30000000000000004), {d(0.1), d(0.2)}},
      {"add.f16 %0, %1, %2;", h(0x4200), {h(0x3C00), h(0x4000)}},
      {"add.rn.f16x2 %0, %1, %2;", r(0x42007C00), {r(0x3C007BFF), r(0x40007BFF)}},
      {"add.rn.bf16 %0, %1, %2;", h(0x4040), {h(0x3F80), h(0x4000)}},
      {"sub.rm.f32 %0, %1, %2;", fb(0x80000000), {f(2), f(2)}},
      {"sub.f64 %0, %1, %2;", d(0), {d(2), d(2)}},
      {"sub.f16x2 %0, %1, %2;", r(0x3C00BC00), {r(0x40003C00), r(0x3C004000)}},
      {"sub.bf16x2 %0, %1, %2;", r(0x3F80BF80), {r(0x40003F80), r(0x3F804000)}},
      {"mul.f32 %0, %1, %2;", f(-6), {f(2), f(-3)}},
      {"mul.ftz.f32 %0, %1, %2;", f(0), {fb(0x00800000), f(0.5F)}},
      {"mul.rp.f64 %0, %1, %2;", d(5e-324), {d(5e-324), d(1e-10)}},
      {"mul.f16 %0, %1, %2;", h(0x4600), {h(0x4000), h(0x4200)}},
      {"mul.bf16x2 %0, %1, %2;", r(0x40C04080), {r(0x40004000), r(0x40404000)}},
      {"fma.rn.f32 %0, %1, %2, %3;", fb(0x34000001), {fb(0x3F800001), fb(0x3F800001), fb(0xBF800001)}},
      {"mad.rz.f32 %0, %1, %2, %3;", f(7), {f(2), f(3), f(1)}},
      {"fma.rn.f64 %0, %1, %2, %3;", d(0x1p-104), {d(1 + 0x1p-52), d(1 + 0x1p-52), d(-1 - 0x1p-51)}},
      {"fma.rn.f16 %0, %1, %2, %3;", h(0x4700), {h(0x4000), h(0x4200), h(0x3C00)}},
      {"fma.rn.relu.f16x2 %0, %1, %2, %3;", r(0x47000000), {r(0x4000C000), r(0x42004200), r(0x3C003C00)}},
      {"fma.rn.relu.bf16 %0, %1, %2, %3;", h(0), {h(0xBF80), h(0x3F80), h(0)}},
      {"fma.rn.bf16x2 %0, %1, %2, %3;", r(0x40E040E0), {r(0x40004000), r(0x40404040), r(0x3F803F80)}},
      {"div.rn.f32 %0, %1, %2;", fb(0x3EAAAAAB), {f(1), f(3)}},
      {"div.rz.f32 %0, %1, %2;", fb(0x3EAAAAAA), {f(1), f(3)}},
      {"div.rm.f64 %0, %1, %2;", d(0x1.5555555555555p-2), {d(1), d(3)}},
      {"div.full.f32 %0, %1, %2;", f(2), {f(6), f(3)}},
      {"rcp.rp.f32 %0, %1;", fb(0x3EAAAAAB), {f(3)}},
      {"rcp.rn.f64 %0, %1;", d(0.25), {d(4)}},
      {"sqrt.rn.f32 %0, %1;", fb(0x3FB504F3), {f(2)}},
      {"sqrt.rp.f32 %0, %1;", fb(0x3FB504F4), {f(2)}},
      {"sqrt.rp.f64 %0, %1;",
       d(0x1.3449c63673f4cp+0),
       {d(0x1.73419a35ab8b3p+0)}},  // a root that is almost a double
      {"sqrt.rn.f64 %0, %1;", d(0x1.6A09E667F3BCDp+0), {d(2)}},
      {"sqrt.rn.f32 %0, %1;", fb(f32_nan), {f(-1)}},
      {"rcp.approx.ftz.f32 %0, %1;", fb(0x7F800000), {fb(1)}},
      {"sqrt.approx.f32 %0, %1;", f(3), {f(9)}},
      {"rsqrt.approx.f32 %0, %1;", f(0.25F), {f(16)}},
      {"sin.approx.f32 %0, %1;", f(0), {f(0)}},
      {"cos.approx.f32 %0, %1;", f(1), {f(0)}},
      {"lg2.approx.f32 %0, %1;", f(10), {f(1024)}},
      {"ex2.approx.f32 %0, %1;", f(0.125F), {f(-3)}},
      {"ex2.approx.f16x2 %0, %1;", r(0x40003800), {r(0x3C00BC00)}},
      {"ex2.approx.ftz.bf16 %0, %1;", h(0x4000), {h(0x3F80)}},
      {"tanh.approx.f32 %0, %1;", f(1), {f(100)}},
      {"abs.f32 %0, %1;", f(2), {f(-2)}},
      {"abs.bf16x2 %0, %1;", r(0x3F803F80), {r(0xBF803F80)}},
      {"neg.f16x2 %0, %1;", r(0xBC003C00), {r(0x3C00BC00)}},
      {"neg.f64 %0, %1;", d(2), {d(-2)}},
      {"min.f32 %0, %1, %2;", f(1), {fb(f32_nan), f(1)}},
      {"min.NaN.f32 %0, %1, %2;", fb(f32_nan), {fb(f32_nan), f(1)}},
      {"max.f32 %0, %1, %2;", f(0), {fb(0x80000000), f(0)}},
      {"min.f16x2 %0, %1, %2;", r(0x8000BC00), {r(0x0000BC00), r(0x80003C00)}},
      {"max.xorsign.abs.f32 %0, %1, %2;", f(-3), {f(-3), f(2)}},
      {"max.bf16 %0, %1, %2;", h(0x4000), {h(0x3F80), h(0x4000)}},
      {"min.f64 %0, %1, %2;", d(-2), {d(-2), d(5)}},
      {"copysign.f32 %0, %1, %2;", f(-3), {f(-1), f(3)}},
      {"{ .reg .pred p; testp.subnormal.f32 p, %1; selp.u32 %0, 1, 0, p; }", r(1), {fb(5)}},
      // --- comparisons, moves, conversions
      {"{ .reg .pred p, q; setp.lt.s32 p|q, %1, %2; selp.u32 %0, 1, 2, q; }", r(2), {r(0xFFFFFFFF), r(1)}},
      {"{ .reg .pred p; setp.lo.u32 p, %1, %2; selp.u32 %0, 1, 2, p; }", r(2), {r(0xFFFFFFFF), r(1)}},
      {"{ .reg .pred p; setp.ltu.f32 p, %1, %2; selp.u32 %0, 1, 2, p; }", r(1), {fb(f32_nan), f(1)}},
      {"{ .reg .pred p; setp.ge.f32 p, %1, %2; selp.u32 %0, 1, 2, p; }", r(2), {fb(f32_nan), f(1)}},
      {"{ .reg .pred p; setp.num.f64 p, %1, %2; selp.u32 %0, 1, 2, p; }", r(1), {d(0), d(1)}},
      {"{ .reg .pred p, q; setp.ne.u32 q, 0, 1; setp.gt.and.u32 p, %1, %2, !q; selp.u32 %0, 1, 2, p; }",
       r(2),
       {r(5), r(1)}},
      {"{ .reg .pred p, q; setp.lt.f16x2 p|q, %1, %2; selp.u32 %0, 1, 0, p; @q add.u32 %0, %0, 2; }",
       r(1),
       {r(0x40003C00), r(0x3C004000)}},
      {"set.le.u32.f32 %0, %1, %2;", r(0xFFFFFFFF), {f(1), f(1)}},
      {"set.gt.f32.s32 %0, %1, %2;", f(1), {r(1), r(0xFFFFFFFF)}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; set.eq.xor.s32.u32 %0, %1, %2, p; }", r(0), {r(3), r(3)}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; selp.f64 %0, %1, %2, p; }", d(1), {d(1), d(2)}},
      {"slct.u32.s32 %0, %1, %2, %3;", r(2), {r(1), r(2), r(0xFFFFFFFF)}},
      {"slct.f32.f32 %0, %1, %2, %3;", f(1), {f(1), f(2), fb(0x80000000)}},
      {"mov.b64 %0, {%1, %2};", l(0x0000000200000001), {r(1), r(2)}},
      {"{ .reg .b16 x, y; mov.b32 {x, y}, %1; mov.b32 %0, {y, x}; }", r(0x56781234), {r(0x12345678)}},
      {"mov.f32 %0, 0f3FC00000;", f(1.5F), {}},
      {"mov.f32 %0, 1.5;", f(1.5F), {}},
      {"mov.f64 %0, 0d3FF8000000000000;", d(1.5), {}},
      {"mov.u32 %0, -1;", r(0xFFFFFFFF), {}},
      {"mov.u32 %0, 0b101;", r(5), {}},
      {"cvt.u32.u16 %0, %1;", r(0xFFFF), {h(0xFFFF)}},
      {"cvt.s32.s8 %0, %1;", r(0xFFFFFFFF), {r(0x1FF)}},
      {"cvt.sat.u8.s32 %0, %1;", r(255), {r(300)}},
      {"cvt.sat.s8.s32 %0, %1;", r(0xFFFFFF80), {r(0xFFFFFE00)}},
      {"cvt.u64.u32 %0, %1;", l(0xFFFFFFFF), {r(0xFFFFFFFF)}},
      {"cvt.u16.u32 %0, %1;", h(0x5678), {r(0x12345678)}},
      {"cvt.rn.f32.s32 %0, %1;", f(-16777216), {r(0xFEFFFFFF)}},
      {"cvt.rz.f32.u32 %0, %1;", fb(0x4F7FFFFF), {r(0xFFFFFFFF)}},
      {"cvt.rn.f64.u64 %0, %1;", d(18446744073709551616.0), {l(~0ULL)}},
      {"cvt.rn.f16.s32 %0, %1;", h(0x7C00), {r(100000)}},
      {"cvt.rni.s32.f32 %0, %1;", r(2), {f(2.5F)}},
      {"cvt.rzi.s32.f32 %0, %1;", r(0xFFFFFFFE), {f(-2.75F)}},
      {"cvt.rmi.s32.f32 %0, %1;", r(0xFFFFFFFD), {f(-2.25F)}},
      {"cvt.rpi.u32.f32 %0, %1;", r(3), {f(2.25F)}},
      {"cvt.rzi.u32.f32 %0, %1;", r(0), {f(-5)}},
      {"cvt.rzi.s32.f32 %0, %1;", r(0x7FFFFFFF), {f(1e20F)}},
      {"cvt.rzi.s32.f32 %0, %1;", r(0), {fb(f32_nan)}},
      {"cvt.rzi.s64.f32 %0, %1;", l(1ULL << 63), {fb(f32_nan)}},
      {"cvt.rzi.s32.f64 %0, %1;", r(0x80000000), {d(__builtin_nan(""))}},
      {"cvt.rn.f16.f32 %0, %1;", h(0x3C00), {fb(0x3F801000)}},
      {"cvt.rp.f16.f32 %0, %1;", h(0x3C01), {fb(0x3F800001)}},
      {"cvt.rn.relu.bf16.f32 %0, %1;", h(0), {f(-1)}},
      {"cvt.rn.bf16.f32 %0, %1;", h(0x3F80), {fb(0x3F808000)}},
      {"cvt.rz.bf16.f32 %0, %1;", h(0x3F80), {fb(0x3F80FFFF)}},
      {"cvt.rp.bf16.f32 %0, %1;", h(0x3F81), {fb(0x3F800001)}},
      {"cvt.rn.sat.bf16.f32 %0, %1;", h(0x3F80), {f(7)}},
      {"cvt.rn.bf16.f16 %0, %1;", h(0x3F80), {h(0x3C00)}},
      {"cvt.rn.f32.f64 %0, %1;", f(0.1F), {d(0.1)}},
      {"cvt.f32.f16 %0, %1;", f(1.5F), {h(0x3E00)}},
      {"cvt.f32.bf16 %0, %1;", f(1.5F), {h(0x3FC0)}},
      {"cvt.f64.f32 %0, %1;", d(1.5), {f(1.5F)}},
      {"cvt.sat.f32.f32 %0, %1;", f(0), {f(-4)}},
      {"cvt.f64.f64 %0, %1;", d(1.25), {d(1.25)}},
      {"cvt.rni.f16.f16 %0, %1;", h(0x4000), {h(0x4100)}},
      {"cvt.rzi.bf16.bf16 %0, %1;", h(0x4000), {h(0x4030)}},
      {"cvt.rmi.f32.f32 %0, %1;", f(-3), {f(-2.5F)}},
      {"cvt.rpi.f32.f32 %0, %1;", fb(0x80000000), {f(-0.5F)}},
      {"cvt.rni.f64.f64 %0, %1;", d(-4), {d(-3.5)}},
      {"cvt.rn.f16.bf16 %0, %1;", h(0x7C00), {h(0x7F00)}},
      {"cvt.rn.bf16x2.f32 %0, %1, %2;", r(0x3F804000), {f(1), f(2)}},
      {"cvt.rn.relu.f16x2.f32 %0, %1, %2;", r(0x00004000), {f(-1), f(2)}},
      {"cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;", h(0x387E), {f(1), f(1000)}},
      {"cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;", h(0x3CFB), {f(1), f(-1e6F)}},
      {"cvt.rn.satfinite.e4m3x2.f16x2 %0, %1;", h(0x38B8), {r(0x3C00BC00)}},
      {"cvt.rn.f16x2.e4m3x2 %0, %1;", r(0x3C00BC00), {h(0x38B8)}},
      {"cvt.rn.f16x2.e5m2x2 %0, %1;", r(0x3C00FC00), {h(0x3CFC)}},
      {"cvt.rn.satfinite.f16x2.f32 %0, %1, %2;", r(0x7BFFFBFF), {f(1e30F), fb(0xFF800000)}},
      {"cvt.rz.satfinite.bf16.f32 %0, %1;", h(0x7F7F), {fb(0x7F800000)}},
      {"cvt.pack.sat.s8.s32.b32 %0, %1, %2, %3;", r(0x1234807F), {r(0xFFFFFF00), r(300), r(0xABCD1234)}},
      {"cvt.pack.sat.u16.s32 %0, %1, %2;", r(0xFFFF0000), {r(0x10000), r(0xFFFFFFFF)}},
      {"cvt.rna.tf32.f32 %0, %1;", fb(0x3F802000), {fb(0x3F801000)}},
      {"cvt.rn.tf32.f32 %0, %1;", fb(0x3F800000), {fb(0x3F801000)}},
      // --- control
      {"{ mov.u32 %0, 1; bra OUT; mov.u32 %0, 2; OUT: }", r(1), {}},
      {"{ .reg .pred p; setp.eq.u32 p, %1, 5; mov.u32 %0, 1; @!p bra OUT; mov.u32 %0, 2; OUT: }",
       r(2),
       {r(5)}},
      {"mov.u32 %0, 3; nano"
       "sleep.u32 20; pmevent 1;",
       r(3),
       {}},
      {"mov.u32 %0, 3; fence.proxy.async; fence.acq_rel.gpu; membar.gl; "
       "fence.proxy.tensormap::generic.release.gpu; "
       "fence.proxy.tensormap::generic.acquire.gpu [1024], 128; fence.mbarrier_init.release.cluster;",
       r(3),
       {}},
      {"mov.u32 %0, 4; wgmma.fence.sync.aligned; wgmma.wait_group.sync.aligned 0; "
       "setmaxnreg.inc.sync.aligned.u32 240; "
       "griddepcontrol.wait;",
       r(4),
       {}},
      // --- special registers of the first thread of one
      {"mov.u32 %0, %%ntid.x;", r(1), {}},
      {"mov.u32 %0, %%lanemask_ge;", r(0xFFFFFFFF), {}},
      {"mov.u32 %0, %%lanemask_gt;", r(0xFFFFFFFE), {}},
      {"mov.u32 %0, WARP_SZ;", r(32), {}},
      // --- memory: 1024 is dynamic shared memory
      {"{ .reg .u32 a; mov.u32 a, 1024; st.shared.u8 [a+3], %1; ld.shared.s8 %0, [a+3]; }",
       r(0xFFFFFF80),
       {r(0x80)}},
      {"st.shared.v2.u32 [1024], {%1, %2}; ld.volatile.shared.u32 %0, [1024+4];", r(6), {r(5), r(6)}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.f64 [a], %1; ld.relaxed.cta.f64 %0, [a]; }",
       d(2.5),
       {d(2.5)}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; cvta.to.shared.u64 %0, a; }", l(1040), {}},
      {"{ .reg .u64 a; .reg .pred p; cvta.shared.u64 a, 1040; isspacep.shared p, a; selp.u32 %0, 1, 0, p; }",
       r(1),
       {}},
      {"{ .reg .u64 c; createpolicy.fractional.L2::evict_last.b64 c, 1.0; mov.u32 %0, 9; prefetch.global.L2 "
       "[c]; "
       "prefetchu.L1 [c]; prefetch.tensormap [c]; applypriority.global.L2::evict_normal [c], 128; "
       "discard.global.L2 [c], 128; "
       "prefetch.global.L2::evict_last [c]; }",
       r(9),
       {}},
      {"mapa.shared::cluster.u32 %0, %1, 0;", r(1040), {r(1040)}},
      {"getctarank.shared::cluster.u32 %0, %1;", r(0), {r(1040)}},
      {"st.shared.release.cta.b32 [1024], 6; ld.shared.acquire.cta.b32 %0, [1024];", r(6), {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.global.gpu.b32 [a], 6; ld.global.sys.b32 %0, [a]; }",
       r(6),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.global.release.gpu.b32 [a], 6; ld.cg.global.b32 %0, [a]; "
       "}",
       r(6),
       {}},
      {"st.shared.u32 [1024], 6; red.add.release.cta.shared.u32 [1024], 2; "
       "atom.add.acq_rel.cta.shared::cta.s32 %0, "
       "[1024], 9;",
       r(8),
       {}},
      {"{ .reg .pred p; mov.u32 %0, 0; LAB_%=: add.u32 %0, %0, 1; setp.lt.u32 p, %0, 4; @p bra LAB_%=; }",
       r(4),
       {}},
      {"st.shared.u32 [1024], 6; atom.shared.and.b32 %0, [1024], 3; ld.shared.u32 %0, [1024];", r(2), {}},
      {"st.shared.u32 [1024], 6; atom.shared.exch.b32 %0, [1024], 3;", r(6), {}},
      {"st.shared.u32 [1024], 6; atom.shared.cas.b32 %0, [1024], 6, 8; ld.shared.u32 %0, [1024];", r(8), {}},
      {"st.shared.f32 [1024], 1.5; atom.shared.add.f32 %0, [1024], %1; ld.shared.f32 %0, [1024];",
       f(4),
       {f(2.5F)}},
      {"st.shared.u32 [1024], 0x3C003C00; atom.shared.add.noftz.f16x2 %0, [1024], %1; ld.shared.u32 %0, "
       "[1024];",
       r(0x40004200),
       {r(0x3C004000)}},
      {"st.shared.u32 [1024], 6; atom.shared.inc.u32 %0, [1024], 6; ld.shared.u32 %0, [1024];", r(0), {}},
      {"st.shared.s32 [1024], -6; atom.shared.max.s32 %0, [1024], 3; ld.shared.u32 %0, [1024];", r(3), {}},
      {"st.shared.u32 [1024], 6; red.shared.or.b32 [1024], 9; ld.shared.u32 %0, [1024];", r(15), {}},
      {"st.shared.u32 [1024], 6; red.release.cta.shared.add.u32 [1024], 9; ld.shared.u32 %0, [1024];",
       r(15),
       {}},
      {"st.shared.u32 [1024], 0x3F803F80; red.shared.add.noftz.bf16x2 [1024], %1; ld.shared.u32 %0, [1024];",
       r(0x40004040),
       {r(0x3F804000)}},
      {"st.shared.u32 [1024], 0; red.shared.dec.u32 [1024], 9; ld.shared.u32 %0, [1024];", r(9), {}},
      {"st.shared.u32 [1024], 6; red.shared.min.u32 [1024], 9; ld.shared.u32 %0, [1024];", r(6), {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.v2.f32 [a], {%1, %1}; red.global.add.v2.f32 [a], {%1, "
       "%2}; ld.f32 %0, [a+4]; }",
       f(3),
       {f(1), f(2)}},
      {"{ .reg .u64 a; .reg .b16 x; cvta.shared.u64 a, 1040; mov.b16 x, 0x3C00; st.v2.b16 [a], {x, x}; "
       "red.global.add.noftz.v2.f16 [a], {x, x}; ld.u32 %0, [a]; }",
       r(0x40004000),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.v2.u32 [a], {%1, %1}; red.global.add.noftz.v2.f16x2 [a], "
       "{%1, %1}; "
       "ld.u32 %0, [a+4]; }",
       r(0x40004000),
       {r(0x3C003C00)}},
      // --- copies, barriers
      {"{ .reg .u64 a; .reg .u32 x, y; cvta.shared.u64 a, 1040; st.shared.v4.u32 [1040], {1, 2, 3, 4}; "
       "cp.async.cg.shared.global [1056], [a], 16, 8; st.shared.u32 [1060], 7; st.shared.u32 [1064], 7; "
       "cp.async.commit_group; cp.async.wait_group 0; ld.shared.v2.u32 {x, y}, [1064]; ld.shared.u32 %0, "
       "[1060]; "
       "mad.lo.u32 %0, x, 10, %0; mad.lo.u32 %0, y, 10, %0; }",
       r(2),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.shared.u32 [1040], 5; st.shared.u32 [1056], 7; "
       "cp.async.ca.shared.global [1056], [a], 4; cp.async.wait_group 0; ld.shared.u32 %0, [1056]; }",
       r(7),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.shared.u32 [1040], 5; cp.async.ca.shared.global [1056], "
       "[a], 4; "
       "cp.async.wait_all; ld.shared.u32 %0, [1056]; }",
       r(5),
       {}},
      {"{ .reg .u64 a; .reg .pred p; cvta.shared.u64 a, 1040; st.shared.u32 [1040], 5; "
       "cp.async.ca.shared.global [1056], [a], 4; "
       "mbarrier.init.shared.b64 [1024], 1; cp.async.mbarrier.arrive.noinc.shared.b64 [1024]; "
       "mbarrier.test_wait.parity.shared.b64 p, [1024], 0; ld.shared.u32 %0, [1056]; @!p mov.u32 %0, 99; "
       "mbarrier.inval.shared.b64 [1024]; }",
       r(5),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.shared.u32 [1040], 5; "
       "cp.async.bulk.global.shared::cta.bulk_group [a+32], [1040], 16; cp.async.bulk.commit_group; "
       "cp.async.bulk.wait_group.read 0; ld.shared.u32 %0, [1072]; }",
       r(5),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.shared.v4.u32 [1040], {5, 6, 7, 8}; "
       "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [a], [1040], 16; "
       "cp.async.bulk.commit_group; "
       "cp.async.bulk.wait_group 0; ld.shared.u32 %0, [1048]; }",
       r(14),
       {}},
      {"{ .reg .u64 a; cvta.shared.u64 a, 1040; st.shared.v2.u32 [1040], {0x3C003C00, 0x3C003C00}; "
       "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.noftz.f16 [a], [1040], 16; "
       "cp.async.bulk.commit_group; "
       "cp.async.bulk.wait_group 0; ld.shared.u32 %0, [1044]; cp.async.bulk.prefetch.L2.global [a], 16; }",
       r(0x40004000),
       {}},
      {"{ .reg .pred p; mbarrier.init.shared.b64 [1024], 1; st.shared.u32 [1040], 5; "
       "mbarrier.arrive.expect_tx.shared.b64 _, [1024], 16; "
       "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [1056], [1040], 16, [1024]; "
       "mbarrier.try_wait.parity.shared.b64 p, [1024], 0; ld.shared.u32 %0, [1056]; @!p mov.u32 %0, 99; }",
       r(5),
       {}},
      {"{ .reg .b64 s; .reg .pred p; mbarrier.init.shared.b64 [1024], 3; mbarrier.arrive.shared.b64 s, "
       "[1024]; "
       "mbarrier.pending_count.b64 %0, s; mbarrier.arrive_drop.shared.b64 s, [1024]; "
       "mbarrier.arrive.noComplete.shared.b64 _, [1024], 1; "
       "mbarrier.test_wait.shared.b64 p, [1024], s; @!p mov.u32 %0, 99; }",
       r(3),
       {}},
      {"{ .reg .b64 s; .reg .pred p, q; mbarrier.init.shared.b64 [1024], 2; mbarrier.expect_tx.shared.b64 "
       "[1024], 8; "
       "mbarrier.arrive.shared.b64 s, [1024]; mbarrier.arrive_drop.expect_tx.shared.b64 _, [1024], 8; "
       "mbarrier.complete_tx.relaxed.cta.shared.b64 [1024], 15; mbarrier.complete_tx.shared.b64 [1024], 1; "
       "mbarrier.test_wait.shared.b64 p, [1024], s; mbarrier.arrive.shared.b64 s, [1024]; "
       "mbarrier.test_wait.shared.b64 q, [1024], s; selp.u32 %0, 1, 0, p; @q add.u32 %0, %0, 2; }",
       r(3),
       {}},
      {"bar.sync 0; barrier.cta.sync.aligned 1; barrier.cluster.arrive.aligned; "
       "barrier.cluster.wait.aligned; mov.u32 %0, 1;",
       r(1),
       {}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; bar.red.popc.u32 %0, 2, p; }", r(1), {}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; bar.red.and.pred p, 2, !p; selp.u32 %0, 1, 0, p; }", r(0), {}},
      // --- a warp of one lane
      {"bar.warp.sync 1; activemask.b32 %0;", r(1), {}},
      {"shfl.sync.idx.b32 %0, %1, 0, 0x1f, 1;", r(7), {r(7)}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; vote.sync.uni.pred p, p, 1; selp.u32 %0, 1, 0, p; }", r(1), {}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; vote.sync.ballot.b32 %0, !p, 1; }", r(0), {}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 1; vote.ballot.sync.b32 %0, p, 1; }", r(1), {}},
      {"{ .reg .pred p; setp.eq.u32 p, 1, 2; vote.all.sync.pred p, p, 1; selp.u32 %0, 1, 0, p; }", r(0), {}},
      {"match.any.sync.b64 %0, %1, 1;", r(1), {l(5)}},
      {"{ .reg .pred p; .reg .b32 x; match.all.sync.b32 x|p, %1, 1; selp.b32 %0, x, 9, p; }", r(1), {r(5)}},
      {"redux.sync.add.s32 %0, %1, 1;", r(5), {r(5)}},
      {"redux.sync.xor.b32 %0, %1, 1;", r(5), {r(5)}},
      {"{ .reg .pred p; .reg .b32 x; elect.sync x|p, 1; selp.b32 %0, x, 9, p; }", r(0), {}},
  };
  return all;
}

// Rows that need a warp or more: programs/ptx.cu, async.cu and the cases below run them.
const std::set<std::string> of_programs = {"ldmatrix",
                                           "stmatrix",
                                           "movmatrix",
                                           "mma",
                                           "wgmma",
                                           "cp.async.bulk.tensor",
                                           "cp.async.bulk.prefetch.tensor",
                                           "bar.arrive",
                                           "bar.sync with a count",
                                           "cp.async.bulk.{shared",
                                           "{bar|barrier}[.cta].arrive",
                                           "exit",
                                           "ret",
                                           "{trap"};

std::uint64_t low_bits(std::uint64_t x, int bits) {
  return bits == 64 ? x : x & ((std::uint64_t{1} << bits) - 1);
}

// --- MPFR ------------------------------------------------------------------------------------------------------------

struct Real {
  mpfr_t x;
  explicit Real(int precision) { mpfr_init2(x, precision); }
  ~Real() { mpfr_clear(x); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
};
mpfr_rnd_t mpfr_rounding(const std::string& name) {
  return name == "rn" ? MPFR_RNDN : name == "rz" ? MPFR_RNDZ : name == "rm" ? MPFR_RNDD : MPFR_RNDU;
}
double value_of(const FormatSpec& format, std::uint64_t code) {
  const int fraction = format.precision - 1;
  const auto binade = static_cast<int>((code & format.magnitude_mask()) >> fraction);
  const auto significand = static_cast<double>((code & ((std::uint64_t{1} << fraction) - 1)) |
                                               (binade == 0 ? 0 : std::uint64_t{1} << fraction));
  const double magnitude = std::ldexp(significand, (binade == 0 ? 1 : binade) - 1 + format.emin - fraction);
  return (code & format.sign_code()) != 0 ? -magnitude : magnitude;
}
// The code of what MPFR rounded into the format's range.
std::uint64_t code_of(const FormatSpec& format, mpfr_t x) {
  const std::uint64_t sign = mpfr_signbit(x) != 0 ? format.sign_code() : 0;
  if (mpfr_inf_p(x) != 0) return sign | format.infinity_code();
  if (mpfr_zero_p(x) != 0) return sign;
  const double magnitude = std::fabs(mpfr_get_d(x, MPFR_RNDN));
  int e = 0;
  std::frexp(magnitude, &e);
  const int fraction = format.precision - 1, exponent = std::max(e - 1, format.emin);
  const auto significand = static_cast<std::uint64_t>(std::ldexp(magnitude, fraction - exponent));
  return sign | ((static_cast<std::uint64_t>(exponent - format.emin) << fraction) + significand);
}

}  // namespace

BOOST_AUTO_TEST_CASE(lines_have_the_values_of_the_manual) {
  for (const Line& line : lines()) {
    const std::uint64_t got = result_of(line.text, line.expected.type, line.inputs);
    BOOST_TEST(got == line.expected.bits,
               line.text << ": " << std::hex << got << ", expected " << line.expected.bits);
  }
}

// Every row of the table has a line, or is a program's.
BOOST_AUTO_TEST_CASE(every_form_has_a_line) {
  std::set<std::string> opcodes;
  for (const Line& line : lines()) {
    std::string word;
    for (const char* c = line.text;; ++c) {
      if (std::isalnum(static_cast<unsigned char>(*c)) != 0 || *c == '.' || *c == '_' || *c == ':') {
        word += *c;
        continue;
      }
      opcodes.insert(word);
      word.clear();
      if (*c == 0) break;
    }
  }
  for (const PtxForm& form : ptx_forms()) {
    const std::string pattern(form.pattern);
    const bool has = std::any_of(opcodes.begin(), opcodes.end(),
                                 [&](const std::string& o) { return is_ptx_opcode(pattern, o); }) ||
                     std::any_of(of_programs.begin(), of_programs.end(),
                                 [&](const std::string& p) { return pattern.rfind(p, 0) == 0; });
    BOOST_TEST(has, pattern << " has no line");
  }
}

// Every alternative of every group is read, with operands of the widths that its types have.
BOOST_AUTO_TEST_CASE(every_alternative_is_read) {
  std::size_t count = 0;
  for (const PtxForm& form : ptx_forms()) {
    for (const std::string& opcode : ptx_opcodes(form.pattern)) {
      BOOST_TEST(is_ptx_opcode(form.pattern, opcode), opcode);
      ++count;
      // A letter more is another instruction.
      BOOST_TEST(!is_ptx_opcode(form.pattern, opcode + "x"));
    }
  }
  BOOST_TEST(count > 800);
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_named) {
  const auto found = [](const std::string& text, const std::string& part,
                        std::vector<Value> values = {r(0), r(0)}) {
    const std::string error = error_of(text, std::move(values));
    BOOST_TEST(error.find(part) != std::string::npos, text << ": " << error);
  };
  found("frobnicate.u32 %0, %1;", "an instruction of the PTX table | \"frobnicate.u32\"");
  found("tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%0], 32;",
        "\"tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32\"");
  found("add.u128 %0, %1, %1;", "\"add.u128\"");
  found("cvt.f16.f32 %0, %1;", "\"cvt.f16.f32\"");  // a rounding is missing
  found("cpuid", "an instruction of the PTX table | \"cpuid\"");
  found("rdtsc;", "\"rdtsc\"");
  found("mov %0, %1;", "\"mov\"");
  found("add.u32 %0, %1;", "the operands of add.u32 | 2 operands");
  found("add.u32 %0, %1, %2;", "an operand of the statement, %0 to %1");
  found("add.u64 %0, %1, %1;", "a register of 32 bits for 64 as operand 1");
  found("add.u32 %1, %0, %0;", "%1, which is no output");
  found("add.u32 %0, %1, p;", "\"p\"");
  found("{ .reg .pred p; add.u32 %0, %1, p; }", "a predicate as operand 3");
  found("selp.u32 %0, %1, %1, %1;", "no predicate as operand 4");
  found("add.u32 %0, %1, %%nosuch;", "a special register of the PTX table | \"%nosuch\"");
  found("bra NOWHERE;", "a label of the statement | \"NOWHERE\"");
  found("{ A: A: }", "a label once");
  found("{ .reg .u32 a, a; }", "a register once");
  found("{ mov.u32 %0, 1;", "what closes");
  found("mov.u32 %0, 1; }", "an instruction");
  found("mov.u32 %0, 1", "; after an instruction");
  found(".reg .u99 a;", "a type of a register");
  found("mov.u32 %0, 99999999999999999999;", "a constant of 64 bits");
  found("mov.u32 %0, 0f123;", "8 or 16 hexadecimal digits");
  found("ld.global.u32 %0, %1;", "no address");
  found("ld.global.v4.u32 {%0, %0}, [%1];", "2 elements");
  found("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0}, {%1}, {%1}, {%1};", "1 registers, not 4");
  found("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %0}, [%1];", "2 registers, not 4");
  found("wgmma.mma_async.sync.aligned.m64n12k16.f32.bf16.bf16 {%0}, %1, %1, 1, 1, 1, 0, 0;",
        "\"wgmma.mma_async.sync.aligned.m64n12k16.f32.bf16.bf16\"");
  found("vadd.u32.u32.u32.add %0, %1.b4, %1, %1;", "no byte and no half of a register as operand 2");
  found("vadd.u32.u32.u32.add %0.b0, %1, %1, %1;", "a part of a register as operand 1");
  found("vadd4.u32.u32.u32 %0, %1.b10, %1, %1;", "no bytes of a register as operand 2");
  found("vadd4.u32.u32.u32 %0.b01, %1, %1, %1;", "no bytes of a register as operand 1");
  found("vadd2.u32.u32.u32 %0.h10, %1.h40, %1, %1;", "no halves of a register as operand 2");
  found("vadd2.u32.u32.u32.sat.add %0, %1, %1, %1;", "\"vadd2.u32.u32.u32.sat.add\"");
  found("vmad.u32.u32.u32 %0, -%1, %1, -%1;", "both negated");
  found("add.u32 %0, %1.b0, %1;", "a part of a register as operand 2");
  found("add.u32 %0, -%1, %1;", "a negated register as operand 2");
  found("add.u32 %0, %1.x, %1;", "bytes or halves");
  found("\x01", "an instruction of the PTX table");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_ends_the_block) {
  const auto failure = [](const std::string& text, unsigned threads = 1) {
    PtxError error;
    const auto program = parse_ptx(text, nullptr, 0, error);
    BOOST_REQUIRE_MESSAGE(program != nullptr, text << error.expected << error.found);
    return launch(1, threads, 4096, [&] { run_ptx(*program, nullptr, 0); });
  };
  const auto fails = [&](const std::string& text, const std::string& part) {
    const std::string why = failure(text);
    BOOST_TEST(why.find(part) != std::string::npos, text << ": " << why);
  };
  fails("trap;", "trap");
  fails("{ .reg .u32 x; ld.shared.u32 x, [0x7fffff00]; }", "not in shared memory");
  fails("{ .reg .u32 x; ld.shared.u32 x, [1026]; }", "not a multiple of 4");
  fails("{ .reg .u64 a; cvta.shared.u64 a, 1024; cp.async.cg.shared.global [1040], [a], 8; }",
        "cp.async.cg of 8 bytes");
  fails("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [1024], 0; }", "not initialised");
  fails("mbarrier.init.shared.b64 [1024], 0;", "0 arrivals");
  fails("{ .reg .b64 s; mbarrier.init.shared.b64 [1024], 1; mbarrier.arrive.shared.b64 s, [1024], 2; }",
        "more arrivals");
  fails("bar.sync 16;", "barrier 16");
  fails("bar.sync 1, 31;", "not whole warps");
  fails("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {_}, [1024];", "all 32 lanes");
  BOOST_TEST(failure("exit; trap;", 32) == "");
  BOOST_TEST(failure("ret; trap;", 32) == "");
  // Exits count as arrived.
  BOOST_TEST(
      failure("{ .reg .pred p; .reg .u32 t; mov.u32 t, %tid.x; setp.lt.u32 p, t, 7; @p exit; bar.sync 0; }",
              64) == "");
}

// In all four directions, for operands that are hard: near each other, near the ends of the range, subnormal.
BOOST_AUTO_TEST_CASE(rounding_is_that_of_mpfr) {
  Random random(5);
  const mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
  struct Kind {
    const FormatSpec* format;
    char type;
    const char* name;
    bool directed;
  };
  const Kind kinds[] = {{&formats::float32, 'f', "f32", true},
                        {&formats::float64, 'd', "f64", true},
                        {&formats::float16, 'h', "f16", false},
                        {&formats::bfloat16, 'h', "bf16", false}};
  int checked = 0, wrong = 0;
  std::string first;
  for (const Kind& kind : kinds) {
    const FormatSpec& format = *kind.format;
    const auto code = [&](std::uint64_t like) {
      const std::uint64_t bits = random.next64();
      std::uint64_t x = low_bits(bits, format.bits);
      if (bits % 5 == 1) x &= format.sign_code() | ((std::uint64_t{1} << (format.precision + 1)) - 1);
      if (bits % 5 == 2) x = like ^ (bits >> 60) ^ (bits >> 59 & 1) * format.sign_code();
      if (bits % 5 == 3)
        x = (x & ~(format.magnitude_mask() ^ (format.min_normal_code() - 1))) |
            ((std::uint64_t{1} << (format.bits - 2)) - format.min_normal_code() * (bits >> 58 & 3));
      return format.is_finite(x) ? x : std::uint64_t{0};
    };
    for (const char* const op : {"add", "sub", "mul", "fma", "div", "rcp", "sqrt"}) {
      const std::string name = op;
      const bool divides = name == "div" || name == "rcp" || name == "sqrt";
      if (divides && !kind.directed) continue;
      for (const char* const direction : {"rn", "rz", "rm", "rp"}) {
        const std::string rounding = direction;
        if (!kind.directed && rounding != "rn") continue;
        const int arguments = name == "fma" ? 3 : name == "rcp" || name == "sqrt" ? 1 : 2;
        std::string text = name + "." + rounding + "." + kind.name + " %0";
        for (int k = 1; k <= arguments; ++k) text += ", %" + std::to_string(k);
        std::vector<Value> values(static_cast<std::size_t>(arguments) + 1, Value{kind.type, 0});
        const auto operands = operands_of(values, 1);
        PtxError error;
        const auto program = parse_ptx(text + ";", operands.data(), operands.size(), error);
        BOOST_REQUIRE_MESSAGE(program != nullptr, text);
        std::vector<std::array<std::uint64_t, 4>> cases(400);
        for (auto& one : cases) {
          one[1] = code(0);
          one[2] = code(one[1]);
          one[3] = code(one[2]);
          if (name == "sqrt") one[1] &= format.magnitude_mask();
          if (divides) {
            std::uint64_t& divisor = one[name == "div" ? 2 : 1];
            if ((divisor & format.magnitude_mask()) == 0) divisor = 1;
          }
        }
        const std::string why = launch(1, 1, 0, [&] {
          for (auto& one : cases) {
            for (std::size_t k = 1; k < values.size(); ++k) values[k].bits = one[k];
            run_ptx(*program, operands.data(), operands.size());
            one[0] = low_bits(values[0].bits, format.bits);
          }
        });
        BOOST_TEST(why == "");
        const mpfr_rnd_t mode = mpfr_rounding(rounding);
        mpfr_set_emin(format.emin - format.precision + 2);
        mpfr_set_emax(format.emax() + 1);
        for (const auto& one : cases) {
          Real a(format.precision), b(format.precision), c(format.precision), x(format.precision);
          mpfr_set_d(a.x, value_of(format, one[1]), MPFR_RNDN);
          mpfr_set_d(b.x, value_of(format, one[2]), MPFR_RNDN);
          mpfr_set_d(c.x, value_of(format, one[3]), MPFR_RNDN);
          int ternary = 0;
          if (name == "add") ternary = mpfr_add(x.x, a.x, b.x, mode);
          if (name == "sub") ternary = mpfr_sub(x.x, a.x, b.x, mode);
          if (name == "mul") ternary = mpfr_mul(x.x, a.x, b.x, mode);
          if (name == "fma") ternary = mpfr_fma(x.x, a.x, b.x, c.x, mode);
          if (name == "div") ternary = mpfr_div(x.x, a.x, b.x, mode);
          if (name == "rcp") ternary = mpfr_ui_div(x.x, 1, a.x, mode);
          if (name == "sqrt") ternary = mpfr_sqrt(x.x, a.x, mode);
          mpfr_subnormalize(x.x, ternary, mode);
          const std::uint64_t expected = code_of(format, x.x);
          ++checked;
          if (one[0] != expected && ++wrong == 1) {
            char line[200];
            std::snprintf(line, sizeof line, "%s %llx %llx %llx: %llx, not %llx", text.c_str(),
                          static_cast<unsigned long long>(one[1]), static_cast<unsigned long long>(one[2]),
                          static_cast<unsigned long long>(one[3]), static_cast<unsigned long long>(one[0]),
                          static_cast<unsigned long long>(expected));
            first = line;
          }
        }
        mpfr_set_emin(emin);
        mpfr_set_emax(emax);
      }
    }
  }
  BOOST_TEST(wrong == 0, wrong << " of " << checked << ", first " << first);
  BOOST_TEST(checked > 20000);
}

// Warp operations over 32 lanes, against loops.
BOOST_AUTO_TEST_CASE(shuffles_and_votes_of_a_warp) {
  const std::string text =
      "{ .reg .pred p; .reg .b32 x; shfl.sync.up.b32 x|p, %1, 3, 0x1000, -1; selp.b32 %0, x, 777, p; "
      "shfl.sync.down.b32 x|p, %1, 3, 0x181f, -1; @p mad.lo.u32 %0, x, 1000, %0; "
      "shfl.sync.bfly.b32 x, %1, 5, 0x1f, -1; mad.lo.u32 %0, x, 1000000, %0; "
      "redux.sync.max.s32 %2, %1, -1; setp.gt.u32 p, %1, 130; vote.sync.ballot.b32 %3, p, -1; }";
  std::array<std::array<std::uint64_t, 4>, 32> lanes{};
  PtxError error;
  std::vector<Value> types(4, r(0));
  auto shape = operands_of(types, 4);
  shape[1].writes = false;
  const auto program = parse_ptx(text, shape.data(), shape.size(), error);
  BOOST_REQUIRE_MESSAGE(program != nullptr, error.expected << error.found);
  const std::string why = launch(1, 32, 0, [&] {
    auto& mine = lanes[threadIdx.x];
    mine[1] = 100 + threadIdx.x;
    auto operands = shape;
    for (std::size_t k = 0; k < 4; ++k) {
      operands[k].value = &mine[k];
      operands[k].reads = k == 1;
    }
    run_ptx(*program, operands.data(), operands.size());
  });
  BOOST_TEST(why == "");
  for (unsigned k = 0; k < 32; ++k) {
    // Segments of 16 for up (mask 0x10, clamp 0), of 8 for down (mask 0x18, clamp 0x1f).
    std::uint64_t expected = k % 16 >= 3 ? 100 + k - 3 : 777;
    if (k % 8 + 3 < 8) expected += 1000 * (100 + k + 3);
    expected += 1000000 * (100 + (k ^ 5));
    BOOST_TEST(lanes[k][0] == expected % (std::uint64_t{1} << 32), k);
    BOOST_TEST(lanes[k][2] == 131U);
    BOOST_TEST(lanes[k][3] == 0x80000000U);
  }
}

// Whatever a GPU's error is, ours is the middle of it: half a unit of the last place, and a little for the double in
// between.
BOOST_AUTO_TEST_CASE(approximations_are_within_half_a_unit) {
  const struct {
    const char* text;
    long double (*exact)(long double);
    float from, to;  // of the argument's magnitude
    bool of_either_sign;
  } functions[] = {
      {"rcp.approx.f32 %0, %1;", [](long double x) { return 1 / x; }, 1e-30F, 1e30F, true},
      {"sqrt.approx.f32 %0, %1;", [](long double x) { return std::sqrt(x); }, 1e-30F, 1e30F, false},
      {"rsqrt.approx.f32 %0, %1;", [](long double x) { return 1 / std::sqrt(x); }, 1e-30F, 1e30F, false},
      {"sin.approx.f32 %0, %1;", [](long double x) { return std::sin(x); }, 1e-6F, 50.0F, true},
      {"cos.approx.f32 %0, %1;", [](long double x) { return std::cos(x); }, 1e-6F, 50.0F, true},
      {"lg2.approx.f32 %0, %1;", [](long double x) { return std::log2(x); }, 1e-30F, 1e30F, false},
      {"ex2.approx.f32 %0, %1;", [](long double x) { return std::exp2(x); }, 1e-6F, 120.0F, true},
      {"tanh.approx.f32 %0, %1;", [](long double x) { return std::tanh(x); }, 1e-6F, 12.0F, true},
      {"div.approx.f32 %0, %1, %2;", nullptr, 1e-15F, 1e15F, true}};
  Random random(3);
  const auto argument = [&](float from, float to, bool of_either_sign) {
    const double u = static_cast<double>(random.next64() >> 11) * 0x1p-53;
    const double x = std::exp(std::log(double{from}) + u * std::log(double{to} / double{from}));
    return static_cast<float>(of_either_sign && random.next64() % 2 == 0 ? -x : x);
  };
  for (const auto& [text, exact, from, to, of_either_sign] : functions) {
    for (int round = 0; round < 500; ++round) {
      const float x = argument(from, to, of_either_sign), y = argument(from, to, of_either_sign);
      std::vector<Value> inputs{f(x)};
      if (exact == nullptr) inputs.push_back(f(y));
      const float got = std::bit_cast<float>(static_cast<std::uint32_t>(result_of(text, 'f', inputs)));
      const long double want = exact == nullptr ? static_cast<long double>(x) / static_cast<long double>(y)
                                                : exact(static_cast<long double>(x));
      const auto nearest = static_cast<float>(want);
      const long double unit = std::fabs(static_cast<long double>(nearest) -
                                         static_cast<long double>(std::nextafter(nearest, 0.0F)));
      const long double error = std::fabs(static_cast<long double>(got) - want);
      BOOST_TEST(error <= unit * 0.5000002L * (std::fabs(nearest) == std::exp2(std::ilogb(nearest)) ? 2 : 1),
                 text << " of " << x << ", " << y << ": " << got << " for " << static_cast<double>(want));
    }
  }
  clear_ptx_notes();
}

BOOST_AUTO_TEST_CASE(notes_name_what_is_not_a_gpus) {
  clear_ptx_notes();
  result_of("add.f32 %0, %1, %1;", 'f', {f(1)});
  BOOST_TEST(ptx_notes().empty());
  result_of("ex2.approx.f32 %0, %1;", 'f', {f(1)});
  result_of("ex2.approx.f32 %0, %1;", 'f', {f(2)});
  BOOST_REQUIRE(ptx_notes().size() == 1U);
  BOOST_TEST(ptx_notes()[0].find("ex2.approx") == 0U);
  clear_ptx_notes();
}

// Texts of any kind are refused or read; none crashes.
BOOST_AUTO_TEST_CASE(any_text_is_refused_or_read) {
  Random random(11);
  std::vector<std::string> words = {
      "{",          "}",  "[",    "]",     ",",    ";",    ":",  "::",   "@",
      "!",          "|",  "%",    "%%",    "%0",   "%1",   "%9", "%[a]", "%%laneid",
      "%tid",       ".x", ".reg", ".pred", ".b32", ".u64", "p",  "q<4>", "q1",
      "<",          ">",  "-",    "+",     "*",    "0",    "1",  "0x",   "0xFFFFFFFFFFFFFFFFF",
      "0f3F800000", "0d", "1.5e", "1e400", "-5",   "_",    "A:", "A",    "bra",
      "//",         "/*", "*/",   "\n",    "\t",   "\\",   "\"", "\xFF", "08",
      "WARP_SZ"};
  for (const PtxForm& form : ptx_forms()) {
    const auto opcodes = ptx_opcodes(form.pattern);
    words.push_back(opcodes.front());
    words.push_back(opcodes.back());
  }
  std::vector<Value> values = {r(0), l(0)};
  const auto operands = operands_of(values, 1);
  std::size_t read = 0, refused = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string text;
    if (round % 3 == 0) {
      // A line with something exchanged.
      text = lines()[random.next64() % lines().size()].text;
      for (int k = 0; k < 2; ++k) {
        const std::size_t at = random.next64() % (text.size() + 1), length = random.next64() % 4;
        text = text.substr(0, at) + words[random.next64() % words.size()] +
               text.substr(std::min(text.size(), at + length));
      }
    } else {
      for (std::uint64_t k = random.next64() % 20; k-- > 0;)
        text += words[random.next64() % words.size()] + (random.next64() % 3 == 0 ? "" : " ");
    }
    PtxError error;
    const auto program = parse_ptx(text, operands.data(), operands.size(), error);
    if (program == nullptr) {
      ++refused;
      if (error.expected.empty() || error.found.empty() || error.offset > text.size())
        BOOST_ERROR("no reason for " << text);
    } else {
      ++read;
    }
  }
  BOOST_TEST(read > 100U);
  BOOST_TEST(refused > 10000U);
  std::string deep(100000, '{');
  BOOST_TEST(error_of(deep, {}) != "");
  BOOST_TEST(error_of("add.u32 %0, " + std::string(100000, '!') + "%1;", {r(0), r(0)}) != "");
}
