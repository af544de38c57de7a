// Sets of instruction families, what ASSAY_ISA leaves of them, and tables of kernels.
#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "reference/core/dispatch.hpp"
#include "reference/core/error.hpp"

using namespace assay;

namespace {

// The kernel's list of flags, " a b c "; empty where there is none.
std::string flags_of_the_kernel() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("flags")) return line + " ";
  }
  return {};
}

// An entry as a family of kernels has it.
struct Adder : KernelInfo {
  int (*add)(int, int);
};
int plain(int a, int b) { return a + b; }
constexpr auto adders = std::to_array<Adder>({
    {{"sum_amx_int8", Isa::amx_int8, "tiles"}, plain},
    {{"sum_avx2", Isa::avx2, "8 lanes"}, plain},
    {{"sum_scalar", Isa::scalar, "one after the other"}, plain},
});
constexpr KernelTable<Adder> table{"adder", adders};

}  // namespace

// A second source for the same facts.
BOOST_AUTO_TEST_CASE(cpuid_agrees_with_the_operating_system) {
  const std::string flags = flags_of_the_kernel();
  if (flags.empty()) {
    BOOST_TEST_MESSAGE("SKIPPED: /proc/cpuinfo shows no flags");
    return;
  }
  const auto check = [&](Family family, const std::string& name) {
    BOOST_TEST(cpu_has(Isa{family}) == (flags.find(" " + name + " ") != std::string::npos), name);
  };
#define FAMILY(name, text, flag, leaf, subleaf, reg, bit, state) check(Family::name, #name);
#define ISA(name, text, ...)
#include "reference/core/isa.def"
#undef ISA
#undef FAMILY
  BOOST_TEST(cpu_has(Isa::scalar));
}

BOOST_AUTO_TEST_CASE(an_isa_is_a_set) {
  // The sets that include one another, by name; all others do not.
  const std::map<std::string, std::vector<std::string>> below{
      {"scalar", {}},
      {"f16c", {"scalar"}},
      {"avx2", {"scalar", "f16c"}},
      {"avx512", {"scalar", "f16c", "avx2"}},
      {"avx512bf16", {"scalar", "f16c", "avx2", "avx512"}},
      {"amx_bf16", {"scalar", "f16c", "avx2", "avx512", "avx512bf16"}},
      {"amx_int8", {"scalar", "f16c", "avx2", "avx512"}},
      {"vbmi2", {"scalar", "f16c", "avx2", "avx512"}},
      {"amx_vbmi2", {"scalar", "f16c", "avx2", "avx512", "avx512bf16", "amx_bf16", "vbmi2"}},
      {"vnni", {"scalar", "f16c", "avx2", "avx512"}},
  };
  BOOST_TEST(below.size() == all_isas().size());
  for (const Isa outer : all_isas()) {
    const std::vector<std::string>& inner = below.at(isa_name(outer));
    for (const Isa isa : all_isas()) {
      const bool due = isa == outer || std::ranges::find(inner, isa_name(isa)) != inner.end();
      BOOST_TEST(outer.includes(isa) == due, isa_name(isa) << " in " << isa_name(outer));
    }
    BOOST_TEST(Isa::everything.includes(outer));
  }
  const Isa both = Isa::amx_bf16 | Isa::vbmi2;
  BOOST_TEST(both.includes(Isa::avx512bf16));
  BOOST_TEST(both.has(Family::avx512_vbmi2));
  BOOST_TEST(!both.includes(Isa::vnni));
  BOOST_TEST((both.without(Isa::amx_bf16) == Isa{Family::avx512_vbmi2}));
}

BOOST_AUTO_TEST_CASE(names) {
  for (const Isa isa : all_isas()) BOOST_TEST((parse_isa(isa_name(isa), "--isa") == isa));
  BOOST_TEST((parse_isa("amx_bf16+vbmi2", "--isa") == (Isa::amx_bf16 | Isa::vbmi2)));
  BOOST_TEST(isa_name(Isa{Family::avx, Family::fma}) == "avx+fma");
  for (const char* const wrong : {"avx1024", "", "avx2+", "+avx2", "avx2+avx3", "AVX2"}) {
    BOOST_CHECK_EXCEPTION(parse_isa(wrong, "--isa"), InputError, [&](const InputError& e) {
      return std::string(e.what()) ==
             "--isa takes one of scalar, f16c, avx2, avx512, avx512bf16, amx_bf16, "
             "amx_int8, vbmi2, amx_vbmi2, vnni, not \"" +
                 std::string(wrong) + '"';
    });
  }
}

