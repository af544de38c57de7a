#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.hpp"

namespace {

using Target = void (*)(std::span<const std::uint8_t>);

// Every file of the corpus, and every file cut after each of its first bytes: what a fuzzer would try first.
void run_corpus(const std::string& name, Target target) {
  std::size_t files = 0;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(ASSAY_TEST_DATA) + "/fuzz/" + name)) {
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  for (const std::filesystem::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> chars{std::istreambuf_iterator<char>(in), {}};
    std::vector<std::uint8_t> bytes(chars.begin(), chars.end());
    ++files;
    for (std::size_t n = 0; n <= std::min<std::size_t>(bytes.size(), 200); ++n) {
      try {
        target(std::span(bytes).first(n == 200 ? bytes.size() : n));
      } catch (const std::exception& e) {
        BOOST_TEST(false, path.string() << ", first " << n << " bytes: " << e.what());
      }
    }
    try {
      target(bytes);
    } catch (const std::exception& e) {
      BOOST_TEST(false, path.string() << ": " << e.what());
    }
  }
  BOOST_TEST(files >= 10U);
}

BOOST_AUTO_TEST_CASE(challenge) { run_corpus("challenge", assay::fuzz::challenge); }
BOOST_AUTO_TEST_CASE(idx) { run_corpus("idx", assay::fuzz::idx); }
}  // namespace
