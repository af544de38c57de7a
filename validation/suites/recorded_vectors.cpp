#include "validation/suites/recorded_vectors.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>

#include "emulation/units/nvidia/fused_sum.hpp"
#include "gpu/host/kernel_records.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/encode.hpp"
#include "validation/io/io.hpp"

namespace assay::suites {
namespace {

namespace fs = std::filesystem;

struct Input {
  std::string_view folder;
  const FormatSpec& format;
  std::string_view unit;  // of a unit's name
};
const std::array<Input, 5> known_inputs{{{"fp16", formats::float16, "f16"},
                                         {"bf16", formats::bfloat16, "bf16"},
                                         {"tf32", formats::tf32, "tf32"},
                                         {"E4M3", formats::float8_e4m3fn, "f8_e4m3"},
                                         {"E5M2", formats::float8_e5m2, "f8_e5m2"}}};

// The instruction that an fp8 set was recorded with.
enum class Fp8 {
  the_only_one,
  wgmma_and_mma,  // float32 results by wgmma with an addend of 0, float16 results by mma.sync
  mma,            // both by mma.sync
};

struct Gpu {
  std::string_view folder;
  std::string_view unit;  // of a unit's name
  Fp8 fp8;
};
constexpr std::array<Gpu, 6> known_gpus{{{"V100", "sm70", Fp8::the_only_one},
                                         {"A100", "sm80", Fp8::the_only_one},
                                         {"Ada", "sm89", Fp8::the_only_one},
                                         {"H100", "sm90", Fp8::wgmma_and_mma},
                                         {"H200", "sm90", Fp8::wgmma_and_mma},
                                         {"B200", "sm100", Fp8::mma}}};

template <class Known>
const typename Known::value_type* known(const Known& all, std::string_view folder) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.folder == folder; });
  return found == all.end() ? nullptr : &*found;
}

template <class Known>
std::string names_of(const Known& all) {
  std::string names;
  for (const auto& x : all) names += (names.empty() ? "" : ", ") + std::string(x.folder);
  return names;
}

// What a person put into the folder beside the sets.
bool is_note(const fs::path& path) {
  const std::string name = path.filename().string(), extension = path.extension().string();
  return name.starts_with('.') || extension == ".txt" || extension == ".md";
}

// The entries of a folder in the order of their names.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    if (!is_note(i->path())) paths.push_back(i->path());
  }
  if (error) throw InputError(folder.string(), "", "a folder of recorded results", error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string leaf(const fs::path& path) { return path.filename().string(); }

RecordedSetName set_name(const fs::path& folder, const Gpu& gpu, const Input& input, bool f16) {
  const bool fp8 = input.format.bits == 8;
  RecordedSetName name{.gpu = std::string(gpu.folder),
                       .input = std::string(input.folder),
                       .output = f16 ? "fp16" : "fp32",
                       .path = folder,
                       .format = input.format,
                       .accumulator = f16 ? formats::float16 : formats::float32};
  const bool by_wgmma = fp8 && gpu.fp8 == Fp8::wgmma_and_mma && !f16;
  const bool by_mma = fp8 && gpu.fp8 != Fp8::the_only_one && !by_wgmma;
  name.unit = std::string(gpu.unit) +
              (by_wgmma ? ".wgmma."
               : by_mma ? ".mma."
                        : ".") +
              std::string(input.unit) + (f16 ? ":f16" : "");
  name.addend = !by_wgmma;
  return name;
}

io::Array read_words(const fs::path& path, std::size_t dimensions) {
  io::Array array = io::read_array(path.string());
  if (array.element != io::ElementType::unsigned_integer(32) || array.shape.size() != dimensions) {
    throw InputError(path.string(), "", dimensions == 2 ? "uint32 of shape [n, K]" : "uint32 of shape [n]",
                     array.element.name() + " of shape " + io::to_string(array.shape));
  }
  return array;
}

// float32 bits as codes of a format that holds their value.
std::vector<std::uint32_t> exact_codes(const io::Array& words, const fs::path& path, const FormatSpec& f) {
  const std::span<const std::uint32_t> bits = words.as<std::uint32_t>();
  std::vector<std::uint32_t> codes(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const Encoded e = encode_bits32(bits[i], f);
    if (e.inexact || e.invalid) {
      throw InputError(path.string(), "element " + std::to_string(i),
                       "float32 bits of a value of " + std::string(f.dtype), std::to_string(bits[i]));
    }
    codes[i] = static_cast<std::uint32_t>(e.code);
    // A NaN's payload is the GPU's own; what was widened starts with it.
    if (f.is_nan(e.code) && f.specials == Specials::ieee) {
      const std::uint64_t payload = (bits[i] & 0x7FFFFF) >> (formats::float32.precision - f.precision);
      codes[i] =
          static_cast<std::uint32_t>((bits[i] >> 31 != 0 ? f.sign_code() : 0) | f.infinity_code() | payload);
    }
  }
  return codes;
}

// --- sets of assay-probe-gpu

const char* const meta_file = "meta.json";

bool holds_probe_sets(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    if (fs::exists(i->path() / meta_file, error)) return true;
  }
  return false;
}

