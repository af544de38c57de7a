// What the layers of published networks have and do: parameters, and multiply-adds of an image.
//
// Convolutions and fully connected layers, without biases, normalisation, activations and pooling, as the literature on
// sparse training counts them. Sources: He et al., "Deep Residual Learning" (CVPR 2016), with the stride of a stage in
// its first 3 x 3 convolution, as torchvision and the published sparsity budgets have it; Howard et al., "MobileNets"
// (arXiv 1704.04861).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay::autosparse {

struct Layer {
  std::string name;
  std::int64_t outputs, inputs;  // channels; `inputs` of one group
  std::int64_t height, width;    // of the kernel; 1 x 1 for fully connected layers
  std::int64_t positions;        // of the output: its height times its width

  std::int64_t parameters() const { return outputs * inputs * height * width; }
  std::int64_t multiply_adds() const { return parameters() * positions; }
};

// For images of 224 x 224 and 1000 classes: 54 layers, 25,502,912 parameters, 4,089,184,256 multiply-adds.
std::vector<Layer> resnet50();
// The same with width multiplier 1: 28 layers.
std::vector<Layer> mobilenet_v1();

std::int64_t parameters(const std::vector<Layer>& layers);
std::int64_t multiply_adds(const std::vector<Layer>& layers);

}  // namespace assay::autosparse
