// Owns how the CPU target's tests run a program: planned for each feature set, as known and as generic, and compared.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tests/support/case.hpp"

namespace tessera_test {
class Arguments;  // tests/support/differential.hpp
}

namespace cpu_test {

using tessera_test::Case;

/// A case of `program` with these extents.
inline Case of(const tessera::ir::Program& program, std::map<std::string, std::int64_t> extents) {
  Case c;
  c.program = &program;
  c.extents = std::move(extents);
  return c;
}

/// Runs `c` in the interpreter and as machine code: for every feature set of this machine, with all extents known, with
/// only unit strides known, and with nothing known. Plans for AVX-512 as well, and verifies that plan. Gives what is
/// wrong, one line each; empty where all agree within the interpreter's bounds.
std::string run(const Case& c);

/// Runs `c` as machine code at extents that are too large for the interpreter, with all extents known and with nothing
/// known, and compares 400 elements of argument `output`, drawn at random, with `expected` of them.
std::string run_large(const Case& c, std::size_t output, double tolerance,
                      const std::function<double(const tessera_test::Arguments&, std::int64_t element)>& expected);

/// Runs what is planned for processors that this machine need not be, in fast numerics (AVX-512 with dots of bytes and
/// bf16; AVX2 with both), as code for AVX2, in which what AVX2 lacks is done by several instructions. Nothing where
/// this machine lacks AVX2.
std::string run_plans_of_others(const Case& c);

/// The assembly of a case planned for a feature set in fast numerics, everything known.
std::string assembly_for(const Case& c, const std::string& features);

/// Compiles the AVX-512 plans of `c` too, without running them; with AVX512_BF16 in fast numerics.
std::string compile_avx512(const Case& c, const std::string& features = "avx512");

}  // namespace cpu_test

#define CPU_CHECK(...)                                     \
  do {                                                     \
    const std::string wrong_ = cpu_test::run(__VA_ARGS__); \
    CHECK_MESSAGE(wrong_.empty(), wrong_);                 \
  } while (false)
