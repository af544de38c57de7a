// PTX that touches memory or waits: loads, stores, atomics, asynchronous copies, mbarriers, barriers, warp operations.
#include <link.h>

#include <bit>
#include <cstring>

#include "emulation/simt/async.hpp"
#include "emulation/simt/block.hpp"
#include "emulation/simt/launch.hpp"
#include "emulation/simt/observer.hpp"
#include "emulation/simt/ptx_machine.hpp"
#include "emulation/simt/warp.hpp"
#include "reference/formats/encode.hpp"
#include "reference/formats/formats.hpp"

namespace assay::simt {
namespace {

// --- addresses -------------------------------------------------------------------------------------------------------

// The thread-local storage of the program on this OS thread, in which shared memory lies.
struct SharedRange {
  std::uintptr_t begin = 0, end = 0;
};
thread_local SharedRange shared_range;

const SharedRange& shared_memory() {
  if (shared_range.end != 0) return shared_range;
  // Dynamic shared memory begins at this address.
  const auto inside = reinterpret_cast<std::uintptr_t>(shared_pointer(1024));
  struct Search {
    std::uintptr_t inside;
    SharedRange found{};
  } search{inside};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& s = *static_cast<Search*>(data);
        const auto begin = reinterpret_cast<std::uintptr_t>(info->dlpi_tls_data);
        for (int k = 0; begin != 0 && k < info->dlpi_phnum; ++k) {
          if (info->dlpi_phdr[k].p_type != PT_TLS) continue;
          const std::uintptr_t end = begin + info->dlpi_phdr[k].p_memsz;
          if (s.inside >= begin && s.inside < end) s.found = {begin, end};
        }
        return 0;
      },
      &search);
  shared_range = search.found;
  return shared_range;
}

std::string hexadecimal(std::uint64_t value) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (; value != 0 || text.empty(); value >>= 4) text.insert(text.begin(), digits[value & 15]);
  return "0x" + text;
}

std::uint64_t address_of(const PtxContext& c, const PtxArgument& a) {
  std::uint64_t address = static_cast<std::uint64_t>(a.value);
  if (!a.absolute) address += c.slots[a.slot];
  if (a.second != 0) address += c.slots[a.second - 1];
  return address;
}

// A thread that looks at memory again and again lets the others run now and then.
void after_look() {
  static constinit thread_local unsigned count = 0;
  if (++count % 64 == 0) Block::current()->yield();
}

std::uint64_t mask_of_bits(int bits) {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

std::uint64_t load_bytes(const void* p, std::size_t bytes) {
  switch (bytes) {
    case 1: return __atomic_load_n(static_cast<const std::uint8_t*>(p), __ATOMIC_ACQUIRE);
    case 2: return __atomic_load_n(static_cast<const std::uint16_t*>(p), __ATOMIC_ACQUIRE);
    case 4: return __atomic_load_n(static_cast<const std::uint32_t*>(p), __ATOMIC_ACQUIRE);
    default: return __atomic_load_n(static_cast<const std::uint64_t*>(p), __ATOMIC_ACQUIRE);
  }
}
void store_bytes(void* p, std::size_t bytes, std::uint64_t value) {
  switch (bytes) {
    case 1:
      __atomic_store_n(static_cast<std::uint8_t*>(p), static_cast<std::uint8_t>(value), __ATOMIC_RELEASE);
      break;
    case 2:
      __atomic_store_n(static_cast<std::uint16_t*>(p), static_cast<std::uint16_t>(value), __ATOMIC_RELEASE);
      break;
    case 4:
      __atomic_store_n(static_cast<std::uint32_t*>(p), static_cast<std::uint32_t>(value), __ATOMIC_RELEASE);
      break;
    default: __atomic_store_n(static_cast<std::uint64_t*>(p), value, __ATOMIC_RELEASE); break;
  }
}

// --- atomics ---------------------------------------------------------------------------------------------------------

template <class T, class Change>
std::uint64_t exchange_by(void* p, const Change& change) {
  auto* const at = static_cast<T*>(p);
  T before = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(at, &before, static_cast<T>(change(before)), false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED)) {
  }
  return before;
}
// *p = change(*p) at once; what was there.
template <class Change>
std::uint64_t change_at(void* p, std::size_t bytes, const Change& change) {
  switch (bytes) {
    case 2: return exchange_by<std::uint16_t>(p, change);
    case 4: return exchange_by<std::uint32_t>(p, change);
    default: return exchange_by<std::uint64_t>(p, change);
  }
}

