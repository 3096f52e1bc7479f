// Owns the printer of Loop IR.
#include "jit/loop/text.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>

#include "jit/loop/spelling.hpp"

TESSERA_BEGIN
namespace loop {
namespace {

using namespace detail;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7f) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", u);
      out += hex;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string named(std::string_view name) { return is_plain_name(name) ? std::string(name) : quoted(name); }

// A number that reads back as these bits, decimal where it is exact.
std::string number(DType t, std::int64_t imm) {
  if (static_cast<int>(t) >= dtype_count || !info(t).is_floating()) return std::to_string(imm);
  const auto bits = static_cast<std::uint64_t>(imm);
  const double value = to_double(t, bits);
  if (value - value == 0 && bits_from_double(t, value) == bits) {
    char text[40];
    for (int digits = 1; digits <= 17; ++digits) {
      std::snprintf(text, sizeof text, "%.*g", digits, value);
      if (std::strtod(text, nullptr) == value) break;
    }
    std::string out = text;
    if (out.find_first_of(".e") == std::string::npos) out += ".0";
    return out;
  }
  char text[40];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(bits));
  return text;
}

class Printer {
 public:
  explicit Printer(const Program& program) : p_(program) {
    name_all(buffers_, p_.buffers);
    name_all(channels_, p_.channels);
    name_all(layouts_, p_.layouts);
  }

  std::string program() {
    out_ = "program " + named(p_.name) + " machine " + named(p_.machine) + "\n";
    for (const auto& [name, value] : p_.attributes)
      out_ += "attribute " + named(name) + " " + std::to_string(value) + "\n";
    for (const Layout& l : p_.layouts) layout(l);
    for (const Buffer& b : p_.buffers) buffer(b);
    for (const Channel& c : p_.channels) channel(c);
    for (const Function& f : p_.functions) function(f);
    return std::move(out_);
  }

  std::string line(const Function& f, const Inst& inst) {
    f_ = &f;
    brief_ = true;
    instruction(inst);
    while (!out_.empty() && out_.back() == '\n') out_.pop_back();
    return std::move(out_);
  }

  std::string type(const Type& t) const {
    std::string s = static_cast<int>(t.elem) < dtype_count ? std::string(dtype_name(t.elem)) : "?";
    if (t.layout >= 0) return s + "@" + at(layouts_, t.layout);
    return t.lanes == 1 ? s : s + "<" + std::to_string(t.lanes) + ">";
  }

