// Owns the parser of Loop IR. Over 600 lines because it is one class over one stream of tokens: a function for each
// kind of declaration and a case for each kind of line.
#include "jit/loop/parse.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>

#include "jit/loop/lexer.hpp"

TESSERA_BEGIN
namespace loop {
namespace {

using namespace detail;

constexpr int deepest = 64;                      // regions within regions
constexpr std::int64_t largest_value = 1 << 22;  // a number that names a value
constexpr Value first_named = 1 << 24;           // while a function is read, values with names count from here

struct Failure {
  std::string why;
  int line, column;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { next(); }

  Parsed run() {
    Parsed out;
    try {
      program();
      out.ok = true;
    } catch (const Failure& f) {
      out.line = f.line, out.column = f.column;
      out.error = std::to_string(f.line) + ":" + std::to_string(f.column) + ": " + f.why;
    }
    out.program = std::move(p_);
    return out;
  }

 private:
  // ---- tokens ----
  void next() { t_ = lexer_.next(); }
  [[noreturn]] void fail(const std::string& why) const { fail(why, t_); }
  [[noreturn]] void fail(const std::string& why, const Token& at) const {
    throw Failure{at.kind == Token::bad ? at.text : why, at.line, at.column};
  }
  [[noreturn]] void expected(const std::string& what) const {
    fail("expected " + what + (t_.kind == Token::end ? ", not the end" : ", not `" + t_.text.substr(0, 40) + "`"));
  }
  bool is(std::string_view punct) const { return t_.kind == Token::punct && t_.text == punct; }
  bool is_word(std::string_view word) const { return t_.kind == Token::word && t_.text == word; }
  bool accept(std::string_view punct) { return is(punct) ? (next(), true) : false; }
  bool accept_word(std::string_view word) { return is_word(word) ? (next(), true) : false; }
  void want(std::string_view punct) {
    if (!accept(punct)) expected("`" + std::string(punct) + "`");
  }
  void want_word(std::string_view word) {
    if (!accept_word(word)) expected("`" + std::string(word) + "`");
  }

  std::string name(const char* what) {
    if (t_.kind != Token::word && t_.kind != Token::string) expected(what);
    if (DType t; t_.kind == Token::word && parse_dtype(t_.text, t)) expected(what);
    std::string n = std::move(t_.text);
    next();
    return n;
  }
  std::int64_t integer(const char* what) {
    if (t_.kind != Token::number) expected(what);
    const std::int64_t v = integer_of(t_);
    next();
    return v;
  }
  std::int64_t integer_of(const Token& t) const {
    const char* s = t.text.c_str();
    char* end = nullptr;
    errno = 0;
    if (t.text.starts_with("0x")) {
      const unsigned long long u = std::strtoull(s, &end, 16);
      if (*end || errno) fail("`" + t.text.substr(0, 40) + "` is no 64-bit number", t);
      return static_cast<std::int64_t>(u);
    }
    const long long v = std::strtoll(s, &end, 10);
    if (*end || errno) fail("`" + t.text.substr(0, 40) + "` is no 64-bit integer", t);
    return v;
  }
  std::int32_t small(const char* what) {
    const Token t = t_;
    const std::int64_t v = integer(what);
    if (v < INT32_MIN || v > INT32_MAX) fail("`" + t.text + "` is too large", t);
    return static_cast<std::int32_t>(v);
  }
  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> v;
    want("[");
    while (!is("]")) {
      if (!v.empty()) want(",");
      v.push_back(integer("an integer"));
    }
    next();
    return v;
  }

  // A reference to an entry of a list by name, or by name#number where names repeat.
  template <class T>
  std::int32_t reference(const std::vector<T>& items, const char* what) {
    const Token at = t_;
    const std::string n = name(what);
    if (accept("#")) {
      const std::int64_t i = integer("a number");
      if (i < 0 || i >= static_cast<std::int64_t>(items.size()))
        fail("there is no " + std::string(what) + " " + n + "#" + std::to_string(i), at);
      return static_cast<std::int32_t>(i);
    }
    for (std::size_t i = 0; i < items.size(); ++i)
      if (items[i].name == n) return static_cast<std::int32_t>(i);
    fail("there is no " + std::string(what) + " `" + n + "`", at);
  }

