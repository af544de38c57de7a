// Gelem/s of every array conversion on one thread, in cache and in DRAM, as a share of a memcpy of the float32 that
// is measured in the same run. Prints a table; asserts nothing.
//
// Buffers are aligned to 4 KiB, since alignment alone can double a memcpy. Cache: 16 KiB of float32, ordinary stores.
// DRAM: 256 MiB of float32, the stores that convert_array() chooses there: non-temporal in the kernels of wide ISAs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "reference/core/cpu.hpp"
#include "reference/core/dispatch.hpp"
#include "reference/core/parallel.hpp"
#include "reference/core/random.hpp"
#include "reference/formats/convert.hpp"
#include "reference/formats/stochastic.hpp"
#include "tests/bench/plain_loop.hpp"
#ifdef ASSAY_ONEDNN
#include <dnnl.hpp>
#endif

using namespace assay;

namespace {

constexpr std::size_t cache_elements = std::size_t{1} << 12, dram_elements = std::size_t{1} << 26;

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<unsigned char, Free>;

Buffer make_buffer(std::size_t bytes) {
  void* p = std::aligned_alloc(4096, bytes);
  if (p == nullptr) throw std::bad_alloc();
  std::memset(p, 0, bytes);
  return Buffer(static_cast<unsigned char*>(p));
}

// Normally distributed float32, or its codes in a 16-bit format; made once for all benchmarks.
const unsigned char* source(const FormatSpec& format) {
  static const Buffer floats = [] {
    Buffer b = make_buffer(dram_elements * 4);
    const CounterRandom random(1);
    std::vector<float> period(std::size_t{1} << 16);
    for (std::size_t i = 0; i < period.size(); ++i) period[i] = static_cast<float>(random.normal(i));
    for (std::size_t i = 0; i < dram_elements; i += period.size()) {
      std::memcpy(b.get() + 4 * i, period.data(), 4 * period.size());
    }
    return b;
  }();
  static std::map<std::string, Buffer> codes;
  if (format == formats::float32) return floats.get();
  Buffer& b = codes[std::string(format.dtype)];
  if (b == nullptr) {
    b = make_buffer(dram_elements * 2);
    convert_array(floats.get(), b.get(), dram_elements, {.to = format});
  }
  return b.get();
}

unsigned char* destination() {
  static const Buffer b = make_buffer(dram_elements * 4);
  return b.get();
}

// What is timed: n elements into destination(). Returned by a function that prepares it for n.
using Work = std::function<void()>;

struct Row {
  std::string name;
  std::function<Work(std::size_t n)> prepare;
};

Row kernel_row(const ConversionKernel& kernel, Conversion c) {
  std::string name(kernel.name);
  if (c.from == formats::float32) {
    if (c.to.bits <= 8) name += " " + std::string(c.to.short_name);
    name += " " + std::string(rounding_name(c.rounding));
    if (c.policy != "format") name += " " + std::string(c.policy);
  }
  return {name, [&kernel, c](std::size_t n) -> Work {
            ConvertParams params = convert_params(c);
            const StochasticKey key = stochastic_key(1, 0);
            params.key_before = key.before;
            params.key_between = key.between;
            params.non_temporal = n == dram_elements;
            return [&kernel, params, n, src = source(c.from)] { kernel.run(src, destination(), n, params); };
          }};
}

std::vector<Row> rows() {
  std::vector<Row> all;
  all.push_back({"memcpy", [](std::size_t n) -> Work {
                   return [n, src = source(formats::float32)] { std::memcpy(destination(), src, 4 * n); };
                 }});
  for (const ConversionKernel& kernel : conversion_kernels()) {
    if (!cpu_has(kernel.needs)) continue;
    for (const FormatSpec* from : {&formats::bfloat16, &formats::float16}) {
      const Conversion c{.from = *from, .to = formats::float32};
      if (kernel.supports(c)) all.push_back(kernel_row(kernel, c));
    }
    for (const FormatSpec* to :
         {&formats::bfloat16, &formats::float16, &formats::float8_e4m3fn, &formats::float8_e5m2}) {
      bool found = false;
      for (const Rounding mode : all_roundings) {
        const Conversion c{.to = *to, .rounding = mode};
        if (kernel.supports(c)) all.push_back(kernel_row(kernel, c));
        found = found || kernel.supports(c);
      }
      const Conversion as_instruction{.to = *to, .policy = "intel"};
      if (!found && kernel.supports(as_instruction)) all.push_back(kernel_row(kernel, as_instruction));
    }
  }
  all.push_back({"convert_array() to bf16", [](std::size_t n) -> Work {
                   return
                       [n, src = source(formats::float32)] { convert_array(src, destination(), n, {}, 1); };
                 }});
  all.push_back({"peer: plain loop, -O3 -march=native", [](std::size_t n) -> Work {
                   return [n, src = source(formats::float32)] { bench::plain_loop(src, destination(), n); };
                 }});
#ifdef ASSAY_ONEDNN
  all.push_back({"peer: oneDNN reorder", [](std::size_t n) -> Work {
                   using dnnl::memory;
                   const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
                   const memory::dims dims{static_cast<memory::dim>(n)};
                   void* src = const_cast<unsigned char*>(source(formats::float32));
                   memory from({dims, memory::data_type::f32, memory::format_tag::a}, cpu, src);
                   memory to({dims, memory::data_type::bf16, memory::format_tag::a}, cpu, destination());
                   dnnl::reorder reorder(from, to);
                   dnnl::stream stream(cpu);
                   return [=]() mutable {
                     reorder.execute(stream, from, to);
                     stream.wait();
                   };
                 }});
#endif
  return all;
}

// Elements a second of each repetition, by the benchmark's name.
class Collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration && !run.error_occurred) {
        rates[run.run_name.function_name].push_back(run.counters.at("items_per_second"));
      }
    }
  }
  double median(const std::string& name) const {
    const auto found = rates.find(name);
    if (found == rates.end()) return 0;
    std::vector<double> sorted = found->second;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> rates;
};

