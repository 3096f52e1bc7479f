// Owns the Loop IR builder: folding, sharing, hoisting, and the structured regions.
#include "jit/loop/builder.hpp"

#include <algorithm>
#include <cstring>

#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace loop {
namespace {

bool is_integer(DType t) {
  const auto kind = info(t).kind;
  return kind == DTypeKind::signed_int || kind == DTypeKind::unsigned_int;
}

std::optional<std::int64_t> fold_i64(Op op, std::int64_t a, std::int64_t b) {
  const auto ua = static_cast<std::uint64_t>(a), ub = static_cast<std::uint64_t>(b);
  const auto floor_div = [&] { return a / b - ((a % b != 0) && ((a % b < 0) != (b < 0))); };
  switch (op) {
    case Op::add:
      return static_cast<std::int64_t>(ua + ub);
    case Op::sub:
      return static_cast<std::int64_t>(ua - ub);
    case Op::mul:
      return static_cast<std::int64_t>(ua * ub);
    case Op::min:
      return std::min(a, b);
    case Op::max:
      return std::max(a, b);
    case Op::div:
      if (b != 0 && b != -1) return a / b;
      return {};
    case Op::rem:
      if (b != 0 && b != -1) return a % b;
      return {};
    case Op::floor_div:
      if (b > 0) return floor_div();
      return {};
    case Op::floor_rem:
      if (b > 0) return a - floor_div() * b;
      return {};
    case Op::bit_and:
      return a & b;
    case Op::bit_or:
      return a | b;
    case Op::bit_xor:
      return a ^ b;
    case Op::eq:
      return a == b;
    case Op::ne:
      return a != b;
    case Op::lt:
      return a < b;
    case Op::le:
      return a <= b;
    case Op::gt:
      return a > b;
    case Op::ge:
      return a >= b;
    default:
      return {};
  }
}

}  // namespace

std::int64_t constant_bits(DType t, double value) {
  if (t == DType::f32) {
    const float f = static_cast<float>(value);
    std::uint32_t u;
    std::memcpy(&u, &f, 4);
    return u;
  }
  if (t == DType::f64) {
    std::int64_t u;
    std::memcpy(&u, &value, 8);
    return u;
  }
  if (info(t).kind == DTypeKind::floating) return static_cast<std::int64_t>(bits_from_double(t, value));
  return static_cast<std::int64_t>(value);
}

bool is_pure(Op op) {
  switch (op) {
    case Op::div:
    case Op::rem:  // the guarantee on the divisor may hold only inside the loop
    case Op::load:
    case Op::store:
    case Op::gather:
    case Op::scatter:
    case Op::atomic:
    case Op::compare_exchange:
    case Op::prefetch:
    case Op::alloc:
    case Op::fill:
    case Op::for_loop:
    case Op::while_loop:
    case Op::if_else:
    case Op::call:
    case Op::yield:
    case Op::print:
    case Op::fail:
      return false;
    default:
      return op < Op::tile_zero;
  }
}

std::size_t Builder::KeyHash::operator()(const Key& k) const {
  std::uint64_t h = static_cast<std::uint64_t>(k.op) * 0x9E3779B97F4A7C15ull +
                    static_cast<std::uint64_t>(k.type.elem) * 131 + k.type.lanes;
  const auto mix = [&](std::uint64_t v) { h = (h ^ v) * 0xD6E8FEB86659FD93ull, h ^= h >> 32; };
  for (Value v : k.operands) mix(static_cast<std::uint64_t>(v) + 1);
  for (std::int64_t v : k.imm) mix(static_cast<std::uint64_t>(v) + 77);
  return h;
}

Builder::Builder(Program& program, std::string function_name, FunctionKind kind) : program_(program) {
  function_.name = std::move(function_name);
  function_.kind = kind;
  enter();
}

Value Builder::fresh(Type t, std::size_t depth) {
  function_.types.push_back(t);
  depth_.push_back(static_cast<std::uint32_t>(depth));
  return static_cast<Value>(function_.types.size() - 1);
}

Value Builder::param(Type t) {
  const Value v = fresh(t, 0);
  open_.front().region.params.push_back(v);
  return v;
}

void Builder::finish(const Values& results) {
  for (Value v : results) function_.result_types.push_back(type(v));
  function_.body = leave(results);
  program_.functions.push_back(std::move(function_));
}

