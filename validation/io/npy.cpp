#include "validation/io/npy.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "reference/core/error.hpp"
#include "validation/io/elements.hpp"

namespace assay::io {
namespace {

static_assert(std::endian::native == std::endian::little,
              "files are little-endian and are read without a swap");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t most_dimensions = 64;  // NumPy's own limit

// The header's three facts. `descr` is empty if it is not a string: a structured type.
struct Header {
  std::string descr;
  bool column_major = false;
  Shape shape;
};

// The header is a literal of a Python dict with string keys. Of Python's grammar this takes what NumPy writes, in any
// order and with any blanks.
class DictParser {
 public:
  DictParser(const ByteSource& source, std::size_t offset, std::string_view text)
      : source_(source), offset_(offset), text_(text) {}

  Header parse() {
    Header header;
    bool seen[3] = {};
    const auto once = [&](int which, const std::string& key) {
      if (seen[which]) fail("each key once", "a second " + quoted(key));
      seen[which] = true;
    };
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        once(0, key);
        header.descr = descr();
      } else if (key == "fortran_order") {
        once(1, key);
        header.column_major = boolean();
      } else if (key == "shape") {
        once(2, key);
        header.shape = shape();
      } else {
        fail("the keys 'descr', 'fortran_order' and 'shape'", quoted(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    blanks();
    if (at_ != text_.size()) fail("the end of the header", next());
    if (!seen[0] || !seen[1] || !seen[2]) fail("the keys 'descr', 'fortran_order' and 'shape'", "fewer");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string expected, std::string found) const {
    source_.fail("byte " + std::to_string(offset_ + at_), std::move(expected), std::move(found));
  }
  std::string next() const {
    return at_ < text_.size() ? quoted(text_.substr(at_, 20)) : "the end of the header";
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("'") + c + "'", next());
  }
  bool accept(std::string_view word) {
    blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string string() {
    blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a quoted word", next());
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("the closing quote", "the end of the header");
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    if (word.find('\\') != std::string_view::npos) fail("a word without escapes", quoted(word));
    at_ = end + 1;
    return std::string(word);
  }
  std::string descr() {
    blanks();
    if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '(')) {
      fail("one number an element", "a structured type; save its fields as arrays of their own");
    }
    return string();
  }
  bool boolean() {
    if (accept(std::string_view("True"))) return true;
    if (accept(std::string_view("False"))) return false;
    fail("True or False", next());
  }
  Shape shape() {
    Shape dimensions;
    expect('(');
    while (!accept(')')) {
      dimensions.push_back(dimension());
      if (dimensions.size() > most_dimensions) fail("at most 64 dimensions", "more");
      if (!accept(',')) {
        // "(3)" is a number in Python; only "(3,)" is a shape.
        if (dimensions.size() == 1) fail("',' after a single dimension", next());
        expect(')');
        break;
      }
    }
    return dimensions;
  }
  std::int64_t dimension() {
    blanks();
    std::int64_t n = 0;
    const char* const first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), n);
    if (error == std::errc::result_out_of_range || n < 0) fail("a dimension from 0 to below 2^63", next());
    if (error != std::errc{}) fail("a dimension", next());
    at_ += static_cast<std::size_t>(end - first);
    accept(std::string_view("L"));  // Python 2 wrote some
    return n;
  }

  const ByteSource& source_;
  std::size_t offset_;  // of the text in the file
  std::string_view text_;
  std::size_t at_ = 0;
};

Header read_header(ByteSource& source) {
  char start[8];
  source.read_exact(start, sizeof start, "npy header");
  if (std::string_view(start, 6) != magic) {
    source.fail("byte 0", "an npy file (\\x93NUMPY)", quoted(std::string_view(start, 6)));
  }
  const int major = static_cast<unsigned char>(start[6]);
  if (major < 1 || major > 3) source.fail("byte 6", "npy version 1, 2 or 3", std::to_string(major));
  unsigned char size_bytes[4] = {};
  source.read_exact(size_bytes, major == 1 ? 2 : 4, "npy header length");
  std::uint32_t size = 0;
  std::memcpy(&size, size_bytes, sizeof size);
  if (size > source.remaining_at_most()) {
    source.fail(
        "byte 8",
        "a header inside the file, of at most " + std::to_string(source.remaining_at_most()) + " bytes",
        std::to_string(size));
  }
  const std::size_t offset = source.offset();
  std::vector<char> text = allocate<char>(size);
  source.read_exact(text.data(), text.size(), "npy header");
  return DictParser(source, offset, {text.data(), text.size()}).parse();
}

// What follows the byte order in a descr: a letter for the kind and the bytes of an element.
struct Descr {
  char order;  // '<', '>', '|' or '='
  char kind;
  std::uint64_t bytes;
};

std::optional<Descr> parse_descr(std::string_view text) {
  if (text == "?") return Descr{'|', 'b', 1};
  Descr d{'|', '\0', 0};
  if (!text.empty() && std::string_view("<>|=").find(text.front()) != std::string_view::npos) {
    d.order = text.front();
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;
  d.kind = text.front();
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d.bytes);
  if (!text.empty() && (error != std::errc{} || end != text.data() + text.size())) return std::nullopt;
  return d;
}

// Why this kind of element is no number of ours; empty if it might be one.
std::string_view why_refused(char kind) {
  switch (kind) {
    case 'O': return "Python objects (pickled); save an array of numbers";
    case 'c': return "complex numbers; save real and imaginary parts as arrays of their own";
    case 'S':
    case 'a':
    case 'U': return "text";
    case 'M':
    case 'm': return "dates or times";
    default: return "";
  }
}

