// The npy reader, with and without a format for void types.
#include "tests/fuzz/io_fuzz.hpp"
#include "validation/io/npy.hpp"

using namespace assay;
using namespace assay::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::run([&] {
    MemorySource source(fuzz::bytes(data, size), "fuzz");
    fuzz::require_whole(read_npy(source));
  });
  fuzz::run([&] {
    MemorySource source(fuzz::bytes(data, size), "fuzz");
    fuzz::require_whole(read_npy(source, formats::float6_e3m2fn));
  });
  return fuzz::run([&] {
    MemorySource source(fuzz::bytes(data, size), "fuzz");
    read_npy_text(source);
  });
}
