#include "gpu/cases/kernel_case.hpp"

#include "gpu/cases/autosparse_cases.hpp"
#include "gpu/cases/conversion_cases.hpp"
#include "gpu/cases/csr_cases.hpp"
#include "gpu/cases/spdnn_cases.hpp"
#include "gpu/cases/tensor_core_cases.hpp"

namespace assay::gpu {

std::size_t KernelArray::element_bytes() const {
  if (element == "uint8") return 1;
  if (element == "bfloat16") return 2;
  return element == "float32" ? 4 : 8;
}
std::size_t KernelArray::size() const { return bytes.size() / element_bytes(); }
std::uint64_t KernelArray::code(std::size_t i) const {
  std::uint64_t code = 0;
  std::memcpy(&code, &bytes.at(i * element_bytes()), element_bytes());
  return code;
}
void KernelArray::set_code(std::size_t i, std::uint64_t code) {
  std::memcpy(&bytes.at(i * element_bytes()), &code, element_bytes());
}

std::string CaseGpu::name() const { return "sm_" + std::to_string(architecture) + (has_wgmma ? "a" : ""); }

std::vector<KernelCase> kernel_cases(const CaseGpu& gpu) {
  std::vector<KernelCase> all;
  const auto add = [&](std::vector<KernelCase> some) {
    for (KernelCase& one : some) all.push_back(std::move(one));
  };
  add(autosparse_cases());
  add(csr_cases());
  add(conversion_cases());
  add(tensor_core_cases(gpu));
  add(spdnn_cases());
  return all;
}

}  // namespace assay::gpu
