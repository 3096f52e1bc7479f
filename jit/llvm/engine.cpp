// Owns LLVM's code generator and linker: target machines by feature set, objects, and machine code in this process.
#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <atomic>
#include <ctime>
#include <map>
#include <mutex>
#include <vector>

#include "jit/llvm/api.hpp"
#include "jit/llvm/emit.hpp"
#include "jit/llvm/processors.hpp"
#include "tessera/export.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

// Milliseconds of processor time of this thread: what compiling costs, whatever else the machine does.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

/// A processor to compile for.
struct Machine {
  std::string cpu, features;
  detail::EmitOptions emit;
};

Machine native_machine() {
  Machine m;
  m.cpu = llvm::sys::getHostCPUName().str();
  const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> list;
  for (const auto& f : features) list.push_back((f.second ? "+" : "-") + f.first().str());
  std::sort(list.begin(), list.end());
  for (const std::string& f : list) m.features += (m.features.empty() ? "" : ",") + f;
  const auto has = [&](const char* name) { return features.lookup(name); };
  m.emit = {has("fma"),
            has("f16c") && has("avx"),
            has("sse4.1"),
            has("avx512f") && has("avx512vl") ? 512
            : has("avx2")                     ? 256
                                              : 128,
            (has("avx512vnni") && has("avx512vl")) || has("avxvnni"),
            has("avx512bf16") && has("avx512vl")};
  return m;
}

Machine machine_of(const std::string& features) {
  if (features == "native") {
    static const Machine native = native_machine();
    return native;
  }
  if (features == "avx512bf16") return {"cooperlake", "", {true, true, true, 512, true, true}};
  if (features == "avx512vnni") return {"cascadelake", "", {true, true, true, 512, true}};
  if (features == "avxvnni") return {"haswell", "+avxvnni", {true, true, true, 256, true}};
  if (features == "avx512") return {"skylake-avx512", "", {true, true, true, 512}};
  if (features == "avx2") return {"haswell", "", {true, true, true, 256}};
  if (features == "sse2") return {"x86-64", "", {false, false, false, 128}};
  if (const auto known = detail::processor(features)) return {features, "", known->emit};
  throw detail::Unsupported("feature set \"" + features +
                            "\": it is one of native, avx512bf16, avx512vnni, avx512, avxvnni, avx2, sse2, or a "
                            "processor by LLVM's name");
}

/// What LLVM says before it would end the process. Its own frames have no clean-up code: what they held is lost, once.
class FatalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
[[noreturn]] void throw_fatal(void*, const char* reason, bool) { throw FatalError(reason); }

class Backend final : public LlvmBackend {
 public:
  Backend() {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    llvm::install_fatal_error_handler(throw_fatal, nullptr);
    triple_ = llvm::sys::getProcessTriple();
    std::string error;
    target_ = llvm::TargetRegistry::lookupTarget(triple_, error);
    if (!target_) {
      broken_ = error;
      return;
    }
    auto control = llvm::orc::SelfExecutorProcessControl::Create();
    if (!control) {
      broken_ = llvm::toString(control.takeError());
      return;
    }
    const unsigned page = (*control)->getPageSize();
    session_ = std::make_unique<llvm::orc::ExecutionSession>(std::move(*control));
    session_->setErrorReporter([](llvm::Error e) { link_error() += llvm::toString(std::move(e)) + "; "; });
    linker_ = std::make_unique<llvm::orc::ObjectLinkingLayer>(
        *session_, std::make_unique<llvm::jitlink::InProcessMemoryManager>(page));
  }

  CompiledCode compile(const CompileRequest& request) noexcept override {
    CompiledCode result;
    try {
      if (!broken_.empty()) throw detail::Unsupported(broken_);
      compile_into(request, result);
    } catch (const std::exception& e) {
      result = {};
      result.error = e.what();
    } catch (...) {
      result = {};
      result.error = "an exception that is not a std::exception";
    }
    return result;
  }

  LinkedObject load(std::string_view object, const std::string& entry, const std::string& host) noexcept override {
    LinkedObject result;
    try {
      if (!broken_.empty()) throw detail::Unsupported(broken_);
      link(llvm::MemoryBuffer::getMemBufferCopy({object.data(), object.size()}, "tessera"), entry, host, result);
    } catch (const std::exception& e) {
      result = {};
      result.error = e.what();
    }
    return result;
  }

  std::string description() const override {
    return "LLVM " LLVM_VERSION_STRING ", " + llvm::sys::getHostCPUName().str();
  }

  std::string processor() const override { return llvm::sys::getHostCPUName().str(); }

  std::string_view feature_set(std::string_view processor) const override {
    const auto known = detail::processor(processor);
    return known ? known->feature_set : std::string_view();
  }

  std::vector<std::string> processors() const override { return detail::processor_names(); }