  bool at_type() const {
    DType t;
    return t_.kind == Token::word && parse_dtype(t_.text, t);
  }
  Type type() {
    Type t{DType::i64, 1, -1};
    if (t_.kind != Token::word || !parse_dtype(t_.text, t.elem)) expected("a type");
    next();
    if (accept("@")) {
      t.layout = static_cast<std::int16_t>(reference(p_.layouts, "layout"));
    } else if (accept("<")) {
      const std::int64_t lanes = integer("a number of lanes");
      if (lanes < 1 || lanes > UINT16_MAX) fail("a vector has 1 to 65535 lanes");
      t.lanes = static_cast<std::uint16_t>(lanes);
      want(">");
    }
    return t;
  }

  // ---- the program ----
  void program() {
    want_word("program");
    p_.name = name("the program's name");
    want_word("machine");
    p_.machine = name("the machine's name");
    while (t_.kind != Token::end) {
      if (accept_word("attribute")) {
        std::string n = name("a name");
        p_.attributes.emplace_back(std::move(n), integer("an integer"));
      } else if (accept_word("layout")) {
        layout();
      } else if (accept_word("buffer")) {
        buffer();
      } else if (accept_word("channel")) {
        channel();
      } else if (const int kind = t_.kind == Token::word ? find_name(kind_names, t_.text) : -1; kind >= 0) {
        next();
        function(static_cast<FunctionKind>(kind));
      } else {
        expected("attribute, layout, buffer, channel, entry, helper or host");
      }
    }
  }

  void layout() {
    if (p_.layouts.size() >= INT16_MAX) fail("there are too many layouts");
    Layout l;
    l.name = name("a name");
    for (std::int64_t n : integers()) {
      if (n < 1 || n > INT32_MAX) fail("a dimension's extent is positive");
      l.shape.push_back(static_cast<std::int32_t>(n));
    }
    if (accept(":")) {
      do {
        Factor f;
        const int place = t_.kind == Token::word ? find_name(place_names, t_.text) : -1;
        if (place < 0) expected("registers, lane, warp, element_x or element_y");
        next();
        f.place = static_cast<Place>(place);
        if (t_.kind != Token::word || t_.text.size() != 2 || t_.text[0] != 'd' || t_.text[1] < '0' || t_.text[1] > '3')
          expected("a dimension d0 to d3");
        f.dim = static_cast<std::uint8_t>(t_.text[1] - '0');
        next();
        f.size = small("a size");
        want_word("by");
        f.stride = small("a stride");
        l.factors.push_back(f);
      } while (accept(","));
    }
    p_.layouts.push_back(std::move(l));
  }

  void buffer() {
    Buffer b;
    b.name = name("a name");
    if (!at_type()) expected("an element type");
    b.elem = type().elem;
    const int space = t_.kind == Token::word ? find_name(space_names, t_.text) : -1;
    if (space < 0) expected("global, scratch, shared, registers or local");
    next();
    b.space = static_cast<Space>(space);
    if (is("[")) b.shape = integers();
    for (;;) {
      if (accept_word("word"))
        b.word = small("a frame word");
      else if (accept_word("align"))
        b.align = small("bytes");
      else if (accept_word("swizzle"))
        b.swizzle = small("bytes");
      else if (accept_word("read_only"))
        b.read_only = true;
      else if (accept_word("may_alias"))
        b.no_alias = false;
      else
        break;
    }
    p_.buffers.push_back(std::move(b));
  }

  void channel() {
    Channel c;
    c.name = name("a name");
    for (;;) {
      if (accept_word("depth"))
        c.depth = small("a number of slots");
      else if (accept_word("producers"))
        c.producers = small("a number of arrivals");
      else if (accept_word("consumers"))
        c.consumers = small("a number of arrivals");
      else if (accept_word("bytes"))
        c.bytes = small("bytes");
      else if (accept_word("colour"))
        c.colour = small("a colour");
      else
        break;
    }
    p_.channels.push_back(std::move(c));
  }

  // ---- functions ----
  void function(FunctionKind kind) {
    f_ = {};
    names_.clear();
    undo_.clear();
    named_.clear();
    taken_.clear();
    f_.kind = kind;
    f_.name = name("the function's name");
    want("(");
    while (!is(")")) {
      if (!f_.body.params.empty()) want(",");
      const Token at = t_;
      want_value();
      want(":");
      f_.body.params.push_back(define(at, type()));
    }
    next();
    if (accept("->")) do {
        f_.result_types.push_back(type());
      } while (accept(","));
    body(f_.body);
    number();
    p_.functions.push_back(std::move(f_));
  }

