// The study of AutoSparse's gradients: bounds that hold and catch, what theory says of bf16 beside float32, captions,
// requests.
#include "validation/studies/autosparse_study.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "tests/validation/studies/liar.hpp"
#include "tests/validation/studies/refused.hpp"
#include "validation/report/autosparse_report.hpp"
#include "validation/report/study_page.hpp"
#include "validation/suites/arithmetics.hpp"

using namespace assay;
using namespace assay::studies;
namespace tt = boost::test_tools;

namespace {

NamedArithmetic unit(const std::string& name) { return {name, load_arithmetic(name, "test")}; }

AutosparseQuestion question(std::vector<std::uint64_t> widths, std::vector<std::string> formats = {},
                            const std::vector<std::string>& units = {}) {
  AutosparseQuestion q;
  q.widths = std::move(widths);
  q.formats = std::move(formats);
  q.sparsities = {80};
  q.alphas = {0.5};
  q.batch = 8;
  for (const std::string& name : units) q.units.push_back(unit(name));
  return q;
}

AutosparseStudy studied(const AutosparseQuestion& q) { return study_autosparse(autosparse_request(q)); }

std::string gradients_refused(const AutosparseQuestion& q) {
  return what_refuses([&] { autosparse_request(q); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_arithmetic_is_over_its_bounds) {
  AutosparseQuestion q = question({24}, {"f32", "bf16", "f16", "tf32", "f8_e4m3", "f8_e5m2"},
                                  {"chain_f32_fused", "vdpbf16ps", "sm80.bf16", "chain_bf16_fused"});
  q.roundings = {"RNE", "RNA", "RZ", "RU", "RD", "RO", "SR"};
  q.alphas = {0, 0.3, 1};
  q.sparsities = {0, 60, 95};
  q.lambda = 0.01;
  const AutosparseStudy study = studied(q);
  BOOST_TEST(study.outside() == 0U);
  // f32: one rounding, two chains; bf16: all four units; the others: chains.
  BOOST_TEST(study.arithmetics.size() == 2 + 7 * 4 + 4 * 7 * 2U);
  BOOST_TEST(study.points.size() == 9 * study.arithmetics.size());
  double tightest = 0;
  // A rounding that draws nothing and treats both signs alike is monotonic in |w|: masks change one way.
  for (const MasterWeights& m : study.masters) {
    const bool one_way = m.rounding != "SR" && m.rounding != "RU" && m.rounding != "RD";
    BOOST_TEST((!one_way || m.lost == 0 || m.gained == 0), m.format << " " << m.rounding);
  }
  for (const GradientPoint& p : study.points) {
    BOOST_TEST(p.of(Gradient::v).of_bound > 0.1, p.series);  // elementwise: half the bound is common
    BOOST_TEST(p.of(Gradient::v).of_bound <= 1);
    BOOST_TEST(p.of(Gradient::dx).of_bound > 0.01, p.series);
    BOOST_TEST(p.of(Gradient::dw).of_bound > 0.01, p.series);
    BOOST_TEST(p.of(Gradient::ds).of_bound <= 1);
    tightest = std::max(tightest, p.of(Gradient::v).of_bound);
  }
  BOOST_TEST(tightest > 0.95);
}

// With u = 2^-p, a rounding to nearest errs by u 2^e x [-1, 1] about 2^e <= |x| < 2^(e+1): by 0.29 u to 0.58 u, root
// mean square over |x|. Operands in bf16: two such errors a term, which sums of independent terms keep: 0.41 u to
// 0.82 u. The float32 chain of n terms rounds n partial sums, the k-th of a variance k/n of the last: at least the last
// rounding's 0.29 u', at most sqrt((n + 1) / 6) u'. There are enough elements of dW to hold all of it to a tenth.
BOOST_AUTO_TEST_CASE(bf16_errs_as_its_operands_do) {
  AutosparseQuestion q = question({96}, {"f32", "bf16"});
  q.batch = 8;
  const AutosparseStudy study = studied(q);
  const double u = 0x1p-8, u32 = 0x1p-24;
  const GradientPoint &f32 = study.points.at(0), &bf16 = study.points.at(1);
  for (const Gradient g : {Gradient::dx, Gradient::dw}) {
    BOOST_TEST(bf16.of(g).relative > 0.9 * 0.41 * u);
    BOOST_TEST(bf16.of(g).relative < 1.1 * 0.82 * u);
    BOOST_TEST(std::fabs(bf16.of(g).from_float32.relative / bf16.of(g).relative - 1) < 1e-3);
    // Of bf16 operands the chain rounds as often, but for products that are exact: no more than float32's.
    BOOST_TEST(bf16.of(g).sum_relative * 1000 < bf16.of(g).relative);
    BOOST_TEST(bf16.of(g).sum_relative <= 1.1 * std::sqrt(1.5) * u32 * (g == Gradient::dx ? 2 : 1));
  }
  const double chain = f32.of(Gradient::dw).relative;
  BOOST_TEST(chain > 0.9 * 0.29 * u32);
  BOOST_TEST(chain < 1.1 * std::sqrt(9 / 6.0) * u32);
  const double ratio = bf16.of(Gradient::dw).relative / chain;
  BOOST_TEST(ratio > 0x1p16 * 0.8 * 0.41 / std::sqrt(9 / 6.0));
  BOOST_TEST(ratio < 0x1p16 * 1.2 * 0.82 / 0.29);
  BOOST_TEST(f32.of(Gradient::dw).from_float32.relative == 0.0);
  BOOST_TEST(bf16.of(Gradient::v).relative > 0.9 * 0.29 * u);
  BOOST_TEST(bf16.of(Gradient::v).relative < 1.1 * 0.58 * u);
  BOOST_TEST(bf16.of(Gradient::v).max_ulp <= 0.501);
  BOOST_TEST(bf16.of(Gradient::v).max_ulp > 0.45);
}

// Toward zero every v is too small: outward is the mean of its errors, bias that of signed ones, which cancel.
BOOST_AUTO_TEST_CASE(toward_zero_shrinks) {
  AutosparseQuestion q = question({96}, {"bf16"});
  q.roundings = {"RNE", "RZ", "SR"};
  const AutosparseStudy study = studied(q);
  const auto v = [&](std::size_t i) { return study.points.at(i).of(Gradient::v); };
  BOOST_TEST(v(1).outward < -0x1p-9);
  BOOST_TEST(std::fabs(v(1).bias) < 0.5 * std::fabs(v(1).outward));
  BOOST_TEST(std::fabs(v(0).outward) < 0.1 * std::fabs(v(1).outward));
  BOOST_TEST(std::fabs(v(2).outward) < 0.2 * std::fabs(v(1).outward));
  BOOST_TEST(v(2).relative > v(0).relative);
}

BOOST_AUTO_TEST_CASE(an_arithmetic_that_lies_about_its_sums_is_seen) {
  AutosparseQuestion q = question({64}, {"bf16"});
  q.batch = 64;
  q.units = {{"liar", std::make_shared<const Liar>("chain_f32_fused", "chain_bf16_fused")}};
  const AutosparseStudy study = studied(q);
  const GradientPoint& p = study.points.at(0);
  BOOST_TEST(p.of(Gradient::v).outside == 0U);  // v takes no sum
  BOOST_TEST(p.of(Gradient::dx).outside > 50U);
  BOOST_TEST(p.of(Gradient::dw).outside > 1000U);
  BOOST_TEST(p.of(Gradient::dw).sum_of_bound > 1.0);
  const std::vector<std::string> said = outside_texts(study);
  BOOST_TEST_REQUIRE(said.size() == 2U);
  BOOST_TEST(said[0].starts_with("width 64, 80 % masked, alpha 0.5, bf16 liar: "), said[0]);
  BOOST_TEST(said[0].ends_with(" of dX are over the bound"), said[0]);
}

// Terms of ds in bfloat16 are lost once the sum has grown; float64 in the stated order keeps what G has.
BOOST_AUTO_TEST_CASE(narrow_sums_of_ds_are_worse) {
  AutosparseQuestion q = question({128}, {"f32"});
  q.alphas = {0, 1};
  for (const GradientPoint& p : studied(q).points) {
    BOOST_TEST(p.ds.stated == p.of(Gradient::ds).relative);
    BOOST_TEST(p.ds.bfloat16_chain > 1000 * p.ds.stated);
    BOOST_TEST(p.ds.float32_chain > p.ds.stated);
    BOOST_TEST(p.ds.float32_chain < 1e-3);
    BOOST_TEST(p.ds.terms == (p.alpha == 0 ? static_cast<double>(p.kept) : 128.0 * 128));
    BOOST_TEST(p.ds.cancellation >= 1);
  }
}

BOOST_AUTO_TEST_CASE(thresholds_mask_what_was_asked_for) {
  const GradientLayer layer = random_layer(40, 1, 1);
  for (const double per_cent : {0.0, 10.0, 50.0, 90.0, 99.9}) {
    const GradientTruth truth(layer, {{per_cent, s_of_sparsity(layer.w, per_cent)}}, {}, 0, 1);
    const double wanted = std::max(1.0, std::round(1600 * (1 - per_cent / 100)));
    BOOST_TEST(std::fabs(static_cast<double>(truth.pruned.at(0).weight.size()) - wanted) <= 1, per_cent);
  }
  const std::vector<float> large{3, -4, 5, 6};
  BOOST_CHECK_THROW(s_of_sparsity(large, 50), ContractError);
  BOOST_CHECK_THROW(s_of_sparsity(std::vector<float>{0, 0}, 0), ContractError);
  AutosparseQuestion q = question({2});
  q.sparsities = {50};
  q.seed = 4;
  // Two of four weights of variance 1 are larger than 1 for some seed: an error that says where.
  bool refused = false;
  for (q.seed = 1; q.seed < 40 && !refused; ++q.seed) {
    try {
      studied(q);
    } catch (const UsageError& e) {
      refused = std::string(e.what()).find("width 2 at sparsity 50 %") != std::string::npos;
    }
  }
  BOOST_TEST(refused);
}

BOOST_AUTO_TEST_CASE(neither_threads_nor_neighbours_change_figures) {
  AutosparseQuestion q = question({32}, {"bf16", "f32"}, {"chain_f32_fused", "sm80.bf16"});
  q.roundings = {"SR"};
  q.threads = 1;
  const std::string one = autosparse_csv(studied(q)), masters = masters_csv(studied(q));
  q.threads = 3;
  const AutosparseStudy several = studied(q);
  BOOST_TEST(autosparse_csv(several) == one);
  BOOST_TEST(masters_csv(several) == masters);
  q.widths = {16, 32};
  const std::string both = autosparse_csv(studied(q));
  BOOST_TEST(both.ends_with(one.substr(one.find('\n') + 1)));
  q.widths = {32};
  q.seed = 2;
  BOOST_TEST(autosparse_csv(studied(q)) != one);
}

BOOST_AUTO_TEST_CASE(charts_say_which_lines_hide_one_another) {
  AutosparseQuestion q = question({16, 32}, {"f32", "bf16"}, {"chain_f32_fused", "tdpbf16ps"});
  q.sparsities = {50, 80};
  const std::vector<LineChart> charts = autosparse_charts(studied(q));
  std::vector<std::string> kinds;
  for (const LineChart& chart : charts) {
    kinds.push_back(chart.kind);
    for (const ChartSeries& s : chart.series) BOOST_TEST(s.points.size() == 2U, chart.kind << " " << s.name);
  }
  const auto caption = [&](const std::string& kind) {
    return charts.at(static_cast<std::size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin()))
        .caption;
  };
  BOOST_TEST(std::count(kinds.begin(), kinds.end(), "autosparse-dw-alpha") == 0);  // one alpha is no axis
  const std::string dw = caption("autosparse-dw-width");
  BOOST_TEST(dw.find("sparsity 80 %, alpha 0.5; at width 32: from ") == 0U, dw);
  BOOST_TEST(dw.find("within 1 % of one another: bf16 chain_f32_fused, bf16 tdpbf16ps") != std::string::npos,
             dw);
  const std::string alone = caption("autosparse-sums-dx");
  BOOST_TEST(alone.find("within") == std::string::npos, alone);
}

BOOST_AUTO_TEST_CASE(gradients_that_cannot_be_asked) {
  const auto says = [](const AutosparseQuestion& q, const std::string& words) {
    const std::string said = gradients_refused(q);
    BOOST_TEST(said.find(words) != std::string::npos, said);
  };
  says(question({1}), "--width");
  says(question({1 << 20}), "2 to 2^16");
  says(question({16}, {"f64"}), "--format");
  says(question({16}, {"bf61"}), "bf16");
  says(question({16}, {"f32"}, {"sm80.bf16"}), "unit sm80.bf16: takes none of the formats; it takes bf16");
  says(question({16}, {"f32", "bf16"}, {"sm80.bf16"}), "format f32: none of the units takes it");
  AutosparseQuestion q = question({16});
  q.alphas = {1.5};
  says(q, "--alpha");
  q.alphas = {std::nan("")};
  says(q, "numbers from 0 to 1");
  q = question({16});
  q.sparsities = {100};
  says(q, "below 100");
  q = question({16});
  q.roundings = {"XX"};
  says(q, "RNE");
  q = question({16});
  q.lambda = -1;
  says(q, "--lambda");
  q = question({16});
  q.batch = 0;
  says(q, "--batch");
  q.caller = judge::Caller::python;
  says(q, "batch");
  BOOST_TEST(autosparse_bytes(autosparse_request(question({65536}))).value() > std::uint64_t{100} << 32);
}