// A string of an object, or nothing where it is null.
std::optional<std::string> text_at(const nlohmann::json& object, const char* key, const fs::path& path) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !(found->is_string() || found->is_null()))
    throw InputError(path.string(), key, "a string", found == object.end() ? "nothing" : found->dump());
  return found->is_null() ? std::nullopt : std::optional(found->get<std::string>());
}

void add_probe_sets(const fs::path& gpu_path, std::vector<RecordedSetName>& sets) {
  constexpr std::size_t longest = 1 << 20;
  for (const fs::path& path : entries(gpu_path)) {
    const fs::path meta_path = path / meta_file;
    const std::vector<std::byte> bytes = read_bytes(meta_path, longest);
    const auto* const text = reinterpret_cast<const char*>(bytes.data());
    const nlohmann::json meta = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
    if (!meta.is_object() || !meta.contains("outputs") || !meta["outputs"].is_array())
      throw InputError(meta_path.string(), "", "an object with the array \"outputs\"", "something else");
    const FormatSpec input = parse_format(text_at(meta, "input", meta_path).value_or("null"));
    for (const nlohmann::json& output : meta["outputs"]) {
      const std::string file = text_at(output, "file", meta_path).value_or("");
      constexpr std::string_view before = "d_", after = ".npy";
      if (!file.starts_with(before) || !file.ends_with(after) || file.find('/') != std::string::npos)
        throw InputError(meta_path.string(), "outputs", "a file d_*.npy", quoted(file));
      RecordedSetName name{
          .gpu = leaf(gpu_path),
          .input = leaf(path),
          .output = file.substr(before.size(), file.size() - before.size() - after.size()),
          .unit = text_at(output, "unit", meta_path).value_or(""),
          .path = path,
          .format = input,
          .accumulator = parse_format(text_at(output, "accumulator", meta_path).value_or("null"))};
      if (name.unit.empty()) name.why_not = "Assay has no unit for it";
      if (name.accumulator.bits > 32 || input.bits > 32) name.why_not = "its words have 64 bits";
      sets.push_back(std::move(name));
    }
  }
}

// A set's codes as a view of its format's element size.
template <class Word>
struct Narrow {
  std::vector<Word> words;
  explicit Narrow(const std::vector<std::uint32_t>& codes) : words(codes.size()) {
    std::transform(codes.begin(), codes.end(), words.begin(),
                   [](std::uint32_t x) { return static_cast<Word>(x); });
  }
};

template <class Word>
RecordedComparison compare_as(const RecordedSet& set, const RecordedDot& dot) {
  const Narrow<Word> a(set.a), b(set.b);
  std::vector<std::uint64_t> got(set.rows);
  parallel_for(set.rows, 0, [&](std::size_t i) {
    got[i] = dot({a.words.data() + i * set.k, set.k, 1, set.input},
                 {b.words.data() + i * set.k, set.k, 1, set.input}, set.c[i]);
  });
  RecordedComparison result{.rows = set.rows};
  for (std::size_t i = 0; i < set.rows; ++i) {
    if (got[i] == set.d[i]) continue;
    if (result.mismatches++ != 0) continue;
    result.first_mismatch = i;
    result.got = got[i];
    result.expected = set.d[i];
  }
  return result;
}

}  // namespace

