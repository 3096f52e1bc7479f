// Owns the question how wide a planned program works.
#pragma once

#include "jit/loop/ir.hpp"

namespace conformance {

/// How the loops of a planned program that turn most often compute and move elements.
struct Width {
  int bits = 0;           ///< of their widest vectors; 0 where there are none
  double in_vectors = 0;  ///< the share of elements that loads and stores of several lanes move
  double one_by_one = 0;  ///< the share that gathers, scatters and atomics move
  bool decodes = false;   ///< narrow floats become f32
  bool encodes = false;   ///< and back
};

/// `vector_bits` are those of the machine's vectors, which fills use.
Width width_of(const tessera::loop::Program& program, int vector_bits);

}  // namespace conformance
