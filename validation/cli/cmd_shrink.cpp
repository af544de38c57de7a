// assay shrink: the smallest files with which a failing check still fails.
//
// With the files alone only outputs can go: a row of A with its row of got, a column of B with its column, and terms
// whose product is an exact zero for every output that is left. Whatever else changes the inputs changes what the
// program would have answered, and needs the program: --got-from asks it for every smaller input, by the protocol of
// validation/diagnose/README.md.
#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"
#include "validation/cli/command.hpp"
#include "validation/cli/comparison_command.hpp"
#include "validation/cli/options.hpp"
#include "validation/cli/terminal.hpp"
#include "validation/diagnose/program/program.hpp"
#include "validation/diagnose/shrink.hpp"
#include "validation/report/run_report.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using diagnose::ShrinkBudget;

struct Options {
  std::vector<std::string> repro;
  std::string out = "shrunk", program, form = "binary";
  std::uint64_t limit = 2000;
  double seconds = 60;
};

// One array of the check, and which index each of its dimensions runs over.
struct Operand {
  io::Array array;
  std::string dims;  // "mk": of A in gemm, "km" if it is stored transposed
};
using Kept = std::map<char, std::vector<std::size_t>>;
using Operands = std::map<std::string, Operand>;  // "a", "b", "c", "got", "bias"

// --- the command line --------------------------------------------------------------------------------------

// As a shell reads it: words, '...', "...", and \ before a character. Nothing is expanded.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\'' || c == '"') {
      open = true;
      const std::size_t end = line.find(c, i + 1);
      if (end == std::string::npos) throw InputError("shrink", "", "a closing quote", quoted(line));
      word += line.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '\\' && i + 1 < line.size()) {
      open = true;
      word += line[++i];
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (open) words.push_back(word);
      word.clear();
      open = false;
    } else {
      open = true;
      word += c;
    }
  }
  if (open) words.push_back(word);
  return words;
}

class CheckLine {
 public:
  explicit CheckLine(std::vector<std::string> words) : words_(std::move(words)) {
    const auto check = std::find(words_.begin(), words_.end(), "check");
    if (words_.size() < 3 || check != words_.begin() + 1)
      throw InputError("shrink", "", "the line that stands after `repro`: assay check ...",
                       quoted(fmt::format("{}", fmt::join(words_, " "))));
    words_.erase(words_.begin(), words_.begin() + 2);
    // --a=FILE is --a FILE.
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::size_t equals = words_[i].find('=');
      if (!words_[i].starts_with("--") || equals == std::string::npos) continue;
      const std::string value = words_[i].substr(equals + 1);
      words_[i].resize(equals);
      words_.insert(words_.begin() + static_cast<std::ptrdiff_t>(i) + 1, value);
    }
    for (const char* operation : {"gemm", "dot", "convert"}) {
      if (std::find(words_.begin(), words_.end(), operation) != words_.end()) operation_ = operation;
    }
    if (operation_.empty())
      throw InputError("shrink", "", "check gemm, dot or convert: of others only the whole is known to fail",
                       quoted(fmt::format("check {}", fmt::join(words_, " "))));
    for (const char* option : {"--layout", "--batch", "--stale", "--mask", "--a-scales", "--b-scales"}) {
      if (has(option)) throw InputError("shrink", "", fmt::format("a check without {}", option), option);
    }
  }

  const std::string& operation() const { return operation_; }
  bool has(const std::string& option) const {
    return std::find(words_.begin(), words_.end(), option) != words_.end();
  }
  std::string value(const std::string& option) const {
    const auto at = std::find(words_.begin(), words_.end(), option);
    return at == words_.end() || at + 1 == words_.end() ? "" : *(at + 1);
  }
  // The same check of other files; formats and shapes of the old ones go.
  std::vector<std::string> of(const std::map<std::string, std::vector<std::string>>& files) const {
    std::vector<std::string> line{"check"};
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::string& word = words_[i];
      const std::string name = word.starts_with("--") ? word.substr(2) : "";
      const bool dropped = name == "format" || word == "-f" || name.ends_with("-format") ||
                           name.ends_with("dtype") || name.ends_with("shape") || name == "report" ||
                           name == "threads";
      if (name == "json" || name == "quiet" || name == "strict" || name == "statistics") continue;
      if (files.contains(name) || dropped) {
        ++i;
      } else {
        line.push_back(word);
      }
    }
    for (const auto& [name, words] : files) line.insert(line.end(), words.begin(), words.end());
    return line;
  }

 private:
  std::vector<std::string> words_;
  std::string operation_;
};

