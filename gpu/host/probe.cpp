#include "gpu/host/probe.hpp"

#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "gpu/host/probe_vectors.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/encode.hpp"

namespace assay::gpu {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Code = std::uint64_t;

constexpr std::size_t columns = 8;  // n of every instruction

// A code as the bits of a wider format. A NaN keeps its sign and its payload, which encode() would drop.
Code widened(Code code, const FormatSpec& from, const FormatSpec& to) {
  if (from == to) return code;
  if (!from.is_nan(code) || !from.has_infinity()) {
    const Code sign = from.is_negative(code) ? to.sign_code() : 0;
    return from.is_nan(code) ? sign | to.nan_code() : convert(code, from, to).code;
  }
  const Code payload = code & (from.min_normal_code() - 1);
  return (from.is_negative(code) ? to.sign_code() : 0) | to.infinity_code() |
         payload << (to.precision - from.precision);
}

// tf32 travels in the register of a float32.
Code register_word(Code code, const FormatSpec& f) { return f == formats::tf32 ? code << 13 : code; }

// Dots lie on diagonals of a tile: column j is dot j, and the rows repeat the eight dots, each time one further on, so
// that every dot is computed m / 8 times at different places.
std::size_t dot_of_row(std::size_t row) { return (row + row / columns) % columns; }

struct Dots {
  const std::vector<Code>& a;  // register words, rows x k
  const std::vector<Code>& b;
  const std::vector<Code>& c;
  std::size_t k;
};

struct Answers {
  std::vector<Code> d;
  std::size_t position_differences = 0;
};

Answers run_dots(Device& device, const TensorCoreInstruction& instruction, std::size_t chunks,
                 const Dots& dots) {
  constexpr std::size_t most_tiles = 1024;  // at once, to bound memory
  const std::size_t rows = dots.c.size(), k = dots.k, m = static_cast<std::size_t>(instruction.m);
  Answers answers;
  answers.d.resize(rows);
  for (std::size_t first = 0; first < rows; first += most_tiles * columns) {
    const std::size_t count = std::min(rows - first, most_tiles * columns);
    const std::size_t tiles = (count + columns - 1) / columns;
    TileJob job{.instruction = instruction.id, .tiles = tiles, .chunks = chunks, .a = {}, .b = {}, .c = {}};
    job.a.resize(tiles * m * k);
    job.b.resize(tiles * columns * k);
    job.c.resize(tiles * m * columns);
    const auto copy = [&](const std::vector<Code>& from, std::size_t dot, Code* to) {
      if (dot < count) std::copy_n(from.begin() + static_cast<std::ptrdiff_t>((first + dot) * k), k, to);
    };
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      for (std::size_t j = 0; j < columns; ++j) {
        copy(dots.b, tile * columns + j, job.b.data() + (tile * columns + j) * k);
      }
      for (std::size_t i = 0; i < m; ++i) {
        copy(dots.a, tile * columns + dot_of_row(i), job.a.data() + (tile * m + i) * k);
        for (std::size_t j = 0; j < columns; ++j) {
          const std::size_t dot = tile * columns + j;
          if (dot < count) job.c[(tile * m + i) * columns + j] = dots.c[first + dot];
        }
      }
    }
    const std::vector<Code> d = device.run(job);
    for (std::size_t dot = 0; dot < count; ++dot) {
      const std::size_t tile = dot / columns, j = dot % columns;
      bool seen = false, differs = false;
      for (std::size_t i = 0; i < m; ++i) {
        if (dot_of_row(i) != j) continue;
        const Code word = d.at((tile * m + i) * columns + j);
        if (!seen) answers.d[first + dot] = word;
        differs = differs || word != answers.d[first + dot];
        seen = true;
      }
      if (differs) ++answers.position_differences;
    }
  }
  return answers;
}

Code integer_code(std::int64_t x, const FormatSpec& f) { return encode(static_cast<double>(x), f).code; }

