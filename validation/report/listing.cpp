#include "validation/report/listing.hpp"

#include <fmt/format.h>

#include "validation/report/json.hpp"
#include "validation/report/table.hpp"

namespace assay {
namespace {

using report::Json;

std::string cell(const ListedValue& value) {
  if (const bool* const flag = std::get_if<bool>(&value.get())) return *flag ? "yes" : "no";
  if (const auto* const text = std::get_if<std::string>(&value.get())) return *text;
  return std::to_string(std::get<std::int64_t>(value.get()));
}

}  // namespace

std::string listing_text(const std::vector<ListedMember>& members, std::string_view note, std::size_t width,
                         bool colour) {
  std::vector<std::size_t> columns;
  std::vector<std::vector<std::string>> rows{{}};
  for (std::size_t c = 0; !members.empty() && c < members.front().size(); ++c) {
    bool is_empty = true;
    for (const ListedMember& member : members) is_empty = is_empty && cell(member.at(c).second).empty();
    if (is_empty) continue;
    columns.push_back(c);
    std::string& heading = rows.front().emplace_back(members.front()[c].first);
    for (char& letter : heading) letter = letter == '_' ? ' ' : letter;
  }
  for (const ListedMember& member : members) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::size_t c : columns) row.push_back(cell(member[c].second));
  }
  std::string text = table_text(rows, width);
  if (colour) {
    const auto end = text.find('\n');
    text = "\x1b[1m" + text.substr(0, end) + "\x1b[0m" + text.substr(end);
  }
  if (!note.empty()) text += fmt::format("\n{}\n", note);
  return text;
}

std::string listing_json(const std::vector<ListedMember>& members) {
  Json all = Json::array();
  for (const ListedMember& member : members) {
    Json one = Json::object();
    for (const auto& [key, value] : member)
      std::visit([&one, &name = key](const auto& x) { one[name] = x; }, value.get());
    all.push_back(std::move(one));
  }
  return report::indented_json(all);
}

}  // namespace assay
