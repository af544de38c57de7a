// The pictures of a comparison: <figure> elements with inline SVG. Colours come from the page (classes same,
// other, bad).
#pragma once

#include <string>

#include "validation/compare/comparison.hpp"

namespace assay {

std::string ulp_histogram_figure(const compare::Comparison& c);  // <svg class="ulp">: a bar a power of two
std::string scatter_figure(const compare::Comparison& c);  // <svg class="scatter">: error against magnitude
std::string map_figure(const compare::Comparison& c);      // <svg class="map">: values outside by tile

}  // namespace assay
