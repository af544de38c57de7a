#include "tests/validation/selftest_suite.hpp"

#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <stdexcept>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"

namespace assay::selftest {
namespace {

using suites::Case;
using suites::RunContext;

CaseResult passed(std::uint64_t checked = 1) {
  CaseResult result;
  result.status = Status::passed;
  result.checked = checked;
  return result;
}

CaseResult with_status(Status status, std::string reason) {
  CaseResult result;
  result.status = status;
  result.reason = std::move(reason);
  return result;
}

CaseResult hang() {
  for (;;) ::pause();
}

// Writing through it is a fault that no compiler can see coming.
volatile int* nowhere() {
  static volatile std::uintptr_t address = 16;
  return reinterpret_cast<volatile int*>(address);
}

// A process that outlives its case and holds whatever the case had open.
void start_child() {
  if (::fork() == 0) {
    for (;;) ::pause();
  }
}

std::vector<Case> selftest_cases(const RunContext& context) {
  std::vector<Case> cases;
  const auto add = [&cases](std::string member, std::function<CaseResult(const RunContext&)> run) {
    cases.push_back({std::move(member), {}, std::move(run)});
  };
  add("passes", [](const RunContext&) { return passed(7); });
  cases.push_back({"seeded", {{"n", "3"}, {"seed", std::to_string(context.seed)}}, [](const RunContext& c) {
                     CaseResult result = passed(3);
                     result.figures = {{"seed", static_cast<double>(c.seed), ""}};
                     return result;
                   }});
  add("fails", [](const RunContext&) {
    CaseResult result = with_status(Status::failed, "2 of 9 differ");
    result.checked = 9;
    result.mismatches = 2;
    result.details = {"worst at 4: want 0x3f80 got 0x3f81"};
    return result;
  });
  add("lies_about_mismatches", [](const RunContext&) {
    CaseResult result = passed(5);
    result.mismatches = 1;
    return result;
  });
  add("compares_nothing", [](const RunContext&) { return passed(0); });
  add("vacuous",
      [](const RunContext&) { return with_status(Status::vacuous, "the truth is zero everywhere"); });
  add("skips", [](const RunContext&) { return with_status(Status::skipped, "no such data"); });
  add("is_unavailable",
      [](const RunContext&) -> CaseResult { throw Unavailable("this CPU has no such instruction"); });
  add("reads_bad_input",
      [](const RunContext&) -> CaseResult { throw InputError("a.tsv", "line 3", "a number", "\"x\""); });
  add("breaks_a_contract", [](const RunContext&) -> CaseResult { throw ContractError("3 rows for 4"); });
  add("throws", [](const RunContext&) -> CaseResult { throw std::runtime_error("out of patience"); });
  add("throws_an_int", [](const RunContext&) -> CaseResult { throw 3; });
  add("runs_out_of_memory", [](const RunContext&) -> CaseResult { throw std::bad_alloc(); });
  add("segfaults", [](const RunContext&) {
    *nowhere() = 1;
    return passed();
  });
  add("aborts", [](const RunContext&) -> CaseResult {
    std::fputs("about to abort\n", stderr);
    std::abort();
  });
  // Not std::exit: in a process forked from a Boost.Test program it would take the framework's own objects down.
  add("exits", [](const RunContext&) -> CaseResult { std::quick_exit(0); });
  add("exits_at_once", [](const RunContext&) -> CaseResult { ::_exit(5); });
  add("is_killed", [](const RunContext&) {
    ::raise(SIGKILL);
    return passed();
  });
  add("prints", [](const RunContext&) {
    std::puts("{\"record\": \"not a report\"}");
    return passed();
  });
  add("changes_mxcsr", [](const RunContext&) {
    _mm_setcsr(0x9FC0);  // flush to zero, denormals are zero
    return passed();
  });
  add("needs_default_mxcsr", [](const RunContext&) {
    CaseResult result = passed();
    result.mismatches = mxcsr() == 0x1F80 ? 0 : 1;
    return result;
  });
  add("uses_openmp", [](const RunContext& c) {
    std::atomic<std::uint64_t> threads = 0;
    parallel_workers(0, [&](const assay::Worker&) { ++threads; });
    CaseResult result = passed(threads);
    result.mismatches = c.threads == 0 || threads == static_cast<std::uint64_t>(c.threads) ? 0 : 1;
    return result;
  });
  add("leaves_a_child", [](const RunContext&) {
    start_child();
    return passed();
  });
  add("dies_with_a_child", [](const RunContext&) -> CaseResult {
    start_child();
    ::_exit(6);
  });
  add("passes_last", [](const RunContext&) { return passed(7); });
  return cases;
}

// What processes of one run see of each other.
struct Meeting {
  sem_t first_is_here, second_was_here;
  std::atomic<int> ended;
};
Meeting& meeting() {
  static Meeting* const shared = [] {
    void* const page =
        ::mmap(nullptr, sizeof(Meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) throw std::bad_alloc();
    auto* const made = new (page) Meeting{};
    ::sem_init(&made->first_is_here, 1, 0);
    ::sem_init(&made->second_was_here, 1, 0);
    return made;
  }();
  return *shared;
}

// Two that only end if they run at the same time, the first one last; one that none may run beside; one more.
std::vector<Case> beside_cases(const RunContext&) {
  meeting();  // before the processes part
  const auto after = [](int others) {
    const bool right = meeting().ended++ == others;
    return right ? passed()
                 : with_status(Status::failed, "another case had not ended, or had begun too early");
  };
  return {{.member = "first",
           .run =
               [after](const RunContext&) {
                 ::sem_post(&meeting().first_is_here);
                 ::sem_wait(&meeting().second_was_here);
                 return after(1);
               },
           .one_thread = true},
          {.member = "second",
           .run =
               [after](const RunContext&) {
                 ::sem_wait(&meeting().first_is_here);
                 const CaseResult result = after(0);
                 ::sem_post(&meeting().second_was_here);
                 return result;
               },
           .one_thread = true},
          {.member = "alone", .run = [after](const RunContext&) { return after(2); }},
          {.member = "last",
           .run =
               [after](const RunContext& c) {
                 CaseResult result = after(3);
                 result.checked = static_cast<std::uint64_t>(c.threads);
                 return result;
               },
           .one_thread = true}};
}

std::vector<Case> slow_cases(const RunContext&) {
  std::vector<Case> cases;
  cases.push_back({"passes", {}, [](const RunContext&) { return passed(); }});
  // Writes its process id where the test looks, so that the test knows whom to look for afterwards.
  cases.push_back({"hangs", {}, [](const RunContext& context) {
                     if (const char* const path = std::getenv("SELFTEST_PID_FILE")) {
                       std::ofstream(path) << ::getpid() << std::endl;
                     }
                     context.progress(0.25, "waiting");
                     return hang();
                   }});
  cases.push_back({"passes_after", {}, [](const RunContext&) { return passed(); }});
  return cases;
}

std::vector<Case> calm_cases(const RunContext& context) {
  const int count = context.scale == suites::Scale::quick      ? 2
                    : context.scale == suites::Scale::standard ? 4
                                                               : 8;
  std::vector<Case> cases;
  for (int i = 0; i < count; ++i) {
    cases.push_back({"adds",
                     {{"i", std::to_string(i)}, {"seed", std::to_string(context.seed)}},
                     [](const RunContext& c) { return passed(c.seed % 1000 + 1); }});
  }
  return cases;
}

std::vector<Case> no_cases(const RunContext&) { return {}; }

}  // namespace

std::vector<suites::Suite> all_suites() {
  return {{"selftest", "a case for every way to end", selftest_cases},
          {"slow", "a case that never ends, between two that do", slow_cases},
          {"calm", "cases that pass", calm_cases},
          {"none", "no case", no_cases}};
}

suites::Suite waiting_suite() {
  return {"waiting", "a case that passes between two that never end", [](const RunContext&) {
            return std::vector<Case>{
                {.member = "hangs", .run = [](const RunContext&) { return hang(); }, .one_thread = true},
                {.member = "passes", .run = [](const RunContext&) { return passed(); }, .one_thread = true},
                {.member = "hangs_too", .run = [](const RunContext&) { return hang(); }, .one_thread = true}};
          }};
}

suites::Suite beside_suite() {
  return {"beside", "cases of one thread, which run beside each other, and one that does not", beside_cases};
}

}  // namespace assay::selftest
