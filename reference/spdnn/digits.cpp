#include "reference/spdnn/digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"

namespace assay::spdnn {
namespace {

constexpr std::size_t side = 28;

struct Point {
  double x, y;
};

// Strokes on the unit square, y downwards. A stroke is a polyline; `gap` lifts the pen.
constexpr Point gap{-1, -1};
constexpr auto zero = std::to_array<Point>(
    {{.5, .05}, {.22, .2}, {.15, .5}, {.22, .8}, {.5, .95}, {.78, .8}, {.85, .5}, {.78, .2}, {.5, .05}});
constexpr auto one = std::to_array<Point>({{.3, .25}, {.55, .05}, {.55, .95}});
constexpr auto two =
    std::to_array<Point>({{.18, .25}, {.35, .06}, {.65, .06}, {.8, .28}, {.6, .55}, {.15, .95}, {.85, .95}});
constexpr auto three = std::to_array<Point>(
    {{.2, .1}, {.6, .05}, {.78, .25}, {.62, .45}, {.4, .48}, {.65, .52}, {.82, .72}, {.62, .93}, {.18, .9}});
constexpr auto four = std::to_array<Point>({{.6, .05}, {.15, .65}, {.88, .65}, gap, {.65, .4}, {.65, .95}});
constexpr auto five =
    std::to_array<Point>({{.8, .05}, {.28, .05}, {.22, .45}, {.6, .42}, {.82, .65}, {.62, .92}, {.18, .92}});
constexpr auto six = std::to_array<Point>(
    {{.7, .05}, {.35, .3}, {.18, .65}, {.32, .93}, {.65, .93}, {.8, .7}, {.62, .5}, {.22, .62}});
constexpr auto seven = std::to_array<Point>({{.15, .06}, {.85, .06}, {.42, .95}});
constexpr auto eight = std::to_array<Point>(
    {{.5, .48}, {.22, .28}, {.5, .05}, {.78, .28}, {.5, .48}, {.18, .72}, {.5, .95}, {.82, .72}, {.5, .48}});
constexpr auto nine = std::to_array<Point>(
    {{.78, .35}, {.4, .48}, {.2, .28}, {.45, .06}, {.76, .15}, {.78, .35}, {.7, .7}, {.5, .95}});
constexpr std::array<std::span<const Point>, 10> strokes{zero, one, two,   three, four,
                                                         five, six, seven, eight, nine};

double distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy);
  const double t = std::clamp(along, 0.0, 1.0);
  const double ex = p.x - (a.x + t * dx), ey = p.y - (a.y + t * dy);
  return std::sqrt(ex * ex + ey * ey);
}

void draw(std::span<std::uint8_t> image, std::uint64_t seed, std::size_t index) {
  const CounterRandom random(seed, index);
  const auto between = [&](std::uint64_t i, double low, double high) {
    return low + (high - low) * random.uniform(i);
  };
  const std::span<const Point> stroke = strokes[random.below(10, 0)];
  const double width = between(1, 13, 17), height = between(2, 18, 21);
  const double left = between(3, 5, 8), top = between(4, 3, 6);
  const double shear = between(5, -0.15, 0.3), pen = between(6, 1.0, 3.0);
  const auto place = [&](Point p) {
    return Point{left + width * p.x + shear * height * (0.5 - p.y), top + height * p.y};
  };
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      double nearest = side;
      for (std::size_t s = 1; s < stroke.size(); ++s) {
        if (stroke[s - 1].x < 0 || stroke[s].x < 0) continue;
        const Point centre{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
        nearest = std::min(nearest, distance(centre, place(stroke[s - 1]), place(stroke[s])));
      }
      // Full ink under the pen, fading over one pixel at its rim.
      const double ink = std::clamp(pen + 0.5 - nearest, 0.0, 1.0);
      image[y * side + x] = static_cast<std::uint8_t>(255 * ink);
    }
  }
}

}  // namespace

IdxImages generate_digits(std::size_t count, std::uint64_t seed) {
  IdxImages images;
  images.count = count;
  images.rows = images.cols = side;
  images.pixels.resize(count * side * side);
  parallel_for(count, 0, [&](std::size_t i) {
    draw(std::span(images.pixels).subspan(i * side * side, side * side), seed, i);
  });
  return images;
}

}  // namespace assay::spdnn
