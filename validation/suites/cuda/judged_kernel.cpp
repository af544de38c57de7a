#include "validation/suites/cuda/judged_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reference/core/error.hpp"
#include "validation/compare/comparison.hpp"
#include "validation/judge/results.hpp"
#include "validation/suites/arithmetics.hpp"
#include "validation/suites/expectations.hpp"
#include "validation/suites/sparse_problems.hpp"

namespace assay::suites::cuda {
namespace {

const Arithmetic& arithmetic_of(const std::string& name) {
  const Arithmetic* const known = arithmetics().lookup(name);
  if (known == nullptr) throw Unavailable("there is no unit " + name);
  return *known;
}

gpu::KernelArrays predicted_products(const std::vector<JudgedProduct>& products, const Arithmetic& contract) {
  gpu::KernelArrays out;
  for (const JudgedProduct& p : products) {
    judge::Request r = p.request;
    r.arithmetic = &contract;
    r.arithmetic_name = contract.info().name;
    r.given.insert("unit");
    const judge::Results results = judge::predicted_results(std::move(r), formats::float32);
    out.push_back({.name = p.name,
                   .element = "float32",
                   .shape = {results.shape.begin(), results.shape.end()},
                   .bytes = results.answer.codes});
  }
  return out;
}

CaseResult judge_products(const std::vector<JudgedProduct>& products, const Arithmetic& contract,
                          const std::string& contract_text, const gpu::KernelArrays& got) {
  Tally tally(contract_text + ", bit for bit, and the exact result with its bound");
  if (got.size() != products.size()) {
    tally.fail(fmt::format("{} arrays, not {}", got.size(), products.size()), "");
    return tally.result();
  }
  RoundingDistance distance;
  bool rounds = false;
  for (std::size_t i = 0; i < products.size(); ++i) {
    const JudgedProduct& p = products[i];
    judge::Request r = p.request;
    r.got = to_io_array(got[i]);
    if (p.distance && !p.bits_alone) {
      p.distance(r.got.as<float>(), distance);
      rounds = true;
    }
    judge_product(std::move(r), contract, {.name = "", .rows = 0, .cols = 0, .wild = p.bits_alone}, p.name,
                  tally);
  }
  if (rounds) {
    tally.say(distance.text());
    if (!distance.within_bound())
      tally.fail("rounding of the operands does not explain the distance from float32", distance.text());
  }
  return tally.result();
}

}  // namespace

std::string JudgedKernel::name() const {
  std::string name = kernel.member;
  for (const auto& [key, value] : kernel.parameters) name += fmt::format(" {}={}", key, value);
  return name;
}

std::vector<JudgedKernel> judged_kernels(const gpu::CaseGpu& gpu) {
  std::vector<JudgedKernel> all;
  for (std::vector<JudgedKernel> family :
       {judged_autosparse(), judged_csr(), judged_conversions(), judged_tensor_cores(gpu), judged_spdnn()}) {
    for (JudgedKernel& one : family) {
      one.gpu = gpu;
      all.push_back(std::move(one));
    }
  }
  return all;
}

JudgedKernel judged_products(gpu::KernelCase kernel, const std::string& arithmetic,
                             const std::string& contract, JudgedProducts products) {
  JudgedKernel out;
  out.kernel = std::move(kernel);
  out.contract = contract;
  out.predicted = [=](std::uint64_t seed) {
    return predicted_products(products(seed), arithmetic_of(arithmetic));
  };
  out.judge = [=](std::uint64_t seed, const gpu::KernelArrays& got) {
    return judge_products(products(seed), arithmetic_of(arithmetic), contract, got);
  };
  return out;
}

ArrayDifferences differences(const gpu::KernelArrays& got, const gpu::KernelArrays& want) {
  ArrayDifferences out;
  const auto tell = [&](std::string text) {
    if (out.different++ == 0) out.first = std::move(text);
  };
  if (got.size() != want.size()) tell(fmt::format("{} arrays, not {}", got.size(), want.size()));
  for (std::size_t a = 0; a < std::min(got.size(), want.size()); ++a) {
    const gpu::KernelArray &x = got[a], &y = want[a];
    if (x.name != y.name || x.element != y.element || x.shape != y.shape ||
        x.bytes.size() != y.bytes.size()) {
      tell(fmt::format("{} is {} of {}, not {}, {} of {}", x.name, io::to_string(x.shape), x.element, y.name,
                       io::to_string(y.shape), y.element));
      continue;
    }
    const std::size_t digits = 2 * x.element_bytes();
    const compare::Shape shape(x.shape.begin(), x.shape.end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      ++out.checked;
      if (x.code(i) != y.code(i))
        tell(fmt::format("{}{}: 0x{:0{}x}, not 0x{:0{}x}", x.name, compare::index_text(i, shape), x.code(i),
                         digits, y.code(i), digits));
    }
  }
  return out;
}

CaseResult judge_arrays(const std::string& contract, const gpu::KernelArrays& got,
                        const gpu::KernelArrays& predicted, const std::vector<judge::Judgement>& by_bound) {
  Expectations all(
      contract + ", bit for bit" + (by_bound.empty() ? "" : ", and the exact result with its bound"),
      "the kernel's results are not those of its contract");
  const ArrayDifferences bits = differences(got, predicted);
  CaseResult by_bits;
  by_bits.status = bits.different == 0 ? Status::passed : Status::failed;
  by_bits.reason = bits.first;
  by_bits.checked = bits.checked;
  by_bits.mismatches = bits.different;
  all.add(by_bits);
  for (const judge::Judgement& judged : by_bound) {
    const compare::Comparison& c = judged.comparison;
    all.expect(c.verdict == compare::Verdict::agree,
               [&] { return judged.name + ": " + (c.reason.empty() ? "outside the bound" : c.reason); });
    if (!c.where.text.empty()) all.say(judged.name + ": " + c.where.text);
    if (c.over_bound)
      all.figure(judged.name.substr(judged.name.find(' ') + 1) + " error/bound", c.over_bound->max.value);
  }
  return std::move(all.result());
}

io::Array to_io_array(const gpu::KernelArray& array) {
  io::Array out = io::make_array(io::parse_element_type(array.element), array.shape);
  if (out.bytes.size() != array.bytes.size())
    throw ContractError(fmt::format("{} bytes of {}, not {} of {}", array.bytes.size(), array.name,
                                    out.bytes.size(), io::to_string(array.shape)));
  out.bytes = array.bytes;
  return out;
}

}  // namespace assay::suites::cuda
