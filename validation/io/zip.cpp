#include "validation/io/zip.hpp"

#include <zip.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <exception>
#include <filesystem>
#include <set>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/io/elements.hpp"

namespace assay::io {
namespace {

// Deflate turns no byte into more than 1032 (zlib's technical notes).
constexpr std::uint64_t most_growth = 1032;

class Error {
 public:
  Error() { zip_error_init(&error_); }
  explicit Error(int code) { zip_error_init_with_code(&error_, code); }
  ~Error() { zip_error_fini(&error_); }
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  zip_error_t* get() { return &error_; }
  std::string text() { return zip_error_strerror(&error_); }

 private:
  zip_error_t error_{};
};

struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

class MemberSource : public ByteSource {
 public:
  MemberSource(zip_t* archive, zip_uint64_t index, std::uint64_t size, const std::string& origin)
      : ByteSource(origin), file_(zip_fopen_index(archive, index, 0)), left_(size) {
    if (!file_) fail("", "a readable member", zip_strerror(archive));
  }

 protected:
  std::size_t take(void* dst, std::size_t n) override {
    auto* const bytes = static_cast<char*>(dst);
    std::size_t done = 0;
    while (done < n) {
      const zip_int64_t got = zip_fread(file_.get(), bytes + done, std::min<std::size_t>(n - done, 1U << 30));
      if (got < 0) {
        fail("byte " + std::to_string(offset() + done), "an undamaged member",
             zip_file_strerror(file_.get()));
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    left_ -= std::min<std::uint64_t>(left_, done);
    return done;
  }
  std::uint64_t rest_at_most() const override { return left_; }

 private:
  std::unique_ptr<zip_file_t, CloseFile> file_;
  std::uint64_t left_;
};

}  // namespace

struct ZipReader::Archive {
  explicit Archive(zip_t* z) : zip(z) {}
  ~Archive() { zip_discard(zip); }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  zip_t* zip;
};

ZipReader::ZipReader(const std::string& path) : origin_(path) {
  int code = 0;
  zip_t* const zip = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (zip == nullptr) throw InputError(origin_, "", "a zip archive", Error(code).text());
  archive_ = std::make_unique<Archive>(zip);
  list(std::filesystem::file_size(path));
}

ZipReader::ZipReader(std::span<const std::byte> bytes, std::string origin) : origin_(std::move(origin)) {
  Error error;
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, error.get());
  if (source == nullptr) throw InputError(origin_, "", "a zip archive", error.text());
  zip_t* const zip = zip_open_from_source(source, ZIP_RDONLY, error.get());
  if (zip == nullptr) {
    zip_source_free(source);
    throw InputError(origin_, "", "a zip archive", error.text());
  }
  archive_ = std::make_unique<Archive>(zip);
  list(bytes.size());
}

ZipReader::~ZipReader() = default;

void ZipReader::list(std::uint64_t archive_bytes) {
  const zip_int64_t count = zip_get_num_entries(archive_->zip, 0);
  std::set<std::string_view> names;
  members_.reserve(static_cast<std::size_t>(std::max<zip_int64_t>(count, 0)));  // so that the views hold
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive_->zip, static_cast<zip_uint64_t>(i), 0, &stat) != 0) {
      throw InputError(origin_, "member " + std::to_string(i), "a readable entry",
                       zip_strerror(archive_->zip));
    }
    const auto fail = [&](std::string expected, std::string found) {
      throw InputError(origin_, "member " + quoted(stat.name), std::move(expected), std::move(found));
    };
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                    ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if ((stat.valid & needed) != needed) {
      throw InputError(origin_, "member " + std::to_string(i), "a name, sizes and a method", "fewer");
    }
    if (stat.encryption_method != ZIP_EM_NONE) fail("no encryption", "an encrypted member");
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE) {
      fail("a stored or deflated member", "method " + std::to_string(stat.comp_method));
    }
    const bool stored = stat.comp_method == ZIP_CM_STORE;
    if (stat.comp_size > archive_bytes) {
      fail("at most " + std::to_string(archive_bytes) + " bytes, the archive's",
           std::to_string(stat.comp_size) + " compressed bytes");
    }
    if (stored ? stat.size != stat.comp_size : stat.size / most_growth > stat.comp_size) {
      fail(stored ? "one size for stored data" : "at most 1032 times the compressed bytes",
           std::to_string(stat.size) + " bytes from " + std::to_string(stat.comp_size));
    }
    members_.push_back({name_of(static_cast<std::uint64_t>(i), stat.name), stat.size});
    if (!names.insert(members_.back().name).second) fail("each name once", "a second member of that name");
  }
}

// libzip shows control characters as the symbols that code page 437 has in their places; names of ASCII stay what they
// are.
std::string ZipReader::name_of(std::uint64_t index, const char* shown) const {
  const char* const raw = zip_get_name(archive_->zip, index, ZIP_FL_ENC_RAW);
  const std::string_view name = raw == nullptr ? shown : raw;
  const bool ascii =
      std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return std::string(ascii ? name : shown);
}

const ZipReader::Member* ZipReader::find(std::string_view name) const {
  const auto at =
      std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
  return at == members_.end() ? nullptr : &*at;
}

std::unique_ptr<ByteSource> ZipReader::open(const Member& member) const {
  const auto index = static_cast<zip_uint64_t>(&member - members_.data());
  // "run.npz:out", as the array is asked for, rather than "run.npz:out.npy".
  const bool npy = member.name.ends_with(".npy");
  const std::string name = npy ? member.name.substr(0, member.name.size() - 4) : member.name;
  return std::make_unique<MemberSource>(archive_->zip, index, member.size, origin_ + ":" + name);
}

