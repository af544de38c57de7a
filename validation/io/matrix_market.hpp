// Matrix Market's exchange format: coordinate and array; real, integer and pattern; general, symmetric and
// skew-symmetric.
//
// Source: Boisvert, Pozo, Remington, "The Matrix Market Exchange Formats: Initial Design" (NISTIR 5935, 1996); the
// field unsigned-integer is SciPy's.
#pragma once

#include <optional>
#include <string>

#include "validation/io/byte_source.hpp"
#include "validation/io/io.hpp"

namespace assay::io {

// Rules where the format leaves a choice:
//   values      real is float64, integer int64, pattern float64 ones; with `format` each number is rounded to it once.
//   coordinate  a coo matrix in the file's order. Repeated entries stay apart. Of a symmetric matrix the file holds the
//               lower triangle (skew: without the diagonal); the mirrored entry follows its original.
//   array       dense, the file column by column; of a symmetric matrix the lower triangle.
//   lines       end in LF or CRLF; one without either at the end of the file is a truncated file. At most 4096 bytes.
// InputError for complex and hermitian matrices, counts that do not match and indices outside the matrix.
AnyArray read_matrix_market(ByteSource& source, const std::optional<FormatSpec>& format = std::nullopt);

// General, with exact decimals: every value reads back as itself, but for the sign and payload of NaNs. Entries in
// stored order. Gzipped if `path` ends in ".gz". InputError for an array that is not of two dimensions.
void write_matrix_market(const std::string& path, const Array& array);
void write_matrix_market(const std::string& path, const SparseArray& array);

}  // namespace assay::io
