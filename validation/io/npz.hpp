// NumPy's npz: a zip archive of npy members. Also SciPy's, in which several members make up one sparse matrix.
//
// Source: numpy/lib/_npyio_impl.py, scipy/sparse/_matrix_io.py.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "validation/io/elements.hpp"
#include "validation/io/io.hpp"
#include "validation/io/zip.hpp"

namespace assay::io {

// `name` without ".npy"; empty: the archive's one array or its sparse matrix (csr, csc, bsr or coo). `format` applies
// to the values, not to indices.
AnyArray read_npz(const ZipReader& archive, const std::string& name,
                  const std::optional<FormatSpec>& format = std::nullopt);

std::vector<std::string> npz_names(const ZipReader& archive);

void write_npz(const std::string& path, const std::vector<NamedRef>& arrays, const Metadata& metadata);
// As SciPy's save_npz: row and column numbers in int32, values and their order as they are.
void write_scipy_npz(const std::string& path, const SparseArray& array);

}  // namespace assay::io
