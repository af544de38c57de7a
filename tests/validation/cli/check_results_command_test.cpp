// `assay check`: which results a verdict takes for right, what it says of those that it could not judge, and the shapes
// that a product comes in.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/validation/cli/files.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

const FormatSpec &bf16 = formats::bfloat16, &f16 = formats::float16, &f32 = formats::float32,
                 &f64 = formats::float64;
constexpr double infinity = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The exit code for a got of one value in `f`.
int with_result(const Folder& folder, const std::string& arguments, const FormatSpec& f,
                const io::Shape& shape, double got) {
  folder.write("got.safetensors", array_of(f, shape, {got}));
  return folder.assay("check " + arguments + " --got got.safetensors").exit_code;
}

}  // namespace

// One product: its one rounding is known, by what was typed or by the unit. The other neighbour is outside.
BOOST_FIXTURE_TEST_CASE(one_product_has_the_rounding_that_was_said, Folder) {
  const double a = 1 + 0x1p-12 + 0x1p-23, low = 1 + 0x1p-11 + 0x1p-22, high = low + 0x1p-23;
  write("a.npy", array_of(formats::float32, {1, 1}, {a}));
  write("low.npy", array_of(formats::float32, {1, 1}, {low}));
  write("high.npy", array_of(formats::float32, {1, 1}, {high}));
  const auto passes = [&](const std::string& got, const std::string& rest) {
    return assay("check gemm --a a.npy --b a.npy --got " + got + ".npy " + rest).exit_code;
  };
  for (const char* down : {"--mode toward-zero", "--unit chain_f32_rz", "--unit chain_f32_rd",
                           "--mode toward-zero --rounding toward-zero"}) {
    BOOST_TEST(passes("low", down) == 0, down);
    BOOST_TEST(passes("high", down) == 1, down);
  }
  for (const char* up : {"", "--mode toward-positive", "--unit chain_f32_ru", "--unit chain_f32"}) {
    BOOST_TEST(passes("low", up) == 1, up);
    BOOST_TEST(passes("high", up) == 0, up);
  }
  // No second rounding follows a sum in the output's format.
  for (const char* both : {"--mode toward-zero --rounding nearest-even", "--rounding toward-zero",
                           "--unit chain_f32_rz --rounding nearest-even"})
    BOOST_TEST(passes("high", both) == 2, both);
  BOOST_TEST(passes("low", "--rounding toward-zero --policy correctly-rounded") == 0);
  // A narrower output has a rounding of its own.
  write("half.npy", array_of(formats::float16, {1, 1}, {1}));
  BOOST_TEST(passes("half", "--rounding toward-zero") == 0);
  BOOST_TEST(passes("half", "--mode toward-zero") == 1);
}

