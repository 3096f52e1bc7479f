// Tests compilation in many threads, and that machine code's memory is given back.
#include "jit/runtime/compile.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "jit/loop/builder.hpp"

using namespace tessera;

namespace {

// Writes `value` into word 0's memory.
loop::Program writes(std::int64_t value) {
  loop::Program p;
  p.name = "writes" + std::to_string(value);
  p.machine = "cpu";
  loop::Builder b(p, "entry", loop::FunctionKind::entry);
  b.param({});
  b.param({});
  loop::Buffer out;
  out.name = "out";
  out.elem = DType::i64;
  out.space = loop::Space::global;
  out.word = 0;
  out.align = 8;
  const int buffer = b.buffer(out);
  b.store(buffer, b.integer(0), b.integer(value));
  b.finish();
  return p;
}

std::int64_t run(const jit::Compiled& compiled) {
  std::int64_t result = 0;
  const std::uint64_t frame[] = {reinterpret_cast<std::uintptr_t>(&result)};
  jit::Context context;
  compiled.entry()(frame, 0, 1, &context);
  return result;
}

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(" r-xp ") != std::string::npos;
  return count;
}

}  // namespace

TEST_CASE("threads compile different programs at once") {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 8; ++i) {
        jit::CompileOptions options;
        options.features = i % 2 == 0 ? "sse2" : "native";
        wrong += run(*jit::compile_loop(writes(100 * t + i), options)) != 100 * t + i;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("code that nobody holds any longer is unmapped") {
  CHECK(run(*jit::compile_loop(writes(1))) == 1);
  const std::size_t before = mappings();
  std::vector<std::shared_ptr<jit::Compiled>> held;
  for (int i = 0; i < 20; ++i) held.push_back(jit::compile_loop(writes(i)));
  CHECK(run(*held[13]) == 13);
  const std::size_t during = mappings();
  held.clear();
  CHECK(mappings() <= before);
  CHECK(during > before);
}

TEST_CASE("what was compiled says how large it is and how long it took") {
  const auto compiled = jit::compile_loop(writes(5));
  CHECK(compiled->object_bytes() > 100);
  CHECK(compiled->times().codegen > 0);
  CHECK(compiled->times().total() >= compiled->times().codegen);
  CHECK(compiled->ir().find("store i64 5") != std::string::npos);
  CHECK(compiled->assembly().find("movq\t$5") != std::string::npos);
  CHECK(jit::llvm_backend().description().find("LLVM 19") == 0);
}
