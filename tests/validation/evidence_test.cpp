// Files of evidence: what is written is read back, follows schema.json, and nothing else is taken.
#include "validation/report/evidence.hpp"
#include "validation/suites/units_evidence.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>

#include "reference/core/error.hpp"
#include "validation/report/json_report.hpp"

using namespace assay;
using namespace assay::suites;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-evidence-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

EvidenceFile sample(EvidenceMachine::Kind kind = EvidenceMachine::Kind::cpu) {
  EvidenceFile e{
      .date = "2026-03-01T12:00:00Z",
      .suite = "units",
      .machine = {},
      .isa = "avx512bf16",
      .compiler = "GCC 12.2.0",
      .flags = "-O3",
      .version = "0.1.0",
      .rows = {{"vdpbf16ps", "VDPBF16PS instruction", "cancel_c", 100000000, 0, ""},
               {"sm80.bf16", "recorded A100/bf16", "unit", 5000, 2, "row 7: got 0x1, expected 0x2"}},
      .mutants = {{"even pair first", true, "VDPBF16PS instruction"}, {"another", false, ""}}};
  e.machine.kind = kind;
  e.machine.name = "AMD EPYC 9B45 96-Core (R) ";
  if (kind == EvidenceMachine::Kind::cpu) {
    e.machine.family = 26;
    e.machine.model = 2;
    e.machine.stepping = 1;
    e.machine.isas = {"scalar", "avx2"};
  } else {
    e.machine.compute_capability = "9.0";
    e.machine.driver = "580.65.06";
  }
  return e;
}

json schema() {
  std::ifstream in(ASSAY_EVIDENCE "/schema.json");
  return json::parse(in);
}

// As much of JSON Schema as schema.json uses; an unknown keyword throws. Empty if `x` follows `s`.
std::string violation(const json& x, const json& s, const std::string& place = "") {
  for (const auto& [key, value] : s.items()) {
    if (key == "$schema" || key == "title" || key == "description") continue;
    // A keyword says nothing of values of other types than its own.
    const bool of_strings = key == "pattern" || key == "minLength";
    const bool of_numbers = key == "minimum" || key == "maximum";
    const bool of_objects = key == "required" || key == "properties" || key == "additionalProperties";
    if ((of_strings && !x.is_string()) || (of_numbers && !x.is_number()) || (of_objects && !x.is_object()) ||
        (key == "items" && !x.is_array())) {
      continue;
    }
    if (key == "type") {
      const bool is = value == "object"    ? x.is_object()
                      : value == "array"   ? x.is_array()
                      : value == "string"  ? x.is_string()
                      : value == "integer" ? x.is_number_integer()
                      : value == "boolean" ? x.is_boolean()
                                           : throw std::logic_error(value.dump());
      if (!is) return place + ": no " + value.get<std::string>();
    } else if (key == "const") {
      if (x != value) return place + ": not " + value.dump();
    } else if (key == "pattern") {
      if (!std::regex_search(x.get<std::string>(), std::regex(value.get<std::string>())))
        return place + ": pattern";
    } else if (key == "minLength") {
      if (x.get<std::string>().size() < value.get<std::size_t>()) return place + ": short";
    } else if (key == "minimum") {
      if (x < value) return place + ": small";
    } else if (key == "maximum") {
      if (x > value) return place + ": large";
    } else if (key == "required") {
      for (const json& one : value) {
        if (!x.contains(one.get<std::string>())) return place + ": lacks " + one.get<std::string>();
      }
    } else if (key == "additionalProperties") {
      for (const auto& [name, unused] : x.items()) {
        if (!s.at("properties").contains(name)) return place + ": has " + name;
      }
    } else if (key == "properties") {
      for (const auto& [name, rule] : value.items()) {
        if (!x.contains(name)) continue;
        if (std::string bad = violation(x.at(name), rule, place + "/" + name); !bad.empty()) return bad;
      }
    } else if (key == "items") {
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (std::string bad = violation(x[i], value, place + "/" + std::to_string(i)); !bad.empty())
          return bad;
      }
    } else if (key == "oneOf") {
      const auto follows = std::count_if(value.begin(), value.end(),
                                         [&](const json& one) { return violation(x, one).empty(); });
      if (follows != 1) return place + ": not one of the forms";
    } else {
      throw std::logic_error(key);
    }
  }
  return "";
}

fs::path file_with(const Folder& folder, const std::string& text) {
  const fs::path path = folder.path / "e.json";
  std::ofstream(path) << text;
  return path;
}

