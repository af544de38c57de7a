// A program that speaks the protocol of validation/diagnose/probe.md, well or badly.
//
//   asked_program ARITHMETIC [BEHAVIOUR]
//
// A matrix product is fma(alpha, sum, beta C).
//
// ARITHMETIC: a chain of reference/exact; or of these, one chain and four lanes:
//   batch    a matrix product in lanes from 4 rows on
//   column   the same in the second column alone
//   offset   lanes where operands are asked for at an offset that is no multiple of 16
//   joined   a chain, beside as many threads less one that do nothing, made and joined for every round
//   threads  lanes with OMP_NUM_THREADS of 2 or more, which it reads when it starts, as libraries do, and has so many
// BEHAVIOUR: loop (default), once, hang, grandchild, orphan, die, signal, silent, little, much, later, word,
// change, huge, lone (a single large term beside +0 alone is wrong), skip (of terms whose factor in A is 0), six
// (significant digits of what it prints), resting (from 4 rows on zeros in A are skipped).
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/exact/chain.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"

using namespace assay;

namespace {

struct Request {
  bool binary = false;
  std::string operation;
  std::size_t m = 1, n = 1, k = 0, offset = 0, cases = 0;
  FormatSpec a = formats::float32, b = formats::float32, output = formats::float32;
  std::optional<FormatSpec> c{};
  float alpha = 1, beta = 0;  // 0 without a C
};

bool read_header(Request& r) {
  std::string line;
  if (!std::getline(std::cin, line)) return false;
  std::istringstream in(line);
  std::string version, form, a, b, c, output;
  int threads = 0;
  in >> version >> form >> r.operation >> r.m >> r.n >> r.k >> a >> b >> c >> output >> r.alpha >> r.beta >>
      threads >> r.offset >> r.cases;
  if (!in || version != "assay1") std::exit(9);
  r.binary = form == "binary";
  r.a = parse_format(a);
  r.b = b == "-" ? r.a : parse_format(b);
  r.c.reset();
  if (c != "-") r.c = parse_format(c);
  r.output = parse_format(output);
  return true;
}

std::vector<std::uint64_t> read_codes(const Request& r, const FormatSpec& f, std::size_t n) {
  std::vector<std::uint64_t> codes(n);
  if (r.binary) {
    const std::size_t width = code_bytes(f);
    std::string bytes(n * width, '\0');
    std::cin.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    for (std::size_t i = 0; i < n; ++i)
      codes[i] = detail::load_code(bytes.data(), static_cast<std::ptrdiff_t>(i), width);
    return codes;
  }
  std::string line, word;
  std::getline(std::cin, line);
  std::istringstream in(line);
  for (std::uint64_t& code : codes) {
    in >> word;
    code = encode(parse_number(word), f).code;
  }
  return codes;
}

std::vector<std::byte> stored(const std::vector<std::uint64_t>& codes, const FormatSpec& f) {
  std::vector<std::byte> bytes(codes.size() * code_bytes(f));
  for (std::size_t i = 0; i < codes.size(); ++i)
    detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), codes[i]);
  return bytes;
}

// fma(alpha, sum, beta C), of float32.
std::uint64_t scaled(const Request& r, std::uint64_t sum, std::uint64_t c) {
  if (!r.c && r.alpha == 1) return sum;
  const auto x = static_cast<float>(decode(sum, r.output));
  const float y = r.c && r.beta != 0 ? r.beta * static_cast<float>(decode(c, *r.c)) : 0;
  return encode(static_cast<double>(std::fma(r.alpha, x, y)), r.output).code;
}

void print(const Request& r, std::uint64_t code, bool six, bool last) {
  if (six) {
    std::cout << decode(code, r.output) << (last ? "\n" : " ");
  } else if (r.binary) {
    std::cout.write(reinterpret_cast<const char*>(&code), static_cast<std::streamsize>(code_bytes(r.output)));
  } else {
    std::cout << "bits:0x" << std::hex << code << std::dec << (last ? "\n" : " ");
  }
}

int wanted_threads() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  return text == nullptr ? 1 : std::atoi(text);
}

// OMP_NUM_THREADS, and as many threads, which wait for work that never comes.
int start_threads() {
  const int threads = wanted_threads();
  for (int i = 1; i < threads; ++i)
    std::thread([] {
      for (;;) ::pause();
    }).detach();
  return threads;
}

