// Ranges of NVTX: include/nvtx3/nvToolsExt.h.
#include <string>
#include <utility>
#include <vector>

#include "emulation/simt/include/nvtx3/nvToolsExt.h"
#include "emulation/simt/observer.hpp"

namespace assay_simt {
namespace {

// Whole names: of a range and those around it.
thread_local std::vector<std::string> ranges_of_thread;

}  // namespace

int push_range(const char* name) {
  std::string all = ranges_of_thread.empty() ? "" : ranges_of_thread.back() + " / ";
  // A line of a record each.
  for (const char* c = name == nullptr || *name == '\0' ? "unnamed" : name; *c != '\0'; ++c)
    all += *c == '\n' ? ' ' : *c;
  ranges_of_thread.push_back(std::move(all));
  return static_cast<int>(ranges_of_thread.size()) - 1;
}

int pop_range() {
  if (ranges_of_thread.empty()) return -1;
  ranges_of_thread.pop_back();
  return static_cast<int>(ranges_of_thread.size());
}

}  // namespace assay_simt

namespace assay::simt {

std::string current_range() {
  using assay_simt::ranges_of_thread;
  return ranges_of_thread.empty() ? "" : ranges_of_thread.back();
}

}  // namespace assay::simt
