#include <boost/test/unit_test.hpp>

#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"
#include "reference/core/random.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/digits.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"
#include "reference/spdnn/kernels.hpp"
#include "reference/spdnn/simple_inference.hpp"

namespace {
using namespace assay;
using namespace assay::spdnn;

constexpr float infinity = std::numeric_limits<float>::infinity();

using networks::Clip;
using networks::Layer;
using Net = std::vector<Layer>;  // run with any clip

enum class Values { tame, wide };

// `width` inputs for every output, or 0 .. 2 * width of them. Tame sums are of the size of the clip; wide ones run
// through all exponents, so that products underflow and overflow, and some sums are infinite or NaN.
Net random_net(std::uint64_t seed, const std::vector<std::int32_t>& sizes, std::int32_t width,
               bool same_length, Values values, bool negative_bias) {
  Net net;
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
    const CounterRandom random(seed, l);
    std::uint64_t n = 0;
    Layer layer;
    sparse::CsrStructure& structure = layer.weights.structure;
    structure.rows = sizes[l + 1];
    structure.cols = sizes[l];
    for (std::int64_t j = 0; j < structure.rows; ++j) {
      const auto wanted = std::min<std::int64_t>(
          sizes[l], same_length ? width
                                : static_cast<std::int32_t>(
                                      random.below(2U * static_cast<std::uint64_t>(width) + 1, n++)));
      std::int32_t taken = 0;
      for (std::int32_t i = 0; i < sizes[l]; ++i) {
        if (random.below(static_cast<std::uint64_t>(sizes[l] - i), n++) >=
            static_cast<std::uint64_t>(wanted - taken))
          continue;
        ++taken;
        structure.column_indices.push_back(i);
        auto weight = static_cast<float>(random.normal(n++)) / 4;
        if (values == Values::wide)
          weight = std::ldexp(weight, static_cast<int>(random.below(250, n++)) - 125);
        layer.weights.values.push_back(weight);
      }
      structure.end_row();
      const auto bias = static_cast<float>(random.normal(n++)) / 4;
      layer.bias.push_back(negative_bias ? -std::fabs(bias) : bias);
    }
    net.push_back(std::move(layer));
  }
  return net;
}

std::vector<float> random_pixels(std::uint64_t seed, std::size_t images, std::int32_t inputs,
                                 double density) {
  const CounterRandom random(seed, 1000);
  std::vector<float> pixels(images * static_cast<std::size_t>(inputs));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = random.uniform(2 * i) < density ? static_cast<float>(random.uniform(2 * i + 1)) : 0.0F;
  }
  return pixels;
}

// What a layer does to one sum; each way to get it wrong is a mutant that the comparison of bits must kill.
enum class Mutant {
  none,
  descending,
  two_roundings,
  no_bias,
  bias_first,
  no_upper,
  no_lower,
  pairwise,
  dropped_input
};

std::vector<float> definition(const Net& net, Clip clip, std::span<const float> image,
                              Mutant mutant = Mutant::none) {
  std::vector<float> x(image.begin(), image.end());
  for (const Layer& layer : net) {
    std::vector<float> y;
    for (std::int64_t j = 0; j < layer.weights.rows(); ++j) {
      const auto columns = layer.weights.row_columns(j);
      const auto weights = layer.weights.row_values(j);
      const float bias = layer.bias[static_cast<std::size_t>(j)];
      const std::size_t n = columns.size();
      float sum = mutant == Mutant::bias_first ? bias : 0.0F, odd = 0.0F;
      for (std::size_t e = 0; e < n; ++e) {
        const std::size_t at = mutant == Mutant::descending ? n - 1 - e : e;
        const float input = x[static_cast<std::size_t>(columns[at])];
        if (mutant == Mutant::dropped_input && e == 31) continue;
        if (mutant == Mutant::two_roundings) {
          sum += weights[at] * input;
        } else if (mutant == Mutant::pairwise && e % 2 == 1) {
          odd = std::fma(weights[at], input, odd);
        } else {
          sum = std::fma(weights[at], input, sum);
        }
      }
      sum += odd;
      const float z = mutant == Mutant::no_bias || mutant == Mutant::bias_first ? sum : sum + bias;
      const bool low = z <= clip.lower && mutant != Mutant::no_lower,
                 high = z > clip.upper && mutant != Mutant::no_upper;
      y.push_back(low ? clip.lower : high ? clip.upper : z);
    }
    x = std::move(y);
  }
  return x;
}

