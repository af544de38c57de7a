#include "validation/report/doctor_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "validation/report/json.hpp"
#include "validation/report/table.hpp"

namespace assay {
namespace {

using report::Json;

// A fact of one section. `state` is yes or no where the fact is something that can be there, else empty.
struct Fact {
  std::string name;
  std::string state;
  std::string text;
};
struct Section {
  std::string title;
  std::vector<Fact> facts;
};

const char* yes_or_no(bool yes) { return yes ? "yes" : "no"; }

std::string mxcsr_text(std::uint32_t word) {
  constexpr std::array directions = {"to nearest even", "down", "up", "toward zero"};
  constexpr std::uint32_t daz = 1U << 6, all_masks = 0x1F80, ftz = 1U << 15;
  std::string text = fmt::format("{:#06x}: rounds {}", word, directions[word >> 13 & 3]);
  text += (word & daz) != 0 ? ", subnormal inputs are zero" : ", keeps subnormal inputs";
  text += (word & ftz) != 0 ? ", subnormal results are zero" : ", keeps subnormal results";
  return text + ((word & all_masks) == all_masks ? ", exceptions masked" : ", an exception is not masked");
}

// "CUDA 13.0, V13.0.88 at /usr/local/cuda/bin/nvcc".
Fact toolkit_fact(const Tool& nvcc) {
  if (nvcc.path.empty()) return {"CUDA toolkit", "no", "no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda"};
  return {"CUDA toolkit", "yes",
          fmt::format("{} at {}", nvcc.version.empty() ? "of a version that it does not say" : nvcc.version,
                      nvcc.path)};
}

std::vector<Fact> gpu_facts(const Examination& e) {
  std::vector<Fact> facts;
  for (const std::string& gpu : e.gpus)
    facts.push_back({"GPU", "yes", gpu + " (model, capability, memory, driver)"});
  if (facts.empty()) {
    for (const std::string& gpu : e.machine.gpus)
      facts.push_back({"GPU", "yes", gpu + "; nvidia-smi says nothing"});
  }
  if (facts.empty())
    facts.push_back({"GPU", "no", e.machine.no_gpu + (e.has_nvidia_smi ? "" : ", no nvidia-smi")});
  return facts;
}

Fact mpi_fact(const Tool& mpirun) {
  if (mpirun.path.empty()) return {"MPI", "no", "no mpirun on PATH"};
  return {"MPI", "yes",
          fmt::format("{} at {}", mpirun.version.empty() ? "a version that it does not say" : mpirun.version,
                      mpirun.path)};
}

std::vector<Fact> data_facts(const Data& data) {
  std::vector<Fact> facts;
  if (data.source.empty()) {
    facts.push_back({"ASSAY_DATA", "no", "not set: it names a folder with mnist/, spdnn/, ..."});
  } else {
    facts.push_back({"ASSAY_DATA", yes_or_no(data.exists),
                     data.folder.string() + (data.exists ? "" : ": no such folder")});
  }
  for (const DataFolder& folder : data.folders) {
    std::string text = folder.what;
    if (data.exists && !folder.found.empty() && !folder.complete()) {
      text += fmt::format(", without {}", fmt::join(folder.missing, ", "));
    } else if (folder.found.empty()) {
      text += ": " + (data.exists ? "no " + (data.folder / folder.name).string()
                                  : std::string("cases that need it are SKIPPED"));
    }
    facts.push_back({folder.name, yes_or_no(folder.complete()), std::move(text)});
  }
  const bool fashion = !data.fashion_mnist.empty();
  facts.push_back({"Fashion-MNIST", yes_or_no(fashion),
                   fashion
                       ? data.fashion_mnist.string()
                       : "no /usr/share/datasets/fashion-mnist; Debian's package is dataset-fashion-mnist"});
  return facts;
}

std::vector<Section> sections_of(const Examination& e) {
  const Build& build = e.build;
  const Machine& machine = e.machine;
  std::vector<Section> sections;
  sections.push_back({"build",
                      {{"version", "", build.version},
                       {"compiler", "", build.compiler},
                       {"build type", "", build.build_type},
                       {"flags", "", build.flags}}});
  Section cpu{"cpu",
              {{"model", "", machine.cpu},
               {"processors", "", fmt::format("{}", machine.threads)},
               {"memory", "",
                fmt::format("{:.1f} GiB available", static_cast<double>(e.available_memory) / (1 << 30))},
               {"MXCSR", "", mxcsr_text(machine.mxcsr)},
               {"ASSAY_ISA", "",
                machine.isa_limit.empty() ? "not set: every kernel that this CPU runs is a candidate"
                                          : machine.isa_limit}}};
  for (const IsaState& isa : machine.isas) {
    cpu.facts.push_back({isa.name, yes_or_no(isa.why_not.empty()),
                         isa.why_not.empty() ? "its kernels run here" : isa.why_not});
  }
  sections.push_back(std::move(cpu));
  Section found{"libraries", {}};
  for (const Library& library : e.libraries) {
    found.facts.push_back({library.name, yes_or_no(!library.version.empty()),
                           library.version.empty()
                               ? "not found when this was configured; for " + library.purpose
                               : library.version});
  }
  sections.push_back(std::move(found));
  Section tools{"accelerators and tools", {toolkit_fact(e.nvcc)}};
  for (Fact& gpu : gpu_facts(e)) tools.facts.push_back(std::move(gpu));
  tools.facts.push_back(
      {"CUDA kernels", "no", "this version of Assay has none; assay-probe-gpu asks a GPU what it answers"});
  tools.facts.push_back({"CUDA on the CPU", yes_or_no(e.no_cuda_programs.empty()),
                         !e.no_cuda_programs.empty()  ? e.no_cuda_programs
                         : e.compiler.version.empty() ? e.compiler.path
                                                      : e.compiler.version + " at " + e.compiler.path});
  tools.facts.push_back(mpi_fact(e.mpirun));
  sections.push_back(std::move(tools));
  sections.push_back({"data", data_facts(e.data)});
  return sections;
}

}  // namespace

std::string json_library_version() {
  return fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                     NLOHMANN_JSON_VERSION_PATCH);
}

