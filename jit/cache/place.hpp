// Owns where caches lie: the environment's answer, as options that tests can also give.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Where a store reads and writes. From the environment:
///
///     TESSERA_CACHE=off           nothing is read or written: memory only
///     TESSERA_CACHE_DIR=folder    the writable folder; otherwise $XDG_CACHE_HOME/tessera, else ~/.cache/tessera
///     TESSERA_CACHE_LAYERS=a:b    folders that are read only, searched in this order after the writable one
///     TESSERA_CACHE_READONLY=1    the writable folder is only read
///     TESSERA_CACHE_SIZE=512M     most bytes of objects in the writable folder (K, M, G; 1G where not set)
///     TESSERA_CACHE_KEY_FILE=f    a file of at least 16 secret bytes: entries are signed with it, and others refused;
///                                 then folders may belong to, and be written by, others
struct StoreOptions {
  bool off = false;
  bool read_only = false;
  std::string folder;  ///< empty: no place; `problem` says why
  std::string problem;
  std::vector<std::string> layers;  ///< read only
  std::uint64_t most_bytes = std::uint64_t{1} << 30;
  std::string key;              ///< of signatures, 32 bytes; empty: checksums only
  double touch_seconds = 3600;  ///< how exactly the time of last use is kept
};

/// "512M" as bytes; false for what is no size.
bool parse_size(std::string_view text, std::uint64_t& bytes);

/// What the environment says now.
StoreOptions store_options_from_environment();

}  // namespace jit
TESSERA_END
