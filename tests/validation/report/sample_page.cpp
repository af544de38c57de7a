// Writes a report.html of four cases to the path it is given: what page_test.py looks at.
#include <cstdio>
#include <vector>

#include "reference/core/file.hpp"
#include "tests/validation/report/samples.hpp"
#include "validation/report/html_report.hpp"

using namespace assay;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: report_sample_page FILE\n");
    return 2;
  }
  std::vector<CaseRecord> records;
  const auto add = [&](std::string name, CaseResult result, double seconds) {
    records.push_back({.name = std::move(name), .result = judged(std::move(result)), .seconds = seconds});
  };
  add("spmm/csr_bf16_sm90 m=64 k=1024 n=33 seed=7", result_of(samples::failing()), 0.8);
  add("gemm/tiled_f32 m=96 k=512 n=80 seed=7", result_of(samples::passing()), 0.31);
  add("gemm/relu_f32 m=3 k=5 n=4 seed=7", result_of(samples::vacuous()), 0.02);
  CaseResult skipped;
  skipped.status = Status::skipped;
  skipped.reason = "no /dev/nvidia0 <and nothing else>";
  add("spmm/csr_bf16_sm100 m=64 k=1024 n=33 seed=7", skipped, 0);
  CaseResult passed;
  passed.status = Status::passed;
  passed.checked = 1 << 20;
  passed.evidence = "the integer definition";
  passed.figures = {{"speed", 3.2, "GB/s"}};
  add("formats/convert/f32_bf16_avx512 n=1048576 seed=7", passed, 0.12);

  RunHeader header;
  header.build = this_build();
  header.machine = this_machine();
  header.suites = {"spmm", "gemm", "formats"};
  header.scale = "quick";
  header.seed = 7;
  header.cases = records.size();
  header.started = "2025-01-31T12:00:00Z";
  RunSummary summary;
  summary.counts = count(records);
  summary.seconds = 1.25;
  summary.exit_code = 1;
  summary.verdict = "SOME DISAGREE";
  AtomicFile file(argv[1]);
  file.write(html_report(header, records, summary));
  file.commit();
}
