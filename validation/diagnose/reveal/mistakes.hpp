// Programs that misread the protocol: finds the common mistake that reproduces a program's answers to sums that are the
// same in every order of additions.
#pragma once

#include <cstdint>
#include <string>

#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {

struct Reading {
  std::string mistake{};               // "it takes B as n x k"; empty: none of the known ones
  std::size_t right = 0, results = 0;  // number of correct results
};

// `asker` must use an alpha and beta that round nothing.
Reading check_reading(Asker& asker, std::uint64_t seed);

}  // namespace assay::diagnose
