// How many threads a program really has, as the kernel counts them.
#pragma once

#include <cstddef>
#include <vector>

namespace assay::diagnose {

struct ThreadsSeen {
  // At once, of the process that had most. Threads that a program keeps for its next loop are there between two
  // answers; of those that live during a call alone, as many as were met by looking now and then.
  std::size_t most = 0;
  // Threads that had ended took CPU time: there were more than are left, how many is not known.
  bool ended = false;
};

// Watches the processes of a group.
class GroupThreads {
 public:
  explicit GroupThreads(int group) : group_(group) {}
  void look();          // at the processes that were found
  void look_through();  // finds processes, and whether threads have ended in them
  const ThreadsSeen& seen() const { return seen_; }

 private:
  int group_;
  std::vector<int> processes_{};
  ThreadsSeen seen_{};
};

}  // namespace assay::diagnose
