// A program that misunderstands the protocol: which of the usual mistakes repeats its answers to sums that every order
// of additions gives alike.
#pragma once

#include <cstdint>
#include <string>

#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {

struct Reading {
  std::string mistake{};               // "it takes B as n x k"; empty: none of the known ones
  std::size_t right = 0, results = 0;  // so many came out as they are
};

// `asker` asks with alpha and beta that round nothing.
Reading check_reading(Asker& asker, std::uint64_t seed);

}  // namespace assay::diagnose
