// The command as a person meets it: the real program through a shell, its exit codes, its two outputs, its reports; and
// the same over suites that crash and hang (selftest_suite.cpp).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "reference/core/random.hpp"
#include "tests/validation/shell.hpp"

using namespace assay;
using assay::shell::contents;
using assay::shell::Outcome;
using nlohmann::json;
namespace fs = std::filesystem;
namespace utf = boost::unit_test;

namespace {

const std::string program = "'" ASSAY_PROGRAM "'";
const std::string selftest = "'" ASSAY_SELFTEST_PROGRAM "'";

Outcome assay_with(const std::string& arguments) { return shell::run("exec " + program + " " + arguments); }
Outcome selftest_with(const std::string& arguments) {
  return shell::run("exec " + selftest + " run " + arguments);
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-command-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path / name).string(); }
  fs::path path;
};

std::vector<json> json_lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<json> out;
  for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
  return out;
}

std::vector<json> cases_of(const std::vector<json>& lines) {
  std::vector<json> out;
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(out),
               [](const json& l) { return l.at("record") == "case"; });
  return out;
}

// True as soon as `condition` holds, false if it does not within a minute.
bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 1200; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // poll
  }
  return condition();
}

// A run of suite `slow` that has come to the case that hangs. Started without a shell, which would have SIGINT ignored
// in the background.
struct SlowRun {
  explicit SlowRun(const Folder& folder, const std::vector<std::string>& more = {}) {
    const std::string pid_file = folder / "pid";
    std::vector<std::string> words = {ASSAY_SELFTEST_PROGRAM, "run", "--suite", "slow", "--report",
                                      folder / "report"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string out = folder / "out", err = folder / "err";
    pid = ::fork();
    BOOST_REQUIRE(pid >= 0);  // a signal sent to -1 would reach every process
    if (pid == 0) {
      ::setenv("SELFTEST_PID_FILE", pid_file.c_str(), 1);
      ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
      ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
      ::execv(argv.front(), argv.data());
      ::_exit(127);
    }
    BOOST_REQUIRE(soon([&] { return holds(contents(pid_file), "\n"); }));
    worker = std::stoi(contents(pid_file));
  }
  int wait() const {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }
  // A zombie that no one has collected yet counts as gone.
  bool worker_is_gone() const {
    const std::string state = contents("/proc/" + std::to_string(worker) + "/stat");
    return state.empty() || holds(state, ") Z ");
  }
  pid_t pid = -1, worker = -1;
};

bool is_wellformed_xml(const std::string& path) {
  return shell::run("python3 -c 'import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])' '" + path +
                    "'")
             .exit_code == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(help_and_version) {
  const Outcome help = assay_with("--help");
  BOOST_TEST(help.exit_code == 0);
  BOOST_TEST(help.err.empty());
  const json commands = json::parse(assay_with("list commands --json").out);
  BOOST_TEST(commands.size() >= 3U);
  for (const json& command : commands) {
    const auto name = command.at("name").get<std::string>();
    const auto example = command.at("example").get<std::string>();
    BOOST_TEST(holds(help.out, example), example);
    const Outcome own = assay_with(name + " --help");
    BOOST_TEST(own.exit_code == 0, name);
    BOOST_TEST(holds(own.out, example), name << " --help has its example");
    BOOST_TEST(example.starts_with("assay " + name));
  }
  const Outcome version = assay_with("--version");
  BOOST_TEST(version.exit_code == 0);
  BOOST_TEST(version.out.starts_with("assay "));
  BOOST_TEST(holds(version.out, "-ffp-contract=off"));
  BOOST_TEST(json::parse(assay_with("--version --json").out).contains("compiler"));
}

BOOST_AUTO_TEST_CASE(no_line_of_help_is_wider_than_100_columns) {
  for (const char* const arguments : {"--help", "run --help", "list --help", "doctor --help"}) {
    std::istringstream in(assay_with(arguments).out);
    for (std::string line; std::getline(in, line);) BOOST_TEST(line.size() <= 100U, line);
  }
}

BOOST_AUTO_TEST_CASE(usage_errors_are_2_with_the_near_names_on_stderr) {
  struct Row {
    const char* arguments;
    const char* says;
  };
  const Row table[] = {{"", "a command is missing"},
                       {"rnu", "near names: run"},
                       {"docter --json", "near names: doctor"},
                       {"--verson", "near names: --version"},
                       {"list formts", "near names: formats"},
                       {"list formats roundings", "roundings"},
                       {"list --jsn", "near names: --json"},
                       {"run --suite formatz", "near names: formats"},
                       {"run --sed 1", "near names: --seed"},
                       {"run --seed banana", "--seed"},
                       {"run --seed -1", "--seed"},
                       {"run --seed 1x", "--seed"},
                       {"run --seed 18446744073709551616", "--seed"},
                       {"run --seed", "--seed"},
                       {"run --case ''", "--case"},
                       {"run --report ''", "--report"},
                       {"run --timeout soon", "--timeout"},
                       {"run --threads 0", "--threads"},
                       {"run --timeout -3", "--timeout"},
                       {"run --quick --exhaustive", "--exhaustive"},
                       {"run --case formats/x --suite formats", "--case"},
                       {"run --case 'formats/round_trip/bfloat16 code=65536'", "formats/round_trip/bfloat16"},
                       {"run --case nothing", "suite/member"},
                       {"run --filter bf16 --quick", "did you mean '*bf16*'?"},
                       {"run --quick --data /nowhere/at/all", "/nowhere/at/all"},
                       {"run --quick --report /proc/none", "/proc/none"},
                       {"--json doctor", "belong to no command"}};
  for (const Row& row : table) {
    const Outcome outcome = assay_with(row.arguments);
    BOOST_TEST(outcome.exit_code == 2, row.arguments << ": " << outcome.exit_code);
    BOOST_TEST(holds(outcome.err, row.says), row.arguments << ": " << outcome.err);
    BOOST_TEST(outcome.out.empty(), row.arguments << ": " << outcome.out);
  }
}

BOOST_AUTO_TEST_CASE(every_family_is_listed) {
  const json families = json::parse(assay_with("list --json").out);
  std::vector<std::string> names;
  for (const json& family : families) {
    names.push_back(family.at("name").get<std::string>());
    const Outcome table = assay_with("list " + names.back());
    BOOST_TEST(table.exit_code == 0);
    const json members = json::parse(assay_with("list --json " + names.back()).out);
    BOOST_TEST(members.size() == family.at("members"));
    for (const json& member : members) BOOST_TEST(holds(table.out, member.at("name").get<std::string>()));
  }
  for (const char* const due : {"formats", "roundings", "conversions", "kernels", "suites", "commands"}) {
    BOOST_TEST(std::count(names.begin(), names.end(), due) == 1, due);
  }
}

BOOST_AUTO_TEST_CASE(kernels_that_cannot_run_say_why) {
  const json members =
      json::parse(shell::run("ASSAY_ISA=scalar exec " + program + " list kernels --json").out);
  int out = 0;
  for (const json& kernel : members) {
    const bool scalar = kernel.at("needs") == "scalar";
    BOOST_TEST(kernel.at("here").get<bool>() == scalar);
    BOOST_TEST(kernel.at("why_not").get<std::string>().empty() == scalar);
    out += scalar ? 0 : 1;
  }
  BOOST_TEST(out > 0);
  const Outcome unknown = shell::run("ASSAY_ISA=avx3 exec " + program + " list kernels");
  BOOST_TEST(unknown.exit_code == 2);
  BOOST_TEST(holds(unknown.err, "ASSAY_ISA"));
}

BOOST_AUTO_TEST_CASE(doctor_says_what_is_here) {
  const Outcome text = assay_with("doctor");
  BOOST_TEST(text.exit_code == 0);
  for (const char* const what :
       {"MXCSR", "avx512bf16", "CUDA toolkit", "GPU", "MPI", "ASSAY_DATA", "fmt", "zlib"}) {
    BOOST_TEST(holds(text.out, what), what);
  }
  BOOST_TEST(!holds(text.out, "\x1b"));
  const json sections = json::parse(assay_with("doctor --json").out);
  BOOST_TEST(sections.at("cpu").at(0).at("name") == "model");
  BOOST_TEST(sections.size() == 5U);
  const Outcome bare = shell::run("PATH= ASSAY_DATA=/nowhere exec " + program + " doctor");
  BOOST_TEST(bare.exit_code == 0);
  BOOST_TEST(holds(bare.out, "/nowhere: no such folder"));
}

// Tools that few machines have, played by scripts.
BOOST_AUTO_TEST_CASE(doctor_repeats_what_tools_say) {
  const Folder folder;
  const auto tool = [&](const std::string& name, const std::string& script) {
    std::ofstream(folder / name) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder / name, fs::perms::owner_all);
  };
  tool("nvidia-smi",
       "echo 'NVIDIA H100, 9.0, 81559 MiB, 560.35'; echo 'NVIDIA H200, 9.0, 143771 MiB, 560.35'");
  tool("nvcc",
       "echo 'nvcc: NVIDIA (R) Cuda compiler driver'; echo 'Cuda compilation tools, release 13.0, V13.0.88'");
  tool("mpirun", "echo 'mpirun (Open MPI) 4.1.4'");
  const std::string doctor = "PATH=" + folder.path.string() + ":$PATH exec " + program + " doctor";
  const Outcome all = shell::run(doctor);
  for (const std::string what : {"yes  NVIDIA H100, 9.0", "yes  NVIDIA H200, 9.0",
                                 "yes  release 13.0, V13.0.88 at ", "yes  mpirun (Open MPI) 4.1.4 at "}) {
    BOOST_TEST(holds(all.out, what), what);
  }
  tool("nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9");
  BOOST_TEST(!holds(shell::run(doctor).out, "has failed"));
}

BOOST_AUTO_TEST_CASE(json_is_all_that_stdout_holds) {
  for (const char* const arguments :
       {"doctor --json", "list --json", "list kernels --json", "--version --json"}) {
    const Outcome outcome = assay_with(arguments);
    BOOST_TEST(outcome.exit_code == 0, arguments);
    BOOST_TEST(json::accept(outcome.out));
    BOOST_TEST(outcome.err.empty(), outcome.err);
  }
  const Outcome run = selftest_with("--suite selftest --json");
  const auto lines = json_lines(run.out);
  BOOST_TEST(lines.size() == 27U);
  BOOST_TEST(lines.front().at("record") == "header");
  BOOST_TEST(lines.back().at("record") == "summary");
  BOOST_TEST(run.err.empty(), run.err);
}

BOOST_AUTO_TEST_CASE(exit_codes_of_runs) {
  BOOST_TEST(selftest_with("--suite calm").exit_code == 0);
  BOOST_TEST(selftest_with("--suite calm --strict").exit_code == 0);
  BOOST_TEST(selftest_with("--suite selftest").exit_code == 4);
  BOOST_TEST(selftest_with("--case selftest/breaks_a_contract").exit_code == 4);
  BOOST_TEST(selftest_with("--case selftest/reads_bad_input").exit_code == 2);
  BOOST_TEST(selftest_with("--case selftest/fails").exit_code == 1);
  BOOST_TEST(selftest_with("--case selftest/segfaults").exit_code == 1);
  BOOST_TEST(selftest_with("--case selftest/throws").exit_code == 1);
  BOOST_TEST(selftest_with("--case selftest/skips").exit_code == 3);
  BOOST_TEST(selftest_with("--case selftest/vacuous").exit_code == 3);
  BOOST_TEST(selftest_with("--suite none").exit_code == 3);
  BOOST_TEST(selftest_with("--filter 'selftest/*' --suite none calm").exit_code == 2);
  BOOST_TEST(selftest_with("--filter '*/[sp][ka][is]*' --suite selftest").exit_code == 0);  // skips, passes
  BOOST_TEST(selftest_with("--filter '*/[sp][ka][is]*' --suite selftest --strict").exit_code == 1);
  BOOST_TEST(selftest_with("--case slow/hangs --timeout 0.3").exit_code == 1);
}

BOOST_AUTO_TEST_CASE(a_run_says_first_what_stood_behind_it_and_last_the_counts) {
  const Outcome run = shell::run("ASSAY_DATA= exec " + selftest + " run --suite selftest --seed 9");
  BOOST_TEST(run.out.starts_with("assay "));
  BOOST_TEST(holds(run.out.substr(0, run.out.find('\n')), "25 cases of selftest, scale standard, seed 9"));
  const auto first_case = run.out.find("\nPASSED");
  for (const char* const what : {"\ncpu ", "\nisa ", "\ngpu ", "\ndata ", "MISSING MNIST"}) {
    BOOST_TEST(run.out.find(what) < first_case, what);
  }
  BOOST_TEST(holds(run.out, "SKIPPED  1 case: no such data\n         selftest/skips\n"));
  BOOST_TEST(holds(run.out, "rerun: assay run --case \"selftest/segfaults\""));
  const std::string last = run.out.substr(run.out.rfind('\n', run.out.size() - 2) + 1);
  BOOST_TEST(holds(last, "8 passed, 2 failed, 2 vacuous, 2 skipped, 11 errors; 25 cases in "), last);
}

BOOST_AUTO_TEST_CASE(a_case_is_rerun_by_its_repro_line) {
  const Folder folder;
  const auto printed =
      cases_of(json_lines(shell::run("ASSAY_ISA=avx2 exec " + selftest +
                                     " run --suite calm --seed 77 --json --data " + (folder / ""))
                              .out));
  BOOST_TEST(printed.size() == 4U);
  auto repro = printed.at(2).at("repro").get<std::string>();
  BOOST_TEST(repro.starts_with("ASSAY_ISA=avx2 assay run --case \"calm/adds i=2 seed=77\" --data "));
  repro.replace(repro.find("assay run"), 5, selftest);
  const auto again = cases_of(json_lines(shell::run(repro + " --json").out));
  BOOST_TEST(again.size() == 1U);
  for (const char* const key : {"name", "status", "checked", "mismatches", "repro"}) {
    BOOST_TEST(again.at(0).at(key) == printed.at(2).at(key), key);
  }
}

BOOST_AUTO_TEST_CASE(reports_are_written_and_can_be_read) {
  const Folder folder;
  const std::string report = folder / "new/report";
  const Outcome run = selftest_with("--suite selftest --report " + report);
  BOOST_TEST(run.exit_code == 4);
  BOOST_TEST(holds(run.out, report + "/report.txt"));
  const auto lines = json_lines(contents(report + "/report.jsonl"));
  BOOST_TEST(lines.size() == 27U);
  BOOST_TEST(lines.front().at("schema") == "assay-report");
  BOOST_TEST(lines.back().at("exit_code") == 4);
  BOOST_TEST(lines.back().at("counts").at("skipped") == 2);
  for (const json& c : cases_of(lines)) {
    const std::string repro = "assay run --case \"" + c.at("name").get<std::string>() + "\"";
    BOOST_TEST(holds(c.at("repro").get<std::string>(), repro));
    BOOST_TEST(holds(contents(report + "/report.junit.xml"), c.at("name").get<std::string>().substr(9)));
  }
  BOOST_TEST(is_wellformed_xml(report + "/report.junit.xml"));
  const std::string xml = contents(report + "/report.junit.xml");
  BOOST_TEST(holds(xml, "tests=\"25\" failures=\"2\" errors=\"11\" skipped=\"4\""));
  BOOST_TEST(holds(contents(report + "/report.txt"), "SKIPPED  1 case: no such data"));
  for (const auto& file : fs::directory_iterator(report)) {
    BOOST_TEST(!holds(file.path().string(), "partial"), file.path());
  }
}

BOOST_AUTO_TEST_CASE(an_interrupted_run_keeps_what_has_finished) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const Folder folder;
    const SlowRun run(folder);
    ::kill(run.pid, signal);
    const int status = run.wait();
    BOOST_TEST(WIFSIGNALED(status));
    BOOST_TEST(WTERMSIG(status) == signal);  // what a shell and make expect of an interrupted program
    BOOST_TEST(run.worker_is_gone());
    const auto lines = json_lines(contents(folder / "report/report.jsonl"));
    BOOST_TEST(cases_of(lines).size() == 1U);
    BOOST_TEST(lines.back().at("interrupted") == true);
    BOOST_TEST(lines.back().at("exit_code") == 128 + signal);
    BOOST_TEST(holds(contents(folder / "report/report.txt"), "INTERRUPTED after 1 of 3 cases"));
    BOOST_TEST(is_wellformed_xml(folder / "report/report.junit.xml"));
    BOOST_TEST(holds(contents(folder / "out"), "INTERRUPTED after 1 of 3 cases"));
    BOOST_TEST(contents(folder / "err").empty());
  }
}

