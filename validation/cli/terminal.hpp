// What a person sees: aligned tables, colours on a terminal and nowhere else.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

// `stream` is a terminal that may show colours (NO_COLOR is not set, TERM is not "dumb").
bool has_colour(std::FILE* stream);
bool is_terminal(std::FILE* stream);
// Columns of the terminal behind stdout; 0 if it is none, and then nothing is to be wrapped: lines go to a program.
std::size_t terminal_width();

// Lines of at most `width` columns, broken at spaces; a longer word stays whole.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);

// Columns padded to their widest cell; the last is wrapped at `width` under its own beginning (0: never).
std::string table_text(const std::vector<std::vector<std::string>>& rows, std::size_t width,
                       std::size_t indent = 0);

// Writes and flushes, so that a reader behind a pipe sees each line as it is made. std::system_error if it cannot.
void put(std::string_view text);

}  // namespace assay::cli
