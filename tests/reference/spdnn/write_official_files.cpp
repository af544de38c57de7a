// Writes the files whose sums are known, for check_sha256.sh: layers 1, 7, 64 and 120 of 1024 neurons, and, given
// MNIST's training images, the categories after 120 layers.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "reference/core/idx.hpp"
#include "reference/graphs/radixnet.hpp"
#include "reference/spdnn/challenge_files.hpp"
#include "reference/spdnn/challenge_network.hpp"
#include "reference/spdnn/inference.hpp"
#include "reference/spdnn/inputs.hpp"

int main(int argc, char** argv) {
  using namespace assay;
  using namespace assay::spdnn;
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: %s FOLDER [MNIST-IMAGES]\n", argv[0]);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    constexpr std::int32_t neurons = 1024;
    constexpr int layers = 120;
    const graphs::RadixNet net(neurons, layers);
    for (const int l : {1, 7, 64, 120}) write_layer(folder / layer_file_name(neurons, l), net.layer(l - 1));
    if (argc == 3) {
      Plan plan(best_kernel(Format::ell), {Cut::zero_rows});
      for (int l = 0; l < layers; ++l) plan.add_layer(challenge_layer(net.layer(l)));
      const BitMatrix pixels = interpolate(read_idx_images(argv[2]), 32).pixels;
      write_categories(folder / categories_file_name(neurons, layers),
                       execute(plan, pixels.view()).categories);
    }
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
