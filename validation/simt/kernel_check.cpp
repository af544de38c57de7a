#include "validation/simt/kernel_check.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "emulation/simt/imitated_gpu.hpp"
#include "emulation/simt/launch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/formats/encode.hpp"
#include "validation/io/io.hpp"
#include "validation/simt/kernel_arguments.hpp"
#include "validation/simt/process.hpp"

namespace assay::simt {
namespace {

using Clock = std::chrono::steady_clock;

// --- the extent ------------------------------------------------------------------------------------------------------

// 64, [64], [8,4] or {8,4,2} after `name=`.
std::optional<std::vector<std::uint64_t>> said_in(std::string_view comment, std::string_view name) {
  const std::size_t at = comment.find(name);
  if (at == std::string_view::npos) return {};
  std::vector<std::uint64_t> numbers;
  std::uint64_t n = 0;
  bool in_number = false;
  for (const char c : comment.substr(at + name.size())) {
    if (c >= '0' && c <= '9') {
      n = std::min<std::uint64_t>(n * 10 + static_cast<std::uint64_t>(c - '0'), std::uint64_t{1} << 40);
      in_number = true;
      continue;
    }
    if (in_number) numbers.push_back(std::exchange(n, 0));
    in_number = false;
    if (c != '[' && c != '{' && c != '(' && c != ',' && c != 'x') break;
  }
  if (in_number) numbers.push_back(n);
  if (numbers.empty()) return {};
  return numbers;
}

void put_extent(const std::optional<std::vector<std::uint64_t>>& given, std::string_view comment,
                const char* option, std::string_view in_comment, std::uint32_t otherwise,
                std::array<std::uint32_t, 3>& out) {
  std::optional<std::vector<std::uint64_t>> numbers = given;
  if (!numbers) numbers = said_in(comment, in_comment);
  if (!numbers) numbers = std::vector<std::uint64_t>{otherwise};
  if (numbers->empty() || numbers->size() > 3)
    throw InputError::of_option(option, "one to three numbers", std::to_string(numbers->size()));
  for (std::size_t i = 0; i < numbers->size(); ++i) {
    const std::uint64_t n = (*numbers)[i];
    if (n == 0 || n > 0x7FFFFFFF)
      throw InputError::of_option(option, "numbers of 1 to 2^31 - 1", std::to_string(n));
    out[i] = static_cast<std::uint32_t>(n);
  }
}

// A launch that every schedule would refuse is refused before anything is built.
void require_launch(const Extent& e, const KernelCheck& request) {
  const ImitatedGpu* const gpu = imitated_gpu_named(request.build.architecture);
  if (gpu == nullptr) return;  // build() says so
  const auto dim = [](const std::array<std::uint32_t, 3>& n) { return dim3(n[0], n[1], n[2]); };
  const std::string why = why_not_launched(dim(e.grid), dim(e.block), request.shared_bytes, limits_of(*gpu));
  if (!why.empty())
    throw InputError::of_option("a launch", "what " + request.build.architecture + " can start", why);
}

// The lines of // that a file begins with.
std::string first_comment_of(const std::string& file) {
  const std::vector<std::byte> bytes = read_bytes(file, std::uint64_t{1} << 26);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t end = 0;
  while (text.substr(end).starts_with("//")) end = std::min(text.find('\n', end), text.size() - 1) + 1;
  return std::string(text.substr(0, end));
}

// --- a run in a child ------------------------------------------------------------------------------------------------

// Memory that parent and child share, its end against a page that nobody may touch.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes) : bytes_(bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    constexpr std::size_t alignment = 16;  // of the widest load; so up to 15 bytes lie before the guard
    const std::size_t whole = (bytes + page - 1) / page * page;
    mapped_bytes_ = whole + 2 * page;
    void* const at = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    mapped_ = static_cast<std::byte*>(at);
    ::mprotect(mapped_, page, PROT_NONE);
    ::mprotect(mapped_ + page + whole, page, PROT_NONE);
    data_ = mapped_ + page + (whole - bytes) / alignment * alignment;
  }
  ~GuardedMemory() { ::munmap(mapped_, mapped_bytes_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }
  bool guards(const void* p) const {
    const auto* const at = static_cast<const std::byte*>(p);
    return at >= mapped_ && at < mapped_ + mapped_bytes_;
  }

 private:
  std::size_t bytes_, mapped_bytes_ = 0;
  std::byte *mapped_ = nullptr, *data_ = nullptr;
};

// What the child tells.
struct Told {
  char failure[4096];
  void* faulted_at;
  double seconds;
};
Told* told_of_handler = nullptr;
constexpr int status_of_fault = 97, status_of_failure = 98;

[[noreturn]] void run_in_child(const LoadedKernel& kernel, const Extent& extent, std::uint64_t shared_bytes,
                               const std::vector<void*>& values, const std::string& schedule,
                               bool had_threads, Told& told) {
  told_of_handler = &told;
  // On a stack of its own: what faults may be the end of a fibre's.
  static std::byte stack[1 << 16];
  const stack_t other{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  ::sigaltstack(&other, nullptr);
  struct sigaction fault {};
  fault.sa_sigaction = [](int, siginfo_t* info, void*) {
    told_of_handler->faulted_at = info->si_addr;
    ::_exit(status_of_fault);
  };
  fault.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS}) ::sigaction(signal, &fault, nullptr);
  ::setenv("ASSAY_SIMT_SCHEDULE", schedule.c_str(), 1);
  // OpenMP believes in the threads that this process had before the fork, and would wait for them.
  if (had_threads) ::setenv("ASSAY_SIMT_THREADS", "1", 1);
  const auto begin = Clock::now();
  std::string failure;
  try {
    failure = kernel.call(extent, shared_bytes, values);
  } catch (const std::exception& e) {
    failure = std::string("the kernel threw: ") + e.what();
  } catch (...) {
    failure = "the kernel threw something that is no std::exception";
  }
  told.seconds = seconds_since(begin);
  std::snprintf(told.failure, sizeof told.failure, "%s", failure.c_str());
  std::fflush(nullptr);
  ::_exit(failure.empty() ? 0 : status_of_failure);
}

