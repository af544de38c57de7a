// AutoSparse's forward and backward pass of a layer's weights: what assay/autosparse.py is made of.
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reference/autosparse/annealing.hpp"
#include "reference/autosparse/gradient.hpp"
#include "reference/autosparse/layer.hpp"
#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/formats/convert.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"

namespace assay::python {
namespace {

using autosparse::LayerShape;

template <class Real>
constexpr const FormatSpec& format_of_real() {
  if constexpr (sizeof(Real) == 4)
    return formats::float32;
  else
    return formats::float64;
}

// The elements as Real, row after row: of that type or of bfloat16, which both hold.
template <class Real>
std::vector<Real> reals_of(const py::handle& x, const char* name) {
  Operand given = packed(operand(x, name));
  std::vector<Real> out(given.size());
  if (given.element == io::ElementType(format_of_real<Real>())) {
    std::memcpy(out.data(), given.data, out.size() * sizeof(Real));
  } else if (given.element == io::ElementType(formats::bfloat16)) {
    const auto* const codes = static_cast<const bf16_t*>(given.data);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<Real>(static_cast<float>(codes[i]));
  } else {
    throw py::type_error(std::string(name) +
                         ": elements of the weights' type or bfloat16 are asked for, not " +
                         given.element.name());
  }
  return out;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  return io::to_string(io::Shape(shape.begin(), shape.end()));
}

// Axis 0 are the output channels.
LayerShape layer_shape(const Operand& w) {
  if (w.shape.empty() || w.size() == 0)
    throw ContractError("w of shape " + shape_text(w.shape) + ": a layer has channels and weights of each");
  return {w.shape[0], w.size() / w.shape[0]};
}

std::string short_text(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", x);
  return text;
}

// Which of the three ways gives the thresholds.
struct ThresholdArguments {
  py::object s, threshold, keep;
  bool channels = false;
};

template <class Real>
struct Thresholds {
  std::vector<Real> values;
  std::vector<double> s{};  // empty: they are not learned
};

template <class Real>
Thresholds<Real> thresholds_of(const ThresholdArguments& a, std::span<const Real> w,
                               const LayerShape& shape) {
  if (!a.s.is_none() + !a.threshold.is_none() + !a.keep.is_none() != 1)
    throw py::type_error("one of s, threshold and keep is asked for");
  if (!a.keep.is_none()) {
    if (a.channels) throw py::type_error("keep is a number of a layer's weights: it goes without channels");
    return {{autosparse::budget_threshold<Real>(w, number_argument(a.keep, "keep"))}};
  }
  const bool learned = !a.s.is_none();
  const char* const name = learned ? "s" : "threshold";
  Operand given = any_operand(learned ? a.s : a.threshold, name);
  if (!given.element.is_floating())
    given = operand(py::module_::import("numpy").attr("asarray")(given.owner, "float64"), name);
  const std::vector<double> parameters = values_of(given);
  const std::size_t wanted = a.channels ? shape.channels : 1;
  if (parameters.size() != wanted)
    throw ContractError(std::string(name) + " has " + std::to_string(parameters.size()) + " values, not " +
                        (a.channels ? "one for each of the " + std::to_string(wanted) + " channels"
                                    : std::string("one (channels=True: one a channel)")));
  Thresholds<Real> out;
  for (const double value : parameters) {
    const Real x = static_cast<Real>(value);
    const Real t = learned ? autosparse::threshold_of(x) : x;
    if (!(t > 0 && t < 1))
      throw ContractError(
          std::string(name) + " " + std::to_string(out.values.size()) + " is " + short_text(value) +
          (learned ? ", which gives a threshold of " + short_text(static_cast<double>(t)) : "") +
          ", not between 0 and 1, both excluded");
    out.values.push_back(t);
    if (learned) out.s.push_back(static_cast<double>(x));
  }
  return out;
}

template <class Real>
py::object array_of_reals(std::span<const Real> values, const std::vector<std::size_t>& shape) {
  const Output out = make_output(format_of_real<Real>(), shape);
  std::memcpy(out.data, values.data(), values.size_bytes());
  return out.finished();
}

py::object array_of_flags(const std::vector<std::uint8_t>& flags, const std::vector<std::size_t>& shape) {
  io::Array array = io::make_array(io::ElementType::boolean(), io::Shape(shape.begin(), shape.end()));
  std::memcpy(array.bytes.data(), flags.data(), flags.size());
  return to_python(std::move(array));
}

// With the weights as float or double.
template <class F>
auto with_weights(const py::handle& w, const F& f) {
  const Operand given = operand(w, "w");
  if (given.element == io::ElementType(formats::float32)) return f(given, float{});
  if (given.element == io::ElementType(formats::float64)) return f(given, double{});
  throw py::type_error("w: master weights of float32 or float64 are asked for, not " + given.element.name());
}

py::tuple forward(const py::object& w_array, const ThresholdArguments& at, bool bf16, int threads) {
  return with_weights(w_array, [&](const Operand& given, auto real) -> py::tuple {
    using Real = decltype(real);
    const LayerShape shape = layer_shape(given);
    const std::vector<Real> w = reals_of<Real>(given.owner, "w");
    autosparse::require_weights<Real>(w, shape);
    const Thresholds<Real> t = thresholds_of<Real>(at, w, shape);
    std::vector<std::uint8_t> mask(w.size());
    py::object v;
    if (!bf16) {
      std::vector<Real> values(w.size());
      autosparse::forward<Real>(w, shape, t.values, values, mask, threads);
      v = array_of_reals<Real>(values, given.shape);
    } else if constexpr (std::is_same_v<Real, float>) {
      const Output out = make_output(formats::bfloat16, given.shape);
      autosparse::forward(w, shape, t.values, std::span(static_cast<bf16_t*>(out.data), w.size()), mask,
                          threads);
      v = out.finished();
    } else {
      throw py::type_error("bf16: the bfloat16 form has master weights of float32, not float64");
    }
    return py::make_tuple(v, array_of_flags(mask, given.shape),
                          array_of_reals<Real>(t.values, {t.values.size()}));
  });
}

struct BackwardArguments {
  py::object g, x, dy;
  double alpha = 0, lambda = 0;
  std::optional<double> lambda_s{};
  std::string support;
  bool bf16 = false;
  int threads = 0;
};

// A batch of rows of `columns`.
std::size_t batch_of(const py::handle& x, const char* name, std::size_t columns) {
  const Operand given = operand(x, name);
  if (given.shape.size() != 2 || given.shape[1] != columns)
    throw ContractError(std::string(name) + " of shape " + shape_text(given.shape) + ": (batch, " +
                        std::to_string(columns) + ") is asked for");
  return given.shape[0];
}

void round_to_bf16(std::vector<float>& all) {
  std::vector<bf16_t> codes(all.size());
  convert_array<bf16_t>(all, codes);
  convert_array(codes.data(), all.data(), all.size(), {.from = formats::bfloat16, .to = formats::float32});
}

// Products of a layer: by the sparse kernels for float, by definition for double.
void input_gradient_of(const std::vector<float>& v, const LayerShape& shape, const std::vector<float>& dy,
                       std::size_t batch, std::vector<float>& dx, int threads) {
  const auto rows = static_cast<std::int64_t>(batch), channels = static_cast<std::int64_t>(shape.channels),
             inputs = static_cast<std::int64_t>(shape.per_channel);
  autosparse::PrunedLayer(v, shape, {.batch = rows})
      .input_gradient(sparse::DenseView{dy.data(), rows, channels, channels},
                      {dx.data(), rows, inputs, inputs}, threads);
}
void input_gradient_of(const std::vector<double>& v, const LayerShape& shape, const std::vector<double>& dy,
                       std::size_t batch, std::vector<double>& dx, int threads) {
  autosparse::input_gradient<double>(v, shape, dy, batch, dx, threads);
}
void weight_gradient_of(const LayerShape& shape, const std::vector<float>& dy, const std::vector<float>& x,
                        std::size_t batch, const std::vector<std::uint8_t>& places, std::vector<float>& g,
                        int threads) {
  const auto rows = static_cast<std::int64_t>(batch), channels = static_cast<std::int64_t>(shape.channels),
             inputs = static_cast<std::int64_t>(shape.per_channel);
  autosparse::WeightGradientPlan(shape, places)
      .multiply(sparse::DenseView{dy.data(), rows, channels, channels},
                sparse::DenseView{x.data(), rows, inputs, inputs}, {g.data(), channels, inputs, inputs},
                threads);
}
void weight_gradient_of(const LayerShape& shape, const std::vector<double>& dy, const std::vector<double>& x,
                        std::size_t batch, const std::vector<std::uint8_t>& places, std::vector<double>& g,
                        int threads) {
  autosparse::weight_gradient<double>(shape, dy, x, batch, places, g, threads);
}

template <class Real>
std::vector<std::uint8_t> support_places(const BackwardArguments& a, std::span<const Real> w,
                                         const LayerShape& shape, const std::vector<Real>& thresholds,
                                         const std::vector<std::uint8_t>& mask) {
  if (a.support == "dense") return {};
  if (a.support == "top-half") return autosparse::top_half<Real>(w, shape, thresholds);
  if (a.support == "kept") {
    if (a.alpha != 0)
      throw ContractError("support: kept leaves out the gradients of masked weights, of which alpha = " +
                          std::to_string(a.alpha) + " hands on a share");
    return mask;
  }
  throw unknown_name("support", "a support of dW", a.support, {"dense", "kept", "top-half"});
}

py::tuple backward(const py::object& w_array, const ThresholdArguments& at, const BackwardArguments& a) {
  const bool has_g = !a.g.is_none(), has_x = !a.x.is_none(), has_dy = !a.dy.is_none();
  if ((has_g && has_x) || (has_x && !has_dy) || !(has_g || has_dy))
    throw py::type_error("g, or x and dy, are asked for (dy alone gives dx)");
  return with_weights(w_array, [&](const Operand& given, auto real) -> py::tuple {
    using Real = decltype(real);
    const LayerShape shape = layer_shape(given);
    const std::vector<Real> w = reals_of<Real>(given.owner, "w");
    autosparse::require_weights<Real>(w, shape);
    const Thresholds<Real> t = thresholds_of<Real>(at, w, shape);
    if (a.bf16 && !std::is_same_v<Real, float>)
      throw py::type_error("bf16: the bfloat16 form has master weights of float32, not float64");
    std::vector<Real> v(w.size()), dy, x, g;
    std::vector<std::uint8_t> mask(w.size());
    autosparse::forward<Real>(w, shape, t.values, v, mask, a.threads);
    const std::vector<std::uint8_t> places = support_places<Real>(a, w, shape, t.values, mask);
    const auto rounded = [&](auto& all) {
      if constexpr (std::is_same_v<Real, float>) {
        if (a.bf16) round_to_bf16(all);
      }
    };
    std::size_t batch = 0;
    py::object dx = py::none();
    if (has_dy) {
      batch = batch_of(a.dy, "dy", shape.channels);
      dy = reals_of<Real>(a.dy, "dy");
      rounded(dy);
      rounded(v);
      std::vector<Real> out(batch * shape.per_channel);
      input_gradient_of(v, shape, dy, batch, out, a.threads);
      dx = array_of_reals<Real>(out, {batch, shape.per_channel});
    }
    if (!has_g && !has_x) return py::make_tuple(py::none(), py::none(), dx, py::none());
    if (has_x) {
      const std::size_t rows = batch_of(a.x, "x", shape.per_channel);
      if (rows != batch)
        throw ContractError("x has a batch of " + std::to_string(rows) + ", and dy of " +
                            std::to_string(batch));
      x = reals_of<Real>(a.x, "x");
      rounded(x);
      g.resize(w.size());
      weight_gradient_of(shape, dy, x, batch, places, g, a.threads);
    } else {
      const Operand of_g = operand(a.g, "g");
      if (of_g.shape != given.shape)
        throw ContractError("g of shape " + shape_text(of_g.shape) + ", and w of " + shape_text(given.shape));
      g = reals_of<Real>(a.g, "g");
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i] == 0) g[i] = 0;
      }
    }
    std::vector<Real> dw(w.size());
    std::vector<double> ds(t.values.size());
    autosparse::backward<Real>(w, shape, t.values, g, {a.alpha, a.lambda, 0}, dw, ds, a.threads);
    const double lambda_s = a.lambda_s.value_or(a.lambda);
    if (!(lambda_s >= 0 && std::isfinite(lambda_s)))
      throw ContractError("lambda_s is a decay, 0 or more, not " + std::to_string(lambda_s));
    for (std::size_t i = 0; i < t.s.size(); ++i)
      ds[i] = autosparse::s_gradient(static_cast<double>(t.values[i]), ds[i], t.s[i], lambda_s);
    return py::make_tuple(array_of_reals<Real>(dw, given.shape),
                          t.s.empty() ? py::none() : array_of_reals<double>(ds, {ds.size()}), dx,
                          array_of_reals<Real>(g, given.shape));
  });
}

