// A stochastic arithmetic draws its bits by the place of an output in the whole result: however the result is cut,
// it is the same.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "reference/exact/chain.hpp"
#include "reference/exact/wide_arithmetic.hpp"
#include "reference/formats/stochastic.hpp"
#include "reference/operations/conv.hpp"
#include "reference/operations/gemm.hpp"
#include "reference/operations/reduce.hpp"
#include "tests/reference/exact/operands.hpp"

using namespace assay;
using namespace assay::test;

namespace {

const ArithmeticRegistry& chains() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_chains(r);
    return r;
  }();
  return registry;
}

std::vector<const Arithmetic*> stochastic_ones() {
  std::vector<const Arithmetic*> found;
  std::copy_if(chains().list().begin(), chains().list().end(), std::back_inserter(found),
               [](const Arithmetic* x) { return x->info().stochastic; });
  return found;
}

std::size_t differing(const CodeArray& x, const CodeArray& y) {
  std::size_t n = x.size() == y.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) n += x.code(i) != y.code(i);
  return n;
}

constexpr std::size_t batches = 3, m = 5, n = 7, k = 40;

// A batch of products under one arithmetic.
struct Products {
  explicit Products(const Arithmetic& x)
      : arithmetic(x),
        f(x.info().accumulator),
        operands(make_operands(Operands::normal, batches * std::max(m, n) * k, f, f, 3)),
        whole(batches * m * n, f) {
    problem.a = operands.a.matrix(m, k);
    problem.b = operands.b.matrix(k, n);
    problem.batch = batches;
    problem.a_batch_stride = m * k;
    problem.b_batch_stride = k * n;
    problem.d_batch_stride = m * n;
  }
  CodeMatrix a(std::size_t batch) const {
    return {detail::advance_codes(problem.a.data, static_cast<std::ptrdiff_t>(batch * m * k), code_bytes(f)),
            m,
            k,
            k,
            1,
            f};
  }
  CodeMatrix b(std::size_t batch) const {
    return {detail::advance_codes(problem.b.data, static_cast<std::ptrdiff_t>(batch * k * n), code_bytes(f)),
            k,
            n,
            n,
            1,
            f};
  }
  MutableCodeMatrix d(CodeArray& into, std::size_t batch) const {
    MutableCodeMatrix out = into.out(m, n);
    out.data = detail::advance_codes(out.data, static_cast<std::ptrdiff_t>(batch * m * n), code_bytes(f));
    return out;
  }

  const Arithmetic& arithmetic;
  FormatSpec f;
  OperandPair operands;
  CodeArray whole;
  GemmProblem problem{};
};

template <class Matrix>
Matrix some_columns(Matrix x, std::size_t first, std::size_t count) {
  x.data =
      detail::advance_codes(x.data, static_cast<std::ptrdiff_t>(first) * x.col_stride, code_bytes(x.format));
  x.cols = count;
  return x;
}

}  // namespace

BOOST_AUTO_TEST_CASE(there_are_stochastic_arithmetics) {
  std::vector<std::string> names;
  for (const Arithmetic* x : stochastic_ones()) names.push_back(x->info().name);
  BOOST_TEST(std::count(names.begin(), names.end(), "chain_f32_sr") == 1);
  BOOST_TEST(std::count(names.begin(), names.end(), "chain_bf16_sr") == 1);
  for (const Arithmetic* x : chains().list())
    BOOST_TEST(x->info().stochastic == (x->accumulation()->rounding == Rounding::stochastic), x->info().name);
}

// The bits of output e, rounding i, are random_bits(seed, e << 32 | i, 32): recorded results rest on it.
BOOST_AUTO_TEST_CASE(the_bits_of_a_chain_are_pinned) {
  const FormatSpec& f = formats::float32;
  const auto [a, b] = make_operands(Operands::normal, 20, f, f, 9);
  const Arithmetic& chain = chains().find("chain_f32_sr");
  for (const std::uint64_t element : {0ULL, 1ULL, 12345ULL, 0xFFFFFFFFULL}) {
    std::uint64_t sum = 0, roundings = 0;
    const auto options = [&] {
      return EncodeOptions{.rounding = Rounding::stochastic,
                           .random = random_bits(1, element << 32 | roundings++, 32)};
    };
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::uint64_t p =
          encode(wide_product(exact_from_code(a.code(i), f), exact_from_code(b.code(i), f)), f, options())
              .code;
      const ExactValue<Wide> s =
          wide_sum(widened(exact_from_code(p, f)), widened(exact_from_code(sum, f)), Rounding::stochastic);
      sum = encode(s, f, options()).code;
    }
    BOOST_TEST(chain.dot(a.view(), b.view(), {}, element) == sum, "output " << element);
  }
}

