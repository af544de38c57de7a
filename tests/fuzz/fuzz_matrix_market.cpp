// The Matrix Market reader, with the file's own type and with each value rounded to a format without infinity.
#include "tests/fuzz/io_fuzz.hpp"
#include "validation/io/matrix_market.hpp"

using namespace assay;
using namespace assay::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::run([&] {
    MemorySource source(fuzz::bytes(data, size), "fuzz");
    fuzz::require_whole(read_matrix_market(source));
  });
  return fuzz::run([&] {
    MemorySource source(fuzz::bytes(data, size), "fuzz");
    fuzz::require_whole(read_matrix_market(source, formats::float8_e4m3fnuz));
  });
}
