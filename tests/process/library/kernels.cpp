// A shared library with kernels and a Tessera library of its own, opened by neighbours_test.cpp.
#include <tessera/tessera.hpp>

using namespace tessera;

namespace {

// The same name and program as in the program that opens this library.
TESSERA_KERNEL(neighbour)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(64);
  y(n) = exp(x(n)) - 1;
};

}  // namespace

extern "C" [[gnu::visibility("default")]] bool neighbour_call(const float* x, float* y, std::int64_t n) {
  return neighbour.try_call(view(x, {n}), view(y, {n})).ok();
}
/// Where this library's Tessera is.
extern "C" [[gnu::visibility("default")]] const void* neighbour_tessera() {
  return reinterpret_cast<const void*>(&call::launch);
}
