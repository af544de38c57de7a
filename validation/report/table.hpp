// Aligned tables of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay {

// Lines of at most `width` columns, broken at spaces; a longer word stays whole.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);

// Columns padded to their widest cell; the last is wrapped at `width` under its own beginning (0: never).
std::string table_text(const std::vector<std::vector<std::string>>& rows, std::size_t width,
                       std::size_t indent = 0);

}  // namespace assay
