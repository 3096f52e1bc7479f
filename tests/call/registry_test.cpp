// Tests that kernels are listed from the moment when they are loaded until their shared library is closed.
#include "tessera/call/registry.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <tessera/tessera.hpp>

#include "tests/call/made.hpp"

using namespace tessera;

namespace {

TESSERA_KERNEL(never_called)(Kernel k, In<f32, "M", "K"> a, Out<f32, "M"> total) {
  auto m = k.block<"M">(16);
  auto n = k.all<"K">();
  total(m) = sum<"K">(a(m, n));
};

int count(const std::string& name) {
  int found = 0;
  for (const RegisteredKernel& kernel : registered_kernels()) found += kernel.name == name;
  return found;
}

const RegisteredKernel& find(const std::vector<RegisteredKernel>& kernels, const std::string& name) {
  for (const RegisteredKernel& kernel : kernels)
    if (kernel.name == name) return kernel;
  FAIL("no kernel " << name);
  return kernels.front();
}

int retired = 0;

}  // namespace

TEST_CASE("a kernel that nobody calls is listed with its signature and hash") {
  CHECK(count("never_called") == 1);
  const auto kernels = registered_kernels();
  const RegisteredKernel& kernel = find(kernels, "never_called");
  CHECK(kernel.text() == "never_called(In<f32, \"M\", \"K\"> a, Out<f32, \"M\"> total)");
  CHECK(kernel.hash == ir::hash_of(never_called.program));
  CHECK(kernel.record == &never_called.record());
  CHECK(kernel.parameters[1].effect == ir::Effect::out);
}

TEST_CASE("a registration lasts as long as its object") {
  static constinit call::KernelRecord record(made::Scalars::program);
  {
    const call::Registration one(record);
    CHECK(count("scalars") == 1);
    CHECK(find(registered_kernels(), "scalars").text() ==
          "scalars(Scalar<i8> zero, Scalar<f32> scale, Scalar<u64> seed, Scalar<b8> on, Scalar<f16> half, Out<f32> "
          "total)");
    record.retire.store([](call::KernelRecord& gone) noexcept { retired += &gone == &record; });
  }
  CHECK(count("scalars") == 0);
  CHECK(retired == 1);
}

#ifdef TESSERA_TEST_KERNEL_LIBRARY
TEST_CASE("a shared library of kernels") {
  CHECK(count("library_twice") == 0);
  for (int round = 0; round < 2; ++round) {
    void* library = dlopen(TESSERA_TEST_KERNEL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library != nullptr, dlerror());
    CHECK(count("library_twice") == 1);
    CHECK(count("library_move") == 1);
    const auto kernels = registered_kernels();
    CHECK(find(kernels, "library_move").text() ==
          "library_move(In<f64, \"B+1\"> x, In<f64, \"K\"> y, InOut<f64, \"K/32\"> z, Scalar<i32> shift)");
    CHECK(find(kernels, "library_twice").text() == "library_twice(In<f32, \"N\"> x, Out<f32, \"N\"> y)");
    auto record = reinterpret_cast<call::KernelRecord* (*)()>(dlsym(library, "library_record"));
    REQUIRE((record != nullptr));
    CHECK(find(kernels, "library_twice").record == record());
    static int closed;
    closed = 0;
    record()->retire.store([](call::KernelRecord&) noexcept { ++closed; });
    CHECK(dlclose(library) == 0);
    CHECK(closed == 1);
    CHECK(count("library_twice") == 0);
    CHECK(count("library_move") == 0);
    CHECK(count("never_called") == 1);
  }
}
#endif
