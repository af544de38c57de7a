#include "validation/simt/program.hpp"

#include <dlfcn.h>
#include <stdlib.h>  // NOLINT: mkdtemp
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>
#include <mutex>
#include <sstream>
#include <thread>

#include "emulation/simt/imitated_gpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/simt/contraction.hpp"
#include "validation/simt/sources.hpp"

namespace assay::simt {
namespace fs = std::filesystem;

// --- folders ---------------------------------------------------------------------------------------------------------

ScratchFolder::ScratchFolder() {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "assay-simt-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr)
    throw Unavailable("no folder for temporary files: " + name + ": " + std::strerror(errno));
  path_ = name;
}
ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Runtime installed_runtime() {
  // The executable or shared object that holds this very function.
  Dl_info info{};
  std::error_code ignored;
  fs::path self;
  if (::dladdr(reinterpret_cast<const void*>(&installed_runtime), &info) != 0 && info.dli_fname != nullptr)
    self = info.dli_fname;
  // An executable's own name is how it was called.
  if (!self.string().ends_with(".so")) self = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path folder = fs::weakly_canonical(self, ignored).parent_path();
  std::string looked;
  for (const fs::path& candidate : {folder / ".." / "lib" / "assay" / "simt", folder / "simt_runtime"}) {
    const auto there = [&](const char* name) { return fs::weakly_canonical(candidate / name, ignored); };
    const Runtime runtime{there("include"), there("libassay_simt.a"), there("libassay_simt_profile.a")};
    if (fs::exists(runtime.archive, ignored) && fs::exists(runtime.include, ignored)) return runtime;
    looked += (looked.empty() ? "" : " and in ") + candidate.lexically_normal().string();
  }
  throw Unavailable("the runtime of CUDA programs, libassay_simt.a and its headers, is not in " + looked);
}

std::string host_compiler() {
  if (const char* const named = std::getenv("CXX"); named != nullptr && *named != '\0') return named;
  for (const char* const name : {"c++", "g++", "clang++"}) {
    if (const fs::path file = find_program(name); !file.empty()) return file.string();
  }
  throw Unavailable("no C++ compiler: CXX is not set, and PATH has neither c++, g++ nor clang++");
}

// --- building --------------------------------------------------------------------------------------------------------

int architecture_number(std::string_view name) {
  const ImitatedGpu* const gpu = imitated_gpu_named(name);
  if (gpu == nullptr) throw InputError::of_option("--arch", "one of " + imitated_gpu_names(), quoted(name));
  return gpu->architecture * 10;
}

namespace {

bool is_cuda(const fs::path& file) { return file.extension() == ".cu" || file.extension() == ".cuh"; }

// C, whose names are not those of C++. The dialect's headers are C++, and so are files that include them.
bool is_c(const fs::path& file) {
  if (file.extension() != ".c") return false;
  const std::string text = text_of(file);
  for (const char* const mark : {"<", "\""}) {
    if (text.find(std::string("#include ") + mark + "cuda") != std::string::npos) return false;
  }
  return true;
}

// Whether the compiler knows an option, which another one would refuse.
bool takes_option(const std::string& compiler, const std::string& option) {
  Child child{.words = {}, .output = "/dev/null"};
  std::istringstream parts(compiler);
  for (std::string part; parts >> part;) child.words.push_back(part);
  child.words.insert(child.words.end(), {option, "-fsyntax-only", "-x", "c++", "/dev/null"});
  const Ending ending = run(child);
  return ending.signal == 0 && ending.status == 0;
}

// What one file is compiled with.
std::vector<std::string> compile_words(const std::string& compiler, const fs::path& file, bool cuda,
                                       const Runtime& runtime, const BuildOptions& o) {
  std::vector<std::string> words;
  // CXX may hold options, as make has it.
  std::istringstream parts(compiler);
  for (std::string part; parts >> part;) words.push_back(part);
  const bool c = is_c(file);
  // An access to nothing and a division by zero are CUDA's errors, and no reason to end the program.
  words.insert(words.end(), {"-c", "-O2", "-g1", "-w", "-fPIC", "-fno-strict-aliasing", "-fwrapv",
                             "-fno-delete-null-pointer-checks",
                             "-march=" + (o.machine.empty() ? std::string("x86-64-v2") : o.machine),
                             o.fuse ? "-ffp-contract=fast" : "-ffp-contract=off"});
  if (o.fuse) words.insert(words.end(), {"-mfma", "-DASSAY_SIMT_CONTRACTS"});
  // A function asks once where the library's variables of a thread are, not for each of them.
  if (o.library) words.emplace_back("-ftls-model=local-dynamic");
  // One scalar instruction for an operation of the source; each block with its call-out.
  if (o.profile) {
    words.insert(words.end(), {"-fsanitize=thread", "-fsanitize-coverage=trace-pc", "-fno-tree-vectorize",
                               "-fno-tree-slp-vectorize"});
    // A float4 is one access, as it is a GPU's, and not four of its members.
    if (constexpr auto whole = "-fno-tree-sra"; takes_option(compiler, whole)) words.emplace_back(whole);
  }
  if (!c) words.emplace_back("-std=c++20");
  // No library replaces a function of the program's, so each may be inlined, as `always_inline` demands. In a profile
  // kernels stay apart from what launches them, whose accesses are not theirs.
  if (!o.profile) words.emplace_back("-fno-semantic-interposition");
  // The runtime's own tell -0 from +0; a compiler's may not.
  for (const char* const name : {"fminf", "fmaxf", "fmin", "fmax"})
    words.push_back(std::string("-fno-builtin-") + name);
  if (cuda) {
    const std::string number = std::to_string(architecture_number(o.architecture));
    words.insert(words.end(), {"-D__CUDACC__", "-D__NVCC__", "-D__CUDACC_VER_MAJOR__=13",
                               "-D__CUDACC_VER_MINOR__=0", "-D__CUDA_ARCH__=" + number,
                               "-D__CUDA_ARCH_LIST__=" + number, "-include", "cuda_runtime.h"});
    // wgmma is there, so sm_90 is sm_90a.
    if (number == "900") words.emplace_back("-D__CUDA_ARCH_FEAT_SM90_ALL");
  }
  // First, so that a program within our own sources takes the runtime's headers, whose lines no profile shows.
  words.push_back("-I" + runtime.include.string());
  for (const std::string& folder : o.include_folders) words.push_back("-I" + folder);
  words.push_back("-I" + (runtime.include / "emulation" / "simt" / "include").string());
  for (const std::string& define : o.defines) words.push_back("-D" + define);
  words.insert(words.end(), o.compiler_options.begin(), o.compiler_options.end());
  // A C++ compiler takes .c for C++ otherwise.
  if (cuda || c) words.insert(words.end(), {"-x", cuda ? "c++" : "c"});
  words.push_back(file.string());
  return words;
}

// The first lines: a compiler may say a great deal of one mistake.
std::string beginning_of(const std::string& text) {
  constexpr int most_lines = 60;
  std::size_t at = 0;
  for (int line = 0; line < most_lines && at != std::string::npos; ++line)
    at = text.find('\n', line == 0 ? 0 : at + 1);
  return at == std::string::npos || at + 1 >= text.size() ? text : text.substr(0, at + 1) + "... and more";
}

// What a header that the compiler did not find belongs to, or nothing.
std::string package_note(const std::string& said) {
  const std::size_t fatal = said.find("fatal error:");
  if (fatal == std::string::npos) return "";
  const std::string line = said.substr(fatal, said.find('\n', fatal) - fatal);
  if (line.find("thrust/") != std::string::npos)
    return "Thrust is no part of the dialect: it is taken from Debian's package libthrust-dev, which is not "
           "installed, or has no such header\n";
  if (line.find("cub/") != std::string::npos)
    return "CUB is no part of the dialect: its collectives of blocks and warps are taken from Debian's "
           "package "
           "libcub-dev, which is not installed, or has no such header\n";
  return "";
}

// Calls do(i) for 0 <= i < n, at most as many at once as the CPU has threads.
template <class Do>
void at_once(std::size_t n, const Do& act) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr thrown;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < n; i = next++) {
      try {
        act(i);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        thrown = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 1; t < std::min<std::size_t>(n, std::thread::hardware_concurrency()); ++t)
    threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

}  // namespace

void build(const std::vector<std::string>& files, const fs::path& out, const BuildOptions& o) {
  static_cast<void>(architecture_number(o.architecture));
  const Runtime runtime = installed_runtime();
  const std::string compiler = host_compiler();
  const ScratchFolder scratch;
  Sources sources(scratch.path(), {o.include_folders.begin(), o.include_folders.end()});
  struct Unit {
    fs::path from, object, said;
    bool cuda = false;
    Ending ending{};
  };
  std::vector<Unit> units;
  for (const std::string& file : files) {
    const bool cuda = is_cuda(file);
    const std::string number = std::to_string(units.size());
    constexpr std::string_view known[] = {".cu", ".cuh", ".cpp", ".cc", ".cxx", ".C", ".c", ".o"};
    if (std::find(std::begin(known), std::end(known), fs::path(file).extension().string()) == std::end(known))
      throw InputError(file, "", "a file of CUDA (.cu), C++ (.cpp, .cc, .cxx) or C (.c)", "another ending");
    static_cast<void>(read_bytes(file, std::uint64_t{1} << 26));  // its fault before the compiler's
    units.push_back({cuda ? sources.copy_of(file) : fs::path(file), scratch.path() / (number + ".o"),
                     scratch.path() / (number + ".txt"), cuda});
  }
  at_once(units.size(), [&](std::size_t i) {
    Unit& unit = units[i];
    Child child{.words = compile_words(compiler, unit.from, unit.cuda, runtime, o), .output = unit.said};
    bool cub = false;
    for (const auto& [copy, name] : sources.names()) {
      child.words.push_back("-fdebug-prefix-map=" + copy.string() + "=" + name);
      cub = cub || name.find("/cub/") != std::string::npos;
    }
    // It gives members the names of types that they use, which nvcc lets pass.
    if (cub && unit.cuda) child.words.emplace_back("-fpermissive");
    child.words.insert(child.words.end(), {"-o", unit.object.string()});
    unit.ending = run(child);
  });
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i].ending.signal != 0 || units[i].ending.status != 0) {
      const std::string said = text_of(units[i].said);
      throw CompileError(files[i] + " does not compile with " + compiler + ":\n" + package_note(said) +
                         beginning_of(said));
    }
  }
  Child link{.words = {}, .output = scratch.path() / "link.txt"};
  std::istringstream parts(compiler);
  for (std::string part; parts >> part;) link.words.push_back(part);
  if (o.library)
    link.words.insert(link.words.end(),
                      {"-shared", "-Wl,-Bsymbolic", "-Wl,--exclude-libs,ALL", "-Wl,-z,defs"});
  for (const Unit& unit : units) link.words.push_back(unit.object.string());
  if (o.profile)  // all of it: the executor finds it by being there
    link.words.insert(link.words.end(),
                      {"-Wl,--whole-archive", runtime.profile_archive.string(), "-Wl,--no-whole-archive"});
  link.words.insert(link.words.end(), {runtime.archive.string(), "-fopenmp"});
  std::istringstream openmp(ASSAY_SIMT_OPENMP);
  for (std::string library; std::getline(openmp, library, '|');) {
    if (!library.empty()) link.words.push_back(library);
  }
  for (const std::string& option : o.compiler_options) {
    if (option.starts_with("-l") || option.starts_with("-L") || option.starts_with("-fsanitize"))
      link.words.push_back(option);
  }
  // Beside its place, so that a failure leaves what was there.
  const fs::path unfinished = scratch.path() / "program";
  link.words.insert(link.words.end(), {"-o", unfinished.string()});
  if (const Ending ending = run(link); ending.signal != 0 || ending.status != 0) {
    const std::string said = text_of(link.output);
    const bool no_main = said.find("undefined reference to `main'") != std::string::npos;
    throw CompileError(
        (no_main ? "the program has no main(), so it does not link (simt check runs a single kernel):\n"
                 : "the program does not link:\n") +
        beginning_of(said));
  }
  std::error_code error;
  const fs::path beside = out.string() + ".unfinished";
  fs::copy_file(unfinished, beside, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(beside, out, error);
  if (error) {
    std::error_code ignored;
    fs::remove(beside, ignored);
    throw InputError(out.string(), "", "a place for the program", error.message());
  }
}

