#include "validation/report/simt_report.hpp"

#include <fmt/format.h>

#include <utility>

#include "validation/report/json.hpp"
#include "validation/report/table.hpp"
#include "validation/report/text_report.hpp"

namespace assay {
namespace {

using report::Json;

std::string extent_text(const std::uint32_t (&e)[3]) { return fmt::format("({}, {}, {})", e[0], e[1], e[2]); }

std::string arguments_table(const SimtCheck& c) {
  std::vector<std::vector<std::string>> rows{{"", "argument", "elements", ""}};
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    const SimtArray& a = c.arrays[i];
    rows.push_back({std::to_string(i + 1), c.arguments[i], a.elements == 0 ? "" : grouped(a.elements),
                    a.elements == 0 ? ""
                    : a.written     ? "written"
                                    : "not written"});
  }
  return table_text(rows, 0, 2);
}

std::string runs_table(const SimtCheck& c) {
  std::vector<std::vector<std::string>> rows{{"schedule", "seconds", "checksums of what it wrote"}};
  for (const SimtScheduleRun& run : c.runs) {
    std::string sums = run.failure;
    for (std::size_t i = 0; i < run.checksums.size(); ++i) {
      if (c.arrays[i].written) sums += fmt::format("{}{:016x}", sums.empty() ? "" : " ", run.checksums[i]);
    }
    rows.push_back({run.schedule, fmt::format("{:.3f}", run.seconds), sums.empty() ? "nothing" : sums});
  }
  return table_text(rows, 0, 2);
}

std::string difference_text(const SimtDifference& d) {
  return fmt::format("  argument {}: {} {} under {}, the first at {}: {} under {}, {} under {}\n",
                     d.argument + 1, grouped(d.elements_that_differ),
                     d.elements_that_differ == 1 ? "element differs" : "elements differ", d.other_schedule,
                     d.element, d.first, d.first_schedule, d.other, d.other_schedule);
}

std::string verdict(const SimtCheck& c) {
  std::size_t failed = 0;
  for (const SimtScheduleRun& run : c.runs) failed += run.failure.empty() ? 0 : 1;
  if (failed != 0) return fmt::format("FAILED under {} of {} schedules\n", failed, c.runs.size());
  if (!c.differences.empty()) return "FAILED: its bits depend on the order of its threads\n";
  return fmt::format("PASSED: the same bits under {} {}\n", c.runs.size(),
                     c.runs.size() == 1 ? "schedule" : "schedules");
}

Json launches_json(const std::vector<SimtLaunch>& launches) {
  Json all = Json::array();
  for (const SimtLaunch& l : launches)
    all.push_back({{"where", l.kernel}, {"grid", l.grid}, {"block", l.block}, {"times", l.times}});
  return all;
}

Json places_json(const std::vector<SimtPlace>& places) {
  Json all = Json::array();
  for (const SimtPlace& p : places) all.push_back({{"file", p.file}, {"line", p.line}});
  return all;
}

Json run_json(const SimtRun& r) {
  return Json{{"files", r.files},
              {"arguments", r.arguments},
              {"architecture", r.architecture},
              {"schedule", r.schedule},
              {"fmad", r.fused},
              {"ftz", r.flushed},
              {"threads", r.threads},
              {"build_seconds", r.build_seconds},
              {"run_seconds", r.run_seconds},
              {"status", r.signal == 0 && r.in_time ? Json(r.status) : Json()},
              {"signal", r.signal == 0 ? Json() : Json(r.signal)},
              {"in_time", r.in_time},
              {"launches", launches_json(r.launches)},
              {"notes", r.notes},
              {"contracted_lines", r.contracted ? places_json(*r.contracted) : Json()},
              {"output", r.output}};
}

// One line; bytes of a program's output that are no UTF-8 are replaced.
std::string dumped(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

// 75 % of `part` in `whole`, or nothing where there is none.
std::string share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? ""
                    : fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}
std::string number(std::uint64_t n) { return n == 0 ? "" : grouped(n); }

std::vector<std::string> line_row(const std::string& name, const SimtLine& l) {
  return {name,
          number(l.blocks),
          l.blocks == 0 ? ""
                        : fmt::format("{:.1f}", static_cast<double>(l.lanes) / static_cast<double>(l.blocks)),
          share(l.divergent, l.blocks),
          number(l.bytes),
          number(l.sectors),
          share(l.least_sectors, l.sectors),
          number(l.passes),
          number(l.passes - l.least_passes),
          number(l.barriers),
          number(l.collectives),
          number(l.matrix),
          number(l.flops)};
}

Json counts_json(const SimtLine& l) {
  return {{"blocks", l.blocks},
          {"lanes", l.lanes},
          {"divergent_blocks", l.divergent},
          {"global_reads", l.reads},
          {"global_writes", l.writes},
          {"global_atomics", l.atomics},
          {"global_bytes", l.bytes},
          {"sectors", l.sectors},
          {"least_sectors", l.least_sectors},
          {"shared_accesses", l.shared},
          {"shared_passes", l.passes},
          {"bank_conflicts", l.passes - l.least_passes},
          {"barriers", l.barriers},
          {"collectives", l.collectives},
          {"matrix_operations", l.matrix},
          {"flops", l.flops}};
}
Json line_json(const SimtLine& l) {
  Json line{{"file", l.file}, {"line", l.line}};
  line.update(counts_json(l));
  return line;
}

}  // namespace

