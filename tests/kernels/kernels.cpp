// Captures all kernels and prints how many nodes each has: what the compile time of 31 kernels is measured on.
#include "tests/kernels/kernels.hpp"

#include <cstdio>

// clang-format off
#define P(x) std::printf(#x " %zu\n", x.program.size())
int main() { P(softmax); P(layer_norm); P(layer_norm_backward); P(attention<f16>); P(attention<bf16>); P(attention_backward<f16>); P(bmm); P(gram); P(conv2d); P(gemm_i8); P(gemm_i4); P(gemm_mx); P(quantize_groups); P(embed); P(embed_backward); P(histogram); P(scan_part); P(scan_rest); P(scan); P(radix_scatter); P(top_k); P(heat_steps<4>); P(welford); P(five_point); P(moe); P(dropout); P(gemm_split); P(mandelbrot); P(bsr); P(cholesky); P(nested_while); }
