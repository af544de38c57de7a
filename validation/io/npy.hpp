// NumPy's npy, versions 1 to 3.
//
// Source: numpy/lib/format.py; the element types of ml_dtypes as measured with ml_dtypes 0.6.0.
#pragma once

#include <optional>
#include <string>

#include "validation/io/array.hpp"
#include "validation/io/byte_source.hpp"

namespace assay::io {

// The array that makes up the rest of `source`. ml_dtypes leaves the types that NumPy lacks as void ("<V2"): they need
// `format`, and so does a void of 4 or 8 bytes. "<f1" is its float8_e5m2.
Array read_npy(ByteSource& source, const std::optional<FormatSpec>& format = std::nullopt);

// The text of a 0-dimensional array of bytes or of text, as SciPy keeps the name of a sparse format. At most 64
// characters.
std::string read_npy_text(ByteSource& source);

// Version 1, or 2 where the header is long, as NumPy would write it. Formats that NumPy lacks are written as ml_dtypes
// does. InputError, naming `path`, for a format without a name there.
std::string npy_header(const Array& array, const std::string& path);
// Of a 0-dimensional array of bytes of that length.
std::string npy_text_header(std::size_t characters);

}  // namespace assay::io