std::string examination_text(const Examination& e, std::size_t width, bool colour) {
  const std::vector<Section> sections = sections_of(e);
  // One table for all sections, so that their columns line up; the titles go between its lines afterwards.
  std::size_t name_width = 0;
  for (const Section& section : sections) {
    for (const Fact& fact : section.facts) name_width = std::max(name_width, fact.name.size());
  }
  std::string text;
  for (const Section& section : sections) {
    text += fmt::format("{}{}{}{}\n", text.empty() ? "" : "\n", colour ? "\x1b[1m" : "", section.title,
                        colour ? "\x1b[0m" : "");
    std::vector<std::vector<std::string>> rows;
    for (const Fact& fact : section.facts) {
      rows.push_back({fact.name + std::string(name_width - fact.name.size(), ' '),
                      fmt::format("{:<3}", fact.state), fact.text});
    }
    text += table_text(rows, width, 2);
  }
  return text;
}

std::string examination_json(const Examination& e) {
  Json json = Json::object();
  for (const Section& section : sections_of(e)) {
    Json facts = Json::array();
    for (const Fact& fact : section.facts) {
      Json entry = {{"name", fact.name}};
      if (!fact.state.empty()) entry["here"] = fact.state == "yes";
      entry["text"] = fact.text;
      facts.push_back(std::move(entry));
    }
    json[section.title] = std::move(facts);
  }
  return report::indented_json(json);
}

std::string version_text(const Build& build) {
  return fmt::format("assay {}\n{}, {}: {}\n", build.version, build.compiler, build.build_type, build.flags);
}

std::string version_json(const Build& build) {
  return report::one_line({{"assay", build.version},
                           {"compiler", build.compiler},
                           {"build_type", build.build_type},
                           {"flags", build.flags}});
}

}  // namespace assay
