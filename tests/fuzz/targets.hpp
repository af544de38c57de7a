// What the fuzzers call, and what a quick test calls with the corpus: bytes in, a reader run over them, its promises
// kept. A reader answers with InputError or with something valid; whatever else comes out of these functions is a
// finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay::fuzz {

// The first byte picks one of the readers of text files, the rest is the file.
void challenge(std::span<const std::uint8_t> bytes);

// The first byte picks images or labels, the rest is the file.
void idx(std::span<const std::uint8_t> bytes);

}  // namespace assay::fuzz
