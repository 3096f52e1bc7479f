// Owns judging another implementation of a program: its results against the interpreter's and their bounds.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "tessera/call/frame.hpp"
#include "tessera/interpret/number.hpp"
#include "tessera/interpret/report.hpp"
#include "tessera/types/packed.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// An element that another implementation got wrong.
struct Mismatch {
  std::int32_t argument = -1;
  std::int64_t element = 0;  ///< row-major over the extents
  double want = 0, got = 0, bound = 0;
  std::string text;  ///< "c(3, 0) is 1.5, not 1.25 ± 0.01"
};

/// Whether `got` is right where the interpreter got `want` with that bound. With bound 0, the values must be the same:
/// any NaN for NaN, and zeros of either sign.
inline bool agrees(DType type, Word want, Word got, double bound) {
  if (want == got || bound == unbounded) return true;
  if (!info(type).is_floating() && bound == 0) return false;
  const double x = number(type, want), y = number(type, got);
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
  return x == y || std::fabs(x - y) <= bound;
}

/// Compares the Outs and InOuts of two frames of one program, with the same extents: `interpreted`, whose arrays the
/// interpreter wrote with `report`, and `other`, whose arrays began as copies of them. Gives the first `most`
/// mismatches.
inline std::vector<Mismatch> mismatches(const ir::Program& program, std::span<const std::uint64_t> interpreted,
                                        const Report& report, std::span<const std::uint64_t> other,
                                        std::size_t most = 8) {
  std::vector<Mismatch> all;
  const call::FrameView a{interpreted.data(), call::frame_layout(program)}, b{other.data(), a.layout};
  for (std::size_t arg = 0; arg < a.layout.args; ++arg) {
    const ir::Arg& argument = program.args[arg];
    if (!call::is_written(argument)) continue;
    std::int64_t extent[ir::max_rank] = {}, elements = 1;
    const auto entry = [&](int k) { return static_cast<std::size_t>(argument.first_extent + k); };
    for (int k = 0; k < argument.rank; ++k) {
      extent[k] = a.extent(static_cast<std::size_t>(program.arg_extents[entry(k)]));
      elements *= extent[k];
    }
    for (std::int64_t e = 0; e < elements && all.size() < most; ++e) {
      std::int64_t left = e, from_a = 0, from_b = 0;
      std::string place;
      for (int k = argument.rank - 1; k >= 0; --k) {
        const std::int64_t i = left % extent[k];
        left /= extent[k];
        from_a += i * a.stride(entry(k));
        from_b += i * b.stride(entry(k));
      }
      const Word want =
          canonical(argument.type, load_packed(argument.type, a.pointer(arg), static_cast<std::size_t>(from_a)));
      const Word got =
          canonical(argument.type, load_packed(argument.type, b.pointer(arg), static_cast<std::size_t>(from_b)));
      const double bound = report.bounds.size() > arg ? report.bounds[arg].at(static_cast<std::size_t>(e)) : 0.0;
      if (agrees(argument.type, want, got, bound)) continue;
      left = e;
      for (int k = argument.rank - 1; k >= 0; --k) {
        place = std::to_string(left % extent[k]) + (place.empty() ? "" : ", ") + place;
        left /= extent[k];
      }
      Mismatch m{static_cast<std::int32_t>(arg), e, number(argument.type, want), number(argument.type, got), bound, {}};
      char text[128];
      std::snprintf(text, sizeof text, ") is %.9g, not %.9g ± %.3g", m.got, m.want, m.bound);
      m.text = std::string(program.str(argument.name)) + "(" + place + text;
      all.push_back(std::move(m));
    }
  }
  return all;
}

}  // namespace interpreter
TESSERA_END
