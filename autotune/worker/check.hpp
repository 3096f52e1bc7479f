// Owns the judgement of a configuration's results against a reference's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "autotune/tune/data.hpp"
#include "tessera/interpret/report.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// By how much an element may differ from another configuration's, as a share of the array's largest: what rounding
/// each element, and summing in f32 (or f64) in another order, can come to. 0 for integers.
double tolerance(DType type);

/// The first element of `block` that is wrong, as text: "y(3, 1) is 7, not 8 ± 0.1"; nothing where all are right. The
/// reference has the same arrangement; `bounds` are those of the interpreter, and empty where the reference is another
/// configuration.
std::string first_wrong(const ir::Program& program, const std::vector<std::uint64_t>& frame,
                        const Arrangement& arrangement, const std::byte* reference,
                        const std::vector<interpreter::Bounds>& bounds, const std::byte* block);

/// 64 bits of all bytes that were written, in hexadecimal digits.
std::string bits_of(const Arrangement& arrangement, const std::byte* block);

}  // namespace autotune
TESSERA_END
