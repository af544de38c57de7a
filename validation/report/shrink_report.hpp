// What `assay shrink` made of a failing check, for people and for programs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace assay {

struct ShrunkCheck {
  std::string before{}, after{};  // "k=64, m=2, n=3, 128 nonzero in a, 192 nonzero in b"
  std::uint64_t tried = 0;        // smaller inputs
  bool limited = false;           // the limit ended it: it may not be the smallest
  bool by_program = false;        // a program answered the smaller inputs
  struct File {
    std::string path{}, format{};  // empty: the file says it itself
  };
  std::map<std::string, File> files{};  // by operand: "a"
  std::string repro{};                  // "assay check ...", of the small files
};

std::string shrunk_text(const ShrunkCheck& check);
// One object on one line, without the line feed.
std::string shrunk_json(const ShrunkCheck& check);

}  // namespace assay
