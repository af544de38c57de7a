// `assay check autosparse`: the known mistakes by name, files of several forms, messages and exit codes.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "reference/autosparse/annealing.hpp"
#include "tests/validation/cli/files.hpp"
#include "validation/judge/arrays.hpp"

using namespace assay;
using namespace assay::cli_test;
using nlohmann::json;
using shell::Outcome;

namespace {

constexpr float threshold = 0.0625F;

// 16 x 24 weights, two of them at the threshold, with G.
struct AutosparseFiles : Folder {
  static constexpr std::size_t n = 16 * 24;
  std::vector<double> w, g;

  AutosparseFiles() {
    io::Array weights = normal(formats::float32, {16, 24}, 1),
              gradients = normal(formats::float32, {16, 24}, 2);
    for (float& x : weights.as<float>()) x *= 0.1F;
    weights.as<float>()[30] = threshold;
    weights.as<float>()[200] = -threshold;
    w = judge::values_of(weights);
    g = judge::values_of(gradients);
    write("w.npy", weights);
    write("g.npy", gradients);
  }

  // dw and ds of a path, each by what it makes of a weight.
  void write_path(const std::function<bool(double w)>& kept, const std::function<double(bool kept)>& share,
                  double slope = double{threshold} * (1 - threshold), bool with_sign = true) const {
    std::vector<double> dw, mask;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const bool k = kept(w[i]);
      mask.push_back(k ? 1 : 0);
      dw.push_back(share(k) * g[i]);
      sum += (with_sign ? (w[i] > 0 ? 1 : -1) : 1) * share(k) * g[i];
    }
    write("mask.npy", array_of(formats::float32, {16, 24}, mask));
    write("dw.npy", array_of(formats::float32, {16, 24}, dw));
    write("ds.npy", array_of(formats::float32, {}, {-slope * sum}));
  }
  Outcome check(const std::string& rest) const {
    return assay("check autosparse --w w.npy --threshold 0.0625 --g g.npy " + rest);
  }
};

bool is_kept(double w) { return std::fabs(w) > threshold; }
double quarter(bool kept) { return kept ? 1 : 0.25; }

}  // namespace

BOOST_FIXTURE_TEST_CASE(right_results_pass_and_every_known_mistake_is_named, AutosparseFiles) {
  const std::string all = "--alpha 0.25 --got-mask mask.npy --got-dw dw.npy --got-ds ds.npy";
  write_path(is_kept, quarter);
  const Outcome right = check(all);
  BOOST_TEST(right.exit_code == 0, right.out << right.err);
  BOOST_TEST(!holds(right.out, "cause"), right.out);
  const auto named = [&](const std::string& rest, const char* mistake) {
    const Outcome wrong = check(rest);
    BOOST_TEST(wrong.exit_code == 1, mistake << wrong.out << wrong.err);
    BOOST_TEST(holds(wrong.out, std::string("cause  ") + mistake + ": "), mistake << "\n" << wrong.out);
  };
  write_path(is_kept, [](bool kept) { return kept ? 0.25 : 1; });
  named("--alpha 0.25 --got-dw dw.npy", "alpha-wrong-side");
  named("--alpha 0.25 --got-ds ds.npy", "alpha-wrong-side");
  write_path([](double x) { return std::fabs(x) >= threshold; }, quarter);
  named("--got-mask mask.npy", "mask-greater-equal");
  named("--alpha 0.25 --got-dw dw.npy", "mask-greater-equal");
  write_path(is_kept, quarter, 1);
  named("--alpha 0.25 --got-ds ds.npy", "slope-missing");
  write_path(is_kept, quarter, double{threshold} * (1 - threshold), false);
  named("--alpha 0.25 --got-ds ds.npy", "sign-dropped");
  write_path(is_kept, [](bool kept) { return kept ? 1 : 0; });
  named("--alpha 0.25 --got-ds ds.npy", "masked-terms-left-out");
  // Four of ten epochs done, alpha_0 = 1/2.
  const auto factor = [](int e) {
    return autosparse::annealing_factor(autosparse::Annealing::linear, e, 10);
  };
  const std::string annealed =
      "--alpha 0.5 --epoch 4 --epochs 10 --schedule linear --got-dw dw.npy --got-ds ds.npy";
  const auto write_alpha = [&](double alpha) {
    write_path(is_kept, [=](bool kept) { return kept ? 1 : alpha; });
  };
  write_alpha(0.5 * factor(4));
  BOOST_TEST(check(annealed).exit_code == 0);
  write_alpha(0.5 * factor(1) * factor(2) * factor(3) * factor(4));
  named(annealed, "alpha-compounded");
  write_alpha(0.5 * factor(3));
  named(annealed, "alpha-epoch-early");
  write_alpha(0.5 * factor(5));
  named(annealed, "alpha-epoch-late");
}