BOOST_AUTO_TEST_CASE(a_killed_run_keeps_what_has_finished_and_leaves_no_process) {
  const Folder folder;
  const SlowRun run(folder);
  ::kill(run.pid, SIGKILL);
  run.wait();
  BOOST_TEST(soon([&] { return run.worker_is_gone(); }));
  const auto lines = json_lines(contents(folder / "report/report.jsonl.partial"));
  BOOST_TEST(lines.size() == 2U);
  BOOST_TEST(lines.at(1).at("name") == "slow/passes");
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_killed_from_outside_costs_one_case) {
  const Folder folder;
  const SlowRun run(folder, {"--json"});
  ::kill(run.worker, SIGKILL);
  BOOST_TEST(WEXITSTATUS(run.wait()) == 1);
  const auto cases = cases_of(json_lines(contents(folder / "out")));
  BOOST_TEST(cases.size() == 3U);
  BOOST_TEST(holds(cases.at(1).at("reason").get<std::string>(), "SIGKILL"));
  BOOST_TEST(cases.at(2).at("status") == "PASSED");
}

BOOST_AUTO_TEST_CASE(a_closed_pipe_is_no_crash) {
  const Folder folder;
  // $? of the program itself: 128 + SIGPIPE, as of any other tool.
  for (const std::string& command : {program + " list formats", program + " doctor --json",
                                     program + " --help", selftest + " run --suite calm"}) {
    const Outcome outcome = shell::run("{ " + command + "; echo $? >" + (folder / "code") + "; } | true");
    const int code = std::stoi(contents(folder / "code"));
    // The reader may be gone before or after the program writes.
    BOOST_TEST((code == 128 + SIGPIPE || code == 0), command << ": " << code);
    BOOST_TEST(outcome.err.empty(), command << ": " << outcome.err);
  }
  const std::string report = folder / "report";
  shell::run(selftest + " run --suite selftest --report " + report + " | head -n 1");
  const auto lines = json_lines(contents(report + "/report.jsonl"));
  BOOST_TEST(lines.back().at("record") == "summary");
}