Operands read_operands(const CheckLine& line) {
  const bool is_gemm = line.operation() == "gemm";
  std::vector<std::pair<std::string, std::string>> dims;
  if (is_gemm) {
    dims = {{"a", line.has("--transpose-a") ? "km" : "mk"},
            {"b", line.has("--transpose-b") ? "nk" : "kn"},
            {"c", "mn"},
            {"bias", line.value("--bias-along") == "rows" ? "m" : "n"},
            {"got", "mn"}};
  } else if (line.operation() == "dot") {
    dims = {{"a", "mk"}, {"b", "mk"}, {"c", "m"}, {"got", "m"}};
  } else {
    dims = {{"a", "m"}, {"got", "m"}};
  }
  RawOptions raw;
  raw.dtype = line.value("--dtype");
  raw.shape = line.value("--shape");
  const std::string all = line.value("--format").empty() ? line.value("-f") : line.value("--format");
  Operands operands;
  for (const auto& [name, letters] : dims) {
    const std::string path = line.value("--" + name), own = line.value("--" + name + "-format");
    if (path.empty()) {
      if (name == "a" || name == "got" || name == "b")
        throw InputError("shrink", "", fmt::format("--{} FILE in the check", name), "none");
      continue;
    }
    io::AnyArray any = read_operand(path, own.empty() ? all : own, raw);
    if (std::holds_alternative<io::SparseArray>(any))
      throw InputError(path, "", "a dense array", "a sparse one");
    Operand operand{std::get<io::Array>(std::move(any)), letters};
    io::Shape& shape = operand.array.shape;
    if (line.operation() == "convert") shape = {operand.array.size()};
    // A single dot product, and dimensions of one that a program left.
    while (shape.size() < letters.size()) shape.insert(shape.begin(), 1);
    while (shape.size() > letters.size() && std::find(shape.begin(), shape.end(), 1) != shape.end())
      shape.erase(std::find(shape.begin(), shape.end(), 1));
    if (shape.size() != letters.size())
      throw InputError(path, "", fmt::format("{} dimensions", letters.size()),
                       "shape " + io::to_string(shape));
    operands.emplace(name, std::move(operand));
  }
  return operands;
}

// --- smaller inputs ----------------------------------------------------------------------------------------

// The kept part, its dimensions in the order `dims`.
io::Array selected(const Operand& operand, const Kept& kept, const std::string& dims) {
  io::Shape shape;
  for (const char d : dims) shape.push_back(static_cast<std::int64_t>(kept.at(d).size()));
  io::Array out = io::make_array(operand.array.element, shape);
  const std::size_t bytes = operand.array.element.bytes(), n = static_cast<std::size_t>(out.size());
  for (std::size_t i = 0; i < n; ++i) {
    std::map<char, std::size_t> index;
    std::size_t rest = i, at = 0;
    for (std::size_t d = dims.size(); d-- > 0;) {
      const std::vector<std::size_t>& indices = kept.at(dims[d]);
      index[dims[d]] = indices[rest % indices.size()];
      rest /= indices.size();
    }
    for (std::size_t d = 0; d < operand.dims.size(); ++d)
      at = at * static_cast<std::size_t>(operand.array.shape[d]) + index.at(operand.dims[d]);
    std::copy_n(operand.array.bytes.begin() + static_cast<std::ptrdiff_t>(at * bytes), bytes,
                out.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes));
  }
  return out;
}

io::Array selected(const Operand& operand, const Kept& kept) { return selected(operand, kept, operand.dims); }

Kept all_of(const Operands& operands) {
  Kept kept;
  for (const auto& [name, operand] : operands) {
    for (std::size_t d = 0; d < operand.dims.size(); ++d) {
      const auto size = static_cast<std::size_t>(operand.array.shape[d]);
      std::vector<std::size_t>& indices = kept[operand.dims[d]];
      if (!indices.empty() && indices.size() != size)
        throw InputError(operand.array.origin, "",
                         fmt::format("{} along the index {}", indices.size(), operand.dims[d]),
                         "shape " + io::to_string(operand.array.shape));
      indices.resize(size);
      std::iota(indices.begin(), indices.end(), std::size_t{0});
    }
  }
  return kept;
}

