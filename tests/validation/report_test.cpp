// Reports are read back: JSON lines by a JSON parser, XML by one in command_test.cpp, text by its lines.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reference/core/error.hpp"
#include "validation/report/json_report.hpp"
#include "validation/report/junit_report.hpp"
#include "validation/report/report_folder.hpp"
#include "validation/report/text_report.hpp"

using namespace assay;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "assay-report-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

RunHeader header() {
  RunHeader h;
  h.build = this_build();
  h.machine = this_machine();
  h.data = find_data({});
  h.scale = "quick";
  h.suites = {"s"};
  h.cases = 2;
  h.started = utc_now();
  h.repro_suffix = " --data " + shell_word("/a b/it's");
  return h;
}

CaseRecord nasty() {
  CaseResult r;
  r.status = Status::error;
  r.fault = Fault::input;
  r.reason = "quote \" amp & less < greater > apostrophe ' tab \t nul-ish \x01 bad utf8 \xFF end";
  r.checked = std::numeric_limits<std::uint64_t>::max();
  r.mismatches = 3;
  r.figures = {{"rate", 0.1, "edges/s"}, {"nothing", std::numeric_limits<double>::quiet_NaN(), ""}};
  r.details = {"first", "]]>",
               "\xE2\x88\x92"
               "1 \xED\xA0\x80"};
  r.evidence = "MNIST";
  return {"s/nasty k=<1>", r, 1.25};
}

CaseRecord plain(Status status, std::string reason, std::string evidence = {}) {
  CaseResult r;
  r.status = status;
  r.reason = std::move(reason);
  r.evidence = std::move(evidence);
  r.checked = 16777216;
  return {"s/" + std::string(status_name(status)), r, 0.5};
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_of_statuses_and_faults_go_there_and_back) {
  for (const Status s : {Status::passed, Status::failed, Status::vacuous, Status::skipped, Status::error}) {
    BOOST_TEST((parse_status(status_name(s)) == s));
  }
  for (const Fault f : {Fault::ours, Fault::code_under_test, Fault::input}) {
    BOOST_TEST((parse_fault(fault_name(f)) == f));
  }
  BOOST_CHECK_THROW(parse_status("passed"), InputError);
}

BOOST_AUTO_TEST_CASE(a_result_survives_json) {
  const CaseRecord before = nasty();
  const CaseRecord after = parse_json_case(json_case(header(), before));
  BOOST_TEST(after.name == before.name);
  BOOST_TEST(after.seconds == before.seconds);
  BOOST_TEST((after.result.status == before.result.status));
  BOOST_TEST((after.result.fault == before.result.fault));
  BOOST_TEST(after.result.checked == before.result.checked);
  BOOST_TEST(after.result.mismatches == before.result.mismatches);
  BOOST_TEST(after.result.figures.at(0).value == 0.1);
  BOOST_TEST(std::isnan(after.result.figures.at(1).value));
  BOOST_TEST(after.result.details.at(0) == "first");
  BOOST_TEST(after.result.evidence == before.result.evidence);
  BOOST_CHECK_THROW(parse_json_result("{\"status\": \"PASSED\"}"), InputError);
  BOOST_CHECK_THROW(parse_json_result("not json"), InputError);
}

BOOST_AUTO_TEST_CASE(json_lines_have_the_fields_of_their_schema) {
  const json head = json::parse(json_header(header()));
  BOOST_TEST(head.at("record") == "header");
  BOOST_TEST(head.at("schema") == report_schema);
  BOOST_TEST(head.at("schema_version") == report_schema_version);
  for (const char* const key :
       {"assay", "started", "compiler", "flags", "machine", "seed", "scale", "data", "cases"}) {
    BOOST_TEST(head.contains(key), key);
  }
  BOOST_TEST(head.at("machine").at("isas").at(0) == "scalar");
  BOOST_TEST(head.at("flags").get<std::string>().find("-ffp-contract=off") != std::string::npos);
  const json one = json::parse(json_case(header(), nasty()));
  BOOST_TEST(one.at("repro") == "assay run --case \"s/nasty k=<1>\" --data '/a b/it'\\''s'");
  const std::vector<CaseRecord> records = {plain(Status::passed, ""), plain(Status::skipped, "no data")};
  RunSummary summary;
  summary.counts = count(records);
  summary.suites = {{.name = "formats", .seconds = 9.5, .budget = 10}, {.name = "calm", .seconds = 0.5}};
  const json tail = json::parse(json_summary(summary, records));
  BOOST_TEST(tail.at("suites").at(0).at("budget") == 10);
  BOOST_TEST(tail.at("suites").at(1).at("seconds") == 0.5);
  BOOST_TEST(!tail.at("suites").at(1).contains("budget"));
  BOOST_TEST(tail.at("counts").at("passed") == 1);
  BOOST_TEST(tail.at("skipped").at(0).at("reason") == "no data");
}

