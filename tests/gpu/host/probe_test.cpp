// The probe over devices of the test's own: exact zeros, and zeros that go wrong.
#include "gpu/host/probe.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gpu/host/probe_program.hpp"
#include "gpu/host/probe_vectors.hpp"
#include "reference/core/error.hpp"
#include "reference/exact/exact_sum.hpp"
#include "validation/io/io.hpp"

using namespace assay;
using namespace assay::gpu;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-probe-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::uint64_t code_of_word(std::uint64_t word, const FormatSpec& f) {
  return f == formats::tf32 ? word >> 13 : word;
}

// One exact dot product an instruction, rounded to nearest: no GPU's arithmetic, but a known one.
class ExactDevice : public Device {
 public:
  explicit ExactDevice(int major = 9, int minor = 0) {
    info_.name = "Test GPU 80GB (x)";
    info_.capability_major = major;
    info_.capability_minor = minor;
    info_.image = 100 * major + 10 * minor;
    info_.has_wgmma = major == 9;
    info_.driver_cuda = 13000;
    info_.runtime = 12090;
    info_.driver = "580.1";
    info_.device_compiler = "none";
  }
  DeviceInfo info() const override { return info_; }

  std::vector<std::uint64_t> run(const TileJob& job) override {
    const TensorCoreInstruction& i = instruction_of(job.instruction);
    const auto m = static_cast<std::size_t>(i.m), step = static_cast<std::size_t>(i.k), k = job.chunks * step;
    BOOST_REQUIRE(job.a.size() == job.tiles * m * k);
    BOOST_REQUIRE(job.b.size() == job.tiles * 8 * k);
    BOOST_REQUIRE(job.c.size() == job.tiles * m * 8);
    std::vector<std::uint64_t> d = job.c;
    for (std::size_t at = 0; at < d.size(); ++at) {
      const std::size_t tile = at / (8 * m), row = at / 8 % m, column = at % 8;
      for (std::size_t chunk = 0; chunk < job.chunks; ++chunk) {
        ExactSum sum;
        sum.add(d[at], i.accumulator);
        for (std::size_t x = chunk * step; x < (chunk + 1) * step; ++x) {
          sum.add_product(code_of_word(job.a[(tile * m + row) * k + x], i.input), i.input,
                          code_of_word(job.b[(tile * 8 + column) * k + x], i.input), i.input);
        }
        d[at] = sum.rounded(i.accumulator).code;
      }
      if (spoil) d[at] = spoil(job, row, column, d[at]);
    }
    return d;
  }

  std::vector<std::uint64_t> run(const RowJob& job) override {
    const FormatSpec& f = operation_of(job.operation).format;
    std::vector<std::uint64_t> d = job.c;
    for (std::size_t row = 0; row < d.size(); ++row) {
      for (std::size_t x = 0; x < job.k; ++x) {
        ExactSum sum;
        sum.add(d[row], f);
        sum.add_product(job.a[row * job.k + x], f, job.b[row * job.k + x], f);
        d[row] = sum.rounded(f).code;
      }
    }
    return d;
  }

  std::function<std::uint64_t(const TileJob&, std::size_t, std::size_t, std::uint64_t)> spoil;

 private:
  DeviceInfo info_;
};

const ProbeSet& set_named(const std::string& name) {
  for (const ProbeSet& set : probe_sets()) {
    if (set.name == name) return set;
  }
  throw std::logic_error(name);
}

nlohmann::json meta_of(const fs::path& folder) {
  std::ifstream in(folder / "meta.json");
  return nlohmann::json::parse(in);
}

std::vector<std::uint64_t> array_of(const fs::path& path, std::size_t k, std::size_t bytes) {
  const io::Array array = io::read_array(path.string());
  BOOST_REQUIRE(array.shape.size() == (k == 0 ? 1U : 2U));
  if (k != 0) BOOST_REQUIRE(static_cast<std::size_t>(array.shape[1]) == k);
  std::vector<std::uint64_t> words;
  for (std::size_t i = 0; i < static_cast<std::size_t>(array.size()); ++i)
    words.push_back(array.code(static_cast<std::int64_t>(i)));
  BOOST_TEST(array.bytes.size() == words.size() * bytes);
  return words;
}

