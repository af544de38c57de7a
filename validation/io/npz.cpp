#include "validation/io/npz.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "reference/core/narrow.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/printable.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/json_text.hpp"
#include "validation/io/npy.hpp"

namespace assay::io {
namespace {

constexpr std::string_view suffix = ".npy";
constexpr const char* metadata_member = "metadata.json";
constexpr std::uint64_t most_metadata = 1 << 20;

std::string array_name(const std::string& member) {
  return member.ends_with(suffix) ? member.substr(0, member.size() - suffix.size()) : member;
}

Metadata read_metadata(const ZipReader& archive) {
  const ZipReader::Member* const member = archive.find(metadata_member);
  if (member == nullptr) return {};
  const std::unique_ptr<ByteSource> source = archive.open(*member);
  if (member->size > most_metadata) {
    source->fail("", "at most " + std::to_string(most_metadata) + " bytes", std::to_string(member->size));
  }
  std::string text(static_cast<std::size_t>(member->size), '\0');
  source->read_exact(text.data(), text.size(), "metadata");
  source->expect_end("the metadata");
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto is_string = [](const nlohmann::json& value) { return value.is_string(); };
  // Somebody else's member of that name may hold anything.
  if (!json.is_object() || !std::all_of(json.begin(), json.end(), is_string)) return {};
  return json.get<Metadata>();
}

Array read_member(const ZipReader& archive, const ZipReader::Member& member,
                  const std::optional<FormatSpec>& format) {
  return read_npy(*archive.open(member), format);
}

// The members that make up one of SciPy's matrices.
class SciPyMatrix {
 public:
  explicit SciPyMatrix(const ZipReader& archive) : archive_(archive) {}

  static bool is_one(const ZipReader& archive) {
    return archive.find("format.npy") != nullptr && archive.find("shape.npy") != nullptr &&
           archive.find("data.npy") != nullptr;
  }

  SparseArray read(const std::optional<FormatSpec>& format) const {
    SparseArray a;
    a.origin = archive_.origin();
    a.layout = layout();
    const std::vector<std::int64_t> shape = integers("shape");
    if (shape.size() != 2) fail("shape", "rows and columns", std::to_string(shape.size()) + " dimensions");
    a.rows = shape[0];
    a.cols = shape[1];
    a.values = read_member(archive_, member("data"), format);
    a.values.origin = a.origin;
    switch (a.layout) {
      case SparseArray::Layout::csr:
      case SparseArray::Layout::bsr:
        a.offsets = integers("indptr");
        a.column_indices = narrowed_indices(a, "column_indices", integers("indices"), columns(a));
        break;
      case SparseArray::Layout::csc:
        a.offsets = integers("indptr");
        a.row_indices = narrowed_indices(a, "row_indices", integers("indices"), a.rows);
        break;
      case SparseArray::Layout::coo:
        a.row_indices = narrowed_indices(a, "row_indices", integers("row"), a.rows);
        a.column_indices = narrowed_indices(a, "column_indices", integers("col"), a.cols);
        break;
    }
    if (a.layout == SparseArray::Layout::bsr) {
      if (a.values.shape.size() != 3)
        fail("data", "a list of blocks, 3 dimensions", to_string(a.values.shape));
      a.block_rows = a.values.shape[1];
      a.block_cols = a.values.shape[2];
    }
    check(a);
    a.metadata = read_metadata(archive_);
    return a;
  }

 private:
  [[noreturn]] void fail(std::string place, std::string expected, std::string found) const {
    throw InputError(archive_.origin(), std::move(place), std::move(expected), std::move(found));
  }
  const ZipReader::Member& member(const std::string& name) const {
    const ZipReader::Member* const found = archive_.find(name + std::string(suffix));
    if (found == nullptr) fail(name, "this array of a SciPy matrix", "no member of that name");
    return *found;
  }
  // Of blocks in bsr, whose shape is that of a value.
  static std::int64_t columns(const SparseArray& a) {
    const bool blocks =
        a.layout == SparseArray::Layout::bsr && a.values.shape.size() == 3 && a.values.shape[2] > 0;
    return blocks ? a.cols / a.values.shape[2] : a.cols;
  }
  SparseArray::Layout layout() const {
    const std::string text = read_npy_text(*archive_.open(member("format")));
    for (const auto layout : {SparseArray::Layout::csr, SparseArray::Layout::csc, SparseArray::Layout::bsr,
                              SparseArray::Layout::coo}) {
      if (text == name(layout)) return layout;
    }
    fail("format", "csr, csc, bsr or coo", quoted(text) + "; SciPy converts with .tocsr()");
  }
  std::vector<std::int64_t> integers(const std::string& name) const {
    const Array array = read_member(archive_, member(name), std::nullopt);
    if (array.shape.size() != 1) fail(name, "one dimension", to_string(array.shape));
    std::vector<std::int64_t> numbers = allocate<std::int64_t>(static_cast<std::size_t>(array.size()));
    if (array.element == ElementType::signed_integer(32)) {
      std::ranges::copy(array.as<std::int32_t>(), numbers.begin());
    } else if (array.element == ElementType::signed_integer(64)) {
      std::ranges::copy(array.as<std::int64_t>(), numbers.begin());
    } else {
      fail(name, "int32 or int64", array.element.name());
    }
    return numbers;
  }

