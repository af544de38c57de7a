// Recorded results of real GPUs in a folder, with which the emulated tensor cores are compared.
//
//   <folder>/<GPU>/<input>/a.npy, b.npy          uint32 [n, K]   operands as float32 bits, values of the input format
//   <folder>/<GPU>/<input>/c.npy                 uint32 [n]      addends as float32 bits
//   <folder>/<GPU>/<input>/d_fp32.npy, d_fp16.npy uint32 [n]     results, float32 bits; a float16 result is widened
//
// One dot product a row. <GPU>: V100, A100, Ada, H100, H200, B200; <input>: fp16, bf16, tf32, E4M3, E5M2. A folder has
// at least one d; each d is a separate set and belongs to one unit. Where D is float16 the addend is c rounded to
// float16, nearest even. The two fp8 sets of H100 and H200 come from two units: d_fp32 from wgmma with the addend 0 (c
// is ignored), d_fp16 from mma.sync with c. Those of B200 both come from mma.sync with c.
//
// Sets of assay-probe-gpu have a meta.json beside a.npy (gpu/host/README.md), which says what each d is; <GPU> and
// <input> are then any names, and the folder may be that of the GPU itself. A d of which it names no unit, or whose
// words are float64's, is listed with the reason why it cannot be compared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "emulation/units/unit.hpp"

namespace assay::suites {

// A set that lies in the folder, before it is read.
struct RecordedSetName {
  std::string gpu{};                          // "H100"
  std::string input{};                        // "E5M2"
  std::string output{};                       // "fp32", "fp16" or "bf16"
  std::string unit{};                         // whose results they are: "sm90.wgmma.f8_e5m2"
  bool addend = true;                         // false: recorded with an addend of 0, whatever c.npy holds
  std::filesystem::path path;                 // of the folder with a.npy
  FormatSpec format = formats::float32;       // of a and b
  FormatSpec accumulator = formats::float32;  // of c and d
  std::string why_not{};                      // why it cannot be compared; empty if it can

  std::string name() const { return gpu + "/" + input + "/" + output; }  // "H100/E5M2/fp32"
};

// The sets of a folder, by name; none if all that it holds is what assay-kernels-gpu wrote. InputError if it is no
// folder, holds no set, or holds a GPU, an input or a file that
// is not among those above (text files and those whose name starts with a dot are left alone).
std::vector<RecordedSetName> list_recorded_sets(const std::filesystem::path& folder);

struct RecordedSet {
  RecordedSetName name{};
  std::size_t rows = 0, k = 0;
  FormatSpec input = formats::float32;        // of a and b: name.format
  FormatSpec accumulator = formats::float32;  // of c and d: name.accumulator
  // Codes of those formats, each in an uint32_t.
  std::vector<std::uint32_t> a{}, b{};  // [rows][k]
  std::vector<std::uint32_t> c{}, d{};  // [rows]; c is 0 where the set was recorded so
};

// InputError, naming file, row and value, if arrays are not uint32 of the shapes above, if an operand is no value of
// the input format or a result none of the output's.
RecordedSet read_recorded_set(const RecordedSetName& name);

// One dot product: codes of a set's formats in, a code of its accumulator out.
using RecordedDot = std::function<std::uint64_t(const CodeVector& a, const CodeVector& b, std::uint64_t c)>;

struct RecordedComparison {
  std::size_t rows = 0;
  std::size_t mismatches = 0;
  std::size_t first_mismatch = 0;       // a row, if there is any
  std::uint64_t got = 0, expected = 0;  // there
};
// Every row of the set, on all threads.
RecordedComparison compare_recorded(const RecordedSet& set, const RecordedDot& dot);
// The same by an arithmetic that accepts the set's formats. ContractError if it does not.
RecordedComparison compare_recorded(const RecordedSet& set, const Arithmetic& unit);

// A wrong model and the sets that tell it from the unit.
struct RecordedKill {
  std::string unit{};    // the right one
  std::string mutant{};  // what is wrong: "F = 25 for 24"
  RecordedDot dot{};     // the wrong model
  struct BySet {
    std::string set{};  // "A100/fp16/fp32"
    std::size_t mismatches = 0;
  };
  std::vector<BySet> killed_by{};  // empty: recorded results cannot tell: "definition only"
};
// Every mutant of every unit that has recorded sets, in the order of units.def.
std::vector<RecordedKill> kill_by_recorded_sets(const std::vector<RecordedSet>& sets);

}  // namespace assay::suites
