// Who is told what the threads of blocks do: a profile, for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace assay::simt {

class Block;

class Observer {
 public:
  enum class Arrival : std::uint8_t { barrier, collective };
  enum class Access : std::uint8_t { read, write, atomic };

  virtual ~Observer() = default;

  virtual void block_begins(const Block& block) = 0;
  virtual void block_ends(const Block& block) = 0;
  // What the calling thread does until it leaves, it does at this place of the program. False if it is at one already.
  virtual bool enters(const Block& block, const void* site) = 0;
  virtual void leaves(const Block& block) = 0;
  // Of the calling thread. `site`: the place in the program.
  virtual void arrives(const Block& block, Arrival at, const void* site) = 0;
  // What the runtime does in its name, where the compiler sees no access: copies, and those of inline PTX.
  virtual void accesses(const Block& block, Access access, const void* address, std::size_t bytes,
                        const void* site) = 0;
  // All threads of the block have come to a barrier.
  virtual void barrier_opens(const Block& block) = 0;
  // A multiply-add of a warp, done by the last lane that came: so many float operations.
  virtual void multiplies(const Block& block, std::uint64_t operations) = 0;
  // What is launched from now on lies in this range of NVTX: names from the outermost, " / " between them, and nothing
  // outside of all.
  virtual void enters_range(const std::string& name) = 0;
};

// Null for nobody. Set before the first launch.
extern constinit Observer* observer;

// The range of NVTX that the calling thread of the host is in, as Observer::enters_range() has it.
std::string current_range();

// The calling thread is at this place until the end of the scope, unless a caller has said where it is.
class AtSite {
 public:
  explicit AtSite(const void* site);
  ~AtSite();
  AtSite(const AtSite&) = delete;
  AtSite& operator=(const AtSite&) = delete;

 private:
  bool entered_;
};

// In the name of the calling thread, if somebody looks on. At the place of the asm statement that runs, or of none.
void tell_access(Observer::Access access, const void* address, std::size_t bytes);
inline void tell_copy(const void* to, const void* from, std::size_t bytes) {
  tell_access(Observer::Access::read, from, bytes);
  tell_access(Observer::Access::write, to, bytes);
}

}  // namespace assay::simt
