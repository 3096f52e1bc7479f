// Owns the store of tuned configurations as a tuning's history.
#pragma once

#include "autotune/tune/history.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// Reads and writes a TunedStore, which must outlive it.
class StoreHistory final : public History {
 public:
  explicit StoreHistory(TunedStore& store) : store_(store) {}
  void open(const Problem& problem, const std::string& mode) override;
  TunedKey key() const override { return key_; }
  std::vector<Timing> all() override { return store_.all(key_); }
  std::vector<Neighbour> nearest(std::size_t count) override { return store_.nearest(key_, count); }
  void record(const std::vector<Timing>& timings, int chosen) override;
  std::string place() const override;

 private:
  TunedStore& store_;
  TunedKey key_;
};

}  // namespace autotune
TESSERA_END