BOOST_AUTO_TEST_CASE(a_table_is_asked_by_name_and_for_the_best) {
  BOOST_TEST(&table.named("sum_avx2") == &table[1]);
  BOOST_TEST(table.lookup("sum_avx3") == nullptr);
  BOOST_CHECK_EXCEPTION(table.named("sum_avx3"), ContractError, [](const ContractError& e) {
    return std::string(e.what()) ==
           "no adder kernel is named \"sum_avx3\"; there are sum_amx_int8, sum_avx2, sum_scalar";
  });
  BOOST_TEST(table.infos().size() == 3U);
  BOOST_TEST(table.infos()[0].description == "tiles");
  const auto first_that_runs = std::ranges::find_if(adders, [](const Adder& a) { return runs_here(a); });
  BOOST_TEST(&table.best() == &*first_that_runs);
  BOOST_TEST(table.best().add(2, 3) == 5);
  BOOST_TEST(table.find([](const Adder&) { return false; }) == nullptr);
  BOOST_TEST(table.best([](const Adder& a) { return Isa::f16c.includes(a.needs); }).name == "sum_scalar");
  BOOST_CHECK_EXCEPTION(
      table.best([](const Adder&) { return false; }), Unavailable,
      [](const Unavailable& e) { return std::string(e.what()) == "no adder kernel is allowed here"; });
  for (const Adder& a : table) {
    BOOST_TEST(why_not(a).empty() == runs_here(a));
    if (cpu_has(a.needs)) {
      BOOST_CHECK_NO_THROW(require_cpu(a));
    } else {
      BOOST_CHECK_EXCEPTION(require_cpu(a), Unavailable, [&](const Unavailable& e) {
        return std::string(e.what()) == std::string(a.name) + ": " + why_unavailable(a.needs);
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_cpu_lacks_is_named) {
  for (const Isa isa : all_isas()) {
    const std::string why = why_unavailable(isa);
    BOOST_TEST(why.empty() == cpu_has(isa));
    BOOST_TEST((why.empty() || why.starts_with("this CPU has no ") ||
                why.starts_with("the operating system does not enable ")),
               why);
  }
  // A set without a name: the families that are missing.
  if (!cpu_has(Isa{Family::amx_int8})) {
    const std::string why = why_unavailable(Isa{Family::avx, Family::amx_int8});
    BOOST_TEST(why.ends_with("AMX-INT8"), why);
  }
}

// The variable is read once: this program is started anew for each value.
BOOST_AUTO_TEST_CASE(assay_isa_leaves_the_members_of_its_set) {
  if (const char* const forced = std::getenv("ASSAY_ISA")) {
    const Isa set = parse_isa(forced, "ASSAY_ISA");
    for (const Isa isa : all_isas()) BOOST_TEST(isa_allowed(isa) == set.includes(isa), isa_name(isa));
    for (const Adder& a : table) {
      if (!cpu_has(a.needs)) continue;
      BOOST_TEST(runs_here(a) == set.includes(a.needs));
      const std::string leaves = "ASSAY_ISA=" + std::string(forced) + " leaves it out";
      BOOST_TEST(why_not(a) == (set.includes(a.needs) ? "" : leaves));
    }
    return;
  }
  for (const Isa isa : all_isas()) BOOST_TEST(isa_allowed(isa));
  for (const char* const value :
       {"scalar", "f16c", "avx2", "avx512", "avx512bf16", "amx_bf16", "vbmi2+vnni"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("ASSAY_ISA", value, 1);
      ::unsetenv("BOOST_TEST_LOGGER");  // the files of this process
      ::execl("/proc/self/exe", "reference_core_test", "--run_test=dispatch_test/assay_isa_*", nullptr);
      ::_exit(1);
    }
    int status = -1;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 0, value);
  }
}