BOOST_AUTO_TEST_CASE(output_that_cannot_be_written_is_an_error) {
  for (const char* const where : {">/dev/full", ">&-"}) {
    for (const std::string& command :
         {program + " list formats", program + " --help", selftest + " run --suite calm"}) {
      const Outcome outcome = shell::run(command + " " + where);
      BOOST_TEST(outcome.exit_code == 2, command << where << ": " << outcome.exit_code);
      BOOST_TEST(holds(outcome.err, "stdout"), command << where << ": " << outcome.err);
    }
  }
}

BOOST_AUTO_TEST_CASE(colours_and_progress_are_for_terminals, *utf::label("full")) {
  const auto on_terminal = [](const std::string& command) {
    // The command has the quotes ' around a path.
    return shell::run("TERM=xterm script -qec \"" + command + "\" /dev/null").out;
  };
  BOOST_TEST(!holds(selftest_with("--suite calm").out, "\x1b"));
  const std::string coloured = on_terminal(selftest + " run --suite calm");
  BOOST_TEST(holds(coloured, "\x1b[32mPASSED \x1b[0m"));
  BOOST_TEST(!holds(on_terminal("NO_COLOR=1 " + selftest + " run --suite calm"), "\x1b["));
  BOOST_TEST(holds(on_terminal(selftest + " run --suite slow --timeout 4"),
                   "25 %  case 2 of 3: slow/hangs  waiting"));
}

