#include <boost/test/unit_test.hpp>

#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "reference/core/error.hpp"
#include "reference/networks/network.hpp"

namespace {
using namespace assay;
using namespace assay::networks;

// 3 inputs -> 2 outputs -> 4 outputs, one of which has no input.
Network small() {
  return {{{{{2, 3, {0, 2, 3}, {0, 2, 1}}, {1, 2, 3}}, {0.5F, -0.5F}, {0, 1}},
           {{{4, 2, {0, 1, 1, 2, 4}, {1, 0, 0, 1}}, {4, 5, 6, 7}}, {0, 0, 0, 0}, Clip::none()}}};
}

std::string contract_error(const Network& network) {
  try {
    check(network);
  } catch (const ContractError& e) {
    return e.what();
  }
  return "no error";
}

BOOST_AUTO_TEST_CASE(a_chain_knows_its_size) {
  const Network network = small();
  BOOST_TEST(contract_error(network) == "no error");
  BOOST_TEST(network.inputs() == 3);
  BOOST_TEST(network.outputs() == 4);
  BOOST_TEST(network.widest() == 4);
  BOOST_TEST(network.nnz() == 7);
  const Network none;
  BOOST_TEST(contract_error(none) == "no error");
  BOOST_TEST(none.inputs() == 0);
  BOOST_TEST(none.outputs() == 0);
  BOOST_TEST(none.widest() == 0);
  BOOST_TEST(none.nnz() == 0);
  BOOST_TEST((Network{{small().layers.front()}}.widest()) == 3);  // inputs count
}

BOOST_AUTO_TEST_CASE(check_says_which_layer_does_not_fit) {
  const auto with = [](const std::function<void(Network&)>& plant) {
    Network network = small();
    plant(network);
    return contract_error(network);
  };
  BOOST_TEST(with([](Network& n) { n.layers[1].bias.pop_back(); }) == "layer 2: 3 biases for 4 outputs");
  BOOST_TEST(with([](Network& n) { n.layers[1].weights.structure.cols = 5; }) ==
             "layer 2: 5 inputs, but the layer before has 2 outputs");
  BOOST_TEST(with([](Network& n) { std::swap(n.layers[0], n.layers[1]); }) ==
             "layer 2: 3 inputs, but the layer before has 4 outputs");
  BOOST_TEST(with([](Network& n) { n.layers[0].weights.structure.column_indices[1] = 3; }) ==
             "CSR: row 0 has column 3 outside 0..2");
  BOOST_TEST(with([](Network& n) { n.layers[0].weights.values.pop_back(); }) ==
             "CSR: 2 values for 3 column indices");
}

BOOST_AUTO_TEST_CASE(no_clip_is_infinite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  BOOST_TEST(Clip::none().lower == -infinity);
  BOOST_TEST(Clip::none().upper == infinity);
  BOOST_TEST((Layer{}.clip == Clip::none()));
}
}  // namespace
