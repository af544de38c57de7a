#include "emulation/simt/profile/warp_profile.hpp"

#include <algorithm>
#include <bit>

namespace assay::simt {
namespace {

constexpr std::uint32_t sector_bytes = 32, bank_bytes = 4, banks = 32;

template <class Visit>
void for_each_bit(std::uint32_t bits, const Visit& visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<std::uint32_t>(std::countr_zero(bits)));
}

std::size_t different(std::vector<std::uint64_t>& values) {
  std::sort(values.begin(), values.end());
  return static_cast<std::size_t>(std::unique(values.begin(), values.end()) - values.begin());
}

EventCounts counts_of_lanes(const WarpAccess& a) {
  EventCounts c;
  c.lanes = static_cast<std::uint64_t>(std::popcount(a.lanes));
  c.warps = 1;
  c.bytes = c.lanes * a.bytes;
  return c;
}

}  // namespace

const char* event_name(Event event) {
  constexpr const char* names[events] = {"global_read",  "global_write",  "global_atomic", "shared_read",
                                         "shared_write", "shared_atomic", "local",         "branch",
                                         "barrier",      "collective",    "matrix"};
  return names[static_cast<std::size_t>(event)];
}

EventCounts& EventCounts::operator+=(const EventCounts& o) {
  warps += o.warps;
  lanes += o.lanes;
  divergent += o.divergent;
  bytes += o.bytes;
  sectors += o.sectors;
  least_sectors += o.least_sectors;
  passes += o.passes;
  least_passes += o.least_passes;
  flops += o.flops;
  return *this;
}

EventCounts counts_of_global(const WarpAccess& a) {
  EventCounts c = counts_of_lanes(a);
  std::vector<std::uint64_t> sectors, bytes;
  for_each_bit(a.lanes, [&](std::uint32_t lane) {
    const std::uint64_t first = a.address[lane], last = first + std::max(a.bytes, 1U) - 1;
    for (std::uint64_t s = first / sector_bytes; s <= last / sector_bytes; ++s) sectors.push_back(s);
    bytes.push_back(first);
  });
  c.sectors = different(sectors);
  // Bytes that several lanes touch count once; lanes that overlap in part do not occur in aligned accesses.
  c.least_sectors = (different(bytes) * a.bytes + sector_bytes - 1) / sector_bytes;
  return c;
}

EventCounts counts_of_shared(const WarpAccess& a) {
  EventCounts c = counts_of_lanes(a);
  const std::uint32_t parts = a.bytes <= bank_bytes ? 1 : a.bytes <= 2 * bank_bytes ? 2 : 4;
  const std::uint32_t width = 32 / parts;
  for (std::uint32_t part = 0; part < parts; ++part) {
    std::array<std::vector<std::uint64_t>, banks> words;
    std::size_t all = 0;
    for (std::uint32_t lane = part * width; lane < (part + 1) * width; ++lane) {
      if ((a.lanes >> lane & 1) == 0) continue;
      const std::uint64_t last = (a.address[lane] + std::max(a.bytes, 1U) - 1) / bank_bytes;
      for (std::uint64_t word = a.address[lane] / bank_bytes; word <= last; ++word)
        words[word % banks].push_back(word);
    }
    std::size_t passes = 0;
    for (std::vector<std::uint64_t>& of_bank : words) {
      const std::size_t here = different(of_bank);
      passes = std::max(passes, here);
      all += here;
    }
    c.passes += passes;
    c.least_passes += (all + banks - 1) / banks;  // several where a lane copies more than 128 bytes
  }
  return c;
}

struct WarpProfile::Site {
  struct Warp {
    std::array<std::uint32_t, 32> times{};  // that each lane was here
    std::vector<std::unique_ptr<WarpAccess>> accesses{};
    std::vector<std::uint32_t> live{};  // when the first lane came
  };

  Event event{};
  bool touched = false;
  EventCounts counts{};
  std::vector<Warp> warps{};

  void count(const WarpAccess& access, std::uint32_t live) {
    EventCounts one;
    switch (event) {
      case Event::global_read:
      case Event::global_write:
      case Event::global_atomic: one = counts_of_global(access); break;
      case Event::shared_read:
      case Event::shared_write:
      case Event::shared_atomic: one = counts_of_shared(access); break;
      default: one = counts_of_lanes(access); break;
    }
    one.divergent = access.lanes != live ? 1 : 0;
    counts += one;
  }
};

WarpProfile::WarpProfile() = default;
WarpProfile::~WarpProfile() = default;

WarpProfile::Site& WarpProfile::site_of(const Place& place) {
  std::unique_ptr<Site>& site = sites_[place];
  if (site == nullptr) {
    site = std::make_unique<Site>();
    site->event = place.event;
  }
  return *site;
}

void WarpProfile::add(const Place& place, std::uint32_t warp, std::uint32_t lane, std::uint32_t live,
                      std::uint64_t address, std::uint32_t bytes) {
  Site& site = site_of(place);
  if (!site.touched) {
    site.touched = true;
    touched_.push_back(&site);
  }
  if (warp >= site.warps.size()) site.warps.resize(warp + 1);
  Site::Warp& w = site.warps[warp];
  const std::uint32_t time = w.times[lane]++;
  if (time >= w.accesses.size()) {
    w.accesses.push_back(std::make_unique<WarpAccess>());
    w.live.push_back(live);
  }
  std::unique_ptr<WarpAccess>& access = w.accesses[time];
  access->lanes |= 1U << lane;
  access->bytes = std::max(access->bytes, bytes);
  access->address[lane] = address;
  // Who has exited meanwhile was there before, or does not come.
  if (access->lanes == w.live[time]) {
    site.count(*access, w.live[time]);
    access.reset();
  }
}

void WarpProfile::add_together(const Place& place, std::uint32_t lanes, std::uint32_t live,
                               std::uint64_t flops) {
  EventCounts one;
  one.warps = 1;
  one.lanes = static_cast<std::uint64_t>(std::popcount(lanes));
  one.divergent = lanes != live ? 1 : 0;
  one.flops = flops;
  site_of(place).counts += one;
}

void WarpProfile::end_interval() {
  for (Site* const site : touched_) {
    for (Site::Warp& w : site->warps) {
      for (std::size_t i = 0; i < w.accesses.size(); ++i) {
        if (w.accesses[i] != nullptr) site->count(*w.accesses[i], w.live[i]);
      }
      w.accesses.clear();
      w.live.clear();
      w.times = {};
    }
    site->touched = false;
  }
  touched_.clear();
}

std::vector<WarpProfile::Line> WarpProfile::lines() const {
  std::vector<Line> all;
  for (const auto& [place, site] : sites_) all.push_back({place, site->counts});
  std::sort(all.begin(), all.end(), [](const Line& a, const Line& b) {
    return a.place.pc != b.place.pc ? a.place.pc < b.place.pc : a.place.event < b.place.event;
  });
  return all;
}

}  // namespace assay::simt
