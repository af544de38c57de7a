#include "validation/diagnose/reveal/mistakes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

// How a program may read and write.
struct Mistake {
  bool apart = false;                       // all of A of a round, then all of B, then all of C
  bool swapped = false;                     // B before A
  bool a_turned = false, b_turned = false;  // A as k x m, B as n x k
  bool d_turned = false;                    // the results column by column
  bool reversed = false, late = false;      // the cases' answers
  bool divided = false, undivided = false, without_b = false;

  std::string text() const {
    std::string all;
    const auto say = [&](bool is, const char* what) {
      if (is) all += (all.empty() ? "" : ", and ") + std::string(what);
    };
    say(apart, "it reads all of A of a round before B, where each case has its A and B");
    say(swapped, "it takes A for B and B for A");
    say(a_turned, "it takes A as k x m, column by column");
    say(b_turned, "it takes B as n x k, column by column");
    say(d_turned, "it writes its results column by column");
    say(reversed, "it answers the cases of a round in reverse order");
    say(late, "it answers each case with the result of the case before");
    say(divided, "it divides the sum by the number of terms (is it a mean?)");
    say(undivided, "it does not divide the sum by the number of terms");
    say(without_b, "it adds the terms of A alone");
    return all;
  }
};

std::vector<Mistake> mistakes(const Problem& p) {
  std::vector<Mistake> list;
  const bool gemm = p.operation == SumOperation::gemm;
  const bool one_width = !p.has_b() || code_bytes(p.a) == code_bytes(p.b);
  const bool apart_is_possible = p.has_b() && one_width && (!p.c || code_bytes(*p.c) == code_bytes(p.a));
  for (const bool apart : {false, true}) {
    for (unsigned how = 0; how < (gemm ? 16U : 1U); ++how) {
      const Mistake m{.apart = apart,
                      .swapped = (how & 8U) != 0,
                      .a_turned = (how & 1U) != 0,
                      .b_turned = (how & 2U) != 0,
                      .d_turned = (how & 4U) != 0};
      if ((apart && !apart_is_possible) || (m.swapped && !one_width)) continue;
      list.push_back(m);
    }
  }
  list.push_back({.reversed = true});
  list.push_back({.late = true});
  if (p.operation == SumOperation::sum) list.push_back({.divided = true});
  if (p.operation == SumOperation::mean) list.push_back({.undivided = true});
  if (p.operation == SumOperation::dot) list.push_back({.without_b = true});
  // Simple explanations before those that take several mistakes.
  const auto count = [](const Mistake& m) {
    return int{m.apart} + int{m.swapped} + int{m.a_turned} + int{m.b_turned} + int{m.d_turned};
  };
  std::stable_sort(list.begin(), list.end(),
                   [&](const Mistake& x, const Mistake& y) { return count(x) < count(y); });
  return list;
}

class MistakeReader {
 public:
  MistakeReader(Asker& asker, std::uint64_t seed)
      : asker_(asker), p_(asker.problem()), random_(seed, 0x72656164U) {
    make_cases();
  }

  Reading run() {
    std::vector<Answer> answers(cases_.size());
    asker_.ask(
        cases_.size(), [&](std::size_t i) { return cases_[i]; },
        [&](std::size_t i, const Answer& answer) { answers[i] = answer; }, "reading");
    Reading reading{.results = cases_.size() * outputs_.size()};
    reading.right = repeated(Mistake{}, answers, reading.results);
    if (reading.right == reading.results) return reading;
    for (const Mistake& m : mistakes(p_)) {
      if (repeated(m, answers, 0) < reading.results) continue;
      reading.mistake = m.text();
      break;
    }
    return reading;
  }

