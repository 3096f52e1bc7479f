// Owns memory and Frames of runs of samples.
#include "tests/fuzz/arguments.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <stdexcept>
#include <utility>

#include "tessera/call/frame.hpp"
#include "tessera/types/convert.hpp"
#include "tessera/types/packed.hpp"
#include "tests/fuzz/data.hpp"

namespace fuzz {
namespace {

constexpr auto pattern = std::byte{0x5A};
constexpr std::int64_t most_elements = 1 << 21;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// Pieces that are free, by their size.
std::multimap<std::size_t, std::byte*>& pieces() {
  static std::multimap<std::size_t, std::byte*> all;
  return all;
}

std::byte* take_piece(std::size_t room) {
  if (const auto it = pieces().find(room); it != pieces().end()) {
    std::byte* piece = it->second;
    pieces().erase(it);
    return piece;
  }
  void* p = mmap(nullptr, room + 2 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  std::byte* piece = static_cast<std::byte*>(p) + page_size();
  if (mprotect(piece, room, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  return piece;
}

}  // namespace

Guarded::Guarded(std::size_t size, std::size_t align, bool at_start) : size_(size) {
  room_ = page_size();
  while (room_ < size + align) room_ *= 2;
  page_ = take_piece(room_);
  std::fill(page_, page_ + room_, pattern);
  data_ = at_start ? page_ : page_ + (room_ - size) / align * align;
}

Guarded::Guarded(Guarded&& o) noexcept
    : page_(std::exchange(o.page_, nullptr)), data_(o.data_), room_(o.room_), size_(o.size_) {}

Guarded& Guarded::operator=(Guarded&& o) noexcept {
  std::swap(page_, o.page_);
  std::swap(data_, o.data_);
  std::swap(room_, o.room_);
  std::swap(size_, o.size_);
  return *this;
}

Guarded::~Guarded() {
  if (page_ != nullptr) pieces().emplace(room_, page_);
}

bool Guarded::intact() const {
  const auto is_pattern = [](std::byte b) { return b == pattern; };
  return std::all_of(page_, data_, is_pattern) && std::all_of(data_ + size_, page_ + room_, is_pattern);
}

Arguments::Arguments(const Sample& sample) : sample_(sample) {
  const ir::Program p = sample.program.view();
  const auto layout = tessera::call::frame_layout(p);
  frame_.assign(layout.words(), 0);
  for (std::size_t i = 0; i < p.extents.size(); ++i)
    frame_[layout.extent_word(i)] = static_cast<std::uint64_t>(extent_value(sample, static_cast<std::int32_t>(i)));
  arrays_.resize(layout.args);
  for (std::size_t i = 0; i < layout.args; ++i) {
    if (p.args[i].effect == ir::Effect::scalar)
      frame_[i] = tessera::info(p.args[i].type).is_signed_integer()
                      ? static_cast<std::uint64_t>(tessera::to_int64(p.args[i].type, sample.given[i].scalar))
                      : sample.given[i].scalar;
    else
      make_array(sample, i);
  }
}

void Arguments::make_array(const Sample& sample, std::size_t arg) {
  const ir::Program p = sample.program.view();
  const auto layout = tessera::call::frame_layout(p);
  const ir::Arg& a = p.args[arg];
  const Given& given = sample.given[arg];
  const bool packed = tessera::info(a.type).is_sub_byte();
  std::int64_t extent[ir::max_rank] = {}, stride[ir::max_rank] = {}, span = 1, step = 1;
  const auto entry = [&](int k) { return static_cast<std::size_t>(a.first_extent + k); };
  for (int k = 0; k < a.rank; ++k) extent[k] = extent_value(sample, p.arg_extents[entry(k)]);
  const Layout lies = packed && given.layout != Layout::padded ? Layout::rows : given.layout;
  for (int n = 0; n < a.rank; ++n) {
    const int k = lies == Layout::columns ? n : a.rank - 1 - n;
    if (n == 0 && lies == Layout::gaps) step = 2;
    stride[k] = step;
    step *= std::max<std::int64_t>(extent[k], 1);
    if (n == 0 && lies == Layout::padded) step = packed ? (step + 15) / 8 * 8 : step + 3;
    if (step > most_elements) throw std::runtime_error("an array of more elements than the fuzzer runs");
  }
  for (int k = 0; k < a.rank; ++k)
    if (lies == Layout::single || (lies == Layout::spread && k == 0)) stride[k] = 0;
  std::int64_t begin = 0;  // of element (0, …) in elements of the memory
  for (int k = 0; k < a.rank; ++k) {
    if (extent[k] == 0) span = 0;
    if (span > 0) span += (extent[k] - 1) * stride[k];
  }
  if (lies == Layout::backwards && a.rank > 0 && span > 0) {
    begin = (extent[a.rank - 1] - 1) * stride[a.rank - 1];
    stride[a.rank - 1] = -stride[a.rank - 1];
  }
  Array& array = arrays_[arg];
  const auto bytes = tessera::packed_bytes(a.type, static_cast<std::size_t>(span));
  const int width = tessera::info(a.type).bits;
  const std::byte* data = nullptr;
  if (given.same_as >= 0 && static_cast<std::size_t>(given.same_as) < arg &&
      arrays_[static_cast<std::size_t>(given.same_as)].memory.size() >= bytes &&
      p.args[static_cast<std::size_t>(given.same_as)].type == a.type) {
    data = arrays_[static_cast<std::size_t>(given.same_as)].memory.data();
  } else {
    array.memory = Guarded(bytes, static_cast<std::size_t>(std::max(1, width / 8)), given.at_start);
    data = array.memory.data();
    fill(sample, arg, span);
  }
  frame_[arg] = reinterpret_cast<std::uint64_t>(data + begin * width / 8);
  for (int k = 0; k < a.rank; ++k) frame_[layout.stride_word(entry(k))] = static_cast<std::uint64_t>(stride[k]);
  if (!tessera::call::is_written(a)) {
    array.before.assign(array.memory.data(), array.memory.data() + array.memory.size());
    return;
  }
  array.bits.assign(bytes, 0);
  std::int64_t elements = 1;
  for (int k = 0; k < a.rank; ++k) elements *= extent[k];
  for (std::int64_t e = 0; e < elements; ++e) {
    std::int64_t left = e, at = begin;
    for (int k = a.rank - 1; k >= 0; --k) {
      at += left % extent[k] * stride[k];
      left /= extent[k];
    }
    for (std::int64_t bit = at * width; bit < (at + 1) * width; bit += packed ? 1 : 8)
      array.bits[static_cast<std::size_t>(bit / 8)] =
          packed ? static_cast<std::uint8_t>(array.bits[static_cast<std::size_t>(bit / 8)] | 1u << bit % 8) : 0xff;
  }
}

void Arguments::fill(const Sample& sample, std::size_t arg, std::int64_t span) {
  const Given& given = sample.given[arg];
  const tessera::DType type = sample.program.args[arg].type;
  Random random(given.seed);
  std::vector<std::uint64_t> values(static_cast<std::size_t>(span));
  for (std::uint64_t& v : values) v = value_bits(random, type, given.content, given.limit);
  if (given.content == Content::ascending) std::sort(values.begin(), values.end());
  for (std::size_t i = 0; i < values.size(); ++i) tessera::store_packed(type, arrays_[arg].memory.data(), i, values[i]);
}

std::vector<tessera::loop::Memory> Arguments::memory() const {
  std::vector<tessera::loop::Memory> all;
  const ir::Program p = sample_.program.view();
  for (std::size_t i = 0; i < arrays_.size(); ++i)
    if (const Guarded& m = arrays_[i].memory; m.data() != nullptr)
      all.push_back({m.data(), static_cast<std::int64_t>(m.size()), true, tessera::call::is_written(p.args[i])});
  return all;
}

std::string Arguments::wrongly_written(const Arguments& reference) const {
  const ir::Program p = sample_.program.view();
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    const Array &a = arrays_[i], &r = reference.arrays_[i];
    const std::string name(p.str(p.args[i].name));
    if (a.memory.data() == nullptr) continue;
    if (!a.memory.intact()) return name + " is written beside its memory";
    if (!tessera::call::is_written(p.args[i])) {
      if (std::memcmp(a.before.data(), a.memory.data(), a.before.size()) != 0) return name + " is In and is written";
      continue;
    }
    for (std::size_t b = 0; b < a.bits.size(); ++b)
      if ((static_cast<std::uint8_t>(a.memory.data()[b] ^ r.memory.data()[b]) &
           static_cast<std::uint8_t>(~a.bits[b])) != 0)
        return name + " is written between its elements";
  }
  return {};
}

}  // namespace fuzz