  void want_value() {
    if (t_.kind != Token::value) expected("a value");
    next();
  }

  Value define(const Token& at, const Type& t) {
    if (at.text[0] >= '0' && at.text[0] <= '9') {
      const std::int64_t n = integer_of(at);
      if (n < 0 || n >= largest_value) fail("%" + at.text + " is beyond what a function can have", at);
      if (!taken_.insert(static_cast<Value>(n)).second) fail("%" + at.text + " is defined twice", at);
      if (f_.types.size() <= static_cast<std::size_t>(n)) f_.types.resize(static_cast<std::size_t>(n) + 1);
      f_.types[static_cast<std::size_t>(n)] = t;
      bind(std::to_string(n), static_cast<Value>(n));
      return static_cast<Value>(n);
    }
    if (names_.contains(at.text)) fail("%" + at.text + " is defined already", at);
    const auto v = static_cast<Value>(first_named + static_cast<Value>(named_.size()));
    named_.push_back(t);
    bind(at.text, v);
    return v;
  }
  void bind(const std::string& n, Value v) {
    names_[n] = v;
    undo_.push_back(n);
  }
  Value use() {
    if (t_.kind != Token::value) expected("a value");
    std::string n = t_.text;
    if (n[0] >= '0' && n[0] <= '9') n = std::to_string(integer_of(t_));
    const auto it = names_.find(n);
    if (it == names_.end()) fail("%" + n.substr(0, 40) + " is not defined here");
    next();
    return it->second;
  }
  const Type& type_of(Value v) const {
    return v >= first_named ? named_[static_cast<std::size_t>(v - first_named)] : f_.types[static_cast<std::size_t>(v)];
  }
  void uses(std::vector<Value>& out, std::string_view close) {
    while (!is(close)) {
      if (!out.empty()) want(",");
      out.push_back(use());
    }
    next();
  }
  void more(std::vector<Value>& out) {
    while (accept(",")) out.push_back(use());
  }

  // Gives values with names the free numbers, in the order of their definitions.
  void number() {
    std::vector<Value> final_number(named_.size());
    Value n = 0;
    for (std::size_t i = 0; i < named_.size(); ++i) {
      while (taken_.contains(n)) ++n;
      if (f_.types.size() <= static_cast<std::size_t>(n)) f_.types.resize(static_cast<std::size_t>(n) + 1);
      f_.types[static_cast<std::size_t>(n)] = named_[i];
      final_number[i] = n++;
    }
    renumber(f_.body, final_number);
  }
  static void renumber(Region& r, const std::vector<Value>& to) {
    const auto change = [&](std::vector<Value>& vs) {
      for (Value& v : vs)
        if (v >= first_named) v = to[static_cast<std::size_t>(v - first_named)];
    };
    change(r.params);
    for (Inst& i : r.body) {
      change(i.results), change(i.operands);
      for (Region& inner : i.regions) renumber(inner, to);
    }
  }

  // Opens a scope of names, which `close` forgets.
  std::size_t open() const { return undo_.size(); }
  void close(std::size_t mark) {
    while (undo_.size() > mark) {
      names_.erase(undo_.back());
      undo_.pop_back();
    }
  }

  void body(Region& r) {
    if (++depth_ > deepest) fail("regions are nested too deep");
    want("{");
    while (!is("}")) {
      if (!r.body.empty() && r.body.back().op == Op::yield) fail("nothing follows a yield");
      r.body.push_back(instruction());
    }
    next();
    if (r.body.empty() || r.body.back().op != Op::yield) {
      Inst y;
      y.op = Op::yield;
      r.body.push_back(std::move(y));
    }
    --depth_;
  }

