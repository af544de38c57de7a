// Launchers name the array that they cannot take.
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "tests/gpu/kernels/refusals.hpp"

using namespace assay;

namespace {

void compare(const std::vector<std::string>& got, const std::vector<std::string>& want) {
  BOOST_TEST(got == want, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(launchers_name_what_they_refuse) {
  compare(refusals_of_spmm_csr(),
          {"nothing", "spmm_csr: row_offsets is null, and 3 elements are read",
           "spmm_csr: x is not aligned to 4 bytes", "spmm_csr: x has rows 7 apart, of 8 columns",
           "spmm_csr: x has rows 1073741824 apart, and at most 4294967295 bytes can lie between them",
           "spmm_csr: A is -1 x 3 with 1 entries, and X has 8 columns", "spmm_csr: y shares memory with x",
           "spmm_csr: c is null, and 16 elements are read",
           "spmm_csr: y shares memory with c, and is not the same matrix",
           "spmm_csr: 562949953421312 blocks, and a grid has at most 2147483647"});
  compare(refusals_of_sddmm_csr(),
          {"nothing", "sddmm_csr: tile_rows is null, and 2 elements are read",
           "sddmm_csr: a is null, and 16 elements are read", "sddmm_csr: b is not aligned to 4 bytes",
           "sddmm_csr: b has rows 7 apart, of 8 numbers", "sddmm_csr: out shares memory with a or b",
           "sddmm_csr: c is null, and 1 elements are read",
           "sddmm_csr: 8589934592 blocks, and a grid has at most 2147483647"});
  compare(refusals_of_convert_bf16(), {"nothing", "convert_bf16: src is null, and 4 elements are read",
                                       "convert_bf16: dst is not aligned to 2 bytes"});
}
