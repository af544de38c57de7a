// A gradient path's results to their verdicts, and what to say beside them.
#include "validation/judge/autosparse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/core/error.hpp"
#include "validation/compare/comparator.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/autosparse_contract.hpp"
#include "validation/judge/autosparse_mistakes.hpp"

namespace assay::judge {
namespace {

std::string sums_text(const Accumulation& how, const std::string& order) {
  return fmt::format("sums in {} {}", how.accumulator.dtype,
                     order == "any" ? "in any order" : "in the order " + order);
}

class AutosparseCheck {
 public:
  explicit AutosparseCheck(const AutosparseRequest& r) : r_(r), layer_(make_autosparse_layer(r)) {
    if (r.got_dw || r.got_ds) g_ = weight_gradients(r, layer_);
  }

  std::vector<AutosparseJudgement> all() {
    std::vector<AutosparseJudgement> judged;
    if (r_.got_mask) judged.push_back({"mask", mask()});
    for (const auto& [array, got] : {std::pair("v", &r_.got_v), std::pair("dw", &r_.got_dw),
                                     std::pair("dx", &r_.got_dx), std::pair("ds", &r_.got_ds)}) {
      if (*got) judged.push_back({array, values(array, **got)});
    }
    return judged;
  }

 private:
  std::string name_of(const std::string& array, const io::Array& got) const {
    std::string name =
        fmt::format("check/autosparse {} channels={} inputs={} w={} got={}", array, layer_.shape.channels,
                    layer_.shape.per_channel, layer_.weights.dtype, got.element.name());
    if (array == "dx" || (r_.x && (array == "dw" || array == "ds")))
      name += fmt::format(" batch={}", layer_.batch);
    const std::vector<double>& given = r_.s ? layer_.s : layer_.threshold;
    name += given.size() == 1 ? fmt::format(" {}={:g}", r_.s ? "s" : "threshold", given.front())
                              : fmt::format(" {}={} channels", r_.s ? "s" : "thresholds", given.size());
    if (array == "dw" || array == "ds") {
      name += fmt::format(" alpha={:g}", layer_.alpha);
      if (array == "dw" && layer_.lambda != 0) name += fmt::format(" lambda={:g}", layer_.lambda);
      if (array == "ds" && layer_.lambda_s != 0) name += fmt::format(" lambda_s={:g}", layer_.lambda_s);
      if (r_.support != "dense") name += " support=" + r_.support;
    }
    if (r_.arithmetic != nullptr && (array == "dx" || r_.x)) name += " unit=" + r_.arithmetic_name;
    return name;
  }

  compare::Options options(const std::string& array) const {
    compare::Options options;
    options.policy = r_.policy;
    options.expects_zero = r_.expects_zero;
    options.threads = r_.threads;
    options.operation = "autosparse " + array;
    return options;
  }

  void note_undecided(Judgement& j, std::size_t admitted, const char* what) const {
    if (!r_.s || (admitted == 0 && r_.got_mask && j.comparison.operation != "autosparse mask")) return;
    j.notes.push_back(
        fmt::format("note   {} of {} weights are undecided: |w| lies within an ulp of T, by which machines' "
                    "sigmoids differ{}",
                    layer_.undecided_count, layer_.size(), admitted > 0 ? fmt::format("; {}", what) : ""));
  }

  Judgement mask() const {
    const std::size_t n = layer_.size();
    const io::Array numbers = as_floating(io::Array(*r_.got_mask));
    const std::vector<double> got = values_of(numbers);
    io::Array found = io::make_array(formats::float32, numbers.shape), want = found;
    AutosparseTruth truth;
    for (std::size_t i = 0; i < n; ++i) {
      if (got[i] != 0 && got[i] != 1) {
        throw InputError(r_.got_mask->origin,
                         compare::index_text(i, compare::Shape(numbers.shape.begin(), numbers.shape.end())),
                         "a mask of 0 and 1", fmt::format("{}", got[i]));
      }
      found.as<float>()[i] = got[i] == 1 ? 1.0F : 0.0F;
      want.as<float>()[i] = layer_.kept[i] != 0 ? 1.0F : 0.0F;
      truth.add({static_cast<double>(layer_.kept[i]), 0},
                layer_.undecided[i] != 0 ? std::numeric_limits<double>::infinity() : 0);
    }
    compare::Options how = options("mask");
    // Undecided weights are accepted and counted, the others are equal or wrong.
    const bool by_bits = layer_.undecided_count == 0;
    how.policy = {};
    how.policy.kind = by_bits ? compare::PolicyKind::bit_equal : compare::PolicyKind::bound;
    how.policy.name = by_bits ? "bit-equal" : "bound";
    compare::Expected expected{.codes = codes_of(want)};
    if (!by_bits) expected.bound = truth.bound;
    Judgement j{.comparison = compare::judge(codes_of(found), expected, how),
                .name = name_of("mask", *r_.got_mask),
                .evidence = r_.s ? "|w| > T, T within an ulp of the correctly rounded sigmoid" : "|w| > T"};
    if (j.comparison.verdict == compare::Verdict::agree && n > 0 && j.comparison.not_judged == n) {
      j.comparison.verdict = compare::Verdict::vacuous;
      j.comparison.reason = "no weight's mask is decided: any mask would pass";
    }
    note_undecided(j, layer_.undecided_count, "either mask is accepted there");
    add_causes(j, {.array = "mask", .truth = truth, .got = got, .format = formats::float32});
    return j;
  }

