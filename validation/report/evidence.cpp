#include "validation/report/evidence.hpp"

#include <cpuid.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "reference/core/cpu.hpp"
#include "reference/core/error.hpp"
#include "reference/core/file.hpp"
#include "validation/report/environment.hpp"
#include "validation/report/json.hpp"
#include "validation/report/run_report.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using report::Json;

constexpr int schema_version = 1;
constexpr std::uint64_t largest_file = 64 << 20;

bool is_date(const std::string& text) {
  constexpr std::string_view form = "0000-00-00T00:00:00Z";
  return text.size() == form.size() &&
         std::equal(text.begin(), text.end(), form.begin(), [](unsigned char c, char f) {
           return f == '0' ? std::isdigit(c) != 0 : c == static_cast<unsigned char>(f);
         });
}

// Lower-case letters and digits, anything else one hyphen.
std::string slug(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 128 && std::isalnum(u) != 0) {
      out += static_cast<char>(std::tolower(u));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

Json machine_json(const EvidenceMachine& m) {
  if (m.kind == EvidenceMachine::Kind::gpu) {
    return {{"kind", "gpu"},
            {"name", m.name},
            {"compute_capability", m.compute_capability},
            {"driver", m.driver}};
  }
  return {{"kind", "cpu"},    {"name", m.name},         {"family", m.family},
          {"model", m.model}, {"stepping", m.stepping}, {"isas", m.isas}};
}

// One object of the file. Every key is asked for once; one that is not there, of another type or asked for by nobody is
// an InputError.
class Reader {
 public:
  Reader(const Json& json, std::string path, std::string place)
      : json_(json), path_(std::move(path)), place_(std::move(place)) {
    if (!json.is_object()) fail(place_, "an object", json);
  }

  const Json& at(const std::string& key) {
    const auto found = json_.find(key);
    if (found == json_.end()) throw InputError(path_, place_, "the key " + quoted(key), "none");
    seen_.insert(key);
    return *found;
  }
  bool has(const std::string& key) const { return json_.contains(key); }
  std::string text(const std::string& key) {
    const Json& value = at(key);
    if (!value.is_string()) fail(place_ + "/" + key, "a string", value);
    return value.get<std::string>();
  }
  std::uint64_t count(const std::string& key) {
    const Json& value = at(key);
    if (!value.is_number_unsigned()) fail(place_ + "/" + key, "a count", value);
    return value.get<std::uint64_t>();
  }
  int number(const std::string& key) {
    const std::uint64_t n = count(key);
    if (n > 0xFFFF) fail(place_ + "/" + key, "a number of CPUID", json_.at(key));
    return static_cast<int>(n);
  }
  bool flag(const std::string& key) {
    const Json& value = at(key);
    if (!value.is_boolean()) fail(place_ + "/" + key, "true or false", value);
    return value.get<bool>();
  }
  const Json& list(const std::string& key) {
    const Json& value = at(key);
    if (!value.is_array()) fail(place_ + "/" + key, "an array", value);
    return value;
  }
  Reader object(const std::string& key) { return {at(key), path_, place_ + "/" + key}; }
  template <class Take>
  void each(const std::string& key, Take take) {
    const Json& all = list(key);
    for (std::size_t i = 0; i < all.size(); ++i) {
      Reader one(all[i], path_, place_ + "/" + key + "/" + std::to_string(i));
      take(one);
      one.done();
    }
  }
  void done() const {
    for (const auto& [key, value] : json_.items()) {
      if (!seen_.contains(key)) throw InputError(path_, place_, "no key that schema.json lacks", quoted(key));
    }
  }
  [[noreturn]] void fail(const std::string& place, const std::string& expected, const Json& found) const {
    throw InputError(path_, place, expected, quoted(report::one_line(found)));
  }

 private:
  const Json& json_;
  std::string path_, place_;
  std::set<std::string> seen_;
};

EvidenceMachine read_machine(Reader json) {
  EvidenceMachine m;
  const std::string kind = json.text("kind");
  m.name = json.text("name");
  if (kind == "gpu") {
    m.kind = EvidenceMachine::Kind::gpu;
    m.compute_capability = json.text("compute_capability");
    m.driver = json.text("driver");
  } else if (kind == "cpu") {
    m.family = json.number("family");
    m.model = json.number("model");
    m.stepping = json.number("stepping");
    const Json& isas = json.list("isas");
    for (std::size_t i = 0; i < isas.size(); ++i) {
      if (!isas[i].is_string()) json.fail("/machine/isas/" + std::to_string(i), "a string", isas[i]);
      m.isas.push_back(isas[i].get<std::string>());
    }
  } else {
    json.fail("/machine/kind", "cpu or gpu", kind);
  }
  json.done();
  return m;
}

EvidenceFile parse(const std::string& path, const Json& root) {
  Reader json(root, path, "");
  EvidenceFile e;
  if (const std::uint64_t schema = json.count("schema"); schema != schema_version) {
    json.fail("/schema", "version " + std::to_string(schema_version), schema);
  }
  e.date = json.text("date");
  e.suite = json.text("suite");
  e.version = json.text("version");
  e.machine = read_machine(json.object("machine"));
  e.isa = json.text("isa");
  e.compiler = json.text("compiler");
  e.flags = json.text("flags");
  json.each("rows", [&](Reader& row) {
    EvidenceRow r{.unit = row.text("unit"),
                  .against = row.text("against"),
                  .vector_class = row.text("class"),
                  .vectors = row.count("vectors"),
                  .mismatches = row.count("mismatches"),
                  .first_mismatch = ""};
    if (row.has("first_mismatch")) r.first_mismatch = row.text("first_mismatch");
    e.rows.push_back(std::move(r));
  });
  json.each("mutants", [&](Reader& mutant) {
    e.mutants.push_back({mutant.text("name"), mutant.flag("killed"), mutant.text("by")});
  });
  json.done();
  return e;
}

}  // namespace

