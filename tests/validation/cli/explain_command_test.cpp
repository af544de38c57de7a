// `assay explain`, `gen`, `verify` and `shrink` as a person starts them.
#include <fmt/format.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "emulation/units/unit.hpp"
#include "reference/formats/conversion_policy.hpp"
#include "tests/validation/cli/files.hpp"
#include "validation/diagnose/reveal/reveal.hpp"
#include "validation/judge/saved_arithmetic.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

const FormatSpec& bf16 = formats::bfloat16;
const FormatSpec& f32 = formats::float32;

struct Programs : Folder {
  Programs() {
    write("a.npy", normal(f32, {12, 40}, 1));
    write("b.npy", normal(f32, {40, 9}, 2));
    const io::Array a = io::read_array((path / "a.npy").string()),
                    b = io::read_array((path / "b.npy").string());
    write("d.npy", product(a, b, f32));
  }
  Outcome shell(const std::string& command) const {
    return shell::run("cd " + path.string() + " && A='" + ASSAY_PROGRAM + "' && " + command);
  }
  void refused(const std::string& arguments, std::string_view says) const {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments + ": " + outcome.out);
    BOOST_TEST(holds(outcome.err, says), outcome.err);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_chain_is_explained, Programs) {
  const std::string line = "explain gemm --a a.npy --b b.npy --got d.npy --sample 24";
  const Outcome text = assay(line);
  BOOST_TEST(text.exit_code == 0, text.err);
  BOOST_TEST(holds(text.out, "chain_f32_fused"), text.out);
  const json j = json::parse(assay(line + " --json").out);
  BOOST_TEST(j.at("remaining").get<int>() > 0);
  BOOST_TEST(j.at("ranked").at(0).at("name") == "chain_f32_fused", j.dump());
  BOOST_TEST(j.at("ranked").at(0).at("matches") == 24);
  BOOST_TEST(j.at("divergence").at("best").at("shown").at("terms").size() == 2U);
  // One output of a tenth of them wrong: nothing remains, and the share says how much was right.
  io::Array d = io::read_array((path / "d.npy").string());
  for (std::size_t i = 0; i < 108; i += 10) set_code(d, i, code(d, i) ^ 1);
  write("wrong.npy", d);
  const Outcome wrong = assay("explain gemm --a a.npy --b b.npy --got wrong.npy --sample 108");
  BOOST_TEST(wrong.exit_code == 1);
  BOOST_TEST(wrong.out.starts_with("None of "), wrong.out);
  BOOST_TEST(assay("explain gemm --a a.npy --b b.npy --got d.npy --at 3,5").exit_code == 0);
}

BOOST_FIXTURE_TEST_CASE(a_unit_is_explained, Programs) {
  write("x.safetensors", normal(bf16, {8, 64}, 4));
  write("y.safetensors", normal(bf16, {64, 8}, 5));
  const std::string operands = " --a x.safetensors --b y.safetensors ";
  BOOST_TEST_REQUIRE(assay("gemm --unit sm90.bf16" + operands + "--out u.npy").exit_code == 0);
  const Outcome found = assay("explain gemm" + operands + "--got u.npy");
  BOOST_TEST(found.exit_code == 0, found.err);
  BOOST_TEST(found.out.starts_with("sm90.bf16 gives all 64 outputs"), found.out);
}

