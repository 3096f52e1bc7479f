// Owns the calls of SQLite.
#include "autotune/store/database.hpp"

#include <sqlite3.h>
#include <sys/vfs.h>

#include <algorithm>
#include <iterator>

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr std::int64_t schema_version = 2;

constexpr const char tables[] =
    "CREATE TABLE IF NOT EXISTS timing("
    "kernel TEXT NOT NULL, program TEXT NOT NULL, types TEXT NOT NULL, device TEXT NOT NULL, threads INTEGER NOT NULL,"
    "mode TEXT NOT NULL, extents TEXT NOT NULL, bucket TEXT NOT NULL, configuration TEXT NOT NULL,"
    "outcome INTEGER NOT NULL, seconds REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, runs INTEGER NOT NULL,"
    "bits TEXT NOT NULL, note TEXT NOT NULL, tessera TEXT NOT NULL, build TEXT NOT NULL, compiler TEXT NOT NULL,"
    "moment INTEGER NOT NULL, seal TEXT NOT NULL, chosen INTEGER NOT NULL DEFAULT 0,"
    "PRIMARY KEY(kernel, program, types, device, threads, mode, extents, configuration)) WITHOUT ROWID;"
    "PRAGMA user_version=2;";

constexpr const char from_1_to_2[] =
    "ALTER TABLE timing ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0; PRAGMA user_version=2;";

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql) {
  result_ = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(std::string_view text) {
  if (statement_)
    sqlite3_bind_text(statement_, next_++, text.data() ? text.data() : "", static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  return *this;
}
Statement& Statement::bind(std::int64_t number) {
  if (statement_) sqlite3_bind_int64(statement_, next_++, number);
  return *this;
}
Statement& Statement::bind(double number) {
  if (statement_) sqlite3_bind_double(statement_, next_++, number);
  return *this;
}
bool Statement::step() {
  if (!statement_) return false;
  result_ = sqlite3_step(statement_);
  return result_ == SQLITE_ROW;
}
bool Statement::run() {
  while (step()) {
  }
  if (statement_) sqlite3_reset(statement_);
  next_ = 1;
  return result_ == SQLITE_DONE;
}
std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
}
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

bool Database::open(const std::string& path, DatabaseKind kind, double busy_seconds, std::string& error) {
  close();
  const auto attempt = [&](const std::string& name, int flags) {
    const int result = sqlite3_open_v2(name.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (result == SQLITE_OK) {
      sqlite3_extended_result_codes(handle_, 1);
      sqlite3_busy_timeout(handle_, static_cast<int>(busy_seconds * 1000));
      if (prepare_tables(kind, error)) return true;
    } else {
      error = sqlite3_errstr(result);
    }
    return false;
  };
  if (kind == DatabaseKind::memory) return attempt(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (kind != DatabaseKind::read_only) return attempt(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (attempt(path, SQLITE_OPEN_READONLY)) return true;
  // A WAL database in a folder that we cannot write has no place for its index: read it as a file that stays as it is.
  close();
  std::string uri = "file:";
  for (char c : path) {
    if (c == '?' || c == '#' || c == '%') {
      constexpr char digits[] = "0123456789abcdef";
      uri += {'%', digits[static_cast<unsigned char>(c) >> 4], digits[c & 15]};
    } else {
      uri += c;
    }
  }
  return attempt(uri + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

void Database::close() {
  if (handle_) sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

bool Database::run(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

std::string Database::error() const { return handle_ ? sqlite3_errmsg(handle_) : "the database is not open"; }

bool Database::damaged() const {
  const int code = handle_ ? sqlite3_errcode(handle_) & 0xff : 0;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

bool Database::prepare_tables(DatabaseKind kind, std::string& error) {
  // FULL: what was confirmed survives power loss in WAL mode too. No memory maps: a file that gets shorter kills.
  bool good = run("PRAGMA synchronous=FULL; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
  if (good && kind != DatabaseKind::read_only && kind != DatabaseKind::memory) {
    Statement mode(handle_, kind == DatabaseKind::file ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE");
    good = mode.step();
    if (good) journal_ = mode.text(0);
  } else {
    journal_ = kind == DatabaseKind::memory ? "memory" : "read-only";
  }
  good = good && read_version();
  if (good && version_ < schema_version && kind != DatabaseKind::read_only) {
    good = run("BEGIN IMMEDIATE");
    if (good) {
      good = read_version();  // another process may have been at it meanwhile
      if (good && version_ < schema_version) good = run(version_ == 0 ? tables : from_1_to_2);
      good = good && read_version() && run("COMMIT");
      if (!good) {
        error = this->error();
        (void)run("ROLLBACK");
        return false;
      }
    }
  }
  if (!good) {
    error = this->error();
    return false;
  }
  if (version_ > 0 && version_ <= schema_version) return true;
  error = version_ <= 0 ? "it has no tables of Tessera"
                        : "it was written by a later Tessera (form " + std::to_string(version_) + ")";
  return false;
}

bool Database::read_version() {
  Statement get(handle_, "PRAGMA user_version");
  if (!get.step()) return false;
  version_ = get.integer(0);
  return true;
}

bool on_network(const std::string& folder) {
  // Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, AFS, 9p, FUSE, Lustre, GPFS, Ceph, GFS2, OCFS2, BeeGFS, Coda,
  // vboxsf.
  static constexpr std::uint32_t types[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f,
                                            0x01021997, 0x65735546, 0x0bd00bd0, 0x47504653, 0x00c36400,
                                            0x01161970, 0x7461636f, 0x19830326, 0x73757245, 0x786f4256};
  struct statfs s{};
  if (statfs(folder.c_str(), &s) != 0) return false;
  return std::find(std::begin(types), std::end(types), static_cast<std::uint32_t>(s.f_type)) != std::end(types);
}

}  // namespace autotune
TESSERA_END