int run_program(const std::vector<const char*>& arguments,
                const std::function<std::unique_ptr<Device>(int)>& open, std::string* said = nullptr) {
  std::vector<const char*> argv{"assay-probe-gpu"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::ostringstream out, err;
  const int code = run_probe_program(static_cast<int>(argv.size()), argv.data(), open, out, err);
  if (said != nullptr) *said = out.str() + err.str();
  return code;
}

std::unique_ptr<Device> no_gpu(int) { throw Unavailable("no GPU: as the test says"); }
std::unique_ptr<Device> exact_gpu(int) { return std::make_unique<ExactDevice>(); }

}  // namespace

// Every set, read back from its files: d is what the device's arithmetic makes of a, b and c, row by row.
BOOST_AUTO_TEST_CASE(files_hold_what_the_device_answered) {
  Folder folder;
  ExactDevice device;
  std::size_t sets = 0;
  for (const ProbeSet& set : probe_sets()) {
    BOOST_REQUIRE(why_not(set, device.info()).empty());
    // 5 rows a class: the last tile is not full.
    const Recorded done = record(device, set, {.out = folder.path, .rows = 5, .seed = 3});
    BOOST_TEST(done.folder == folder.path / "Test_GPU_80GB__x_" / set.name);
    BOOST_TEST(done.position_differences == 0U);
    const nlohmann::json meta = meta_of(done.folder);
    BOOST_TEST(meta.at("rows").get<std::size_t>() == done.rows);
    BOOST_TEST(meta.at("k").get<std::size_t>() == set.k);
    const bool wide = set.input == formats::float64;
    const FormatSpec& file_format = wide ? formats::float64 : formats::float32;
    const auto a = array_of(done.folder / "a.npy", set.k, wide ? 8 : 4);
    const auto b = array_of(done.folder / "b.npy", set.k, wide ? 8 : 4);
    const auto c = array_of(done.folder / "c.npy", 0, wide ? 8 : 4);
    BOOST_REQUIRE((c.size() == done.rows && a.size() == done.rows * set.k && b.size() == a.size()));
    for (const auto& output : meta.at("outputs")) {
      const FormatSpec accumulator = parse_format(output.at("accumulator").get<std::string>());
      const auto steps = output.at("instructions_in_k").get<std::size_t>();
      const auto d = array_of(done.folder / output.at("file").get<std::string>(), 0, wide ? 8 : 4);
      BOOST_REQUIRE(d.size() == done.rows);
      std::size_t wrong = 0;
      for (std::size_t row = 0; row < d.size(); ++row) {
        std::uint64_t acc = convert(c[row], file_format, accumulator).code;
        for (std::size_t step = 0; step < steps; ++step) {
          ExactSum sum;
          sum.add(acc, accumulator);
          for (std::size_t x = step * set.k / steps; x < (step + 1) * set.k / steps; ++x) {
            sum.add_product(a[row * set.k + x], file_format, b[row * set.k + x], file_format);
          }
          acc = sum.rounded(accumulator).code;
        }
        if (convert(acc, accumulator, file_format).code != d[row]) ++wrong;
      }
      BOOST_TEST(wrong == 0U, set.name << " " << output.at("file") << ": " << wrong << " of " << d.size());
      if (set.input == formats::tf32) BOOST_TEST(output.at("low_13_bits_differences") == 0);
    }
    ++sets;
  }
  BOOST_TEST(sets == probe_sets().size());
}

BOOST_AUTO_TEST_CASE(units_are_named_by_architecture) {
  const auto name = [](const std::string& set, int major, int minor) {
    return unit_name(set_named(set), ExactDevice(major, minor).info());
  };
  BOOST_TEST(name("bf16", 9, 0) == "sm90.bf16");
  BOOST_TEST(name("wgmma.bf16.k64", 9, 0) == "sm90.bf16");
  BOOST_TEST(name("wgmma.E4M3", 9, 0) == "sm90.wgmma.f8_e4m3");
  BOOST_TEST(name("E4M3", 9, 0) == "sm90.mma.f8_e4m3");
  BOOST_TEST(name("E4M3", 10, 0) == "sm100.mma.f8_e4m3");
  BOOST_TEST(name("E5M2", 8, 9) == "sm89.f8_e5m2");
  BOOST_TEST(name("E5M2", 12, 0) == "sm120.f8_e5m2");
  BOOST_TEST(name("fp16", 8, 6) == "sm80.f16");
  BOOST_TEST(name("tf32", 8, 0) == "sm80.tf32");
  BOOST_TEST(name("fp64", 8, 0) == "fma_f64");
  BOOST_TEST(name("bf16_axpy", 8, 0) == "fma_bf16.sm80");
  BOOST_TEST(name("bf16_axpy", 9, 0) == "fma_bf16.sm90");
  BOOST_TEST(name("fma_f32_ftz", 9, 0) == "fma_f32_ftz");

  Folder folder;
  ExactDevice device;
  const nlohmann::json meta =
      meta_of(record(device, set_named("wgmma.E4M3"), {.out = folder.path, .rows = 1, .seed = 1}).folder);
  BOOST_TEST(meta.at("unit") == "sm90.wgmma.f8_e4m3");
  BOOST_TEST(meta.at("outputs").at(0).at("unit") == "sm90.wgmma.f8_e4m3");
  BOOST_TEST(meta.at("outputs").at(1).at("unit") == "sm90.wgmma.f8_e4m3:f16");
  BOOST_TEST(meta.at("gpu").at("compute_capability") == "9.0");
  BOOST_TEST(meta.at("gpu").at("runtime") == "12.9");
  BOOST_TEST(meta.at("classes").at(0).at("name") == "unit");
}

