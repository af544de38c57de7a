// assay simt: CUDA programs and kernels on the CPU.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/io/io.hpp"
#include "validation/report/simt_page.hpp"
#include "validation/report/simt_report.hpp"
#include "validation/simt/kernel_check.hpp"
#include "validation/simt/profile.hpp"
#include "validation/simt/program.hpp"

namespace assay::cli {
namespace {

struct SimtCommand {
  std::vector<std::string> files;
  simt::BuildOptions build;
  std::string contraction = "off", flushing = "off";
  std::optional<double> seconds;
  bool json = false, notes = false;
  std::string html;
  // run
  simt::RunOptions how;
  // build
  std::string out;
  // check
  std::string kernel;
  std::vector<std::string> arguments, schedules;
  std::vector<std::uint64_t> grid, block;
  std::uint64_t shared_bytes = 0;
};

bool on(const std::string& option, const std::string& value) {
  if (value != "on" && value != "off") throw InputError::of_option(option, "on or off", quoted(value));
  return value == "on";
}

simt::BuildOptions build_options(const SimtCommand& o, const char* machine) {
  simt::BuildOptions build = o.build;
  build.fuse = on("--fmad", o.contraction);
  if (build.machine.empty()) build.machine = machine;
  return build;
}

// The exit code of a command that ran a program.
int ended(const SimtRun& run, const SimtCommand& o) {
  if (!run.in_time) {
    fmt::print(stderr, "assay: {} has not ended after {} s\n", o.files.front(), *o.seconds);
    return disagree;
  }
  if (run.signal != 0) {
    fmt::print(stderr, "assay: {} ended by signal {}, {}\n", o.files.front(), run.signal,
               ::strsignal(run.signal));
    return disagree;
  }
  return run.status;
}

simt::RunRequest request_of(const SimtCommand& o) {
  simt::RunRequest request{.files = o.files,
                           .arguments = words_after_dashes(),
                           .build = build_options(o, "native"),
                           .how = o.how,
                           .keeps_output = o.json,
                           .finds_contraction = o.notes};
  request.how.flush = on("--ftz", o.flushing);
  request.how.seconds = o.seconds;
  return request;
}

// The page, where one is asked for: before the output, which may be long.
void write_page(const SimtCommand& o, const std::function<std::string(const RunHeader&)>& page) {
  if (o.html.empty()) return;
  AtomicFile file(o.html);
  file.write(page(header_of("simt", 0)));
  file.commit();
}

int run_program(const SimtCommand& o) {
  const simt::RunRequest request = request_of(o);
  const simt::ScratchFolder scratch;
  const SimtRun run = simt::build_and_run(request, scratch.path());
  if (o.notes) {
    for (const std::string& note : run.notes) fmt::print(stderr, "note: {}\n", note);
  }
  write_page(o, [&](const RunHeader& header) { return simt_run_page(run, header); });
  if (o.json) put(simt_run_json(run) + '\n');
  return ended(run, o);
}

int build_program(const SimtCommand& o) {
  simt::build(o.files, o.out, build_options(o, ""));
  return agree;
}

int profile(const SimtCommand& o) {
  const SimtProfile p = simt::profile_program(request_of(o));
  write_page(o, [&](const RunHeader& header) { return simt_profile_page(p, header); });
  put(o.json ? simt_profile_json(p) + '\n' : simt_profile_text(p));
  return ended(p.run, o);
}

int check(const SimtCommand& o) {
  simt::KernelCheck request{.files = o.files,
                            .kernel = o.kernel,
                            .build = build_options(o, "native"),
                            .arguments = o.arguments,
                            .shared_bytes = o.shared_bytes};
  if (!o.grid.empty()) request.grid = o.grid;
  if (!o.block.empty()) request.block = o.block;
  if (!o.schedules.empty()) request.schedules = o.schedules;
  if (o.seconds) request.seconds = *o.seconds;
  const simt::CheckedKernel checked = simt::check_kernel(request);
  if (!o.out.empty()) {
    std::vector<io::NamedArray> arrays;
    for (std::size_t i = 0; i < checked.arrays.size(); ++i) {
      if (checked.arrays[i]) arrays.push_back({"argument" + std::to_string(i + 1), *checked.arrays[i]});
    }
    io::write_arrays(o.out, arrays);
  }
  write_page(o, [&](const RunHeader& header) { return simt_check_page(checked.result, header); });
  put(o.json ? simt_check_json(checked.result) + '\n' : simt_check_text(checked.result));
  return checked.result.agrees() ? agree : disagree;
}

void add_building(CLI::App& app, SimtCommand& o) {
  app.add_option("FILE", o.files, "CUDA and C++ files of the program")->required();
  app.add_option("--include,-I", o.build.include_folders, "Look for headers in this folder too")
      ->allow_extra_args(false);  // files may follow
  app.add_option("--define,-D", o.build.defines, "Define a macro: NAME or NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--arch", o.build.architecture, "The GPU that is imitated: sm_70 to sm_120")
      ->capture_default_str();
  app.add_option(
         "--fmad", o.contraction,
         "on: a*b + c is rounded once where the host's compiler sees it; nvcc, whose default is on, may "
         "choose others. fmaf() is exact either way")
      ->capture_default_str();
  app.add_option("--march", o.build.machine, "The CPU that the code is made for, as the compiler names it");
  app.add_option("--compiler-option", o.build.compiler_options, "Hand this to the compiler as it is")
      ->allow_extra_args(false);
}

void add_page(CLI::App& app, SimtCommand& o, const std::string& description) {
  app.add_option("--html", o.html, description);
}

void add_seconds(CLI::App& app, SimtCommand& o, const std::string& description) {
  app.add_option("--seconds", o.seconds, description)->check([](const std::string& text) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool good =
        error == std::errc() && end == text.data() + text.size() && seconds > 0 && seconds < 1e9;
    return good ? std::string() : "a number of seconds above 0 is asked for, not " + quoted(text);
  });
}

}  // namespace