// The reader's refusal; empty if it takes the text.
std::string refusal(const Folder& folder, const std::string& text) {
  try {
    read_evidence(file_with(folder, text));
    return "";
  } catch (const InputError& e) {
    return e.what();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  for (const auto kind : {EvidenceMachine::Kind::cpu, EvidenceMachine::Kind::gpu}) {
    Folder folder;
    const EvidenceFile e = sample(kind);
    const fs::path path = write_evidence(folder.path / "made", e);
    BOOST_TEST(path.filename().string() == "2026-03-01-amd-epyc-9b45-96-core-r-units.json");
    const EvidenceFile back = read_evidence(path);
    BOOST_TEST(evidence_json(back) == evidence_json(e));
    BOOST_TEST((back.machine.kind == kind && back.machine.isas == e.machine.isas &&
                back.machine.family == e.machine.family));
    BOOST_TEST(back.rows.at(1).first_mismatch == e.rows.at(1).first_mismatch);
    BOOST_TEST(back.mutants.at(0).by == "VDPBF16PS instruction");
    write_evidence(folder.path / "made", e);
    BOOST_TEST(std::distance(fs::directory_iterator(folder.path / "made"), {}) == 1);
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_follows_the_schema) {
  const json rules = schema();
  for (const auto kind : {EvidenceMachine::Kind::cpu, EvidenceMachine::Kind::gpu}) {
    const json written = json::parse(evidence_json(sample(kind)));
    BOOST_TEST(violation(written, rules) == "");
  }
  json bad = json::parse(evidence_json(sample()));
  bad["rows"][0]["vectors"] = "many";
  BOOST_TEST(violation(bad, rules) == "/rows/0/vectors: no integer");
}

// Whatever the schema refuses, the reader refuses: each key taken away, of another type, and one too many, everywhere.
BOOST_AUTO_TEST_CASE(reader_and_schema_agree) {
  const json rules = schema();
  Folder folder;
  std::size_t tried = 0;
  const std::function<void(const json&, const json::json_pointer&)> spoil =
      [&](const json& whole, const json::json_pointer& at) {
        const json& here = whole.at(at);
        const auto disagree = [&](const json& text, const std::string& what) {
          ++tried;
          const bool schema_takes = violation(text, rules).empty();
          const bool reader_takes = refusal(folder, text.dump()).empty();
          BOOST_TEST(reader_takes == schema_takes, at.to_string() << ": " << what);
        };
        if (here.is_object()) {
          for (const auto& [key, value] : here.items()) {
            json less = whole;
            less.at(at).erase(key);
            // That a mismatch needs its first is beyond the schema.
            if (key != "first_mismatch") disagree(less, "without " + key);
            spoil(whole, at / key);
          }
          json more = whole;
          more.at(at)["extra"] = 1;
          disagree(more, "extra");
        }
        if (here.is_array()) {
          for (std::size_t i = 0; i < here.size(); ++i) spoil(whole, at / i);
        }
        for (const json& other :
             {json(nullptr), json(-1), json(1.5), json(true), json("x"), json::array({1}), json::object()}) {
          if (other.type() == here.type() || (here.is_number_integer() && other == 1)) continue;
          json changed = whole;
          changed.at(at) = other;
          disagree(changed, other.dump());
        }
      };
  for (const auto kind : {EvidenceMachine::Kind::cpu, EvidenceMachine::Kind::gpu}) {
    const json whole = json::parse(evidence_json(sample(kind)));
    for (const auto& [key, value] : whole.items()) {
      json less = whole;
      less.erase(key);
      BOOST_TEST(!violation(less, rules).empty(), key);
      BOOST_TEST(refusal(folder, less.dump()).find(key) != std::string::npos, key);
      spoil(whole, json::json_pointer("/" + key));
    }
  }
  BOOST_TEST(tried > 200U);
}

BOOST_AUTO_TEST_CASE(unsound_evidence_is_neither_written_nor_read) {
  Folder folder;
  const auto unsound = [&](const std::string& place, const std::function<void(EvidenceFile&)>& change) {
    EvidenceFile e = sample();
    change(e);
    BOOST_TEST(why_unsound(e).starts_with(place + ":"), place << " and not " << why_unsound(e));
    BOOST_CHECK_THROW(write_evidence(folder.path, e), ContractError);
    BOOST_TEST(refusal(folder, evidence_json(e)).find(place) != std::string::npos, place);
    fs::remove(folder.path / "e.json");
    BOOST_TEST(fs::is_empty(folder.path));
  };
  BOOST_TEST(why_unsound(sample()) == "");
  unsound("/date", [](EvidenceFile& e) { e.date = "2026-03-01"; });
  unsound("/suite", [](EvidenceFile& e) { e.suite = "/"; });
  unsound("/machine/name", [](EvidenceFile& e) { e.machine.name = ""; });
  unsound("/compiler", [](EvidenceFile& e) { e.compiler = ""; });
  unsound("/rows", [](EvidenceFile& e) { e.rows.clear(), e.mutants.clear(); });
  unsound("/rows/0/vectors", [](EvidenceFile& e) { e.rows[0].vectors = 0; });
  unsound("/rows/1/mismatches", [](EvidenceFile& e) { e.rows[1].mismatches = 5001; });
  unsound("/rows/1/first_mismatch", [](EvidenceFile& e) { e.rows[1].first_mismatch = ""; });
  unsound("/rows/0/first_mismatch", [](EvidenceFile& e) { e.rows[0].first_mismatch = "x"; });
  unsound("/rows/2", [](EvidenceFile& e) { e.rows.push_back(e.rows[0]); });
  unsound("/mutants/0/by", [](EvidenceFile& e) { e.mutants[0].by = ""; });
  unsound("/mutants/1/by", [](EvidenceFile& e) { e.mutants[1].by = "x"; });
  unsound("/mutants/2/name", [](EvidenceFile& e) { e.mutants.push_back(e.mutants[0]); });
}

BOOST_AUTO_TEST_CASE(bad_files) {
  Folder folder;
  BOOST_TEST(refusal(folder, "").find("JSON") != std::string::npos);
  BOOST_TEST(refusal(folder, evidence_json(sample()).substr(0, 300)).find("JSON") != std::string::npos);
  BOOST_TEST(refusal(folder, "[]").find("an object") != std::string::npos);
  BOOST_TEST(refusal(folder, R"({"format": 1e999})").find("a larger one") != std::string::npos);
  BOOST_CHECK_THROW(read_evidence(folder.path / "absent.json"), InputError);
  std::ofstream(folder.path / "file") << "x";
  BOOST_CHECK_THROW(write_evidence(folder.path / "file", sample()), InputError);
}

BOOST_AUTO_TEST_CASE(this_computer) {
  const EvidenceFile e = new_evidence("units");
  BOOST_TEST(!e.machine.name.empty());
  BOOST_TEST(e.machine.name.find("(family") == std::string::npos);
  BOOST_TEST(e.machine.family > 0);
  BOOST_REQUIRE(!e.machine.isas.empty());
  BOOST_TEST(e.machine.isas.front() == "scalar");
  BOOST_TEST(e.flags.find("-ffp-contract=off") != std::string::npos);
  BOOST_TEST(why_unsound(e).starts_with("/rows: empty"));
}

// Those that are kept.
BOOST_AUTO_TEST_CASE(kept_files) {
  const json rules = schema();
  for (const auto& entry : fs::directory_iterator(ASSAY_EVIDENCE)) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "schema.json") continue;
    const EvidenceFile e = read_evidence(entry.path());
    BOOST_TEST(entry.path().filename().string() == evidence_file_name(e));
    std::ifstream in(entry.path());
    BOOST_TEST(violation(json::parse(in), rules) == "", entry.path());
  }
}

