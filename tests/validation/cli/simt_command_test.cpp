// `assay simt`: CUDA files as a person has them, what becomes of them, and what is refused in whose lines.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

constexpr const char* saxpy_header = R"(#pragma once
template <class T>
__global__ void saxpy(int n, T a, const T* x, T* y) {
  extern __shared__ T copies[];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  copies[threadIdx.x] = i < n ? x[i] : T(0);
  __syncthreads();
  if (i < n) y[i] = a * copies[threadIdx.x] + y[i];
}
__device__ int own_index() __attribute__((always_inline));
__device__ int own_index() { return static_cast<int>(threadIdx.x); }
__global__ void last_writer_wins(int* out) { out[0] = own_index(); }
)";
constexpr const char* saxpy_program = R"(// y = a * x + y
//--blockDim=64 --gridDim=[2,1]
#include <cstdio>
#include <cstdlib>
#include <vector>
#include <kernels/saxpy.cuh>
int from_elsewhere();

int main(int argc, char** argv) {
  const int n = std::atoi(argv[1]);
  float *x, *y;
  cudaMallocManaged(&x, n * sizeof(float));
  cudaMallocManaged(&y, n * sizeof(float));
  for (int i = 0; i < n; ++i) x[i] = i, y[i] = 1;
  saxpy<float>
      <<<(n + 63) / 64, 64, 64 * sizeof(float)>>>(n, 2.0f, x, y);
  std::printf("%d %g %s\n", argc, y[n - 1], argv[2]);
  return from_elsewhere();
}
)";

struct Programs : Folder {
  Programs() {
    std::filesystem::create_directories(path / "headers with blanks" / "kernels");
    text("headers with blanks/kernels/saxpy.cuh", saxpy_header);
    text("saxpy.cu", saxpy_program);
    text("other.cpp", "int from_elsewhere() { return 7; }\n");
  }
  void text(const std::string& name, const std::string& lines) const { std::ofstream(path / name) << lines; }
  bool is_there(const std::string& name) const { return std::filesystem::exists(path / name); }
};

constexpr const char* saxpy_files = "saxpy.cu other.cpp -I 'headers with blanks' ";

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_program_of_several_files_runs, Programs, *boost::unit_test::label("full")) {
  const Outcome ran = assay(std::string("simt run ") + saxpy_files + "-- 100 --json");
  BOOST_TEST(ran.exit_code == 7, ran.err);
  BOOST_TEST(ran.out == "3 199 --json\n");
  BOOST_TEST(ran.err.empty(), ran.err);
}

BOOST_FIXTURE_TEST_CASE(a_run_is_one_json_object, Programs) {
  const Outcome ran = assay(std::string("simt run ") + saxpy_files + "--json --schedule reverse -- 65 x");
  BOOST_TEST_REQUIRE(ran.exit_code == 7, ran.err);
  const json j = json::parse(ran.out);
  BOOST_TEST(j.at("status") == 7);
  BOOST_TEST(j.at("output") == "3 129 x\n");
  BOOST_TEST(j.at("architecture") == "sm_90");
  BOOST_TEST(j.at("schedule") == "reverse");
  BOOST_TEST(j.at("arguments") == json({"65", "x"}));
  BOOST_TEST_REQUIRE(j.at("launches").size() == 1U);
  BOOST_TEST(j.at("launches").at(0).at("where") == "the kernel launched at saxpy.cu:15");
  BOOST_TEST(j.at("launches").at(0).at("grid") == "(2,1,1)");
  BOOST_TEST(j.at("launches").at(0).at("times") == 1);
  BOOST_TEST(holds(j.at("notes").dump(), "contraction not modelled"), j.at("notes"));
}

BOOST_FIXTURE_TEST_CASE(a_built_program_stands_alone, Programs, *boost::unit_test::label("full")) {
  const Outcome built = assay(std::string("simt build ") + saxpy_files + "-o 'a program'");
  BOOST_TEST_REQUIRE(built.exit_code == 0, built.err);
  const Outcome ran = shell::run("cd / && '" + (path / "a program").string() + "' 64 y");
  BOOST_TEST(ran.exit_code == 7, ran.err);
  BOOST_TEST(ran.out == "3 127 y\n");
  const Outcome needs = shell::run("ldd '" + (path / "a program").string() + "'");
  for (const char* const library : {"libfmt", "libz.", "assay"})
    BOOST_TEST(!holds(needs.out, library), library << " in " << needs.out);
}