bool is_zero(const io::Array& array, std::size_t i) {
  const FormatSpec& f = array.element.format();
  const std::uint64_t code = array.code(static_cast<std::int64_t>(i));
  return (code & f.magnitude_mask()) == 0 && !f.is_nan(code);
}
bool is_finite(const io::Array& array) {
  for (std::int64_t i = 0; i < array.size(); ++i) {
    if (!array.element.format().is_finite(array.code(i))) return false;
  }
  return true;
}

// Writes an array so that `assay check` reads it without being told more than these options.
std::vector<std::string> write_operand(const fs::path& folder, const std::string& name,
                                       const io::Array& array) {
  const FormatSpec f = array.element.format();
  const std::string path = (folder / (name + ".npy")).string();
  const bool own = f == formats::float16 || f == formats::float32 || f == formats::float64;
  if (own) {
    io::write_array(path, array);
    return {"--" + name, path};
  }
  io::Array codes = array;
  codes.element = io::ElementType::unsigned_integer(static_cast<int>(8 * array.element.bytes()));
  io::write_array(path, codes);
  return {"--" + name, path, fmt::format("--{}-format", name), std::string(f.dtype)};
}

// The exit code of `assay check`.
int judged(std::vector<std::string> words) {
  CLI::App app;
  const std::function<int()> check = make_check(app);
  words.front() = "--quiet";                 // in the place of "check"
  std::reverse(words.begin(), words.end());  // as the parser takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& e) {
    throw InputError("shrink", "", "a check that can be run", e.what());
  }
  return check();
}

// --- the program -------------------------------------------------------------------------------------------

class Asked {
 public:
  // InputError for a check of which no program can be asked.
  Asked(const Options& o, const CheckLine& line)
      : program_({.command = o.program, .form = diagnose::parse_form(o.form), .seconds = o.seconds}) {
    if (line.operation() == "convert")
      throw InputError("--got-from", "", "gemm or dot: of convert, each value shrinks by itself", "convert");
    for (const char* option : {"--alpha", "--beta", "--bias", "--activation"}) {
      if (line.has(option)) throw InputError("--got-from", "", "a check of A B or A B + C", option);
    }
    if (line.operation() == "dot" && line.has("--c"))
      throw InputError("--got-from", "", "gemm, of which a program can be asked with C", "dot --c");
  }

  // got for these operands, a dot product a case. TargetError if it does what it must not.
  io::Array answer(const Kept& kept, const Operands& operands) {
    const io::Array a = selected(operands.at("a"), kept, "mk");
    const bool is_gemm = operands.at("b").dims != "mk";
    const io::Array b = selected(operands.at("b"), kept, is_gemm ? "kn" : "mk");
    const FormatSpec output = operands.at("got").array.element.format();
    diagnose::Problem problem{.operation = is_gemm ? diagnose::Operation::gemm : diagnose::Operation::dot,
                              .k = kept.at('k').size(),
                              .a = a.element.format(),
                              .b = b.element.format(),
                              .output = output};
    std::vector<diagnose::Case> cases;
    if (is_gemm) {
      problem.m = kept.at('m').size();
      problem.n = kept.at('n').size();
      cases.push_back({a.bytes, b.bytes, {}});
      if (operands.contains("c")) {
        problem.c = operands.at("c").array.element.format();
        cases.back().c = selected(operands.at("c"), kept, "mn").bytes;
      }
    } else {
      const auto row = [&](const io::Array& all, std::size_t i) {
        const std::size_t bytes = problem.k * all.element.bytes();
        const auto begin = all.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes);
        return std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(bytes));
      };
      for (std::size_t i = 0; i < kept.at('m').size(); ++i) cases.push_back({row(a, i), row(b, i), {}});
    }
    io::Shape shape;
    for (const char d : operands.at("got").dims)
      shape.push_back(static_cast<std::int64_t>(kept.at(d).size()));
    io::Array got = io::make_array(output, shape);
    std::ptrdiff_t at = 0;
    for (const diagnose::Answer& answer : program_.ask(problem, cases)) {
      for (const std::uint64_t code : answer)
        detail::store_code(got.bytes.data(), at++, code_bytes(output), code);
    }
    return got;
  }

 private:
  diagnose::Program program_;
};

