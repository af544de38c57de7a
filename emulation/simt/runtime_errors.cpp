// The errors of the runtime API: the last one of each host thread, and those of kernels, which stay.
#include <cstdio>
#include <cstdlib>
#include <list>

#include "emulation/simt/include/assay_simt.h"
#include "emulation/simt/runtime.hpp"

namespace assay_simt::runtime {

using assay::simt::Block;

namespace {

struct Lasting {
  std::mutex mutex{};
  std::atomic<cudaError_t> error{cudaSuccess};
  std::list<std::string> texts{};  // kept: cudaGetErrorString() hands them out
  bool told = true;                // somebody has the last text
};
Lasting& lasting() {
  static Lasting& of_all = *new Lasting;
  return of_all;
}

thread_local int last_error = cudaSuccess;

}  // namespace

cudaError_t lasting_error() { return lasting().error.load(std::memory_order_relaxed); }

cudaError_t remember(cudaError_t error) {
  if (error == cudaSuccess) return error;
  Block* const block = Block::current();
  (block != nullptr ? block->last_error() : last_error) = error;
  return error;
}

// Many a program never asks, and what it prints then looks like a kernel's wrong results.
static void tell_at_the_end() {
  const std::scoped_lock lock(lasting().mutex);
  if (lasting_error() != cudaSuccess && !lasting().told)
    std::fprintf(stderr, "simt: %s\n", lasting().texts.back().c_str());
}

// `told`: its text stands on stderr already.
static void keep(cudaError_t error, std::string text, bool told) {
  [[maybe_unused]] static const int once = std::atexit(tell_at_the_end);
  const std::scoped_lock lock(lasting().mutex);
  if (lasting_error() != cudaSuccess) return;
  lasting().texts.push_back(std::move(text));
  lasting().told = told;
  lasting().error = error;
}

// Of the list.
static const char* text_of(cudaError_t error) {
  switch (error) {
#define CUDA_ERROR(name, number, text) \
  case name:                           \
    return text;
#include "emulation/simt/include/cuda_errors.def"
#undef CUDA_ERROR
  }
  return "unrecognized error code";
}

static void forget_errors() {
  lasting().error = cudaSuccess;
  last_error = cudaSuccess;
}

}  // namespace assay_simt::runtime

using namespace assay_simt::runtime;

void assay_simt::report(int error, const std::string& text) {
  const bool assertion = text.find("device-side assert triggered") != std::string::npos;  // assertion.cpp
  const bool access = text.find("an illegal memory access at") != std::string::npos;      // faults.cpp
  const auto code = assertion ? cudaErrorAssert
                    : access  ? cudaErrorIllegalAddress
                              : static_cast<cudaError_t>(error);
  if (text.empty()) {
    remember(code);
  } else {
    // The text of an assertion stands on stderr already; programs compare this one.
    keep(code, assertion ? "device-side assert triggered" : std::string(text_of(code)) + ": " + text,
         assertion);
  }
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define CUDA_ERROR(name, number, text) \
  case name:                           \
    return #name;
#include "emulation/simt/include/cuda_errors.def"
#undef CUDA_ERROR
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  if (error != cudaSuccess && lasting_error() == error) {
    const std::scoped_lock lock(lasting().mutex);
    lasting().told = true;
    return lasting().texts.back().c_str();
  }
  return text_of(error);
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  Block* const block = Block::current();
  (block != nullptr ? block->last_error() : last_error) = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() {
  if (Block* const block = Block::current(); block != nullptr)
    return static_cast<cudaError_t>(block->last_error());
  return lasting_error() != cudaSuccess ? lasting_error() : static_cast<cudaError_t>(last_error);
}

cudaError_t cudaDeviceSynchronize() {
  if (Block* const block = Block::current(); block != nullptr)
    block->fail("a kernel calls cudaDeviceSynchronize(), which no kernel may since compute capability 9.0");
  return on_device([] { return why_not_now(false); });
}
cudaError_t cudaDeviceReset() {
  forget_errors();
  memory().clear();
  return cudaSuccess;
}
