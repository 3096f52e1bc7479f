// Owns what the speed of a kernel is compared with: the most that this machine computes and copies.
#pragma once

namespace example {

/// One measurement of how many floating-point operations a second one core does, in units of 10⁹: twelve independent
/// chains of multiply and add in registers, nothing else, with the widest vectors that the machine and Tessera have.
/// About a millisecond; take the best of several.
double measure_peak();

/// The same on every hardware thread at once, together.
double measure_peak_of_all();

/// One measurement of how many 10⁹ bytes a second all hardware threads read and write with memcpy, together: copies of
/// `bytes` / 2 into as much, pages touched before.
double measure_memcpy(double bytes);

/// What the chains are made of: "AVX2, 8 floats".
const char* peak_vectors();

}  // namespace example