// Operands with scales of their blocks: a unit that reads them, and a chain over the scaled values.
BOOST_FIXTURE_TEST_CASE(scaled_operands_are_explained, Programs) {
  const FormatSpec& f = formats::float8_e4m3fn;
  const io::Array x = normal(f, {8, 96}, 4), y = normal(f, {96, 8}, 5);
  io::Array xs = io::make_array(io::ElementType::unsigned_integer(8), {8, 3}), ys = xs;
  ys.shape = {3, 8};
  const CounterRandom random(6);
  for (std::size_t i = 0; i < 24; ++i) {
    set_code(xs, i, 120 + random.below(14, i));
    set_code(ys, i, 120 + random.below(14, 100 + i));
  }
  write("x.safetensors", x);
  write("y.safetensors", y);
  write("xs.npy", xs);
  write("ys.npy", ys);
  const std::string operands = " --a x.safetensors --a-scales xs.npy --b y.safetensors --b-scales ys.npy ";
  BOOST_TEST_REQUIRE(assay("gemm --unit sm100.mxf8_e4m3" + operands + "--out u.npy").exit_code == 0);
  const Outcome unit = assay("explain gemm" + operands + "--got u.npy --json");
  BOOST_TEST(unit.exit_code == 0, unit.err);
  const json found = json::parse(unit.out);
  BOOST_TEST(found.at("ranked").at(0).at("name").get<std::string>().starts_with("sm100.mxf8"), unit.out);
  BOOST_TEST(found.at("ranked").at(0).at("matches") == 64, unit.out);
  // Without the scales these are no results of that unit.
  BOOST_TEST(assay("explain gemm --a x.safetensors --b y.safetensors --got u.npy").exit_code == 1);

  const auto scaled = [](const io::Array& values, const io::Array& scales, bool by_rows) {
    io::Array out = io::make_array(f32, values.shape);
    const auto columns = static_cast<std::size_t>(values.shape[1]);
    for (std::size_t i = 0; i < static_cast<std::size_t>(values.size()); ++i) {
      const std::size_t row = i / columns, column = i % columns;
      const std::size_t block = by_rows ? row * 3 + column / 32 : row / 32 * 8 + column;
      set_value(out, i, value(values, i) * std::ldexp(1.0, static_cast<int>(code(scales, block)) - 127));
    }
    return out;
  };
  write("chain.npy", product(scaled(x, xs, true), scaled(y, ys, false), f32));
  const Outcome chain = assay("explain gemm" + operands + "--got chain.npy");
  BOOST_TEST(chain.exit_code == 0, chain.err);
  BOOST_TEST(holds(chain.out, "chain_f32"), chain.out);
  refused("explain gemm --a x.safetensors --b y.safetensors --got u.npy --scale-format ue4m3",
          "--a-scales or --b-scales");
  refused("explain gemm" + operands + "--got u.npy --scale-format mx", "a format of scales");
  refused("explain gemm" + operands + "--got u.npy --scale-format ue4m3",
          "xs.npy: expected shape [8,6]: one ue4m3 for every block of 16 along k");
}

