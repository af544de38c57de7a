// What inline PTX is understood: types, patterns of opcodes, special registers.
#include "emulation/simt/ptx_table.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "emulation/simt/block.hpp"
#include "reference/formats/formats.hpp"

namespace assay::simt {
namespace {

struct PtxTypeInfo {
  std::string_view name;
  int bits;
  PtxKind kind;
};
constexpr PtxTypeInfo ptx_types[] = {
#define PTX_TYPE(name, bits, kind) {#name, bits, PtxKind::kind},
#include "emulation/simt/ptx_types.def"
#undef PTX_TYPE
    {"none", 0, PtxKind::bits}};

constexpr PtxRow ptx_table[] = {
#define PTX(function, pattern, operands) {ptx_rows::function, pattern, operands},
#include "emulation/simt/ptx.def"
#undef PTX
};
// --- patterns --------------------------------------------------------------------------------------------------------

// The alternatives of the group that begins at `at`, without its marks; `at` goes behind it.
std::vector<std::string_view> alternatives_of(std::string_view pattern, std::size_t& at) {
  const std::size_t end = pattern.find(pattern[at] == '{' ? '}' : ']', at);
  std::vector<std::string_view> all;
  for (std::size_t begin = at + 1; begin <= end;) {
    const std::size_t bar = std::min(pattern.find('|', begin), end);
    all.push_back(pattern.substr(begin, bar - begin));
    begin = bar + 1;
  }
  at = end + 1;
  return all;
}

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  while (at < pattern.size() && pattern[at] != '{' && pattern[at] != '[') {
    if (at >= text.size() || text[at] != pattern[at]) return false;
    ++at;
  }
  if (at == pattern.size()) return at == text.size();
  text.remove_prefix(at);
  const bool optional = pattern[at] == '[';
  const auto all = alternatives_of(pattern, at);
  const std::string_view rest = pattern.substr(at);
  for (const std::string_view one : all) {
    if (text.substr(0, one.size()) == one && matches(rest, text.substr(one.size()))) return true;
  }
  return optional && matches(rest, text);
}

// The first word of a pattern may be a group.
bool begins_alike(std::string_view pattern, std::string_view text) {
  const std::string_view word = text.substr(0, text.find('.'));
  if (pattern[0] != '{') return pattern.substr(0, pattern.find_first_of(".[")) == word;
  std::size_t at = 0;
  const auto all = alternatives_of(pattern, at);
  return std::find(all.begin(), all.end(), word) != all.end();
}

// Takes alternative `turn` of every group, over and over; none of an optional one is the last. The most that a group
// has goes to `most`.
std::string expanded(std::string_view pattern, std::size_t turn, std::size_t& most) {
  std::string opcode;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{' && pattern[at] != '[') {
      opcode += pattern[at++];
      continue;
    }
    const bool optional = pattern[at] == '[';
    const auto all = alternatives_of(pattern, at);
    const std::size_t choices = all.size() + (optional ? 1 : 0), choice = turn % choices;
    if (choice < all.size()) opcode += all[choice];
    most = std::max(most, choices);
  }
  return opcode;
}

// --- special registers -----------------------------------------------------------------------------------------------

enum class PtxSpecial : std::uint8_t {
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  clock,
  clock_hi,
  clock64,
  globaltimer,
  globaltimer_lo,
  globaltimer_hi,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  zero,
  one,
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z
};
struct PtxSpecialName {
  std::string_view name;
  PtxSpecial which;
  std::uint8_t bits;
};
constexpr PtxSpecialName special_names[] = {
    {"laneid", PtxSpecial::laneid, 32},
    {"warpid", PtxSpecial::warpid, 32},
    {"nwarpid", PtxSpecial::nwarpid, 32},
    {"smid", PtxSpecial::smid, 32},
    {"nsmid", PtxSpecial::nsmid, 32},
    {"gridid", PtxSpecial::gridid, 64},
    {"clock", PtxSpecial::clock, 32},
    {"clock_hi", PtxSpecial::clock_hi, 32},
    {"clock64", PtxSpecial::clock64, 64},
    {"globaltimer", PtxSpecial::globaltimer, 64},
    {"globaltimer_lo", PtxSpecial::globaltimer_lo, 32},
    {"globaltimer_hi", PtxSpecial::globaltimer_hi, 32},
    {"lanemask_eq", PtxSpecial::lanemask_eq, 32},
    {"lanemask_le", PtxSpecial::lanemask_le, 32},
    {"lanemask_lt", PtxSpecial::lanemask_lt, 32},
    {"lanemask_ge", PtxSpecial::lanemask_ge, 32},
    {"lanemask_gt", PtxSpecial::lanemask_gt, 32},
    {"tid.x", PtxSpecial::tid_x, 32},
    {"tid.y", PtxSpecial::tid_y, 32},
    {"tid.z", PtxSpecial::tid_z, 32},
    {"ntid.x", PtxSpecial::ntid_x, 32},
    {"ntid.y", PtxSpecial::ntid_y, 32},
    {"ntid.z", PtxSpecial::ntid_z, 32},
    {"ctaid.x", PtxSpecial::ctaid_x, 32},
    {"ctaid.y", PtxSpecial::ctaid_y, 32},
    {"ctaid.z", PtxSpecial::ctaid_z, 32},
    {"nctaid.x", PtxSpecial::nctaid_x, 32},
    {"nctaid.y", PtxSpecial::nctaid_y, 32},
    {"nctaid.z", PtxSpecial::nctaid_z, 32},
    {"clusterid.x", PtxSpecial::ctaid_x, 32},  // clusters are of one block
    {"clusterid.y", PtxSpecial::ctaid_y, 32},
    {"clusterid.z", PtxSpecial::ctaid_z, 32},
    {"nclusterid.x", PtxSpecial::nctaid_x, 32},
    {"nclusterid.y", PtxSpecial::nctaid_y, 32},
    {"nclusterid.z", PtxSpecial::nctaid_z, 32},
    {"cluster_ctaid.x", PtxSpecial::zero, 32},
    {"cluster_ctaid.y", PtxSpecial::zero, 32},
    {"cluster_ctaid.z", PtxSpecial::zero, 32},
    {"cluster_nctaid.x", PtxSpecial::one, 32},
    {"cluster_nctaid.y", PtxSpecial::one, 32},
    {"cluster_nctaid.z", PtxSpecial::one, 32},
    {"cluster_ctarank", PtxSpecial::zero, 32},
    {"cluster_nctarank", PtxSpecial::one, 32},
};

std::uint64_t nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::uint64_t value_of(PtxSpecial which) {
  const Block& block = *Block::current();
  const std::uint32_t lane = block.lane();
  // The emulated GPU has one multiprocessor for each block that runs at a time; a thread sees the first.
  switch (which) {
    case PtxSpecial::laneid: return lane;
    case PtxSpecial::warpid: return block.thread_number() / warp_lanes;
    case PtxSpecial::nwarpid: return 64;
    case PtxSpecial::smid: return 0;
    case PtxSpecial::nsmid: return 1;
    case PtxSpecial::gridid: return 1;
    case PtxSpecial::clock: return __builtin_ia32_rdtsc() & 0xFFFFFFFFU;
    case PtxSpecial::clock_hi: return __builtin_ia32_rdtsc() >> 32;
    case PtxSpecial::clock64: return __builtin_ia32_rdtsc();
    case PtxSpecial::globaltimer: return nanoseconds();
    case PtxSpecial::globaltimer_lo: return nanoseconds() & 0xFFFFFFFFU;
    case PtxSpecial::globaltimer_hi: return nanoseconds() >> 32;
    case PtxSpecial::lanemask_eq: return std::uint64_t{1} << lane;
    case PtxSpecial::lanemask_le: return (std::uint64_t{2} << lane) - 1;
    case PtxSpecial::lanemask_lt: return (std::uint64_t{1} << lane) - 1;
    case PtxSpecial::lanemask_ge: return 0xFFFFFFFFU & ~((std::uint64_t{1} << lane) - 1);
    case PtxSpecial::lanemask_gt: return 0xFFFFFFFFU & ~((std::uint64_t{2} << lane) - 1);
    case PtxSpecial::zero: return 0;
    case PtxSpecial::one: return 1;
    case PtxSpecial::tid_x: return threadIdx.x;
    case PtxSpecial::tid_y: return threadIdx.y;
    case PtxSpecial::tid_z: return threadIdx.z;
    case PtxSpecial::ntid_x: return blockDim.x;
    case PtxSpecial::ntid_y: return blockDim.y;
    case PtxSpecial::ntid_z: return blockDim.z;
    case PtxSpecial::ctaid_x: return blockIdx.x;
    case PtxSpecial::ctaid_y: return blockIdx.y;
    case PtxSpecial::ctaid_z: return blockIdx.z;
    case PtxSpecial::nctaid_x: return gridDim.x;
    case PtxSpecial::nctaid_y: return gridDim.y;
    case PtxSpecial::nctaid_z: return gridDim.z;
  }
  return 0;
}

}  // namespace

