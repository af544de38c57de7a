#include "validation/studies/spdnn_study.hpp"

#include <algorithm>
#include <cmath>

#include "reference/core/error.hpp"

namespace assay::studies {
namespace {

struct Counted {
  std::uint64_t categories = 0, right = 0;
};

Counted counted(const InferenceRequest& r, const std::vector<Answer>& all) {
  Counted c;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (r.question == Question::category) {
      c.categories += all[i].label;
    } else if (!r.labels.empty()) {
      c.right += all[i].label == r.labels[i] ? 1U : 0U;
    }
  }
  return c;
}

// What `got` changed of the reference, the nearest to its threshold first.
CaseAnswers compared(const InferenceRequest& r, const InferenceStudy& study, const InferenceCase& arithmetic,
                     const std::vector<Answer>& got) {
  const Counted c = counted(r, got);
  CaseAnswers one{.arithmetic = arithmetic, .categories = c.categories, .right = c.right, .changed = {}};
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Answer& want = study.reference[i];
    if (got[i].label == want.label) continue;
    const std::vector<double>& all = peers(study, want.label);
    const auto nearer = std::lower_bound(all.begin(), all.end(), std::fabs(want.margin));
    one.changed.push_back({.image = static_cast<std::uint32_t>(i) + 1,
                           .reference = want.label,
                           .answer = got[i].label,
                           .margin = want.margin,
                           .layer = want.layer,
                           .nearer = static_cast<std::uint64_t>(nearer - all.begin())});
    if (r.question == Question::category) ++(want.label == 1 ? one.lost : one.gained);
  }
  std::stable_sort(one.changed.begin(), one.changed.end(),
                   [](const ChangedAnswer& a, const ChangedAnswer& b) {
                     return std::fabs(a.margin) < std::fabs(b.margin);
                   });
  return one;
}

}  // namespace

std::vector<InferenceCase> usual_cases(Question question, std::uint64_t seed) {
  const Quantity single, bf16{formats::bfloat16}, bf16_rz{formats::bfloat16, Rounding::toward_zero},
      f16{formats::float16}, f64{formats::float64};
  const auto one = [&](const Quantity& weights, const Quantity& activations, const Quantity& bias,
                       const Quantity& accumulator) {
    const InferenceArithmetic a{weights, activations, bias, accumulator, seed};
    return InferenceCase{arithmetic_text(a), a};
  };
  std::vector<InferenceCase> cases = {one(single, single, single, f64)};
  if (question == Question::category) {  // every format holds the weight, 1/16
    cases.push_back(one(single, bf16, single, single));
    cases.push_back(one(single, bf16, bf16, single));
    cases.push_back(one(single, bf16_rz, single, single));
    cases.push_back(one(single, bf16, bf16, bf16));
    cases.push_back(one(single, f16, single, single));
    cases.push_back(one(single, f16, f16, f16));
  } else {
    cases.push_back(one(bf16, single, single, single));
    cases.push_back(one(single, bf16, single, single));
    cases.push_back(one(bf16, bf16, single, single));
    cases.push_back(one(bf16_rz, bf16_rz, single, single));
    cases.push_back(one(bf16, bf16, bf16, bf16));
    cases.push_back(one(f16, f16, single, single));
    cases.push_back(one(f16, f16, f16, f16));
  }
  return cases;
}

InferenceStudy study_inference(
    const InferenceRequest& r,
    const std::function<void(double fraction, const std::string& what)>& progress) {
  if (!r.labels.empty() && r.labels.size() < r.images)
    throw ContractError("study_inference: fewer labels than images");
  InferenceStudy study{.question = r.question,
                       .network = r.network,
                       .inputs = r.inputs,
                       .images = r.images,
                       .seed = r.seed,
                       .reference = {},
                       .margins = {},
                       .cases = {}};
  const double runs = static_cast<double>(r.cases.size()) + 1;
  const auto run = [&](const InferenceArithmetic& a, const std::string& name, std::size_t done) {
    const QuantizedNetwork network(r.layers, a);
    return answers(network, r.question, r.images, r.source, r.threads, [&](double part) {
      if (progress) progress((static_cast<double>(done) + part) / runs, name);
    });
  };
  study.reference = run({.seed = r.seed}, "float32", 0);
  const Counted reference = counted(r, study.reference);
  study.categories = reference.categories;
  study.right = reference.right;
  study.margins.resize(r.question == Question::category ? 2 : 1);
  for (const Answer& a : study.reference)
    study.margins[study.margins.size() == 1 ? 0 : a.label].push_back(std::fabs(a.margin));
  for (std::vector<double>& margins : study.margins) std::sort(margins.begin(), margins.end());
  for (std::size_t c = 0; c < r.cases.size(); ++c)
    study.cases.push_back(compared(r, study, r.cases[c], run(r.cases[c].arithmetic, r.cases[c].name, c + 1)));
  return study;
}

}  // namespace assay::studies
