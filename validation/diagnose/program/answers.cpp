#include "validation/diagnose/program/answers.hpp"

#include <utility>

#include "reference/core/error.hpp"
#include "reference/exact/code_view.hpp"
#include "validation/judge/operands.hpp"

namespace assay::diagnose {
namespace {

// The codes of a matrix by rows, turned if it is stored transposed.
std::vector<std::byte> by_rows(const io::Array& array, bool transposed) {
  if (!transposed) return array.bytes;
  const operations::MatrixStack stored(judge::view_of(array), true);
  const CodeMatrix x = stored.matrix(0);
  std::vector<std::byte> bytes(array.bytes.size());
  const MutableCodeMatrix rows{bytes.data(), x.rows, x.cols, static_cast<std::ptrdiff_t>(x.cols), 1,
                               x.format};
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) rows.set(i, j, x.code(i, j));
  }
  return bytes;
}

io::Array array_of(const std::vector<Answer>& answers, const FormatSpec& f, io::Shape shape) {
  io::Array got = io::make_array(f, std::move(shape));
  const MutableCodeVector codes{got.bytes.data(), static_cast<std::size_t>(got.size()), 1, f};
  std::size_t i = 0;
  for (const Answer& answer : answers) {
    for (const std::uint64_t code : answer) codes.set(i++, code);
  }
  return got;
}

io::Array ask(Program& program, const judge::Request& r) {
  Problem problem{.a = r.a->element.format(), .b = r.b->element.format(), .output = r.got.element.format()};
  const auto size = [](const io::Array& array, std::size_t d) {
    return static_cast<std::size_t>(array.shape.at(d));
  };
  std::vector<Case> cases;
  if (r.operation == "gemm") {
    problem.operation = SumOperation::gemm;
    problem.m = size(*r.a, r.transpose_a ? 1 : 0);
    problem.k = size(*r.a, r.transpose_a ? 0 : 1);
    problem.n = size(*r.b, r.transpose_b ? 0 : 1);
    cases.push_back({by_rows(*r.a, r.transpose_a), by_rows(*r.b, r.transpose_b), {}});
    if (r.c) {
      problem.c = r.c->element.format();
      cases.back().c = r.c->bytes;
    }
  } else {
    problem.k = size(*r.a, 1);
    const auto row = [&](const io::Array& all, std::size_t i) {
      const auto bytes = static_cast<std::ptrdiff_t>(problem.k * all.element.bytes());
      const auto begin = all.bytes.begin() + static_cast<std::ptrdiff_t>(i) * bytes;
      return std::vector<std::byte>(begin, begin + bytes);
    };
    for (std::size_t i = 0; i < size(*r.a, 0); ++i) cases.push_back({row(*r.a, i), row(*r.b, i), {}});
  }
  return array_of(program.ask(problem, cases), problem.output, r.got.shape);
}

}  // namespace

void require_askable(const judge::Request& r, std::string_view option) {
  const std::string named(option);
  if (r.operation == "convert")
    throw UsageError(named + " takes a check of gemm or dot; convert shrinks each value without a program");
  for (const char* joined : {"alpha", "beta", "bias", "activation"}) {
    if (r.given.contains(joined))
      throw UsageError(named + " takes a check of A B or A B + C, without " + r.option(joined));
  }
  if (r.operation == "dot" && r.c)
    throw UsageError(named +
                     " takes a check of gemm if there is a C: a program cannot be asked for dot with a C");
}

judge::Answers answers_of(Program& program) {
  return [&program, first = true](const judge::Request& smaller) mutable -> std::optional<io::Array> {
    if (std::exchange(first, false)) return ask(program, smaller);
    try {
      return ask(program, smaller);
    } catch (const TargetError&) {
      return std::nullopt;
    }
  };
}

}  // namespace assay::diagnose
