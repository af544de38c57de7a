// What the fuzz targets of validation/io share: a reader may refuse, but what it hands out has to be whole.
#pragma once

#include <cstdlib>
#include <span>
#include <variant>

#include "reference/core/error.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/io.hpp"

namespace assay::io::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void require_whole(const Array& array) {
  const auto bytes = byte_count(array.shape, array.element.bytes());
  require(bytes && static_cast<std::size_t>(*bytes) == array.bytes.size());
  check_codes(array);
}

inline void require_whole(const AnyArray& any) {
  if (const auto* const array = std::get_if<Array>(&any)) return require_whole(*array);
  const auto& sparse = std::get<SparseArray>(any);
  require_whole(sparse.values);
  check(sparse);
  // Row offsets alone take 8 bytes a row, however short the file.
  if (sparse.rows < 100'000) {
    const SparseArray csr = to_csr(sparse);
    check(csr);
    require(csr.nnz() == sparse.nnz());
  }
}

// Runs a reader. InputError and Unavailable are answers; anything else that is thrown is a finding.
template <class Read>
int run(const Read& read) {
  try {
    read();
  } catch (const InputError&) {
  } catch (const Unavailable&) {
  }
  return 0;
}

inline std::span<const std::byte> bytes(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

}  // namespace assay::io::fuzz
