#include "validation/io/matrix_market.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/formats/decimal.hpp"
#include "reference/formats/encode.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/sparse_entries.hpp"

namespace assay::io {
namespace {

constexpr std::string_view blanks = " \t";

class LineReader {
 public:
  explicit LineReader(ByteSource& source) : source_(source), buffer_(1 << 16) {}

  // False at the end of the file. Without the line's end, which the last line may lack; holds until the next call.
  bool next(std::string_view& line) {
    for (;;) {
      const char* const first = buffer_.data() + begin_;
      const auto* const newline = static_cast<const char*>(std::memchr(first, '\n', end_ - begin_));
      if (newline != nullptr) {
        line = take(static_cast<std::size_t>(newline - first));
        ++begin_;
        return true;
      }
      if (end_ - begin_ > longest) {
        ++number_;
        fail("a line of at most 4096 bytes", "a longer one");
      }
      if (!refill()) {
        if (begin_ == end_) return false;
        line = take(end_ - begin_);
        return true;
      }
    }
  }
  // The same, passing over comments and empty lines.
  bool next_data(std::string_view& line) {
    while (next(line)) {
      const std::size_t first = line.find_first_not_of(blanks);
      if (first != std::string_view::npos && line[first] != '%') return true;
    }
    return false;
  }
  // Bytes that the rest of the file has at most.
  std::uint64_t remaining_at_most() const { return source_.remaining_at_most() + (end_ - begin_); }

  // Lines that the rest of the file has at most, if the shortest has `bytes` bytes and its end.
  std::int64_t lines_at_most(std::uint64_t bytes) const {
    return static_cast<std::int64_t>((remaining_at_most() + 1) / (bytes + 1));
  }

  [[noreturn]] void fail(std::string expected, std::string found) const {
    source_.fail("line " + std::to_string(number_), std::move(expected), std::move(found));
  }
  // Where a line is missing.
  [[noreturn]] void fail_at_end(std::string expected, std::string found) const {
    source_.fail("line " + std::to_string(number_ + 1), std::move(expected), std::move(found));
  }
  const std::string& origin() const { return source_.origin(); }

 private:
  static constexpr std::size_t longest = 4096;

  std::string_view take(std::size_t size) {
    std::string_view line(buffer_.data() + begin_, size);
    begin_ += size;
    ++number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > longest) fail("a line of at most 4096 bytes", std::to_string(line.size()));
    return line;
  }
  bool refill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const std::size_t got = source_.read(buffer_.data() + end_, buffer_.size() - end_);
    end_ += got;
    return got != 0;
  }

  ByteSource& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t number_ = 0;  // of the line last returned
};

// The next word of `line`, which loses it; empty at its end.
std::string_view word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view found = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(found.size());
  return found;
}

enum class Symmetry { general, symmetric, skew };

struct Banner {
  bool coordinate;
  bool pattern;
  ElementType element;  // of the values in the file
  Symmetry symmetry;
  std::string field;  // "real"
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

Banner read_banner(LineReader& lines) {
  constexpr const char* expected =
      "%%MatrixMarket matrix coordinate|array real|integer|pattern "
      "general|symmetric|skew-symmetric";
  std::string_view line;
  if (!lines.next(line)) lines.fail_at_end(expected, "an empty file");
  std::string_view rest = line;
  std::array<std::string, 5> words;
  for (std::string& w : words) w = lower(word(rest));
  const auto refuse = [&] { lines.fail(expected, quoted(line)); };
  if (words[0] != "%%matrixmarket" || words[1] != "matrix" || !word(rest).empty()) refuse();

  Banner banner{true, false, formats::float64, Symmetry::general, words[3]};
  if (words[2] == "array") {
    banner.coordinate = false;
  } else if (words[2] != "coordinate") {
    refuse();
  }
  if (words[3] == "complex" || words[4] == "hermitian") {
    lines.fail("real numbers",
               words[3] + " " + words[4] + "; write real and imaginary parts as files of their own");
  }
  if (words[3] == "integer") {
    banner.element = ElementType::signed_integer(64);
  } else if (words[3] == "unsigned-integer") {
    banner.element = ElementType::unsigned_integer(64);
  } else if (words[3] == "pattern" && banner.coordinate) {
    banner.pattern = true;
  } else if (words[3] != "real" && words[3] != "double") {
    refuse();
  }
  if (words[4] == "symmetric") {
    banner.symmetry = Symmetry::symmetric;
  } else if (words[4] == "skew-symmetric") {
    banner.symmetry = Symmetry::skew;
    if (banner.pattern || words[3] == "unsigned-integer") refuse();  // what would the mirrored entry be?
  } else if (words[4] != "general") {
    refuse();
  }
  return banner;
}

// A value as its code, in the type that the array gets, and its negative.
class ValueParser {
 public:
  ValueParser(const LineReader& lines, const ElementType& in_file, const std::optional<FormatSpec>& format)
      : lines_(lines), element_(format ? ElementType(*format) : in_file) {}

