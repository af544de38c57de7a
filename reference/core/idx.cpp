#include "reference/core/idx.hpp"

#include <array>
#include <cstdio>
#include <string>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"

namespace assay {
namespace {

std::uint32_t big_endian(ByteReader& in, std::string_view what) {
  std::array<std::uint8_t, 4> b{};
  in.read_exact(b.data(), b.size(), what);
  return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
}

std::string hex(std::uint32_t value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", value);
  return text.data();
}

// The header of unsigned bytes with `dimensions` sizes, then exactly as many bytes as they say.
std::vector<std::uint8_t> read_idx(const std::filesystem::path& path, std::span<std::uint32_t> sizes) {
  ByteReader in(path);
  const auto magic_wanted = 0x0800 | static_cast<std::uint32_t>(sizes.size());
  const std::uint32_t magic = big_endian(in, "magic number");
  if (magic != magic_wanted)
    throw InputError(in.path(), "byte 0", "magic number " + hex(magic_wanted), hex(magic));
  __extension__ using Wide = unsigned __int128;
  Wide total = 1;
  for (std::uint32_t& size : sizes) {
    size = big_endian(in, "size");
    if (size == 0)
      throw InputError(in.path(), "byte " + std::to_string(in.offset() - 4), "a size above 0", "0");
    total *= size;
  }
  if (total > in.remaining_at_most()) {
    throw InputError(in.path(), "byte 4", "sizes that fit the file", "sizes of more bytes than it can hold");
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(total));
  in.read_exact(bytes.data(), bytes.size(), "pixels or labels");
  std::uint8_t extra = 0;
  if (in.read(&extra, 1) != 0) {
    throw InputError(in.path(), "byte " + std::to_string(in.offset() - 1), "the end of the file",
                     "more bytes");
  }
  return bytes;
}

}  // namespace

IdxImages read_idx_images(const std::filesystem::path& path) {
  std::array<std::uint32_t, 3> sizes{};
  IdxImages images;
  images.pixels = read_idx(path, sizes);
  images.count = sizes[0];
  images.rows = sizes[1];
  images.cols = sizes[2];
  return images;
}

std::vector<std::uint8_t> read_idx_labels(const std::filesystem::path& path) {
  std::array<std::uint32_t, 1> sizes{};
  return read_idx(path, sizes);
}

}  // namespace assay
