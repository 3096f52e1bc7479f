// Owns recording at run time: programs made by programs, with names and extents of axes that only run time knows.
#pragma once

#include <atomic>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/ir/tile.hpp"
#include "tessera/language/by_name.hpp"
#include "tessera/language/live.hpp"
#include "tessera/language/signature.hpp"

TESSERA_BEGIN
namespace detail {

/// A recording in progress on this thread: makes the recorder's handles live.
class Session {
 public:
  explicit Session(Recorder& r) : recorder_(r) {
    static std::atomic<unsigned> count{0};
    r.generation = ++count;
    r.outer = recordings();
    recordings() = &r;
  }
  ~Session() { recordings() = recorder_.outer; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  Recorder& recorder_;
};

template <class T>
std::vector<T> to_vector(const List<T>& list) {
  return std::vector<T>(list.begin(), list.end());
}

inline ir::Storage to_storage(const Recorder& r) {
  ir::Storage s;
  s.kernel_name.assign(r.kernel.begin(), r.kernel.end());
  s.nodes = to_vector(r.nodes);
  s.operands = to_vector(r.operands);
  s.axes = to_vector(r.axes);
  s.args = to_vector(r.args);
  s.extents = to_vector(r.extents);
  s.arg_extents = to_vector(r.arg_extents);
  s.tunables = to_vector(r.tunables);
  s.names = to_vector(r.names);
  s.text = to_vector(r.text);
  for (const NodeMeta& m : r.meta) s.lines.push_back(m.line);
  return s;
}

}  // namespace detail

/// Records a program at run time: `body` is called once with the Kernel and the parameters that it declares, as a
/// kernel of TESSERA_KERNEL is. `parameters` names them, as in "x, y, scale"; unnamed ones are called arg0, arg1, …
/// Throws UserError, with the text that would be a compile error in TESSERA_KERNEL.
///
///     ir::Storage s = ir::record("scale", [](Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
///       auto n = k.block<"N">(256);
///       y(n) = 2 * x(n);
///     }, "x, y");
namespace ir {

template <class Body>
Storage record(std::string_view name, const Body& body, std::string_view parameters = {}) {
  tessera::detail::Recorder r;
  const tessera::detail::Session session(r);
  std::string names;
  if (parameters.empty()) {
    names = "k";
    for (int i = 0; i < 32; ++i) names += ", arg" + std::to_string(i);
  } else {
    names = "k, ";
    names += parameters;
  }
  tessera::detail::record_kernel(r, {name, 0, names}, body);
  if (r.bad) tessera::detail::raise_user_error(r.error.view());
  return tessera::detail::to_storage(r);
}

}  // namespace ir
TESSERA_END
