// Tests keys: their bytes, what differs between two, and that every input of compilation is a field that is named.
#include "jit/cache/key.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "jit/cache/object_store.hpp"
#include "jit/runtime/object_key.hpp"
#include "tessera/tessera.hpp"
#include "tests/support/folder.hpp"

using namespace tessera;

namespace {

constexpr Dim<"BM"> BM;
constexpr Dim<"BN"> BN;
constexpr Dim<"PA"> PA;
constexpr Dim<"PB"> PB;

TESSERA_KERNEL(key_first)(Kernel k, In<f32, "M", "N"> x, Scalar<f32> s, Out<f32, "M", "N"> y) {
  auto i = k.block<"M">(BM);
  auto j = k.block<"N">(BN);
  y(i, j) = x(i, j) * s;
};
TESSERA_KERNEL(key_second)(Kernel k, In<f32, "A", "B"> in, Scalar<f32> factor, Out<f32, "A", "B"> out) {
  auto p = k.block<"A">(PA);
  auto q = k.block<"B">(PB);
  out(p, q) = in(p, q) * factor;
};
TESSERA_KERNEL(key_other)(Kernel k, In<f32, "M", "N"> x, Scalar<f32> s, Out<f32, "M", "N"> y) {
  auto i = k.block<"M">(BM);
  auto j = k.block<"N">(BN);
  y(i, j) = x(i, j) + s;
};

const jit::Target& target() { return *jit::targets().front(); }

jit::PlanRequest request_of(const ir::Program& program) {
  jit::PlanRequest r;
  r.program = program;
  r.known = jit::Specialisation::generic(program);
  const call::FrameLayout layout = call::frame_layout(program);
  for (std::size_t i = 0; i < program.extents.size(); ++i) r.known.words[layout.extent_word(i)] = 64;
  r.tunables = {16, 32};
  r.features = "native";
  return r;
}

jit::ObjectKey with(const jit::ObjectKey& key, const std::string& field, const std::string& value) {
  jit::ObjectKey out;
  for (const jit::Field& f : key.fields()) out.add(f.name, f.name == field ? value : f.value, f.label);
  return out;
}

}  // namespace

TEST_CASE("fields survive their bytes, and other bytes are refused") {
  const std::vector<jit::Field> fields = {{"a", "1"}, {"empty", ""}, {"binary", std::string("\0\xff\n", 3)}};
  const std::string bytes = jit::encode(fields);
  const auto back = jit::decode(bytes);
  REQUIRE(back);
  REQUIRE(back->size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((*back)[i].name == fields[i].name);
    CHECK((*back)[i].value == fields[i].value);
  }
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(jit::decode(bytes.substr(0, n)));
  CHECK_FALSE(jit::decode(bytes + "x"));
  CHECK_FALSE(jit::decode(std::string(16, '\xff')));
}

TEST_CASE("the compiler's field alone may be open") {
  jit::ObjectKey a, b, open;
  a.add("x", "1"), b.add("x", "1"), open.add("x", "1");
  a.add(jit::compiler_field, "llvm a"), b.add(jit::compiler_field, "llvm b"), open.add(jit::compiler_field, "");
  CHECK(a.bytes() == b.bytes());
  CHECK(a.accepts(a));
  CHECK_FALSE(a.accepts(b));
  CHECK(open.accepts(a));  // no compiler here: any compiler's code serves
  CHECK(open.accepts(b));
}

TEST_CASE("kernels that differ in names only share a key, others do not") {
  const jit::ObjectKey first = object_key(target(), request_of(*key_first.record().program));
  const jit::ObjectKey second = object_key(target(), request_of(*key_second.record().program));
  const jit::ObjectKey other = object_key(target(), request_of(*key_other.record().program));
  CHECK(first.bytes() == second.bytes());
  CHECK(first.bytes() != other.bytes());
}

TEST_CASE("every single change of a key is a miss that explain names; the same key elsewhere is a hit") {
  test::TemporaryFolder here, there;
  jit::StoreOptions options;
  options.folder = here.path();
  jit::ObjectStore store(options);
  const jit::ObjectKey key = object_key(target(), request_of(*key_first.record().program));
  REQUIRE(store.put(key, {}, "image"));
  CHECK(store.get(key));

  // Fields one by one: a value that is not the one that is stored.
  int changes = 0;
  for (const jit::Field& field : key.fields()) {
    const jit::ObjectKey changed = with(key, field.name, field.value + "7");
    CHECK_MESSAGE(!store.get(changed), field.name);
    const std::string why = store.explain(changed);
    CHECK_MESSAGE(why.find(field.name) != std::string::npos, why);
    ++changes;
  }

  // The requests behind them: each input of compilation changes its field.
  const auto missed = [&](const char* field, const std::function<void(jit::PlanRequest&)>& change) {
    jit::PlanRequest r = request_of(*key_first.record().program);
    change(r);
    const jit::ObjectKey changed = object_key(target(), r);
    CHECK_MESSAGE(!store.get(changed), field);
    const std::string why = store.explain(changed);
    CHECK_MESSAGE(why.find(field) != std::string::npos, field, " is not in: ", why);
    ++changes;
  };
  const call::FrameLayout layout = call::frame_layout(*key_first.record().program);
  missed("program", [](auto& r) { r.program = *key_other.record().program; });
  missed("tunable 0 (BM) is 17, not 16", [](auto& r) { r.tunables[0] = 17; });
  missed("tunable 1 (BN) is 16, not 32", [](auto& r) { r.tunables[1] = 16; });
  missed("extent 0 (M) is 65, not 64", [&](auto& r) { r.known.words[layout.extent_word(0)] = 65; });
  missed("extent 1 (N) is any, not 64", [&](auto& r) { r.known.words[layout.extent_word(1)] = std::nullopt; });
  missed("extent 0 (M) is any multiple of 8, not 64", [&](auto& r) {
    r.known.words[layout.extent_word(0)] = std::nullopt;
    r.known.multiples[layout.extent_word(0)] = 8;
  });
  for (std::size_t i = 0; i < layout.strides; ++i)
    missed(("stride " + std::to_string(i)).c_str(), [&](auto& r) { r.known.words[layout.stride_word(i)] = 1; });
  missed("scalar 1 (s)", [&](auto& r) { r.known.words[layout.arg_word(1)] = 3; });
  missed("alignment 0 (x) is 64, not 4", [](auto& r) { r.known.alignment[0] = 64; });
  missed("alignment 2 (y) is 32, not 4", [](auto& r) { r.known.alignment[2] = 32; });
  missed("features is sse2, not native", [](auto& r) { r.features = "sse2"; });
  missed("most threads is 1, not 0", [](auto& r) { r.threads = 1; });
  missed("checked is 1, not 0", [](auto& r) { r.checked = true; });
  missed("numerics is strict, not standard", [](auto& r) { r.numerics = Numerics::strict; });
  missed("numerics is fast, not standard", [](auto& r) { r.numerics = Numerics::fast; });
  missed("deterministic is 1, not 0", [](auto& r) { r.deterministic = true; });
  CHECK(changes >= 30);

  jit::StoreOptions elsewhere;
  elsewhere.folder = there.path();
  elsewhere.layers = {here.path()};
  jit::ObjectStore second(elsewhere);
  const jit::ObjectKey again = object_key(target(), request_of(*key_second.record().program));
  const auto hit = second.get(again);
  REQUIRE(hit);
  CHECK(hit->image == "image");
}
