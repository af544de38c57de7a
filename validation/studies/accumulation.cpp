#include "validation/studies/accumulation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/exact/chain.hpp"
#include "reference/exact/exact_dot.hpp"

namespace assay::studies {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// One arithmetic on operands of one pair of formats.
struct Party {
  const Arithmetic* arithmetic = nullptr;
  std::optional<Accumulation> how{};  // of a chain: its bound is taken from the truth at hand
  FormatSpec a = formats::float32, b = formats::float32, output = formats::float32;
  StudySeries series{};
};

std::string products_name(const std::optional<FormatSpec>& product) {
  return product ? std::string(product->short_name) : "fused";
}

class Plan {
 public:
  explicit Plan(const AccumulationRequest& request) : r_(request) {
    for (const Arithmetic* unit : r_.units) add_unit(*unit);
    if (r_.chains) {
      const std::vector<FormatSpec> formats = r_.formats.empty() ? std::vector{formats::float32} : r_.formats;
      for (const FormatSpec& f : formats) {
        for (const FormatSpec& accumulator : r_.accumulators) add_chains(f, accumulator);
      }
    }
    name_series();
  }
  const std::vector<Party>& parties() const { return parties_; }

 private:
  void add_unit(const Arithmetic& unit) {
    const ArithmeticInfo& info = unit.info();
    std::vector<std::pair<FormatSpec, FormatSpec>> pairs;
    if (info.inputs.empty()) {
      for (const FormatSpec& f : r_.formats) pairs.emplace_back(f, f);
      if (pairs.empty()) pairs.emplace_back(info.accumulator, info.accumulator);
    } else if (r_.formats.empty()) {
      pairs.push_back(info.inputs.front());
    } else {
      for (const auto& pair : info.inputs) {
        if (std::find(r_.formats.begin(), r_.formats.end(), pair.first) != r_.formats.end() &&
            pair.first == pair.second)
          pairs.push_back(pair);
      }
    }
    if (pairs.empty()) {
      std::vector<std::string_view> takes;
      for (const auto& pair : info.inputs) takes.push_back(pair.first.short_name);
      throw InputError("--unit " + info.name, "", fmt::format("--format {}", fmt::join(takes, " or ")),
                       "none of them");
    }
    for (const auto& [a, b] : pairs) {
      Party p{.arithmetic = &unit, .how = {}, .a = a, .b = b, .output = info.outputs.front(), .series = {}};
      p.series.unit = info.name;
      p.series.format = a.short_name;
      p.series.accumulator = info.accumulator.short_name;
      p.series.product = info.products;
      p.series.order = info.order;
      p.series.mode = info.rounding;
      p.series.evidence = evidence_name(info.evidence);
      p.series.unverified = is_unverified(info.evidence);
      parties_.push_back(std::move(p));
    }
  }

  void add_chains(const FormatSpec& f, const FormatSpec& accumulator) {
    // The values of a sum enter as products with 1: rounded on entering, which is exact where they fit.
    const bool sum = r_.operation == Accumulate::sum;
    const std::vector<std::optional<FormatSpec>> products =
        sum ? std::vector<std::optional<FormatSpec>>{accumulator} : r_.products;
    for (const auto& product : products) {
      for (const NamedOrder& order : r_.orders) {
        for (const Rounding mode : r_.modes) {
          const ChainSpec spec{.name = "studied chain",
                               .accumulator = accumulator,
                               .product = product,
                               .order = order.order,
                               .rounding = mode,
                               .seed = r_.seed};
          chains_.push_back(make_chain(spec));
          Party p{.arithmetic = chains_.back().get(),
                  .how = accumulation(spec),
                  .a = f,
                  .b = f,
                  .output = accumulator,
                  .series = {}};
          p.series.format = f.short_name;
          p.series.accumulator = accumulator.short_name;
          p.series.product = sum ? "" : products_name(product);
          p.series.order = order.name;
          p.series.mode = rounding_name(mode);
          p.series.evidence = evidence_name(Evidence::DEF);
          parties_.push_back(std::move(p));
        }
      }
    }
  }

