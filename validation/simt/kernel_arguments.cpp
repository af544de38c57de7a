#include "validation/simt/kernel_arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/core/memory.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay::simt {
namespace {

using assay_simt::KernelParameter;

std::optional<io::ElementType> element_type_of(const KernelParameter& p) {
  const std::string_view name = p.name;
  const auto bits = static_cast<int>(8 * p.bytes);
  switch (p.kind) {
    case 'f':
      if (p.bytes == 4) return io::ElementType(formats::float32);
      if (p.bytes == 8) return io::ElementType(formats::float64);
      return {};
    case 'i': return io::ElementType::signed_integer(bits);
    case 'u': return io::ElementType::unsigned_integer(bits);
    case 'b': return io::ElementType::boolean();
    case 'v': return io::ElementType::unsigned_integer(8);
    default: break;
  }
  if (name == "__half") return io::ElementType(formats::float16);
  if (name == "__nv_bfloat16") return io::ElementType(formats::bfloat16);
  if (name == "__nv_fp8_e4m3") return io::ElementType(formats::float8_e4m3fn);
  if (name == "__nv_fp8_e5m2") return io::ElementType(formats::float8_e5m2);
  return {};
}

// What an array of a parameter's elements consists of.
struct Numbers {
  io::ElementType type;
  std::size_t per_element = 1;
  bool are_bytes = false;  // of a class
};
std::optional<Numbers> numbers_of(const KernelParameter& p) {
  if (const auto type = element_type_of(p)) return Numbers{*type};
  if (!p.is_plain) return {};
  // float4, __half2 and kin.
  struct Vector {
    std::string_view of;
    KernelParameter one;
  };
  static constexpr Vector vectors[] = {{"char", {.kind = 'i', .bytes = 1}},
                                       {"uchar", {.kind = 'u', .bytes = 1}},
                                       {"short", {.kind = 'i', .bytes = 2}},
                                       {"ushort", {.kind = 'u', .bytes = 2}},
                                       {"int", {.kind = 'i', .bytes = 4}},
                                       {"uint", {.kind = 'u', .bytes = 4}},
                                       {"long", {.kind = 'i', .bytes = 8}},
                                       {"ulong", {.kind = 'u', .bytes = 8}},
                                       {"longlong", {.kind = 'i', .bytes = 8}},
                                       {"ulonglong", {.kind = 'u', .bytes = 8}},
                                       {"float", {.kind = 'f', .bytes = 4}},
                                       {"double", {.kind = 'f', .bytes = 8}},
                                       {"__half", {.kind = 'o', .bytes = 2, .name = "__half"}},
                                       {"__nv_bfloat16", {.kind = 'o', .bytes = 2, .name = "__nv_bfloat16"}}};
  const std::string_view name = p.name;
  for (const Vector& v : vectors) {
    for (std::size_t n = 1; n <= 4; ++n) {
      if (name == std::string(v.of) + std::to_string(n) && p.bytes == n * v.one.bytes)
        return Numbers{*element_type_of(v.one), n};
    }
  }
  return Numbers{io::ElementType::unsigned_integer(8), p.bytes, true};
}

struct Generated {
  std::string_view what;
  std::uint64_t count = 0, seed = 1;
};
// random:1024:7
std::optional<Generated> generated(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  Generated g{.what = text.substr(0, colon)};
  const bool known = g.what == "random" || g.what == "zeros" || g.what == "ones" || g.what == "iota";
  if (!known) return {};
  const char* const end = text.data() + text.size();
  const auto count = std::from_chars(text.data() + colon + 1, end, g.count);
  bool whole = count.ec == std::errc() && g.count != 0;
  if (whole && count.ptr != end) {
    const auto seed = *count.ptr == ':' && g.what == "random"
                          ? std::from_chars(count.ptr + 1, end, g.seed)
                          : std::from_chars_result{end, std::errc::invalid_argument};
    whole = seed.ec == std::errc() && seed.ptr == end;
  }
  if (!whole)
    throw InputError::of_option("--arg", "random:N[:SEED], zeros:N, ones:N or iota:N", quoted(text));
  return g;
}

// Random values in [-1, 1) of floating point, and in [0, 256) of integers.
io::Array array_of(const Generated& g, const Numbers& numbers, std::uint64_t stream) {
  const io::ElementType& element = numbers.type;
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  if (g.count > most / numbers.per_element)
    throw InputError::of_option("--arg", "at most 2^40 numbers", std::to_string(g.count));
  const std::uint64_t count = g.count * numbers.per_element;
  // The array, a copy that the kernel gets, and the bits of two schedules.
  check_memory("--arg", "four copies of " + std::to_string(g.count) + " elements",
               count * element.bytes() * 4);
  io::Array a = io::make_array(element, {static_cast<std::int64_t>(count)});
  const CounterRandom random(g.seed, stream);
  const std::size_t width = element.bytes();
  for (std::uint64_t i = 0; i < count; ++i) {
    double x = g.what == "ones" ? 1 : g.what == "iota" ? static_cast<double>(i) : 0;
    if (g.what == "random")
      x = element.is_floating() ? 2 * random.uniform(i) - 1 : static_cast<double>(random.below(256, i));
    std::uint64_t code = 0;
    if (element.is_floating()) {
      code = encode(x, element.format()).code;
    } else if (element.kind() == io::ElementType::Kind::boolean) {
      code = static_cast<std::uint64_t>(x) & 1;
    } else {
      code = static_cast<std::uint64_t>(x);
    }
    std::memcpy(a.bytes.data() + i * width, &code, width);
  }
  return a;
}

// The value of a scalar parameter, as it lies in memory.
std::vector<std::byte> scalar_of(std::string_view text, const KernelParameter& p, std::size_t number) {
  std::vector<std::byte> bytes(std::max<std::size_t>(p.bytes, 8));
  const char *const begin = text.data(), *const end = begin + text.size();
  const auto refuse = [&](const std::string& expected) {
    throw InputError::of_option(
        "--arg", expected + " for parameter " + std::to_string(number + 1) + ", " + type_text(p),
        quoted(text));
  };
  const auto integer = [&]<class T>(T value) {
    const auto got = std::from_chars(begin, end, value);
    if (got.ec != std::errc() || got.ptr != end) refuse("a whole number");
    const int bits = static_cast<int>(8 * p.bytes);
    if (bits < 64) {
      const bool fits = std::is_signed_v<T> ? value >> (bits - 1) == T(0) || value >> (bits - 1) == T(-1)
                                            : value >> bits == T(0);
      if (!fits) refuse("a number of " + std::to_string(bits) + " bits");
    }
    std::memcpy(bytes.data(), &value, sizeof value);
  };
  const std::optional<io::ElementType> element = element_type_of(p);
  if (!element) refuse("a type that can be typed in");
  if (element->is_floating()) {
    double value = 0;
    const auto got = std::from_chars(begin, end, value);
    if (got.ec != std::errc() || got.ptr != end) refuse("a number");
    const std::uint64_t code = encode(value, element->format()).code;
    std::memcpy(bytes.data(), &code, sizeof code);
  } else if (p.kind == 'i') {
    integer(std::int64_t{0});
  } else {
    integer(std::uint64_t{0});
  }
  return bytes;
}

std::uint64_t threads_of(const Extent& e) {
  std::uint64_t all = 1;
  for (const auto* const three : {&e.grid, &e.block}) {
    for (const std::uint32_t n : *three) all *= n;
  }
  return all;
}

// The number of threads, or the greatest that the type holds.
std::uint64_t scalar_by_default(const KernelParameter& p, const Extent& e) {
  if (p.kind == 'b') return 1;
  const auto bits = static_cast<int>(8 * p.bytes);
  const bool is_small = (p.kind == 'i' || p.kind == 'u') && bits < 64;
  return is_small ? std::min(threads_of(e), (std::uint64_t{1} << (p.kind == 'i' ? bits - 1 : bits)) - 1)
                  : threads_of(e);
}

}  // namespace

