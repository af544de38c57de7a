// Evidence: results of a suite that ran against hardware, as a dated file that is kept. validation/evidence/README.md
// explains the files, schema.json beside it their form; reader and writer enforce both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

struct EvidenceMachine {
  enum class Kind : std::uint8_t { cpu, gpu };
  Kind kind = Kind::cpu;
  std::string name;  // "AMD EPYC 9B45", "NVIDIA H100 80GB HBM3"
  // A CPU's, as CPUID has them (extended family and model added).
  int family = 0, model = 0, stepping = 0;
  std::vector<std::string> isas;  // that it runs, of those Assay knows
  // A GPU's.
  std::string compute_capability;  // "9.0"
  std::string driver;              // "580.65.06"; empty if it did not say
};

// One class of vectors of one unit against one piece of hardware.
struct EvidenceRow {
  std::string unit{};          // "vdpbf16ps"
  std::string against{};       // "VDPBF16PS instruction", "recorded A100/bf16"
  std::string vector_class{};  // "cancel_c"
  std::uint64_t vectors = 0;   // outputs compared by bits
  std::uint64_t mismatches = 0;
  std::string first_mismatch{};  // operands, got and expected in codes; empty if there is none
};

// A wrong model that the vectors must refuse.
struct EvidenceMutant {
  std::string name;  // "vdpbf16ps even pair first"
  bool killed = false;
  std::string
      by;  // what killed it: an `against`, or "definition" where no hardware stands behind it; else empty
};

struct EvidenceFile {
  std::string date;   // UTC, "2026-03-01T12:00:00Z"
  std::string suite;  // "units"
  EvidenceMachine machine;
  std::string isa;  // the widest that the run used
  std::string compiler, flags;
  std::string version;  // of Assay
  std::vector<EvidenceRow> rows;
  std::vector<EvidenceMutant> mutants;
};

// This computer's CPU. InputError if ASSAY_ISA names no ISA.
EvidenceMachine this_cpu();

// An Evidence of now, this CPU and this build, without rows.
EvidenceFile new_evidence(std::string_view suite);

// "2026-03-01-amd-epyc-9b45-units.json".
std::string evidence_file_name(const EvidenceFile& evidence);

// What is wrong with it, as a sentence that begins with the place ("/rows/2/mismatches: more than vectors"); empty if
// nothing is. No hardware and no mismatch can hide: a row without vectors, two rows of one unit, hardware and class, or
// a killed mutant that nothing killed are wrong.
std::string why_unsound(const EvidenceFile& evidence);

std::string evidence_json(const EvidenceFile& evidence);

// Makes the folder if need be. InputError if nothing can be written there: to be asked before a long run.
void check_evidence_folder(const std::filesystem::path& folder);

// Into `folder`, made if need be, under evidence_file_name(), in place of a file of that name; whole or not at all.
// Returns its path. ContractError if the evidence is unsound, InputError if it cannot be written.
std::filesystem::path write_evidence(const std::filesystem::path& folder, const EvidenceFile& evidence);

// InputError that names path and place for anything that schema.json or why_unsound() refuses.
EvidenceFile read_evidence(const std::filesystem::path& path);

}  // namespace assay
