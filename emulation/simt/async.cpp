#include "emulation/simt/async.hpp"

#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "emulation/simt/block.hpp"
#include "emulation/simt/observer.hpp"

namespace assay::simt {
namespace {

struct Copy {
  void* dst;
  const void* src;
  std::size_t bytes, zero_fill;

  void run() const {
    if (bytes != zero_fill) std::memcpy(dst, src, bytes - zero_fill);
    if (zero_fill != 0) std::memset(static_cast<unsigned char*>(dst) + (bytes - zero_fill), 0, zero_fill);
  }
};

// Things to be done in order, in groups: those up to ends[0] are the first group that waits.
template <class Item>
struct Groups {
  std::vector<Item> items{};
  std::size_t done = 0;  // of all that were ever added
  std::size_t added = 0;
  std::vector<std::size_t> ends{};  // counts of added items

  void add(Item item) {
    items.push_back(std::move(item));
    ++added;
  }
  void commit() { ends.push_back(added); }
  template <class Run>
  void run_until(std::size_t end, const Run& run) {
    // A copy may be added while one runs by nobody: they call nothing.
    std::size_t i = 0;
    for (; done < end; ++done, ++i) run(items[i]);
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(i));
  }
  template <class Run>
  void wait(std::size_t left, const Run& run) {
    if (ends.size() <= left) return;
    const std::size_t groups = ends.size() - left;
    run_until(ends[groups - 1], run);
    ends.erase(ends.begin(), ends.begin() + static_cast<std::ptrdiff_t>(groups));
  }
};

struct ThreadCopies {
  Groups<Copy> copies{};
  Groups<std::function<void()>> bulk{};
};

// Of a barrier: what happens when it is tested.
struct Report {
  std::function<void()> copy{};  // a bulk copy, or
  std::uint32_t thread = 0;      // the copies of this thread
  std::size_t until = 0;         // so many of them
  std::uint32_t bytes = 0;
  bool arrives = false;
};

// Of the block that runs on this OS thread.
struct AsyncState {
  const Block* block = nullptr;
  std::uint64_t run = 0;
  std::vector<ThreadCopies> threads{};
  std::map<const Mbarrier*, std::vector<Report>> reports{};
  std::uint64_t vain_tests = 0, activity = 0;
};
thread_local AsyncState async_state;

AsyncState& async_now() {
  const Block* const block = Block::current();
  if (async_state.block != block || async_state.run != block->run_number()) {
    async_state = {};
    async_state.block = block;
    async_state.run = block->run_number();
  }
  return async_state;
}
ThreadCopies& copies_of(std::uint32_t thread) {
  auto& threads = async_now().threads;
  if (threads.size() <= thread) threads.resize(thread + 1);
  return threads[thread];
}
ThreadCopies& own_copies() { return copies_of(Block::current()->thread_number()); }

constexpr auto run_copy = [](const Copy& copy) { copy.run(); };
constexpr auto run_function = [](const std::function<void()>& copy) { copy(); };

// The fields of the word. Memory of all ones, as shared memory begins, and of all zeros is no barrier.
struct MbarrierFields {
  std::uint32_t pending, expected;
  std::int32_t bytes;  // announced less those that have come
  bool parity;
};
constexpr std::uint64_t mbarrier_no_barrier = std::uint64_t{1} << 62;
constexpr int mbarrier_count_bits = 20, mbarrier_byte_bits = 22;

MbarrierFields fields_of(std::uint64_t word) {
  const auto field = [&](int at, int bits) {
    return static_cast<std::uint32_t>(word >> at & ((std::uint64_t{1} << bits) - 1));
  };
  const std::uint32_t bytes = field(2 * mbarrier_count_bits, mbarrier_byte_bits);
  const int unused = 32 - mbarrier_byte_bits;
  return {field(0, mbarrier_count_bits), field(mbarrier_count_bits, mbarrier_count_bits),
          static_cast<std::int32_t>(bytes << unused) >> unused, word >> 63 != 0};
}
std::uint64_t word_of(const MbarrierFields& f) {
  const std::uint64_t bytes =
      static_cast<std::uint32_t>(f.bytes) & ((std::uint64_t{1} << mbarrier_byte_bits) - 1);
  return f.pending | std::uint64_t{f.expected} << mbarrier_count_bits | bytes << (2 * mbarrier_count_bits) |
         std::uint64_t{f.parity} << 63;
}

MbarrierFields read_barrier(const Mbarrier* barrier) {
  const MbarrierFields f = fields_of(*barrier);
  if ((*barrier & mbarrier_no_barrier) != 0 || f.expected + f.pending == 0)
    Block::current()->fail("an mbarrier is used that was not initialised");
  return f;
}
void write_barrier(Mbarrier* barrier, MbarrierFields f) {
  if (f.pending == 0 && f.bytes == 0) {
    f.parity = !f.parity;
    f.pending = f.expected;
  }
  *barrier = word_of(f);
  async_now().vain_tests = 0;
}

void add_bytes(MbarrierFields& f, std::int64_t bytes) {
  constexpr std::int64_t most = (1 << 20) - 1;
  const std::int64_t sum = f.bytes + bytes;
  if (sum > most || sum < -most)
    Block::current()->fail("the bytes of an mbarrier leave their range, " + std::to_string(sum));
  f.bytes = static_cast<std::int32_t>(sum);
}

std::uint64_t arrive_by(Mbarrier* barrier, std::uint32_t count, bool drop) {
  MbarrierFields f = read_barrier(barrier);
  const std::uint64_t before = *barrier;
  if (count > f.pending || (drop && count > f.expected))
    Block::current()->fail("more arrivals at an mbarrier than its phase expects");
  f.pending -= count;
  if (drop) f.expected -= count;
  write_barrier(barrier, f);
  return before;
}

// What reports to the barrier.
void run_reports(Mbarrier* barrier) {
  AsyncState& state = async_now();
  const auto found = state.reports.find(barrier);
  if (found == state.reports.end()) return;
  std::vector<Report> reports = std::move(found->second);
  state.reports.erase(found);
  for (const Report& report : reports) {
    if (report.copy) report.copy();
    if (report.arrives) {
      copies_of(report.thread).copies.run_until(report.until, run_copy);
      mbarrier_arrive(barrier);
    }
    if (report.bytes != 0) mbarrier_complete_tx(barrier, report.bytes);
  }
}

// Tests in vain, with nothing else going on, after which nothing will: every thread has asked by then.
constexpr std::uint64_t most_vain_tests = 1U << 16;

template <class Ended>
bool test_barrier(Mbarrier* barrier, const Ended& ended) {
  run_reports(barrier);
  if (ended(read_barrier(barrier))) {
    async_now().vain_tests = 0;
    return true;
  }
  AsyncState& state = async_now();
  if (state.activity != Block::current()->activity()) state.vain_tests = 0;
  state.activity = Block::current()->activity();
  if (++state.vain_tests > most_vain_tests)
    Block::current()->fail("deadlock: threads wait at an mbarrier whose phase does not end: " +
                           std::to_string(read_barrier(barrier).pending) + " arrivals and " +
                           std::to_string(read_barrier(barrier).bytes) + " bytes are missing");
  Block::current()->yield_asking();
  run_reports(barrier);
  return ended(read_barrier(barrier));
}

}  // namespace

