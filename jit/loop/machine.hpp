// Owns the few facts about classes of machines that Loop IR's checks need: lanes of a warp, sizes of memories, colours.
#pragma once

#include <cstdint>
#include <string_view>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace loop {

/// How one execution of an entry is spread over a class of machine.
struct MachineFacts {
  enum class Kind : std::uint8_t { cpu, gpu, mesh };
  Kind kind = Kind::cpu;
  int lanes = 1;  ///< threads of a warp; a CPU and a processing element hold all lanes of a layout in one thread
  std::int64_t shared_bytes = 0;  ///< that one program can have
  std::int64_t local_bytes = 0;   ///< of a processing element
  int colours = 0;                ///< routable colours of a mesh
};

/// Facts by Program::machine: "cpu…" and unknown names are CPUs; "sm_…" (NVIDIA: CUDA programming guide, table of
/// compute capabilities), "gfx…" (AMD: wave64 of gfx9, 64 KiB of LDS), "wse…" (Cerebras: 48 KB a processing element, 24
/// colours).
constexpr MachineFacts machine_facts(std::string_view machine) {
  using Kind = MachineFacts::Kind;
  if (machine.starts_with("sm_")) {
    const bool hopper = machine.starts_with("sm_9") || machine.starts_with("sm_10");
    return {Kind::gpu, 32, hopper ? 227 * 1024 : machine.starts_with("sm_80") ? 163 * 1024 : 99 * 1024, 0, 0};
  }
  if (machine.starts_with("gfx")) return {Kind::gpu, machine.starts_with("gfx9") ? 64 : 32, 64 * 1024, 0, 0};
  if (machine.starts_with("wse")) return {Kind::mesh, 1, 0, 48 * 1024, 24};
  return {};
}

}  // namespace loop
TESSERA_END