  // A chain's name holds what not all chains have in common, and always its accumulator.
  void name_series() {
    std::set<std::string> formats, products, orders, modes;
    std::multiset<std::string> taken;  // units, once for each format
    for (const Party& p : parties_) {
      formats.insert(p.series.format);
      taken.insert(p.series.unit);
      if (!p.series.unit.empty()) continue;
      products.insert(p.series.product);
      orders.insert(p.series.order);
      modes.insert(p.series.mode);
    }
    for (Party& p : parties_) {
      StudySeries& s = p.series;
      std::vector<std::string> parts;
      if (!s.unit.empty()) {
        parts.push_back(s.unit + (s.unverified ? " (unverified)" : ""));
        if (taken.count(s.unit) > 1) parts.push_back(s.format);
      } else {
        const bool told = formats.size() > 1 && s.format != s.accumulator;
        parts.push_back(s.accumulator + " sums" + (told ? " of " + s.format : ""));
        if (orders.size() > 1 || s.order != "sequential") parts.push_back(s.order);
        if (modes.size() > 1 || s.mode != "nearest-even")
          parts.emplace_back(rounding_alias(parse_rounding(s.mode)));
        if (products.size() > 1) parts.push_back(s.product == "fused" ? "fused" : "products " + s.product);
      }
      s.name = fmt::format("{}", fmt::join(parts, ", "));
    }
  }

  const AccumulationRequest& r_;
  std::vector<std::unique_ptr<const Arithmetic>> chains_;
  std::vector<Party> parties_;
};

std::vector<std::uint8_t> draw_codes(const FormatSpec& f, Values values, std::uint64_t seed,
                                     std::uint64_t stream, std::size_t n) {
  const std::size_t bytes = code_bytes(f);
  std::vector<std::uint8_t> codes(n * bytes);
  for (std::size_t i = 0; i < n; ++i)
    detail::store_code(codes.data(), static_cast<std::ptrdiff_t>(i), bytes,
                       encode(draw(values, seed, stream, i), f).code);
  return codes;
}

TrialError error_of(const Party& p, const CodeVector& a, const CodeVector& b, const ExactDot& truth,
                    std::uint64_t code, Accumulate operation) {
  double limit = infinity;
  if (p.how) {
    const TermSums data{.terms = a.size, .magnitudes = truth.magnitudes, .exact = truth.value.magnitude_up()};
    const ErrorBound bound =
        operation == Accumulate::sum ? sum_bound(*p.how, data, p.a) : dot_bound(*p.how, data);
    if (!bound.may_overflow) limit = bound.value;
  } else {
    limit = p.arithmetic->bound(a, b, {}, p.output);
  }
  ExactSum error = truth.value;
  error.negate();
  error.add(code, p.output);
  return trial_error(error, limit, truth.magnitudes);
}

// The truth for those that read their operands as they are, for those that flush them, and for those with an alpha of
// their own or a mean.
struct Truths {
  std::map<std::pair<bool, std::optional<OwnScaling>>, ExactDot> kept{};
  const ExactDot& of(const Arithmetic& arithmetic, const CodeVector& a, const CodeVector& b) {
    const std::pair key(arithmetic.info().flush_inputs, arithmetic.info().scaling);
    const auto at = kept.find(key);
    return at != kept.end() ? at->second : kept.emplace(key, arithmetic.exact(a, b, {})).first->second;
  }
};

// Parties with the same pair of formats: they share their data.
struct Group {
  FormatSpec a, b;
  std::vector<std::size_t> members;
};

std::vector<Group> groups_of(const std::vector<Party>& parties) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < parties.size(); ++i) {
    const Party& p = parties[i];
    auto at =
        std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.a == p.a && g.b == p.b; });
    if (at == groups.end()) at = groups.insert(at, Group{p.a, p.b, {}});
    at->members.push_back(i);
  }
  return groups;
}

// What is measured at once: one group of parties, one distribution, one length.
class Measurement {
 public:
  Measurement(const AccumulationRequest& r, const std::vector<Party>& parties, const Group& group,
              Values values, std::uint64_t n)
      : r_(r), parties_(parties), g_(group), values_(values), n_(n), trials_(r.trials.of(n)) {}

  // A row of errors for each member of the group.
  std::vector<std::vector<TrialError>> errors() const {
    return r_.operation == Accumulate::gemm ? of_products() : of_vectors();
  }

 private:
  std::vector<std::uint8_t> codes(const FormatSpec& f, std::uint64_t trial, unsigned operand,
                                  std::size_t count) const {
    return draw_codes(f, values_, r_.seed, trial_stream(n_, trial, operand), count);
  }
  const Party& member(std::size_t m) const { return parties_[g_.members[m]]; }