EvidenceMachine this_cpu() {
  EvidenceMachine m;
  m.name = cpu_model();
  m.name = m.name.substr(0, m.name.find(" (family "));
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
    const unsigned family = a >> 8 & 15, model = a >> 4 & 15;
    m.stepping = static_cast<int>(a & 15);
    m.family = static_cast<int>(family == 15 ? family + (a >> 20 & 255) : family);
    m.model = static_cast<int>(family == 6 || family == 15 ? model + (a >> 12 & 0xF0) : model);
  }
  for (const IsaState& isa : this_machine().isas) {
    if (isa.why_not.empty()) m.isas.push_back(isa.name);
  }
  return m;
}

EvidenceFile new_evidence(std::string_view suite) {
  const Build build = this_build();
  EvidenceFile e;
  e.date = utc_now();
  e.suite = suite;
  e.machine = this_cpu();
  if (!e.machine.isas.empty()) e.isa = e.machine.isas.back();
  e.compiler = build.compiler;
  e.flags = build.flags;
  e.version = build.version;
  return e;
}

std::string evidence_file_name(const EvidenceFile& e) {
  return e.date.substr(0, 10) + "-" + slug(e.machine.name) + "-" + slug(e.suite) + ".json";
}

std::string why_unsound(const EvidenceFile& e) {
  if (!is_date(e.date)) return "/date: not of the form 2026-03-01T12:00:00Z";
  if (slug(e.suite).empty()) return "/suite: empty";
  if (slug(e.machine.name).empty()) return "/machine/name: empty";
  if (e.machine.kind == EvidenceMachine::Kind::gpu && e.machine.compute_capability.empty()) {
    return "/machine/compute_capability: empty";
  }
  for (const auto& [place, text] :
       {std::pair{"/isa", &e.isa}, std::pair{"/compiler", &e.compiler}, std::pair{"/version", &e.version}}) {
    if (text->empty()) return std::string(place) + ": empty";
  }
  if (e.rows.empty() && e.mutants.empty()) return "/rows: empty, and so is /mutants: nothing was found";
  std::set<std::tuple<std::string, std::string, std::string>> rows;
  for (std::size_t i = 0; i < e.rows.size(); ++i) {
    const EvidenceRow& row = e.rows[i];
    const std::string place = "/rows/" + std::to_string(i);
    if (row.unit.empty()) return place + "/unit: empty";
    if (row.against.empty()) return place + "/against: empty";
    if (row.vector_class.empty()) return place + "/class: empty";
    if (row.vectors == 0) return place + "/vectors: none: that is no evidence";
    if (row.mismatches > row.vectors) return place + "/mismatches: more than vectors";
    if (row.mismatches != 0 && row.first_mismatch.empty()) return place + "/first_mismatch: empty";
    if (row.mismatches == 0 && !row.first_mismatch.empty()) {
      return place + "/first_mismatch: there, though nothing mismatches";
    }
    if (!rows.emplace(row.unit, row.against, row.vector_class).second) {
      return place + ": its unit, hardware and class have a row before";
    }
  }
  std::set<std::string> mutants;
  for (std::size_t i = 0; i < e.mutants.size(); ++i) {
    const EvidenceMutant& mutant = e.mutants[i];
    const std::string place = "/mutants/" + std::to_string(i);
    if (mutant.name.empty()) return place + "/name: empty";
    if (mutant.killed && mutant.by.empty()) return place + "/by: empty, though it was killed";
    if (!mutant.killed && !mutant.by.empty()) return place + "/by: there, though it lives";
    if (!mutants.insert(mutant.name).second) return place + "/name: there before";
  }
  return "";
}