int ptx_bits(PtxType type) { return ptx_types[static_cast<std::size_t>(type)].bits; }
PtxKind ptx_kind(PtxType type) { return ptx_types[static_cast<std::size_t>(type)].kind; }
PtxType ptx_type_named(std::string_view name) {
  for (std::size_t k = 0; k + 1 < std::size(ptx_types); ++k) {
    if (ptx_types[k].name == name) return static_cast<PtxType>(k);
  }
  return PtxType::none;
}
const FormatSpec& ptx_format(PtxType type) {
  switch (type) {
    case PtxType::f16:
    case PtxType::f16x2: return formats::float16;
    case PtxType::bf16:
    case PtxType::bf16x2: return formats::bfloat16;
    case PtxType::tf32: return formats::tf32;
    case PtxType::f64: return formats::float64;
    case PtxType::e4m3:
    case PtxType::e4m3x2: return formats::float8_e4m3fn;
    case PtxType::e5m2:
    case PtxType::e5m2x2: return formats::float8_e5m2;
    default: return formats::float32;
  }
}

std::span<const PtxRow> ptx_rows_in_order() { return ptx_table; }
std::optional<PtxSpecialRegister> ptx_special(std::string_view name) {
  for (const PtxSpecialName& special : special_names) {
    if (special.name == name)
      return PtxSpecialRegister{static_cast<std::uint8_t>(special.which), special.bits};
  }
  return {};
}
std::uint64_t ptx_special_value(std::uint8_t number) { return value_of(static_cast<PtxSpecial>(number)); }

std::vector<PtxForm> ptx_forms() {
  std::vector<PtxForm> all;
  for (const PtxRow& row : ptx_table) all.push_back({row.pattern, row.operands});
  return all;
}
std::vector<std::string> ptx_opcodes(std::string_view pattern) {
  std::vector<std::string> all;
  std::size_t most = 1;
  for (std::size_t turn = 0; turn < most; ++turn) all.push_back(expanded(pattern, turn, most));
  return all;
}
bool is_ptx_opcode(std::string_view pattern, std::string_view opcode) {
  return begins_alike(pattern, opcode) && matches(pattern, opcode);
}

}  // namespace assay::simt
