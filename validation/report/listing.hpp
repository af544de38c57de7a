// Lists of formats, kernels, suites and so on, as tables and as JSON.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace assay {

// One property of a member.
class ListedValue {
 public:
  ListedValue(std::string text) : value_(std::move(text)) {}
  ListedValue(std::string_view text) : value_(std::string(text)) {}
  ListedValue(const char* text) : value_(std::string(text)) {}
  ListedValue(bool flag) : value_(flag) {}
  template <std::integral Number>
  ListedValue(Number number) : value_(static_cast<std::int64_t>(number)) {}

  const std::variant<std::string, bool, std::int64_t>& get() const { return value_; }

 private:
  std::variant<std::string, bool, std::int64_t> value_;
};

// Its properties by name, the same names in the same order for all members of a family: the columns of the table and
// the fields of the JSON.
using ListedMember = std::vector<std::pair<std::string, ListedValue>>;

// `note` stands below the table and says what a column means. Columns that are empty in every row are left out: on a
// machine that runs every kernel there is nothing to explain. Lines of `width` columns (0: of any length).
std::string listing_text(const std::vector<ListedMember>& members, std::string_view note, std::size_t width,
                         bool colour);
// An array of objects over several lines, without the last line feed.
std::string listing_json(const std::vector<ListedMember>& members);

}  // namespace assay
