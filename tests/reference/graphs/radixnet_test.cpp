#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "reference/core/error.hpp"
#include "reference/graphs/radixnet.hpp"

namespace {
using namespace assay;
using namespace assay::graphs;

// The specification a second time, word by word and without its short cuts: an input feeds an output if it is of class
// j mod B or of class (j + 2^k) mod B.
sparse::Csr<float> by_definition(std::int32_t neurons, int layer, std::uint64_t doubles_consumed) {
  const std::int32_t classes = neurons / 16;
  int per_group = 0;
  while ((1 << per_group) < classes) ++per_group;
  std::vector<std::int32_t> q(static_cast<std::size_t>(neurons));
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<std::int32_t>(i) % classes;
  std::mt19937 engine(5489);
  engine.discard(2 * doubles_consumed);
  for (int g = 1; g <= layer / per_group; ++g) {
    std::vector<std::pair<double, std::int32_t>> u(q.size());  // pairs: equal doubles keep their order
    for (std::size_t i = 0; i < u.size(); ++i) {
      const double a = static_cast<double>(engine() >> 5), b = static_cast<double>(engine() >> 6);
      u[i] = {(a * 67108864.0 + b) / 9007199254740992.0, static_cast<std::int32_t>(i)};
    }
    std::ranges::sort(u);
    for (std::size_t v = 0; v < u.size(); ++v)
      q[static_cast<std::size_t>(u[v].second)] = static_cast<std::int32_t>(v) % classes;
  }
  const std::int32_t step = 1 << (layer % per_group);
  sparse::Csr<float> out;
  out.structure.rows = out.structure.cols = neurons;
  for (std::int32_t j = 0; j < neurons; ++j) {
    for (std::int32_t i = 0; i < neurons; ++i) {
      const std::int32_t c = q[static_cast<std::size_t>(i)], r = j % classes;
      if (c != r && c != (r + step) % classes) continue;
      out.structure.column_indices.push_back(i);
      out.values.push_back(0.0625F);
    }
    out.structure.end_row();
  }
  return out;
}

BOOST_AUTO_TEST_CASE(random_stream_is_matlab_s) {
  // What `rand(1, 10)` prints in a fresh MATLAB, to four places.
  constexpr std::array printed{0.8147, 0.9058, 0.1270, 0.9134, 0.6324,
                               0.0975, 0.2785, 0.5469, 0.9575, 0.9649};
  MatlabRandom random;
  for (const double x : printed) BOOST_TEST(std::fabs(random.uniform() - x) <= 0.00005);
  MatlabRandom behind(3);
  BOOST_TEST(std::fabs(behind.uniform() - 0.9134) <= 0.00005);
}

BOOST_AUTO_TEST_CASE(permutation_is_matlab_s) {
  // `randperm(6)` sorts the six numbers above: 0.0975, 0.1270, 0.6324, 0.8147, 0.9058, 0.9134.
  MatlabRandom random;
  const std::vector<std::uint32_t> expected{5, 2, 4, 0, 1, 3};
  BOOST_TEST(random.permutation(6) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(layers_follow_the_definition) {
  const RadixNet net(1024, 30);
  for (const int l : {0, 1, 5, 6, 7, 11, 12, 29}) {
    BOOST_TEST((net.layer(l) == by_definition(1024, l, 0)), "layer " << l);
  }
  const RadixNet larger(4096, 17);
  for (const int l : {0, 7, 8, 16})
    BOOST_TEST((larger.layer(l) == by_definition(4096, l, 326'656)), "layer " << l);
}

BOOST_AUTO_TEST_CASE(every_network_is_regular) {
  for (const std::int32_t n : {1024, 4096, 16384, 65536}) {
    const int layers = n == 65536 ? 13 : 25;  // the second group of the largest, more of the others
    const RadixNet net(n, layers);
    for (const int l : {0, layers - 1}) {
      const sparse::Csr<float> layer = net.layer(l);
      sparse::check(layer);
      std::vector<int> fan_out(static_cast<std::size_t>(n), 0);
      for (const std::int32_t i : layer.structure.column_indices) ++fan_out[static_cast<std::size_t>(i)];
      int wrong = 0;
      for (std::int32_t j = 0; j < n; ++j) {
        wrong += layer.row_columns(j).size() == 32 && fan_out[static_cast<std::size_t>(j)] == 32 ? 0 : 1;
        wrong += std::ranges::equal(layer.row_columns(j), layer.row_columns(j % (n / 16))) ? 0 : 1;
      }
      BOOST_TEST(wrong == 0, n << " neurons, layer " << l);
    }
  }
}

// A wrong place in the stream must show in every group but the first, which draws nothing.
BOOST_AUTO_TEST_CASE(a_wrong_offset_shows) {
  for (const std::int32_t n : {1024, 4096}) {
    const std::uint64_t right = RadixNet::stream_offset(n);
    const RadixNet net(n, 20);
    for (const std::uint64_t wrong :
         {right + 1, right + 2, right + static_cast<std::uint64_t>(n), right == 0 ? 7 : right - 1}) {
      const RadixNet mutant(n, 20, wrong);
      BOOST_TEST((mutant.layer(0) == net.layer(0)));
      BOOST_TEST((mutant.layer(10) != net.layer(10)), n << " neurons, offset " << wrong);
      BOOST_TEST((mutant.layer(19) != net.layer(19)), n << " neurons, offset " << wrong);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_defined_is_refused) {
  BOOST_CHECK_THROW(RadixNet(1023, 1), ContractError);
  BOOST_CHECK_THROW(RadixNet(2048, 1), ContractError);
  BOOST_CHECK_THROW(RadixNet(1024, 0), ContractError);
  BOOST_CHECK_THROW(RadixNet(1024, 1921), ContractError);
  const RadixNet net(1024, 2);
  BOOST_CHECK_THROW(net.layer(-1), ContractError);
  BOOST_CHECK_THROW(net.layer(2), ContractError);
  BOOST_CHECK_THROW(RadixNet::stream_offset(512), ContractError);
}
}  // namespace