  Inst instruction() {
    std::vector<Token> results;
    const Token start = t_;
    if (t_.kind == Token::value) {
      do {
        results.push_back(t_);
        want_value();
      } while (accept(","));
      want("=");
    }
    const Token at = t_;
    if (t_.kind != Token::word) expected("an instruction");
    Inst i;
    std::string_view spelled = at.text;
    const auto dot = spelled.find('.');
    const int op = find_name(op_names, spelled.substr(0, dot));
    if (op < 0) fail("`" + std::string(spelled.substr(0, 40)) + "` is no instruction");
    i.op = static_cast<Op>(op);
    while (spelled.find('.') != std::string_view::npos) {
      spelled = spelled.substr(spelled.find('.') + 1);
      const std::string_view flag = spelled.substr(0, spelled.find('.'));
      const auto* f =
          std::find_if(std::begin(flag_names), std::end(flag_names), [&](const FlagName& n) { return n.name == flag; });
      if (f == std::end(flag_names)) fail("`" + std::string(flag.substr(0, 40)) + "` is no flag");
      i.flags |= f->flag;
    }
    next();
    std::vector<Type> types;
    if (at_type()) do {
        types.push_back(type());
      } while (accept(","));
    rest(i, types);
    if (types.size() != results.size())
      fail("`" + at.text + "` has " + std::to_string(types.size()) + " results, " + std::to_string(results.size()) +
               " are named",
           start);
    for (std::size_t k = 0; k < results.size(); ++k) i.results.push_back(define(results[k], types[k]));
    return i;
  }

  // (%param = %init, …): declares the parameters after the operands are read.
  void carried(Inst& i, Region& r, std::vector<Type>& types, bool elements) {
    if (!accept("(")) return;
    std::vector<Token> params;
    std::vector<Value> inits;
    while (!is(")")) {
      if (!params.empty()) want(",");
      params.push_back(t_);
      want_value();
      want("=");
      inits.push_back(use());
    }
    next();
    for (std::size_t k = 0; k < params.size(); ++k) {
      Type t = type_of(inits[k]);
      if (elements)
        t = {t.elem, 1, -1};
      else
        types.push_back(t);
      r.params.push_back(define(params[k], t));
      i.operands.push_back(inits[k]);
    }
  }

  void rest(Inst& i, std::vector<Type>& types) {
    const std::size_t mark = open();
    switch (form(i.op)) {
      case Form::plain:
        if (t_.kind == Token::value && !starts_instruction()) {
          i.operands.push_back(use());
          more(i.operands);
        }
        if (i.op == Op::cast) {
          int rounding = t_.kind == Token::word && !is_word("standard") ? find_name(rounding_names, t_.text) : -1;
          if (rounding > 0) next();
          const int saturation =
              t_.kind == Token::word && !is_word("standard") ? find_name(saturation_names, t_.text) : -1;
          if (saturation > 0) next();
          if (!is_word("imm")) i.imm = {std::max(rounding, 0) | std::max(saturation, 0) << 8};
        }
        break;
      case Form::constant: {
        if (types.size() != 1) fail("a constant has one type");
        if (t_.kind != Token::number) expected("a number");
        if (info(types[0].elem).is_floating() && !t_.text.starts_with("0x")) {
          char* end = nullptr;
          const double v = std::strtod(t_.text.c_str(), &end);
          if (*end) fail("`" + t_.text.substr(0, 40) + "` is no number");
          i.imm = {static_cast<std::int64_t>(bits_from_double(types[0].elem, v))};
          next();
        } else {
          i.imm = {integer("an integer")};
        }
        break;
      }
      case Form::word:
        i.imm = {integer("the number of a frame word")};
        break;
      case Form::memory: {
        if (i.op == Op::atomic && t_.kind == Token::word) {
          const int kind = find_name(atomic_names, t_.text);
          if (kind >= 0) {
            next();
            i.imm = {kind, scope()};
          }
        }
        i.buffer = reference(p_.buffers, "buffer");
        want("[");
        uses(i.operands, "]");
        more(i.operands);
        break;
      }
      case Form::buffer:
        i.buffer = reference(p_.buffers, "buffer");
        more(i.operands);
        break;
      case Form::text:
        if (t_.kind != Token::string) expected("a text in quotes");
        i.text = t_.text;
        next();
        more(i.operands);
        break;
      case Form::call:
        i.text = name("a function's name");
        want("(");
        uses(i.operands, ")");
        break;
      case Form::channel:
        i.buffer = reference(p_.channels, "channel");
        want("[");
        uses(i.operands, "]");
        break;
      case Form::loop: {
        const Token iv = t_;
        want_value();
        want("=");
        i.operands.push_back(use());
        want_word("to");
        i.operands.push_back(use());
        want_word("step");
        i.operands.push_back(use());
        i.regions.emplace_back();
        Region r;
        r.params.push_back(define(iv, {DType::i64, 1, -1}));
        carried(i, r, types, false);
        body(r);
        i.regions[0] = std::move(r);
        break;
      }
      case Form::repeat: {
        Region test, work;
        carried(i, test, types, false);
        body(test);
        close(mark);
        want_word("do");
        if (accept("(")) {
          while (!is(")")) {
            if (!work.params.empty()) want(",");
            const Token at = t_;
            want_value();
            if (work.params.size() >= types.size()) fail("`do` has more parameters than the loop carries", at);
            work.params.push_back(define(at, types[work.params.size()]));
          }
          next();
        }
        body(work);
        i.regions.push_back(std::move(test));
        i.regions.push_back(std::move(work));
        break;
      }
      case Form::branch: {
        i.operands.push_back(use());
        Region then, other;
        body(then);
        close(mark);
        if (accept_word("else")) {
          body(other);
        } else {
          Inst y;
          y.op = Op::yield;
          other.body.push_back(std::move(y));
        }
        i.regions.push_back(std::move(then));
        i.regions.push_back(std::move(other));
        break;
      }
      case Form::roles:
        while (accept_word("role")) {
          i.imm.push_back(integer("a number of warps or processing elements"));
          Region r;
          body(r);
          close(mark);
          i.regions.push_back(std::move(r));
        }
        break;
      case Form::map: {
        Region r;
        carried(i, r, types, true);
        body(r);
        i.regions.push_back(std::move(r));
        break;
      }
      case Form::mma: {
        if (t_.kind != Token::string) expected("the name of a shape in quotes");
        i.text = t_.text;
        next();
        std::vector<std::int64_t> imm{0, -1, -1, 0};
        for (int k = 0; k < 2; ++k) {
          if (t_.kind == Token::value) {
            i.operands.push_back(use());
          } else {
            imm[0] |= 1 << k;
            imm[static_cast<std::size_t>(k) + 1] = reference(p_.buffers, "buffer");
            want("[");
            i.operands.push_back(use());
            want("]");
            if (accept_word("transposed")) imm[3] |= 1 << k;
          }
          want(",");
        }
        i.operands.push_back(use());
        if (imm[0]) i.imm = imm;
        break;
      }
      case Form::copy:
        copy(i);
        break;
      case Form::transfer:
        i.buffer = reference(p_.channels, "channel");
        want(",");
        i.imm = {reference(p_.buffers, "buffer")};
        want("[");
        uses(i.operands, "]");
        more(i.operands);
        break;
      case Form::scope:
        i.imm = {scope()};
        if (i.op == Op::barrier) i.imm.push_back(integer("the barrier's number"));
        break;
      case Form::place: {
        const int place = t_.kind == Token::word ? find_name(place_names, t_.text) : -1;
        if (place < 0) expected("registers, lane, warp, element_x or element_y");
        next();
        i.imm = {place};
        break;
      }
    }
    close(mark);
    if (accept_word("imm"))
      for (std::int64_t v : integers()) i.imm.push_back(v);
  }

