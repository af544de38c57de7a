#include "tests/fuzz/targets.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "reference/core/error.hpp"
#include "reference/core/idx.hpp"
#include "reference/spdnn/challenge_files.hpp"

namespace assay::fuzz {
namespace {

using namespace spdnn;

// A file in memory that a reader can open by its name.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("memfd_create");
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
      if (wrote <= 0) throw std::runtime_error("write to a memory file");
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void promise(bool kept, const char* what) {
  if (!kept) throw std::logic_error(what);
}

std::string_view text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void layer(const MemoryFile& file, std::int32_t neurons, std::int32_t inputs) {
  const sparse::Csr<float> a = read_layer(file.path(), neurons, inputs);
  sparse::check(a);
  promise(a.rows() == neurons && a.cols() == neurons, "a layer of another size");
  for (std::int64_t j = 0; j < a.rows(); ++j) {
    const auto n = static_cast<std::int32_t>(a.row_columns(j).size());
    promise(inputs == 0 ? n > 0 : n == inputs, "an output with another number of inputs");
  }
  promise(read_layer(MemoryFile(layer_text(a)).path(), neurons, inputs) == a,
          "a layer that does not read back");
}

void images(const MemoryFile& file, std::int32_t neurons) {
  const BitMatrix m = read_images(file.path(), neurons, 1000);
  promise(m.rows() > 0 && m.rows() <= 1000 && m.cols() == static_cast<std::size_t>(neurons),
          "images of another size");
  promise(m.count() > 0, "a file without pixels");
  std::string again;
  for (std::size_t i = 0; i < m.rows(); ++i) {
    for (std::size_t j = 0; j < m.cols(); ++j) {
      if (m.test(i, j)) again += std::to_string(i + 1) + '\t' + std::to_string(j + 1) + "\t1\n";
    }
  }
  promise(read_images(MemoryFile(again).path(), neurons, 1000) == m, "images that do not read back");
}

void categories(const MemoryFile& file) {
  std::string again;
  std::uint32_t last = 0;
  const auto list = read_categories(file.path(), 1000);
  for (const std::uint32_t image : list) {
    promise(image > last && image <= 1000, "categories out of order");
    last = image;
    again += std::to_string(image) + '\n';
  }
  promise(read_categories(MemoryFile(again).path(), 1000) == list, "categories that do not read back");
}

}  // namespace

void challenge(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const MemoryFile file(text(bytes.subspan(1)));
  try {
    switch (bytes.front() % 4) {
      case 0: layer(file, 4, 2); break;
      case 1: layer(file, 9, 0); break;
      case 2: images(file, 70); break;
      default: categories(file); break;
    }
  } catch (const InputError&) {
  }
}

void idx(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const MemoryFile file(text(bytes.subspan(1)));
  try {
    if (bytes.front() % 2 == 0) {
      const IdxImages m = read_idx_images(file.path());
      promise(m.count > 0 && m.rows > 0 && m.cols > 0, "a size of zero");
      promise(m.pixels.size() == m.count * m.rows * m.cols, "pixels of another number than the sizes say");
      promise(m.image(m.count - 1).size() == m.rows * m.cols, "an image of another size");
    } else {
      promise(!read_idx_labels(file.path()).empty(), "no labels");
    }
  } catch (const InputError&) {
  }
}

}  // namespace assay::fuzz
