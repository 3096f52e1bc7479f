// Owns what is compiled into the program: packs of objects and tables of tuned configurations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

struct Embedded {
  std::string name;
  std::string_view data;
};

/// Adds a pack, as ObjectStore::write_pack writes it, as the first layer of every store; `data` stays valid.
void add_embedded_pack(std::string_view name, std::string_view data);
std::vector<Embedded> embedded_packs();

/// Adds a table, as TunedStore::export_json writes it, as the last layer of every store; `data` stays valid.
void add_embedded_table(std::string_view name, std::string_view data);
std::vector<Embedded> embedded_tables();

}  // namespace jit
TESSERA_END
