// Machines' dot-product units: against this CPU's instructions, against recorded results of GPUs, every fast path
// against the definition, and wrong models that each of these has to find.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulation/units/hard_operands.hpp"
#include "emulation/units/nvidia/fused_sum.hpp"
#include "emulation/units/unit.hpp"
#include "emulation/units/x86/live_x86.hpp"
#include "emulation/units/x86/x86_mutants.hpp"
#include "reference/core/error.hpp"
#include "reference/core/parallel.hpp"
#include "reference/formats/encode.hpp"
#include "validation/suites/recorded_vectors.hpp"
#include "validation/suites/suite.hpp"
#include "validation/suites/units_evidence.hpp"

namespace assay::suites {
namespace {

std::uint64_t at_scale(Scale scale, std::uint64_t quick, std::uint64_t standard, std::uint64_t exhaustive) {
  switch (scale) {
    case Scale::quick: return quick;
    case Scale::standard: return standard;
    case Scale::exhaustive: break;
  }
  return exhaustive;
}

const ArithmeticRegistry& all_units() {
  static const ArithmeticRegistry registry = [] {
    ArithmeticRegistry r;
    add_units(r);
    return r;
  }();
  return registry;
}

CaseResult counted(std::uint64_t checked, std::uint64_t mismatches, std::string evidence) {
  CaseResult r;
  r.status = mismatches == 0 ? Status::passed : Status::failed;
  r.checked = checked;
  r.mismatches = mismatches;
  r.evidence = std::move(evidence);
  return r;
}

// --- this CPU ----------------------------------------------------------------------------------------------------

CaseResult result_of(const CheckCounts& counts, std::string evidence) {
  CaseResult r = counted(counts.vectors, counts.mismatches, std::move(evidence));
  if (counts.first) {
    const X86Mismatch& m = *counts.first;
    r.reason = "the bits differ";
    r.details.push_back(
        fmt::format("first at {}: a={:#010x} b={:#010x} c={:#010x} got={:#010x} want={:#010x}", m.index,
                    m.lane.a, m.lane.b, m.lane.c, m.got, m.want));
  }
  return r;
}

// "VCVTNEPS2BF16 xmm" as a part of a case's name.
std::string as_member(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      text += static_cast<char>(c - 'A' + 'a');
    } else if (c != ',') {
      text += c == ' ' ? '_' : c;
    }
  }
  return text;
}

// All of a class in portions that a person can watch.
template <class Check>
CheckCounts in_portions(std::uint64_t vectors, const RunContext& context, const Check& check) {
  const std::uint64_t portion = std::uint64_t{1} << 24;
  CheckCounts counts;
  for (std::uint64_t first = 0; first < vectors; first += portion) {
    counts += check(first, std::min(portion, vectors - first));
    context.progress(static_cast<double>(first) / static_cast<double>(vectors), "vectors");
  }
  return counts;
}

