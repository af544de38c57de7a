// Child processes: asked in both forms, and everything that they can do wrong; afterwards none is left.
#include "validation/diagnose/program/program.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "reference/core/error.hpp"
#include "tests/support/thread_counts.hpp"
#include "tests/validation/diagnose/planted.hpp"
#include "validation/diagnose/program/process_threads.hpp"

using namespace assay;
using namespace assay::diagnose_test;

namespace {

const std::string asked = "'" ASSAY_ASKED_PROGRAM "'";

// A word that this test's children alone have in their arguments: others may run the same program.
const std::string& tag() {
  static const std::string text = "asked-by-" + std::to_string(::getpid());
  return text;
}

// Children of this test that are alive; what is dead has no arguments.
std::set<int> alive() {
  std::set<int> found;
  DIR* const folder = ::opendir("/proc");
  while (const dirent* entry = ::readdir(folder)) {
    const int pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
    const std::string words(std::istreambuf_iterator<char>(in), {});
    if (words.find(tag()) != std::string::npos) found.insert(pid);
  }
  ::closedir(folder);
  return found;
}

Problem small() { return {.operation = SumOperation::dot, .k = 9}; }

std::vector<Case> inputs(const Problem& p, std::size_t n) {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < n; ++i) cases.push_back(random_case(p, InputKind::wide, 3, i));
  return cases;
}

