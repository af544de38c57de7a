// main() of every test program. Each file of the program is a suite, named by the file.
//
//   reference_core_test [options of Boost.Test] [-- file_test cpu_test ...]
//
// Without names it takes all files. ctest runs the files one by one, so that they run in parallel and fail alone.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <algorithm>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace ut = boost::unit_test;

std::string stem(ut::const_string path) {
  return std::filesystem::path(std::string(path.begin(), path.end())).stem().string();
}

// The suites and cases right below one suite.
class Children : public ut::test_tree_visitor {
 public:
  explicit Children(const ut::test_suite& suite) : suite_(suite.p_id) {
    ut::traverse_test_tree(suite, *this, true);
  }
  std::vector<ut::test_unit*> list;

 private:
  void visit(const ut::test_case& unit) override { add(unit); }
  bool test_suite_start(const ut::test_suite& unit) override {
    if (unit.p_id == suite_) return true;
    add(unit);
    return false;
  }
  void add(const ut::test_unit& unit) { list.push_back(&ut::framework::get(unit.p_id, unit.p_type)); }

  ut::test_unit_id suite_;
};

// Moves what the files registered into a suite a file, and drops the files that were not asked for.
bool group_by_file() {
  auto& master = ut::framework::master_test_suite();
  master.p_name.value = stem(master.argv[0]);
  std::vector<std::string> asked(master.argv + 1, master.argv + master.argc);
  std::erase(asked, "--");

  master.generate();  // cases over data sets, which Boost.Test makes late
  std::map<std::string, ut::test_suite*> files;
  for (ut::test_unit* unit : Children(master).list) {
    const std::string file = stem(unit->p_file_name);
    master.remove(unit->p_id);
    ut::test_suite*& suite = files[file];
    if (suite == nullptr) suite = new ut::test_suite(file, unit->p_file_name, 0);
    suite->add(unit, 0, unit->p_timeout);
  }
  for (const std::string& file : asked) {
    if (!files.contains(file)) throw std::runtime_error("no tests of '" + file + "' in this program");
  }
  for (const auto& [file, suite] : files) {
    if (asked.empty() || std::ranges::find(asked, file) != asked.end()) master.add(suite);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) { return ut::unit_test_main(&group_by_file, argc, argv); }
