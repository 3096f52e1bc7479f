// Owns the parser of Tile IR's text form: text to Storage, with the line and column of the first mistake.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tessera/ir/lexer.hpp"
#include "tessera/ir/text.hpp"
#include "tessera/ir/verify.hpp"

TESSERA_BEGIN
namespace ir {

/// What `parse` gives: a program, or a message.
struct Parsed {
  Storage program;
  Chars
      error;  ///< one sentence with its place, such as "line 3, column 14: there is no axis Q"; empty where all is well
  int line = 0, column = 0;
  constexpr explicit operator bool() const { return error.empty(); }
};

/// Longer texts are refused.
inline constexpr std::size_t max_text = std::size_t{1} << 26;

namespace detail {

class Parser {
  // Templates come first: clang evaluates only what it has seen the body of.
  // A name with its number where the name alone does not tell. `declared`: the entry that is being declared, or −1.
  template <class T>
  constexpr std::int32_t reference(const T& table, const char* what, std::int32_t declared = -1) {
    const Token at = token();
    const std::int32_t n = name();
    if (!good()) return 0;
    const bool numbered = accept('.');
    const std::int32_t id = numbered ? small_number() : -1;
    if (!good()) return 0;
    if (declared >= 0) {
      if (numbered && id != declared) fail(at, Chars("it is number ") + number(declared) + ", not " + number(id));
      return n;
    }
    std::int32_t found = -1, count = 0;
    if (numbered && static_cast<std::size_t>(id) < table.size() && table[static_cast<std::size_t>(id)].name == n)
      found = id, count = 1;
    if (!numbered)
      for (std::size_t i = 0; i < table.size(); ++i)
        if (n >= 0 && table[i].name == n) found = static_cast<std::int32_t>(i), ++count;
    if (count == 1) return found;
    fail(at, count > 1 ? Chars("this name is shared: add a number, as in x.3") : Chars("there is no such ") + what);
    return 0;
  }
  template <class F>
  constexpr void list(F entry) {
    do entry();
    while (accept(','));
    expect_line_end();
  }

 public:
  constexpr explicit Parser(std::string_view text) : lexer_(text) {}

  constexpr Parsed run(bool check) {
    header();
    while (good() && !end()) node();
    if (good()) finish_lines();
    if (good() && check)
      if (const Defect d = verify(out_.program.view())) {
        out_.line = d.node >= 0 ? node_lines_[static_cast<std::size_t>(d.node)] : 0;
        out_.error = d.node >= 0 ? "line " + number(out_.line) + ": " + d.text : d.text;
      }
    if (!good()) out_.program = Storage();
    return static_cast<Parsed&&>(out_);
  }

 private:
  constexpr bool good() const { return out_.error.empty(); }
  constexpr void fail(const Chars& what) { fail(token(), what); }
  constexpr void fail(const Token& at, const Chars& what) {
    if (!good()) return;
    out_.line = at.line;
    out_.column = at.column;
    out_.error = "line " + number(at.line) + ", column " + number(at.column) + ": " +
                 (at.kind == TokenKind::bad ? Chars(at.text) : what);
  }

