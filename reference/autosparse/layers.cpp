#include "reference/autosparse/layers.hpp"

namespace assay::autosparse {

std::vector<Layer> resnet50() {
  const auto square = [](std::int64_t side) { return side * side; };
  std::vector<Layer> all{{"conv1", 64, 3, 7, 7, square(112)}};
  const struct {
    std::int64_t width;
    int blocks;
  } stages[] = {{64, 3}, {128, 4}, {256, 6}, {512, 3}};
  std::int64_t inputs = 64, side = 56;
  int stage = 1;
  for (const auto& [width, blocks] : stages) {
    for (int block = 0; block < blocks; ++block) {
      const std::string name = "layer" + std::to_string(stage) + "." + std::to_string(block) + ".";
      const std::int64_t before = side, outputs = 4 * width;
      if (stage > 1 && block == 0) side /= 2;
      all.push_back({name + "conv1", width, inputs, 1, 1, square(before)});
      all.push_back({name + "conv2", width, width, 3, 3, square(side)});
      all.push_back({name + "conv3", outputs, width, 1, 1, square(side)});
      if (block == 0) all.push_back({name + "downsample.0", outputs, inputs, 1, 1, square(side)});
      inputs = outputs;
    }
    ++stage;
  }
  all.push_back({"fc", 1000, inputs, 1, 1, 1});
  return all;
}

std::vector<Layer> mobilenet_v1() {
  std::vector<Layer> all{{"conv1", 32, 3, 3, 3, 112 * 112}};
  std::int64_t inputs = 32, side = 112;
  int number = 1;
  const struct {
    std::int64_t outputs;
    int stride;
  } blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  for (const auto& [outputs, stride] : blocks) {
    side /= stride;
    const std::string name = "block" + std::to_string(number++) + ".";
    all.push_back({name + "depthwise", inputs, 1, 3, 3, side * side});
    all.push_back({name + "pointwise", outputs, inputs, 1, 1, side * side});
    inputs = outputs;
  }
  all.push_back({"fc", 1000, inputs, 1, 1, 1});
  return all;
}

std::int64_t parameters(const std::vector<Layer>& layers) {
  std::int64_t sum = 0;
  for (const Layer& layer : layers) sum += layer.parameters();
  return sum;
}

std::int64_t multiply_adds(const std::vector<Layer>& layers) {
  std::int64_t sum = 0;
  for (const Layer& layer : layers) sum += layer.multiply_adds();
  return sum;
}

}  // namespace assay::autosparse