  const ElementType& element() const { return element_; }

  std::uint64_t parse(std::string_view text) const {
    if (text.empty()) lines_.fail("a value", "the end of the line");
    switch (element_.kind()) {
      case ElementType::Kind::signed_integer: {
        const std::string_view digits = text.front() == '+' ? text.substr(1) : text;
        return static_cast<std::uint64_t>(integer<std::int64_t>(digits, "an integer of 64 bits"));
      }
      case ElementType::Kind::unsigned_integer:
        return integer<std::uint64_t>(text, "an unsigned integer of 64 bits");
      default: return number(text);
    }
  }
  std::uint64_t negated(std::uint64_t code) const {
    if (!element_.is_floating()) {
      if (code == std::uint64_t{1} << 63) lines_.fail("an integer with a negative of 64 bits", "-2^63");
      return -code;
    }
    // The code of minus zero is the NaN of a format with one zero, and its zero has no sign.
    const FormatSpec& f = element_.format();
    if (f.is_nan(code) || (f.specials == Specials::fnuz && code == 0)) return code;
    return code ^ f.sign_code();
  }
  bool is_zero(std::uint64_t code) const {
    if (!element_.is_floating()) return code == 0;
    const FormatSpec& f = element_.format();
    return !f.is_nan(code) && (code & ~f.sign_code()) == 0;
  }
  std::uint64_t one() const {
    if (!element_.is_floating()) return 1;
    return encode(parse_number("1"), element_.format()).code;
  }

 private:
  template <class Integer>
  Integer integer(std::string_view text, const char* expected) const {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) lines_.fail(expected, quoted(text));
    return value;
  }
  std::uint64_t number(std::string_view text) const {
    if (element_ == ElementType(formats::float64)) {
      double value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error == std::errc{} && end == text.data() + text.size() && !std::isnan(value)) {
        return std::bit_cast<std::uint64_t>(value);
      }
    }
    // Overflow, underflow, a leading plus, NaN, and every other format. Infinity is read where the text says so: a
    // number beyond the format is not the one that was written.
    try {
      const ExactValue<Wide> value = parse_number(text);
      const Encoded encoded = encode(value, element_.format());
      if (encoded.invalid || (encoded.overflow && value.kind == Kind::finite))
        lines_.fail("a value that " + element_.name() + " has", quoted(text));
      return encoded.code;
    } catch (const InputError& e) {
      if (e.path() == lines_.origin()) throw;
      lines_.fail("a number", quoted(text));
    }
  }

  const LineReader& lines_;
  ElementType element_;
};

// Codes into the bytes of an array.
void put(Array& array, std::int64_t i, std::uint64_t code) {
  const std::size_t width = array.element.bytes();
  std::memcpy(array.bytes.data() + static_cast<std::size_t>(i) * width, &code, width);
}

std::int64_t count(const LineReader& lines, std::string_view text, std::int64_t least, std::int64_t most,
                   std::string_view what) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const bool whole = !text.empty() && end == text.data() + text.size();
  if (!whole || error != std::errc{} || n < least || n > most) {
    lines.fail(std::string(what) + " from " + std::to_string(least) + " to " + std::to_string(most),
               text.empty() ? "the end of the line" : quoted(text));
  }
  return n;
}

void expect_line_end(const LineReader& lines, std::string_view rest) {
  const std::string_view extra = word(rest);
  if (!extra.empty()) lines.fail("the end of the line", quoted(extra));
}

void expect_end(LineReader& lines, std::string_view what, std::int64_t n) {
  std::string_view line;
  if (lines.next_data(line)) {
    lines.fail("the end after " + std::to_string(n) + " " + std::string(what), quoted(line));
  }
}

void need_line(LineReader& lines, std::string_view& line, std::string_view what, std::int64_t n,
               std::int64_t read) {
  if (lines.next_data(line)) return;
  lines.fail_at_end(std::to_string(n) + " " + std::string(what),
                    "the end of the file after " + std::to_string(read));
}

