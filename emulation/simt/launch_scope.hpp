// How the launches of `<<<>>>` and kin run, for a scope of the host thread that makes them: in place of what the
// environment says (ASSAY_SIMT_SCHEDULE and kin), so that a library's kernels can be run under several schedules.
#pragma once

#include "emulation/simt/launch.hpp"

namespace assay::simt {

class LaunchScope {
 public:
  explicit LaunchScope(const LaunchOptions& options);
  ~LaunchScope();
  LaunchScope(const LaunchScope&) = delete;
  LaunchScope& operator=(const LaunchScope&) = delete;

 private:
  LaunchOptions options_;
  const LaunchOptions* before_;
};

}  // namespace assay::simt
