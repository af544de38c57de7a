// Machines' dot-product units and what they compute, as text and as JSON. report/ knows no unit: it gets the metadata
// of an arithmetic and the paths that can run it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/exact/arithmetic.hpp"
#include "reference/exact/trace.hpp"

namespace assay {

struct UnitDescription {
  struct Path {
    std::string_view name{};
    std::string needs{};    // the names of ISAs
    std::string why_not{};  // why this CPU cannot run it; empty: it can
  };
  const ArithmeticInfo* info = nullptr;  // never null
  std::vector<Path> paths{};
};
// A table of all of them; lines of `width` columns (0: of any length).
std::string units_text(std::span<const UnitDescription> units, std::size_t width);
std::string units_json(
    std::span<const UnitDescription> units);  // an array over several lines, without the last feed
// One of them, with everything that is known of it.
std::string unit_text(const UnitDescription& unit, std::size_t width);
std::string unit_json(const UnitDescription& unit);

// What an arithmetic computed from whole arrays.
struct UnitProducts {
  const ArithmeticInfo* info = nullptr;  // never null
  std::string a{}, b{};                  // the operands' element types
  FormatSpec output = formats::float32;
  std::vector<std::int64_t> shape{};
  std::uint64_t products = 0;
  double seconds = 0;
  std::string out{};  // where it was written; empty: nowhere
};
std::string unit_products_text(const UnitProducts& computed);
std::string unit_products_json(const UnitProducts& computed);  // on one line, without the line feed

// How one row's dot product came about.
struct UnitTrace {
  const ArithmeticInfo* info = nullptr;  // never null
  std::size_t row = 0, products = 0;
  std::vector<TraceStep> steps{};
};
std::string unit_trace_text(const UnitTrace& trace);
std::string unit_trace_json(const UnitTrace& trace);  // on one line, without the line feed

}  // namespace assay
