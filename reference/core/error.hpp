// The four ways in which a library of ours says no. Libraries never print, abort or exit; only the command talks.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace assay {

// The caller broke the contract of a function: shapes that do not match, a null view.
class ContractError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// A file, or text that a person typed, is not what it should be. Nothing half-read is handed out.
class InputError : public std::runtime_error {
 public:
  // `place` is where in the file, in the reader's own terms ("line 7", "byte 16"); empty for the whole file.
  InputError(std::string path, std::string place, std::string expected, std::string found);

  const std::string& path() const noexcept { return path_; }
  const std::string& place() const noexcept { return place_; }
  const std::string& expected() const noexcept { return expected_; }
  const std::string& found() const noexcept { return found_; }

 private:
  std::string path_, place_, expected_, found_;
};

// Options that do not go together, or one that asks for nothing that there is. The message is a sentence.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// This machine cannot do it: no such instruction, toolkit, device, or not enough memory. Reported as SKIPPED.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Text from a file as it may be shown in a message: quoted, control characters escaped, cut after 60 characters.
// The overloads win over std::quoted, which argument-dependent lookup would find for a std::string.
std::string quoted(std::string_view text);
inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(const char* text) { return quoted(std::string_view(text)); }

}  // namespace assay
