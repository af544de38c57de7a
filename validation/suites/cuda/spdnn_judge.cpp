// Inference on sparse networks: categories and outputs have one right answer by the contract of the order; the last
// layer has an exact result besides.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gpu/cases/spdnn_cases.hpp"
#include "validation/compare/comparison.hpp"
#include "validation/suites/cuda/judged_kernel.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::cuda {
namespace {

spdnn::Inference by_scalar_kernel(const networks::Network& network, const gpu::SpdnnProblem& p) {
  const spdnn::Plan plan(spdnn::kernel_named("csr_scalar"), network,
                         p.skips_zero_rows ? std::vector{spdnn::Cut::zero_rows} : std::vector<spdnn::Cut>{});
  spdnn::ExecuteOptions options;
  options.threads = 1;
  options.keep_outputs = true;
  return spdnn::execute(plan, p.rows(), options);
}

// neurons x images; rows that are in no category are zeros.
std::vector<float> by_neurons(std::span<const float> rows, const std::vector<std::int64_t>& categories,
                              std::size_t neurons, std::size_t images) {
  std::vector<float> out(neurons * images);
  for (std::size_t r = 0; r < categories.size(); ++r) {
    const auto image = static_cast<std::size_t>(categories[r] - 1);
    for (std::size_t i = 0; i < neurons; ++i) out.at(i * images + image) = rows[r * neurons + i];
  }
  return out;
}

std::vector<std::int64_t> categories_of(const gpu::KernelArray& array) {
  std::vector<std::int64_t> out(array.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int64_t>(array.code(i));
  return out;
}

// The last layer as a product: weights times what the layers before it give by the contract. What died is zeros there
// too: no bias is above zero where rows are skipped, and none is written of rows that end as zeros.
judge::Judgement last_layer_by_bound(const gpu::SpdnnProblem& p, const gpu::KernelArrays& got) {
  networks::Network before = p.network;
  const networks::Layer last = std::move(before.layers.back());
  before.layers.pop_back();
  std::vector<float> x;
  const auto inputs = static_cast<std::size_t>(last.inputs()),
             outputs = static_cast<std::size_t>(last.outputs());
  if (before.layers.empty()) {
    std::vector<std::int64_t> all(p.images);
    for (std::size_t i = 0; i < p.images; ++i) all[i] = static_cast<std::int64_t>(i) + 1;
    x = by_neurons(p.inputs, all, inputs, p.images);
  } else {
    const spdnn::Inference alive = by_scalar_kernel(before, p);
    x = by_neurons(alive.outputs, {alive.categories.begin(), alive.categories.end()}, inputs, p.images);
  }
  const std::vector<float> y =
      by_neurons(to_io_array(got[1]).as<float>(), categories_of(got[0]), outputs, p.images);
  const auto images = static_cast<std::int64_t>(p.images);
  judge::Request r;
  r.operation = "spmm";
  r.sparse = sparse_array(last.weights);
  r.b = to_io_array(gpu::kernel_array("", x, {last.inputs(), images}));
  r.bias = to_io_array(gpu::kernel_array("", last.bias, {last.outputs()}));
  r.bias_along = "rows";
  r.activation = fmt::format("clip:{}:{}", last.clip.lower, last.clip.upper);
  r.got = to_io_array(gpu::kernel_array("", y, {last.outputs(), images}));
  r.policy = compare::find_policy(compare::default_policies(), "bound", "sparse");
  r.order = "sequential";
  r.accumulator = "float32";
  r.product = "fused";
  r.epilogue = "last";
  r.given = {"bias", "bias-along", "activation", "order", "acc", "product", "epilogue"};
  judge::Judgement judgement = judge::check(std::move(r));
  judgement.name = "last layer";
  return judgement;
}

}  // namespace

std::vector<JudgedKernel> judged_spdnn() {
  std::vector<JudgedKernel> all;
  for (gpu::KernelCase& kernel : gpu::spdnn_cases()) {
    const std::string network = kernel.parameters.front().second;
    JudgedKernel one;
    one.contract = "sparse inference's contract of float32";
    one.predicted = [network](std::uint64_t seed) {
      const gpu::SpdnnProblem p = gpu::spdnn_problem(network, seed);
      return gpu::spdnn_arrays(by_scalar_kernel(p.network, p), p.network.outputs());
    };
    one.judge = [predicted = one.predicted, network, contract = one.contract](std::uint64_t seed,
                                                                              const gpu::KernelArrays& got) {
      const gpu::KernelArrays want = predicted(seed);
      std::vector<judge::Judgement> by_bound;
      const gpu::SpdnnProblem p = gpu::spdnn_problem(network, seed);
      // Other categories are other rows.
      if (!p.wild && got.size() == want.size() && got[0] == want[0] && got[1].shape == want[1].shape)
        by_bound.push_back(last_layer_by_bound(p, got));
      return judge_arrays(contract, got, want, by_bound);
    };
    one.kernel = std::move(kernel);
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace assay::suites::cuda
