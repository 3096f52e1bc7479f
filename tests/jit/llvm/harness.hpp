// Owns the way emitter tests run one Loop IR instruction over arrays of bit patterns on every feature set of this
// machine.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jit/loop/builder.hpp"
#include "jit/runtime/compile.hpp"
#include "tessera/types/convert.hpp"
#include "tessera/types/packed.hpp"

namespace emit_test {

using namespace tessera;
using Bits = std::vector<std::uint64_t>;

/// The feature sets that this machine runs.
inline std::vector<std::string> runnable() {
  std::vector<std::string> list{"sse2"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) list.push_back("avx2");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    list.push_back("avx512");
  return list;
}

/// A Context for tests: scratch from the heap, failures and prints noted.
struct TestContext : jit::Context {
  std::vector<std::unique_ptr<std::byte[]>> memory;
  std::vector<std::string> failures;
  std::vector<std::string> prints;
  std::int64_t limit = INT64_MAX;
  TestContext() {
    scratch = [](jit::Context* self, std::int64_t bytes) -> void* {
      auto* me = static_cast<TestContext*>(self);
      if (bytes > me->limit) return nullptr;
      me->memory.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(bytes) + 64));
      return reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(me->memory.back().get()) + 63) / 64 * 64);
    };
    fail = [](jit::Context* self, std::int64_t id, const char* text) {
      static_cast<TestContext*>(self)->failures.push_back(std::to_string(id) + " " + text);
    };
    print = [](jit::Context* self, const char* format, const std::uint64_t* values, const std::uint8_t* types,
               std::int64_t count) {
      std::string line = format;
      for (std::int64_t i = 0; i < count; ++i)
        line += " " + std::string(dtype_name(static_cast<DType>(types[i]))) + ":" + std::to_string(values[i]);
      static_cast<TestContext*>(self)->prints.push_back(line);
    };
  }
};

/// An array of any element type in memory, with guard bytes after it.
struct Array {
  DType type;
  std::size_t count;
  std::vector<unsigned char> bytes;
  Array(DType t, const Bits& values) : type(t), count(values.size()), bytes(packed_bytes(t, values.size()) + 64, 0xa5) {
    for (std::size_t i = 0; i < count; ++i) store_packed(type, bytes.data(), i, values[i]);
  }
  Bits values() const {
    Bits v(count);
    for (std::size_t i = 0; i < count; ++i) v[i] = load_packed(type, bytes.data(), i);
    return v;
  }
  bool guarded() const {
    for (std::size_t i = packed_bytes(type, count); i < bytes.size(); ++i)
      if (bytes[i] != 0xa5) return false;
    return true;
  }
};

/// A program under construction: buffers are frame words in the order they are added.
struct Fixture {
  loop::Program program;
  loop::Builder b;
  loop::Value first, end;
  std::vector<std::uint64_t> frame;
  TestContext context;
  explicit Fixture(const std::string& name = "test") : b(program, name, loop::FunctionKind::entry) {
    program.name = name;
    program.machine = "cpu";
    first = b.param({DType::i64, 1, -1});
    end = b.param({DType::i64, 1, -1});
  }
  int array(Array& a, bool read_only = false) {
    loop::Buffer buffer;
    buffer.name = "b" + std::to_string(frame.size());
    buffer.elem = a.type;
    buffer.space = loop::Space::global;
    buffer.word = static_cast<std::int32_t>(frame.size());
    buffer.align = 1;
    buffer.read_only = read_only;
    frame.push_back(reinterpret_cast<std::uintptr_t>(a.bytes.data()));
    return b.buffer(buffer);
  }
  std::shared_ptr<jit::Compiled> compile(const std::string& features) {
    jit::CompileOptions options;
    options.features = features;
    options.verify = true;
    return jit::compile_loop(program, options);
  }
  void run(const std::string& features, std::int64_t from = 0, std::int64_t to = 1) {
    // AVX-512 code is compiled on every machine, and run where there is AVX-512.
    if (features == "sse2" && runnable().back() != "avx512") {
      jit::CompileOptions options;
      options.features = "avx512";
      options.verify = true;
      options.load = false;
      if (jit::compile_loop(program, options)->object_bytes() == 0) context.failures.push_back("no code for AVX-512");
    }
    const auto compiled = compile(features);
    compiled->entry()(frame.data(), from, to, &context);
  }
};