// What a case says of a wrong model becomes a line of evidence and nothing else does.
BOOST_AUTO_TEST_CASE(a_units_run_becomes_evidence) {
  // As the process that runs cases hands them to the one that reports them.
  CaseResult sent;
  sent.status = Status::passed;
  sent.details = {"first"};
  sent.mutants = {{"vdpbf16ps/even_first", "live CPU", false, 17, 4000},
                  {"F = 25 for 24", "A100/bf16/fp32, A100/fp16/fp32", false, 3, 10000},
                  {"F = 26 for 24", "zeros", true, 5, 64},
                  {"vdpbf16ps/odd", "", true, 5, 64},
                  {"L = 4 for 8", "", false, 0, 123}};
  const std::vector<std::string> lines{"first",
                                       "killed vdpbf16ps/even_first by live CPU: 17 of 4000",
                                       "killed F = 25 for 24 by A100/bf16/fp32, A100/fp16/fp32: 3 of 10000",
                                       "killed F = 26 for 24 by definition only, zeros: 5 of 64",
                                       "killed vdpbf16ps/odd by definition only: 5 of 64",
                                       "LIVES  L = 4 for 8: 123 vectors"};
  BOOST_TEST(detail_lines(sent) == lines, boost::test_tools::per_element());
  BOOST_TEST((json::parse(json_result(sent)).at("details") == json(lines)));
  const CaseResult received = parse_json_result(json_result(sent));
  BOOST_TEST(received.details == sent.details, boost::test_tools::per_element());
  BOOST_TEST_REQUIRE(received.mutants.size() == sent.mutants.size());
  for (std::size_t i = 0; i < sent.mutants.size(); ++i) {
    const TriedMutant &x = received.mutants[i], &y = sent.mutants[i];
    BOOST_TEST((x.name == y.name && x.by == y.by && x.by_definition == y.by_definition &&
                x.kills == y.kills && x.vectors == y.vectors));
  }

  std::vector<CaseRecord> records;
  const auto add = [&](const char* name, Status status, std::uint64_t checked, std::uint64_t mismatches,
                       std::vector<std::string> details, std::vector<TriedMutant> mutants = {}) {
    CaseRecord record{.name = name, .result = {}};
    record.result.status = status;
    record.result.checked = checked;
    record.result.mismatches = mismatches;
    record.result.details = std::move(details);
    record.result.mutants = std::move(mutants);
    record.result.evidence = "this CPU's VDPBF16PS";
    records.push_back(std::move(record));
  };
  add("units/live/vdpbf16ps/specials vectors=10 seed=1", Status::failed, 10, 1, {"first at 3"});
  add("units/recorded/A100/bf16/fp32 unit=sm80.bf16", Status::passed, 5000, 0, {});
  add("units/live/tdpbf16ps/specials vectors=10 seed=1", Status::skipped, 0, 0, {});
  add("units/paths/sm80.bf16 a_class=10 seed=1", Status::passed, 100, 0, {});
  add("units/mutants/sm80.bf16 seed=1", Status::failed, 2, 1, {},
      {{"F = 25 for 24", "zeros", true, 3, 64}, {"L = 4 for 8", "", false, 0, 64}});
  const EvidenceFile file = suites::units_evidence(records);
  BOOST_TEST(why_unsound(file) == "");
  BOOST_TEST_REQUIRE(file.rows.size() == 2U);
  BOOST_TEST((file.rows[0].unit == "vdpbf16ps" && file.rows[0].vector_class == "specials" &&
              file.rows[0].mismatches == 1 && file.rows[0].first_mismatch == "first at 3"));
  BOOST_TEST((file.rows[1].unit == "sm80.bf16" && file.rows[1].against == "recorded A100/bf16/fp32" &&
              file.rows[1].vectors == 5000));
  BOOST_TEST_REQUIRE(file.mutants.size() == 2U);
  BOOST_TEST((file.mutants[0].killed && file.mutants[0].by == "definition"));
  BOOST_TEST(!file.mutants[1].killed);

  // Of a run over several suites each has its file; one that compared nothing has none.
  add("cuda/recorded/H200/spmm/csr_f32 matrix=density_5 seed=1", Status::failed, 1, 1,
      {"n=7[3,2]: 0x1, not 0x2"});
  add("cuda/gemm/bf16_mma arch=sm_80 seed=1", Status::passed, 40, 0, {"from float32: 2 ulp"});
  add("cuda/gemm/bf16_mma arch=sm_120 seed=1", Status::skipped, 0, 0, {});
  add("simt/absent", Status::skipped, 0, 0, {});
  const std::vector<EvidenceFile> files = suites::run_evidence(records);
  BOOST_TEST_REQUIRE(files.size() == 2U);
  BOOST_TEST(files[0].suite == "units");
  BOOST_TEST((files[0].rows.size() == 2U && files[0].mutants.size() == 2U));
  BOOST_TEST(files[1].suite == "cuda");
  BOOST_TEST(why_unsound(files[1]) == "");
  BOOST_TEST_REQUIRE(files[1].rows.size() == 2U);
  BOOST_TEST((files[1].rows[0].unit == "recorded/H200/spmm/csr_f32" &&
              files[1].rows[0].vector_class == "matrix=density_5 seed=1" &&
              files[1].rows[0].mismatches == 1 &&
              files[1].rows[0].first_mismatch == "n=7[3,2]: 0x1, not 0x2"));
  BOOST_TEST((files[1].rows[1].vectors == 40 && files[1].rows[1].first_mismatch.empty()));
  BOOST_TEST(suites::run_evidence(std::vector<CaseRecord>{}).empty());
}