BOOST_FIXTURE_TEST_CASE(a_compiler_is_asked_as_nvcc_asks_it, Programs, *boost::unit_test::label("full")) {
  // OpenMP for those who ask for it alone; a byte order mark in front of a file and of a header.
  text("marked.cuh", "\xEF\xBB\xBF#pragma once\nconstexpr int seven = 7;\n");
  text("marked.cu",
       "\xEF\xBB\xBF#include \"marked.cuh\"\n#ifdef _OPENMP\nint main() { return 9; }\n#else\n"
       "int main() { return seven; }\n#endif\n");
  BOOST_TEST(assay("simt run marked.cu").exit_code == 7);
  BOOST_TEST(assay("simt run marked.cu --compiler-option=-fopenmp").exit_code == 9);
}

BOOST_FIXTURE_TEST_CASE(a_compiler_speaks_in_the_users_lines, Programs) {
  text("headers with blanks/kernels/wrong.cuh",
       "#pragma once\n\n__global__ void wrong(int* x) { x = 1.5; }\n");
  text(
      "wrong.cu",
      "#include \"kernels/wrong.cuh\"\nint main() {\n  wrong<<<1, 1>>>(nullptr);\n  return undeclared;\n}\n");
  const Outcome ran = assay("simt run wrong.cu -I 'headers with blanks'");
  BOOST_TEST(ran.exit_code == 2);
  BOOST_TEST(holds(ran.err, "wrong.cu does not compile"), ran.err);
  BOOST_TEST(holds(ran.err, "kernels/wrong.cuh:3:"), ran.err);
  BOOST_TEST(holds(ran.err, "wrong.cu:4:"), ran.err);
  text("open.cu", "int main() {\n  k<<<1, 1>>>;\n}\n");
  const Outcome open = assay("simt build open.cu -o program");
  BOOST_TEST(open.exit_code == 2);
  BOOST_TEST(holds(open.err, "open.cu: line 2: expected ( and the arguments after >>>"), open.err);
  BOOST_TEST(!is_there("program"));
}

BOOST_FIXTURE_TEST_CASE(contraction_is_told_by_line, Folder, *boost::unit_test::label("full")) {
  std::ofstream(path / "sums.cu") << "#include <cstdio>\n"
                                     "__global__ void sums(float* x, double* y) {\n"
                                     "  x[0] = x[1] * x[2] + x[3];\n"      // one rounding or two
                                     "  x[4] = fmaf(x[1], x[2], x[3]);\n"  // one
                                     "  x[5] = __fadd_rn(__fmul_rn(x[1], x[2]), x[3]);\n"  // two
                                     "  x[6] = (x[1] + x[2]) * x[3];\n"                    // two
                                     "  y[0] = y[1] - y[2] * y[3];\n"                      // one or two
                                     "}\n"
                                     "int main(int argc, char**) {\n"
                                     "  if (argc > 1) return 0;\n"
                                     "  float* x;\n"
                                     "  cudaMallocManaged(&x, 4096);\n"
                                     "  sums<<<1, 1>>>(x, reinterpret_cast<double*>(x + 512));\n"
                                     "  return cudaDeviceSynchronize();\n"
                                     "}\n";
  const Outcome outcome = assay("simt run sums.cu --notes --json --html page.html");
  BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
  const json lines = json::parse(outcome.out).at("contracted_lines");
  BOOST_TEST(lines == json::parse(R"([{"file": "sums.cu", "line": 3}, {"file": "sums.cu", "line": 7}])"),
             lines);
  BOOST_TEST(holds(outcome.err, "rounded twice, at sums.cu:3, sums.cu:7\n"), outcome.err);
  BOOST_TEST(holds(text_of("page.html"), "rounded twice, at sums.cu:3, sums.cu:7</li>"));
  BOOST_TEST(json::parse(assay("simt run sums.cu --json").out).at("contracted_lines").is_null());
  BOOST_TEST(json::parse(assay("simt run sums.cu --json --notes -- nothing").out).at("notes").empty());
}

