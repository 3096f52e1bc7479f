// Owns the way from a Loop IR program to machine code: asks the LLVM library and turns its refusals into exceptions.
#include "jit/runtime/compile.hpp"

#include <cstdlib>

#include "jit/loop/verify.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

CompiledCode compile(const loop::Program& program, const CompileOptions& options, bool text) {
  static const bool verify_all = std::getenv("TESSERA_VERIFY") != nullptr;
  if (const auto defects = loop::verify(program, 1); !defects.empty())
    throw InternalError(program.name + ": cannot be compiled: " + defects.front());
  CompileRequest request;
  request.program = &program;
  request.features = options.features;
  request.opt_level = options.opt_level;
  request.verify = options.verify || verify_all;
  request.want_ir = text;
  request.want_assembly = text;
  request.want_object = options.keep_object;
  request.load = options.load && !text;
  CompiledCode code = llvm_backend().compile(request);
  if (!code.error.empty()) throw InternalError(program.name + ": cannot be compiled: " + code.error);
  return code;
}

}  // namespace

std::shared_ptr<Compiled> compile_loop(const loop::Program& program, const CompileOptions& options) {
  CompiledCode code = compile(program, options, false);
  return std::make_shared<Compiled>(std::make_shared<loop::Program>(program), options, std::move(code));
}

std::string Compiled::ir() const { return compile(*program_, options_, true).ir; }
std::string Compiled::assembly() const { return compile(*program_, options_, true).assembly; }

}  // namespace jit
TESSERA_END
