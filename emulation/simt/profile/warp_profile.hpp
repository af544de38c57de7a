// What the instructions of a kernel do, counted by warp: the accesses of 32 lanes by one instruction are one, as on the
// hardware, although the lanes run one after another here.
//
// Rules
//   together   The n-th time that a lane comes to an instruction since the last barrier of its block belongs to the
//              n-th time of the other lanes of its warp.
//   sector     32 bytes of global memory, aligned. A warp's access moves each sector that it touches once.
//   bank       4 bytes of shared memory of each 128. Lanes that touch different words of one bank wait for one another;
//              one word is read by all at once. Accesses of 8 and of 16 bytes go by half and by quarter of a warp.
//   Source: CUDA C++ Programming Guide, "Device Memory Accesses" and "Shared Memory" of compute capability 5.x and
//   later; NVIDIA, "Global Memory Access Patterns". Caches, and merging of half warps, are not modelled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace assay::simt {

enum class Event : std::uint8_t {
  global_read,
  global_write,
  global_atomic,
  shared_read,
  shared_write,
  shared_atomic,
  local,       // a thread's own stack
  branch,      // a basic block begins
  barrier,     // of a block
  collective,  // of a warp
  matrix       // a warp's multiply-add
};
inline constexpr std::size_t events = 11;
const char* event_name(Event event);

struct EventCounts {
  std::uint64_t warps = 0;      // times that a warp, or a part of one, came
  std::uint64_t lanes = 0;      // of them
  std::uint64_t divergent = 0;  // times without all of its lanes that were there at the last barrier
  std::uint64_t bytes = 0;      // asked for, by all lanes
  std::uint64_t sectors = 0,
                least_sectors = 0;  // global memory; the second: those that its different bytes fill
  std::uint64_t passes = 0, least_passes = 0;  // shared memory; the second: without conflicts of banks
  std::uint64_t flops = 0;                     // of matrix operations

  EventCounts& operator+=(const EventCounts& other);
};

// The lanes of one access of a warp.
struct WarpAccess {
  std::uint32_t lanes = 0;  // a bit each
  std::uint32_t bytes = 0;  // of each lane
  std::array<std::uint64_t, 32> address{};
};
// Counts of one access.
EventCounts counts_of_global(const WarpAccess& access);
EventCounts counts_of_shared(const WarpAccess& access);

class WarpProfile {
 public:
  // A place in the code, and what happens there.
  struct Place {
    std::uint64_t pc = 0;
    Event event{};
    friend bool operator==(const Place&, const Place&) = default;
  };

  WarpProfile();
  ~WarpProfile();
  WarpProfile(const WarpProfile&) = delete;
  WarpProfile& operator=(const WarpProfile&) = delete;

  // Lane `lane` of warp `warp` comes to a place; `live`: the lanes of the warp that were there
  // at the last barrier, or began with the block.
  void add(const Place& place, std::uint32_t warp, std::uint32_t lane, std::uint32_t live,
           std::uint64_t address = 0, std::uint32_t bytes = 0);
  // What all lanes do at once.
  void add_together(const Place& place, std::uint32_t lanes, std::uint32_t live, std::uint64_t flops = 0);
  // A barrier of the block, or its end: what comes later belongs together anew.
  void end_interval();

  struct Line {
    Place place;
    EventCounts counts;
  };
  // In the order of the code.
  std::vector<Line> lines() const;

 private:
  struct Site;
  Site& site_of(const Place& place);

  struct Hash {
    std::size_t operator()(const Place& p) const {
      return static_cast<std::size_t>((p.pc * 16 + static_cast<std::uint64_t>(p.event)) *
                                      0x9E3779B97F4A7C15U);
    }
  };
  std::unordered_map<Place, std::unique_ptr<Site>, Hash> sites_;
  std::vector<Site*> touched_{};  // since the last barrier
};

}  // namespace assay::simt
