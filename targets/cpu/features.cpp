// Owns the questions to the processor and the system about this machine.
#include "targets/cpu/features.hpp"

#include <cpuid.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "jit/runtime/compile.hpp"
#include "jit/runtime/log.hpp"

TESSERA_BEGIN
namespace cpu {
namespace {

/// The processor's answers; each question costs microseconds on a virtual machine, so the number of leaves is asked
/// once.
class Cpuid {
 public:
  struct Words {
    unsigned a = 0, b = 0, c = 0, d = 0;
  };
  Cpuid() : last_(__get_cpuid_max(0, nullptr)), last_extended_(__get_cpuid_max(0x80000000, nullptr)) {}

  /// Zeros where the processor has no such leaf.
  Words operator()(unsigned leaf, unsigned part = 0) const {
    Words w;
    if (leaf <= (leaf >= 0x80000000 ? last_extended_ : last_)) __cpuid_count(leaf, part, w.a, w.b, w.c, w.d);
    return w;
  }

 private:
  unsigned last_, last_extended_;
};

std::string model_name(const Cpuid& cpuid) {
  char text[49] = {};
  for (unsigned i = 0; i < 3; ++i) {
    const Cpuid::Words w = cpuid(0x80000002 + i);
    std::memcpy(text + 16 * i, &w, 16);
  }
  std::string name(text);
  name.erase(name.find_last_not_of(" \t") + 1);
  name.erase(0, name.find_first_not_of(" \t"));
  return name.empty() ? "x86-64" : name;
}

/// Bytes of the data caches that one core sees, by level. The processor's own words come first: the system's files cost
/// half a millisecond, and sysconf adds up the third-level caches of a whole socket on some AMD machines.
void look_at_caches(const Cpuid& cpuid, Host& h) {
  std::int64_t bytes[4] = {};
  const Cpuid::Words amd = cpuid(0x80000001);
  const unsigned leaf = (amd.c >> 22 & 1) != 0 ? 0x8000001d : 4;  // AMD's where it has topology extensions, Intel's
  for (unsigned part = 0; part < 8; ++part) {
    const Cpuid::Words w = cpuid(leaf, part);
    const unsigned type = w.a & 31, level = w.a >> 5 & 7;
    if (type == 0) break;
    if (type == 2 || level > 3) continue;  // instructions
    bytes[level] =
        std::int64_t{(w.b >> 22) + 1} * ((w.b >> 12 & 1023) + 1) * ((w.b & 4095) + 1) * (std::int64_t{w.c} + 1);
  }
  const auto set = [&](int level, int name, std::int64_t& to) {
    const std::int64_t found = bytes[level] > 0 ? bytes[level] : sysconf(name);
    if (found > 0) to = found;
  };
  set(1, _SC_LEVEL1_DCACHE_SIZE, h.l1_bytes);
  set(2, _SC_LEVEL2_CACHE_SIZE, h.l2_bytes);
  set(3, _SC_LEVEL3_CACHE_SIZE, h.l3_bytes);
}

// What LLVM looks at to know a processor by name and by features. Left out is what differs between the cores of one
// machine (numbers of cores, in EBX of leaf 1) or between runs (OSPKE and the like stay).
std::string abilities(const Cpuid& cpuid) {
  std::string out;
  const auto add = [&out](unsigned word) {
    char text[12];
    std::snprintf(text, sizeof text, "%08x", word);
    out += text;
  };
  const Cpuid::Words first = cpuid(1), seven = cpuid(7), seven_one = cpuid(7, 1), extended = cpuid(0x80000001);
  for (unsigned word : {first.a, first.c, first.d, seven.b, seven.c, seven.d, seven_one.a, seven_one.b, seven_one.c,
                        seven_one.d, cpuid(0xd, 1).a, extended.c, extended.d})
    add(word);
  if ((first.c & bit_OSXSAVE) != 0) {
    unsigned low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    add(low);
  }
  return out;
}

Host look() {
  Host h;
  const Cpuid cpuid;
  h.model = model_name(cpuid);
  h.abilities = abilities(cpuid);
  __builtin_cpu_init();
  h.sse2 = __builtin_cpu_supports("sse2") != 0;
  const bool f16c = (cpuid(1).c & bit_F16C) != 0;
  h.avx2 = f16c && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  h.avx512 = h.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512cd");
  h.avx512vnni = h.avx512 && __builtin_cpu_supports("avx512vnni");
  h.avx512bf16 = h.avx512vnni && __builtin_cpu_supports("avx512bf16");
  h.avxvnni = h.avx2 && (cpuid(7, 1).a & 1u << 4) != 0;
  look_at_caches(cpuid, h);
  cpu_set_t set;
  h.threads =
      sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  h.threads = std::max(h.threads, 1);
  return h;
}

constexpr std::string_view names[] = {"native", "avx512bf16", "avx512vnni", "avx512", "avxvnni", "avx2", "sse2"};

/// The feature set of a processor by name; empty where LLVM is absent or does not know it.
std::string_view set_of(std::string_view processor) {
  return jit::llvm_backend_absent().empty() ? jit::llvm_backend().feature_set(processor) : std::string_view();
}

std::string_view widest() {
  for (std::string_view name : names)
    if (name != "native" && runs(name)) return name;
  return "sse2";
}

}  // namespace

const Host& host() {
  static const Host found = look();
  return found;
}

std::vector<std::string> known_features() {
  std::vector<std::string> list(std::begin(names), std::end(names));
  if (jit::llvm_backend_absent().empty())
    for (std::string& name : jit::llvm_backend().processors()) list.push_back(std::move(name));
  return list;
}

std::string fingerprint(std::string_view features) {
  const Host& h = host();
  const auto kilobytes = [](std::int64_t bytes) { return std::to_string(bytes >> 10) + "K"; };
  return "cpu; " + h.model + "; " + std::string(features) + " " + h.abilities + "; caches " + kilobytes(h.l1_bytes) +
         " " + kilobytes(h.l2_bytes) + " " + kilobytes(h.l3_bytes);
}

bool is_feature_set(std::string_view features) {
  return std::find(std::begin(names), std::end(names), features) != std::end(names) || !set_of(features).empty();
}

bool runs(std::string_view features) {
  if (features == "avx512bf16") return host().avx512bf16;
  if (features == "avx512vnni") return host().avx512vnni;
  if (features == "avxvnni") return host().avxvnni;
  if (features == "avx512") return host().avx512;
  if (features == "avx2") return host().avx2;
  if (features == "native" || features == "sse2") return true;
  return !set_of(features).empty() && jit::llvm_backend().processor() == features;
}

std::vector<std::string> runnable_features() {
  std::vector<std::string> list;
  const char* wanted = std::getenv("TESSERA_CPU_FEATURES");
  if (wanted && runs(wanted)) list.push_back(wanted);
  if (wanted && *wanted && !runs(wanted)) {
    static const bool said = [&] {
      jit::log(jit::LogLevel::warn, std::string("TESSERA_CPU_FEATURES: this machine does not run \"") + wanted + "\"");
      return true;
    }();
    (void)said;
  }
  for (std::string_view name : names)
    if (runs(name) && std::find(list.begin(), list.end(), name) == list.end()) list.emplace_back(name);
  return list;
}

Machine machine(std::string_view features, int threads) {
  if (features == "native")
    features = widest();
  else if (std::find(std::begin(names), std::end(names), features) == std::end(names))
    features = set_of(features);
  Machine m;
  const bool avx512 = features.starts_with("avx512");
  m.vector_bytes = avx512 ? 64 : features.starts_with("avx") ? 32 : 16;
  m.vector_registers = avx512 ? 32 : 16;
  m.has_fma = features != "sse2";
  m.has_masks = features != "sse2";
  m.has_narrow_masks = avx512;
  m.has_bf16_dots = features == "avx512bf16";
  m.has_byte_dots = m.has_bf16_dots || features == "avx512vnni" || features == "avxvnni";
  m.l1_bytes = host().l1_bytes;
  m.l2_bytes = host().l2_bytes;
  m.l3_bytes = host().l3_bytes;
  m.threads = threads > 0 ? std::min(threads, host().threads) : host().threads;
  return m;
}

}  // namespace cpu
TESSERA_END
