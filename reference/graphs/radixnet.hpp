// The networks of the Sparse DNN Graph Challenge, regenerated exactly.
//
// Sources: Kepner and Robinett, "RadiX-Net: Structured Sparse Matrices for Deep Neural Networks" (IPDPSW 2019) for the
// topology; the permutations and their place in MATLAB's random stream were recovered from the published files.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "reference/sparse/csr.hpp"

namespace assay::graphs {

// MATLAB's rand: MT19937 seeded 5489, two outputs a double. randperm(n) is the stable ascending order of n doubles.
class MatlabRandom {
 public:
  // Starts behind the first `doubles_consumed` numbers of the stream.
  explicit MatlabRandom(std::uint64_t doubles_consumed = 0) : engine_(5489U) {
    engine_.discard(2 * doubles_consumed);
  }

  // (a * 2^26 + b) / 2^53 with a the upper 27 bits of one output and b the upper 26 of the next: in [0, 1), exact.
  double uniform();
  // p[v] is the index of the v-th smallest of n doubles; equal ones keep their order. 0-based.
  std::vector<std::uint32_t> permutation(std::uint32_t n);

 private:
  std::mt19937 engine_;
};

// N = 16 * 2^K neurons in B = 2^K classes of 16. K layers make a group; the layers of a group share the classes, and
// layer k of a group joins class r to the classes r and (r + 2^k) mod B.
class RadixNet {
 public:
  static constexpr std::int32_t inputs_per_neuron = 32;
  static constexpr float weight = 0.0625F;
  static constexpr int most_layers = 1920;  // beyond, a network would take the numbers of the next one

  static bool is_size(std::int64_t neurons);  // 1024, 4096, 16384 or 65536
  // How many doubles of the stream the smaller networks take, 1920 layers each.
  static std::uint64_t stream_offset(std::int32_t neurons);

  // Draws the classes of all groups. ContractError unless is_size(neurons) and 1 <= layers <= most_layers.
  RadixNet(std::int32_t neurons, int layers) : RadixNet(neurons, layers, stream_offset(neurons)) {}
  // A network of the same family that begins elsewhere in the stream.
  RadixNet(std::int32_t neurons, int layers, std::uint64_t doubles_consumed);

  std::int32_t neurons() const { return neurons_; }
  int layers() const { return layers_; }

  // Layer `l`, from 0: row j lists the inputs of output j, ascending. Safe to call from any thread.
  sparse::CsrStructure structure(int l) const;
  // The same, each input of weight 1/16.
  sparse::Csr<float> layer(int l) const;

  // The class of each neuron in group `g`.
  std::span<const std::uint16_t> classes(int g) const;

 private:
  std::int32_t neurons_, class_count_;
  int layers_, layers_per_group_;
  std::vector<std::uint16_t> classes_;  // groups x neurons
};

}  // namespace assay::graphs
