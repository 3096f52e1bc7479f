// Owns how a tuning is told to end at once, wherever it is: a process that ends does not wait for it.
#pragma once

#include <functional>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// Asked often, also by threads that plan; empty: never.
using StopRequest = std::function<bool()>;

/// Thrown by a tuning that was told to end.
struct Stopped {};

inline void throw_if_stopped(const StopRequest& stopped) {
  if (stopped && stopped()) throw Stopped();
}

}  // namespace autotune
TESSERA_END
