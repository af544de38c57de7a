// io_copy SOURCE TARGET [FORMAT]: reads an array, with its codes as FORMAT, and writes it again, for live.py to see.
// Exits with 2 and the sentence of the refusal.
#include <cstdio>
#include <exception>
#include <variant>

#include "validation/io/io.hpp"

using namespace assay;

int main(int count, char** words) {
  if (count != 3 && count != 4) return 64;
  try {
    io::ReadOptions options;
    if (count == 4) options.format = parse_format(words[3]);
    const io::AnyArray any = io::read_any(words[1], options);
    if (const auto* const array = std::get_if<io::Array>(&any)) {
      io::write_array(words[2], *array);
    } else {
      io::write_sparse(words[2], std::get<io::SparseArray>(any));
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