Plan plan_of(const Kernel& kernel, const Net& net, Clip clip = challenge_clip, std::vector<Cut> cuts = {}) {
  networks::Network network{net};
  for (Layer& layer : network.layers) layer.clip = clip;
  return {kernel, network, std::move(cuts)};
}

// Row `image` of Y_L.
std::vector<float> row_of_result(const Inference& r, std::size_t image, std::size_t outputs) {
  const auto at = std::ranges::lower_bound(r.categories, static_cast<std::uint32_t>(image) + 1);
  if (at == r.categories.end() || *at != image + 1) return std::vector<float>(outputs, 0.0F);
  const auto first = r.outputs.begin() + (at - r.categories.begin()) * static_cast<std::ptrdiff_t>(outputs);
  return {first, first + static_cast<std::ptrdiff_t>(outputs)};
}

struct Difference {
  std::size_t checked = 0, wrong = 0, inside = 0, nans = 0;
};

using Outputs = std::vector<std::vector<float>>;  // of each image

Outputs definition(const Net& net, Clip clip, const DenseRows& rows, Mutant mutant = Mutant::none) {
  Outputs all;
  for (std::size_t i = 0; i < rows.rows; ++i) all.push_back(definition(net, clip, rows.row(i), mutant));
  return all;
}

Difference differ(const Inference& got, std::span<const std::vector<float>> want, Clip clip) {
  Difference d;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const std::vector<float>& b = want[i];
    const std::vector<float> a = row_of_result(got, i, b.size());
    for (std::size_t j = 0; j < b.size(); ++j) {
      ++d.checked;
      d.wrong += std::memcmp(&a[j], &b[j], sizeof(float)) != 0 ? 1U : 0U;
      d.inside += b[j] > clip.lower && b[j] < clip.upper ? 1U : 0U;
      d.nans += std::isnan(b[j]) ? 1U : 0U;
    }
  }
  return d;
}

ExecuteOptions keep(int threads = 2) {
  ExecuteOptions options;
  options.keep_outputs = true;
  options.threads = threads;
  return options;
}

// One test a kernel: the table is the list of tests.
struct PerKernel {
  template <class Body>
  PerKernel(const std::string& name, Body body) {
    auto* const suite = BOOST_TEST_SUITE(name);
    for (const Kernel& kernel : all_kernels()) {
      auto* const test = boost::unit_test::make_test_case([&kernel, body] { body(kernel); },
                                                          std::string(kernel.name), __FILE__, __LINE__);
      test->add_precondition([&kernel](boost::unit_test::test_unit_id) {
        boost::test_tools::assertion_result can(cpu_has(kernel.needs));
        if (!can) can.message() << why_unavailable(kernel.needs);
        return can;
      });
      suite->add(test);
    }
    boost::unit_test::framework::master_test_suite().add(suite);
  }
};

// Sizes around every tile and every vector, primes, and networks that widen and narrow.
const std::vector<std::vector<std::int32_t>> shapes = {
    {1, 1}, {32, 1}, {40, 63, 64, 65}, {65, 129, 40}, {97, 101, 103}};
const std::size_t image_counts[] = {0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 129, 300};

