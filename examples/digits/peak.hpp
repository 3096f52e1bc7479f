// Owns what the speed of the kernels is compared with: the most that one core of this machine computes.
#pragma once

namespace digits {

/// One measurement of how many floating-point operations a second one core does, in units of 10⁹: twelve independent
/// chains of multiply and add in registers, nothing else, with the widest vectors that the machine and Tessera have.
/// About a millisecond; take the best of several.
double measure_peak();

/// What the chains are made of: "AVX2, 8 floats".
const char* peak_vectors();

}  // namespace digits
