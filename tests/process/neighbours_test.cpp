// Tests what may live beside Tessera in a process: a second Tessera library, and LLVM of another version.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "tessera/tessera.hpp"
#include "tests/support/skip.hpp"

using namespace tessera;

namespace {

TESSERA_KERNEL(neighbour)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(64);
  y(n) = exp(x(n)) - 1;
};

template <class F>
F function(void* library, const char* name) {
  void* const f = dlsym(library, name);
  REQUIRE_MESSAGE(f != nullptr, name);
  return reinterpret_cast<F>(f);
}

bool right(const std::vector<float>& x, const std::vector<float>& y) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (std::abs(y[i] - (std::exp(x[i]) - 1)) > 1e-6f) return false;
  return true;
}

std::vector<float> numbers(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<float>(i));
  return x;
}

}  // namespace

TEST_CASE("neighbours: two Tessera libraries compile and run side by side") {
  if (tessera::test::sanitized) TESSERA_SKIP("sanitizers refuse RTLD_DEEPBIND");
  // As a plugin host would open it; RTLD_DEEPBIND, since both libraries are of one version, and so of one namespace.
  void* const library = dlopen(TESSERA_TEST_NEIGHBOUR, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  REQUIRE_MESSAGE(library != nullptr, dlerror());
  const auto call = function<bool (*)(const float*, float*, std::int64_t)>(library, "neighbour_call");
  const auto tessera = function<const void* (*)()>(library, "neighbour_tessera");
  Dl_info mine{}, theirs{};
  REQUIRE(dladdr(reinterpret_cast<const void*>(&call::launch), &mine) != 0);
  REQUIRE(dladdr(tessera(), &theirs) != 0);
  CHECK(std::string(mine.dli_fname) != theirs.dli_fname);

  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t n : {7, 100, 5000, 100 + t}) {
        const std::vector<float> x = numbers(n);
        std::vector<float> y(n);
        if (t % 2 == 0)
          wrong += !neighbour.try_call(x, y).ok();
        else
          wrong += !call(x.data(), y.data(), static_cast<std::int64_t>(n));
        wrong += !right(x, y);
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("neighbours: LLVM of another version, opened for all to see") {
  void* other = nullptr;
  const char* name = nullptr;
  for (const char* soname : {"libLLVM-14.so.1", "libLLVM-15.so.1", "libLLVM-16.so.1", "libLLVM-17.so.1"})
    if (other == nullptr && (other = dlopen(soname, RTLD_NOW | RTLD_GLOBAL)) != nullptr) name = soname;
  if (other == nullptr) TESSERA_SKIP("no other LLVM is here (Debian: libllvm14)");
  INFO(name);
  const auto context = function<void* (*)()>(other, "LLVMContextCreate");
  const auto module = function<void* (*)(const char*, void*)>(other, "LLVMModuleCreateWithNameInContext");
  const auto text = function<char* (*)(void*)>(other, "LLVMPrintModuleToString");
  const auto dispose_text = function<void (*)(char*)>(other, "LLVMDisposeMessage");
  const auto dispose_module = function<void (*)(void*)>(other, "LLVMDisposeModule");
  const auto dispose_context = function<void (*)(void*)>(other, "LLVMContextDispose");
  const auto use = [&] {
    void* const c = context();
    void* const m = module("neighbour", c);
    char* const printed = text(m);
    const std::string ir = printed;
    dispose_text(printed);
    dispose_module(m);
    dispose_context(c);
    return ir.find("neighbour") != std::string::npos;
  };
  CHECK(use());
  for (std::size_t n : {9, 333, 20000}) {
    const std::vector<float> x = numbers(n);
    std::vector<float> y(n);
    CHECK(neighbour.with(Config{.threads = 1}).try_call(x, y).ok());
    CHECK(right(x, y));
    CHECK(use());
  }
}
