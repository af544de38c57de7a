#include "emulation/simt/block.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "emulation/simt/grid.hpp"
#include "emulation/simt/observer.hpp"

constinit thread_local uint3 threadIdx{0, 0, 0}, blockIdx{0, 0, 0};
constinit thread_local dim3 blockDim{1, 1, 1}, gridDim{1, 1, 1};

namespace assay::simt {
namespace {

// 16 is that of a cluster of one block, the last one that of the grid.
constexpr std::uint32_t hardware_barriers = 17;

struct ThreadExit {};

constexpr std::atomic<bool> never_stopped{false};

}  // namespace

constinit thread_local Block* Block::current_ = nullptr;
constinit Observer* observer = nullptr;

enum class Block::Waiting : std::uint8_t { nothing, barrier, collective, convergence, group, memory, asking };

// A cache line: the threads of a block are many.
struct Block::Thread {
  uint3 index{};
  int error = 0;
  std::uint32_t mask = 0;        // of a collective; of a convergence what comes out
  std::uint32_t ended_in = 0;    // run of the block
  std::uint32_t arrived_in = 0;  // phase of arrive_of_all()
  std::uint8_t lane = 0, warp = 0;
  Waiting waiting = Waiting::nothing;
  Scope scope = Scope::block;
  Fibre* fibre = nullptr;  // on which it waits
  const void* in = nullptr;
  union {
    void* out = nullptr;
    const void* site;  // of a convergence
  };
  union {
    Collective* operation = nullptr;
    bool (*done)(const void*);  // of wait_until(), with `in`
  };
};

AtSite::AtSite(const void* site)
    : entered_(observer != nullptr && observer->enters(*Block::current(), site)) {}
AtSite::~AtSite() {
  if (entered_) observer->leaves(*Block::current());
}
void tell_access(Observer::Access access, const void* address, std::size_t bytes) {
  if (observer != nullptr) observer->accesses(*Block::current(), access, address, bytes, nullptr);
}

struct Block::Warp {
  std::array<Thread*, warp_lanes> lanes{};
  std::uint32_t there = 0;    // in the block
  std::uint32_t live = 0;     // of them, who has not exited
  std::uint32_t waiting = 0;  // in a collective
};

struct Block::Barrier {
  std::vector<Thread*> waiting{};
  std::uint32_t votes = 0;
  Vote vote = Vote::none;
  std::uint32_t answer = 0;   // of all that live, who read it before the next one can be known
  std::uint32_t arrived = 0;  // that do not wait
  std::uint32_t threads =
      0;  // that it is for, each of which then keeps the answer in its mask; 0: all that live
};

struct Block::Group {
  std::uint32_t first = 0, count = 0;
  GroupOperation* operation = nullptr;
  std::vector<Thread*> waiting{};
};

Block::Block(const BlockOptions& options) : options_(options) { barriers_.resize(hardware_barriers + 1); }
Block::~Block() = default;

std::uint32_t Block::lane() const { return thread_->lane; }
void Block::exit_thread() { throw ThreadExit(); }
std::uint32_t Block::thread_number() const { return static_cast<std::uint32_t>(thread_ - threads_.data()); }
int& Block::last_error() { return thread_->error; }

// What is the same for all blocks of this extent.
void Block::prepare(const dim3& extent) {
  extent_ = extent;
  count_ = extent.x * extent.y * extent.z;
  threads_.assign(count_, {});
  warps_.assign((count_ + warp_lanes - 1) / warp_lanes, {});
  for (std::uint32_t t = 0; t < count_; ++t) {
    Thread& thread = threads_[t];
    thread.index = {t % extent.x, t / extent.x % extent.y, t / (extent.x * extent.y)};
    thread.lane = static_cast<std::uint8_t>(t % warp_lanes);
    thread.warp = static_cast<std::uint8_t>(t / warp_lanes);
    Warp& warp = warps_[thread.warp];
    warp.lanes[thread.lane] = &thread;
    warp.there |= 1U << thread.lane;
  }
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), 0U);
  if (options_.schedule == Schedule::reverse) std::reverse(order_.begin(), order_.end());
}

