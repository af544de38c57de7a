#include "validation/judge/autosparse_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "reference/autosparse/annealing.hpp"
#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "validation/judge/arrays.hpp"
#include "validation/judge/fitted.hpp"
#include "validation/judge/sum_order.hpp"

namespace assay::judge {

std::string AutosparseRequest::option(std::string_view name) const {
  // A word of Python's own.
  if (caller == Caller::python && name == "lambda") return "lambda_";
  return option_name(caller, name);
}

io::Array as_matrix(io::Array array, std::size_t rows, std::size_t cols) {
  array.shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)};
  return array;
}

const FormatSpec& coarser(const FormatSpec& a, const FormatSpec& b) {
  return b.precision < a.precision ? b : a;
}

namespace {

using Asked = AutosparseRequest;

// --- what goes with what -------------------------------------------------------------------------------------------

std::string file_of(const Asked& r, std::string_view name) {
  return r.option(name) + (r.caller == Caller::command ? " FILE" : "");
}

void require_what_results_need(const Asked& r) {
  if (!r.got_v && !r.got_mask && !r.got_dw && !r.got_dx && !r.got_ds) {
    throw UsageError(fmt::format("check autosparse requires a result: {}, {}, {}, {} or {}",
                                 r.option("got-v"), r.option("got-mask"), r.option("got-dw"),
                                 r.option("got-dx"), r.option("got-ds")));
  }
  if (r.s.has_value() == r.threshold.has_value())
    throw UsageError(
        fmt::format("check autosparse requires either {} or {}", r.option("s"), r.option("threshold")));
  if (r.g && r.x)
    throw UsageError(fmt::format("{} and {} exclude each other: G is given, or made of {} and {}",
                                 r.option("g"), r.option("x"), r.option("x"), r.option("dy")));
  if (r.got_dx && !r.dy)
    throw UsageError(fmt::format("{} requires {}", r.option("got-dx"), file_of(r, "dy")));
  for (const auto& [got, name] : {std::pair(&r.got_dw, "got-dw"), std::pair(&r.got_ds, "got-ds")}) {
    if (!*got || r.g || (r.x && r.dy)) continue;
    if (!r.x && !r.dy)
      throw UsageError(fmt::format("{} requires {}, or {} and {}", r.option(name), file_of(r, "g"),
                                   file_of(r, "x"), file_of(r, "dy")));
    throw UsageError(fmt::format("{} requires {} beside {}", r.option(name), file_of(r, r.x ? "dy" : "x"),
                                 r.option(r.x ? "x" : "dy")));
  }
  if (r.got_ds && r.threshold && r.lambda_s.value_or(r.lambda) != 0) {
    throw UsageError(
        fmt::format("{} with {} = {} requires {}, which the decay of s multiplies; {} 0 leaves "
                    "it out",
                    r.option("got-ds"), r.option("lambda-s"), r.lambda_s.value_or(r.lambda), r.option("s"),
                    r.option("lambda-s")));
  }
  if (r.support != "dense" && r.support != "kept" && r.support != "top-half")
    throw InputError::of_option(r.option("support"), "dense, kept or top-half", r.support);
  if (r.arithmetic != nullptr && !r.got_dx && !(r.x && (r.got_dw || r.got_ds)))
    throw UsageError(fmt::format("{} is of the products dX and G: it requires {}, or {} or {} from {}",
                                 r.option("unit"), r.option("got-dx"), r.option("got-dw"), r.option("got-ds"),
                                 r.option("x")));
  if (r.arithmetic != nullptr && (!r.accumulator.empty() || r.order != "any"))
    throw UsageError(fmt::format("{} and {} exclude each other: {} says how it sums",
                                 r.option(r.accumulator.empty() ? "order" : "acc"), r.option("unit"),
                                 r.arithmetic_name));
}

void require_scales(const Asked& r) {
  const auto require = [&](std::string_view name, double x, bool right, const char* expected) {
    if (!right) throw InputError::of_option(r.option(name), expected, fmt::format("{}", x));
  };
  require("alpha", r.alpha, r.alpha >= 0 && r.alpha <= 1, "a share of the gradient, from 0 to 1");
  require("lambda", r.lambda, r.lambda >= 0 && std::isfinite(r.lambda), "a decay, finite and 0 or more");
  if (const double l = r.lambda_s.value_or(0); true)
    require("lambda-s", l, l >= 0 && std::isfinite(l), "a decay, finite and 0 or more");
}

// --- arrays --------------------------------------------------------------------------------------------------------

void require_format(const io::Array& array) {
  using namespace formats;
  for (const FormatSpec& f : {float32, float64, bfloat16, float16}) {
    if (array.element == io::ElementType(f)) return;
  }
  throw InputError(array.origin, "", "float32, float64, bfloat16 or float16", array.element.name());
}

// Numbers, each finite. `place`: what messages call the place of an element.
std::vector<double> finite_values(const io::Array& array,
                                  const std::function<std::string(std::size_t)>& place) {
  std::vector<double> values = values_of(array);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    throw InputError(array.origin, place(i), "a finite number", fmt::format("{}", values[i]));
  }
  return values;
}

