// Writes tensors out of a CUDA program as a safetensors file. One header to drop in; see README.md beside it.
//
// C++14. Needs the CUDA runtime and nothing else; where there is no <cuda_runtime.h>, or with ASSAY_DUMP_HOST defined,
// the pointers are host pointers. Every fault is a dump::Error with a sentence; a file is there whole or not at all.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(ASSAY_DUMP_HOST) && !defined(__CUDACC__) && defined(__has_include)
#if !__has_include(<cuda_runtime.h>)
#define ASSAY_DUMP_HOST
#endif
#endif
#if !defined(ASSAY_DUMP_HOST)
#include <cuda_runtime.h>
#endif

// The narrow types of <cuda_fp16.h>, <cuda_bf16.h> and <cuda_fp8.h>, named without including them.
struct __half;
struct __nv_bfloat16;
struct __nv_fp8_e4m3;
struct __nv_fp8_e5m2;

namespace assay {
namespace dump {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The names that safetensors has for element types, and their sizes.
inline std::size_t dtype_bytes(const std::string& dtype) {
  static const std::map<std::string, std::size_t> known{
      {"F64", 8},     {"F32", 4},  {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1},
      {"F8_E5M2", 1}, {"BOOL", 1}, {"I64", 8}, {"U64", 8},  {"I32", 4},
      {"U32", 4},     {"I16", 2},  {"U16", 2}, {"I8", 1},   {"U8", 1}};
  const auto at = known.find(dtype);
  if (at == known.end()) {
    std::string names;
    for (const auto& one : known) names += (names.empty() ? "" : ", ") + one.first;
    throw Error("no dtype '" + dtype + "' in safetensors; there are " + names);
  }
  return at->second;
}

// The dtype of a C++ type. For a type of another library write the name: file.tensor("x", "BF16", pointer, shape).
template <class T>
struct Dtype {
  static_assert(std::is_integral<T>::value, "no dtype is known for this element type: pass its name");
  static std::string name() {
    if (std::is_same<T, bool>::value) return "BOOL";
    return (std::is_signed<T>::value ? "I" : "U") + std::to_string(8 * sizeof(T));
  }
};
#define ASSAY_DUMP_DTYPE(type, text)           \
  template <>                                  \
  struct Dtype<type> {                         \
    static std::string name() { return text; } \
  };
ASSAY_DUMP_DTYPE(float, "F32")
ASSAY_DUMP_DTYPE(double, "F64")
ASSAY_DUMP_DTYPE(__half, "F16")
ASSAY_DUMP_DTYPE(__nv_bfloat16, "BF16")
ASSAY_DUMP_DTYPE(__nv_fp8_e4m3, "F8_E4M3")
ASSAY_DUMP_DTYPE(__nv_fp8_e5m2, "F8_E5M2")
#undef ASSAY_DUMP_DTYPE

namespace detail {

#if defined(ASSAY_DUMP_HOST)
inline void copy_to_host(void* dst, const void* src, std::size_t bytes, const std::string&) {
  std::memcpy(dst, src, bytes);
}
#else
inline void require(cudaError_t status, const std::string& what) {
  if (status != cudaSuccess) throw Error(what + ": " + cudaGetErrorString(status));
}
// Waits for the device first, on which kernels that write the tensor may still run, in any stream. An error of such a
// kernel shows here.
inline void copy_to_host(void* dst, const void* src, std::size_t bytes, const std::string& name) {
  require(cudaDeviceSynchronize(),
          "before tensor '" + name + "' is copied, an earlier kernel or call failed");
  require(cudaMemcpy(dst, src, bytes, cudaMemcpyDefault),
          "tensor '" + name + "' cannot be copied to the host");
}
#endif

// Is this UTF-8? JSON takes nothing else. Overlong forms and surrogates are left to the reader.
inline bool is_utf8(const std::string& text) {
  std::size_t follow = 0;
  for (const char c : text) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (follow > 0) {
      if ((byte & 0xC0U) != 0x80U) return false;
      --follow;
    } else if (byte >= 0x80U) {
      follow = byte >= 0xF0U ? 3 : byte >= 0xE0U ? 2 : 1;
      if (byte < 0xC2U || byte > 0xF4U) return false;
    }
  }
  return follow == 0;
}

inline std::string json(const std::string& text) {
  if (!is_utf8(text)) throw Error("a name or a piece of metadata is not UTF-8");
  static const char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const unsigned byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20U) {
      out += "\\u00";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// A file under another name, renamed when it is whole and removed when it is not.
class Partial {
 public:
  explicit Partial(const std::string& path) : path_(path), temporary_(path + ".partial-" + unique()) {
    file_ = std::fopen(temporary_.c_str(), "wb");
    if (file_ == nullptr) fail("cannot be opened for writing");
  }
  ~Partial() {
    if (file_ != nullptr) std::fclose(file_);
    if (!done_) std::remove(temporary_.c_str());
  }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  void write(const void* data, std::size_t bytes) {
    if (bytes != 0 && std::fwrite(data, 1, bytes, file_) != bytes)
      fail("cannot be written: is the disk full?");
  }
  void commit() {
    std::FILE* const file = file_;
    file_ = nullptr;
    if (std::fclose(file) != 0) fail("cannot be written: is the disk full?");
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be renamed to its place");
    done_ = true;
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw Error(path_ + " " + what); }
  // Ranks of one job may write to one place.
  std::string unique() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    return std::to_string(static_cast<std::uint64_t>(now) ^ reinterpret_cast<std::uintptr_t>(this));
  }

  std::string path_, temporary_;
  std::FILE* file_ = nullptr;
  bool done_ = false;
};

}  // namespace detail

// Tensors and what was said about them, kept on the host until write().
class File {
 public:
  using Shape = std::vector<std::int64_t>;