struct FileElement {
  ElementType element;
  bool is_void = false;
};

std::optional<FileElement> element_of(const Descr& d) {
  const bool power = d.bytes == 1 || d.bytes == 2 || d.bytes == 4 || d.bytes == 8;
  if (!power) return std::nullopt;
  const int bits = static_cast<int>(d.bytes) * 8;
  switch (d.kind) {
    case 'f':
      if (bits == 8) return FileElement{formats::float8_e5m2};
      if (bits == 16) return FileElement{formats::float16};
      return FileElement{bits == 32 ? formats::float32 : formats::float64};
    case 'i': return FileElement{ElementType::signed_integer(bits)};
    case 'u': return FileElement{ElementType::unsigned_integer(bits)};
    case 'V': return FileElement{ElementType::unsigned_integer(bits), true};
    case 'b':
      if (bits == 8) return FileElement{ElementType::boolean()};
      break;
    default: break;
  }
  return std::nullopt;
}

// Formats that some writers put down by name: "bfloat16".
std::optional<FileElement> element_by_name(std::string_view descr) {
  for (const FormatSpec* f : formats::all) {
    if (f->dtype == descr) return FileElement{*f};
  }
  return std::nullopt;
}

// The dict with what surrounds it. The data start at a multiple of 64 bytes, as NumPy has it.
std::string framed(std::string dict) {
  const bool short_header = dict.size() + 64 + 10 < 65536;
  const std::size_t fixed = short_header ? 10 : 12;
  const std::size_t padded = (fixed + dict.size() + 1 + 63) / 64 * 64;
  dict.resize(padded - fixed - 1, ' ');
  dict += '\n';
  const auto size = static_cast<std::uint32_t>(dict.size());
  std::string header(magic);
  header += short_header ? '\1' : '\2';
  header += '\0';
  for (std::size_t i = 0; i < fixed - 8; ++i) header += static_cast<char>(size >> (8 * i) & 0xFF);
  return header + dict;
}

}  // namespace

Array read_npy(ByteSource& source, const std::optional<FormatSpec>& format) {
  const Header header = read_header(source);
  const std::optional<Descr> descr = parse_descr(header.descr);
  if (descr && !why_refused(descr->kind).empty()) {
    source.fail("header", "an array of numbers",
                quoted(header.descr) + ", " + std::string(why_refused(descr->kind)));
  }
  std::optional<FileElement> found = element_by_name(header.descr);
  if (!found && descr) found = element_of(*descr);
  if (!found) {
    source.fail("header", "elements of 1, 2, 4 or 8 bytes: b1, i, u, f or V", quoted(header.descr));
  }
  if (found->is_void && !format) {
    source.fail("header", "a named format, or to be told which format these codes have",
                quoted(header.descr) + ", under which ml_dtypes saves several of them");
  }
  const bool big_endian = descr && descr->order == '>';
  Array array =
      read_elements(source, {found->element, header.shape,
                             header.column_major ? Order::column_major : Order::row_major, big_endian});
  source.expect_end("the array");
  return with_format(std::move(array), format);
}

std::string read_npy_text(ByteSource& source) {
  const Header header = read_header(source);
  const std::optional<Descr> descr = parse_descr(header.descr);
  const bool wide = descr && descr->kind == 'U';  // four bytes a character
  constexpr std::uint64_t most = 64;
  if (!descr || (descr->kind != 'S' && !wide) || !header.shape.empty() || descr->bytes > most) {
    source.fail("header", "one short text", quoted(header.descr) + " of shape " + to_string(header.shape));
  }
  std::string bytes(static_cast<std::size_t>(descr->bytes) * (wide ? 4 : 1), '\0');
  source.read_exact(bytes.data(), bytes.size(), "text");
  source.expect_end("the text");
  std::erase(bytes, '\0');  // padding, and the upper bytes of plain letters
  return bytes;
}

std::string npy_header(const Array& array, const std::string& path) {
  const auto width = std::to_string(array.element.bytes());
  std::string descr;
  switch (array.element.kind()) {
    case ElementType::Kind::signed_integer: descr = "i" + width; break;
    case ElementType::Kind::unsigned_integer: descr = "u" + width; break;
    case ElementType::Kind::boolean: descr = "b1"; break;
    case ElementType::Kind::floating: {
      const FormatSpec& f = array.element.format();
      const bool numpy_has = f == formats::float16 || f == formats::float32 || f == formats::float64;
      const bool whole = f.bits == static_cast<int>(array.element.bytes()) * 8;
      if (!whole && array.element.bytes() > 1) {
        throw InputError(path, "", "a format that npy can hold: whole bytes", array.element.name());
      }
      descr = (numpy_has || f == formats::float8_e5m2 ? "f" : "V") + width;
      break;
    }
  }
  std::string shape;
  for (const std::int64_t n : array.shape) shape += std::to_string(n) + ", ";
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  if (array.shape.size() == 1) shape.pop_back();  // "(3,)"
  const bool no_order = array.element.kind() != ElementType::Kind::floating && width == "1";
  std::string dict = std::string("{'descr': '") + (no_order ? "|" : "<") + descr +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";

  return framed(std::move(dict));
}

std::string npy_text_header(std::size_t characters) {
  return framed("{'descr': '|S" + std::to_string(characters) + "', 'fortran_order': False, 'shape': (), }");
}

}  // namespace assay::io