BOOST_FIXTURE_TEST_CASE(an_overflow_that_is_certain_has_one_result, Folder) {
  write("a.npy", array_of(f32, {1, 2}, {3e38, 3e38}));
  write("ones.npy", array_of(f32, {2, 1}, {1, 1}));
  write("minus.npy", array_of(f32, {2, 1}, {-1, -1}));
  const std::string up = "gemm --a a.npy --b ones.npy", down = "gemm --a a.npy --b minus.npy";
  for (const double wrong : {-infinity, not_a_number, 5.0, 0.0}) {
    BOOST_TEST(with_result(*this, up, f32, {1, 1}, wrong) == 1, wrong);
    BOOST_TEST(with_result(*this, "sum --a a.npy", f32, {}, wrong) == 1, wrong);
  }
  BOOST_TEST(with_result(*this, up, f32, {1, 1}, infinity) == 0);
  BOOST_TEST(with_result(*this, "sum --a a.npy", f32, {}, infinity) == 0);
  BOOST_TEST(with_result(*this, down + " --activation relu", f32, {1, 1}, 77) == 1);
  BOOST_TEST(with_result(*this, down + " --activation relu --expects-zero", f32, {1, 1}, 0) == 0);
  BOOST_TEST(with_result(*this, down + " --activation clip:-1:1", f32, {1, 1}, 77) == 1);
  BOOST_TEST(with_result(*this, down + " --activation clip:-1:1", f32, {1, 1}, -1) == 0);
  write("x.npy", array_of(f32, {1, 1, 1, 2}, {3e38, 3e38}));
  BOOST_TEST(with_result(*this, "conv --a x.npy --b x.npy", f32, {1, 1, 1, 1}, 5) == 1);
  BOOST_TEST(with_result(*this, "conv --a x.npy --b x.npy", f32, {1, 1, 1, 1}, infinity) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_conversion_has_one_result, Folder) {
  const std::vector<double> x = {1.003, -2.7, 0x1p-130, -0.0, 1 + 0x1p-8};
  write("x.npy", array_of(f32, {5}, x));
  io::Array right = array_of(bf16, {5}, x), truncated = right;
  for (std::size_t i = 0; i < x.size(); ++i)
    set_code(truncated, i, encode(x[i], bf16, {.rounding = Rounding::toward_zero}).code);
  write("right.safetensors", right);
  write("truncated.safetensors", truncated);
  const std::string check = "check convert --a x.npy --got ";
  BOOST_TEST(assay(check + "right.safetensors").exit_code == 0);
  BOOST_TEST(assay(check + "truncated.safetensors").exit_code == 1);
  BOOST_TEST(assay(check + "truncated.safetensors --rounding toward-zero").exit_code == 0);
  // The sign of a zero is part of it.
  set_code(right, 3, 0);
  write("right.safetensors", right);
  BOOST_TEST(assay(check + "right.safetensors").exit_code == 1);
  // By way of float32: 1 + 2^-8 + 2^-40 is above the tie of bfloat16, its float32 is the tie.
  write("wide.npy", array_of(f64, {1}, {1 + 0x1p-8 + 0x1p-40}));
  BOOST_TEST(with_result(*this, "convert --a wide.npy", bf16, {1}, 1 + 0x1p-7) == 0);
  BOOST_TEST(with_result(*this, "convert --a wide.npy", bf16, {1}, 1) == 1);
  // Overflow of a format without infinity and NaN is its largest number.
  write("nine.npy", array_of(f32, {1}, {-9}));
  const auto narrow = [&](const FormatSpec& f, double got) {
    write("got.npy", as_integers(array_of(f, {1}, {got})));
    return assay("check convert --a nine.npy --got got.npy --got-format " + std::string(f.dtype)).exit_code;
  };
  BOOST_TEST(narrow(formats::float4_e2m1fn, -6) == 0);
  BOOST_TEST(narrow(formats::float4_e2m1fn, -4) == 1);
  BOOST_TEST(narrow(formats::float6_e2m3fn, -7.5) == 0);
}

BOOST_FIXTURE_TEST_CASE(c_and_bias_may_enter_anywhere, Folder) {
  write("a.npy", array_of(f32, {1, 3}, {1, 1, 1}));
  write("b.npy", array_of(f32, {3, 1}, {1, 1, 1}));
  write("c.npy", array_of(f32, {1, 1}, {0x1p24}));
  write("bias.npy", array_of(f32, {1}, {0x1p24}));
  for (const char* addend : {" --c c.npy", " --bias bias.npy"}) {
    const std::string product = std::string("gemm --a a.npy --b b.npy") + addend;
    for (const double right : {0x1p24, 0x1p24 + 2, 0x1p24 + 4})
      BOOST_TEST(with_result(*this, product, f32, {1, 1}, right) == 0, addend << " " << right);
    BOOST_TEST(with_result(*this, product, f32, {1, 1}, 0x1p24 - 2) == 1, addend);
    BOOST_TEST(with_result(*this, product + " --epilogue last", f32, {1, 1}, 0x1p24) == 1, addend);
    BOOST_TEST(with_result(*this, product + " --epilogue last", f32, {1, 1}, 0x1p24 + 2) == 0, addend);
  }
  BOOST_TEST(with_result(*this, "gemm --a a.npy --b b.npy --epilogue first", f32, {1, 1}, 3) == 2);
}

BOOST_FIXTURE_TEST_CASE(what_is_multiplied_by_0_is_not_read, Folder) {
  write("a.npy", array_of(f32, {1, 2}, {not_a_number, infinity}));
  write("b.npy", array_of(f32, {2, 1}, {1, 0}));
  write("c.npy", array_of(f32, {1, 1}, {not_a_number}));
  write("three.npy", array_of(f32, {1, 1}, {3}));
  BOOST_TEST(with_result(*this, "gemm --a a.npy --b b.npy --c three.npy --alpha 0", f32, {1, 1}, 3) == 0);
  BOOST_TEST(
      with_result(*this, "gemm --a a.npy --b b.npy --c three.npy --alpha 0", f32, {1, 1}, not_a_number) == 1);
  BOOST_TEST(with_result(*this, "gemm --a three.npy --b three.npy --c c.npy --beta 0", f32, {1, 1}, 9) == 0);
  // Right, and a truth that is all NaN proves nothing.
  BOOST_TEST(with_result(*this, "gemm --a a.npy --b b.npy --activation relu", f32, {1, 1}, not_a_number) ==
             3);
  BOOST_TEST(with_result(*this, "gemm --a a.npy --b b.npy --activation relu-max --expects-zero", f32, {1, 1},
                         0) == 0);
  BOOST_TEST(
      with_result(*this, "gemm --a a.npy --b b.npy --activation relu-max", f32, {1, 1}, not_a_number) == 1);
}

// A machine's unit that overflows on the way has no bound: its values are counted, everywhere.
BOOST_FIXTURE_TEST_CASE(what_was_not_judged_is_named, Folder) {
  write("a.safetensors", array_of(bf16, {2, 2}, {0x1p127, 0x1p127, 1, 2}));
  write("b.safetensors", array_of(bf16, {2, 1}, {0x1p127, 1}));
  write("got.npy", array_of(f32, {2, 1}, {5, 0x1p127}));
  const std::string check = "check gemm --a a.safetensors --b b.safetensors --got got.npy --unit sm80.bf16 ";
  const Outcome text = assay(check + "--report report");
  BOOST_TEST(text.exit_code == 0, text.out << text.err);
  const std::string first = text.out.substr(0, text.out.find('\n'));
  BOOST_TEST(holds(first, "PASSED"), first);
  BOOST_TEST(holds(first, "1 of 2 values NOT JUDGED"), first);
  const json parsed = json::parse(assay(check + "--json").out);
  BOOST_TEST(parsed.at("not_judged") == 1);
  BOOST_TEST(parsed.at("comparison").at("not_judged") == 1);
  BOOST_TEST(holds(text_of("report/report.junit.xml"), "not judged 1"));
  BOOST_TEST(holds(text_of("report/report.html"), "1 not judged"));
  const Outcome strict = assay(check + "--strict --report strict");
  BOOST_TEST(strict.exit_code == 1);
  BOOST_TEST(holds(strict.out, "FAILED"), strict.out);
  BOOST_TEST(holds(text_of("strict/report.junit.xml"), "failures=\"1\""));
  // Judged whole: strict has nothing to object to.
  BOOST_TEST(assay("check gemm --a a.safetensors --b b.safetensors --got got.npy").exit_code == 1);
}

// A sum that stops at the largest number is right by every policy.
BOOST_FIXTURE_TEST_CASE(a_clamped_sum_is_its_own_truth, Folder) {
  write("a.npy", array_of(f32, {1, 2}, {3e38, 3e38}));
  write("got.npy", array_of(f32, {1}, {decode(f32.max_finite_code(), f32)}));
  const std::string check = "check sum --axis 1 --mode toward-zero --a a.npy --got got.npy ";
  BOOST_TEST(assay(check).exit_code == 0);
  BOOST_TEST(assay(check + "--policy tolerance --atol 0 --because test").exit_code == 0);
}

BOOST_FIXTURE_TEST_CASE(the_report_says_what_would_decide, Folder) {
  const std::size_t k = 400;
  std::vector<double> alternating(k);
  for (std::size_t i = 0; i < k; ++i) alternating[i] = i % 2 == 0 ? 1.1 : -1.1 + 0.01;
  write("a.npy", array_of(f16, {1, 400}, alternating));
  write("got.npy", array_of(f16, {1}, {0.5}));
  const Outcome weak = assay("check sum --axis 1 --acc bf16 --a a.npy --got got.npy");
  BOOST_TEST(weak.exit_code == 3, weak.out);
  BOOST_TEST(holds(weak.out, "--order pairwise"), weak.out);
  // What a tensor core with 14 bits answers lies outside the bound of float32 sums.
  write("x.safetensors", normal(formats::float8_e4m3fn, {8, 64}, 1));
  write("y.safetensors", normal(formats::float8_e4m3fn, {64, 8}, 2));
  const std::string operands = " --a x.safetensors --b y.safetensors ";
  BOOST_TEST(assay("gemm --unit sm90.wgmma.f8_e4m3" + operands + "--out d.npy").exit_code == 0);
  const Outcome unit = assay("check gemm" + operands + "--got d.npy");
  BOOST_TEST(unit.exit_code == 1, unit.out);
  BOOST_TEST(holds(unit.out, "--unit"), unit.out);
  BOOST_TEST(assay("check gemm" + operands + "--got d.npy --unit sm90.wgmma.f8_e4m3").exit_code == 0);
}

BOOST_FIXTURE_TEST_CASE(products_come_in_every_shape, Folder) {
  // Small integers: one result in every order.
  const auto integers = [](const io::Shape& shape, std::uint64_t seed) {
    io::Array x = normal(f32, shape, seed);
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i)
      set_value(x, i, std::trunc(4 * value(x, i)));
    return x;
  };
  const io::Array a = integers({2, 3, 4, 5}, 1), b = integers({3, 5, 6}, 2), v = integers({5}, 3);
  write("a.npy", a);
  write("b.npy", b);
  write("v.npy", v);
  const auto at = [](const io::Array& x, std::size_t i) { return value(x, i); };
  std::vector<double> stacked, by_vector, vector_by, rows;
  for (std::size_t batch = 0; batch < 6; ++batch) {
    for (std::size_t i = 0; i < 4; ++i) {
      double dot = 0;
      for (std::size_t l = 0; l < 5; ++l) dot += at(a, (batch * 4 + i) * 5 + l) * at(v, l);
      by_vector.push_back(dot);
      for (std::size_t j = 0; j < 6; ++j) {
        double sum = 0;
        for (std::size_t l = 0; l < 5; ++l) {
          sum += at(a, (batch * 4 + i) * 5 + l) * at(b, (batch % 3 * 5 + l) * 6 + j);
        }
        stacked.push_back(sum);
      }
    }
  }
  for (std::size_t batch = 0; batch < 3; ++batch) {
    for (std::size_t j = 0; j < 6; ++j) {
      double sum = 0;
      for (std::size_t l = 0; l < 5; ++l) sum += at(v, l) * at(b, (batch * 5 + l) * 6 + j);
      vector_by.push_back(sum);
    }
  }
  write("stacked.npy", array_of(f32, {2, 3, 4, 6}, stacked));
  write("by_vector.npy", array_of(f32, {2, 3, 4}, by_vector));
  write("vector_by.npy", array_of(f32, {3, 6}, vector_by));
  const auto check = [&](const std::string& rest) {
    const Outcome outcome = assay("check " + rest);
    BOOST_TEST(outcome.exit_code == 0, rest << "\n" << outcome.out << outcome.err);
  };
  check("gemm --a a.npy --b b.npy --got stacked.npy");
  check("gemm --a a.npy --b v.npy --got by_vector.npy");
  check("gemm --a v.npy --b b.npy --got vector_by.npy");
  // A batch of one serves all, and so does one matrix.
  io::Array one = a;
  one.shape = {6, 1, 4, 5};
  write("one.npy", one);
  io::Array some = integers({1, 1, 5, 6}, 4);
  write("some.npy", some);
  some.shape = {5, 6};
  write("flat.npy", some);
  std::vector<double> broadcast;
  for (std::size_t row = 0; row < 24; ++row) {
    for (std::size_t j = 0; j < 6; ++j) {
      double sum = 0;
      for (std::size_t l = 0; l < 5; ++l) sum += at(a, row * 5 + l) * at(some, l * 6 + j);
      broadcast.push_back(sum);
    }
  }
  write("broadcast.npy", array_of(f32, {6, 1, 4, 6}, broadcast));
  check("gemm --a one.npy --b some.npy --got broadcast.npy");
  check("gemm --a one.npy --b flat.npy --got broadcast.npy");
  // Rows by one vector.
  io::Array flat_a = a;
  flat_a.shape = {24, 5};
  write("rows.npy", flat_a);
  write("dots.npy", array_of(f32, {24}, by_vector));
  check("dot --a rows.npy --b v.npy --got dots.npy");
  check("dot --a v.npy --b rows.npy --got dots.npy");
  BOOST_TEST(holds(assay("check gemm --a a.npy --b one.npy --got stacked.npy").err, "rows"));
  io::Array two = integers({2, 5, 6}, 5);
  write("two.npy", two);
  BOOST_TEST(holds(assay("check gemm --a a.npy --b two.npy --got stacked.npy").err, "stack"));
}

