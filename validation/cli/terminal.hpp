// The terminal: its width, colours (only there), and writing to it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace assay::cli {

// `stream` is a terminal that may show colours (NO_COLOR is not set, TERM is not "dumb").
bool has_colour(std::FILE* stream);
bool is_terminal(std::FILE* stream);
// Columns of the terminal behind stdout; 0 if stdout is not a terminal: then lines go to a program and are not wrapped.
std::size_t terminal_width();

// Writes and flushes, so that a reader behind a pipe sees each line as it is made. std::system_error if it cannot.
void put(std::string_view text);

}  // namespace assay::cli
