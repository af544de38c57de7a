// A child process as a Target: it is asked in rounds over its stdin and stdout. The protocol is in probe.md.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/diagnose/program/process_threads.hpp"
#include "validation/diagnose/program/target.hpp"

namespace assay::diagnose {

enum class Form : std::uint8_t {
  text,    // numbers in decimal: one line for each operand of a case, one line of results for each case
  binary,  // codes as they lie in memory, little-endian
};
// InputError, by the name of the option.
Form parse_form(std::string_view name, std::string_view option = "--form");

struct ProgramOptions {
  std::string command{};  // for /bin/sh -c
  Form form = Form::text;
  double seconds = 60;                 // time limit of a round, from its first byte to its last
  std::size_t most_error_text = 2000;  // a message quotes at most this much of the end of stderr
  bool watch_threads = false;          // see threads_seen()
};

// Environment variables that are set to the number of threads.
inline constexpr std::array<std::string_view, 11> thread_variables{
    "OMP_NUM_THREADS",   "OPENBLAS_NUM_THREADS",   "MKL_NUM_THREADS",   "BLIS_NUM_THREADS",
    "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS",
    "TBB_NUM_THREADS",   "NUMEXPR_NUM_THREADS",    "JULIA_NUM_THREADS"};

// Starts the program at the first round. Starts it again if it ended with status 0 after a complete answer, and if the
// number of threads changes (`thread_variables` pass it on). The child leads a process group. The destructor and every
// fault kill the whole group, so nothing is left behind. Not thread-safe. Output beyond the expected size is a fault
// and is not read.
class Program {
 public:
  explicit Program(ProgramOptions options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // TargetError, with the end of the program's stderr, if the program cannot be started, ends too early or with a
  // status other than 0, exceeds the time limit, prints too little, too much, or something that is not a number.
  std::vector<Answer> ask(const Problem& problem, std::span<const Case> cases);
  // The same as a Target, which must not outlive this object.
  Target target();

  void restart();      // takes effect with the next round
  int starts() const;  // number of starts
  int child() const;   // process id, 0 if none runs
  // The largest number of significant digits among the decimal numbers that it printed; 0 if it printed none.
  int most_digits() const;
  // Of the process that runs or ran last, if threads are watched.
  ThreadsSeen threads_seen() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a program reads and writes, for our own programs and for tests.
std::string request_text(const Problem& problem, std::span<const Case> cases, Form form);
// TargetError for anything but the results of exactly `cases` cases.
std::vector<Answer> parse_answers(const Problem& problem, std::size_t cases, Form form,
                                  std::string_view text);

}  // namespace assay::diagnose
