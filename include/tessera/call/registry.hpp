// Owns the listing of the kernels that are loaded in this process.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "tessera/call/frame.hpp"
#include "tessera/call/registration.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN

/// A parameter of a kernel, as its signature has it.
struct Parameter {
  std::string name;
  DType type = DType::f32;
  ir::Effect effect = ir::Effect::in;
  std::vector<std::string> extents;  ///< "M", "B+1", "K/32"; empty for scalars

  /// As in the signature: `In<f32, "M", "K"> a`.
  std::string text() const {
    static constexpr std::string_view effects[] = {"In", "Out", "InOut", "Scalar"};
    std::string text(effects[static_cast<std::size_t>(effect)]);
    text.append("<").append(dtype_name(type));
    for (const std::string& extent : extents) text.append(", \"").append(extent).append("\"");
    return text.append("> ").append(name);
  }
};

/// A kernel that is loaded.
struct RegisteredKernel {
  std::string name;  ///< instances of a template share it
  ir::Hash hash;
  std::vector<Parameter> parameters;
  call::KernelRecord* record = nullptr;  ///< with its program; goes when the kernel's shared library is closed

  /// As it was written: `gemm(In<f32, "M", "K"> a, …)`.
  std::string text() const {
    std::string text = name + "(";
    for (const Parameter& parameter : parameters) text.append(text.back() == '(' ? "" : ", ").append(parameter.text());
    return text + ")";
  }
};

namespace call {

/// An extent as it is written: "K", "B+1", "K/32".
inline std::string extent_text(const ir::Program& program, const ir::Extent& extent) {
  std::string text(program.str(extent.base));
  if (extent.divide != 1) text.append("/").append(std::to_string(extent.divide));
  if (extent.plus != 0) text.append(extent.plus > 0 ? "+" : "").append(std::to_string(extent.plus));
  return text;
}

inline RegisteredKernel describe(KernelRecord& record) {
  const ir::Program& program = *record.program;
  RegisteredKernel kernel{std::string(program.name), ir::hash_of(program), {}, &record};
  for (const ir::Arg& arg : program.args) {
    if (!is_parameter(arg)) break;
    Parameter parameter{std::string(program.str(arg.name)), arg.type, arg.effect, {}};
    for (int i = 0; i < arg.rank && is_array(arg); ++i) {
      const auto entry = static_cast<std::size_t>(arg.first_extent + i);
      const auto extent = static_cast<std::size_t>(program.arg_extents[entry]);
      parameter.extents.push_back(extent_text(program, program.extents[extent]));
    }
    kernel.parameters.push_back(std::move(parameter));
  }
  return kernel;
}

}  // namespace call

/// The kernels of this program and of its shared libraries, opened ones included, by name. A program that opens
/// libraries of kernels links tessera::tessera, or exports its symbols (-rdynamic): see docs/calls.md. No library may
/// be opened or closed at the same time.
inline std::vector<RegisteredKernel> registered_kernels() {
  std::vector<call::KernelRecord*> records;
  call::RegistrationList& list = call::registrations();
  list.lock();
  std::size_t count = 0;
  for (const call::Registration* one = list.first; one != nullptr; one = one->next()) ++count;
  list.unlock();
  records.reserve(count);  // outside the lock: memory may run out
  list.lock();
  for (const call::Registration* one = list.first; one != nullptr && records.size() < count; one = one->next())
    records.push_back(&one->record());
  list.unlock();
  std::vector<RegisteredKernel> kernels;
  for (call::KernelRecord* record : records) kernels.push_back(call::describe(*record));
  std::sort(kernels.begin(), kernels.end(), [](const RegisteredKernel& a, const RegisteredKernel& b) {
    return std::tie(a.name, a.hash) < std::tie(b.name, b.hash);
  });
  return kernels;
}

TESSERA_END
