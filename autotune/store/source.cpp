// Owns the answer to calls without a configuration: the best that was measured for this shape, else for its neighbours.
#include "autotune/store/source.hpp"

#include <string_view>

#include "autotune/store/tuned_key.hpp"
#include "autotune/store/tuned_store.hpp"
#include "autotune/tune/background.hpp"
#include "autotune/tune/zero_shot.hpp"
#include "jit/runtime/log.hpp"
#include "tessera/export.hpp"

TESSERA_BEGIN
namespace autotune {

StoreSource::Answer StoreSource::answer(const jit::ConfigurationQuestion& question) {
  Answer a;
  a.key = tuned_key(question.program, question.frame, question.target, question.features, question.threads,
                    mode_of(question.config));
  const TunedKey& key = a.key;
  auto best = store_.best(key);
  // Tile sizes may show in the bits (LANGUAGE: += of what a tile adds up): only a tuning of this very shape, by this
  // version, has compared them with those of the target's own choice.
  if (has_one_result(question.config) && (!best || best->stale)) return a;
  if (best) {
    if (best->stale && jit::logs(jit::LogLevel::info))
      jit::log(jit::LogLevel::info, key.kernel + ": " + store_.explain(key));
    a.tunables = std::move(best->configuration);
    a.measured = !best->stale;
    return a;
  }
  // A shape within a factor of about 1.4 in one extent, or less in several, is taken for the same.
  constexpr double near = 0.5;
  auto neighbours = store_.nearest(key, 3);
  if (!neighbours.empty() && neighbours.front().distance <= near) {
    a.tunables = std::move(neighbours.front().best.configuration);
    return a;
  }
  if (!neighbours.empty()) {  // farther ones are moved to this shape, and the target's model may object
    Config config = question.config ? *question.config : Config{};
    config.threads = question.threads, config.features = question.features;
    const std::size_t words = call::frame_layout(question.program).words();
    Space space({question.program, {question.frame, question.frame + words}, question.target, config}, {},
                call::declared_space(question.program), config);
    Guess guess = zero_shot(space, key, neighbours);
    if (guess.distance > 0) a.tunables = std::move(guess.tunables);
  }
  if (!a.tunables && jit::logs(jit::LogLevel::info))
    jit::log(jit::LogLevel::info, key.kernel + ": not tuned: " + store_.explain(key));
  return a;
}

std::optional<std::vector<Tuned>> StoreSource::tunables(const jit::ConfigurationQuestion& question) noexcept {
  try {
    return answer(question).tunables;
  } catch (...) {
    return std::nullopt;
  }
}

namespace {

/// The process's store, opened at the first question.
class ProcessSource final : public jit::ConfigurationSource {
 public:
  std::optional<std::vector<Tuned>> tunables(const jit::ConfigurationQuestion& question) noexcept override {
    try {
      StoreSource::Answer answer = StoreSource(TunedStore::process()).answer(question);
      Background& background = Background::process();
      if (!answer.measured) background.ask(question, answer.key);
      return std::move(answer.tunables);
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
