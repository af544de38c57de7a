// `assay plan`: what is shown of a matrix and of its plan, in every kind of file, and what is refused.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "reference/core/random.hpp"
#include "reference/sparse/sparse_formats.hpp"
#include "reference/sparse/spmm.hpp"
#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

struct Planned : Folder {
  sparse::Csr<float> a = matrix(70, 300);

  Planned() { io::write_sparse(path / "a.npz", array_of_csr(a)); }
  static sparse::Csr<float> matrix(std::int64_t rows, std::int32_t cols) {
    const CounterRandom random(1);
    sparse::Csr<float> a;
    a.structure.rows = rows;
    a.structure.cols = cols;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int32_t j = 0; j < cols; ++j) {
        if (i % 10 != 3 && random.uniform(static_cast<std::uint64_t>(i * cols + j)) < 0.1)
          a.structure.column_indices.push_back(j);
      }
      a.structure.end_row();
    }
    a.values.assign(a.structure.column_indices.size(), 1.5F);
    return a;
  }
  static io::SparseArray array_of_csr(const sparse::Csr<float>& a) {
    io::SparseArray out;
    out.layout = io::SparseArray::Layout::csr;
    out.rows = a.rows();
    out.cols = a.cols();
    out.offsets = a.structure.row_offsets;
    out.column_indices = a.structure.column_indices;
    out.values = array_of(formats::float32, {a.nnz()}, std::vector<double>(a.values.begin(), a.values.end()));
    return out;
  }
  void text(const std::string& name, const std::string& lines) const { std::ofstream(path / name) << lines; }
  json planned(const std::string& arguments) const {
    const Outcome outcome = assay("plan spmm " + arguments + " --json");
    BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
    BOOST_TEST(outcome.err.empty(), outcome.err);
    return json::parse(outcome.out);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_plan_says_what_the_library_chose, Planned) {
  const json j = planned("a.npz --n 96");
  const sparse::SpmmPlan plan(a, {.columns = 96});
  BOOST_TEST(j.at("plan").at("kernel") == std::string(plan.choice().kernel));
  BOOST_TEST(j.at("plan").at("depth") == plan.choice().depth);
  BOOST_TEST(j.at("plan").at("packed_bytes") == plan.choice().packed_bytes);
  BOOST_TEST(j.at("plan").at("why") == plan.choice().why);
  BOOST_TEST(j.at("n") == 96);
  BOOST_TEST(j.at("entries") == a.nnz());
  BOOST_TEST(j.at("row_lengths").at("least") == 0);
  BOOST_TEST(j.at("row_lengths").at("empty") == 7);
  std::int64_t longest = 0;
  for (std::int64_t i = 0; i < a.rows(); ++i) longest = std::max(longest, a.structure.view().row_length(i));
  BOOST_TEST(j.at("row_lengths").at("longest") == longest);
  BOOST_TEST(j.at("measured").is_null());
  const sparse::CsrView view = a.structure;
  BOOST_TEST_REQUIRE(j.at("formats").size() == 7U);
  for (const json& form : j.at("formats")) {
    const auto name = form.at("format").get<std::string>();
    for (const sparse::SparseFormat& f : sparse::all_sparse_formats()) {
      if (name != f.name && (f.name != "bsr" || name != "bsr 4 x 4")) continue;
      BOOST_TEST(form.at("index_bytes") == f.index_bytes(view), name);
      BOOST_TEST(form.at("value_bytes") == 4 * f.places(view), name);
    }
    BOOST_TEST(form.at("value_bytes") == 4 * (a.nnz() + form.at("places_added").get<std::int64_t>()), name);
  }
}

BOOST_FIXTURE_TEST_CASE(a_plan_is_a_table_for_a_person, Planned) {
  const std::string said = assay("plan spmm a.npz --kernel f32_8_scalar --n 1").out;
  for (const char* const part :
       {"a.npz\n", "70 x 300", "row lengths  least 0, median ", "7 of 70 rows empty", "bsr 32 x 32", "bitmap",
        "plan for 1 column of X", "f32_8_scalar", "8 columns of X, 1 row of A side by side", "1 slice of K",
        "the kernel that was asked for"})
    BOOST_TEST(holds(said, part), part << " in\n" << said);
}

