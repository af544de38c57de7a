// Named arrays: the members of an npz or safetensors file, or the array files of a folder.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::cli {

// A file or folder that could not be read, by the name that its arrays would begin with.
struct UnreadableArrays {
  std::string name;  // "layer/" of a folder
  std::string why;
};

struct NamedArrays {
  std::string path;  // as it was typed
  bool is_folder = false;
  std::vector<std::string> names;              // in the file's order; of a folder, sorted
  std::map<std::string, std::string> sources;  // of a name: what reads it, "run.npz:out" or "run/out.npy"
  std::vector<UnreadableArrays> unreadable;
};

// Empty where `path` is one array: any other kind of file, FILE:NAME, a pipe, SciPy's npz of a sparse matrix. In a
// folder, which is searched with all below it, an array is named by its path without the extension; of a file of
// several, NAME follows a colon. Files without a known extension are passed over, raw ones (.raw, .bin) unless
// `with_raw`. InputError if two arrays of a folder have one name, or for more than `most_files` files or `most_levels`
// folders in each other: a whole disk is never read by mistake.
inline constexpr std::size_t most_files = 100'000, most_levels = 32;
std::optional<NamedArrays> named_arrays(const std::string& path, bool with_raw);

// The name of the only array of an npz or safetensors file; empty of any other file, and of one that cannot be read.
std::optional<std::string> only_name(const std::string& path);

}  // namespace assay::cli
