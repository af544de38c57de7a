// The video instructions of PTX against plain loops, all types and parts of registers, on numbers by chance and at the
// ends of their ranges.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "emulation/simt/launch.hpp"
#include "emulation/simt/ptx.hpp"
#include "reference/core/random.hpp"

namespace {
using namespace assay;
using namespace assay::simt;
using Number = long long;

const std::array<std::string, 2> types{"u32", "s32"};

// Operands by turns: by chance, and what lies at the ends of bytes, halves and words.
class Operands {
 public:
  std::uint32_t next() {
    constexpr std::array<std::uint32_t, 8> ends{0,          ~0U,        0x80000000, 0x7FFFFFFF,
                                                0x80808080, 0x7F7F7F7F, 0x80008000, 0x00FF7FFF};
    const std::uint64_t random = random_.u64(at_++);
    return random % 3 == 0 ? ends[random >> 8 & 7] : static_cast<std::uint32_t>(random >> 32);
  }
  unsigned below(unsigned n) { return static_cast<unsigned>(random_.u64(at_++) >> 33) % n; }

 private:
  CounterRandom random_{20251};
  std::uint64_t at_ = 0;
};

// Runs a text on %1, %2, %3; %0 is its result.
class Statement {
 public:
  explicit Statement(std::string text) : text_(std::move(text)) {
    for (std::size_t k = 0; k < 4; ++k) {
      operands_[k].value = &values_[k];
      operands_[k].type = 'r';
      operands_[k].bytes = 4;
      operands_[k].reads = k > 0;
      operands_[k].writes = k == 0;
    }
    PtxError error;
    program_ = parse_ptx(text_, operands_.data(), operands_.size(), error);
    BOOST_TEST_REQUIRE(program_ != nullptr,
                       text_ << ": expected " << error.expected << ", found " << error.found);
  }
  // As often as there are operands, in one launch.
  std::vector<std::uint32_t> results(const std::vector<std::array<std::uint32_t, 3>>& all) {
    std::vector<std::uint32_t> out;
    const std::string why = launch(1, 1, 0, [&] {
      for (const auto& [a, b, c] : all) {
        values_ = {0, a, b, c};
        run_ptx(*program_, operands_.data(), operands_.size());
        out.push_back(values_[0]);
      }
    });
    BOOST_TEST(why == "", text_);
    return out;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::array<std::uint32_t, 4> values_{};
  std::array<PtxOperand, 4> operands_{};
  PtxProgramPointer program_{};
};

template <class Expected>
void compare(const std::string& text, Operands& source, const Expected& expected) {
  Statement statement(text);
  std::vector<std::array<std::uint32_t, 3>> all;
  for (int k = 0; k < 24; ++k) all.push_back({source.next(), source.next(), source.next()});
  const auto got = statement.results(all);
  std::size_t wrong = 0, at = 0;
  for (std::size_t k = 0; k < got.size(); ++k) {
    if (got[k] == static_cast<std::uint32_t>(expected(all[k][0], all[k][1], all[k][2]))) continue;
    ++wrong;
    at = k;
  }
  BOOST_TEST(wrong == 0, text << std::hex << ": a " << all[at][0] << " b " << all[at][1] << " c "
                              << all[at][2] << ": " << got[at] << ", expected "
                              << static_cast<std::uint32_t>(expected(all[at][0], all[at][1], all[at][2])));
}

// "", ".b0" ... ".h1"
struct Part {
  std::string text;
  int bits, shift;
};
const std::vector<Part>& parts() {
  static const std::vector<Part> all{{"", 32, 0},    {".b0", 8, 0},  {".b1", 8, 8},  {".b2", 8, 16},
                                     {".b3", 8, 24}, {".h0", 16, 0}, {".h1", 16, 16}};
  return all;
}
Number taken(std::uint32_t x, const Part& part, bool sign) {
  const std::uint64_t size = std::uint64_t{1} << part.bits;
  const std::uint64_t value = (x >> part.shift) % size;
  return sign && value >= size / 2 ? static_cast<Number>(value) - static_cast<Number>(size)
                                   : static_cast<Number>(value);
}
Number saturated(Number x, int bits, bool sign) {
  const Number low = sign ? -(Number{1} << (bits - 1)) : 0, high = low + (Number{1} << bits) - 1;
  return x < low ? low : x > high ? high : x;
}
std::uint32_t merged(Number value, std::uint32_t c, const Part& part) {
  std::uint32_t result = 0;
  for (int bit = 0; bit < 32; ++bit) {
    const bool inside = bit >= part.shift && bit < part.shift + part.bits;
    const bool one = inside ? (value >> (bit - part.shift) & 1) != 0 : (c >> bit & 1) != 0;
    if (one) result |= 1U << bit;
  }
  return result;
}
Number arithmetic(const std::string& op, Number a, Number b) {
  if (op == "add") return a + b;
  if (op == "sub") return a - b;
  if (op == "absdiff") return std::abs(a - b);
  if (op == "min") return std::min(a, b);
  if (op == "max") return std::max(a, b);
  // Halves go away from zero.
  const Number sum = a + b;
  return sum >= 0 ? (sum + 1) / 2 : -((-sum + 1) / 2);
}
bool relation(const std::string& how, Number a, Number b) {
  return how == "eq"   ? a == b
         : how == "ne" ? a != b
         : how == "lt" ? a < b
         : how == "le" ? a <= b
         : how == "gt" ? a > b
                       : a >= b;
}
// A second operation's first operand has 33 bits.
std::uint32_t seconded(const std::string& how, Number value, std::uint32_t c, bool sign) {
  const Number period = Number{1} << 33;
  value = (value % period + period) % period;
  if (value >= period / 2) value -= period;
  const Number other = taken(c, parts()[0], sign);
  return static_cast<std::uint32_t>(how == "add"   ? value + other
                                    : how == "min" ? std::min(value, other)
                                                   : std::max(value, other));
}

// The forms of a scalar instruction `name` whose first result is value(a, b).
template <class Value>
void scalar_forms(const std::string& name, const std::string& operands, bool sat, bool sign, Operands& source,
                  const Value& value) {
  const auto first = [&, sat, sign](std::uint32_t a, std::uint32_t b, int bits) {
    return sat ? saturated(value(a, b), bits, sign) : value(a, b);
  };
  compare(name + " %0, " + operands + ";", source,
          [&](std::uint32_t a, std::uint32_t b, std::uint32_t) { return first(a, b, 32); });
  for (const std::string how : {"add", "min", "max"}) {
    compare(name + "." + how + " %0, " + operands + ", %3;", source,
            [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
              return seconded(how, first(a, b, 32), c, sign);
            });
  }
  const Part& into = parts()[1 + source.below(6)];
  compare(name + " %0" + into.text + ", " + operands + ", %3;", source,
          [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
            return merged(first(a, b, into.bits), c, into);
          });
}

}  // namespace

BOOST_AUTO_TEST_CASE(scalar_video_instructions_are_those_of_plain_loops) {
  Operands source;
  for (const std::string& d : types) {
    for (const std::string& at : types) {
      for (const std::string& bt : types) {
        for (const bool sat : {false, true}) {
          const Part &pa = parts()[source.below(7)], &pb = parts()[source.below(7)];
          const std::string operands = "%1" + pa.text + ", %2" + pb.text;
          const std::string kinds = "." + d + "." + at + "." + bt + (sat ? ".sat" : "");
          for (const std::string op : {"add", "sub", "absdiff", "min", "max"}) {
            scalar_forms("v" + op + kinds, operands, sat, d == "s32", source,
                         [&](std::uint32_t a, std::uint32_t b) {
                           return arithmetic(op, taken(a, pa, at == "s32"), taken(b, pb, bt == "s32"));
                         });
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(video_shifts_and_comparisons_are_those_of_plain_loops) {
  Operands source;
  for (const std::string& d : types) {
    for (const std::string& at : types) {
      const Part &pa = parts()[source.below(7)], &pb = parts()[1 + source.below(4)];
      const std::string operands = "%1" + pa.text + ", %2" + pb.text;
      for (const std::string mode : {"clamp", "wrap"}) {
        for (const bool sat : {false, true}) {
          const auto shifted = [&](std::uint32_t x, std::uint32_t y, bool left) {
            Number a = taken(x, pa, at == "s32");
            const Number b = taken(y, pb, false), by = mode == "wrap" ? b % 32 : std::min<Number>(b, 32);
            // Saturates as it goes: the product of 65 bits has no type.
            for (Number k = 0; k < by; ++k) {
              if (!left) {
                a = a >= 0 ? a / 2 : -((1 - a) / 2);
              } else if (sat && std::abs(a) > Number{1} << 40) {
                break;
              } else {
                a = static_cast<Number>(static_cast<std::uint64_t>(a) * 2);
              }
            }
            return a;
          };
          const std::string kinds = "." + d + "." + at + ".u32" + (sat ? ".sat." : ".") + mode;
          for (const bool left : {true, false}) {
            scalar_forms((left ? "vshl" : "vshr") + kinds, operands, sat, d == "s32", source,
                         [&](std::uint32_t a, std::uint32_t b) { return shifted(a, b, left); });
          }
        }
      }
      for (const std::string how : {"eq", "ne", "lt", "le", "gt", "ge"}) {
        const Part& p = parts()[source.below(7)];
        scalar_forms("vset." + d + "." + at + "." + how, "%1" + p.text + ", %2" + p.text, false, false,
                     source, [&](std::uint32_t a, std::uint32_t b) {
                       return Number{relation(how, taken(a, p, d == "s32"), taken(b, p, at == "s32"))};
                     });
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(video_multiplication_is_that_of_wide_integers) {
  __extension__ using Wide = __int128;
  Operands source;
  for (const std::string& at : types) {
    for (const std::string& bt : types) {
      for (const std::string sat : {"", ".sat"}) {
        for (const int scale : {0, 7, 15}) {
          // +, -a, -b, -a and -b, -c, plus one
          for (int signs = 0; signs < 6; ++signs) {
            const Part &pa = parts()[source.below(7)], &pb = parts()[source.below(7)];
            const bool minus_a = signs == 1 || signs == 3, minus_b = signs == 2 || signs == 3,
                       minus_c = signs == 4, more = signs == 5;
            const bool sign = at == "s32" || bt == "s32" || minus_a != minus_b || minus_c;
            const std::string text = std::string("vmad.u32.") + at + "." + bt + (more ? ".po" : "") + sat +
                                     (scale == 0 ? "" : ".shr" + std::to_string(scale)) + " %0, " +
                                     (minus_a ? "-" : "") + "%1" + pa.text + ", " + (minus_b ? "-" : "") +
                                     "%2" + pb.text + ", " + (minus_c ? "-" : "") + "%3;";
            compare(text, source, [&](std::uint32_t x, std::uint32_t y, std::uint32_t z) {
              Wide product = Wide{taken(x, pa, at == "s32")} * taken(y, pb, bt == "s32");
              if (minus_a != minus_b) product = -product;
              const Wide c = taken(z, parts()[0], sign);
              Wide sum = product + (minus_c ? -c : c) + (more ? 1 : 0);
              for (int k = 0; k < scale; ++k) sum = sum >= 0 ? sum / 2 : -((1 - sum) / 2);
              if (sat.empty()) return static_cast<Number>(static_cast<std::uint64_t>(sum));
              const Wide low = sign ? -(Wide{1} << 31) : 0, high = low + (Wide{1} << 32) - 1;
              return static_cast<Number>(sum < low ? low : sum > high ? high : sum);
            });
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(video_instructions_of_pairs_and_fours_are_those_of_plain_loops) {
  Operands source;
  const std::vector<std::string> how{"eq", "ne", "lt", "le", "gt", "ge"};
  for (const int n : {2, 4}) {
    const int bits = 32 / n;
    const char letter = n == 2 ? 'h' : 'b';
    for (const std::string op : {"add", "sub", "avrg", "absdiff", "min", "max", "set"}) {
      for (const std::string& d : types) {
        for (const std::string& at : types) {
          for (const std::string& bt : types) {
            for (const std::string mode : {"", ".sat", ".add"}) {
              const bool set = op == "set";
              if (set && (mode == ".sat" || d == "s32")) continue;
              // Elements of a and b, or all in order; those that are written.
              std::vector<int> of_a, of_b;
              std::string name_a = ".", name_b = ".", name_d = ".";
              name_a += letter, name_b += letter, name_d += letter;
              const bool plain = source.below(2) == 0;
              for (int k = 0; k < n; ++k) {
                of_a.push_back(plain ? k : static_cast<int>(source.below(static_cast<unsigned>(2 * n))));
                of_b.push_back(plain ? n + k : static_cast<int>(source.below(static_cast<unsigned>(2 * n))));
              }
              const unsigned mask = source.below(2) == 0 ? (1U << n) - 1 : 1 + source.below((1U << n) - 1);
              for (int k = n; k-- > 0;) {
                name_a += std::to_string(of_a[static_cast<std::size_t>(k)]);
                name_b += std::to_string(of_b[static_cast<std::size_t>(k)]);
                if ((mask >> k & 1) != 0) name_d += std::to_string(k);
              }
              if (plain) name_a.clear(), name_b.clear();
              if (mask == (1U << n) - 1 && plain) name_d.clear();
              const std::string& relation_name = how[source.below(6)];
              const std::string kinds =
                  set ? "." + at + "." + bt + "." + relation_name : "." + d + "." + at + "." + bt;
              compare("v" + op + std::to_string(n) + kinds + mode + " %0" + name_d + ", %1" + name_a +
                          ", %2" + name_b + ", %3;",
                      source, [&](std::uint32_t a, std::uint32_t b, std::uint32_t c) {
                        std::uint32_t result = c;
                        for (int k = 0; k < n; ++k) {
                          if ((mask >> k & 1) == 0) continue;
                          const auto element = [&](int which, bool sign) {
                            return taken(which < n ? a : b, Part{"", bits, which % n * bits}, sign);
                          };
                          const Number x = element(of_a[static_cast<std::size_t>(k)], at == "s32"),
                                       y = element(of_b[static_cast<std::size_t>(k)], bt == "s32");
                          Number value = set ? Number{relation(relation_name, x, y)} : arithmetic(op, x, y);
                          if (mode == ".sat") value = saturated(value, bits, d == "s32");
                          if (mode == ".add")
                            result += static_cast<std::uint32_t>(value);
                          else
                            result = merged(value, result, Part{"", bits, k * bits});
                        }
                        return result;
                      });
            }
          }
        }
      }
    }
  }
}
