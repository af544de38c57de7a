#include "validation/simt/kernel_check.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
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

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/memory.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"
#include "validation/io/io.hpp"
#include "validation/simt/process.hpp"

namespace assay::simt {
namespace {

using assay_simt::KernelParameter;
using Clock = std::chrono::steady_clock;

// --- what a kernel is called with ------------------------------------------------------------------------------------

std::optional<io::ElementType> element_type_of(const KernelParameter& p) {
  const std::string_view name = p.name;
  const auto bits = static_cast<int>(8 * p.bytes);
  switch (p.kind) {
    case 'f':
      if (p.bytes == 4) return io::ElementType(formats::float32);
      if (p.bytes == 8) return io::ElementType(formats::float64);
      return {};
    case 'i': return io::ElementType::signed_integer(bits);
    case 'u': return io::ElementType::unsigned_integer(bits);
    case 'b': return io::ElementType::boolean();
    case 'v': return io::ElementType::unsigned_integer(8);
    default: break;
  }
  if (name == "__half") return io::ElementType(formats::float16);
  if (name == "__nv_bfloat16") return io::ElementType(formats::bfloat16);
  if (name == "__nv_fp8_e4m3") return io::ElementType(formats::float8_e4m3fn);
  if (name == "__nv_fp8_e5m2") return io::ElementType(formats::float8_e5m2);
  return {};
}

struct Generated {
  std::string_view what;
  std::uint64_t count = 0, seed = 1;
};
// random:1024:7
std::optional<Generated> generated(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  Generated g{.what = text.substr(0, colon)};
  const bool known = g.what == "random" || g.what == "zeros" || g.what == "ones" || g.what == "iota";
  if (!known) return {};
  const char* const end = text.data() + text.size();
  const auto count = std::from_chars(text.data() + colon + 1, end, g.count);
  bool whole = count.ec == std::errc() && g.count != 0;
  if (whole && count.ptr != end) {
    const auto seed = *count.ptr == ':' && g.what == "random"
                          ? std::from_chars(count.ptr + 1, end, g.seed)
                          : std::from_chars_result{end, std::errc::invalid_argument};
    whole = seed.ec == std::errc() && seed.ptr == end;
  }
  if (!whole)
    throw InputError::of_option("--arg", "random:N[:SEED], zeros:N, ones:N or iota:N", quoted(text));
  return g;
}

// Random values in [-1, 1) of floating point, and in [0, 256) of integers.
io::Array array_of(const Generated& g, const io::ElementType& element, std::uint64_t stream) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  if (g.count > most) throw InputError::of_option("--arg", "at most 2^40 elements", std::to_string(g.count));
  // The array, a copy that the kernel gets, and the bits of two schedules.
  check_memory("--arg", "four copies of " + std::to_string(g.count) + " elements",
               g.count * element.bytes() * 4);
  io::Array a = io::make_array(element, {static_cast<std::int64_t>(g.count)});
  const CounterRandom random(g.seed, stream);
  const std::size_t width = element.bytes();
  for (std::uint64_t i = 0; i < g.count; ++i) {
    double x = g.what == "ones" ? 1 : g.what == "iota" ? static_cast<double>(i) : 0;
    if (g.what == "random")
      x = element.is_floating() ? 2 * random.uniform(i) - 1 : static_cast<double>(random.below(256, i));
    std::uint64_t code = 0;
    if (element.is_floating()) {
      code = encode(x, element.format()).code;
    } else if (element.kind() == io::ElementType::Kind::boolean) {
      code = static_cast<std::uint64_t>(x) & 1;
    } else {
      code = static_cast<std::uint64_t>(x);
    }
    std::memcpy(a.bytes.data() + i * width, &code, width);
  }
  return a;
}

// The value of a scalar parameter, as it lies in memory.
std::vector<std::byte> scalar_of(std::string_view text, const KernelParameter& p, std::size_t number) {
  std::vector<std::byte> bytes(std::max<std::size_t>(p.bytes, 8));
  const char *const begin = text.data(), *const end = begin + text.size();
  const auto refuse = [&](const std::string& expected) {
    throw InputError::of_option(
        "--arg", expected + " for parameter " + std::to_string(number + 1) + ", " + type_text(p),
        quoted(text));
  };
  const auto integer = [&]<class T>(T value) {
    const auto got = std::from_chars(begin, end, value);
    if (got.ec != std::errc() || got.ptr != end) refuse("a whole number");
    const int bits = static_cast<int>(8 * p.bytes);
    if (bits < 64) {
      const bool fits = std::is_signed_v<T> ? value >> (bits - 1) == T(0) || value >> (bits - 1) == T(-1)
                                            : value >> bits == T(0);
      if (!fits) refuse("a number of " + std::to_string(bits) + " bits");
    }
    std::memcpy(bytes.data(), &value, sizeof value);
  };
  const std::optional<io::ElementType> element = element_type_of(p);
  if (!element) refuse("a type that can be typed in");
  if (element->is_floating()) {
    double value = 0;
    const auto got = std::from_chars(begin, end, value);
    if (got.ec != std::errc() || got.ptr != end) refuse("a number");
    const std::uint64_t code = encode(value, element->format()).code;
    std::memcpy(bytes.data(), &code, sizeof code);
  } else if (p.kind == 'i') {
    integer(std::int64_t{0});
  } else {
    integer(std::uint64_t{0});
  }
  return bytes;
}

std::uint64_t threads_of(const Extent& e) {
  std::uint64_t all = 1;
  for (const auto* const three : {&e.grid, &e.block}) {
    for (const std::uint32_t n : *three) all *= n;
  }
  return all;
}

struct Argument {
  std::optional<io::Array> array{};
  std::vector<std::byte> scalar{};
  std::string shown{};
};

Argument argument_of(const std::string& given, const KernelParameter& p, std::size_t number,
                     const Extent& e) {
  Argument a;
  const std::optional<io::ElementType> element = element_type_of(p);
  std::string text = given;
  if (text.empty()) text = (p.is_pointer ? "random:" : "") + std::to_string(threads_of(e));
  a.shown = type_text(p) + " = " + text;
  if (!p.is_pointer) {
    a.scalar = scalar_of(text, p, number);
    return a;
  }
  if (!element)
    throw InputError::of_option("--arg", "a pointer to numbers for parameter " + std::to_string(number + 1),
                                type_text(p));
  if (const auto g = generated(text)) {
    a.array = array_of(*g, *element, number);
    return a;
  }
  io::Array array = io::read_array(text);
  if (p.kind != 'v' && array.element != *element)
    throw InputError(text, "",
                     "elements of " + element->name() + " for parameter " + std::to_string(number + 1) +
                         ", " + type_text(p),
                     array.element.name());
  a.array = std::move(array);
  return a;
}

// --- the extent ------------------------------------------------------------------------------------------------------

// 64, [64], [8,4] or {8,4,2} after `name=` in the first line.
std::optional<std::vector<std::uint64_t>> said_in(std::string_view line, std::string_view name) {
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return {};
  std::vector<std::uint64_t> numbers;
  std::uint64_t n = 0;
  bool in_number = false;
  for (const char c : line.substr(at + name.size())) {
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

void put_extent(const std::optional<std::vector<std::uint64_t>>& given, std::string_view first_line,
                const char* option, std::string_view in_line, std::uint32_t otherwise,
                std::array<std::uint32_t, 3>& out) {
  std::optional<std::vector<std::uint64_t>> numbers = given;
  if (!numbers && first_line.starts_with("//")) numbers = said_in(first_line, in_line);
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

std::string first_line_of(const std::string& file) {
  const std::vector<std::byte> bytes = read_bytes(file, std::uint64_t{1} << 26);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::string(text.substr(0, text.find('\n')));
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
    const auto width = static_cast<std::ptrdiff_t>(arguments[i].array->element.bytes());
    const std::ptrdiff_t bytes = static_cast<const std::byte*>(at) - memory[i]->data();
    const std::ptrdiff_t element = bytes >= 0 ? bytes / width : -((-bytes + width - 1) / width);
    return "it touches element " + std::to_string(element) + " of argument " + std::to_string(i + 1) + " (" +
           arguments[i].shown + "), which has " + std::to_string(arguments[i].array->size());
  }
  return "it touches memory outside of its arrays, or a thread needs more than its stack";
}

struct Outcome {
  SimtScheduleRun run;
  std::vector<std::vector<std::byte>> bytes;  // of each array; empty for scalars, and after a failure
};

Outcome run_under(const std::string& schedule, const LoadedKernel& kernel, const Extent& extent,
                  const KernelCheck& request, const std::vector<Argument>& arguments) {
  Outcome out{.run = {.schedule = schedule}, .bytes = {}};
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

std::optional<SimtDifference> difference(std::size_t argument, const io::ElementType& element,
                                         const Outcome& first, const Outcome& other) {
  const std::vector<std::byte>&x = first.bytes[argument], &y = other.bytes[argument];
  if (x == y) return {};
  const std::size_t width = element.bytes();
  SimtDifference d{
      .argument = argument, .first_schedule = first.run.schedule, .other_schedule = other.run.schedule};
  for (std::size_t at = 0; at + width <= x.size(); at += width) {
    if (std::memcmp(x.data() + at, y.data() + at, width) == 0) continue;
    if (d.elements_that_differ++ != 0) continue;
    d.element = at / width;
    d.first = value_text(element, x.data() + at);
    d.other = value_text(element, y.data() + at);
  }
  return d;
}

}  // namespace

CheckedKernel check_kernel(const KernelCheck& request) {
  for (const std::string& schedule : request.schedules) require_schedule(schedule);
  const std::string first_line = first_line_of(request.files.at(0));
  Extent extent;
  put_extent(request.grid, first_line, "--grid", "gridDim=", 1, extent.grid);
  put_extent(request.block, first_line, "--block", "blockDim=", 32, extent.block);

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
    const auto& array = arguments.back().array;
    result.arrays.push_back({.type = type_text(parameters[i]),
                             .elements = array ? static_cast<std::uint64_t>(array->size()) : 0});
  }

  std::optional<Outcome> first;
  for (const std::string& schedule : request.schedules) {
    Outcome outcome = run_under(schedule, kernel, extent, request, arguments);
    result.runs.push_back(outcome.run);
    if (!outcome.run.failure.empty()) continue;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!arguments[i].array) continue;
      result.arrays[i].written = result.arrays[i].written || outcome.bytes[i] != arguments[i].array->bytes;
      if (!first) continue;
      if (auto d = difference(i, arguments[i].array->element, *first, outcome))
        result.differences.push_back(*std::move(d));
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