BOOST_FIXTURE_TEST_CASE(a_file_of_c_is_c, Programs, *boost::unit_test::label("full")) {
  text("a.cu", "extern \"C\" int root(int class_of);\nint main() { return root(49); }\n");
  text("b.c", "#include <math.h>\nint root(int class) { return (int)sqrt((double)class); }\n");
  const Outcome ran = assay("simt run a.cu b.c");
  BOOST_TEST(ran.exit_code == 7, ran.err);
}

BOOST_FIXTURE_TEST_CASE(a_header_of_a_package_is_named_with_it, Programs) {
  text("a.cu", "#include <thrust/no_such_header.h>\n");
  const Outcome built = assay("simt build a.cu -o a");
  BOOST_TEST(built.exit_code == 2);
  BOOST_TEST(holds(built.err, "Debian's package libthrust-dev"), built.err);
}

BOOST_FIXTURE_TEST_CASE(collectives_of_cub_are_those_of_the_package, Programs,
                        *boost::unit_test::label("full")) {
  if (!std::filesystem::exists("/usr/include/cub/block/block_scan.cuh")) return;
  text("a.cu", R"(#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
#include <cub/warp/warp_reduce.cuh>
#include <cstdio>
constexpr int n = 96;
__global__ void k(int* sums, int* scan, int* of_warps, int* sorted) {
  __shared__ typename cub::BlockReduce<int, n>::TempStorage sum;
  __shared__ typename cub::BlockScan<int, n>::TempStorage sums_before;
  __shared__ typename cub::WarpReduce<int>::TempStorage most[n / 32];
  __shared__ typename cub::BlockRadixSort<int, n, 2>::TempStorage order;
  const int t = threadIdx.x, x = t * 37 % 101;
  const int all = cub::BlockReduce<int, n>(sum).Sum(x);
  if (t == 0) *sums = all;
  cub::BlockScan<int, n>(sums_before).ExclusiveSum(x, scan[t]);
  const int top = cub::WarpReduce<int>(most[t / 32]).Reduce(x, cub::Max());
  if (t % 32 == 0) of_warps[t / 32] = top;
  int two[2] = {x, -x};
  cub::BlockRadixSort<int, n, 2>(order).Sort(two);
  sorted[2 * t] = two[0], sorted[2 * t + 1] = two[1];
}
int main() {
  int* m;
  cudaMallocManaged(&m, 1000 * sizeof(int));
  k<<<1, n>>>(m, m + 1, m + 200, m + 300);
  if (cudaDeviceSynchronize() != cudaSuccess) return 1;
  int sum = 0, top[3] = {0, 0, 0}, wrong = 0;
  for (int t = 0; t < n; ++t) {
    wrong += m[1 + t] != sum;
    const int x = t * 37 % 101;
    sum += x;
    top[t / 32] = x > top[t / 32] ? x : top[t / 32];
  }
  for (int w = 0; w < 3; ++w) wrong += m[200 + w] != top[w];
  for (int i = 1; i < 2 * n; ++i) wrong += m[299 + i] > m[300 + i];
  wrong += m[300] != -m[300 + 2 * n - 1];
  std::printf("%d %d\n", wrong, *m == sum);
  return wrong;
}
)");
  const Outcome ran = assay("simt run a.cu");
  BOOST_TEST(ran.exit_code == 0, ran.err);
  BOOST_TEST(ran.out == "0 1\n");
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_built_is_refused, Programs) {
  const auto refused = [&](const std::string& arguments, int code, const char* says) {
    const Outcome outcome = assay("simt " + arguments);
    BOOST_TEST(outcome.exit_code == code, arguments << ": " << outcome.err);
    BOOST_TEST(holds(outcome.err, says), arguments << ": " << outcome.err);
    BOOST_TEST(outcome.out.empty(), outcome.out);
  };
  refused("run nowhere.cu", 2, "nowhere.cu");
  refused("run -I . -D A=1 nowhere.cu", 2,
          "nowhere.cu: expected a readable file");  // a file, and no second folder
  refused("run saxpy.cu --arch sm_42", 2, "one of sm_70");
  refused("run saxpy.cu --schedule sideways", 2, "forward, reverse or random:SEED");
  refused("run saxpy.cu --schedule random:", 2, "forward, reverse or random:SEED");
  refused("run saxpy.cu --fmad maybe", 2, "on or off");
  refused("run saxpy.cu --seconds 0", 2, "--seconds");
  refused("run", 2, "FILE");
  refused("build saxpy.cu", 2, "--out");
  refused("check saxpy.cu", 2, "--kernel");
  const Outcome without =
      shell::run("cd '" + path.string() + "' && CXX=no-such-compiler '" ASSAY_PROGRAM "' simt run saxpy.cu");
  BOOST_TEST(without.exit_code == 3);
  BOOST_TEST(holds(without.err, "no-such-compiler cannot be started"), without.err);
  const Outcome empty =
      shell::run("cd '" + path.string() + "' && PATH=/nowhere '" ASSAY_PROGRAM "' simt run saxpy.cu");
  BOOST_TEST(empty.exit_code == 3);
  BOOST_TEST(holds(empty.err, "no C++ compiler"), empty.err);
}

