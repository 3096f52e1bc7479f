// Owns rows: one timed configuration each, read from and written to a database and JSON text, sealed by a checksum.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autotune/store/database.hpp"
#include "autotune/store/tuned_store.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

struct Row {
  TunedKey key;
  Timing timing;
};

/// Which rows are read: all, those of one key, or those of every shape of its kernel.
struct RowFilter {
  const TunedKey* key = nullptr;
  bool any_extents = false;
  static RowFilter exactly(const TunedKey& key) { return {&key, false}; }
  static RowFilter same_kernel(const TunedKey& key) { return {&key, true}; }
};

/// Reads sound rows; others are passed over and counted. `key` signs, where not empty.
bool read_rows(Database& db, const RowFilter& filter, std::string_view key, std::vector<Row>& rows, std::string& error,
               std::uint64_t* damaged = nullptr);
/// Writes all rows or none, durably, replacing those of the same configuration.
bool write_rows(Database& db, const std::vector<Row>& rows, std::string_view key, std::string& error);
/// Deletes the rows for which `which` holds, and damaged ones; adds their number to `gone`.
bool delete_rows(Database& db, const std::function<bool(const Row&)>& which, std::string_view key, std::uint64_t& gone,
                 std::string& error);
/// Writes what is new or better than what the database has.
bool merge_rows(Database& db, const std::vector<Row>& rows, const Versions& now, std::string_view key,
                MergeReport& report, std::string& error);

std::string rows_to_json(const std::vector<Row>& rows);
bool rows_from_json(std::string_view json, std::vector<Row>& rows, std::string& error);

/// All fields of a key as one text, and with the configuration.
std::string key_text(const TunedKey& key);
std::string identity(const Row& row);
/// "threads is 2, not 1" for each field in which `wanted` differs from `stored`.
std::vector<std::string> differing_fields(const TunedKey& wanted, const TunedKey& stored);

/// The winner, as TunedStore::best says.
std::optional<Timing> best_of(std::vector<Timing> timings, std::string_view bits);

}  // namespace autotune
TESSERA_END
