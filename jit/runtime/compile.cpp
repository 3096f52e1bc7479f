// Owns the way from a Loop IR program to machine code: asks the LLVM library and turns its refusals into exceptions.
#include "jit/runtime/compile.hpp"

#include <cstdlib>
#include <vector>

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
  CompiledCode code = llvm_backend().compile(request);
  if (!code.error.empty()) throw InternalError(program.name + ": cannot be compiled: " + code.error);
  return code;
}

std::string name_of(const loop::Program& program, loop::FunctionKind kind) {
  for (const loop::Function& f : program.functions)
    if (f.kind == kind) return f.name;
  return {};
}

}  // namespace

std::string entry_name(const loop::Program& program) { return name_of(program, loop::FunctionKind::entry); }
std::string host_name(const loop::Program& program) { return name_of(program, loop::FunctionKind::host); }

Linked load_code(std::string_view image, const std::string& entry, const std::string& host) {
  Linked linked;
  linked.code = load_image(image);
  linked.entry = reinterpret_cast<Entry>(linked.code->symbol(entry));
  if (!host.empty()) linked.host = reinterpret_cast<HostFunction>(linked.code->symbol(host));
  if (!linked.entry || (!host.empty() && !linked.host))
    throw DeviceError("compiled code cannot be loaded: it has no function " + (linked.entry ? host : entry));
  return linked;
}

std::shared_ptr<Compiled> compile_loop(const loop::Program& program, const CompileOptions& options) {
  CompiledCode code = compile(program, options, false);
  LinkedObject linked;
  if (options.load) {
    linked = llvm_backend().load(code.object, entry_name(program), host_name(program));
    if (!linked.error.empty()) throw InternalError(program.name + ": cannot be linked: " + linked.error);
    code.times.link = linked.milliseconds;
  }
  return std::make_shared<Compiled>(std::make_shared<loop::Program>(program), options, std::move(code),
                                    std::move(linked));
}

std::string Compiled::image() const {
  const std::string entry = entry_name(*program_), host = host_name(*program_);
  return link_image(code_.object, host.empty() ? std::vector{entry} : std::vector{entry, host});
}

std::string Compiled::ir() const { return compile(*program_, options_, true).ir; }
std::string Compiled::assembly() const { return compile(*program_, options_, true).assembly; }

}  // namespace jit
TESSERA_END
