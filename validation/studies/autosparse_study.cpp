#include "validation/studies/autosparse_study.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/core/parallel.hpp"
#include "validation/suites/arithmetics.hpp"

namespace assay::studies {
namespace {

constexpr std::string_view float32_chain = "chain_f32_fused";
constexpr std::uint64_t most_width = std::uint64_t{1} << 16, most_batch = std::uint64_t{1} << 20;

// format, rounding, unit: a float32 line, the units of bf16, and what another rounding changes.
constexpr auto usual_series = std::to_array<std::array<std::string_view, 3>>({
    {"f32", "RNE", float32_chain},
    {"bf16", "RNE", float32_chain},
    {"bf16", "RNE", "vdpbf16ps"},
    {"bf16", "RNE", "tdpbf16ps"},
    {"bf16", "RNE", "sm80.bf16"},
    {"bf16", "RNE", "sm90.bf16"},
    {"bf16", "SR", float32_chain},
    {"bf16", "RZ", float32_chain},
});

template <class T>
bool add_new(std::vector<T>& all, const T& one) {
  if (std::find(all.begin(), all.end(), one) != all.end()) return false;
  all.push_back(one);
  return true;
}

NamedArithmetic named(std::string_view name) {
  return {std::string(name), load_arithmetic(std::string(name), "study")};
}

struct NamedFormat {
  FormatSpec format;
  std::string name;
};

NamedFormat format_of(const AutosparseQuestion& q, const std::string& text) {
  const std::string option = judge::option_name(q.caller, "format");
  const FormatSpec f = judge::typed_for(option, [&] { return parse_format(text); });
  if (!contains_format(formats::float32, f))
    throw InputError::of_option(option, "a format whose values are float32's: the master data is float32",
                                quoted(text));
  return {f, f.short_name == "custom" ? text : std::string(f.short_name)};
}

// Takes dense operands of some format to a float32 result.
void require_unit(const AutosparseQuestion& q, const NamedArithmetic& unit) {
  const ArithmeticInfo& info = unit.arithmetic->info();
  const bool gives =
      unit.arithmetic->gives(formats::float32) || contains_format(formats::float32, info.outputs.front());
  if (!gives || info.block_scales || info.sparse)
    throw UsageError(fmt::format("{} {}: takes no dense operands to a float32 result",
                                 judge::option_name(q.caller, "unit"), unit.name));
  check_places(unit.name, *unit.arithmetic, std::nullopt);
}

std::vector<std::string> inputs_of(const Arithmetic& unit) {
  std::vector<std::string> names;
  for (const auto& [a, b] : unit.info().inputs) {
    if (a == b) add_new(names, std::string(a.short_name));
  }
  return names;
}

std::vector<GradientSeries> series_of(const AutosparseQuestion& q) {
  std::vector<GradientSeries> all;
  if (q.formats.empty() && q.roundings.empty() && q.units.empty()) {
    for (const auto& [format, rounding, unit] : usual_series)
      all.push_back({parse_format(format), parse_rounding(rounding), std::string(format), named(unit)});
    return all;
  }
  std::vector<Rounding> roundings;
  for (const std::string& text : q.roundings)
    add_new(roundings,
            judge::typed_for(judge::option_name(q.caller, "rounding"), [&] { return parse_rounding(text); }));
  if (roundings.empty()) roundings = {Rounding::nearest_even};
  std::vector<NamedFormat> formats;
  for (const std::string& text : q.formats) formats.push_back(format_of(q, text));
  if (formats.empty()) formats = {format_of(q, "f32"), format_of(q, "bf16")};
  std::vector<NamedArithmetic> units = q.units;
  if (units.empty()) units = {named(float32_chain)};
  for (const NamedArithmetic& unit : units) {
    require_unit(q, unit);
    const auto takes = [&](const NamedFormat& f) { return unit.arithmetic->accepts(f.format, f.format); };
    if (std::none_of(formats.begin(), formats.end(), takes))
      throw UsageError(fmt::format("{} {}: takes none of the formats; it takes {}",
                                   judge::option_name(q.caller, "unit"), unit.name,
                                   fmt::join(inputs_of(*unit.arithmetic), ", ")));
  }
  std::vector<std::string> names;
  for (const NamedFormat& f : formats) {
    bool taken = false;
    for (const Rounding rounding : roundings) {
      for (const NamedArithmetic& unit : units) {
        if (!unit.arithmetic->accepts(f.format, f.format)) continue;
        taken = true;
        GradientSeries one{f.format, rounding, f.name, unit};
        if (!one.rounds()) one.rounding = Rounding::nearest_even;
        if (add_new(names, one.name())) all.push_back(std::move(one));
      }
    }
    if (!taken)
      throw UsageError(
          fmt::format("{} {}: none of the units takes it", judge::option_name(q.caller, "format"), f.name));
  }
  return all;
}

template <class T>
std::vector<T> numbers_of(const AutosparseQuestion& q, std::string_view option, const std::vector<T>& typed,
                          std::vector<T> otherwise, std::string_view expected, T least, T most, bool open) {
  if (typed.empty()) return otherwise;
  std::vector<T> all;
  for (const T x : typed) {
    if (!(x >= least && (open ? x < most : x <= most)))
      throw InputError::of_option(judge::option_name(q.caller, option), std::string(expected),
                                  fmt::format("{}", x));
    add_new(all, x);
  }
  std::sort(all.begin(), all.end());
  return all;
}

GradientArithmetic described(const GradientSeries& s) {
  const ArithmeticInfo& info = s.unit.arithmetic->info();
  return {.series = s.name(),
          .format = s.format_name,
          .rounding = std::string(rounding_alias(s.rounding)),
          .unit = s.unit.name,
          .order = info.order,
          .evidence = std::string(evidence_name(info.evidence)),
          .step_terms = info.step_terms,
          .unverified = is_unverified(info.evidence)};
}

std::vector<GradientThreshold> thresholds_of(const AutosparseRequest& r, const GradientLayer& layer) {
  std::vector<GradientThreshold> all;
  for (const double per_cent : r.sparsities) {
    try {
      all.push_back({per_cent, s_of_sparsity(layer.w, per_cent)});
    } catch (const ContractError& e) {
      throw UsageError(fmt::format("width {} at sparsity {} %: {}", layer.inputs, per_cent, e.what()));
    }
  }
  return all;
}

}  // namespace

AutosparseRequest autosparse_request(const AutosparseQuestion& q) {
  AutosparseRequest r{.series = series_of(q), .seed = q.seed, .threads = q.threads};
  r.widths = numbers_of<std::uint64_t>(q, "width", q.widths, {64, 128, 256, 512},
                                       "whole numbers from 2 to 2^16", 2, most_width, false);
  r.sparsities = numbers_of<double>(q, "sparsity", q.sparsities, {50, 90, 98},
                                    "per cent, from 0 to below 100", 0, 100, true);
  r.alphas = numbers_of<double>(q, "alpha", q.alphas, {0, 0.5, 1}, "numbers from 0 to 1", 0, 1, false);
  r.batch = numbers_of<std::uint64_t>(q, "batch", {q.batch}, {}, "a whole number from 1 to 2^20", 1,
                                      most_batch, false)
                .front();
  if (!(q.lambda >= 0 && std::isfinite(static_cast<float>(q.lambda))))
    throw InputError::of_option(
        judge::option_name(q.caller, q.caller == judge::Caller::python ? "lambda_" : "lambda"),
        "a float32 number, 0 or more", fmt::format("{}", q.lambda));
  r.lambda = q.lambda;
  return r;
}

std::optional<std::uint64_t> autosparse_bytes(const AutosparseRequest& r) {
  return gradient_bytes(r.widths.back(), r.batch, r.sparsities.size(),
                        static_cast<std::uint64_t>(threads_or_default(r.threads)));
}

AutosparseStudy study_autosparse(const AutosparseRequest& r, const Progress& progress) {
  AutosparseStudy study{.batch = r.batch,
                        .seed = r.seed,
                        .lambda = r.lambda,
                        .widths = r.widths,
                        .sparsities = r.sparsities,
                        .alphas = r.alphas};
  for (const GradientSeries& s : r.series) study.arithmetics.push_back(described(s));
  const ThreadScope team(r.threads);
  // A layer costs its multiply-adds, whatever the arithmetic.
  const auto work = [](std::uint64_t width) {
    return static_cast<double>(width) * static_cast<double>(width);
  };
  double done = 0, all = 0;
  for (const std::uint64_t width : r.widths) all += work(width) * static_cast<double>(r.series.size());
  for (const std::uint64_t width : r.widths) {
    if (progress) progress(done / all, fmt::format("width {}, in float64", width));
    GradientLayer layer = random_layer(width, r.batch, r.seed);
    const std::vector<GradientThreshold> thresholds = thresholds_of(r, layer);
    const GradientTruth truth(std::move(layer), thresholds, r.alphas, r.lambda, r.seed);
    std::vector<std::string> rounded;
    for (const GradientSeries& s : r.series) {
      const auto points = gradient_points(truth, s, [&](double part) {
        if (progress)
          progress((done + part * work(width)) / all, fmt::format("width {}, {}", width, s.name()));
      });
      study.points.insert(study.points.end(), points.begin(), points.end());
      if (s.rounds() && add_new(rounded, s.format_and_rounding())) {
        const auto masters = master_weights(truth, s);
        study.masters.insert(study.masters.end(), masters.begin(), masters.end());
      }
      done += work(width);
    }
  }
  if (progress) progress(1, "done");
  return study;
}

}  // namespace assay::studies