std::function<int()> make_simt(CLI::App& app) {
  const auto o = std::make_shared<SimtCommand>();
  CLI::App* const run =
      app.add_subcommand("run", "Build a CUDA program and run it; the exit code is the program's");
  add_building(*run, *o);
  run->add_option("--schedule", o->how.schedule,
                  "The order in which threads begin: forward, reverse or random:SEED");
  run->add_option("--threads", o->how.threads, "Threads of the CPU (default: all processors)")
      ->check(CLI::Range(1, 4096));
  run->add_option("--ftz", o->flushing, "on: subnormal numbers of kernels are zero")->capture_default_str();
  add_seconds(*run, *o, "End the program after this time");
  run->add_flag("--json", o->json, "Print one JSON object on stdout, with the program's output in it");
  run->add_flag(
      "--notes", o->notes,
      "Say on stderr which of the program's bits are not known to be a GPU's, and at which lines nvcc "
      "may contract (two more builds)");
  add_page(*run, *o, "Write a page of launches and notes to this file");
  run->footer("Example:\n  assay simt run saxpy.cu -- 1000\n\nWhat follows -- are the program's arguments.");

  CLI::App* const build = app.add_subcommand("build", "Build a CUDA program into an executable");
  add_building(*build, *o);
  build->add_option("--out,-o", o->out, "The executable")->required();
  build->footer("Example:\n  assay simt build saxpy.cu -o saxpy");

  CLI::App* const profile_one =
      app.add_subcommand("profile", "Run a CUDA program and count what its kernels do, by source line");
  add_building(*profile_one, *o);
  profile_one->add_option("--schedule", o->how.schedule,
                          "The order in which threads begin: forward, reverse or random:SEED");
  profile_one->add_option("--ftz", o->flushing, "on: subnormal numbers of kernels are zero")
      ->capture_default_str();
  add_seconds(*profile_one, *o, "End the program after this time");
  profile_one->add_flag("--json", o->json,
                        "Print one JSON object on stdout, with the program's output in it");
  add_page(*profile_one, *o, "Write a page to this file: the source, and beside each line what it did");
  profile_one->footer("Example:\n  assay simt profile saxpy.cu -- 1000");

  CLI::App* const check_one =
      app.add_subcommand("check", "Run one kernel under several orders of its threads and compare the bits");
  add_building(*check_one, *o);
  check_one->add_option("--kernel", o->kernel, "Its name, with namespaces and template arguments")
      ->required();
  add_unsigned(*check_one, "--grid", o->grid, "Blocks: one to three numbers", 1)->expected(1, 3);
  add_unsigned(*check_one, "--block", o->block, "Threads of a block: one to three numbers", 1)
      ->expected(1, 3);
  add_unsigned(*check_one, "--shared", o->shared_bytes, "Bytes of dynamic shared memory");
  check_one
      ->add_option(
          "--arg", o->arguments,
          "An argument, in order: a number, a file of an array, random:N[:SEED], zeros:N, ones:N or "
          "iota:N (default: random numbers, or zeros for a class, one for each thread, and their number)")
      ->take_all();
  check_one->add_option("--schedule", o->schedules,
                        "An order: forward, reverse or random:SEED (default: four)");
  add_seconds(*check_one, *o, "End a run after this time (default: 60)");
  check_one->add_option("--out", o->out, "Write the arrays after the first run to this npz file");
  add_page(*check_one, *o, "Write the result as a page to this file");
  check_one->add_flag("--json", o->json, "Print one JSON object on stdout");
  check_one->footer(
      "Example:\n  assay simt check saxpy.cu --kernel saxpy --grid 4 --block 256 --arg 2 --arg iota:1000\n\n"
      "Grid and block may stand in the comment that begins the file: //--blockDim=256 --gridDim=[4,4]\n\n"
      "Blocks and threads begin in four orders; what a thread does between two barriers is not interrupted,\n"
      "so two threads that add to one place without an atomic are not told apart from correct ones.");

  app.require_subcommand(1);
  return [o, run, build, profile_one] {
    if (run->parsed()) return run_program(*o);
    if (profile_one->parsed()) return profile(*o);
    return build->parsed() ? build_program(*o) : check(*o);
  };
}

}  // namespace assay::cli