// --- running ---------------------------------------------------------------------------------------------------------

void require_schedule(const std::string& schedule) {
  constexpr std::string_view random = "random:";
  const bool numbered = schedule.starts_with(random) && schedule.size() > random.size() &&
                        schedule.size() < 26 &&
                        schedule.find_first_not_of("0123456789", random.size()) == std::string::npos;
  if (schedule.empty() || schedule == "forward" || schedule == "reverse" || numbered) return;
  throw InputError::of_option("--schedule", "forward, reverse or random:SEED", quoted(schedule));
}

ProgramRecord parse_program_record(const std::string& text) {
  ProgramRecord record;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "launch") {
      SimtLaunch l;
      words >> l.times >> l.grid >> l.block;
      std::getline(words >> std::ws, l.kernel);
      if (words) record.launches.push_back(std::move(l));
    } else if (what == "note") {
      std::getline(words >> std::ws, line);
      record.notes.push_back(std::move(line));
    }
  }
  return record;
}

Ending run_program(const fs::path& program, const std::vector<std::string>& arguments, const RunOptions& o) {
  require_schedule(o.schedule);
  Child child{.words = {fs::absolute(program).string()},
              .environment = {{"ASSAY_SIMT_ARCH", o.architecture}},
              .seconds = o.seconds,
              .standard_output = o.standard_output};
  child.words.insert(child.words.end(), arguments.begin(), arguments.end());
  child.environment.insert(child.environment.end(), o.environment.begin(), o.environment.end());
  if (!o.schedule.empty()) child.environment.emplace_back("ASSAY_SIMT_SCHEDULE", o.schedule);
  if (o.threads != 0) child.environment.emplace_back("ASSAY_SIMT_THREADS", std::to_string(o.threads));
  if (o.flush) child.environment.emplace_back("ASSAY_SIMT_FTZ", "1");
  return run(child);
}