Region Builder::leave(const Values& yielded) {
  Region r = std::move(open_.back().region);
  open_.pop_back();
  Inst y;
  y.op = Op::yield;
  y.operands = yielded;
  r.body.push_back(std::move(y));
  return r;
}

Value Builder::emit(Op op, Type t, const Values& operands, const std::vector<std::int64_t>& imm) {
  if (auto folded = fold(op, t, operands)) return *folded;
  std::size_t at = open_.size() - 1;
  if (is_pure(op)) {
    at = 0;
    for (Value v : operands) at = std::max<std::size_t>(at, depth_[static_cast<std::size_t>(v)]);
    Key key{op, t, operands, imm};
    auto& table = open_[at].known;
    if (auto it = table.find(key); it != table.end()) return it->second;
    const Value v = fresh(t, at);
    table.emplace(std::move(key), v);
    open_[at].region.body.push_back({op, -1, 0, {v}, operands, imm, {}, {}});
    return v;
  }
  const Value v = fresh(t, at);
  open_[at].region.body.push_back({op, -1, 0, {v}, operands, imm, {}, {}});
  return v;
}

std::optional<Value> Builder::fold(Op op, Type t, const Values& operands) {
  if (operands.size() != 2) return {};
  const Value a = operands[0], b = operands[1];
  if (!is_integer(type(a).elem)) return {};
  const auto ka = known(a), kb = known(b);
  if (t.lanes == 1 && type(a).elem == DType::i64 && ka && kb)
    if (auto v = fold_i64(op, *ka, *kb)) return constant(t, *v);
  if (t.elem != type(a).elem) return {};
  if (kb && *kb == 0 && (op == Op::add || op == Op::sub || op == Op::shl || op == Op::shr)) return a;
  if (ka && *ka == 0 && op == Op::add) return b;
  if (kb && *kb == 1 && (op == Op::mul || op == Op::div || op == Op::floor_div)) return a;
  if (ka && *ka == 1 && op == Op::mul) return b;
  if (op == Op::mul && ((ka && *ka == 0) || (kb && *kb == 0))) return constant(t, 0);
  if ((op == Op::min || op == Op::max) && a == b) return a;
  if (op == Op::sub && a == b) return constant(t, 0);
  return {};
}

Value Builder::constant(Type t, std::int64_t bits) {
  Key key{Op::constant, t, {}, {bits}};
  auto& root = open_.front();
  if (auto it = root.known.find(key); it != root.known.end()) return it->second;
  const Value v = fresh(t, 0);
  root.known.emplace(std::move(key), v);
  root.region.body.push_back({Op::constant, -1, 0, {v}, {}, {bits}, {}, {}});
  if (is_integer(t.elem) || t.elem == DType::b8) constants_[v] = bits;
  return v;
}

Value Builder::number(DType t, int lanes, double v) {
  return constant({t, static_cast<std::uint16_t>(lanes), -1}, constant_bits(t, v));
}

std::optional<std::int64_t> Builder::known(Value v) const {
  if (auto it = constants_.find(v); it != constants_.end()) return it->second;
  return {};
}

Value Builder::word(int index, DType t) { return emit(Op::word, {t, 1, -1}, {}, {index}); }

Value Builder::binary(Op op, Value a, Value b) {
  if (lanes(a) < lanes(b)) a = broadcast(a, lanes(b));
  if (lanes(b) < lanes(a)) b = broadcast(b, lanes(a));
  return emit(op, type(a), {a, b});
}

Value Builder::compare(Op op, Value a, Value b) {
  if (lanes(a) < lanes(b)) a = broadcast(a, lanes(b));
  if (lanes(b) < lanes(a)) b = broadcast(b, lanes(a));
  return emit(op, {DType::b8, type(a).lanes, -1}, {a, b});
}

Value Builder::ceil_div(Value a, Value b) { return binary(Op::floor_div, add(a, sub(b, integer(1))), b); }

Value Builder::select(Value mask, Value a, Value b) {
  if (a == b) return a;
  const int n = std::max({lanes(mask), lanes(a), lanes(b)});
  if (auto k = known(mask)) return broadcast(*k ? a : b, n);
  a = broadcast(a, n), b = broadcast(b, n), mask = broadcast(mask, n);
  return emit(Op::select, type(a), {mask, a, b});
}

