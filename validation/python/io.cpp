// Array files: npy, npz, safetensors, Matrix Market, raw.
#include "validation/io/io.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/near_names.hpp"
#include "reference/sparse/csr.hpp"
#include "validation/python/array.hpp"
#include "validation/python/module.hpp"
#include "validation/python/sparse.hpp"

namespace assay::python {
namespace {

using io::SparseArray;
using Layout = SparseArray::Layout;

py::object path_text(const py::object& path) { return py::module_::import("os").attr("fspath")(path); }
std::string path_of(const py::object& path) { return path_text(path).cast<std::string>(); }

io::ElementType element_of(const py::object& dtype) {
  if (py::isinstance<py::str>(dtype)) return io::parse_element_type(dtype.cast<std::string>());
  if (py::isinstance<FormatSpec>(dtype)) return dtype.cast<FormatSpec>();
  const py::object known = py::module_::import("numpy").attr("dtype")(dtype);
  return io::parse_element_type(py::str(known.attr("name")).cast<std::string>());
}

io::ReadOptions read_options(const py::object& format, const py::object& dtype,
                             const std::optional<io::Shape>& shape, const std::string& order) {
  io::ReadOptions options;
  if (!format.is_none()) options.format = format_of(format);
  if (dtype.is_none() != !shape)
    throw ContractError("load: dtype and shape go together, for files without a header");
  if (order != "C" && order != "F") throw unknown_name("order", "C or F", order, {"C", "F"});
  if (shape) {
    options.raw = io::RawLayout{element_of(dtype), *shape,
                                order == "F" ? io::Order::column_major : io::Order::row_major};
  }
  return options;
}

py::object any_to_python(io::AnyArray&& any) {
  if (auto* const dense = std::get_if<io::Array>(&any)) return to_python(std::move(*dense));
  return py::cast(Sparse{std::make_shared<SparseArray>(std::get<SparseArray>(std::move(any)))});
}

py::object load(const py::object& path, const py::object& format, const py::object& dtype,
                const std::optional<io::Shape>& shape, const std::string& order) {
  const std::string file = path_of(path);
  const io::ReadOptions options = read_options(format, dtype, shape, order);
  std::optional<io::AnyArray> any;
  {
    const py::gil_scoped_release unlocked;
    any = io::read_any(file, options);
  }
  return any_to_python(std::move(*any));
}

py::dict load_all(const py::object& path, const py::object& format) {
  const std::string file = path_of(path);
  const io::ReadOptions options = read_options(format, py::none(), {}, "C");
  std::vector<std::pair<std::string, io::AnyArray>> found;
  {
    const py::gil_scoped_release unlocked;
    const std::vector<std::string> names = io::array_names(file);
    for (const std::string& name : names) found.emplace_back(name, io::read_any(file + ":" + name, options));
    if (names.empty()) found.emplace_back("", io::read_any(file, options));
  }
  py::dict arrays;
  for (auto& [name, array] : found) arrays[py::str(name)] = any_to_python(std::move(array));
  return arrays;
}

io::Metadata metadata_of(const py::object& path) {
  const std::string file = path_of(path);
  const py::gil_scoped_release unlocked;
  const std::vector<std::string> names = io::array_names(file);
  const io::AnyArray any = io::read_any(names.empty() ? file : file + ":" + names.front());
  if (const auto* const dense = std::get_if<io::Array>(&any)) return dense->metadata;
  return std::get<SparseArray>(any).metadata;
}

std::vector<std::int64_t> indices_of(const py::object& x, std::string_view name) {
  if (x.is_none()) return {};
  const Operand given = any_operand(x, name);
  const auto kind = given.element.kind();
  if (kind != io::ElementType::Kind::signed_integer && kind != io::ElementType::Kind::unsigned_integer)
    throw py::type_error(std::string(name) + ": an array of " + given.element.name() +
                         "; integers are asked for");
  const Operand wide =
      packed(any_operand(py::module_::import("numpy").attr("asarray")(x, py::arg("dtype") = "int64"), name));
  const auto* const begin = static_cast<const std::int64_t*>(wide.data);
  return wide.size() == 0 ? std::vector<std::int64_t>{}
                          : std::vector<std::int64_t>(begin, begin + wide.size());
}

Layout layout_of(const std::string& name) {
  std::vector<std::string> known;
  for (const Layout layout : {Layout::csr, Layout::csc, Layout::bsr, Layout::coo}) {
    if (io::name(layout) == name) return layout;
    known.emplace_back(io::name(layout));
  }
  throw unknown_name("layout", "a layout of sparse arrays", name, known);
}

using Pair = std::pair<std::int64_t, std::int64_t>;

Sparse make_sparse(const std::string& layout, Pair shape, const py::object& values, const py::object& offsets,
                   const py::object& row_indices, const py::object& column_indices, Pair block_shape,
                   io::Metadata metadata) {
  const auto array = std::make_shared<SparseArray>();
  array->layout = layout_of(layout);
  array->rows = shape.first;
  array->cols = shape.second;
  array->block_rows = block_shape.first;
  array->block_cols = block_shape.second;
  array->offsets = indices_of(offsets, "offsets");
  array->values = array_of(any_operand(values, "values"));
  array->metadata = std::move(metadata);
  array->origin = "Sparse";
  const std::int64_t columns = block_shape.second > 0 ? shape.second / block_shape.second : shape.second;
  array->row_indices =
      io::narrowed_indices(*array, "row_indices", indices_of(row_indices, "row_indices"), shape.first);
  array->column_indices =
      io::narrowed_indices(*array, "column_indices", indices_of(column_indices, "column_indices"), columns);
  io::check(*array);
  return {array};
}

bool is_scipy_sparse(const py::handle& x) {
  return py::hasattr(x, "tocoo") && py::hasattr(x, "format") && py::hasattr(x, "nnz");
}

Sparse from_scipy(const py::object& given) {
  const std::string format = py::str(given.attr("format"));
  // SciPy has types that we have not: it turns them into rows.
  const bool known = format == "csr" || format == "csc" || format == "bsr" || format == "coo";
  const py::object x = known ? given : given.attr("tocsr")();
  const std::string layout = known ? format : "csr";
  const auto shape = x.attr("shape").cast<Pair>();
  const py::object none = py::none();
  if (layout == "coo")
    return make_sparse(layout, shape, x.attr("data"), none, x.attr("row"), x.attr("col"), {1, 1}, {});
  const Pair block = layout == "bsr" ? x.attr("blocksize").cast<Pair>() : Pair{1, 1};
  const bool by_column = layout_of(layout) == Layout::csc;
  const py::object indices = x.attr("indices");
  return make_sparse(layout, shape, x.attr("data"), x.attr("indptr"), by_column ? indices : none,
                     by_column ? none : indices, block, {});
}

template <class Integer>
py::object view(const std::shared_ptr<SparseArray>& array, const std::vector<Integer>& part) {
  return numpy_view(array, part.data(), io::ElementType::signed_integer(8 * sizeof(Integer)),
                    {static_cast<std::int64_t>(part.size())});
}

// Indices as Python has always had them.
py::object wide(const std::shared_ptr<SparseArray>& array, const std::vector<std::int32_t>& part) {
  return view(array, part).attr("astype")("int64");
}

py::object values_view(const std::shared_ptr<SparseArray>& array) {
  return numpy_view(array, array->values.bytes.data(), array->values.element, array->values.shape);
}

py::object to_scipy(const Sparse& s) {
  const SparseArray& a = *s.array;
  const py::module_ sparse = py::module_::import("scipy.sparse");
  const py::tuple shape = py::make_tuple(a.rows, a.cols);
  const py::object values = values_view(s.array);
  const py::object type = sparse.attr((std::string(io::name(a.layout)) + "_matrix").c_str());
  if (a.layout == Layout::coo) {
    const py::tuple at = py::make_tuple(view(s.array, a.row_indices), view(s.array, a.column_indices));
    return type(py::make_tuple(values, at), py::arg("shape") = shape);
  }
  const py::object indices = view(s.array, a.layout == Layout::csc ? a.row_indices : a.column_indices);
  return type(py::make_tuple(values, indices, view(s.array, a.offsets)), py::arg("shape") = shape);
}

}  // namespace

bool is_sparse(const py::handle& x) { return py::isinstance<Sparse>(x) || is_scipy_sparse(x); }

SparseArray sparse_of(const py::handle& x) {
  return *(py::isinstance<Sparse>(x) ? x.cast<Sparse>() : from_scipy(py::reinterpret_borrow<py::object>(x)))
              .array;
}

namespace {

void save(const py::object& path, const py::object& x, const io::Metadata& metadata) {
  const std::string file = path_of(path);
  if (py::isinstance<py::dict>(x)) {
    std::vector<io::NamedArray> arrays;
    for (const auto& [name, array] : x.cast<py::dict>())
      arrays.push_back({name.cast<std::string>(), array_of(any_operand(array, "x[...]"))});
    const py::gil_scoped_release unlocked;
    io::write_arrays(file, arrays, metadata);
    return;
  }
  if (is_sparse(x)) {
    SparseArray array = sparse_of(x);
    for (const auto& [key, value] : metadata) array.metadata[key] = value;
    const py::gil_scoped_release unlocked;
    io::write_sparse(file, array);
    return;
  }
  io::Array array = array_of(any_operand(x, "x"));
  array.metadata = metadata;
  const py::gil_scoped_release unlocked;
  io::write_array(file, array);
}

}  // namespace

void bind_io(py::module_& m) {
  py::class_<Sparse>(
      m, "Sparse",
      "A sparse matrix as a file stores it: its order, explicit zeros and repeated entries kept.")
      .def(py::init(&make_sparse), py::arg("layout"), py::arg("shape"), py::arg("values"), py::kw_only(),
           py::arg("offsets") = py::none(), py::arg("row_indices") = py::none(),
           py::arg("column_indices") = py::none(), py::arg("block_shape") = Pair{1, 1},
           py::arg("metadata") = io::Metadata{},
           "layout          'csr', 'csc', 'bsr' or 'coo'\n"
           "values          one for each entry; bsr: blocks x block rows x block columns\n"
           "offsets         csr, bsr: of rows; csc: of columns\n"
           "row_indices     csc, coo\n"
           "column_indices  csr, coo; bsr: of blocks\n\n"
           "InputError for sizes, offsets or indices that do not describe a matrix.")
      .def_static("from_scipy", &from_scipy, py::arg("matrix"),
                  "A matrix of scipy.sparse: csr, csc, bsr or coo.")
      .def("to_scipy", &to_scipy, "The same as a matrix of scipy.sparse, without copies of the values.")
      .def(
          "to_dense", [](const Sparse& s) { return to_python(io::to_dense(*s.array)); },
          "With zeros filled in. InputError for repeated entries, whose sum would be rounded.")
      .def_property_readonly("layout", [](const Sparse& s) { return std::string(io::name(s.array->layout)); })
      .def_property_readonly("shape",
                             [](const Sparse& s) { return py::make_tuple(s.array->rows, s.array->cols); })
      .def_property_readonly(
          "block_shape",
          [](const Sparse& s) { return py::make_tuple(s.array->block_rows, s.array->block_cols); })
      .def_property_readonly("nnz", [](const Sparse& s) { return s.array->nnz(); })
      .def_property_readonly("values", [](const Sparse& s) { return values_view(s.array); })
      .def_property_readonly("offsets", [](const Sparse& s) { return view(s.array, s.array->offsets); })
      .def_property_readonly("row_indices",
                             [](const Sparse& s) { return wide(s.array, s.array->row_indices); })
      .def_property_readonly("column_indices",
                             [](const Sparse& s) { return wide(s.array, s.array->column_indices); })
      .def_property_readonly("metadata", [](const Sparse& s) { return s.array->metadata; })
      .def("__repr__", [](const Sparse& s) {
        const SparseArray& a = *s.array;
        return "<Sparse " + std::string(io::name(a.layout)) + " " + io::to_string({a.rows, a.cols}) + " of " +
               a.values.element.name() + ", " + std::to_string(a.nnz()) + " stored>";
      });
  m.def("load", &load, py::arg("path"), py::arg("format") = py::none(), py::kw_only(),
        py::arg("dtype") = py::none(), py::arg("shape") = py::none(), py::arg("order") = "C",
        "The array in a file: npy, npz, safetensors, Matrix Market (.gz too), or raw.\n\n"
        "path    FILE, or FILE:NAME for one array of several\n"
        "format  the format of arrays of codes: bfloat16 in npy, uint16 that are bfloat16\n"
        "dtype, shape, order  for a raw file, which has no header; order 'C' or 'F'\n\n"
        "Returns an array of NumPy or ml_dtypes, Codes where neither has the format, or Sparse. InputError "
        "says what is\n"
        "wrong with a file, and where.");
  m.def("load_all", &load_all, py::arg("path"), py::arg("format") = py::none(),
        "Every array of a file by name; under '' where the kind of file has no names.");
  m.def("metadata", &metadata_of, py::arg("path"), "The metadata of an npz or safetensors file.");
  m.def("save", &save, py::arg("path"), py::arg("x"), py::kw_only(), py::arg("metadata") = io::Metadata{},
        "Writes an array, a dict of arrays by name, a Sparse or a matrix of scipy.sparse.\n\n"
        "path      .npy, .npz, .safetensors, .mtx, .mtx.gz, .raw or .bin; written under a temporary name and "
        "renamed\n"
        "metadata  strings by name, for npz and safetensors\n\n"
        "InputError for an extension or element type that the kind of file has no name for.");
}

}  // namespace assay::python
