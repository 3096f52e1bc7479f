// Owns the checks of a call by themselves: the Frame of a captured kernel without running it, and without any library.
#pragma once

#include <type_traits>

#include "tessera/call/bind.hpp"
#include "tessera/call/fast_bind.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace call {

/// Checks arguments as a call of the kernel does and fills the Frame: for the interpreter.
template <class Captured, class... Args>
Status bind_call(Frame<Captured>& frame, Args&&... args) noexcept {
  if constexpr (types_fit<Captured, std::remove_reference_t<Args>...>()) {
    if (fast_bind<Captured>(frame.data(), args...)) return {};
    return bind(Captured::program, raw_arguments<Captured>(args...), frame.data());
  } else {
    return {};
  }
}

}  // namespace call
TESSERA_END
