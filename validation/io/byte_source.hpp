// The source of the readers' bytes: a file, a member of an archive, or memory. One interface, so that every reader
// streams, can be fuzzed from memory, and asks for no more than is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/core/file.hpp"

namespace assay::io {

class ByteSource {
 public:
  explicit ByteSource(std::string origin) : origin_(std::move(origin)) {}
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& origin() const { return origin_; }  // for messages
  std::uint64_t offset() const { return offset_; }       // of the next byte
  // An upper bound of the bytes that follow, to hold a header's claims against before memory is asked for.
  std::uint64_t remaining_at_most() const { return rest_at_most() + (ahead_.size() - ahead_begin_); }

  std::size_t read(void* dst, std::size_t n);  // fewer than n only at the end
  void read_exact(void* dst, std::size_t n, std::string_view what);
  void skip(std::uint64_t n, std::string_view what);
  // The next bytes without taking them; fewer than n only at the end.
  std::string_view peek(std::size_t n);
  // InputError unless nothing follows. Archives compare their checksum here.
  void expect_end(std::string_view after);

  // InputError at a place of this source, or at the next byte.
  [[noreturn]] void fail(std::string place, std::string expected, std::string found) const;
  [[noreturn]] void fail(std::string expected, std::string found) const;

 protected:
  virtual std::size_t take(void* dst, std::size_t n) = 0;  // fewer than n only at the end
  virtual std::uint64_t rest_at_most() const = 0;

 private:
  std::string origin_;
  std::uint64_t offset_ = 0;
  std::vector<char> ahead_;  // peeked at and not read
  std::size_t ahead_begin_ = 0;
};

// A file, plain or gzipped.
class FileSource : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path) : ByteSource(path.string()), reader_(path) {}

 protected:
  std::size_t take(void* dst, std::size_t n) override { return reader_.read(dst, n); }
  std::uint64_t rest_at_most() const override { return reader_.remaining_at_most(); }

 private:
  ByteReader reader_;
};

// Bytes that outlive the source.
class MemorySource : public ByteSource {
 public:
  MemorySource(std::span<const std::byte> bytes, std::string origin)
      : ByteSource(std::move(origin)), bytes_(bytes) {}

 protected:
  std::size_t take(void* dst, std::size_t n) override;
  std::uint64_t rest_at_most() const override { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace assay::io
