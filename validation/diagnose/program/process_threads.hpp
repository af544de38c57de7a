// The number of threads that a program has, as counted by the kernel.
#pragma once

#include <cstddef>
#include <vector>

namespace assay::diagnose {

struct ThreadsSeen {
  // The largest number at once in one process. Includes all threads that the program keeps between two answers; threads
  // that live only during a call are sampled, so some are missed.
  std::size_t most = 0;
  // Threads have ended: the process has used more CPU time than its present threads. Their number is not known.
  bool ended = false;
};

// Watches the processes of a process group.
class GroupThreads {
 public:
  explicit GroupThreads(int group) : group_(group) {}
  void look();          // counts the threads of the known processes
  void look_through();  // finds processes, and checks whether threads have ended in them
  const ThreadsSeen& seen() const { return seen_; }

 private:
  int group_;
  std::vector<int> processes_{};
  ThreadsSeen seen_{};
};

}  // namespace assay::diagnose
