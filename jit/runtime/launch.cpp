// Owns what a call asks of libtessera_jit: the full check, the slow path to a variant, and grids on many threads.
#include "jit/runtime/launch.hpp"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <string>

#include "jit/runtime/run_context.hpp"
#include "tessera/call/bind.hpp"
#include "tessera/call/registration.hpp"
#include "tessera/call/space.hpp"

extern "C" TESSERA_API void* tessera_registrations_0_1();
void* tessera_registrations_0_1() {
  static constinit tessera::call::RegistrationList list;
  return &list;
}

extern "C" TESSERA_API void* tessera_spaces_0_1();
void* tessera_spaces_0_1() {
  static constinit tessera::call::SpaceList list;
  return &list;
}

TESSERA_BEGIN
namespace call {

Status check_arguments(const ir::Program& program, std::span<const RawArg> args, std::uint64_t* frame) noexcept {
  return bind(program, args, frame);
}

Status launch(KernelRecord& record, const std::uint64_t* frame, std::size_t words, const Config* config) noexcept {
  const Variant* variant = nullptr;
  if (Status status = jit::select_variant(record, frame, words, config, variant); !status) return status;
  return run(record, *variant, frame);
}

Status run_variant(const KernelRecord& record, const Variant& variant, const std::uint64_t* frame,
                   std::int64_t count) noexcept {
  try {
    if (count < 0)
      return {ErrorKind::user, std::string(record.name()) + ": its grid has more programs than 63 bits count",
              "larger tiles make fewer programs"};
    if (variant.prologue != nullptr) variant.prologue(variant, frame);
    if (count == 0) return {};
    jit::RunContext context;
    if (count <= std::max<std::int64_t>(variant.inline_limit, 1) || variant.threads == 1) {
      context.run(variant.entry, frame, 0, count);
      return context.status(record.name());
    }
    const auto grid = [&] {
      tbb::parallel_for(tbb::blocked_range<std::int64_t>(
                            0, count, static_cast<std::size_t>(std::max<std::int64_t>(variant.grain, 1))),
                        [&](const tbb::blocked_range<std::int64_t>& part) {
                          context.run(variant.entry, frame, part.begin(), part.end());
                        });
    };
    // An arena of more than there are would make oneTBB warn on standard error, and keep room for each.
    const auto there = [] { return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism); };
    if (variant.threads > 1 && static_cast<std::size_t>(variant.threads) < there())
      tbb::task_arena(variant.threads).execute(grid);
    else
      grid();
    return context.status(record.name());
  } catch (...) {
    return Status::from_current_exception();
  }
}

}  // namespace call
TESSERA_END
