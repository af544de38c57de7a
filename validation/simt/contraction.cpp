#include "validation/simt/contraction.hpp"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "reference/core/file.hpp"
#include "validation/simt/machine_code.hpp"

namespace assay::simt {
namespace fs = std::filesystem;
namespace {

using Counts = std::map<std::pair<std::string, std::uint64_t>, std::uint64_t>;

// Multiply-adds by line. The same instructions are inlined at several places, so that counts, and not lines alone, are
// compared: a line may have an fmaf() of its own beside a sum.
Counts multiply_adds(const std::vector<std::string>& files, BuildOptions options, bool fuse) {
  const ScratchFolder scratch;
  const fs::path program = scratch.path() / "program";
  options.fuse = fuse;
  // One instruction for an operation of the source, in both.
  for (const char* const word :
       {"-mfma", "-fno-tree-vectorize", "-fno-tree-slp-vectorize", "-fno-unroll-loops"})
    options.compiler_options.emplace_back(word);
  options.library = true;  // a file of kernels may have no main()
  build(files, program, options);
  std::istringstream lines(
      output_of_tool({"objdump", "-d", "--no-show-raw-insn", program.string()}, scratch.path()));
  std::vector<std::uint64_t> addresses;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    const std::string_view instruction = std::string_view(line).substr(colon + 2);
    if (!instruction.starts_with("vfm") && !instruction.starts_with("vfnm")) continue;
    std::uint64_t address = 0;
    std::from_chars(line.data() + line.find_first_not_of(' '), line.data() + colon, address, 16);
    addresses.push_back(address);
  }
  Counts counts;
  for (const auto& [address, place] : lines_of(addresses, program, scratch.path()))
    ++counts[{place.file, place.line}];
  return counts;
}

}  // namespace

std::vector<SimtPlace> contracted_lines(const std::vector<std::string>& files, const BuildOptions& options) {
  const Counts without = multiply_adds(files, options, false);
  std::vector<SimtPlace> lines;
  for (const auto& [place, count] : multiply_adds(files, options, true)) {
    const auto before = without.find(place);
    if (before == without.end() || before->second < count) lines.push_back({place.first, place.second});
  }
  return lines;
}

std::string contraction_note(bool fuse, const std::vector<SimtPlace>& lines) {
  if (lines.empty())
    return "contraction: the host's compiler finds no a * b + c to round once, so --fmad changes nothing";
  std::string text =
      fuse ? "contraction not modelled: a * b + c is fused where the host's compiler does so, and nvcc "
             "may choose others, at "
           : "contraction not modelled: nvcc fuses a * b + c unless -fmad=false, and here it is rounded "
             "twice, at ";
  constexpr std::size_t most = 12;
  for (std::size_t i = 0; i < lines.size() && i < most; ++i)
    text += (i == 0 ? "" : ", ") + lines[i].file + ":" + std::to_string(lines[i].line);
  if (lines.size() > most) text += " and " + std::to_string(lines.size() - most) + " more lines";
  return text;
}

}  // namespace assay::simt