std::size_t elements(const io::Shape& shape) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  return n;
}

void require_matrix(const io::Array& array, std::size_t cols, const std::string& what) {
  if (!array.shape.empty() && array.shape.back() == static_cast<std::int64_t>(cols)) return;
  throw InputError(array.origin, "", what, io::to_string(array.shape));
}

// What has an element a weight, in the shape of w or as a matrix.
void require_weights_shape(const io::Array& array, const io::Array& w, const autosparse::LayerShape& shape) {
  const io::Shape matrix{static_cast<std::int64_t>(shape.channels),
                         static_cast<std::int64_t>(shape.per_channel)};
  if (array.shape == w.shape || array.shape == matrix) return;
  const io::Shape turned{matrix[1], matrix[0]};
  throw InputError(
      array.origin, "", "shape " + io::to_string(w.shape) + ", that of w",
      io::to_string(array.shape) + (array.shape == turned ? ", which is that of its transpose" : ""));
}

void read_weights(const Asked& r, AutosparseLayer& layer) {
  require_format(r.w);
  if (r.w.shape.empty())
    throw InputError(r.w.origin, "", "weights with an axis of output channels", "a number");
  layer.shape.channels = static_cast<std::size_t>(r.w.shape.front());
  layer.shape.per_channel = elements({r.w.shape.begin() + 1, r.w.shape.end()});
  layer.weights = r.w.element.format();
  layer.thresholds = layer.weights == formats::float64 ? formats::float64 : formats::float32;
  layer.w = finite_values(r.w, [&](std::size_t i) {
    return fmt::format("channel {}, weight {}", i / layer.shape.per_channel, i % layer.shape.per_channel);
  });
}

double rounded_to(const FormatSpec& f, double x) { return decode(encode(x, f).code, f); }

// The distance of T from its neighbours in the weights' format.
double ulp_at(double threshold, const FormatSpec& f) {
  return std::ldexp(1.0, std::max(std::ilogb(threshold), f.emin) - f.precision + 1);
}

void read_thresholds(const Asked& r, AutosparseLayer& layer) {
  const io::Array& given = r.s ? *r.s : *r.threshold;
  const std::string option = r.option(r.s ? "s" : "threshold");
  const std::vector<double> values =
      finite_values(as_floating(io::Array(given)), [&](std::size_t i) { return fmt::format("value {}", i); });
  const std::size_t wanted = r.channels ? layer.shape.channels : 1;
  const std::string from =
      given.origin.empty() || given.origin == option || given.origin == "s" || given.origin == "threshold"
          ? ""
          : " of " + given.origin;
  if (values.size() != wanted) {
    if (r.channels)
      throw UsageError(fmt::format("{} takes {} values, one a channel, not the {}{}", option, wanted,
                                   values.size(), from));
    throw UsageError(fmt::format("{} takes one value, not the {}{}; {} takes one a channel", option,
                                 values.size(), from, r.option("channels")));
  }
  for (std::size_t t = 0; t < values.size(); ++t) {
    const double x = rounded_to(layer.thresholds, values[t]);
    double threshold = x;
    if (r.s) {
      layer.s.push_back(x);
      layer.s_rounding.push_back(std::fabs(values[t] - x));
      threshold = layer.thresholds == formats::float64
                      ? autosparse::threshold_of(x)
                      : static_cast<double>(autosparse::threshold_of(static_cast<float>(x)));
    }
    if (!(threshold > 0 && threshold < 1)) {
      const std::string place = values.size() == 1 ? "" : fmt::format("channel {}: ", t);
      throw InputError::of_option(option, "a threshold between 0 and 1, both excluded",
                                  r.s ? fmt::format("{}{}, which gives {}", place, x, threshold)
                                      : fmt::format("{}{}", place, threshold));
    }
    layer.threshold.push_back(threshold);
    layer.reach.push_back(r.s ? ulp_at(threshold, layer.weights) : 0);
  }
}

