// The header for programs made by programs: ir::record, and operations by names that only run time knows.
#pragma once

#include "tessera/language/record.hpp"
