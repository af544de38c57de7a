// The shape of a tree of additions, from counts of units that a pair of masks leaves over.
#pragma once

#include <string>
#include <vector>

#include "validation/diagnose/reveal/asker.hpp"

namespace assay::diagnose {

// Probes read at one output, while the others are watched for whether they answer the same.
class Channel {
 public:
  Channel(Asker& asker, std::size_t output, std::vector<char>& agrees)
      : asker_(asker), output_(output), agrees_(agrees) {}

  std::vector<std::uint64_t> ask(const std::vector<Probe>& probes, std::string_view stage);
  std::vector<double> values(const std::vector<Probe>& probes, std::string_view stage);
  // A result as a number; of a mean the sum that it stands for, which is taken to have two bits less than the output.
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
  AdditionTree tree{};  // rules are the default ones; no nodes if it was not found
  std::string why_not{};
  bool as_exact = false;  // no unit was ever lost: the tree is one exact sum, the order unknown
  std::string how{};      // "masking values ±2^127, unit terms 1"
};
FoundOrder find_order(Channel& channel, std::uint64_t seed);

}  // namespace assay::diagnose
