// Owns the memory of a call that is tuned: a copy of the caller's arrays, or made ones, in shared memory that a worker
// reads and never writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tessera/ir/tile.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// Where an array lies in a block of memory that has all arrays of a call.
struct Place {
  std::size_t argument = 0;
  std::int64_t offset = 0;  ///< of its lowest byte, from the block's start
  std::int64_t bytes = 0;   ///< from its lowest to its highest
  std::int64_t first = 0;   ///< of the element (0, 0 …), from the lowest byte
  bool written = false;     ///< Out or InOut
  bool restored = false;    ///< InOut: what a run reads must be what the first one read
};

/// All arrays of a call, each as far from a page's start as the caller's.
struct Arrangement {
  std::vector<Place> places;
  std::int64_t bytes = 0;  ///< of the block; a multiple of a page

  static Arrangement of(const ir::Program& program, const std::vector<std::uint64_t>& frame);
  /// `frame` with the addresses of a block at `base`.
  std::vector<std::uint64_t> frame_at(std::vector<std::uint64_t> frame, const std::byte* base) const;
};

/// A piece of memory that processes share by its descriptor.
class SharedMemory {
 public:
  SharedMemory() = default;
  explicit SharedMemory(std::int64_t bytes);         ///< makes one; throws DeviceError
  SharedMemory(int descriptor, std::int64_t bytes);  ///< maps one; throws DeviceError
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();
  int descriptor() const { return descriptor_; }
  std::byte* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  int descriptor_ = -1;
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

/// Copies the caller's arrays, as the frame has them, into a block.
void copy_arrays(const Arrangement& arrangement, const std::vector<std::uint64_t>& frame, std::byte* block);

/// Fills a block with data that suit the arguments' types: floats in [−1, 1]; integers that are positions in every
/// array of the call; ascending offsets where an extent is written "B+1".
void make_arrays(const ir::Program& program, const std::vector<std::uint64_t>& frame, const Arrangement& arrangement,
                 std::uint64_t seed, std::byte* block);

}  // namespace autotune
TESSERA_END
