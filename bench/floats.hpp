// Owns arrays of random floats for benchmarks.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <random>

namespace bench {

/// Floats on huge pages, random in [−1, 1].
class Floats {
 public:
  explicit Floats(std::size_t n) {
    const std::size_t bytes = (n * sizeof(float) + (2u << 20) - 1) >> 21 << 21;
    data_.reset(static_cast<float*>(std::aligned_alloc(2 << 20, bytes)));
    madvise(data_.get(), bytes, MADV_HUGEPAGE);
    std::minstd_rand random(1);
    for (std::size_t i = 0; i < n; ++i) data_.get()[i] = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
  }
  float* get() { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
};

}  // namespace bench
