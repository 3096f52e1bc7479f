// Owns `tessera kernels`: what a library of kernels holds.
#include <memory>

#include "autotune/cli/command.hpp"
#include "autotune/cli/library.hpp"
#include "autotune/cli/shape.hpp"
#include "tessera/call/space.hpp"
#include "tessera/ir/fields.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

struct Options {
  std::string library, kernel;
  bool names = false;
};

/// What a block is cut by: a tunable's name, a number, or "computed".
std::string cut_of(const ir::Program& program, const ir::Axis& axis) {
  if (axis.node < 0) return {};
  const ir::Node& block = program.node(axis.node);
  if (axis.kind != ir::AxisKind::grid && axis.kind != ir::AxisKind::loop) return {};
  const ir::Node& cut = program.node(program.operand(block, 0));
  if (cut.op == ir::Op::tunable)
    return std::string(program.str(program.tunables[static_cast<std::size_t>(cut.imm)].name));
  return cut.op == ir::Op::literal ? std::to_string(cut.imm) : "computed";
}

std::string extent_of(const ir::Program& program, const ir::Axis& axis) {
  return axis.extent < 0 ? "" : call::extent_text(program, program.extents[static_cast<std::size_t>(axis.extent)]);
}

/// The values worth trying that are declared beside the kernel; none where nothing is.
std::vector<std::int64_t> declared(const std::vector<Candidates>& space, std::string_view tunable) {
  for (const Candidates& one : space)
    if (one.name == tunable) return one.values;
  return {};
}

Json axis_document(const ir::Program& program, const ir::Axis& axis) {
  Json one = Json::object(
      {{"name", program.str(axis.name)}, {"kind", ir::axis_kind_names[static_cast<std::size_t>(axis.kind)]}});
  if (const std::string extent = extent_of(program, axis); !extent.empty()) one.set("extent", extent);
  if (const std::string cut = cut_of(program, axis); !cut.empty()) one.set("cut", cut);
  return one;
}

Json document(const RegisteredKernel& kernel) {
  static constexpr const char* effects[] = {"in", "out", "inout", "scalar"};
  const ir::Program& program = *kernel.record->program;
  Json arguments = Json::list(), extents = Json::list(), tunables = Json::list(), axes = Json::list();
  for (const Parameter& parameter : kernel.parameters) {
    Json shape = Json::list();
    for (const std::string& extent : parameter.extents) shape.push(extent);
    arguments.push(Json::object({{"name", parameter.name},
                                 {"effect", effects[static_cast<std::size_t>(parameter.effect)]},
                                 {"type", dtype_name(parameter.type)},
                                 {"extents", std::move(shape)}}));
  }
  for (const std::string& name : extent_names(program)) extents.push(name);
  const std::vector<Candidates> space = call::declared_space(program);
  for (const ir::Tunable& tunable : program.tunables) {
    Json values = Json::list();
    for (const std::int64_t value : declared(space, program.str(tunable.name))) values.push(value);
    tunables.push(Json::object({{"name", program.str(tunable.name)}, {"values", std::move(values)}}));
  }
  for (const ir::Axis& axis : program.axes) axes.push(axis_document(program, axis));
  return Json::object({{"name", kernel.name},
                       {"hash", hash_text(kernel)},
                       {"signature", kernel.text()},
                       {"arguments", std::move(arguments)},
                       {"extents", std::move(extents)},
                       {"tunables", std::move(tunables)},
                       {"axes", std::move(axes)},
                       {"operations", program.size()}});
}

void write(const RegisteredKernel& kernel, Output& out) {
  const ir::Program& program = *kernel.record->program;
  out.line(kernel.text());
  std::string tunables, axes;
  const std::vector<Candidates> space = call::declared_space(program);
  for (const ir::Tunable& tunable : program.tunables) {
    tunables.append(tunables.empty() ? "" : ", ").append(program.str(tunable.name));
    std::string values;
    for (const std::int64_t value : declared(space, program.str(tunable.name)))
      values.append(values.empty() ? "" : " ").append(std::to_string(value));
    if (!values.empty()) tunables.append(" (" + values + ")");
  }
  for (const ir::Axis& axis : program.axes) {
    if (axis.kind > ir::AxisKind::all) continue;
    const std::string cut = cut_of(program, axis), extent = extent_of(program, axis);
    axes.append(axes.empty() ? "" : ", ").append(program.str(axis.name));
    if (extent != program.str(axis.name) && !extent.empty()) axes.append(" of ").append(extent);
    axes.append(" (").append(ir::axis_kind_names[static_cast<std::size_t>(axis.kind)]);
    axes.append(cut.empty() ? ")" : " by " + cut + ")");
  }
  out.line("  hash      " + hash_text(kernel));
  out.line("  tunables  " + (tunables.empty() ? "none" : tunables));
  out.line("  axes      " + (axes.empty() ? "none" : axes));
}

int list(const Options& o, Output& out) {
  const Library library(o.library);
  Json kernels = Json::list();
  std::string last;
  if (!o.kernel.empty()) {
    write(library.kernel(o.kernel), out);
    kernels.push(document(library.kernel(o.kernel)));
  } else {
    for (const RegisteredKernel& kernel : library.kernels()) {
      if (!o.names) write(kernel, out);
      if (o.names && kernel.name != last) out.line(kernel.name);
      last = kernel.name;
      kernels.push(document(kernel));
    }
  }
  out.set("library", o.library);
  out.set("kernels", std::move(kernels));
  return exit_done;
}

}  // namespace

void add_kernels(Command& root) {
  auto o = std::make_shared<Options>();
  Command command = root.command("kernels", "lists the kernels of a shared library: arguments, tunables, axes");
  command.argument("LIB.so", o->library, "a shared library of kernels, or a file of Tile IR text");
  command.optional("KERNEL", o->kernel, "only this one, NAME or NAME@HASH");
  command.flag("--names", o->names, "only the names");
  command.example("tessera kernels libkernels.so", "every kernel with its signature, as it was written");
  command.example("tessera kernels libkernels.so --json", "the same for programs");
  command.runs([o](Output& out) { return list(*o, out); });
}

}  // namespace cli
TESSERA_END
