// The environment of a run: build, machine, data. Every report begins with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace assay {

struct Build {
  std::string version;     // of Assay
  std::string compiler;    // "GCC 12.2.0"
  std::string build_type;  // "Release"
  std::string flags;       // those that reach every object of ours, warnings left out
};
Build this_build();

struct IsaState {
  std::string name;
  std::string why_not;  // empty: its kernels run here
};

struct Machine {
  std::string cpu;
  int threads = 1;             // processors that this process may use
  std::vector<IsaState> isas;  // all that Assay knows, ASSAY_ISA applied
  std::string isa_limit;       // ASSAY_ISA; empty if not set
  std::uint32_t mxcsr = 0;
  std::vector<std::string> gpus;
  std::string no_gpu;  // why `gpus` is empty
};
// Reads CPUID and /proc; starts no process and no thread. InputError if ASSAY_ISA names no ISA.
Machine this_machine();

// A folder of data.def.
struct DataFolder {
  std::string name;
  std::string what;
  std::vector<std::string> found, missing;  // names of files

  bool complete() const { return missing.empty(); }
};

struct Data {
  std::filesystem::path folder;         // empty if none was named
  std::string source;                   // "--data", "ASSAY_DATA" or empty
  bool exists = false;                  // `folder` is a folder
  std::vector<DataFolder> folders;      // all of data.def
  std::filesystem::path fashion_mnist;  // Debian's dataset-fashion-mnist; empty if it is not installed
};
// `option` is what --data said; if empty, the variable ASSAY_DATA counts. InputError if `option` is no folder: a
// variable that points nowhere is reported and skipped over, a typed path is an error.
Data find_data(const std::filesystem::path& option);

}  // namespace assay