std::string fault_text(const void* at, const std::vector<std::unique_ptr<GuardedMemory>>& memory,
                       const std::vector<Argument>& arguments) {
  for (std::size_t i = 0; i < memory.size(); ++i) {
    if (memory[i] == nullptr || !memory[i]->guards(at)) continue;
    const auto width =
        static_cast<std::ptrdiff_t>(arguments[i].array->element.bytes() * arguments[i].numbers_per_element);
    const std::ptrdiff_t bytes = static_cast<const std::byte*>(at) - memory[i]->data();
    const std::ptrdiff_t element = bytes >= 0 ? bytes / width : -((-bytes + width - 1) / width);
    return "it touches element " + std::to_string(element) + " of argument " + std::to_string(i + 1) + " (" +
           arguments[i].shown + "), which has " + std::to_string(elements_of(arguments[i]));
  }
  return "it touches memory outside of its arrays, or a thread needs more than its stack";
}

struct ScheduleOutcome {
  SimtScheduleRun run;
  std::vector<std::vector<std::byte>> bytes;  // of each array; empty for scalars, and after a failure
};

ScheduleOutcome run_under(const std::string& schedule, const LoadedKernel& kernel, const Extent& extent,
                          const KernelCheck& request, const std::vector<Argument>& arguments) {
  ScheduleOutcome out{.run = {.schedule = schedule}, .bytes = {}};
  std::vector<std::unique_ptr<GuardedMemory>> memory;
  std::vector<void*> pointers(arguments.size()), values(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    memory.push_back(nullptr);
    if (arguments[i].array) {
      const std::vector<std::byte>& bytes = arguments[i].array->bytes;
      memory[i] = std::make_unique<GuardedMemory>(bytes.size());
      if (!bytes.empty()) std::memcpy(memory[i]->data(), bytes.data(), bytes.size());
      pointers[i] = memory[i]->data();
      values[i] = &pointers[i];
    } else {
      values[i] = const_cast<std::byte*>(arguments[i].scalar.data());
    }
  }
  const GuardedMemory told_memory(sizeof(Told));
  auto& told = *new (told_memory.data()) Told{};
  std::fflush(nullptr);
  std::error_code no_proc;
  const std::filesystem::directory_iterator threads("/proc/self/task", no_proc);
  const bool had_threads = std::distance(begin(threads), end(threads)) > 1;
  const pid_t pid = ::fork();
  if (pid < 0) throw Unavailable(std::string("no process for the kernel: ") + std::strerror(errno));
  if (pid == 0) run_in_child(kernel, extent, request.shared_bytes, values, schedule, had_threads, told);
  const bool in_time = ends_in_time(pid, request.seconds);
  if (!in_time) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  out.run.seconds = told.seconds;
  if (!in_time) {
    char text[64];
    std::snprintf(text, sizeof text, "it has not ended after %g s", request.seconds);
    out.run.failure = text;
  } else if (WIFSIGNALED(status)) {
    out.run.failure = std::string("it ended by signal ") + ::strsignal(WTERMSIG(status));
  } else if (WEXITSTATUS(status) == status_of_fault) {
    out.run.failure = fault_text(told.faulted_at, memory, arguments);
  } else if (WEXITSTATUS(status) == status_of_failure) {
    out.run.failure = told.failure;
  } else if (WEXITSTATUS(status) != 0) {
    out.run.failure = "it ended the process with status " + std::to_string(WEXITSTATUS(status));
  }
  if (!out.run.failure.empty()) return out;
  for (const auto& one : memory) {
    std::vector<std::byte> bytes;
    std::uint64_t checksum = 0xCBF29CE484222325U;  // FNV-1a
    if (one != nullptr) {
      bytes.assign(one->data(), one->data() + one->size());
      for (const std::byte b : bytes) checksum = (checksum ^ static_cast<std::uint64_t>(b)) * 0x100000001B3U;
    }
    out.run.checksums.push_back(one == nullptr ? 0 : checksum);
    out.bytes.push_back(std::move(bytes));
  }
  return out;
}

