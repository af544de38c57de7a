#include "emulation/simt/profile/recorder.hpp"

#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulation/simt/block.hpp"
#include "emulation/simt/observer.hpp"
#include "emulation/simt/profile/warp_profile.hpp"
#include "emulation/simt/ptx.hpp"

namespace assay::simt {
namespace {

class Recorder final : public Observer {
 public:
  explicit Recorder(std::string file) : file_(std::move(file)) { enters_range(""); }

  void block_begins(const Block& block) override {
    there_.assign((block.threads() + warp_lanes - 1) / warp_lanes, 0);
    sites_.assign(block.threads(), nullptr);
    for (std::uint32_t t = 0; t < block.threads(); ++t) there_[t / warp_lanes] |= 1U << t % warp_lanes;
  }
  void block_ends(const Block&) override {
    profile_->end_interval();
    there_.clear();
  }
  void barrier_opens(const Block&) override { profile_->end_interval(); }
  void enters_range(const std::string& name) override {
    // Few: a list will do.
    auto range = std::ranges::find(ranges_, name, &Range::name);
    if (range == ranges_.end()) range = ranges_.insert(range, {name, std::make_unique<WarpProfile>()});
    profile_ = range->profile.get();
  }

  bool enters(const Block& block, const void* site) override {
    const void*& own = sites_[block.thread_number()];
    if (own != nullptr) return false;
    own = site;
    return true;
  }
  void leaves(const Block& block) override { sites_[block.thread_number()] = nullptr; }
  void arrives(const Block& block, Arrival at, const void* site) override {
    add(block, at == Arrival::barrier ? Event::barrier : Event::collective, pc_of(block, site), nullptr, 0);
    last_site_ = pc_of(block, site);
  }
  void accesses(const Block& block, Access access, const void* address, std::size_t bytes,
                const void* site) override {
    add(block, event_of(block, access, address, bytes), pc_of(block, site), address, bytes);
  }
  void multiplies(const Block& block, std::uint64_t operations) override {
    const std::uint32_t lanes = there_[block.thread_number() / warp_lanes];
    profile_->add_together({last_site_, Event::matrix}, lanes, lanes, operations);
  }

  void add(const Block& block, Event event, std::uint64_t pc, const void* address, std::size_t bytes) {
    const std::uint32_t thread = block.thread_number(), warp = thread / warp_lanes;
    profile_->add({pc, event}, warp, thread % warp_lanes, there_[warp],
                  reinterpret_cast<std::uint64_t>(address), static_cast<std::uint32_t>(bytes));
  }
  static Event event_of(const Block& block, Access access, const void* address, std::size_t bytes) {
    // CUDA's own variables are registers.
    for (const void* const own : {static_cast<const void*>(&threadIdx), static_cast<const void*>(&blockIdx),
                                  static_cast<const void*>(&blockDim), static_cast<const void*>(&gridDim)}) {
      const auto* const at = static_cast<const char*>(address);
      if (at >= own && at < static_cast<const char*>(own) + sizeof(uint3)) return Event::local;
    }
    if (block.on_stack(address)) return Event::local;
    const bool shared = is_shared_memory(address, bytes);
    switch (access) {
      case Access::read: return shared ? Event::shared_read : Event::global_read;
      case Access::write: return shared ? Event::shared_write : Event::global_write;
      case Access::atomic: return shared ? Event::shared_atomic : Event::global_atomic;
    }
    return Event::local;
  }

  // Addresses as the program's file has them.
  void write() const {
    std::FILE* const out = std::fopen(file_.c_str(), "w");
    if (out == nullptr) {
      std::fprintf(stderr, "simt: %s cannot be written\n", file_.c_str());
      return;
    }
    const std::uint64_t base = load_address();
    for (const Range& range : ranges_) {
      std::fprintf(out, "range %s\n", range.name.c_str());
      for (const WarpProfile::Line& line : range.profile->lines()) write(out, line, base);
    }
    std::fclose(out);
  }

 private:
  // What was launched in a range of NVTX.
  struct Range {
    std::string name;
    std::unique_ptr<WarpProfile> profile;
  };

  static void write(std::FILE* out, const WarpProfile::Line& line, std::uint64_t base) {
    const EventCounts& c = line.counts;
    std::fprintf(out, "place %s %llx", event_name(line.place.event),
                 static_cast<unsigned long long>(line.place.pc - base));
    for (const std::uint64_t n : {c.warps, c.lanes, c.divergent, c.bytes, c.sectors, c.least_sectors,
                                  c.passes, c.least_passes, c.flops})
      std::fprintf(out, " %llu", static_cast<unsigned long long>(n));
    std::fputc('\n', out);
  }
  std::uint64_t pc_of(const Block& block, const void* site) const {
    const void* const own = sites_[block.thread_number()];
    return reinterpret_cast<std::uint64_t>(own != nullptr ? own : site);
  }
  static std::uint64_t load_address() {
    std::uint64_t base = 0;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* out) {
          *static_cast<std::uint64_t*>(out) = info->dlpi_addr;  // the program is the first
          return 1;
        },
        &base);
    return base;
  }

  std::string file_;
  std::vector<Range> ranges_{};
  WarpProfile* profile_ = nullptr;      // of the range that the host is in
  std::vector<std::uint32_t> there_{};  // lanes of each warp at the last barrier
  std::vector<const void*> sites_{};    // of threads, see calls()
  std::uint64_t last_site_ = 0;
};

// Null where nobody asked for a profile.
Recorder* recorder = nullptr;

struct Start {
  Start() {
    const char* const file = std::getenv("ASSAY_SIMT_PROFILE");
    if (file == nullptr) return;
    recorder = new Recorder(file);
    observer = recorder;
    std::atexit([] { recorder->write(); });
  }
} const start;

}  // namespace

void record_access(std::uint64_t caller, Access access, const void* address, std::size_t bytes) {
  const Block* const block = Block::current();
  if (block == nullptr || recorder == nullptr) return;
  const auto same = static_cast<Observer::Access>(access);
  recorder->add(*block, Recorder::event_of(*block, same, address, bytes), caller, address, bytes);
}

void record_branch(std::uint64_t caller) {
  const Block* const block = Block::current();
  if (block == nullptr || recorder == nullptr) return;
  recorder->add(*block, Event::branch, caller, nullptr, 0);
}

}  // namespace assay::simt
