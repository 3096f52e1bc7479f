// Owns what the tests of the gate share: reading a Loop IR text, changing it by one line, and running it on matrices.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "jit/loop/interpret.hpp"
#include "jit/loop/parse.hpp"
#include "jit/loop/text.hpp"
#include "jit/loop/verify.hpp"
#include "tessera/types/convert.hpp"

namespace gate {

using namespace tessera;

inline std::string read(const std::string& name) {
  std::ifstream file(std::string(TESSERA_SOURCE_DIR) + "/tests/jit/loop/gate/" + name);
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The text with its `number`-th line that contains `what` (counted from 0) replaced by `by`.
inline std::string change(const std::string& text, const std::string& what, const std::string& by = "",
                          int number = 0) {
  std::stringstream in(text), out;
  std::string line;
  bool done = false;
  while (std::getline(in, line)) {
    const bool hit = line.find(what) != std::string::npos && line.find("//") > line.find(what);
    if (hit && number-- == 0) line = by, done = true;
    out << line << "\n";
  }
  REQUIRE_MESSAGE(done, "no line has ", what);
  return out.str();
}

/// Parses, and checks that the program is well formed and prints to a text that gives it back.
inline loop::Program program(const std::string& text) {
  const loop::Parsed parsed = loop::parse(text);
  REQUIRE_MESSAGE(parsed.ok, parsed.error);
  const auto problems = loop::verify(parsed.program);
  CHECK_MESSAGE(problems.empty(), (problems.empty() ? "" : problems[0]));
  const std::string printed = loop::print(parsed.program);
  const loop::Parsed again = loop::parse(printed);
  REQUIRE_MESSAGE(again.ok, again.error);
  CHECK(loop::print(again.program) == printed);
  return parsed.program;
}

/// Parses a variant that `verify` may refuse.
inline loop::Program broken(const std::string& text) {
  const loop::Parsed parsed = loop::parse(text);
  REQUIRE_MESSAGE(parsed.ok, parsed.error);
  return parsed.program;
}

inline std::string all(const loop::Report& report) {
  std::string s;
  for (const auto& f : report.findings) s += std::string(loop::name(f.kind)) + ": " + f.text + "\n";
  return s;
}

/// A matrix of elements of one type, of small whole numbers, so that every order of summation gives the same.
struct Matrix {
  DType type;
  std::int64_t rows, columns, stride;
  std::vector<unsigned char> bytes;

  Matrix(DType t, std::int64_t r, std::int64_t c, std::int64_t extra = 0)
      : type(t),
        rows(r),
        columns(c),
        stride(c + extra),
        bytes(static_cast<std::size_t>(r * (c + extra) * info(t).bits / 8)) {}
  Matrix& fill(unsigned seed) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) {
        seed = seed * 1664525u + 1013904223u;
        set(i, j, static_cast<double>(seed >> 24) / 32 - 4 - static_cast<double>((seed >> 24) % 32) / 32);
      }
    return *this;
  }
  void set(std::int64_t i, std::int64_t j, double v) {
    const std::uint64_t b = bits_from_double(type, v);
    std::memcpy(bytes.data() + (i * stride + j) * info(type).bits / 8, &b, info(type).bits / 8);
  }
  double at(std::int64_t i, std::int64_t j) const {
    std::uint64_t b = 0;
    std::memcpy(&b, bytes.data() + (i * stride + j) * info(type).bits / 8, info(type).bits / 8);
    return to_double(type, b);
  }
  std::uint64_t word() const { return reinterpret_cast<std::uint64_t>(bytes.data()); }
  loop::Memory memory(bool written) {
    return {bytes.data(), static_cast<std::int64_t>(bytes.size()), written, !written};
  }
};

/// The number of elements of c that are not Σ a·b, or with `transposed` Σ a·bᵀ.
inline int wrong(const Matrix& a, const Matrix& b, const Matrix& c, bool transposed = false) {
  int n = 0;
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < c.columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < a.columns; ++k) sum += a.at(i, k) * (transposed ? b.at(j, k) : b.at(k, j));
      n += c.at(i, j) != sum;
    }
  return n;
}

}  // namespace gate
