// `assay simt profile` of three kernels whose counts are worked out by hand.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
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

namespace {
constexpr const char* vectors = R"(#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>
#include <thread>
__global__ void copies(const float4* x, float4* y) {
  const float4 all = x[threadIdx.x];
  y[threadIdx.x] = make_float4(all.w, all.z, all.y, all.x);
}
__global__ void halves(float2* x) {
  x[threadIdx.x].y = x[threadIdx.x].x;
}
__global__ void staged(const float4* x, unsigned* out) {
  __shared__ float4 tile[32];
  const auto to = (unsigned)__cvta_generic_to_shared(tile + threadIdx.x);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(x + threadIdx.x));
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncwarp();
  unsigned a, b, c, d;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(a), "=r"(b), "=r"(c), "=r"(d) : "r"(to));
  float e = 0, f = 0, g = 0, h = 0;
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
               "{%0,%1,%2,%3};" : "+f"(e), "+f"(f), "+f"(g), "+f"(h) : "r"(a), "r"(b), "r"(c), "r"(d), "r"(a), "r"(b));
  out[threadIdx.x] = a + (e != f);
}
int main() {
  float4 *x, *y;
  cudaMallocManaged(&x, 1024);
  cudaMallocManaged(&y, 1024);
  int depth = nvtxRangePop() + 1;
  depth += nvtxRangePushA("step");
  nvtxEventAttributes_t event{};
  event.messageType = NVTX_MESSAGE_TYPE_ASCII;
  event.message.ascii = "copies of\nvectors";
  depth += nvtxRangePushEx(&event) - 1;
  copies<<<1, 64>>>(x, y);
  depth += nvtxRangePop() - 1;
  copies<<<1, 32>>>(x, y);
  depth += nvtxRangePop();
  nvtxRangePushA("");
  std::thread([&] { halves<<<1, 32>>>(reinterpret_cast<float2*>(y)); }).join();  // in no range of its own
  depth += nvtxRangePop();
  nvtxRangePushA("nothing");
  nvtxRangePushA("staged");
  staged<<<1, 32>>>(x, reinterpret_cast<unsigned*>(y));
  return depth;
}
)";

boost::test_tools::assertion_result vectors_are_whole(boost::unit_test::test_unit_id) {
  const char* const named = std::getenv("CXX");
  boost::test_tools::assertion_result answer(named == nullptr || !holds(named, "clang"));
  answer.message() << "Clang takes vectors apart";
  return answer;
}
}  // namespace

BOOST_FIXTURE_TEST_CASE(counts_of_vectors_and_by_range, Folder,
                        *boost::unit_test::label("full") *
                            boost::unit_test::precondition(vectors_are_whole)) {
  std::ofstream(path / "vectors.cu") << vectors;
  const Outcome outcome = assay("simt profile vectors.cu --json");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  const json j = json::parse(outcome.out), ranges = j.at("ranges");
  BOOST_TEST_REQUIRE(ranges.size() == 4U, ranges);
  const auto is = [&](std::size_t range, const char* name, const char* what, int want) {
    BOOST_TEST(ranges.at(range).at("name") == name);
    BOOST_TEST(ranges.at(range).at(what) == want, ranges.at(range));
  };
  // A warp's float4 are 16 sectors, all used; a member of each float2 is in all eight of theirs, of which four hold
  // as much.
  is(0, "", "global_reads", 1);
  is(0, "", "sectors", 8 + 8);
  is(0, "", "least_sectors", 4 + 4);
  is(2, "step", "sectors", 2 * 16);
  is(1, "step / copies of vectors", "global_reads", 2);
  is(1, "step / copies of vectors", "sectors", 2 * 2 * 16);
  is(1, "step / copies of vectors", "least_sectors", 2 * 2 * 16);
  // What inline PTX reads and writes: 512 bytes into shared memory and out of it, in four passes each; a product of
  // 16 x 8 x 16; and the result.
  is(3, "nothing / staged", "sectors", 16 + 4);
  is(3, "nothing / staged", "shared_passes", 4 + 4);
  is(3, "nothing / staged", "matrix_operations", 1);
  const auto at_line = [&](const char* what, int want) {
    for (const json& line : j.at("lines")) {
      if (line.at(what) == want) return line.at("line").get<int>();
    }
    return 0;
  };
  BOOST_TEST(at_line("matrix_operations", 1) == 21);
  const std::string table = assay("simt profile vectors.cu --html page.html").out;
  for (const char* const part : {"outside of all", "step / copies of vectors"})
    BOOST_TEST(holds(table, part), table);
  for (const char* const part : {"<h2>Ranges</h2>", "step / copies of vectors</td>"})
    BOOST_TEST(holds(text_of("page.html"), part), part);
}

BOOST_FIXTURE_TEST_CASE(a_program_without_kernels_has_no_counts, Folder) {
  std::ofstream(path / "none.cu")
      << "#include <cstdio>\nint main() { std::puts(\"no kernel\"); return 3; }\n";
  const Outcome outcome = assay("simt profile none.cu");
  BOOST_TEST(outcome.exit_code == 3);
  BOOST_TEST(outcome.out == "no kernel\nno kernel was counted\n");
}