const PerKernel bits_of_the_definition("bits_of_the_definition", [](const Kernel& kernel) {
  Difference total;
  const bool same_length = kernel.format == Format::ell;
  for (const auto& sizes : shapes) {
    for (const Values values : {Values::tame, Values::wide}) {
      const std::int32_t width = std::min(32, *std::ranges::min_element(sizes));
      const Net net = random_net(1, sizes, width, same_length, values, false);
      const std::size_t most = *std::ranges::max_element(image_counts);
      const std::vector<float> pixels = random_pixels(7, most, sizes.front(), 0.6);
      DenseRows rows{pixels.data(), most, static_cast<std::size_t>(sizes.front())};
      for (const Clip clip : {challenge_clip, Clip{0, 1}, Clip::none()}) {
        rows.rows = most;
        const Outputs want = definition(net, clip, rows);
        const Plan plan = plan_of(kernel, net, clip);
        for (const std::size_t images : image_counts) {
          rows.rows = images;
          const Difference d = differ(execute(plan, rows, keep(1)), std::span(want).first(images), clip);
          total.checked += d.checked;
          total.wrong += d.wrong;
          total.inside += d.inside;
          total.nans += d.nans;
        }
      }
    }
  }
  BOOST_TEST(total.wrong == 0U, total.wrong << " of " << total.checked << " outputs differ");
  BOOST_TEST(total.inside > total.checked / 4);  // else little is compared but clips
  BOOST_TEST(total.nans > 0U);
});

const PerKernel mutants_are_killed("mutants_are_killed", [](const Kernel& kernel) {
  const Net net = random_net(5, {64, 96, 80}, 32, kernel.format == Format::ell, Values::tame, false);
  const std::vector<float> pixels = random_pixels(9, 150, 64, 0.6);
  const DenseRows rows{pixels.data(), 150, 64};
  const Clip clip{0, 1};
  const Inference got = execute(plan_of(kernel, net, clip), rows, keep());
  BOOST_TEST(differ(got, definition(net, clip, rows), clip).wrong == 0U);
  for (const Mutant m : {Mutant::descending, Mutant::two_roundings, Mutant::no_bias, Mutant::bias_first,
                         Mutant::no_upper, Mutant::no_lower, Mutant::pairwise, Mutant::dropped_input}) {
    BOOST_TEST(differ(got, definition(net, clip, rows, m), clip).wrong > 0U,
               "mutant " << static_cast<int>(m) << " survives");
  }
});

// A kernel with a fault of one bit in one lane of one output must show, in whatever lane.
float (*const planted)(float) = [](float x) { return std::nextafter(x, infinity); };
std::uint32_t planted_lane = 0;
const Kernel* planted_kernel = nullptr;
void faulty_layer(const LayerTask& task) noexcept {
  planted_kernel->layer(task);
  if (planted_lane >= task.lanes) return;
  float& y = task.y[task.targets[task.outputs / 2] + planted_lane];
  y = planted(y);
}

const PerKernel a_planted_bit_shows_in_every_lane(
    "a_planted_bit_shows_in_every_lane", [](const Kernel& kernel) {
      const Net net = random_net(6, {40, 40}, 16, kernel.format == Format::ell, Values::tame, false);
      const std::size_t images = kernel.lanes;
      const std::vector<float> pixels = random_pixels(3, images, 40, 0.6);
      const DenseRows rows{pixels.data(), images, 40};
      Kernel faulty = kernel;
      faulty.layer = faulty_layer;
      planted_kernel = &kernel;
      const Plan plan = plan_of(faulty, net);
      const Outputs want = definition(net, challenge_clip, rows);
      std::size_t seen = 0;
      for (planted_lane = 0; planted_lane < kernel.lanes; ++planted_lane) {
        seen += differ(execute(plan, rows, keep(1)), want, challenge_clip).wrong == 1 ? 1U : 0U;
      }
      BOOST_TEST(seen == kernel.lanes);
    });

