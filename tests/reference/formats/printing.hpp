// How Boost.Test prints the formats and rounding modes that it draws from data sets.
#pragma once

#include <ostream>

#include "reference/formats/format_spec.hpp"
#include "reference/formats/rounding.hpp"

namespace assay {

inline std::ostream& operator<<(std::ostream& os, Rounding mode) { return os << rounding_name(mode); }
inline std::ostream& operator<<(std::ostream& os, const FormatSpec* f) { return os << f->dtype; }

}  // namespace assay