Value Builder::cast(Value a, DType to, std::int64_t mode) {
  if (type(a).elem == to) return a;
  if (auto k = known(a); k && is_integer(type(a).elem) && is_integer(to)) {
    std::uint64_t bits = convert_bits(type(a).elem, to, static_cast<std::uint64_t>(*k),
                                      static_cast<Rounding>(mode & 0xff), static_cast<Saturation>(mode >> 8 & 0xff));
    if (info(to).kind == DTypeKind::signed_int && info(to).bits < 64)
      bits =
          static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << (64 - info(to).bits)) >> (64 - info(to).bits));
    return constant({to, type(a).lanes, -1}, static_cast<std::int64_t>(bits));
  }
  const DType from = type(a).elem;
  const bool floats = info(from).is_floating() && info(to).is_floating();
  const auto saturation = static_cast<Saturation>(mode >> 8 & 0xff);
  // What was widened goes back as it was; saturation would change infinities.
  if (saturation == Saturation::overflow || (saturation == Saturation::standard && info(to).bits > 8))
    if (const auto narrow = widened_.find(a); narrow != widened_.end() && type(narrow->second).elem == to)
      return narrow->second;
  const Value r = emit(Op::cast, {to, type(a).lanes, -1}, {a}, {mode});
  if (floats && widens(from, to)) widened_[r] = a;
  return r;
}

Value Builder::broadcast(Value a, int n) {
  if (lanes(a) == n) return a;
  const Type t{type(a).elem, static_cast<std::uint16_t>(n), -1};
  if (auto k = known(a)) return constant(t, *k);
  return emit(Op::broadcast, t, {a});
}

Value Builder::extract(Value a, int lane) {
  if (lanes(a) == 1) return a;
  return emit(Op::extract, {type(a).elem, 1, -1}, {a, integer(lane)});
}

Value Builder::shuffle(Value a, Value b, const std::vector<int>& pick) {
  return emit(Op::shuffle, {type(a).elem, static_cast<std::uint16_t>(pick.size()), -1}, {a, b},
              {pick.begin(), pick.end()});
}

Value Builder::logical_and(Value a, Value b) {
  if (a < 0) return b;
  if (b < 0 || a == b) return a;
  if (auto k = known(a))
    return *k ? broadcast(b, std::max(lanes(a), lanes(b))) : broadcast(a, std::max(lanes(a), lanes(b)));
  if (auto k = known(b))
    return *k ? broadcast(a, std::max(lanes(a), lanes(b))) : broadcast(b, std::max(lanes(a), lanes(b)));
  return binary(Op::bit_and, a, b);
}

int Builder::buffer(Buffer b) {
  program_.buffers.push_back(std::move(b));
  return static_cast<int>(program_.buffers.size()) - 1;
}

void Builder::effect(Inst inst) { open_.back().region.body.push_back(std::move(inst)); }

Builder::Values Builder::append(Inst inst, const std::vector<Type>& results) {
  inst.results.clear();
  for (const Type& t : results) inst.results.push_back(fresh(t, open_.size() - 1));
  Values out = inst.results;
  effect(std::move(inst));
  return out;
}

Value Builder::load(int buffer, Value offset, Type t, Value mask) {
  const Value v = fresh(t, open_.size() - 1);
  Inst i{Op::load, buffer, 0, {v}, {offset}, {}, {}, {}};
  if (mask >= 0 && !is(mask, 1)) i.flags |= flag_masked, i.operands.push_back(broadcast(mask, t.lanes));
  effect(std::move(i));
  return v;
}

void Builder::store(int buffer, Value offset, Value v, Value mask, std::uint32_t flags) {
  Inst i{Op::store, buffer, flags, {}, {offset, v}, {}, {}, {}};
  if (mask >= 0 && !is(mask, 1)) i.flags |= flag_masked, i.operands.push_back(broadcast(mask, lanes(v)));
  effect(std::move(i));
}

Value Builder::gather(int buffer, Value offset, Value indices, DType elem, Value mask) {
  const Type t{elem, type(indices).lanes, -1};
  const Value m = mask >= 0 && !is(mask, 1) ? broadcast(mask, t.lanes) : -1;
  const Value v = fresh(t, open_.size() - 1);
  Inst i{Op::gather, buffer, 0, {v}, {offset, indices}, {}, {}, {}};
  if (m >= 0) i.flags |= flag_masked, i.operands.push_back(m);
  effect(std::move(i));
  return v;
}

