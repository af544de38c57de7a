// A child process that computes: asked in rounds over its stdin and stdout. The protocol is in probe.md.
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
  text,    // numbers in decimal, a case's operands on a line each, a line of results for each case
  binary,  // codes as they lie in memory, little-endian
};
Form parse_form(std::string_view name);  // InputError

struct ProgramOptions {
  std::string command{};  // for /bin/sh -c
  Form form = Form::text;
  double seconds = 60;                 // for a round, from its first byte to its last
  std::size_t most_error_text = 2000;  // of stderr, the end, that a message may quote
  bool watch_threads = false;          // see threads_seen()
};

// What a number of threads is said by.
inline constexpr std::array<std::string_view, 11> thread_variables{
    "OMP_NUM_THREADS",   "OPENBLAS_NUM_THREADS",   "MKL_NUM_THREADS",   "BLIS_NUM_THREADS",
    "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS",
    "TBB_NUM_THREADS",   "NUMEXPR_NUM_THREADS",    "JULIA_NUM_THREADS"};

// Started at the first round; started again where it ended itself with status 0 after a complete answer, and
// where the number of threads changes (`thread_variables` say it). The
// child leads a process group, which is killed as a whole in the destructor and after every fault: nothing is
// left behind. One thread at a time. What a program prints is bounded by what it was asked for; more is a
// fault before it is read.
class Program {
 public:
  explicit Program(ProgramOptions options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // TargetError, with the end of the program's stderr, if it cannot be started, ends too early or with
  // another status than 0, is not done in time, prints too little, too much, or what is no number.
  std::vector<Answer> ask(const Problem& problem, std::span<const Case> cases);
  // The same as a Target, which must not outlive this.
  Target target();

  void restart();      // with the next round
  int starts() const;  // how often it was started
  int child() const;   // its process, 0 if none runs
  // Of the decimal numbers that it printed, the most significant digits; 0 where it printed none, or codes.
  int most_digits() const;
  // Of the process that runs, or ran last, where threads are watched.
  ThreadsSeen threads_seen() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a program reads and writes, for programs of ours and for tests.
std::string request_text(const Problem& problem, std::span<const Case> cases, Form form);
// TargetError for anything but the results of so many cases.
std::vector<Answer> parse_answers(const Problem& problem, std::size_t cases, Form form,
                                  std::string_view text);

}  // namespace assay::diagnose