std::vector<RecordedSetName> list_recorded_sets(const fs::path& folder) {
  std::vector<RecordedSetName> sets;
  // The folder of one probed GPU, or a folder of such folders and of those that are known by name.
  if (holds_probe_sets(folder)) {
    add_probe_sets(folder, sets);
    return sets;
  }
  bool of_kernels = false;  // what assay-kernels-gpu wrote is suite cuda's
  for (const fs::path& gpu_path : entries(folder)) {
    const bool is_records = leaf(gpu_path) == gpu::kernel_records_file;
    if (is_records || (fs::exists(gpu_path / gpu::kernel_records_file) && !holds_probe_sets(gpu_path))) {
      of_kernels = true;
      continue;
    }
    if (holds_probe_sets(gpu_path)) {
      add_probe_sets(gpu_path, sets);
      continue;
    }
    const Gpu* gpu = known(known_gpus, leaf(gpu_path));
    if (gpu == nullptr) {
      throw InputError(folder.string(), "", "GPUs among " + names_of(known_gpus), quoted(leaf(gpu_path)));
    }
    for (const fs::path& path : entries(gpu_path)) {
      const Input* input = known(known_inputs, leaf(path));
      if (input == nullptr) {
        throw InputError(gpu_path.string(), "", "inputs among " + names_of(known_inputs), quoted(leaf(path)));
      }
      std::set<std::string> files;
      for (const fs::path& file : entries(path)) files.insert(leaf(file));
      const bool f32 = files.erase("d_fp32.npy") != 0, f16 = files.erase("d_fp16.npy") != 0;
      for (const char* needed : {"a.npy", "b.npy", "c.npy"}) {
        if (files.erase(needed) == 0) throw InputError(path.string(), "", needed, "no such file");
      }
      if (!files.empty()) {
        throw InputError(path.string(), "", "a, b, c, d_fp32 and d_fp16 of .npy", quoted(*files.begin()));
      }
      if (!f32 && !f16) throw InputError(path.string(), "", "d_fp32.npy or d_fp16.npy", "neither");
      if (f16) sets.push_back(set_name(path, *gpu, *input, true));
      if (f32) sets.push_back(set_name(path, *gpu, *input, false));
    }
  }
  if (sets.empty() && !of_kernels)
    throw InputError(folder.string(), "", "recorded results", "an empty folder");
  return sets;
}

RecordedSet read_recorded_set(const RecordedSetName& name) {
  if (!name.why_not.empty()) throw Unavailable(name.name() + ": " + name.why_not);
  RecordedSet set{.name = name};
  set.input = name.format;
  set.accumulator = name.accumulator;
  const fs::path d_path = name.path / ("d_" + name.output + ".npy");
  const io::Array a = read_words(name.path / "a.npy", 2), b = read_words(name.path / "b.npy", 2);
  const io::Array c = read_words(name.path / "c.npy", 1), d = read_words(d_path, 1);
  for (const auto& [array, file] : {std::pair{&b, "b.npy"}, std::pair{&c, "c.npy"}, std::pair{&d, "d"}}) {
    if (array == &b ? b.shape != a.shape : array->shape[0] != a.shape[0]) {
      throw InputError(array == &d ? d_path.string() : (name.path / file).string(), "",
                       "a shape that goes with a.npy's " + io::to_string(a.shape),
                       io::to_string(array->shape));
    }
  }
  set.rows = static_cast<std::size_t>(a.shape[0]);
  set.k = static_cast<std::size_t>(a.shape[1]);
  if (set.rows == 0) throw InputError(name.path.string(), "", "at least one row", "none");
  set.a = exact_codes(a, name.path / "a.npy", set.input);
  set.b = exact_codes(b, name.path / "b.npy", set.input);
  set.d = exact_codes(d, d_path, set.accumulator);
  set.c.assign(set.rows, 0);
  if (name.addend) {
    for (std::size_t i = 0; i < set.rows; ++i) {
      set.c[i] = static_cast<std::uint32_t>(encode_bits32(c.as<std::uint32_t>()[i], set.accumulator).code);
    }
  }
  return set;
}

RecordedComparison compare_recorded(const RecordedSet& set, const RecordedDot& dot) {
  if (set.input.bits <= 8) return compare_as<std::uint8_t>(set, dot);
  if (set.input.bits <= 16) return compare_as<std::uint16_t>(set, dot);
  return compare_as<std::uint32_t>(set, dot);
}

RecordedComparison compare_recorded(const RecordedSet& set, const Arithmetic& unit) {
  return compare_recorded(set, [&](const CodeVector& a, const CodeVector& b, std::uint64_t c) {
    return unit.dot(a, b, c, set.accumulator);
  });
}

std::vector<RecordedKill> kill_by_recorded_sets(const std::vector<RecordedSet>& sets) {
  std::vector<RecordedKill> kills;
  for (const FusedSumSpec& spec : fused_sum_specs()) {
    std::vector<const RecordedSet*> own;
    for (const RecordedSet& set : sets) {
      if (set.name.unit == spec.name) own.push_back(&set);
    }
    if (own.empty()) continue;
    for (const FusedSumMutant& mutant : fused_sum_mutants(spec)) {
      const std::shared_ptr<const Unit> wrong = make_fused_sum(mutant.spec);
      RecordedKill kill{.unit = spec.name, .mutant = mutant.name};
      kill.dot = [wrong](const CodeVector& a, const CodeVector& b, std::uint64_t c) {
        return wrong->dot(a, b, c);
      };
      for (const RecordedSet* set : own) {
        const RecordedComparison compared = compare_recorded(*set, kill.dot);
        if (compared.mismatches != 0) kill.killed_by.push_back({set->name.name(), compared.mismatches});
      }
      kills.push_back(std::move(kill));
    }
  }
  return kills;
}

}  // namespace assay::suites