BOOST_FIXTURE_TEST_CASE(a_measured_plan_has_times, Planned) {
  const json times = planned("a.npz --n 8 --measure --seed 3").at("measured");
  BOOST_TEST(times.at("repetitions") == 7);
  BOOST_TEST(times.at("seed") == 3);
  const double planning = times.at("planning_seconds").get<double>(),
               product = times.at("product_seconds").get<double>();
  BOOST_TEST(planning > 0);
  BOOST_TEST(product > 0);
  BOOST_TEST(times.at("planning_in_products").get<double>() == planning / product,
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(times.at("flops_per_second").get<double>() == 16.0 * static_cast<double>(a.nnz()) / product,
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(holds(assay("plan spmm a.npz --n 8 --measure").out, "GFLOP/s"));
}

// Other types of values, other layouts, rows that only CSR holds, and matrices without entries or rows.
BOOST_FIXTURE_TEST_CASE(every_sparse_file_is_planned, Planned) {
  const std::string head = "%%MatrixMarket matrix coordinate ";
  text("real.mtx", head + "real general\n2 3 3\n1 3 0.1\n1 1 2\n2 2 -1e300\n");
  json j = planned("real.mtx");
  BOOST_TEST(j.at("value_format") == "float64");
  BOOST_TEST(j.at("unsorted_row") == 0);
  BOOST_TEST(j.at("formats").size() == 1U);
  BOOST_TEST(holds(assay("plan spmm real.mtx").out, "The columns of row 0 do not ascend"));
  text("pattern.mtx", head + "pattern symmetric\n3 3 3\n1 1\n2 1\n3 2\n");
  j = planned("pattern.mtx");
  BOOST_TEST(j.at("entries") == 5);
  BOOST_TEST(j.at("unsorted_row").is_null());
  text("integer.mtx", head + "integer general\n1 2 1\n1 2 7\n");
  BOOST_TEST(planned("integer.mtx").at("value_format") == "int64");
  for (const char* const shape : {"5 4", "0 4", "4 0", "0 0"}) {
    text("empty.mtx", head + "real general\n" + std::string(shape) + " 0\n");
    j = planned("empty.mtx --measure");
    BOOST_TEST(j.at("entries") == 0, shape);
    BOOST_TEST(j.at("density") == 0, shape);
    BOOST_TEST(assay("plan spmm empty.mtx").exit_code == 0, shape);
  }
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_planned, Planned) {
  write("dense.npy", normal(formats::float32, {3, 4}, 1));
  text("outside.mtx", "%%MatrixMarket matrix coordinate real general\n2 3 1\n3 1 1\n");
  text("huge.mtx",
       "%%MatrixMarket matrix coordinate real general\n2147483647 2147483647 1\n2147483647 2147483647 1\n");
  const auto refused = [&](const std::string& arguments, const std::string& says) {
    const Outcome outcome = assay("plan " + arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments << " " << outcome.out << outcome.err);
    BOOST_TEST(holds(outcome.err, says), outcome.err);
    BOOST_TEST(outcome.out.empty(), outcome.out);
  };
  refused("", "operation");
  refused("gemm a.npz", "spmm");
  refused("spmm", "FILE");
  refused("spmm missing.mtx", "missing.mtx");
  refused("spmm dense.npy", "dense.npy");
  refused("spmm outside.mtx", "line 3");
  refused("spmm a.npz --n 0", "--n");
  refused("spmm a.npz --n 99999999999", "2147483647");
  refused("spmm a.npz --kernel f32_8_scalr", "f32_8_scalar");
  refused("spmm a.npz --format bf61", "--format");
  refused("spmm huge.mtx", "huge.mtx");
  refused("spmm huge.mtx --n 8 --measure", "of memory");
}
