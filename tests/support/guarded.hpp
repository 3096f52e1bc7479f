// Owns GuardedBytes: memory that ends at a page which faults when touched, so that a read past an array is found.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace tessera_test {

/// `size` bytes that end where a page without access begins, as far as the alignment of the start allows. Pieces of
/// more than `most_filled` bytes begin as zeros, and take memory only where they are touched.
class GuardedBytes {
 public:
  static constexpr std::size_t most_filled = std::size_t{1} << 20;

  GuardedBytes() = default;
  GuardedBytes(std::size_t size, std::size_t align) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t room = (size + align + page - 1) / page * page;
    mapped_ = room + page;
    void* p = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(p);
    mprotect(base_ + room, page, PROT_NONE);
    data_ = base_ + (room - size) / align * align;
    if (size <= most_filled) {
      std::memset(base_, fill, room);
    } else {
      std::memset(base_, fill, static_cast<std::size_t>(data_ - base_));
      std::memset(data_ + size, fill, static_cast<std::size_t>(base_ + room - (data_ + size)));
    }
  }
  GuardedBytes(GuardedBytes&& o) noexcept { swap(o); }
  GuardedBytes& operator=(GuardedBytes&& o) noexcept {
    swap(o);
    return *this;
  }
  ~GuardedBytes() {
    if (base_ != nullptr) munmap(base_, mapped_);
  }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

  /// Whether the bytes that share pages with these are as they were.
  bool rest_is_untouched() const {
    if (base_ == nullptr) return true;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const auto is_fill = [](std::byte b) { return b == std::byte{fill}; };
    return std::all_of(base_, data_, is_fill) && std::all_of(data_ + size_, base_ + mapped_ - page, is_fill);
  }

 private:
  static constexpr unsigned char fill = 0x5A;

  void swap(GuardedBytes& o) {
    std::swap(base_, o.base_);
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(mapped_, o.mapped_);
  }
  std::byte *base_ = nullptr, *data_ = nullptr;
  std::size_t size_ = 0, mapped_ = 0;
};

}  // namespace tessera_test
