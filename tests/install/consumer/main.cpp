#include <cstdio>

#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

int main(int argc, char** argv) {
  const assay::FormatSpec format = argc > 1 ? assay::parse_format(argv[1]) : assay::formats::bfloat16;
  const assay::Encoded rounded = assay::encode(0.1, format);
  std::printf("0.1 has the code 0x%llx: %.17g\n", static_cast<unsigned long long>(rounded.code),
              assay::decode(rounded.code, format));
}
