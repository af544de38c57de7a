#include "reference/formats/formats.hpp"

#include <charconv>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"

namespace assay {
namespace {

constexpr auto all_specials =
    std::to_array<Specials>({Specials::ieee, Specials::fn, Specials::fnuz, Specials::finite});

FormatSpec parse_custom(std::string_view whole, std::string_view fields) {
  const auto bad = [whole](std::string found) {
    return InputError("format " + quoted(whole), "", "custom:bits,p,emin,ieee|fn|fnuz|finite",
                      std::move(found));
  };
  std::array<int, 3> numbers{};
  for (int& number : numbers) {
    const std::size_t comma = fields.find(',');
    if (comma == std::string_view::npos) throw bad("too few fields");
    const std::string_view field = fields.substr(0, comma);
    const auto [end, status] = std::from_chars(field.data(), field.data() + field.size(), number);
    if (status != std::errc{} || end != field.data() + field.size()) throw bad(quoted(field));
    fields.remove_prefix(comma + 1);
  }
  for (const Specials specials : all_specials) {
    if (fields != specials_name(specials)) continue;
    const FormatSpec f{"custom", "custom", numbers[0], numbers[1], numbers[2], specials};
    if (const std::string why = why_unsound(f); !why.empty()) throw bad(why);
    return f;
  }
  throw bad(quoted(fields));
}

}  // namespace

std::string_view specials_name(Specials specials) {
  switch (specials) {
    case Specials::ieee: return "ieee";
    case Specials::fn: return "fn";
    case Specials::fnuz: return "fnuz";
    case Specials::finite: return "finite";
  }
  return "?";
}

std::string why_unsound(const FormatSpec& f) {
  const auto outside = [](const char* what, int value, int low, int high) {
    return std::string(what) + " " + std::to_string(value) + " is outside " + std::to_string(low) + ".." +
           std::to_string(high);
  };
  if (f.precision < 2 || f.precision > 53) return outside("precision", f.precision, 2, 53);
  if (f.bits < f.precision + 1 || f.bits > 64) return outside("width", f.bits, f.precision + 1, 64);
  if (f.bits - f.precision > 11) return outside("exponent width", f.bits - f.precision, 1, 11);
  if (f.specials == Specials::ieee && f.bits - f.precision < 2) {
    return outside("exponent width of an ieee format", f.bits - f.precision, 2, 11);
  }
  if (f.emin < -1074 + f.precision - 1 || f.emin < -1022) return "emin is below what float64 holds";
  if (f.emax() > 1023) return "emax is above what float64 holds";
  return {};
}

FormatSpec parse_format(std::string_view name) {
  constexpr std::string_view custom = "custom:";
  if (name.starts_with(custom)) return parse_custom(name, name.substr(custom.size()));
  std::vector<std::string> known;
  for (const FormatSpec* f : formats::all) {
    if (name == f->dtype || name == f->short_name) return *f;
    known.emplace_back(f->dtype);
    known.emplace_back(f->short_name);
  }
  throw unknown_name("format", "a known name or custom:bits,p,emin,specials", name, known);
}

}  // namespace assay
