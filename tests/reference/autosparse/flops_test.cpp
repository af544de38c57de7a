// Layer tables and their costs against published figures, of sixteen sparse ResNet-50s among them.
#include "reference/autosparse/flops.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "reference/core/error.hpp"

using namespace assay::autosparse;

namespace {

boost::test_tools::assertion_result budgets_are_here(boost::unit_test::test_unit_id) {
  const char* const folder = std::getenv("ASSAY_DATA");
  boost::test_tools::assertion_result answer(
      folder != nullptr && std::filesystem::exists(std::filesystem::path(folder) / "str_budgets"));
  answer.message() << "ASSAY_DATA has no str_budgets";
  return answer;
}

using Table = std::vector<std::vector<std::string>>;
Table read_table(const std::string& name) {
  std::ifstream in(std::filesystem::path(std::getenv("ASSAY_DATA")) / "str_budgets" / name);
  Table rows;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
  }
  return rows;
}

// Whether `mean` of numbers that were rounded to two places may be printed as `printed`: half a hundredth for their
// rounding, half for that of the mean.
bool is_printed_as(double mean, double printed) { return std::fabs(mean - printed) <= 0.01 + 1e-9; }

double share(double part, std::int64_t whole) { return part / static_cast<double>(whole); }

}  // namespace

BOOST_AUTO_TEST_CASE(networks_have_their_sizes) {
  const std::vector<Layer> resnet = resnet50(), mobilenet = mobilenet_v1();
  BOOST_TEST(resnet.size() == 54U);
  BOOST_TEST(parameters(resnet) == 25502912);
  BOOST_TEST(multiply_adds(resnet) == 4089184256);
  // 569 million multiply-adds and 4.2 million parameters, "MobileNets", table 4.
  BOOST_TEST(mobilenet.size() == 28U);
  BOOST_TEST(parameters(mobilenet) == 4209088);
  BOOST_TEST(multiply_adds(mobilenet) == 568740352);
}

BOOST_AUTO_TEST_CASE(densities_cost_what_is_published) {
  const std::vector<Layer> layers = resnet50();
  const struct {
    double density, kernel, uniform;
  } golden[] = {{0.20, 0.414, 0.223}, {0.10, 0.242, 0.126}, {0.05, 0.122, 0.077}, {0.035, 0.085, 0.063}};
  for (const auto& [density, kernel, uniform] : golden) {
    const std::vector<double> erk = erdos_renyi_densities(layers, density, true);
    BOOST_TEST(std::fabs(share(sparse_multiply_adds(layers, erk), multiply_adds(layers)) - kernel) < 0.0005);
    BOOST_TEST(std::fabs(share(sparse_parameters(layers, erk), parameters(layers)) - density) < 1e-12);
    for (const double d : erk) BOOST_TEST((d > 0 && d <= 1));
    const std::vector<double> er = erdos_renyi_densities(layers, density, false);
    BOOST_TEST(std::fabs(share(sparse_parameters(layers, er), parameters(layers)) - density) < 1e-12);
    const std::vector<double> same = uniform_densities(layers, density, true);
    BOOST_TEST(std::fabs(share(sparse_multiply_adds(layers, same), multiply_adds(layers)) - uniform) <
               0.0005);
  }
  // Without kernels the two distributions are one.
  const std::vector<Layer> connected{
      {"one", 300, 784, 1, 1, 1}, {"two", 100, 300, 1, 1, 1}, {"three", 10, 100, 1, 1, 1}};
  const std::vector<double> er = erdos_renyi_densities(connected, 0.1, false);
  BOOST_TEST(er[2] == 1.0);
  BOOST_TEST(std::fabs(er[0] / er[1] - (1084.0 / (300 * 784)) / (400.0 / (100 * 300))) < 1e-12);
  BOOST_TEST((erdos_renyi_densities(connected, 1, true) == std::vector<double>(3, 1)));
}

