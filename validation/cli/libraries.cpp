#include "validation/cli/libraries.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <CLI/Version.hpp>
#include <Eigen/Core>
#include <boost/version.hpp>

#include "reference/core/parallel.hpp"

namespace assay::cli {

std::vector<Library> libraries() {
  const auto dotted = [](int major, int minor, int patch) {
    return fmt::format("{}.{}.{}", major, minor, patch);
  };
  return {
      {"fmt", dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100), "text"},
      {"CLI11", CLI11_VERSION, "options"},
      {"nlohmann-json", json_library_version(), "JSON"},
      {"zlib", zlibVersion(), "gzipped files"},
      {"Eigen", dotted(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION),
       "a second sparse product"},
      {"Boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100),
       "exact integers; tests"},
      // The date of the specification that the compiler follows, as YYYYMM.
      {"OpenMP", std::to_string(openmp_version()), "threads"},
      {"oneDNN", ASSAY_DNNL_VERSION, "layers of networks; nothing here needs it yet"},
      {"MPFR", ASSAY_MPFR_VERSION, "tests"},
      {"google-benchmark", ASSAY_BENCHMARK_VERSION, "benchmarks"},
  };
}

}  // namespace assay::cli