void read_products(const Asked& r, AutosparseLayer& layer) {
  bool wide = layer.weights == formats::float64;
  layer.v_format = layer.weights;
  for (const auto& [array, cols, words] : {std::tuple(&r.x, layer.shape.per_channel, "inputs"),
                                           std::tuple(&r.dy, layer.shape.channels, "channels")}) {
    if (!*array) continue;
    require_format(**array);
    require_matrix(**array, cols, fmt::format("batch x {} {}, as w has them", cols, words));
    finite_values(**array, [&, n = cols](std::size_t i) { return fmt::format("[{},{}]", i / n, i % n); });
    wide = wide || (*array)->element == io::ElementType(formats::float64);
    const std::size_t batch = elements({(*array)->shape.begin(), (*array)->shape.end() - 1});
    if (r.x && r.dy && array == &r.dy && batch != layer.batch)
      throw InputError(r.dy->origin, "", fmt::format("a batch of {}, that of x", layer.batch),
                       std::to_string(batch));
    layer.batch = batch;
  }
  if (r.dy) layer.v_format = coarser(layer.weights, r.dy->element.format());
  if (r.dy && r.arithmetic != nullptr)
    layer.v_format = input_formats(r.arithmetic->info(), r.dy->element.format(), layer.v_format).second;
  if (r.g) {
    require_format(*r.g);
    require_weights_shape(*r.g, r.w, layer.shape);
    finite_values(*r.g, [&](std::size_t i) {
      return fmt::format("channel {}, weight {}", i / layer.shape.per_channel, i % layer.shape.per_channel);
    });
    wide = wide || r.g->element == io::ElementType(formats::float64);
  }
  const auto format_or = [&](std::string_view option, const std::string& typed, const FormatSpec& otherwise) {
    return typed.empty() ? otherwise : typed_for(r.option(option), [&] { return parse_format(typed); });
  };
  layer.products.accumulator = format_or("acc", r.accumulator, wide ? formats::float64 : formats::float32);
  layer.products.order = parse_order(r.option("order"), r.order);
  layer.ds_sum.accumulator = format_or("ds-acc", r.ds_accumulator, layer.products.accumulator);
  layer.ds_sum.order = parse_order(r.option("ds-order"), r.ds_order);
}

// --- masks ---------------------------------------------------------------------------------------------------------

void decide_masks(AutosparseLayer& layer) {
  const std::size_t n = layer.size();
  layer.kept.resize(n);
  layer.undecided.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t t = layer.threshold_of(i);
    const double w = std::fabs(layer.w[i]), threshold = layer.threshold[t], reach = layer.reach[t];
    layer.kept[i] = w > threshold ? 1 : 0;
    // Kept under the least T that is right, masked under the largest.
    layer.undecided[i] = reach > 0 && w > threshold - reach && w <= threshold + reach ? 1 : 0;
    layer.undecided_count += layer.undecided[i];
  }
}

// Where G is computed. At the edge of the top half, a kernel may take any of equal |w| - T, round them to the weights'
// format first, or take the smaller half of an odd number.
void decide_support(const Asked& r, AutosparseLayer& layer) {
  const std::size_t n = layer.size();
  layer.supported.assign(n, 1);
  layer.maybe_supported.assign(n, 0);
  if (r.support == "kept" && layer.alpha != 0)
    throw UsageError(fmt::format("{} kept requires {} 0: masked weights get a share of their gradient else",
                                 r.option("support"), r.option("alpha")));
  if (r.support != "top-half" || n == 0) return;
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::fabs(layer.w[i]) - layer.threshold[layer.threshold_of(i)];
  std::vector<double> sorted = x;
  const std::size_t half = (n + 1) / 2;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(half - 1), sorted.end(),
                   std::greater<>());
  const double edge = sorted[half - 1];
  const double largest = *std::max_element(layer.reach.begin(), layer.reach.end());
  const double width = std::fabs(edge) * 2 * unit_roundoff(layer.weights, Rounding::nearest_even) +
                       (layer.threshold.size() > 1 ? 2 * largest : 0);
  std::size_t above = 0, near = 0;
  for (std::size_t i = 0; i < n; ++i) {
    layer.supported[i] = x[i] >= edge ? 1 : 0;
    layer.maybe_supported[i] = std::fabs(x[i] - edge) <= width ? 1 : 0;
    above += x[i] > edge ? 1U : 0U;
    near += layer.maybe_supported[i];
  }
  // One weight at the edge, and it belongs to the half.
  if (near == 1 && n % 2 == 0 && above + 1 == half) layer.maybe_supported.assign(n, 0);
}

