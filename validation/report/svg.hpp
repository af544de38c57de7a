// The building blocks of all pictures in reports: <figure> elements with inline SVG. Colours are classes; the page
// (page.hpp) or the picture's own style sheet gives them.
#pragma once

#include <string>
#include <string_view>

namespace assay::svg {

// <figure> with <svg class="KIND" viewBox="0 0 WIDTH HEIGHT"> around `marks`, its caption a bold title and a sentence.
// Title and caption are HTML: escape what others wrote.
std::string figure(std::string_view kind, double width, double height, const std::string& title,
                   const std::string& caption, const std::string& marks);

// `text` may hold <tspan> elements. `anchor`: start, middle or end.
std::string label(double x, double y, std::string_view anchor, const std::string& text,
                  std::string_view kind = "");

std::string line(std::string_view kind, double x1, double y1, double x2, double y2);

// "2" or "10" with a raised exponent, for a label.
std::string power(int base, int exponent);

}  // namespace assay::svg
