#include "emulation/simt/rewriter.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "reference/core/error.hpp"

namespace assay::simt {
namespace {

// A piece of the source that is neither blank nor comment.
struct Token {
  enum class Kind : std::uint8_t { word, number, literal, mark };
  Kind kind;
  std::size_t begin, end;
};

bool begins_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }
bool goes_on(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> tokens() {
    std::vector<Token> all;
    while (skip_blanks()) {
      const std::size_t begin = at_;
      const Token::Kind kind = read();
      // Marks are single characters: only the parser knows whether >> closes templates or shifts.
      all.push_back({kind, begin, at_});
    }
    return all;
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  // False at the end.
  bool skip_blanks() {
    while (at_ < source_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        ++at_;
      } else if (peek() == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
        at_ += peek(1) == '\n' ? 2 : 3;
      } else if (peek() == '/' && peek(1) == '/') {
        // A backslash at its end continues the comment.
        while (at_ < source_.size() && !(peek() == '\n' && source_[at_ - 1] != '\\')) ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        const std::size_t end = source_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? source_.size() : end + 2;
      } else {
        return true;
      }
    }
    return false;
  }

  Token::Kind read() {
    const char c = peek();
    if (begins_word(c)) {
      const std::size_t begin = at_;
      while (goes_on(peek())) ++at_;
      const std::string_view word = source_.substr(begin, at_ - begin);
      const bool prefix = word == "R" || word == "LR" || word == "uR" || word == "UR" || word == "u8R";
      if (peek() == '"' && prefix) {
        read_raw();
        return Token::Kind::literal;
      }
      return Token::Kind::word;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 ||
        (c == '.' && std::isdigit(static_cast<unsigned char>(peek(1))) != 0)) {
      // With digit separators, exponents and suffixes.
      for (++at_; goes_on(peek()) || peek() == '.' || (peek() == '\'' && goes_on(peek(1))) ||
                  ((peek() == '+' || peek() == '-') &&
                   std::string_view("eEpP").find(source_[at_ - 1]) != std::string_view::npos);)
        ++at_;
      return Token::Kind::number;
    }
    if (c == '"' || c == '\'') {
      for (++at_; at_ < source_.size() && peek() != c && peek() != '\n'; ++at_) {
        if (peek() == '\\') ++at_;
      }
      at_ = std::min(at_ + 1, source_.size());
      return Token::Kind::literal;
    }
    ++at_;
    return Token::Kind::mark;
  }

  // At the quote of R"delimiter( ... )delimiter".
  void read_raw() {
    const std::size_t open = source_.find('(', at_);
    if (open == std::string_view::npos) {
      at_ = source_.size();
      return;
    }
    const std::string close = ")" + std::string(source_.substr(at_ + 1, open - at_ - 1)) + "\"";
    const std::size_t end = source_.find(close, open);
    at_ = end == std::string_view::npos ? source_.size() : end + close.size();
  }

  std::string_view source_;
  std::size_t at_ = 0;
};

class Rewriter {
 public:
  Rewriter(std::string_view source, const std::string& file)
      : source_(source), file_(file), tokens_(Lexer(source).tokens()) {}