BOOST_AUTO_TEST_CASE(sets_that_a_gpu_lacks) {
  BOOST_TEST(why_not(set_named("wgmma.bf16"), ExactDevice(10, 0).info()) ==
             "wgmma is an instruction of sm_90a");
  BOOST_TEST(why_not(set_named("E4M3"), ExactDevice(8, 0).info()).find("sm_89 or later") !=
             std::string::npos);
  BOOST_TEST(why_not(set_named("E4M3"), ExactDevice(8, 9).info()) == "");
  BOOST_TEST(why_not(set_named("bf16"), ExactDevice(7, 5).info()).find("sm_80 or later") !=
             std::string::npos);
  BOOST_TEST(why_not(set_named("fma_f32"), ExactDevice(7, 5).info()) == "");
}

// Registers filled in another order: no file is written.
BOOST_AUTO_TEST_CASE(a_wrong_layout_is_caught_before_anything_is_recorded) {
  Folder folder;
  for (const char* const name : {"bf16", "tf32", "wgmma.E4M3", "fp64", "fp16.k64"}) {
    ExactDevice device;
    bool swapped = false;
    // One element of the tile holds its neighbour's answer.
    device.spoil = [&](const TileJob&, std::size_t row, std::size_t column, std::uint64_t d) {
      if (row != 5 || column != 3) return d;
      swapped = true;
      return d ^ 1;
    };
    BOOST_CHECK_EXCEPTION(record(device, set_named(name), {.out = folder.path, .rows = 2, .seed = 1}),
                          std::runtime_error, [](const std::runtime_error& e) {
                            return std::string(e.what()).find("element (5, 3) of tile 0") !=
                                   std::string::npos;
                          });
    BOOST_TEST(swapped);
  }
  BOOST_TEST(fs::is_empty(folder.path));
  const auto open = [](int) {
    auto device = std::make_unique<ExactDevice>();
    device->spoil = [](const TileJob&, std::size_t, std::size_t, std::uint64_t d) { return d ^ 1; };
    return device;
  };
  const std::string out = folder.path.string();
  std::string said;
  BOOST_TEST(run_program({"--out", out.c_str(), "--only", "bf16"}, open, &said) == 4);
  BOOST_TEST(said.find("multiplies small integers wrongly") != std::string::npos);
  BOOST_TEST(fs::is_empty(folder.path));
}

// Whether a zero sum is +0 or -0 is what the probe is to find out: it is no fault of the layout.
BOOST_AUTO_TEST_CASE(a_negative_zero_is_recorded_as_it_is) {
  Folder folder;
  ExactDevice device;
  device.spoil = [](const TileJob&, std::size_t, std::size_t, std::uint64_t d) {
    return d == 0 ? 0x80000000 : d;
  };
  const Recorded done = record(device, set_named("bf16"), {.out = folder.path, .rows = 40, .seed = 1});
  const auto d = array_of(done.folder / "d_fp32.npy", 0, 4);
  BOOST_TEST(std::count(d.begin(), d.end(), 0U) == 0);
  BOOST_TEST(std::count(d.begin(), d.end(), 0x80000000U) > 20);
}