  std::vector<std::vector<TrialError>> of_vectors() const {
    std::vector<std::vector<TrialError>> errors(g_.members.size(), std::vector<TrialError>(trials_));
    const bool sum = r_.operation == Accumulate::sum;
    const std::uint64_t one = encode(1.0, g_.b).code;
    parallel_for(trials_, 0, [&](std::size_t t) {
      const auto a_codes = codes(g_.a, t, 0, n_);
      const auto b_codes = sum ? std::vector<std::uint8_t>{} : codes(g_.b, t, 1, n_);
      const CodeVector a{a_codes.data(), n_, 1, g_.a};
      // A stride of 0 repeats the one; little-endian: its low bytes are the code.
      const CodeVector b = sum ? CodeVector{&one, n_, 0, g_.b} : CodeVector{b_codes.data(), n_, 1, g_.b};
      Truths truths;
      for (std::size_t m = 0; m < errors.size(); ++m) {
        const Party& p = member(m);
        const std::uint64_t code = p.arithmetic->dot(a, b, {}, p.output, t);
        errors[m][t] = error_of(p, a, b, truths.of(*p.arithmetic, a, b), code, r_.operation);
      }
    });
    return errors;
  }

  std::vector<std::vector<TrialError>> of_products() const {
    const auto side = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(trials_)) - 1e-9));
    const auto a_codes = codes(g_.a, 0, 0, side * n_), b_codes = codes(g_.b, 0, 1, side * n_);
    const auto stride = static_cast<std::ptrdiff_t>(n_);
    // B column by column, so that an element's operands are contiguous.
    const CodeMatrix a{a_codes.data(), side, n_, stride, 1, g_.a};
    const CodeMatrix b{b_codes.data(), n_, side, 1, stride, g_.b};
    std::vector<Truths> truths(side * side);
    std::vector<std::vector<TrialError>> errors(g_.members.size(), std::vector<TrialError>(side * side));
    for (std::size_t m = 0; m < errors.size(); ++m) {
      const Party& p = member(m);
      std::vector<std::uint8_t> d_codes(side * side * code_bytes(p.output));
      const MutableCodeMatrix d{d_codes.data(), side, side, static_cast<std::ptrdiff_t>(side), 1, p.output};
      p.arithmetic->gemm(a, b, std::nullopt, d);
      const CodeMatrix results = d;
      parallel_for(side * side, 0, [&](std::size_t e) {
        const CodeVector row = a.row(e / side), column = b.column(e % side);
        errors[m][e] = error_of(p, row, column, truths[e].of(*p.arithmetic, row, column),
                                results.code(e / side, e % side), r_.operation);
      });
    }
    return errors;
  }

  const AccumulationRequest& r_;
  const std::vector<Party>& parties_;
  const Group& g_;
  Values values_;
  std::uint64_t n_, trials_;
};

}  // namespace

std::string_view accumulate_name(Accumulate operation) {
  switch (operation) {
    case Accumulate::sum: return "sum";
    case Accumulate::dot: return "dot";
    case Accumulate::gemm: break;
  }
  return "gemm";
}

Study study_accumulation(const AccumulationRequest& r, const Progress& progress) {
  r.trials.check();
  if (r.lengths.empty()) throw ContractError("study_accumulation: no lengths");
  const Plan plan(r);
  const std::vector<Party>& parties = plan.parties();
  const std::vector<Group> groups = groups_of(parties);
  Study study{.name = std::string(accumulate_name(r.operation)),
              .x_name = "n",
              .x_label = r.operation == Accumulate::sum ? "terms n" : "products n",
              .seed = r.seed,
              .series = {}};
  for (const Values values : r.values) {
    for (const Party& p : parties) {
      study.series.push_back(p.series);
      study.series.back().values = values;
    }
  }
  Meter meter(progress, r.trials, r.lengths, r.values.size() * groups.size());
  for (std::size_t v = 0; v < r.values.size(); ++v) {
    for (const Group& group : groups) {
      for (const std::uint64_t n : r.lengths) {
        meter.show(r.values[v], n);
        const auto errors = Measurement(r, parties, group, r.values[v], n).errors();
        for (std::size_t m = 0; m < errors.size(); ++m) {
          StudySeries& series = study.series[v * parties.size() + group.members[m]];
          series.points.push_back(point_of(static_cast<double>(n), errors[m]));
        }
        meter.done(n);
      }
    }
  }
  meter.finish();
  return study;
}

}  // namespace assay::studies
