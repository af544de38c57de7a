// Callables of Python as targets of probes, and what probe() and invariance() ask for.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/program/target.hpp"
#include "validation/python/array.hpp"

namespace assay::python {

// An operand that keeps its place from call to call: libraries choose their order of addition by the address, too.
class Slot {
 public:
  // `offset` bytes after the beginning of a cache line.
  Slot(const FormatSpec& format, const std::vector<std::size_t>& shape, std::size_t offset);
  const py::object& filled(const std::vector<std::byte>& codes);

  static constexpr std::size_t line = 64;  // bytes of a cache line

 private:
  std::byte* data_ = nullptr;
  py::object array_{};
};

// One call a case, with the same arrays in every call of one shape and address, filled anew.
class Callable {
 public:
  // `threads`: the callable gets the number of threads of a problem as a keyword.
  explicit Callable(py::function function, bool threads = false)
      : function_(std::move(function)), threads_(threads) {}

  // From here on the callable gets alpha, and beta if there is a C, as keywords: they change from call to call.
  void give_scales() { scales_ = true; }

  Operand call(const judge::Problem& problem, const diagnose::Case& input);
  // ContractError for results of another format or number than the problem's.
  std::vector<diagnose::Answer> answers(const judge::Problem& problem, std::span<const diagnose::Case> cases);

 private:
  struct Slots {
    Slot a;
    std::optional<Slot> b{}, c{};
  };
  Slots& slots_of(const judge::Problem& problem);

  py::function function_;
  bool threads_ = false, scales_ = false;
  std::map<std::tuple<std::size_t, std::size_t, std::size_t, int>, Slots> slots_{};  // by m, n, k, offset
};

// Is `function` the command line of a program? TypeError unless it is that or a callable.
bool is_program(const py::handle& function);
// ContractError for a time limit of a round that is not above 0; InputError for an unknown form.
diagnose::ProgramOptions program_of(const py::handle& function, const std::string& form, double seconds);

struct ProblemArguments {
  std::string operation{};
  std::size_t k = 0, m = 1, n = 1;
  py::object a, b, c, output;  // formats; b None: that of a, c None: no addend
  std::size_t offset = 0;
  double alpha = 1, beta = 1;
  int threads = 0;
};

// The problem, checked. Its output, where None was given, is that of a first call with zeros, or without a callable
// that of a.
judge::Problem problem_of(const ProblemArguments& given, Callable* callable);

}  // namespace assay::python