 private:
  // A few terms of one and two, of either sign; the rest +0, so that few sums leave what the formats count.
  void make_cases() {
    constexpr std::size_t most_cases = 6, most_outputs = 48;
    const double share =
        std::min(1.0, (p_.operation == SumOperation::gemm ? 2.5 : 6.0) /
                          (p_.operation == SumOperation::gemm ? std::sqrt(static_cast<double>(p_.k))
                                                              : static_cast<double>(p_.k)));
    std::uint64_t next = 0;
    const auto fill = [&](std::vector<std::byte>& bytes, const FormatSpec& f, std::size_t n) {
      bytes.resize(n * code_bytes(f));
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t draw = random_.below(4, next++);
        const bool there = random_.uniform(next++) < share;
        const double x = !there ? 0 : (draw < 2 ? 1 : 2) * (draw % 2 == 0 ? 1 : -1);
        detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), code_bytes(f), encode(x, f).code);
      }
    };
    for (std::size_t i = 0; i < std::min(most_cases, asker_.cases_per_round()); ++i) {
      Case x;
      fill(x.a, p_.a, p_.a_size());
      if (p_.has_b()) fill(x.b, p_.b, p_.b_size());
      if (p_.c) fill(x.c, *p_.c, p_.c_size());
      cases_.push_back(std::move(x));
    }
    const std::size_t step = std::max<std::size_t>(1, p_.outputs() / most_outputs);
    for (std::size_t o = 0; o < p_.outputs(); o += step) outputs_.push_back(o);
  }

  // Where element i of an operand of a case stands in the round, as the program reads it.
  double element(const Mistake& m, std::size_t which, int operand, std::size_t i) const {
    const std::size_t sizes[] = {p_.a_size(), p_.b_size(), p_.c_size()};
    const std::size_t each = sizes[0] + sizes[1] + sizes[2];
    std::size_t at = which * each;
    const int first = m.swapped ? 1 : 0;
    if (m.apart) {
      at = which * sizes[operand];
      if (operand == 2) at += cases_.size() * (sizes[0] + sizes[1]);
      if (operand < 2 && operand != first) at += cases_.size() * sizes[first];
    } else {
      if (operand == 2) at += sizes[0] + sizes[1];
      if (operand < 2 && operand != first) at += sizes[first];
    }
    at += i;
    // What lies there.
    const Case& x = cases_[at / each];
    at %= each;
    const bool is_a = at < sizes[0], is_b = !is_a && at < sizes[0] + sizes[1];
    const std::vector<std::byte>& bytes = is_a ? x.a : is_b ? x.b : x.c;
    const FormatSpec& f = operand == 0 ? p_.a : operand == 1 ? p_.b : *p_.c;
    const std::size_t offset = is_a ? at : is_b ? at - sizes[0] : at - sizes[0] - sizes[1];
    return decode(detail::load_code(bytes.data(), static_cast<std::ptrdiff_t>(offset), code_bytes(f)), f);
  }

  std::uint64_t result(const Mistake& m, std::size_t which, std::size_t output) const {
    const bool gemm = p_.operation == SumOperation::gemm;
    std::size_t row = gemm ? output / p_.n : 0, column = gemm ? output % p_.n : 0;
    if (m.d_turned) {
      row = output % p_.m;
      column = output / p_.m;
    }
    double sum = 0;
    for (std::size_t t = 0; t < p_.k; ++t) {
      const double a = element(m, which, 0, !gemm ? t : m.a_turned ? t * p_.m + row : row * p_.k + t);
      const bool skip = !p_.has_b() || m.without_b || a == 0;
      const double b = skip ? 1
                            : element(m, which, 1,
                                      !gemm        ? t
                                      : m.b_turned ? column * p_.k + t
                                                   : t * p_.n + column);
      sum += a * b;
    }
    sum *= p_.alpha;
    if (p_.adds_c())
      sum += p_.beta * element(m, which, 2, m.d_turned ? column * p_.m + row : row * p_.n + column);
    const bool mean = (p_.operation == SumOperation::mean && !m.undivided) || m.divided;
    return encode(mean ? sum / static_cast<double>(p_.k) : sum, p_.output).code;
  }

  // How many answers a program with this mistake gives; counting ends above so many others.
  std::size_t repeated(const Mistake& m, const std::vector<Answer>& answers, std::size_t most_others) const {
    std::size_t count = 0, others = 0;
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      if (m.late && i == 0) {  // of a round before
        count += outputs_.size();
        continue;
      }
      const std::size_t which = m.reversed ? cases_.size() - 1 - i : m.late ? i - 1 : i;
      for (const std::size_t o : outputs_) {
        ++(is_same(answers[i][o], result(m, which, o)) ? count : others);
        if (others > most_others) return count;
      }
    }
    return count;
  }
  // Zeros of either sign are one.
  bool is_same(std::uint64_t x, std::uint64_t y) const {
    return x == y || (((x | y) & p_.output.magnitude_mask()) == 0);
  }

  Asker& asker_;
  const Problem& p_;
  CounterRandom random_;
  std::vector<Case> cases_;
  std::vector<std::size_t> outputs_;
};

}  // namespace

Reading check_reading(Asker& asker, std::uint64_t seed) { return MistakeReader(asker, seed).run(); }

}  // namespace assay::diagnose