 private:
  /// A target machine, taken from a pool and given back: making one costs a good part of a millisecond, and one serves
  /// one thread at a time.
  class Lease {
   public:
    Lease(Backend& backend, std::string key, std::unique_ptr<llvm::TargetMachine> machine)
        : backend_(backend), key_(std::move(key)), machine_(std::move(machine)) {}
    ~Lease() {
      const std::lock_guard lock(backend_.mutex_);
      backend_.idle_[key_].push_back(std::move(machine_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    llvm::TargetMachine& operator*() const { return *machine_; }
    llvm::TargetMachine* operator->() const { return machine_.get(); }

   private:
    Backend& backend_;
    std::string key_;
    std::unique_ptr<llvm::TargetMachine> machine_;
  };

  Lease lease(const Machine& m, int opt_level) {
    std::string key = m.cpu + "|" + m.features + "|" + std::to_string(opt_level);
    {
      const std::lock_guard lock(mutex_);
      auto& idle = idle_[key];
      if (!idle.empty()) {
        auto machine = std::move(idle.back());
        idle.pop_back();
        return {*this, std::move(key), std::move(machine)};
      }
    }
    llvm::TargetOptions options;
    std::unique_ptr<llvm::TargetMachine> machine(
        target_->createTargetMachine(triple_, m.cpu, m.features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                     static_cast<llvm::CodeGenOptLevel>(opt_level), true));
    if (!machine) throw detail::Unsupported("LLVM has no code generator for " + m.cpu);
    return {*this, std::move(key), std::move(machine)};
  }

  void compile_into(const CompileRequest& request, CompiledCode& result) {
    const loop::Program& program = *request.program;
    const loop::Function *entry = nullptr, *host = nullptr;
    for (const loop::Function& f : program.functions) {
      if (f.kind == loop::FunctionKind::entry)
        entry = entry ? throw detail::Unsupported("a program has one entry") : &f;
      if (f.kind == loop::FunctionKind::host)
        host = host ? throw detail::Unsupported("a program has one host function") : &f;
    }
    if (!entry) throw detail::Unsupported("the program has no entry");

    double start = now();
    const Machine m = machine_of(request.features);
    const Lease machine = lease(m, std::clamp(request.opt_level, 0, 3));
    llvm::LLVMContext context;
    llvm::Module module(program.name, context);
    module.setDataLayout(machine->createDataLayout());
    module.setTargetTriple(triple_);
    detail::emit(program, module, m.emit);
    const std::string width = std::to_string(m.emit.vector_bits);
    for (llvm::Function& f : module) {
      if (f.isDeclaration()) continue;
      f.addFnAttr("target-cpu", m.cpu);
      if (!m.features.empty()) f.addFnAttr("target-features", m.features);
      f.addFnAttr("prefer-vector-width", width);
      f.addFnAttr("min-legal-vector-width", width);
      f.addFnAttr("frame-pointer", "none");
    }
    // FastISel of LLVM 19 folds a load of one float into a blend that reads 16 bytes; it leaves volatile ones alone.
    if (request.opt_level <= 0)
      for (llvm::Function& f : module)
        for (llvm::BasicBlock& block : f)
          for (llvm::Instruction& inst : block)
            if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&inst); load && load->getType()->isFloatingPointTy())
              load->setVolatile(true);
    if (request.verify) {
      std::string text;
      llvm::raw_string_ostream out(text);
      if (llvm::verifyModule(module, &out))
        throw detail::Unsupported("the LLVM IR of " + program.name + " is not valid: " + text);
    }
    result.times.emit = now() - start;
    if (request.want_ir) {
      llvm::raw_string_ostream out(result.ir);
      module.print(out, nullptr);
    }
    if (request.want_assembly) {
      const std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
      const auto text = generate(*copy, *machine, llvm::CodeGenFileType::AssemblyFile);
      result.assembly.assign(text.begin(), text.end());
    }

    start = now();
    const auto object = generate(module, *machine, llvm::CodeGenFileType::ObjectFile);
    result.times.codegen = now() - start;
    result.object_bytes = object.size();
    result.object.assign(object.begin(), object.end());
  }

  static llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine,
                                             llvm::CodeGenFileType kind) {
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream out(bytes);
    llvm::legacy::PassManager passes;
    if (machine.addPassesToEmitFile(passes, out, nullptr, kind))
      throw detail::Unsupported("LLVM cannot write such a file");
    passes.run(module);
    return bytes;
  }

  void link(std::unique_ptr<llvm::MemoryBuffer> object, const std::string& entry, const std::string& host,
            LinkedObject& result) {
    const double start = now();
    link_error().clear();
    auto& library = session_->createBareJITDylib("tessera" + std::to_string(next_++));
    std::shared_ptr<void> code(&library, [this](void* p) {
      llvm::consumeError(session_->removeJITDylib(*static_cast<llvm::orc::JITDylib*>(p)));
    });
    if (llvm::Error e = linker_->add(library, std::move(object)))
      throw detail::Unsupported(llvm::toString(std::move(e)));
    llvm::orc::SymbolLookupSet names(session_->intern(entry));
    if (!host.empty()) names.add(session_->intern(host));
    auto symbols = session_->lookup({{&library, llvm::orc::JITDylibLookupFlags::MatchAllSymbols}}, std::move(names));
    if (!symbols) throw detail::Unsupported(link_error() + llvm::toString(symbols.takeError()));
    result.entry = symbols->lookup(session_->intern(entry)).getAddress().toPtr<Entry>();
    if (!host.empty()) result.host = symbols->lookup(session_->intern(host)).getAddress().toPtr<HostFunction>();
    result.code = std::move(code);
    result.milliseconds = now() - start;
  }

  static std::string& link_error() {
    thread_local std::string text;
    return text;
  }

  std::string triple_, broken_;
  const llvm::Target* target_ = nullptr;
  std::unique_ptr<llvm::orc::ExecutionSession> session_;
  std::unique_ptr<llvm::orc::ObjectLinkingLayer> linker_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<llvm::TargetMachine>>> idle_;
};

}  // namespace
}  // namespace jit
TESSERA_END

/// The one symbol of this library. The backend lives as long as the process: code may run until its end.
extern "C" TESSERA_API tessera::jit::LlvmBackend* tessera_llvm_backend(const char* boundary);
extern "C" TESSERA_API tessera::jit::LlvmBackend* tessera_llvm_backend(const char* boundary) {
  if (std::string_view(boundary) != tessera::jit::llvm_boundary) return nullptr;
  static auto* backend = new tessera::jit::Backend;
  return backend;
}
