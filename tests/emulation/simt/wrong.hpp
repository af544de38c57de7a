// Many comparisons as one: what is wrong is counted, and the first is shown. Random 64-bit numbers with a fixed start.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdio>
#include <string>

namespace simt_test {

// Counts what is wrong, and keeps the first.
struct Wrong {
  std::uint64_t count = 0, checked = 0;
  std::string first{};
  void check(std::uint64_t got, std::uint64_t expected, const char* what, std::uint64_t a,
             std::uint64_t b = 0, std::uint64_t c = 0) {
    ++checked;
    if (got == expected) return;
    if (count++ != 0) return;
    char text[200];
    std::snprintf(text, sizeof text, "%s of %llx %llx %llx: %llx, not %llx", what,
                  static_cast<unsigned long long>(a), static_cast<unsigned long long>(b),
                  static_cast<unsigned long long>(c), static_cast<unsigned long long>(got),
                  static_cast<unsigned long long>(expected));
    first = text;
  }
};
#define NOTHING_WRONG(w) \
  BOOST_TEST((w).count == 0U, (w).count << " of " << (w).checked << " wrong; " << (w).first)

struct Random {
  std::uint64_t state = 0x9E3779B97F4A7C15U;
  std::uint64_t operator()() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1DU;
  }
};

}  // namespace simt_test
