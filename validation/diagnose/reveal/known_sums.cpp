// Sources: W. Kahan, "Pracniques: Further Remarks on Reducing Truncation Errors" (CACM 8(1), 1965); A. Neumaier,
// "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen" (ZAMM 54, 1974); T. Ogita, S. M. Rump,
// S. Oishi, "Accurate Sum and Dot Product" (SISC 26(6), 2005).
#include "validation/diagnose/reveal/known_sums.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "reference/exact/exact_sum.hpp"
#include "reference/formats/encode.hpp"

namespace assay::diagnose {
namespace {

using Extended = long double;
static_assert(std::numeric_limits<Extended>::digits == 64, "x87's format");

template <class Real>
struct Term {
  Real a, b;
};
template <class Real>
using Terms = std::vector<Term<Real>>;

template <class Real>
Terms<Real> terms_of(const Problem& p, const SumOperands& o) {
  const CodeVector a{o.a.data(), p.k, 1, p.a}, b{o.b.data(), p.k, 1, p.b};
  Terms<Real> terms(p.k, {0, 1});
  for (std::size_t i = 0; i < p.k; ++i) {
    terms[i].a = static_cast<Real>(decode(a.code(i), p.a));
    if (p.has_b()) terms[i].b = static_cast<Real>(decode(b.code(i), p.b));
  }
  return terms;
}

std::uint64_t rounded(Extended x, const FormatSpec& f) {
  if (!std::isfinite(x) || x == 0) return encode(static_cast<double>(x), f).code;
  ExactValue<Wide> value;
  int e = 0;
  value.negative = std::signbit(x);
  value.significand = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::fabs(x), &e), 64));
  value.exponent = e - 64;
  return encode(value, f).code;
}

// x + y and what its rounding lost (Knuth).
template <class Real>
struct Pair {
  Real sum, error;
};
template <class Real>
Pair<Real> two_sum(Real x, Real y) {
  const Real s = x + y, z = s - x;
  return {s, (x - (s - z)) + (y - z)};
}

template <class Real>
Real chain(const Terms<Real>& terms) {
  Real sum = 0;
  for (const auto& t : terms) sum += t.a * t.b;
  return sum;
}
template <class Real>
Real kahan(const Terms<Real>& terms) {
  Real sum = 0, lost = 0;
  for (const auto& t : terms) {
    const Real x = t.a * t.b - lost, next = sum + x;
    lost = (next - sum) - x;
    sum = next;
  }
  return sum;
}
template <class Real>
Real neumaier(const Terms<Real>& terms) {
  Real sum = 0, lost = 0;
  for (const auto& t : terms) {
    const Pair<Real> next = two_sum(sum, t.a * t.b);
    sum = next.sum;
    lost += next.error;
  }
  return sum + lost;
}
// Products with their errors by FMA (Dot2 of Ogita, Rump and Oishi).
template <class Real>
Real dot2(const Terms<Real>& terms) {
  Real sum = 0, lost = 0;
  for (const auto& t : terms) {
    const Real product = t.a * t.b, error = std::fma(t.a, t.b, -product);
    const Pair<Real> next = two_sum(sum, product);
    sum = next.sum;
    lost += next.error + error;
  }
  return sum + lost;
}
// The same with the errors kept in two parts, as CPython's math.sumprod has them.
template <class Real>
Real triple_length(const Terms<Real>& terms) {
  Real high = 0, low = 0, tiny = 0;
  for (const auto& t : terms) {
    const Real product = t.a * t.b, error = std::fma(t.a, t.b, -product);
    const Pair<Real> sum = two_sum(high, product), first = two_sum(low, error),
                     second = two_sum(first.sum, sum.error);
    high = sum.sum;
    low = second.sum;
    tiny += first.error + second.error;
  }
  const Pair<Real> last = two_sum(low, high);
  return tiny + last.error + last.sum;
}

template <class Real>
Real sorted(const Terms<Real>& terms, bool by_magnitude, bool largest_first) {
  std::vector<Real> products;
  for (const auto& t : terms) products.push_back(t.a * t.b);
  std::stable_sort(products.begin(), products.end(), [&](Real x, Real y) {
    if (by_magnitude) x = std::fabs(x), y = std::fabs(y);
    return largest_first ? y < x : x < y;
  });
  Real sum = 0;
  for (const Real x : products) sum += x;
  return sum;
}

template <class Real>
Real running_mean(const Terms<Real>& terms) {
  Real mean = 0, n = 0;
  for (const auto& t : terms) mean += (t.a - mean) / ++n;
  return mean;
}