BOOST_FIXTURE_TEST_CASE(every_operation_is_explained, Programs) {
  const io::Array a = io::read_array((path / "a.npy").string()),
                  b = io::read_array((path / "b.npy").string());
  const auto number = [](const io::Array& array, std::size_t i) {
    return static_cast<float>(value(array, i));
  };
  const auto first_name = [&](const std::string& line) {
    const Outcome found = assay("explain " + line + " --json");
    BOOST_TEST_REQUIRE(found.exit_code == 0, line << found.out << found.err);
    return json::parse(found.out).at("ranked").at(0);
  };
  // C comes last, or starts the sum.
  const io::Array c = normal(f32, {12, 9}, 3);
  write("c.npy", c);
  io::Array last = io::read_array((path / "d.npy").string()), first = last;
  for (std::size_t i = 0; i < 108; ++i) {
    set_value(last, i, static_cast<double>(number(last, i) + number(c, i)));
    float sum = number(c, i);
    for (std::size_t k = 0; k < 40; ++k)
      sum = std::fma(number(a, i / 9 * 40 + k), number(b, k * 9 + i % 9), sum);
    set_value(first, i, static_cast<double>(sum));
  }
  write("last.npy", last);
  write("first.npy", first);
  const std::string gemm = "gemm --a a.npy --b b.npy --c c.npy --got ";
  BOOST_TEST(first_name(gemm + "last.npy").at("order") == "sequential, c last");
  BOOST_TEST(first_name(gemm + "first.npy").at("order") == "sequential");
  // A sparse matrix, as its stored entries and with its zeros: three lanes tell which.
  std::ofstream market(path / "s.mtx");
  market << "%%MatrixMarket matrix coordinate real general\n6 40 120\n";
  std::vector<float> lanes(6 * 9 * 3);
  for (std::size_t row = 0; row < 6; ++row) {
    for (std::size_t e = 0; e < 20; ++e) {
      const std::size_t k = 2 * e + (e * row) % 2;
      const float x = number(a, row * 40 + k);
      market << row + 1 << ' ' << k + 1 << ' ' << fmt::format("{}", x) << '\n';
      for (std::size_t j = 0; j < 9; ++j) {
        float& lane = lanes[(row * 9 + j) * 3 + e % 3];
        lane = std::fma(x, number(b, k * 9 + j), lane);
      }
    }
  }
  market.close();
  io::Array sums = io::make_array(f32, {6, 9});
  for (std::size_t i = 0; i < 54; ++i)
    set_value(sums, i, static_cast<double>(lanes[3 * i] + lanes[3 * i + 2] + lanes[3 * i + 1]));
  write("sums.npy", sums);
  const json sparse = first_name("spmm --a s.mtx --a-format f32 --b b.npy --got sums.npy");
  BOOST_TEST(sparse.at("order") == "3 lanes");
  BOOST_TEST(sparse.at("terms") == "stored entries");
  // A convolution whose channels are the inner loop.
  const io::Array image = normal(f32, {1, 3, 6, 6}, 31), weights = normal(f32, {4, 3, 2, 2}, 32);
  io::Array out = io::make_array(f32, {1, 4, 5, 5});
  for (std::size_t i = 0; i < 100; ++i) {
    float sum = 0;
    for (std::size_t t = 0; t < 12; ++t) {
      const std::size_t r = t / 6, s = t / 3 % 2, channel = t % 3, y = i / 5 % 5 + r, x = i % 5 + s;
      sum = std::fma(number(image, (channel * 6 + y) * 6 + x),
                     number(weights, ((i / 25 * 3 + channel) * 2 + r) * 2 + s), sum);
    }
    set_value(out, i, static_cast<double>(sum));
  }
  write("image.npy", image);
  write("weights.npy", weights);
  write("out.npy", out);
  const json conv = first_name("conv --a image.npy --b weights.npy --got out.npy");
  BOOST_TEST(conv.at("order") == "sequential");
  BOOST_TEST(conv.at("terms") == "row, column, channel");
}

BOOST_FIXTURE_TEST_CASE(a_conversion_is_explained, Programs) {
  const io::Array a = normal(f32, {500}, 6);
  io::Array truncated = io::make_array(bf16, {500});
  for (std::size_t i = 0; i < 500; ++i) set_code(truncated, i, code(a, i) >> 16);
  write("long.npy", a);
  write("short.safetensors", truncated);
  const Outcome found = assay("explain convert --a long.npy --got short.safetensors --sample 500");
  BOOST_TEST(found.exit_code == 0, found.err);
  BOOST_TEST(holds(found.out, "truncate"), found.out);
  BOOST_TEST(!holds(found.out, "100.0 %  500/500  intel"), found.out);
}

// One NaN, one subnormal and one tie among 20,000 values, each converted as no other policy does: the sample has them,
// whatever the seed, and a sample is not called all.
BOOST_FIXTURE_TEST_CASE(values_that_tell_conversions_apart_are_looked_at, Programs) {
  const std::size_t size = 20000;
  io::Array a = normal(f32, {20000}, 6), right = io::make_array(bf16, {20000});
  set_code(a, 4711, 0x7F800001);   // a NaN of low bits
  set_code(a, 9000, 0x80000000);   // minus zero
  set_code(a, 11111, 0x00123456);  // a subnormal
  set_code(a, 19999, 0x3F808000);  // a tie
  set_code(a, 15000, 0x7F7FFFFF);  // beyond the largest
  for (std::size_t i = 0; i < size; ++i)
    set_code(right, i,
             convert_bits32(static_cast<std::uint32_t>(code(a, i)), bf16, parse_policy("pytorch"), {}));
  write("long.npy", a);
  const std::string command = "explain convert --a long.npy --got short.safetensors --seed ";
  for (const auto& [at, wrong] : {std::pair{std::size_t{4711}, 0x7F80U},
                                  {9000, 0x0U},
                                  {11111, 0x0U},
                                  {19999, 0x3F81U},
                                  {15000, 0x7F7FU}}) {
    io::Array got = right;
    BOOST_TEST(code(got, at) != wrong);
    set_code(got, at, wrong);
    write("short.safetensors", got);
    for (const char* const seed : {"1", "2", "3"}) {
      const Outcome found = assay(command + seed);
      BOOST_TEST(!holds(found.out, "The conversion (pytorch, nearest-even) gives all"),
                 at << ": " << found.out);
    }
  }
  write("short.safetensors", right);
  const Outcome found = assay(command + "1");
  BOOST_TEST(found.exit_code == 0);
  BOOST_TEST(holds(found.out, "gives all 64 sampled of 20000 values"), found.out);
}

