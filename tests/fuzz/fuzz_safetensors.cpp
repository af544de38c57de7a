// The safetensors reader: the header, then every tensor by name.
#include "tests/fuzz/io_fuzz.hpp"
#include "validation/io/safetensors.hpp"

using namespace assay;
using namespace assay::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    MemorySource source(fuzz::bytes(data, size), "fuzz");
    const SafetensorsHeader header = read_safetensors_header(source);
    for (const SafetensorsEntry& entry : header.entries) {
      fuzz::run([&] {
        MemorySource again(fuzz::bytes(data, size), "fuzz");
        fuzz::require_whole(read_safetensors(again, entry.name));
      });
    }
  });
}