BOOST_AUTO_TEST_CASE(a_step_of_training_is_three_products) {
  const std::vector<Layer> layers{{"one", 4, 5, 1, 1, 1}, {"two", 3, 4, 3, 3, 10}};
  const std::vector<double> densities{0.5, 0.25};
  const double sparse = 10 + 270, dense = 20 + 1080;
  BOOST_TEST(sparse_multiply_adds(layers, densities) == sparse);
  BOOST_TEST(training_multiply_adds(layers, densities, WeightGradient::dense) == 2 * sparse + dense);
  BOOST_TEST(training_multiply_adds(layers, densities, WeightGradient::top_half) == 2 * sparse + dense / 2);
  BOOST_TEST(training_multiply_adds(layers, densities, WeightGradient::sparse) == 3 * sparse);
  BOOST_TEST(training_multiply_adds(layers, {1, 1}, WeightGradient::dense) == 3 * dense);
  BOOST_CHECK_THROW(sparse_multiply_adds(layers, {0.5}), assay::ContractError);
  BOOST_CHECK_THROW(sparse_multiply_adds(layers, {0.5, 1.5}), assay::ContractError);
  BOOST_CHECK_THROW(uniform_densities(layers, 0, true), assay::ContractError);
  BOOST_CHECK_THROW(erdos_renyi_densities(layers, std::nan(""), true), assay::ContractError);
}

BOOST_AUTO_TEST_CASE(published_models_have_their_sparsity,
                     *boost::unit_test::precondition(budgets_are_here)) {
  const std::vector<Layer> layers = resnet50();
  const Table table = read_table("STR_Budgets_ResNet50.csv");
  BOOST_REQUIRE(table.size() == 58U);  // heading, overall, backbone, 54 layers, pooling
  constexpr std::size_t first_model = 3, models = 16;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::vector<std::string>& row = table[3 + i];
    BOOST_TEST(row[0] == "Layer " + std::to_string(i + 1) + " - " + layers[i].name);
    BOOST_TEST(std::stoll(row[1]) == layers[i].parameters(), row[0]);
    BOOST_TEST(std::stoll(row[2]) == layers[i].multiply_adds(), row[0]);
  }
  BOOST_TEST(std::stoll(table[1][1]) == parameters(layers));
  BOOST_TEST(std::stoll(table[1][2]) == multiply_adds(layers) + 100352);  // with the pooling
  const std::vector<Layer> backbone(layers.begin(), layers.end() - 1);
  BOOST_TEST(std::stoll(table[2][2]) == multiply_adds(backbone));
  for (std::size_t model = first_model; model < first_model + models; ++model) {
    std::vector<double> densities;
    for (std::size_t i = 0; i < layers.size(); ++i)
      densities.push_back(1 - std::stod(table[3 + i][model]) / 100);
    const double overall = 100 - 100 * share(sparse_parameters(layers, densities), parameters(layers));
    BOOST_TEST(is_printed_as(overall, std::stod(table[1][model])), "model " << model << ": " << overall);
    densities.pop_back();
    const double of_backbone =
        100 - 100 * share(sparse_parameters(backbone, densities), parameters(backbone));
    BOOST_TEST(is_printed_as(of_backbone, std::stod(table[2][model])),
               "model " << model << ": " << of_backbone);
  }
}

BOOST_AUTO_TEST_CASE(published_distributions_are_these, *boost::unit_test::precondition(budgets_are_here)) {
  const std::vector<Layer> layers = resnet50();
  const Table table = read_table("SparsityDistributions_90_ResNet50.csv");
  BOOST_REQUIRE(table.size() == layers.size() + 1);
  const std::vector<double> erk = erdos_renyi_densities(layers, 0.1, true);
  for (std::size_t i = 0; i < layers.size(); ++i)  // printed to a whole per cent
    BOOST_TEST(std::fabs(std::stod(table[i + 1][3]) - 100 * (1 - erk[i])) <= 0.5 + 1e-9, layers[i].name);
}