BOOST_FIXTURE_TEST_CASE(bad_questions_are_refused, Programs) {
  const std::string operands = " --a a.npy --b b.npy --got d.npy";
  refused("explain gem" + operands, "gemm");
  refused("explain gemm --a a.npy --got d.npy", "--b FILE");
  refused("explain gemm --a a.npy --b a.npy --got d.npy", "40 rows");
  refused("explain gemm --a a.npy --b b.npy --got a.npy", "shape [12,9]");
  refused("explain gemm --sample 0" + operands, "--sample");
  refused("explain gemm --also sm80.b16" + operands, "sm80.bf16");
  refused("explain gemm --at ''" + operands, "--at");
  refused("explain conv --stride -1" + operands, "--stride");
  refused("explain gemm --also sm80.bf16" + operands, "does not take");
  refused("explain gemm --at 12,0" + operands, "--at");
  refused("explain gemm --at 1" + operands, "--at");
  refused("explain spmm" + operands, "sparse");
  refused("explain gemm --stride 2" + operands, "conv");
  // NaN is data: any NaN equals any other, and a NaN that nothing gives is no agreement.
  io::Array nan = io::read_array((path / "d.npy").string());
  for (std::size_t i = 0; i < 108; ++i) set_code(nan, i, 0x7FC00001);
  write("nan.npy", nan);
  const Outcome all_nan = assay("explain gemm --a a.npy --b b.npy --got nan.npy");
  BOOST_TEST(all_nan.exit_code == 1, all_nan.err);
  BOOST_TEST(holds(all_nan.out, "None of "), all_nan.out);
  write("none.npy", io::make_array(f32, {0, 40}));
  write("empty.npy", io::make_array(f32, {0, 9}));
  refused("explain gemm --a none.npy --b b.npy --got empty.npy", "an output");
}

BOOST_FIXTURE_TEST_CASE(the_pipe_judges_right_and_wrong_programs, Programs) {
  // Python sums in float64: integers come out right in every order.
  const std::string cases = " sum --values integers --k 1:50 --cases 200 --seed 7 --as values";
  const Outcome right =
      shell("\"$A\" gen" + cases +
            " > cases.txt && python3 -B -c '\nimport sys\nfor l in sys.stdin:\n "
            " print(sum((float.fromhex(x) for x in l.split()[1:]), 0.0).hex())' < cases.txt | \"$A\" verify" +
            cases);
  BOOST_TEST(right.exit_code == 0, right.out + right.err);
  const Outcome wrong = shell(
      "python3 -B -c '\nimport sys\nfor l in sys.stdin:\n  print(sum((float.fromhex(x) for x in "
      "l.split()[2:]), 0.0).hex())' < cases.txt | \"$A\" verify" +
      cases);
  BOOST_TEST(wrong.exit_code == 1, wrong.out + wrong.err);
  BOOST_TEST(holds(wrong.out, "FAILED"), wrong.out);
  const Outcome few = shell("echo 0x1p+0 | \"$A\" verify" + cases);
  BOOST_TEST(few.exit_code == 2);
  BOOST_TEST(holds(few.err, "200 answers"), few.err);
  const Outcome many = shell("yes 0x1p+0 | head -201 | \"$A\" verify" + cases);
  BOOST_TEST(many.exit_code == 2);
  const Outcome none = shell("yes word | head -200 | \"$A\" verify" + cases);
  BOOST_TEST(none.exit_code == 2);
  BOOST_TEST(holds(none.err, "answer 1"), none.err);
  refused("gen sum --values integers --k 1000 --output bf16", "1000 terms");
  refused("gen gemm --values hrad", "hard");
  refused("gen sum --with-c", "dot and gemm");
}

