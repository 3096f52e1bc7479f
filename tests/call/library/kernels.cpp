// A shared library of kernels, opened by registry_test.cpp: a plain kernel, an instance of a template, and a way to
// call.
#include <tessera/tessera.hpp>

using namespace tessera;

TESSERA_KERNEL(library_twice)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(128);
  y(n) = x(n) * 2;
};

template <class T>
TESSERA_KERNEL(library_move)(Kernel k, In<T, "B+1"> x, In<T, "K"> y, InOut<T, "K/32"> z, Scalar<i32> shift) {
  auto b = k.index<"B">();
  auto n = k.block<"K/32">(32);
  z(n) += x(b) * y(n * 32) * cast<T>(shift);
};

/// Makes one instance, so that it registers.
extern "C" [[gnu::visibility("default")]] const void* library_instance() { return &library_move<f64>; }

extern "C" [[gnu::visibility("default")]] call::KernelRecord* library_record() { return &library_twice.record(); }