// Small integers are exact in every format and every arithmetic here: a tile of them shows that the registers were
// filled as the instruction reads them, every element of it.
void check_integers(Device& device, const TensorCoreInstruction& instruction, std::size_t chunks) {
  const std::size_t m = static_cast<std::size_t>(instruction.m), tiles = 3;
  const std::size_t k = chunks * static_cast<std::size_t>(instruction.k);
  const CounterRandom random(20, static_cast<std::uint64_t>(instruction.id));
  std::uint64_t next = 0;
  const auto integers = [&](std::size_t n, std::int64_t most) {
    std::vector<std::int64_t> x(n);
    for (auto& one : x) {
      one = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * most + 1), next++)) - most;
    }
    return x;
  };
  const auto words = [&](const std::vector<std::int64_t>& x, const FormatSpec& f) {
    std::vector<Code> w;
    for (const std::int64_t one : x) w.push_back(register_word(integer_code(one, f), f));
    return w;
  };
  const auto a = integers(tiles * m * k, 2), b = integers(tiles * columns * k, 2),
             c = integers(tiles * m * columns, 8);
  const std::vector<Code> d = device.run(TileJob{.instruction = instruction.id,
                                                 .tiles = tiles,
                                                 .chunks = chunks,
                                                 .a = words(a, instruction.input),
                                                 .b = words(b, instruction.input),
                                                 .c = words(c, instruction.accumulator)});
  for (std::size_t at = 0; at < d.size(); ++at) {
    const std::size_t tile = at / (m * columns), i = at / columns % m, j = at % columns;
    std::int64_t sum = c[at];
    for (std::size_t x = 0; x < k; ++x) sum += a[(tile * m + i) * k + x] * b[(tile * columns + j) * k + x];
    // The sign of a sum that is zero is one of the things to find out.
    const Code zero_sign = sum == 0 ? instruction.accumulator.sign_code() : 0;
    if ((d[at] | zero_sign) != (integer_code(sum, instruction.accumulator) | zero_sign)) {
      throw std::runtime_error(instruction.ptx + " multiplies small integers wrongly: element (" +
                               std::to_string(i) + ", " + std::to_string(j) + ") of tile " +
                               std::to_string(tile) + " is not " + std::to_string(sum) +
                               "; nothing was recorded");
    }
  }
  if (d.size() != tiles * m * columns)
    throw std::runtime_error(instruction.ptx + ": tiles of another size came back");
}

// NumPy's npy, version 1: a little-endian header of a multiple of 64 bytes, then the data.
void write_npy(const fs::path& path, const std::vector<Code>& codes, std::size_t word_bytes, std::size_t k) {
  std::string shape = std::to_string(k == 0 ? codes.size() : codes.size() / k) + ",";
  if (k != 0) shape += " " + std::to_string(k);
  std::string header =
      "{'descr': '<u" + std::to_string(word_bytes) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 0xFF);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  for (const Code code : codes) {
    for (std::size_t byte = 0; byte < word_bytes; ++byte)
      text += static_cast<char>(code >> (8 * byte) & 0xFF);
  }
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