BOOST_AUTO_TEST_CASE(a_product_is_the_same_however_it_is_cut) {
  for (const Arithmetic* arithmetic : stochastic_ones()) {
    Products p(*arithmetic);
    gemm(*arithmetic, p.problem, p.whole.out(m, n));

    CodeArray dots(p.whole.size(), p.f), slices(p.whole.size(), p.f), tiles(p.whole.size(), p.f),
        problems(p.whole.size(), p.f), scaled(p.whole.size(), p.f);
    for (std::size_t batch = 0; batch < batches; ++batch) {
      const std::uint64_t first = batch * m * n;
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j)
          dots.set(first + i * n + j,
                   arithmetic->dot(p.a(batch).row(i), p.b(batch).column(j), {}, first + i * n + j));
      }
      arithmetic->gemm(p.a(batch), p.b(batch), {}, p.d(slices, batch), {.offset = first});
      for (std::size_t i = 0; i < m; i += 2) {
        for (std::size_t j = 0; j < n; j += 3) {
          const std::size_t rows = std::min<std::size_t>(2, m - i), cols = std::min<std::size_t>(3, n - j);
          arithmetic->gemm(some_rows(p.a(batch), i, rows), some_columns(p.b(batch), j, cols), {},
                           some_columns(some_rows(p.d(tiles, batch), i, rows), j, cols),
                           {.offset = first + i * n + j, .row_stride = n});
        }
      }
    }
    // Columns 0 to 3 and 4 to 6 of all matrices, each a batch of its own.
    for (const auto& [j, cols] : {std::pair<std::size_t, std::size_t>{0, 4}, {4, 3}}) {
      GemmProblem part = p.problem;
      part.b = some_columns(part.b, j, cols);
      part.origin = {.offset = j, .row_stride = n};
      part.origin_batch_stride = m * n;
      gemm(*arithmetic, part, some_columns(problems.out(m, n), j, cols));
    }
    const std::string& name = arithmetic->info().name;
    BOOST_TEST(differing(p.whole, dots) == 0U, name);
    BOOST_TEST(differing(p.whole, slices) == 0U, name);
    BOOST_TEST(differing(p.whole, tiles) == 0U, name);
    BOOST_TEST(differing(p.whole, problems) == 0U, name);

    // With an epilogue the sums come by way of an array of their own: the same bits, doubled.
    GemmProblem doubled = p.problem;
    doubled.epilogue.alpha = 2;
    gemm(*arithmetic, doubled, scaled.out(m, n));
    for (std::size_t i = 0; i < scaled.size(); ++i)
      BOOST_TEST(decode(scaled.code(i), p.f) == 2 * decode(p.whole.code(i), p.f), name);
  }
}

BOOST_AUTO_TEST_CASE(batches_rows_and_streams_draw_apart) {
  for (const Arithmetic* arithmetic : stochastic_ones()) {
    Products p(*arithmetic);
    p.problem.a_batch_stride = p.problem.b_batch_stride = 0;  // one product, three times
    gemm(*arithmetic, p.problem, p.whole.out(m, n));
    std::vector<CodeArray> of_streams;
    for (const std::uint32_t stream : {0U, 1U, 2U, 0xFFFFFFFFU}) {
      of_streams.emplace_back(m * n, p.f);
      arithmetic->gemm(p.a(0), p.b(0), {}, of_streams.back().out(m, n), {.stream = stream});
    }
    std::size_t same = 0;
    for (std::size_t i = 0; i < m * n; ++i) {
      same += p.whole.code(i) == p.whole.code(m * n + i);
      same += of_streams[0].code(i) == of_streams[1].code(i);
      same += of_streams[1].code(i) == of_streams[2].code(i);
      same += of_streams[0].code(i) == of_streams[3].code(i);
      BOOST_TEST(of_streams[0].code(i) == p.whole.code(i));
      // A place beyond 2^32 is one of its own, too.
      same += arithmetic->dot(p.a(0).row(i / n), p.b(0).column(i % n), {}, (std::uint64_t{1} << 32) + i) ==
              p.whole.code(i);
    }
    BOOST_TEST(same < 5 * m * n / 2, arithmetic->info().name << ": " << same << " results are the same");
  }
}

BOOST_AUTO_TEST_CASE(images_and_lines_are_the_same_alone) {
  for (const Arithmetic* arithmetic : stochastic_ones()) {
    const FormatSpec& f = arithmetic->info().accumulator;
    ConvProblem conv{.batch = 3,
                     .channels = 2,
                     .height = 6,
                     .width = 5,
                     .outputs = 2,
                     .kernel_height = 3,
                     .kernel_width = 3};
    const auto [x, w] = make_operands(Operands::normal, conv.input_size(), f, f, 5);
    CodeArray y(conv.output_size(), f);
    conv2d(*arithmetic, conv, x.view(), w.view().part(0, conv.weight_size()), {}, y.out());
    ConvProblem one = conv;
    one.batch = 1;
    CodeArray z(one.output_size(), f);
    for (std::size_t image = 0; image < conv.batch; ++image) {
      one.first = image * one.output_size();
      conv2d(*arithmetic, one, x.view().part(image * one.input_size(), one.input_size()),
             w.view().part(0, conv.weight_size()), {}, z.out());
      for (std::size_t i = 0; i < z.size(); ++i)
        BOOST_TEST(z.code(i) == y.code(image * z.size() + i), arithmetic->info().name);
    }
    const ReduceProblem sums{.outer = 4, .length = 15};
    CodeArray s(4, f), line(1, f);
    reduce(*arithmetic, sums, x.view().part(0, 60), s.out());
    for (std::size_t i = 0; i < 4; ++i) {
      reduce(*arithmetic, {.length = 15, .first = i}, x.view().part(15 * i, 15), line.out());
      BOOST_TEST(line.code(0) == s.code(i), arithmetic->info().name);
    }
  }
}

// A deterministic arithmetic does not ask.
BOOST_AUTO_TEST_CASE(deterministic_arithmetics_have_one_result_everywhere) {
  for (const Arithmetic* arithmetic : chains().list()) {
    if (arithmetic->info().stochastic) continue;
    Products p(*arithmetic);
    CodeArray moved(m * n, p.f);
    arithmetic->gemm(p.a(0), p.b(0), {}, p.d(p.whole, 0));
    arithmetic->gemm(p.a(0), p.b(0), {}, moved.out(m, n), {.offset = 77, .row_stride = 100, .stream = 5});
    for (std::size_t i = 0; i < moved.size(); ++i)
      BOOST_TEST(moved.code(i) == p.whole.code(i), arithmetic->info().name);
  }
}