BOOST_FIXTURE_TEST_CASE(a_failed_kernel_is_told_where_a_program_does_not_ask, Programs,
                        *boost::unit_test::label("full")) {
  text("fails.cu",
       "#include <cstdio>\n__global__ void k(int* x) { *x = __any_sync(1, 1); }\nint main(int argc, char**) "
       "{\n"
       "  int* x;\n  cudaMallocManaged(&x, 4);\n  k<<<1, 2>>>(x);\n"
       "  if (argc > 1) std::puts(cudaGetErrorString(cudaDeviceSynchronize()));\n}\n");
  BOOST_TEST_REQUIRE(assay("simt build fails.cu -o fails").exit_code == 0);
  const std::string why =
      "the kernel launched at fails.cu:6, block (0, 0, 0): a thread calls a warp operation";
  const Outcome silent = shell::run("'" + (path / "fails").string() + "'");
  BOOST_TEST(silent.exit_code == 0);
  BOOST_TEST(silent.out.empty(), silent.out);
  BOOST_TEST(holds(silent.err, ("simt: unspecified launch failure: " + why).c_str()), silent.err);
  const Outcome asks = shell::run("'" + (path / "fails").string() + "' ask");
  BOOST_TEST(holds(asks.out, why.c_str()), asks.out);
  BOOST_TEST(asks.err.empty(), asks.err);
}

BOOST_FIXTURE_TEST_CASE(a_program_that_does_not_end_or_crashes_is_reported, Programs,
                        *boost::unit_test::label("full")) {
  text("ends.cu",
       "#include <csignal>\n#include <cstdlib>\nint main(int argc, char**) {\n"
       "  if (argc > 1) std::raise(SIGSEGV);\n  for (volatile int i = 0;; ) i = 1;\n}\n");
  BOOST_TEST_REQUIRE(assay("simt build ends.cu -o ends").exit_code == 0);
  const Outcome endless = assay("simt run ends.cu --seconds 0.2");
  BOOST_TEST(endless.exit_code == 1);
  BOOST_TEST(holds(endless.err, "ends.cu has not ended after 0.2 s"), endless.err);
  const Outcome crashed = assay("simt run ends.cu -- now");
  BOOST_TEST(crashed.exit_code == 1);
  BOOST_TEST(holds(crashed.err, "ended by signal 11"), crashed.err);
}

// --- check -----------------------------------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_kernel_is_checked_under_schedules, Programs) {
  std::vector<double> x(100);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  write("x.npy", array_of(formats::float32, {100}, x));
  const Outcome said = assay(
      "simt check saxpy.cu other.cpp -I 'headers with blanks' --kernel 'saxpy<float>' --shared 256 --arg 100 "
      "--arg 0.5 "
      "--arg x.npy --arg ones:100 --out after.npz --json");
  BOOST_TEST_REQUIRE(said.exit_code == 0, said.err);
  const json j = json::parse(said.out);
  BOOST_TEST(j.at("status") == "PASSED");
  BOOST_TEST(j.at("grid") == json({2, 1, 1}));  // of the comment that the file begins with
  BOOST_TEST(j.at("block") == json({64, 1, 1}));
  BOOST_TEST(j.at("runs").size() == 4U);
  BOOST_TEST(j.at("arguments").at(3).at("written") == true);
  BOOST_TEST(j.at("arguments").at(2).at("written") == false);
  const io::Array y = io::read_array((path / "after.npz").string() + ":argument4");
  for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(value(y, i) == 0.5 * x[i] + 1);
}

