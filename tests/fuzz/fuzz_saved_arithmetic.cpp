// The reader of saved arithmetics: what it takes is an arithmetic that can be written again and replays.
#include "tests/fuzz/io_fuzz.hpp"
#include "validation/diagnose/reveal/revealed.hpp"

using namespace assay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  return io::fuzz::run([&] {
    const diagnose::SavedArithmetic saved = diagnose::parse_saved(text, "fuzz");
    const std::string again = diagnose::to_json(saved);
    io::fuzz::require(diagnose::to_json(diagnose::parse_saved(again, "again")) == again);
  });
}