// Indices are 32 bits in every kernel; a dense side may be as long as its values are.
constexpr std::int64_t most_rows = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t most_entries = std::numeric_limits<std::int64_t>::max();

void expect_square(const LineReader& lines, const Banner& banner, std::int64_t rows, std::int64_t cols) {
  if (banner.symmetry == Symmetry::general || rows == cols) return;
  lines.fail("a square matrix, since it is symmetric", to_string({rows, cols}));
}

SparseArray read_coordinate(LineReader& lines, const Banner& banner,
                            const std::optional<FormatSpec>& format) {
  const ValueParser values(lines, banner.element, format);
  std::string_view line;
  need_line(lines, line, "line with rows, columns and entries", 1, 0);
  SparseArray a;
  a.origin = lines.origin();
  a.rows = count(lines, word(line), 0, most_rows, "rows");
  a.cols = count(lines, word(line), 0, most_rows, "columns");
  const std::int64_t entries = count(lines, word(line), 0, most_entries, "entries");
  expect_line_end(lines, line);
  expect_square(lines, banner, a.rows, a.cols);

  const bool mirrored = banner.symmetry != Symmetry::general;
  // A count beyond what the file can hold, at 3 bytes for "1 1", costs no memory: reading finds the line that is
  // wrong, or the end of the file, and says that.
  const std::int64_t room = lines.lines_at_most(3);
  const auto most = static_cast<std::size_t>(std::min(entries, room)) * (mirrored ? 2 : 1);
  a.row_indices = allocate<std::int32_t>(most);
  a.column_indices = allocate<std::int32_t>(most);
  a.values = make_array(values.element(), {static_cast<std::int64_t>(most)});
  const std::uint64_t one = values.one();
  std::size_t stored = 0;
  const auto store = [&](std::int64_t row, std::int64_t column, std::uint64_t code) {
    a.row_indices[stored] = static_cast<std::int32_t>(row);  // at most most_rows
    a.column_indices[stored] = static_cast<std::int32_t>(column);
    put(a.values, static_cast<std::int64_t>(stored++), code);
  };
  for (std::int64_t e = 0; e < entries; ++e) {
    need_line(lines, line, "entries", entries, e);
    const std::int64_t row = count(lines, word(line), 1, a.rows, "a row") - 1;
    const std::int64_t column = count(lines, word(line), 1, a.cols, "a column") - 1;
    const std::string_view text = word(line);
    if (text.empty() && !banner.pattern) {
      lines.fail("a value after row and column, since the matrix is " + banner.field + " by line 1",
                 "the end of the line");
    }
    const std::uint64_t code = banner.pattern ? one : values.parse(text);
    expect_line_end(lines, banner.pattern ? text : line);
    store(row, column, code);
    if (!mirrored) continue;
    const auto place = [&] {
      return "row " + std::to_string(row + 1) + ", column " + std::to_string(column + 1);
    };
    if (column > row) {
      lines.fail("an entry on or below the diagonal, the matrix being symmetric or skew-symmetric", place());
    }
    if (column == row && banner.symmetry == Symmetry::skew && !values.is_zero(code))
      lines.fail("a zero on the diagonal, the matrix being skew-symmetric", quoted(text) + " in " + place());
    if (row != column) store(column, row, banner.symmetry == Symmetry::skew ? values.negated(code) : code);
  }
  expect_end(lines, "entries", entries);
  a.row_indices.resize(stored);
  a.column_indices.resize(stored);
  a.values.bytes.resize(stored * a.values.element.bytes());
  a.values.shape = {static_cast<std::int64_t>(stored)};
  a.values.origin = a.origin;
  return a;
}

