#include "validation/io/io.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/io/byte_source.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/foreign.hpp"
#include "validation/io/json_text.hpp"
#include "validation/io/matrix_market.hpp"
#include "validation/io/npy.hpp"
#include "validation/io/npz.hpp"
#include "validation/io/safetensors.hpp"
#include "validation/io/zip.hpp"

namespace assay::io {
namespace fs = std::filesystem;
namespace {

// A file and the array that is meant in it.
struct Place {
  std::string file, name;
};

// A colon may be part of a path as well as of an array's name: the shortest prefix that is a file is the file.
Place split(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return {path, ""};
  for (std::size_t at = path.find(':'); at != std::string::npos; at = path.find(':', at + 1)) {
    if (fs::is_regular_file(path.substr(0, at), ignored)) return {path.substr(0, at), path.substr(at + 1)};
  }
  return {path, ""};
}

AnyArray read_raw(ByteSource& source, const RawLayout& layout, const std::optional<FormatSpec>& format) {
  Array array = read_elements(source, {layout.element, layout.shape, layout.order});
  source.expect_end(layout.element.name() + " of shape " + to_string(layout.shape));
  return with_format(std::move(array), format);
}

// A safetensors file starts with the length of its header and the header with a brace, after blanks if it likes.
bool looks_like_safetensors(std::string_view start, std::uint64_t bytes) {
  if (start.size() < 9) return false;
  const auto first = std::find_if_not(start.begin() + 8, start.end(), is_json_blank);
  if (first != start.end() && *first != '{') return false;
  std::uint64_t header = 0;
  std::memcpy(&header, start.data(), sizeof header);
  return header <= bytes;
}

// An archive is read out of order. A pipe cannot be, so its bytes are kept.
class Archive {
 public:
  explicit Archive(ByteSource& source) {
    std::error_code ignored;
    if (fs::is_regular_file(source.origin(), ignored)) {
      reader_.emplace(source.origin());
      return;
    }
    constexpr std::size_t step = 1 << 20;
    for (std::size_t got = step; got == step;) {
      const std::size_t before = bytes_.size();
      bytes_.resize(before + step);
      got = source.read(bytes_.data() + before, step);
      bytes_.resize(before + got);
    }
    reader_.emplace(std::span<const std::byte>(bytes_), source.origin());
  }
  const ZipReader& reader() const { return *reader_; }