  // Tokens. After a mistake the parser asks no further: every loop tests good().
  constexpr const Token& token() const { return lexer_.token(); }
  constexpr bool end() const { return token().kind == TokenKind::end; }
  constexpr bool at_word(std::string_view w) const { return token().kind == TokenKind::word && token().text == w; }
  constexpr bool at_symbol(char c) const { return token().kind == TokenKind::symbol && token().text[0] == c; }
  constexpr bool accept(char c) {
    if (!good() || !at_symbol(c)) return false;
    lexer_.next();
    return true;
  }
  constexpr bool accept(std::string_view w) {
    if (!good() || !at_word(w)) return false;
    lexer_.next();
    return true;
  }
  constexpr void expect(char c) {
    const char text[] = {'e', 'x', 'p', 'e', 'c', 't', 'e', 'd', ' ', c, 0};
    if (!accept(c)) fail(text);
  }
  constexpr void expect_line_end() {
    if (!good() || end()) return;
    if (token().kind == TokenKind::newline)
      lexer_.next();
    else
      fail("expected the end of the line");
  }
  constexpr std::string_view word(const char* what) {
    if (!good()) return {};
    if (token().kind != TokenKind::word) {
      fail(Chars("expected ") + what);
      return {};
    }
    const std::string_view w = token().text;
    lexer_.next();
    return w;
  }
  constexpr std::uint64_t unsigned_number(std::uint64_t most) {
    if (!good()) return 0;
    const Token t = token();
    if (t.kind != TokenKind::number)
      fail("expected a number");
    else if (t.value > most)
      fail("the number is more than " + number(most));
    else
      lexer_.next();
    return good() ? t.value : 0;
  }
  constexpr std::int32_t small_number() { return static_cast<std::int32_t>(unsigned_number(0x7fffffff)); }

  // A quoted text, a word, or - for no name; interned.
  constexpr std::int32_t name() {
    if (accept('-')) return -1;
    Chars text;
    if (!good()) return -1;
    if (token().kind == TokenKind::word)
      text += token().text;
    else if (token().kind != TokenKind::string)
      fail("expected a name");
    else if (!Lexer::unescape(token().text, text))
      fail("the text has an unknown escape");
    if (!good()) return -1;
    const Token at = token();
    lexer_.next();
    Storage& s = out_.program;
    const Program p = s.view();
    for (std::size_t i = 0; i < s.names.size(); ++i)
      if (p.str(static_cast<std::int32_t>(i)) == text.view()) return static_cast<std::int32_t>(i);
    if (s.names.size() >= max_tables) fail(at, "more than " + number(max_tables) + " names");
    s.names.push_back({static_cast<std::int32_t>(s.text.size()), static_cast<std::int32_t>(text.size())});
    for (char c : text.view()) s.text.push_back(c);
    return static_cast<std::int32_t>(s.names.size()) - 1;
  }

