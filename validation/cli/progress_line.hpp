// A line on a terminal's stderr that is rewritten during long work.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "validation/cli/terminal.hpp"

namespace assay::cli {

// Nothing is shown in the first two seconds (ASSAY_PROGRESS_AFTER: another number), and never in a pipe. The line goes
// with the object.
class ProgressLine {
 public:
  ProgressLine() = default;
  ~ProgressLine() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // A negative fraction is not known.
  void show(std::string_view name, double seconds, double fraction, std::string_view what) {
    if (!terminal_ || seconds < after_) return;
    std::string text = fmt::format("{:>5.0f} s  ", seconds);
    if (fraction >= 0) text += fmt::format("{:>3.0f} %  ", 100 * fraction);
    text += fmt::format("{}  {}", name, what);
    constexpr std::size_t longest = 79;  // a line that wraps could not be rewritten
    fmt::print(stderr, "\r\x1b[K{}", text.substr(0, longest));
    shown_ = true;
  }
  void clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
  }

 private:
  static double delay() {
    const char* const typed = std::getenv("ASSAY_PROGRESS_AFTER");
    return typed == nullptr ? 2 : std::atof(typed);
  }
  bool terminal_ = is_terminal(stderr);
  double after_ = delay();
  bool shown_ = false;
};

}  // namespace assay::cli
