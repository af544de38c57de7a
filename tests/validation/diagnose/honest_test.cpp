// Sums that no tree of rounded additions predicts, behind results that hide it: they are named, or refused, and never
// predicted. The kernels are this CPU's own float32, float64 and 80-bit instructions.
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/reveal/invariance.hpp"
#include "validation/report/probe_report.hpp"

using namespace assay;
using namespace assay::diagnose_test;

namespace {

constexpr std::size_t terms = 37;

using Doubles = std::vector<double>;
// The products in float64, which are exact, and how many sums came before.
using Sum = std::function<double(const Doubles& products, std::uint64_t count)>;

double chain(const Doubles& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

// A dot product or sum in float32 whose terms a function adds up.
Target target_of(const Sum& sum) {
  auto count = std::make_shared<std::uint64_t>(0);
  return [sum, count](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      const CodeVector a{x.a.data(), p.k, 1, p.a}, b{x.b.data(), p.k, 1, p.b};
      Doubles products;
      for (std::size_t i = 0; i < p.k; ++i)
        products.push_back(decode(a.code(i), p.a) * (p.has_b() ? decode(b.code(i), p.b) : 1));
      answers.push_back({encode(sum(products, (*count)++), p.output).code});
    }
    return answers;
  };
}

double neumaier(const Doubles& x, std::uint64_t /*count*/) {
  double sum = 0, lost = 0;
  for (const double v : x) {
    const double next = sum + v;
    lost += std::fabs(sum) >= std::fabs(v) ? (sum - next) + v : (v - next) + sum;
    sum = next;
  }
  return sum + lost;
}
double kahan(const Doubles& x, std::uint64_t /*count*/) {
  double sum = 0, lost = 0;
  for (const double v : x) {
    const double y = v - lost, next = sum + y;
    lost = (next - sum) - y;
    sum = next;
  }
  return sum;
}
// Four compensated sums side by side: none that is known by name.
double neumaier_in_lanes(const Doubles& x, std::uint64_t /*count*/) {
  Doubles sums(4, 0), lost(4, 0);
  const auto add = [&](std::size_t lane, double v) {
    const double next = sums[lane] + v, z = next - sums[lane];
    lost[lane] += (sums[lane] - (next - z)) + (v - z);
    sums[lane] = next;
  };
  for (std::size_t i = 0; i < x.size(); ++i) add(i % 4, x[i]);
  for (std::size_t lane = 1; lane < 4; ++lane) {
    add(0, sums[lane]);
    lost[0] += lost[lane];
  }
  return sums[0] + lost[0];
}
double sorted(Doubles x, std::uint64_t /*count*/) {
  std::sort(x.begin(), x.end());
  return chain(x);
}
double by_magnitude(Doubles x, std::uint64_t /*count*/) {
  std::sort(x.begin(), x.end(), [](double y, double z) { return std::fabs(y) > std::fabs(z); });
  return chain(x);
}
double exactly(const Doubles& x, std::uint64_t /*count*/) {
  ExactSum sum;
  for (const double v : x) sum.add(v);
  return decode(sum.rounded(formats::float32).code, formats::float32);
}
double exactly_in_float64(const Doubles& x, std::uint64_t /*count*/) {
  ExactSum sum;
  for (const double v : x) sum.add(v);
  return decode(sum.rounded(formats::float64).code, formats::float64);
}
double from_anywhere(Doubles x, std::uint64_t count) {
  const CounterRandom random(99);
  const auto start = static_cast<std::ptrdiff_t>(random.below(x.size(), count));
  std::rotate(x.begin(), x.begin() + start, x.end());
  return chain(x);
}
double now_and_then_reversed(Doubles x, std::uint64_t count) {
  if (count % 300 == 299) std::reverse(x.begin(), x.end());
  return chain(x);
}
double forward(const Doubles& x, std::uint64_t /*count*/) { return chain(x); }

Problem dot(std::size_t k = terms) { return {.operation = SumOperation::dot, .k = k}; }
Problem sum_of(std::size_t k = terms) { return {.operation = SumOperation::sum, .k = k}; }

struct Found {
  Revelation r{};
  PredictionScore s{};
  std::string text{};
  bool says(std::string_view words) const { return text.find(words) != std::string::npos; }
};
Found probe(const Problem& p, const Target& target, std::uint64_t results = 2000) {
  Found found{.r = reveal(p, target)};
  found.s = score(found.r, target, 5, results);
  found.text = probe_text(found.r, found.s);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(sums_that_are_no_tree_are_refused_by_name) {
  const struct {
    Sum sum;
    const char* name;
  } plants[] = {{neumaier, "a compensated sum (Neumaier's) in float64"},
                {kahan, "a compensated sum (Kahan's) in float64"},
                {sorted, "terms sorted first, smallest value first, in float64"},
                {neumaier_in_lanes, "exact where a compensated sum in float64 is"}};
  for (const auto& [sum, name] : plants) {
    for (const Problem& p : {dot(), sum_of()}) {
      const Found found = probe(p, target_of(sum), 300);
      BOOST_TEST(found.says("NOT PREDICTED"), found.text);
      BOOST_TEST(found.says(name), name << " in " << found.text);
      BOOST_TEST(found.r.runs < 1000u);  // early
    }
  }
}

// Sorted so that a sum that cancels is nearly always exact: what differs are a few ties, too few for a name.
BOOST_AUTO_TEST_CASE(terms_by_falling_magnitude_are_not_predicted, *boost::unit_test::label("full")) {
  for (const Problem& p : {dot(), sum_of()}) {
    const Found found = probe(p, target_of(by_magnitude));
    BOOST_TEST(found.says("NOT PREDICTED"), found.text);
  }
}

// Rounded once, or to float64 first as math.fsum is whose result becomes a float32.
BOOST_AUTO_TEST_CASE(an_exact_sum_is_one_early) {
  for (const Sum& sum : {Sum(exactly), Sum(exactly_in_float64)}) {
    const Found found = probe(sum_of(), target_of(sum));
    BOOST_TEST(all_explained(found.r, found.s), found.text);
    BOOST_TEST(found.r.classes.at(0).as_exact);
    BOOST_TEST(found.r.runs < 5000u);
  }
}

BOOST_AUTO_TEST_CASE(float64_sums_of_float64_are_told_apart) {
  Problem p = sum_of(20);
  p.a = p.output = formats::float64;
  BOOST_TEST(probe(p, target_of(neumaier), 300).says("(Neumaier's) in float64"));
  const Found plain = probe(p, target_of(forward));
  BOOST_TEST(all_explained(plain.r, plain.s), plain.text);
}

BOOST_AUTO_TEST_CASE(wide_accumulators_behind_float32_are_predicted, *boost::unit_test::label("full")) {
  for (const Problem& p : {dot(8), sum_of()}) {
    const Found found = probe(p, target_of(forward));
    BOOST_TEST(all_explained(found.r, found.s), found.text);
  }
}

BOOST_AUTO_TEST_CASE(eighty_bits_are_refused_by_name) {
  const Target extended = [](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      long double sum = 0;
      for (std::size_t i = 0; i < p.k; ++i)
        sum += static_cast<long double>(decode(CodeVector{x.a.data(), p.k, 1, p.a}.code(i), p.a)) *
               static_cast<long double>(decode(CodeVector{x.b.data(), p.k, 1, p.b}.code(i), p.b));
      answers.push_back({std::bit_cast<std::uint32_t>(static_cast<float>(sum))});
    }
    return answers;
  };
  const Found found = probe(dot(12), extended);
  BOOST_TEST(found.says("NOT PREDICTED"), found.text);
  BOOST_TEST(found.says("x87's 80-bit format"), found.text);
}

BOOST_AUTO_TEST_CASE(an_order_that_changes_ends_the_search) {
  for (const Problem& p : {dot(), sum_of()}) {
    const Found found = probe(p, target_of(from_anywhere), 300);
    BOOST_TEST(!found.r.repeats);
    BOOST_TEST(found.says("NOT PREDICTED  the order changes from run to run"), found.text);
    BOOST_TEST(found.r.runs < 200u);
  }
  const Invariance r = invariance(sum_of(), target_of(from_anywhere), {.runs = 20});
  BOOST_TEST(!r.invariant);
}

BOOST_AUTO_TEST_CASE(an_order_that_changes_now_and_then_is_no_prediction, *boost::unit_test::label("full")) {
  const Found found = probe(sum_of(), target_of(now_and_then_reversed), 3000);
  BOOST_TEST(!all_explained(found.r, found.s), found.text);
  BOOST_TEST(found.says("the order changes from run to run"), found.text);
}

BOOST_AUTO_TEST_CASE(a_running_mean_is_named) {
  const Sum running = [](const Doubles& x, std::uint64_t) {
    long double mean = 0, n = 0;
    for (const double v : x) mean += (static_cast<long double>(v) - mean) / ++n;
    return static_cast<double>(mean);
  };
  for (const FormatSpec& f : {formats::float64, formats::float32}) {
    Problem p{.operation = SumOperation::mean, .k = 30, .a = f, .output = f};
    const Found found = probe(p, target_of(running), 300);
    BOOST_TEST(found.says("each term updates by (x - mean) / n, in 80 bits"), found.text);
    BOOST_TEST(found.r.runs < 1000u);
  }
}

// --- what shows in a few kinds of inputs alone ------------------------------------------------------------------

namespace {

// Of the factors of a dot product.
using Kernel = std::function<double(const Doubles& a, const Doubles& b)>;

Target target_of(const Kernel& kernel) {
  return [kernel](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      Doubles a, b;
      for (std::size_t i = 0; i < p.k; ++i) {
        a.push_back(decode(CodeVector{x.a.data(), p.k, 1, p.a}.code(i), p.a));
        b.push_back(decode(CodeVector{x.b.data(), p.k, 1, p.b}.code(i), p.b));
      }
      answers.push_back({encode(kernel(a, b), p.output).code});
    }
    return answers;
  };
}

float product(double a, double b) { return static_cast<float>(a) * static_cast<float>(b); }

// An FMA that rounds to `Wide` and then to float32.
template <class Wide>
double fma_by_way_of(const Doubles& a, const Doubles& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum = static_cast<float>(static_cast<Wide>(sum) + static_cast<Wide>(a[i]) * static_cast<Wide>(b[i]));
  return static_cast<double>(sum);
}
template <class Wide>
double chain_in(const Doubles& a, const Doubles& b) {
  Wide sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<Wide>(a[i]) * static_cast<Wide>(b[i]);
  return static_cast<double>(static_cast<float>(sum));
}
__extension__ using Quadruple = __float128;

bool are_zeros(const Doubles& a, std::size_t begin, std::size_t end) {
  return std::all_of(a.begin() + static_cast<std::ptrdiff_t>(begin),
                     a.begin() + static_cast<std::ptrdiff_t>(end), [](double x) { return x == 0; });
}
// Blocks of so many terms are left out where all factors in A are zeros.
double skipping(const Doubles& a, const Doubles& b, std::size_t block) {
  float sum = 0;
  for (std::size_t first = 0; first < a.size(); first += block) {
    const std::size_t end = std::min(first + block, a.size());
    if (are_zeros(a, first, end)) continue;
    for (std::size_t i = first; i < end; ++i) sum += product(a[i], b[i]);
  }
  return static_cast<double>(sum);
}
double skipping_blocks(const Doubles& a, const Doubles& b) { return skipping(a, b, 4); }
double skipping_all(const Doubles& a, const Doubles& b) { return skipping(a, b, a.size()); }
double skipping_the_fourth(const Doubles& a, const Doubles& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += i == 3 && a[i] == 0 ? 0 : product(a[i], b[i]);
  return static_cast<double>(sum);
}
// Whole products are added as integers, all others from the last to the first.
double whole_apart(const Doubles& a, const Doubles& b) {
  bool whole = true;
  float sum = 0;
  std::int64_t integers = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const float x = product(a[i], b[i]);
    whole = whole && std::rint(x) == x && std::fabs(x) < 1e9F;
    sum += x;
    if (whole) integers += static_cast<std::int64_t>(x);
  }
  return static_cast<double>(whole ? static_cast<float>(integers) : sum);
}
double positive_apart(const Doubles& a, const Doubles& b) {
  float forward = 0, backward = 0;
  bool positive = true;
  for (std::size_t i = 0, n = a.size(); i < n; ++i) {
    positive = positive && product(a[i], b[i]) >= 0;
    forward += product(a[i], b[i]);
    backward += product(a[n - 1 - i], b[n - 1 - i]);
  }
  return static_cast<double>(positive ? forward : backward);
}

}  // namespace

