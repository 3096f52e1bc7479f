// Owns `tessera ir`: the Tile IR text of a kernel, which parses back, or its hash.
#include <memory>

#include "autotune/cli/command.hpp"
#include "autotune/cli/library.hpp"
#include "tessera/ir/text.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  std::string library, kernel, output;
  bool hash = false;
};

int show(const Options& o, Output& out) {
  const Library library(o.library);
  const RegisteredKernel& kernel = library.kernel(o.kernel);
  const std::string text = o.hash ? hash_text(kernel) + "\n" : ir::to_text(*kernel.record->program);
  if (o.output.empty())
    out.raw(text);
  else
    write_file(o.output, text);
  out.set("kernel", kernel.name);
  out.set("hash", hash_text(kernel));
  out.set("ir", ir::to_text(*kernel.record->program));
  return exit_done;
}

}  // namespace

void add_ir(Command& root) {
  auto o = std::make_shared<Options>();
  Command command = root.command("ir", "prints a kernel's Tile IR: text that parses back to the same program");
  command.argument("LIB.so", o->library, "a shared library of kernels, or a file of Tile IR text");
  command.optional("KERNEL", o->kernel, "a kernel of it, NAME or NAME@HASH; may be left out where there is only one");
  command.flag("--hash", o->hash, "print the program's hash instead, 32 hexadecimal digits");
  command.option("-o,--output", "FILE", o->output, "write into this file");
  command.example("tessera ir libkernels.so gemm", "the program of gemm");
  command.example("tessera ir libkernels.so attention@3fa0 -o attention.tile",
                  "one instance of a template, into a file");
  command.runs([o](Output& out) { return show(*o, out); });
}

}  // namespace cli
TESSERA_END
