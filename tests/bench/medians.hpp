// What benchmarks that end in a table have in common. Each is one file, which includes this.
#pragma once

#include <benchmark/benchmark.h>
#include <sched.h>

#include <cstddef>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace assay::bench {

// Prints as usual, and keeps the medians of all counters.
class Medians : public benchmark::ConsoleReporter {
 public:
  struct Row {
    std::string name;  // as it was registered
    std::map<std::string, double> figures;
  };

  Medians() : benchmark::ConsoleReporter(benchmark::ConsoleReporter::OO_Tabular) {}
  const std::vector<Row>& rows() const { return rows_; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
      Row row{run.run_name.function_name, {}};
      for (const auto& [name, counter] : run.counters) row.figures[name] = counter.value;
      rows_.push_back(row);
    }
    ConsoleReporter::ReportRuns(runs);
  }

 private:
  std::vector<Row> rows_;
};

// Some peers start threads of their own: all of them share the one processor that the process is held to.
inline void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) std::fprintf(stderr, "not held to one processor\n");
}

}  // namespace assay::bench