void print_table(const std::vector<Row>& all, const Collector& times) {
  std::printf("\n%s, one thread\n", cpu_model().c_str());
  std::printf(
      "cache: 16 KiB of float32, ordinary stores; DRAM: 256 MiB, non-temporal stores in wide kernels\n");
  std::printf("Gelem/s and share of memcpy, medians\n\n%-44s %8s %7s %8s %7s\n", "", "cache", "", "DRAM", "");
  for (const Row& row : all) {
    if (times.median(row.name + "/cache") == 0 && times.median(row.name + "/DRAM") == 0)
      continue;  // filtered out
    std::printf("%-44s", row.name.c_str());
    for (const char* where : {"/cache", "/DRAM"}) {
      const double rate = times.median(row.name + where), limit = times.median(std::string("memcpy") + where);
      if (rate > 0)
        std::printf(" %8.2f", rate / 1e9);
      else
        std::printf(" %8s", "-");
      if (rate > 0 && limit > 0)
        std::printf(" %6.1f%%", 100 * rate / limit);
      else
        std::printf(" %7s", "-");
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const ThreadScope team(1);
  const std::vector<Row> all = rows();
  for (const FormatSpec* f : {&formats::float32, &formats::bfloat16, &formats::float16}) source(*f);
  destination();
  for (const Row& row : all) {
    for (const bool cache : {true, false}) {
      const std::size_t n = cache ? cache_elements : dram_elements;
      const auto run = [prepare = row.prepare, n](benchmark::State& state) {
        const Work work = prepare(n);
        for (auto _ : state) {
          work();
          benchmark::ClobberMemory();
        }
        state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
      };
      benchmark::RegisterBenchmark((row.name + (cache ? "/cache" : "/DRAM")).c_str(), run)
          // Fixed, since a disturbance while iterations are being chosen would show in every repetition.
          ->Iterations(cache ? 10000 : 2)
          ->Repetitions(7);
    }
  }
  // The repetitions of all are interleaved, so that a disturbance does not fall on one alone.
  std::vector<char*> arguments(argv, argv + argc);
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  arguments.insert(arguments.begin() + 1, interleaved.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  Collector times;
  benchmark::RunSpecifiedBenchmarks(&times);
  print_table(all, times);
  return 0;
}