  constexpr Extent extent_value() {
    Extent e;
    const Token at = token();
    e.base = name();
    if (good() && e.base < 0) fail(at, "an extent has a name");
    if (accept('+'))
      e.plus = small_number();
    else if (accept('-'))
      e.plus = -small_number();
    if (accept('/')) e.divide = small_number();
    return e;
  }
  constexpr std::int32_t extent() {
    const Token at = token();
    const Extent e = extent_value();
    if (!good()) return 0;
    const std::vector<Extent>& all = out_.program.extents;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] == e) return static_cast<std::int32_t>(i);
    fail(at, "there is no such extent");
    return 0;
  }
  constexpr DType type() {
    DType t{};
    const Token at = token();
    if (!parse_dtype(word("an element type"), t)) fail(at, "there is no such element type");
    return t;
  }
  constexpr int one_of(std::span<const std::string_view> names, const char* what) {
    const Token at = token();
    const std::string_view w = word(what);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == w) return static_cast<int>(i);
    fail(at, Chars("expected ") + what);
    return 0;
  }

  constexpr void header() {
    if (!accept("tessera_ir")) fail("expected tessera_ir 1");
    if (good() && unsigned_number(1) != 1) fail("expected tessera_ir 1");
    expect_line_end();
    if (!accept("kernel")) fail("expected kernel and its name");
    kernel_name();
    expect_line_end();
    if (accept("extents")) list([&] { extent_entry(); });
    if (accept("tunables")) list([&] { tunable_entry(); });
    while (accept("arg")) argument();
    while (accept("axis")) axis();
    resolve_parents();
    if (!accept("body")) fail("expected arg, axis or body");
    expect_line_end();
  }
  constexpr void kernel_name() {
    Chars text;
    if (!good()) return;
    if (token().kind != TokenKind::string || !Lexer::unescape(token().text, text))
      fail("expected the kernel's name in quotes");
    else
      lexer_.next();
    for (char c : text.view()) out_.program.kernel_name.push_back(c);
  }
  constexpr void extent_entry() {
    const Token at = token();
    const Extent e = extent_value();
    if (out_.program.extents.size() >= max_extents) fail(at, "too many extents");
    out_.program.extents.push_back(e);
  }
  constexpr void tunable_entry() {
    std::vector<Tunable>& all = out_.program.tunables;
    if (all.size() >= max_tables) fail("too many tunables");
    all.push_back({reference(all, "tunable", static_cast<std::int32_t>(all.size()))});
  }
  constexpr void argument() {
    Storage& s = out_.program;
    if (s.args.size() >= max_tables) fail("too many arguments");
    Arg a;
    a.effect = static_cast<Effect>(one_of(effect_names, "an effect, such as in or out"));
    a.type = type();
    a.name = reference(s.args, "argument", static_cast<std::int32_t>(s.args.size()));
    a.first_extent = static_cast<std::int32_t>(s.arg_extents.size());
    if (accept('[')) {
      do {
        if (a.rank >= max_rank) fail("an array has at most 8 axes");
        s.arg_extents.push_back(extent());
        ++a.rank;
      } while (accept(','));
      expect(']');
    }
    a.accumulated = accept("accumulated");
    if (accept("align")) a.place.alignment = small_number();
    if (accept("swizzle")) a.place.swizzle = small_number();
    expect_line_end();
    if (good()) s.args.push_back(a);
  }
  constexpr void axis() {
    Storage& s = out_.program;
    if (s.axes.size() >= static_cast<std::size_t>(max_axes)) fail("more than 256 axes");
    Axis a;
    a.name = reference(s.axes, "axis", static_cast<std::int32_t>(s.axes.size()));
    a.kind = static_cast<AxisKind>(one_of(axis_kind_names, "where the axis comes from, such as grid or loop"));
    expect('%');
    a.node = small_number();
    if (accept("extent")) a.extent = extent();
    Parent parent;
    if (accept("parent")) {
      parent.at = token();
      parent.name = name();
      if (accept('.')) parent.number = small_number();
      parent.given = true;
    }
    expect_line_end();
    if (!good()) return;
    s.axes.push_back(a);
    parents_.push_back(parent);
  }
  // A parent may be declared after its child.
  constexpr void resolve_parents() {
    std::vector<Axis>& axes = out_.program.axes;
    for (std::size_t i = 0; i < parents_.size() && good(); ++i) {
      const Parent& p = parents_[i];
      if (!p.given) continue;
      for (std::size_t j = 0; j < axes.size(); ++j)
        if (p.number == static_cast<std::int32_t>(j) || (p.number < 0 && axes[j].name == p.name))
          axes[i].parent = static_cast<std::int32_t>(j);
      if (axes[i].parent < 0 || axes[static_cast<std::size_t>(axes[i].parent)].name != p.name)
        fail(p.at, "there is no such axis");
    }
  }

  constexpr void node() {
    Storage& s = out_.program;
    if (token().kind == TokenKind::newline) return lexer_.next();
    if (s.nodes.size() >= static_cast<std::size_t>(max_nodes)) return fail("too many nodes");
    const Token at = token();
    bool numbered = false;
    if (accept('%')) {
      const std::int32_t id = small_number();
      if (good() && static_cast<std::size_t>(id) != s.nodes.size()) fail(at, "this is node %" + number(s.nodes.size()));
      expect('=');
      numbered = true;
    }
    Node n;
    operation(n);
    if (good() && numbered && !has_value(n.op)) fail(at, Chars(info(n.op).text) + " has no value");
    DType t{};
    if (good() && token().kind == TokenKind::word && parse_dtype(token().text, t)) {
      n.type = t;
      lexer_.next();
      if (accept('[')) {
        do {
          if (n.rank >= max_rank) fail("a tile has at most 8 axes");
          const auto id = static_cast<std::uint8_t>(reference(s.axes, "axis"));
          if (good()) n.axes[n.rank++] = id;
        } while (accept(','));
        expect(']');
      }
    }
    n.first = static_cast<std::int32_t>(s.operands.size());
    operands(n);
    if (accept('{'))
      fields(n);
    else if (good() && needs_fields(n.op))
      fail(Chars(info(n.op).text) + " needs {" + imm_fields(n.op).field[0].label + " …}");
    for (int k = 0; k < 3; ++k)
      if (accept(flag_names[k])) n.flags |= static_cast<std::uint8_t>(1 << k);
    std::uint32_t line = 0;
    if (accept('@')) {
      line = static_cast<std::uint32_t>(unsigned_number(0xffffffff));
      has_lines_ = true;
    }
    expect_line_end();
    if (!good()) return;
    s.nodes.push_back(n);
    s.lines.push_back(line);
    node_lines_.push_back(at.line);
  }
  constexpr void operation(Node& n) {
    const Token at = token();
    const std::string_view w = word("an operation");
    for (int i = 0; i < op_count && good(); ++i)
      if (op_table[i].text == w) {
        n.op = static_cast<Op>(i);
        return;
      }
    fail(at, "there is no such operation");
  }
  constexpr void operands(Node& n) {
    if (!at_symbol('%')) return;
    do {
      expect('%');
      const std::int32_t id = small_number();
      if (n.count == 0xffff) fail("too many operands");
      if (!good()) return;
      out_.program.operands.push_back(id);
      ++n.count;
    } while (accept(','));
  }
  static constexpr bool needs_fields(Op op) {
    const ImmFields all = imm_fields(op);
    return all.count != 0 && all.field[0].kind != FieldKind::rounding;
  }
  constexpr void fields(Node& n) {
    const ImmFields all = imm_fields(n.op);
    if (accept("imm")) {
      n.imm = static_cast<std::int64_t>(unsigned_number(~std::uint64_t{0}));
      return expect('}');
    }
    if (all.count == 0) fail(Chars(info(n.op).text) + " has no fields");
    for (int k = 0; k < all.count && good(); ++k) {
      const ImmField& f = all.field[static_cast<std::size_t>(k)];
      if (k != 0) expect(',');
      if (!accept(f.label)) fail(Chars("expected ") + f.label);
      if (good()) n.imm = f.set(n.imm, field(f));
    }
    expect('}');
  }
  constexpr std::uint64_t field(const ImmField& f) {
    const Program p = out_.program.view();
    const Token at = token();
    const auto index = [](std::int32_t i) { return static_cast<std::uint64_t>(i); };
    switch (f.kind) {
      case FieldKind::bits:
      case FieldKind::number:
        return unsigned_number(f.mask());
      case FieldKind::axis:
        return index(reference(p.axes, "axis"));
      case FieldKind::arg:
        return index(reference(p.args, "argument"));
      case FieldKind::extent:
        return index(extent());
      case FieldKind::tunable:
        return index(reference(p.tunables, "tunable"));
      case FieldKind::string:
        if (at.kind != TokenKind::string) fail("expected a text in quotes");
        return index(good() ? name() : 0);
      default:
        return index(one_of(value_names(f.kind), "one of the field's values"));
    }
  }
  constexpr void finish_lines() {
    if (!has_lines_) out_.program.lines.clear();
  }

  struct Parent {
    bool given = false;
    Token at;
    std::int32_t name = -1, number = -1;
  };

  Lexer lexer_;
  Parsed out_;
  std::vector<Parent> parents_;
  std::vector<int> node_lines_;
  bool has_lines_ = false;
};

}  // namespace detail

/// Reads a program from its text. With `check` (the default) it is verified too, so that what comes back is sound.
/// Never fails otherwise than by a message, whatever the text is; sizes are bounded.
constexpr Parsed parse(std::string_view text, bool check = true) {
  if (text.size() > max_text) {
    Parsed p;
    p.error = "the text is longer than " + number(max_text) + " bytes";
    return p;
  }
  return detail::Parser(text).run(check);
}

}  // namespace ir
TESSERA_END
