// What was revealed, as an arithmetic: saved as JSON, loaded, and asked like any other.
//
// Numerics: reference/exact/addition_tree.hpp. A dot product takes the tree of output `element` (row * columns +
// column) of the shape that was revealed; where one tree serves all outputs, any element. The truth is that of the
// operands as they are. The bound follows the tree: each rounding, cut and flush adds what it can be wrong by.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reference/exact/arithmetic.hpp"
#include "validation/judge/revelation.hpp"

namespace assay::judge {

struct SavedArithmetic {
  std::string name{};                                // "openblas_sgemm"
  std::string program{};                             // the command that was asked
  std::map<std::string, std::string> environment{};  // library, version, cpu, threads, ...: whatever is known
  struct Shape {
    Revelation revelation{};
    PredictionScore score{};
  };
  std::vector<Shape> shapes{};  // of one pair of formats and one output format
};

std::string to_json(const SavedArithmetic& saved);
// InputError, with `origin` and the place, for anything that to_json() does not write: no JSON, missing or
// other members, a tree that is none, a class of an output that does not exist.
SavedArithmetic parse_saved(std::string_view text, const std::string& origin);
void save(const SavedArithmetic& saved, const std::filesystem::path& path);  // whole or not at all
SavedArithmetic load(const std::filesystem::path& path);                     // files of at most 1 GiB

// ContractError if it holds no shape, or shapes of several formats. dot() and gemm() throw InputError, by the
// name, for a length that was not revealed, and for an element of which no tree is known. Evidence is HW
// where every fresh result was predicted, else UNV. A revealed sum takes ones as its second operand and nothing
// else: InputError. step() has no meaning here: ContractError.
std::unique_ptr<const Arithmetic> make_revealed(SavedArithmetic saved);
// What make_revealed() was given; null for any other arithmetic.
const SavedArithmetic* saved_of(const Arithmetic& arithmetic);

}  // namespace assay::judge