Argument argument_of(const std::string& given, const KernelParameter& p, std::size_t number,
                     const Extent& e) {
  Argument a;
  const std::optional<Numbers> numbers = p.is_pointer ? numbers_of(p) : std::nullopt;
  std::string text = given;
  if (text.empty()) {  // no random bytes: they may be pointers
    const char* const filled = numbers && numbers->are_bytes ? "zeros:" : "random:";
    text = p.is_pointer ? filled + std::to_string(threads_of(e)) : std::to_string(scalar_by_default(p, e));
  }
  a.shown = type_text(p) + " = " + text;
  if (!p.is_pointer) {
    a.scalar = scalar_of(text, p, number);
    return a;
  }
  if (!numbers)
    throw InputError::of_option("--arg", "a pointer to numbers for parameter " + std::to_string(number + 1),
                                type_text(p));
  a.numbers_per_element = numbers->per_element;
  if (const auto g = generated(text)) {
    a.array = array_of(*g, *numbers, number);
    return a;
  }
  io::Array array = io::read_array(text);
  const auto per_element = static_cast<std::int64_t>(numbers->per_element);
  if (array.size() % per_element != 0)
    throw InputError(text, "", "a multiple of " + std::to_string(per_element) + " elements",
                     std::to_string(array.size()));
  if (p.kind != 'v' && array.element != numbers->type)
    throw InputError(text, "",
                     "elements of " + numbers->type.name() + " for parameter " + std::to_string(number + 1) +
                         ", " + type_text(p),
                     array.element.name());
  a.array = std::move(array);
  return a;
}

std::uint64_t elements_of(const Argument& a) {
  return a.array ? static_cast<std::uint64_t>(a.array->size()) / a.numbers_per_element : 0;
}

}  // namespace assay::simt
