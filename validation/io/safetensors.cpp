#include "validation/io/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/near_names.hpp"
#include "reference/core/printable.hpp"
#include "reference/formats/block_scaled.hpp"
#include "validation/io/elements.hpp"
#include "validation/io/json_text.hpp"

namespace assay::io {
namespace {

using nlohmann::json;

constexpr std::uint64_t most_header = 100'000'000;  // the format's own limit

// How a dtype's codes lie in the file.
enum class Coding {
  plain,     // as in memory
  nibbles,   // two codes a byte, the first in the low bits, as PyTorch's float4_e2m1fn_x2
  exponents  // a byte b is 2^(b - 127), 255 is NaN: scales, which become the values that they stand for
};

// A dtype of the format. Without a type of ours it counts bits, so that its offsets can be checked, and is not read.
struct Dtype {
  std::string_view name;
  int bits;
  std::optional<ElementType> element;
  std::string_view why_not = "";  // not read
  Coding coding = Coding::plain;
};

const std::vector<Dtype>& dtypes() {
  constexpr std::string_view six_bits =
      "6-bit codes, and the format does not say how they share bytes; save the codes as U8, one a byte";
  static const std::vector<Dtype> all{
      {"F64", 64, formats::float64},
      {"F32", 32, formats::float32},
      {"F16", 16, formats::float16},
      {"BF16", 16, formats::bfloat16},
      {"F8_E4M3", 8, formats::float8_e4m3fn},
      {"F8_E5M2", 8, formats::float8_e5m2},
      {"F8_E4M3FNUZ", 8, formats::float8_e4m3fnuz},
      {"F8_E5M2FNUZ", 8, formats::float8_e5m2fnuz},
      {"I64", 64, ElementType::signed_integer(64)},
      {"U64", 64, ElementType::unsigned_integer(64)},
      {"I32", 32, ElementType::signed_integer(32)},
      {"U32", 32, ElementType::unsigned_integer(32)},
      {"I16", 16, ElementType::signed_integer(16)},
      {"U16", 16, ElementType::unsigned_integer(16)},
      {"I8", 8, ElementType::signed_integer(8)},
      {"U8", 8, ElementType::unsigned_integer(8)},
      {"BOOL", 8, ElementType::boolean()},
      {"F8_E8M0", 8, formats::float32, "", Coding::exponents},
      {"F4", 4, formats::float4_e2m1fn, "", Coding::nibbles},
      {"F6_E2M3", 6, std::nullopt, six_bits},
      {"F6_E3M2", 6, std::nullopt, six_bits},
      {"C64", 64, std::nullopt, "complex numbers; save real and imaginary parts as tensors"},
  };
  return all;
}

const Dtype* find_dtype(std::string_view name) {
  const auto at = std::ranges::find(dtypes(), name, &Dtype::name);
  return at == dtypes().end() ? nullptr : &*at;
}

std::string all_dtypes() {
  std::string text;
  for (const Dtype& d : dtypes()) text += (text.empty() ? "" : ", ") + std::string(d.name);
  return text;
}

// The JSON of the header, as one pass over events: a DOM parser keeps the last of two equal names without a word.
class NamesOnce {
 public:
  explicit NamesOnce(const ByteSource& source) : source_(source) {}

  bool operator()(int /*depth*/, json::parse_event_t event, json& value) {
    constexpr std::size_t deepest = 3;  // header, tensor, shape
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        names_.emplace_back();
        if (names_.size() > deepest)
          source_.fail("header", "a table of tensors", "JSON nested deeper than that");
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end: names_.pop_back(); break;
      case json::parse_event_t::key:
        if (!names_.back().insert(value.get<std::string>()).second) {
          source_.fail("header", "each name once", "a second " + quoted(value.get<std::string>()));
        }
        break;
      case json::parse_event_t::value: break;
    }
    return true;
  }

 private:
  const ByteSource& source_;
  std::vector<std::set<std::string>> names_;
};

json parse_json(const ByteSource& source, std::string_view text) {
  try {
    return json::parse(text, NamesOnce(source));
  } catch (const json::parse_error& e) {
    source.fail("byte " + std::to_string(8 + e.byte), "JSON", quoted(e.what()));
  } catch (const json::out_of_range& e) {
    source.fail("header", "numbers of 64 bits", quoted(e.what()));
  }
}

// One tensor of the header, checked against its own shape and the data.
class EntryReader {
 public:
  EntryReader(const ByteSource& source, const std::string& name, const json& object)
      : source_(source), place_("tensor " + quoted(name)), object_(object) {
    entry_.name = name;
  }

