// How far sparse products under bf16 contracts lie from float32: a grid of shapes, sparsities and contracts.
//
//   operands   A and B of random values in float32, and the same rounded to bf16, to nearest even. Each place of A
//              (spmm) or of the mask (sddmm) has an entry with the probability that the sparsity leaves.
//   terms      spmm: the stored entries of a row of A, in stored order; sddmm: elements 0 .. k - 1 of a row of A and a
//              column of B. A contract whose step takes L products takes the next L terms, and what is left in the last
//              step: absent entries are no terms and never fill a step.
//   references the product of the unrounded operands under chain_f32_fused; the exact result of the bf16 operands, with
//              the contract's proven bound for them.
// Outputs are float32; those without a term are zero by every contract and count nowhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "validation/judge/option.hpp"
#include "validation/studies/study.hpp"
#include "validation/suites/telling_apart.hpp"

namespace assay::studies {

// Texts as typed. An empty list selects the default; duplicates are ignored.
struct Bf16Question {
  std::string operation{};            // "spmm", "sddmm"
  std::vector<std::string> shapes{};  // "64x1024x16", m x k x n
  std::vector<double> sparsities{};   // per cent, from 0 to below 100
  std::vector<NamedArithmetic> contracts{};
  std::string values{};  // as parse_values() takes them; empty: normal
  std::uint64_t seed = 1;
  int threads = 0;
  judge::Caller caller = judge::Caller::command;
};

struct ProductShape {
  std::uint64_t m = 0, k = 0, n = 0;

  friend bool operator==(const ProductShape&, const ProductShape&) = default;
};

struct Bf16Request {
  std::string operation{};
  std::vector<ProductShape> shapes{};
  std::vector<double> sparsities{};
  std::vector<NamedArithmetic> contracts{};
  Values values = Values::normal;
  std::uint64_t seed = 1;
  int threads = 0;
};

// InputError for a text that cannot be parsed or a number outside its range; UsageError for a contract that does not
// take bf16 operands, gives no float32, or needs more than operands (scales, the places of outputs).
Bf16Request bf16_request(const Bf16Question& question);

// What the largest product of the request takes. Nothing: 2^64 bytes and more.
std::optional<std::uint64_t> bf16_bytes(const Bf16Request& request);

Bf16Study study_bf16(const Bf16Request& request, const Progress& progress = {});

}  // namespace assay::studies