std::string evidence_json(const EvidenceFile& e) {
  Json rows = Json::array(), mutants = Json::array();
  for (const EvidenceRow& row : e.rows) {
    Json json = {{"unit", row.unit},
                 {"against", row.against},
                 {"class", row.vector_class},
                 {"vectors", row.vectors},
                 {"mismatches", row.mismatches}};
    if (!row.first_mismatch.empty()) json["first_mismatch"] = row.first_mismatch;
    rows.push_back(std::move(json));
  }
  for (const EvidenceMutant& mutant : e.mutants) {
    mutants.push_back({{"name", mutant.name}, {"killed", mutant.killed}, {"by", mutant.by}});
  }
  const Json json = {{"schema", schema_version},
                     {"date", e.date},
                     {"suite", e.suite},
                     {"version", e.version},
                     {"machine", machine_json(e.machine)},
                     {"isa", e.isa},
                     {"compiler", e.compiler},
                     {"flags", e.flags},
                     {"rows", std::move(rows)},
                     {"mutants", std::move(mutants)}};
  return report::indented_json(json) + '\n';
}

void check_evidence_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder, error)) error = std::make_error_code(std::errc::not_a_directory);
  if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0)
    error = std::error_code(errno, std::generic_category());
  if (error) throw InputError(folder.string(), "", "a folder for evidence", error.message());
}

fs::path write_evidence(const fs::path& folder, const EvidenceFile& evidence) {
  if (const std::string why = why_unsound(evidence); !why.empty()) {
    throw ContractError("evidence is not written: " + why);
  }
  check_evidence_folder(folder);
  const fs::path path = folder / evidence_file_name(evidence);
  AtomicFile file(path);
  file.write(evidence_json(evidence));
  file.commit();
  return path;
}

EvidenceFile read_evidence(const fs::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path, largest_file);
  Json root;
  try {
    const auto* const text = reinterpret_cast<const char*>(bytes.data());
    root = Json::parse(text, text + bytes.size());
  } catch (const Json::parse_error& e) {
    throw InputError(path.string(), "byte " + std::to_string(e.byte), "JSON", e.what());
  } catch (const Json::out_of_range&) {
    throw InputError(path.string(), "", "numbers that a float64 holds", "a larger one");
  }
  EvidenceFile evidence = parse(path.string(), root);
  if (const std::string why = why_unsound(evidence); !why.empty()) {
    const auto colon = why.find(": ");
    throw InputError(path.string(), why.substr(0, colon), "sound evidence", why.substr(colon + 2));
  }
  return evidence;
}

}  // namespace assay
