#include "validation/suites/runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "validation/report/json_report.hpp"

namespace assay::suites {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::chrono::milliseconds tick{100};
constexpr std::uint32_t default_mxcsr = 0x1F80;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// --- the worker's side -----------------------------------------------------------------------------------------------

// Sends a whole line. MSG_NOSIGNAL: whether the parent is still there is no reason for a signal.
bool send_line(int fd, std::string line) {
  line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

CaseResult error_result(Fault fault, std::string reason) {
  CaseResult result;
  result.status = Status::error;
  result.fault = fault;
  result.reason = std::move(reason);
  return result;
}

CaseResult run_guarded(const SelectedCase& c, const RunContext& context) {
  const MxcsrGuard guard(default_mxcsr);
  try {
    return judged(c.run(context));
  } catch (const Unavailable& e) {
    CaseResult result;
    result.status = Status::skipped;
    result.reason = e.what();
    return result;
  } catch (const InputError& e) {
    return error_result(Fault::input, e.what());
  } catch (const ContractError& e) {
    return error_result(Fault::ours, std::string("a contract was broken: ") + e.what());
  } catch (const std::bad_alloc&) {
    return error_result(Fault::code_under_test, "it ran out of memory");
  } catch (const std::exception& e) {
    return error_result(Fault::code_under_test, std::string("it threw: ") + e.what());
  } catch (...) {
    return error_result(Fault::code_under_test, "it threw something that is no std::exception");
  }
}

// Runs the case whose index it reads from `fd`, until that closes.
[[noreturn]] void work(std::span<const SelectedCase> cases, int threads, int fd, int captured) {
  std::mutex sending;  // a case may report progress from any of its threads
  for (;;) {
    std::uint64_t index = 0;
    const ssize_t got = ::recv(fd, &index, sizeof index, MSG_WAITALL);
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof index)) _exit(0);
    if (::ftruncate(captured, 0) != 0) _exit(1);
    const SelectedCase& c = cases[index];
    RunContext context = c.context;
    context.threads = c.one_thread ? 1 : threads;
    const ThreadScope team(context.threads);
    const auto begin = Clock::now();
    auto last = begin - tick;
    context.progress = [&](double fraction, std::string_view what) {
      const std::scoped_lock lock(sending);
      if (Clock::now() - last < tick) return;
      last = Clock::now();
      send_line(fd, Json{{"fraction", fraction}, {"what", what}}.dump(-1, ' ', false,
                                                                      Json::error_handler_t::replace));
    };
    const CaseResult result = run_guarded(c, context);
    const double seconds = seconds_since(begin);
    std::fflush(nullptr);
    const std::scoped_lock lock(sending);
    if (!send_line(fd, json_case({}, {c.name, result, seconds}))) _exit(1);
  }
}

// --- the parent's side -----------------------------------------------------------------------------------------------

std::string end_text(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* const name = sigabbrev_np(signal);
    const std::string text = "it was killed by signal " + std::to_string(signal);
    const std::string cause = signal == SIGKILL ? ", perhaps for want of memory" : "";
    return (name == nullptr ? text : text + " (SIG" + name + ")") + cause;
  }
  return "it ended the process with exit code " + std::to_string(WEXITSTATUS(status));
}

