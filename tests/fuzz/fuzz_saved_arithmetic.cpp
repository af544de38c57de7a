// The reader of saved arithmetics: what it takes is an arithmetic that can be written again and replays.
#include "tests/fuzz/io_fuzz.hpp"
#include "validation/judge/saved_arithmetic.hpp"

using namespace assay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  return io::fuzz::run([&] {
    const judge::SavedArithmetic saved = judge::parse_saved(text, "fuzz");
    const std::string again = judge::to_json(saved);
    io::fuzz::require(judge::to_json(judge::parse_saved(again, "again")) == again);
  });
}
