// Owns the judgement of a configuration's results against a reference's.
#include "autotune/worker/check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "tessera/interpret/compare.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

double largest(DType type, const std::byte* data, std::int64_t elements) {
  double most = 0;
  for (std::int64_t e = 0; e < elements; ++e) {
    const double x = interpreter::number(type, load_packed(type, data, static_cast<std::size_t>(e)));
    if (std::isfinite(x)) most = std::max(most, std::fabs(x));
  }
  return most;
}

/// Whether two dense runs of f32 agree: the common case, at the speed of memory.
bool close_floats(const std::byte* a, const std::byte* b, std::int64_t bytes, float bound) {
  const auto* x = reinterpret_cast<const float*>(a);
  const auto* y = reinterpret_cast<const float*>(b);
  bool all = true;
  for (std::int64_t i = 0; i < bytes / 4; ++i) all &= std::fabs(x[i] - y[i]) <= bound;  // false for NaN
  return all;
}

}  // namespace

double tolerance(DType type) {
  const DTypeInfo& t = info(type);
  if (!t.is_floating()) return 0;
  return std::ldexp(1.0, t.bits > 16 ? -(t.precision - 8) : -(t.precision - 3));
}

std::string first_wrong(const ir::Program& program, const std::vector<std::uint64_t>& frame,
                        const Arrangement& arrangement, const std::byte* reference,
                        const std::vector<interpreter::Bounds>& bounds, const std::byte* block) {
  const call::FrameView view{frame.data(), call::frame_layout(program)};
  for (const Place& p : arrangement.places) {
    if (!p.written || std::memcmp(reference + p.offset, block + p.offset, static_cast<std::size_t>(p.bytes)) == 0)
      continue;
    const ir::Arg& arg = program.args[p.argument];
    const std::byte *want = reference + p.offset + p.first, *got = block + p.offset + p.first;
    const double share = tolerance(arg.type);
    const bool exact = bounds.empty();
    const double bound = exact && share > 0
                             ? share * largest(arg.type, reference + p.offset,
                                               p.bytes * 8 / std::max<std::int64_t>(1, info(arg.type).bits))
                             : 0;
    if (exact && arg.type == DType::f32 && p.first == 0 &&
        close_floats(reference + p.offset, block + p.offset, p.bytes, static_cast<float>(bound)))
      continue;
    std::int64_t extent[ir::max_rank] = {}, elements = 1;
    for (int d = 0; d < arg.rank; ++d) {
      extent[d] =
          view.extent(static_cast<std::size_t>(program.arg_extents[static_cast<std::size_t>(arg.first_extent + d)]));
      elements *= extent[d];
    }
    for (std::int64_t e = 0; e < elements; ++e) {
      std::int64_t left = e, offset = 0;
      std::string place;
      for (int d = arg.rank - 1; d >= 0; --d) {
        offset += left % extent[d] * view.stride(static_cast<std::size_t>(arg.first_extent + d));
        left /= extent[d];
      }
      // Offsets below 0 are bytes before the first element: whole ones, as packed elements never have them.
      const auto read = [&](const std::byte* data) {
        const std::int64_t bits = info(arg.type).bits;
        if (bits >= 8) return load_packed(arg.type, data + offset * (bits / 8), 0);
        return load_packed(arg.type, data, static_cast<std::size_t>(offset));
      };
      const auto a = interpreter::canonical(arg.type, read(want)), b = interpreter::canonical(arg.type, read(got));
      const double allowed = exact ? bound : bounds[p.argument].at(static_cast<std::size_t>(e));
      if (interpreter::agrees(arg.type, a, b, allowed)) continue;
      left = e;
      for (int d = arg.rank - 1; d >= 0; --d) {
        place = std::to_string(left % extent[d]) + (place.empty() ? "" : ", ") + place;
        left /= extent[d];
      }
      char text[128];
      std::snprintf(text, sizeof text, ") is %.9g, not %.9g ± %.3g", interpreter::number(arg.type, b),
                    interpreter::number(arg.type, a), allowed);
      return std::string(program.str(arg.name)) + "(" + place + text;
    }
  }
  return {};
}

std::string bits_of(const Arrangement& arrangement, const std::byte* block) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 31;
  };
  for (const Place& p : arrangement.places) {
    if (!p.written) continue;
    std::int64_t i = 0;
    for (; i + 8 <= p.bytes; i += 8) {
      std::uint64_t word;
      std::memcpy(&word, block + p.offset + i, 8);
      mix(word);
    }
    for (; i < p.bytes; ++i) mix(static_cast<std::uint64_t>(block[p.offset + i]));
    mix(static_cast<std::uint64_t>(p.bytes));
  }
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace autotune
TESSERA_END
