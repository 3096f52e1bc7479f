// Owns StoreSource: a TunedStore as the source of configurations of calls that give none.
#pragma once

#include "autotune/store/tuned_store.hpp"
#include "jit/runtime/configuration_source.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

class StoreSource final : public jit::ConfigurationSource {
 public:
  explicit StoreSource(TunedStore& store) : store_(store) {}
  /// The best of this very shape, fresh or stale; else that of a shape that differs little.
  std::optional<std::vector<Tuned>> tunables(const jit::ConfigurationQuestion& question) noexcept override;

  struct Answer {
    std::optional<std::vector<Tuned>> tunables;
    TunedKey key;
    bool measured = false;  ///< for this very shape, by these versions
  };
  /// Throws where memory is out, or the question cannot be made a key.
  Answer answer(const jit::ConfigurationQuestion& question);

 private:
  TunedStore& store_;
};

/// Answers from TunedStore::process(). Loading this library makes it the source of the process.
jit::ConfigurationSource& source_of_process();

}  // namespace autotune
TESSERA_END
