// Owns the runtime's half of a call: from a bound Frame to the programs of its grid on the threads of this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tessera/call/config.hpp"
#include "tessera/call/record.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Defined by the engine: finds, loads or compiles a variant that serves `frame` under `config` (may be null),
/// publishes it in record.table and gives it in `variant`. Thread-safe; many threads that ask for one variant compile
/// it once. The variant stays valid until the record is retired.
Status select_variant(call::KernelRecord& record, const std::uint64_t* frame, std::size_t words, const Config* config,
                      const call::Variant*& variant) noexcept;

/// From now on, calls without a configuration choose anew: something was learnt about this kernel. Calls that are under
/// way go on, and the code that they run stays.
void reconsider(call::KernelRecord& record) noexcept;

/// Makes anew, without any call waiting, the variants that were made for calls of `frame`'s extents under the
/// configuration of this key (0: none), and gives their number: something was learnt about such calls. The kernel is
/// the one whose program lies at `address`, which is not looked at: where it was unloaded, nothing happens. `copy` is
/// its program. Throws what compiling throws; then all stays as it was.
std::size_t renew(const ir::Program* address, const ir::Program& copy, const std::vector<std::uint64_t>& frame,
                  std::uint64_t config_key);

}  // namespace jit
TESSERA_END
