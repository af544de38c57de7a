// `assay units`, `dot` and `gemm`: files in, the bits of a unit out; what is shown and what is refused.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emulation/units/unit.hpp"
#include "reference/exact/chain.hpp"
#include "tests/validation/cli/files.hpp"
#include "validation/cli/unit_command.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

const FormatSpec& bf16 = formats::bfloat16;
const FormatSpec& f32 = formats::float32;

const ArithmeticRegistry& units() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_units(r);
    return r;
  }();
  return registry;
}

CodeMatrix view(const io::Array& x) {
  return {x.bytes.data(),
          static_cast<std::size_t>(x.shape[0]),
          static_cast<std::size_t>(x.shape[1]),
          static_cast<std::ptrdiff_t>(x.shape[1]),
          1,
          x.element.format()};
}

struct Products : Folder {
  io::Array a = normal(bf16, {9, 70}, 1), b = normal(bf16, {70, 5}, 2), c = normal(f32, {9, 5}, 3);
  Products() {
    write("a.safetensors", a);
    write("b.safetensors", b);
    write("c.npy", c);
  }
  // Element by element, by the definition of a dot product.
  bool holds_the_product(const std::string& file, const Arithmetic& unit, bool with_c) const {
    const io::Array d = io::read_array((path / file).string());
    if (d.shape != io::Shape{9, 5} || !(d.element == unit.info().outputs.front())) return false;
    for (std::size_t i = 0; i < 9; ++i) {
      for (std::size_t j = 0; j < 5; ++j) {
        const std::int64_t at = static_cast<std::int64_t>(5 * i + j);
        const std::uint64_t want =
            unit.dot(view(a).row(i), view(b).column(j), with_c ? std::optional(c.code(at)) : std::nullopt);
        if (d.code(at) != want) return false;
      }
    }
    return true;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(gemm_gives_the_units_bits, Products) {
  for (const char* const name :
       {"vdpbf16ps", "tdpbf16ps", "fma_f32", "sm80.bf16", "sm90.bf16", "gfx90a.bf16_1k"}) {
    const std::string operands = std::string("gemm --unit ") + name + " --a a.safetensors --b b.safetensors ";
    const Outcome plain = assay(operands + "--out d.npy");
    BOOST_TEST(plain.exit_code == 0, plain.err);
    BOOST_TEST(holds_the_product("d.npy", units().find(name), false), name);
    BOOST_TEST(assay(operands + "--c c.npy --out e.npy --threads 2").exit_code == 0);
    BOOST_TEST(holds_the_product("e.npy", units().find(name), true), name);
    BOOST_TEST(holds(plain.out, "unverified") == is_unverified(units().find(name).info().evidence),
               plain.out);
  }
  // The judge by the same name: these bits, and no others.
  const std::string check =
      "check gemm --a a.safetensors --b b.safetensors --policy bit-equal --got d.npy --unit ";
  assay("gemm --unit sm90.bf16 --a a.safetensors --b b.safetensors --out d.npy");
  BOOST_TEST(assay(check + "sm90.bf16").exit_code == 0);
  BOOST_TEST(assay(check + "vdpbf16ps").exit_code == 1);
  BOOST_TEST(assay("check gemm --a a.safetensors --b b.safetensors --got d.npy --unit sm90.bf16").exit_code ==
             0);
}

// The judge reads what gemm reads: values that are the unit's, in whatever format they lie.
BOOST_FIXTURE_TEST_CASE(check_takes_other_formats_that_hold_the_same_values, Products) {
  const auto as32 = [](const io::Array& x) {
    std::vector<double> values;
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i) values.push_back(value(x, i));
    return array_of(f32, x.shape, values);
  };
  write("a32.npy", as32(a));
  write("b32.npy", as32(b));
  BOOST_TEST(assay("gemm --unit sm80.bf16 --a a32.npy --b b32.npy --out d.npy").exit_code == 0);
  for (const char* const policy : {"bit-equal", "bound"}) {
    BOOST_TEST(
        assay(std::string("check gemm --unit sm80.bf16 --a a32.npy --b b32.npy --got d.npy --policy ") +
              policy)
            .exit_code == 0);
  }
  write("b32.npy", normal(f32, {70, 5}, 7));
  const Outcome outcome = assay("check gemm --unit sm80.bf16 --a a32.npy --b b32.npy --got d.npy");
  BOOST_TEST(outcome.exit_code == 2);
  BOOST_TEST(holds(outcome.err, "sm80.bf16 takes bf16 x bf16"), outcome.err);
  BOOST_TEST(holds(outcome.err, "b32.npy"), outcome.err);
}

// Random bits go by the place in D, whatever pieces `gemm` takes and whatever way `check` goes.
BOOST_FIXTURE_TEST_CASE(a_stochastic_arithmetic_gives_one_result, Folder) {
  const io::Array a = normal(f32, {300, 21}, 1), b = normal(f32, {21, 5}, 2);
  write("a.npy", a);
  write("b.npy", b);
  const std::string files = "--unit chain_f32_sr --a a.npy --b b.npy ",
                    stack = "--unit chain_f32_sr --a a3.npy --b b.npy ";
  BOOST_TEST_REQUIRE(assay("gemm " + files + "--out d.npy").exit_code == 0);
  BOOST_TEST(assay("check gemm " + files + "--policy bit-equal --got d.npy").exit_code == 0);
  const Arithmetic& chain = arithmetics().find("chain_f32_sr");
  io::Array d = io::make_array(f32, {3, 100, 5});
  for (std::size_t i = 0; i < 1500; ++i)
    set_code(d, i, chain.dot(view(a).row(i / 5), view(b).column(i % 5), {}, i));
  BOOST_TEST(io::read_array((path / "d.npy").string()).bytes == d.bytes);
  // The same rows as a stack of three matrices are the same outputs.
  io::Array a3 = a;
  a3.shape = {3, 100, 21};
  write("a3.npy", a3);
  write("d3.npy", d);
  BOOST_TEST(assay("check gemm " + stack + "--policy bit-equal --got d3.npy").exit_code == 0);
}

// Matrices quantized to MX or NVFP4 by rows of A and columns of B, with their scales as a program leaves them.
struct Scaled : Folder {
  static constexpr std::size_t m = 5, n = 4, k = 70;