// The file source that comes with libzip writes a temporary file that a signal leaves behind; this one writes an
// AtomicFile. libzip goes back to the header of each member once it knows the checksum.
struct ZipWriter::Archive {
  explicit Archive(const std::string& p) : path(p), file(p) {
    zip_source_t* const source = zip_source_function_create(callback, this, error.get());
    if (source == nullptr) throw InputError(path, "", "memory for libzip", error.text());
    zip = zip_open_from_source(source, ZIP_CREATE, error.get());
    if (zip == nullptr) {
      zip_source_free(source);
      throw InputError(path, "", "a place to write a file", error.text());
    }
  }
  ~Archive() {
    if (zip != nullptr) zip_discard(zip);
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  [[noreturn]] void fail() const { throw InputError(path, "", "room to write", zip_strerror(zip)); }

  // libzip calls this, and no exception may pass through C: it is kept in `failure`.
  static zip_int64_t callback(void* archive, void* data, zip_uint64_t n, zip_source_cmd_t command) {
    Archive& a = *static_cast<Archive*>(archive);
    try {
      return a.answer(data, n, command);
    } catch (...) {
      a.failure = std::current_exception();
      zip_error_set(a.error.get(), ZIP_ER_WRITE, 0);
      return -1;
    }
  }
  zip_int64_t answer(void* data, zip_uint64_t n, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS: return ZIP_SOURCE_SUPPORTS_WRITABLE;
      case ZIP_SOURCE_ERROR: return zip_error_to_data(error.get(), data, n);
      case ZIP_SOURCE_STAT: return refuse(ZIP_ER_READ, ENOENT);  // a new archive, whatever it will replace
      case ZIP_SOURCE_WRITE: return write(static_cast<const char*>(data), n);
      case ZIP_SOURCE_SEEK_WRITE: return seek(data, n);
      case ZIP_SOURCE_TELL_WRITE: return static_cast<zip_int64_t>(offset);
      case ZIP_SOURCE_BEGIN_WRITE:
      case ZIP_SOURCE_COMMIT_WRITE:    // ZipWriter::commit() renames the file
      case ZIP_SOURCE_ROLLBACK_WRITE:  // the file goes with the writer
      case ZIP_SOURCE_FREE: return 0;
      default: return refuse(ZIP_ER_OPNOTSUPP, 0);  // a new archive is not read
    }
  }
  zip_int64_t refuse(int code, int system_code) {
    zip_error_set(error.get(), code, system_code);
    return -1;
  }
  zip_int64_t write(const char* bytes, std::uint64_t n) {
    file.write({bytes, static_cast<std::size_t>(n)});
    offset += n;
    size = std::max(size, offset);
    return static_cast<zip_int64_t>(n);
  }
  zip_int64_t seek(void* data, std::uint64_t n) {
    const zip_int64_t to = zip_source_seek_compute_offset(offset, size, data, n, error.get());
    if (to < 0) return -1;
    offset = static_cast<std::uint64_t>(to);
    file.seek(offset);
    return 0;
  }

  std::string path;
  AtomicFile file;
  std::uint64_t offset = 0, size = 0;  // of the next byte; of what has been written
  std::deque<std::string> heads;       // a deque: their addresses hold
  Error error;
  std::exception_ptr failure;
  zip_t* zip = nullptr;
};

ZipWriter::ZipWriter(const std::string& path) : archive_(std::make_unique<Archive>(path)) {}
ZipWriter::~ZipWriter() = default;

void ZipWriter::add(const std::string& name, std::string head, std::span<const std::byte> body) {
  // libzip takes C strings and cuts longer names.
  if (name.size() > 0xFFFF || name.find('\0') != std::string::npos)
    throw ContractError("a zip member's name of over 65535 bytes or with a NUL byte");
  Archive& a = *archive_;
  std::string& kept = a.heads.emplace_back(std::move(head));
  // libzip's fragments are not const, but a source for reading leaves them alone.
  const std::array<zip_buffer_fragment_t, 2> parts{{
      {reinterpret_cast<zip_uint8_t*>(kept.data()), kept.size()},
      {reinterpret_cast<zip_uint8_t*>(const_cast<std::byte*>(body.data())), body.size()},
  }};
  zip_source_t* const source = zip_source_buffer_fragment(a.zip, parts.data(), body.empty() ? 1 : 2, 0);
  if (source == nullptr) a.fail();
  const zip_int64_t index = zip_file_add(a.zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    a.fail();
  }
  const auto at = static_cast<zip_uint64_t>(index);
  constexpr zip_uint16_t first_of_january_1980 = 1U << 5 | 1U;
  if (zip_set_file_compression(a.zip, at, ZIP_CM_STORE, 0) != 0 ||
      zip_file_set_dostime(a.zip, at, 0, first_of_january_1980, 0) != 0) {
    a.fail();
  }
}

void ZipWriter::commit() {
  Archive& a = *archive_;
  // libzip writes nothing for an archive without members; this is the end of an empty directory.
  if (a.heads.empty()) a.file.write("PK\5\6" + std::string(18, '\0'));
  if (zip_close(a.zip) != 0) {
    if (a.failure) std::rethrow_exception(a.failure);
    a.fail();
  }
  a.zip = nullptr;
  a.file.commit();
}

}  // namespace assay::io