  SafetensorsEntry read() {
    if (!object_.is_object()) fail("an object", object_.type_name());
    for (const auto& [key, value] : object_.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        fail("dtype, shape and data_offsets", quoted(key));
      }
    }
    const json& dtype = field("dtype");
    if (!dtype.is_string()) fail("a dtype that is a string", dtype.type_name());
    entry_.dtype = dtype.get<std::string>();
    for (const std::uint64_t n : numbers("shape")) {
      if (n > INT64_MAX) fail("dimensions below 2^63", std::to_string(n));
      entry_.shape.push_back(static_cast<std::int64_t>(n));
    }
    const std::vector<std::uint64_t> offsets = numbers("data_offsets");
    if (offsets.size() != 2) fail("two data_offsets", std::to_string(offsets.size()));
    entry_.begin = offsets[0];
    entry_.end = offsets[1];
    check_size();
    return std::move(entry_);
  }

 private:
  [[noreturn]] void fail(std::string expected, std::string found) const {
    source_.fail(place_, std::move(expected), std::move(found));
  }
  const json& field(const char* key) const {
    const auto at = object_.find(key);
    if (at == object_.end()) fail("the field " + std::string(key), "none");
    return *at;
  }
  std::vector<std::uint64_t> numbers(const char* key) const {
    const json& list = field(key);
    if (!list.is_array()) fail(std::string(key) + " as a list", list.type_name());
    std::vector<std::uint64_t> found;
    for (const json& number : list) {
      if (!number.is_number_unsigned()) {
        fail(std::string(key) + " of whole numbers from 0 to below 2^64", quoted(number.dump()));
      }
      found.push_back(number.get<std::uint64_t>());
    }
    return found;
  }
  void check_size() const {
    const Dtype* const dtype = find_dtype(entry_.dtype);
    if (dtype == nullptr) fail("a dtype of " + all_dtypes(), quoted(entry_.dtype));
    const std::string span =
        "data_offsets " + std::to_string(entry_.begin) + ".." + std::to_string(entry_.end);
    if (entry_.end < entry_.begin) fail("data_offsets that do not fall", span);
    // Counted in bits, since some dtypes have less than a byte.
    const std::optional<std::int64_t> bits = byte_count(entry_.shape, static_cast<std::size_t>(dtype->bits));
    if (!bits) fail("a shape of less than 2^60 bytes", to_string(entry_.shape));
    const auto need = static_cast<std::uint64_t>(*bits);
    if (need % 8 != 0)
      fail("a shape whose " + entry_.dtype + " codes fill whole bytes", to_string(entry_.shape));
    if (need / 8 != entry_.end - entry_.begin) {
      fail("data_offsets " + std::to_string(need / 8) + " bytes apart, for " + entry_.dtype + " of shape " +
               to_string(entry_.shape),
           span);
    }
  }

  const ByteSource& source_;
  std::string place_;
  const json& object_;
  SafetensorsEntry entry_;
};

Metadata read_metadata(const ByteSource& source, const json& object) {
  if (!object.is_object()) source.fail("__metadata__", "an object", object.type_name());
  Metadata metadata;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) source.fail("__metadata__", quoted(key) + " as a string", value.type_name());
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

const Dtype& dtype_of(const Array& array, const std::string& path) {
  for (const Dtype& d : dtypes()) {
    if (d.element == array.element && d.coding != Coding::exponents) return d;
  }
  throw InputError(path, "", "an element type that safetensors has a name for", array.element.name());
}

Array from_nibbles(const Array& pairs, Shape shape) {
  Array array = make_array(formats::float4_e2m1fn, std::move(shape));
  for (std::size_t i = 0; i < array.bytes.size(); ++i)
    array.bytes[i] = (pairs.bytes[i / 2] >> (i % 2 * 4)) & std::byte{0xF};
  return array;
}

std::vector<std::byte> to_nibbles(const Array& array, const std::string& path) {
  if (array.bytes.size() % 2 != 0)
    throw InputError(path, "", "an even number of F4 elements, since two share a byte",
                     to_string(array.shape));
  std::vector<std::byte> pairs(array.bytes.size() / 2);
  for (std::size_t i = 0; i < array.bytes.size(); ++i) pairs[i / 2] |= array.bytes[i] << (i % 2 * 4);
  return pairs;
}

Array from_exponents(const Array& codes) {
  Array array = make_array(formats::float32, codes.shape);
  const std::span<float> values = array.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(e8m0_t{std::to_integer<std::uint8_t>(codes.bytes[i])}.value());
  }
  return array;
}

// The tensor whose bytes come next. Its size is held against the rest of the file before memory is asked for.
Array read_tensor(ByteSource& source, const Dtype& dtype, const SafetensorsEntry& entry) {
  const ElementType byte = ElementType::unsigned_integer(8);
  switch (dtype.coding) {
    case Coding::nibbles:
      return from_nibbles(read_elements(source, {byte, {static_cast<std::int64_t>(entry.end - entry.begin)}}),
                          entry.shape);
    case Coding::exponents: return from_exponents(read_elements(source, {byte, entry.shape}));
    case Coding::plain: break;
  }
  return read_elements(source, {*dtype.element, entry.shape});
}

}  // namespace