std::uint64_t add_numbers(PtxType t, std::uint64_t a, std::uint64_t b, bool ftz) {
  const FormatSpec& f = ptx_format(t);
  if (t == PtxType::f64)
    return std::bit_cast<std::uint64_t>(std::bit_cast<double>(a) + std::bit_cast<double>(b));
  const auto read = [&](std::uint64_t code) {
    code &= mask_of_bits(f.bits);
    return decode(ftz && f.is_subnormal(code) ? code & f.sign_code() : code, f);
  };
  // The sum of two numbers of 24 bits or less, rounded to double first, rounds to theirs as the exact sum does: 53 is
  // at least 2 * 24 + 2.
  const std::uint64_t code = encode(read(a) + read(b), f).code;
  if (f.is_nan(code)) return f.magnitude_mask();
  return ftz && f.is_subnormal(code) ? code & f.sign_code() : code;
}

enum class AtomicOp : std::uint8_t {
  add,
  minimum,
  maximum,
  increment,
  decrement,
  bit_and,
  bit_or,
  bit_xor,
  exchange
};
AtomicOp atomic_op(const PtxInstruction& i) {
  for (const std::string& w : i.words) {
    if (w == "add") return AtomicOp::add;
    if (w == "min") return AtomicOp::minimum;
    if (w == "max") return AtomicOp::maximum;
    if (w == "inc") return AtomicOp::increment;
    if (w == "dec") return AtomicOp::decrement;
    if (w == "and") return AtomicOp::bit_and;
    if (w == "or") return AtomicOp::bit_or;
    if (w == "xor") return AtomicOp::bit_xor;
  }
  return AtomicOp::exchange;
}
std::uint64_t changed(AtomicOp op, PtxType t, std::uint64_t a, std::uint64_t b, bool ftz) {
  const int bits = ptx_bits(t);
  const bool sign = ptx_kind(t) == PtxKind::is_signed;
  const auto less = [&](std::uint64_t x, std::uint64_t y) {
    x &= mask_of_bits(bits);
    y &= mask_of_bits(bits);
    const std::uint64_t flip = sign ? std::uint64_t{1} << (bits - 1) : 0;
    return (x ^ flip) < (y ^ flip);
  };
  switch (op) {
    case AtomicOp::add:
      if (ptx_kind(t) == PtxKind::floating) return add_numbers(t, a, b, ftz);
      if (ptx_kind(t) == PtxKind::packed)
        return add_numbers(t, a & 0xFFFF, b & 0xFFFF, false) |
               add_numbers(t, a >> 16 & 0xFFFF, b >> 16 & 0xFFFF, false) << 16;
      return a + b;
    case AtomicOp::minimum: return less(b, a) ? b : a;
    case AtomicOp::maximum: return less(a, b) ? b : a;
    case AtomicOp::increment: return less(a, b) ? a + 1 : 0;
    case AtomicOp::decrement: return (a & mask_of_bits(bits)) == 0 || less(b, a) ? b : a - 1;
    case AtomicOp::bit_and: return a & b;
    case AtomicOp::bit_or: return a | b;
    case AtomicOp::bit_xor: return a ^ b;
    case AtomicOp::exchange: return b;
  }
  return a;
}
std::size_t bytes_of(PtxType t) { return static_cast<std::size_t>(ptx_bits(t)) / 8; }

std::uint64_t atomic_at(const PtxInstruction& i, PtxContext& c, std::size_t address, std::uint64_t value) {
  const std::size_t bytes = bytes_of(i.t);
  void* const p = ptx_pointer(i, c, i.arguments[address], bytes, bytes);
  tell_access(Observer::Access::atomic, p, bytes);
  // add.f32 flushes subnormal numbers in global memory, not in shared.
  const bool ftz = i.t == PtxType::f32 && !is_shared_memory(p, bytes);
  const AtomicOp op = atomic_op(i);
  const std::uint64_t before =
      change_at(p, bytes, [&](std::uint64_t old) { return changed(op, i.t, old, value, ftz); });
  after_look();
  return before;
}

