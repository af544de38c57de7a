// What `assay verify` reads of a program: answers in each form. What is taken is codes of the format, as many as due.
#include <array>
#include <string>

#include "tests/fuzz/io_fuzz.hpp"
#include "validation/report/case_text.hpp"

using namespace assay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array forms{CaseForm::codes, CaseForm::values, CaseForm::binary, CaseForm::binary};
  const std::array outputs{formats::float32, formats::bfloat16, formats::float64, formats::float6_e3m2fn};
  const CaseForm form = forms.at(data[0] & 3U);
  diagnose::CaseSpec spec;
  spec.output = outputs.at(data[0] >> 2U & 3U);
  const std::size_t wanted = data[0] >> 4U;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  return io::fuzz::run([&] {
    const std::vector<std::uint64_t> codes = read_answers(form, spec, wanted, text);
    io::fuzz::require(codes.size() == wanted);
    for (const std::uint64_t code : codes)
      io::fuzz::require((code & ~(spec.output.sign_code() | spec.output.magnitude_mask())) == 0);
  });
}
