// Zip archives, stored and deflated, with or without zip64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/io/byte_source.hpp"

namespace assay::io {

class ZipReader {
 public:
  struct Member {
    std::string name;
    std::uint64_t size;  // as the archive claims it; no larger than its compressed bytes could grow to
  };

  // InputError for what is no zip archive, for members twice of a name, encrypted, compressed by another method than
  // deflate, or with sizes that the file cannot hold.
  explicit ZipReader(const std::string& path);
  // An archive in memory that outlives the reader; `origin` for messages.
  ZipReader(std::span<const std::byte> bytes, std::string origin);
  ~ZipReader();
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  const std::string& origin() const { return origin_; }
  const std::vector<Member>& members() const { return members_; }
  const Member* find(std::string_view name) const;  // null if there is none
  // A stream over one member; the reader outlives it. Its checksum is compared by expect_end().
  std::unique_ptr<ByteSource> open(const Member& member) const;

 private:
  struct Archive;
  void list(std::uint64_t archive_bytes);
  std::string name_of(std::uint64_t index, const char* shown) const;

  std::string origin_;
  std::unique_ptr<Archive> archive_;
  std::vector<Member> members_;
};

// Writes an archive as an AtomicFile does: beside its place, renamed there in commit(), or into a pipe. Members are
// stored, not compressed, and dated 1980-01-01, so that the same arrays give the same bytes.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path);
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;

  // Member `name` holds `head` and then `body`, which is not copied: its bytes must stay as they are until commit(),
  // which reads and writes them. ContractError for a name over 65535 bytes or with a NUL byte.
  void add(const std::string& name, std::string head, std::span<const std::byte> body);
  void commit();

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};

}  // namespace assay::io
