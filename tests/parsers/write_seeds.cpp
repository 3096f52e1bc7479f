// Writes what the fuzzer of Tile IR starts from into a folder: the kernels of tests/kernels as text, and its
// dictionary.
#include <cstdio>
#include <fstream>
#include <string>

#include "tessera/ir/text.hpp"
#include "tests/kernels/kernels.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "write_seeds folder\n"), 2;
  const std::string folder = argv[1];
  const ir::Program* const programs[] = {&softmax.program,         &layer_norm.program,    &layer_norm_backward.program,
                                         &attention<f16>.program,  &bmm.program,           &gram.program,
                                         &conv2d.program,          &gemm_i4.program,       &gemm_mx.program,
                                         &quantize_groups.program, &embed.program,         &embed_backward.program,
                                         &histogram.program,       &scan.program,          &radix_scatter.program,
                                         &top_k.program,           &heat_steps<2>.program, &welford.program,
                                         &five_point.program,      &moe.program,           &dropout.program,
                                         &gemm_split.program,      &mandelbrot.program,    &bsr.program,
                                         &cholesky.program,        &nested_while.program};
  for (const ir::Program* p : programs) std::ofstream(folder + "/" + std::string(p->name)) << ir::to_text(*p);
}