// The message of the error that asking ends with; empty if there is none.
std::string error_of(const std::string& behaviour, Form form, double seconds = 20) {
  Program program(
      {.command = asked + " chain_f32 " + behaviour + " " + tag(), .form = form, .seconds = seconds});
  const Problem p = small();
  try {
    program.ask(p, inputs(p, 5));
    program.ask(p, inputs(p, 5));
  } catch (const TargetError& e) {
    BOOST_TEST(program.child() == 0, behaviour);
    return e.what();
  }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(both_forms_give_the_programs_bits) {
  ArithmeticRegistry registry;
  add_chains(registry);
  for (const Form form : {Form::text, Form::binary}) {
    for (const char* const how : {"loop", "once"}) {
      for (const SumOperation operation : {SumOperation::sum, SumOperation::dot, SumOperation::gemm}) {
        Problem p{.operation = operation, .m = 1, .n = 1, .k = 13};
        if (operation == SumOperation::gemm) p.m = 3, p.n = 2;
        Program program({.command = asked + " lanes4_f32 " + how, .form = form});
        for (int round = 0; round < 3; ++round) {
          const std::vector<Case> cases = inputs(p, 7);
          std::vector<Case> with_ones = cases;
          if (operation == SumOperation::sum) {
            const std::vector<float> ones(p.k, 1.0F);
            for (Case& x : with_ones) {
              x.b.resize(p.k * 4);
              std::copy_n(reinterpret_cast<const std::byte*>(ones.data()), p.k * 4, x.b.begin());
            }
          }
          BOOST_TEST((program.ask(p, cases) == target_of(registry.find("lanes4_f32"))(p, with_ones)));
        }
        BOOST_TEST(program.starts() == (std::string(how) == "once" ? 3 : 1));
      }
    }
  }
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(tests::ThreadsAreThePrograms{}))
BOOST_AUTO_TEST_CASE(another_number_of_threads_starts_the_program_anew) {
  // It reads its environment once, when it starts.
  Program program({.command = asked + " threads", .form = Form::binary, .watch_threads = true});
  Problem p = small();
  std::vector<std::vector<Answer>> answers;
  for (const auto& [threads, starts] : {std::pair{1, 1}, std::pair{3, 2}, std::pair{3, 2}, std::pair{1, 3}}) {
    p.threads = threads;
    answers.push_back(program.ask(p, inputs(p, 20)));
    BOOST_TEST(program.starts() == starts);
    BOOST_TEST(program.threads_seen().most == static_cast<std::size_t>(threads));
    BOOST_TEST(!program.threads_seen().ended);
  }
  BOOST_TEST((answers[0] != answers[1]));
  BOOST_TEST((answers[1] == answers[2]));
  BOOST_TEST((answers[0] == answers[3]));
  GroupThreads none(1 << 30);  // no such group
  none.look_through();
  BOOST_TEST((none.seen().most == 0u && !none.seen().ended));
}

BOOST_TEST_DECORATOR(*boost::unit_test::precondition(tests::ThreadsAreThePrograms{}))
BOOST_AUTO_TEST_CASE(threads_that_ended_within_a_call_are_known_of) {
  Program program({.command = asked + " joined", .form = Form::binary, .watch_threads = true});
  Problem p = small();
  for (const int threads : {1, 3}) {
    p.threads = threads;
    for (int round = 0; round < 3; ++round) program.ask(p, inputs(p, 20));
    BOOST_TEST(program.threads_seen().ended == (threads > 1));
  }
}

BOOST_AUTO_TEST_CASE(a_number_of_threads_is_said_to_every_library) {
  Program program({.command = "env | grep -E '^[A-Z]+_(NUM|MAX|MAXIMUM)_THREADS=7$' | sort >&2; exit 3"});
  Problem p = small();
  p.threads = 7;
  BOOST_CHECK_EXCEPTION(program.ask(p, inputs(p, 1)), TargetError, [](const TargetError& e) {
    const std::string said = e.what();
    return std::all_of(thread_variables.begin(), thread_variables.end(), [&](std::string_view name) {
      return said.find(std::string(name) + "=7") != std::string::npos;
    });
  });
}

BOOST_AUTO_TEST_CASE(what_a_program_does_wrong_is_said_and_nothing_is_left,
                     *boost::unit_test::label("full")) {
  const struct {
    const char *behaviour, *says;
  } faults[] = {{"hang", "not done with 5 cases after 0.5 s"},
                {"grandchild", "not done"},
                {"orphan", "ended with status 5, but a process that it started keeps its stdout open"},
                {"die", "status 3"},
                {"die", "no such device"},
                {"signal", "SIGABRT"},
                {"silent", "status 0"},
                {"little", "ended with status 0 after"},
                {"much", "more"},
                {"later", "status 4"},
                {"huge", "printed more than"}};
  for (const auto& [behaviour, says] : faults) {
    const std::string name = behaviour;
    for (const Form form : {Form::text, Form::binary}) {
      const std::string said =
          error_of(name, form, name == "hang" || name == "grandchild" || name == "orphan" ? 0.5 : 20);
      BOOST_TEST(said.find(says) != std::string::npos, name << ": " << said);
    }
  }
  BOOST_TEST(error_of("word", Form::text).find("no number: \"Results:\"") != std::string::npos);
  Program missing({.command = "there-is-no-such-program"});
  BOOST_CHECK_EXCEPTION(missing.ask(small(), inputs(small(), 1)), TargetError, [](const TargetError& e) {
    return std::string(e.what()).find("127") != std::string::npos;
  });
  BOOST_CHECK_THROW(Program({.command = ""}), InputError);
  // What is killed takes a moment to be gone.
  for (int tries = 0; tries < 2000 && !alive().empty(); ++tries) ::usleep(5000);  // poll
  BOOST_TEST(alive().empty());
}

BOOST_AUTO_TEST_CASE(nothing_outlives_an_asker_that_is_killed) {
  // A list of commands, so that the shell stays between us and the program that hangs.
  const std::string command =
      "true; " + asked + " chain_f32 hang " + tag() + "; true";  // the tag is this process's
  const pid_t asker = ::fork();
  if (asker == 0) {
    Program program({.command = command, .form = Form::text});
    try {
      program.ask(small(), inputs(small(), 1));
    } catch (const TargetError&) {
    }
    ::_exit(0);
  }
  const auto waits = [](auto&& done) {
    for (int tries = 0; tries < 2000 && !done(); ++tries) ::usleep(5000);  // poll
    return done();
  };
  BOOST_TEST(waits([] { return alive().size() >= 2; }), "it did not start");
  ::kill(asker, SIGKILL);
  ::waitpid(asker, nullptr, 0);
  BOOST_TEST(waits([] { return alive().empty(); }));
  for (const int pid : alive()) ::kill(pid, SIGKILL);
}

BOOST_AUTO_TEST_CASE(the_end_of_stderr_is_a_few_whole_lines) {
  Program program({.command = "for i in $(seq 5000); do echo line $i >&2; done; exit 3", .form = Form::text});
  try {
    program.ask(small(), inputs(small(), 1));
    BOOST_TEST(false, "it answered");
  } catch (const TargetError& e) {
    const std::string said = e.what();
    BOOST_TEST(said.ends_with("ends with:\nline 4989\nline 4990\nline 4991\nline 4992\nline 4993\nline 4994\n"
                              "line 4995\nline 4996\nline 4997\nline 4998\nline 4999\nline 5000"),
               said);
  }
}

BOOST_AUTO_TEST_CASE(answers_are_checked) {
  const Problem p{.operation = SumOperation::gemm, .m = 1, .n = 2, .k = 1};
  const auto refused = [&](const std::string& text, std::string_view says) {
    try {
      parse_answers(p, 2, Form::text, text);
      BOOST_TEST(false, "accepted: " << text);
    } catch (const TargetError& e) {
      BOOST_TEST(std::string(e.what()).find(says) != std::string::npos, e.what());
    }
  };
  const std::vector<Answer> right{{0x3f800000, 0x7fc00000}, {0x80000000, 0x3e800000}};
  BOOST_TEST((parse_answers(p, 2, Form::text, "1 nan\n-0.0 0x1p-2\n") == right));
  BOOST_TEST((parse_answers(p, 2, Form::text, "bits:0x3f800000 NaN \r\n-0 0.25\n") == right));
  refused("1 2\n3\n", "1 results in line 2");
  refused("1 2\n3 4 5\n", "more than 2");
  refused("1 2\n", "1 lines");
  refused("1 2\n3 4\n5\n", "more output");
  refused("1 2\n3 x\n", "no number");
  refused("1 2\n3 bits:0x123456789\n", "no code");
  BOOST_CHECK_THROW(parse_answers(p, 2, Form::binary, "0123456789abcde"), TargetError);
}

BOOST_AUTO_TEST_CASE(an_answer_that_changes_is_seen) {
  Program program({.command = asked + " chain_f32 change", .form = Form::binary});
  const Revelation r = reveal(small(), program.target());
  BOOST_TEST(!r.repeats);
  const PredictionScore s = score(r, program.target(), 1, 200);
  BOOST_TEST(s.wrong + s.without_tree > 0u);
}

BOOST_AUTO_TEST_CASE(a_real_program_is_revealed_and_predicted, *boost::unit_test::label("full")) {
  for (const char* const name :
       {"chain_f32", "chain_f32_fused", "lanes8_f32_fused", "chain_f64_f32", "chain_f32_ftz"}) {
    Program program({.command = asked + " " + name + " loop", .form = Form::binary});
    const Problem p{.operation = SumOperation::dot, .k = 33};
    const Revelation r = reveal(p, program.target());
    const PredictionScore s = score(r, program.target(), 5, 500);
    BOOST_TEST(s.wrong == 0u, name);
    BOOST_TEST(s.results == 2000u, name);
  }
}
