// Owns hand-made captured kernels for the tests of calls: programs of arguments, extents and expectations only.
#pragma once

#include <array>
#include <string_view>

#include "tessera/ir/tile.hpp"

namespace made {

using namespace tessera;

/// Builds a Storage; names are found by text, extents by "K", "B+1", "K/32".
class Maker {
 public:
  constexpr explicit Maker(std::string_view name) {
    for (char c : name) s_.kernel_name.push_back(c);
  }
  constexpr std::int32_t name(std::string_view text) {
    for (std::size_t i = 0; i < s_.names.size(); ++i)
      if (s_.view().str(static_cast<std::int32_t>(i)) == text) return static_cast<std::int32_t>(i);
    s_.names.push_back({static_cast<std::int32_t>(s_.text.size()), static_cast<std::int32_t>(text.size())});
    for (char c : text) s_.text.push_back(c);
    return static_cast<std::int32_t>(s_.names.size() - 1);
  }
  constexpr std::int32_t extent(std::string_view text) {
    ir::Extent e;
    const auto at = text.find_first_of("+/");
    e.base = name(text.substr(0, at));
    if (at != std::string_view::npos) {
      int number = 0;
      for (char c : text.substr(at + 1)) number = number * 10 + (c - '0');
      (text[at] == '+' ? e.plus : e.divide) = number;
    }
    for (std::size_t i = 0; i < s_.extents.size(); ++i)
      if (s_.extents[i] == e) return static_cast<std::int32_t>(i);
    s_.extents.push_back(e);
    return static_cast<std::int32_t>(s_.extents.size() - 1);
  }
  template <class... E>
  constexpr Maker& arg(std::string_view text, DType type, ir::Effect effect, E... extents) {
    const auto first = static_cast<std::int32_t>(s_.arg_extents.size());
    ((s_.arg_extents.push_back(extent(extents))), ...);
    s_.args.push_back({name(text), type, effect, static_cast<std::uint8_t>(sizeof...(E)), false, first});
    return *this;
  }
  constexpr Maker& tunable(std::string_view text) {
    s_.tunables.push_back({name(text)});
    return *this;
  }
  template <class... O>
  constexpr std::int32_t node(ir::Op op, DType type, std::int64_t imm, O... operands) {
    ir::Node n;
    n.op = op;
    n.type = type;
    n.imm = imm;
    n.first = static_cast<std::int32_t>(s_.operands.size());
    n.count = sizeof...(O);
    ((s_.operands.push_back(operands)), ...);
    s_.nodes.push_back(n);
    s_.lines.push_back(0);
    return static_cast<std::int32_t>(s_.nodes.size() - 1);
  }
  constexpr std::int32_t number(std::int64_t value) { return node(ir::Op::literal, DType::i64, value); }
  constexpr std::int32_t size(std::string_view text) { return node(ir::Op::extent, DType::i64, extent(text)); }
  constexpr std::int32_t op(ir::Op o, std::int32_t a, std::int32_t b) { return node(o, DType::i64, 0, a, b); }
  constexpr std::int32_t test(ir::Op o, std::int32_t a, std::int32_t b) { return node(o, DType::b8, 0, a, b); }
  constexpr Maker& expects(std::int32_t condition, std::string_view why) {
    node(ir::Op::expects, DType::b8, name(why), condition);
    return *this;
  }
  constexpr const ir::Storage& storage() const { return s_; }

