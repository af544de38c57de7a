#include "emulation/simt/block.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

constinit thread_local uint3 threadIdx{0, 0, 0}, blockIdx{0, 0, 0};
constinit thread_local dim3 blockDim{1, 1, 1}, gridDim{1, 1, 1};

namespace assay::simt {
namespace {

enum class Waiting : std::uint8_t { nothing, barrier, collective, convergence };

}  // namespace

constinit thread_local Block* Block::current_ = nullptr;

struct Block::Thread {
  uint3 index{};
  std::uint32_t lane = 0, warp = 0;
  Fibre* fibre = nullptr;  // on which it waits
  Waiting waiting = Waiting::nothing;
  bool has_ended = false;
  std::uint32_t mask = 0;  // of a collective; of a convergence what comes out
  const void* in = nullptr;
  void* out = nullptr;
  Collective* operation = nullptr;
  const void* site = nullptr;
};

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
  std::uint32_t answer = 0;  // read by all threads before the next one can be known
};

Block::Block(const BlockOptions& options) : options_(options) { barriers_.resize(16); }
Block::~Block() = default;

std::uint32_t Block::lane() const { return thread_->lane; }

// What is the same for all blocks of this extent.
void Block::prepare(const dim3& extent) {
  extent_ = extent;
  count_ = extent.x * extent.y * extent.z;
  threads_.assign(count_, {});
  warps_.assign((count_ + warp_lanes - 1) / warp_lanes, {});
  for (std::uint32_t t = 0; t < count_; ++t) {
    Thread& thread = threads_[t];
    thread.index = {t % extent.x, t / extent.x % extent.y, t / (extent.x * extent.y)};
    thread.lane = t % warp_lanes;
    thread.warp = t / warp_lanes;
    Warp& warp = warps_[thread.warp];
    warp.lanes[thread.lane] = &thread;
    warp.there |= 1U << thread.lane;
  }
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), 0U);
  if (options_.schedule == Schedule::reverse) std::reverse(order_.begin(), order_.end());
}

std::string Block::run(const dim3& extent, const Kernel& kernel, std::uint64_t number) {
  if (count_ == 0 || extent.x != extent_.x || extent.y != extent_.y || extent.z != extent_.z) prepare(extent);
  kernel_ = kernel;
  live_ = count_;
  begun_ = at_barriers_ = 0;
  failed_ = false;
  failure_.clear();
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
  running_ = &host_;
  // Threads that never wait run one after another on one fibre; the host goes on when all have ended, or none can.
  while (live_ != 0 && !failed_) {
    if (begun_ == count_ && next_ready_ == ready_.size() && !converge()) {
      failed_ = true;
      failure_ = "deadlock: " + who_waits();
      break;
    }
    resume_next(host_);
  }
  current_ = before;
  if (failed_) {
    // What waits will not go on: its stacks go.
    spare_.clear();
    fibres_.clear();
    ready_.clear();
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

void Block::run_new_threads() {
  Fibre& self = *running_;
  while (begun_ < count_ && !failed_) {
    Thread& thread = threads_[order_[begun_++]];
    thread.fibre = &self;
    thread.waiting = Waiting::nothing;
    thread.has_ended = false;
    enter(thread);
    try {
      kernel_.call(kernel_.closure);
    } catch (...) {
      failed_ = true;
      thrown_ = std::current_exception();
      return;
    }
    end(thread);
  }
}

void Block::enter(Thread& thread) {
  thread_ = &thread;
  threadIdx = thread.index;
}

void Block::end(Thread& thread) {
  thread.has_ended = true;
  --live_;
  Warp& warp = warps_[thread.warp];
  warp.live &= ~(1U << thread.lane);
  if (at_barriers_ != 0 && at_barriers_ == live_) {
    for (Barrier& barrier : barriers_) {
      if (!barrier.waiting.empty() && barrier.waiting.size() == live_) release(barrier);
    }
  }
  if (warp.waiting != 0) complete_all(warp);
}

Fibre& Block::spare_fibre() {
  if (spare_.empty()) {
    fibres_.push_back(std::make_unique<Fibre>(options_.stack_bytes, fibres_.size(), fibre_main, this));
    return *fibres_.back();
  }
  Fibre& fibre = *spare_.back();
  spare_.pop_back();
  return fibre;
}

// From the fibre that runs to the next thread; to the host where there is none.
void Block::resume_next(Fibre& from) {
  Fibre* to = &host_;
  if (!failed_) {
    if (begun_ < count_) {
      to = &spare_fibre();
    } else if (Thread* const thread = take_ready()) {
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

std::uint32_t Block::barrier(std::uint32_t id, bool predicate, Vote vote) {
  Thread& self = *thread_;
  Barrier& barrier = barriers_[id];
  barrier.vote = vote;
  barrier.votes += predicate ? 1 : 0;
  barrier.waiting.push_back(&self);
  ++at_barriers_;
  self.waiting = Waiting::barrier;
  if (barrier.waiting.size() == live_) release(barrier);
  suspend();
  return barrier.answer;
}

void Block::release(Barrier& barrier) {
  const auto all = static_cast<std::uint32_t>(barrier.waiting.size());
  barrier.answer = barrier.vote == Vote::count ? barrier.votes
                   : barrier.vote == Vote::all ? std::uint32_t{barrier.votes == all}
                                               : std::uint32_t{barrier.votes != 0};
  barrier.votes = 0;
  at_barriers_ -= all;
  // All that live are here, so nothing else is ready.
  ready_.swap(barrier.waiting);
  next_ready_ = 0;
}

void Block::collective(std::uint32_t mask, const void* in, void* out, Collective* operation) {
  Thread& self = *thread_;
  Warp& warp = warps_[self.warp];
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
  make_ready(*thread_);
  suspend();
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
  std::uint32_t at_barrier = 0, in_collective = 0;
  const Thread* first = nullptr;
  for (const Thread& thread : threads_) {
    if (thread.has_ended) continue;
    at_barrier += thread.waiting == Waiting::barrier ? 1 : 0;
    in_collective += thread.waiting == Waiting::collective ? 1 : 0;
    if (first == nullptr) first = &thread;
  }
  std::string text = std::to_string(live_) + " of " + std::to_string(count_) + " threads wait, " +
                     std::to_string(at_barrier) + " at a barrier and " + std::to_string(in_collective) +
                     " in a warp operation";
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