BOOST_AUTO_TEST_SUITE(product, *utf::label("full"))

namespace {

const std::string on_path = "PATH='" + fs::path(ASSAY_PROGRAM).parent_path().string() + "':$PATH; ";

struct Example {
  std::string line;
  Outcome outcome;
  std::string cases;  // report/report.jsonl, where it writes one
};

// Every command's example, run once for all that is asked of them: one of them is a whole `assay run --quick`.
const std::vector<Example>& examples() {
  static const std::vector<Example> all = [] {
    std::vector<Example> run;
    for (const json& command : json::parse(assay_with("list commands --json").out)) {
      const Folder folder;
      fs::copy(ASSAY_TEST_DATA "/compare", folder.path);  // the arrays that examples name
      auto line = command.at("example").get<std::string>();
      Outcome outcome = shell::run(on_path + "cd " + folder.path.string() + " && " + line);
      run.push_back({std::move(line), std::move(outcome), contents(folder / "report/report.jsonl")});
    }
    return run;
  }();
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_example_works_as_it_stands) {
  for (const Example& example : examples()) {
    BOOST_TEST(example.outcome.exit_code == 0, example.line << ": " << example.outcome.exit_code << "\n"
                                                            << example.outcome.err);
  }
}

// A repro line that reran something else would make every report worthless, and nobody would notice.
BOOST_AUTO_TEST_CASE(a_sample_of_repro_lines_gives_the_same_again) {
  std::vector<json> printed;
  for (const Example& example : examples()) {
    if (example.line.starts_with("assay run ")) printed = cases_of(json_lines(example.cases));
  }
  BOOST_REQUIRE(!printed.empty());
  constexpr std::uint64_t seed = 20240607, sample = 10;
  const CounterRandom random(seed);
  for (std::uint64_t i = 0; i < sample; ++i) {
    const json& before = printed[random.below(printed.size(), i)];
    const auto repro = before.at("repro").get<std::string>();
    const auto again = cases_of(json_lines(shell::run(on_path + repro + " --json").out));
    BOOST_TEST(again.size() == 1U, repro);
    if (again.size() != 1) continue;
    for (const char* const key : {"name", "status", "checked", "mismatches", "reason"}) {
      BOOST_TEST(again[0].at(key) == before.at(key), repro << ": " << key);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
