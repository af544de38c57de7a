#include "validation/judge/arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "reference/core/error.hpp"

namespace assay::judge {
namespace {

template <class T>
void widen(const io::Array& array, std::span<double> values) {
  const std::span<const T> src = array.as<T>();
  for (std::size_t i = 0; i < src.size(); ++i) {
    values[i] = static_cast<double>(src[i]);
    // 2^63 and 2^64 are float64 values and no value of T: the way back would overflow.
    const bool holds = std::fabs(values[i]) < 0x1p63 && static_cast<T>(values[i]) == src[i];
    if (!holds) {
      throw InputError(array.origin, "value " + std::to_string(i),
                       "integers that float64 holds exactly, to be compared with floating-point numbers",
                       std::to_string(src[i]));
    }
  }
}

}  // namespace

io::Array by_rows(io::Array array) {
  if (array.shape.size() < 2 || array.file_order == io::Order::column_major) return array;
  const std::size_t rows = static_cast<std::size_t>(array.shape[array.shape.size() - 2]);
  const std::size_t cols = static_cast<std::size_t>(array.shape.back());
  io::Array turned = io::make_array(array.element, array.shape);
  turned.origin = array.origin;
  turned.metadata = array.metadata;
  const std::size_t bytes = array.element.bytes(), n = static_cast<std::size_t>(array.size());
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t within = i % (rows * cols);
    const std::size_t src = i - within + within % cols * rows + within / cols;
    std::copy_n(array.bytes.begin() + static_cast<std::ptrdiff_t>(src * bytes), bytes,
                turned.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes));
  }
  return turned;
}

io::Array as_floating(io::Array&& array) {
  if (array.element.is_floating()) return std::move(array);
  io::Array wide = io::make_array(formats::float64, array.shape);
  wide.origin = array.origin;
  wide.metadata = array.metadata;
  const std::span<double> values = wide.as<double>();
  const bool is_signed = array.element.kind() == io::ElementType::Kind::signed_integer;
  switch (array.element.bytes()) {
    case 1: is_signed ? widen<std::int8_t>(array, values) : widen<std::uint8_t>(array, values); break;
    case 2: is_signed ? widen<std::int16_t>(array, values) : widen<std::uint16_t>(array, values); break;
    case 4: is_signed ? widen<std::int32_t>(array, values) : widen<std::uint32_t>(array, values); break;
    default: is_signed ? widen<std::int64_t>(array, values) : widen<std::uint64_t>(array, values);
  }
  return wide;
}

compare::Codes codes_of(const io::Array& array) {
  return {array.bytes.data(), array.element.format(), compare::Shape(array.shape.begin(), array.shape.end())};
}

std::vector<double> values_of(const io::Array& array) {
  std::vector<double> values(static_cast<std::size_t>(array.size()));
  compare::Decoder(array.element.format()).decode(array.bytes.data(), values.data(), values.size());
  return values;
}

std::vector<std::uint64_t> all_codes(const compare::Codes& codes) {
  std::vector<std::uint64_t> all(codes.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = compare::code_at(codes, i);
  return all;
}

void require_bounds(const std::vector<double>& bounds, bool of_integers, const std::string& origin) {
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (bounds[i] >= 0 && (!of_integers || std::isfinite(bounds[i]))) continue;
    throw InputError(origin, "value " + std::to_string(i),
                     of_integers ? "a bound of an integer, finite and 0 or more" : "a bound, 0 or more",
                     fmt::format("{}", bounds[i]));
  }
}

std::optional<std::size_t> flat_index(const std::vector<std::size_t>& place, const compare::Shape& shape) {
  if (place.size() != shape.size()) return std::nullopt;
  std::size_t index = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (place[d] >= shape[d]) return std::nullopt;
    index = index * shape[d] + place[d];
  }
  return index;
}

void in_pieces(std::size_t rows, bool divisible, const std::function<void(std::size_t rows)>& done,
               const std::function<void(std::size_t first, std::size_t count)>& body) {
  using Clock = std::chrono::steady_clock;
  // Pieces grow while they are short: packing an operand anew for each must not count.
  std::size_t piece = divisible ? std::min<std::size_t>(rows, 64) : rows;
  for (std::size_t first = 0; first < rows;) {
    const std::size_t count = std::min(piece, rows - first);
    const auto before = Clock::now();
    body(first, count);
    first += count;
    if (std::chrono::duration<double>(Clock::now() - before).count() < 0.25) piece *= 4;
    done(first);
  }
}

}  // namespace assay::judge
