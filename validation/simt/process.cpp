#include "validation/simt/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"

namespace assay::simt {
namespace {

volatile std::sig_atomic_t child_of_signals = 0;

// What the terminal sends reaches the child by itself; what is sent to this process alone is handed on.
class HandOnSignals {
 public:
  HandOnSignals() {
    struct sigaction ignore {
    }, hand_on{};
    ignore.sa_handler = SIG_IGN;
    hand_on.sa_handler = [](int signal) {
      if (child_of_signals > 0) ::kill(static_cast<pid_t>(child_of_signals), signal);
    };
    hand_on.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < signals.size(); ++i)
      ::sigaction(signals[i], i < from_terminal ? &ignore : &hand_on, &before_[i]);
  }
  ~HandOnSignals() {
    child_of_signals = 0;
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before_[i], nullptr);
  }
  HandOnSignals(const HandOnSignals&) = delete;
  HandOnSignals& operator=(const HandOnSignals&) = delete;

 private:
  static constexpr std::array<int, 4> signals{SIGINT, SIGQUIT, SIGTERM, SIGHUP};
  static constexpr std::size_t from_terminal = 2;
  std::array<struct sigaction, signals.size()> before_{};
};

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> all;
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string_view text = *line;
    bool replaced = false;
    for (const auto& [name, value] : additions) replaced = replaced || text.starts_with(name + "=");
    if (!replaced) all.emplace_back(text);
  }
  for (const auto& [name, value] : additions) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

bool ends_in_time(pid_t pid, double seconds) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;  // it has ended
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd event{.fd = fd, .events = POLLIN, .revents = 0};
    constexpr decltype(left) most = 1'000'000'000;
    const int got = left <= 0 ? 0 : ::poll(&event, 1, static_cast<int>(left < most ? left : most));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 && left > most) continue;
    ::close(fd);
    return got != 0;
  }
}

std::filesystem::path find_program(std::string_view name, const std::vector<std::filesystem::path>& more) {
  std::vector<std::filesystem::path> folders;
  if (const char* const path = std::getenv("PATH")) {
    std::istringstream in(path);
    for (std::string folder; std::getline(in, folder, ':');) folders.emplace_back(folder);
  }
  folders.insert(folders.end(), more.begin(), more.end());
  for (const std::filesystem::path& folder : folders) {
    const std::filesystem::path candidate = folder / name;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

std::string text_of(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return "";
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 32;
  const std::vector<std::byte> bytes = read_bytes(file, most_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Ending run(const Child& child) {
  std::vector<std::string> words = child.words, environment = environment_with(child.environment);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const auto send = [&](const std::filesystem::path& to, std::initializer_list<int> streams) {
    if (to.empty()) return;
    for (const int stream : streams)
      ::posix_spawn_file_actions_addopen(&files, stream, to.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  };
  send(child.output, {1, 2});
  send(child.standard_output, {1});
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  for (const int signal : {SIGINT, SIGQUIT, SIGPIPE}) ::sigaddset(&defaults, signal);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  Ending ending;
  const HandOnSignals signals;
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words.front().c_str(), &files, &attributes, pointers(words).data(),
                                   pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) throw Unavailable(words.front() + " cannot be started: " + std::strerror(error));
  child_of_signals = pid;
  if (child.seconds && !ends_in_time(pid, *child.seconds)) {
    ending.in_time = false;
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ending.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  return ending;
}

}  // namespace assay::simt
