// Owns `tessera compile`: a kernel as any stage of its compilation, for this machine or another.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "autotune/cli/command.hpp"
#include "autotune/cli/library.hpp"
#include "autotune/cli/shape.hpp"
#include "autotune/cli/target.hpp"
#include "jit/loop/text.hpp"
#include "tessera/ir/text.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  std::string library, kernel, target, output, emit = "asm";
  std::vector<std::string> shape, tunables;
  std::int64_t threads = 0;
};

/// What was compiled, in every form that was made on the way.
struct Compiled {
  std::string text;  ///< what was asked for
  jit::PlanRequest request;
  double milliseconds = 0;
  std::size_t object_bytes = 0;
};

Compiled compile(const Options& o, const ir::Program& program) {
  const TargetChoice choice(o.target);
  const jit::Target& target = choice.target;
  Config config = with_tunables(program, read_values("--set", o.tunables, 1));
  config.threads = static_cast<int>(o.threads);
  config.features = choice.features;

  Compiled result;
  jit::PlanRequest& request = result.request;
  request.program = program;
  request.known = known_shape(program, read_values("--shape", o.shape, 0));
  request.tunables = target.tunables(program, request.known, &config);
  request.features = choice.features;
  request.threads = config.threads;
  request.load = false;
  request.choices = jit::choices_of(&config);
  if (const std::string why = target.legal(request); !why.empty())
    throw UserError(std::string(program.name) + ": " + why);

  std::string simplified = ir::to_text(program);
  const loop::Program planned =
      target.plan(request, [&](const char*, const ir::Program& after) { simplified = ir::to_text(after); });
  if (o.emit == "ir") return result.text = std::move(simplified), std::move(result);
  if (o.emit == "loop") return result.text = loop::print(planned), std::move(result);
  const std::unique_ptr<jit::LoadedCode> code = target.compile(planned, request);
  result.milliseconds = code->times().total();
  result.object_bytes = code->bytes();
  if (o.emit == "obj") return result.text = code->object(), std::move(result);
  const std::string stage = o.emit == "llvm" ? "llvm" : "assembly";
  for (jit::Stage& one : code->stages())
    if (one.name == stage) return result.text = std::move(one.text), std::move(result);
  throw UserError("target " + std::string(target.name()) + " has no " + o.emit + " of its code");
}

int show(const Options& o, Output& out) {
  if (o.emit == "obj" && o.output.empty() && !out.json() && ::isatty(STDOUT_FILENO))
    throw UserError("an object is not for a terminal\n  hint: give -o FILE");
  if (o.emit == "obj" && o.output.empty() && out.json())
    throw UserError("an object is not for a JSON document\n  hint: give -o FILE");
  const Library library(o.library);
  const RegisteredKernel& kernel = library.kernel(o.kernel);
  const ir::Program& program = *kernel.record->program;
  const Compiled compiled = compile(o, program);
  if (o.output.empty())
    out.raw(compiled.text);
  else
    write_file(o.output, compiled.text);

  Json tunables = Json::object();
  for (std::size_t i = 0; i < program.tunables.size(); ++i)
    tunables.set(program.str(program.tunables[i].name), compiled.request.tunables[i]);
  out.set("kernel", kernel.name);
  out.set("hash", hash_text(kernel));
  out.set("target", o.target);
  out.set("features", compiled.request.features);
  out.set("known", compiled.request.known.describe(program));
  out.set("tunables", std::move(tunables));
  out.set("emit", o.emit);
  if (compiled.object_bytes > 0) out.set("object_bytes", compiled.object_bytes);
  if (compiled.object_bytes > 0) out.set("milliseconds", compiled.milliseconds);
  out.set("output", o.output.empty() ? Json() : Json(o.output));
  if (o.output.empty()) out.set("text", compiled.text);
  return exit_done;
}

}  // namespace

void add_compile(Command& root) {
  auto o = std::make_shared<Options>();
  o->target = "cpu";
  Command command = root.command("compile", "compiles a kernel for this machine or another, and prints a stage of it");
  command.argument("LIB.so", o->library, "a shared library of kernels, or a file of Tile IR text");
  command.optional("KERNEL", o->kernel, "a kernel of it, NAME or NAME@HASH; may be left out where there is only one");
  command.option("--target", "TARGET", o->target,
                 "what to compile for: cpu, or cpu:FEATURES with native, avx512, avx2, sse2, or a processor by LLVM's "
                 "name, such as cpu:znver4");
  command.option(
      "--shape", "M=512,N=1000", o->shape,
      "extents that the code may take as known, of row-major arrays; what is not named is read at each call");
  command.option("--set", "BM=64,BN=96", o->tunables, "values of tunables; the target chooses the others");
  command.option("--threads", "N", o->threads, 0, "most threads that a call will use; 0: all of this machine");
  command.choice(
      "--emit", {"ir", "loop", "llvm", "asm", "obj"}, o->emit,
      "the stage: Tile IR after simplification, Loop IR, LLVM IR, assembly (the default), or an object file");
  command.option("-o,--output", "FILE", o->output, "write into this file");
  command.example("tessera compile libkernels.so gemm --shape M=512,N=1000,K=300", "assembly for this machine");
  command.example("tessera compile libkernels.so gemm --target cpu:znver4 --shape M=512 --emit obj -o gemm.o",
                  "an object for another processor, with N and K open");
  command.example("tessera compile gemm.tile --emit loop --set BM=64", "the plan of a program that was saved as text");
  command.runs([o](Output& out) { return show(*o, out); });
}

}  // namespace cli
TESSERA_END