class Worker {
 public:
  Worker(std::span<const SelectedCase> cases, int threads) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw_errno("a socket to a worker");
    captured_ = ::memfd_create("assay-case-output", MFD_CLOEXEC);
    if (captured_ < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      throw_errno("a file for the output of cases");
    }
    // What is buffered belongs to this process: the worker's exit() would write it again.
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      ::close(captured_);
      throw_errno("a process for cases");
    }
    if (pid_ == 0) become_worker(cases, threads, parent, ends[1]);
    ::close(ends[1]);
    fd_ = ends[0];
    // Both sides set the group: whichever comes first, a later kill of the group finds it.
    ::setpgid(pid_, pid_);
  }
  ~Worker() {
    kill();
    ::close(fd_);
    ::close(captured_);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  bool start(std::size_t index) {
    const auto command = static_cast<std::uint64_t>(index);
    ssize_t sent = 0;
    do {
      sent = ::send(fd_, &command, sizeof command, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(sizeof command);
  }

  // A whole line that has come. Empty if none has; then ended() says whether the worker is gone.
  std::optional<std::string> receive() {
    if (auto line = take_line()) return line;
    if (read_some()) return take_line();
    // The end of the socket alone would not do: a process that the case has started may hold it open. What the worker
    // sent before it ended is still to be read.
    if (end_status_ == no_status && ::waitpid(pid_, &end_status_, WNOHANG) != pid_) end_status_ = no_status;
    while (end_status_ != no_status && read_some()) {
    }
    return take_line();
  }
  int socket() const { return fd_; }

  bool ended() {
    if (at_end_ && end_status_ == no_status) kill();
    return end_status_ != no_status;
  }
  int end_status() const { return end_status_; }

  // The worker and what it has started.
  void kill() {
    ::kill(-pid_, SIGKILL);
    if (end_status_ != no_status) return;
    // Where the socket is at its end the worker has begun to exit, and a late SIGKILL does not change its status.
    while (::waitpid(pid_, &end_status_, 0) < 0 && errno == EINTR) {
    }
  }

  // What the case printed, its middle left out if it is long.
  std::vector<std::string> printed() const {
    constexpr off_t most_bytes = 1 << 16;
    constexpr std::size_t kept = 10;  // at either end: a sanitizer says the cause first, an abort last
    const off_t size = ::lseek(captured_, 0, SEEK_END);
    if (size <= 0) return {};
    std::string text(static_cast<std::size_t>(std::min(size, most_bytes)), '\0');
    const ssize_t got = ::pread(captured_, text.data(), text.size(), size - static_cast<off_t>(text.size()));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      lines.push_back("printed: " + text.substr(at, end - at));
      at = end + 1;
    }
    if (lines.size() > 2 * kept) {
      lines[kept] = "printed: ... (" + std::to_string(lines.size() - 2 * kept) + " lines)";
      lines.erase(lines.begin() + kept + 1, lines.end() - kept);
    }
    return lines;
  }

 private:
  static constexpr int no_status = -1;

  [[noreturn]] void become_worker(std::span<const SelectedCase> cases, int threads, pid_t parent,
                                  int socket) const {
    // Nothing may outlive the run, whatever ends it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) _exit(1);
    // A group of its own: Ctrl-C is the parent's to handle, and kill() reaches what a case has started.
    ::setpgid(0, 0);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const int null = ::open("/dev/null", O_RDONLY);
    // O_APPEND: after each truncation writing goes on at the beginning.
    ::fcntl(captured_, F_SETFL, O_APPEND);
    constexpr int own_socket = 3;
    if (::dup2(null, 0) < 0 || ::dup2(captured_, 1) < 0 || ::dup2(captured_, 2) < 0) _exit(1);
    // The parent's files (reports, its own sockets) are none of the worker's.
    const int kept = ::fcntl(socket, F_DUPFD_CLOEXEC, 64);
    if (kept < 0 || ::dup3(kept, own_socket, O_CLOEXEC) < 0) _exit(1);
    ::close_range(own_socket + 1, ~0U, 0);
    work(cases, threads, own_socket, 1);
  }

  bool read_some() {
    std::array<char, 1 << 16> bytes;  // NOLINT: filled by recv
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    if (got == 0) at_end_ = true;
    return got > 0;
  }

  std::optional<std::string> take_line() {
    const auto end = buffer_.find('\n');
    if (end == std::string::npos) return {};
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

  pid_t pid_ = -1;
  int fd_ = -1, captured_ = -1;
  int end_status_ = no_status;
  bool at_end_ = false;
  std::string buffer_;
};

// A worker and the case that it runs.
struct Lane {
  std::unique_ptr<Worker> worker{};
  std::optional<std::size_t> index{};  // of the case; empty: none
  Clock::time_point begin{};
  double fraction = -1;  // as the case last said
  std::string what{};
};

// Until one of the workers sends something, a tick at most.
void wait_for_any(const std::vector<Lane>& lanes) {
  std::vector<pollfd> events;
  for (const Lane& lane : lanes) {
    if (lane.index) events.push_back({.fd = lane.worker->socket(), .events = POLLIN, .revents = 0});
  }
  ::poll(events.data(), events.size(), static_cast<int>(tick.count()));
}

class Runner {
 public:
  Runner(std::span<const SelectedCase> cases, const RunnerOptions& options, const RunnerEvents& events)
      : cases_(cases), options_(options), events_(events), done_(cases.size()) {
    // More than there are processors would only run out of each other's time.
    const int threads = options.threads > 0 ? options.threads : default_threads();
    lanes_.resize(static_cast<std::size_t>(std::clamp(threads, 1, std::max(hardware_threads(), 2))));
  }

  bool run() {
    while (told_ < cases_.size()) {
      if (events_.interrupted()) {
        // Also of those that wait for one before them: what is finished is reported.
        for (; told_ < cases_.size(); ++told_) tell();
        return false;
      }
      start_more();
      wait_for_any(lanes_);
      for (Lane& lane : lanes_) {
        if (lane.index) look_at(lane);
      }
      for (; told_ < cases_.size() && done_[told_]; ++told_) tell();
      show_oldest();
    }
    return true;
  }

 private:
  // A case that may use several threads has the machine for itself.
  bool may_start(const SelectedCase& next) const {
    return std::all_of(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
      return !lane.index || (next.one_thread && cases_[*lane.index].one_thread);
    });
  }

  void tell() {
    if (done_[told_]) events_.finished(*std::exchange(done_[told_], {}));
  }

  void start_more() {
    for (Lane& lane : lanes_) {
      if (next_ == cases_.size() || !may_start(cases_[next_])) return;
      if (!lane.index) start(lane, next_++);
    }
  }

  std::unique_ptr<Worker> new_worker() const {
    check_before_fork("run_cases");
    return std::make_unique<Worker>(cases_, options_.threads);
  }

  void start(Lane& lane, std::size_t index) {
    events_.started(cases_[index]);
    if (!lane.worker) lane.worker = new_worker();
    // A worker that died between two cases (killed from outside) has cost nothing: a new one takes the case.
    if (!lane.worker->start(index)) {
      lane.worker = new_worker();
      if (!lane.worker->start(index)) throw std::runtime_error("a new worker did not take a case");
    }
    lane.index = index;
    lane.begin = Clock::now();
    lane.fraction = -1;
    lane.what.clear();
  }

  // Reads what a worker has sent, and sees to it that a case ends.
  void look_at(Lane& lane) {
    const SelectedCase& c = cases_[*lane.index];
    const double seconds = seconds_since(lane.begin);
    std::optional<CaseRecord> record;
    const auto fail = [&](const std::string& reason) {
      lane.worker->kill();
      record = {c.name, error_result(Fault::code_under_test, reason), seconds};
    };
    while (!record) {
      const std::optional<std::string> line = lane.worker->receive();
      if (!line) break;
      const Json message = Json::parse(*line, nullptr, false);
      if (!message.is_object()) {
        fail("what it sent is no result: " + quoted(*line));
      } else if (message.contains("record")) {
        record = parse_json_case(*line);
      } else {
        // NaN travels as null.
        lane.fraction = message["fraction"].is_number() ? message["fraction"].get<double>() : -1;
        lane.what = message["what"].get<std::string>();
      }
    }
    if (!record && lane.worker->ended()) fail(end_text(lane.worker->end_status()));
    if (!record && options_.timeout_seconds > 0 && seconds > options_.timeout_seconds)
      fail(fmt::format("no result after {} s (--timeout)", options_.timeout_seconds));
    if (!record) return;
    for (std::string& text : lane.worker->printed()) record->result.details.push_back(std::move(text));
    if (lane.worker->ended()) lane.worker.reset();
    done_[*std::exchange(lane.index, {})] = std::move(record);
  }

  void show_oldest() const {
    const Lane* oldest = nullptr;
    for (const Lane& lane : lanes_) {
      if (lane.index && (oldest == nullptr || *lane.index < *oldest->index)) oldest = &lane;
    }
    if (oldest != nullptr)
      events_.running(cases_[*oldest->index], seconds_since(oldest->begin), oldest->fraction, oldest->what);
  }

  std::span<const SelectedCase> cases_;
  const RunnerOptions& options_;
  const RunnerEvents& events_;
  std::vector<Lane> lanes_{};
  std::vector<std::optional<CaseRecord>> done_;  // not told yet
  std::size_t next_ = 0, told_ = 0;              // of `cases_`
};

}  // namespace

bool run_cases(std::span<const SelectedCase> cases, const RunnerOptions& options,
               const RunnerEvents& events) {
  return Runner(cases, options, events).run();
}

}  // namespace assay::suites
