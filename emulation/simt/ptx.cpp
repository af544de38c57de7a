// The loop over the instructions of an asm statement, and what a report must say of them.
#include "emulation/simt/ptx.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "emulation/simt/block.hpp"
#include "emulation/simt/observer.hpp"
#include "emulation/simt/ptx_table.hpp"
#include "reference/core/error.hpp"

namespace assay::simt {
namespace {

std::mutex notes_mutex;
std::atomic<unsigned> notes_cleared{0};
std::vector<std::string>& notes() {
  static std::vector<std::string> all;
  return all;
}

std::uint64_t read_value(const PtxOperand& o) {
  std::uint64_t value = 0;
  std::memcpy(&value, o.value, o.bytes);
  if (o.is_signed && o.bytes < 8) {
    const int unused = 64 - 8 * o.bytes;
    value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
  }
  return value;
}

}  // namespace
std::uint64_t PtxContext::get_rarely(const PtxArgument& a) const {
  if (a.kind == PtxOperandKind::special) return ptx_special_value(static_cast<std::uint8_t>(a.value));
  return 0;
}

void ptx_fail(std::string reason) {
  if (Block::current() == nullptr) throw ContractError("inline PTX: " + reason);
  Block::current()->fail(std::move(reason));  // frames are not left: nothing of them may own
}

void ptx_note(const char* line) {
  static thread_local std::pair<const char*, unsigned> last{};
  const std::pair<const char*, unsigned> now{line, notes_cleared.load(std::memory_order_relaxed)};
  if (last == now) return;
  const std::scoped_lock lock(notes_mutex);
  if (std::find(notes().begin(), notes().end(), line) == notes().end()) notes().emplace_back(line);
  last = now;
}
std::vector<std::string> ptx_notes() {
  const std::scoped_lock lock(notes_mutex);
  return notes();
}
void clear_ptx_notes() {
  const std::scoped_lock lock(notes_mutex);
  notes().clear();
  ++notes_cleared;
}

void PtxProgramDelete::operator()(PtxProgram* program) const { delete program; }
void run_ptx(const PtxProgram& program, const PtxOperand* operands, std::size_t count, const void* site) {
  if (!program.error.empty()) ptx_fail(program.error);
  if (Block::current() == nullptr) ptx_fail("PTX outside of a kernel");
  const AtSite here(site);
  std::array<std::uint64_t, 96> few;
  std::vector<std::uint64_t> many;
  PtxContext context{few.data()};
  if (program.slots > few.size()) {
    many.resize(program.slots);
    context.slots = many.data();
  }
  for (std::size_t k = 0; k < count; ++k) context.slots[k] = operands[k].reads ? read_value(operands[k]) : 0;
  std::fill(context.slots + count, context.slots + program.slots, ~std::uint64_t{0});
  const std::size_t end = program.instructions.size();
  while (context.next < end) {
    const PtxInstruction& i = program.instructions[context.next++];
    if (i.guard >= 0 && ((context.slots[i.guard] & 1) != 0) == i.guard_negated) continue;
    i.execute(i, context);
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (operands[k].writes) std::memcpy(operands[k].value, &context.slots[k], operands[k].bytes);
  }
}

}  // namespace assay::simt
