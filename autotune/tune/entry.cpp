// Owns the way from the public header into the tuner.
#include "autotune/tune/store_history.hpp"
#include "autotune/tune/tune.hpp"
#include "jit/runtime/launch.hpp"

TESSERA_BEGIN
namespace call {

Status tune_frame(KernelRecord& record, const std::uint64_t* frame, std::size_t words, const TuneOptions& options,
                  TuneResult& result) noexcept {
  try {
    autotune::Job job{*record.program, {frame, frame + words}, false, declared_space(*record.program)};
    autotune::StoreHistory history(autotune::TunedStore::process());
    result = autotune::tune(job, options, options.keep ? &history : nullptr);
    jit::reconsider(record);
    return {};
  } catch (...) {
    return Status::from_current_exception();
  }
}

}  // namespace call
TESSERA_END
