// Owns the CPU as a target: joins the planner of this folder with the compiler of jit/runtime.
#include <algorithm>

#include "jit/runtime/compile.hpp"
#include "jit/target.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/inspect.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "targets/cpu/tuning.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {
namespace {

class CompiledCode final : public jit::LoadedCode {
 public:
  explicit CompiledCode(std::shared_ptr<jit::Compiled> compiled) : compiled_(std::move(compiled)) {}
  jit::Entry entry() const override { return compiled_->entry(); }
  jit::HostFunction host() const override { return compiled_->host(); }
  jit::StageTimes times() const override { return compiled_->times(); }
  std::size_t bytes() const override { return compiled_->object_bytes(); }
  std::string object() const override { return compiled_->object(); }
  jit::CodeImage image() const override {
    return {compiled_->image(), jit::entry_name(compiled_->program()), jit::host_name(compiled_->program())};
  }
  std::vector<jit::Stage> stages() const override {
    return {{"llvm", compiled_->ir()}, {"assembly", compiled_->assembly()}};
  }

 private:
  std::shared_ptr<jit::Compiled> compiled_;
};

/// Code from a cache: nobody knows any more what it was made from.
class StoredCode final : public jit::LoadedCode {
 public:
  explicit StoredCode(const jit::CodeImage& image)
      : linked_(jit::load_code(image.bytes, image.entry, image.host)), bytes_(image.bytes.size()) {}
  jit::Entry entry() const override { return linked_.entry; }
  jit::HostFunction host() const override { return linked_.host; }
  jit::StageTimes times() const override { return {}; }
  std::size_t bytes() const override { return bytes_; }
  jit::CodeImage image() const override { return {}; }
  std::vector<jit::Stage> stages() const override { return {}; }

 private:
  jit::Linked linked_;
  std::size_t bytes_ = 0;
};

class Cpu final : public jit::Target {
 public:
  std::string_view name() const override { return "cpu"; }

  bool available(std::string& why) const override {
    why.clear();
    return true;
  }

  bool can_compile(std::string& why) const override {
    why = jit::llvm_backend_absent();
    return why.empty();
  }

  std::string describe() const override {
    const Host& h = host();
    return h.model + ", " +
           (h.avx512 ? "AVX-512"
            : h.avx2 ? "AVX2"
                     : "SSE2") +
           ", " + std::to_string(h.threads) + (h.threads == 1 ? " thread" : " threads");
  }

  std::string fingerprint(const std::string& features) const override { return cpu::fingerprint(features); }
  int threads() const override { return host().threads; }

  std::vector<std::string> features() const override { return runnable_features(); }
  std::vector<std::string> known_features() const override { return cpu::known_features(); }
  std::vector<jit::Fact> inspect() const override { return cpu::inspect(); }

  std::vector<std::int64_t> tunables(const ir::Program& program, const jit::Specialisation& known,
                                     const Config* config) const override {
    std::vector<std::optional<std::int64_t>> given(program.tunables.size());
    for (std::size_t i = 0; config && i < given.size(); ++i)
      for (const Tuned& tuned : config->tunables)
        if (program.str(program.tunables[i].name) == tuned.name) given[i] = tuned.value;
    const std::string features = config && !config->features.empty() ? config->features : runnable_features().front();
    Machine m = machine(features, config ? config->threads : 0);
    if (config) m.numerics = config->numerics, m.deterministic = config->deterministic;
    return choose_tunables(program, known, given, m);
  }

  std::string legal(const jit::PlanRequest& request) const override {
    if (!is_feature_set(request.features))
      return "configuration: there are no features \"" + request.features +
             "\"\n  hint: native, avx512bf16, avx512vnni, avx512, avxvnni, avx2, sse2 or a processor by LLVM's name, "
             "such as znver4";
    if (request.load && !runs(request.features))
      return "configuration: this machine (" + describe() + ") does not run " + request.features;
    return illegal_choice(request.choices, machine(request.features, request.threads));
  }

  std::vector<std::vector<std::int64_t>> candidates(const ir::Program& program, const jit::Specialisation& known,
                                                    const Config*) const override {
    return cut_candidates(program, known);
  }
  std::vector<jit::Choice> choices(const jit::PlanRequest& request) const override {
    return block_choices(request, machine(request.features, request.threads));
  }
  jit::Estimate estimate(const jit::PlanRequest& request, const loop::Program& planned) const override {
    return cpu::estimate(request, planned, machine(request.features, request.threads));
  }
  jit::Roof roof(const std::string& features, int threads) const override {
    return measured_roof(machine(features, threads));
  }

  loop::Program plan(const jit::PlanRequest& request, const jit::PassObserver& observe) const override {
    Machine m = machine(request.features, request.threads);
    m.blocks = blocks_of(request.choices);
    m.adding = adding_of(request.choices);
    m.numerics = request.numerics;
    m.deterministic = request.deterministic;
    return cpu::plan(request.program, request.known, request.tunables, m, observe);
  }

  std::unique_ptr<jit::LoadedCode> compile(const loop::Program& program,
                                           const jit::PlanRequest& request) const override {
    jit::CompileOptions options;
    options.features = request.features;
    options.load = request.load;
    return std::make_unique<CompiledCode>(jit::compile_loop(program, options));
  }

  std::unique_ptr<jit::LoadedCode> load(const jit::CodeImage& image) const override {
    return std::make_unique<StoredCode>(image);
  }

  void add_to_key(const jit::PlanRequest& request, jit::ObjectKey& key) const override {
    key.add("device", fingerprint(request.features));
    key.add("threads", std::to_string(machine(request.features, request.threads).threads));
  }
};

}  // namespace

void register_target();
void register_target() { jit::register_target(std::make_unique<Cpu>()); }

}  // namespace cpu
TESSERA_END