SimtLine& SimtLine::operator+=(const SimtLine& o) {
  blocks += o.blocks;
  lanes += o.lanes;
  divergent += o.divergent;
  reads += o.reads;
  writes += o.writes;
  atomics += o.atomics;
  bytes += o.bytes;
  sectors += o.sectors;
  least_sectors += o.least_sectors;
  shared += o.shared;
  passes += o.passes;
  least_passes += o.least_passes;
  barriers += o.barriers;
  collectives += o.collectives;
  matrix += o.matrix;
  flops += o.flops;
  return *this;
}

double simt_flops_a_byte(const SimtLine& l) {
  constexpr double sector_bytes = 32;
  return l.sectors == 0 ? 0 : static_cast<double>(l.flops) / (sector_bytes * static_cast<double>(l.sectors));
}

std::string simt_range_name(const SimtRange& range) {
  return range.name.empty() ? "outside of all" : range.name;
}

std::string simt_run_json(const SimtRun& r) { return dumped(run_json(r)); }

std::string simt_profile_text(const SimtProfile& p) {
  std::string text;
  for (const SimtLaunch& l : p.run.launches)
    text += fmt::format("{} {} <<<{}, {}>>>\n", grouped(l.times), l.kernel, l.grid, l.block);
  if (p.lines.empty()) return text + "no kernel was counted\n";
  std::vector<std::vector<std::string>> rows{{"line", "warp blocks", "lanes", "divergent", "global bytes",
                                              "sectors", "used", "shared passes", "conflicts", "barriers",
                                              "warp ops", "matrix", "flops"}};
  for (const SimtLine& l : p.lines)
    rows.push_back(line_row(l.line == 0 ? l.file : fmt::format("{}:{}", l.file, l.line), l));
  rows.push_back(line_row("all", p.total));
  text += '\n' + table_text(rows, 0, 2);
  if (p.ranges.size() > 1) {
    rows.resize(1);
    rows.front().front() = "range";
    for (const SimtRange& r : p.ranges) rows.push_back(line_row(simt_range_name(r), r.total));
    text += '\n' + table_text(rows, 0, 2);
  }
  if (p.total.sectors != 0)
    text += fmt::format("\narithmetic intensity: {:.3g} float operations a byte of global memory moved\n",
                        simt_flops_a_byte(p.total));
  return text;
}

std::string simt_profile_json(const SimtProfile& p) {
  Json lines = Json::array();
  for (const SimtLine& l : p.lines) lines.push_back(line_json(l));
  Json ranges = Json::array();
  for (const SimtRange& r : p.ranges) {
    ranges.push_back({{"name", r.name}});
    ranges.back().update(counts_json(r.total));
  }
  return dumped({{"run", run_json(p.run)},
                 {"lines", std::move(lines)},
                 {"ranges", std::move(ranges)},
                 {"total", line_json(p.total)},
                 {"flops_a_byte", simt_flops_a_byte(p.total)}});
}

std::string simt_check_text(const SimtCheck& c) {
  std::string text =
      fmt::format("{}: {}, as {}\ngrid {}, block {}, {} bytes of dynamic shared memory\n\n", c.file, c.kernel,
                  c.architecture, extent_text(c.grid), extent_text(c.block), c.shared_bytes);
  if (!c.arguments.empty()) text += arguments_table(c) + "\n";
  text += runs_table(c) + "\n";
  for (const SimtDifference& d : c.differences) text += difference_text(d);
  return text + verdict(c);
}

std::string simt_check_json(const SimtCheck& c) {
  Json arguments = Json::array(), runs = Json::array(), differences = Json::array();
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    arguments.push_back({{"argument", c.arguments[i]},
                         {"type", c.arrays[i].type},
                         {"elements", c.arrays[i].elements},
                         {"written", c.arrays[i].written}});
  }
  for (const SimtScheduleRun& r : c.runs) {
    Json sums = Json::array();
    for (const std::uint64_t sum : r.checksums) sums.push_back(fmt::format("{:016x}", sum));
    runs.push_back({{"schedule", r.schedule},
                    {"seconds", r.seconds},
                    {"failure", r.failure.empty() ? Json() : Json(r.failure)},
                    {"checksums", std::move(sums)}});
  }
  for (const SimtDifference& d : c.differences) {
    differences.push_back({{"argument", d.argument + 1},
                           {"element", d.element},
                           {"elements_that_differ", d.elements_that_differ},
                           {"first_schedule", d.first_schedule},
                           {"first", d.first},
                           {"other_schedule", d.other_schedule},
                           {"other", d.other}});
  }
  return dumped({{"file", c.file},
                 {"kernel", c.kernel},
                 {"architecture", c.architecture},
                 {"grid", c.grid},
                 {"block", c.block},
                 {"shared_bytes", c.shared_bytes},
                 {"build_seconds", c.build_seconds},
                 {"arguments", std::move(arguments)},
                 {"runs", std::move(runs)},
                 {"differences", std::move(differences)},
                 {"status", c.agrees() ? "PASSED" : "FAILED"}});
}

}  // namespace assay
