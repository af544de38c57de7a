// The answer of `assay invariance`, as text and as JSON: what a row's bits depend on, the classes of settings, their
// orders.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "validation/diagnose/program/process_threads.hpp"
#include "validation/diagnose/reveal/invariance.hpp"

namespace assay {

struct InvarianceQuestion {
  std::string varied{};    // as it was typed
  std::size_t lines = 12;  // of a tree's picture at most
  // What was asked for, and which threads the program had then; none: not known.
  std::map<int, diagnose::ThreadsSeen> threads_seen{};
};

// Equal bits that say nothing, because every random row has one answer.
bool is_vacuous(const diagnose::Invariance& result);
// "m=4 row=0": of a setting what was varied.
std::string setting_text(const diagnose::Invariance& result, std::size_t setting);
std::string invariance_text(const InvarianceQuestion& question, const diagnose::Invariance& result);
// One object on one line, without the line feed.
std::string invariance_json(const InvarianceQuestion& question, const diagnose::Invariance& result);

}  // namespace assay