  AutosparseTruth truth_of(const std::string& array, const io::Array& got,
                           const std::vector<double>& values) const {
    const FormatSpec& format = got.element.format();
    if (array == "v") return v_truth(layer_, format);
    if (array == "dx") return dx_truth(r_, layer_, format);
    if (array == "dw") return dw_truth(layer_, g_, format, values);
    return ds_truth(layer_, g_, format);
  }

  std::string evidence_of(const std::string& array) const {
    if (r_.policy.kind == compare::PolicyKind::bit_equal)
      return "the bits of the contract that is named below";
    if (r_.policy.kind != compare::PolicyKind::bound) return "the exact result";
    if (array == "v") return "the exact |w| - T and the error of its roundings";
    const std::string products = r_.arithmetic != nullptr
                                     ? "the bound of " + r_.arithmetic_name
                                     : "the bound of " + sums_text(layer_.products, r_.order);
    if (array == "dx") return "the exact result and " + products;
    const std::string steps = fmt::format("the errors of steps in {}", layer_.products.accumulator.dtype);
    const std::string of_g = r_.g ? "" : ", G within " + products;
    if (array == "dw") return "the exact result and " + steps + of_g;
    return fmt::format("the exact result, {} and the bound of {}{}", steps,
                       sums_text(layer_.ds_sum, r_.ds_order), of_g);
  }

  Judgement values(const std::string& array, const io::Array& got) const {
    const std::vector<double> values = values_of(got);
    const FormatSpec& format = got.element.format();
    const AutosparseTruth truth = truth_of(array, got, values);
    const std::optional<AutosparseBits> bits = contract_bits(r_, layer_, array, format);
    const bool by_bits = r_.policy.kind == compare::PolicyKind::bit_equal;
    if (by_bits && !bits) {
      throw UsageError(fmt::format("{} {}: no contract says which bits {} of {} has here, from {} weights{}",
                                   r_.option("policy"), r_.policy.name, array, got.element.name(),
                                   layer_.weights.dtype,
                                   r_.arithmetic == nullptr ? "" : " under " + r_.arithmetic_name));
    }
    const std::vector<std::byte> codes = by_bits ? bits->codes : rounded_codes(truth, format);
    compare::Expected expected{.codes = {codes.data(), format, codes_of(got).shape}};
    if (!by_bits) {
      expected.truth = truth.truth;
      expected.remainder = truth.remainder;
    }
    if (r_.policy.kind == compare::PolicyKind::bound) expected.bound = truth.bound;
    Judgement j{.comparison = compare::judge(codes_of(got), expected, options(array)),
                .name = name_of(array, got),
                .evidence = evidence_of(array)};
    if (bits) {
      std::size_t equal = 0;
      const compare::Codes ours{bits->codes.data(), format, codes_of(got).shape}, theirs = codes_of(got);
      for (std::size_t i = 0; i < values.size(); ++i)
        equal += compare::code_at(ours, i) == compare::code_at(theirs, i) ? 1U : 0U;
      j.notes.push_back(fmt::format("note   {} of {} bit-equal to {}", equal, values.size(), bits->contract));
    }
    note_undecided(j, truth.admitted, "what either mask gives is accepted");
    if (array == "dx" && r_.arithmetic == nullptr && layer_.v_format != layer_.thresholds)
      j.notes.push_back(
          fmt::format("note   v may have been rounded to {} for this product", layer_.v_format.dtype));
    if (array == "ds" && layer_.lambda_s != 0 &&
        std::any_of(layer_.s_rounding.begin(), layer_.s_rounding.end(), [](double x) { return x > 0; }))
      j.notes.push_back(
          fmt::format("note   s was rounded to {}, from which T is made", layer_.thresholds.dtype));
    add_ds_advice(array, j);
    add_causes(j, {.array = array, .truth = truth, .got = values, .format = format});
    return j;
  }

  // A bound that proves nothing gets narrower by what is known of the sum.
  void add_ds_advice(const std::string& array, Judgement& j) const {
    if (array != "ds" || r_.policy.kind != compare::PolicyKind::bound || r_.ds_order != "any" ||
        j.comparison.verdict != compare::Verdict::vacuous || j.comparison.not_judged > 0 ||
        j.comparison.want.zero() == j.comparison.values)
      return;
    j.notes.push_back(
        fmt::format("note   the bound of {} terms in any order is too wide here. Say the order of the sum "
                    "({} pairwise), or its "
                    "format ({} f64), for a narrower one",
                    layer_.size() / layer_.threshold.size(), r_.option("ds-order"), r_.option("ds-acc")));
  }

  void add_causes(Judgement& j, const AutosparseResult& result) const {
    for (std::string& line : known_mistakes(r_, layer_, g_, result)) j.notes.push_back(std::move(line));
  }

  const AutosparseRequest& r_;
  AutosparseLayer layer_;
  ExactProducts g_{};
};

}  // namespace

std::vector<AutosparseJudgement> check_autosparse(const AutosparseRequest& request) {
  return AutosparseCheck(request).all();
}

}  // namespace assay::judge
