// `assay spdnn` as a person starts it, on inputs of a few images.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "tests/reference/spdnn/temporary_folder.hpp"
#include "tests/validation/shell.hpp"

namespace {
using namespace assay;
using assay::shell::Outcome;
using nlohmann::json;
namespace fs = std::filesystem;

// A folder with images.tsv: 40 images of 1024 pixels, each with a block of set ones that grows from image to image.
struct Fixture {
  Fixture() {
    std::string text;
    for (int image = 1; image <= 40; ++image) {
      for (int pixel = 1; pixel <= 12 * image; ++pixel)
        text += std::to_string(image) + '\t' + std::to_string(pixel * 2) + "\t1\n";
    }
    folder.put("images.tsv", text);
  }
  std::string in(const std::string& name) const { return (folder / name).string(); }
  // --data: an empty folder, so that no real data is found.
  Outcome spdnn(const std::string& arguments) const {
    return shell::run("unset ASSAY_DATA; exec '" ASSAY_PROGRAM "' spdnn " + arguments);
  }
  Outcome small(const std::string& arguments) const {
    return spdnn("--layers 5 --inputs " + in("images.tsv") + " " + arguments);
  }
  test::TemporaryFolder folder;
};

BOOST_FIXTURE_TEST_SUITE(command, Fixture)

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

BOOST_AUTO_TEST_CASE(json_alone_on_stdout) {
  const Outcome r = small("--json");
  BOOST_TEST(r.exit_code == 0, r.err);
  BOOST_TEST(r.err.empty(), r.err);
  const json j = json::parse(r.out);
  for (const char* field : {"neurons", "layers", "inputs", "images", "threads", "isa", "skipped", "seconds",
                            "nominal_edges_per_s", "executed_edges_per_s", "categories", "truth"})
    BOOST_TEST(j.contains(field), field);
  for (const char* field : {"read", "generate", "inference"}) BOOST_TEST(j["seconds"].contains(field), field);
  BOOST_TEST(j["neurons"] == 1024);
  BOOST_TEST(j["layers"] == 5);
  BOOST_TEST(j["images"] == 40);
  BOOST_TEST(j["inputs"] == "file");
  BOOST_TEST(j["skipped"] == json::array({"zero rows"}));
  BOOST_TEST(j["truth"].is_null());
  BOOST_TEST((j["categories"] > 0 && j["categories"] < 40));
}

BOOST_AUTO_TEST_CASE(without_a_truth_nothing_is_claimed) {
  const Outcome r = small("");
  BOOST_TEST(r.exit_code == 0);
  BOOST_TEST(holds(r.out, "truth       none, so this run has measured and judged nothing"), r.out);
  BOOST_TEST(json::parse(small("--json").out)["status"].is_null());
  BOOST_TEST(holds(r.out, "skipped     zero rows"), r.out);
}

BOOST_AUTO_TEST_CASE(truth_agrees_and_disagrees) {
  BOOST_TEST(small("--out " + in("answer.tsv")).exit_code == 0);
  const std::string answer = shell::contents(in("answer.tsv"));
  const Outcome agrees = small("--json --truth " + in("answer.tsv"));
  BOOST_TEST(agrees.exit_code == 0);
  BOOST_TEST(json::parse(agrees.out)["truth"]["agrees"] == true);
  BOOST_TEST(json::parse(agrees.out)["status"] == "PASSED");

  const std::string first = answer.substr(0, answer.find('\n') + 1);
  folder.put("wrong.tsv", "1\n" + answer.substr(first.size()));
  const Outcome disagrees = small("--json --truth " + in("wrong.tsv"));
  BOOST_TEST(disagrees.exit_code == 1);
  const json truth = json::parse(disagrees.out)["truth"];
  BOOST_TEST(truth["agrees"] == false);
  BOOST_TEST(json::parse(disagrees.out)["status"] == "FAILED");
  BOOST_TEST(truth["missing"] == 1);
  BOOST_TEST(truth["extra"] == 1);
  BOOST_TEST(holds(small("--truth " + in("wrong.tsv")).out, "DISAGREES"));

  // On a prefix of the images the truth is compared on that prefix.
  const Outcome prefix = small("--images 30 --truth " + in("answer.tsv"));
  BOOST_TEST(prefix.exit_code == 0, prefix.out);
  BOOST_TEST(holds(prefix.out, "agrees on the first 30 images"), prefix.out);
}

// Weights that let nothing through: every truth without a category agrees with them.
BOOST_AUTO_TEST_CASE(a_dead_network_is_no_evidence) {
  fs::create_directories(in("dead"));
  for (int layer = 1; layer <= 2; ++layer) {
    std::string text;
    for (int output = 1; output <= 1024; ++output) {
      for (int input = 1; input <= 32; ++input)
        text += std::to_string(input) + '\t' + std::to_string(output) + "\t0.001\n";
    }
    folder.put("dead/n1024-l" + std::to_string(layer) + ".tsv", text);
  }
  folder.put("none.tsv", "");
  folder.put("late.tsv", "39\n");
  const std::string run =
      "--layers 2 --inputs " + in("images.tsv") + " --weights " + in("dead") + " --truth ";
  for (const std::string& truth : {in("none.tsv"), in("late.tsv") + " --images 30"}) {
    const Outcome text = spdnn(run + truth), object = spdnn(run + truth + " --json");
    BOOST_TEST(text.exit_code == 3);
    BOOST_TEST(holds(text.out, ": VACUOUS"), text.out);
    BOOST_TEST(!holds(text.out, "agrees"), text.out);
    BOOST_TEST(object.exit_code == 3);
    const json j = json::parse(object.out);
    BOOST_TEST(j["status"] == "VACUOUS");
    BOOST_TEST(j["truth"]["agrees"].is_null());
  }
  const Outcome expected = spdnn(run + in("none.tsv") + " --expects-zero --json");
  BOOST_TEST(expected.exit_code == 0);
  BOOST_TEST(json::parse(expected.out)["truth"]["agrees"] == true);
  BOOST_TEST(spdnn(run + in("late.tsv")).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(categories_go_where_stdout_goes) {
  BOOST_TEST(small("--out " + in("answer.tsv")).exit_code == 0);
  const std::string answer = shell::contents(in("answer.tsv"));
  // A pipe, and a file whose name would be taken from under what was printed.
  const Outcome piped = shell::run("unset ASSAY_DATA; '" ASSAY_PROGRAM "' spdnn --layers 5 --inputs " +
                                   in("images.tsv") + " --out /dev/stdout | cat");
  BOOST_TEST(holds(piped.out, answer), piped.out << piped.err);
  BOOST_TEST(holds(piped.out, "network     1024 neurons"), piped.out);
  const Outcome file = small("--out /dev/stdout");
  BOOST_TEST(file.exit_code == 0, file.err);
  BOOST_TEST(holds(file.out, answer), file.out);
  BOOST_TEST(holds(file.out, "network     1024 neurons"), file.out);
}

BOOST_AUTO_TEST_CASE(same_answer_by_every_way) {
  BOOST_TEST(small("--out " + in("answer.tsv")).exit_code == 0);
  const std::string answer = shell::contents(in("answer.tsv"));
  BOOST_TEST(spdnn("generate --layers 5 --out " + in("plain")).exit_code == 0);
  BOOST_TEST(spdnn("generate --layers 5 --gzip --json --out " + in("gzipped")).exit_code == 0);
  BOOST_TEST(fs::exists(in("plain/n1024-l5.tsv")));
  BOOST_TEST(fs::exists(in("gzipped/n1024-l5.tsv.gz")));
  std::vector<std::string> ways = {"--threads 1", "--threads 3", "--isa scalar", "--weights " + in("plain"),
                                   "--weights " + in("gzipped")};
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (cpu_has(isa)) ways.push_back("--isa " + std::string(isa_name(isa)));
  }
  for (const std::string& way : ways) {
    const Outcome r = small(way + " --out " + in("other.tsv"));
    BOOST_TEST(r.exit_code == 0, way << ": " << r.err);
    BOOST_TEST(shell::contents(in("other.tsv")) == answer, way);
  }
  const Outcome scalar = small("--isa scalar --json");
  BOOST_TEST(json::parse(scalar.out)["isa"] == "scalar");
}

// 40 images through five layers, thread by thread.
BOOST_AUTO_TEST_CASE(cuda_kernels_under_the_executor) {
  BOOST_TEST(small("--out " + in("answer.tsv")).exit_code == 0);
  const Outcome text = small("--device simt --out " + in("other.tsv") + " --truth " + in("answer.tsv"));
  BOOST_TEST(text.exit_code == 0, text.err);
  BOOST_TEST(shell::contents(in("other.tsv")) == shell::contents(in("answer.tsv")));
  BOOST_TEST(holds(text.out, "kernel      spdnn_layers_fused, 48 images a block, "), text.out);
  BOOST_TEST(holds(text.out, "device      simt: CUDA's kernels, thread by thread on this CPU; slow"),
             text.out);
  BOOST_TEST(holds(text.out, ": agrees"), text.out);
  const json on_cpu = json::parse(small("--json").out);
  const json j = json::parse(small("--device simt --threads 1 --json").out);
  BOOST_TEST(j["device"] == "simt");
  BOOST_TEST(on_cpu["device"] == "cpu");
  BOOST_TEST(j["isa"].is_null());
  BOOST_TEST(j["threads"] == 1);
  BOOST_TEST(j["categories"] == on_cpu["categories"]);
  BOOST_TEST(j["row_layers_computed"] >= on_cpu["row_layers_computed"]);
  // The GPU that is imitated has its say: no slab of 48 images fits a block of this one.
  const Outcome older = shell::run("unset ASSAY_DATA; ASSAY_SIMT_ARCH=sm_80 exec '" ASSAY_PROGRAM
                                   "' spdnn --layers 5 --device simt "
                                   "--inputs " +
                                   in("images.tsv") + " --truth " + in("answer.tsv"));
  BOOST_TEST(older.exit_code == 0, older.err);
  BOOST_TEST(holds(older.out, "kernel      spdnn_layers_fused, 36 images a block, "), older.out);
}

// Nothing was verified, and the reason is said; without a driver the program starts all the same.
BOOST_AUTO_TEST_CASE(no_gpu_is_no_verdict) {
  const Outcome r = shell::run("unset ASSAY_DATA; CUDA_VISIBLE_DEVICES= exec '" ASSAY_PROGRAM
                               "' spdnn --layers 5 --device gpu --json --inputs " +
                               in("images.tsv"));
  BOOST_TEST(r.exit_code == 3);
  BOOST_TEST(r.out.empty(), r.out);
  BOOST_TEST(holds(r.err, "assay: SKIPPED: --device gpu: "), r.err);
  // Where there is one, its categories are the CPU's.
  BOOST_TEST(small("--out " + in("answer.tsv")).exit_code == 0);
  const Outcome gpu = small("--device gpu --truth " + in("answer.tsv"));
  BOOST_TEST((gpu.exit_code == 3 ? holds(gpu.err, "SKIPPED") : gpu.exit_code == 0), gpu.out << gpu.err);
}

BOOST_AUTO_TEST_CASE(bad_input_ends_with_two) {
  spdnn("generate --layers 3 --out " + in("layers"));
  fs::remove(in("layers/n1024-l2.tsv"));
  folder.put("cut.tsv", "1\t1\t1\n2\t");
  folder.put("twice.tsv", "3\n3\n");
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"--neurons 1000", "1024, 4096, 16384 or 65536"},
      {"--layers 0", "--layers"},
      {"--layers 1921", "--layers"},
      {"--layers 3 --images 0", "--images: takes a whole number, 1 or more, not \"0\""},
      {"--layers 3 --images -1", "--images: takes a whole number, 1 or more"},
      {"--layers 3 --images 41 --inputs " + in("images.tsv"), "there are only 40 images"},
      {"--layers 3 --inputs " + in("nowhere.tsv"), "nowhere.tsv"},
      {"--layers 3 --inputs " + in("cut.tsv"), "cut.tsv: line 2"},
      {"--layers 3 --inputs mnist", "train-images"},
      {"--layers 3 --truth " + in("twice.tsv") + " --inputs " + in("images.tsv"), "twice.tsv: line 2"},
      {"--layers 3 --weights " + in("layers") + " --inputs " + in("images.tsv"), "layer 2 of 3"},
      {"--layers 3 --out " + in("no/such/folder/c.tsv") + " --inputs " + in("images.tsv"), "c.tsv"},
      {"--device tpu --inputs " + in("images.tsv"), "--device"},
      {"--device simt --isa scalar --inputs " + in("images.tsv"), "--isa"},
      {"--isa sse9 --inputs " + in("images.tsv"), "--isa"},
      {"--network " + in("layers") + " --weights " + in("layers"), "--network"},
      {"--network " + in("layers"), "t10k-images"},
      {"--data " + in("nowhere"), "nowhere"},
      {"generate --layers 3", "--out"},
      {"generate --neurons 7 --out " + in("g"), "1024, 4096, 16384 or 65536"},
      {"generate --out " + in("images.tsv"), "a folder to write to"},
      {"generate --neurons 65536 --layers 1920 --out " + in("huge"), "--yes"},
      {"--no-such-option", "--no-such-option"},
  };
  for (const auto& [arguments, expected] : bad) {
    const Outcome r = spdnn(arguments);
    BOOST_TEST(r.exit_code == 2, arguments << ": " << r.exit_code);
    BOOST_TEST(holds(r.err, expected), arguments << ": " << r.err);
    BOOST_TEST(!holds(r.out, "categories"), arguments);
  }
  BOOST_TEST(!fs::exists(in("huge")));
}