std::string value_text(const io::ElementType& element, const std::byte* at) {
  std::uint64_t code = 0;
  std::memcpy(&code, at, element.bytes());
  char text[96];
  if (element.is_floating()) {
    std::snprintf(text, sizeof text, "%.9g (0x%llx)", decode(code, element.format()),
                  static_cast<unsigned long long>(code));
  } else if (element.kind() == io::ElementType::Kind::signed_integer) {
    const int unused = 64 - element.bits();
    std::snprintf(text, sizeof text, "%lld",
                  static_cast<long long>(static_cast<std::int64_t>(code << unused) >> unused));
  } else {
    std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(code));
  }
  return text;
}

std::optional<SimtDifference> difference(std::size_t argument, const Argument& a,
                                         const ScheduleOutcome& first, const ScheduleOutcome& other) {
  const std::vector<std::byte>&x = first.bytes[argument], &y = other.bytes[argument];
  if (x == y) return {};
  const io::ElementType& number = a.array->element;
  const std::size_t width = number.bytes() * a.numbers_per_element;
  SimtDifference d{
      .argument = argument, .first_schedule = first.run.schedule, .other_schedule = other.run.schedule};
  for (std::size_t at = 0; at + width <= x.size(); at += width) {
    if (std::memcmp(x.data() + at, y.data() + at, width) == 0) continue;
    if (d.elements_that_differ++ != 0) continue;
    d.element = at / width;
    std::size_t where = at;  // the first of its numbers that differs
    while (std::memcmp(x.data() + where, y.data() + where, number.bytes()) == 0) where += number.bytes();
    d.first = value_text(number, x.data() + where);
    d.other = value_text(number, y.data() + where);
  }
  return d;
}

}  // namespace

CheckedKernel check_kernel(const KernelCheck& request) {
  for (const std::string& schedule : request.schedules) require_schedule(schedule);
  const std::string comment = first_comment_of(request.files.at(0));
  Extent extent;
  put_extent(request.grid, comment, "--grid", "gridDim=", 1, extent.grid);
  put_extent(request.block, comment, "--block", "blockDim=", 32, extent.block);
  require_launch(extent, request);

  CheckedKernel checked;
  SimtCheck& result = checked.result;
  result.file = request.files.front();
  result.kernel = request.kernel;
  result.architecture = request.build.architecture;
  result.shared_bytes = request.shared_bytes;
  std::copy(extent.grid.begin(), extent.grid.end(), result.grid);
  std::copy(extent.block.begin(), extent.block.end(), result.block);
  const auto begin = Clock::now();
  ::setenv("ASSAY_SIMT_ARCH", request.build.architecture.c_str(), 1);
  const LoadedKernel kernel(request.files, request.kernel, request.build);
  result.build_seconds = seconds_since(begin);

  const auto parameters = kernel.parameters();
  if (request.arguments.size() > parameters.size())
    throw InputError::of_option(
        "--arg", "at most " + std::to_string(parameters.size()) + " arguments for " + request.kernel,
        std::to_string(request.arguments.size()));
  std::vector<Argument> arguments;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    arguments.push_back(
        argument_of(i < request.arguments.size() ? request.arguments[i] : "", parameters[i], i, extent));
    result.arguments.push_back(arguments.back().shown);
    result.arrays.push_back({.type = type_text(parameters[i]), .elements = elements_of(arguments.back())});
  }

  std::optional<ScheduleOutcome> first;
  for (const std::string& schedule : request.schedules) {
    ScheduleOutcome outcome = run_under(schedule, kernel, extent, request, arguments);
    result.runs.push_back(outcome.run);
    if (!outcome.run.failure.empty()) continue;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!arguments[i].array) continue;
      result.arrays[i].written = result.arrays[i].written || outcome.bytes[i] != arguments[i].array->bytes;
      if (!first) continue;
      if (auto d = difference(i, arguments[i], *first, outcome)) result.differences.push_back(*std::move(d));
    }
    if (!first) first = std::move(outcome);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    checked.arrays.push_back(std::move(arguments[i].array));
    if (first && checked.arrays[i]) checked.arrays[i]->bytes = std::move(first->bytes[i]);
  }
  return checked;
}

}  // namespace assay::simt
