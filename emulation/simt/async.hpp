// Copies that a thread starts and waits for later (cp.async, bulk copies), and mbarriers.
//
// A copy happens when somebody waits for it: by async_wait(), or by a test of the mbarrier that it reports to. Source
// and destination are touched then, not before, so a program that forgets to wait reads stale data, and one that
// overwrites the source too early copies the new data. Copies that nobody waits for do not happen.
//
// Here a thread is the CUDA thread that calls; each has groups of its own. All functions are for threads of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace assay::simt {

// --- copies in groups of the calling thread --------------------------------------------------------------------------

// cp.async: `bytes` to dst, the last `zero_fill` of them zeros and the others from src.
void async_copy(void* dst, const void* src, std::size_t bytes, std::size_t zero_fill = 0);
// Ends the group of the copies since the last one. A group may be empty.
void async_commit();
// Until the last `groups_left` groups at most are not done. Copies after the last commit stay.
void async_wait(std::size_t groups_left);
// All copies, committed or not.
void async_wait_all();

// cp.async.bulk and its groups, which are apart from those of cp.async. `reads_done` waits for the same copies.
void bulk_copy(std::function<void()> copy);
void bulk_commit();
void bulk_wait(std::size_t groups_left);

// --- mbarriers -------------------------------------------------------------------------------------------------------
//
// A phase ends when as many arrivals as its count and as many bytes as announced have come. The word is opaque, as with
// CUDA. A word that is not a barrier ends the block with a message.

using Mbarrier = std::uint64_t;
inline constexpr std::uint32_t mbarrier_max_count = (1U << 20) - 1;

void mbarrier_init(Mbarrier* barrier, std::uint32_t count);
void mbarrier_inval(Mbarrier* barrier);
// The state before the arrival, for mbarrier_test_wait().
std::uint64_t mbarrier_arrive(Mbarrier* barrier, std::uint32_t count = 1);
// The next phases expect `count` fewer.
std::uint64_t mbarrier_arrive_drop(Mbarrier* barrier, std::uint32_t count = 1);
void mbarrier_expect_tx(Mbarrier* barrier, std::uint32_t bytes);
void mbarrier_complete_tx(Mbarrier* barrier, std::uint32_t bytes);
// Arrivals that the phase still expects, of a state.
std::uint32_t mbarrier_pending(std::uint64_t state);
// Arrives when the cp.async copies of the calling thread so far are done. `adds` counts the arrival as one more that
// the phase expects (without .noinc).
void mbarrier_arrive_after_copies(Mbarrier* barrier, bool adds);
// Does `copy` when the barrier is tested, and completes `bytes`.
void mbarrier_copy(Mbarrier* barrier, std::function<void()> copy, std::uint32_t bytes);

// Whether the phase of the state, or the phase of this parity, has ended. Copies that report to the barrier are done
// first. The others run where it has not.
bool mbarrier_test_wait(Mbarrier* barrier, std::uint64_t state);
bool mbarrier_test_wait_parity(Mbarrier* barrier, std::uint32_t parity);
void mbarrier_wait(Mbarrier* barrier, std::uint64_t state);
void mbarrier_wait_parity(Mbarrier* barrier, std::uint32_t parity);

}  // namespace assay::simt