  int scope() {
    const int s = t_.kind == Token::word ? find_name(scope_names, t_.text) : -1;
    if (s < 0) expected("a scope: thread, warp, role, program or device");
    next();
    return s;
  }

  void copy(Inst& i) {
    i.buffer = reference(p_.buffers, "buffer");
    want("[");
    const Value to = use();
    want("]");
    want_word("from");
    i.imm = {reference(p_.buffers, "buffer"), -1};
    want("[");
    i.operands = {use(), to};
    more(i.operands);
    want("]");
    more(i.operands);
    want_word("box");
    for (std::int64_t n : integers()) i.imm.push_back(n);
    if (!accept_word("on")) return;
    i.imm[1] = reference(p_.channels, "channel");
    want("[");
    i.operands.push_back(use());
    want("]");
  }

  // An instruction without operands may be followed by one that names its results: `%a = …`, `%a, %b = …`.
  bool starts_instruction() const {
    Lexer ahead = lexer_;
    Token t = ahead.next();
    for (int n = 0; n < 64 && t.kind == Token::punct && t.text == ","; ++n) {
      if (ahead.next().kind != Token::value) return false;
      t = ahead.next();
    }
    return t.kind == Token::punct && t.text == "=";
  }

  Lexer lexer_;
  Token t_;
  Program p_;
  Function f_;
  std::map<std::string, Value> names_;
  std::vector<std::string> undo_;  // names in the order of their definitions
  std::vector<Type> named_;        // types of the values with names
  std::set<Value> taken_;          // numbers that name values
  int depth_ = 0;
};

}  // namespace

Parsed parse(std::string_view text) { return Parser(text).run(); }

}  // namespace loop
TESSERA_END
