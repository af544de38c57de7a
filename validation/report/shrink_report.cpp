#include "validation/report/shrink_report.hpp"

#include <fmt/format.h>

#include "validation/report/json.hpp"

namespace assay {

std::string shrunk_text(const ShrunkCheck& check) {
  std::string text = fmt::format("was    {}\nis     {}\n", check.before, check.after);
  text += fmt::format("tried  {} smaller inputs{}\n", check.tried,
                      check.limited ? ": the limit, so it may not be the smallest (--limit)"
                                    : ", and none that lacks one thing more fails");
  if (!check.by_program)
    text +=
        "note   with files alone outputs and vanishing terms can go; --got-from PROGRAM shrinks the rest\n";
  return text + "repro  " + check.repro + "\n";
}

std::string shrunk_json(const ShrunkCheck& check) {
  report::Json files = report::Json::object();
  for (const auto& [name, file] : check.files) {
    files[name] = {{"path", file.path},
                   {"format", file.format.empty() ? report::Json() : report::Json(file.format)}};
  }
  return report::one_line({{"before", check.before},
                           {"after", check.after},
                           {"tried", check.tried},
                           {"limited", check.limited},
                           {"by_program", check.by_program},
                           {"files", files},
                           {"repro", check.repro}});
}

}  // namespace assay