double annealed(const std::string& schedule_name, double alpha, std::int64_t done, std::int64_t epochs) {
  std::string schedule = schedule_name;
  std::replace(schedule.begin(), schedule.end(), '_', '-');
  std::vector<std::string> names;
  for (const autosparse::AnnealingName& a : autosparse::annealings()) {
    std::string name(a.name);
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == schedule) return autosparse::annealed_alpha(a.annealing, alpha, done, epochs);
    names.push_back(name);
  }
  throw unknown_name("schedule", "a schedule of alpha", schedule, names);
}

}  // namespace

void bind_autosparse_gradient(py::module_& m) {
  m.def(
      "_autosparse_forward",
      [](const py::object& w, const py::object& s, const py::object& threshold, const py::object& keep,
         bool channels, bool bf16, const py::object& threads) {
        return forward(w, {s, threshold, keep, channels}, bf16, threads_argument(threads));
      },
      py::arg("w"), py::arg("s"), py::arg("threshold"), py::arg("keep"), py::arg("channels"), py::arg("bf16"),
      py::arg("threads"));
  m.def(
      "_autosparse_backward",
      [](const py::object& w, const py::object& s, const py::object& threshold, const py::object& keep,
         bool channels, const py::object& g, const py::object& x, const py::object& dy,
         const py::object& alpha, const py::object& lambda, const py::object& lambda_s,
         const std::string& support, bool bf16, const py::object& threads) {
        BackwardArguments a;
        a.g = g;
        a.x = x;
        a.dy = dy;
        a.alpha = real_argument(alpha, "alpha");
        a.lambda = real_argument(lambda, "lambda_");
        if (!lambda_s.is_none()) a.lambda_s = real_argument(lambda_s, "lambda_s");
        a.support = support;
        a.bf16 = bf16;
        a.threads = threads_argument(threads);
        return backward(w, {s, threshold, keep, channels}, a);
      },
      py::arg("w"), py::arg("s"), py::arg("threshold"), py::arg("keep"), py::arg("channels"), py::arg("g"),
      py::arg("x"), py::arg("dy"), py::arg("alpha"), py::arg("lambda_"), py::arg("lambda_s"),
      py::arg("support"), py::arg("bf16"), py::arg("threads"));
  m.def(
      "_annealed_alpha",
      [](const std::string& schedule, const py::object& alpha, const py::object& done,
         const py::object& epochs) {
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        return annealed(schedule, real_argument(alpha, "alpha"),
                        static_cast<std::int64_t>(std::min(most, number_argument(done, "done"))),
                        static_cast<std::int64_t>(std::min(most, number_argument(epochs, "epochs"))));
      },
      py::arg("schedule"), py::arg("alpha"), py::arg("done"), py::arg("epochs"));
}

}  // namespace assay::python