const PerKernel same_bits_for_any_number_of_threads_and_tiles(
    "same_bits_for_any_number_of_threads_and_tiles", [](const Kernel& kernel) {
      const Net net = random_net(11, {96, 96, 96, 96, 96, 96, 96, 96, 96}, 32, kernel.format == Format::ell,
                                 Values::tame, true);
      const std::size_t images = 700;
      std::vector<float> pixels = random_pixels(12, images, 96, 0.4);
      std::fill_n(pixels.begin() + 96 * 5, 96 * 130, 0.0F);  // more blank images than a tile holds
      const DenseRows rows{pixels.data(), images, 96};
      const Inference one = execute(plan_of(kernel, net), rows, keep(1));
      BOOST_TEST(one.categories.size() > 10U);
      BOOST_TEST(one.categories.size() < images - 130);
      for (const bool cut : {false, true}) {
        for (const int threads : {1, 3}) {
          for (const std::uint64_t tile_memory :
               {std::uint64_t{0}, std::uint64_t{1} << 20, std::uint64_t{1} << 30}) {
            ExecuteOptions options = keep(threads);
            options.tile_memory = tile_memory;
            const Inference r = execute(
                plan_of(kernel, net, challenge_clip, cut ? std::vector{Cut::zero_rows} : std::vector<Cut>{}),
                rows, options);
            BOOST_TEST((r.categories == one.categories));
            BOOST_TEST((r.outputs.size() == one.outputs.size() &&
                        std::memcmp(r.outputs.data(), one.outputs.data(), 4 * r.outputs.size()) == 0));
            BOOST_TEST(r.nominal_edges == one.nominal_edges);
            if (!cut) BOOST_TEST(r.executed_edges == r.nominal_edges);
            if (cut) BOOST_TEST(r.rows_computed.front() == images - 130);
            if (cut) BOOST_TEST(r.executed_edges < r.nominal_edges);
            if (cut) BOOST_TEST(std::ranges::is_sorted(r.rows_computed, std::ranges::greater{}));
          }
        }
      }
    });

// Signed zeros, subnormals, infinities and NaN, one image each in one tile, through one layer of weight 1 and 2.
const PerKernel special_values("special_values", [](const Kernel& kernel) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{0.0F,   -0.0F,    1e-45F,    -1e-45F, 1.0F,       -1.0F, 3e38F,
                                  -3e38F, infinity, -infinity, nan,     31.999998F, 32.0F};
  Layer layer;
  layer.weights = {{3, 1, {0, 1, 2, 3}, {0, 0, 0}}, {1.0F, 2.0F, -1.0F}};
  for (const float bias : {0.0F, -0.0F, -1e-45F, -0.3F, 0.3F}) {
    layer.bias = {bias, bias, bias};
    for (const Clip clip : {challenge_clip, Clip{0, 1}, Clip{-1, 1}, Clip::none()}) {
      const DenseRows rows{values.data(), values.size(), 1};
      const Inference got = execute(plan_of(kernel, {layer}, clip), rows, keep(1));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::vector<float> a = row_of_result(got, i, 3), b = definition({layer}, clip, rows.row(i));
        for (std::size_t j = 0; j < 3; ++j) {
          // A row without a nonzero entry is not listed, so a -0 that no clip removes shows as 0 unless its row is.
          const bool equal = std::isnan(b[j]) ? std::isnan(a[j])
                                              : std::memcmp(&a[j], &b[j], 4) == 0 ||
                                                    (a[j] == 0 && b[j] == 0 && clip.lower < 0);
          wrong += equal ? 0U : 1U;
          if (clip.lower == 0) wrong += std::signbit(a[j]) && !std::isnan(a[j]) ? 1U : 0U;  // no -0
        }
      }
      BOOST_TEST(wrong == 0U, "bias " << bias << ", clip " << clip.lower << " to " << clip.upper);
      BOOST_TEST(std::ranges::binary_search(got.categories, 11U), "NaN is not 0: its image is a category");
    }
  }
});

