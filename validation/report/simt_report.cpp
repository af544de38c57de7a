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

}  // namespace

std::string simt_run_json(const SimtRun& r) {
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
              {"output", r.output}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
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
  return Json{{"file", c.file},
              {"kernel", c.kernel},
              {"architecture", c.architecture},
              {"grid", c.grid},
              {"block", c.block},
              {"shared_bytes", c.shared_bytes},
              {"build_seconds", c.build_seconds},
              {"arguments", std::move(arguments)},
              {"runs", std::move(runs)},
              {"differences", std::move(differences)},
              {"status", c.agrees() ? "PASSED" : "FAILED"}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay
