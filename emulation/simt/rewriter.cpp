#include "emulation/simt/rewriter.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "emulation/simt/ptx.hpp"
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
      follow_directive(i);
      if (is_launch(i)) {
        i = launch(i);
      } else if (is(i, "extern") || (is(i, "__shared__") && is(i + 1, "extern"))) {
        if (const auto last = shared_array(i)) i = *last;
        if (is(i + 1, "__constant__")) replace(tokens_[i + 1].begin, tokens_[i + 1].end, "");
      } else if (is_assembly(i)) {
        i = assembly(i);
      } else if (is(i, "__shared__") && is(i + 1, "alignas") && is(i + 2, "(")) {
        // C++ takes alignas before static only.
        const std::size_t close = closing(i + 2);
        const std::string aligned(between(tokens_[i + 1].begin, tokens_[close].end));
        replace(tokens_[i].begin, tokens_[close].end, aligned + " __shared__");
        announce_shared(i);
        i = close;
      } else if (is(i, "static") && declares_device_memory(i)) {
        replace(tokens_[i].begin, tokens_[i].end, "");  // the macro says so
      } else if (is(i, "__shared__")) {
        align_shared(i);
        announce_shared(i);
      } else if (is(i, "__global__")) {
        announce_kernel(i);
      } else if ((is(i, "cudaLaunchKernel") || is(i, "cudaLaunchCooperativeKernel")) && is(i + 1, "(")) {
        keep_type_of_kernel(i + 1);
      } else if (is(i, "texture") && is(i + 1, "<") && is_texture_reference(i)) {
        replace(tokens_[i].begin, tokens_[i].end, "::assay_simt::texture");
      } else if (names_symbol(i)) {
        replace(tokens_[i].begin, tokens_[i].end, text(i).substr(1, text(i).size() - 2));
      } else if (is(i, "__noinline__")) {
        replace(tokens_[i].begin, tokens_[i].end, "__attribute__((noinline))");
      }
      if (i < tokens_.size()) follow_scope(i);
      append_announced(i);
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
  // Formatters write "<< <" and ">> >" too, which are nothing else but after "operator".
  bool is_launch(std::size_t i) const {
    return is_run(i, '<', 3) || (is_run(i, '<', 2) && is(i + 2, "<") && (i == 0 || !is(i - 1, "operator")));
  }
  bool ends_launch(std::size_t i, bool apart) const {
    return is_run(i, '>', 3) || (apart && is_run(i, '>', 2) && is(i + 2, ">"));
  }

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
  std::optional<std::size_t> closing_if_any(std::size_t i) const {
    int depth = 0;
    std::vector<Branches<int>> open{};
    for (std::size_t k = i; k < tokens_.size(); ++k) {
      const std::string_view t = text(k);
      if (t == "#" && begins_line(k)) follow_branches(k, open, depth, [](int d) { return d; });
      if (t == "(" || t == "[" || t == "{") ++depth;
      if ((t == ")" || t == "]" || t == "}") && --depth == 0) return k;
    }
    return std::nullopt;
  }
  std::size_t closing(std::size_t i) const {
    if (const auto close = closing_if_any(i)) return *close;
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
      if (at >= 1 && is(at - 1, "template")) --at;  // C::template k<1>
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
    const bool apart = !is_run(i, '<', 3);
    std::size_t end = i + 3;
    while (!ends_launch(end, apart)) {
      if (in_directive(i) && (end >= tokens_.size() || !in_directive(end))) return i + 2;
      if (end >= tokens_.size() || is(end, ";"))
        fail(tokens_[i].begin, ">>> after the configuration of a launch",
             end >= tokens_.size() ? "the end of the file" : "\";\"");
      end = is(end, "(") || is(end, "[") || is(end, "{") ? closing(end) + 1 : end + 1;
    }
    const std::size_t open = end + 3;
    // A macro may hold a part of a launch that nobody uses.
    if (in_directive(i) && (!is(open, "(") || !in_directive(open))) return i + 2;
    if (!is(open, "("))
      fail(tokens_[i].begin, "( and the arguments after >>>",
           open >= tokens_.size() ? "the end of the file" : '"' + std::string(text(open)) + '"');
    const std::size_t close = closing(open);
    const std::string_view kernel = between(tokens_[*begin].begin, tokens_[i].begin),
                           configuration = between(tokens_[i + 2].end, tokens_[end].begin);
    // After a label: its colon stands alone.
    const bool after_colon = *begin > 0 && is(*begin - 1, ":");
    std::string out = after_colon ? " ::assay_simt::Launch(" : "::assay_simt::Launch(";
    out += configuration;
    // Constant copies: a parameter that is a reference to a variable does not compile, and reading them is no access
    // to global memory.
    out += ").run([&](const auto... assay_simt_arguments) { ";
    if (has_zero(open, close)) {
      const std::string call = std::string(kernel) + "(assay_simt_values...)";
      out += "::assay_simt::with_zeros([&](const auto... assay_simt_values) -> decltype(static_cast<void>(";
      out += call + ")) { " + call + "; }, assay_simt_arguments...); }";
    } else {
      out += kernel;
      out += "(assay_simt_arguments...); }";
    }
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

  // An argument that is the literal 0 and nothing else.
  bool is_zero(std::size_t k) const {
    return is(k, "0") && (is(k - 1, "(") || is(k - 1, ",")) && (is(k + 1, ",") || is(k + 1, ")"));
  }
  bool has_zero(std::size_t open, std::size_t close) const {
    for (std::size_t k = open + 1; k < close; ++k) {
      if (is_zero(k)) return true;
      if (is(k, "(") || is(k, "[") || is(k, "{")) k = closing(k);
    }
    return false;
  }

  // NULL is an integer to a template, and 0 too: both are null pointers where a kernel wants one. NULL is one, and 0
  // what the kernel makes of it.
  void append_arguments(std::size_t open, std::size_t close, std::string& out) const {
    std::size_t copied = tokens_[open].end;
    int depth = 0;
    for (std::size_t k = open + 1; k < close; ++k) {
      depth += is(k, "(") || is(k, "[") || is(k, "{") ? 1 : is(k, ")") || is(k, "]") || is(k, "}") ? -1 : 0;
      const bool zero = depth == 0 && is_zero(k);
      if (!zero && !is(k, "NULL")) continue;
      out += between(copied, tokens_[k].begin);
      out += zero ? "::assay_simt::Zero()" : "nullptr";
      copied = tokens_[k].end;
    }
    out += between(copied, tokens_[close].begin);
  }

  // Whether a declaration whose specifiers hold token i has __constant__ or __shared__ among them, in any order and on
  // either side of #if.
  bool declares_device_memory(std::size_t i) const {
    const auto is_memory = [&](std::size_t k) { return is(k, "__constant__") || is(k, "__shared__"); };
    for (std::size_t k = i + 1; k < tokens_.size() && tokens_[k].kind == Token::Kind::word; ++k) {
      if (is_memory(k)) return true;
      if ((is(k, "__align__") || is(k, "alignas")) && is(k + 1, "(")) k = closing(k + 1);
    }
    for (std::size_t k = i; k-- > 0;) {
      if (is_memory(k)) return true;
      const std::size_t directive = directive_around(k);
      if (directive != k) {
        k = directive;  // its #
      } else if (tokens_[k].kind != Token::Kind::word) {
        return false;
      }
    }
    return false;
  }
  // The # of the directive that holds token i, or i.
  std::size_t directive_around(std::size_t i) const {
    std::size_t first = i;
    while (first > 0 && line_end(tokens_[first - 1].begin) >= tokens_[i].begin) --first;
    return is(first, "#") && begins_line(first) ? first : i;
  }

  // extern [qualifiers] __shared__ [qualifiers] type name[][n]; from token i, which is extern or
  // __shared__. Its last token, if it is one.
  std::optional<std::size_t> shared_array(std::size_t i) {
    std::size_t end = i + 1;
    bool shared = is(i, "__shared__");
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
      if (is(k, "__shared__") || is(k, "extern")) continue;
      if (is(k, "__align__") || is(k, "alignas") || is(k, "__attribute__")) {
        k = closing(k + 1);
        continue;
      }
      if (!type.empty() && tokens_[k - 1].end != tokens_[k].begin) type += ' ';
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

  // --- asm [volatile] ( TEXT : outputs : inputs : clobbers ) ---------------------------------------------------------

  static bool is_asm_word(std::string_view word) {
    return word == "asm" || word == "__asm__" || word == "__asm";
  }
  // Outside of functions and macros it names a symbol, or is the host's.
  bool is_assembly(std::size_t i) const {
    return tokens_[i].kind == Token::Kind::word && is_asm_word(text(i)) && (in_function() || in_directive(i));
  }
  // The first token of the line, with the lines that a backslash continues.
  bool begins_line(std::size_t i) const {
    for (std::size_t at = tokens_[i].begin; at-- > 0;) {
      const char c = source_[at];
      if (c == '\n') return true;
      if (std::isspace(static_cast<unsigned char>(c)) == 0) return false;
    }
    return true;
  }
  bool in_directive(std::size_t i) const { return directive_end_ > tokens_[i].begin; }
  // The end of the line at `at`, behind the lines that a backslash continues.
  std::size_t line_end(std::size_t at) const {
    for (; at < source_.size(); ++at) {
      if (source_[at] != '\n') continue;
      const bool goes_on = at > 0 && (source_[at - 1] == '\\' ||
                                      (source_[at - 1] == '\r' && at > 1 && source_[at - 2] == '\\'));
      if (!goes_on) return at;
    }
    return at;
  }
  // Keeps where a directive ends, and how deep #if stands.
  void follow_directive(std::size_t i) {
    if (!is(i, "#") || in_directive(i) || !begins_line(i)) return;
    directive_end_ = line_end(tokens_[i].begin);
    if (begins_condition(i)) ++conditions_;
    if (is(i + 1, "endif")) --conditions_;
    follow_branches(i, scopes_at_if_, scopes_,
                    [](const std::vector<bool>& s) { return static_cast<int>(s.size()); });
  }
  // What stands open where #if does, and at the end of the branch that opens or closes most. One branch counts: each
  // may open the loop whose end they share.
  template <class Open>
  struct Branches {
    Open before, most;
  };
  // At the # of a directive. `depth` of what is open.
  template <class Open, class Depth>
  void follow_branches(std::size_t i, std::vector<Branches<Open>>& all, Open& now, const Depth& depth) const {
    if (begins_condition(i)) {
      all.push_back({now, now});
    } else if (!all.empty() && (begins_branch(i) || is(i + 1, "endif"))) {
      Branches<Open>& branches = all.back();
      const int before = depth(branches.before);
      if (std::abs(depth(now) - before) > std::abs(depth(branches.most) - before)) branches.most = now;
      now = begins_branch(i) ? branches.before : branches.most;
      if (!begins_branch(i)) all.pop_back();
    }
  }
  // Of the directive whose # is token i.
  bool begins_condition(std::size_t i) const {
    return is(i + 1, "if") || is(i + 1, "ifdef") || is(i + 1, "ifndef");
  }
  bool begins_branch(std::size_t i) const {
    return is(i + 1, "else") || is(i + 1, "elif") || is(i + 1, "elifdef") || is(i + 1, "elifndef");
  }

  // A call of ptx(): tokens are replaced one by one, and what stands between them stays, so that no line moves. Returns
  // the last token.
  std::size_t assembly(std::size_t i) {
    std::size_t open = i + 1;
    while (is(open, "volatile") || is(open, "__volatile__") || is(open, "__volatile")) ++open;
    if (!is(open, "("))
      return i;  // of another compiler, which the preprocessor drops; the host's says so if not
    const std::size_t close = closing(open);
    std::size_t text_end = open + 1;
    while (text_end < close && !is(text_end, ":"))
      text_end = is(text_end, "(") || is(text_end, "[") ? closing(text_end) + 1 : text_end + 1;
    if (text_end == open + 1)
      fail(tokens_[i].begin, "the text of asm", '"' + std::string(text(text_end)) + '"');
    const Assembly assembly = read_assembly(open, text_end, close);
    // An empty text keeps the compiler from moving things: the host's own does that too.
    if (assembly.literal && assembly.text.find_first_not_of(" \t\n") == std::string::npos) return close;
    if (names_host_registers(assembly)) return close;
    if (assembly.literal) {
      if (const std::string wrong = why_not_ptx(i, assembly); !wrong.empty()) {
        // Where the preprocessor may drop it, the compiler says so.
        replace(tokens_[i].begin, tokens_[close].end, "static_assert(false, \"" + wrong + "\")");
        return close;
      }
    }
    // Up to and including the mark before the text.
    emit(i, "::assay_simt::ptx");
    for (std::size_t k = i + 1; k < open; ++k) emit(k, "");
    emit(open, "([]() -> const char* { return ");
    copy_until(tokens_[text_end].begin);
    out_ += "; }, __FILE__, __LINE__";
    std::size_t next = 0;
    for (std::size_t k = text_end; k < close; ++k) {
      if (next < assembly.operands.size() && k == assembly.operands[next].begin) {
        const AssemblyOperand& o = assembly.operands[next++];
        const std::string_view constraint = between(tokens_[o.constraint].begin, tokens_[o.open - 1].end);
        copy_until(tokens_[o.begin].begin);
        out_ += ", ::assay_simt::ptx_operand<::assay_simt::ptx_constraint(";
        for (std::size_t t = o.begin; t < o.constraint; ++t) emit(t, "");
        copy_until(tokens_[o.constraint].begin);
        copy_until(tokens_[o.constraint].begin + constraint.size());
        out_ += ")>(";
        copy_until(tokens_[o.close].end);
        if (!o.name.empty()) out_ += ", \"" + o.name + '"';
        out_ += ")";
        k = o.close;
      } else if (in_kept_directive(assembly, k)) {
        copy_until(tokens_[k].end);
      } else {
        emit(k, "");
      }
    }
    emit(close, ")");
    return close;
  }

  struct AssemblyOperand {
    std::size_t begin, constraint, open, close;  // tokens; `begin` of "[name]"
    std::string name;
  };
  struct Assembly {
    bool literal = true;         // the text is literals alone
    bool known_operands = true;  // so are the constraints
    std::string text{};
    std::vector<std::pair<std::size_t, std::size_t>> places{};  // offsets in `text`, and in the source
    std::vector<AssemblyOperand> operands{};
    std::vector<bool> writes{};
    std::vector<std::pair<std::size_t, std::size_t>> directives{};  // tokens [first, last]
  };
  static bool in_kept_directive(const Assembly& assembly, std::size_t k) {
    return std::any_of(assembly.directives.begin(), assembly.directives.end(),
                       [&](const auto& d) { return k >= d.first && k <= d.second; });
  }

  Assembly read_assembly(std::size_t open, std::size_t text_end, std::size_t close) const {
    Assembly a;
    for (std::size_t k = open + 1; k < text_end; ++k) {
      if (tokens_[k].kind != Token::Kind::literal || text(k)[0] == '\'') {
        a.literal = false;
        break;
      }
      a.places.emplace_back(a.text.size(), tokens_[k].begin);
      append_literal(text(k), a.text);
    }
    int part = 0;
    for (std::size_t k = text_end; k < close; ++k) {
      if (is(k, "#") && begins_line(k)) {
        const std::size_t end = line_end(tokens_[k].begin), first = k;
        while (k + 1 < close && tokens_[k + 1].begin < end) ++k;
        a.directives.emplace_back(first, k);
        a.known_operands = false;
        continue;
      }
      if (is(k, ":")) ++part;
      if (is(k, ":") || is(k, ",") || part > 2) continue;
      AssemblyOperand o{k, k, 0, 0, ""};
      if (is(k, "[")) {
        o.name = text(k + 1);
        if (!is(k + 2, "]"))
          fail(tokens_[k].begin, "[name] of an operand of asm", '"' + std::string(text(k + 2)) + '"');
        o.constraint = k + 3;
      }
      o.open = o.constraint;
      while (o.open < close && !is(o.open, "(") && !is(o.open, ",") && !is(o.open, ":")) ++o.open;
      if (o.open == o.constraint || !is(o.open, "("))
        fail(tokens_[k].begin, "an operand of asm, \"constraint\"(expression)",
             '"' + std::string(text(o.open)) + '"');
      if (o.open != o.constraint + 1 || tokens_[o.constraint].kind != Token::Kind::literal)
        a.known_operands = false;
      o.close = closing(o.open);
      k = o.close;
      a.operands.push_back(o);
      a.writes.push_back(part == 1);
    }
    return a;
  }

  // An operand of x86, which no constraint of PTX is: instructions of a function of the host.
  bool names_host_registers(const Assembly& a) const {
    return std::any_of(a.operands.begin(), a.operands.end(), [&](const AssemblyOperand& o) {
      if (o.open != o.constraint + 1 || tokens_[o.constraint].kind != Token::Kind::literal) return false;
      return text(o.constraint).find_first_of("abcASDmgxtuy") != std::string_view::npos;
    });
  }

  // What a literal stands for.
  static void append_literal(std::string_view literal, std::string& out) {
    const std::size_t quote = literal.find('"');
    if (quote == std::string_view::npos || literal.size() < quote + 2) return;
    if (quote > 0 && literal[quote - 1] == 'R') {
      const std::size_t begin = literal.find('('), end = literal.rfind(')');
      if (begin != std::string_view::npos && end > begin) out += literal.substr(begin + 1, end - begin - 1);
      return;
    }
    for (std::size_t k = quote + 1; k + 1 < literal.size(); ++k) {
      if (literal[k] != '\\') {
        out += literal[k];
        continue;
      }
      const char c = literal[++k];
      if (c == '\n' || c == '\r') continue;  // a line that goes on
      // Blanks for n, t and kin: lines do not matter here. Others stand for themselves.
      out += std::string_view("ntrfv").find(c) != std::string_view::npos ? (c == 'n' ? '\n' : ' ') : c;
    }
  }

  // Throws what is not understood; under #if the same text is returned for the compiler to say.
  std::string why_not_ptx(std::size_t i, const Assembly& a) const {
    std::vector<PtxOperand> operands;
    std::vector<std::string> constraints;
    for (std::size_t k = 0; k < a.operands.size(); ++k) {
      const AssemblyOperand& o = a.operands[k];
      PtxOperand operand;
      operand.name = o.name.empty() ? nullptr : o.name.c_str();
      operand.type = '?';
      operand.writes = a.writes[k];
      if (o.open == o.constraint + 1 && tokens_[o.constraint].kind == Token::Kind::literal) {
        std::string constraint;
        append_literal(text(o.constraint), constraint);
        for (const char c : constraint) {
          if (c == '=' || c == '+' || c == '&' || c == ' ') continue;
          operand.type = c == 'i' ? 'n' : c;
        }
      }
      operands.push_back(operand);
    }
    // Not all operands are known: a macro may bring some.
    if (!a.directives.empty()) return "";
    PtxError error;
    if (parse_ptx(a.text, operands.data(), operands.size(), error) != nullptr) return "";
    std::size_t at = tokens_[i].begin;
    for (const auto& [offset, source] : a.places) {
      if (offset <= error.offset) at = source;
    }
    if (conditions_ == 0 || in_directive(i)) fail(at, error.expected, error.found);
    const auto line =
        1 + std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    std::string message;
    for (const char c :
         "line " + std::to_string(line) + ": expected " + error.expected + ", found " + error.found) {
      if (c == '"' || c == '\\') message += '\\';
      message += c == '\n' ? ' ' : c;
    }
    return message;
  }

  void copy_until(std::size_t at) {
    if (at <= copied_) return;
    out_.append(between(copied_, at));
    copied_ = at;
  }
  void emit(std::size_t token, std::string_view with) {
    copy_until(tokens_[token].begin);
    out_.append(with);
    copied_ = tokens_[token].end;
  }

  // --- shared memory, kernels ----------------------------------------------------------------------------------------

  // Text that is to follow a token.
  struct Announced {
    std::size_t token;
    std::string text;
  };
  void append_announced(std::size_t i) {
    while (!announced_.empty() && announced_.back().token <= i) {
      const std::size_t end = tokens_[announced_.back().token].end;
      if (end >= copied_) {
        out_.append(between(copied_, end));
        out_.append(announced_.back().text);
        copied_ = end;
      }
      announced_.pop_back();
    }
  }

  // The variables of a declaration of static shared memory in a function are poisoned by the first thread of a block
  // that comes there: what an earlier block has left is nobody's.
  void announce_shared(std::size_t i) {
    if (!in_function() || in_directive(i)) return;
    std::vector<std::string_view> names;
    int angles = 0;
    std::size_t k = i + 1;
    for (; k < tokens_.size() && !is(k, ";"); ++k) {
      if (is(k, "<")) ++angles;
      if (is(k, ">")) --angles;
      const bool last = is(k + 1, "[") || is(k + 1, ",") || is(k + 1, ";");
      if (angles == 0 && last && tokens_[k].kind == Token::Kind::word) names.push_back(text(k));
      if (is(k, "(") || is(k, "[") || is(k, "{")) k = closing(k);
      if (is(k, "=")) return;  // no declaration of shared memory
    }
    if (k >= tokens_.size() || names.empty()) return;
    std::string out;
    for (const std::string_view name : names) {
      out += " { static thread_local unsigned long long assay_simt_run; ::assay_simt::poison_shared(&" +
             std::string(name) + ", sizeof " + std::string(name) + ", assay_simt_run); }";
    }
    announced_.push_back({k, std::move(out)});
  }

  // Blocks find static shared memory aligned, whatever its type is, and see it as float4 and kin: __shared__ TYPE name
  // is aligned to 16 bytes at least. Pointers are anyway, and what says its alignment has its will.
  void align_shared(std::size_t i) {
    if (!in_function() || in_directive(i)) return;
    std::string type;
    std::size_t k = i + 1;
    for (int angles = 0; k < tokens_.size(); ++k) {
      const bool last = is(k + 1, "[") || is(k + 1, ",") || is(k + 1, ";");
      if (angles == 0 && last) break;
      if (is(k, "<")) ++angles;
      if (is(k, ">")) --angles;
      const bool known =
          tokens_[k].kind == Token::Kind::word
              ? !is(k, "static") && !is(k, "alignas") && !is(k, "__align__") && !is(k, "__attribute__")
              : is(k, ":") || is(k, "<") || is(k, ">") || angles > 0;
      if (!known || is(k, ";")) return;
      if (k > i + 1 && tokens_[k - 1].end != tokens_[k].begin) type += ' ';
      type += text(k);
    }
    for (std::size_t before = i; before-- > 0 && !is(before, ";") && !is(before, "{") && !is(before, "}");) {
      if (is(before, "alignas") || is(before, "__align__") || is(before, "__attribute__")) return;
    }
    if (type.empty() || k >= tokens_.size() || tokens_[k].kind != Token::Kind::word) return;
    replace(tokens_[i].begin, tokens_[i].end,
            "__shared__ __attribute__((aligned(::assay_simt::shared_alignment<" + type + ">)))");
  }

  // A kernel that is no template is known by its address, for the calls that have no more of it.
  void announce_kernel(std::size_t i) {
    if (in_function() || in_directive(i)) return;
    for (std::size_t k = i; k-- > 0 && !is(k, ";") && !is(k, "}") && !is(k, "{");) {
      if (is(k, "template")) return;
    }
    std::size_t open = i + 1;
    while (open < tokens_.size() && !is(open, ";") && !is(open, "{")) {
      const std::string_view before = text(open - 1);
      if (is(open, "(") && before != "__launch_bounds__" && before != "__attribute__" &&
          before != "__maxnreg__" && before != "__cluster_dims__" && before != "__block_size__" &&
          before != "alignas" && before != "__align__")
        break;
      open = is(open, "(") ? closing(open) + 1 : open + 1;
    }
    if (!is(open, "(") || tokens_[open - 1].kind != Token::Kind::word) return;
    const std::size_t close = closing(open);
    if (!is(close + 1, "{")) return;
    const auto last = closing_if_any(close + 1);
    if (!last) return;  // what #if makes of it, the compiler sees
    bool directives = false;
    for (std::size_t k = open; k < close; ++k) {
      if (is(k, "=") || is(k, ".")) return;  // what no type of a function may have
      directives = directives || is(k, "#");
    }
    std::string out = " [[maybe_unused]] static const bool assay_simt_known_";
    out += std::to_string(file_number()) + "_" + std::to_string(i);
    out += " = ::assay_simt::register_kernel(";
    if (!directives) {  // it says which of several of one name; else there is one of them
      out += "static_cast<void (*)";
      for (std::size_t k = open; k <= close; ++k) {
        if (k > open && tokens_[k - 1].end != tokens_[k].begin) out += ' ';  // a comment goes, a line end too
        out += text(k);
      }
      out += ">(&";
      out += text(open - 1);
      out += "));";
    } else {
      out += '&';
      out += text(open - 1);
      out += ");";
    }
    announced_.push_back({*last, std::move(out)});
  }

  // Tells the names of one file's from those of another that includes it (FNV-1a).
  std::uint64_t file_number() const {
    std::uint64_t n = 0xCBF29CE484222325U;
    for (const char c : file_) n = (n ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return n;
  }

  // ((void*)kernel, ...: without the cast the kernel's type says what its arguments are.
  void keep_type_of_kernel(std::size_t open) {
    if (!is(open + 1, "(")) return;
    const std::size_t close = closing(open + 1);
    std::string cast;
    for (std::size_t k = open + 2; k < close; ++k) cast += text(k);
    if (cast == "void*" || cast == "constvoid*") replace(tokens_[open + 1].begin, tokens_[close].end, "");
  }

  // texture<float, 2> of CUDA's, which no CUDA has any more: a name that a program may have itself.
  bool is_texture_reference(std::size_t i) const {
    if (in_function() && !in_directive(i)) return false;
    if (i == 0) return true;
    const std::string_view before = text(i - 1);
    return before != "." && before != ":" && before != "struct" && before != "class" && before != "using";
  }

  // Older programs name a symbol by a literal: cudaMemcpyToSymbol("a", ...) is of a.
  bool names_symbol(std::size_t i) const {
    if (tokens_[i].kind != Token::Kind::literal || text(i).front() != '"') return false;
    if (!is(i + 1, ",") && !is(i + 1, ")")) return false;
    std::size_t commas = 0, k = i;
    while (k > 0 && !is(k - 1, "(")) {
      --k;
      if (is(k, ";") || is(k, "{") || is(k, "}")) return false;
      if (is(k, ",")) ++commas;
      if (is(k, ")") || is(k, "]")) {
        const auto open = opening(k);
        if (!open) return false;
        k = *open;
      }
    }
    if (k < 2) return false;
    const std::string_view call = text(k - 2);
    if (call == "cudaMemcpyToSymbol" || call == "cudaMemcpyToSymbolAsync") return commas == 0;
    return commas == 1 && (call == "cudaMemcpyFromSymbol" || call == "cudaMemcpyFromSymbolAsync" ||
                           call == "cudaGetSymbolAddress" || call == "cudaGetSymbolSize");
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
  std::vector<Branches<std::vector<bool>>> scopes_at_if_{};
  std::vector<Announced> announced_{};  // a stack: what ends first is last
  std::string out_{};
  std::size_t copied_ = 0;
  std::size_t directive_end_ = 0;  // of the directive that was begun last
  int conditions_ = 0;             // #if that are open
};

}  // namespace

std::string rewrite_cuda(std::string_view source, const std::string& file) {
  return Rewriter(source, file).run();
}

}  // namespace assay::simt