const PerKernel mxcsr_of_the_caller_does_not_matter(
    "mxcsr_of_the_caller_does_not_matter", [](const Kernel& kernel) {
      const Net net = random_net(8, {40, 40}, 20, kernel.format == Format::ell, Values::wide, false);
      const std::vector<float> pixels = random_pixels(2, 33, 40, 0.5);
      const DenseRows rows{pixels.data(), 33, 40};
      const Plan plan = plan_of(kernel, net, Clip::none());
      const Inference want = execute(plan, rows, keep(1));
      const std::uint32_t before = mxcsr();
      {
        const MxcsrGuard towards_zero_and_flushing(0xFFC0);
        const Inference got = execute(plan, rows, keep(1));
        BOOST_TEST((mxcsr() & ~0x3FU) == 0xFFC0U);  // the exceptions' flags stay set
        BOOST_TEST(std::memcmp(got.outputs.data(), want.outputs.data(), 4 * want.outputs.size()) == 0);
      }
      BOOST_TEST((mxcsr() & ~0x3FU) == (before & ~0x3FU));
    });

const PerKernel bits_and_floats_are_the_same_inputs(
    "bits_and_floats_are_the_same_inputs", [](const Kernel& kernel) {
      const Net net = random_net(8, {129, 64}, 20, kernel.format == Format::ell, Values::tame, true);
      BitMatrix bits(200, 129);
      std::vector<float> floats(200 * 129, 0.0F);
      const CounterRandom random(4);
      for (std::size_t i = 0; i < floats.size(); ++i) {
        if (random.below(4, i) != 0) continue;
        bits.set(i / 129, i % 129);
        floats[i] = 1;
      }
      const Plan plan = plan_of(kernel, net, challenge_clip, {Cut::zero_rows});
      const Inference a = execute(plan, bits.view(), keep()),
                      b = execute(plan, DenseRows{floats.data(), 200, 129}, keep());
      BOOST_TEST((a.categories == b.categories && a.outputs == b.outputs));
      BOOST_TEST(execute(plan, bits.first(64), keep()).nominal_edges == plan.nnz() * 64);
    });

// The real network at a depth where sums are inexact and not yet clipped, and at full depth against Eigen.
const PerKernel radixnet("radixnet", [](const Kernel& kernel) {
  static const BitMatrix images = interpolate(generate_digits(160), 32).pixels;
  static const networks::Network network = challenge_network(1024, 120);
  static const SimpleInference simple = simple_inference(images.view(), network);
  const auto plan = [&](const Kernel& k, std::size_t depth) {
    Plan p(k, {Cut::zero_rows});
    for (std::size_t l = 0; l < depth; ++l) p.add_layer(network.layers[l]);
    return p;
  };
  const Inference got = execute(plan(kernel, 7), images.view(), keep());
  const Inference want = execute(plan(kernel_named("csr_scalar"), 7), images.view(), keep());
  BOOST_TEST(got.outputs.size() > 1024U);
  BOOST_TEST((got.categories == want.categories &&
              std::memcmp(got.outputs.data(), want.outputs.data(), 4 * want.outputs.size()) == 0));
  BOOST_TEST(std::ranges::any_of(want.outputs,
                                 [](float y) { return y > 0 && y < 32 && std::floor(y * 16) != y * 16; }));
  BOOST_TEST(simple.categories.size() > 0U);
  BOOST_TEST((execute(plan(kernel, 120), images.view()).categories == simple.categories));
});