BOOST_FIXTURE_TEST_CASE(vectors_and_classes_are_arrays_of_a_kernel, Programs,
                        *boost::unit_test::label("full")) {
  text("vectors.cu",
       "\xEF\xBB\xBF"
       R"(struct Pair { int first; float second; };
__global__ void mix(float4* v, Pair* pairs, char n) {
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  pairs[i].first += n;
  pairs[i].second = v[i].w;
  v[i].x = 2 * v[i].y;
}
__global__ void beyond(const float4* v, float* out) { *out = v[threadIdx.x + 1].x; }
)");
  const Outcome said = assay("simt check vectors.cu --kernel mix --block 200 --out after.npz --json");
  BOOST_TEST_REQUIRE(said.exit_code == 0, said.err);
  const json j = json::parse(said.out);
  BOOST_TEST(j.at("arguments").at(0).at("argument") == "float4* = random:200");
  BOOST_TEST(j.at("arguments").at(1).at("argument") == "Pair* = zeros:200");
  BOOST_TEST(j.at("arguments").at(1).at("elements") == 200);
  BOOST_TEST(j.at("arguments").at(2).at("argument") == "char = 127");
  const io::Array v = io::read_array((path / "after.npz").string() + ":argument1");
  BOOST_TEST_REQUIRE(v.size() == 800);
  for (std::size_t i = 0; i < 800; i += 4) BOOST_TEST(value(v, i) == 2 * value(v, i + 1));
  const io::Array pairs = io::read_array((path / "after.npz").string() + ":argument2");
  BOOST_TEST_REQUIRE(pairs.size() == 1600);
  BOOST_TEST(std::memcmp(pairs.bytes.data() + 8 * 199 + 4, v.bytes.data() + 16 * 199 + 12, 4) == 0);

  const Outcome left = assay("simt check vectors.cu --kernel beyond --schedule forward");
  BOOST_TEST(left.exit_code == 1, left.err);
  BOOST_TEST(holds(left.out, "it touches element 32 of argument 1 (const float4* = random:32), which has 32"),
             left.out);
}

BOOST_FIXTURE_TEST_CASE(a_kernel_that_leaves_its_arrays_is_caught, Programs,
                        *boost::unit_test::label("full")) {
  const Outcome said = assay(
      "simt check saxpy.cu other.cpp -I 'headers with blanks' --kernel 'saxpy<float>' --shared 256 --arg 101 "
      "--arg 0.5 "
      "--arg ones:100 --arg ones:104 --schedule forward");
  BOOST_TEST(said.exit_code == 1, said.err);
  BOOST_TEST(holds(said.out, "it touches element 100 of argument 3 (const float* = ones:100), which has 100"),
             said.out);
  BOOST_TEST(holds(said.out, "FAILED under 1 of 1 schedules"), said.out);
}

BOOST_FIXTURE_TEST_CASE(wrong_arguments_of_a_kernel_are_refused, Programs, *boost::unit_test::label("full")) {
  write("double.npy", array_of(formats::float64, {4}, {1, 2, 3, 4}));
  const std::string check =
      "simt check saxpy.cu other.cpp -I 'headers with blanks' --kernel 'saxpy<float>' --shared 256 --arg ";
  const auto refused = [&](const std::string& arguments, const char* says) {
    const Outcome outcome = assay(check + arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments << ": " << outcome.err);
    BOOST_TEST(holds(outcome.err, says), arguments << ": " << outcome.err);
  };
  refused("many", "a whole number for parameter 1, int");
  refused("4 --arg 2 --arg double.npy", "expected elements of float32 for parameter 3, const float*");
  refused("4 --arg 2 --arg ones:4 --arg ones:4 --arg 5", "at most 4 arguments");
  text("refers.cu",
       "template <class T> __global__ void k(T& x) { ++x; }\n"
       "int main() { int x = 0; k<<<1, 1>>>(x); }\n");
  const Outcome refers = assay("simt build refers.cu -o refers");  // a thread would count in a copy
  BOOST_TEST(refers.exit_code == 2);
  BOOST_TEST(holds(refers.err, "refers.cu:1:"), refers.err);
  refused("4 --block 33 32", "block (33, 32, 1) has 1056 threads, more than 1024");
}