BOOST_AUTO_TEST_CASE(answers_that_depend_on_the_place_are_counted) {
  Folder folder;
  const auto open = [](int) {
    auto device = std::make_unique<ExactDevice>();
    // The lower half of the tile answers one step off, except for small integers.
    device->spoil = [](const TileJob& job, std::size_t row, std::size_t, std::uint64_t d) {
      return job.tiles != 3 && row >= 8 && d == 0 ? d + 1 : d;
    };
    return device;
  };
  const std::string out = folder.path.string();
  std::string said;
  // A quiet device first, so that the rows that answer +0 are known.
  ExactDevice quiet;
  const Recorded before = record(quiet, set_named("bf16"), {.out = folder.path, .rows = 400, .seed = 1});
  const auto d = array_of(before.folder / "d_fp32.npy", 0, 4);
  const auto zeros = std::count(d.begin(), d.end(), 0U);
  BOOST_REQUIRE(zeros > 0);
  BOOST_TEST(run_program({"--out", out.c_str(), "--only", "bf16", "--rows", "400"}, open, &said) == 1);
  BOOST_TEST(meta_of(before.folder).at("outputs").at(0).at("position_differences") == zeros);
  BOOST_TEST(said.find(std::to_string(zeros) + " DEPEND ON THE PLACE") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(command_line) {
  Folder folder;
  const std::string out = folder.path.string();
  std::string said;
  BOOST_TEST(run_program({"--list"}, no_gpu, &said) == 0);
  for (const ProbeSet& set : probe_sets()) BOOST_TEST(said.find(set.name) != std::string::npos, set.name);
  BOOST_TEST(run_program({"--help"}, no_gpu) == 0);
  BOOST_TEST(run_program({"--out", out.c_str()}, no_gpu, &said) == 3);
  BOOST_TEST(said.find("nothing was recorded: no GPU: as the test says") != std::string::npos);
  BOOST_TEST(run_program({}, no_gpu) == 2);
  BOOST_TEST(run_program({"--rows", "0", "--out", out.c_str()}, exact_gpu) == 2);
  BOOST_TEST(run_program({"--rows", "many", "--out", out.c_str()}, exact_gpu) == 2);
  BOOST_TEST(run_program({"--only", "bf17", "--out", out.c_str()}, exact_gpu, &said) == 2);
  BOOST_TEST(said.find("bf17") != std::string::npos);
  BOOST_TEST(run_program({"more"}, exact_gpu) == 2);
  BOOST_TEST(fs::is_empty(folder.path));
  std::ofstream(folder.path / "file") << "x";
  const std::string below = (folder.path / "file").string();
  BOOST_TEST(run_program({"--only", "fma_f32", "--rows", "1", "--out", below.c_str()}, exact_gpu, &said) ==
             2);
  // A GPU that runs none of what was asked.
  const auto blackwell = [](int) { return std::make_unique<ExactDevice>(10, 0); };
  BOOST_TEST(run_program({"--only", "wgmma.bf16", "--out", out.c_str()}, blackwell, &said) == 3);
  BOOST_TEST(said.find("SKIPPED: wgmma is an instruction of sm_90a") != std::string::npos);
  BOOST_TEST(run_program({"--only", "wgmma.bf16", "--only", "bf16", "--rows", "1", "--out", out.c_str()},
                         blackwell, &said) == 0);
  BOOST_TEST(said.find("1 sets recorded, 1 skipped") != std::string::npos);
}

// A second run replaces the first whole; what was beside it is gone, and a run that fails leaves it.
BOOST_AUTO_TEST_CASE(folders_are_replaced_whole) {
  Folder folder;
  ExactDevice device;
  const ProbeOptions options{.out = folder.path, .rows = 2, .seed = 1};
  const Recorded first = record(device, set_named("bf16"), options);
  std::ofstream(first.folder / "d_fp16.npy") << "of another version";
  record(device, set_named("bf16"), options);
  BOOST_TEST(!fs::exists(first.folder / "d_fp16.npy"));
  BOOST_TEST(std::distance(fs::directory_iterator(first.folder.parent_path()), {}) == 1);
  device.spoil = [](const TileJob&, std::size_t, std::size_t, std::uint64_t d) { return d ^ 1; };
  BOOST_CHECK_THROW(record(device, set_named("bf16"), options), std::runtime_error);
  BOOST_TEST(fs::exists(first.folder / "meta.json"));
  BOOST_TEST(std::distance(fs::directory_iterator(first.folder.parent_path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(names_of_folders) {
  BOOST_TEST(folder_name("NVIDIA H100 80GB HBM3") == "NVIDIA_H100_80GB_HBM3");
  BOOST_TEST(folder_name("../x") == "_.._x");
  BOOST_TEST(folder_name("") == "_");
}
