// `assay simt profile` of three kernels whose counts are worked out by hand.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

// Each statement that is counted has a line of its own.
constexpr const char* program = R"(#include <cuda_bf16.h>
#include <mma.h>
__global__ void every_second(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    y[i] = 3.0f * x[2 * i] + 1.0f;
}
template <int padding>
__global__ void transposed(const float* x, float* y) {
  __shared__ float tile[32][32 + padding];
  tile[threadIdx.y][threadIdx.x] = x[threadIdx.y * 32 + threadIdx.x];
  __syncthreads();
  y[threadIdx.y * 32 + threadIdx.x] =
      tile[threadIdx.x][threadIdx.y];
}
__global__ void products(const __nv_bfloat16* a, float* d, int* sum) {
  using namespace nvcuda::wmma;
  fragment<matrix_a, 16, 16, 16, __nv_bfloat16, row_major> left;
  fragment<matrix_b, 16, 16, 16, __nv_bfloat16, col_major> right;
  fragment<accumulator, 16, 16, 16, float> c;
  fill_fragment(c, 0.0f);
  load_matrix_sync(left, a, 16);
  load_matrix_sync(right, a, 16);
  mma_sync(c, left, right, c);
  int lanes = 1;
  lanes += __shfl_xor_sync(0xFFFFFFFF, lanes, 1);
  if (threadIdx.x == 7)
    atomicAdd(sum, lanes);
  if (threadIdx.x < 8)
    d[threadIdx.x] = c.x[0];
}
int main() {
  float *x, *y;
  int* sum;
  cudaMallocManaged(&x, 4096 * sizeof(float));
  cudaMallocManaged(&y, 4096 * sizeof(float));
  cudaMallocManaged(&sum, sizeof(int));
  every_second<<<2, 96>>>(x, y, 168);
  transposed<0><<<1, dim3(32, 32)>>>(x, y);
  transposed<1><<<1, dim3(32, 32)>>>(x, y);
  products<<<3, 32>>>(reinterpret_cast<__nv_bfloat16*>(x), y, sum);
  return cudaDeviceSynchronize();
}
)";

}  // namespace

BOOST_FIXTURE_TEST_CASE(counts_by_line, Folder, *boost::unit_test::label("full")) {
  std::ofstream(path / "kernels.cu") << program;
  const Outcome outcome = assay("simt profile kernels.cu --json");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  const json j = json::parse(outcome.out);
  const auto line = [&](int number) {
    for (const json& l : j.at("lines")) {
      if (l.at("file") == "kernels.cu" && l.at("line") == number) return l;
    }
    BOOST_TEST_FAIL("nothing is counted at line " << number << ": " << j.at("lines"));
    return json();
  };
  const auto is = [&](int number, const char* what, std::uint64_t want) {
    const json l = line(number);
    BOOST_TEST(l.at(what) == want, "line " << number << ": " << l.dump());
  };
  // Six warps, the last with eight lanes that go on. A whole warp reads 32 floats in 256 bytes: 8 sectors that hold
  // 4 sectors' worth; eight lanes 2 and 1. Writes: 4 sectors, and 1.
  is(6, "global_reads", 6);
  is(6, "global_writes", 6);
  is(6, "global_bytes", 168 * 8);
  is(6, "sectors", 5 * 8 + 2 + 5 * 4 + 1);
  is(6, "least_sectors", 5 * 4 + 1 + 5 * 4 + 1);
  is(6, "flops", 168 * 2);
  is(6, "divergent_blocks", 1);
  // 32 warps each time. A column of the tile is one bank, and 32 of them with padding.
  is(11, "global_reads", 64);
  is(11, "sectors", 64 * 4);
  is(11, "shared_accesses", 64);
  is(11, "shared_passes", 64);
  is(12, "barriers", 64);
  is(14, "shared_accesses", 64);
  is(14, "shared_passes", 32 * 32 + 32);
  is(14, "bank_conflicts", 32 * 31);
  BOOST_TEST(line(13).at("sectors").get<int>() + line(14).at("sectors").get<int>() == 64 * 4);
  // Three warps, each one product of 16 x 16 x 16, one shuffle, one lane's atomic, eight lanes' write.
  is(24, "matrix_operations", 3);
  is(24, "flops", 3 * 2 * 16 * 16 * 16);
  is(26, "collectives", 3);
  is(28, "global_atomics", 3);
  is(28, "sectors", 3);
  is(30, "global_writes", 3);
  is(30, "global_bytes", 3 * 8 * 4);
  is(30, "sectors", 3);
  BOOST_TEST(j.at("total").at("matrix_operations") == 3);

  const std::string table = assay("simt profile kernels.cu --html page.html").out;
  for (const char* const part : {"kernels.cu:14", "arithmetic intensity", "shared passes"})
    BOOST_TEST(holds(table, part), table);
  // The source, with 1,056 of 1,120 passes at the line that has the conflicts.
  const std::string page = text_of("page.html");
  for (const char* const part :
       {"<td class=\"number\">14</td>", ">1,056</td>", "--share: 94.3%", "tile[threadIdx.x][threadIdx.y];",
        "<h2>kernels.cu</h2>", "the kernel launched at kernels.cu:40", "<td>exit code 0</td>"})
    BOOST_TEST(holds(page, part), part);
}

BOOST_FIXTURE_TEST_CASE(a_program_without_kernels_has_no_counts, Folder) {
  std::ofstream(path / "none.cu")
      << "#include <cstdio>\nint main() { std::puts(\"no kernel\"); return 3; }\n";
  const Outcome outcome = assay("simt profile none.cu");
  BOOST_TEST(outcome.exit_code == 3);
  BOOST_TEST(outcome.out == "no kernel\nno kernel was counted\n");
}
