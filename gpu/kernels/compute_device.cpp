#include "gpu/kernels/compute_device.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"

namespace assay::gpu {
namespace {

std::size_t rows_of(const SpdnnInputs& inputs) {
  return std::visit([](const auto& rows) { return rows.rows; }, inputs);
}

SpdnnInputs part_of(const SpdnnInputs& inputs, const RowRange& range) {
  if (const auto* const bits = std::get_if<spdnn::BitRows>(&inputs))
    return spdnn::BitRows{bits->words + range.first * bits->words_per_row, range.count, bits->cols,
                          bits->words_per_row};
  const auto& dense = std::get<spdnn::DenseRows>(inputs);
  return spdnn::DenseRows{dense.values + range.first * dense.cols, range.count, dense.cols};
}

// What a device did with its rows.
struct Share {
  RowRange range{};
  spdnn::Inference result{};
  std::exception_ptr failure{};
};

[[noreturn]] void rethrow_named(const ComputeDevice& device, const Share& share) {
  const std::string where = share.range.count == 0
                                ? device.name() + ": "
                                : device.name() + ", inputs " + std::to_string(share.range.first + 1) +
                                      " to " + std::to_string(share.range.first + share.range.count) + ": ";
  try {
    std::rethrow_exception(share.failure);
  } catch (const ContractError& error) {
    throw ContractError(where + error.what());
  } catch (const std::exception& error) {
    throw DeviceFailure(where + error.what());
  } catch (...) {
    throw DeviceFailure(where + "an exception that is not a std::exception");
  }
}

void append(spdnn::Inference& all, Share& share) {
  for (const std::uint32_t category : share.result.categories)
    all.categories.push_back(static_cast<std::uint32_t>(share.range.first) + category);
  all.outputs.insert(all.outputs.end(), share.result.outputs.begin(), share.result.outputs.end());
  all.rows_computed.resize(std::max(all.rows_computed.size(), share.result.rows_computed.size()));
  for (std::size_t l = 0; l < share.result.rows_computed.size(); ++l)
    all.rows_computed[l] += share.result.rows_computed[l];
  all.nominal_edges += share.result.nominal_edges;
  all.executed_edges += share.result.executed_edges;
  all.threads += share.result.threads;
}

}  // namespace

std::vector<RowRange> split_rows(std::size_t rows, std::size_t devices) {
  if (devices == 0) throw ContractError("no devices to share " + std::to_string(rows) + " rows among");
  std::vector<RowRange> ranges;
  std::size_t first = 0;
  for (std::size_t d = 0; d < devices; ++d) {
    const std::size_t count = rows / devices + (d < rows % devices ? 1 : 0);
    ranges.push_back({first, count});
    first += count;
  }
  return ranges;
}

spdnn::Inference infer_on_devices(std::span<ComputeDevice* const> devices, const SpdnnInputs& inputs,
                                  const InferOptions& options) {
  if (rows_of(inputs) > UINT32_MAX)
    throw ContractError(std::to_string(rows_of(inputs)) + " inputs, whose numbers have 32 bits");
  const std::vector<RowRange> ranges = split_rows(rows_of(inputs), devices.size());
  std::vector<Share> shares(devices.size());
  const auto begin = std::chrono::steady_clock::now();
  const auto ask = [&](std::size_t d) {
    Share& share = shares[d];
    share.range = ranges[d];
    try {
      // The first is asked even for nothing: what it says of the network and the shapes holds for all.
      if (share.range.count != 0 || d == 0)
        share.result = devices[d]->infer(part_of(inputs, share.range), options);
    } catch (...) {
      share.failure = std::current_exception();
    }
  };
  {
    // Not a region of parallel.hpp: these threads wait for devices, and an executor behind one takes regions itself.
    std::vector<std::jthread> threads;
    for (std::size_t d = 1; d < devices.size(); ++d) {
      if (ranges[d].count != 0) threads.emplace_back(ask, d);
    }
    ask(0);
  }
  for (std::size_t d = 0; d < devices.size(); ++d) {
    if (shares[d].failure) rethrow_named(*devices[d], shares[d]);
  }
  spdnn::Inference all;
  for (Share& share : shares) append(all, share);
  all.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return all;
}

}  // namespace assay::gpu
