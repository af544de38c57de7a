// Studies: error and bias of sums and of roundings, bf16 contracts beside float32, and what rounding does to the
// answers of sparse networks.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/memory.hpp"
#include "reference/core/parallel.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/request.hpp"
#include "validation/python/study_gradients.hpp"
#include "validation/report/line_chart.hpp"
#include "validation/report/study_files.hpp"
#include "validation/report/study_page.hpp"
#include "validation/studies/autosparse_study.hpp"
#include "validation/studies/bf16_study.hpp"
#include "validation/studies/error_study.hpp"
#include "validation/studies/spdnn_request.hpp"

namespace assay::python {
namespace {

using studies::AutosparseQuestion;
using studies::Bf16Question;
using studies::ErrorQuestion;
using studies::InferenceQuestion;

struct Study {
  std::string name{};
  std::uint64_t seed = 1;
  std::optional<studies::Study> errors{}, by_magnitude{};
  std::optional<studies::InferenceStudy> inference{};
  std::optional<studies::Bf16Study> bf16{};
  std::optional<studies::AutosparseStudy> autosparse{};
  studies::StudyPage page{};

  std::uint64_t outside() const {
    return (errors ? errors->outside() : 0) + (by_magnitude ? by_magnitude->outside() : 0) +
           (bf16 ? bf16->outside() : 0) + (autosparse ? autosparse->outside() : 0);
  }
};

// --- arguments -----------------------------------------------------------------------------------------------------

// One value, or a list of them.
std::vector<py::object> values_of(py::dict& arguments, const char* name) {
  const py::object given = take(arguments, name);
  if (!given) return {};
  if (!py::isinstance<py::list>(given) && !py::isinstance<py::tuple>(given)) return {given};
  std::vector<py::object> all;
  for (const py::handle one : given) all.push_back(py::reinterpret_borrow<py::object>(one));
  return all;
}

std::vector<std::string> formats_of(py::dict& arguments, const char* name) {
  std::vector<std::string> all;
  for (const py::object& one : values_of(arguments, name)) all.push_back(format_text(one));
  return all;
}

std::vector<std::string> texts_of(py::dict& arguments, const char* name) {
  std::vector<std::string> all;
  for (const py::object& one : values_of(arguments, name)) all.push_back(one.cast<std::string>());
  return all;
}

template <class T>
void read(py::dict& arguments, const char* name, T& value) {
  const py::object given = take(arguments, name);
  if (!given) return;
  try {
    value = given.cast<T>();
  } catch (const py::cast_error&) {
    throw py::type_error(std::string(name) + ": " + std::string(py::repr(given)) +
                         " is not of a type that it takes");
  }
}

// "1:1e4" as it is, 4096, or numbers.
void read_lengths(py::dict& arguments, std::string& text) {
  const py::object given = take(arguments, "n");
  if (!given) return;
  if (py::isinstance<py::str>(given) || py::isinstance<py::int_>(given)) {
    text = py::str(given);
    return;
  }
  text.clear();
  for (const py::handle n : given) text += (text.empty() ? "" : ",") + py::str(n).cast<std::string>();
}

ErrorQuestion error_question(py::dict& arguments) {
  ErrorQuestion q;
  q.caller = judge::Caller::python;
  q.formats = formats_of(arguments, "format");
  q.accumulators = formats_of(arguments, "acc");
  q.products = formats_of(arguments, "product");
  q.orders = texts_of(arguments, "order");
  q.modes = texts_of(arguments, "mode");
  q.values = texts_of(arguments, "values");
  for (const py::object& unit : values_of(arguments, "unit")) q.units.push_back(named_arithmetic(unit));
  read_lengths(arguments, q.lengths);
  read(arguments, "per_decade", q.per_decade);
  read(arguments, "trials", q.trials.most);
  read(arguments, "terms", q.trials.terms);
  read(arguments, "seed", q.seed);
  return q;
}

InferenceQuestion inference_question(py::dict& arguments) {
  InferenceQuestion q;
  q.caller = judge::Caller::python;
  read(arguments, "neurons", q.neurons);
  read(arguments, "layers", q.layers);
  std::filesystem::path inputs, network, data;
  read(arguments, "inputs", inputs);
  read(arguments, "network", network);
  read(arguments, "data", data);
  q.inputs = inputs.string();
  q.network = network.string();
  q.data = data.string();
  read(arguments, "images", q.images);
  q.weights = formats_of(arguments, "weights");
  q.activations = formats_of(arguments, "activations");
  q.biases = formats_of(arguments, "bias");
  q.accumulators = formats_of(arguments, "acc");
  read(arguments, "seed", q.seed);
  read(arguments, "threads", q.threads);
  return q;
}

// "64x256x16", (64, 256, 16), or a list of them.
std::vector<std::string> shapes_of(py::dict& arguments) {
  const auto text = [](const py::handle& x) {
    if (py::isinstance<py::str>(x)) return x.cast<std::string>();
    if (!py::isinstance<py::tuple>(x))
      throw py::type_error("shape: " + std::string(py::repr(x)) + " is neither 'MxKxN' nor (m, k, n)");
    std::string sizes;
    for (const py::handle size : x) sizes += (sizes.empty() ? "" : "x") + py::str(size).cast<std::string>();
    return sizes;
  };
  const py::object given = take(arguments, "shape");
  if (!given) return {};
  if (!py::isinstance<py::list>(given)) return {text(given)};
  std::vector<std::string> all;
  for (const py::handle one : given) all.push_back(text(one));
  return all;
}

Bf16Question bf16_question(py::dict& arguments) {
  Bf16Question q;
  q.caller = judge::Caller::python;
  read(arguments, "operation", q.operation);
  q.shapes = shapes_of(arguments);
  for (const py::object& one : values_of(arguments, "sparsity")) q.sparsities.push_back(one.cast<double>());
  for (const py::object& one : values_of(arguments, "contract"))
    q.contracts.push_back(named_arithmetic(one, "contract"));
  read(arguments, "values", q.values);
  read(arguments, "seed", q.seed);
  read(arguments, "threads", q.threads);
  return q;
}

template <class T>
std::vector<T> numbers_of(py::dict& arguments, const char* name) {
  std::vector<T> all;
  for (const py::object& one : values_of(arguments, name)) {
    try {
      all.push_back(one.cast<T>());
    } catch (const py::cast_error&) {
      throw py::type_error(std::string(name) + ": " + std::string(py::repr(one)) +
                           " is not of a type that it takes");
    }
  }
  return all;
}

AutosparseQuestion autosparse_question(py::dict& arguments) {
  AutosparseQuestion q;
  q.caller = judge::Caller::python;
  q.widths = numbers_of<std::uint64_t>(arguments, "width");
  q.sparsities = numbers_of<double>(arguments, "sparsity");
  q.alphas = numbers_of<double>(arguments, "alpha");
  q.formats = formats_of(arguments, "format");
  q.roundings = texts_of(arguments, "rounding");
  for (const py::object& one : values_of(arguments, "unit")) q.units.push_back(named_arithmetic(one));
  read(arguments, "batch", q.batch);
  read(arguments, "lambda_", q.lambda);
  read(arguments, "seed", q.seed);
  read(arguments, "threads", q.threads);
  return q;
}

// --- what was found ------------------------------------------------------------------------------------------------

py::object text_or_none(const std::string& text) {
  return text.empty() ? py::object(py::none()) : py::str(text);
}

py::object finite(double x) { return std::isfinite(x) ? py::object(py::float_(x)) : py::none(); }

py::dict point_dict(const studies::StudyPoint& p) {
  const auto measured = [&](double x) { return p.measured() ? finite(x) : py::none(); };
  py::dict d;
  d["x"] = p.x;
  d["trials"] = p.trials;
  d["nonfinite"] = p.nonfinite;
  d["outside"] = p.outside;
  d["rms"] = measured(p.rms);
  d["max"] = measured(p.max);
  d["bias"] = measured(p.bias);
  d["bias_standard_error"] = measured(p.bias_error);
  d["bound"] = p.bound ? measured(*p.bound) : py::none();
  return d;
}

py::list series_of(const std::optional<studies::Study>& study) {
  py::list all;
  if (!study) return all;
  for (const studies::StudySeries& s : study->series) {
    py::list points;
    for (const studies::StudyPoint& p : s.points) points.append(point_dict(p));
    py::dict d;
    d["name"] = s.name;
    d["values"] = study->powers_of_two ? py::object(py::none()) : py::str(std::string(values_name(s.values)));
    d["unit"] = text_or_none(s.unit);
    d["format"] = text_or_none(s.format);
    d["accumulator"] = text_or_none(s.accumulator);
    d["product"] = text_or_none(s.product);
    d["order"] = text_or_none(s.order);
    d["mode"] = text_or_none(s.mode);
    d["evidence"] = text_or_none(s.evidence);
    d["unverified"] = s.unverified;
    d["points"] = points;
    all.append(d);
  }
  return all;
}

py::list cases_of(const Study& study) {
  py::list all;
  if (!study.inference) return all;
  for (const studies::CaseAnswers& c : study.inference->cases) {
    const studies::InferenceArithmetic& a = c.arithmetic.arithmetic;
    py::list changed;
    for (const studies::ChangedAnswer& change : c.changed) {
      py::dict d;
      d["image"] = change.image;
      d["reference"] = change.reference;
      d["answer"] = change.answer;
      d["margin"] = finite(change.margin);
      d["layer"] = change.layer;
      d["nearer"] = change.nearer;
      changed.append(d);
    }
    py::dict d;
    d["case"] = c.arithmetic.name;
    d["weights"] = quantity_text(a.weights);
    d["activations"] = quantity_text(a.activations);
    d["bias"] = quantity_text(a.bias);
    d["accumulator"] = quantity_text(a.accumulator);
    d["categories"] = c.categories;
    d["right"] = c.right;
    d["lost"] = c.lost;
    d["gained"] = c.gained;
    d["changed"] = changed;
    all.append(d);
  }
  return all;
}

py::list results_of(const Study& study) {
  py::list all;
  if (!study.bf16) return all;
  for (const studies::ContractErrors& r : study.bf16->results) {
    py::dict d;
    d["shape"] = py::make_tuple(r.m, r.k, r.n);
    d["sparsity"] = r.sparsity;
    d["entries"] = r.entries;
    d["terms"] = r.terms;
    d["contract"] = r.contract;
    d["step_terms"] = r.step_terms;
    d["order"] = r.order;
    d["evidence"] = r.evidence;
    d["unverified"] = r.unverified;
    d["outputs"] = r.outputs;
    d["nonfinite"] = r.nonfinite;
    d["outside"] = r.outside;
    d["from_float32"] = distance_dict(r.from_float32);
    d["from_exact"] = distance_dict(r.from_exact);
    d["error_over_bound"] = r.of_bound;
    all.append(d);
  }
  return all;
}

template <class T>
auto reference(T studies::InferenceStudy::*field) {
  return
      [field](const Study& s) { return s.inference ? std::optional((*s.inference).*field) : std::nullopt; };
}

py::dict pictures(const Study& study) {
  py::dict all;
  for (const LineChart& chart : study.page.charts) all[py::str(chart.kind)] = line_chart_svg(chart);
  return all;
}

// --- studies -------------------------------------------------------------------------------------------------------

Study study_errors(const std::string& name, const ErrorQuestion& q, int threads) {
  Study found{.name = name, .seed = q.seed};
  const studies::StudyTrials trials{.most = q.trials.most, .terms = q.trials.terms};
  const ThreadScope team(threads);
  if (name == "convert") {
    const studies::RoundingRequest r = rounding_request(q);
    found.errors = study_rounding_by_number(r);
    found.by_magnitude = study_rounding_by_magnitude(r);
    found.page = rounding_page(*found.errors, *found.by_magnitude, trials, r.per_binade);
  } else {
    found.errors = study_accumulation(accumulation_request(q, studies::parse_accumulate(name)));
    found.page = accumulation_page(*found.errors, trials);
  }
  return found;
}

Study study_bf16(const Bf16Question& q) {
  const studies::Bf16Request request = bf16_request(q);
  check_memory("shape", "the operands and results of the largest shape", bf16_bytes(request));
  Study found{.name = "bf16", .seed = q.seed};
  found.bf16 = studies::study_bf16(request);
  found.page = bf16_page(*found.bf16);
  return found;
}

Study study_autosparse(const AutosparseQuestion& q) {
  const studies::AutosparseRequest request = autosparse_request(q);
  check_memory("width", "the operands and results of the widest layer", autosparse_bytes(request));
  Study found{.name = "bf16", .seed = q.seed};
  found.autosparse = studies::study_autosparse(request);
  found.page = autosparse_page(*found.autosparse);
  return found;
}

bool is_autosparse(const py::dict& arguments) {
  return arguments.contains("operation") && py::isinstance<py::str>(arguments["operation"]) &&
         arguments["operation"].cast<std::string>() == "autosparse";
}

Study study(const std::string& name, const py::kwargs& given) {
  py::dict arguments = given;
  if (name == "bf16" && is_autosparse(arguments)) {
    take(arguments, "operation");
    const AutosparseQuestion q = autosparse_question(arguments);
    require_taken("study", arguments);
    const py::gil_scoped_release unlocked;
    return study_autosparse(q);
  }
  if (name == "bf16") {
    const Bf16Question q = bf16_question(arguments);
    require_taken("study", arguments);
    const py::gil_scoped_release unlocked;
    return study_bf16(q);
  }
  if (name == "spdnn") {
    const InferenceQuestion q = inference_question(arguments);
    require_taken("study", arguments);
    const py::gil_scoped_release unlocked;
    Study found{.name = name, .seed = q.seed};
    found.inference = studies::answer(q);
    found.page = inference_page(*found.inference);
    return found;
  }
  int threads = 0;
  read(arguments, "threads", threads);
  const ErrorQuestion q = error_question(arguments);
  require_taken("study", arguments);
  const py::gil_scoped_release unlocked;
  return study_errors(name, q, threads);
}

}  // namespace

void bind_study(py::module_& m) {
  py::class_<Study>(m, "Study",
                    "Findings of a study: series of points, or the answers of a network that rounding\n"
                    "changed. True unless an error exceeds its proven bound.")
      .def_readonly("name", &Study::name)
      .def_readonly("seed", &Study::seed)
      .def("__bool__", [](const Study& s) { return s.outside() == 0; })
      .def_property_readonly(
          "outside", &Study::outside,
          "Number of errors above their proven bounds: a bug in the arithmetic's model or in the bound.")
      .def_property_readonly(
          "series", [](const Study& s) { return series_of(s.errors); },
          "Errors by length: a list of series, each a dict with a list of points; x is the length.")
      .def_property_readonly(
          "by_magnitude", [](const Study& s) { return series_of(s.by_magnitude); },
          "For 'convert': errors of one rounding; x is the magnitude.")
      .def_property_readonly(
          "cases", &cases_of,
          "For 'spdnn': one dict per arithmetic, with the answers that differ from those in float32.")
      .def_property_readonly("results", &results_of,
                             "For 'bf16': one dict per shape, sparsity and contract, with the distances from "
                             "the float32 product\n"
                             "and from the exact result.")
      .def_property_readonly(
          "gradients", [](const Study& s) { return s.autosparse ? gradients_of(*s.autosparse) : py::list(); },
          "For 'bf16' of 'autosparse': one dict per width, arithmetic, sparsity and alpha, with the\n"
          "errors of v, dX, dW and ds against float64.")
      .def_property_readonly(
          "master_weights",
          [](const Study& s) { return s.autosparse ? masters_of(*s.autosparse) : py::list(); },
          "For 'bf16' of 'autosparse': one dict per width, format and rounding, sparsity and alpha:\n"
          "masks that change where weights are kept in the format, and relative errors.")
      .def_property_readonly("images", reference(&studies::InferenceStudy::images),
                             "For 'spdnn': number of images. None for other studies.")
      .def_property_readonly("categories", reference(&studies::InferenceStudy::categories),
                             "For 'spdnn': number of categories in float32.")
      .def_property_readonly("right", reference(&studies::InferenceStudy::right),
                             "For 'spdnn': number of right answers in float32.")
      .def(
          "text", [](const Study& s) { return s.page.text; }, "The table that `assay study` prints.")
      .def(
          "json", [](const Study& s) { return s.page.json; }, "Everything, as one JSON object.")
      .def(
          "csv",
          [](const Study& s) {
            py::dict all;
            for (const auto& [name, text] : s.page.csv) all[py::str(name)] = text;
            return all;
          },
          "Tables as CSV, by the suffix of their file names: '', for 'convert' also '-magnitude', for "
          "gradients\n"
          "'-masters'.")
      .def("svg", &pictures, "Pictures for print, as SVG text, by name.")
      .def(
          "save",
          [](const Study& s, const std::filesystem::path& path) {
            studies::StudyFiles files("path", path.string());
            files.write(s.page, s.seed);
          },
          py::arg("path"),
          "Writes NAME.html, and beside it NAME.csv, NAME.json and an SVG of each picture. InputError if\n"
          "one of them cannot be written; none is written then.")
      .def("__str__", [](const Study& s) { return s.page.text; })
      .def("__repr__", [](const Study& s) {
        if (s.bf16) return "<Study bf16: " + std::to_string(s.bf16->results.size()) + " results>";
        if (s.autosparse)
          return "<Study bf16 autosparse: " + std::to_string(s.autosparse->points.size()) + " results>";
        const std::size_t parts = s.inference ? s.inference->cases.size() : s.errors->series.size();
        return "<Study " + s.name + ": " + std::to_string(parts) +
               (s.inference ? " arithmetics>" : " series>");
      });
  m.def(
      "study", &study, py::arg("study"),
      "Measures error and bias against length, format, rounding, order and unit, as `assay study` does.\n\n"
      "study     'sum', 'dot' or 'gemm': errors of sums by their length; 'convert': errors of rounding, by\n"
      "          number and by magnitude; 'bf16': how far sparse products under bf16 contracts lie from "
      "float32, and AutoSparse's gradients from float64;\n"
      "          'spdnn': which answers of a sparse network rounding changes\n\n"
      "An error is (result - exact) / sum of magnitudes of the terms. For 'sum', 'dot', 'gemm' and "
      "'convert',\n"
      "arguments take one value or a list; every combination of them is a series:\n"
      "format    of the operands (None: the unit's first, else float32); for 'convert', to round into\n"
      "          (bfloat16)\n"
      "unit      names of arithmetics(), files of Probe.save(), Probes\n"
      "acc, product, order, mode\n"
      "          of sums, as in check(); if one of them is given, chains are computed beside the units\n"
      "values    'positive', 'uniform', 'normal', 'wide', 'above-tenth'\n"
      "n         lengths: '1:1e5', a number, or a list; per_decade (3): lengths per decade of a range\n"
      "trials    per length (100); terms (2^22): limit on the terms of all trials of a length; longer\n"
      "          lengths get fewer trials, but at least 8\n"
      "seed      of the data and of stochastic rounding\n"
      "threads   0: OpenMP's choice; changes no figure\n\n"
      "For 'bf16', besides values (one), seed and threads, a value or a list of:\n"
      "operation 'spmm' or 'sddmm'; one\n"
      "shape     'MxKxN' or (m, k, n): A is m x k, B is k x n\n"
      "sparsity  per cent of the places without an entry\n"
      "contract  names of arithmetics() that take bf16 operands, files of Probe.save(), Probes\n\n"
      "For 'bf16' with operation='autosparse' (gradients of a layer with learnable thresholds), besides seed "
      "and\n"
      "threads, a value or a list of:\n"
      "width     inputs and output channels of the layer\n"
      "sparsity  per cent of the weights that are masked\n"
      "alpha     share of the gradient that masked weights get\n"
      "format, rounding\n"
      "          of pruned weights, inputs and output gradients\n"
      "unit      as above: with every format that it takes\n"
      "and one of:\n"
      "batch     rows of inputs and output gradients (32); lambda_: weight decay (0)\n\n"
      "For 'spdnn', besides acc, seed and threads:\n"
      "neurons, layers, inputs\n"
      "          of the Sparse DNN Challenge: 1024 x 120; 'mnist', 'fashion', 'generated' or a file\n"
      "network   a folder with a trained network to study instead, on MNIST's test images\n"
      "data      a folder with mnist/; None: the variable ASSAY_DATA\n"
      "images    use only this many, from the first on\n"
      "weights, activations, bias, acc\n"
      "          formats to try, each 'FORMAT' or 'FORMAT:ROUNDING'; all None: the usual combinations\n\n"
      "Returns a Study. InputError for values that cannot be parsed and for missing files; ContractError\n"
      "for arguments that the study does not use. Method: validation/studies/README.md.");
}

}  // namespace assay::python
