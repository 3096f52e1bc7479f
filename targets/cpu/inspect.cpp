// Owns the sentences about this machine's processor.
#include "targets/cpu/inspect.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include "jit/runtime/compile.hpp"
#include "targets/cpu/features.hpp"

TESSERA_BEGIN
namespace cpu {
namespace {

std::string bytes(std::int64_t count) {
  return count % (1 << 20) == 0 ? std::to_string(count >> 20) + " MiB" : std::to_string(count >> 10) + " KiB";
}

/// Threads' worth of processor time that this process's control group may use; 0 where that is not limited.
double group_limit() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::atof(quota.c_str()) / period;
}

std::string threads_text(const Host& h, double limit) {
  std::string text = std::to_string(h.threads) + (h.threads == 1 ? " thread" : " threads") + " for this process";
  if (limit <= 0 || limit >= h.threads) return text;
  const std::string share = std::to_string(limit);
  return text + ", of which its control group grants " + share.substr(0, share.find('.') + 2);
}

}  // namespace

std::vector<jit::Fact> inspect() {
  const Host& h = host();
  std::vector<jit::Fact> facts;
  facts.push_back({"processor", h.model, true, ""});
  const double limit = group_limit();
  facts.push_back({"threads", threads_text(h, limit), limit <= 0 || limit >= h.threads,
                   limit > 0 && limit < h.threads
                       ? "more threads run than there is time for: calls take longer; set Config::threads"
                       : ""});
  facts.push_back({"caches",
                   bytes(h.l1_bytes) + " and " + bytes(h.l2_bytes) + " a core, " + bytes(h.l3_bytes) + " shared", true,
                   ""});
  facts.push_back({"SSE2", "vectors of 16 bytes", h.sse2, "nothing can be compiled for this machine"});
  facts.push_back(
      {"AVX2", "with FMA, F16C and BMI2: vectors of 32 bytes, 16 registers", h.avx2,
       "vectors are half as long and a multiplication and an addition are two instructions: about a quarter "
       "of the speed where arithmetic is the limit"});
  facts.push_back({"AVX-512", "F, BW, DQ, VL and CD: vectors of 64 bytes, 32 registers, masks for every element type",
                   h.avx512,
                   "vectors are half as long and there are half as many: up to half the speed where arithmetic is the "
                   "limit, none lost where memory is; ends of rows of 8- and 16-bit elements run lane by lane"});
  const char* wanted = std::getenv("TESSERA_CPU_FEATURES");
  if (wanted && *wanted)
    facts.push_back({"TESSERA_CPU_FEATURES", wanted, runs(wanted),
                     runs(wanted) ? "" : "this machine does not run it: calls are compiled for native"});
  const std::string absent = jit::llvm_backend_absent();
  facts.push_back({"code generator", absent.empty() ? jit::llvm_backend().description() : absent, absent.empty(),
                   "kernels that are in no cache run in the interpreter, thousands of times slower"});
  return facts;
}

}  // namespace cpu
TESSERA_END
