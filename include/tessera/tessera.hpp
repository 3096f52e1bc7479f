// The one header of Tessera: `#include <tessera/tessera.hpp>`. docs/language.md tells how to write kernels.
#pragma once

#include "tessera/call/invoke.hpp"
#include "tessera/call/registration.hpp"
#include "tessera/call/view.hpp"
#include "tessera/language/capture.hpp"
#include "tessera/types/types.hpp"
#include "tessera/version.hpp"