SafetensorsHeader read_safetensors_header(ByteSource& source) {
  std::uint64_t size = 0;
  source.read_exact(&size, sizeof size, "header length");
  const std::uint64_t rest = source.remaining_at_most();
  if (size > std::min(most_header, rest)) {
    source.fail("byte 0", "a header of at most " + std::to_string(std::min(most_header, rest)) + " bytes",
                std::to_string(size));
  }
  std::vector<char> text = allocate<char>(static_cast<std::size_t>(size));
  source.read_exact(text.data(), text.size(), "header");
  // JSON may start with blanks, and the format's own reader takes them; the JSON parser here would also end at a NUL.
  const auto first = std::ranges::find_if_not(text, is_json_blank);
  if (first == text.end() || *first != '{') source.fail("byte 8", "a header that starts with '{'", "another");
  if (const auto nul = std::ranges::find(text, '\0'); nul != text.end()) {
    source.fail("byte " + std::to_string(8 + (nul - text.begin())), "a header padded with blanks", "a NUL");
  }
  const json object = parse_json(source, {text.data(), text.size()});

  SafetensorsHeader header;
  for (const auto& [name, value] : object.items()) {
    if (name == "__metadata__") {
      header.metadata = read_metadata(source, value);
    } else {
      header.entries.push_back(EntryReader(source, name, value).read());
    }
  }
  std::ranges::sort(header.entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.begin != header.data_bytes) {
      const bool overlap = entry.begin < header.data_bytes;
      source.fail(
          "tensor " + quoted(entry.name), "data from byte " + std::to_string(header.data_bytes) + " on",
          "byte " + std::to_string(entry.begin) + (overlap ? ", inside the tensor before" : ", after a gap"));
    }
    header.data_bytes = entry.end;
  }
  if (header.data_bytes > source.remaining_at_most()) {
    source.fail(std::to_string(header.data_bytes) + " bytes of data",
                "at most " + std::to_string(source.remaining_at_most()));
  }
  return header;
}

Array read_safetensors(ByteSource& source, const std::string& name, const std::optional<FormatSpec>& format) {
  const std::string path = source.origin();
  const SafetensorsHeader header = read_safetensors_header(source);
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : header.entries) names.push_back(entry.name);
  if (name.empty() && names.size() != 1) {
    std::string found = std::to_string(names.size()) + " tensors";
    for (std::size_t i = 0; i < names.size() && i < 8; ++i)
      found += (i == 0 ? ": " : ", ") + printable(names[i]);
    throw InputError(path, "", "one tensor, or the name of one: " + path + ":NAME", found);
  }
  const auto entry = name.empty() ? header.entries.begin()
                                  : std::ranges::find(header.entries, name, &SafetensorsEntry::name);
  if (entry == header.entries.end())
    throw InputError(path, "", "the name of a tensor", with_near_names(name, names));
  const Dtype& dtype = *find_dtype(entry->dtype);
  if (!dtype.element) {
    source.fail("tensor " + quoted(entry->name), "a dtype that can be read",
                entry->dtype + ": " + std::string(dtype.why_not));
  }
  source.skip(entry->begin, "data");
  Array array = read_tensor(source, dtype, *entry);
  array.origin = path + ":" + entry->name;
  array.metadata = header.metadata;
  source.skip(header.data_bytes - entry->end, "data");
  source.expect_end("the tensors");
  return with_format(std::move(array), format);
}

void write_safetensors(const std::string& path, const std::vector<NamedRef>& arrays,
                       const Metadata& metadata) {
  std::vector<NamedRef> order = arrays;
  std::ranges::stable_sort(order, std::greater{}, [](const NamedRef& a) { return a.array->element.bytes(); });

  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t begin = 0;
  std::map<const Array*, std::vector<std::byte>> packed;
  for (const auto& [name, array] : order) {
    const Dtype& dtype = dtype_of(*array, path);
    if (dtype.coding == Coding::nibbles) packed[array] = to_nibbles(*array, path);
    const std::uint64_t end = begin + (packed.contains(array) ? packed[array] : array->bytes).size();
    if (name == "__metadata__" || header.contains(name)) {
      throw ContractError("a tensor's name is taken: " + quoted(name));
    }
    header[name] = {{"dtype", dtype.name}, {"shape", array->shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data start at a multiple of 8
  const auto size = static_cast<std::uint64_t>(text.size());
  char size_bytes[sizeof size];
  std::memcpy(size_bytes, &size, sizeof size);

  AtomicFile file(path);
  file.write({size_bytes, sizeof size_bytes});
  file.write(text);
  for (const auto& [name, array] : order)
    write_bytes(file, packed.contains(array) ? packed[array] : array->bytes);
  file.commit();
}

}  // namespace assay::io
