// One kernel behind an interface of plain C: what loads it as a shared library knows its parameters and calls it.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "emulation/simt/include/cuda_runtime.h"
#include "emulation/simt/kernel_entry.hpp"

namespace assay_simt {

// "float", "__half": as the compiler writes it.
template <class T>
constexpr std::string_view compilers_name_of() {
  constexpr std::string_view all = __PRETTY_FUNCTION__, before = "T = ";
  constexpr std::size_t begin = all.find(before) + before.size();
  return all.substr(begin, all.find_first_of(";]", begin) - begin);
}

template <class T>
constexpr KernelParameter describe_parameter() {
  using Element = std::remove_cv_t<std::remove_pointer_t<T>>;
  KernelParameter p;
  p.is_pointer = std::is_pointer_v<T>;
  p.is_constant = std::is_pointer_v<T> && std::is_const_v<std::remove_pointer_t<T>>;
  if constexpr (std::is_void_v<Element>) {
    p.kind = 'v';
    p.bytes = 1;
  } else {
    p.bytes = static_cast<unsigned>(sizeof(Element));
    p.kind = std::is_floating_point_v<Element> ? 'f'
             : std::is_same_v<Element, bool>   ? 'b'
             : !std::is_integral_v<Element>    ? 'o'
             : std::is_signed_v<Element>       ? 'i'
                                               : 'u';
    p.is_plain =
        std::is_trivially_copyable_v<Element> && (std::is_class_v<Element> || std::is_union_v<Element>);
  }
  constexpr std::string_view name = compilers_name_of<Element>();
  for (std::size_t i = 0; i < name.size() && i + 1 < sizeof p.name; ++i) p.name[i] = name[i];
  return p;
}

template <auto kernel>
struct KernelOf;
template <class... P, void (*kernel)(P...)>
struct KernelOf<kernel> {
  static constexpr std::array<KernelParameter, sizeof...(P) + 1> parameters{describe_parameter<P>()..., {}};

  static int call(const unsigned* extent, std::size_t shared_bytes, void* const* arguments) {
    return call(extent, shared_bytes, arguments, std::index_sequence_for<P...>());
  }

 private:
  template <std::size_t... i>
  static int call(const unsigned* e, std::size_t shared_bytes, [[maybe_unused]] void* const* arguments,
                  std::index_sequence<i...>) {
    const Launch launch(dim3(e[0], e[1], e[2]), dim3(e[3], e[4], e[5]), shared_bytes);
    launch.run([](const auto&... values) { kernel(values...); },
               *static_cast<std::decay_t<P>*>(arguments[i])...);
    return static_cast<int>(cudaGetLastError());
  }
};

template <auto kernel>
constexpr KernelEntry kernel_entry() {
  using Of = KernelOf<kernel>;
  return {static_cast<unsigned>(Of::parameters.size() - 1), Of::parameters.data(), &Of::call,
          [](int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }};
}

}  // namespace assay_simt
