// The text of an asm statement, taken apart into instructions.
#include <bit>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "emulation/simt/block.hpp"
#include "emulation/simt/ptx_table.hpp"
#include "reference/core/error.hpp"

namespace assay::simt {
namespace {

constexpr std::size_t most_registers = 4096, most_instructions = 65536;

bool is_name_begin(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }

class PtxParser {
 public:
  PtxParser(std::string_view text, const PtxOperand* operands, std::size_t count)
      : text_(text), operands_(operands), count_(count) {}

  PtxProgramPointer parse() {
    program_.reset(new PtxProgram);
    program_->parameters = program_->slots = count_;
    scopes_.emplace_back();
    for (skip(); at_ < text_.size(); skip()) statement();
    if (scopes_.size() != 1) fail(text_.size(), "what closes \"{\"", "the end of the text");
    leave_scope();
    return std::move(program_);
  }

 private:
  struct Register {
    std::uint16_t slot;
    std::uint8_t bits;
    char type;  // i f p
  };
  struct Scope {
    std::map<std::string, Register, std::less<>> registers{};
    std::map<std::string, std::size_t, std::less<>> labels{};
    // Instructions that branch from here or from inside.
    std::vector<std::pair<std::size_t, std::string>> branches{};
  };

  [[noreturn]] void fail(std::size_t at, std::string expected, std::string found) const {
    throw PtxError{at, std::move(expected), std::move(found)};
  }
  // What stands there, for a message.
  std::string found_at(std::size_t at) const {
    if (at >= text_.size()) return "the end of the text";
    return quoted(text_.substr(at, text_.find_first_of(";\n", at) - at));
  }

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void skip() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        ++at_;
      } else if (peek() == '/' && peek(1) == '/') {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        const std::size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }
  bool take(char c) {
    skip();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* expected) {
    if (!take(c)) fail(at_, expected, found_at(at_));
  }
  std::string_view name() {
    const std::size_t begin = at_;
    if (is_name_begin(peek())) {
      // "%=" makes a name differ from statement to statement; here each has its own anyway.
      while (is_name(peek()) || (peek() == '%' && peek(1) == '=')) at_ += peek() == '%' ? 2 : 1;
    }
    return text_.substr(begin, at_ - begin);
  }

  void statement() {
    if (take(';')) return;
    if (take('{')) {
      if (scopes_.size() > 64) fail(at_, "64 braces within each other at most", "more");
      scopes_.emplace_back();
      return;
    }
    if (peek() == '}') {
      if (scopes_.size() == 1) fail(at_, "an instruction", quoted("}"));
      ++at_;
      leave_scope();
      return;
    }
    if (peek() == '.') {
      declaration();
      return;
    }
    const std::size_t begin = at_;
    if (is_name_begin(peek())) {
      const std::string_view label = name();
      skip();
      if (peek() == ':' && peek(1) != ':') {
        ++at_;
        if (!scopes_.back().labels.emplace(std::string(label), program_->instructions.size()).second)
          fail(begin, "a label once in its braces", quoted(label));
        return;
      }
      at_ = begin;
    }
    instruction();
  }

  void leave_scope() {
    Scope scope = std::move(scopes_.back());
    scopes_.pop_back();
    for (auto& [index, label] : scope.branches) {
      PtxInstruction& branch = program_->instructions[index];
      if (const auto found = scope.labels.find(label); found != scope.labels.end()) {
        branch.arguments[0].value = static_cast<std::int64_t>(found->second);
      } else if (scopes_.empty()) {
        fail(branch.offset, "a label of the statement", quoted(label));
      } else {
        scopes_.back().branches.emplace_back(index, std::move(label));
      }
    }
  }

