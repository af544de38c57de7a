#include "validation/report/study_files.hpp"

#include <vector>

#include "reference/core/error.hpp"

namespace assay::studies {

StudyFiles::StudyFiles(std::string_view option, const std::string& page) : page_(page) {
  constexpr std::string_view html = ".html";
  if (!page.ends_with(html) || page.size() == html.size() || page.ends_with("/.html"))
    throw InputError(std::string(option), "", "NAME.html", quoted(page));
  stem_ = page.substr(0, page.size() - html.size());
  file_ = std::make_unique<AtomicFile>(page);
}

void StudyFiles::write(const StudyPage& page, std::uint64_t seed) {
  RunHeader header;
  header.build = this_build();
  header.machine = this_machine();
  header.started = utc_now();
  file_->write(study_page_html(page, seed, header));
  std::vector<std::unique_ptr<AtomicFile>> beside;
  const auto add = [&](const std::string& name, const std::string& text) {
    beside.push_back(std::make_unique<AtomicFile>(stem_ + name));
    beside.back()->write(text);
  };
  for (const auto& [name, text] : page.csv) add(name + ".csv", text);
  add(".json", page.json);
  for (const LineChart& chart : page.charts) add("-" + chart.kind + ".svg", line_chart_svg(chart));
  for (const auto& file : beside) file->commit();
  file_->commit();
}

}  // namespace assay::studies
