#include "validation/diagnose/program/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"

extern char** environ;  // NOLINT: POSIX has it in no header of its own

namespace assay::diagnose {
namespace {

using Clock = std::chrono::steady_clock;

void append_numbers(std::string& text, const std::vector<std::byte>& codes, const FormatSpec& f) {
  const std::size_t width = code_bytes(f), n = codes.size() / width;
  for (std::size_t i = 0; i < n; ++i) {
    const double value = decode(detail::load_code(codes.data(), static_cast<std::ptrdiff_t>(i), width), f);
    fmt::format_to(std::back_inserter(text), "{}{}", i == 0 ? "" : " ", value);
  }
  text += '\n';
}

void append_bytes(std::string& text, const std::vector<std::byte>& codes) {
  const std::size_t at = text.size();
  text.resize(at + codes.size());
  if (!codes.empty()) std::memcpy(text.data() + at, codes.data(), codes.size());
}

// No number that anybody prints is longer: the widest float64 has 1,080 characters in plain decimal.
constexpr std::size_t longest_number = 1200;

std::size_t answer_limit(const Problem& p, std::size_t cases, Form form) {
  const std::size_t results = cases * p.outputs();
  return form == Form::binary ? results * code_bytes(p.output) : results * longest_number;
}

std::uint64_t parse_result(std::string_view word, const FormatSpec& f) {
  constexpr std::string_view raw = "bits:0x";
  if (word.starts_with(raw)) {
    const std::string digits(word.substr(raw.size()));
    char* end = nullptr;
    const std::uint64_t code = std::strtoull(digits.c_str(), &end, 16);
    if (digits.empty() || digits.size() > 16 || *end != '\0' || (f.bits < 64 && code >> f.bits != 0))
      throw TargetError("a result that is no code of " + std::string(f.dtype) + ": " + quoted(word));
    return code;
  }
  try {
    // The shortest digits of a float64 lie to one side of it, which decides where it is a tie in a narrower format.
    const double printed = decode(encode(parse_number(word), formats::float64).code, formats::float64);
    return encode(printed, f).code;
  } catch (const InputError&) {
    throw TargetError("a result that is no number: " + quoted(word));
  }
}

// Of a decimal number; of any other word so many as none has.
int significant_digits(std::string_view word) {
  constexpr int all = 1000;
  if (word.find_first_of("xX") != std::string_view::npos) return all;
  int digits = 0;
  for (const char c : word.substr(0, word.find_first_of("eE"))) {
    if (c >= '0' && c <= '9' && (digits > 0 || c != '0')) ++digits;
  }
  return digits;
}

int most_significant_digits(std::string_view text) {
  int most = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    at = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    most = std::max(most, significant_digits(text.substr(begin, at - begin)));
  }
  return most;
}

std::string signal_text(int number) {
  const char* const name = sigabbrev_np(number);
  return name == nullptr ? std::to_string(number) : fmt::format("{} (SIG{})", number, name);
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return "it was killed by signal " + signal_text(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  // The shell that started it says a signal this way.
  if (code > 128 && sigabbrev_np(code - 128) != nullptr)
    return fmt::format("it ended with status {}: killed by signal {}", code, signal_text(code - 128));
  return fmt::format("it ended with status {}{}", code, code == 127 ? " (is there such a program?)" : "");
}

struct Descriptor {
  int fd = -1;
  Descriptor() = default;
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// The process between us and the shell, leader of the group. It dies when we do, whatever ended us, and takes the group
// along: a death signal of the shell's own would not reach what the shell started. After the fork of a process that may
// have threads: nothing but system calls.
[[noreturn]] void stand_guard(pid_t parent, std::array<int, 3> ends, char* const* argv,
                              char* const* environment) {
  ::setpgid(0, 0);
  struct sigaction kill_group {};
  kill_group.sa_handler = [](int) { ::kill(0, SIGKILL); };
  ::sigaction(SIGTERM, &kill_group, nullptr);
  sigset_t death;
  ::sigemptyset(&death);
  ::sigaddset(&death, SIGTERM);
  ::sigprocmask(SIG_UNBLOCK, &death, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  const pid_t shell = ::fork();
  if (shell < 0) ::_exit(127);
  if (shell == 0) {
    ::signal(SIGPIPE, SIG_DFL);  // an ignored signal would stay ignored
    for (int fd = 0; fd < 3; ++fd) ::dup2(ends[static_cast<std::size_t>(fd)], fd);
    ::execve(argv[0], argv, environment);
    ::_exit(127);
  }
  // A pipe that stayed open here would never come to its end.
  ::close_range(0, ~0U, 0);
  int status = 0;
  while (::waitpid(shell, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// The end of what a program said, in whole lines where there are any.
std::string last_lines(std::string_view text, std::size_t most_bytes) {
  constexpr int most_lines = 12;
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() > most_bytes) {
    text.remove_prefix(text.size() - most_bytes);
    if (const std::size_t cut = text.find('\n'); cut != std::string_view::npos) text.remove_prefix(cut + 1);
  }
  while (std::count(text.begin(), text.end(), '\n') >= most_lines) text.remove_prefix(text.find('\n') + 1);
  return std::string(text);
}

void make_pipe(Descriptor& reader, Descriptor& writer) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  reader.fd = ends[0];
  writer.fd = ends[1];
}

}  // namespace

Form parse_form(std::string_view name, std::string_view option) {
  if (name == "text") return Form::text;
  if (name == "binary") return Form::binary;
  throw unknown_name(option, "text or binary", name, {"text", "binary"});
}

std::string request_text(const Problem& p, std::span<const Case> cases, Form form) {
  std::string text = fmt::format("assay1 {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n",
                                 form == Form::text ? "text" : "binary", operation_name(p.operation), p.m,
                                 p.n, p.k, p.a.dtype, !p.has_b() ? std::string_view("-") : p.b.dtype,
                                 p.c ? p.c->dtype : std::string_view("-"), p.output.dtype, p.alpha,
                                 p.c ? p.beta : 0, p.threads, p.offset, cases.size());
  for (const Case& x : cases) {
    if (form == Form::binary) {
      append_bytes(text, x.a);
      append_bytes(text, x.b);
      append_bytes(text, x.c);
      continue;
    }
    append_numbers(text, x.a, p.a);
    if (p.b_size() > 0) append_numbers(text, x.b, p.b);
    if (p.c) append_numbers(text, x.c, *p.c);
  }
  return text;
}

std::vector<Answer> parse_answers(const Problem& p, std::size_t cases, Form form, std::string_view text) {
  std::vector<Answer> answers(cases);
  const std::size_t outputs = p.outputs();
  if (form == Form::binary) {
    const std::size_t width = code_bytes(p.output), wanted = cases * outputs * width;
    if (text.size() != wanted) {
      throw TargetError(fmt::format("{} bytes of results instead of {}", text.size(), wanted));
    }
    const std::uint64_t mask =
        p.output.bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << p.output.bits) - 1;
    for (std::size_t i = 0; i < cases * outputs; ++i) {
      const std::uint64_t code = detail::load_code(text.data(), static_cast<std::ptrdiff_t>(i), width);
      if ((code & ~mask) != 0)
        throw TargetError(fmt::format("a result that is no code of {}: {:#x}", p.output.dtype, code));
      answers[i / outputs].push_back(code);
    }
    return answers;
  }
  std::size_t at = 0;
  for (std::size_t line = 0; line < cases; ++line) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos)
      throw TargetError(fmt::format("{} lines of results instead of {}", line, cases));
    std::string_view rest = text.substr(at, end - at);
    while (true) {
      const std::size_t begin = rest.find_first_not_of(" \t\r");
      if (begin == std::string_view::npos) break;
      rest.remove_prefix(begin);
      const std::size_t stop = std::min(rest.find_first_of(" \t\r"), rest.size());
      if (answers[line].size() == outputs) {
        throw TargetError(
            fmt::format("more than {} results in line {}: {}", outputs, line + 1, quoted(rest)));
      }
      answers[line].push_back(parse_result(rest.substr(0, stop), p.output));
      rest.remove_prefix(stop);
    }
    if (answers[line].size() < outputs) {
      throw TargetError(
          fmt::format("{} results in line {} instead of {}", answers[line].size(), line + 1, outputs));
    }
    at = end + 1;
  }
  if (at != text.size()) throw TargetError("more output than expected: " + quoted(text.substr(at)));
  return answers;
}

struct Program::State {
  ProgramOptions options;
  pid_t pid = 0;
  Descriptor in{}, out{}, err{};  // our ends
  int threads = 0, starts = 0;
  std::uint64_t answered = 0;  // rounds by this process
  int most_digits = 0;
  std::string error_text{};
  std::optional<GroupThreads> watch{};