void predict_nothing(std::initializer_list<std::size_t> asked) {
  const struct {
    const char* name;
    Kernel kernel;
    std::vector<std::size_t> lengths;
  } plants[] = {{"FMA by way of float64", fma_by_way_of<double>, {6, 17}},  // of two terms it is a tree
                {"FMA by way of 80 bits", fma_by_way_of<long double>, {2, 6, 17}},
                {"80 bits", chain_in<long double>, {2, 6, 17}},
                {"113 places", chain_in<Quadruple>, {6, 17}},
                {"blocks of zeros skipped", skipping_blocks, {2, 6, 17}},
                {"zeros skipped where there is nothing else", skipping_all, {2, 6, 17}},
                {"zeros skipped in one place", skipping_the_fourth, {6, 17}},
                {"whole numbers in another way", whole_apart, {6, 17}},
                {"positive terms in another order", positive_apart, {6, 17}}};
  for (const auto& [name, kernel, lengths] : plants) {
    for (const std::size_t k : lengths) {
      if (std::find(asked.begin(), asked.end(), k) == asked.end()) continue;
      const Found found = probe(dot(k), target_of(kernel), 2000);
      BOOST_TEST(!all_explained(found.r, found.s), name << ", k = " << k << '\n' << found.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_few_inputs_show_is_not_predicted, *boost::unit_test::label("full")) {
  predict_nothing({2, 6, 17});
}

// float16 holds none of what its products reach.
BOOST_AUTO_TEST_CASE(eighty_bits_behind_float16_are_not_predicted) {
  for (const std::size_t k : {6UL, 17UL}) {
    Problem p = dot(k);
    p.a = p.b = p.output = formats::float16;
    const Found wide = probe(p, target_of(Kernel(chain_in<long double>)), 2000);
    BOOST_TEST(!all_explained(wide.r, wide.s), wide.text);
  }
}

// Another order in the first case of a process, or in rounds of up to four cases.
BOOST_AUTO_TEST_CASE(an_order_that_depends_on_the_round_is_no_prediction, *boost::unit_test::label("full")) {
  for (const bool by_process : {true, false}) {
    bool fresh = true;
    const Target target = [&](const Problem& p, std::span<const Case> cases) {
      std::vector<Answer> answers;
      for (const Case& x : cases) {
        const bool reversed = by_process ? std::exchange(fresh, false) : cases.size() <= 4;
        const Sum sum = [&](Doubles terms_of, std::uint64_t) {
          if (reversed) std::reverse(terms_of.begin(), terms_of.end());
          return chain(terms_of);
        };
        answers.push_back(target_of(sum)(p, std::span(&x, 1)).front());
      }
      return answers;
    };
    const Found plain{.r = reveal(dot(17), target)};
    const RevealOptions options{.restart = [&] { fresh = true; }};
    const PredictionScore s = score(plain.r, target, 5, 1000, options);
    BOOST_TEST(s.wrong == 0u);
    BOOST_TEST(s.changed > 0u);
    BOOST_TEST(!all_predicted(s));
  }
}

BOOST_AUTO_TEST_CASE(a_stochastic_rounding_is_no_order_that_changes) {
  const CounterRandom random(3);
  const Sum stochastic = [&](const Doubles& x, std::uint64_t count) {
    const auto code = std::bit_cast<std::uint32_t>(static_cast<float>(chain(x)));
    const bool finite = (code & 0x7f800000U) != 0x7f800000U;
    const auto noise = static_cast<std::uint32_t>(random.below(1U << 16U, count));
    return static_cast<double>(std::bit_cast<float>((finite ? code + noise : code) & 0xffff0000U));
  };
  Problem p = dot();
  p.output = formats::bfloat16;
  const Found found = probe(p, target_of(stochastic), 300);
  BOOST_TEST(found.says("NOT PREDICTED  the rounding changes (is it stochastic?) from run to run"),
             found.text);
}

// A narrow result leaves more than one name.
BOOST_AUTO_TEST_CASE(all_known_sums_that_fit_are_named) {
  Problem p = dot();
  p.output = formats::bfloat16;
  const Sum rising = [](Doubles x, std::uint64_t) {
    std::stable_sort(x.begin(), x.end(), [](double y, double z) { return std::fabs(y) < std::fabs(z); });
    float sum = 0;
    for (const double v : x) sum += static_cast<float>(v);
    return static_cast<double>(sum);
  };
  const Found found = probe(p, target_of(rising), 300);
  BOOST_TEST(found.says("NOT PREDICTED"), found.text);
  BOOST_TEST(found.says("smallest magnitude first, in float32"), found.text);
  const Found constant = probe(dot(), target_of(Sum([](const Doubles&, std::uint64_t) { return 1.0; })), 300);
  BOOST_TEST(!constant.says("sorted first"), constant.text);
}

// Which term comes first depends on their values: nothing is known of it but that it has no order.
BOOST_AUTO_TEST_CASE(what_has_no_order_is_given_up_early, *boost::unit_test::label("full")) {
  const Sum by_values = [](Doubles x, std::uint64_t) {
    std::size_t start = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      start += (i + 1) * std::bit_cast<std::uint64_t>(x[i]) / 0x100000000ULL;
    std::rotate(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(start % x.size()), x.end());
    float sum = 0;
    for (const double v : x) sum += static_cast<float>(v);
    return static_cast<double>(sum);
  };
  for (const std::size_t k : {30U, 200U, 1000U}) {
    const Found found = probe(sum_of(k), target_of(by_values), 300);
    BOOST_TEST(found.says("NOT PREDICTED  no order of additions found"), found.text);
    BOOST_TEST(found.r.runs < 40000 + 60 * k);
  }
}

BOOST_AUTO_TEST_CASE(what_fits_no_rule_is_not_drawn, *boost::unit_test::label("full")) {
  // Each term is changed a little: a sum of something else.
  const Sum odd = [](const Doubles& x, std::uint64_t) {
    double sum = 0;
    for (const double v : x) sum += v * (1 + 0x1p-9 * std::sin(v));
    return sum;
  };
  const Found found = probe(sum_of(4), target_of(odd), 300);
  BOOST_TEST(found.says("NOT PREDICTED"), found.text);
  BOOST_TEST(!found.says("to-odd"), found.text);
  BOOST_TEST(found.s.results == 0u);
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_rule_is_shown) {
  // A float32 chain that answers 1e30 wherever its result is larger.
  const Sum clamped = [](const Doubles& x, std::uint64_t) {
    float sum = 0;
    for (const double v : x) sum += static_cast<float>(v);
    return std::min(static_cast<double>(sum), 1e30);
  };
  const Found found = probe(sum_of(8), target_of(clamped), 300);
  BOOST_TEST(!all_explained(found.r, found.s));
  BOOST_TEST_REQUIRE(!found.r.classes.at(0).unexplained.empty());
  const Unexplained& shown = found.r.classes[0].unexplained.front();
  BOOST_TEST(shown.got == encode(1e30, formats::float32).code);
  BOOST_TEST(shown.predicted != shown.got);
  BOOST_TEST(found.says("got 0x1.93e594p+99"), found.text);
  BOOST_TEST(found.says("these rules give"), found.text);
}

namespace {

// A matrix product in float32 by a program that misreads: `a` and `b` say where it takes an element from, `d` where it
// puts one.
using Place = std::function<std::size_t(const Problem& p, std::size_t row, std::size_t column)>;

Target misreading(const Place& a, const Place& b, const Place& d, bool swapped = false) {
  return [=](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers;
    for (const Case& x : cases) {
      // As its codes stand in a round.
      std::vector<std::byte> all = x.a;
      all.insert(all.end(), x.b.begin(), x.b.end());
      const std::byte* const first = all.data();
      const CodeVector codes{first, p.a_size() + p.b_size(), 1, p.a};
      const std::size_t a_at = swapped ? p.b_size() : 0, b_at = swapped ? 0 : p.a_size();
      Answer answer(p.outputs());
      for (std::size_t i = 0; i < p.m; ++i) {
        for (std::size_t j = 0; j < p.n; ++j) {
          float sum = 0;
          for (std::size_t t = 0; t < p.k; ++t)
            sum += static_cast<float>(decode(codes.code(a_at + a(p, i, t)), p.a)) *
                   static_cast<float>(decode(codes.code(b_at + b(p, t, j)), p.b));
          answer[d(p, i, j)] = std::bit_cast<std::uint32_t>(sum);
        }
      }
      answers.push_back(std::move(answer));
    }
    return answers;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_usual_mistakes_are_named) {
  const Place a = [](const Problem&p, std::size_t i, std::size_t t) { return i * p.k + t; },
              a_turned = [](const Problem&p, std::size_t i, std::size_t t) { return t * p.m + i; },
              b = [](const Problem&p, std::size_t t, std::size_t j) { return t * p.n + j; },
              b_turned = [](const Problem&p, std::size_t t, std::size_t j) { return j * p.k + t; },
              d = [](const Problem&p, std::size_t i, std::size_t j) { return i * p.n + j; },
              d_turned = [](const Problem&p, std::size_t i, std::size_t j) { return j * p.m + i; };
  const Problem p{.operation = SumOperation::gemm, .m = 3, .n = 5, .k = 8};
  const struct {
    Target target;
    const char* says;
  } plants[] = {{misreading(a, b_turned, d), "it takes B as n x k"},
                {misreading(a_turned, b, d), "it takes A as k x m"},
                {misreading(a, b, d_turned), "it writes its results column by column"},
                {misreading(a, b, d, true), "it takes A for B and B for A"},
                {misreading(a_turned, b_turned, d_turned), "column by column, and it takes B as n x k"}};
  for (const auto& [target, says] : plants) {
    const Found found = probe(p, target, 100);
    BOOST_TEST(found.says("NOT PREDICTED  it misreads the protocol: "), found.text);
    BOOST_TEST(found.says(says), says << " in " << found.text);
    BOOST_TEST(found.r.runs < 200u);
  }
  const Found right = probe(p, misreading(a, b, d), 100);
  BOOST_TEST(all_explained(right.r, right.s), right.text);
}

BOOST_AUTO_TEST_CASE(rounds_that_are_read_in_another_order_are_named) {
  const Target right = target_of(forward);
  const Target apart = [right](const Problem& p, std::span<const Case> cases) {
    std::vector<std::byte> all;
    for (const Case& x : cases) {
      all.insert(all.end(), x.a.begin(), x.a.end());
      all.insert(all.end(), x.b.begin(), x.b.end());
    }
    std::vector<Case> read(cases.begin(), cases.end());
    const std::size_t bytes = p.k * code_bytes(p.a);
    for (std::size_t i = 0; i < read.size(); ++i) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(i * bytes), bytes, read[i].a.begin());
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>((read.size() + i) * bytes), bytes,
                  read[i].b.begin());
    }
    return right(p, read);
  };
  // The same inputs at other places have other answers, too: the mistake is said, not that.
  BOOST_TEST(probe(dot(9), apart, 100).says("it reads all of A of a round before B"));
  const Target reversed = [right](const Problem& p, std::span<const Case> cases) {
    std::vector<Answer> answers = right(p, cases);
    std::reverse(answers.begin(), answers.end());
    return answers;
  };
  BOOST_TEST(probe(dot(9), reversed, 100).says("it answers the cases of a round in reverse order"));
  BOOST_TEST(probe(sum_of(9), reversed, 100).says("it answers the cases of a round in reverse order"));
}