// A program that is right to one rounding, and one that loses a term.
struct AnsweringProgram : Programs {
  AnsweringProgram() {
    std::ofstream(path / "answer.py") << R"(
import math, struct, sys
operation, form, lose = sys.argv[1], sys.argv[2], int(sys.argv[3])
def float_of(word):
    return struct.unpack('>f', struct.pack('>I', int(word, 16)))[0] if form == 'codes' else float.fromhex(word)
def case(sizes, values):
    m, n, k = sizes if operation == 'gemm' else (1, 1, sizes[0])
    a = values[:m * k]
    b = values[m * k:] if operation != 'sum' else [1.0] * k
    return [total([a[i * k + l] * b[l * n + j] for l in range(k - lose)]) for i in range(m) for j in range(n)]
def total(terms):
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)
def rounded(x):
    try:
        return struct.pack('<f', x)
    except OverflowError:
        return struct.pack('<f', math.copysign(math.inf, x))
number = 3 if operation == 'gemm' else 1
def cases():
    if form != 'binary':
        for line in sys.stdin:
            words = line.split()
            yield [int(w) for w in words[:number]], [float_of(w) for w in words[number:]]
        return
    data, at = sys.stdin.buffer.read(), 0
    while at < len(data):
        sizes = struct.unpack_from('<%dI' % number, data, at)
        m, n, k = sizes if operation == 'gemm' else (1, 0 if operation == 'sum' else 1, sizes[0])
        count = m * k + k * n
        yield sizes, struct.unpack_from('<%df' % count, data, at + 4 * number)
        at += 4 * (number + count)
for sizes, values in cases():
    for code in map(rounded, case(sizes, values)):
        if form == 'binary':
            sys.stdout.buffer.write(code)
        elif form == 'codes':
            print('0x%08x' % struct.unpack('<I', code))
        else:
            print(struct.unpack('<f', code)[0].hex())
)";
  }

  // `part`, of three: each operation with each kind of values, and each form with each of both. `some`: each of the
  // nine words once.
  void judge_part(std::size_t part, bool some = false) const {
    const std::string operations[] = {"dot", "sum", "gemm"}, kinds[] = {"normal", "integers", "hard"},
                      forms[] = {"codes", "values", "binary"};
    for (std::size_t o = 0; o < 3; ++o) {
      for (std::size_t v = 0; v < 3; ++v) {
        if (some && v != o) continue;
        const std::string &operation = operations[o], &values = kinds[v], &form = forms[(o + v + part) % 3];
        const std::string cases = operation + " --values " + values + " --as " + form +
                                  " --k 3:9 --cases 40 --seed 11" +
                                  (operation == "gemm" ? " --m 2 --n 3" : "");
        for (const int lose : {0, 1}) {
          const Outcome judged =
              shell(fmt::format("\"$A\" gen {} | python3 -B answer.py {} {} {} | \"$A\" verify {}", cases,
                                operation, form, lose, cases));
          BOOST_TEST(judged.exit_code == lose, cases << ", lose " << lose << ":\n"
                                                     << judged.out << judged.err);
        }
      }
    }
  }
};

BOOST_FIXTURE_TEST_CASE(right_and_wrong_programs_are_told_apart, AnsweringProgram) { judge_part(0, true); }
BOOST_FIXTURE_TEST_CASE(right_and_wrong_programs_are_told_apart_in_every_form, AnsweringProgram,
                        *boost::unit_test::label("full")) {
  judge_part(0);
  judge_part(1);
  judge_part(2);
}