// --- copies ----------------------------------------------------------------------------------------------------------

void* shared_operand(const PtxContext& c, const PtxArgument& a, std::size_t bytes, std::size_t alignment) {
  return ptx_shared(address_of(c, a), bytes, alignment);
}
void* global_operand(const PtxContext& c, const PtxArgument& a, std::size_t alignment) {
  const std::uint64_t address = address_of(c, a);
  if (address % alignment != 0)
    ptx_fail("an address of global memory, " + hexadecimal(address) + ", is not a multiple of " +
             std::to_string(alignment));
  return reinterpret_cast<void*>(address);
}
Mbarrier* barrier_operand(const PtxInstruction& i, const PtxContext& c, std::size_t k) {
  return static_cast<Mbarrier*>(ptx_pointer(i, c, i.arguments[k], 8, 8));
}
// cp.async and bulk copies name their barrier by a shared address always.
Mbarrier* shared_barrier(const PtxInstruction& i, const PtxContext& c, std::size_t k) {
  return static_cast<Mbarrier*>(shared_operand(c, i.arguments[k], 8, 8));
}
std::uint32_t bulk_bytes(const PtxInstruction& i, const PtxContext& c) {
  const auto bytes = static_cast<std::uint32_t>(c.get(i.arguments[2]));
  if (bytes % 16 != 0) ptx_fail("a bulk copy of " + std::to_string(bytes) + " bytes, not a multiple of 16");
  return bytes;
}

std::uint32_t argument32(const PtxInstruction& i, const PtxContext& c, std::size_t k) {
  return static_cast<std::uint32_t>(c.get(i.arguments[k]));
}

constexpr bool signed_less(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b);
}

void meet(const PtxInstruction& i, PtxContext& c, bool predicate, Vote vote, bool counted,
          std::uint64_t* answer) {
  const std::size_t first = answer == nullptr ? 0 : 1;
  const std::uint32_t id = argument32(i, c, first), threads = counted ? argument32(i, c, first + 1) : 0;
  if (id >= 16) ptx_fail("barrier " + std::to_string(id) + ", not 0 to 15");
  const std::uint32_t got = Block::current()->barrier(id, predicate, vote, threads);
  if (answer != nullptr) *answer = got;
}

}  // namespace

bool is_shared_memory(const void* p, std::size_t bytes) {
  const SharedRange& range = shared_memory();
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  return at >= range.begin && at < range.end && bytes <= range.end - at;
}

void* ptx_shared(std::uint64_t address, std::size_t bytes, std::size_t alignment) {
  void* const p = shared_pointer(static_cast<std::uint32_t>(address));
  if (!is_shared_memory(p, bytes))
    ptx_fail(std::to_string(bytes) + " bytes at address " + hexadecimal(address) +
             " are not in shared memory");
  if (static_cast<std::uint32_t>(address) % alignment != 0)
    ptx_fail("an address of shared memory, " + hexadecimal(address) + ", is not a multiple of " +
             std::to_string(alignment));
  return p;
}

void* ptx_pointer(const PtxInstruction& i, const PtxContext& c, const PtxArgument& a, std::size_t bytes,
                  std::size_t alignment) {
  if (i.space == 's') return shared_operand(c, a, bytes, alignment);
  return global_operand(c, a, alignment);
}