  std::string run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (is_launch(i)) {
        i = launch(i);
      } else if (is(i, "extern")) {
        if (const auto last = shared_array(i)) i = *last;
      } else if (is(i, "__noinline__")) {
        replace(tokens_[i].begin, tokens_[i].end, "__attribute__((noinline))");
      }
      if (i < tokens_.size()) follow_scope(i);
    }
    out_.append(source_.substr(copied_));
    return std::move(out_);
  }

 private:
  std::string_view text(std::size_t i) const {
    return i < tokens_.size() ? source_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin)
                              : std::string_view();
  }
  bool is(std::size_t i, std::string_view what) const { return text(i) == what; }
  // Marks that stand side by side without a blank, as ">>>".
  bool is_run(std::size_t i, char mark, std::size_t count) const {
    for (std::size_t k = 0; k < count; ++k) {
      if (i + k >= tokens_.size() || text(i + k) != std::string_view(&mark, 1) ||
          tokens_[i + k].begin != tokens_[i].begin + k)
        return false;
    }
    return true;
  }
  bool is_launch(std::size_t i) const { return is_run(i, '<', 3); }

  [[noreturn]] void fail(std::size_t at, const std::string& expected, const std::string& found) const {
    const auto line =
        1 + std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    throw InputError(file_, "line " + std::to_string(line), expected, found);
  }

  // With as many lines as were there.
  void replace(std::size_t begin, std::size_t end, std::string_view with) {
    const std::string_view taken = between(begin, end);
    out_.append(between(copied_, begin));
    out_.append(with);
    const auto lines =
        std::count(taken.begin(), taken.end(), '\n') - std::count(with.begin(), with.end(), '\n');
    out_.append(static_cast<std::size_t>(std::max<std::ptrdiff_t>(lines, 0)), '\n');
    copied_ = end;
  }

  // The mark that closes the one at token i: ( ) [ ] { }.
  std::size_t closing(std::size_t i) const {
    int depth = 0;
    for (std::size_t k = i; k < tokens_.size(); ++k) {
      const std::string_view t = text(k);
      if (t == "(" || t == "[" || t == "{") ++depth;
      if ((t == ")" || t == "]" || t == "}") && --depth == 0) return k;
    }
    fail(tokens_[i].begin, "what closes \"" + std::string(text(i)) + '"', "the end of the file");
  }
  // The mark that opens the one at token i, or nothing before `first`.
  std::optional<std::size_t> opening(std::size_t i) const {
    int depth = 0;
    for (std::size_t k = i + 1; k-- > 0;) {
      const std::string_view t = text(k);
      if (t == ")" || t == "]" || t == "}") ++depth;
      if ((t == "(" || t == "[" || t == "{") && --depth == 0) return k;
    }
    return std::nullopt;
  }
  // The "<" of template arguments that end at token i with ">".
  std::optional<std::size_t> opening_angle(std::size_t i) const {
    int depth = 0;
    for (std::size_t k = i + 1; k-- > 0;) {
      const std::string_view t = text(k);
      if (t == ")" || t == "]" || t == "}") {
        const auto open = opening(k);
        if (!open) return std::nullopt;
        k = *open;
        continue;
      }
      if (t == ";" || t == "{" || t == "(") return std::nullopt;
      if (t == ">") ++depth;
      if (t == "<" && --depth == 0) return k;
    }
    return std::nullopt;
  }

  // The first token of the expression that names the kernel and ends before token i: a name with its namespaces and
  // template arguments, or something in parentheses.
  std::optional<std::size_t> kernel_begin(std::size_t i) const {
    std::size_t at = i;
    while (at > 0) {
      std::size_t k = at - 1;
      if (is(k, ">")) {
        const auto open = opening_angle(k);
        if (!open || *open == 0) return std::nullopt;
        k = *open - 1;
      } else if (is(k, ")") || is(k, "]")) {
        const auto open = opening(k);
        if (!open) return std::nullopt;
        k = *open;
        // A call or an element of an array of kernels: its name stands before.
        if (k == 0 || tokens_[k - 1].kind != Token::Kind::word || is_keyword(text(k - 1))) return k;
        --k;
      }
      if (tokens_[k].kind != Token::Kind::word) return std::nullopt;
      at = k;
      if (at >= 2 && is_run(at - 2, ':', 2)) {
        at -= 2;
        const bool more =
            at > 0 &&
            (is(at - 1, ">") || (tokens_[at - 1].kind == Token::Kind::word && !is_keyword(text(at - 1))));
        if (!more) return at;
        continue;
      }
      if (at >= 1 && is(at - 1, ".")) {
        --at;
        continue;
      }
      if (at >= 2 && is(at - 2, "-") && is(at - 1, ">")) {
        at -= 2;
        continue;
      }
      return at;
    }
    return std::nullopt;
  }
  static bool is_keyword(std::string_view word) {
    for (const std::string_view keyword : {"return", "else", "do", "case", "if", "while", "for", "switch"}) {
      if (word == keyword) return true;
    }
    return false;
  }

  // Rewrites the launch whose "<<<" is token i; returns its last token.
  std::size_t launch(std::size_t i) {
    const auto begin = kernel_begin(i);
    if (!begin || tokens_[*begin].begin < copied_)
      fail(tokens_[i].begin, "a kernel before <<<",
           i == 0 ? "nothing" : '"' + std::string(text(i - 1)) + '"');
    std::size_t end = i + 3;
    while (!is_run(end, '>', 3)) {
      if (end >= tokens_.size() || is(end, ";"))
        fail(tokens_[i].begin, ">>> after the configuration of a launch",
             end >= tokens_.size() ? "the end of the file" : "\";\"");
      end = is(end, "(") || is(end, "[") || is(end, "{") ? closing(end) + 1 : end + 1;
    }
    const std::size_t open = end + 3;
    if (!is(open, "("))
      fail(tokens_[i].begin, "( and the arguments after >>>",
           open >= tokens_.size() ? "the end of the file" : '"' + std::string(text(open)) + '"');
    const std::size_t close = closing(open);
    const std::string_view kernel = between(tokens_[*begin].begin, tokens_[i].begin),
                           configuration = between(tokens_[i + 2].end, tokens_[end].begin);
    std::string out = "::assay_simt::Launch(";
    out += configuration;
    out += ").run([&](auto... assay_simt_arguments) { ";
    out += kernel;
    out += "(assay_simt_arguments...); }";
    if (close != open + 1) {
      out += ", ";
      append_arguments(open, close, out);
    } else {
      out += between(tokens_[open].end, tokens_[close].begin);
    }
    out += ")";
    replace(tokens_[*begin].begin, tokens_[close].end, out);
    return close;
  }
  std::string_view between(std::size_t begin, std::size_t end) const {
    return source_.substr(begin, end - begin);
  }

  // NULL is an integer to a template, and 0 too: both are null pointers where a kernel wants one, so NULL is.
  void append_arguments(std::size_t open, std::size_t close, std::string& out) const {
    std::size_t copied = tokens_[open].end;
    for (std::size_t k = open + 1; k < close; ++k) {
      if (!is(k, "NULL")) continue;
      out += between(copied, tokens_[k].begin);
      out += "nullptr";
      copied = tokens_[k].end;
    }
    out += between(copied, tokens_[close].begin);
  }

  // extern [qualifiers] __shared__ [qualifiers] type name[][n]; from token i. Its last token, if it is one.
  std::optional<std::size_t> shared_array(std::size_t i) {
    std::size_t end = i + 1;
    bool shared = false;
    while (end < tokens_.size() && !is(end, ";") && !is(end, "(") && !is(end, "{") && !is(end, "[")) {
      shared = shared || is(end, "__shared__");
      if (is(end, "__align__") || is(end, "alignas") || is(end, "__attribute__")) {
        if (!is(end + 1, "(")) return std::nullopt;
        end = closing(end + 1);
      }
      ++end;
    }
    if (!shared || !is(end, "[") || !is(end + 1, "]") || tokens_[end - 1].kind != Token::Kind::word)
      return std::nullopt;
    const std::size_t name = end - 1;
    std::size_t last = end + 1;
    while (is(last + 1, "[")) last = closing(last + 1);
    if (!is(last + 1, ";"))
      fail(tokens_[i].begin, "; after a declaration of shared memory",
           '"' + std::string(text(last + 1)) + '"');
    std::string type;
    for (std::size_t k = i + 1; k < name; ++k) {
      if (is(k, "__shared__")) continue;
      if (is(k, "__align__") || is(k, "alignas") || is(k, "__attribute__")) {
        k = closing(k + 1);
        continue;
      }
      if (!type.empty()) type += ' ';
      type += text(k);
    }
    const std::string_view more = between(tokens_[end + 1].end, tokens_[last].end);
    std::string out;
    if (!in_function()) {
      out = "static ::assay_simt::DynamicShared<" + type + std::string(more) + "> " +
            std::string(text(name)) + ";";
    } else if (more.empty()) {
      out = type + "* " + std::string(text(name)) + " = static_cast<" + type +
            "*>(::assay_simt::dynamic_shared());";
    } else {
      out = type + " (*" + std::string(text(name)) + ")" + std::string(more) + " = static_cast<" + type +
            " (*)" + std::string(more) + ">(::assay_simt::dynamic_shared());";
    }
    replace(tokens_[i].begin, tokens_[last + 1].end, out);
    return last + 1;
  }

  // Braces of namespaces and of extern "C" enclose no function.
  void follow_scope(std::size_t i) {
    if (is(i, "{")) {
      bool names_space = i > 0 && tokens_[i - 1].kind == Token::Kind::literal;
      for (std::size_t k = i; k-- > 0 && !names_space;) {
        if (is(k, "namespace")) names_space = true;
        if (tokens_[k].kind != Token::Kind::word && !is(k, ":")) break;
      }
      scopes_.push_back(!names_space);
    } else if (is(i, "}") && !scopes_.empty()) {
      scopes_.pop_back();
    }
  }
  bool in_function() const { return std::find(scopes_.begin(), scopes_.end(), true) != scopes_.end(); }

  std::string_view source_;
  const std::string& file_;
  std::vector<Token> tokens_;
  std::vector<bool> scopes_{};
  std::string out_{};
  std::size_t copied_ = 0;
};

}  // namespace

std::string rewrite_cuda(std::string_view source, const std::string& file) {
  return Rewriter(source, file).run();
}

}  // namespace assay::simt
