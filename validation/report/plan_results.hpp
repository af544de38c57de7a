// What a plan of a sparse product chose for a matrix, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/sparse/spmm.hpp"

namespace assay {

// What a sparse format would take for the matrix, with float32 values.
struct StoredForm {
  std::string name{};  // "csr", "bsr 16 x 16"
  std::uint64_t value_bytes = 0, index_bytes = 0;
  std::uint64_t added = 0;  // places beyond the entries: padding, or zeros that blocks fill in

  std::uint64_t bytes() const { return value_bytes + index_bytes; }
};

// Entries of the rows.
struct RowLengths {
  std::int64_t least = 0, median = 0, longest = 0;
  std::int64_t empty = 0;  // rows without entries
};

// Medians of `repetitions`, on one thread.
struct PlanTimes {
  int repetitions = 0;
  double planning_seconds = 0, product_seconds = 0;
  double flops_per_second = 0;  // 2 entries n a product

  double products() const { return planning_seconds / product_seconds; }  // what planning costs
};

struct PlannedSpmm {
  std::string name{};          // of the matrix, as it was given
  std::string value_format{};  // of its values as they were given; the plan has float32
  std::int64_t rows = 0, cols = 0, entries = 0;
  std::int64_t columns = 0;  // n
  RowLengths row_lengths{};
  // A row with columns that do not ascend, which only CSR holds.
  std::optional<std::int64_t> unsorted_row{};
  std::vector<StoredForm> forms{};
  sparse::SpmmChoice choice{};
  std::string isa{};
  std::uint32_t rows_side_by_side = 0;
  std::optional<PlanTimes> times{};
  std::uint64_t seed = 0;  // of X, where it was timed

  double density() const {  // entries a place; 0 for a matrix without entries
    if (entries == 0) return 0;
    return static_cast<double>(entries) / static_cast<double>(rows) / static_cast<double>(cols);
  }
};

}  // namespace assay
