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
#include "validation/simt/machine_code.hpp"
#include "validation/simt/process.hpp"

namespace assay::simt {
namespace fs = std::filesystem;
namespace {

// --- what the program wrote ------------------------------------------------------------------------------------------

struct Counted {
  std::size_t range = 0;
  std::string event;
  std::uint64_t pc = 0;
  std::uint64_t warps = 0, lanes = 0, divergent = 0, bytes = 0, sectors = 0, least_sectors = 0, passes = 0,
                least_passes = 0, flops = 0;
};

struct Recorded {
  std::vector<std::string> ranges;
  std::vector<Counted> places;
};

Recorded parse_counts(const std::string& text) {
  Recorded counts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view range = "range ";
    if (line.starts_with(range)) {
      counts.ranges.push_back(line.substr(range.size()));
      continue;
    }
    std::istringstream words(line);
    std::string what;
    Counted c;
    c.range = counts.ranges.size() - 1;
    words >> what >> c.event >> std::hex >> c.pc >> std::dec >> c.warps >> c.lanes >> c.divergent >>
        c.bytes >> c.sectors >> c.least_sectors >> c.passes >> c.least_passes >> c.flops;
    if (words && what == "place" && !counts.ranges.empty()) counts.places.push_back(c);
  }
  return counts;
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
  const auto [range_names, counted] = parse_counts(text_of(record));
  if (counted.empty()) return p;
  for (const std::string& name : range_names) p.ranges.push_back({.name = name});

  std::vector<std::uint64_t> places;
  for (const Counted& c : counted) places.push_back(c.pc);
  const auto where = lines_of_calls(places, program, scratch.path());
  const auto flops = flops_of_blocks(program, scratch.path());
  std::map<std::pair<std::string, std::uint64_t>, SimtLine> lines;
  for (const Counted& c : counted) {
    // The dialect's own: a launch hands on its arguments.
    const auto at = where.find(c.pc);
    if (at == where.end()) continue;
    const auto of_block = flops.find(c.pc);
    const std::uint64_t flops_of_block = of_block == flops.end() ? 0 : of_block->second;
    add(lines[{at->second.file, at->second.line}], c, flops_of_block);
    add(p.ranges[c.range].total, c, flops_of_block);
  }
  std::erase_if(p.ranges, [](const SimtRange& r) { return r.total.blocks == 0; });
  for (auto& [place, line] : lines) {
    line.file = place.first;
    line.line = place.second;
    p.total += line;
    p.lines.push_back(std::move(line));
  }
  for (const SimtLine& l : p.lines) {
    if (!p.sources.empty() && p.sources.back().file == l.file) continue;
    SimtSource source{.file = l.file};
    std::ifstream in(l.file);
    for (std::string text; std::getline(in, text);) source.lines.push_back(std::move(text));
    if (!source.lines.empty()) p.sources.push_back(std::move(source));
  }
  return p;
}

}  // namespace assay::simt