// A folder beside its place, moved into it by commit() and removed if that never comes.
class AtomicFolder {
 public:
  explicit AtomicFolder(fs::path place) : place_(std::move(place)) {
    temporary_ = beside("partial");
    std::error_code error;
    fs::create_directories(temporary_, error);
    if (error) throw InputError(temporary_.string(), "", "a folder that can be made", error.message());
  }
  ~AtomicFolder() {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const fs::path& path() const { return temporary_; }
  void commit() {
    std::error_code error, ignored;
    const fs::path old = beside("old");
    const bool replaces = fs::exists(place_, ignored);
    if (replaces) fs::rename(place_, old, error);
    if (!error) fs::rename(temporary_, place_, error);
    if (error) throw InputError(place_.string(), "", "a folder that can be replaced", error.message());
    if (replaces) fs::remove_all(old, ignored);
  }

 private:
  fs::path beside(const char* what) const {
    return place_.string() + "." + what + "-" + std::to_string(static_cast<long>(getpid()));
  }
  fs::path place_, temporary_;
};

std::string cuda_version(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Json meta(const DeviceInfo& device, const ProbeSet& set, const ProbeVectors& v, const ProbeOptions& options,
          std::size_t rows_per_class) {
  Json classes = Json::array();
  for (const VectorClass& one : v.classes) {
    classes.push_back(
        {{"name", one.name}, {"accumulator", one.accumulator.dtype}, {"begin", one.begin}, {"end", one.end}});
  }
  const std::string unit = unit_name(set, device);
  Json json = {{"format", 1},
               {"set", set.name},
               {"unit", unit.empty() ? Json() : Json(unit)},
               {"input", set.input.dtype},
               {"rows", v.rows()},
               {"k", v.k},
               {"outputs", Json::array()},
               {"classes", std::move(classes)},
               {"rows_per_class", rows_per_class},
               {"seed", options.seed},
               {"gpu",
                {{"name", device.name},
                 {"compute_capability",
                  std::to_string(device.capability_major) + "." + std::to_string(device.capability_minor)},
                 {"driver", device.driver},
                 {"driver_cuda", cuda_version(device.driver_cuda)},
                 {"runtime", cuda_version(device.runtime)},
                 {"image", "sm_" + std::to_string(device.image / 10) + (device.has_wgmma ? "a" : "")}}},
               {"device_compiler", device.device_compiler},
               {"assay", ASSAY_VERSION},
               {"date", utc_now()}};
  return json;
}

Json output(const std::string& file, const std::string& unit, const std::string& instruction,
            const FormatSpec& format, std::size_t chunks, std::size_t position_differences) {
  return {{"file", file},
          {"unit", unit.empty() ? Json() : Json(unit)},
          {"instruction", instruction},
          {"accumulator", format.dtype},
          {"instructions_in_k", chunks},
          {"position_differences", position_differences}};
}

// Results and addends as the files have them: float32 bits, or float64's own.
std::vector<Code> file_words(const std::vector<Code>& codes, const FormatSpec& from, const FormatSpec& to) {
  std::vector<Code> words;
  words.reserve(codes.size());
  for (const Code code : codes) words.push_back(widened(code, from, to));
  return words;
}

std::vector<Code> register_words(const std::vector<Code>& codes, const FormatSpec& f) {
  std::vector<Code> words;
  words.reserve(codes.size());
  for (const Code code : codes) words.push_back(register_word(code, f));
  return words;
}

std::vector<Code> rounded(const std::vector<Code>& codes, const FormatSpec& from, const FormatSpec& to) {
  std::vector<Code> out;
  out.reserve(codes.size());
  for (const Code code : codes) out.push_back(from == to ? code : convert(code, from, to).code);
  return out;
}

struct Result {
  std::string file;
  std::vector<Code> words;
};

// The same rows with random bits below tf32's: how many answers change?
std::size_t low_bit_differences(Device& device, const TensorCoreInstruction& instruction, std::size_t chunks,
                                const Dots& dots, const std::vector<Code>& d, std::uint64_t seed) {
  const CounterRandom random(seed, 13);
  std::uint64_t next = 0;
  const auto dirtied = [&](std::vector<Code> words) {
    for (Code& word : words) {
      const Code low = random.u64(next++) & 0x1FFF;
      // Infinity stays infinity where the hardware looks at all bits.
      if ((word & 0x7F800000) != 0x7F800000) word |= low;
    }
    return words;
  };
  const std::vector<Code> a = dirtied(dots.a), b = dirtied(dots.b);
  const Answers again = run_dots(device, instruction, chunks, {a, b, dots.c, dots.k});
  std::size_t differences = 0;
  for (std::size_t i = 0; i < d.size(); ++i) {
    if (again.d[i] != d[i]) ++differences;
  }
  return differences;
}

}  // namespace

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string folder_name(const std::string& gpu) {
  std::string name;
  for (const char c : gpu) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
    name += plain ? c : '_';
  }
  return name.empty() || name[0] == '.' ? "_" + name : name;
}

