// What a shared library that holds one kernel exports: plain data, so that whoever loads it needs nothing of the
// runtime that lies in it.
#pragma once

#include <cstddef>

namespace assay_simt {

struct KernelParameter {
  char kind = 0;  // of an element: i signed, u unsigned, f floating point, b bool, v void, o another one
  bool is_pointer = false, is_constant = false;
  bool is_plain = false;  // a class whose objects may be copied as bytes
  unsigned bytes = 0;     // of an element, or of the value
  char name[64] = {};     // of the element's type
};

struct KernelEntry {
  unsigned count = 0;
  const KernelParameter* parameters = nullptr;
  // Grid and block, three each; for each parameter where its value lies. Returns CUDA's error code.
  int (*call)(const unsigned* extent, std::size_t shared_bytes, void* const* arguments) = nullptr;
  const char* (*error_text)(int error) = nullptr;
};

inline constexpr const char* kernel_entry_name = "assay_simt_kernel_entry";

}  // namespace assay_simt
