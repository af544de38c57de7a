#include "reference/exact/schedule.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/exact/ordered_sum.hpp"

namespace assay {
namespace {

// Slots for numbers: writes down what is done with them.
class Recorder {
 public:
  using Value = std::uint32_t;

  Value zero() { return made(ScheduledOp::Kind::zero); }
  Value start() { return made(ScheduledOp::Kind::start); }
  Value take(Value sum, std::size_t i) {
    schedule_.ops.push_back({ScheduledOp::Kind::term, sum, static_cast<std::uint32_t>(i)});
    return sum;
  }
  Value add(Value x, Value y) {
    schedule_.ops.push_back({ScheduledOp::Kind::add, x, y});
    return x;
  }
  Schedule finished(Value result) {
    schedule_.result = result;
    return std::move(schedule_);
  }

 private:
  Value made(ScheduledOp::Kind kind) {
    const Value slot = schedule_.slots++;
    schedule_.ops.push_back({kind, slot, 0});
    return slot;
  }

  Schedule schedule_{};
};

std::string numbers_of(const SumOrder& o) {
  return std::to_string(o.lanes) + " lanes, " + std::to_string(o.parts) + " parts, runs of " +
         std::to_string(o.base);
}
bool is_sound(const SumOrder& o) { return o.lanes != 0 && o.parts != 0 && o.base != 0; }

std::uint64_t ceil_divide(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

std::uint64_t ceil_log2(std::uint64_t n) {
  std::uint64_t levels = 0;
  for (; n > 1; n = ceil_divide(n, 2)) ++levels;
  return levels;
}

// Additions from a term of a panel of m terms to the panel's sum.
std::uint64_t path_in_panel(const SumOrder& o, std::uint64_t m) {
  const std::uint64_t in_lanes = o.tail_after ? m - m % o.lanes : m;
  if (in_lanes == 0) return m == 0 ? 0 : m - 1;
  const std::uint64_t fold = o.lane_sum == LaneSum::in_order ? o.lanes - 1 : ceil_log2(o.lanes);
  return ceil_divide(in_lanes, o.lanes) - 1 + fold + (m - in_lanes);
}

std::uint64_t path_in_panels(const SumOrder& o, std::uint64_t panel, std::uint64_t n) {
  if (panel == 0 || panel >= n) return path_in_panel(o, n);
  const std::uint64_t panels = ceil_divide(n, panel), left = n % panel;
  // Of panels of one length the first has the longest way. What is shorter comes last, where its sum is added to one
  // other; it has the longer way if many of its terms follow the lanes.
  std::uint64_t path = path_in_panel(o, panel) + panels - 1;
  if (left == 0) return path;
  path = std::max(path, path_in_panel(o, left) + 1);
  if (!o.even_last) return path;
  const std::uint64_t both = panel + left, one = std::min((both / 2 + 15) / 16 * 16, both);
  return std::max({path, path_in_panel(o, one) + (panels == 2 ? 1 : 2), path_in_panel(o, both - one) + 1});
}

// The sums that a level of halves is made of have few lengths: each is looked at once.
std::uint64_t path_in_numpy(std::uint64_t n) {
  std::uint64_t longest = 0, above = 0;
  for (std::set<std::uint64_t> level{n}; !level.empty(); ++above) {
    std::set<std::uint64_t> below;
    for (const std::uint64_t m : level) {
      if (m > 128) {
        const std::uint64_t half = m / 2 - m / 2 % 8;
        below.insert({half, m - half});
      } else {
        const std::uint64_t path = m < 8 ? std::max<std::uint64_t>(m, 1) - 1 : m / 8 - 1 + 3 + m % 8;
        longest = std::max(longest, above + path);
      }
    }
    level = std::move(below);
  }
  return longest;
}

}  // namespace

std::string order_name(const SumOrder& o) {
  std::string text;
  switch (o.kind) {
    case SumOrder::Kind::any: return "any";
    case SumOrder::Kind::pairwise: text = "pairwise, runs of " + std::to_string(o.base); break;
    case SumOrder::Kind::numpy: text = "NumPy's pairwise"; break;
    case SumOrder::Kind::split: text = "split in " + std::to_string(o.parts); break;
    case SumOrder::Kind::blocked: {
      const std::string panels = o.panel == 0 ? "" : "panels of " + std::to_string(o.panel);
      if (o.lanes > 1) {
        text = std::to_string(o.lanes) + " lanes" + (panels.empty() ? "" : ", " + panels);
      } else {
        text = panels.empty() ? "sequential" : panels;
      }
      if (o.even_last) text += ", the last two even";
      break;
    }
  }
  if (o.lanes > 1) {
    if (o.lane_sum == LaneSum::adjacent) text += ", neighbours added";
    if (o.lane_sum == LaneSum::in_order) text += ", added in order";
    if (o.tail_after) text += ", tail after";
  }
  if (o.reversed) text += text == "sequential" ? ", last term first" : ", reversed";
  if (o.c_last) text += ", c last";
  return text;
}

bool is_sequential(const SumOrder& o) {
  return o.kind == SumOrder::Kind::blocked && o.lanes == 1 && o.panel == 0 && !o.reversed && !o.c_last;
}

std::uint64_t longest_path(const SumOrder& o, std::uint64_t n) {
  if (!is_sound(o)) throw ContractError("an order of additions of " + numbers_of(o));
  if (n == 0) return 0;
  switch (o.kind) {
    case SumOrder::Kind::any: break;
    case SumOrder::Kind::pairwise: {
      std::uint64_t levels = 0;
      for (std::uint64_t run = n; run > o.base; run = ceil_divide(run, 2)) ++levels;
      // Runs of unequal length: one of the last level may be as long as the base.
      return levels + (levels == 0 ? n : std::min<std::uint64_t>(n, o.base)) - 1;
    }
    case SumOrder::Kind::numpy: return std::min(n - 1, path_in_numpy(n));
    case SumOrder::Kind::split: return std::min(n - 1, path_in_panels(o, ceil_divide(n, o.parts), n));
    case SumOrder::Kind::blocked: return std::min(n - 1, path_in_panels(o, o.panel, n));
  }
  return n - 1;
}

Schedule make_schedule(const SumOrder& order, std::size_t n, bool has_c) {
  if (!is_sound(order) || order.kind == SumOrder::Kind::any || n >> 30 != 0) {
    throw ContractError("a schedule of " +
                        (order.kind == SumOrder::Kind::any ? std::string("any order") : numbers_of(order)) +
                        ", " + std::to_string(n) + " terms");
  }
  Recorder recorder;
  const std::uint32_t result = ordered_sum(order, n, has_c, recorder);
  return recorder.finished(result);
}

}  // namespace assay
