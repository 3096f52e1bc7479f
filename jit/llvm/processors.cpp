// Owns the questions to LLVM's table of x86 processors.
#include "jit/llvm/processors.hpp"

#include <llvm/TargetParser/X86TargetParser.h>

#include <algorithm>
#include <initializer_list>

TESSERA_BEGIN
namespace jit::detail {

std::optional<Processor> processor(std::string_view name) {
  const llvm::StringRef cpu(name.data(), name.size());
  if (llvm::X86::parseArchX86(cpu, true) == llvm::X86::CK_None) return std::nullopt;
  llvm::SmallVector<llvm::StringRef, 64> features;
  llvm::X86::getFeaturesForCPU(cpu, features);
  const auto has = [&](std::initializer_list<const char*> names) {
    return std::all_of(names.begin(), names.end(), [&](const char* feature) {
      return std::find(features.begin(), features.end(), feature) != features.end();
    });
  };
  // The same sets that targets/cpu asks this machine's processor for.
  const bool avx2 = has({"avx2", "fma", "f16c", "bmi2"});
  const bool avx512 = avx2 && has({"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"});
  Processor p;
  const bool vnni = avx512 && has({"avx512vnni"}), bf16 = vnni && has({"avx512bf16"});
  const bool narrow_vnni = avx2 && has({"avxvnni"});
  p.feature_set = bf16          ? "avx512bf16"
                  : vnni        ? "avx512vnni"
                  : avx512      ? "avx512"
                  : narrow_vnni ? "avxvnni"
                  : avx2        ? "avx2"
                                : "sse2";
  p.emit = {has({"fma"}),
            has({"f16c", "avx"}),
            has({"sse4.1"}),
            avx512 ? 512 : avx2 ? 256 : 128,
            vnni || (narrow_vnni && !avx512),
            bf16};
  return p;
}

std::vector<std::string> processor_names() {
  llvm::SmallVector<llvm::StringRef, 128> list;
  llvm::X86::fillValidCPUArchList(list, true);
  std::vector<std::string> names;
  for (llvm::StringRef name : list) names.push_back(name.str());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace jit::detail
TESSERA_END