// What `assay probe` saved is an arithmetic like any other.
BOOST_FIXTURE_TEST_CASE(a_saved_arithmetic_is_taken_by_name, Programs) {
  const judge::Problem p{.operation = judge::SumOperation::dot, .k = 12};
  const auto target = [](const judge::Problem& asked, std::span<const diagnose::Case> cases) {
    std::vector<diagnose::Answer> answers;
    for (const diagnose::Case& x : cases) {
      // Three lanes, the first last: in no list.
      float lane[3] = {0, 0, 0};
      for (std::size_t i = 0; i < asked.k; ++i) {
        float a = 0, b = 0;
        std::memcpy(&a, x.a.data() + 4 * i, 4);
        std::memcpy(&b, x.b.data() + 4 * i, 4);
        lane[i % 3] = std::fma(a, b, lane[i % 3]);
      }
      answers.push_back({std::bit_cast<std::uint32_t>(lane[1] + lane[2] + lane[0])});
    }
    return answers;
  };
  judge::SavedArithmetic saved{.name = "three", .program = "./three"};
  judge::Revelation revelation = diagnose::reveal(p, target);
  const judge::PredictionScore score = diagnose::score(revelation, target, 3, 300);
  saved.shapes.push_back({std::move(revelation), score});
  judge::save(saved, path / "three.json");
  const io::Array x = normal(f32, {20, 12}, 21), y = normal(f32, {20, 12}, 22);
  io::Array d = io::make_array(f32, {20});
  for (std::size_t i = 0; i < 20; ++i) {
    diagnose::Case one;
    one.a.assign(x.bytes.begin() + static_cast<std::ptrdiff_t>(48 * i),
                 x.bytes.begin() + static_cast<std::ptrdiff_t>(48 * i + 48));
    one.b.assign(y.bytes.begin() + static_cast<std::ptrdiff_t>(48 * i),
                 y.bytes.begin() + static_cast<std::ptrdiff_t>(48 * i + 48));
    set_code(d, i, target(p, std::span(&one, 1)).front().front());
  }
  write("x.npy", x);
  write("y.npy", y);
  write("sums.npy", d);
  const std::string line = "explain dot --a x.npy --b y.npy --got sums.npy";
  BOOST_TEST(assay(line).exit_code == 1);
  const Outcome found = assay(line + " --also three.json");
  BOOST_TEST(found.exit_code == 0, found.out + found.err);
  BOOST_TEST(found.out.starts_with("three gives all 20 outputs"), found.out);
  refused("explain gemm --a a.npy --b b.npy --got d.npy --also three.json", "no other length");
  refused(line + " --also four.json", "four.json");
  const std::string cases = " dot --k 12 --cases 20 --as values";
  const Outcome wrong =
      shell("\"$A\" gen" + cases + " | sed 's/.*/1/' | \"$A\" verify" + cases + " --unit three.json");
  BOOST_TEST(wrong.exit_code == 1, wrong.out + wrong.err);
  BOOST_TEST(assay("distinguish three.json chain_f32_fused --k 12 --limit 2000").exit_code == 0);
  BOOST_TEST(assay("distinguish three.json chain_f32_fused --limit 2000").exit_code == 0);  // with 12 terms
  refused("distinguish three.json chain_f32_fused --k 13", "three.json was revealed for 12");
}

