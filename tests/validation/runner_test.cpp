// Cases that end in every way there is: each costs its own result and nothing else.
#include "validation/suites/runner.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <stdexcept>

#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "tests/validation/selftest_suite.hpp"

using namespace assay;
using namespace assay::suites;

namespace {

struct Run {
  std::vector<CaseRecord> records;
  bool whole = false;

  const CaseResult& operator[](const std::string& name) const {
    for (const CaseRecord& r : records) {
      if (r.name == name) return r.result;
    }
    throw std::runtime_error("no result for " + name);
  }
};

Run run(const std::string& suite, const RunnerOptions& options = {}, RunnerEvents events = {}) {
  // Boost.Test catches crashes to report them, and the worker would inherit that.
  for (const int signal : {SIGSEGV, SIGABRT}) ::signal(signal, SIG_DFL);
  std::vector<Suite> suites = selftest::all_suites();
  suites.push_back(selftest::beside_suite());
  suites.push_back(selftest::waiting_suite());
  const auto cases = select_cases(suites, {.suites = {suite}}, {});
  Run result;
  events.finished = [&](const CaseRecord& record) { result.records.push_back(record); };
  result.whole = run_cases(cases, options, events);
  return result;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// A worker that was not waited for would be found here.
bool no_children_left() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

}  // namespace

BOOST_AUTO_TEST_CASE(every_way_to_end) {
  const Run r = run("selftest");
  BOOST_TEST(r.whole);
  struct Expected {
    const char* name;
    Status status;
    Fault fault;
    const char* reason;
  };
  const Expected table[] = {
      {"passes", Status::passed, {}, ""},
      {"seeded n=3 seed=1", Status::passed, {}, ""},
      {"fails", Status::failed, {}, "2 of 9 differ"},
      {"lies_about_mismatches", Status::failed, {}, "counted mismatches"},
      {"compares_nothing", Status::vacuous, {}, "nothing was compared"},
      {"vacuous", Status::vacuous, {}, "zero everywhere"},
      {"skips", Status::skipped, {}, "no such data"},
      {"is_unavailable", Status::skipped, {}, "no such instruction"},
      {"reads_bad_input", Status::error, Fault::input, "a.tsv: line 3: expected a number, found \"x\""},
      {"breaks_a_contract", Status::error, Fault::ours, "3 rows for 4"},
      {"throws", Status::error, Fault::code_under_test, "out of patience"},
      {"throws_an_int", Status::error, Fault::code_under_test, "no std::exception"},
      {"runs_out_of_memory", Status::error, Fault::code_under_test, "memory"},
      {"segfaults", Status::error, Fault::code_under_test, "signal 11 (SIGSEGV)"},
      {"aborts", Status::error, Fault::code_under_test, "signal 6 (SIGABRT)"},
      {"exits", Status::error, Fault::code_under_test, "exit code 0"},
      {"exits_at_once", Status::error, Fault::code_under_test, "exit code 5"},
      {"is_killed", Status::error, Fault::code_under_test, "signal 9 (SIGKILL)"},
      {"prints", Status::passed, {}, ""},
      {"changes_mxcsr", Status::passed, {}, ""},
      {"needs_default_mxcsr", Status::passed, {}, ""},
      {"uses_openmp", Status::passed, {}, ""},
      {"leaves_a_child", Status::passed, {}, ""},
      {"dies_with_a_child", Status::error, Fault::code_under_test, "exit code 6"},
      {"passes_last", Status::passed, {}, ""},
  };
  for (const Expected& e : table) {
    const std::string name = std::string("selftest/") + e.name;
    const CaseResult& result = r[name];
    BOOST_TEST(status_name(result.status) == status_name(e.status),
               name << ": " << status_name(result.status));
    BOOST_TEST(holds(result.reason, e.reason), name << ": " << result.reason);
    if (e.status == Status::error) {
      BOOST_TEST(fault_name(result.fault) == fault_name(e.fault), name << ": " << fault_name(result.fault));
    }
  }
  BOOST_TEST(r.records.size() == 25U);
  BOOST_TEST(r["selftest/fails"].details.at(0) == "worst at 4: want 0x3f80 got 0x3f81");
  BOOST_TEST(r["selftest/prints"].details.at(0) == "printed: {\"record\": \"not a report\"}");
  BOOST_TEST(r["selftest/aborts"].details.at(0) == "printed: about to abort");
  BOOST_TEST(r["selftest/passes_last"].details.empty());
  BOOST_TEST(no_children_left());
}

BOOST_AUTO_TEST_CASE(a_hanging_case_runs_out_of_time) {
  const Run r = run("slow", {.timeout_seconds = 2});
  BOOST_TEST(r.whole);
  BOOST_TEST(r.records.size() == 3U);
  BOOST_TEST(r["slow/hangs"].reason == "no result after 2 s (--timeout)");
  BOOST_TEST((r["slow/hangs"].fault == Fault::code_under_test));
  BOOST_TEST((r["slow/passes_after"].status == Status::passed));
  BOOST_TEST(no_children_left());
}

BOOST_AUTO_TEST_CASE(progress_comes_through_and_an_interruption_stops) {
  bool waiting = false;
  RunnerEvents events;
  events.running = [&](const SelectedCase& c, double, double fraction, std::string_view what) {
    waiting = waiting || (c.name == "slow/hangs" && fraction == 0.25 && what == "waiting");
  };
  events.interrupted = [&] { return waiting; };
  const Run r = run("slow", {}, events);
  BOOST_TEST(!r.whole);
  BOOST_TEST(r.records.size() == 1U);
  BOOST_TEST(no_children_left());
}

BOOST_AUTO_TEST_CASE(an_event_that_throws_leaves_nothing_behind) {
  RunnerEvents events;
  events.started = [](const SelectedCase& c) {
    if (c.name == "slow/hangs") throw std::runtime_error("stop");
  };
  BOOST_CHECK_THROW(run("slow", {}, events), std::runtime_error);
  BOOST_TEST(no_children_left());
}

BOOST_AUTO_TEST_CASE(threads_reach_openmp_and_the_case) {
  BOOST_TEST(run("selftest", {.threads = 3})["selftest/uses_openmp"].checked == 3U);
}

BOOST_AUTO_TEST_CASE(cases_of_one_thread_run_beside_each_other) {
  const Run r = run("beside", {.threads = 3, .timeout_seconds = 60});
  BOOST_TEST(r.whole);
  std::string names;
  for (const CaseRecord& record : r.records) {
    names += record.name + " ";
    BOOST_TEST((record.result.status == Status::passed), record.name << ": " << record.result.reason);
  }
  BOOST_TEST(names == "beside/first beside/second beside/alone beside/last ");
  BOOST_TEST(r["beside/last"].checked == 1U);  // thread, whatever others have
  BOOST_TEST(no_children_left());
}

// The third begins where the second ended; its result still waits for the first then.
BOOST_AUTO_TEST_CASE(an_interruption_keeps_what_waits_for_an_earlier_case) {
  bool third = false;
  RunnerEvents events;
  events.started = [&](const SelectedCase& c) { third = third || c.name == "waiting/hangs_too"; };
  events.interrupted = [&] { return third; };
  const Run r = run("waiting", {.threads = 2, .timeout_seconds = 60}, events);
  BOOST_TEST(!r.whole);
  BOOST_TEST(r.records.size() == 1U);
  BOOST_TEST((r["waiting/passes"].status == Status::passed));
  BOOST_TEST(no_children_left());
}

// In a child, so that this process may go on to fork.
BOOST_AUTO_TEST_CASE(no_case_runs_in_a_process_that_had_threads) {
  const pid_t child = ::fork();
  if (child == 0) {
    parallel_for(10, 2, [](std::size_t) {});
    try {
      run("selftest");
    } catch (const ContractError& e) {
      ::_exit(std::string(e.what()).starts_with("run_cases would fork after 1 parallel regions; ") ? 0 : 1);
    }
    ::_exit(2);
  }
  int status = -1;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
}
