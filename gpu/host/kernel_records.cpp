#include "gpu/host/kernel_records.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "reference/core/error.hpp"
#include "reference/core/file.hpp"

namespace assay::gpu {
namespace {

using Json = nlohmann::ordered_json;

constexpr int records_format = 1;
constexpr std::uint64_t largest_file = std::uint64_t{16} << 20;

std::string hexadecimal(std::uint64_t word) {
  char text[2 + 16] = {'0', 'x'};
  const auto end = std::to_chars(text + 2, text + sizeof text, word, 16).ptr;
  return {text, end};
}

// Values of one file, each with the place where it stands.
class Reader {
 public:
  Reader(const std::filesystem::path& path, const Json& value, std::string place = "")
      : path_(path), value_(value), place_(std::move(place)) {}

  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    throw InputError(path_.string(), place_.empty() ? "/" : place_, expected, found);
  }
  void has_keys(std::initializer_list<std::string_view> keys) const {
    if (!value_.is_object()) fail("an object", shown());
    for (const auto& [key, ignored] : value_.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        Reader(path_, value_, place_ + "/" + key).fail("no such key", assay::quoted(key));
    }
  }
  Reader at(const char* key) const {
    if (!value_.is_object()) fail("an object", shown());
    const auto found = value_.find(key);
    if (found == value_.end()) Reader(path_, value_, place_ + "/" + key).fail("a value", "nothing");
    return {path_, *found, place_ + "/" + key};
  }
  bool has(const char* key) const { return value_.is_object() && value_.contains(key); }
  std::string text() const {
    if (!value_.is_string()) fail("text", shown());
    return value_.get<std::string>();
  }
  bool boolean() const {
    if (!value_.is_boolean()) fail("true or false", shown());
    return value_.get<bool>();
  }
  std::uint64_t whole(std::uint64_t most) const {
    if (!value_.is_number_unsigned() || value_.get<std::uint64_t>() > most)
      fail("a whole number up to " + std::to_string(most), shown());
    return value_.get<std::uint64_t>();
  }
  int small() const { return static_cast<int>(whole(1'000'000)); }
  double seconds() const {
    if (!value_.is_number() || !(value_.get<double>() >= 0)) fail("seconds", shown());
    return value_.get<double>();
  }
  std::uint64_t word() const {
    const std::string digits = text();
    std::uint64_t out = 0;
    const char* const end = digits.data() + digits.size();
    if (!digits.starts_with("0x") || digits.size() < 3 ||
        std::from_chars(digits.data() + 2, end, out, 16).ptr != end)
      fail("hexadecimal digits behind 0x, up to 64 bits", assay::quoted(digits));
    return out;
  }
  std::vector<Reader> elements() const {
    if (!value_.is_array()) fail("an array", shown());
    std::vector<Reader> out;
    for (std::size_t i = 0; i < value_.size(); ++i)
      out.emplace_back(path_, value_[i], place_ + "/" + std::to_string(i));
    return out;
  }

 private:
  std::string shown() const {
    const std::string text = value_.dump(-1, ' ', true, Json::error_handler_t::replace);
    return text.size() <= 60 ? text : text.substr(0, 57) + "...";
  }

  const std::filesystem::path& path_;
  const Json& value_;
  std::string place_;
};

Json json_of(const ArrayRecord& array) {
  Json samples = Json::array();
  for (const auto& [place, code] : array.samples) samples.push_back(Json::array({place, hexadecimal(code)}));
  return {{"name", array.name},
          {"element", array.element},
          {"shape", array.shape},
          {"hashes", Json::array({hexadecimal(array.hash), hexadecimal(array.second_hash)})},
          {"samples", std::move(samples)}};
}

ArrayRecord array_from(const Reader& json) {
  json.has_keys({"name", "element", "shape", "hashes", "samples"});
  ArrayRecord out{.name = json.at("name").text(), .element = json.at("element").text()};
  constexpr std::uint64_t most = std::uint64_t{1} << 40;
  std::uint64_t size = 1;
  for (const Reader& extent : json.at("shape").elements()) {
    out.shape.push_back(static_cast<std::int64_t>(extent.whole(most)));
    size *= static_cast<std::uint64_t>(out.shape.back());
    if (size > most) extent.fail("an array of at most 2^40 elements", "more");
  }
  const std::vector<Reader> hashes = json.at("hashes").elements();
  if (hashes.size() != 2) json.at("hashes").fail("two hashes", std::to_string(hashes.size()));
  out.hash = hashes[0].word();
  out.second_hash = hashes[1].word();
  for (const Reader& sample : json.at("samples").elements()) {
    const std::vector<Reader> pair = sample.elements();
    if (pair.size() != 2) sample.fail("place and code", std::to_string(pair.size()) + " values");
    if (size == 0) sample.fail("no sample of an empty array", "one");
    out.samples.emplace_back(pair[0].whole(size - 1), pair[1].word());
  }
  return out;
}

KernelRecord case_from(const Reader& json) {
  json.has_keys({"name", "error", "seconds", "arrays"});
  KernelRecord out{.name = json.at("name").text()};
  if (json.has("error")) {
    out.error = json.at("error").text();
    return out;
  }
  const std::vector<Reader> seconds = json.at("seconds").elements();
  if (seconds.size() != 2) json.at("seconds").fail("seconds of two runs", std::to_string(seconds.size()));
  out.seconds = seconds[0].seconds();
  out.second_seconds = seconds[1].seconds();
  for (const Reader& array : json.at("arrays").elements()) out.arrays.push_back(array_from(array));
  return out;
}

DeviceInfo device_from(const Reader& json) {
  json.has_keys(
      {"name", "capability", "image", "has_wgmma", "driver", "driver_cuda", "runtime", "device_compiler"});
  DeviceInfo out;
  out.name = json.at("name").text();
  const std::vector<Reader> capability = json.at("capability").elements();
  if (capability.size() != 2)
    json.at("capability").fail("major and minor", std::to_string(capability.size()));
  out.capability_major = capability[0].small();
  out.capability_minor = capability[1].small();
  out.image = json.at("image").small();
  out.has_wgmma = json.at("has_wgmma").boolean();
  out.driver = json.at("driver").text();
  out.driver_cuda = json.at("driver_cuda").small();
  out.runtime = json.at("runtime").small();
  out.device_compiler = json.at("device_compiler").text();
  return out;
}

}  // namespace

