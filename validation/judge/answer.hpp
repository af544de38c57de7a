// All outputs of an operation at once: the exact ones with their bounds, or the bits of a named arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "validation/judge/operands.hpp"

namespace assay::judge {

// All outputs, as a comparison takes them.
struct Answer {
  std::vector<std::byte> codes;
  std::vector<double> truth, remainder, bound;
  std::vector<ResultSet> results;
  SpecialCodes specials{};
};

struct AnswerOptions {
  int threads = 0;
  double factor = 1;                       // of the bound
  std::vector<std::size_t> sample{};       // of the outputs, ascending; empty: all
  std::function<void(double)> progress{};  // is told the share that is done
};
Answer exact_answer(const Operation& operation, const Arithmetic& arithmetic, const OutputSpec& output,
                    const AnswerOptions& options = {});
Answer predicted_answer(const Operation& operation, const Arithmetic& unit, const OutputSpec& output,
                        const AnswerOptions& options = {});

// `size` of n outputs, ascending, spread evenly; empty, for all, if there are no more.
std::vector<std::size_t> sample_of(std::size_t n, std::size_t size, std::uint64_t seed);

}  // namespace assay::judge
