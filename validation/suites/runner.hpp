// Runs cases in a separate process, so that a case that crashes, hangs or ends the process loses only its own result.
//
// A worker is forked and runs one case after the other on command (what it has loaded or generated serves the next
// case); when it dies, the case at hand is an ERROR with the cause and a new worker takes the next. Cases that use one
// thread run beside each other, each in a worker; results come in the order of the cases all the same. The calling
// process must have run no region of several threads (reference/core/parallel.hpp): they do not survive a fork.
// ContractError if it has.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "validation/suites/selection.hpp"

namespace assay::suites {

struct RunnerOptions {
  int threads = 0;             // of a case, or cases at once; 0: as OMP_NUM_THREADS or the processors say
  double timeout_seconds = 0;  // per case; 0: none
};

struct RunnerEvents {
  std::function<void(const SelectedCase&)> started = [](const SelectedCase&) {};
  // Called every 100 ms or so while cases run, with the first of them and what it last said of its progress (fraction
  // 0..1; negative: nothing).
  std::function<void(const SelectedCase&, double seconds, double fraction, std::string_view what)> running =
      [](const SelectedCase&, double, double, std::string_view) {};
  std::function<void(const CaseRecord&)> finished = [](const CaseRecord&) {};
  // Asked as often; true kills the workers, tells what has finished, and returns from run_cases().
  std::function<bool()> interrupted = [] { return false; };
};

// False if interrupted. An exception of an event leaves through it, the workers killed. What a case prints to stdout or
// stderr becomes lines of its details: a report on stdout stays what it is. Each case begins with the default MXCSR.
bool run_cases(std::span<const SelectedCase> cases, const RunnerOptions& options, const RunnerEvents& events);

}  // namespace assay::suites