  // Lines of k elements, one after another: codes and codes of scales.
  struct Side {
    io::Array elements, scales;
    float tensor = 1;
    MatrixScales view(const ScaleUse& use, Lines along) const {
      const auto lines = static_cast<std::size_t>(scales.shape[0]),
                 blocks = static_cast<std::size_t>(scales.shape[1]);
      return {.data = reinterpret_cast<const std::uint8_t*>(scales.bytes.data()),
              .lines = lines,
              .blocks = blocks,
              .line_stride = scales.shape[1],
              .use = use,
              .tensor = tensor,
              .along = along};
    }
  };
  static Side side(std::size_t lines, const FormatSpec& element, const ScaleUse& use, std::uint64_t seed) {
    const CounterRandom random(seed);
    const std::size_t blocks = blocks_of(k, use.block);
    Side x{io::make_array(element, {static_cast<std::int64_t>(lines), k}),
           io::make_array(io::ElementType::unsigned_integer(8),
                          {static_cast<std::int64_t>(lines), static_cast<std::int64_t>(blocks)})};
    for (std::size_t i = 0; i < lines * k; ++i)
      set_code(x.elements, i, encode(random.normal(i), element).code);
    for (std::size_t i = 0; i < lines * blocks; ++i)
      set_code(x.scales, i, unit_scale(use.format) - 6 + random.below(12, 1000 + i));
    return x;
  }
  static io::Array transposed(const io::Array& x) {
    io::Array t = io::make_array(x.element, {x.shape[1], x.shape[0]});
    for (std::int64_t i = 0; i < x.shape[0]; ++i) {
      for (std::int64_t j = 0; j < x.shape[1]; ++j)
        set_code(t, static_cast<std::size_t>(j * x.shape[0] + i), x.code(i * x.shape[1] + j));
    }
    return t;
  }
};

BOOST_FIXTURE_TEST_CASE(operands_bring_the_scales_of_their_blocks, Scaled) {
  for (const auto& pair : {std::pair("sm100.mxf8_e4m3", "f8_e4m3"), std::pair("sm100.nvfp4", "f4_e2m1")}) {
    const std::string name = pair.first, element = pair.second;
    const Arithmetic& unit = units().find(name);
    const ScaleUse use = *unit.info().block_scales;
    const FormatSpec f = parse_format(element);
    Side a = side(m, f, use, 1), b = side(n, f, use, 2);
    write("a.npy", as_integers(a.elements));
    write("at.npy", as_integers(transposed(a.elements)));
    write("b.npy", as_integers(transposed(b.elements)));
    write("bt.npy", as_integers(b.elements));
    write("as.npy", a.scales);
    write("ast.npy", transposed(a.scales));
    write("bs.npy", transposed(b.scales));
    // Scales as values, too.
    io::Array values = io::make_array(f32, b.scales.shape);
    for (std::size_t i = 0; i < n * blocks_of(k, use.block); ++i)
      set_value(values, i, scale_value(static_cast<std::uint8_t>(code(b.scales, i)), use.format));
    write("bst.npy", values);
    CodeMatrix rows = view(a.elements), columns = view(b.elements).transposed();
    rows.scales = a.view(use, Lines::rows);
    columns.scales = b.view(use, Lines::columns);
    const std::string head = "gemm --unit " + name + " --format " + element;
    const auto expect = [&](const std::string& operands) {
      const Outcome outcome = assay(head + operands + " --out d.npy");
      BOOST_TEST_REQUIRE(outcome.exit_code == 0, outcome.err);
      const io::Array d = io::read_array((path / "d.npy").string());
      for (std::size_t i = 0; i < m * n; ++i)
        BOOST_TEST(code(d, i) == unit.dot(rows.row(i / n), columns.column(i % n)),
                   name << operands << ", output " << i);
    };
    expect(" --a a.npy --a-scales as.npy --b b.npy --b-scales bs.npy");
    expect(" --a at.npy --transpose-a --a-scales ast.npy --b bt.npy --transpose-b --b-scales bst.npy");
    rows.scales.tensor = 0.75F;
    columns.scales.tensor = 3;
    expect(
        " --a a.npy --a-scales as.npy --a-tensor-scale 0x1.8p-1 --b b.npy --b-scales bs.npy --b-tensor-scale "
        "3");
    rows.scales = {};
    columns.scales.tensor = 1;
    expect(" --a a.npy --b b.npy --b-scales bs.npy");

    // dot, one a row, and how it came about.
    write("x.npy", as_integers(b.elements));
    write("xs.npy", b.scales);
    const std::string dots = "dot --unit " + name + " --format " + element +
                             " --a x.npy --a-scales xs.npy --b x.npy --b-scales bst.npy ";
    BOOST_TEST_REQUIRE(assay(dots + "--out d.npy").exit_code == 0);
    const io::Array d = io::read_array((path / "d.npy").string());
    for (std::size_t i = 0; i < n; ++i)
      BOOST_TEST(code(d, i) == unit.dot(columns.column(i), columns.column(i)), name << ", row " << i);
    BOOST_TEST(assay(dots + "--trace --row 2").exit_code == 0);
  }
}

// The judge reads the same scales: bits, and the bound around the exact value of the scaled operands.
BOOST_FIXTURE_TEST_CASE(check_reads_the_scales_of_blocks, Scaled) {
  for (const auto& pair : {std::pair("sm100.mxf8_e4m3", "f8_e4m3"), std::pair("sm100.nvfp4", "f4_e2m1")}) {
    const std::string name = pair.first, element = pair.second;
    const ScaleUse use = *units().find(name).info().block_scales;
    const FormatSpec f = parse_format(element);
    const Side a = side(m, f, use, 1), b = side(n, f, use, 2);
    write("a.npy", as_integers(a.elements));
    write("at.npy", as_integers(transposed(a.elements)));
    write("b.npy", as_integers(transposed(b.elements)));
    write("bt.npy", as_integers(b.elements));
    write("as.npy", a.scales);
    write("ast.npy", transposed(a.scales));
    write("bs.npy", transposed(b.scales));
    write("bst.npy", b.scales);
    const std::string
        unit = " --unit " + name + " --got d.npy --a-format " + element + " --b-format " + element,
        rows = " --a a.npy --a-scales as.npy --b b.npy --b-scales bs.npy",
        columns = " --transpose-a --a at.npy --a-scales ast.npy --transpose-b --b bt.npy --b-scales bst.npy",
        tensors = " --a-tensor-scale 0.37 --b-tensor-scale 3";
    const auto judged = [&](const std::string& check, int exit_code) {
      for (const char* const policy : {"bit-equal", "bound"}) {
        const Outcome outcome = assay("check " + check + unit + " --policy " + policy);
        BOOST_TEST(outcome.exit_code == exit_code, check << " " << policy << outcome.out << outcome.err);
      }
    };
    const std::string command = "gemm --unit " + name + " --format " + element + rows + " --out d.npy";
    BOOST_TEST_REQUIRE(assay(command).exit_code == 0);
    judged("gemm" + rows, 0);
    judged("gemm" + columns, 0);
    judged("gemm" + rows + tensors, 1);
    judged("gemm --a a.npy --b b.npy --b-scales bs.npy", 1);
    BOOST_TEST_REQUIRE(assay(command + tensors).exit_code == 0);
    judged("gemm" + rows + tensors, 0);
    // A stack of the same matrix twice over one B.
    const auto twice = [](io::Array x) {
      x.bytes.insert(x.bytes.end(), x.bytes.begin(), x.bytes.end());
      x.shape.insert(x.shape.begin(), 2);
      return x;
    };
    write("a2.npy", twice(as_integers(a.elements)));
    write("as2.npy", twice(a.scales));
    write("d.npy", twice(io::read_array((path / "d.npy").string())));
    judged("gemm --a a2.npy --a-scales as2.npy --b b.npy --b-scales bs.npy" + tensors, 0);
    const std::string dots = " --a bt.npy --a-scales bst.npy --b bt.npy --b-scales bst.npy";
    BOOST_TEST_REQUIRE(
        assay("dot --unit " + name + " --format " + element + dots + " --out d.npy").exit_code == 0);
    judged("dot" + dots, 0);
    const Outcome alone =
        assay("check dot --got d.npy --a-format " + element + " --b-format " + element + dots);
    BOOST_TEST(alone.exit_code == 2);
    BOOST_TEST(holds(alone.err, "--a-scales requires --unit NAME, which reads scales of blocks"), alone.err);
  }
}

BOOST_FIXTURE_TEST_CASE(scales_that_do_not_fit_are_refused, Scaled) {
  const ScaleUse mx{ScaleFormat::e8m0, 32};
  const Side a = side(m, formats::float8_e4m3fn, mx, 1);
  write("a.npy", as_integers(a.elements));
  write("s.npy", a.scales);
  write("t.npy", transposed(a.scales));
  write("v.npy", normal(f32, {5, 3}, 1));
  write("i.npy", [] {
    io::Array x = io::make_array(io::ElementType::signed_integer(32), {5, 3});
    return x;
  }());
  const auto refused = [&](const std::string& options, const std::string& text) {
    const Outcome outcome =
        assay("dot --a-format f8_e4m3 --b-format f8_e4m3 --a a.npy --b a.npy --out d.npy " + options);
    BOOST_TEST(outcome.exit_code == 2, options);
    BOOST_TEST(holds(outcome.err, text), outcome.err);
  };
  const std::string unit = "--unit sm100.mxf8_e4m3 ";
  refused(unit + "--a-scales t.npy", "t.npy: expected shape [5,3]: one e8m0 for every block of 32 along k");
  refused(unit + "--a-scales t.npy", "found shape [3,5]");
  refused(unit + "--a-scales v.npy", "v.npy: element 0: expected the value of an e8m0 scale");
  refused(unit + "--a-scales i.npy", "expected e8m0 scales: uint8 codes, or their values");
  refused("--unit sm100.f8_e4m3 --a-scales s.npy", "a unit that reads scales of blocks: sm100.mxf8_e4m3");
  refused(unit + "--b-tensor-scale 2", "--b-tensor-scale requires --b-scales");
  refused(unit + "--b-scales s.npy --b-tensor-scale 0", "a positive number within the range of float32");
  refused(unit + "--b-scales s.npy --b-tensor-scale 1e39", "a positive number within the range of float32");
  write("c.npy", normal(f32, {5}, 1));
  refused(unit + "--b-scales s.npy --b-tensor-scale 2 --c c.npy", "would scale C too");
}

BOOST_FIXTURE_TEST_CASE(dot_takes_one_product_a_row, Products) {
  const io::Array x = normal(bf16, {40, 33}, 4), y = normal(bf16, {40, 33}, 5), z = normal(f32, {40}, 6);
  write("x.safetensors", x);
  write("y.safetensors", y);
  write("z.npy", z);
  const Arithmetic& unit = units().find("sm80.bf16");
  const std::string operands = "dot --unit sm80.bf16 --a x.safetensors --b y.safetensors --c z.npy ";
  BOOST_TEST_REQUIRE(assay(operands + "--out d.npy").exit_code == 0);
  BOOST_TEST_REQUIRE(assay(operands + "--raw --out r.npy").exit_code == 0);
  const io::Array d = io::read_array((path / "d.npy").string()),
                  r = io::read_array((path / "r.npy").string());
  BOOST_TEST(r.element.name() == "uint32");
  for (std::size_t i = 0; i < 40; ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const std::uint64_t want = unit.dot(view(x).row(i), view(y).row(i), z.code(at));
    BOOST_TEST(d.code(at) == want);
    BOOST_TEST(r.code(at) == want);
  }
  BOOST_TEST(
      assay("check dot --unit sm80.bf16 --policy bit-equal --a x.safetensors --b y.safetensors --c z.npy "
            "--got d.npy")
          .exit_code == 0);
}

BOOST_FIXTURE_TEST_CASE(a_trace_shows_what_was_cut_off, Products) {
  // 2^0 and 2^-30 at once: with F = 24 the small one is lost, all of it.
  write("x.safetensors", array_of(bf16, {2}, {1, 0x1p-15}));
  write("y.safetensors", array_of(bf16, {2}, {1, 0x1p-15}));
  const std::string operands = "dot --unit sm80.bf16 --a x.safetensors --b y.safetensors --trace";
  const Outcome text = assay(operands);
  BOOST_TEST(text.exit_code == 0, text.err);
  BOOST_TEST(holds(text.out, "cut to multiples of 2^-24"), text.out);
  BOOST_TEST(holds(text.out, "0x1p-30"), text.out);
  const json steps = json::parse(assay(operands + " --json").out).at("steps");
  bool cut = false;
  for (const json& term : steps.at(0).at("terms")) cut = cut || term.at("cut_off") == "0x1p-30";
  BOOST_TEST(cut, steps.dump());
  BOOST_TEST(steps.back().at("result") == "0x3f800000");
  BOOST_TEST(assay("dot --unit chain_f32 --a x.safetensors --b y.safetensors --trace").exit_code == 2);
  BOOST_TEST(assay(operands + " --row 1").exit_code == 2);
  BOOST_TEST(assay(operands + " --row -1").exit_code == 2);
  BOOST_TEST(assay(operands + " --out t.npy").exit_code == 2);
  BOOST_TEST(
      assay("dot --unit sm80.bf16 --a x.safetensors --b y.safetensors --row 0 --out t.npy").exit_code == 2);
  BOOST_TEST(!std::filesystem::exists(path / "t.npy"));
}

BOOST_FIXTURE_TEST_CASE(units_are_listed_with_their_evidence, Products) {
  const Outcome table = assay("units");
  BOOST_TEST(table.exit_code == 0);
  const json all = json::parse(assay("units --json").out);
  BOOST_TEST(all.size() == units().list().size());
  for (const json& unit : all) {
    const std::string name = unit.at("name");
    BOOST_TEST(holds(table.out, name), name);
    const bool verified =
        unit.at("evidence") == "HW" || unit.at("evidence") == "REC" || unit.at("evidence") == "CC";
    BOOST_TEST(unit.at("unverified") == !verified, name);
    BOOST_TEST(!unit.at("source").get<std::string>().empty(), name);
  }
  const Outcome one = assay("units sm90.bf16");
  BOOST_TEST(holds(one.out, "16 products"), one.out);
  BOOST_TEST(holds(one.out, "REC"), one.out);
  const Outcome unknown = assay("units sm90.bf61");
  BOOST_TEST(unknown.exit_code == 2);
  BOOST_TEST(holds(unknown.err, "sm90.bf16"), unknown.err);
}

// Whoever reads a program's output reads there, too, that a unit is unverified.
BOOST_FIXTURE_TEST_CASE(what_is_unverified_says_so_everywhere, Products) {
  write("x.safetensors", array_of(bf16, {2}, {1, 2}));
  for (const auto& [name, unverified] : {std::pair{"gfx908.bf16", true}, std::pair{"sm80.bf16", false}}) {
    const std::string dot = std::string("dot --a x.safetensors --b x.safetensors --unit ") + name;
    const json trace = json::parse(assay(dot + " --trace --json").out);
    BOOST_TEST(trace.at("unverified") == unverified, name);
    BOOST_TEST(holds(assay(dot + " --trace").out, "unverified") == unverified, name);
    BOOST_TEST(json::parse(assay(dot + " --out d.npy --json").out).at("unverified") == unverified, name);
    const json found = json::parse(assay(std::string("distinguish vdpbf16ps ") + name + " --json").out);
    BOOST_TEST(found.at("y_unverified") == unverified, name);
    BOOST_TEST(found.at("x_unverified") == false, name);
  }
  BOOST_TEST(holds(assay("list arithmetics").out, "SRC, unverified"));
}

BOOST_FIXTURE_TEST_CASE(operands_that_do_not_fit_are_refused, Products) {
  const auto refused = [&](const std::string& arguments, std::string_view says) {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments + ": " + outcome.out);
    BOOST_TEST(holds(outcome.err, says), outcome.err);
    BOOST_TEST(!std::filesystem::exists(path / "d.npy"));
  };
  const std::string operands = "--a a.safetensors --b b.safetensors --out d.npy ";
  refused("gemm --unit sm91.bf16 " + operands, "sm90.bf16");
  refused("gemm --unit sm90.bf16 --a a.safetensors --b a.safetensors --out d.npy", "70 rows");
  refused("dot --unit sm90.bf16 " + operands, "one dot product a row");
  refused("gemm --unit sm90.bf16 --output f16 " + operands, "f32");
  refused("gemm --unit sm90.bf16 --c a.safetensors " + operands, "shape [9,5]");
  refused("gemm --unit sm90.bf16 --a a.safetensors --b missing.npy --out d.npy", "missing.npy");
  refused("gemm --unit sm90.bf16 --a a.safetensors --b b.safetensors", "--out");
  // c.npy is float32 of full precision: no unit of bfloat16 takes it as it is.
  write("wide.npy", normal(f32, {70, 5}, 7));
  const std::string wide = "gemm --unit sm90.bf16 --a a.safetensors --b wide.npy --out ";
  refused(wide + "d.npy", "bfloat16");
  refused(wide + "d.npy", "--round");
  BOOST_TEST(assay(wide + "rounded.npy --round").exit_code == 0);
  // bfloat16 values in a float32 file are taken.
  write("as32.npy", array_of(f32, {70, 5}, [&] {
          std::vector<double> values;
          for (std::size_t i = 0; i < 350; ++i) values.push_back(value(b, i));
          return values;
        }()));
  BOOST_TEST(assay("gemm --unit sm90.bf16 --a a.safetensors --b as32.npy --out e.npy").exit_code == 0);
  BOOST_TEST(holds_the_product("e.npy", units().find("sm90.bf16"), false));
}

