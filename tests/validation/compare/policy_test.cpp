// The policies: those built in, those of a file, and everything that a file can get wrong.
#include <boost/test/unit_test.hpp>
#include <string>

#include "reference/core/error.hpp"
#include "validation/compare/policy.hpp"

using namespace assay;
using namespace assay::compare;

namespace {

// The message that parsing ends with; empty if it does not.
std::string complaint(const std::string& toml) {
  try {
    parse_policies(toml, "own.toml");
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_CASE(the_built_in_policies_are_there_and_sound) {
  for (const char* name : {"bit-equal", "bit-equal-any-nan", "correctly-rounded", "bound", "allclose"}) {
    BOOST_TEST(why_unsound(find_policy(default_policies(), name, "--policy")) == "", name);
  }
  BOOST_TEST((find_policy(default_policies(), "bound", "").kind == PolicyKind::bound));
  BOOST_TEST(find_policy(default_policies(), "bound", "").factor == 1);
  BOOST_CHECK_EXCEPTION(find_policy(default_policies(), "bit_equal", "--policy"), InputError,
                        [](const InputError& e) { return holds(e.what(), "bit-equal"); });
}

BOOST_AUTO_TEST_CASE(a_file_of_policies_is_read) {
  const auto policies = parse_policies(
      "[ours]\nkind = \"bound\"\nfactor = 4\nbecause = \"expf is off by 2 ulp\"\n"
      "[loose]\nkind = \"tolerance\"\natol = 1e-3\nulps = 2\nbecause = \"measured\"\n",
      "own.toml");
  BOOST_TEST(policies.size() == 2U);
  const Policy& ours = find_policy(policies, "ours", "");
  BOOST_TEST(ours.factor == 4);
  BOOST_TEST(policy_text(ours) == "ours x4: expf is off by 2 ulp");
  const Policy& loose = find_policy(policies, "loose", "");
  BOOST_TEST(loose.atol == 1e-3);
  BOOST_TEST(loose.ulps == 2U);
  BOOST_TEST(policy_text(loose) == "loose atol 0.001 rtol 0 or 2 ulp: measured");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_with_its_line) {
  BOOST_TEST(holds(complaint("[x]\nkind = \n"), "line 2"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"bnd\"\n"), "line 2"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"bound\"\ntolerance = 3\n"), "line 3"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"tolerance\"\natol = \"much\"\n"), "line 3"));
  BOOST_TEST(holds(complaint("[x]\natol = 1.0\n"), "kind"));
  BOOST_TEST(holds(complaint("x = 1\n"), "outside"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"tolerance\"\nulps = -1\nbecause = \"y\"\n"), "line 3"));
}

BOOST_AUTO_TEST_CASE(a_bound_is_not_loosened_without_a_reason_and_never_tightened) {
  BOOST_TEST(holds(complaint("[x]\nkind = \"bound\"\nfactor = 2\n"), "reason"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"bound\"\nfactor = 0.5\nbecause = \"y\"\n"), "1 or more"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"tolerance\"\natol = 1\n"), "reason"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"tolerance\"\natol = -1\nbecause = \"y\"\n"), "0 or more"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"tolerance\"\natol = nan\nbecause = \"y\"\n"), "0 or more"));
  BOOST_TEST(holds(complaint("[x]\nkind = \"bit-equal\"\nrtol = 1\n"), "belong to a tolerance"));
  BOOST_TEST(complaint("[x]\nkind = \"tolerance\"\natol = 1\nbecause = \"y\"\n") == "");
}
