// Owns what the crowd of torture calls: kernels in several configurations, their results checked.
#pragma once

namespace torture {

/// How many variants of machine code `call_all` needs.
inline constexpr int variants = 6;

/// Calls all of them, beginning with the `first`th; the number of wrong results. Any thread.
int call_all(unsigned first);

}  // namespace torture
