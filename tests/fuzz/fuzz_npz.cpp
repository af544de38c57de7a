// The npz reader: every array by name, and the one array or SciPy matrix without a name.
#include "tests/fuzz/io_fuzz.hpp"
#include "validation/io/npz.hpp"

using namespace assay;
using namespace assay::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    const ZipReader archive(fuzz::bytes(data, size), "fuzz");
    fuzz::run([&] { fuzz::require_whole(read_npz(archive, "")); });
    for (const std::string& name : npz_names(archive)) {
      fuzz::run([&] { fuzz::require_whole(read_npz(archive, name, formats::bfloat16)); });
    }
  });
}
