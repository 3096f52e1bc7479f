// Owns the list of what a kernel's translation unit needs of the element types; packed_vector.hpp is apart.
#pragma once

#include "tessera/types/convert.hpp"
#include "tessera/types/dtype.hpp"
#include "tessera/types/packed.hpp"
#include "tessera/types/values.hpp"
