// Libraries as they are installed here: revealed, and fresh results predicted. Prints a row of a table for each
// shape, those that are not predicted first; what is not installed is a row that says so. What a library does on this
// CPU is not ours to promise: a row that is honestly not predicted is a figure. A test fails where a prediction was
// made and other results deny it. ASSAY_LIVE_ONLY=text takes the libraries whose name holds it.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/reveal/invariance.hpp"
#include "validation/diagnose/reveal/rules.hpp"

using namespace assay;
using namespace assay::diagnose_test;

namespace {

constexpr std::uint64_t seed = 20240917;

std::string first_line(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  std::string text;
  if (pipe == nullptr) return text;
  char bytes[512];
  while (std::fgets(bytes, sizeof bytes, pipe) != nullptr) text += bytes;
  ::pclose(pipe);
  return text.substr(0, text.find('\n'));
}

// A library's function: how it is asked, and what for.
struct Library {
  const char* name;
  std::string command;
  SumOperation operation;
  FormatSpec inputs = formats::float32, output = formats::float32;
  double alpha = 1;
  std::optional<double> beta{};  // with a C of the output's format
};

struct Row {
  std::string library, shape, verdict;
  std::uint64_t runs = 0, results = 0, wrong = 0;
  std::size_t trees = 0;
  bool asked = false;
  std::uint64_t denied = 0;  // results that are not as a probe that said PREDICTED predicts them
};

// The time of a test is bounded by what is asked and tried: no clock. Whatever is predicted here stays far below it.
RevealOptions limits() { return {.most_runs = 200'000, .most_work = 60'000'000}; }

Row row_of(const Library& library, Program& program, const Problem& p, std::uint64_t results) {
  Row row{.library = library.name, .shape = to_string(p), .verdict = "predicted"};
  try {
    const Revelation r = reveal(p, program.target(), limits());
    const PredictionScore s = score(r, program.target(), seed, results / 2);
    row.asked = true;
    row.runs = r.runs;
    row.trees = r.classes.size();
    row.results = s.results + s.without_tree;
    row.wrong = s.wrong + s.without_tree;
    if (row.wrong == 0 && unexplained(r) == 0) {
      const PredictionScore others = score(r, program.target(), seed + 1, results - results / 2);
      row.results += others.results;
      row.denied = others.wrong;
      if (row.denied > 0) row.verdict = "predicted WRONGLY";
    }
    if (row.wrong > 0) row.verdict = "NOT predicted";
    row.wrong += row.denied;
    for (const OrderClass& c : r.classes) {
      if (!c.why_not.empty()) row.verdict += "; " + c.why_not;
      if (c.training_misses > 0) row.verdict += "; rules miss " + std::to_string(c.training_misses);
    }
    if (!r.repeats) row.verdict += "; its answers change";
  } catch (const TargetError& e) {
    row.verdict = e.what();
    if (row.verdict.find("status 77") != std::string::npos) row.verdict = "SKIPPED: not installed";
  }
  return row;
}

void print(const Row& r) {
  std::printf("| %s | %s | %llu | %zu | %llu of %llu | %s |\n", r.library.c_str(), r.shape.c_str(),
              static_cast<unsigned long long>(r.runs), r.trees, static_cast<unsigned long long>(r.wrong),
              static_cast<unsigned long long>(r.results), r.verdict.c_str());
  std::fflush(stdout);
}

// Prints the rows, bad ones first, and the sums; what was predicted must have come.
void report(const std::vector<Row>& rows, bool all) {
  std::size_t asked = 0, shapes = 0;
  std::uint64_t results = 0, wrong = 0;
  std::printf("| library | shape | runs | trees | wrong | |\n");
  for (const bool good : {false, true}) {
    for (const Row& r : rows) {
      if ((r.verdict == "predicted") != good) continue;
      if (all || !good) print(r);
      BOOST_TEST(r.denied == 0u, r.library << " " << r.shape << ": " << r.verdict);
      asked += r.asked ? 1 : 0;
      shapes += good ? 1 : 0;
      results += r.results;
      wrong += r.wrong;
    }
  }
  std::printf("%zu of %zu shapes predicted; %llu of %llu outputs wrong\n", shapes, asked,
              static_cast<unsigned long long>(wrong), static_cast<unsigned long long>(results));
  BOOST_TEST(asked > 0u);
}

Problem problem(const Library& l, std::size_t k, std::size_t m = 1, std::size_t n = 1) {
  Problem p{.operation = l.operation,
            .m = m,
            .n = n,
            .k = k,
            .a = l.inputs,
            .b = l.inputs,
            .output = l.output,
            .threads = 1};
  p.alpha = scale_of(p, l.alpha);
  if (l.beta) {
    p.c = l.output;
    p.beta = scale_of(p, *l.beta);
  }
  return p;
}

// The interpreter that has NumPy; empty, and the reason said, if there is none.
std::string python() {
  if (const char* const here = std::getenv("ASSAY_LIVE_PYTHON")) return here;
  const std::string made = first_line("'" ASSAY_LIVE_VENV "' python3 '" ASSAY_LIVE_VENV_FOLDER "'");
  if (made.starts_with('/')) return made;
  std::printf("NumPy and SciPy: %s\n", made.c_str());
  return "";
}

std::vector<Library> libraries() {
  using enum SumOperation;
  const std::string compiled = "'" ASSAY_LIVE_PROGRAM "'";
  std::vector<Library> list{
      {"libstdc++ std::reduce", compiled + " std_reduce", sum},
      {"libstdc++ std::accumulate", compiled + " std_accumulate", sum},
      {"libstdc++ std::inner_product", compiled + " std_inner_product", dot},
      {"Eigen sum", compiled + " eigen_sum", sum},
      {"Eigen dot", compiled + " eigen_dot", dot},
      {"Eigen matrix product", compiled + " eigen_gemm", gemm},
      {"oneDNN matmul float32", compiled + " onednn", gemm},
      {"oneDNN matmul bfloat16", compiled + " onednn", gemm, formats::bfloat16},
      {"OpenBLAS cblas_sdot", compiled + " cblas_sdot", dot},
      {"OpenBLAS cblas_sgemm", compiled + " cblas_sgemm", gemm},
  };
  const auto with_scales = [&](const char* name, const std::string& command, const FormatSpec& inputs,
                               const FormatSpec& output) {
    list.push_back({name, command, gemm, inputs, output, 0.7, 0.3});
    list.push_back({name, command, gemm, inputs, output, -1.5, 0});
  };
  with_scales("Eigen matrix product, alpha, beta", compiled + " eigen_gemm", formats::float32,
              formats::float32);
  with_scales("oneDNN matmul float32, alpha, beta", compiled + " onednn", formats::float32, formats::float32);
  with_scales("oneDNN matmul bfloat16, alpha, beta", compiled + " onednn", formats::bfloat16,
              formats::float32);
  with_scales("OpenBLAS cblas_sgemm, alpha, beta", compiled + " cblas_sgemm", formats::float32,
              formats::float32);
  std::printf("CPU %s\n%s\n", cpu_model().c_str(), first_line(compiled + " version").c_str());
  const std::string interpreter = python();
  if (interpreter.empty()) return list;
  const std::string base = "'" + interpreter + "' '" ASSAY_LIVE_PYTHON_PROGRAM "' ";
  std::printf("%s\n", first_line(base + "version").c_str());
  for (const Library& l : std::initializer_list<Library>{
           {"NumPy sum", base + "sum", sum},
           {"NumPy sum float16", base + "sum", sum, formats::float16, formats::float16},
           {"NumPy sum, other axis", base + "sum_axis", sum},
           {"NumPy mean", base + "mean", mean},
           {"NumPy mean float16", base + "mean", mean, formats::float16, formats::float16},
           {"NumPy sum, two axes of three", base + "sum_axes", sum},
           {"NumPy dot (its OpenBLAS)", base + "dot", dot},
           {"NumPy dot float64", base + "dot", dot, formats::float64, formats::float64},
           {"NumPy matmul (its OpenBLAS)", base + "matmul", gemm},
           {"NumPy einsum i,i", base + "einsum", dot},
           {"NumPy einsum ij,jk->ik", base + "einsum", gemm},
           {"SciPy sdot (its OpenBLAS)", base + "sdot", dot},
           {"SciPy sgemm (its OpenBLAS)", base + "sgemm", gemm}})
    list.push_back(l);
  with_scales("SciPy sgemm, alpha, beta", base + "sgemm", formats::float32, formats::float32);
  with_scales("SciPy dgemm, alpha, beta", base + "dgemm", formats::float64, formats::float64);
  return list;
}

std::vector<Library> chosen_libraries() {
  std::vector<Library> list = libraries();
  if (const char* const only = std::getenv("ASSAY_LIVE_ONLY"))
    std::erase_if(list,
                  [&](const Library& l) { return std::string(l.name).find(only) == std::string::npos; });
  return list;
}

ProgramOptions options_of(const Library& l) {
  return {.command = l.command, .form = Form::binary, .seconds = 120};
}

const auto full = boost::unit_test::label("full"), exhaustive = boost::unit_test::label("exhaustive");

}  // namespace

BOOST_AUTO_TEST_CASE(libraries_are_predicted, *full) {
  std::vector<Row> rows;
  for (const Library& l : chosen_libraries()) {
    Program program(options_of(l));
    const bool matrix = l.operation == SumOperation::gemm;
    rows.push_back(row_of(l, program, matrix ? problem(l, 64, 5, 7) : problem(l, 33), 2000));
  }
  report(rows, true);
}

BOOST_AUTO_TEST_CASE(longer_sums_are_predicted, *exhaustive) {
  std::vector<Row> rows;
  for (const Library& l : chosen_libraries()) {
    Program program(options_of(l));
    if (l.operation == SumOperation::gemm) {
      rows.push_back(row_of(l, program, problem(l, 300, 9, 17), 2000));
    } else {
      for (const std::size_t k : {8UL, 200UL}) rows.push_back(row_of(l, program, problem(l, k), 2000));
    }
  }
  report(rows, true);
}

namespace {

void fuzz(std::uint64_t shapes) {
  const std::vector<Library> list = chosen_libraries();
  std::vector<Row> rows;
  std::printf("fuzz of %llu shapes, seed %llu\n", static_cast<unsigned long long>(shapes),
              static_cast<unsigned long long>(seed));
  for (std::size_t at = 0; at < list.size(); ++at) {
    const Library& l = list[at];
    Program program(options_of(l));
    for (std::uint64_t i = at; i < shapes; i += list.size()) {
      const CounterRandom random(seed, i);
      // Short sums mostly: the long ones take most of the time.
      const std::size_t k = 1 + random.below(random.below(8, 0) == 0 ? 150 : 48, 1);
      const bool matrix = l.operation == SumOperation::gemm;
      const std::size_t m = matrix ? 1 + random.below(20, 2) : 1, n = matrix ? 1 + random.below(24, 3) : 1;
      rows.push_back(row_of(l, program, problem(l, k, m, n), 700));
      if (rows.back().verdict.starts_with("SKIPPED")) break;
    }
  }
  report(rows, false);
}

std::uint64_t shapes_or(std::uint64_t usual) {
  const char* const wanted = std::getenv("ASSAY_LIVE_SHAPES");
  return wanted != nullptr ? std::stoull(wanted) : usual;
}

}  // namespace

// Two of each function; ASSAY_LIVE_SHAPES=n takes another number.
BOOST_AUTO_TEST_CASE(random_shapes_are_predicted, *full) { fuzz(shapes_or(70)); }
BOOST_AUTO_TEST_CASE(many_random_shapes_are_predicted, *exhaustive) { fuzz(shapes_or(520)); }

namespace {

// Between -1 and 1, of all places of the format: sums of fewer may be exact in float64.
std::vector<std::byte> random_codes(std::size_t n, const FormatSpec& f, const CounterRandom& random) {
  const std::size_t width = code_bytes(f);
  std::vector<std::byte> bytes(n * width);
  for (std::size_t i = 0; i < n; ++i) {
    const double value = 2 * random.uniform(i) - 1;
    detail::store_code(bytes.data(), static_cast<std::ptrdiff_t>(i), width, encode(value, f).code);
  }
  return bytes;
}

// A matrix whose row s.row is the same for all settings; the others are another for each number of rows.
std::vector<std::byte> with_row(const Setting& s, std::size_t columns, const FormatSpec& f,
                                std::uint64_t trial, std::uint64_t stream) {
  std::vector<std::byte> matrix = random_codes(s.m * columns, f, CounterRandom(seed + stream + s.m, trial));
  const std::vector<std::byte> row = random_codes(columns, f, CounterRandom(seed + stream, trial));
  std::copy(row.begin(), row.end(), matrix.begin() + static_cast<std::ptrdiff_t>(s.row * row.size()));
  return matrix;
}

// The bits of one row by B, which are the same for all settings, and so is the row of C.
std::vector<std::uint64_t> row_bits(Program& program, const Problem& p, const Setting& s,
                                    std::uint64_t trial) {
  Case x{
      with_row(s, p.k, p.a, trial, 0), random_codes(p.b_size(), p.b, CounterRandom(seed, 1000 + trial)), {}};
  if (p.c) x.c = with_row(s, p.n, *p.c, trial, 1000);
  const Answer answer = program.ask(p, std::vector<Case>{x}).at(0);
  return {answer.begin() + static_cast<std::ptrdiff_t>(s.row * p.n),
          answer.begin() + static_cast<std::ptrdiff_t>((s.row + 1) * p.n)};
}

// Of each setting the first that has the same bits, found without validation/diagnose/invariance.
std::vector<std::size_t> compared(Program& program, const Invariance& r, const std::vector<int>& threads) {
  std::vector<std::vector<std::uint64_t>> bits(r.settings.size());
  // Another number of threads starts the program anew: one after the other.
  for (const int number : threads) {
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const Setting& s = r.settings[i];
      if (s.threads != number) continue;
      Problem p = r.problem;
      p.m = s.m;
      p.threads = s.threads;
      for (std::uint64_t trial = 0; trial < r.trials; ++trial) {
        for (const std::uint64_t code : row_bits(program, p, s, trial)) bits[i].push_back(code);
      }
    }
  }
  std::vector<std::size_t> same_as;
  for (const std::vector<std::uint64_t>& row : bits)
    same_as.push_back(static_cast<std::size_t>(std::find(bits.begin(), bits.end(), row) - bits.begin()));
  return same_as;
}

// False where the library is not here.
bool invariance_is_confirmed(const Library& l, std::size_t k, const Variation& v) {
  Program program(options_of(l));
  try {
    const Invariance r = invariance(problem(l, k, 1, 64), program.target(), v, {.seed = seed}, 16, 0);
    std::vector<std::size_t> found;
    for (const Setting& s : r.settings)
      found.push_back(r.classes.at(static_cast<std::size_t>(s.by_bits)).first);
    BOOST_TEST(found == compared(program, r, v.threads), boost::test_tools::per_element());
    BOOST_TEST(r.invariant == (r.classes.size() == 1));
    std::printf("| %s | %s | %zu |", l.name, r.invariant ? "invariant" : "NOT invariant", r.classes.size());
    for (const Dependence& d : r.dependences)
      std::printf(" %s: %s", std::string(d.on).c_str(), d.first ? "yes" : "no");
    std::printf(" |\n");
  } catch (const TargetError& e) {
    const std::string said = e.what();
    const bool missing = said.find("status 77") != std::string::npos;
    std::printf("| %s | %s |\n", l.name, missing ? "SKIPPED: not installed" : said.c_str());
    BOOST_TEST(missing, l.name << ": " << said);
    return false;
  }
  return true;
}

}  // namespace

// What is invariant differs from CPU to CPU. What must hold anywhere: other rows, made and compared by this test, fall
// into the same classes.
namespace {

void confirm_invariance(std::size_t k, const Variation& v) {
  std::size_t confirmed = 0;
  std::printf("| library, k=%zu n=64 | | classes | depends on |\n", k);
  for (const Library& l : chosen_libraries()) {
    if (l.operation == SumOperation::gemm) confirmed += invariance_is_confirmed(l, k, v) ? 1 : 0;
  }
  BOOST_TEST(confirmed > 0u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(invariance_agrees_with_a_direct_comparison, *full) {
  confirm_invariance(400, {.m = {1, 7, 10}, .row = true, .threads = {1, 2}});
}
BOOST_AUTO_TEST_CASE(invariance_agrees_with_a_direct_comparison_of_more_rows, *exhaustive) {
  confirm_invariance(1000, {.m = {1, 2, 4, 7, 10, 16}, .row = true, .threads = {1, 2}});
}