// --round is to nearest even into the unit's own format, for every unit: those of tf32 also take float32, and would
// drop its last bits.
BOOST_FIXTURE_TEST_CASE(operands_are_rounded_to_nearest_even, Folder) {
  for (const FormatSpec& from : {f32, formats::float64}) {
    const io::Array wide = normal(from, {4, 100}, 11);
    write("wide.npy", wide);
    for (const Arithmetic* unit : units().list()) {
      if (unit->info().inputs.empty()) continue;
      cli::UnitOptions o;
      o.unit = unit->info().name;
      o.a = o.b = (path / "wide.npy").string();
      o.round = true;
      const cli::UnitOperands in = cli::unit_operands(o);
      for (const io::Array* x : {&in.a, &in.b}) {
        const FormatSpec to = x->element.format();
        BOOST_TEST((to != f32 || !unit->accepts(formats::tf32, formats::tf32)), o.unit);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < 400; ++i) wrong += code(*x, i) != encode(value(wide, i), to).code ? 1 : 0;
        BOOST_TEST(wrong == 0U, o.unit << " " << to.dtype);
      }
    }
  }
  // By the command: half a last place of tf32 above an odd code goes up, and one product shows it.
  write("a.npy", array_of(f32, {1, 1}, {1 + 0x1p-10 + 0x1p-11}));
  write("one.npy", array_of(f32, {1, 1}, {1}));
  const std::string operands = "gemm --unit sm80.tf32 --a a.npy --b one.npy --out ";
  BOOST_TEST(assay(operands + "rounded.npy --round").exit_code == 0);
  BOOST_TEST(assay(operands + "cut.npy").exit_code == 0);
  BOOST_TEST(value(io::read_array((path / "rounded.npy").string()), 0) == 1 + 0x1p-9);
  BOOST_TEST(value(io::read_array((path / "cut.npy").string()), 0) == 1 + 0x1p-10);
}

// A name that is wrong is said before an option that is missing, and where nothing is near, who lists them.
BOOST_FIXTURE_TEST_CASE(a_wrong_unit_is_said_first, Products) {
  for (const char* const command : {"gemm", "dot"}) {
    const Outcome outcome =
        assay(std::string(command) + " --unit sm80.bf17 --a a.safetensors --b b.safetensors");
    BOOST_TEST(outcome.exit_code == 2);
    BOOST_TEST(holds(outcome.err, "--unit takes an arithmetic, not \"sm80.bf17\"; near names: sm80.bf16"),
               outcome.err);
  }
  const Outcome outcome = assay("study sum --unit zz");
  BOOST_TEST(outcome.exit_code == 2);
  BOOST_TEST(
      holds(outcome.err, "--unit takes an arithmetic (`assay list arithmetics` shows all), not \"zz\""),
      outcome.err);
}