BOOST_AUTO_TEST_CASE(xml_holds_no_forbidden_character) {
  BOOST_TEST(xml_escaped("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;");
  BOOST_TEST(xml_escaped("\t\n\r") == "&#9;&#10;&#13;");
  const std::string unknown = "\xEF\xBF\xBD";
  BOOST_TEST(xml_escaped("\x01") == unknown);
  BOOST_TEST(xml_escaped(std::string_view("\0", 1)) == unknown);
  BOOST_TEST(xml_escaped("\xC3\xA9\xF0\x9F\x98\x80") == "\xC3\xA9\xF0\x9F\x98\x80");
  BOOST_TEST(xml_escaped("\xFF") == unknown);
  BOOST_TEST(xml_escaped("\xC3") == unknown);                              // cut short
  BOOST_TEST(xml_escaped("\xC0\x80") == unknown + unknown);                // overlong
  BOOST_TEST(xml_escaped("\xED\xA0\x80") == unknown + unknown + unknown);  // a surrogate
  BOOST_TEST(xml_escaped("\xEF\xBF\xBF") == unknown);                      // U+FFFF
}

BOOST_AUTO_TEST_CASE(a_passed_case_claims_no_more_than_it_counted) {
  CaseResult r;
  r.status = Status::passed;
  BOOST_TEST((judged(r).status == Status::vacuous));
  r.checked = 1;
  BOOST_TEST((judged(r).status == Status::passed));
  r.mismatches = 1;
  BOOST_TEST((judged(r).status == Status::failed));
  r.status = Status::skipped;
  BOOST_TEST((judged(r).status == Status::skipped));
}

BOOST_AUTO_TEST_CASE(suites_stand_beside_their_budgets) {
  RunSummary summary;
  BOOST_TEST(text_suites(summary) == "");
  summary.suites = {{.name = "formats", .seconds = 9.54, .budget = 10},
                    {.name = "units", .seconds = 61, .budget = 60},
                    {.name = "calm", .seconds = 0.5}};
  const std::vector<std::string> each = lines(text_suites(summary));
  BOOST_TEST(each.size() == 3U);
  BOOST_TEST(each.at(0).ends_with("formats           9.5 s of 10"));
  BOOST_TEST(each.at(1).ends_with("units            61.0 s of 60, over its budget"));
  BOOST_TEST(each.at(2).ends_with("calm              0.5 s"));
}

BOOST_AUTO_TEST_CASE(text_says_what_was_skipped_before_the_cases) {
  const std::vector<CaseRecord> records = {plain(Status::passed, "", "MPFR"),
                                           plain(Status::skipped, "no /x/mnist"),
                                           plain(Status::failed, "3 differ")};
  RunSummary summary;
  summary.counts = count(records);
  summary.verdict = "some disagree";
  const std::string text = text_report(header(), records, summary);
  const auto at = [&](std::string_view part) { return text.find(part); };
  BOOST_TEST(at("cpu ") < at("SKIPPED  1 case: no /x/mnist"));
  BOOST_TEST(at("SKIPPED  1 case: no /x/mnist") < at("PASSED   s/PASSED"));
  BOOST_TEST(at("MPFR (1 case)") != std::string::npos);
  BOOST_TEST(at("16,777,216 checked") != std::string::npos);
  BOOST_TEST(at("rerun: assay run --case \"s/FAILED\"") != std::string::npos);
  BOOST_TEST(lines(text).back() ==
             "some disagree: 1 passed, 1 failed, 0 vacuous, 1 skipped, 0 errors; 3 cases in 0.00 s");
  BOOST_TEST(text.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(numbers_for_people) {
  BOOST_TEST(grouped(0) == "0");
  BOOST_TEST(grouped(999) == "999");
  BOOST_TEST(grouped(1000) == "1,000");
  BOOST_TEST(grouped(1234567) == "1,234,567");
  BOOST_TEST(duration(0.414) == "0.41 s");
  BOOST_TEST(duration(99.99) == "99.99 s");
  BOOST_TEST(duration(99.999) == "1 min 40 s");
  BOOST_TEST(duration(723) == "12 min 03 s");
  BOOST_TEST(shell_word("a/b-c") == "a/b-c");
  BOOST_TEST(shell_word("") == "''");
}

BOOST_AUTO_TEST_CASE(figures_for_people) {
  CaseRecord record = plain(Status::passed, "");
  record.result.checked = 0;
  record.result.figures = {{"executed", 2.37e10, "edges/s"},
                           {"correct", 9494, "images"},
                           {"zeros would pass", 0.00019073, "%"},
                           {"inference", 0.41, "s"},
                           {"all", 3, "/s"},
                           {"nothing", std::nan(""), ""}};
  const std::string text = text_case(header(), record, {});
  for (const char* const part :
       {"executed 23.7 Gedges/s", "correct 9494 images", "zeros would pass 0.000191 %", "inference 0.41 s",
        "all 3 /s", "nothing nan"}) {
    BOOST_TEST(text.find(part) != std::string::npos, text << " has not " << part);
  }
}

BOOST_AUTO_TEST_CASE(a_folder_holds_what_has_finished_at_any_time) {
  const Folder folder;
  const fs::path where = folder.path / "made" / "on the way";
  const fs::path partial = where / "report.jsonl.partial";
  {
    ReportFolder report(where, header());
    BOOST_TEST(lines(contents(partial)).size() == 1U);
    report.add(plain(Status::passed, ""));
    report.add(nasty());
    const auto so_far = lines(contents(partial));
    BOOST_TEST(so_far.size() == 3U);
    for (const std::string& line : so_far) BOOST_TEST(json::accept(line));
    BOOST_TEST(!fs::exists(where / "report.jsonl"));
    BOOST_CHECK_THROW(ReportFolder(where, header()), InputError);  // one run at a time
    BOOST_TEST(lines(contents(partial)).size() == 3U);
    RunSummary summary;
    report.finish(summary);
  }
  BOOST_TEST(!fs::exists(partial));
  BOOST_TEST(lines(contents(where / "report.jsonl")).size() == 4U);
  BOOST_TEST(fs::exists(where / "report.txt"));
  BOOST_TEST(fs::exists(where / "report.junit.xml"));
  for (const auto& file : fs::directory_iterator(where)) {
    BOOST_TEST(file.path().string().find("partial") == std::string::npos, file.path());
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_dies_leaves_the_reports_of_the_one_before) {
  const Folder folder;
  {
    ReportFolder first(folder.path, header());
    first.finish({});
  }
  const std::string before = contents(folder.path / "report.jsonl");
  { ReportFolder second(folder.path, header()); }
  BOOST_TEST(contents(folder.path / "report.jsonl") == before);
  ReportFolder third(folder.path, header());  // the partial file of the second is begun anew
  BOOST_TEST(lines(contents(folder.path / "report.jsonl.partial")).size() == 1U);
}

BOOST_AUTO_TEST_CASE(places_that_cannot_be_written) {
  const Folder folder;
  std::ofstream(folder.path / "file") << "x";
  BOOST_CHECK_THROW(ReportFolder(folder.path / "file", header()), InputError);
  BOOST_CHECK_THROW(ReportFolder(folder.path / "file" / "below", header()), InputError);
  BOOST_CHECK_THROW(ReportFolder("/proc/nothing/here", header()), InputError);
}

BOOST_AUTO_TEST_CASE(data_is_found_part_by_part) {
  const Folder folder;
  fs::create_directories(folder.path / "mnist");
  std::ofstream(folder.path / "mnist" / "train-images-idx3-ubyte") << "unpacked";
  std::ofstream(folder.path / "mnist" / "t10k-labels-idx1-ubyte.gz") << "packed";
  const Data data = find_data(folder.path);
  BOOST_TEST(data.exists);
  BOOST_TEST(data.source == "--data");
  BOOST_TEST(data.folders.at(0).name == "mnist");
  BOOST_TEST(data.folders.at(0).found.size() == 2U);
  BOOST_TEST(data.folders.at(0).missing.size() == 2U);
  BOOST_TEST(data.folders.at(1).found.empty());
  BOOST_CHECK_THROW(find_data(folder.path / "nothing"), InputError);
}