// The arithmetic of one column of the result.
std::string_view arithmetic_of(const std::string& name, const Request& r, int threads, std::size_t column) {
  if (name == "joined") return "chain_f32";
  const bool lanes = (name == "batch" && r.m > 3) || (name == "threads" && threads > 1) ||
                     (name == "column" && r.m > 3 && column == 1) || (name == "offset" && r.offset % 16 != 0);
  if (name != "batch" && name != "threads" && name != "column" && name != "offset") return name;
  return lanes ? "lanes4_f32" : "chain_f32";
}

// A dot product of the terms whose factor in A is no zero.
std::uint64_t without_zeros(const Arithmetic& arithmetic, const CodeVector& x, const CodeVector& y,
                            const FormatSpec& output) {
  std::vector<std::uint64_t> a, b;
  for (std::size_t i = 0; i < x.size; ++i) {
    if ((x.code(i) & x.format.magnitude_mask()) == 0) continue;
    a.push_back(x.code(i));
    b.push_back(y.code(i));
  }
  if (a.empty()) return 0;
  const auto left = stored(a, x.format), right = stored(b, y.format);
  return arithmetic.dot({left.data(), a.size(), 1, x.format}, {right.data(), b.size(), 1, y.format}, {},
                        output);
}

// One term, and +0 everywhere else.
bool is_alone(const CodeVector& a) {
  std::size_t others = 0;
  for (std::size_t i = 0; i < a.size; ++i) others += a.code(i) != 0 ? 1 : 0;
  return others == 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const std::string name = argc > 1 ? argv[1] : "chain_f32", how = argc > 2 ? argv[2] : "loop";
  ArithmeticRegistry registry;
  add_chains(registry);
  std::uint64_t asked = 0;
  const int threads = name == "threads" ? start_threads() : 1;
  Request r;
  while (read_header(r)) {
    std::vector<std::uint64_t> results;
    std::vector<std::thread> team;
    for (int i = 1; name == "joined" && i < wanted_threads(); ++i) team.emplace_back([] {});
    for (std::thread& one : team) one.join();
    for (std::size_t c = 0; c < r.cases; ++c) {
      const bool matrix = r.operation == "gemm", sum = r.operation == "sum" || r.operation == "mean";
      const std::size_t rows = matrix ? r.m : 1, cols = matrix ? r.n : 1;
      const auto a = stored(read_codes(r, r.a, rows * r.k), r.a);
      const auto b = stored(
          sum ? std::vector<std::uint64_t>(r.k, encode(1.0, r.a).code) : read_codes(r, r.b, r.k * cols), r.b);
      const CodeMatrix x{a.data(), rows, r.k, static_cast<std::ptrdiff_t>(r.k), 1, r.a};
      const CodeMatrix y{b.data(), r.k, cols, static_cast<std::ptrdiff_t>(cols), 1, r.b};
      const auto addends = r.c ? read_codes(r, *r.c, rows * cols) : std::vector<std::uint64_t>{};
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < cols; ++j) {
          const std::uint64_t addend = r.c ? addends[i * cols + j] : 0;
          const Arithmetic& arithmetic = registry.find(arithmetic_of(name, r, threads, j));
          const bool skips = how == "skip" || (how == "resting" && rows > 3);
          const std::uint64_t dot = skips ? without_zeros(arithmetic, x.row(i), y.column(j), r.output)
                                          : arithmetic.dot(x.row(i), y.column(j), {}, r.output);
          results.push_back(scaled(r, dot, addend) ^ (how == "change" ? ++asked % 2 : 0));
          // Only what is asked near the end of the range shows it.
          if (how == "lone" && is_alone(x.row(i)) && decode(results.back(), r.output) > 1e30)
            results.back() = encode(1e30, r.output).code;
        }
      }
    }
    if ((how == "grandchild" || how == "orphan") && ::fork() == 0) {
      ::signal(SIGHUP, SIG_IGN);
      for (;;) ::pause();
    }
    if (how == "hang" || how == "grandchild") {
      for (;;) ::pause();
    }
    if (how == "orphan") return 5;
    if (how == "die") {
      std::cerr << "no such device\n";
      return 3;
    }
    if (how == "signal") std::abort();
    if (how == "silent") return 0;
    if (how == "huge") {
      const std::string much(1 << 20, '7');
      for (;;) std::cout << much;
    }
    if (how == "word") std::cout << "Results: none today\n";
    if (how == "little") results.pop_back();
    const std::size_t each = r.operation == "gemm" ? r.m * r.n : 1;
    for (std::size_t i = 0; i < results.size(); ++i) print(r, results[i], how == "six", (i + 1) % each == 0);
    if (how == "much") std::cout << (r.binary ? "x" : "0.5\n");
    std::cout.flush();
    if (how == "once" || how == "little") return 0;
    if (how == "later") return 4;
  }
  return 0;
}
