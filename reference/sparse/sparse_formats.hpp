// The list of sparse formats, sparse_formats.def, for tests and tables that treat all of them alike.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "reference/sparse/csr.hpp"

namespace assay::sparse {

struct SparseFormat {
  std::string_view name, text;  // "csr", "compressed sparse row"
  // What the format stores of a structure beside the values, in bytes, and how many values it stores.
  std::uint64_t (*index_bytes)(const CsrView& a);
  std::uint64_t (*places)(const CsrView& a);
  // Into the format, checked there, and back: `a` itself, bit for bit, but for entries of +0 that the format adds.
  Csr<float> (*through)(const Csr<float>& a);
};
std::span<const SparseFormat> all_sparse_formats();

#define SPARSE_FORMAT(name, text)                     \
  std::uint64_t name##_index_bytes(const CsrView& a); \
  std::uint64_t name##_places(const CsrView& a);      \
  Csr<float> through_##name(const Csr<float>& a);
#include "reference/sparse/sparse_formats.def"
#undef SPARSE_FORMAT

}  // namespace assay::sparse