class Shrinker {
 public:
  Shrinker(const Options& o, CheckLine line)
      : o_(o), line_(std::move(line)), operands_(read_operands(line_)) {
    kept_ = all_of(operands_);
    budget_.most = o.limit;
    if (!o.program.empty()) program_.emplace(o, line_);
    std::error_code code;
    fs::create_directories(o.out, code);
    if (code) throw InputError(o.out, "", "a folder to write in", code.message());
    std::string name = (fs::path(o.out) / "trying-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw InputError(o.out, "", "a folder to write in", "none");
    trying_ = name;
  }
  ~Shrinker() {
    std::error_code ignored;
    fs::remove_all(trying_, ignored);
  }
  Shrinker(const Shrinker&) = delete;
  Shrinker& operator=(const Shrinker&) = delete;

  int run() {
    const std::string before = shape_text();
    // What the program does wrong with the inputs as they are is said; with smaller ones it is no failure of the check.
    if (attempt(kept_, operands_, trying_) != 1) {
      throw InputError("shrink", "",
                       program_ ? "a check that fails on what --got-from answers" : "a check that fails",
                       "one that does not");
    }
    std::size_t rounds = 0;
    bool smaller = true;
    while (smaller && !budget_.spent()) {
      smaller = false;
      ++rounds;
      for (const char axis : {'m', 'n', 'k'}) smaller = shrink_axis(axis) || smaller;
      if (program_) smaller = zero_inputs() || smaller;
    }
    return finish(before);
  }

 private:
  // Does the check fail on this part?
  bool fails(const Kept& kept, const Operands& operands) {
    try {
      return attempt(kept, operands, trying_) == 1;
    } catch (const diagnose::TargetError&) {
      return false;
    }
  }

  int attempt(const Kept& kept, const Operands& operands, const fs::path& folder) {
    std::map<std::string, std::vector<std::string>> files;
    for (const auto& [name, operand] : operands) {
      const bool asked = name == "got" && program_;
      files[name] =
          write_operand(folder, name, asked ? program_->answer(kept, operands) : selected(operand, kept));
    }
    last_ = line_.of(files);
    return judged(last_);
  }

  bool shrink_axis(char axis) {
    if (!kept_.contains(axis)) return false;
    const std::vector<std::size_t> before = kept_.at(axis);
    std::vector<std::size_t> fixed, free = before;
    if (axis == 'k' && !program_) {
      // Only terms that are an exact zero for every output: the bound in any order holds without them too. Under an
      // order or a unit their place counts.
      if (line_.has("--unit") || line_.has("--order") || !is_finite(operands_.at("a").array) ||
          !is_finite(operands_.at("b").array))
        return false;
      free.clear();
      for (const std::size_t k : before) (vanishes(k) ? free : fixed).push_back(k);
      if (free.empty()) return false;
    }
    const std::size_t least = fixed.empty() ? 1 : 0;
    const auto with = [&](const std::vector<std::size_t>& some) {
      std::vector<std::size_t> joined;
      std::set_union(fixed.begin(), fixed.end(), some.begin(), some.end(), std::back_inserter(joined));
      return joined;
    };
    kept_[axis] = with(diagnose::smallest_failing(
        free, least,
        [&](const std::vector<std::size_t>& some) {
          Kept part = kept_;
          part[axis] = with(some);
          return fails(part, operands_);
        },
        budget_));
    return kept_[axis].size() < before.size();
  }

  bool vanishes(std::size_t k) const {
    for (const char* name : {"a", "b"}) {
      Kept part = kept_;
      part['k'] = {k};
      const io::Array values = selected(operands_.at(name), part);
      bool zero = true;
      for (std::size_t i = 0; i < static_cast<std::size_t>(values.size()); ++i)
        zero = zero && is_zero(values, i);
      if (zero) return true;
    }
    return false;
  }

  // Inputs that may as well be zeros.
  bool zero_inputs() {
    bool any = false;
    for (const char* name : {"a", "b", "c"}) {
      if (!operands_.contains(name)) continue;
      // What was left out is gone for good: from here on the operands are the small ones.
      for (auto& [other, operand] : operands_) operand.array = selected(operand, kept_);
      for (auto& [axis, indices] : kept_) std::iota(indices.begin(), indices.end(), std::size_t{0});
      const io::Array whole = operands_.at(name).array;
      std::vector<std::size_t> nonzero;
      for (std::size_t i = 0; i < static_cast<std::size_t>(whole.size()); ++i) {
        if (!is_zero(whole, i)) nonzero.push_back(i);
      }
      const auto only = [&](const std::vector<std::size_t>& some) {
        io::Array array = io::make_array(whole.element, whole.shape);
        const std::size_t bytes = whole.element.bytes();
        for (const std::size_t i : some)
          std::copy_n(whole.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes), bytes,
                      array.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes));
        return array;
      };
      const std::vector<std::size_t> needed = diagnose::smallest_failing(
          nonzero, 0,
          [&](const std::vector<std::size_t>& some) {
            Operands part = operands_;
            part.at(name).array = only(some);
            return fails(kept_, part);
          },
          budget_);
      operands_.at(name).array = only(needed);
      any = any || needed.size() < nonzero.size();
    }
    return any;
  }

  std::string shape_text() const {
    std::vector<std::string> parts;
    for (const auto& [axis, indices] : kept_) parts.push_back(fmt::format("{}={}", axis, indices.size()));
    for (const char* name : {"a", "b"}) {
      if (!operands_.contains(name)) continue;
      const io::Array array = selected(operands_.at(name), kept_);
      std::size_t nonzero = 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(array.size()); ++i)
        nonzero += is_zero(array, i) ? 0 : 1;
      parts.push_back(fmt::format("{} nonzero in {}", nonzero, name));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  int finish(const std::string& before) {
    // The very files that are left must fail: the last try was another one.
    if (attempt(kept_, operands_, o_.out) != 1)
      throw InputError("shrink", "", "a failure that comes again",
                       "one that came and went: run the program twice");
    std::string text = fmt::format("{}\n{}\n", "was    " + before, "is     " + shape_text());
    text += fmt::format("tried  {} smaller inputs{}\n", budget_.asked,
                        budget_.spent() ? ": the limit, so it may not be the smallest (--limit)"
                                        : ", and none that lacks one thing more fails");
    if (!program_) {
      text +=
          "note   with files alone outputs and vanishing terms can go; --got-from PROGRAM shrinks the rest\n";
    }
    text += "repro  assay";
    for (const std::string& word : last_) text += " " + shell_word(word);
    put(text + '\n');
    return agree;
  }

  const Options& o_;
  CheckLine line_;
  Operands operands_;
  Kept kept_{};
  ShrinkBudget budget_{};
  std::optional<Asked> program_{};
  std::vector<std::string> last_{};
  fs::path trying_{};
};