  const ZipReader& archive_;
};

void add(ZipWriter& writer, const std::string& path, const std::string& name, const Array& array) {
  writer.add(name + std::string(suffix), npy_header(array, path), array.bytes);
}

void add(ZipWriter& writer, const Metadata& metadata) {
  if (metadata.empty()) return;
  writer.add(metadata_member, json_text(metadata), {});
}

template <class Integer>
Array int32_array(const std::vector<Integer>& numbers) {
  Array array = make_array(ElementType::signed_integer(32), {static_cast<std::int64_t>(numbers.size())});
  std::ranges::transform(numbers, array.as<std::int32_t>().begin(), [](Integer n) {
    return narrow<std::int32_t>(n, "a SciPy matrix's entries, which its npz counts in 32 bits");
  });
  return array;
}

}  // namespace

AnyArray read_npz(const ZipReader& archive, const std::string& name,
                  const std::optional<FormatSpec>& format) {
  if (name.empty() && SciPyMatrix::is_one(archive)) return SciPyMatrix(archive).read(format);
  const std::vector<std::string> names = npz_names(archive);
  if (name.empty() && names.size() != 1) {
    std::string found = std::to_string(names.size()) + " arrays";
    for (std::size_t i = 0; i < names.size() && i < 8; ++i)
      found += (i == 0 ? ": " : ", ") + printable(names[i]);
    throw InputError(archive.origin(), "", "one array, or the name of one: " + archive.origin() + ":NAME",
                     found);
  }
  const std::string& wanted = name.empty() ? names.front() : name;
  const ZipReader::Member* member = archive.find(wanted + std::string(suffix));
  if (member == nullptr) member = archive.find(wanted);
  if (member == nullptr)
    throw InputError(archive.origin(), "", "the name of an array", with_near_names(wanted, names));
  Array array = read_member(archive, *member, format);
  array.metadata = read_metadata(archive);
  return array;
}

std::vector<std::string> npz_names(const ZipReader& archive) {
  std::vector<std::string> names;
  for (const ZipReader::Member& member : archive.members()) {
    if (member.name.ends_with(suffix)) names.push_back(array_name(member.name));
  }
  return names;
}

void write_npz(const std::string& path, const std::vector<NamedRef>& arrays, const Metadata& metadata) {
  ZipWriter writer(path);
  std::set<std::string> taken{metadata_member};
  for (const auto& [name, array] : arrays) {
    if (!taken.insert(name + std::string(suffix)).second) {
      throw ContractError("an array's name is taken: " + quoted(name));
    }
    add(writer, path, name, *array);
  }
  add(writer, metadata);
  writer.commit();
}

void write_scipy_npz(const std::string& path, const SparseArray& array) {
  check(array);
  ZipWriter writer(path);
  Array shape = make_array(ElementType::signed_integer(64), {2});
  shape.as<std::int64_t>()[0] = array.rows;
  shape.as<std::int64_t>()[1] = array.cols;
  const Array offsets = int32_array(array.offsets);
  const Array rows = int32_array(array.row_indices), columns = int32_array(array.column_indices);
  const bool coo = array.layout == SparseArray::Layout::coo;
  if (coo) {
    add(writer, path, "row", rows);
    add(writer, path, "col", columns);
  } else {
    add(writer, path, "indices", array.layout == SparseArray::Layout::csc ? rows : columns);
    add(writer, path, "indptr", offsets);
  }
  writer.add("format.npy", npy_text_header(3) + std::string(name(array.layout)), {});
  add(writer, path, "shape", shape);
  add(writer, path, "data", array.values);
  add(writer, array.metadata);
  writer.commit();
}

}  // namespace assay::io
