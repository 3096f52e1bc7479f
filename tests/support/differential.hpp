// Owns the comparison of a backend with the interpreter: arguments made for a program, run by both, within its bounds.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tessera/call/frame.hpp"
#include "tessera/interpret.hpp"
#include "tessera/types/convert.hpp"
#include "tessera/types/packed.hpp"
#include "tests/support/case.hpp"
#include "tests/support/guarded.hpp"

namespace tessera_test {

using tessera::DType;

/// Memory and Frame for a case.
class Arguments {
 public:
  explicit Arguments(const Case& c) : program_(*c.program) {
    const auto layout = tessera::call::frame_layout(program_);
    frame_.assign(layout.words(), 0);
    for (std::size_t i = 0; i < program_.extents.size(); ++i) {
      const auto& e = program_.extents[i];
      const std::int64_t base = c.extents.at(std::string(program_.str(e.base)));
      frame_[layout.extent_word(i)] = static_cast<std::uint64_t>((base + e.plus + e.divide - 1) / e.divide);
    }
    std::mt19937_64 random(c.seed);
    memory_.resize(program_.args.size());
    for (std::size_t i = 0; i < program_.args.size(); ++i) {
      const auto& a = program_.args[i];
      const std::string name(program_.str(a.name));
      if (a.effect == tessera::ir::Effect::scalar) {
        const auto it = c.scalars.find(name);
        frame_[i] = tessera::bits_from_double(a.type, it == c.scalars.end() ? 1.0 : it->second);
        if (tessera::info(a.type).is_signed_integer())
          frame_[i] = static_cast<std::uint64_t>(tessera::to_int64(a.type, frame_[i]));
        continue;
      }
      if (!tessera::call::is_parameter(a)) continue;
      std::int64_t elements = 1, stride = 1;
      for (int d = a.rank - 1; d >= 0; --d) {
        const std::size_t entry = static_cast<std::size_t>(a.first_extent + d);
        frame_[layout.stride_word(entry)] = static_cast<std::uint64_t>(stride);
        const auto extent = static_cast<std::int64_t>(
            frame_[layout.extent_word(static_cast<std::size_t>(program_.arg_extents[entry]))]);
        stride *= extent;
        if (d == a.rank - 1) stride += c.row_padding;
        elements = stride;
      }
      memory_[i] = GuardedBytes(tessera::packed_bytes(a.type, static_cast<std::size_t>(elements)),
                                static_cast<std::size_t>(std::max(1, tessera::info(a.type).bits / 8)));
      const auto it = c.data.find(name);
      for (std::int64_t e = 0; e < elements; ++e) {
        double v = 0;
        if (it != c.data.end())
          v = it->second(e);
        else if (tessera::info(a.type).is_floating())
          v = std::uniform_real_distribution<double>(-1, 1)(random);
        else if (tessera::info(a.type).is_boolean())
          v = static_cast<double>(random() & 1);
        else
          v = static_cast<double>(random() % (tessera::info(a.type).is_signed_integer() ? 15 : 16)) -
              (tessera::info(a.type).is_signed_integer() ? 7 : 0);
        tessera::store_packed(a.type, memory_[i].data(), static_cast<std::size_t>(e),
                              tessera::bits_from_double(a.type, v));
      }
      frame_[i] = reinterpret_cast<std::uint64_t>(memory_[i].data());
    }
  }
  Arguments(const Arguments&) = delete;

  const std::vector<std::uint64_t>& frame() const { return frame_; }
  const std::byte* memory(std::size_t arg) const { return memory_[arg].data(); }

  /// The first element of an argument that differs by more than its bound, as text; empty where all agree.
  std::string compare(const Arguments& reference, const tessera::interpreter::Report& report) const {
    const auto layout = tessera::call::frame_layout(program_);
    for (std::size_t i = 0; i < program_.args.size(); ++i) {
      const auto& a = program_.args[i];
      if (!tessera::call::is_parameter(a) || a.effect == tessera::ir::Effect::scalar) continue;
      if (!tessera::call::is_written(a)) {
        if (std::memcmp(memory_[i].data(), reference.memory_[i].data(), memory_[i].size()) != 0)
          return std::string(program_.name) + ": " + std::string(program_.str(a.name)) + " is In and was written";
        continue;
      }
      std::vector<bool> element(memory_[i].size());
      std::int64_t elements = 1;
      for (int d = 0; d < a.rank; ++d) elements *= extent(a, d, layout);
      for (std::int64_t e = 0; e < elements; ++e) {
        std::int64_t left = e, offset = 0;
        for (int d = a.rank - 1; d >= 0; --d) {
          const std::int64_t n = extent(a, d, layout);
          offset += left % n *
                    static_cast<std::int64_t>(frame_[layout.stride_word(static_cast<std::size_t>(a.first_extent + d))]);
          left /= n;
        }
        if (const int bytes = tessera::info(a.type).bits / 8; bytes > 0)
          for (int b = 0; b < bytes; ++b) element[static_cast<std::size_t>(offset * bytes + b)] = true;
        const auto got = tessera::load_packed(a.type, memory_[i].data(), static_cast<std::size_t>(offset));
        const auto want = tessera::load_packed(a.type, reference.memory_[i].data(), static_cast<std::size_t>(offset));
        if (got == want) continue;
        const double x = tessera::to_double(a.type, got), y = tessera::to_double(a.type, want);
        if (std::isnan(x) && std::isnan(y)) continue;
        const double bound = report.bounds[i].at(static_cast<std::size_t>(e));
        if (std::isinf(bound)) continue;
        if (std::abs(x - y) <= bound) continue;
        return std::string(program_.name) + ": " + std::string(program_.str(a.name)) + "[" + std::to_string(e) +
               "] is " + std::to_string(x) + ", the interpreter has " + std::to_string(y) + " +- " +
               std::to_string(bound);
      }
      if (tessera::info(a.type).bits >= 8)
        for (std::size_t b = 0; b < element.size(); ++b)
          if (!element[b] && memory_[i].data()[b] != reference.memory_[i].data()[b])
            return std::string(program_.name) + ": " + std::string(program_.str(a.name)) +
                   " is written between its rows";
    }
    return {};
  }

 private:
  std::int64_t extent(const tessera::ir::Arg& a, int d, const tessera::call::FrameLayout& layout) const {
    return static_cast<std::int64_t>(frame_[layout.extent_word(
        static_cast<std::size_t>(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]))]);
  }
  const tessera::ir::Program& program_;
  std::vector<std::uint64_t> frame_;
  std::vector<GuardedBytes> memory_;
};

}  // namespace tessera_test