  ~State() { kill_all(); }

  void kill_all() {
    in.close();
    out.close();
    err.close();
    if (pid == 0) return;
    // The leader may have ended: its children are in the group still. It is not reaped yet, so the group's
    // number is not another's.
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    reap();
  }

  int reap() {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    pid = 0;
    return status;
  }

  void start(int wanted_threads) {
    Descriptor child_in, child_out, child_err;
    make_pipe(child_in, in);
    make_pipe(out, child_out);
    make_pipe(err, child_err);
    for (const int fd : {in.fd, out.fd, err.fd}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    // All that allocates happens before the fork.
    std::vector<std::string> variables;
    for (char** v = environ; *v != nullptr; ++v) {
      const std::string_view text = *v, name = text.substr(0, text.find('='));
      const bool ours = wanted_threads > 0 && std::find(thread_variables.begin(), thread_variables.end(),
                                                        name) != thread_variables.end();
      if (!ours) variables.emplace_back(text);
    }
    if (wanted_threads > 0) {
      for (const std::string_view name : thread_variables)
        variables.push_back(std::string(name) + '=' + std::to_string(wanted_threads));
    }
    std::vector<char*> environment;
    for (std::string& v : variables) environment.push_back(v.data());
    environment.push_back(nullptr);
    std::array<std::string, 3> words{"/bin/sh", "-c", options.command};
    std::array<char*, 4> argv{words[0].data(), words[1].data(), words[2].data(), nullptr};
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0)
      stand_guard(parent, {child_in.fd, child_out.fd, child_err.fd}, argv.data(), environment.data());
    ::setpgid(child, child);  // whoever comes first; the other has no effect
    pid = child;
    threads = wanted_threads;
    answered = 0;
    error_text.clear();
    if (options.watch_threads) watch.emplace(child);
    ++starts;
  }