 private:
  ir::Storage s_;
};

/// What TESSERA_KERNEL makes of a kernel, made of a Maker's program instead.
template <class Make>
struct Captured {
  template <auto Member>
  static constexpr auto fixed() {
    constexpr std::size_t size = (Make::make().storage().*Member).size();
    const Maker maker = Make::make();
    std::array<std::remove_cvref_t<decltype((maker.storage().*Member)[0])>, size> data{};
    for (std::size_t i = 0; i < size; ++i) data[i] = (maker.storage().*Member)[i];
    return data;
  }
  static constexpr auto kernel_name = fixed<&ir::Storage::kernel_name>();
  static constexpr auto nodes = fixed<&ir::Storage::nodes>();
  static constexpr auto operands = fixed<&ir::Storage::operands>();
  static constexpr auto args = fixed<&ir::Storage::args>();
  static constexpr auto extents = fixed<&ir::Storage::extents>();
  static constexpr auto arg_extents = fixed<&ir::Storage::arg_extents>();
  static constexpr auto tunables = fixed<&ir::Storage::tunables>();
  static constexpr auto names = fixed<&ir::Storage::names>();
  static constexpr auto text = fixed<&ir::Storage::text>();
  static constexpr auto lines = fixed<&ir::Storage::lines>();
  static constexpr ir::Program program{{kernel_name.data(), kernel_name.size()},
                                       nodes,
                                       operands,
                                       {},
                                       args,
                                       extents,
                                       arg_extents,
                                       tunables,
                                       names,
                                       {text.data(), text.size()},
                                       lines};
};

using ir::Effect;
using ir::Op;

struct MakeGemm {
  static constexpr Maker make() {
    Maker m("gemm");
    m.arg("a", DType::f32, Effect::in, "M", "K").arg("b", DType::f32, Effect::in, "K", "N");
    m.arg("bias", DType::f32, Effect::in, "N").arg("c", DType::f32, Effect::out, "M", "N");
    return m.tunable("BM").tunable("BN");
  }
};
using Gemm = Captured<MakeGemm>;

/// y(N) = x(N), in two element types.
struct MakeCopy {
  static constexpr Maker make() {
    Maker m("copy");
    return m.arg("x", DType::f32, Effect::in, "N").arg("y", DType::f32, Effect::out, "N");
  }
};
using Copy = Captured<MakeCopy>;

struct MakeMove {
  static constexpr Maker make() {
    Maker m("move");
    return m.arg("x", DType::i16, Effect::in, "M", "N").arg("y", DType::i16, Effect::inout, "M", "N");
  }
};
using Move = Captured<MakeMove>;

/// Derived extents: B from B+1, K/32 from K.
struct MakeDerived {
  static constexpr Maker make() {
    Maker m("derived");
    m.arg("at", DType::i32, Effect::in, "B+1").arg("count", DType::i32, Effect::in, "B+1");
    m.arg("x", DType::f32, Effect::in, "B", "K").arg("s", DType::u8, Effect::in, "K/32");
    m.extent("B+2");
    return m;
  }
};
using Derived = Captured<MakeDerived>;

/// B occurs only as B+1, so that it is found from it; a kernel's k.extent<"B">() puts B itself into the extents.
struct MakeOffsets {
  static constexpr Maker make() {
    Maker m("offsets");
    m.arg("at", DType::i32, Effect::in, "B+1").arg("end", DType::i32, Effect::in, "B+1");
    m.extent("B");
    return m;
  }
};
using Offsets = Captured<MakeOffsets>;

struct MakeScalars {
  static constexpr Maker make() {
    Maker m("scalars");
    m.arg("zero", DType::i8, Effect::scalar).arg("scale", DType::f32, Effect::scalar);
    m.arg("seed", DType::u64, Effect::scalar).arg("on", DType::b8, Effect::scalar);
    m.arg("half", DType::f16, Effect::scalar).arg("total", DType::f32, Effect::out);
    return m;
  }
};
using Scalars = Captured<MakeScalars>;

/// conv2d's conditions: OH == (H + 2 pad − KH) / stride + 1, stride > 0.
struct MakeWindow {
  static constexpr Maker make() {
    Maker m("window");
    m.arg("x", DType::f32, Effect::in, "H").arg("w", DType::f32, Effect::in, "KH");
    m.arg("stride", DType::i32, Effect::scalar).arg("pad", DType::i32, Effect::scalar);
    m.arg("y", DType::f32, Effect::out, "OH");
    const auto wide = [&](std::int64_t arg) {
      return m.node(Op::cast, DType::i64, 0, m.node(Op::scalar, DType::i32, arg));
    };
    const auto stride = wide(2), pad = wide(3);
    m.expects(m.test(Op::gt, stride, m.number(0)), "stride is positive");
    const auto room = m.op(Op::sub, m.op(Op::add, m.size("H"), m.op(Op::mul, m.number(2), pad)), m.size("KH"));
    const auto fits = m.op(Op::add, m.op(Op::div, room, stride), m.number(1));
    m.expects(m.test(Op::eq, m.size("OH"), fits), "OH fits H, KH, stride and pad");
    m.tunable("BM");
    m.expects(m.test(Op::gt, m.node(Op::tunable, DType::i64, 0), m.number(8)), "BM is more than 8");
    return m;
  }
};
using Window = Captured<MakeWindow>;

struct MakeDivides {
  static constexpr Maker make() {
    Maker m("divides");
    m.arg("x", DType::f32, Effect::in, "HQ").arg("y", DType::f32, Effect::in, "HK");
    m.expects(m.test(Op::eq, m.op(Op::mod, m.size("HQ"), m.size("HK")), m.number(0)), "HQ is a multiple of HK");
    return m;
  }
};
using Divides = Captured<MakeDivides>;

struct MakePacked {
  static constexpr Maker make() {
    Maker m("packed");
    return m.arg("x", DType::e2m1, Effect::in, "M", "K").arg("y", DType::e2m1, Effect::out, "M", "K");
  }
};
using Packed = Captured<MakePacked>;

}  // namespace made
