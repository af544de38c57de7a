// Arrays under names: the members of an npz or safetensors file, or the array files of a folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::cli {

struct NamedArrays {
  std::string path;  // as it was typed
  bool is_folder = false;
  std::vector<std::string> names;              // in the file's order; of a folder, sorted
  std::map<std::string, std::string> sources;  // of a name: what reads it, "run.npz:out" or "run/out.npy"
};

// Empty where `path` is one array: any other kind of file, FILE:NAME, a pipe, SciPy's npz of a sparse matrix. In a
// folder, which is searched with all below it, an array is named by its path without the extension; of a file of
// several, NAME follows a colon. Files without a known extension are passed over, raw ones (.raw, .bin) unless
// `with_raw`. InputError if two arrays of a folder have one name.
std::optional<NamedArrays> named_arrays(const std::string& path, bool with_raw);

}  // namespace assay::cli