  void declaration() {
    const std::size_t begin = at_;
    ++at_;
    if (name() != "reg") fail(begin, ".reg or an instruction of the PTX table", found_at(begin));
    skip();
    const std::size_t type_at = at_;
    PtxType type = PtxType::none;
    if (peek() == '.') {
      ++at_;
      type = ptx_type_named(name());
    }
    const int bits = type == PtxType::none ? 0 : ptx_bits(type);
    if (bits == 0 || (bits < 8 && type != PtxType::pred) || (ptx_kind(type) == PtxKind::packed && bits == 16))
      fail(type_at, "a type of a register", found_at(type_at));
    const bool floating = type == PtxType::f16 || type == PtxType::f32 || type == PtxType::f64;
    const char kind = type == PtxType::pred ? 'p' : floating ? 'f' : 'i';
    do {
      skip();
      const std::size_t at = at_;
      std::string prefix;
      while (peek() == '%') prefix = "%", ++at_;
      prefix += name();
      if (prefix.empty() || prefix == "%") fail(at, "the name of a register", found_at(at));
      if (take('<')) {
        const auto many = static_cast<std::size_t>(integer());
        expect('>', "> after the number of registers");
        if (many > most_registers) fail(at, "4096 registers at most", std::to_string(many));
        for (std::size_t i = 0; i < many; ++i) declare(at, prefix + std::to_string(i), bits, kind);
      } else {
        declare(at, prefix, bits, kind);
      }
    } while (take(','));
    expect(';', "; after a declaration");
  }
  void declare(std::size_t at, const std::string& name, int bits, char type) {
    if (program_->slots - count_ >= most_registers) fail(at, "4096 registers at most", "more");
    const Register r{static_cast<std::uint16_t>(program_->slots++), static_cast<std::uint8_t>(bits), type};
    if (!scopes_.back().registers.emplace(name, r).second)
      fail(at, "a register once in its braces", quoted(name));
  }
  std::int64_t integer() {
    skip();
    std::uint64_t value = 0;
    const std::size_t begin = at_;
    while (std::isdigit(static_cast<unsigned char>(peek())) != 0 && at_ - begin < 9)
      value = value * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
    if (at_ == begin) fail(at_, "a number", found_at(at_));
    return static_cast<std::int64_t>(value);
  }

