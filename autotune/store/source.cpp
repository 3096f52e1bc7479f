// Owns the answer to calls without a configuration: the best that was measured for this shape, else for its neighbours.
#include "autotune/store/source.hpp"

#include <string_view>

#include "autotune/store/tuned_key.hpp"
#include "autotune/store/tuned_store.hpp"
#include "autotune/tune/zero_shot.hpp"
#include "jit/runtime/log.hpp"
#include "tessera/export.hpp"

TESSERA_BEGIN
namespace autotune {

std::optional<std::vector<Tuned>> StoreSource::tunables(const jit::ConfigurationQuestion& question) noexcept {
  try {
    if (question.program.tunables.empty()) return std::nullopt;
    const TunedKey key =
        tuned_key(question.program, question.frame, question.target, question.features, question.threads);
    if (auto best = store_.best(key)) {
      if (best->stale && jit::logs(jit::LogLevel::info))
        jit::log(jit::LogLevel::info, key.kernel + ": " + store_.explain(key));
      return std::move(best->configuration);
    }
    // A shape within a factor of about 1.4 in one extent, or less in several, is taken for the same.
    constexpr double near = 0.5;
    const auto neighbours = store_.nearest(key, 3);
    if (!neighbours.empty() && neighbours.front().distance <= near) return neighbours.front().best.configuration;
    if (!neighbours.empty()) {  // farther ones are moved to this shape, and the target's model may object
      const Config config{.threads = question.threads, .features = question.features};
      const std::size_t words = call::frame_layout(question.program).words();
      Space space({question.program, {question.frame, question.frame + words}, question.target, config}, {},
                  call::declared_space(question.program), config);
      Guess guess = zero_shot(space, key, neighbours);
      if (guess.distance > 0) return std::move(guess.tunables);
    }
    if (jit::logs(jit::LogLevel::info))
      jit::log(jit::LogLevel::info, key.kernel + ": not tuned: " + store_.explain(key));
  } catch (...) {
  }
  return std::nullopt;
}

namespace {

/// The process's store, opened at the first question.
class ProcessSource final : public jit::ConfigurationSource {
 public:
  std::optional<std::vector<Tuned>> tunables(const jit::ConfigurationQuestion& question) noexcept override {
    try {
      return StoreSource(TunedStore::process()).tunables(question);
    } catch (...) {
      return std::nullopt;
    }
  }
};

ProcessSource process_source;

// A program that links this library has its answers, also to what it tunes itself.
[[maybe_unused]] const bool registered = [] {
  jit::set_configuration_source(&process_source);
  return true;
}();

}  // namespace

jit::ConfigurationSource& source_of_process() { return process_source; }

}  // namespace autotune
TESSERA_END

/// For libtessera_jit, which opens this library where tuned configurations exist.
extern "C" TESSERA_API tessera::jit::ConfigurationSource* tessera_autotune_source(const char* boundary);
extern "C" TESSERA_API tessera::jit::ConfigurationSource* tessera_autotune_source(const char* boundary) {
  using namespace tessera;
  if (std::string_view(boundary) != jit::configuration_boundary) return nullptr;
  return &autotune::source_of_process();
}