BOOST_FIXTURE_TEST_CASE(the_forms_hold_the_same_cases, Programs) {
  for (const std::string operation : {"dot --with-c", "sum", "gemm --m 2 --n 3"}) {
    for (const std::string values : {"normal", "integers", "hard"}) {
      const std::string options = operation + " --k 5 --cases 30 --format bf16 --values " + values;
      BOOST_TEST(assay("gen " + options).out == assay("gen " + options).out);
      BOOST_TEST(assay("gen " + options).out != assay("gen " + options + " --seed 2").out);
      const Outcome bytes = assay("gen " + options + " --as binary");
      BOOST_TEST(bytes.exit_code == 0, bytes.err);
      const std::size_t codes = operation == "sum" ? 5 : operation[0] == 'd' ? 10 : 25;
      const std::size_t size = operation[0] == 'g' ? 12 : 4, c = operation[0] == 'd' ? 4 : 0;
      BOOST_TEST(bytes.out.size() == 30 * (size + 2 * codes + c), options);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(cases_as_json_are_those_of_the_pipe, Programs) {
  for (const std::string as : {"codes", "values"}) {
    const std::string options = "gen gemm --m 2 --n 3 --k 1:4 --with-c --cases 5 --format bf16 --as " + as;
    const json data = json::parse(assay(options + " --json").out);
    BOOST_TEST(data.at("operation") == "gemm");
    BOOST_TEST(data.at("a_format") == "bfloat16");
    BOOST_TEST(data.at("accumulator") == "float32");
    BOOST_TEST(data.at("count") == 5);
    BOOST_TEST_REQUIRE(data.at("cases").size() == 5U);
    std::string lines;
    for (const json& one : data.at("cases")) {
      lines +=
          fmt::format("{} {} {}", one.at("m").get<int>(), one.at("n").get<int>(), one.at("k").get<int>());
      for (const char* const operand : {"a", "b", "c"}) {
        for (const json& number : one.at(operand)) lines += ' ' + number.get<std::string>();
      }
      lines += '\n';
    }
    BOOST_TEST(lines == assay(options).out);
  }
  const json sums = json::parse(assay("gen sum --k 3 --cases 2 --json").out);
  BOOST_TEST(!sums.contains("b_format"));
  BOOST_TEST(sums.at("cases").at(1).at("a").size() == 3U);
  refused("gen dot --json --as binary", "--as binary");
}

BOOST_FIXTURE_TEST_CASE(files_alone_shrink_to_one_output, Programs) {
  io::Array d = io::read_array((path / "d.npy").string());
  set_value(d, 3 * 9 + 5, 1000);
  set_value(d, 7 * 9 + 2, 1000);
  write("bad.npy", d);
  const std::string check = "check gemm --a a.npy --b b.npy --got bad.npy";
  BOOST_TEST_REQUIRE(assay(check).exit_code == 1);
  const Outcome small = assay("shrink 'assay " + check + "' --out small");
  BOOST_TEST_REQUIRE(small.exit_code == 0, small.err);
  BOOST_TEST(holds(small.out, "k=40, m=1, n=1"), small.out);
  BOOST_TEST(io::read_array((path / "small/got.npy").string()).shape == (io::Shape{1, 1}));
  const std::size_t at = small.out.find("repro  assay ");
  BOOST_TEST_REQUIRE(at != std::string::npos);
  const std::string repro = small.out.substr(at + 13, small.out.find('\n', at) - at - 13);
  BOOST_TEST(assay(repro).exit_code == 1, repro);
  const json data = json::parse(assay("shrink 'assay " + check + "' --out small --json").out);
  BOOST_TEST(data.at("repro") == "assay " + repro);
  BOOST_TEST(data.at("files").size() == 3U);
  BOOST_TEST(data.at("files").at("got").at("path") == "small/got.npy");
  BOOST_TEST(data.at("files").at("got").at("format") == nullptr);
  BOOST_TEST(holds(small.out, "is     " + data.at("after").get<std::string>() + "\n"));
  BOOST_TEST(holds(small.out, "tried  " + std::to_string(data.at("tried").get<int>()) + " smaller"));
  BOOST_TEST(data.at("limited") == false);
  BOOST_TEST(data.at("by_program") == false);
  refused("shrink 'assay check gemm --a a.npy --b b.npy --got d.npy'", "fails");
  refused("shrink 'assay round 1'", "assay check");
  refused("shrink 'assay " + check + "' --out a.npy", "a folder to write in");
  refused("shrink 'assay check conv --a a.npy'", "gemm");
}

namespace {

// A program of the protocol in plain Python. `fault` sees m, n, k, a, b and the results d.
void write_kernel(const std::filesystem::path& path, const std::string& fault) {
  std::ofstream(path) << "import sys\n"
                         "numbers = lambda: [float(x) for x in sys.stdin.readline().split()]\n"
                         "while header := sys.stdin.readline().split():\n"
                         "    m, n, k = map(int, header[3:6])\n"
                         "    for _ in range(int(header[-1])):\n"
                         "        a, b = numbers(), numbers()\n"
                         "        d = [sum(a[i * k + l] * b[l * n + j] for l in range(k)) for i in range(m)"
                         " for j in range(n)]\n"
                         "        "
                      << fault
                      << "\n"
                         "        print(*map(repr, d))\n"
                         "    sys.stdout.flush()\n";
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_program_shrinks_to_what_breaks_it, Programs) {
  write("a.npy", normal(f32, {3, 9}, 8));
  write("b.npy", normal(f32, {9, 4}, 9));
  write("d.npy", io::make_array(f32, {3, 4}));
  const std::string check = "shrink 'assay check gemm --a a.npy --b b.npy --got d.npy' --form text";
  const std::string asked = check + " --out small --got-from 'python3 -B kernel.py'";
  // A fault of the shape: with seven terms and more.
  write_kernel(path / "kernel.py", "if k > 6: d[n - 1::n] = [x + 1000 for x in d[n - 1::n]]");
  const Outcome shape = assay(asked);
  BOOST_TEST_REQUIRE(shape.exit_code == 0, shape.out + shape.err);
  BOOST_TEST(holds(shape.out, "k=7, m=1, n=1, 0 nonzero in a, 0 nonzero in b"), shape.out);
  // A fault of the values: a single number of A brings it about.
  write_kernel(path / "kernel.py", "if max(a) > 1.2: d[0] += 1000");
  const Outcome values = assay(asked);
  BOOST_TEST_REQUIRE(values.exit_code == 0, values.out + values.err);
  BOOST_TEST(holds(values.out, "k=1, m=1, n=1, 1 nonzero in a, 0 nonzero in b"), values.out);
  BOOST_TEST(value(io::read_array((path / "small/a.npy").string()), 0) > 1.2);
  const std::size_t at = values.out.find("repro  assay ");
  BOOST_TEST_REQUIRE(at != std::string::npos);
  BOOST_TEST(assay(values.out.substr(at + 13)).exit_code == 1);
  // A stored transposed and read so by the check is one the program is given by rows.
  io::Array turned = io::make_array(f32, {9, 3});
  const io::Array a = io::read_array((path / "a.npy").string());
  for (std::size_t i = 0; i < 27; ++i) set_code(turned, i % 9 * 3 + i / 9, code(a, i));
  write("at.npy", turned);
  const Outcome transposed = assay(
      "shrink 'assay check gemm --a at.npy --b b.npy --got d.npy --transpose-a' --form text --out small "
      "--got-from 'python3 -B kernel.py'");
  BOOST_TEST(holds(transposed.out, "k=1, m=1, n=1, 1 nonzero in a, 0 nonzero in b"),
             transposed.out + transposed.err);
  // A program that is right, and those that do what they must not.
  write_kernel(path / "kernel.py", "pass");
  refused(asked, "this one does not");
  for (const auto& [program, says] :
       std::vector<std::pair<std::string, std::string>>{
           {"exit 3", "status 3"},
           {"sleep 100", "not done"},
           {"echo one", "no number"},
           {"yes", "the program \"yes\": "}})  // too much, or no number: as it comes
  {
    const Outcome fault = assay(check + " --seconds 0.3 --got-from '" + program + "'");
    BOOST_TEST(fault.exit_code == 1, program + ": " + fault.out + fault.err);
    BOOST_TEST(fault.out.starts_with("ERROR"), fault.out);
    BOOST_TEST(holds(fault.out, says), program + ": " + fault.out);
  }
  refused("shrink 'assay check convert --a a.npy --got a.npy' --got-from cat", "each value");
  refused("shrink 'assay check gemm --a a.npy --b b.npy --got d.npy --alpha 2' --got-from cat", "A B");
}