  std::optional<Register> find_register(std::string_view name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto found = scope->registers.find(name); found != scope->registers.end())
        return found->second;
    }
    return std::nullopt;
  }

  void instruction() {
    const std::size_t begin = at_;
    PtxInstruction i;
    i.offset = begin;
    if (take('@')) {
      i.guard_negated = take('!');
      const PtxArgument guard = operand(i);
      if (guard.kind != PtxOperandKind::slot || (guard.bits > 1))
        fail(begin, "a predicate after @", found_at(begin));
      i.guard = guard.slot;
    }
    skip();
    i.offset = at_;
    std::string opcode(name());
    // The modifiers, which blanks may precede: literals of C++ are put together from pieces.
    for (;;) {
      skip();
      if (peek() != '.') break;
      ++at_;
      skip();
      const std::size_t word = at_;
      while (is_name(peek()) || (peek() == ':' && peek(1) == ':')) at_ += peek() == ':' ? 2 : 1;
      opcode += '.';
      opcode += text_.substr(word, at_ - word);
    }
    if (opcode.empty()) fail(i.offset, "an instruction of the PTX table", found_at(i.offset));
    if (peek() != ';' && at_ < text_.size()) {
      do {
        skip();
        i.arguments.push_back(operand(i));
      } while (take(','));
    }
    bool known = false;
    const PtxRow* row = nullptr;
    std::string why;
    for (const PtxRow& r : ptx_rows_in_order()) {
      if (!is_ptx_opcode(r.pattern, opcode)) continue;
      known = true;
      fill(i, opcode);
      why = why_not_operands(r.operands, i);
      if (!why.empty()) continue;
      row = &r;
      break;
    }
    if (!known) fail(i.offset, "an instruction of the PTX table", quoted(opcode));
    if (row == nullptr) fail(i.offset, "the operands of " + opcode, why);
    expect(';', "; after an instruction");
    i.execute = row->execute;
    if (std::string reason = why_not_together(i); !reason.empty())
      fail(i.offset, "the operands of " + opcode, reason);
    if (!i.arguments.empty() && i.arguments[0].kind == PtxOperandKind::label)
      scopes_.back().branches.emplace_back(program_->instructions.size(), label_);
    if (program_->instructions.size() >= most_instructions)
      fail(i.offset, "65536 instructions at most", "more");
    program_->instructions.push_back(std::move(i));
  }

  PtxArgument register_argument(const Register& r) const {
    PtxArgument a;
    a.kind = PtxOperandKind::slot;
    a.slot = r.slot;
    a.bits = r.bits;
    a.type = r.type;
    return a;
  }

  PtxArgument parameter(std::size_t at, std::size_t index) const {
    if (index >= count_)
      fail(at, "an operand of the statement, %0 to %" + std::to_string(count_ == 0 ? 0 : count_ - 1),
           found_at(at));
    const PtxOperand& o = operands_[index];
    PtxArgument a;
    a.kind = PtxOperandKind::slot;
    a.slot = static_cast<std::uint16_t>(index);
    a.parameter = true;
    switch (o.type) {
      case 'h': a.bits = 16, a.type = 'i'; break;
      case 'r': a.bits = 32, a.type = 'i'; break;
      case 'l': a.bits = 64, a.type = 'i'; break;
      case 'f': a.bits = 32, a.type = 'f'; break;
      case 'd': a.bits = 64, a.type = 'f'; break;
      default: break;  // a constant, or not known
    }
    return a;
  }

  PtxArgument operand(PtxInstruction& i, int depth = 0) {
    skip();
    const std::size_t begin = at_;
    if (take('!')) {
      if (depth > 0) fail(begin, "one ! and a predicate", found_at(begin));
      PtxArgument a = operand(i, depth + 1);
      if (a.kind != PtxOperandKind::slot && a.kind != PtxOperandKind::constant)
        fail(begin, "a predicate after !", found_at(begin));
      a.negated = true;
      return a;
    }
    if (take('{')) return vector(i, begin, depth);
    if (take('[')) return address(i, begin);
    PtxArgument a;
    if (peek() == '-' && (peek(1) == '%' || is_name_begin(peek(1)))) {
      ++at_;
      a = named();
      if (a.kind != PtxOperandKind::slot) fail(begin, "a register after -", found_at(begin));
      a.minus = true;
    } else if (std::isdigit(static_cast<unsigned char>(peek())) != 0 || peek() == '-' || peek() == '+' ||
               peek() == '.') {
      a = constant();
    } else {
      a = named();
    }
    skip();
    if (peek() == '.' && a.kind == PtxOperandKind::slot) part(a);
    if (peek() == '|') {
      ++at_;
      skip();
      const PtxArgument q = named();
      if (q.kind == PtxOperandKind::slot) {
        a.second = static_cast<std::uint16_t>(q.slot + 1);
        if (q.bits > 1) fail(begin, "a predicate after |", found_at(begin));
      } else if (q.kind != PtxOperandKind::sink) {
        fail(begin, "a predicate after |", found_at(begin));
      }
    }
    return a;
  }

  // .b0, .h32: the highest element comes first.
  void part(PtxArgument& a) {
    const std::size_t begin = at_++;
    const std::string_view text = name();
    const bool numbers =
        text.size() > 1 && text.size() < 6 && text.find_first_not_of("01234567", 1) == std::string_view::npos;
    if (!numbers || (text[0] != 'b' && text[0] != 'h')) fail(begin, "bytes or halves", found_at(begin));
    a.part = text[0];
    for (const char c : text.substr(1)) a.picks = a.picks << 4 | static_cast<std::uint32_t>(c - '0');
    a.picked = static_cast<std::uint8_t>(text.size() - 1);
    skip();
  }

  PtxArgument named() {
    const std::size_t begin = at_;
    if (peek() == '%') {
      ++at_;
      if (std::isdigit(static_cast<unsigned char>(peek())) != 0)
        return parameter(begin, static_cast<std::size_t>(integer()));
      if (peek() == '[') {
        ++at_;
        const std::string_view wanted = name();
        expect(']', "] after the name of an operand");
        for (std::size_t k = 0; k < count_; ++k) {
          if (operands_[k].name != nullptr && wanted == operands_[k].name) return parameter(begin, k);
        }
        fail(begin, "an operand of the statement", quoted("%[" + std::string(wanted) + "]"));
      }
      if (peek() == '%') ++at_;
      std::string text(name());
      if (const auto r = find_register("%" + text)) return register_argument(*r);
      if (peek() == '.') {
        const std::size_t dot = at_++;
        const std::string_view member = name();
        if (member.size() != 1)
          at_ = dot;
        else
          text += "." + std::string(member);
      }
      if (const auto special = ptx_special(text)) {
        PtxArgument a;
        a.kind = PtxOperandKind::special;
        a.value = special->number;
        a.bits = special->bits;
        a.type = 'i';
        return a;
      }
      fail(begin, "a register or a special register of the PTX table", quoted("%" + text));
    }
    const std::string_view text = name();
    if (text.empty()) fail(begin, "an operand", found_at(begin));
    if (const auto r = find_register(text)) return register_argument(*r);
    PtxArgument a;
    if (text == "_") {
      a.kind = PtxOperandKind::sink;
      return a;
    }
    if (text == "WARP_SZ") {
      a.value = warp_lanes;
      return a;
    }
    a.kind = PtxOperandKind::label;
    label_ = text;
    return a;
  }

  PtxArgument constant() {
    const std::size_t begin = at_;
    PtxArgument a;
    const bool negative = peek() == '-';
    if (peek() == '-' || peek() == '+') ++at_;
    skip();
    const std::size_t digits = at_;
    const auto read = [&](std::size_t from, int base, std::uint64_t& value) {
      const auto [end, error] =
          std::from_chars(text_.data() + from, text_.data() + text_.size(), value, base);
      if (error != std::errc()) fail(begin, "a constant of 64 bits", found_at(begin));
      at_ = static_cast<std::size_t>(end - text_.data());
    };
    std::uint64_t value = 0;
    const char second = peek(1);
    if (peek() == '0' && (second == 'f' || second == 'F' || second == 'd' || second == 'D')) {
      const bool single = second == 'f' || second == 'F';
      read(digits + 2, 16, value);
      if (at_ - digits - 2 != (single ? 8 : 16)) fail(begin, "8 or 16 hexadecimal digits", found_at(begin));
      a.literal = single ? 'f' : 'd';
      if (negative) value ^= std::uint64_t{1} << (single ? 31 : 63);
    } else if (peek() == '0' && (second == 'x' || second == 'X')) {
      read(digits + 2, 16, value);
    } else if (peek() == '0' && (second == 'b' || second == 'B')) {
      read(digits + 2, 2, value);
    } else {
      std::size_t end = at_;
      while (end < text_.size() &&
             (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '.' ||
              ((text_[end] == '-' || text_[end] == '+') && (text_[end - 1] == 'e' || text_[end - 1] == 'E'))))
        ++end;
      const std::string_view number = text_.substr(at_, end - at_);
      if (number.find_first_of(".eE") != std::string_view::npos) {
        double real = 0;
        const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), real);
        if (error != std::errc()) fail(begin, "a constant", found_at(begin));
        at_ = static_cast<std::size_t>(stop - text_.data());
        a.literal = 'd';
        value = std::bit_cast<std::uint64_t>(negative ? -real : real);
      } else {
        read(at_, peek() == '0' && std::isdigit(static_cast<unsigned char>(second)) != 0 ? 8 : 10, value);
      }
    }
    if (peek() == 'U' || peek() == 'u') ++at_;
    if (is_name(peek())) fail(begin, "a constant", found_at(begin));
    a.value = static_cast<std::int64_t>(negative && a.literal == 'i' ? 0 - value : value);
    return a;
  }

  PtxArgument vector(PtxInstruction& i, std::size_t begin, int depth) {
    if (depth > 0) fail(begin, "no vector within a vector", found_at(begin));
    std::vector<PtxArgument> parts;
    do {
      PtxArgument part = operand(i, depth + 1);
      if (part.kind == PtxOperandKind::vector || part.kind == PtxOperandKind::address ||
          part.kind == PtxOperandKind::label)
        fail(begin, "registers in braces", found_at(begin));
      parts.push_back(part);
    } while (take(','));
    expect('}', "} after the elements of a vector");
    PtxArgument a;
    a.kind = PtxOperandKind::vector;
    a.first = static_cast<std::uint16_t>(i.parts.size());
    a.count = static_cast<std::uint16_t>(parts.size());
    if (parts.size() > 256) fail(begin, "256 elements of a vector at most", std::to_string(parts.size()));
    i.parts.insert(i.parts.end(), parts.begin(), parts.end());
    return a;
  }

  PtxArgument address(PtxInstruction& i, std::size_t begin) {
    skip();
    PtxArgument a;
    if (std::isdigit(static_cast<unsigned char>(peek())) != 0) {
      a = constant();
      if (a.literal != 'i') fail(begin, "an address", found_at(begin));
      a.absolute = true;
    } else {
      a = named();
      if (a.kind != PtxOperandKind::slot) fail(begin, "an address in a register", found_at(begin));
    }
    a.kind = PtxOperandKind::address;
    for (skip(); peek() == '+' || peek() == '-'; skip()) {
      const bool negative = peek() == '-';
      ++at_;
      skip();
      if (peek() == '%' || peek() == '(') {
        // A constant operand of the statement.
        const PtxArgument offset = named();
        if (!offset.parameter || offset.bits != 0 || negative || a.second != 0)
          fail(begin, "an address [register+constant]", found_at(begin));
        a.second = static_cast<std::uint16_t>(offset.slot + 1);
        continue;
      }
      PtxArgument offset = constant();
      std::uint64_t term = static_cast<std::uint64_t>(offset.value);
      for (skip(); take('*'); skip()) {
        skip();
        const PtxArgument factor = constant();
        if (factor.literal != 'i') fail(begin, "an address [register+constant]", found_at(begin));
        term *= static_cast<std::uint64_t>(factor.value);
      }
      if (offset.literal != 'i') fail(begin, "an address [register+constant]", found_at(begin));
      a.value = static_cast<std::int64_t>(static_cast<std::uint64_t>(a.value) + (negative ? 0 - term : term));
    }
    if (take(',')) {
      skip();
      const std::size_t at = at_;
      expect('{', "{ and the coordinates of a tensor");
      const PtxArgument coordinates = vector(i, at, 0);
      a.first = coordinates.first;
      a.count = coordinates.count;
    }
    expect(']', "] after an address");
    return a;
  }

  // What the words of the opcode say.
  static void fill(PtxInstruction& i, const std::string& opcode) {
    i.words.clear();
    i.t = i.u = i.v = i.w = PtxType::none;
    i.flags = 0;
    i.vector = 1;
    i.space = 'g';
    for (std::size_t begin = 0; begin <= opcode.size();) {
      const std::size_t end = std::min(opcode.find('.', begin), opcode.size());
      i.words.push_back(opcode.substr(begin, end - begin));
      begin = end + 1;
    }
    // cp.async's spaces are those of its operands, which it knows itself.
    for (std::size_t k = 1; k < i.words.size(); ++k) word(i, i.words[k]);
  }
  static void word(PtxInstruction& i, const std::string& w) {
    if (const PtxType type = ptx_type_named(w); type != PtxType::none) {
      (i.t == PtxType::none ? i.t : i.u == PtxType::none ? i.u : i.v == PtxType::none ? i.v : i.w) = type;
      return;
    }
    static constexpr std::pair<std::string_view, std::uint32_t> flags[] = {{"ftz", ptx_ftz},
                                                                           {"sat", ptx_sat},
                                                                           {"satfinite", ptx_satfinite},
                                                                           {"relu", ptx_relu},
                                                                           {"cc", ptx_cc},
                                                                           {"NaN", ptx_nan},
                                                                           {"xorsign", ptx_xorsign},
                                                                           {"trans", ptx_trans},
                                                                           {"approx", ptx_approx},
                                                                           {"full", ptx_approx},
                                                                           {"rni", ptx_integer},
                                                                           {"rzi", ptx_integer},
                                                                           {"rmi", ptx_integer},
                                                                           {"rpi", ptx_integer},
                                                                           {"volatile", ptx_volatile},
                                                                           {"relaxed", ptx_volatile},
                                                                           {"acquire", ptx_volatile},
                                                                           {"release", ptx_volatile},
                                                                           {"noinc", ptx_noinc},
                                                                           {"rna", ptx_rna}};
    for (const auto& [name, flag] : flags) {
      if (w == name) i.flags |= flag;
    }
    static constexpr std::pair<std::string_view, Rounding> roundings[] = {
        {"rn", Rounding::nearest_even},     {"rz", Rounding::toward_zero},
        {"rm", Rounding::toward_negative},  {"rp", Rounding::toward_positive},
        {"rni", Rounding::nearest_even},    {"rzi", Rounding::toward_zero},
        {"rmi", Rounding::toward_negative}, {"rpi", Rounding::toward_positive},
        {"rna", Rounding::nearest_away}};
    for (const auto& [name, rounding] : roundings) {
      if (w == name) i.rounding = rounding;
    }
    static constexpr std::string_view comparisons[] = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",
                                                       "lo",  "ls",  "hi",  "hs",  "equ", "neu",
                                                       "ltu", "leu", "gtu", "geu", "num", "nan"};
    for (std::size_t k = 0; k < std::size(comparisons); ++k) {
      if (w == comparisons[k]) i.compare = static_cast<PtxCompare>(k);
    }
    if (w == "v2" || w == "x2") i.vector = 2;
    if (w == "v4" || w == "x4") i.vector = 4;
    if (w == "v8") i.vector = 8;
    if (w.substr(0, 6) == "shared") i.space = 's';
    unsigned m = 0, n = 0, k = 0;
    if (w.size() >= 6 && w[0] == 'm' && std::sscanf(w.c_str(), "m%un%uk%u", &m, &n, &k) == 3) {
      i.m = static_cast<std::uint16_t>(m);
      i.n = static_cast<std::uint16_t>(n);
      i.k = static_cast<std::uint16_t>(k);
    }
  }

  // Empty if the operands are those of the signature; constants get the type of the instruction.
  std::string why_not_operands(std::string_view signature, PtxInstruction& i) {
    std::size_t at = 0;
    bool optional = false;
    for (std::size_t k = 0; k < signature.size(); ++k) {
      if (signature[k] == ',') continue;
      if (signature[k] == '?') {
        optional = true;
        continue;
      }
      if (at == i.arguments.size()) {
        if (optional) return "";
        return std::to_string(i.arguments.size()) + " operands";
      }
      if (std::string why = why_not_operand(signature[k], i, i.arguments[at]); !why.empty())
        return why + " as operand " + std::to_string(at + 1);
      ++at;
    }
    return at == i.arguments.size() ? "" : std::to_string(i.arguments.size()) + " operands";
  }

  std::string why_not_operand(char kind, PtxInstruction& i, PtxArgument& a) {
    const auto bits_of = [](PtxType type) { return type == PtxType::none ? 0 : ptx_bits(type); };
    const bool is_register = a.kind == PtxOperandKind::slot;
    const bool writes = std::string_view("dDwveXpqyVk").find(kind) != std::string_view::npos;
    if (kind != 'V' && kind != 'e' && kind != 'E' && a.kind == PtxOperandKind::vector) return "a vector";
    if ((a.kind == PtxOperandKind::address) != (kind == 'm'))
      return kind == 'm' ? "no address" : "an address";
    if ((a.kind == PtxOperandKind::label) != (kind == 'l')) return kind == 'l' ? "no label" : quoted(label_);
    if (a.negated && kind != 'P') return "a negated predicate";
    if (a.minus && kind != 'n') return "a negated register";
    if (a.part != 0 || kind == 'k') {
      if (std::string why = why_not_part(kind, i, a); !why.empty()) return why;
    }
    if (a.second != 0 && kind != 'q' && kind != 'y' && kind != 'm') return "a pair";
    switch (kind) {
      case 'm':
      case 'l': return "";
      case 'i':
        if (is_register ? !(a.parameter && a.bits == 0) : a.kind != PtxOperandKind::constant)
          return "no constant";
        return "";
      case 'P':
        if (a.kind == PtxOperandKind::constant) return "";
        return is_register && a.bits == 1 ? "" : "no predicate";
      case 'p':
      case 'q': return (is_register && a.bits == 1) || a.kind == PtxOperandKind::sink ? "" : "no predicate";
      case 'V':
      case 'e':
      case 'E': {
        if (a.kind != PtxOperandKind::vector) {
          if (kind == 'V' && !(i.vector == 1 && is_register)) return "no registers in braces";
          if (i.vector != 1 && kind != 'V') return "no vector";
          return why_not_scalar(i, a, bits_of(i.t), kind == 'e' || kind == 'V', i.words[0] != "mov");
        }
        if (kind == 'V') return "";
        // Packs and unpacks: mov.
        const bool is_move = i.words[0] == "mov";
        if (!is_move && a.count != i.vector) return std::to_string(a.count) + " elements";
        if (is_move && a.count != 2 && a.count != 4) return std::to_string(a.count) + " elements";
        for (std::size_t part = 0; part < a.count; ++part) {
          PtxArgument& p = i.parts[a.first + part];
          const int bits = is_move ? bits_of(i.t) / a.count : bits_of(i.t);
          if (std::string why = why_not_scalar(i, p, bits, kind == 'e', !is_move); !why.empty()) return why;
        }
        return "";
      }
      default: break;
    }
    const int bits = kind == 'd' || kind == 's' || kind == 'y'                        ? bits_of(i.t)
                     : kind == 'D' || kind == 'S'                                     ? bits_of(i.u)
                     : kind == 'w' || kind == 'W'                                     ? 2 * bits_of(i.t)
                     : std::string_view("uvjkn").find(kind) != std::string_view::npos ? 32
                                                                                      : 0;
    const PtxType type = kind == 'D' || kind == 'S' ? i.u : i.t;
    return why_not_scalar(i, a, bits, writes, false, type);
  }

  // Parts of registers: one byte or half, or as many as the instruction has elements.
  static std::string why_not_part(char kind, const PtxInstruction& i, const PtxArgument& a) {
    const char last = i.words[0].back();
    const int elements = last == '2' || last == '4' ? last - '0' : 1;
    if (a.part == 0) return elements == 1 ? "no part of a register" : "";
    if (kind != 'j' && kind != 'k' && kind != 'n') return "a part of a register";
    if (elements == 1) {
      const bool one = a.picked == 1 && a.picks < (a.part == 'b' ? 4U : 2U);
      return one ? "" : "no byte and no half of a register";
    }
    const auto n = static_cast<std::uint32_t>(elements);
    bool fits = a.part == (n == 2 ? 'h' : 'b') && (kind == 'k' ? a.picked <= n : a.picked == n);
    for (unsigned k = 0; k < a.picked; ++k) {
      const std::uint32_t pick = a.picks >> (4 * k) & 15;
      // What is written is named once, from above; what is read is any of both operands' elements.
      fits = fits && pick < (kind == 'k' ? n : 2 * n) &&
             (kind != 'k' || k == 0 || pick > (a.picks >> (4 * k - 4) & 15));
    }
    return fits ? "" : n == 2 ? "no halves of a register" : "no bytes of a register";
  }

  // `wider`: a register may have more bits than the type, as those of loads.
  std::string why_not_scalar(const PtxInstruction& i, PtxArgument& a, int bits, bool writes, bool wider,
                             std::optional<PtxType> of = std::nullopt) {
    const PtxType type = of.value_or(i.t);
    if (a.kind == PtxOperandKind::sink) return writes ? "" : quoted("_");
    if (writes && a.kind != PtxOperandKind::slot) return "what cannot be written";
    if (writes && a.parameter && (operands_[a.slot].type == 'n' || !operands_[a.slot].writes))
      return operands_[a.slot].type == '?' ? "" : "%" + std::to_string(a.slot) + ", which is no output";
    if (a.kind == PtxOperandKind::constant) {
      typed_constant(a, type);
      return "";
    }
    if (a.bits == 0 || bits == 0) {
      return a.bits == 1 && bits == 0 ? "a predicate" : "";
    }
    if (a.bits == 1 || bits == 1) return a.bits == bits ? "" : bits == 1 ? "no predicate" : "a predicate";
    // Registers of 8 bits are of 16 at least.
    if (a.kind == PtxOperandKind::special && a.bits == 64 && bits == 32)
      return "a special register of 64 bits";
    if (a.kind == PtxOperandKind::special) return "";
    if (wider ? a.bits < bits : a.bits != bits)
      return "a register of " + std::to_string(a.bits) + " bits for " + std::to_string(bits);
    return "";
  }
  static void typed_constant(PtxArgument& a, PtxType type) {
    if (a.literal == 'i') return;
    const auto value = static_cast<std::uint64_t>(a.value);
    if (type == PtxType::f64 && a.literal == 'f') {
      a.value = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(
          static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value)))));
      a.literal = 'd';
    } else if (type != PtxType::none && ptx_bits(type) == 32 && a.literal == 'd') {
      a.value = static_cast<std::int64_t>(
          std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(value))));
      a.literal = 'f';
    }
  }

  static std::string why_not_together(const PtxInstruction& i);

  std::string_view text_;
  const PtxOperand* operands_;
  std::size_t count_;
  std::size_t at_ = 0;
  std::vector<Scope> scopes_{};
  std::string label_{};
  PtxProgramPointer program_{};
};

