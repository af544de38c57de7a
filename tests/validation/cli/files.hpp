// A folder of arrays for one test, and the program run in it.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "reference/core/random.hpp"
#include "reference/exact/code_view.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/shell.hpp"
#include "validation/io/io.hpp"

namespace assay::cli_test {

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "assay-arrays-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const io::Array& array) const { io::write_array(path / name, array); }
  shell::Outcome assay(const std::string& arguments) const {
    return shell::run("cd " + path.string() + " && exec '" + ASSAY_PROGRAM + "' " + arguments);
  }
  std::string text_of(const std::string& name) const {
    std::ifstream in(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path path;
};

inline bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline io::Array array_of(const FormatSpec& f, io::Shape shape, const std::vector<double>& values) {
  io::Array array = io::make_array(f, std::move(shape));
  for (std::size_t i = 0; i < values.size(); ++i) {
    detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), array.element.bytes(),
                       encode(values[i], f).code);
  }
  return array;
}

inline io::Array normal(const FormatSpec& f, const io::Shape& shape, std::uint64_t seed) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  const CounterRandom random(seed);
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = random.normal(i);
  return array_of(f, shape, values);
}

// The codes of an array as plain integers: what a program without such a type leaves in a file.
inline io::Array as_integers(io::Array array) {
  array.element = io::ElementType::unsigned_integer(static_cast<int>(8 * array.element.bytes()));
  return array;
}

inline std::uint64_t code(const io::Array& array, std::size_t i) {
  return array.code(static_cast<std::int64_t>(i));
}
inline double value(const io::Array& array, std::size_t i) {
  return decode(code(array, i), array.element.format());
}
inline void set_code(io::Array& array, std::size_t i, std::uint64_t c) {
  detail::store_code(array.bytes.data(), static_cast<std::ptrdiff_t>(i), array.element.bytes(), c);
}
inline void set_value(io::Array& array, std::size_t i, double x) {
  set_code(array, i, encode(x, array.element.format()).code);
}

// A B in float32, one fused multiply-add a term.
inline io::Array product(const io::Array& a, const io::Array& b, const FormatSpec& f) {
  const auto m = static_cast<std::size_t>(a.shape[0]), k = static_cast<std::size_t>(a.shape[1]),
             n = static_cast<std::size_t>(b.shape[1]);
  std::vector<double> values(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::size_t l = 0; l < k; ++l) {
        sum = std::fma(static_cast<float>(value(a, i * k + l)), static_cast<float>(value(b, l * n + j)), sum);
      }
      values[i * n + j] = static_cast<double>(sum);
    }
  }
  return array_of(f, {a.shape[0], b.shape[1]}, values);
}

}  // namespace assay::cli_test
