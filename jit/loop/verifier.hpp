// Owns the state of one verification; its parts lie in verify.cpp and verify_ops.cpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jit/loop/layout.hpp"
#include "jit/loop/machine.hpp"
#include "jit/loop/text.hpp"

TESSERA_BEGIN
namespace loop::detail {

class Verifier {
 public:
  Verifier(const Program& program, std::size_t limit)
      : p_(program), limit_(limit), facts_(machine_facts(program.machine)), channel_ops_(program.channels.size()) {}
  std::vector<std::string> run();

 private:
  // ---- declarations and regions: verify.cpp ----
  void declarations();
  void function(const Function& f);
  void region(const Region& r, const std::vector<Type>& yields, const Inst* owner, int depth);
  void regions(const Inst& inst, int depth);
  void define(Value v, const Inst* inst);
  void forget(const Region& r);
  void problem(std::string text);
  void wrong(const Inst& inst, const std::string& why);
  std::int64_t attribute(std::string_view name, std::int64_t otherwise) const;
  std::vector<Type> types_of(const std::vector<Value>& values) const;
  std::string types(const std::vector<Type>& ts) const;
  const Type& type(Value v) const { return f_->types[static_cast<std::size_t>(v)]; }

  // ---- single instructions: verify_ops.cpp ----
  void instruction(const Inst& inst);  // its operands and results are known to exist
  void arithmetic(const Inst& inst);
  void vectors(const Inst& inst);
  void memory(const Inst& inst);
  void calls(const Inst& inst);
  void tiles(const Inst& inst);
  void mma(const Inst& inst);
  void concurrency(const Inst& inst);
  void copy(const Inst& inst);
  bool shape(const Inst& inst, std::size_t results, std::size_t operands);
  bool is_offset(Value v) const { return type(v) == Type{DType::i64, 1, -1}; }
  bool arithmetic_float(DType t) const;
  const Buffer* buffer(const Inst& inst, std::int64_t index);
  const Layout* layout(const Type& t) const {
    return t.layout < 0 ? nullptr : &p_.layouts[static_cast<std::size_t>(t.layout)];
  }

  enum State : std::uint8_t { Unseen, Visible, Left };

  const Program& p_;
  std::size_t limit_;
  MachineFacts facts_;
  std::vector<std::string> problems_;
  const Function* f_ = nullptr;
  std::vector<State> state_;            // of each value of the function
  std::vector<Value> live_;             // visible values in the order of their definitions
  std::int64_t units_ = 1, warps_ = 1;  // warps or processing elements of the program, and of this role
  bool in_role_ = false;
  std::vector<std::set<Op>> channel_ops_;  // that use each channel
};

}  // namespace loop::detail
TESSERA_END