 private:
  // References are names; a name that an earlier entry has too is followed by its number.
  template <class T>
  static void name_all(std::vector<std::string>& out, const std::vector<T>& items) {
    std::map<std::string, int> seen;
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::string n = named(items[i].name);
      if (seen[items[i].name]++ > 0) n += "#" + std::to_string(i);
      out.push_back(std::move(n));
    }
  }
  static std::string at(const std::vector<std::string>& names, std::int64_t i) {
    return i >= 0 && i < static_cast<std::int64_t>(names.size()) ? names[static_cast<std::size_t>(i)] : "?";
  }
  template <class T>
  static std::string list(const std::vector<T>& values) {
    std::string s = "[";
    for (std::size_t i = 0; i < values.size(); ++i) s += (i ? ", " : "") + std::to_string(values[i]);
    return s + "]";
  }

  void layout(const Layout& l) {
    out_ += "layout " + named(l.name) + " " + list(l.shape);
    for (std::size_t i = 0; i < l.factors.size(); ++i) {
      const Factor& f = l.factors[i];
      const auto place = static_cast<std::size_t>(f.place);
      out_ += (i ? ", " : ": ") + std::string(place < place_count ? place_names[place] : "?") + " d" +
              std::to_string(f.dim) + " " + std::to_string(f.size) + " by " + std::to_string(f.stride);
    }
    out_ += "\n";
  }

  void buffer(const Buffer& b) {
    const auto space = static_cast<std::size_t>(b.space);
    out_ += "buffer " + named(b.name) + " " + type({b.elem, 1, -1}) + " " +
            std::string(space < 5 ? space_names[space] : "?");
    if (!b.shape.empty()) out_ += " " + list(b.shape);
    if (b.word >= 0) out_ += " word " + std::to_string(b.word);
    if (b.align != 64) out_ += " align " + std::to_string(b.align);
    if (b.swizzle != 0) out_ += " swizzle " + std::to_string(b.swizzle);
    if (b.read_only) out_ += " read_only";
    if (!b.no_alias) out_ += " may_alias";
    out_ += "\n";
  }

  void channel(const Channel& c) {
    out_ += "channel " + named(c.name) + " depth " + std::to_string(c.depth) + " producers " +
            std::to_string(c.producers) + " consumers " + std::to_string(c.consumers);
    if (c.bytes != 0) out_ += " bytes " + std::to_string(c.bytes);
    if (c.colour != -1) out_ += " colour " + std::to_string(c.colour);
    out_ += "\n";
  }

  void function(const Function& f) {
    f_ = &f;
    const auto kind = static_cast<std::size_t>(f.kind);
    out_ += "\n" + std::string(kind < 3 ? kind_names[kind] : "?") + " " + named(f.name) + "(";
    for (std::size_t i = 0; i < f.body.params.size(); ++i)
      out_ += (i ? ", " : "") + value(f.body.params[i]) + ": " + type(type_of(f.body.params[i]));
    out_ += ")";
    for (std::size_t i = 0; i < f.result_types.size(); ++i) out_ += (i ? ", " : " -> ") + type(f.result_types[i]);
    out_ += " {\n";
    depth_ = 1;
    body(f.body);
    out_ += "}\n";
  }

  Type type_of(Value v) const {
    return v >= 0 && static_cast<std::size_t>(v) < f_->types.size() ? f_->types[static_cast<std::size_t>(v)] : Type{};
  }
  static std::string value(Value v) { return v >= 0 ? "%" + std::to_string(v) : "%?"; }
  static std::string values(const std::vector<Value>& vs, std::size_t from = 0) {
    std::string s;
    for (std::size_t i = from; i < vs.size(); ++i) s += (i > from ? ", " : "") + value(vs[i]);
    return s;
  }
  std::string operand(const Inst& i, std::size_t k) const {
    return k < i.operands.size() ? value(i.operands[k]) : "%?";
  }
  static std::int64_t imm(const Inst& i, std::size_t k) { return k < i.imm.size() ? i.imm[k] : -1; }

  // (%param = %init, …), the parameters from `first` on.
  std::string carried(const Inst& i, const Region& r, std::size_t first, std::size_t init) const {
    if (r.params.size() <= first) return "";
    std::string s = " (";
    for (std::size_t k = first; k < r.params.size(); ++k)
      s += (k > first ? ", " : "") + value(r.params[k]) + " = " + operand(i, init + k - first);
    return s + ")";
  }

  void body(const Region& r) {
    for (std::size_t i = 0; i < r.body.size(); ++i) {
      if (i + 1 == r.body.size() && r.body[i].op == Op::yield && r.body[i].operands.empty()) continue;
      out_.append(2 * static_cast<std::size_t>(depth_), ' ');
      instruction(r.body[i]);
      out_ += "\n";
    }
  }

  void region(const Region& r) {
    if (brief_) {
      out_ += " {…}";
      return;
    }
    out_ += " {\n";
    ++depth_;
    body(r);
    --depth_;
    out_.append(2 * static_cast<std::size_t>(depth_), ' ');
    out_ += "}";
  }

  static const Region& part(const Inst& i, std::size_t k) {
    static const Region none;
    return k < i.regions.size() ? i.regions[k] : none;
  }

  void instruction(const Inst& i) {
    if (!i.results.empty()) out_ += values(i.results) + " = ";
    if (static_cast<int>(i.op) >= op_count) {
      out_ += "?";
      return;
    }
    out_ += name(i.op);
    for (const FlagName& f : flag_names)
      if (i.flags & f.flag) out_ += "." + std::string(f.name);
    const Form f = form(i.op);
    if (f != Form::loop && f != Form::repeat)
      for (std::size_t k = 0; k < i.results.size(); ++k) out_ += (k ? ", " : " ") + type(type_of(i.results[k]));
    rest(i, f);
  }

  void rest(const Inst& i, Form f) {
    std::size_t imms = 0;  // that the form has shown
    switch (f) {
      case Form::plain:
        if (i.op == Op::cast) {
          out_ += " " + values(i.operands);
          const std::int64_t mode = imm(i, 0), rounding = mode & 0xff, saturation = mode >> 8;
          if (i.imm.size() == 1 && mode >= 0 && rounding < 4 && saturation < 3) {
            imms = 1;
            if (rounding) out_ += " " + std::string(rounding_names[rounding]);
            if (saturation) out_ += " " + std::string(saturation_names[saturation]);
          }
          break;
        }
        if (!i.operands.empty()) out_ += " " + values(i.operands);
        break;
      case Form::constant:
        out_ += " " + number(i.results.empty() ? DType::i64 : type_of(i.results[0]).elem, imm(i, 0));
        imms = 1;
        break;
      case Form::word:
        out_ += " " + std::to_string(imm(i, 0));
        imms = 1;
        break;
      case Form::memory: {
        if (i.op == Op::atomic && i.imm.size() == 2 && i.imm[0] >= 0 && i.imm[0] < 8 && i.imm[1] >= 0 && i.imm[1] < 5) {
          out_ += " " + std::string(atomic_names[i.imm[0]]) + " " + std::string(scope_names[i.imm[1]]);
          imms = 2;
        }
        std::size_t inside = 1;
        if (bracketed(i.op) < 0) inside = brackets(i);
        out_ += " " + at(buffers_, i.buffer) + "[";
        for (std::size_t k = 0; k < inside; ++k) out_ += (k ? ", " : "") + operand(i, k);
        out_ += "]";
        if (i.operands.size() > inside) out_ += ", " + values(i.operands, inside);
        break;
      }
      case Form::buffer:
        out_ += " " + at(buffers_, i.buffer) + (i.operands.empty() ? "" : ", ") + values(i.operands);
        break;
      case Form::text:
        out_ += " " + quoted(i.text) + (i.operands.empty() ? "" : ", ") + values(i.operands);
        break;
      case Form::call:
        out_ += " " + named(i.text) + "(" + values(i.operands) + ")";
        break;
      case Form::channel:
        out_ += " " + at(channels_, i.buffer) + "[" + values(i.operands) + "]";
        break;
      case Form::loop:
        out_ += " " + (part(i, 0).params.empty() ? "%?" : value(part(i, 0).params[0])) + " = " + operand(i, 0) +
                " to " + operand(i, 1) + " step " + operand(i, 2) + carried(i, part(i, 0), 1, 3);
        region(part(i, 0));
        break;
      case Form::repeat:
        out_ += carried(i, part(i, 0), 0, 0);
        region(part(i, 0));
        out_ += " do";
        if (!part(i, 1).params.empty()) out_ += " (" + values(part(i, 1).params) + ")";
        region(part(i, 1));
        break;
      case Form::branch: {
        out_ += " " + operand(i, 0);
        region(part(i, 0));
        const Region& other = part(i, 1);
        const bool empty = other.body.size() == 1 && other.body[0].op == Op::yield && other.body[0].operands.empty();
        if (!empty && i.regions.size() > 1) out_ += " else", region(other);
        break;
      }
      case Form::roles:
        for (std::size_t k = 0; k < i.regions.size(); ++k) {
          out_ += " role " + std::to_string(imm(i, k));
          region(i.regions[k]);
        }
        imms = i.imm.size();
        break;
      case Form::map:
        out_ += carried(i, part(i, 0), 0, 0);
        region(part(i, 0));
        break;
      case Form::mma: {
        out_ += " " + quoted(i.text) + " ";
        for (int k = 0; k < 2; ++k) {
          const bool memory = i.imm.size() == 4 && (i.imm[0] >> k & 1);
          out_ += memory ? at(buffers_, i.imm[static_cast<std::size_t>(k) + 1]) + "[" +
                               operand(i, static_cast<std::size_t>(k)) + "]"
                         : operand(i, static_cast<std::size_t>(k));
          if (memory && (i.imm[3] >> k & 1)) out_ += " transposed";
          out_ += ", ";
        }
        out_ += values(i.operands, 2);
        imms = i.imm.size() == 4 ? 4 : 0;
        break;
      }
      case Form::copy: {
        const std::size_t rank = i.imm.size() > 2 ? i.imm.size() - 2 : 0, strides = rank ? rank - 1 : 0;
        const bool slot = imm(i, 1) >= 0 && !i.operands.empty();
        const std::size_t end = i.operands.size() - (slot ? 1 : 0);
        out_ += " " + at(buffers_, i.buffer) + "[" + operand(i, 1) + "] from " + at(buffers_, imm(i, 0)) + "[" +
                operand(i, 0);
        for (std::size_t k = 2; k < 2 + strides && k < end; ++k) out_ += ", " + value(i.operands[k]);
        out_ += "]";
        for (std::size_t k = 2 + strides; k < end; ++k) out_ += ", " + value(i.operands[k]);
        out_ += " box [";
        for (std::size_t k = 2; k < i.imm.size(); ++k) out_ += (k > 2 ? ", " : "") + std::to_string(i.imm[k]);
        out_ += "]";
        if (slot) out_ += " on " + at(channels_, imm(i, 1)) + "[" + value(i.operands.back()) + "]";
        imms = i.imm.size();
        break;
      }
      case Form::transfer:
        out_ += " " + at(channels_, i.buffer) + ", " + at(buffers_, imm(i, 0)) + "[" + operand(i, 0) + "], " +
                values(i.operands, 1);
        imms = 1;
        break;
      case Form::scope:
        out_ += " " + std::string(imm(i, 0) >= 0 && imm(i, 0) < 5 ? scope_names[imm(i, 0)] : "?");
        if (i.op == Op::barrier) out_ += " " + std::to_string(imm(i, 1));
        imms = i.op == Op::barrier ? 2 : 1;
        break;
      case Form::place:
        out_ += " " + std::string(imm(i, 0) >= 0 && imm(i, 0) < place_count ? place_names[imm(i, 0)] : "?");
        imms = 1;
        break;
    }
    if (i.imm.size() > imms || (i.op == Op::cast && i.imm.empty())) {
      out_ += " imm " + list(std::vector<std::int64_t>(i.imm.begin() + static_cast<std::ptrdiff_t>(imms), i.imm.end()));
    }
  }

  // An offset and the strides of the tile that a tile_load or tile_store moves: so many operands stand in the brackets.
  std::size_t brackets(const Inst& i) const {
    Type t{};
    if (i.op == Op::tile_load && !i.results.empty()) t = type_of(i.results[0]);
    if (i.op == Op::tile_store)
      for (Value v : i.operands)
        if (type_of(v).layout >= 0) t = type_of(v);
    if (t.layout < 0 || static_cast<std::size_t>(t.layout) >= p_.layouts.size()) return 1;
    return 1 + p_.layouts[static_cast<std::size_t>(t.layout)].shape.size();
  }

  const Program& p_;
  const Function* f_ = nullptr;
  std::vector<std::string> buffers_, channels_, layouts_;
  std::string out_;
  int depth_ = 0;
  bool brief_ = false;
};

}  // namespace

std::string print(const Program& program) { return Printer(program).program(); }

std::string print(const Program& program, const Function& function, const Inst& inst) {
  return Printer(program).line(function, inst);
}

std::string print(const Program& program, const Type& type) { return Printer(program).type(type); }

}  // namespace loop
TESSERA_END
