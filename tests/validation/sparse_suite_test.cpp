// The suite of sparse matrices as a person runs it, on a CPU with and without wide instructions.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "reference/sparse/sddmm.hpp"
#include "reference/sparse/spmm.hpp"
#include "reference/sparse/spmv.hpp"
#include "tests/validation/suite_run.hpp"

using namespace assay;

// Every format and every pattern passes where nothing wide runs, and no case of a wide kernel claims to.
BOOST_AUTO_TEST_CASE(scalar_kernels_pass_and_wide_ones_are_skipped, *boost::unit_test::label("full")) {
  constexpr int patterns = 8, formats = 4;
  std::ptrdiff_t scalar = 0, wide = 0;
  const auto count = [&](const auto& kernels) {
    const auto narrow =
        std::ranges::count_if(kernels, [](const KernelInfo& kernel) { return kernel.needs == Isa::scalar; });
    BOOST_TEST(narrow == 1);
    scalar += narrow;
    wide += static_cast<std::ptrdiff_t>(kernels.size()) - narrow;
  };
  count(sparse::spmm_kernels());
  count(sparse::spmv_kernels());
  count(sparse::sddmm_kernels());
  BOOST_TEST(wide >= 13);
  const nlohmann::json counts = shell::run_records("scalar", "--suite sparse").back().at("counts");
  // Each format there and back, and its products by the scalar kernels; wider sets are skipped. In bfloat16: chains
  // and two contracts by their Arithmetic, the same two by their instructions, of each pattern and of each format.
  // Tiles take neither special values nor columns in stored order.
  BOOST_TEST(counts.at("passed") == 2 * formats + patterns * scalar + 3 * (patterns + formats) - 2);
  BOOST_TEST(counts.at("skipped") == 2 * formats + patterns * wide + 2 * (patterns + formats) - 2);
  BOOST_TEST(counts.at("failed") == 0);
}
