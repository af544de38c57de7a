#include "gpu/host/probe_program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <exception>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "gpu/host/probe.hpp"
#include "gpu/host/probe_sets.hpp"
#include "gpu/host/probe_vectors.hpp"
#include "reference/core/error.hpp"

namespace assay::gpu {
namespace {

enum ExitCode : int { recorded_all = 0, some_disagree = 1, usage = 2, nothing_verified = 3, internal = 4 };

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size() + 1), ' ');
  return out;
}

std::string instructions_of(const ProbeSet& set) {
  const auto* const tensor = std::get_if<TensorCoreSet>(&set.how);
  if (tensor == nullptr)
    return "a * b + c, nvcc " + operation_of(std::get<CudaCoreSet>(set.how).operation).flags;
  std::string text = tensor->chunks > 1 ? std::to_string(tensor->chunks) + " x " : "";
  text += instruction_of(tensor->d32).ptx;
  if (tensor->d16 != TensorCore::none) text += " and " + instruction_of(tensor->d16).ptx;
  return text;
}

void list(std::ostream& out) {
  out << "sets\n";
  for (const ProbeSet& set : probe_sets()) {
    out << "  " << padded(set.name, 20) << padded("k " + std::to_string(set.k), 7) << instructions_of(set)
        << "\n";
  }
  out << "\nclasses of each set\n";
  for (const ProbeClass& one : probe_classes()) out << "  " << padded(one.name, 20) << one.what << "\n";
}

std::vector<ProbeSet> chosen(const std::vector<std::string>& only) {
  std::vector<ProbeSet> sets;
  for (const std::string& name : only) {
    const auto found = std::find_if(probe_sets().begin(), probe_sets().end(),
                                    [&](const ProbeSet& set) { return set.name == name; });
    if (found == probe_sets().end()) throw InputError("--only", "", "a set of --list", quoted(name));
    sets.push_back(*found);
  }
  return only.empty() ? probe_sets() : sets;
}

int record_sets(Device& device, const std::vector<ProbeSet>& sets, const ProbeOptions& options,
                std::ostream& out, std::ostream& err) {
  const DeviceInfo info = device.info();
  out << info.name << ", compute capability " << info.capability_major << "." << info.capability_minor
      << ", device code of sm_" << info.image / 10 << (info.has_wgmma ? "a" : "") << "; seed " << options.seed
      << ", " << options.rows << " rows a class\n";
  std::size_t recorded = 0, skipped = 0, differences = 0;
  for (const ProbeSet& set : sets) {
    if (const std::string why = why_not(set, info); !why.empty()) {
      out << "  " << padded(set.name, 20) << "SKIPPED: " << why << "\n";
      ++skipped;
      continue;
    }
    const Recorded done = record(device, set, options);
    out << "  " << padded(set.name, 20) << done.rows << " rows";
    if (done.position_differences != 0)
      out << ", " << done.position_differences << " DEPEND ON THE PLACE IN THE TILE";
    out << ", " << done.folder.string() << "\n" << std::flush;
    differences += done.position_differences;
    ++recorded;
  }
  out << recorded << " sets recorded, " << skipped << " skipped, " << differences
      << " answers depend on the place\n";
  if (recorded == 0) {
    err << "assay-probe-gpu: nothing was recorded: " << info.name << " runs none of these sets\n";
    return nothing_verified;
  }
  return differences == 0 ? recorded_all : some_disagree;
}

}  // namespace

int run_probe_program(int argc, const char* const* argv,
                      const std::function<std::unique_ptr<Device>(int)>& open, std::ostream& out,
                      std::ostream& err) {
  CLI::App app(
      "Records what this GPU's matrix instructions and multiply-adds answer, as vectors for "
      "`assay run --suite units --recorded DIR`.",
      "assay-probe-gpu");
  ProbeOptions options;
  std::string folder;
  std::vector<std::string> only;
  int index = 0;
  bool just_list = false;
  app.add_option("--out", folder, "The folder to write <GPU>/<set>/*.npy into");
  app.add_option("--rows", options.rows, "Rows of each class")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--seed", options.seed, "Seed of the operands")->capture_default_str();
  app.add_option("--only", only, "A set of --list; may be given again")->type_name("SET");
  app.add_option("--device", index, "Number of the GPU")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--list", just_list, "The sets and classes; needs no GPU");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, out, err) == 0 ? recorded_all : usage;
  }
  try {
    if (just_list) {
      list(out);
      return recorded_all;
    }
    const std::vector<ProbeSet> sets = chosen(only);
    if (folder.empty()) throw InputError("--out", "", "a folder to write into", "nothing");
    options.out = folder;
    const std::unique_ptr<Device> device = open(index);
    return record_sets(*device, sets, options, out, err);
  } catch (const InputError& e) {
    err << "assay-probe-gpu: " << e.what() << "\n";
    return usage;
  } catch (const Unavailable& e) {
    err << "assay-probe-gpu: nothing was recorded: " << e.what() << "\n";
    return nothing_verified;
  } catch (const std::exception& e) {
    err << "assay-probe-gpu: " << e.what() << "\n";
    return internal;
  }
}

}  // namespace assay::gpu