// 3 inputs, a dense layer to 2, a sparse 2 x 2, a dense one to 2, on images of 1 x 3 pixels.
BOOST_AUTO_TEST_CASE(trained_network) {
  fs::create_directories(in("data/mnist"));
  fs::create_directories(in("net"));
  const std::string sizes("\0\0\x08\x03\0\0\0\x03\0\0\0\x01\0\0\0\x03", 16);
  folder.put("data/mnist/t10k-images-idx3-ubyte", sizes + std::string("\xFF\0\0\0\0\xFF\0\0\0", 9));
  folder.put("data/mnist/t10k-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x03\x01\0\x01", 11));
  folder.put("net/weights-l1-dense.tsv", "1\n0\n0.5\n0.5\n0\n2\n");
  folder.put("net/biases-l1-dense.tsv", "0\n0.25\n");
  folder.put("net/weights-l2-sparse.tsv", "0\t1\t-1\n1\t0\t0.5\n1\t1\t1\n");
  folder.put("net/biases-l2-sparse.tsv", "0.125\n0\n");
  folder.put("net/weights-l3-dense.tsv", "1\n2\n3\n-4\n");
  folder.put("net/biases-l3-dense.tsv", "0\n1\n");
  // The answers are 1, 0, 0 (worked out in trained_network_test.cpp), the labels 1, 0, 1.
  const Outcome r = spdnn("--json --network " + in("net") + " --data " + in("data"));
  BOOST_TEST(r.exit_code == 0, r.err);
  const json j = json::parse(r.out);
  BOOST_TEST(j["correct"] == 2);
  BOOST_TEST(j["images"] == 3);
  BOOST_TEST(j["accuracy"].get<double>() == 2.0 / 3);
  BOOST_TEST(j["skipped"] == json::array());
  BOOST_TEST(j.contains("executed_edges_per_s"));
  const std::string run = "--network " + in("net") + " --data " + in("data");
  BOOST_TEST(holds(spdnn(run).out, "2 of 3 right"));
  const Outcome simt = spdnn(run + " --device simt");
  BOOST_TEST(simt.exit_code == 0, simt.err);
  BOOST_TEST(holds(simt.out, "2 of 3 right"), simt.out);
  BOOST_TEST(holds(simt.out, "device      simt"), simt.out);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
