// Owns Arguments: memory and Frame of one run of a sample, with zones around arrays that nothing may write or read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "jit/loop/interpret.hpp"
#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// Bytes between two pages without access: as many as asked, at the end or at the start. What is left of the pages
/// holds a pattern. Pieces are kept and used again: making one costs system calls.
class Guarded {
 public:
  Guarded() = default;
  Guarded(std::size_t size, std::size_t align, bool at_start);
  Guarded(Guarded&& other) noexcept;
  Guarded& operator=(Guarded&& other) noexcept;
  ~Guarded();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  /// Whether the bytes around the data still hold the pattern.
  bool intact() const;

 private:
  std::byte *page_ = nullptr, *data_ = nullptr;
  std::size_t room_ = 0, size_ = 0;
};

/// Memory and Frame of a run. Two of one sample begin with the same bytes.
class Arguments {
 public:
  /// Throws std::runtime_error where the arrays would be larger than the fuzzer allows.
  explicit Arguments(const Sample& sample);
  Arguments(const Arguments&) = delete;

  const std::vector<std::uint64_t>& frame() const { return frame_; }
  /// The arrays, as the interpreter of Loop IR takes them.
  std::vector<tessera::loop::Memory> memory() const;
  /// What a run of the sample wrote where it must not write: an In array, between the elements of another, or around
  /// it. `reference` began with the same bytes. Empty where nothing is wrong.
  std::string wrongly_written(const Arguments& reference) const;

 private:
  struct Array {
    Guarded memory;
    std::vector<std::byte> before;   ///< of an array that is not written
    std::vector<std::uint8_t> bits;  ///< of each byte, those that belong to elements
  };
  void make_array(const Sample& sample, std::size_t arg);
  void fill(const Sample& sample, std::size_t arg, std::int64_t span);

  const Sample& sample_;
  std::vector<std::uint64_t> frame_;
  std::vector<Array> arrays_;
};

}  // namespace fuzz
