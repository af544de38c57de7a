#include "validation/cli/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

namespace assay::cli {
namespace fs = std::filesystem;

std::optional<std::string> output_of(const fs::path& program, const std::vector<std::string>& arguments,
                                     double seconds) {
  // All that allocates happens before the fork.
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::signal(SIGPIPE, SIG_DFL);  // an ignored signal would stay ignored
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 0);
    ::dup2(pipe[1], 1);
    ::dup2(null, 2);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  if (pid < 0) {
    ::close(pipe[0]);
    return {};
  }
  std::string output;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  bool done = false;
  while (!done) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd event{.fd = pipe[0], .events = POLLIN, .revents = 0};
    if (::poll(&event, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 4096> bytes{};
    const ssize_t got = ::read(pipe[0], bytes.data(), bytes.size());
    if (got > 0) output.append(bytes.data(), static_cast<std::size_t>(got));
    done = got == 0 || (got < 0 && errno != EINTR);
  }
  ::close(pipe[0]);
  if (!done) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!done || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return {};
  return output;
}

}  // namespace assay::cli
