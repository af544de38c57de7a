// The orders of threads under which tests run a kernel.
#pragma once

#include <string>

#include "emulation/simt/launch_scope.hpp"

namespace assay {

// body(name) with launches forward, in reverse and at random, on one and on two OS threads.
template <class Body>
void for_each_schedule(const Body& body) {
  const struct {
    const char* name;
    simt::Schedule schedule;
    int threads;
  } all[] = {{"forward", simt::Schedule::forward, 1},
             {"reverse", simt::Schedule::reverse, 2},
             {"random:5", simt::Schedule::random, 1}};
  for (const auto& one : all) {
    simt::LaunchOptions options;
    options.block.schedule = one.schedule;
    options.block.seed = 5;
    options.threads = one.threads;
    const simt::LaunchScope scope(options);
    body(one.name);
  }
}

}  // namespace assay