// What depends on several operands: numbers of registers, by the shape, and signs.
std::string PtxParser::why_not_together(const PtxInstruction& i) {
  const auto count = [&](std::size_t k) {
    return static_cast<int>(i.arguments[k].kind == PtxOperandKind::vector ? i.arguments[k].count : 1);
  };
  const auto check = [&](std::size_t k, int wanted) {
    return count(k) == wanted ? std::string()
                              : std::to_string(count(k)) + " registers, not " + std::to_string(wanted) +
                                    ", as operand " + std::to_string(k + 1);
  };
  const auto registers = [](int elements, PtxType type) {
    const int bits = ptx_bits(type);
    return bits >= 32 ? elements : elements * bits / 32;
  };
  const std::string& name = i.words[0];
  if (name == "ldmatrix") return check(0, i.vector);
  if (name == "stmatrix") return check(1, i.vector);
  if (name == "red" && i.vector > 1) return check(1, i.vector);
  if (name == "mma") {
    const PtxType d = i.t, a = i.u, b = i.v, c = i.w;
    if (d != c) return "C and D of different types";
    const int m = i.m, n = i.n, k = i.k;
    std::string why = check(0, registers(m * n / 32, d));
    if (why.empty()) why = check(1, registers(m * k / 32, a));
    if (why.empty()) why = check(2, registers(k * n / 32, b));
    if (why.empty()) why = check(3, registers(m * n / 32, c));
    return why;
  }
  if (name == "vmad" && i.arguments[1].minus != i.arguments[2].minus && i.arguments[3].minus)
    return "a product and an addend that are both negated";
  if (name == "vmad" && i.arguments[3].part != 0) return "a part of a register as operand 4";
  if (name == "wgmma" && i.n != 0) {
    std::string why = check(0, registers(i.n / 2, i.t));
    if (why.empty() && i.arguments[1].kind == PtxOperandKind::vector) why = check(1, 4);
    return why;
  }
  return "";
}

}  // namespace

PtxProgramPointer parse_ptx(std::string_view text, const PtxOperand* operands, std::size_t count,
                            PtxError& error) {
  try {
    return PtxParser(text, operands, count).parse();
  } catch (PtxError& e) {
    error = std::move(e);
    return nullptr;
  }
}

const PtxProgram& ptx_program(const char* text, const char* file, int line, const PtxOperand* operands,
                              std::size_t count) {
  PtxError error;
  PtxProgramPointer program = parse_ptx(text, operands, count, error);
  if (program == nullptr) {
    program.reset(new PtxProgram);
    program->error = InputError(file, "line " + std::to_string(line), error.expected, error.found).what();
  }
  return *program.release();  // for ever
}

}  // namespace assay::simt
