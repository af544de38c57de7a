#include "validation/io/zip.hpp"

#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
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
    members_.push_back({stat.name, stat.size});
    if (!names.insert(members_.back().name).second) fail("each name once", "a second member of that name");
  }
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

namespace {

constexpr std::uint64_t most_16 = 0xFFFF,
                        most_32 = 0xFFFFFFFF;  // as a size or a count: "see the zip64 record"

// Little-endian fields one after another.
class Record {
 public:
  Record& u16(std::uint64_t x) { return put(x, 2); }
  Record& u32(std::uint64_t x) { return put(x, 4); }
  Record& u64(std::uint64_t x) { return put(x, 8); }
  Record& text(std::string_view t) {
    bytes_ += t;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& put(std::uint64_t x, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(x >> (8 * i) & 0xFF);
    return *this;
  }
  std::string bytes_;
};

}  // namespace

// libzip would write a temporary file that nobody removes after a signal. Stored members need little: their checksum
// is known before they are written.
struct ZipWriter::Archive {
  struct Written {
    std::string name;
    std::uint64_t crc, size, offset;

    bool is_large() const { return size >= most_32; }
    // The fields that both kinds of header share, from the version that reads it to the length of the name.
    void common(Record& r, bool zip64) const {
      const bool ascii =
          std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
      constexpr std::uint64_t first_of_january_1980 = 1U << 5 | 1U, utf8_name = 1U << 11, stored = 0;
      const std::uint64_t shown = is_large() ? most_32 : size;
      r.u16(zip64 ? 45 : 20).u16(ascii ? 0 : utf8_name).u16(stored).u16(0).u16(first_of_january_1980);
      r.u32(crc).u32(shown).u32(shown).u16(name.size());
    }
    std::string local_header() const {
      Record r, extra;
      if (is_large()) extra.u16(1).u16(16).u64(size).u64(size);
      r.u32(0x04034B50);
      common(r, is_large());
      return r.u16(extra.bytes().size()).text(name).text(extra.bytes()).bytes();
    }
    std::string directory_entry() const {
      const bool far = offset >= most_32, zip64 = far || is_large();
      Record r, extra;
      if (zip64) extra.u16(1).u16((is_large() ? 16U : 0U) + (far ? 8U : 0U));
      if (is_large()) extra.u64(size).u64(size);
      if (far) extra.u64(offset);
      r.u32(0x02014B50).u16(zip64 ? 45 : 20);
      common(r, zip64);
      r.u16(extra.bytes().size()).u16(0).u16(0).u16(0).u32(0).u32(far ? most_32 : offset);
      return r.text(name).text(extra.bytes()).bytes();
    }
  };

  explicit Archive(const std::string& p) : file(p) {}

  void write(std::string_view bytes) {
    file.write(bytes);
    offset += bytes.size();
  }
  void write_directory() {
    const std::uint64_t begin = offset, n = members.size();
    for (const Written& member : members) write(member.directory_entry());
    const std::uint64_t size = offset - begin, end = offset;
    Record r;
    if (n >= most_16 || size >= most_32 || begin >= most_32) {
      r.u32(0x06064B50).u64(44).u16(45).u16(45).u32(0).u32(0).u64(n).u64(n).u64(size).u64(begin);
      r.u32(0x07064B50).u32(0).u64(end).u32(1);
    }
    r.u32(0x06054B50).u16(0).u16(0).u16(std::min(n, most_16)).u16(std::min(n, most_16));
    r.u32(std::min(size, most_32)).u32(std::min(begin, most_32)).u16(0);
    write(r.bytes());
  }

  AtomicFile file;
  std::uint64_t offset = 0;
  std::vector<Written> members;
};

ZipWriter::ZipWriter(const std::string& path) : archive_(std::make_unique<Archive>(path)) {}
ZipWriter::~ZipWriter() = default;

void ZipWriter::add(const std::string& name, std::string_view head, std::span<const std::byte> body) {
  if (name.size() > most_16)
    throw ContractError("a zip member's name of " + std::to_string(name.size()) + " bytes");
  const auto bytes = [](const auto& x) { return reinterpret_cast<const Bytef*>(x.data()); };
  uLong crc = crc32_z(0, bytes(head), head.size());
  if (!body.empty()) crc = crc32_z(crc, bytes(body), body.size());
  Archive& a = *archive_;
  a.members.push_back({name, crc, head.size() + body.size(), a.offset});
  a.write(a.members.back().local_header());
  a.write(head);
  write_bytes(a.file, body);
  a.offset += body.size();
}

void ZipWriter::commit() {
  archive_->write_directory();
  archive_->file.commit();
}

}  // namespace assay::io
