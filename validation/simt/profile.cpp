#include "validation/simt/profile.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/simt/process.hpp"

namespace assay::simt {
namespace fs = std::filesystem;
namespace {

std::string output_of_tool(const std::vector<std::string>& words, const fs::path& folder) {
  const fs::path out = folder / "tool.txt";
  std::error_code ignored;
  fs::remove(out, ignored);
  const Ending ending = run({.words = words, .standard_output = out});
  if (ending.signal != 0 || ending.status != 0)
    throw Unavailable(words.front() + " fails with status " + std::to_string(ending.status));
  return text_of(out);
}

// --- what the program wrote ------------------------------------------------------------------------------------------

struct Counted {
  std::string event;
  std::uint64_t pc = 0;
  std::uint64_t warps = 0, lanes = 0, divergent = 0, bytes = 0, sectors = 0, least_sectors = 0, passes = 0,
                least_passes = 0, flops = 0;
};

std::vector<Counted> parse_counts(const std::string& text) {
  std::vector<Counted> places;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string what;
    Counted c;
    words >> what >> c.event >> std::hex >> c.pc >> std::dec >> c.warps >> c.lanes >> c.divergent >>
        c.bytes >> c.sectors >> c.least_sectors >> c.passes >> c.least_passes >> c.flops;
    if (words && what == "place") places.push_back(c);
  }
  return places;
}

// --- where in the source ---------------------------------------------------------------------------------------------

struct Where {
  std::string file;
  std::uint64_t line = 0;
};

// Of each address, the innermost line that is not the dialect's.
std::map<std::uint64_t, Where> lines_of(const std::vector<Counted>& places, const fs::path& program,
                                        const fs::path& dialect, const fs::path& folder) {
  std::vector<std::string> words{"addr2line", "-a", "-i", "-e", program.string()};
  const fs::path addresses = folder / "addresses";
  {
    AtomicFile out(addresses);
    std::string text;
    for (const Counted& c : places) {
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof digits, c.pc - 1, 16).ptr;  // within the call
      text.append(digits, end);
      text += '\n';
    }
    out.write(text);
    out.commit();
  }
  words.push_back("@" + addresses.string());
  std::map<std::uint64_t, Where> found;
  std::istringstream said(output_of_tool(words, folder));
  const std::string ours = dialect.string() + "/";
  std::uint64_t pc = 0;
  for (std::string line; std::getline(said, line);) {
    if (line.starts_with("0x")) {
      std::from_chars(line.data() + 2, line.data() + line.size(), pc, 16);
      ++pc;
      continue;
    }
    line.resize(std::min(line.size(), line.find(" (discriminator")));
    const std::size_t colon = line.rfind(':');
    if (colon == std::string::npos) continue;
    Where where{.file = line.substr(0, colon)};
    std::from_chars(line.data() + colon + 1, line.data() + line.size(), where.line);
    if (where.line == 0 || where.file.starts_with(ours) || where.file.starts_with("/usr/")) continue;
    found.emplace(pc, std::move(where));  // the first stays
  }
  return found;
}

// --- float operations of a basic block -------------------------------------------------------------------------------

// 0 of an instruction that does no arithmetic on floats.
std::uint64_t flops_of(std::string_view instruction) {
  if (instruction.starts_with('v')) instruction.remove_prefix(1);
  const auto ends = [&](std::string_view with) { return instruction.ends_with(with); };
  if (!ends("ss") && !ends("sd")) return 0;
  for (const std::string_view fused : {"fmadd", "fmsub", "fnmadd", "fnmsub"}) {
    if (instruction.starts_with(fused)) return 2;
  }
  for (const std::string_view one : {"add", "sub", "mul", "div", "sqrt", "max", "min"}) {
    if (instruction.substr(0, instruction.size() - 2) == one) return 1;
  }
  return 0;
}

// By the address that the call-out at the block's beginning returns to.
std::map<std::uint64_t, std::uint64_t> flops_of_blocks(const fs::path& program, const fs::path& folder) {
  std::map<std::uint64_t, std::uint64_t> flops;
  std::istringstream lines(output_of_tool({"objdump", "-d", "--no-show-raw-insn", program.string()}, folder));
  std::uint64_t block = 0;
  bool in_block = false, called = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos) {
      in_block = in_block && !line.empty() && !line.ends_with(">:");
      continue;
    }
    std::uint64_t address = 0;
    const std::size_t first = line.find_first_not_of(' ');
    std::from_chars(line.data() + first, line.data() + colon, address, 16);
    if (called) {
      block = address;
      in_block = true;
    }
    const std::string_view text = std::string_view(line).substr(colon + 2);
    called = text.starts_with("call") && text.find("<__sanitizer_cov_trace_pc>") != std::string_view::npos;
    if (!in_block || called) continue;
    const bool fma = text.starts_with("call") && (text.find("<fmaf@plt>") != std::string_view::npos ||
                                                  text.find("<fma@plt>") != std::string_view::npos);
    flops[block] += fma ? 2 : flops_of(text.substr(0, text.find(' ')));
  }
  return flops;
}

void add(SimtLine& to, const Counted& c, std::uint64_t flops) {
  const std::string_view event = c.event;
  if (event.starts_with("global_")) {
    (event == "global_read" ? to.reads : event == "global_write" ? to.writes : to.atomics) += c.warps;
    to.bytes += c.bytes;
    to.sectors += c.sectors;
    to.least_sectors += c.least_sectors;
  } else if (event.starts_with("shared_")) {
    to.shared += c.warps;
    to.passes += c.passes;
    to.least_passes += c.least_passes;
  } else if (event == "branch") {
    to.blocks += c.warps;
    to.lanes += c.lanes;
    to.divergent += c.divergent;
    to.flops += c.lanes * flops;
  } else if (event == "barrier") {
    to.barriers += c.warps;
  } else if (event == "collective") {
    to.collectives += c.warps;
  } else if (event == "matrix") {
    to.matrix += c.warps;
    to.flops += c.flops;
  }
}

}  // namespace

SimtProfile profile_program(const RunRequest& asked) {
  const ScratchFolder scratch;
  const fs::path program = program_in(scratch.path(), asked.files), record = scratch.path() / "counts";
  RunRequest request = asked;
  request.build.profile = true;
  request.how.threads = 1;  // counts are of one block after another
  request.how.environment.emplace_back("ASSAY_SIMT_PROFILE", record.string());
  SimtProfile p{.run = build_and_run(request, scratch.path())};
  const std::vector<Counted> counted = parse_counts(text_of(record));
  if (counted.empty()) return p;

  const auto where = lines_of(counted, program, installed_runtime().include, scratch.path());
  const auto flops = flops_of_blocks(program, scratch.path());
  std::map<std::pair<std::string, std::uint64_t>, SimtLine> lines;
  for (const Counted& c : counted) {
    // The dialect's own: a launch hands on its arguments.
    const auto at = where.find(c.pc);
    if (at == where.end()) continue;
    const Where& w = at->second;
    const auto of_block = flops.find(c.pc);
    add(lines[{w.file, w.line}], c, of_block == flops.end() ? 0 : of_block->second);
  }
  std::error_code ignored;
  const std::string here = fs::current_path(ignored).string() + "/";
  for (auto& [place, line] : lines) {
    line.file = place.first.starts_with(here) ? place.first.substr(here.size()) : place.first;
    line.line = place.second;
    p.total += line;
    p.lines.push_back(std::move(line));
  }
  return p;
}

}  // namespace assay::simt