  explicit File(std::string path) : path_(std::move(path)) {}

  // What a judge wants to know of the computation: op=gemm, k=1024, unit=sm90, seed=7.
  File& metadata(const std::string& key, const std::string& value) {
    metadata_[key] = value;
    return *this;
  }
  template <class Integer, class = typename std::enable_if<std::is_integral<Integer>::value>::type>
  File& metadata(const std::string& key, Integer value) {
    return metadata(key, std::to_string(value));
  }

  // Copies the tensor now, so that its memory may be used again. Row-major, contiguous; the pointer may be of device,
  // managed or host memory. An empty shape is one element; a zero in it none.
  template <class T>
  File& tensor(const std::string& name, const T* data, const Shape& shape) {
    return tensor(name, Dtype<T>::name(), data, shape);
  }
  File& tensor(const std::string& name, const std::string& dtype, const void* data, const Shape& shape) {
    Tensor t{name, dtype, shape, dtype_bytes(dtype), {}};
    for (const Tensor& other : tensors_) {
      if (other.name == name) throw Error("tensor '" + name + "' is there already");
    }
    if (name == "__metadata__") throw Error("a tensor cannot be called __metadata__");
    const std::size_t bytes = byte_count(t);
    if (bytes != 0) {
      if (data == nullptr) throw Error("tensor '" + name + "' is a null pointer");
      t.bytes.resize(bytes);
      detail::copy_to_host(t.bytes.data(), data, bytes, name);
    }
    tensors_.push_back(std::move(t));
    return *this;
  }

  // Writes the file beside its place and renames it into it. May be called again after more tensors.
  void write() const {
    // Wide elements first, so that each tensor is aligned.
    std::vector<const Tensor*> order;
    for (const Tensor& t : tensors_) order.push_back(&t);
    std::stable_sort(order.begin(), order.end(),
                     [](const Tensor* a, const Tensor* b) { return a->element_bytes > b->element_bytes; });
    const std::string header = this->header(order);
    unsigned char size[8];
    for (unsigned i = 0; i < 8; ++i)
      size[i] = static_cast<unsigned char>(std::uint64_t{header.size()} >> (8 * i));

    detail::Partial file(path_);
    file.write(size, sizeof size);
    file.write(header.data(), header.size());
    for (const Tensor* t : order) file.write(t->bytes.data(), t->bytes.size());
    file.commit();
  }

 private:
  struct Tensor {
    std::string name, dtype;
    Shape shape;
    std::size_t element_bytes;
    std::vector<unsigned char> bytes;
  };

  static std::size_t byte_count(const Tensor& t) {
    const std::size_t most = static_cast<std::size_t>(INT64_MAX);
    std::size_t bytes = t.element_bytes;
    bool empty = false;
    for (const std::int64_t n : t.shape) {
      if (n < 0) throw Error("tensor '" + t.name + "' has a dimension of " + std::to_string(n));
      const std::size_t size = static_cast<std::size_t>(n);
      if (size != 0 && bytes > most / size) throw Error("tensor '" + t.name + "' has 2^63 bytes or more");
      if (size != 0) bytes *= size;
      empty = empty || size == 0;
    }
    return empty ? 0 : bytes;
  }

  std::string header(const std::vector<const Tensor*>& order) const {
    std::string text = "{";
    if (!metadata_.empty()) {
      text += "\"__metadata__\":{";
      for (const auto& one : metadata_)
        text += detail::json(one.first) + ":" + detail::json(one.second) + ",";
      text.back() = '}';
      text += ',';
    }
    std::size_t begin = 0;
    for (const Tensor* t : order) {
      text += detail::json(t->name) + ":{\"dtype\":\"" + t->dtype + "\",\"shape\":[";
      for (const std::int64_t n : t->shape) text += std::to_string(n) + ",";
      if (!t->shape.empty()) text.pop_back();
      const std::size_t end = begin + t->bytes.size();
      text += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]},";
      begin = end;
    }
    if (text.back() == ',') text.pop_back();
    text += '}';
    text.resize((text.size() + 7) / 8 * 8, ' ');  // the data start at a multiple of 8
    return text;
  }

  std::string path_;
  std::map<std::string, std::string> metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace dump
}  // namespace assay
