#include "validation/python/callable.hpp"

#include <cstdint>
#include <cstring>
#include <memory>

#include "reference/core/error.hpp"
#include "validation/compare/codes.hpp"
#include "validation/judge/arrays.hpp"

namespace assay::python {

using diagnose::Answer;
using diagnose::Case;
using judge::Problem;

namespace {

void require(const Problem& p, const Operand& result) {
  if (result.element.format() != p.output) {
    throw ContractError("the callable returned " + result.element.name() + ", not " +
                        std::string(p.output.dtype) + ", as output says or its first result was");
  }
  if (result.size() != p.outputs()) {
    throw ContractError("the callable returned an array of shape " + io::to_string(result.io_shape()) +
                        ", not " + std::to_string(p.outputs()) + " values");
  }
}

int checked_offset(std::size_t offset) {
  if (offset >= Slot::line) {
    throw ContractError("offset: " + std::to_string(offset) + ", not 0 to " + std::to_string(Slot::line - 1) +
                        " bytes from a cache line's beginning");
  }
  return static_cast<int>(offset);
}

}  // namespace

Slot::Slot(const FormatSpec& format, const std::vector<std::size_t>& shape, std::size_t offset) {
  std::size_t bytes = code_bytes(format);
  for (const std::size_t d : shape) bytes *= d;
  auto memory = std::make_shared<std::vector<std::byte>>(bytes + 2 * line);
  const auto address = reinterpret_cast<std::uintptr_t>(memory->data());
  data_ = memory->data() + (line - address % line) % line + offset;
  array_ = numpy_view(memory, data_, format, io::Shape(shape.begin(), shape.end()));
}

const py::object& Slot::filled(const std::vector<std::byte>& codes) {
  if (!codes.empty()) std::memcpy(data_, codes.data(), codes.size());
  return array_;
}

Callable::Slots& Callable::slots_of(const Problem& p) {
  const std::tuple key(p.m, p.n, p.k, p.offset);
  if (const auto at = slots_.find(key); at != slots_.end()) return at->second;
  const bool gemm = p.operation == judge::SumOperation::gemm;
  const auto offset = static_cast<std::size_t>(p.offset);
  Slots slots{.a = Slot(p.a, gemm ? std::vector{p.m, p.k} : std::vector{p.k}, offset)};
  if (p.b_size() != 0) slots.b.emplace(p.b, gemm ? std::vector{p.k, p.n} : std::vector{p.k}, offset);
  if (p.c) slots.c.emplace(*p.c, std::vector{p.m, p.n}, offset);
  return slots_.emplace(key, std::move(slots)).first->second;
}

Operand Callable::call(const Problem& p, const Case& input) {
  Slots& slots = slots_of(p);
  py::list arguments;
  arguments.append(slots.a.filled(input.a));
  if (slots.b) arguments.append(slots.b->filled(input.b));
  if (slots.c) arguments.append(slots.c->filled(input.c));
  py::dict keywords;
  if (scales_) {
    keywords["alpha"] = p.alpha;
    if (slots.c) keywords["beta"] = p.beta;
  }
  if (threads_) keywords["threads"] = p.threads;
  const py::object result = function_(*arguments, **keywords);
  return operand(result, "what the callable returned");
}

std::vector<Answer> Callable::answers(const Problem& p, std::span<const Case> cases) {
  std::vector<Answer> all;
  all.reserve(cases.size());
  for (const Case& input : cases) {
    Operand result = call(p, input);
    require(p, result);
    all.push_back(judge::all_codes(codes_of(result)));
  }
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  return all;
}

bool is_program(const py::handle& function) {
  if (py::isinstance<py::str>(function)) return true;
  if (PyCallable_Check(function.ptr()) != 0) return false;
  throw py::type_error("function: " + std::string(py::repr(function)) +
                       "; a callable, or the command line of a program");
}

diagnose::ProgramOptions program_of(const py::handle& function, const std::string& form, double seconds) {
  if (!(seconds > 0)) throw ContractError("seconds: no time for a round");
  if (function.cast<std::string>().empty()) throw ContractError("function: an empty command line");
  diagnose::ProgramOptions program;
  program.command = function.cast<std::string>();
  program.form = diagnose::parse_form(form, "form");
  program.seconds = seconds;
  return program;
}

Problem problem_of(const ProblemArguments& given, Callable* callable) {
  Problem p{.operation = judge::parse_operation(given.operation), .m = given.m, .n = given.n, .k = given.k};
  p.a = format_of(given.a);
  p.offset = checked_offset(given.offset);
  p.threads = given.threads;
  p.b = given.b.is_none() ? p.a : format_of(given.b);
  if (!given.c.is_none()) p.c = format_of(given.c);
  p.alpha = scale_of(p, given.alpha);
  p.beta = scale_of(p, given.beta);
  check_problem(p);
  if (callable != nullptr && p.scaled()) callable->give_scales();
  if (!given.output.is_none()) {
    p.output = format_of(given.output);
  } else if (callable == nullptr) {
    p.output = p.a;
  } else {
    const Case zeros{.a = std::vector<std::byte>(p.a_size() * code_bytes(p.a)),
                     .b = std::vector<std::byte>(p.b_size() * code_bytes(p.b)),
                     .c = std::vector<std::byte>(p.c ? p.c_size() * code_bytes(*p.c) : 0)};
    p.output = callable->call(p, zeros).element.format();
  }
  p.alpha = scale_of(p, given.alpha);
  p.beta = scale_of(p, given.beta);
  check_problem(p);
  return p;
}

}  // namespace assay::python
