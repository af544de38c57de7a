// What the tests of files share.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "reference/core/error.hpp"
#include "validation/io/io.hpp"

namespace assay::io::test {

namespace fs = std::filesystem;

// A folder that goes away with its test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-io-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  std::string make(std::string_view name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return *this / name;
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

inline std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A file of tests/data/io.
inline std::string file_of(std::string_view name) {
  return std::string(ASSAY_TEST_DATA "/io/") + std::string(name);
}

// For BOOST_CHECK_EXCEPTION.
inline auto says(std::string part) {
  return [part = std::move(part)](const std::exception& e) {
    const bool said = std::string_view(e.what()).find(part) != std::string_view::npos;
    if (!said) BOOST_TEST_MESSAGE("said: " << e.what());
    return said;
  };
}

// `n` little-endian bytes.
inline std::string little(std::uint64_t value, int n) {
  std::string bytes;
  for (int i = 0; i < n; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

// An npy file of version 1 with this header, and data.
inline std::string npy(std::string_view dict, std::string_view bytes) {
  return "\x93NUMPY" + std::string("\1\0", 2) + little(dict.size(), 2) + std::string(dict) +
         std::string(bytes);
}
inline std::string npy(std::string_view descr, std::string_view shape, std::string_view bytes) {
  return npy("{'descr': '" + std::string(descr) +
                 "', 'fortran_order': False, 'shape': " + std::string(shape) + ", }\n",
             bytes);
}

// A safetensors file with this header, and data.
inline std::string safetensors(std::string_view header, std::string_view bytes) {
  return little(header.size(), 8) + std::string(header) + std::string(bytes);
}

// The element as a number.
inline double number(const Array& array, std::int64_t i) {
  const std::uint64_t code = array.code(i);
  if (array.element.is_floating()) return decode(code, array.element.format());
  const int unused = 64 - array.element.bits();
  if (array.element.kind() == ElementType::Kind::signed_integer) {
    return static_cast<double>(static_cast<std::int64_t>(code << unused) >> unused);
  }
  return static_cast<double>(code);
}

}  // namespace assay::io::test
