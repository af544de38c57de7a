// Reading and writing of arrays, whatever the file's kind. Each kind has its own header beside this one.
//
// Readers check every size against the file before they ask for memory and hand out nothing half-read. Pipes are read
// too, whole and first. Faults are InputError with the path, the place, what was expected and what was found.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "validation/io/array.hpp"

namespace assay::io {

// What a file without a header cannot say.
struct RawLayout {
  ElementType element;
  Shape shape;
  Order order = Order::row_major;
};

struct ReadOptions {
  // Arrays of codes (integers, or the void types that ml_dtypes leaves in npy files) are read as this format;
  // decimals in a text file are rounded to it once, to nearest even. An array with its own format must have this
  // one.
  std::optional<FormatSpec> format;
  // Set: the file is raw, whatever it looks like.
  std::optional<RawLayout> raw;
};

using AnyArray = std::variant<Array, SparseArray>;

// The array at `path`, its kind told by the first bytes, else by the name: npy, npz, safetensors, Matrix Market
// (plain or gzipped), raw. "file.npz:name" and "file.safetensors:name" name one array of several; without a name the
// file must hold one array, or be SciPy's npz of a sparse matrix.
AnyArray read_any(const std::string& path, const ReadOptions& options = {});

// The same, where only a dense one will do. InputError for a sparse one.
Array read_array(const std::string& path, const ReadOptions& options = {});
// The same, where only a sparse one will do. InputError for a dense one.
SparseArray read_sparse(const std::string& path, const ReadOptions& options = {});

// Names of the arrays in an npz or safetensors file, in its order; empty for kinds that hold one array without a name.
std::vector<std::string> array_names(const std::string& path);

struct NamedArray {
  std::string name;
  Array array;
};

// By extension: .npy, .npz, .safetensors, .mtx, .mtx.gz, .raw or .bin. The file is written beside its place and renamed
// into it. Metadata goes along in npz (member metadata.json) and safetensors; the other kinds have no place for it.
// InputError for an extension or element type that the kind has no name for.
void write_array(const std::filesystem::path& path, const Array& array);
// .npz, .safetensors; `metadata` is the file's.
void write_arrays(const std::filesystem::path& path, const std::vector<NamedArray>& arrays,
                  const Metadata& metadata = {});
// .npz as SciPy's save_npz writes it, .mtx, .mtx.gz (coordinate).
void write_sparse(const std::filesystem::path& path, const SparseArray& array);

}  // namespace assay::io
