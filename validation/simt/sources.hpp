// CUDA sources as C++ that the host's compiler takes: rewritten copies of the files and of their own headers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace assay::simt {

class Sources {
 public:
  // `folder` takes the copies. A header belongs to the program if it lies beside the file that includes it or in one of
  // `include_folders`; the others are the compiler's.
  Sources(std::filesystem::path folder, std::vector<std::filesystem::path> include_folders);

  // The copy of a file, whose lines have the numbers and the file name that the user knows. InputError if it or a
  // header cannot be read, or holds what the dialect lacks.
  std::filesystem::path copy_of(const std::filesystem::path& file);

  // Of every copy, the file as the user knows it.
  const std::map<std::filesystem::path, std::string>& names() const { return names_; }

 private:
  // Empty where no header of the program is meant.
  std::filesystem::path header(const std::filesystem::path& includer, std::string_view name,
                               bool in_quotes) const;
  std::string with_copied_headers(const std::filesystem::path& file, std::string_view text);

  std::filesystem::path folder_;
  std::vector<std::filesystem::path> include_folders_;
  std::map<std::filesystem::path, std::filesystem::path> copies_{};  // by the canonical name
  std::map<std::filesystem::path, std::string> names_{};
};

}  // namespace assay::simt
