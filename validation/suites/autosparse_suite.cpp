// AutoSparse's gradient path, by a ladder of oracles: masks, whole numbers, bounds, a long sum, adjoints, differences
// of the function whose gradient it is, schedules and costs, bits; and mistakes, each of which a rung must refuse.
#include <vector>

#include "validation/suites/autosparse/ladder.hpp"
#include "validation/suites/suite.hpp"

namespace assay::suites {

std::vector<Case> autosparse_cases(const RunContext& context) {
  std::vector<Case> cases;
  ladder::add_mask_cases(context, cases);
  ladder::add_whole_number_cases(context, cases);
  ladder::add_bound_cases(context, cases);
  ladder::add_long_sum_cases(context, cases);
  ladder::add_adjoint_cases(context, cases);
  ladder::add_difference_cases(context, cases);
  ladder::add_cost_cases(context, cases);
  ladder::add_bit_cases(context, cases);
  ladder::add_mistake_cases(context, cases);
  return cases;
}

}  // namespace assay::suites
