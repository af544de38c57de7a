// The libraries that this program was built with.
#pragma once

#include <string>
#include <vector>

namespace assay::cli {

struct Library {
  std::string name;
  std::string version;  // empty: not found when this program was configured
  std::string purpose;
};
std::vector<Library> libraries();

}  // namespace assay::cli