std::string Block::run(const dim3& extent, const Kernel& kernel, std::uint64_t number, Grid* grid) {
  if (count_ == 0 || extent.x != extent_.x || extent.y != extent_.y || extent.z != extent_.z) prepare(extent);
  kernel_ = kernel;
  live_ = count_;
  begun_ = at_barriers_ = at_groups_ = rounds_ = arrived_ = 0;
  ++phase_;
  failed_ = was_stopped_ = false;
  ++runs_;
  number_ = number;
  grid_ = grid;
  stop_ = grid != nullptr ? &grid->stopped() : &never_stopped;
  failure_.clear();
  for (Barrier& barrier : barriers_) barrier.arrived = 0;
  for (Warp& warp : warps_) {
    warp.live = warp.there;
    warp.waiting = 0;
  }
  if (options_.schedule == Schedule::random) {
    random_ = options_.seed * 0x9E3779B97F4A7C15U + number * 0xBF58476D1CE4E5B9U + 1;
    std::iota(order_.begin(), order_.end(), 0U);
    for (std::uint32_t i = count_; i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
  }
  Block* const before = std::exchange(current_, this);
  if (observer != nullptr) observer->block_begins(*this);
  running_ = &host_;
  // Threads that never wait run one after another on one fibre; the host goes on when all have ended, or none can.
  while (live_ != 0 && !failed_) {
    if (begun_ == count_ && next_ready_ == ready_.size() && !refill()) {
      if (failed_) break;
      failed_ = true;
      failure_ = "deadlock: " + who_waits();
      break;
    }
    resume_next(host_);
  }
  if (observer != nullptr) observer->block_ends(*this);
  current_ = before;
  if (!options_.guard_pages) check_stacks();
  if (failed_) {
    // What waits will not go on: its stacks go.
    spare_.clear();
    fibres_.clear();
    ready_.clear();
    yielded_.clear();
    looking_.clear();
    groups_.clear();
    next_ready_ = 0;
    for (Barrier& barrier : barriers_) barrier = {};
  }
  if (thrown_ != nullptr) std::rethrow_exception(std::exchange(thrown_, nullptr));
  return failure_;
}

void Block::fibre_main(void* argument) {
  auto& block = *static_cast<Block*>(argument);
  for (;;) {
    Fibre& self = *block.running_;
    block.run_new_threads();
    block.spare_.push_back(&self);
    block.resume_next(self);
  }
}

inline void Block::end(Thread& thread) {
  thread.ended_in = static_cast<std::uint32_t>(runs_);
  --live_;
  Warp& warp = warps_[thread.warp];
  warp.live &= ~(1U << thread.lane);
  if ((at_barriers_ | at_groups_ | warp.waiting | arrived_) != 0) go_on_without(warp, thread);
}

// What waited for a thread of this warp that has ended.
void Block::go_on_without(Warp& warp, const Thread& ended) {
  if (arrived_ != 0 && ended.arrived_in != phase_) ++absent_;
  if (at_barriers_ != 0 && at_barriers_ == live_) {
    for (Barrier& barrier : barriers_) {
      if (barrier.threads == 0) release_if_full(barrier);
    }
  }
  if (warp.waiting != 0) complete_all(warp);
  if (at_groups_ != 0) {
    for (const std::unique_ptr<Group>& group : groups_) {
      if (!group->waiting.empty()) complete(*group);
    }
  }
}

inline void Block::enter(Thread& thread) {
  if (thread.waiting != Waiting::asking) ++activity_;
  thread_ = &thread;
  threadIdx = thread.index;
}

void Block::run_new_threads() {
  Fibre& self = *running_;
  while (begun_ < count_ && !failed_) {
    if (stop_->load(std::memory_order_relaxed)) [[unlikely]]
      return stop();
    Thread& thread = threads_[order_[begun_++]];
    thread.fibre = &self;
    thread.waiting = Waiting::nothing;
    thread.error = 0;
    enter(thread);
    try {
      kernel_.call(kernel_.closure);
    } catch (const ThreadExit&) {
      // as a return
    } catch (...) {
      failed_ = true;
      thrown_ = std::current_exception();
      return;
    }
    end(thread);
  }
}

Fibre& Block::spare_fibre() {
  if (spare_.empty()) {
    fibres_.push_back(std::make_unique<Fibre>(options_.stack_bytes, fibres_.size(), fibre_main, this,
                                              options_.guard_pages));
    return *fibres_.back();
  }
  Fibre& fibre = *spare_.back();
  spare_.pop_back();
  return fibre;
}

// From the fibre that runs to the next thread; to the host where there is none.
void Block::resume_next(Fibre& from) {
  Fibre* to = &host_;
  if (stop_->load(std::memory_order_relaxed)) [[unlikely]]
    stop();
  if (!failed_) {
    if (begun_ < count_) {
      to = &spare_fibre();
    } else if (Thread* const thread = next_ready_ != ready_.size() || refill() ? take_ready() : nullptr) {
      enter(*thread);
      to = thread->fibre;
    }
  }
  if (to == &from) return;
  running_ = to;
  from.switch_to(*to);
}

void Block::suspend() {
  Thread& self = *thread_;
  resume_next(*self.fibre);
  self.waiting = Waiting::nothing;
}

void Block::make_ready(Thread& thread) { ready_.push_back(&thread); }

Block::Thread* Block::take_ready() {
  if (next_ready_ == ready_.size()) return nullptr;
  if (options_.schedule == Schedule::random)
    std::swap(ready_[next_ready_], ready_[next_ready_ + random() % (ready_.size() - next_ready_)]);
  Thread* const thread = ready_[next_ready_++];
  if (next_ready_ == ready_.size()) {
    ready_.clear();
    next_ready_ = 0;
  }
  return thread;
}

void Block::stop() {
  if (failed_) return;
  failed_ = was_stopped_ = true;
  failure_ = who_waits();
}

// Where none is ready and all have begun: those that yielded and those that see what they wait for. After some rounds
// of the former alone also those that wait for others to converge with them. False where nothing can go on.
bool Block::refill() {
  for (;;) {
    bool any = !looking_.empty() && look();
    if (!yielded_.empty()) {
      ready_.insert(ready_.end(), yielded_.begin(), yielded_.end());
      yielded_.clear();
      if (++rounds_ % 8 == 0) {
        converge();
        // Blocks of a cooperative grid may be more than processors. Others wait for one that runs, or do not wait.
        if (grid_ != nullptr && grid_->cooperative()) sched_yield();
      }
      return true;
    }
    any = any || converge();
    if (any) return true;
    // Another block may write what they wait for.
    const auto of_device = [](const Thread* thread) { return thread->scope == Scope::device; };
    if (grid_ == nullptr || !grid_->concurrent() || std::none_of(looking_.begin(), looking_.end(), of_device))
      return false;
    if (stop_->load(std::memory_order_relaxed)) {
      stop();
      return false;
    }
    sched_yield();
  }
}

bool Block::look() {
  const auto waits = [](const Thread* thread) { return !thread->done(thread->in); };
  const auto end = std::stable_partition(looking_.begin(), looking_.end(), waits);
  const bool any = end != looking_.end();
  ready_.insert(ready_.end(), end, looking_.end());
  looking_.erase(end, looking_.end());
  return any;
}

void Block::check_stacks() {
  for (const std::unique_ptr<Fibre>& fibre : fibres_) {
    if (!fibre->has_overflowed()) continue;
    std::fprintf(stderr,
                 "simt: a thread of block %llu needs more than %zu bytes of stack (ASSAY_SIMT_STACK)\n",
                 static_cast<unsigned long long>(number_), options_.stack_bytes);
    std::abort();  // what lay beyond it is not what it was
  }
}

Block::Barrier& Block::barrier_of(std::uint32_t id, std::uint32_t threads) {
  if (id >= hardware_barriers) fail("a block has no barrier " + std::to_string(id));
  // Of all its threads: those that have exited count as arrived.
  if (threads == count_) threads = 0;
  if (threads % warp_lanes != 0 || threads > count_)
    fail("a barrier for " + std::to_string(threads) + " threads in a block of " + std::to_string(count_) +
         ", not whole warps of it");
  Barrier& barrier = barriers_[id];
  if (barrier.waiting.empty() && barrier.arrived == 0) barrier.threads = threads;
  if (barrier.threads != threads)
    fail("threads come to barrier " + std::to_string(id) + " of " + std::to_string(barrier.threads) +
         " and of " + std::to_string(threads) + " threads (0: of all)");
  return barrier;
}

std::uint32_t Block::barrier(std::uint32_t id, bool predicate, Vote vote, std::uint32_t threads) {
  Thread& self = *thread_;
  if (observer != nullptr) observer->arrives(*this, Observer::Arrival::barrier, __builtin_return_address(0));
  Barrier& barrier =
      (id | threads) == 0 && barriers_[0].threads == 0 ? barriers_[0] : barrier_of(id, threads);
  barrier.vote = vote;
  barrier.votes += predicate ? 1 : 0;
  barrier.waiting.push_back(&self);
  ++at_barriers_;
  self.waiting = Waiting::barrier;
  const bool of_all = barrier.threads == 0;
  release_if_full(barrier);
  suspend();
  return of_all ? barrier.answer : self.mask;
}

void Block::arrive(std::uint32_t id, std::uint32_t threads) {
  Barrier& barrier = barrier_of(id, threads);
  ++barrier.arrived;
  release_if_full(barrier);
}

void Block::release_if_full(Barrier& barrier) {
  const auto there = static_cast<std::uint32_t>(barrier.waiting.size()) + barrier.arrived;
  // Who has only arrived may exit, and must not count twice.
  const std::uint32_t all = barrier.threads != 0 ? barrier.threads : barrier.arrived != 0 ? count_ : live_;
  if (there != 0 && there >= all) release(barrier);
}

std::uint32_t Block::arrive_of_all() {
  if (all_have_arrived(phase_) || arrived_ == 0) absent_ = count_ - live_;
  if (thread_->arrived_in == phase_) fail("a thread arrives twice at one barrier of its block");
  thread_->arrived_in = phase_;
  ++arrived_;
  return phase_;
}

void Block::wait_for_all(std::uint64_t phase) {
  struct What {
    Block* block;
    std::uint32_t phase;
  } const what{this, static_cast<std::uint32_t>(phase)};
  wait_until(
      [](const void* w) {
        const auto& [block, of] = *static_cast<const What*>(w);
        return block->all_have_arrived(of);
      },
      &what, Scope::block);
}

// Goes on to the next phase if so.
bool Block::all_have_arrived(std::uint32_t phase) {
  if (phase != phase_) return true;
  if (arrived_ == 0 || arrived_ + absent_ < count_) return false;
  ++phase_;
  arrived_ = 0;
  return true;
}

void Block::grid_barrier() {
  if (grid_ == nullptr || !grid_->cooperative())
    fail("a barrier of the grid in a launch that is not cooperative");
  Barrier& barrier = barriers_[hardware_barriers];
  barrier.waiting.push_back(thread_);
  ++at_barriers_;
  thread_->waiting = Waiting::barrier;
  release_if_full(barrier);
  suspend();
}

void Block::release(Barrier& barrier) {
  const auto waiting = static_cast<std::uint32_t>(barrier.waiting.size()), all = waiting + barrier.arrived;
  if (&barrier == &barriers_[hardware_barriers] && !grid_->wait_for_all_blocks()) {
    if (grid_->stopped()) return stop();
    failed_ = true;
    failure_ = grid_->why_not_all();
    return;
  }
  const std::uint32_t answer = barrier.vote == Vote::count ? barrier.votes
                               : barrier.vote == Vote::all ? std::uint32_t{barrier.votes == all}
                                                           : std::uint32_t{barrier.votes != 0};
  at_barriers_ -= waiting;
  if (observer != nullptr && barrier.threads == 0) observer->barrier_opens(*this);
  if (barrier.threads == 0) {
    barrier.answer = answer;
  } else {
    // Others may come here before all of these have read the answer.
    for (Thread* const thread : barrier.waiting) thread->mask = answer;
  }
  barrier.votes = barrier.arrived = 0;
  if (next_ready_ == ready_.size()) {
    ready_.swap(barrier.waiting);
    next_ready_ = 0;
  } else {
    ready_.insert(ready_.end(), barrier.waiting.begin(), barrier.waiting.end());
  }
  barrier.waiting.clear();
}

void Block::group(std::uint32_t first, std::uint32_t count, const void* in, void* out,
                  GroupOperation* operation) {
  Thread& self = *thread_;
  Group* group = nullptr;
  for (const std::unique_ptr<Group>& g : groups_) {
    if (g->first == first && g->count == count) group = g.get();
  }
  if (group == nullptr) {
    groups_.push_back(std::make_unique<Group>());
    group = groups_.back().get();
    group->first = first;
    group->count = count;
  }
  if (!group->waiting.empty() && group->operation != operation)
    fail("threads of one group call other operations of it");
  group->operation = operation;
  self.waiting = Waiting::group;
  self.in = in;
  self.out = out;
  group->waiting.push_back(&self);
  ++at_groups_;
  complete(*group);
  suspend();
}

// Does what a group waits for, if all of it that have not exited wait.
void Block::complete(Group& group) {
  const std::uint32_t end = std::min(group.first + group.count, count_);
  for (std::uint32_t t = group.first; t < end; ++t) {
    const Thread& thread = threads_[t];
    const bool waits = std::find(group.waiting.begin(), group.waiting.end(), &thread) != group.waiting.end();
    if (!waits && thread.ended_in != static_cast<std::uint32_t>(runs_)) return;
  }
  if (group.operation != nullptr) {
    std::vector<const void*> in(group.count);
    std::vector<void*> out(group.count);
    for (const Thread* const thread : group.waiting) {
      const auto rank = static_cast<std::uint32_t>(thread - threads_.data()) - group.first;
      in[rank] = thread->in;
      out[rank] = thread->out;
    }
    group.operation(in.data(), out.data(), group.count);
  }
  at_groups_ -= static_cast<std::uint32_t>(group.waiting.size());
  for (Thread* const thread : group.waiting) make_ready(*thread);
  group.waiting.clear();
}

void Block::wait_until(bool (*done)(const void* what), const void* what, Scope scope) {
  if (done(what)) return;
  Thread& self = *thread_;
  self.waiting = Waiting::memory;
  self.done = done;
  self.in = what;
  self.scope = scope;
  looking_.push_back(&self);
  suspend();
}

void Block::collective(std::uint32_t mask, const void* in, void* out, Collective* operation) {
  Thread& self = *thread_;
  Warp& warp = warps_[self.warp];
  if (observer != nullptr)
    observer->arrives(*this, Observer::Arrival::collective, __builtin_return_address(0));
  if ((mask >> self.lane & 1) == 0) fail("a thread calls a warp operation whose mask does not name its lane");
  self.waiting = Waiting::collective;
  self.mask = mask;
  self.in = in;
  self.out = out;
  self.operation = operation;
  warp.waiting |= 1U << self.lane;
  complete(warp, mask);
  suspend();
}

// Does what the lanes of a mask wait for, if all of them that have not exited wait for it.
bool Block::complete(Warp& warp, std::uint32_t mask) {
  const std::uint32_t lanes = mask & warp.live;
  if (lanes == 0 || (lanes & ~warp.waiting) != 0) return false;
  std::array<const void*, warp_lanes> in{};
  std::array<void*, warp_lanes> out{};
  Collective* operation = nullptr;
  for (std::uint32_t lane = 0; lane < warp_lanes; ++lane) {
    if ((lanes >> lane & 1) == 0) continue;
    const Thread& thread = *warp.lanes[lane];
    if (thread.mask != mask || (operation != nullptr && thread.operation != operation)) return false;
    operation = thread.operation;
    in[lane] = thread.in;
    out[lane] = thread.out;
  }
  if (operation != nullptr) operation(in.data(), out.data(), lanes);
  warp.waiting &= ~lanes;
  for (std::uint32_t lane = 0; lane < warp_lanes; ++lane) {
    if ((lanes >> lane & 1) != 0) make_ready(*warp.lanes[lane]);
  }
  return true;
}

void Block::complete_all(Warp& warp) {
  for (std::uint32_t left = warp.waiting; left != 0; left &= left - 1) {
    const auto lane = static_cast<std::uint32_t>(__builtin_ctz(left));
    if ((warp.waiting >> lane & 1) != 0) complete(warp, warp.lanes[lane]->mask);
  }
}

std::uint32_t Block::active_mask(const void* site) {
  Thread& self = *thread_;
  self.waiting = Waiting::convergence;
  self.site = site;
  suspend();
  return self.mask;
}

// The lanes of one warp that wait at one place go on together.
bool Block::converge() {
  for (Warp& warp : warps_) {
    const void* site = nullptr;
    std::uint32_t lanes = 0;
    for (std::uint32_t lane = 0; lane < warp_lanes; ++lane) {
      const Thread* const thread = warp.lanes[lane];
      if (thread == nullptr || thread->waiting != Waiting::convergence) continue;
      if (lanes == 0) site = thread->site;
      if (thread->site == site) lanes |= 1U << lane;
    }
    if (lanes == 0) continue;
    for (std::uint32_t lane = 0; lane < warp_lanes; ++lane) {
      if ((lanes >> lane & 1) == 0) continue;
      warp.lanes[lane]->mask = lanes;
      make_ready(*warp.lanes[lane]);
    }
    return true;
  }
  return false;
}

void Block::yield() {
  yielded_.push_back(thread_);
  suspend();
}

void Block::yield_asking() {
  thread_->waiting = Waiting::asking;
  yield();
  thread_->waiting = Waiting::nothing;
}

void Block::fail(std::string reason) {
  failed_ = true;
  const uint3& i = thread_->index;
  failure_ = std::move(reason) + ", thread (" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " +
             std::to_string(i.z) + ")";
  Fibre& self = *thread_->fibre;
  running_ = &host_;
  self.switch_to(host_);
  __builtin_unreachable();  // its stack is gone
}

std::string Block::who_waits() const {
  std::uint32_t at_barrier = 0, in_collective = 0, in_group = 0, for_memory = 0, yielding = 0;
  const Thread* first = nullptr;
  for (const Thread& thread : threads_) {
    if (thread.ended_in == static_cast<std::uint32_t>(runs_)) continue;
    at_barrier += thread.waiting == Waiting::barrier ? 1 : 0;
    in_collective += thread.waiting == Waiting::collective ? 1 : 0;
    in_group += thread.waiting == Waiting::group ? 1 : 0;
    for_memory += thread.waiting == Waiting::memory ? 1 : 0;
    yielding += thread.waiting == Waiting::nothing ? 1 : 0;
    if (first == nullptr) first = &thread;
  }
  std::string text = std::to_string(live_) + " of " + std::to_string(count_) + " threads wait, " +
                     std::to_string(at_barrier) + " at a barrier and " + std::to_string(in_collective) +
                     " in a warp operation";
  if (in_group != 0) text += ", " + std::to_string(in_group) + " in an operation of a group";
  if (for_memory != 0) text += ", " + std::to_string(for_memory) + " for what others write";
  if (yielding != 0) text += ", " + std::to_string(yielding) + " run or have not begun";
  if (first != nullptr) {
    const uint3& i = first->index;
    text += "; the first is thread (" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " +
            std::to_string(i.z) + ")";
  }
  return text;
}

std::uint64_t Block::random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

}  // namespace assay::simt
