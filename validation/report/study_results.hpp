// The findings of studies, as data: series of points, each with the statistics of its trials; and the answers of
// networks that rounding changed.
//
// An error is (result - exact) / S with S the sum of magnitudes of the terms (of the products for dot products), taken
// from the long accumulator and rounded once. For positive data S is the result itself, and the error the relative one;
// for data of both signs it stays defined where the sum cancels. The proven bound is divided by the same S.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference/formats/formats.hpp"
#include "reference/formats/rounding.hpp"

namespace assay::studies {

// How values are drawn, as float64, before they are rounded (to nearest, even) into the format of the operands.
enum class Values : std::uint8_t {
  positive,     // uniform in [0, 1)
  uniform,      // uniform in [-1, 1)
  normal,       // standard normal
  wide,         // +-2^u, u uniform in [-12, 12)
  above_tenth,  // uniform in [0.1, 1)
};
inline constexpr std::array all_values{Values::positive, Values::uniform, Values::normal, Values::wide,
                                       Values::above_tenth};
std::string_view values_name(Values values);
std::string_view values_text(Values values);  // "uniform in [0, 1)"

struct StudyPoint {
  double x = 0;                     // the length n; for conversions by magnitude, 2^e
  std::uint64_t trials = 0;         // all of them
  std::uint64_t nonfinite = 0;      // results that overflowed or are NaN: in no other figure
  std::uint64_t outside = 0;        // errors beyond the bound: a fault of ours, or of the model
  double rms = 0, max = 0;          // of the error
  double bias = 0, bias_error = 0;  // its mean, and the standard error of that mean
  std::optional<double> bound{};    // the largest of the trials' bounds; none where overflow is possible

  bool measured() const { return trials > nonfinite; }
  // The mean is further from 0 than two of its standard errors.
  bool biased() const;
};

struct StudySeries {
  std::string name{};  // in legends: what differs from the other series
  Values values = Values::positive;
  // Empty where it does not apply.
  std::string unit{}, format{}, accumulator{}, product{}, order{}, mode{}, evidence{};
  bool unverified = false;
  std::vector<StudyPoint> points{};
};

struct Study {
  std::string name{};          // "dot"
  std::string x_name{};        // "n"
  std::string x_label{};       // "products n"
  bool powers_of_two = false;  // the axis of x
  std::uint64_t seed = 1;
  std::vector<StudySeries> series{};

  std::uint64_t outside() const;  // over all points
};

// --- answers of networks ---------------------------------------------------------------------------------------------

struct Quantity {
  FormatSpec format = formats::float32;
  Rounding mode = Rounding::nearest_even;

  friend bool operator==(const Quantity&, const Quantity&) = default;
};
std::string quantity_text(const Quantity& q);  // "bf16", "bf16:RZ"

struct InferenceArithmetic {
  Quantity weights{}, activations{}, bias{}, accumulator{};
  std::uint64_t seed = 1;
};
enum class Question : std::uint8_t {
  category,        // is any output of the last layer not 0?
  largest_output,  // which is the largest, the first of equals?
};

struct Answer {
  std::uint32_t label = 0;  // category: 0 or 1; else the output
  // How far from the other answer. category: of an image with a category, the least over all layers of the largest sum
  // before the clip; of one without, the largest sum of the layer after which all is 0 (not above 0, unless its
  // rounding was to 0). largest_output: how far the largest lies above the next.
  double margin = 0;
  int layer = 0;  // the layer of the margin, from 1
};

struct InferenceCase {
  std::string name{};
  InferenceArithmetic arithmetic{};
};

struct ChangedAnswer {
  std::uint32_t image = 0;                  // from 1
  std::uint32_t reference = 0, answer = 0;  // labels
  double margin = 0;                        // of the reference
  int layer = 0;
  std::uint64_t nearer = 0;  // of its peers, those whose |margin| is smaller
};

struct CaseAnswers {
  InferenceCase arithmetic{};
  std::uint64_t categories = 0;          // category: images with one
  std::uint64_t right = 0;               // largest_output: images with their label
  std::vector<ChangedAnswer> changed{};  // by |margin|, the nearest first
  std::uint64_t lost = 0, gained = 0;    // category: of `changed`, 1 to 0 and 0 to 1
};

struct InferenceStudy {
  Question question = Question::category;
  std::string network{}, inputs{};  // in words
  std::uint64_t images = 0, seed = 1;
  std::vector<Answer> reference{};
  // |margin| of the reference, ascending: of the images without a category and of those with one; or of all.
  std::vector<std::vector<double>> margins{};
  std::uint64_t categories = 0, right = 0;  // of the reference
  std::vector<CaseAnswers> cases{};
};

// --- bf16 contracts beside float32 ----------------------------------------------------------------------------------

// How far results lie from a reference. An ulp is the distance of neighbours in a format at the reference's magnitude.
struct Distance {
  double mean_bf16_ulp = 0, max_bf16_ulp = 0, mean_f32_ulp = 0, max_f32_ulp = 0;
  double relative = 0;  // root of the sum of squares, by that of the reference
};

// The outputs of one sparse product under one contract.
struct ContractErrors {
  std::uint64_t m = 0, k = 0, n = 0;
  double sparsity = 0;        // per cent of the places without entry, as asked for
  std::uint64_t entries = 0;  // of the sparse matrix, or of the mask
  double terms = 0;           // of an output, on average
  std::string contract{}, order{}, evidence{};
  bool unverified = false;
  std::uint64_t step_terms = 1;              // products that enter one step
  std::uint64_t outputs = 0, nonfinite = 0;  // with a term; of these, in no figure
  std::uint64_t outside = 0;                 // beyond the bound: a fault of ours, or of the model
  Distance from_float32{};                   // of the product of unrounded operands, chain_f32_fused
  Distance from_exact{};                     // of the exact result of the bf16 operands
  double of_bound = 0;                       // the largest error over its proven bound
};

struct Bf16Study {
  std::string operation{};  // "spmm", "sddmm"
  Values values = Values::normal;
  std::uint64_t seed = 1;
  std::vector<ContractErrors> results{};  // by shape, then sparsity, then contract

  std::uint64_t outside() const;  // over all results
};

// The margins that one with this label stands among.
const std::vector<double>& peers(const InferenceStudy& study, std::uint32_t label);

}  // namespace assay::studies