void async_copy(void* dst, const void* src, std::size_t bytes, std::size_t zero_fill) {
  if (observer != nullptr) {
    const void* const site = __builtin_return_address(0);
    observer->accesses(*Block::current(), Observer::Access::read, src, bytes - zero_fill, site);
    observer->accesses(*Block::current(), Observer::Access::write, dst, bytes, site);
  }
  own_copies().copies.add({dst, src, bytes, zero_fill});
}
void async_commit() { own_copies().copies.commit(); }
void async_wait(std::size_t groups_left) { own_copies().copies.wait(groups_left, run_copy); }
void async_wait_all() {
  auto& copies = own_copies().copies;
  copies.run_until(copies.added, run_copy);
  copies.ends.clear();
}

void bulk_copy(std::function<void()> copy) { own_copies().bulk.add(std::move(copy)); }
void bulk_commit() { own_copies().bulk.commit(); }
void bulk_wait(std::size_t groups_left) { own_copies().bulk.wait(groups_left, run_function); }

void mbarrier_init(Mbarrier* barrier, std::uint32_t count) {
  if (count == 0 || count > mbarrier_max_count)
    Block::current()->fail("an mbarrier of " + std::to_string(count) + " arrivals, not 1 to 2^20 - 1");
  async_now().reports.erase(barrier);
  *barrier = word_of({count, count, 0, false});
}
void mbarrier_inval(Mbarrier* barrier) {
  read_barrier(barrier);
  *barrier = mbarrier_no_barrier;
}
std::uint64_t mbarrier_arrive(Mbarrier* barrier, std::uint32_t count) {
  return arrive_by(barrier, count, false);
}
std::uint64_t mbarrier_arrive_drop(Mbarrier* barrier, std::uint32_t count) {
  return arrive_by(barrier, count, true);
}
void mbarrier_expect_tx(Mbarrier* barrier, std::uint32_t bytes) {
  MbarrierFields f = read_barrier(barrier);
  add_bytes(f, bytes);
  // Announcing ends no phase: it has arrivals to come.
  *barrier = word_of(f);
}
void mbarrier_complete_tx(Mbarrier* barrier, std::uint32_t bytes) {
  MbarrierFields f = read_barrier(barrier);
  add_bytes(f, -std::int64_t{bytes});
  write_barrier(barrier, f);
}
std::uint32_t mbarrier_pending(std::uint64_t state) { return fields_of(state).pending; }

void mbarrier_arrive_after_copies(Mbarrier* barrier, bool adds) {
  MbarrierFields f = read_barrier(barrier);
  if (adds) {
    if (f.pending == mbarrier_max_count) Block::current()->fail("an mbarrier expects too many arrivals");
    ++f.pending;
    *barrier = word_of(f);
  }
  Report report;
  report.thread = Block::current()->thread_number();
  report.until = own_copies().copies.added;
  report.arrives = true;
  async_now().reports[barrier].push_back(std::move(report));
}
void mbarrier_copy(Mbarrier* barrier, std::function<void()> copy, std::uint32_t bytes) {
  read_barrier(barrier);
  Report report;
  report.copy = std::move(copy);
  report.bytes = bytes;
  async_now().reports[barrier].push_back(std::move(report));
}

bool mbarrier_test_wait(Mbarrier* barrier, std::uint64_t state) {
  const bool parity = fields_of(state).parity;
  return test_barrier(barrier, [&](const MbarrierFields& f) { return f.parity != parity; });
}
bool mbarrier_test_wait_parity(Mbarrier* barrier, std::uint32_t parity) {
  return test_barrier(barrier, [&](const MbarrierFields& f) { return f.parity != ((parity & 1) != 0); });
}
void mbarrier_wait(Mbarrier* barrier, std::uint64_t state) {
  while (!mbarrier_test_wait(barrier, state)) {
  }
}
void mbarrier_wait_parity(Mbarrier* barrier, std::uint32_t parity) {
  while (!mbarrier_test_wait_parity(barrier, parity)) {
  }
}

}  // namespace assay::simt