fs::path program_in(const fs::path& folder, const std::vector<std::string>& files) {
  return folder / fs::path(files.at(0)).stem();
}

SimtRun build_and_run(const RunRequest& request, const fs::path& folder) {
  require_schedule(request.how.schedule);
  RunOptions how = request.how;
  how.architecture = request.build.architecture;
  SimtRun r{.files = request.files,
            .arguments = request.arguments,
            .architecture = how.architecture,
            .schedule = how.schedule.empty() ? "forward" : how.schedule,
            .fused = request.build.fuse,
            .flushed = how.flush,
            .threads = how.threads};
  const fs::path program = program_in(folder, request.files), record = folder / "record";
  how.environment.emplace_back("ASSAY_SIMT_RECORD", record.string());
  if (request.keeps_output) how.standard_output = folder / "output";
  auto begin = std::chrono::steady_clock::now();
  build(request.files, program, request.build);
  r.build_seconds = seconds_since(begin);
  begin = std::chrono::steady_clock::now();
  const Ending ending = run_program(program, request.arguments, how);
  r.run_seconds = seconds_since(begin);
  r.status = ending.status;
  r.signal = ending.signal;
  r.in_time = ending.in_time;
  if (request.keeps_output) r.output = text_of(how.standard_output);
  ProgramRecord wrote = parse_program_record(text_of(record));
  r.launches = std::move(wrote.launches);
  r.notes = std::move(wrote.notes);
  if (r.launches.empty()) return r;
  if (request.finds_contraction) {
    r.contracted = contracted_lines(request.files, request.build);
    r.notes.push_back(contraction_note(r.fused, *r.contracted));
  } else {
    r.notes.push_back(
        r.fused ? "contraction not modelled: a * b + c is fused where the host's compiler does so, and "
                  "nvcc may choose others"
                : "contraction not modelled: a * b + c is two roundings, and nvcc fuses it unless "
                  "-fmad=false");
  }
  return r;
}

}  // namespace assay::simt