int run(const Options& o) {
  const std::vector<std::string> words = o.repro.size() == 1 ? shell_words(o.repro.front()) : o.repro;
  try {
    return Shrinker(o, CheckLine(words)).run();
  } catch (const diagnose::TargetError& e) {
    // The code under test, not ours and not what was typed.
    put(fmt::format("ERROR  {}\n", e.what()));
    return disagree;
  }
}

}  // namespace

std::function<int()> make_shrink(CLI::App& app) {
  const auto o = std::make_shared<Options>();
  app.add_option("REPRO", o->repro, "The line after `repro` of a failing check: quoted, or after --")
      ->required();
  app.add_option("--out", o->out, "Folder of the small files")->capture_default_str()->check(not_empty);
  app.add_option("--got-from", o->program,
                 "The program that made got, as a shell command (protocol: validation/diagnose)");
  app.add_option("--form", o->form, "text or binary: how it is spoken to")->capture_default_str();
  add_unsigned(app, "--limit", o->limit, "Smaller inputs to try (default: 2000)", 1);
  app.add_option("--seconds", o->seconds, "What the program may take for a round")
      ->capture_default_str()
      ->check(not_negative)
      ->check(CLI::Range(0.01, 86400.0));
  return [o] { return run(*o); };
}

}  // namespace assay::cli
