#include "validation/cli/array_names.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "reference/core/error.hpp"
#include "validation/io/io.hpp"

namespace assay::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::array extensions = {".npy", ".npz", ".safetensors", ".mtx", ".mtx.gz"};
constexpr std::array raw_extensions = {".raw", ".bin"};

// `name` without its extension; empty if it is none of an array's file.
std::optional<std::string> stem_of(const std::string& name, bool with_raw) {
  const auto cut = [&](std::string_view extension) { return name.substr(0, name.size() - extension.size()); };
  for (const std::string_view extension : extensions) {
    if (name.ends_with(extension)) return cut(extension);
  }
  for (const std::string_view extension : raw_extensions) {
    if (with_raw && name.ends_with(extension)) return cut(extension);
  }
  return std::nullopt;
}

// SciPy stores one sparse matrix as several arrays.
bool is_sparse_matrix(const std::vector<std::string>& names) {
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return has("format") && has("shape") && has("data");
}

bool has_members(const std::string& path) { return path.ends_with(".npz") || path.ends_with(".safetensors"); }

std::vector<std::string> members(const std::string& path) {
  if (!has_members(path)) return {};
  const std::vector<std::string> names = io::array_names(path);
  return is_sparse_matrix(names) ? std::vector<std::string>{} : names;
}

void add(NamedArrays& arrays, const std::string& name, const std::string& source) {
  const auto [at, is_new] = arrays.sources.emplace(name, source);
  if (!is_new) {
    throw InputError(arrays.path, "", "one array named " + quoted(name), at->second + " and " + source);
  }
  arrays.names.push_back(name);
}

// Files of a folder and all below it. Links to folders are not followed.
class FolderFiles {
 public:
  explicit FolderFiles(const std::string& root) : root_(root) {}

  // InputError if `folder` cannot be read: the caller decides what that means.
  void read(const fs::path& folder, std::size_t level = 0) {
    if (level > most_levels) too_large(std::to_string(most_levels) + " levels of folders", folder);
    std::error_code error;
    std::vector<fs::path> inner;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      std::error_code gone;
      if (++entries_ > most_files) too_large(std::to_string(most_files) + " files", folder);
      if (at->is_directory(gone) && !at->is_symlink(gone))
        inner.push_back(at->path());
      else if (at->is_regular_file(gone))
        files.push_back(at->path());
      else if (!at->is_directory(gone))
        no_files.push_back(at->path());
    }
    if (error && level == 0) throw InputError(root_, "", "a folder that can be read", error.message());
    if (error) unreadable.push_back({folder.lexically_relative(root_).string() + "/", error.message()});
    for (const fs::path& next : inner) read(next, level + 1);
  }

  std::vector<fs::path> files, no_files;  // links to nowhere, pipes, devices
  std::vector<UnreadableArrays> unreadable;

 private:
  [[noreturn]] void too_large(const std::string& limit, const fs::path& folder) const {
    throw InputError(root_, "", "a folder of at most " + limit + ", to be read with all below it",
                     "more, in " + folder.string());
  }

  std::string root_;
  std::size_t entries_ = 0;
};

NamedArrays arrays_of_folder(const std::string& path, bool with_raw) {
  FolderFiles found(path);
  found.read(path);
  NamedArrays arrays{
      .path = path, .is_folder = true, .names = {}, .sources = {}, .unreadable = found.unreadable};
  std::sort(found.files.begin(), found.files.end());
  for (const fs::path& other : found.no_files) {
    const std::optional<std::string> stem = stem_of(other.lexically_relative(path).string(), with_raw);
    if (stem) arrays.unreadable.push_back({*stem, fs::is_symlink(other) ? "a link to no file" : "no file"});
  }
  for (const fs::path& file : found.files) {
    const std::optional<std::string> stem = stem_of(file.lexically_relative(path).string(), with_raw);
    if (!stem) continue;
    std::vector<std::string> inner;
    try {
      inner = members(file.string());
    } catch (const InputError& e) {
      arrays.unreadable.push_back({*stem, e.what()});
      continue;
    }
    if (inner.size() < 2) {
      add(arrays, *stem, file.string());
      continue;
    }
    for (const std::string& name : inner) add(arrays, *stem + ":" + name, file.string() + ":" + name);
  }
  return arrays;
}

}  // namespace

std::optional<NamedArrays> named_arrays(const std::string& path, bool with_raw) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return arrays_of_folder(path, with_raw);
  if (!fs::is_regular_file(path, ignored) || !has_members(path)) return std::nullopt;
  const std::vector<std::string> names = io::array_names(path);
  if (is_sparse_matrix(names)) return std::nullopt;
  NamedArrays arrays{.path = path, .is_folder = false, .names = {}, .sources = {}, .unreadable = {}};
  for (const std::string& name : names) add(arrays, name, path + ":" + name);
  return arrays;
}

std::optional<std::string> only_name(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  try {
    const std::vector<std::string> names = members(path);
    if (names.size() == 1) return names.front();
  } catch (const InputError&) {
    // Whoever reads the array says why it cannot be.
  }
  return std::nullopt;
}

}  // namespace assay::cli
