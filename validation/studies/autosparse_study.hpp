// Errors of AutoSparse's gradients by width of a layer, sparsity, alpha, format, rounding and arithmetic, against
// float64: a grid. What is computed at a point is in gradient_truth.hpp and gradient_errors.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "validation/judge/option.hpp"
#include "validation/studies/gradient_errors.hpp"
#include "validation/studies/study.hpp"

namespace assay::studies {

// Texts as typed. An empty list selects the default; duplicates are ignored.
struct AutosparseQuestion {
  std::vector<std::uint64_t> widths{};
  std::vector<double> sparsities{};  // per cent, from 0 to below 100
  std::vector<double> alphas{};      // from 0 to 1
  std::vector<std::string> formats{}, roundings{};
  std::vector<NamedArithmetic> units{};
  std::uint64_t batch = 32;
  double lambda = 0;
  std::uint64_t seed = 1;
  int threads = 0;
  judge::Caller caller = judge::Caller::command;
};

struct AutosparseRequest {
  std::vector<std::uint64_t> widths{};
  std::vector<double> sparsities{}, alphas{};
  std::vector<GradientSeries> series{};
  std::uint64_t batch = 32;
  double lambda = 0;
  std::uint64_t seed = 1;
  int threads = 0;
};

// Where a format, a rounding or a unit is given: every format with every rounding and every unit that takes it.
// InputError for a text that cannot be parsed or a number outside its range; UsageError for a unit that takes none of
// the formats, gives no float32, or needs more than operands, and for a format that no unit takes.
AutosparseRequest autosparse_request(const AutosparseQuestion& question);

// What the largest layer of the request takes. Nothing: 2^64 bytes and more.
std::optional<std::uint64_t> autosparse_bytes(const AutosparseRequest& request);

// InputError, by --sparsity, where a layer's threshold would be no sigmoid.
AutosparseStudy study_autosparse(const AutosparseRequest& request, const Progress& progress = {});

}  // namespace assay::studies
