// A gradient path's results to their verdicts, and what to say beside them.
#include "validation/judge/autosparse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/formats/encode.hpp"
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
    if (!r.got_dw && !r.got_ds) return;
    show_progress(0, "G");
    g_ = weight_gradients(r, layer_);
  }

  std::vector<AutosparseJudgement> all() {
    std::vector<AutosparseJudgement> judged;
    if (r_.got_mask) judged.push_back({"mask", mask()});
    double place = 0.2;
    for (const auto& [array, got] : {std::pair("v", &r_.got_v), std::pair("dw", &r_.got_dw),
                                     std::pair("dx", &r_.got_dx), std::pair("ds", &r_.got_ds)}) {
      show_progress(place, array);
      if (*got) judged.push_back({array, values(array, **got)});
      place += 0.2;
    }
    return judged;
  }

 private:
  void show_progress(double done, const std::string& what) const {
    if (r_.progress) r_.progress(done, what);
  }

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
      // Of undecided weights, what was found is right.
      want.as<float>()[i] =
          layer_.undecided[i] != 0 ? found.as<float>()[i] : static_cast<float>(layer_.kept[i]);
      truth.add({static_cast<double>(layer_.kept[i]), 0},
                layer_.undecided[i] != 0 ? std::numeric_limits<double>::infinity() : 0);
    }
    compare::Options how = options("mask");
    how.policy = {};
    how.policy.kind = compare::PolicyKind::bit_equal;
    how.policy.name = "bit-equal";
    const compare::Expected expected{.codes = codes_of(want)};
    Judgement j{.comparison = compare::judge(codes_of(found), expected, how),
                .name = name_of("mask", *r_.got_mask),
                .evidence = r_.s ? "|w| > T, T within an ulp of the correctly rounded sigmoid" : "|w| > T"};
    if (n > 0 && layer_.undecided_count == n) {
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
    note_overflow(j, truth, format);
    add_ds_advice(array, truth, j);
    add_causes(j, {.array = array, .truth = truth, .got = values, .format = format});
    return j;
  }

  // An infinity that the format makes of a finite value is right, and rarely wanted.
  static void note_overflow(Judgement& j, const AutosparseTruth& truth, const FormatSpec& format) {
    const auto above = std::count_if(truth.truth.begin(), truth.truth.end(), [&](double x) {
      return std::isfinite(x) && std::isinf(decode(encode(x, format).code, format));
    });
    if (above == 0) return;
    j.notes.push_back(
        fmt::format("note   {} of {} exact values are beyond the largest {} and round to infinity", above,
                    truth.truth.size(), format.dtype));
  }

  // Whether the bound of some ds admits more than a thousandth of it.
  static bool is_wide(const AutosparseTruth& truth) {
    for (std::size_t t = 0; t < truth.truth.size(); ++t) {
      if (truth.bound[t] > 0x1p-10 * std::fabs(truth.truth[t])) return true;
    }
    return false;
  }

  // A bound that proves little gets narrower by what is known of the sum.
  void add_ds_advice(const std::string& array, const AutosparseTruth& truth, Judgement& j) const {
    if (array != "ds" || r_.policy.kind != compare::PolicyKind::bound || r_.ds_order != "any" ||
        !r_.ds_accumulator.empty() || j.comparison.not_judged > 0 ||
        j.comparison.want.zero() == j.comparison.values ||
        (j.comparison.verdict != compare::Verdict::vacuous && !is_wide(truth)))
      return;
    j.notes.push_back(
        fmt::format("note   the bound of {} terms in any order is wide here. Say the order of the sum "
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

AutosparseMemory autosparse_memory(std::uint64_t weights, std::uint64_t elements) {
  // Some of it twice.
  constexpr std::uint64_t bytes_a_weight = 160, bytes_an_element = 160;
  return {fmt::format("{} weights and {} elements of X, dY and dX", weights, elements),
          bytes_sum({bytes_product({weights, bytes_a_weight}), bytes_product({elements, bytes_an_element})})};
}

AutosparseMemory autosparse_memory(const AutosparseRequest& r) {
  const auto size = [](const std::optional<io::Array>& x) {
    return x ? static_cast<std::uint64_t>(x->size()) : 0;
  };
  return autosparse_memory(static_cast<std::uint64_t>(r.w.size()), size(r.x) + size(r.dy) + size(r.got_dx));
}

bool has_cause(const std::vector<std::string>& notes) {
  return std::any_of(notes.begin(), notes.end(),
                     [](const std::string& note) { return note.starts_with("cause  "); });
}

}  // namespace assay::judge
