// assay doctor: what can run here, and why the rest cannot.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "reference/core/cpu.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/libraries.hpp"
#include "validation/cli/program.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/report/environment.hpp"
#include "validation/report/table.hpp"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

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

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// "CUDA 13.0, V13.0.88 at /usr/local/cuda/bin/nvcc".
Fact toolkit() {
  std::vector<std::filesystem::path> more;
  for (const char* const name : {"CUDA_HOME", "CUDA_PATH"}) {
    if (const char* const folder = std::getenv(name)) more.push_back(std::filesystem::path(folder) / "bin");
  }
  more.emplace_back("/usr/local/cuda/bin");
  const auto nvcc = find_program("nvcc", more);
  if (nvcc.empty()) return {"CUDA toolkit", "no", "no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda"};
  const std::string said = output_of(nvcc, {"--version"}).value_or("");
  const auto at = said.find("release ");
  const std::string release =
      at == std::string::npos ? "of a version that it does not say" : first_line(said.substr(at));
  return {"CUDA toolkit", "yes", fmt::format("{} at {}", release, nvcc.string())};
}

std::vector<Fact> gpus(const Machine& machine) {
  std::vector<Fact> facts;
  const auto smi = find_program("nvidia-smi");
  const auto said = smi.empty() ? std::nullopt
                                : output_of(smi, {"--query-gpu=name,compute_cap,memory.total,driver_version",
                                                  "--format=csv,noheader"});
  std::istringstream lines(said.value_or(""));
  for (std::string line; std::getline(lines, line);) {
    facts.push_back({"GPU", "yes", line + " (model, capability, memory, driver)"});
  }
  if (facts.empty()) {
    for (const std::string& gpu : machine.gpus)
      facts.push_back({"GPU", "yes", gpu + "; nvidia-smi says nothing"});
  }
  if (facts.empty()) facts.push_back({"GPU", "no", machine.no_gpu + (smi.empty() ? ", no nvidia-smi" : "")});
  return facts;
}

Fact mpi() {
  const auto mpirun = find_program("mpirun");
  if (mpirun.empty()) return {"MPI", "no", "no mpirun on PATH"};
  const std::string said =
      first_line(output_of(mpirun, {"--version"}).value_or("a version that it does not say"));
  return {"MPI", "yes", fmt::format("{} at {}", said, mpirun.string())};
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

std::vector<Section> examine() {
  const Build build = this_build();
  const Machine machine = this_machine();
  std::vector<Section> sections;
  sections.push_back({"build",
                      {{"version", "", build.version},
                       {"compiler", "", build.compiler},
                       {"build type", "", build.build_type},
                       {"flags", "", build.flags}}});
  Section cpu{
      "cpu",
      {{"model", "", machine.cpu},
       {"processors", "", fmt::format("{}", machine.threads)},
       {"memory", "",
        fmt::format("{:.1f} GiB available", static_cast<double>(available_memory_bytes()) / (1 << 30))},
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
  for (const Library& library : libraries()) {
    found.facts.push_back({library.name, yes_or_no(!library.version.empty()),
                           library.version.empty()
                               ? "not found when this was configured; for " + library.purpose
                               : library.version});
  }
  sections.push_back(std::move(found));
  Section tools{"accelerators and tools", {toolkit()}};
  for (Fact& gpu : gpus(machine)) tools.facts.push_back(std::move(gpu));
  tools.facts.push_back(
      {"CUDA kernels", "no", "this version of Assay has none; assay-probe-gpu asks a GPU what it answers"});
  tools.facts.push_back(mpi());
  sections.push_back(std::move(tools));
  sections.push_back({"data", data_facts(find_data({}))});
  return sections;
}

std::string as_text(const std::vector<Section>& sections) {
  const bool colour = has_colour(stdout);
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
    text += table_text(rows, terminal_width(), 2);
  }
  return text;
}

Json as_json(const std::vector<Section>& sections) {
  Json json = Json::object();
  for (const Section& section : sections) {
    Json facts = Json::array();
    for (const Fact& fact : section.facts) {
      Json entry = {{"name", fact.name}};
      if (!fact.state.empty()) entry["here"] = fact.state == "yes";
      entry["text"] = fact.text;
      facts.push_back(std::move(entry));
    }
    json[section.title] = std::move(facts);
  }
  return json;
}

}  // namespace

std::function<int()> make_doctor(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "An object of sections on stdout");
  return [json] {
    const std::vector<Section> sections = examine();
    put(*json ? as_json(sections).dump(2, ' ', false, Json::error_handler_t::replace) + '\n'
              : as_text(sections));
    return agree;
  };
}

}  // namespace assay::cli