namespace ptx_rows {

using I = PtxInstruction;
using C = PtxContext;

void load(const I& i, C& c) {
  const std::size_t bytes = bytes_of(i.t), all = bytes * i.vector;
  const auto* const p = static_cast<const unsigned char*>(ptx_pointer(i, c, i.arguments[1], all, all));
  tell_access(Observer::Access::read, p, all);
  const bool sign = ptx_kind(i.t) == PtxKind::is_signed;
  if (i.has(ptx_volatile)) after_look();
  for (std::size_t k = 0; k < i.vector; ++k) {
    std::uint64_t value = load_bytes(p + k * bytes, bytes);
    if (sign && bytes < 8) {
      const int unused = 64 - 8 * static_cast<int>(bytes);
      value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
    }
    const PtxArgument& to = i.arguments[0];
    c.set(to.kind == PtxOperandKind::vector ? i.parts[to.first + k] : to, value);
  }
}
void store(const I& i, C& c) {
  const std::size_t bytes = bytes_of(i.t), all = bytes * i.vector;
  auto* const p = static_cast<unsigned char*>(ptx_pointer(i, c, i.arguments[0], all, all));
  tell_access(Observer::Access::write, p, all);
  for (std::size_t k = 0; k < i.vector; ++k) {
    const PtxArgument& from = i.arguments[1];
    store_bytes(p + k * bytes, bytes,
                c.get(from.kind == PtxOperandKind::vector ? i.parts[from.first + k] : from));
  }
}
// Policies of caches change no value.
void create_policy(const I& i, C& c) { c.set(i.arguments[0], 0); }

void convert_address(const I& i, C& c) {
  const std::uint64_t address = c.get(i.arguments[1]);
  if (i.space != 's') return c.set(i.arguments[0], address);
  c.set(i.arguments[0], i.words[1] == "to" ? shared_address(reinterpret_cast<const void*>(address))
                                           : reinterpret_cast<std::uintptr_t>(
                                                 shared_pointer(static_cast<std::uint32_t>(address))));
}
void is_space(const I& i, C& c) {
  const bool shared = is_shared_memory(reinterpret_cast<const void*>(c.get(i.arguments[1])), 1);
  const bool result = i.words[1] == "global" ? !shared : i.space == 's' && shared;
  c.set(i.arguments[0], result ? 1 : 0);
}
// Clusters are of one block.
void map_shared(const I& i, C& c) {
  if (argument32(i, c, 2) != 0)
    ptx_fail("mapa to block " + std::to_string(argument32(i, c, 2)) + " of a cluster of one");
  c.set(i.arguments[0], c.get(i.arguments[1]));
}
void rank_of_shared(const I& i, C& c) { c.set(i.arguments[0], 0); }

void atom(const I& i, C& c) { c.set(i.arguments[0], atomic_at(i, c, 1, c.get(i.arguments[2]))); }
void red(const I& i, C& c) { atomic_at(i, c, 0, c.get(i.arguments[1])); }
void atom_cas(const I& i, C& c) {
  const std::size_t bytes = bytes_of(i.t);
  void* const p = ptx_pointer(i, c, i.arguments[1], bytes, bytes);
  tell_access(Observer::Access::atomic, p, bytes);
  const std::uint64_t mask = mask_of_bits(ptx_bits(i.t)), expected = c.get(i.arguments[2]) & mask,
                      value = c.get(i.arguments[3]);
  c.set(i.arguments[0],
        change_at(p, bytes, [&](std::uint64_t old) { return old == expected ? value : old; }));
  after_look();
}
void red_vector(const I& i, C& c) {
  const std::size_t bytes = bytes_of(i.t), all = bytes * i.vector;
  auto* const p = static_cast<unsigned char*>(ptx_pointer(i, c, i.arguments[0], all, all));
  tell_access(Observer::Access::atomic, p, all);
  for (std::size_t k = 0; k < i.vector; ++k) {
    const std::uint64_t value = c.get(i.parts[i.arguments[1].first + k]);
    change_at(p + k * bytes, bytes, [&](std::uint64_t old) {
      return changed(AtomicOp::add, i.t, old, value, i.t == PtxType::f32);
    });
  }
}
void fence(const I&, C&) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// --- copies that are waited for --------------------------------------------------------------------------------------

// cp.async dst, src, bytes{, bytes of src | ignore-src}{, policy}
void cp_async(const I& i, C& c) {
  const std::uint64_t bytes = c.get(i.arguments[2]);
  const bool whole_lines = i.words[2] == "cg";
  if (whole_lines ? bytes != 16 : bytes != 4 && bytes != 8 && bytes != 16)
    ptx_fail("cp.async." + i.words[2] + " of " + std::to_string(bytes) + " bytes");
  std::uint64_t source_bytes = bytes;
  const bool policy = i.says("L2::cache_hint");
  if (i.arguments.size() == (policy ? 5 : 4)) {
    const PtxArgument& size = i.arguments[3];
    // A predicate: the source is not read.
    source_bytes = size.bits == 1 ? (c.predicate(size) ? 0 : bytes) : c.get(size) & 0xFFFFFFFFU;
  }
  if (source_bytes > bytes)
    ptx_fail("cp.async of " + std::to_string(bytes) + " bytes reads " + std::to_string(source_bytes));
  const auto size = static_cast<std::size_t>(bytes);
  async_copy(shared_operand(c, i.arguments[0], size, size), global_operand(c, i.arguments[1], size), size,
             size - static_cast<std::size_t>(source_bytes));
}
void cp_async_commit(const I&, C&) { async_commit(); }
void cp_async_wait_group(const I& i, C& c) { async_wait(static_cast<std::size_t>(c.get(i.arguments[0]))); }
void cp_async_wait_all(const I&, C&) { async_wait_all(); }
void cp_async_arrive(const I& i, C& c) {
  mbarrier_arrive_after_copies(barrier_operand(i, c, 0), !i.has(ptx_noinc));
}

void bulk_load(const I& i, C& c) {
  const std::uint32_t bytes = bulk_bytes(i, c);
  void* const to = shared_operand(c, i.arguments[0], bytes, 16);
  const void* const from = global_operand(c, i.arguments[1], 16);
  tell_copy(to, from, bytes);
  mbarrier_copy(
      shared_barrier(i, c, 3), [=] { std::memcpy(to, from, bytes); }, bytes);
}
void bulk_shared(const I& i, C& c) {
  const std::uint32_t bytes = bulk_bytes(i, c);
  void* const to = shared_operand(c, i.arguments[0], bytes, 16);
  const void* const from = shared_operand(c, i.arguments[1], bytes, 16);
  tell_copy(to, from, bytes);
  mbarrier_copy(
      shared_barrier(i, c, 3), [=] { std::memmove(to, from, bytes); }, bytes);
}
void bulk_store(const I& i, C& c) {
  const std::uint32_t bytes = bulk_bytes(i, c);
  void* const to = global_operand(c, i.arguments[0], 16);
  const void* const from = shared_operand(c, i.arguments[1], bytes, 16);
  tell_copy(to, from, bytes);
  bulk_copy([=] { std::memcpy(to, from, bytes); });
}
void bulk_reduce(const I& i, C& c) {
  const std::uint32_t bytes = bulk_bytes(i, c);
  auto* const to = static_cast<unsigned char*>(global_operand(c, i.arguments[0], 16));
  const auto* const from = static_cast<const unsigned char*>(shared_operand(c, i.arguments[1], bytes, 16));
  const PtxType type = i.t;
  const AtomicOp op = atomic_op(i);
  tell_access(Observer::Access::read, from, bytes);
  tell_access(Observer::Access::atomic, to, bytes);
  bulk_copy([=] {
    const std::size_t each = bytes_of(type);
    for (std::size_t at = 0; at < bytes; at += each) {
      std::uint64_t value = 0;
      std::memcpy(&value, from + at, each);
      change_at(to + at, each,
                [&](std::uint64_t old) { return changed(op, type, old, value, type == PtxType::f32); });
    }
  });
}
void bulk_commit_group(const I&, C&) { bulk_commit(); }
void bulk_wait_group(const I& i, C& c) { bulk_wait(static_cast<std::size_t>(c.get(i.arguments[0]))); }

// --- mbarriers, barriers ---------------------------------------------------------------------------------------------

void mbarrier_init_row(const I& i, C& c) { mbarrier_init(barrier_operand(i, c, 0), argument32(i, c, 1)); }
void mbarrier_inval_row(const I& i, C& c) { mbarrier_inval(barrier_operand(i, c, 0)); }
void mbarrier_expect(const I& i, C& c) { mbarrier_expect_tx(barrier_operand(i, c, 0), argument32(i, c, 1)); }
void mbarrier_complete(const I& i, C& c) {
  mbarrier_complete_tx(barrier_operand(i, c, 0), argument32(i, c, 1));
}
void mbarrier_arrive_row(const I& i, C& c) {
  c.set(i.arguments[0],
        mbarrier_arrive(barrier_operand(i, c, 1), i.arguments.size() > 2 ? argument32(i, c, 2) : 1));
}
void mbarrier_arrive_expect(const I& i, C& c) {
  Mbarrier* const barrier = barrier_operand(i, c, 1);
  mbarrier_expect_tx(barrier, argument32(i, c, 2));
  c.set(i.arguments[0], mbarrier_arrive(barrier));
}
void mbarrier_drop_row(const I& i, C& c) {
  c.set(i.arguments[0],
        mbarrier_arrive_drop(barrier_operand(i, c, 1), i.arguments.size() > 2 ? argument32(i, c, 2) : 1));
}
void mbarrier_drop_expect(const I& i, C& c) {
  Mbarrier* const barrier = barrier_operand(i, c, 1);
  mbarrier_expect_tx(barrier, argument32(i, c, 2));
  c.set(i.arguments[0], mbarrier_arrive_drop(barrier));
}
void mbarrier_pending_row(const I& i, C& c) {
  c.set(i.arguments[0], mbarrier_pending(c.get(i.arguments[1])));
}
void mbarrier_test(const I& i, C& c) {
  c.set(i.arguments[0], mbarrier_test_wait(barrier_operand(i, c, 1), c.get(i.arguments[2])) ? 1 : 0);
}
void mbarrier_parity(const I& i, C& c) {
  c.set(i.arguments[0], mbarrier_test_wait_parity(barrier_operand(i, c, 1), argument32(i, c, 2)) ? 1 : 0);
}

void barrier_sync(const I& i, C& c) { meet(i, c, false, Vote::none, i.arguments.size() > 1, nullptr); }
void barrier_arrive(const I& i, C& c) {
  if (argument32(i, c, 0) >= 16) ptx_fail("barrier " + std::to_string(argument32(i, c, 0)) + ", not 0 to 15");
  Block::current()->arrive(argument32(i, c, 0), argument32(i, c, 1));
}
void barrier_popc(const I& i, C& c) {
  std::uint64_t answer = 0;
  meet(i, c, c.predicate(i.arguments[2]), Vote::count, false, &answer);
  c.set(i.arguments[0], answer);
}
void barrier_popc_count(const I& i, C& c) {
  std::uint64_t answer = 0;
  meet(i, c, c.predicate(i.arguments[3]), Vote::count, true, &answer);
  c.set(i.arguments[0], answer);
}
void barrier_vote(const I& i, C& c) {
  std::uint64_t answer = 0;
  meet(i, c, c.predicate(i.arguments[2]), i.says("and") ? Vote::all : Vote::any, false, &answer);
  c.set(i.arguments[0], answer);
}
void barrier_vote_count(const I& i, C& c) {
  std::uint64_t answer = 0;
  meet(i, c, c.predicate(i.arguments[3]), i.says("and") ? Vote::all : Vote::any, true, &answer);
  c.set(i.arguments[0], answer);
}
void warp_sync(const I& i, C& c) { synchronize(argument32(i, c, 0)); }
// Of a cluster of one block: arrival and wait apart, as the block's own barrier 16.
void cluster_arrive(const I&, C&) {}
void cluster_wait(const I&, C&) { Block::current()->barrier(16, false, Vote::none); }

// --- warps -----------------------------------------------------------------------------------------------------------

// PTX ISA's pseudo code of shfl.sync; c: the highest lane of a segment, and in bits 8 to 12 which bits of a lane name
// its segment.
void shfl(const I& i, C& c) {
  const std::uint32_t lane = Block::current()->lane(), b = argument32(i, c, 2) & 31,
                      clamp = argument32(i, c, 3) & 31, segment = argument32(i, c, 3) >> 8 & 31,
                      mask = argument32(i, c, 4);
  const std::uint32_t last = (lane & segment) | (clamp & ~segment), first = lane & segment;
  const std::string& mode = i.words[2];
  std::int64_t from = 0;
  bool inside = false;
  if (mode == "up") {
    from = std::int64_t{lane} - b;
    inside = from >= std::int64_t{last};
  } else {
    from = mode == "down" ? lane + b : mode == "bfly" ? lane ^ b : first | (b & ~segment);
    inside = from <= std::int64_t{last};
  }
  if (!inside) from = lane;
  const auto value = static_cast<std::uint32_t>(c.get(i.arguments[1]));
  const std::uint32_t got = shuffle_from(mask, value, static_cast<std::uint32_t>(from) & 31);
  c.set(i.arguments[0], got);
  c.set_second(i.arguments[0], inside);
}
void vote_pred(const I& i, C& c) {
  const bool mine = c.predicate(i.arguments[1]);
  const std::uint32_t mask = argument32(i, c, 2);
  bool result = false;
  if (i.says("all")) {
    result = all_of_lanes(mask, mine);
  } else if (i.says("any")) {
    result = ballot(mask, mine) != 0;
  } else {
    result = match_any(mask, mine) == ballot(mask, true);
    result = all_of_lanes(mask, result);
  }
  c.set(i.arguments[0], result ? 1 : 0);
}
void vote_ballot(const I& i, C& c) {
  c.set(i.arguments[0], ballot(argument32(i, c, 2), c.predicate(i.arguments[1])));
}
void match_any_row(const I& i, C& c) {
  c.set(i.arguments[0], match_any(argument32(i, c, 2), c.get(i.arguments[1]) & mask_of_bits(ptx_bits(i.t))));
}
void match_all_row(const I& i, C& c) {
  const std::uint32_t mask = argument32(i, c, 2);
  const std::uint32_t same = match_any(mask, c.get(i.arguments[1]) & mask_of_bits(ptx_bits(i.t)));
  const bool all = all_of_lanes(mask, same == ballot(mask, true));
  c.set(i.arguments[0], all ? mask : 0);
  c.set_second(i.arguments[0], all);
}
void redux(const I& i, C& c) {
  const auto value = static_cast<std::uint32_t>(c.get(i.arguments[1]));
  const std::uint32_t mask = argument32(i, c, 2);
  constexpr auto add = [](std::uint32_t a, std::uint32_t b) { return a + b; };
  constexpr auto both = [](std::uint32_t a, std::uint32_t b) { return a & b; };
  constexpr auto either = [](std::uint32_t a, std::uint32_t b) { return a | b; };
  constexpr auto differ = [](std::uint32_t a, std::uint32_t b) { return a ^ b; };
  constexpr auto least = [](std::uint32_t a, std::uint32_t b) { return a < b ? a : b; };
  constexpr auto most = [](std::uint32_t a, std::uint32_t b) { return a < b ? b : a; };
  constexpr auto signed_least = [](std::uint32_t a, std::uint32_t b) { return signed_less(a, b) ? a : b; };
  constexpr auto signed_most = [](std::uint32_t a, std::uint32_t b) { return signed_less(a, b) ? b : a; };
  const bool sign = ptx_kind(i.t) == PtxKind::is_signed;
  std::uint32_t result = 0;
  switch (atomic_op(i)) {
    case AtomicOp::add: result = reduce_lanes<std::uint32_t, add>(mask, value); break;
    case AtomicOp::bit_and: result = reduce_lanes<std::uint32_t, both>(mask, value); break;
    case AtomicOp::bit_or: result = reduce_lanes<std::uint32_t, either>(mask, value); break;
    case AtomicOp::bit_xor: result = reduce_lanes<std::uint32_t, differ>(mask, value); break;
    case AtomicOp::minimum:
      result = sign ? reduce_lanes<std::uint32_t, signed_least>(mask, value)
                    : reduce_lanes<std::uint32_t, least>(mask, value);
      break;
    default:
      result = sign ? reduce_lanes<std::uint32_t, signed_most>(mask, value)
                    : reduce_lanes<std::uint32_t, most>(mask, value);
      break;
  }
  c.set(i.arguments[0], result);
}
void activemask(const I& i, C& c) { c.set(i.arguments[0], Block::current()->active_mask(&i)); }
// The lowest lane of the mask that takes part.
void elect(const I& i, C& c) {
  const std::uint32_t there = ballot(argument32(i, c, 1), true);
  const auto leader = static_cast<std::uint32_t>(std::countr_zero(there));
  c.set(i.arguments[0], leader);
  c.set_second(i.arguments[0], leader == Block::current()->lane());
}

}  // namespace ptx_rows
}  // namespace assay::simt
