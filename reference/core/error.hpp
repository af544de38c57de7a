// The four kinds of errors that the libraries throw. Libraries never print, abort or exit; only the command does.
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

// A file, or text that a person typed, is not what it should be. No partial result is returned.
class InputError : public std::runtime_error {
 public:
  // A `path` such as "--mode" is an option. `place` is where in the file ("line 7", "byte 16"), or empty.
  InputError(std::string path, std::string place, std::string expected, std::string found);

  // Text that was given for an option, an argument or a command: "check takes an operation, not "gem"". Its path() is
  // `option`, or empty where the text stood alone.
  static InputError of_option(std::string option, std::string expected, std::string found);

  const std::string& path() const noexcept { return path_; }
  const std::string& place() const noexcept { return place_; }
  const std::string& expected() const noexcept { return expected_; }
  const std::string& found() const noexcept { return found_; }

 private:
  enum class Of { file, option };
  InputError(Of of, std::string path, std::string place, std::string expected, std::string found);

  std::string path_, place_, expected_, found_;
};

// Options that do not fit together, lack another one, or ask for the impossible. The message is a sentence.
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