/// Applies `make` (operand values → result value) to every element of the inputs, `lanes` at a time, and gives the
/// results.
inline Bits apply(const std::string& features, const std::vector<DType>& in_types, DType out_type,
                  const std::vector<Bits>& inputs, int lanes,
                  const std::function<loop::Value(loop::Builder&, const loop::Builder::Values&)>& make) {
  const std::size_t count = inputs[0].size();
  Fixture f;
  std::vector<Array> arrays;
  arrays.reserve(inputs.size() + 1);
  std::vector<int> buffers;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    arrays.emplace_back(in_types[i], inputs[i]);
    buffers.push_back(f.array(arrays.back(), true));
  }
  arrays.emplace_back(out_type, Bits(count));
  const int out = f.array(arrays.back());
  loop::Builder& b = f.b;
  const auto n = static_cast<std::uint16_t>(lanes);
  b.for_loop(b.integer(0), b.integer(static_cast<std::int64_t>(count)), b.integer(lanes), [&](loop::Value i) {
    loop::Builder::Values operands;
    for (std::size_t k = 0; k < buffers.size(); ++k) operands.push_back(b.load(buffers[k], i, {in_types[k], n, -1}));
    b.store(out, i, make(b, operands));
  });
  b.finish();
  f.run(features);
  return arrays.back().values();
}

inline std::uint64_t bits(float v) { return std::bit_cast<std::uint32_t>(v); }
inline std::uint64_t bits(double v) { return std::bit_cast<std::uint64_t>(v); }

/// Interesting patterns of a type, then pseudo-random ones, `count` in all.
inline Bits patterns(DType type, std::size_t count, std::uint64_t seed = 1) {
  const int width = info(type).bits;
  const std::uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1;
  Bits v;
  if (type == DType::f32 || type == DType::f64) {
    for (double d :
         {0.0,          -0.0,   1.0,     -1.0,   0.5,    -0.5,    1.5,     -1.5,      2.5,          -2.5,
          3.5,          1e10,   -1e10,   1e-40,  -1e-40, 3e38,    1e300,   8388607.5, 8388609.0,    -8388608.5,
          0.49999997,   1e20,   127.5,   -128.5, 255.5,  65504.0, 65519.9, 65520.0,   2147483647.0, -2147483648.0,
          4294967295.0, 9.3e18, -9.3e18, 1.9e19, 448.0,  464.0,   465.0,   57344.0})
      v.push_back(type == DType::f32 ? bits(static_cast<float>(d)) : bits(d));
    for (double d : {__builtin_inf(), -__builtin_inf(), __builtin_nan("")})
      v.push_back(type == DType::f32 ? bits(static_cast<float>(d)) : bits(d));
    v.push_back(type == DType::f32 ? 0xffc12345 : 0xfff8123456789abc);
  } else {
    for (std::uint64_t x : std::initializer_list<std::uint64_t>{0ull,
                                                                1ull,
                                                                2ull,
                                                                3ull,
                                                                7ull,
                                                                8ull,
                                                                15ull,
                                                                127ull,
                                                                128ull,
                                                                255ull,
                                                                ~0ull,
                                                                ~0ull - 1,
                                                                mask >> 1,
                                                                (mask >> 1) + 1,
                                                                (mask >> 1) - 1,
                                                                0x7fffffffull,
                                                                0x80000000ull,
                                                                0xffffffffull,
                                                                1ull << 53,
                                                                (1ull << 53) + 1,
                                                                (1ull << 63) + 1})
      v.push_back(x & mask);
  }
  std::uint64_t s = seed * 0x9e3779b97f4a7c15ull + 1;
  while (v.size() < count) {
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    // Exponents near the middle as often as any.
    std::uint64_t x = s & mask;
    if (type == DType::f32 && (s >> 40) % 2 != 0) x = (x & 0x807fffff) | (96 + (s >> 33) % 64) << 23;
    if (type == DType::f64 && (s >> 5) % 2 != 0) x = (x & 0x800fffffffffffff) | (960 + (s >> 9) % 128) << 52;
    v.push_back(x);
  }
  if (type == DType::b8)
    for (auto& x : v) x &= 1;
  v.resize(count);
  return v;
}

}  // namespace emit_test
