// Owns one SQLite database and its statements: opened for what we need, errors as texts, nothing thrown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/version.hpp"

struct sqlite3;
struct sqlite3_stmt;

TESSERA_BEGIN
namespace autotune {

/// A prepared statement; bind by order, then step. Ends at scope's end.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(double number);
  /// Whether there is a row. False at the end and on errors: see `result`.
  bool step();
  /// Runs a statement without rows; whether it succeeded. It can be bound and run again.
  bool run();
  int result() const { return result_; }

  std::string text(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1, result_ = 0;
};

/// How a database is opened.
enum class DatabaseKind { memory, file, network_file, read_only };

/// A connection. Not thread-safe, and closed before a fork: both are the owner's care.
class Database {
 public:
  Database() = default;
  ~Database() { close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Opens, sets what holds for a connection, makes or checks the tables. False: `error` says why.
  bool open(const std::string& path, DatabaseKind kind, double busy_seconds, std::string& error);
  void close();
  bool is_open() const { return handle_ != nullptr; }
  sqlite3* handle() const { return handle_; }
  bool run(const char* sql);
  /// What the last call on this connection said.
  std::string error() const;
  bool damaged() const;
  const std::string& journal() const { return journal_; }
  /// Whether rows have the mark of what was chosen: read-only databases of before have none.
  bool has_chosen() const { return version_ >= 2; }

 private:
  bool prepare_tables(DatabaseKind kind, std::string& error);
  bool read_version();

  sqlite3* handle_ = nullptr;
  std::string journal_;
  std::int64_t version_ = 0;
};

/// Whether a folder lies on a network file system, where SQLite's WAL does not work.
bool on_network(const std::string& folder);

}  // namespace autotune
TESSERA_END