BOOST_FIXTURE_TEST_CASE(json_reports_and_repro_lines_are_those_of_other_checks, AutosparseFiles) {
  write_path(is_kept, [](bool) { return 1; });
  const std::string rest = "--alpha 0.25 --got-mask mask.npy --got-dw dw.npy";
  const Outcome text = check(rest);
  BOOST_TEST(holds(text.out,
                   "repro  assay check autosparse --w w.npy --threshold 0.0625 --alpha 0.25 --g g.npy "
                   "--got-mask mask.npy --got-dw dw.npy"),
             text.out);
  const Outcome outcome = check(rest + " --json --report report");
  BOOST_TEST(outcome.exit_code == 1);
  const json found = json::parse(outcome.out);
  BOOST_TEST(found.at("record") == "results");
  BOOST_TEST(found.at("verdict") == "SOME DISAGREE");
  BOOST_REQUIRE(found.at("results").size() == 2U);
  BOOST_TEST(found.at("results").at(0).at("array") == "mask");
  BOOST_TEST(found.at("results").at(0).at("status") == "PASSED");
  BOOST_TEST(found.at("results").at(1).at("status") == "FAILED");
  BOOST_TEST(holds(found.at("results").at(1).at("notes").dump(), "cause  dw: alpha-not-applied"));
  BOOST_TEST(holds(text_of("report/report.html"), "alpha-not-applied"));
  BOOST_TEST(check(rest + " --quiet").out.empty());
  write_path([](double) { return false; }, quarter);
  const Outcome vacuous = assay("check autosparse --w w.npy --threshold 0.999 --got-mask mask.npy");
  BOOST_TEST(vacuous.exit_code == 3, vacuous.out);
  BOOST_TEST(holds(vacuous.out, "VACUOUS check/autosparse mask"), vacuous.out);
}

BOOST_FIXTURE_TEST_CASE(arrays_come_in_any_form_that_operations_read, AutosparseFiles) {
  write_path(is_kept, quarter);
  std::ofstream raw(path / "dw.bin", std::ios::binary);
  for (std::size_t i = 0; i < n; ++i) {
    const float x = static_cast<float>(quarter(is_kept(w[i])) * g[i]);
    raw.write(reinterpret_cast<const char*>(&x), sizeof x);
  }
  raw.close();
  const std::string dw = "--alpha 0.25 --got-dw dw.bin ";
  BOOST_TEST(check(dw + "--got-dw-dtype float32 --got-dw-shape 16x24").exit_code == 0);
  BOOST_TEST(check(dw + "--dtype float32 --shape 16x24").exit_code == 0);
  BOOST_TEST(check("--alpha 0.25 --got-dw dw.npy --got-dw-dtype float32").exit_code == 2);
  // Weights of a convolution are a matrix of channels.
  io::Array conv = array_of(formats::float32, {16, 2, 3, 4}, w);
  write("conv.npy", conv);
  BOOST_TEST(assay("check autosparse --w conv.npy --threshold 0.0625 --got-mask mask.npy").exit_code == 0);
  write("t.npy", array_of(formats::float32, {16}, std::vector<double>(16, 0.0625)));
  BOOST_TEST(assay("check autosparse --w w.npy --threshold t.npy --channels --got-mask mask.npy").exit_code ==
             0);
}

BOOST_FIXTURE_TEST_CASE(messages_say_what_is_missing_or_wrong, AutosparseFiles) {
  write_path(is_kept, quarter);
  const auto refused = [&](const std::string& rest, const char* words) {
    const Outcome outcome = assay("check autosparse " + rest);
    BOOST_TEST(outcome.exit_code == 2, rest);
    BOOST_TEST(holds(outcome.err, words), rest << ": " << outcome.err);
  };
  refused("", "requires --w FILE");
  refused("--w w.npy --s -3", "requires a result: --got-v, --got-mask, --got-dw, --got-dx or --got-ds");
  refused("--w w.npy --got-mask mask.npy", "requires either --s or --threshold");
  refused("--w w.npy --s -3 --got-dx dw.npy", "--got-dx requires --dy FILE");
  refused("--w w.npy --s -3 --got-dw dw.npy", "--got-dw requires --g FILE, or --x FILE and --dy FILE");
  refused("--w w.npy --threshold 1 --got-mask mask.npy", "between 0 and 1, both excluded, not 1");
  refused("--w w.npy --threshold nothing.npy --got-mask mask.npy", "nothing.npy");
  refused("--w w.npy --s -3 --alpha 2 --g g.npy --got-dw dw.npy",
          "--alpha takes a share of the gradient, from 0 to 1, not 2");
  refused("--w w.npy --s -3 --lambda -1 --g g.npy --got-dw dw.npy", "--lambda takes a decay");
  refused("--w w.npy --s -3 --alpha 0.3 --got-mask mask.npy", "--alpha requires --got-dw or --got-ds");
  refused("--w w.npy --s -3 --order pairwise --got-mask mask.npy", "--order requires --got-dx, or --got-dw");
  refused("--w w.npy --s -3 --ds-order pairwise --g g.npy --got-dw dw.npy", "--ds-order requires --got-ds");
  refused("--w w.npy --threshold '' --got-mask mask.npy", "--threshold takes a number or a file");
  refused("--w w.npy --s -3 --epoch 1 --got-mask mask.npy", "--epoch requires --epochs");
  refused("--w w.npy --s -3 --got-mask g.npy", "a mask of 0 and 1");
  refused("--w w.npy --s -3 --got-mask mask.npy --gott x", "there is no option");
  BOOST_TEST(holds(assay("check autosparse --help").out, "--got-ds"));
  BOOST_TEST(holds(assay("check --help").out, "autosparse"));
  BOOST_TEST(assay("check").exit_code == 2);
}

