// The header's host form, and the example of its page, read back by validation/io.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <limits>

#include "gpu/dump/tensor_dump.hpp"
#include "validation/io/io.hpp"

void dump_gemm(const float* a, const float* b, const float* out, int m, int n, int k);  // of README.md

using namespace assay;

namespace {

// A working folder that goes away with its test: the example writes where it runs.
struct InFolder {
  InFolder() : before(std::filesystem::current_path()) {
    std::string name = (std::filesystem::temp_directory_path() / "assay-dump-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    std::filesystem::current_path(name);
  }
  ~InFolder() {
    const std::filesystem::path mine = std::filesystem::current_path();
    std::filesystem::current_path(before);
    std::filesystem::remove_all(mine);
  }
  static std::ptrdiff_t entries() { return std::distance(std::filesystem::directory_iterator("."), {}); }
  std::filesystem::path before;
};

auto says(std::string part) {
  return [part = std::move(part)](const dump::Error& e) {
    return std::string(e.what()).find(part) != std::string::npos;
  };
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(example_of_the_page, InFolder) {
  const std::vector<float> a{1, 2, 3, 4, 5, 6}, b{7, 8, 9}, out{10, 11};
  dump_gemm(a.data(), b.data(), out.data(), 2, 1, 3);
  const io::Array back = io::read_array("gemm.safetensors:a");
  BOOST_TEST(io::to_string(back.shape) == "[2,3]");
  BOOST_TEST(back.as<float>() == a, boost::test_tools::per_element());
  BOOST_TEST((back.metadata == io::Metadata{{"k", "3"}, {"op", "gemm"}, {"unit", "sm90"}}));
  BOOST_TEST(io::read_array("gemm.safetensors:out").as<float>() == out, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(every_dtype_and_shape, InFolder) {
  const std::vector<std::uint64_t> bytes(12, 0x0001010001000101);  // sound as codes of any type
  dump::File file("x.safetensors");
  const auto* const data = bytes.data();
  std::vector<std::pair<std::string, std::string>> expected{{"F64", "float64"},
                                                            {"F32", "float32"},
                                                            {"F16", "float16"},
                                                            {"BF16", "bfloat16"},
                                                            {"F8_E4M3", "float8_e4m3fn"},
                                                            {"F8_E5M2", "float8_e5m2"},
                                                            {"BOOL", "bool"},
                                                            {"I64", "int64"},
                                                            {"U64", "uint64"},
                                                            {"I32", "int32"},
                                                            {"U32", "uint32"},
                                                            {"I16", "int16"},
                                                            {"U16", "uint16"},
                                                            {"I8", "int8"},
                                                            {"U8", "uint8"}};
  for (const auto& [dtype, name] : expected) file.tensor(dtype, dtype, data, {3, 4});
  file.tensor("scalar", reinterpret_cast<const std::int8_t*>(data), {});
  file.tensor("empty", static_cast<const float*>(nullptr), {0, 5});
  file.tensor("quote \" \\ \n \xc3\xa9", reinterpret_cast<const bool*>(data), {2});
  file.write();
  for (const auto& [dtype, name] : expected) {
    const io::Array back = io::read_array("x.safetensors:" + dtype);
    BOOST_TEST(back.element.name() == name);
    BOOST_TEST(std::memcmp(back.bytes.data(), data, back.bytes.size()) == 0);
  }
  BOOST_TEST(io::read_array("x.safetensors:scalar").code(0) == 1U);
  BOOST_TEST(io::to_string(io::read_array("x.safetensors:empty").shape) == "[0,5]");
  BOOST_TEST(io::read_array("x.safetensors:quote \" \\ \n \xc3\xa9").size() == 2);
  BOOST_TEST(entries() == 1);
}

BOOST_AUTO_TEST_CASE(dtypes_follow_types) {
  BOOST_TEST(dump::Dtype<std::uint16_t>::name() == "U16");
  BOOST_TEST(dump::Dtype<long long>::name() == "I64");
  BOOST_TEST(dump::Dtype<bool>::name() == "BOOL");
  BOOST_TEST(dump::Dtype<double>::name() == "F64");
  BOOST_TEST(dump::Dtype<__nv_bfloat16>::name() == "BF16");
  BOOST_TEST(dump::Dtype<__nv_fp8_e4m3>::name() == "F8_E4M3");
}

BOOST_FIXTURE_TEST_CASE(faults_are_sentences_and_leave_nothing, InFolder) {
  const float one = 1;
  dump::File file("x.safetensors");
  file.tensor("x", &one, {1});
  BOOST_CHECK_EXCEPTION(file.tensor("x", &one, {1}), dump::Error, says("'x' is there already"));
  BOOST_CHECK_EXCEPTION(file.tensor("y", "F128", &one, {1}), dump::Error, says("no dtype 'F128'"));
  BOOST_CHECK_EXCEPTION(file.tensor("y", static_cast<const float*>(nullptr), {1}), dump::Error,
                        says("null pointer"));
  BOOST_CHECK_EXCEPTION(file.tensor("y", &one, {-1}), dump::Error, says("a dimension of -1"));
  BOOST_CHECK_EXCEPTION(file.tensor("y", &one, {std::numeric_limits<std::int64_t>::max()}), dump::Error,
                        says("2^63 bytes or more"));
  BOOST_CHECK_EXCEPTION(file.tensor("__metadata__", &one, {1}), dump::Error, says("__metadata__"));
  file.write();
  BOOST_TEST(io::read_array("x.safetensors").as<float>()[0] == 1);
  file.metadata("k", "\xff");
  BOOST_CHECK_EXCEPTION(file.write(), dump::Error, says("not UTF-8"));
  BOOST_TEST(io::read_array("x.safetensors").as<float>()[0] == 1);

  dump::File elsewhere("absent/x.safetensors");
  BOOST_CHECK_EXCEPTION(elsewhere.write(), dump::Error, says("absent/x.safetensors cannot be opened"));
  std::filesystem::create_directory("folder");
  BOOST_CHECK_EXCEPTION(dump::File("folder").write(), dump::Error, says("renamed"));
  BOOST_TEST(entries() == 2);
}

BOOST_FIXTURE_TEST_CASE(a_file_without_tensors, InFolder) {
  dump::File("x.safetensors").write();
  BOOST_TEST(io::array_names("x.safetensors").empty());
}