BOOST_AUTO_TEST_CASE(plans_refuse_what_does_not_fit) {
  const Kernel& ell = kernel_named("ell_scalar");
  const Kernel& csr = kernel_named("csr_scalar");
  const sparse::Csr<float> two{{2, 2, {0, 1, 2}, {0, 1}}, {1, 1}},
      uneven{{2, 2, {0, 2, 3}, {0, 1, 1}}, {1, 1, 1}}, three{{3, 3, {0, 1, 2, 3}, {0, 1, 2}}, {1, 1, 1}};
  sparse::Csr<float> broken = two;
  broken.structure.column_indices[1] = 2;
  sparse::Csr<float> infinite = two;
  infinite.values[1] = infinity;
  const std::vector<float> zeros(2, 0.0F), positive{-1, 0.25F}, not_a_number{NAN, 0};
  const auto layer = [](const sparse::Csr<float>& weights, const std::vector<float>& bias,
                        Clip clip = challenge_clip) {
    return Layer{weights, bias, clip};
  };

  BOOST_CHECK_THROW(Plan(csr).add_layer(layer(broken, zeros)), ContractError);
  BOOST_CHECK_THROW(Plan(csr).add_layer(layer(three, zeros)), ContractError);
  BOOST_CHECK_THROW(Plan(ell).add_layer(layer(uneven, zeros)), ContractError);
  Plan plan(csr);
  plan.add_layer(layer(two, zeros));
  BOOST_CHECK_THROW(plan.add_layer(layer(three, {0, 0, 0})), ContractError);
  // Zero rows may be skipped only where they stay zero.
  const Plan cutting(csr, {Cut::zero_rows});
  BOOST_CHECK_THROW(Plan(cutting).add_layer(layer(two, positive)), ContractError);
  BOOST_CHECK_THROW(Plan(cutting).add_layer(layer(two, not_a_number)), ContractError);
  BOOST_CHECK_THROW(Plan(cutting).add_layer(layer(infinite, zeros)), ContractError);
  BOOST_CHECK_THROW(Plan(cutting).add_layer(layer(two, zeros, Clip::none())), ContractError);
  BOOST_CHECK_NO_THROW(Plan(cutting).add_layer(layer(two, zeros)));
  BOOST_CHECK_NO_THROW(Plan(csr).add_layer(layer(infinite, positive)));

  const std::vector<float> pixels(6, 1.0F);
  BOOST_CHECK_THROW(execute(plan, DenseRows{pixels.data(), 2, 3}), ContractError);
  BOOST_CHECK_THROW(execute(Plan(csr), DenseRows{pixels.data(), 2, 3}), ContractError);
  BOOST_CHECK_THROW(execute(plan, DenseRows{pixels.data(), std::size_t{1} << 32, 2}), ContractError);
  BOOST_CHECK_THROW(kernel_named("none"), ContractError);
  BOOST_CHECK_THROW(challenge_bias(512), ContractError);
  BOOST_CHECK_THROW(challenge_layer(two), ContractError);
  BOOST_CHECK_THROW(challenge_network(1024, 0), ContractError);
  // What has no entry would not stay 0 under a positive bias.
  const BitMatrix pixel(1, 2);
  BOOST_CHECK_NO_THROW(simple_inference(pixel.view(), {{layer(two, zeros)}}));
  BOOST_CHECK_THROW(simple_inference(pixel.view(), {{layer(two, positive)}}), ContractError);
  BOOST_CHECK_THROW(simple_inference(pixel.view(), {{layer(two, zeros, Clip::none())}}), ContractError);
}

BOOST_AUTO_TEST_CASE(dispatch_gives_the_first_that_may_run) {
  for (const Format format : {Format::csr, Format::ell}) {
    BOOST_TEST((best_kernel(format, Isa::scalar).needs == Isa::scalar));
    BOOST_TEST((best_kernel(format).format == format));
    BOOST_TEST(cpu_has(best_kernel(format).needs));
    BOOST_TEST(Isa::avx2.includes(best_kernel(format, Isa::avx2).needs));
  }
  for (const Kernel& kernel : all_kernels()) BOOST_TEST((&kernel_named(kernel.name) == &kernel));
}

// What is promised before anything is allocated.
BOOST_AUTO_TEST_CASE(memory_is_foretold) {
  const std::uint64_t plan = plan_bytes(1024, 120, 32);
  BOOST_TEST(plan >= 120ULL * 32768 * 8);
  BOOST_TEST(plan < 120ULL * 32768 * 9);
  for (const Kernel& kernel : all_kernels()) {
    const std::uint64_t tile = std::uint64_t{tile_rows(65536)} * kernel.lanes * 4;
    BOOST_TEST(tile_bytes(kernel, 65536, 120, 2) <= (std::uint64_t{1} << 30) + 2 * tile);
    BOOST_TEST(tile_bytes(kernel, 65536, 120, 2, 0) == 2 * 3 * tile);
  }
}
}  // namespace
