// Owns the memory of a call that is tuned.
#include "autotune/tune/data.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tessera/call/errors.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/types/convert.hpp"
#include "tessera/types/packed.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr std::int64_t page = 4096;

std::uint64_t mix(std::uint64_t x) {  // splitmix64's finaliser
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

Arrangement Arrangement::of(const ir::Program& program, const std::vector<std::uint64_t>& frame) {
  const call::FrameView view{frame.data(), call::frame_layout(program)};
  Arrangement all;
  for (std::size_t a = 0; a < view.layout.args; ++a) {
    const ir::Arg& arg = program.args[a];
    if (!call::is_array(arg)) continue;
    const std::int64_t bits = info(arg.type).bits;
    std::int64_t low = 0, high = bits;  // of the range, in bits from the first element
    bool empty = false;
    for (int d = 0; d < arg.rank; ++d) {
      const auto entry = static_cast<std::size_t>(arg.first_extent + d);
      const std::int64_t extent = view.extent(static_cast<std::size_t>(program.arg_extents[entry]));
      const std::int64_t span = (extent - 1) * view.stride(entry) * bits;
      empty = empty || extent <= 0;
      (span < 0 ? low : high) += span;
    }
    Place p;
    p.argument = a;
    p.written = call::is_written(arg);
    p.restored = arg.effect == ir::Effect::inout;
    if (!empty) {
      p.first = (-low + 7) / 8;
      p.bytes = p.first + (high + 7) / 8;
    }
    const auto address = static_cast<std::int64_t>(frame[a] % static_cast<std::uint64_t>(page));
    p.offset = (all.bytes + page - 1) / page * page + (address - p.first % page + page) % page;
    all.bytes = p.offset + p.bytes;
    all.places.push_back(p);
  }
  all.bytes = (all.bytes + 2 * page) / page * page;
  return all;
}

std::vector<std::uint64_t> Arrangement::frame_at(std::vector<std::uint64_t> frame, const std::byte* base) const {
  for (const Place& p : places) frame[p.argument] = reinterpret_cast<std::uintptr_t>(base + p.offset + p.first);
  return frame;
}

SharedMemory::SharedMemory(std::int64_t bytes) : SharedMemory(memfd_create("tessera tuning", MFD_CLOEXEC), 0) {
  if (ftruncate(descriptor_, bytes) != 0) throw DeviceError("tuning: no memory for a copy of the arguments");
  *this = SharedMemory(fcntl(descriptor_, F_DUPFD_CLOEXEC, 0), bytes);
}

SharedMemory::SharedMemory(int descriptor, std::int64_t bytes) : descriptor_(descriptor), bytes_(bytes) {
  if (descriptor < 0) throw DeviceError("tuning: no shared memory can be made");
  if (bytes == 0) return;
  void* place = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (place == MAP_FAILED) {
    ::close(std::exchange(descriptor_, -1));
    throw DeviceError("tuning: no memory for a copy of the arguments (" + std::to_string(bytes) + " bytes)");
  }
  data_ = static_cast<std::byte*>(place);
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) munmap(data_, static_cast<std::size_t>(bytes_));
  if (descriptor_ >= 0) ::close(descriptor_);
}

void copy_arrays(const Arrangement& arrangement, const std::vector<std::uint64_t>& frame, std::byte* block) {
  for (const Place& p : arrangement.places)
    if (p.bytes > 0)
      std::memcpy(block + p.offset, reinterpret_cast<const std::byte*>(frame[p.argument]) - p.first,  // NOLINT
                  static_cast<std::size_t>(p.bytes));
}

void make_arrays(const ir::Program& program, const std::vector<std::uint64_t>& frame, const Arrangement& arrangement,
                 std::uint64_t seed, std::byte* block) {
  const call::FrameView view{frame.data(), call::frame_layout(program)};
  std::int64_t smallest = INT64_MAX, longest = 1;
  for (std::size_t i = 0; i < program.extents.size(); ++i) {
    if (view.extent(i) > 0) smallest = std::min(smallest, view.extent(i));
  }
  for (const Place& p : arrangement.places) {
    const ir::Arg& arg = program.args[p.argument];
    if (info(arg.type).is_floating() && arg.rank > 0)
      longest = std::max(
          longest,
          view.extent(static_cast<std::size_t>(program.arg_extents[static_cast<std::size_t>(arg.first_extent)])));
  }
  for (const Place& p : arrangement.places) {
    const ir::Arg& arg = program.args[p.argument];
    const DTypeInfo& type = info(arg.type);
    const std::int64_t elements = p.bytes * 8 / std::max<std::int64_t>(1, type.bits);
    std::byte* at = block + p.offset;
    const ir::Extent* extent =
        arg.rank == 1
            ? &program
                   .extents[static_cast<std::size_t>(program.arg_extents[static_cast<std::size_t>(arg.first_extent)])]
            : nullptr;
    if (!type.is_floating() && extent != nullptr && extent->plus == 1) {
      for (std::int64_t e = 0; e < elements; ++e)
        store_packed(
            arg.type, at, static_cast<std::size_t>(e),
            bits_from_double(arg.type, static_cast<double>(longest * e / std::max<std::int64_t>(1, elements - 1))));
      continue;
    }
    std::array<std::uint64_t, 1024> values;  // encoding a narrow float takes longer than copying one
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t random = mix(seed + 1024 * (p.argument + 1) + i);
      double v = static_cast<double>(random >> 11) * 0x1p-53;
      if (type.is_floating())
        v = type.has_sign ? 2 * v - 1 : 1;
      else if (type.is_boolean())
        v = static_cast<double>(random & 1);
      else
        v = static_cast<double>(
            random % static_cast<std::uint64_t>(std::clamp<std::int64_t>(smallest, 1, type.bits <= 4 ? 7 : 100)));
      values[i] = bits_from_double(arg.type, v);
    }
    for (std::int64_t e = 0; e < elements; ++e)
      store_packed(arg.type, at, static_cast<std::size_t>(e), values[mix(static_cast<std::uint64_t>(e)) & 1023]);
  }
}

}  // namespace autotune
TESSERA_END
