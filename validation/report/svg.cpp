#include "validation/report/svg.hpp"

#include <fmt/format.h>

namespace assay::svg {

std::string figure(std::string_view kind, double width, double height, const std::string& title,
                   const std::string& caption, const std::string& marks) {
  return fmt::format(
      "<figure>\n<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n"
      "<figcaption><b>{}</b> {}</figcaption>\n</figure>\n",
      kind, width, height, title, marks, title, caption);
}

std::string label(double x, double y, std::string_view anchor, const std::string& text,
                  std::string_view kind) {
  return fmt::format("<text{} x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
                     kind.empty() ? "" : fmt::format(" class=\"{}\"", kind), x, y, anchor, text);
}

std::string line(std::string_view kind, double x1, double y1, double x2, double y2) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind,
                     x1, y1, x2, y2);
}

std::string power(int base, int exponent) {
  return fmt::format("{}<tspan dy=\"-4\" font-size=\"8\">{}{}</tspan>", base, exponent < 0 ? "\u2212" : "",
                     exponent < 0 ? -exponent : exponent);
}

}  // namespace assay::svg