  void drain_errors() {
    std::array<char, 4096> bytes{};
    for (int reads = 0; err.fd >= 0 && reads < 64; ++reads) {
      const ssize_t got = ::read(err.fd, bytes.data(), bytes.size());
      if (got == 0) err.close();
      if (got <= 0) return;
      error_text.append(bytes.data(), static_cast<std::size_t>(got));
      if (error_text.size() > 2 * options.most_error_text)
        error_text.erase(0, error_text.size() - options.most_error_text);
    }
  }

  [[noreturn]] void fail(std::string what) {
    drain_errors();
    kill_all();
    const std::string said = last_lines(error_text, options.most_error_text);
    if (!said.empty()) what += "; its stderr ends with:\n" + said;
    throw TargetError("the program " + assay::quoted(options.command) + ": " + what);
  }

  // What it printed for one round; empty if it had ended, with status 0, before it read any of it.
  std::optional<std::string> exchange(const std::string& request, const Problem& p, std::size_t cases) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(options.seconds));
    const std::size_t limit = answer_limit(p, cases, options.form);
    std::string answer;
    std::size_t sent = 0, lines = 0;
    const auto complete = [&] {
      return options.form == Form::binary ? answer.size() >= limit : lines >= cases;
    };
    std::vector<char> bytes(1U << 16U);
    for (std::uint64_t turn = 0; !complete(); ++turn) {
      // Threads that live during a call alone are met by looking often; other processes may join the group.
      if (watch && turn % 64 == 1) watch->look_through();
      if (watch) watch->look();
      const long long longest_wait = watch ? 1 : 1000;
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) {
        // Its stdout is open still, so a child of it holds it.
        if (has_ended())
          fail(end_text(reap_group()) +
               ", but a process that it started keeps its stdout open and does not answer");
        fail(fmt::format("it was not done with {} cases after {:g} s ({} of its results came)", cases,
                         options.seconds,
                         options.form == Form::binary ? answer.size() / code_bytes(p.output) : lines));
      }
      std::array<pollfd, 3> events{{{out.fd, POLLIN, 0}, {err.fd, POLLIN, 0}, {in.fd, POLLOUT, 0}}};
      const bool writes = sent < request.size() && in.fd >= 0;
      // A descriptor of -1 is passed over.
      if (!writes) events[2].fd = -1;
      if (::poll(events.data(), events.size(), static_cast<int>(std::min<long long>(left, longest_wait))) <
              0 &&
          errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "poll");
      if (events[1].revents != 0) drain_errors();
      if (writes && events[2].revents != 0) {
        const ssize_t done = ::write(in.fd, request.data() + sent, request.size() - sent);
        if (done > 0) sent += static_cast<std::size_t>(done);
        // It reads no more. What it has answered decides.
        if (done < 0 && errno != EAGAIN && errno != EINTR) in.close();
      }
      if (events[0].revents == 0) continue;
      const ssize_t got = ::read(out.fd, bytes.data(), bytes.size());
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) {
        const std::optional<int> status = ended(deadline);
        if (!status) fail("it closed its stdout but keeps running");
        const bool fine = WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
        if (fine && answer.empty() && answered > 0) return std::nullopt;
        if (answer.empty() && !fine) fail(end_text(*status) + " without a result");
        fail(fmt::format(
            "{} after {} of {} {}", end_text(*status), options.form == Form::binary ? answer.size() : lines,
            options.form == Form::binary ? limit : cases, options.form == Form::binary ? "bytes" : "lines"));
      }
      answer.append(bytes.data(), static_cast<std::size_t>(got));
      lines += static_cast<std::size_t>(std::count(bytes.begin(), bytes.begin() + got, '\n'));
      if (answer.size() > limit)
        fail(fmt::format("it printed more than the {} expected results: {} bytes and counting",
                         cases * p.outputs(), answer.size()));
    }
    if (watch) watch->look_through();
    return answer;
  }

  bool has_ended() const {
    siginfo_t info{};
    // WNOWAIT: reaped only after its group is gone.
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }

  // The status of a program that has ended.
  int reap_group() {
    drain_errors();
    ::kill(-pid, SIGKILL);
    const int status = reap();
    out.close();
    err.close();
    return status;
  }

  // Its status once stdout is closed; empty if it does not end.
  std::optional<int> ended(Clock::time_point deadline) {
    in.close();
    while (!has_ended()) {
      if (Clock::now() >= deadline) return std::nullopt;
      drain_errors();
      ::poll(nullptr, 0, 1);
    }
    return reap_group();
  }

  // What came before it was asked for.
  void check_silence() {
    if (pid == 0 || out.fd < 0) return;
    std::array<char, 64> bytes{};
    const ssize_t got = ::read(out.fd, bytes.data(), bytes.size());
    if (got > 0) {
      fail("it printed more than expected: " +
           quoted(std::string_view(bytes.data(), static_cast<std::size_t>(got))));
    }
  }
};

