#include "validation/simt/sources.hpp"

#include <cctype>
#include <cstdint>
#include <utility>

#include "emulation/simt/rewriter.hpp"
#include "reference/core/file.hpp"
#include "validation/simt/process.hpp"

namespace assay::simt {
namespace fs = std::filesystem;
namespace {

std::string in_literal(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// Where a line includes what, or an empty name.
struct Include {
  std::size_t begin = 0, end = 0;  // of the name with its marks, in the line
  std::string_view name{};
  bool in_quotes = false;
};
Include include_in(std::string_view line) {
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  };
  skip_blanks();
  if (at == line.size() || line[at] != '#') return {};
  ++at;
  skip_blanks();
  constexpr std::string_view word = "include";
  if (line.substr(at, word.size()) != word) return {};
  at += word.size();
  skip_blanks();
  if (at == line.size() || (line[at] != '"' && line[at] != '<')) return {};
  const char close = line[at] == '"' ? '"' : '>';
  const std::size_t end = line.find(close, at + 1);
  if (end == std::string_view::npos) return {};
  return {at, end + 1, line.substr(at + 1, end - at - 1), close == '"'};
}

}  // namespace

Sources::Sources(fs::path folder, std::vector<fs::path> include_folders)
    : folder_(std::move(folder)), include_folders_(std::move(include_folders)) {}

fs::path Sources::header(const fs::path& includer, std::string_view name, bool in_quotes) const {
  std::error_code ignored;
  const auto there = [&](const fs::path& file) { return fs::is_regular_file(file, ignored); };
  if (in_quotes) {
    if (fs::path beside = includer.parent_path() / name; there(beside)) return beside;
  }
  for (const fs::path& folder : include_folders_) {
    if (fs::path file = folder / name; there(file)) return file;
  }
  // Of CUB, which has kernels' code, where the system's packages put it.
  if (name.starts_with("cub/")) {
    if (fs::path file = fs::path("/usr/include") / name; there(file)) return file;
  }
  return {};
}

std::string Sources::with_copied_headers(const fs::path& file, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string_view line = text.substr(at, end == std::string_view::npos ? end : end - at + 1);
    at += line.size();
    const Include include = include_in(line);
    const fs::path wanted = include.name.empty() ? fs::path() : header(file, include.name, include.in_quotes);
    if (wanted.empty()) {
      out += line;
      continue;
    }
    out += line.substr(0, include.begin);
    out += '"' + copy_of(wanted).string() + '"';
    out += line.substr(include.end);
  }
  return out;
}

fs::path Sources::copy_of(const fs::path& file) {
  std::error_code ignored;
  fs::path name = fs::weakly_canonical(file, ignored);
  if (const auto known = copies_.find(name); known != copies_.end()) return known->second;
  static_cast<void>(ByteReader(file));  // a file that is not there is no empty one
  std::string text = text_of(file);
  // A byte order mark is none behind the #line that the copy begins with.
  if (constexpr std::string_view mark = "\xEF\xBB\xBF"; text.starts_with(mark)) text.erase(0, mark.size());
  fs::path copy = folder_ / (std::to_string(copies_.size()) + "_" + file.filename().string());
  copies_[std::move(name)] = copy;  // before its headers, which may include it again
  const std::string shown = file.string();
  names_[copy] = shown;
  AtomicFile out(copy);
  out.write("#line 1 \"" + in_literal(shown) + "\"\n");
  out.write(rewrite_cuda(with_copied_headers(file, text), shown));
  out.commit();
  return copy;
}

}  // namespace assay::simt
