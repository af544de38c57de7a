#include "reference/core/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <new>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"

namespace assay {
namespace fs = std::filesystem;
namespace {

std::string errno_text() { return std::strerror(errno); }
std::string at_byte(std::uint64_t offset) { return "byte " + std::to_string(offset); }

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void reset(int fd) {
    close();
    fd_ = fd;
  }
  int close() {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

}  // namespace

struct ByteReader::State {
  explicit State(const fs::path& p) : path(p.string()), fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd.get() < 0) throw InputError(path, "", "a readable file", errno_text());
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) throw InputError(path, "", "a readable file", errno_text());
    if (S_ISDIR(info.st_mode)) throw InputError(path, "", "a file", "a directory");
    if (S_ISREG(info.st_mode)) {
      stored_bytes = static_cast<std::uint64_t>(info.st_size);
    } else {
      is_stream = true;
      read_stream();
    }
    refill();
    gzip = end - begin >= 2 && input[begin] == 0x1F && input[begin + 1] == 0x8B;
    if (gzip && inflateInit2(&stream, 15 + 16) != Z_OK) throw InputError(path, "", "memory for zlib", "none");
  }
  ~State() {
    if (gzip) inflateEnd(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Appends nothing if bytes are left; so `begin == end` afterwards means the end of the file.
  void refill() {
    if (begin != end) return;
    begin = 0;
    if (is_stream) {
      end = 0;
      if (stream_parts.empty()) return;
      end = stream_parts.front().size();
      std::memcpy(input.data(), stream_parts.front().data(), end);
      stream_parts.pop_front();
    } else {
      end = read_some(input.data(), input.size(), consumed);
    }
    consumed += end;
  }

  std::size_t read_some(unsigned char* dst, std::size_t n, std::uint64_t at) const {
    ssize_t got = 0;
    do {
      got = ::read(fd.get(), dst, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw InputError(path, at_byte(at), "readable bytes", errno_text());
    return static_cast<std::size_t>(got);
  }

  // A pipe or a terminal has no size that a header's counts could be held against, so all of it is read before any of
  // it is handed out. Parts are freed as they are.
  void read_stream() {
    const std::uint64_t most = available_memory_bytes() / 2;
    const auto refuse = [&] {
      throw InputError(path, at_byte(stored_bytes),
                       "a stream of at most " + std::to_string(most) + " bytes, half of the free memory",
                       "a longer one; a file may be larger");
    };
    try {
      for (;;) {
        const std::size_t got = read_some(input.data(), input.size(), stored_bytes);
        if (got == 0) return;
        stored_bytes += got;
        if (stored_bytes > most) refuse();
        stream_parts.emplace_back(input.data(), input.data() + got);
      }
    } catch (const std::bad_alloc&) {
      stream_parts.clear();
      refuse();
    }
  }

  std::size_t read_plain(unsigned char* dst, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
      refill();
      if (begin == end) break;
      const std::size_t part = std::min(n - done, end - begin);
      std::memcpy(dst + done, input.data() + begin, part);
      begin += part;
      done += part;
    }
    return done;
  }

  std::size_t read_gzip(unsigned char* dst, std::size_t n) {
    std::size_t done = 0;
    while (done < n && !finished) {
      refill();
      stream.next_in = input.data() + begin;
      stream.avail_in = static_cast<uInt>(end - begin);
      stream.next_out = dst + done;
      const std::size_t room = std::min<std::size_t>(n - done, 1U << 30);
      stream.avail_out = static_cast<uInt>(room);
      const bool input_ended = begin == end;
      const int status = inflate(&stream, Z_NO_FLUSH);
      const std::size_t made = room - stream.avail_out;
      begin = end - stream.avail_in;
      done += made;
      if (status == Z_STREAM_END) {
        next_member(offset + done);
      } else if (status == Z_BUF_ERROR || (status == Z_OK && input_ended && made == 0)) {
        if (input_ended)
          throw InputError(path, at_byte(offset + done), "the rest of a gzip stream", "the end of the file");
      } else if (status != Z_OK) {
        throw InputError(path, at_byte(offset + done), "a gzip stream",
                         std::string("damaged data (") + (stream.msg != nullptr ? stream.msg : "zlib") + ")");
      }
    }
    return done;
  }

  // gzip files may be concatenated; anything else behind a member is damage.
  void next_member(std::uint64_t at) {
    refill();
    if (begin == end) {
      finished = true;
    } else if (input[begin] == 0x1F) {
      inflateReset(&stream);
    } else {
      throw InputError(path, at_byte(at), "the end of the file after its gzip stream", "more bytes");
    }
  }

  std::string path;
  Descriptor fd;
  std::array<unsigned char, 1 << 16> input{};
  std::size_t begin = 0, end = 0;
  std::uint64_t stored_bytes = 0;  // of the file, or of the whole stream
  bool is_stream = false;
  std::deque<std::vector<unsigned char>> stream_parts;  // read and not consumed
  std::uint64_t consumed = 0;
  std::uint64_t offset = 0;
  bool gzip = false, finished = false;
  z_stream stream{};
};

ByteReader::ByteReader(const fs::path& path) : state_(std::make_unique<State>(path)) {}
ByteReader::~ByteReader() = default;
ByteReader::ByteReader(ByteReader&&) noexcept = default;
ByteReader& ByteReader::operator=(ByteReader&&) noexcept = default;

std::size_t ByteReader::read(void* dst, std::size_t n) {
  auto* const bytes = static_cast<unsigned char*>(dst);
  const std::size_t done = state_->gzip ? state_->read_gzip(bytes, n) : state_->read_plain(bytes, n);
  state_->offset += done;
  return done;
}

void ByteReader::read_exact(void* dst, std::size_t n, std::string_view what) {
  const std::size_t got = read(dst, n);
  if (got == n) return;
  throw InputError(path(), at_byte(offset()), std::to_string(n) + " bytes of " + std::string(what),
                   "the end of the file after " + std::to_string(got));
}

const std::string& ByteReader::path() const { return state_->path; }
std::uint64_t ByteReader::offset() const { return state_->offset; }

std::uint64_t ByteReader::remaining_at_most() const {
  const std::uint64_t read_so_far = state_->consumed - (state_->end - state_->begin);
  const std::uint64_t stored = state_->stored_bytes > read_so_far ? state_->stored_bytes - read_so_far : 0;
  // What zlib still holds back in its window is at most 64 KiB.
  return state_->gzip ? stored * 1032 + 65536 : stored;
}

LineReader::LineReader(const fs::path& path) : bytes_(path), buffer_(1 << 16) {}

bool LineReader::next(std::string_view& line) {
  constexpr std::size_t longest = 4096;
  for (;;) {
    const auto* const first = buffer_.data() + begin_;
    const auto* const newline = static_cast<const char*>(std::memchr(first, '\n', end_ - begin_));
    if (newline != nullptr) {
      line = {first, static_cast<std::size_t>(newline - first)};
      begin_ += line.size() + 1;
      ++line_number_;
      if (!line.empty() && line.back() == '\r') fail("a line that ends in LF", "CRLF");
      if (line.size() > longest) fail("a line of at most 4096 bytes", std::to_string(line.size()));
      if (line.find('\0') != std::string_view::npos) fail("text", "a NUL byte");
      return true;
    }
    if (at_end_) {
      if (begin_ == end_) return false;
      ++line_number_;
      fail("a line that ends in LF",
           "the end of the file after " + quoted(std::string_view(first, end_ - begin_)) + " (truncated?)");
    }
    if (end_ - begin_ > longest) {
      ++line_number_;
      fail("a line of at most 4096 bytes", "a longer one");
    }
    std::memmove(buffer_.data(), first, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const std::size_t got = bytes_.read(buffer_.data() + end_, buffer_.size() - end_);
    at_end_ = got == 0;
    end_ += got;
  }
}

void LineReader::fail(std::string expected, std::string found) const {
  throw InputError(path(), "line " + std::to_string(line_number_), std::move(expected), std::move(found));
}

std::vector<std::byte> read_bytes(const fs::path& path, std::uint64_t limit) {
  ByteReader reader(path);
  std::vector<std::byte> out;
  constexpr std::size_t step = 1 << 20;
  for (;;) {
    const std::size_t old = out.size();
    out.resize(old + step);
    const std::size_t got = reader.read(out.data() + old, step);
    out.resize(old + got);
    if (out.size() > limit) {
      throw InputError(reader.path(), "", "at most " + std::to_string(limit) + " bytes", "a larger file");
    }
    if (got < step) return out;
  }
}

fs::path file_to_replace(const fs::path& path) {
  const auto refuse = [&](std::string found) {
    throw InputError(path.string(), "", "a place to write a file", std::move(found));
  };
  constexpr int most_links = 40;  // as the kernel has it
  std::error_code error;
  fs::path at = path;
  for (int links = 0; fs::is_symlink(fs::symlink_status(at, error)); ++links) {
    if (links == most_links) refuse("a loop of symbolic links");
    const fs::path target = fs::read_symlink(at, error);
    if (error) refuse(error.message());
    at = at.parent_path() / target;  // an absolute target stands alone
  }
  const fs::file_status status = fs::symlink_status(at, error);
  if (fs::is_directory(status)) refuse("a directory");
  if (fs::exists(status) && !fs::is_regular_file(status)) refuse("something that is not a regular file");
  // Links below /proc/self/fd name what the kernel follows, not what a path finds: the file may have gone.
  if (fs::exists(path, error) && !fs::equivalent(path, at, error))
    refuse("a link to a file that has no name");
  return at;
}

namespace {

// Names of temporary files, where a signal's handler finds them: no memory is taken or freed, and a name is there
// before its flag is. A child of fork() inherits them and leaves them alone.
struct UnfinishedFile {
  std::atomic<bool> taken = false, there = false;
  pid_t owner = 0;
  std::array<char, 4096> path{};  // NUL-terminated
};
static_assert(std::atomic<bool>::is_always_lock_free);
std::array<UnfinishedFile, 64> unfinished_files;

// A name in the list, for as long as it lives.
class UnfinishedName {
 public:
  UnfinishedName() = default;
  ~UnfinishedName() {
    if (slot_ == nullptr) return;
    slot_->there = false;
    slot_->taken = false;
  }
  UnfinishedName(const UnfinishedName&) = delete;
  UnfinishedName& operator=(const UnfinishedName&) = delete;

  void note(const std::string& path) {
    for (UnfinishedFile& slot : unfinished_files) {
      if (path.size() >= slot.path.size() || slot.taken.exchange(true)) continue;
      slot.owner = ::getpid();
      slot.path[path.copy(slot.path.data(), path.size())] = '\0';
      slot.there = true;
      slot_ = &slot;
      return;
    }
  }

 private:
  UnfinishedFile* slot_ = nullptr;
};

}  // namespace

void remove_unfinished_files() noexcept {
  for (const UnfinishedFile& slot : unfinished_files) {
    if (slot.there && slot.owner == ::getpid()) ::unlink(slot.path.data());
  }
}

struct AtomicFile::State {
  explicit State(const fs::path& p) : path(p.string()), gzip(path.ends_with(".gz")) {
    struct stat info {};
    const bool exists = ::stat(path.c_str(), &info) == 0;
    if (exists && S_ISDIR(info.st_mode)) cannot_write("a directory");
    if (exists && open_output(info)) {
      direct = true;
    } else if (exists && (S_ISCHR(info.st_mode) || S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) {
      direct = true;
      fd.reset(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
      if (fd.get() < 0) cannot_write(errno_text());
    } else {
      place = file_to_replace(p).string();
      temporary = place + ".partial-" + std::to_string(getpid());
      unfinished.note(temporary);
      fd.reset(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      if (fd.get() < 0) cannot_write(errno_text());
    }
    if (gzip && deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      remove_temporary();
      throw InputError(path, "", "memory for zlib", "none");
    }
  }
  ~State() {
    if (gzip) deflateEnd(&stream);
    if (!committed) remove_temporary();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[noreturn]] void cannot_write(std::string found) const {
    throw InputError(path, "", "a place to write a file", std::move(found));
  }
  void remove_temporary() const {
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  // The file that stdout or stderr already writes (`--out /dev/stdout`): a rename would take it away from under what
  // was printed there, and a descriptor of our own would begin at its first byte.
  bool open_output(const struct stat& wanted) {
    for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
      struct stat info {};
      if (::fstat(standard, &info) != 0 || info.st_dev != wanted.st_dev || info.st_ino != wanted.st_ino)
        continue;
      const int flags = ::fcntl(standard, F_GETFL);
      if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) continue;
      fd.reset(::fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
      if (fd.get() >= 0) return true;
    }
    return false;
  }

  void put(const char* data, std::size_t n) const {
    while (n > 0) {
      const ssize_t wrote = ::write(fd.get(), data, n);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) throw InputError(path, "", "room to write", errno_text());
      data += wrote;
      n -= static_cast<std::size_t>(wrote);
    }
  }
  void put_pending() {
    put(pending.data(), pending.size());
    pending_begin += pending.size();
    size = std::max(size, pending_begin);
    pending.clear();
    next = 0;
  }

  // What a pipe or a device is given cannot be taken back: it gets all or nothing, at commit().
  void add(std::string_view bytes) {
    pending.replace(next, bytes.size(), bytes);
    next += bytes.size();
    if (!direct && next == pending.size() && next >= 1U << 20) put_pending();
  }

  void seek(std::uint64_t offset) {
    if (gzip) throw ContractError("a gzipped file is written from its first byte to its last");
    const std::uint64_t written = std::max(size, pending_begin + pending.size());
    if (offset > written) throw ContractError("a place beyond what was written");
    if (offset < pending_begin || offset > pending_begin + pending.size()) {
      put_pending();
      if (::lseek(fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0) cannot_write(errno_text());
      pending_begin = offset;
    }
    next = static_cast<std::size_t>(offset - pending_begin);
  }

  void flush(int mode) {
    std::array<char, 1 << 16> out;  // NOLINT: filled by zlib
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      deflate(&stream, mode);
      add({out.data(), out.size() - stream.avail_out});
    } while (stream.avail_out == 0);
  }

  std::string path;                           // as it was named
  std::string place, temporary;               // what is renamed where; empty if `direct`
  std::string pending;                        // bytes to be put where `fd` stands
  std::size_t next = 0;                       // in `pending`, where the next byte goes
  std::uint64_t pending_begin = 0, size = 0;  // in the file; of the file as it was put
  Descriptor fd;
  z_stream stream{};
  bool gzip = false, direct = false, committed = false;
  UnfinishedName unfinished;
};

AtomicFile::AtomicFile(const fs::path& path) : state_(std::make_unique<State>(path)) {}
AtomicFile::~AtomicFile() = default;

void AtomicFile::write(std::string_view text) {
  State& s = *state_;
  if (!s.gzip) return s.add(text);
  while (!text.empty()) {
    const std::string_view part = text.substr(0, 1U << 30);
    s.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    s.stream.avail_in = static_cast<uInt>(part.size());
    s.flush(Z_NO_FLUSH);
    text.remove_prefix(part.size());
  }
}

void AtomicFile::seek(std::uint64_t offset) { state_->seek(offset); }

void AtomicFile::commit() {
  State& s = *state_;
  if (s.gzip) s.flush(Z_FINISH);
  s.put_pending();
  if (s.fd.close() != 0 || (!s.direct && ::rename(s.temporary.c_str(), s.place.c_str()) != 0))
    s.cannot_write(errno_text());
  s.committed = true;
}

}  // namespace assay
