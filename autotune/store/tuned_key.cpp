// Owns the fields of a tuning key.
#include "autotune/store/tuned_key.hpp"

#include "tessera/call/frame.hpp"
#include "tessera/call/registry.hpp"
#include "tessera/ir/hash.hpp"

TESSERA_BEGIN
namespace autotune {

std::string mode_of(const Config* config) {
  if (config == nullptr) return {};
  std::string mode = config->numerics == Numerics::strict ? "strict" : config->numerics == Numerics::fast ? "fast" : "";
  if (config->deterministic) mode += mode.empty() ? "deterministic" : " deterministic";
  return mode;
}

bool has_one_result(const Config* config) {
  return config != nullptr && (config->deterministic || config->numerics == Numerics::strict);
}

TunedKey tuned_key(const ir::Program& program, const std::uint64_t* frame, const jit::Target& target,
                   const std::string& features, int threads, const std::string& mode) {
  TunedKey key;
  key.kernel = program.name;
  key.program = ir::hash_of(program).hex();
  const call::FrameView view{frame, call::frame_layout(program)};
  for (std::size_t i = 0; i < program.extents.size(); ++i)
    key.extents[call::extent_text(program, program.extents[i])] = view.extent(i);
  for (const ir::Arg& arg : program.args) {
    if (!call::is_parameter(arg)) break;
    key.types += (key.types.empty() ? "" : ",") + std::string(dtype_name(arg.type));
  }
  key.device = target.fingerprint(features);
  const int all = target.threads();
  key.threads = threads > 0 && threads < all ? threads : all;
  key.mode = mode;
  return key;
}

}  // namespace autotune
TESSERA_END