std::vector<Case> live_cases(const RunContext& context) {
  std::vector<Case> cases;
  const std::string seed = std::to_string(context.seed);
  const auto classes = x86_classes();
  const std::uint64_t a_unit = at_scale(context.scale, 100'000'000, 100'000'000, 10'000'000'000);
  const std::uint64_t a_class = a_unit / classes.size() + 1;
  const std::uint64_t a_form = at_scale(context.scale, 100'000, 1'000'000, 10'000'000);
  for (const X86ClassInfo& info : classes) {
    cases.push_back({"live/vdpbf16ps/" + std::string(info.name),
                     {{"vectors", std::to_string(a_class)}, {"seed", seed}},
                     [id = info.id, a_class](const RunContext& c) {
                       return result_of(in_portions(a_class, c,
                                                    [&](std::uint64_t first, std::uint64_t count) {
                                                      return check_vdpbf16ps_live({id, c.seed, first, count});
                                                    }),
                                        "this CPU's VDPBF16PS");
                     }});
  }
  for (const LaneForm form : lane_forms()) {
    cases.push_back(
        {"live/vdpbf16ps/mxcsr_" + as_member(lane_form_name(form)),
         {{"vectors", std::to_string(a_form * classes.size() * mxcsr_settings.size())}, {"seed", seed}},
         [form, a_form](const RunContext& c) {
           CheckCounts counts;
           for (const std::uint32_t mxcsr : mxcsr_settings) {
             for (const X86ClassInfo& info : x86_classes())
               counts += check_vdpbf16ps_live({info.id, c.seed, 0, a_form}, form, mxcsr);
           }
           return result_of(counts, "this CPU's VDPBF16PS at six settings of MXCSR");
         }});
  }
  const std::uint64_t conversions = a_unit / conversion_forms().size() / mxcsr_settings.size() + 1;
  for (const ConversionForm form : conversion_forms()) {
    const std::string evidence =
        fmt::format("this CPU's {} at six settings of MXCSR", conversion_form_name(form));
    cases.push_back({"live/" + as_member(conversion_form_name(form)),
                     {{"vectors", std::to_string(conversions * mxcsr_settings.size())}, {"seed", seed}},
                     [form, conversions, evidence](const RunContext& c) {
                       CheckCounts counts;
                       std::uint64_t first = 0;
                       for (const std::uint32_t mxcsr : mxcsr_settings) {
                         counts += in_portions(conversions, c, [&](std::uint64_t begin, std::uint64_t count) {
                           return check_vcvtneps2bf16_live(
                               {X86Class::uniform_bits, c.seed, first + begin, count}, form, mxcsr);
                         });
                         first += conversions;
                       }
                       return result_of(counts, evidence);
                     }});
  }
  // Full tiles in bulk; every shape from 1 to 16 in each dimension, a few tiles each.
  const std::uint64_t tiles = a_class / 256 + 1;
  for (const X86ClassInfo& info : classes) {
    cases.push_back({"live/tdpbf16ps/" + std::string(info.name),
                     {{"vectors", std::to_string(tiles * 256)}, {"seed", seed}},
                     [id = info.id, tiles](const RunContext& c) {
                       return result_of(in_portions(tiles, c,
                                                    [&](std::uint64_t first, std::uint64_t count) {
                                                      return check_tdpbf16ps_live(id, c.seed, first, count,
                                                                                  {});
                                                    }),
                                        "this CPU's TDPBF16PS");
                     }});
  }
  cases.push_back(
      {"live/tdpbf16ps/shapes", {{"shapes", "4096"}, {"seed", seed}}, [](const RunContext& c) {
         CheckCounts counts;
         for (std::size_t s = 0; s < 4096; ++s) {
           const TileShape shape{s % 16 + 1, s / 16 % 16 + 1, s / 256 + 1};
           const X86ClassInfo& info = x86_classes()[s % x86_classes().size()];
           counts +=
               check_tdpbf16ps_live(info.id, c.seed, s, 1, shape, mxcsr_settings[s % mxcsr_settings.size()]);
         }
         return result_of(counts, "this CPU's TDPBF16PS, tiles of every shape, six settings of MXCSR");
       }});
  return cases;
}

// --- definitions and fast paths ----------------------------------------------------------------------------------

std::vector<Case> x86_definition_cases(const RunContext& context) {
  std::vector<Case> cases;
  const std::uint64_t vectors = at_scale(context.scale, 100'000, 1'000'000, 10'000'000);
  const std::string seed = std::to_string(context.seed), evidence = "the integer definition";
  for (const X86ClassInfo& info : x86_classes()) {
    cases.push_back({"lanes/vdpbf16ps/" + std::string(info.name),
                     {{"vectors", std::to_string(vectors)}, {"seed", seed}},
                     [id = info.id, vectors, evidence](const RunContext& c) {
                       return result_of(check_vdpbf16ps_definition({id, c.seed, 0, vectors}), evidence);
                     }});
  }
  return cases;
}

// What came of one product by every path.
struct PathsRound {
  std::uint64_t checked = 0, mismatches = 0;
  std::string first;  // mismatch
};

// Every path of a unit against its definition, on `vectors` outputs of each class.
CaseResult paths_case(const Unit& unit, std::uint64_t vectors, const RunContext& context) {
  const ArithmeticInfo& info = unit.info();
  const auto [fa, fb] = info.inputs.front();
  constexpr std::size_t m = 24, n = 40;
  const std::size_t step = info.step_terms;
  const std::vector<std::size_t> depths{step, 1,       2 * step, 3 * step + 1, step > 1 ? step - 1 : 2,
                                        0,    5 * step};
  const FormatSpec output = info.outputs.front();
  const std::size_t bytes = code_bytes(output);
  CaseResult r = counted(0, 0, "the integer definition");
  std::vector<std::string_view> fast;
  std::vector<UnitPath> paths = unit.paths();
  std::reverse(paths.begin(), paths.end());
  for (const UnitPath& path : paths) {
    const std::string why = why_unavailable(path.needs);
    if (!why.empty()) r.details.push_back(fmt::format("not run: {}: {}", path.name, why));
    if (why.empty() && path.name != "definition") fast.push_back(path.name);
  }
  const std::size_t rounds = (vectors + m * n - 1) / (m * n);
  const auto run_round = [&, a_format = fa, b_format = fb](const HardClassInfo& kind, std::uint64_t round) {
    PathsRound result;
    const std::size_t k = depths[round % depths.size()];
    const HardMatrices x(kind.id, m, n, k, a_format, b_format, info.accumulator,
                         context.seed * 1'000'003 + round);
    const std::optional<CodeMatrix> c = round % 5 == 4 ? std::nullopt : std::optional(x.c());
    std::vector<std::byte> want(m * n * bytes), got(want.size());
    const auto view = [&](std::vector<std::byte>& codes) {
      return MutableCodeMatrix{codes.data(), m, n, static_cast<std::ptrdiff_t>(n), 1, output};
    };
    unit.gemm_by("definition", x.a(), x.b(), c, view(want));
    for (const std::string_view path : fast) {
      std::fill(got.begin(), got.end(), std::byte{0xA5});
      unit.gemm_by(path, x.a(), x.b(), c, view(got));
      result.checked += m * n;
      if (got == want) continue;
      for (std::size_t i = 0; i < m * n; ++i) {
        const std::uint64_t g = detail::load_code(got.data(), static_cast<std::ptrdiff_t>(i), bytes);
        const std::uint64_t w = detail::load_code(want.data(), static_cast<std::ptrdiff_t>(i), bytes);
        if (g == w || result.mismatches++ != 0) continue;
        result.first = fmt::format("path {}, class {}, k={}, matrices {}: [{},{}] got {:#x} want {:#x}", path,
                                   kind.name, k, round, i / n, i % n, g, w);
      }
    }
    context.progress(static_cast<double>(round) / static_cast<double>(rounds), kind.name);
    return result;
  };
  for (const HardClassInfo& kind : hard_classes()) {
    // The products are small: threads within one would wait for each other more than they work. So every depth is
    // taken once with the threads of the unit, as when somebody calls it; then each thread takes whole products.
    std::vector<PathsRound> results(rounds);
    const std::size_t alone = std::min(depths.size(), results.size());
    for (std::size_t round = 0; round < alone; ++round) results[round] = run_round(kind, round);
    parallel_for(results.size() - alone, {0, Share::dynamic, 1},
                 [&](std::size_t i) { results[alone + i] = run_round(kind, alone + i); });
    for (const PathsRound& one : results) {
      if (r.mismatches == 0 && one.mismatches != 0) r.details.push_back(one.first);
      r.checked += one.checked;
      r.mismatches += one.mismatches;
    }
  }
  r.status = r.mismatches == 0 ? Status::passed : Status::failed;
  if (r.mismatches != 0) r.reason = "a fast path is not the unit";
  return r;
}

std::vector<Case> paths_cases(const RunContext& context) {
  std::vector<Case> cases;
  const std::uint64_t vectors = at_scale(context.scale, 20'000, 100'000, 1'000'000);
  for (const Arithmetic* arithmetic : all_units().list()) {
    const Unit* const unit = as_unit(*arithmetic);
    if (unit == nullptr || unit->paths().size() < 2) continue;
    cases.push_back({"paths/" + unit->info().name,
                     {{"a_class", std::to_string(vectors)}, {"seed", std::to_string(context.seed)}},
                     [unit, vectors](const RunContext& c) { return paths_case(*unit, vectors, c); }});
  }
  return cases;
}

// --- recorded results --------------------------------------------------------------------------------------------

std::string evidence_of(const RecordedSetName& set) { return fmt::format("recorded results of {}", set.gpu); }

CaseResult recorded_case(const RecordedSetName& name) {
  if (!name.why_not.empty()) throw Unavailable(name.why_not);
  const Arithmetic* const known = all_units().lookup(name.unit);
  if (known == nullptr) throw Unavailable("there is no unit " + name.unit);
  const Arithmetic& unit = *known;
  const RecordedSet set = read_recorded_set(name);
  const RecordedComparison comparison = compare_recorded(set, unit);
  CaseResult r = counted(comparison.rows, comparison.mismatches, evidence_of(name));
  if (comparison.mismatches != 0) {
    r.reason = fmt::format("{} does not give what {} gave", name.unit, name.gpu);
    r.details.push_back(fmt::format("first at row {}: emulated {:#x}, recorded {:#x}",
                                    comparison.first_mismatch, comparison.got, comparison.expected));
  }
  return r;
}

std::vector<Case> recorded_cases(const RunContext& context) {
  const std::filesystem::path folder =
      context.recorded.empty() ? context.data / "tensor_core_vectors" : context.recorded;
  const auto skipped = [&](std::string why) {
    return std::vector<Case>{{"recorded/all", {}, [why = std::move(why)](const RunContext&) -> CaseResult {
                                throw Unavailable(why);
                              }}};
  };
  if (context.recorded.empty() && context.data.empty())
    return skipped("no recorded results: neither --recorded nor ASSAY_DATA names a folder");
  if (context.recorded.empty() && !std::filesystem::is_directory(folder))
    return skipped("no recorded results: there is no " + folder.string());
  std::vector<Case> cases;
  for (const RecordedSetName& set : list_recorded_sets(folder)) {
    cases.push_back({"recorded/" + set.name(),
                     {{"unit", set.unit.empty() ? "none" : set.unit}},
                     [set](const RunContext&) { return recorded_case(set); }});
  }
  return cases;
}

// --- wrong models ------------------------------------------------------------------------------------------------

// A class of vectors that tells the model from the unit, if one does; and how often.
struct Kill {
  std::string_view by;
  std::uint64_t vectors = 0, differ = 0;
};
Kill kill_by_definition(const Unit& unit, const Unit& wrong, const RunContext& context) {
  const ArithmeticInfo& info = unit.info();
  const auto [fa, fb] = info.inputs.front();
  constexpr std::size_t m = 8, n = 8;
  const std::size_t bytes = code_bytes(info.outputs.front());
  Kill kill;
  for (std::uint64_t round = 0; round < 64 && kill.differ == 0; ++round) {
    for (const HardClassInfo& kind : hard_classes()) {
      const HardMatrices x(kind.id, m, n, (round % 3 + 1) * info.step_terms, fa, fb, info.accumulator,
                           context.seed + round);
      std::vector<std::byte> want(m * n * bytes), got(m * n * bytes);
      const auto view = [&](std::vector<std::byte>& codes) {
        return MutableCodeMatrix{codes.data(), m, n, static_cast<std::ptrdiff_t>(n), 1, info.outputs.front()};
      };
      unit.gemm_by("definition", x.a(), x.b(), x.c(), view(want));
      wrong.gemm_by("definition", x.a(), x.b(), x.c(), view(got));
      kill.vectors += m * n;
      for (std::size_t i = 0; i < m * n; ++i)
        kill.differ += std::memcmp(&want[i * bytes], &got[i * bytes], bytes) != 0 ? 1 : 0;
      if (kill.differ == 0) continue;
      kill.by = kind.name;
      break;
    }
  }
  return kill;
}

// All mutants of a case; FAILED if one lives.
class Obituary {
 public:
  Obituary() { result_ = counted(0, 0, ""); }
  void add(TriedMutant mutant) {
    ++result_.checked;
    if (mutant.kills == 0) ++result_.mismatches;
    result_.mutants.push_back(std::move(mutant));
  }
  void evidence(std::string text) { result_.evidence = std::move(text); }
  CaseResult result() {
    result_.status = result_.mismatches == 0 ? Status::passed : Status::failed;
    if (result_.mismatches != 0) result_.reason = "a wrong model passes";
    return std::move(result_);
  }

 private:
  CaseResult result_;
};

std::vector<Case> x86_mutant_cases(const RunContext& context) {
  const std::uint64_t vectors = at_scale(context.scale, 20'000, 100'000, 1'000'000);
  return {{"mutants/x86",
           {{"vectors", std::to_string(vectors)}, {"seed", std::to_string(context.seed)}},
           [vectors](const RunContext& c) {
             Obituary obituary;
             bool live = false;
             for (const MutantKills& m : run_x86_mutants(c.seed, vectors)) {
               std::uint64_t tried = 0;
               for (const ClassKills& k : m.classes) tried += k.vectors;
               live = live || m.live;
               obituary.add({.name = fmt::format("{}/{}", m.mutant->unit, m.mutant->name),
                             .by = m.live ? "live CPU" : "",
                             .by_definition = !m.live,
                             .kills = m.kills(),
                             .vectors = tried});
             }
             obituary.evidence(live ? "this CPU, or the definition where a line says so"
                                    : "the definition only");
             return obituary.result();
           }}};
}

std::vector<Case> fused_sum_mutant_cases(const RunContext& context) {
  std::vector<Case> cases;
  const std::filesystem::path folder =
      context.recorded.empty() ? context.data / "tensor_core_vectors" : context.recorded;
  const bool recorded = std::filesystem::is_directory(folder);
  for (const FusedSumSpec& spec : fused_sum_specs()) {
    cases.push_back({"mutants/" + spec.name,
                     {{"seed", std::to_string(context.seed)}},
                     [&spec, folder, recorded](const RunContext& c) {
                       Obituary obituary;
                       std::vector<RecordedSet> sets;
                       if (recorded) {
                         for (const RecordedSetName& set : list_recorded_sets(folder)) {
                           if (set.unit == spec.name) sets.push_back(read_recorded_set(set));
                         }
                       }
                       const std::unique_ptr<const Unit> unit = make_fused_sum(spec);
                       for (const FusedSumMutant& mutant : fused_sum_mutants(spec)) {
                         const std::unique_ptr<const Unit> wrong = make_fused_sum(mutant.spec);
                         std::size_t rows = 0, kills = 0;
                         std::string by;
                         for (const RecordedSet& set : sets) {
                           const RecordedComparison found = compare_recorded(set, *wrong);
                           rows += found.rows;
                           kills += found.mismatches;
                           if (found.mismatches != 0) by += (by.empty() ? "" : ", ") + set.name.name();
                         }
                         if (kills != 0) {
                           obituary.add({.name = mutant.name, .by = by, .kills = kills, .vectors = rows});
                           continue;
                         }
                         const Kill kill = kill_by_definition(*unit, *wrong, c);
                         obituary.add({.name = mutant.name,
                                       .by = std::string(kill.by),
                                       .by_definition = true,
                                       .kills = kill.differ,
                                       .vectors = kill.vectors});
                       }
                       obituary.evidence(sets.empty()
                                             ? "the definition only"
                                             : "recorded results, or the definition where a line says so");
                       return obituary.result();
                     }});
  }
  return cases;
}

}  // namespace

std::vector<Case> units_cases(const RunContext& context) {
  std::vector<Case> cases;
  for (auto* const list : {live_cases, recorded_cases, x86_definition_cases, paths_cases, x86_mutant_cases,
                           fused_sum_mutant_cases}) {
    std::vector<Case> more = list(context);
    std::move(more.begin(), more.end(), std::back_inserter(cases));
  }
  return cases;
}

}  // namespace assay::suites
