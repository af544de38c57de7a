// The shape of a tree of additions, from the number of units that survive a pair of masks.
#pragma once

#include <string>
#include <vector>

#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {

// Asks probes and reads the answers of one output; also records which other outputs answer the same.
class Channel {
 public:
  Channel(Asker& asker, std::size_t output, std::vector<char>& agrees)
      : asker_(asker), output_(output), agrees_(agrees) {}

  std::vector<std::uint64_t> ask(const std::vector<Probe>& probes, std::string_view stage);
  std::vector<double> values(const std::vector<Probe>& probes, std::string_view stage);
  // A result as a number. For a mean, the sum behind it, which is assumed to have two bits less than the output.
  double value_of(std::uint64_t code) const;
  void show(std::string_view stage) const { asker_.show(stage); }
  const Problem& problem() const { return asker_.problem(); }
  std::uint64_t runs() const { return asker_.runs(); }
  std::size_t output() const { return output_; }

 private:
  Asker& asker_;
  std::size_t output_;
  std::vector<char>& agrees_;
};

struct FoundOrder {
  AdditionTree tree{};  // with default rules; no nodes if the order was not found
  std::string why_not{};
  bool as_exact = false;  // no unit was ever lost: the tree is one exact sum, and the order is unknown
  std::string how{};      // "masking values ±2^127, unit terms 1"
};
FoundOrder find_order(Channel& channel, std::uint64_t seed);

}  // namespace assay::diagnose