Array read_dense(LineReader& lines, const Banner& banner, const std::optional<FormatSpec>& format) {
  const ValueParser values(lines, banner.element, format);
  std::string_view line;
  need_line(lines, line, "line with rows and columns", 1, 0);
  const std::int64_t rows = count(lines, word(line), 0, most_rows, "rows");
  const std::int64_t cols = count(lines, word(line), 0, most_rows, "columns");
  expect_line_end(lines, line);
  expect_square(lines, banner, rows, cols);
  const bool general = banner.symmetry == Symmetry::general;
  const std::int64_t first_below = banner.symmetry == Symmetry::skew ? 1 : 0;
  // Below 2^62, since rows and columns are below 2^31.
  const std::int64_t lower_values = first_below == 1 ? rows * (rows - 1) / 2 : rows * (rows + 1) / 2;
  const std::int64_t expected = general ? rows * cols : lower_values;
  // Beyond what the file can hold, at a digit a line, memory is not asked for: reading finds the line that is
  // wrong, or the end of the file, and says that.
  if (expected > lines.lines_at_most(1)) {
    for (std::int64_t read = 0;; ++read) {
      need_line(lines, line, "values", expected, read);
      static_cast<void>(values.parse(word(line)));
      expect_line_end(lines, line);
    }
  }
  Array array = make_array(values.element(), {rows, cols});
  array.file_order = Order::column_major;
  array.origin = lines.origin();
  std::int64_t read = 0;
  for (std::int64_t j = 0; j < cols && rows > 0; ++j) {
    for (std::int64_t i = general ? 0 : j + first_below; i < rows; ++i) {
      need_line(lines, line, "values", expected, read++);
      const std::uint64_t code = values.parse(word(line));
      expect_line_end(lines, line);
      put(array, i * cols + j, code);
      if (!general && i != j) {
        put(array, j * cols + i, banner.symmetry == Symmetry::skew ? values.negated(code) : code);
      }
    }
  }
  expect_end(lines, "values", expected);
  return array;
}

// Decimals that are exactly the values, the shortest that float64 reads back.
class Writer {
 public:
  Writer(const std::string& path, const Array& values) : file_(path), values_(values) {}

  // "real" and so on: the field of the banner.
  std::string_view field() const {
    switch (values_.element.kind()) {
      case ElementType::Kind::floating: return "real";
      case ElementType::Kind::unsigned_integer:
        return values_.element.bits() == 64 ? "unsigned-integer" : "integer";
      default: return "integer";
    }
  }
  void text(std::string_view text) { file_.write(text); }
  void integer(std::int64_t n) { put(n); }
  void value(std::int64_t i) {
    const std::uint64_t code = values_.code(i);
    switch (values_.element.kind()) {
      case ElementType::Kind::floating: return floating(code);
      case ElementType::Kind::signed_integer: {
        const int unused = 64 - values_.element.bits();
        return put(static_cast<std::int64_t>(code << unused) >> unused);
      }
      default: return put(code);
    }
  }
  void commit() { file_.commit(); }

 private:
  template <class Number>
  void put(Number n) {
    std::array<char, 40> digits;  // NOLINT: filled by to_chars
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), n);
    file_.write({digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  void floating(std::uint64_t code) {
    const FormatSpec& f = values_.element.format();
    if (f.is_nan(code)) return file_.write("nan");
    put(decode(code, f));
  }

  AtomicFile file_;
  const Array& values_;
};

}  // namespace

AnyArray read_matrix_market(ByteSource& source, const std::optional<FormatSpec>& format) {
  LineReader lines(source);
  const Banner banner = read_banner(lines);
  if (banner.coordinate) return read_coordinate(lines, banner, format);
  return read_dense(lines, banner, format);
}

void write_matrix_market(const std::string& path, const Array& array) {
  if (array.shape.size() != 2)
    throw InputError(path, "", "an array of two dimensions", to_string(array.shape));
  const std::int64_t rows = array.shape[0], cols = array.shape[1];
  Writer out(path, array);
  out.text("%%MatrixMarket matrix array ");
  out.text(out.field());
  out.text(" general\n");
  out.integer(rows);
  out.text(" ");
  out.integer(cols);
  out.text("\n");
  for (std::int64_t j = 0; j < cols; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) {
      out.value(i * cols + j);
      out.text("\n");
    }
  }
  out.commit();
}

void write_matrix_market(const std::string& path, const SparseArray& array) {
  check(array);
  Writer out(path, array.values);
  out.text("%%MatrixMarket matrix coordinate ");
  out.text(out.field());
  out.text(" general\n");
  out.integer(array.rows);
  out.text(" ");
  out.integer(array.cols);
  out.text(" ");
  out.integer(array.nnz());
  out.text("\n");
  for_each_entry(array, [&](std::int64_t row, std::int64_t column, std::size_t value) {
    out.integer(row + 1);
    out.text(" ");
    out.integer(column + 1);
    out.text(" ");
    out.value(static_cast<std::int64_t>(value));
    out.text("\n");
  });
  out.commit();
}

}  // namespace assay::io
