#include "validation/io/foreign.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "reference/core/error.hpp"

namespace assay::io {
namespace {

// A kind of file, its first bytes (empty: none that tell), the ends of its names, and Python's statements that convert
// it. IN and OUT stand for the names of the files.
struct Foreign {
  std::string_view what;
  std::string_view start;
  std::array<std::string_view, 4> extensions;
  std::string_view modules;  // to import
  std::string_view python;
  std::string_view out;  // extension of what it makes
};

constexpr std::string_view pickle_start = "\x80";
constexpr std::array<Foreign, 10> foreign{{
    {"a file of PyTorch's torch.save",
     "",
     {".pt", ".pth"},
     "torch, safetensors.torch as s",
     "t = torch.load('IN', map_location='cpu'); "
     "s.save_file({k: v.contiguous() for k, v in (t if isinstance(t, dict) else {'array': t}).items()}, "
     "'OUT')",
     ".safetensors"},
    {"a Python pickle",
     pickle_start,
     {".pkl", ".pickle", ".pk"},
     "pickle, numpy",
     "numpy.save('OUT', pickle.load(open('IN', 'rb')))",
     ".npy"},
    {"an HDF5 file",
     "\x89HDF\r\n\x1a\n",
     {".h5", ".hdf5", ".hdf"},
     "h5py, numpy",
     "f = h5py.File('IN'); numpy.savez('OUT', **{k: f[k][()] for k in f})",
     ".npz"},
    {"a GGUF file",
     "GGUF",
     {".gguf"},
     "gguf, numpy",
     "numpy.savez('OUT', **{t.name: gguf.dequantize(t.data, t.tensor_type) for t in "
     "gguf.GGUFReader('IN').tensors})",
     ".npz"},
    {"an ONNX model",
     "",
     {".onnx"},
     "onnx, numpy, onnx.numpy_helper as h",
     "numpy.savez('OUT', **{t.name: h.to_array(t) for t in onnx.load('IN').graph.initializer})",
     ".npz"},
    {"a MATLAB file",
     "MATLAB 5.0 MAT-f",
     {".mat"},
     "scipy.io, numpy",
     "numpy.savez('OUT', **{k: v for k, v in scipy.io.loadmat('IN').items() if k[0] != '_'})",
     ".npz"},
    {"a Parquet file",
     "PAR1",
     {".parquet"},
     "pandas, numpy",
     "numpy.save('OUT', pandas.read_parquet('IN').to_numpy())",
     ".npy"},
    {"an Arrow or Feather file",
     "ARROW1",
     {".arrow", ".feather"},
     "pandas, numpy",
     "numpy.save('OUT', pandas.read_feather('IN').to_numpy())",
     ".npy"},
    {"a table of text", "", {".txt", ".tsv"}, "numpy", "numpy.save('OUT', numpy.loadtxt('IN'))", ".npy"},
    {"a table of comma-separated text",
     "",
     {".csv"},
     "numpy",
     "numpy.save('OUT', numpy.loadtxt('IN', delimiter=','))",
     ".npy"},
}};

// Text that stands between quotes of Python, within the double quotes of a shell.
bool is_plain(std::string_view text) {
  constexpr std::string_view special = "'\"\\$`!";
  return std::ranges::none_of(
      text, [&](char c) { return (c >= 0 && c < ' ') || special.find(c) != std::string_view::npos; });
}

// In one pass, since a name may hold the words that stand for it.
std::string filled(std::string_view python, const std::string& in, const std::string& out) {
  std::string text;
  while (!python.empty()) {
    const bool is_in = python.starts_with("'IN'"), is_out = python.starts_with("'OUT'");
    if (is_in || is_out) {
      text += "'" + (is_in ? in : out) + "'";
    } else {
      text += python.front();
    }
    python.remove_prefix(is_in ? 4 : is_out ? 5 : 1);
  }
  return text;
}

// "an HDF5 file; to convert it: python3 -c ...".
std::string sentence(const Foreign& kind, std::string_view path) {
  std::string in = is_plain(path) ? std::string(path) : "FILE";
  std::string out = in;
  for (const std::string_view extension : kind.extensions) {
    if (!extension.empty() && out.ends_with(extension)) out.resize(out.size() - extension.size());
  }
  out += kind.out;
  return std::string(kind.what) + "; to convert it: python3 -c \"import " + std::string(kind.modules) + "; " +
         filled(kind.python, in, out) + "\"";
}

[[noreturn]] void refuse(const std::string& origin, const Foreign& kind) {
  throw InputError(origin, "", "npy, npz, safetensors or Matrix Market", sentence(kind, origin));
}

bool named(const Foreign& kind, std::string_view path) {
  return std::ranges::any_of(kind.extensions,
                             [&](std::string_view e) { return !e.empty() && path.ends_with(e); });
}

}  // namespace

void refuse_foreign_start(ByteSource& source) {
  constexpr std::size_t longest = 16;
  const std::string start(source.peek(longest));
  for (const Foreign& kind : foreign) {
    if (kind.start.empty() || !start.starts_with(kind.start)) continue;
    if (kind.start == pickle_start) {
      // The protocol follows. Before its zip archives, torch.save wrote pickles.
      if (start.size() < 2 || start[1] < 2 || start[1] > 5) continue;
      if (named(foreign.front(), source.origin())) refuse(source.origin(), foreign.front());
    }
    refuse(source.origin(), kind);
  }
}

void refuse_foreign_name(const ByteSource& source) {
  for (const Foreign& kind : foreign) {
    if (named(kind, source.origin())) refuse(source.origin(), kind);
  }
}

void refuse_foreign(const ZipReader& archive) {
  const auto ends = [&](std::string_view name) {
    return std::ranges::any_of(archive.members(),
                               [&](const ZipReader::Member& m) { return m.name.ends_with(name); });
  };
  if (ends("data.pkl") && !ends(".npy")) refuse(archive.origin(), foreign.front());
}

}  // namespace assay::io
