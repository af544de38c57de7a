// Checked reading, and writing that never leaves a partial file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// Bytes of a file, plain or gzipped (by its first two bytes, not its name). Every fault throws InputError: no such
// file, a directory, no permission, a gzip stream that is damaged, cut short, or followed by something else. A pipe or
// a terminal is read to its end by the constructor, at most half of the free memory.
class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path);
  ~ByteReader();
  ByteReader(ByteReader&&) noexcept;
  ByteReader& operator=(ByteReader&&) noexcept;

  // Up to `n` bytes; fewer only at the end of the file.
  std::size_t read(void* dst, std::size_t n);
  // Exactly `n` bytes of `what`, or InputError at the offset where they are missing.
  void read_exact(void* dst, std::size_t n, std::string_view what);

  const std::string& path() const;
  std::uint64_t offset() const;  // of the next byte, in the uncompressed stream
  // No more than this many uncompressed bytes can follow (gzip grows at most 1032-fold): a bound to check a count in a
  // header against before memory is asked for.
  std::uint64_t remaining_at_most() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Lines of a text file. A line ends in LF; CRLF, a NUL byte, a line over 4096 bytes and a last line without LF are
// InputErrors: the last is how a truncated file shows.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& path);

  // False at the end of the file. The view holds until the next call.
  bool next(std::string_view& line);
  std::uint64_t line_number() const { return line_number_; }  // of the line last returned, 1-based
  const std::string& path() const { return bytes_.path(); }
  [[noreturn]] void fail(std::string expected, std::string found) const;  // InputError at the current line

 private:
  ByteReader bytes_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t line_number_ = 0;
  bool at_end_ = false;
};

// The whole file, uncompressed; InputError if it is larger than `limit` bytes.
std::vector<std::byte> read_bytes(const std::filesystem::path& path, std::uint64_t limit);

// The file that a rename to `path` may replace: where its symbolic links lead, so that they stay. It need not exist.
// InputError for a directory, a device, a pipe, a socket: a rename would put a file in their place.
std::filesystem::path file_to_replace(const std::filesystem::path& path);

// A file written beside its place and renamed into it by commit(); without commit() nothing changes on disk. Symbolic
// links are followed. A pipe, a character device, or the file that stdout or stderr is, is not replaced: commit()
// writes there. Gzipped if the name ends in ".gz". Faults (no folder, no space, no permission, a block device) throw
// InputError that names the path.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view text);
  // The next write() begins at `offset` and replaces what stands there; into pipes and devices too, which get nothing
  // before commit(). ContractError if the file is gzipped or `offset` lies beyond what was written.
  void seek(std::uint64_t offset);
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Removes what AtomicFiles of this process have begun beside their places. For a signal that ends the process: it may
// be called in a handler, and nothing may be written afterwards. Of more than 64 files at once, the rest stays.
void remove_unfinished_files() noexcept;

}  // namespace assay