Program::Program(ProgramOptions options) : state_(new State{std::move(options)}) {
  if (state_->options.command.empty()) throw InputError("--got-from", "", "a command", "none");
  // A program that ended while it was written to is seen by its closed stdout.
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}
Program::~Program() = default;

std::vector<Answer> Program::ask(const Problem& problem, std::span<const Case> cases) {
  if (cases.empty()) return {};
  State& s = *state_;
  s.check_silence();
  if (s.pid != 0 && s.threads != problem.threads) s.kill_all();
  const std::string request = request_text(problem, cases, s.options.form);
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (s.pid == 0) s.start(problem.threads);
    const std::optional<std::string> answer = s.exchange(request, problem, cases.size());
    if (!answer) continue;  // it had ended after the last round
    ++s.answered;
    try {
      std::vector<Answer> answers = parse_answers(problem, cases.size(), s.options.form, *answer);
      if (s.options.form == Form::text)
        s.most_digits = std::max(s.most_digits, most_significant_digits(*answer));
      s.check_silence();
      return answers;
    } catch (const TargetError& e) {
      if (s.pid == 0) throw;  // said already
      s.fail(e.what());
    }
  }
  s.fail("it ended without an answer, twice");
}

Target Program::target() {
  return [this](const Problem& problem, std::span<const Case> cases) { return ask(problem, cases); };
}
void Program::restart() { state_->kill_all(); }
int Program::starts() const { return state_->starts; }
int Program::most_digits() const { return state_->most_digits < 1000 ? state_->most_digits : 0; }
int Program::child() const { return state_->pid; }
ThreadsSeen Program::threads_seen() const { return state_->watch ? state_->watch->seen() : ThreadsSeen{}; }

}  // namespace assay::diagnose