Recorded record(Device& device, const ProbeSet& set, const ProbeOptions& options) {
  const DeviceInfo info = device.info();
  const std::string unit = unit_name(set, info);
  const auto* const tensor = std::get_if<TensorCoreSet>(&set.how);
  std::vector<TensorCore> instructions;
  std::vector<FormatSpec> accumulators;
  std::size_t rows_per_class = options.rows;
  if (tensor != nullptr) {
    for (const TensorCore id : {tensor->d32, tensor->d16}) {
      if (id == TensorCore::none) continue;
      instructions.push_back(id);
      accumulators.push_back(instruction_of(id).accumulator);
    }
    if (tensor->chunks > 1) rows_per_class = (rows_per_class + 3) / 4;
  } else {
    accumulators.push_back(set.input);
  }
  const ProbeVectors v = make_probe_vectors(set.input, accumulators, set.k, rows_per_class, options.seed);
  const FormatSpec& file_format = v.addend;
  const std::size_t word_bytes = file_format.bits > 32 ? 8 : 4;

  Json json = meta(info, set, v, options, rows_per_class);
  std::vector<Result> results;
  Recorded recorded{.folder = options.out / folder_name(info.name) / set.name, .rows = v.rows()};
  if (tensor != nullptr) {
    const std::vector<Code> a = register_words(v.a, set.input), b = register_words(v.b, set.input);
    for (const TensorCore id : instructions) {
      const TensorCoreInstruction& instruction = instruction_of(id);
      check_integers(device, instruction, tensor->chunks);
      // The addend of a narrow accumulator is c rounded to it.
      const std::vector<Code> c = rounded(v.c, v.addend, instruction.accumulator);
      const Dots dots{a, b, c, set.k};
      Answers answers = run_dots(device, instruction, tensor->chunks, dots);
      const bool narrow = instruction.accumulator == formats::float16;
      const std::string file = narrow ? "d_fp16.npy" : word_bytes == 8 ? "d_fp64.npy" : "d_fp32.npy";
      Json about = output(file, unit + (narrow && !unit.empty() ? ":f16" : ""), instruction.ptx,
                          instruction.accumulator, tensor->chunks, answers.position_differences);
      if (set.input == formats::tf32) {
        about["low_13_bits_differences"] =
            low_bit_differences(device, instruction, tensor->chunks, dots, answers.d, options.seed);
      }
      json["outputs"].push_back(std::move(about));
      recorded.position_differences += answers.position_differences;
      results.push_back({file, file_words(answers.d, instruction.accumulator, file_format)});
    }
  } else {
    const CudaCoreOperation& operation = operation_of(std::get<CudaCoreSet>(set.how).operation);
    const std::vector<Code> d = device.run(RowJob{.operation = operation.id,
                                                  .rows = v.rows(),
                                                  .k = set.k,
                                                  .a = v.a,
                                                  .b = v.b,
                                                  .c = rounded(v.c, v.addend, set.input)});
    if (d.size() != v.rows())
      throw std::runtime_error(std::string(set.name) + ": another number of rows came back");
    const std::string file = set.input == formats::float32   ? "d_fp32.npy"
                             : set.input == formats::float16 ? "d_fp16.npy"
                                                             : "d_bf16.npy";
    json["outputs"].push_back(output(file, unit, "a * b + c, nvcc " + operation.flags, set.input, set.k, 0));
    results.push_back({file, file_words(d, set.input, file_format)});
  }

  AtomicFolder folder(recorded.folder);
  write_npy(folder.path() / "a.npy", file_words(v.a, set.input, file_format), word_bytes, set.k);
  write_npy(folder.path() / "b.npy", file_words(v.b, set.input, file_format), word_bytes, set.k);
  write_npy(folder.path() / "c.npy", v.c, word_bytes, 0);
  for (const Result& result : results) write_npy(folder.path() / result.file, result.words, word_bytes, 0);
  AtomicFile file(folder.path() / "meta.json");
  file.write(json.dump(2) + "\n");
  file.commit();
  folder.commit();
  return recorded;
}

}  // namespace assay::gpu
