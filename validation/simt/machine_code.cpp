#include "validation/simt/machine_code.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/simt/process.hpp"
#include "validation/simt/program.hpp"

namespace assay::simt {
namespace fs = std::filesystem;

std::string output_of_tool(const std::vector<std::string>& words, const fs::path& folder) {
  const fs::path out = folder / "tool.txt";
  std::error_code ignored;
  fs::remove(out, ignored);
  const Ending ending = run({.words = words, .standard_output = out});
  if (ending.signal != 0 || ending.status != 0)
    throw Unavailable(words.front() + " fails with status " + std::to_string(ending.status));
  return text_of(out);
}

std::map<std::uint64_t, SimtPlace> lines_of(const std::vector<std::uint64_t>& addresses,
                                            const fs::path& program, const fs::path& folder) {
  const fs::path list = folder / "addresses";
  {
    AtomicFile out(list);
    std::string text;
    for (const std::uint64_t address : addresses) {
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof digits, address, 16).ptr;
      text.append(digits, end);
      text += '\n';
    }
    out.write(text);
    out.commit();
  }
  std::map<std::uint64_t, SimtPlace> found;
  std::istringstream said(
      output_of_tool({"addr2line", "-a", "-i", "-e", program.string(), "@" + list.string()}, folder));
  const std::string dialect = installed_runtime().include.string() + "/";
  std::error_code ignored;
  const std::string here = fs::current_path(ignored).string() + "/";
  std::uint64_t address = 0;
  for (std::string line; std::getline(said, line);) {
    if (line.starts_with("0x")) {
      std::from_chars(line.data() + 2, line.data() + line.size(), address, 16);
      continue;
    }
    line.resize(std::min(line.size(), line.find(" (discriminator")));
    const std::size_t colon = line.rfind(':');
    if (colon == std::string::npos) continue;
    SimtPlace place{.file = line.substr(0, colon)};
    std::from_chars(line.data() + colon + 1, line.data() + line.size(), place.line);
    if (place.line == 0 || place.file.starts_with(dialect) || place.file.starts_with("/usr/")) continue;
    if (place.file.starts_with(here)) place.file.erase(0, here.size());
    found.emplace(address, std::move(place));  // the first, which is the innermost, stays
  }
  return found;
}

std::map<std::uint64_t, SimtPlace> lines_of_calls(std::vector<std::uint64_t> addresses,
                                                  const fs::path& program, const fs::path& folder) {
  for (std::uint64_t& address : addresses) --address;  // within the call
  std::map<std::uint64_t, SimtPlace> found;
  for (auto& [address, place] : lines_of(addresses, program, folder))
    found.emplace(address + 1, std::move(place));
  return found;
}

}  // namespace assay::simt