template <class Real>
struct Way {
  std::string name;
  std::function<Real(const Terms<Real>&)> sum;
};

template <class Real>
std::vector<Way<Real>> ways(const Problem& p) {
  if (p.operation == SumOperation::mean)
    return {{"a mean that each term updates by (x - mean) / n, in ", running_mean<Real>}};
  std::vector<Way<Real>> list{{"a compensated sum (Kahan's) in ", kahan<Real>},
                              {"a compensated sum (Neumaier's) in ", neumaier<Real>}};
  if (p.has_b()) {
    list.push_back({"a compensated dot product (errors of products by FMA) in ", dot2<Real>});
    list.push_back({"a dot product in three lengths (as CPython's math.sumprod) of ", triple_length<Real>});
  }
  for (const bool by_magnitude : {false, true}) {
    for (const bool largest_first : {false, true}) {
      list.push_back({std::string("terms sorted first, ") + (largest_first ? "largest" : "smallest") +
                          (by_magnitude ? " magnitude" : " value") + " first, in ",
                      [=](const Terms<Real>& terms) { return sorted(terms, by_magnitude, largest_first); }});
    }
  }
  return list;
}

template <class Real>
void add_ways(const Problem& p, const std::vector<SumOperands>& inputs, const std::string& format,
              std::vector<KnownSum>& list) {
  for (const bool backwards : {false, true}) {
    for (const Way<Real>& way : ways<Real>(p)) {
      KnownSum known{way.name + format + (backwards ? ", from the last term to the first" : ""), {}};
      for (const SumOperands& o : inputs) {
        Terms<Real> terms = terms_of<Real>(p, o);
        if (backwards) std::reverse(terms.begin(), terms.end());
        known.codes.push_back(rounded(static_cast<Extended>(way.sum(terms)), p.output));
      }
      list.push_back(std::move(known));
    }
  }
}

}  // namespace

std::vector<KnownSum> known_sums(const Problem& p, const std::vector<SumOperands>& inputs) {
  std::vector<KnownSum> list;
  add_ways<double>(p, inputs, "float64", list);
  add_ways<float>(p, inputs, "float32", list);
  add_ways<Extended>(p, inputs, "80 bits", list);
  return list;
}

std::uint64_t exact_result(const Problem& p, const SumOperands& o, bool by_float64) {
  ExactSum sum;
  const CodeVector a{o.a.data(), p.k, 1, p.a}, b{o.b.data(), p.k, 1, p.b};
  for (std::size_t i = 0; i < p.k; ++i) {
    if (p.has_b()) {
      sum.add_product(a.code(i), p.a, b.code(i), p.b);
    } else {
      sum.add(a.code(i), p.a);
    }
  }
  if (p.adds_c()) sum.add(o.c, *p.c);
  if (!by_float64) return sum.rounded(p.output).code;
  return encode(exact_from_code(sum.rounded(formats::float64).code, formats::float64), p.output).code;
}

std::uint64_t chain_result(const Problem& p, const SumOperands& o, Width width) {
  switch (width) {
    case Width::float32: return rounded(static_cast<Extended>(chain(terms_of<float>(p, o))), p.output);
    case Width::float64: return rounded(static_cast<Extended>(chain(terms_of<double>(p, o))), p.output);
    case Width::extended: break;
  }
  return rounded(chain(terms_of<Extended>(p, o)), p.output);
}

std::uint64_t compensated_result(const Problem& p, const SumOperands& o) {
  const Terms<double> terms = terms_of<double>(p, o);
  return rounded(static_cast<Extended>(p.has_b() ? dot2(terms) : neumaier(terms)), p.output);
}

std::uint64_t extended_result(const Problem& p, const AdditionTree& tree, const SumOperands& o) {
  const Terms<Extended> terms = terms_of<Extended>(p, o);
  std::vector<Extended> values(tree.nodes.size(), 0);
  for (std::size_t at = 0; at < values.size(); ++at) {
    const TreeNode& node = tree.nodes[at];
    for (const int child : node.children) values[at] += values[static_cast<std::size_t>(child)];
    if (!node.children.empty()) continue;
    const auto leaf = static_cast<std::size_t>(node.leaf);
    values[at] = leaf == p.k ? static_cast<Extended>(decode(o.c, *p.c)) : terms[leaf].a * terms[leaf].b;
  }
  const Extended sum = values.back();
  return rounded(p.operation == SumOperation::mean ? sum / static_cast<Extended>(p.k) : sum, p.output);
}

}  // namespace assay::diagnose
