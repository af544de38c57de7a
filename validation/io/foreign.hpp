// Kinds of files that are not supported: their names, and a line of Python that converts each.
#pragma once

#include "validation/io/byte_source.hpp"
#include "validation/io/zip.hpp"

namespace assay::io {

// InputError if the first bytes are those of a kind that is known and not read.
void refuse_foreign_start(ByteSource& source);
// The same by the name of the file, for kinds without first bytes that would tell.
void refuse_foreign_name(const ByteSource& source);
// The same by the members of an archive: PyTorch's files are zip archives too.
void refuse_foreign(const ZipReader& archive);

}  // namespace assay::io