BOOST_FIXTURE_TEST_CASE(a_mistake_that_a_wide_bound_admits_is_said_and_fails_under_strict, AutosparseFiles) {
  // Masked weights whose share of the sum is less than its bound in any order, and much more than its rounding.
  constexpr std::int64_t rows = 128, cols = 256;
  io::Array weights = normal(formats::float32, {rows, cols}, 3),
            gradients = normal(formats::float32, {rows, cols}, 4);
  const std::vector<double> w_of = judge::values_of(weights);
  double sum = 0;
  for (std::size_t i = 0; i < w_of.size(); ++i) {
    const float sign = w_of[i] > 0 ? 1.0F : -1.0F;
    float& gradient = gradients.as<float>()[i];
    gradient = std::fabs(w_of[i]) > 0.5 ? gradient + 0.01F * sign : 0.0077F * sign;
    if (std::fabs(w_of[i]) > 0.5) sum += static_cast<double>(sign * gradient);
  }
  std::vector<double> mask;
  for (const double w_i : w_of) mask.push_back(std::fabs(w_i) > 0.5 ? 1 : 0);
  write("large_mask.npy", array_of(formats::float32, {rows, cols}, mask));
  write("large.npy", weights);
  write("large_g.npy", gradients);
  write("large_ds.npy", array_of(formats::float32, {}, {-0.25 * sum}));
  const std::string words =
      "check autosparse --w large.npy --threshold 0.5 --g large_g.npy --alpha 0.25 "
      "--got-ds large_ds.npy";
  const Outcome loose = assay(words);
  BOOST_TEST(loose.exit_code == 0, loose.out << loose.err);
  BOOST_TEST(holds(loose.out, "cause  masked-terms-left-out: "), loose.out);
  BOOST_TEST(holds(loose.out, "PASSED  check/autosparse ds"), loose.out);
  BOOST_TEST(holds(loose.out, "--ds-order pairwise"), loose.out);
  const Outcome both = assay(words + " --got-mask large_mask.npy");
  BOOST_TEST(holds(both.out, "cause  ds: masked-terms-left-out: "), both.out);
  BOOST_TEST(holds(both.out, "all agree, but a known mistake explains ds: 2 passed"), both.out);
  BOOST_TEST(both.exit_code == 0, both.out);
  const Outcome strict = assay(words + " --strict");
  BOOST_TEST(strict.exit_code == 1, strict.out);
  const Outcome tight = assay(words + " --ds-acc f64");
  BOOST_TEST(tight.exit_code == 1, tight.out);
}

BOOST_FIXTURE_TEST_CASE(undecided_masks_pass_under_strict_and_results_have_two_names, AutosparseFiles) {
  const float t = 1 / (1 + std::exp(3.0F));
  write("few.npy", array_of(formats::float32, {1, 4}, {0.5, -0.01, t, 0.3}));
  for (const double third : {0.0, 1.0}) {
    write("few_mask.npy", array_of(formats::float32, {1, 4}, {1, 0, third, 1}));
    const Outcome mask = assay("check autosparse --w few.npy --s -3 --got-mask few_mask.npy --strict");
    BOOST_TEST(mask.exit_code == 0, mask.out << mask.err);
    BOOST_TEST(holds(mask.out, "1 of 4 weights are undecided"), mask.out);
    BOOST_TEST(!holds(mask.out, "overflow"), mask.out);
  }
  const float half = 0.5F - t, less = 0.3F - t;
  write("few_v.npy", array_of(formats::float32, {1, 4}, {half, 0, 0, less}));
  const Outcome v = assay("check autosparse --w few.npy --s -3 --got-w few_v.npy");
  BOOST_TEST(v.exit_code == 0, v.out << v.err);
}