// --- annealing -----------------------------------------------------------------------------------------------------

void anneal(const Asked& r, AutosparseLayer& layer) {
  layer.alpha = r.alpha;
  if (!r.epoch && !r.epochs && r.schedule.empty()) return;
  if (!r.epoch || !r.epochs || r.schedule.empty())
    throw UsageError(fmt::format("{}, {} and {} go together", r.option("epoch"), r.option("epochs"),
                                 r.option("schedule")));
  std::string typed = r.schedule;
  std::replace(typed.begin(), typed.end(), '_', '-');
  std::vector<std::string> names;
  std::optional<autosparse::Annealing> found;
  for (const autosparse::AnnealingName& a : autosparse::annealings()) {
    std::string name(a.name);
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == typed) found = a.annealing;
    names.push_back(std::move(name));
  }
  if (!found) throw unknown_name(r.option("schedule"), "a schedule of alpha", r.schedule, names);
  if (*r.epochs == 0 || *r.epochs > 1000000)
    throw InputError::of_option(r.option("epochs"), "1 to 1000000", std::to_string(*r.epochs));
  if (*r.epoch > *r.epochs)
    throw InputError::of_option(r.option("epoch"), fmt::format("at most the {} epochs of the run", *r.epochs),
                                std::to_string(*r.epoch));
  const auto done = static_cast<std::int64_t>(*r.epoch), epochs = static_cast<std::int64_t>(*r.epochs);
  const auto factor = [&](std::int64_t e) { return autosparse::annealing_factor(*found, e, epochs); };
  layer.alpha = autosparse::annealed_alpha(*found, r.alpha, done, epochs);
  double compounded = r.alpha;
  for (std::int64_t e = 1; e <= done; ++e) compounded *= factor(e);
  const auto add = [&](const char* mistake, std::string words, double alpha) {
    layer.other_alphas.push_back({mistake, std::move(words), alpha});
  };
  add("alpha-compounded",
      fmt::format("alpha is multiplied by the schedule's factor at each of {} epochs instead of once", done),
      compounded);
  // A schedule that does not begin at 1 compounds in the first epoch too.
  if (factor(0) != 1)
    add("alpha-compounded",
        fmt::format("alpha is multiplied by the schedule's factor at each of {} epochs instead of once",
                    done + 1),
        compounded * factor(0));
  if (done > 0)
    add("alpha-epoch-early", fmt::format("alpha is that of epoch {}, one before {}", done - 1, done),
        r.alpha * factor(done - 1));
  if (done < epochs)
    add("alpha-epoch-late", fmt::format("alpha is that of epoch {}, one after {}", done + 1, done),
        r.alpha * factor(done + 1));
  add("alpha-not-annealed", "alpha is alpha_0, which the schedule was not applied to", r.alpha);
}

}  // namespace

AutosparseLayer make_autosparse_layer(const Asked& r) {
  require_what_results_need(r);
  require_scales(r);
  AutosparseLayer layer;
  anneal(r, layer);
  layer.lambda = r.lambda;
  layer.lambda_s = r.lambda_s.value_or(r.lambda);
  read_weights(r, layer);
  read_thresholds(r, layer);
  read_products(r, layer);
  for (const auto* got : {&r.got_v, &r.got_mask, &r.got_dw}) {
    if (*got) require_weights_shape(**got, r.w, layer.shape);
  }
  for (const auto* got : {&r.got_v, &r.got_dw, &r.got_dx, &r.got_ds}) {
    if (*got) require_format(**got);
  }
  if (r.got_dx) {
    require_matrix(*r.got_dx, layer.shape.per_channel,
                   fmt::format("[{},{}], batch x inputs", layer.batch, layer.shape.per_channel));
    if (static_cast<std::size_t>(r.got_dx->size()) != layer.batch * layer.shape.per_channel)
      throw InputError(r.got_dx->origin, "",
                       fmt::format("[{},{}], batch x inputs", layer.batch, layer.shape.per_channel),
                       io::to_string(r.got_dx->shape));
  }
  if (r.got_ds && static_cast<std::size_t>(r.got_ds->size()) != layer.threshold.size())
    throw InputError(r.got_ds->origin, "",
                     layer.threshold.size() == 1
                         ? "one value, as there is one threshold"
                         : fmt::format("{} values, one a channel", layer.threshold.size()),
                     std::to_string(r.got_ds->size()));
  decide_masks(layer);
  decide_support(r, layer);
  return layer;
}

}  // namespace assay::judge