 private:
  std::vector<std::byte> bytes_;
  std::optional<ZipReader> reader_;
};

// One kind of file: how it is told, and its reader. A kind with names holds several arrays.
struct FileKind {
  std::string_view name;
  bool has_names;
  bool (*matches)(std::string_view start, std::uint64_t bytes);
  std::string_view extension;  // where the first bytes do not tell: a damaged file is named after its name
  AnyArray (*read)(ByteSource& source, const Place& place, const std::optional<FormatSpec>& format);
  std::vector<std::string> (*names)(ByteSource& source);
};

constexpr std::size_t longest_start = 16;

const std::array<FileKind, 4> kinds{{
    {"npy", false, [](std::string_view start, std::uint64_t) { return start.starts_with("\x93NUMPY"); },
     ".npy",
     [](ByteSource& source, const Place&, const std::optional<FormatSpec>& format) -> AnyArray {
       return read_npy(source, format);
     },
     nullptr},
    {"npz", true,
     [](std::string_view start, std::uint64_t) {
       return start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06");
     },
     ".npz",
     [](ByteSource& source, const Place& place, const std::optional<FormatSpec>& format) {
       const Archive archive(source);
       refuse_foreign(archive.reader());
       return read_npz(archive.reader(), place.name, format);
     },
     [](ByteSource& source) {
       const Archive archive(source);
       refuse_foreign(archive.reader());
       return npz_names(archive.reader());
     }},
    {"Matrix Market", false,
     [](std::string_view start, std::uint64_t) {
       constexpr std::string_view banner = "%%matrixmarket";
       return start.size() >= banner.size() &&
              std::equal(banner.begin(), banner.end(), start.begin(),
                         [](char b, char c) { return b == (c >= 'A' && c <= 'Z' ? c + 32 : c); });
     },
     ".mtx",
     [](ByteSource& source, const Place&, const std::optional<FormatSpec>& format) {
       return read_matrix_market(source, format);
     },
     nullptr},
    {"safetensors", true, looks_like_safetensors, ".safetensors",
     [](ByteSource& source, const Place& place, const std::optional<FormatSpec>& format) -> AnyArray {
       return read_safetensors(source, place.name, format);
     },
     [](ByteSource& source) {
       std::vector<std::string> names;
       for (const SafetensorsEntry& entry : read_safetensors_header(source).entries)
         names.push_back(entry.name);
       return names;
     }},
}};

const FileKind& kind_of(ByteSource& source) {
  const std::uint64_t bytes = source.remaining_at_most();
  const std::string_view start = source.peek(longest_start);
  for (const FileKind& kind : kinds) {
    if (kind.matches(start, bytes)) return kind;
  }
  refuse_foreign_start(source);
  std::string_view path = source.origin();
  if (path.ends_with(".gz")) path.remove_suffix(3);
  for (const FileKind& kind : kinds) {
    if (path.ends_with(kind.extension)) return kind;
  }
  if (!start.empty()) refuse_foreign_name(source);
  source.fail("byte 0", "npy, npz, safetensors or Matrix Market, or the dtype and shape of raw data",
              start.empty() ? "an empty file" : quoted(start));
}

// What is written by an extension.
enum class Target { npy, npz, safetensors, matrix_market, raw };

Target target_of(const fs::path& path) {
  const std::string name = path.string();
  if (name.ends_with(".npy")) return Target::npy;
  if (name.ends_with(".npz")) return Target::npz;
  if (name.ends_with(".safetensors")) return Target::safetensors;
  if (name.ends_with(".mtx") || name.ends_with(".mtx.gz")) return Target::matrix_market;
  if (name.ends_with(".raw") || name.ends_with(".bin")) return Target::raw;
  throw InputError(name, "", "a name that ends in .npy, .npz, .safetensors, .mtx, .mtx.gz, .raw or .bin",
                   quoted(path.filename().string()));
}

// What every array that is written has to be.
void require_whole(const Array& array) {
  const std::optional<std::int64_t> bytes = byte_count(array.shape, array.element.bytes());
  if (!bytes || static_cast<std::uint64_t>(*bytes) != array.bytes.size()) {
    throw ContractError("an array of " + array.element.name() + " of shape " + to_string(array.shape) +
                        " with " + std::to_string(array.bytes.size()) + " bytes");
  }
}

}  // namespace

AnyArray read_any(const std::string& path, const ReadOptions& options) {
  if (options.raw) {
    FileSource source(path);
    return read_raw(source, *options.raw, options.format);
  }
  const Place place = split(path);
  FileSource source(place.file);
  const FileKind& kind = kind_of(source);
  if (!place.name.empty() && !kind.has_names) {
    throw InputError(place.file, "", "npz or safetensors, to hold an array " + quoted(place.name),
                     std::string(kind.name));
  }
  return kind.read(source, place, options.format);
}

Array read_array(const std::string& path, const ReadOptions& options) {
  AnyArray any = read_any(path, options);
  if (auto* const array = std::get_if<Array>(&any)) return std::move(*array);
  throw InputError(path, "", "a dense array",
                   "a sparse matrix in " + std::string(name(std::get<SparseArray>(any).layout)));
}

SparseArray read_sparse(const std::string& path, const ReadOptions& options) {
  AnyArray any = read_any(path, options);
  if (auto* const array = std::get_if<SparseArray>(&any)) return std::move(*array);
  throw InputError(path, "", "a sparse matrix",
                   "a dense array of shape " + to_string(std::get<Array>(any).shape));
}

std::vector<std::string> array_names(const std::string& path) {
  FileSource source(path);
  const FileKind& kind = kind_of(source);
  return kind.has_names ? kind.names(source) : std::vector<std::string>{};
}

void write_array(const fs::path& path, const Array& array) {
  require_whole(array);
  const std::string name = path.string();
  switch (target_of(path)) {
    case Target::npz: return write_npz(name, {{"arr_0", &array}}, array.metadata);
    case Target::safetensors: return write_safetensors(name, {{"array", &array}}, array.metadata);
    case Target::matrix_market: return write_matrix_market(name, array);
    case Target::npy:
    case Target::raw: break;
  }
  const bool npy = target_of(path) == Target::npy;
  const std::string header = npy ? npy_header(array, name) : "";
  AtomicFile file(path);
  file.write(header);
  write_bytes(file, array.bytes);
  file.commit();
}

void write_arrays(const fs::path& path, const std::vector<NamedArray>& arrays, const Metadata& metadata) {
  std::vector<NamedRef> refs;
  for (const NamedArray& one : arrays) {
    require_whole(one.array);
    refs.push_back({one.name, &one.array});
  }
  switch (target_of(path)) {
    case Target::npz: return write_npz(path.string(), refs, metadata);
    case Target::safetensors: return write_safetensors(path.string(), refs, metadata);
    default: break;
  }
  throw InputError(path.string(), "", "a kind of file that holds several arrays: .npz or .safetensors",
                   quoted(path.filename().string()));
}

void write_sparse(const fs::path& path, const SparseArray& array) {
  switch (target_of(path)) {
    case Target::npz: return write_scipy_npz(path.string(), array);
    case Target::matrix_market: return write_matrix_market(path.string(), array);
    default: break;
  }
  throw InputError(path.string(), "", "a kind of file that holds a sparse matrix: .npz, .mtx or .mtx.gz",
                   quoted(path.filename().string()));
}

}  // namespace assay::io