BOOST_FIXTURE_TEST_CASE(a_sample_is_judged_and_said_to_be_one, Folder) {
  const io::Array a = normal(f32, {40, 30}, 1), b = normal(f32, {30, 50}, 2), d = product(a, b, f32);
  write("a.npy", a);
  write("b.npy", b);
  write("d.npy", d);
  const std::string check = "check gemm --a a.npy --b b.npy --got d.npy ";
  const Outcome some = assay(check + "--sample 100");
  BOOST_TEST(some.exit_code == 0, some.out);
  BOOST_TEST(holds(some.out, "100 values:"), some.out);
  BOOST_TEST(holds(some.out, "100 of 2000 outputs were judged, drawn with seed 1"), some.out);
  BOOST_TEST(assay(check + "--sample 100").out == some.out);
  BOOST_TEST(holds(assay(check + "--sample 5000").out, "2000 values:"));
  // One wrong value in twenty is found, and its place is one of the whole output.
  io::Array wrong = d;
  for (std::size_t i = 0; i < 2000; i += 20) set_value(wrong, i + i / 20 % 20, 77);
  write("d.npy", wrong);
  const Outcome found = assay(check + "--sample 400 --seed 3");
  BOOST_TEST(found.exit_code == 1, found.out);
  BOOST_TEST(holds(found.out, "of the sample is output ["), found.out);
}
