// Memory that a size asks for is checked before it is taken, whatever the command.
#include "validation/cli/memory.hpp"

#include <CLI/CLI.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>

#include "reference/core/error.hpp"
#include "tests/support/address_space.hpp"
#include "tests/validation/cli/files.hpp"
#include "validation/cli/command_line.hpp"

using namespace assay;
using namespace assay::cli;
using namespace assay::cli_test;
using shell::Outcome;

BOOST_AUTO_TEST_CASE(sizes_that_overflow_are_nothing) {
  BOOST_TEST(bytes_product({}).value() == 1U);
  BOOST_TEST(bytes_product({3, 5, 7}).value() == 105U);
  BOOST_TEST(bytes_product({std::uint64_t{1} << 32, (std::uint64_t{1} << 32) - 1}).value() ==
             0xFFFFFFFF00000000U);
  BOOST_TEST(!bytes_product({std::uint64_t{1} << 32, std::uint64_t{1} << 32}));
  BOOST_TEST(bytes_sum({bytes_product({2, 3}), std::uint64_t{4}}).value() == 10U);
  BOOST_TEST(!bytes_sum({UINT64_MAX, std::uint64_t{1}}));
  BOOST_TEST(!bytes_sum({std::nullopt, std::uint64_t{1}}));
  BOOST_TEST(bytes_text(1023) == "1023 bytes");
  BOOST_TEST(bytes_text(std::uint64_t{3} << 29) == "1.5 GiB");
  BOOST_TEST(bytes_text(UINT64_MAX) == "16.0 EiB");
}

BOOST_AUTO_TEST_CASE(more_than_is_available_is_refused) {
  const auto ask = [](std::optional<std::uint64_t> needed) {
    require_memory("gen", "--k", "7 terms", needed, 1000);
  };
  ask(0);
  ask(1000);
  const auto says = [](const std::string& text) {
    return [text](const UsageError& e) { return e.what() == text; };
  };
  BOOST_CHECK_EXCEPTION(ask(1001), UsageError,
                        says("--k: 7 terms take 1001 bytes of memory, and 1000 bytes are available"));
  BOOST_CHECK_EXCEPTION(ask(std::nullopt), UsageError,
                        says("--k: 7 terms take more than 16 EiB of memory, and 1000 bytes are available"));
}

// Each of these asked for more than any machine has, and ended in an internal error or in the kernel's hands.
BOOST_FIXTURE_TEST_CASE(commands_refuse_sizes_beyond_memory, Folder) {
  write("row.npy", io::make_array(formats::float32, {1, 1}));
  for (const char* const arguments :
       {"gen gemm --m 10000000 --n 10000000 --k 1000000", "gen gemm --m 18446744073709551615 --n 2 --k 2",
        "verify gemm --m 10000000 --n 10000000 --k 1000000 </dev/null",
        "verify dot --cases 1000000000000000 </dev/null",
        "distinguish fma_f32 mul_add_f32 --k 100000000000000",
        "distinguish fma_f32 mul_add_f32 --k 18446744073709551615"}) {
    const Outcome outcome = assay(arguments);
    BOOST_TEST(outcome.exit_code == 2, arguments << ": " << outcome.err);
    BOOST_TEST(holds(outcome.err, " of memory, and "), arguments << ": " << outcome.err);
    BOOST_TEST(outcome.out.empty());
  }
}

namespace {
template <class Error>
int ends_with() {
  const Command command{"fails", "", "",
                        [](CLI::App&) -> std::function<int()> { return []() -> int { throw Error(); }; }};
  std::string words[] = {"assay", "fails"};
  char* argv[] = {words[0].data(), words[1].data(), nullptr};
  return run_command_line({&command, 1}, 2, argv);
}
struct TooLong : std::length_error {
  TooLong() : std::length_error("vector") {}
};
}  // namespace

// What no check foresees is said plainly, and is no fault of ours.
BOOST_AUTO_TEST_CASE(memory_that_runs_out_is_no_internal_error) {
  BOOST_TEST(ends_with<std::bad_alloc>() == 2);
  BOOST_TEST(ends_with<TooLong>() == 2);
  BOOST_TEST(holds(out_of_memory(), "not enough memory"));
}

// The address space is part of what is available: a study's longest sum is held against it.
BOOST_TEST_DECORATOR(*boost::unit_test::precondition(tests::CanLimitAddresses{}))
BOOST_FIXTURE_TEST_CASE(a_study_is_held_against_the_limit, Folder) {
  const Outcome outcome =
      shell::run("ulimit -v 1000000; exec '" ASSAY_PROGRAM "' study sum --n 100000000 --threads 1");
  BOOST_TEST(outcome.exit_code == 2, outcome.err);
  BOOST_TEST(holds(outcome.err, "--n: "), outcome.err);
  BOOST_TEST(holds(outcome.err, " of memory, and "), outcome.err);
}

// A signal leaves neither a page nor half of one.
BOOST_FIXTURE_TEST_CASE(a_signal_leaves_no_half_written_file, Folder) {
  for (const char* const signal : {"TERM", "HUP"}) {
    const std::string script =
        "cd " + path.string() +
        " && { '" ASSAY_PROGRAM
        "' study sum --n 1000000 --trials 100000000 --terms "
        "1000000000000000 --threads 1 --out page.html & pid=$!; "
        "until ls page.html.partial-* >/dev/null 2>&1 || ! kill -0 $pid 2>/dev/null; do :; done; "
        "kill -" +
        signal + " $pid; wait $pid; echo ended $?; ls; }";
    const Outcome outcome = shell::run(script);
    BOOST_TEST(outcome.out == (std::string(signal) == "TERM" ? "ended 143\n" : "ended 129\n"),
               outcome.out + outcome.err);
  }
}