void Builder::scatter(int buffer, Value offset, Value indices, Value v, Value mask) {
  Inst i{Op::scatter, buffer, 0, {}, {offset, indices, v}, {}, {}, {}};
  if (mask >= 0 && !is(mask, 1)) i.flags |= flag_masked, i.operands.push_back(broadcast(mask, lanes(v)));
  effect(std::move(i));
}

Value Builder::atomic(int buffer, Value offset, Value v, int kind, int scope) {
  const Value r = fresh(type(v), open_.size() - 1);
  effect({Op::atomic, buffer, 0, {r}, {offset, v}, {kind, scope}, {}, {}});
  return r;
}

void Builder::prefetch(int buffer, Value offset, bool write, int locality) {
  effect({Op::prefetch, buffer, 0, {}, {offset}, {write, locality}, {}, {}});
}

void Builder::alloc_first(int buffer, Value count) {
  open_.front().region.body.push_back({Op::alloc, buffer, 0, {}, {count}, {}, {}, {}});
}

void Builder::fill(int buffer, Value offset, Value count, Value v) {
  effect({Op::fill, buffer, 0, {}, {offset, count, v}, {}, {}, {}});
}

Builder::Values Builder::for_loop(Value lo, Value hi, Value step, const Values& init, const LoopBody& body) {
  const auto l = known(lo), h = known(hi), s = known(step);
  if (l && h && *l >= *h) return init;
  if (l && h && s && *l + *s >= *h) return body(lo, init);
  enter();
  const std::size_t depth = open_.size() - 1;
  Region& r = open_.back().region;
  const Value iv = fresh({DType::i64, 1, -1}, depth);
  r.params.push_back(iv);
  Values carried;
  for (Value v : init) carried.push_back(fresh(type(v), depth));
  r.params.insert(r.params.end(), carried.begin(), carried.end());
  const Values out = body(iv, carried);
  Inst i;
  i.op = Op::for_loop;
  i.operands = {lo, hi, step};
  i.operands.insert(i.operands.end(), init.begin(), init.end());
  i.regions.push_back(leave(out));
  for (Value v : init) i.results.push_back(fresh(type(v), open_.size() - 1));
  Values results = i.results;
  effect(std::move(i));
  return results;
}

void Builder::for_loop(Value lo, Value hi, Value step, const std::function<void(Value)>& body) {
  for_loop(lo, hi, step, {}, [&](Value iv, std::span<const Value>) {
    body(iv);
    return Values{};
  });
}

Builder::Values Builder::if_else(Value condition, const std::function<Values()>& then,
                                 const std::function<Values()>& otherwise) {
  if (auto k = known(condition)) return *k ? then() : otherwise();
  Inst i;
  i.op = Op::if_else;
  i.operands = {condition};
  enter();
  const Values a = then();
  i.regions.push_back(leave(a));
  enter();
  i.regions.push_back(leave(otherwise()));
  for (Value v : a) i.results.push_back(fresh(type(v), open_.size() - 1));
  Values results = i.results;
  effect(std::move(i));
  return results;
}

void Builder::if_then(Value condition, const std::function<void()>& then) {
  if_else(condition, [&] { return then(), Values{}; }, [] { return Values{}; });
}

Builder::Values Builder::while_loop(const Values& init,
                                    const std::function<std::pair<Value, Values>(std::span<const Value>)>& condition,
                                    const std::function<Values(std::span<const Value>)>& body) {
  Inst i;
  i.op = Op::while_loop;
  i.operands = init;
  const auto region = [&](const auto& write) {
    enter();
    Values carried;
    for (Value v : init) carried.push_back(fresh(type(v), open_.size() - 1));
    open_.back().region.params = carried;
    i.regions.push_back(leave(write(carried)));
  };
  region([&](const Values& carried) {
    auto [c, next] = condition(carried);
    next.insert(next.begin(), c);
    return next;
  });
  region([&](const Values& carried) { return body(carried); });
  for (Value v : init) i.results.push_back(fresh(type(v), open_.size() - 1));
  Values results = i.results;
  effect(std::move(i));
  return results;
}

}  // namespace loop
TESSERA_END
