// Owns the interpreter's memory: bytes, and beside each element who wrote and read it last, on vector clocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/loop/interpret.hpp"
#include "tessera/types/dtype.hpp"

TESSERA_BEGIN
namespace loop::detail {

/// A vector clock: for each agent (a thread, or what runs copies or asynchronous mma for it) how far it is known.
class Clock {
 public:
  std::uint32_t at(std::uint32_t agent) const { return agent < times_.size() ? times_[agent] : 0; }
  void raise(std::uint32_t agent, std::uint32_t time) {
    if (times_.size() <= agent) times_.resize(agent + 1);
    if (times_[agent] < time) times_[agent] = time;
  }
  void join(const Clock& other) {
    if (times_.size() < other.times_.size()) times_.resize(other.times_.size());
    for (std::size_t i = 0; i < other.times_.size(); ++i)
      if (times_[i] < other.times_[i]) times_[i] = other.times_[i];
  }
  void clear() { times_.clear(); }

 private:
  std::vector<std::uint32_t> times_;
};

/// One access: by which agent, at which of its times (0: none), at which instruction.
struct Access {
  std::uint32_t time = 0;
  std::uint32_t agent = 0;
  const Inst* inst = nullptr;
};

struct Cell {
  Access write, read;
  std::int32_t readers = -1;  ///< index into Block::readers where reads are not ordered among themselves
  std::uint16_t pending = 0;  ///< copies in flight that will write it
  bool written = false;
  bool atomic = false;  ///< the last write was atomic
};

/// A piece of memory that was allocated, or given.
struct Block {
  std::string name;
  unsigned char* data = nullptr;
  std::vector<unsigned char> own;  ///< where the memory is the interpreter's
  std::int64_t bits = 0;           ///< size
  int cell_bits = 8;               ///< one cell for so many bits
  bool shared = false;             ///< on-chip memory of a GPU, read by its asynchronous units
  bool writable = true;
  bool all_written = false;  ///< given with values: cells start as written
  bool tracked = true;       ///< more than one thread may touch it
  std::vector<Cell> cells;
  std::vector<std::vector<Access>> readers;

  std::uint64_t get(std::int64_t bit, int width) const;
  void put(std::int64_t bit, int width, std::uint64_t value);
};

}  // namespace loop::detail
TESSERA_END