CaseGpu case_gpu(const DeviceInfo& device) {
  return {.architecture = 10 * device.capability_major + device.capability_minor,
          .has_wgmma = device.has_wgmma};
}
CaseGpu KernelRecords::gpu() const { return case_gpu(device); }

std::uint64_t hash_of(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const std::byte b : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001B3U;
  return hash;
}

std::vector<std::size_t> sampled_places(std::size_t n) {
  constexpr std::size_t most = 64;
  std::vector<std::size_t> places(std::min(n, most));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = n <= most ? i : i * (n - 1) / (most - 1);
  return places;
}

std::string kernel_name(const KernelCase& kernel) {
  std::string name = kernel.member;
  for (const auto& [key, value] : kernel.parameters) name += " " + key + "=" + value;
  return name;
}

std::vector<ArrayRecord> array_records(const KernelArrays& first, const KernelArrays& second) {
  if (first.size() != second.size()) throw ContractError("two runs that wrote another number of arrays");
  std::vector<ArrayRecord> out;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const KernelArray& array = first[i];
    ArrayRecord record{.name = array.name,
                       .element = array.element,
                       .shape = array.shape,
                       .hash = hash_of(array.bytes),
                       .second_hash = hash_of(second[i].bytes)};
    for (const std::size_t place : sampled_places(array.size()))
      record.samples.emplace_back(place, array.code(place));
    out.push_back(std::move(record));
  }
  return out;
}

KernelRecord record_kernel(const KernelCase& kernel, std::uint64_t seed) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  KernelRecord out{.name = kernel_name(kernel)};
  try {
    const auto begin = Clock::now();
    const KernelArrays first = kernel.run(seed);
    out.seconds = since(begin);
    const auto again = Clock::now();
    const KernelArrays second = kernel.run(seed);
    out.second_seconds = since(again);
    out.arrays = array_records(first, second);
  } catch (const std::exception& e) {
    out.error = e.what();
  }
  return out;
}

std::string kernel_records_json(const KernelRecords& records) {
  const DeviceInfo& d = records.device;
  Json cases = Json::array();
  for (const KernelRecord& one : records.cases) {
    Json json = {{"name", one.name}};
    if (!one.error.empty()) {
      json["error"] = one.error;
    } else {
      json["seconds"] = {one.seconds, one.second_seconds};
      json["arrays"] = Json::array();
      for (const ArrayRecord& array : one.arrays) json["arrays"].push_back(json_of(array));
    }
    cases.push_back(std::move(json));
  }
  const Json json = {{"format", records_format},
                     {"assay", records.version},
                     {"date", records.date},
                     {"seed", records.seed},
                     {"gpu",
                      {{"name", d.name},
                       {"capability", {d.capability_major, d.capability_minor}},
                       {"image", d.image},
                       {"has_wgmma", d.has_wgmma},
                       {"driver", d.driver},
                       {"driver_cuda", d.driver_cuda},
                       {"runtime", d.runtime},
                       {"device_compiler", d.device_compiler}}},
                     {"cases", std::move(cases)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

KernelRecords read_kernel_records(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path, largest_file);
  const auto* const text = reinterpret_cast<const char*>(bytes.data());
  Json parsed;
  try {
    parsed = Json::parse(text, text + bytes.size());
  } catch (const Json::parse_error& e) {
    throw InputError(path.string(), "byte " + std::to_string(e.byte), "JSON", "something else");
  } catch (const Json::out_of_range&) {
    throw InputError(path.string(), "", "numbers that a float64 holds", "a larger one");
  }
  const Reader json(path, parsed);
  // A later version has other keys: which version it is comes first.
  if (const Reader format = json.at("format"); format.small() != records_format)
    format.fail("format " + std::to_string(records_format), "format " + std::to_string(format.small()));
  if (const Reader version = json.at("assay"); version.text() != ASSAY_VERSION)
    version.fail("results of Assay " ASSAY_VERSION, "results of version " + assay::quoted(version.text()));
  json.has_keys({"format", "assay", "date", "seed", "gpu", "cases"});
  KernelRecords out;
  out.version = ASSAY_VERSION;
  out.date = json.at("date").text();
  out.seed = json.at("seed").whole(std::numeric_limits<std::uint64_t>::max());
  out.device = device_from(json.at("gpu"));
  std::set<std::string> names;
  for (const Reader& one : json.at("cases").elements()) {
    out.cases.push_back(case_from(one));
    if (!names.insert(out.cases.back().name).second)
      one.fail("each case once", assay::quoted(out.cases.back().name) + " again");
  }
  return out;
}

}  // namespace assay::gpu
