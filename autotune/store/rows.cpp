// Owns the SQL of rows, their seals, and the choice of the best.
#include "autotune/store/rows.hpp"

#include <algorithm>
#include <bit>

#include "jit/cache/digest.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr std::string_view columns =
    "kernel, program, types, device, threads, mode, extents, bucket, configuration, outcome, seconds, low, high, runs, "
    "bits, note, tessera, build, compiler, moment, seal";

/// With the mark of what was chosen, 0 where the database is of before it.
std::string select_rows(const Database& db) {
  return "SELECT " + std::string(columns) + (db.has_chosen() ? ", chosen" : ", 0") + " FROM timing";
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

/// A checksum or signature of everything in a row.
std::string seal(const Row& row, std::string_view key) {
  const Timing& t = row.timing;
  std::string all = identity(row);
  const auto add = [&](std::string_view text) { all.append(std::to_string(text.size())).append(":").append(text); };
  for (double number : {t.seconds, t.low, t.high}) add(std::to_string(std::bit_cast<std::uint64_t>(number)));
  add(std::to_string(static_cast<int>(t.outcome)));
  add(std::to_string(t.runs));
  add(std::to_string(t.when));
  for (const std::string* text : {&t.bits, &t.note, &t.versions.tessera, &t.versions.build, &t.versions.compiler})
    add(*text);
  if (t.chosen) add("chosen");
  const jit::Digest d = jit::digest({all}, key);
  return hex({d.data(), 16});
}

bool row_of(const Statement& s, std::string_view key, Row& row) {
  row.key.kernel = s.text(0);
  row.key.program = s.text(1);
  row.key.types = s.text(2);
  row.key.device = s.text(3);
  row.key.threads = static_cast<int>(s.integer(4));
  row.key.mode = s.text(5);
  auto extents = parse_extents(s.text(6));
  auto configuration = parse_configuration(s.text(8));
  const std::int64_t outcome = s.integer(9);
  if (!extents || !configuration || outcome < 0 || outcome > static_cast<int>(Outcome::timeout)) return false;
  row.key.extents = std::move(*extents);
  Timing& t = row.timing;
  t.configuration = std::move(*configuration);
  t.outcome = static_cast<Outcome>(outcome);
  t.seconds = s.real(10), t.low = s.real(11), t.high = s.real(12);
  t.runs = s.integer(13);
  t.bits = s.text(14), t.note = s.text(15);
  t.versions = {s.text(16), s.text(17), s.text(18)};
  t.when = s.integer(19);
  t.chosen = s.integer(21) != 0;
  return s.text(20) == seal(row, key);
}

bool write_one(Statement& s, const Row& row, std::string_view key) {
  const Timing& t = row.timing;
  s.bind(row.key.kernel).bind(row.key.program).bind(row.key.types).bind(row.key.device);
  s.bind(std::int64_t{row.key.threads}).bind(row.key.mode).bind(text(row.key.extents)).bind(bucket(row.key.extents));
  s.bind(text(t.configuration)).bind(static_cast<std::int64_t>(t.outcome)).bind(t.seconds).bind(t.low).bind(t.high);
  s.bind(t.runs).bind(t.bits).bind(t.note).bind(t.versions.tessera).bind(t.versions.build).bind(t.versions.compiler);
  s.bind(t.when).bind(seal(row, key)).bind(std::int64_t{t.chosen});
  return s.run();
}

/// Runs `f` in a transaction that takes the write lock at once, so that it never fails half-way for being busy.
template <class F>
bool transaction(Database& db, std::string& error, F f) {
  if (!db.run("BEGIN IMMEDIATE")) {
    error = db.error();
    return false;
  }
  if (f() && db.run("COMMIT")) return true;
  error = db.error();
  (void)db.run("ROLLBACK");
  return false;
}

constexpr std::string_view insert =
    "INSERT OR REPLACE INTO timing(kernel, program, types, device, threads, mode, extents, bucket, configuration, "
    "outcome, "
    "seconds, low, high, runs, bits, note, tessera, build, compiler, moment, seal, chosen) "
    "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// Takes the mark from what was chosen before for `winner`'s key.
bool unmark(Database& db, Statement& put, const Row& winner, std::string_view key, std::string& error) {
  std::vector<Row> there;
  if (!read_rows(db, RowFilter::exactly(winner.key), key, there, error)) return false;
  for (Row& row : there) {
    if (!row.timing.chosen || text(row.timing.configuration) == text(winner.timing.configuration)) continue;
    row.timing.chosen = false;
    if (!write_one(put, row, key)) return false;
  }
  return true;
}

/// Whether a tuning elsewhere chose so well that its choice takes the place of ours.
bool chose_better(const Timing& theirs, const Timing& ours, const Versions& now) {
  const bool current_a = theirs.versions == now, current_b = ours.versions == now;
  return current_a != current_b ? current_a : theirs.high < ours.low;
}

}  // namespace

std::string key_text(const TunedKey& key) {
  std::string all;
  const std::string threads = std::to_string(key.threads), extents = text(key.extents);
  for (const std::string* part : {&key.kernel, &key.program, &key.types, &key.device, &threads, &key.mode, &extents})
    all.append(std::to_string(part->size())).append(":").append(*part);
  return all;
}

std::string identity(const Row& row) { return key_text(row.key) + "|" + text(row.timing.configuration); }

std::vector<std::string> differing_fields(const TunedKey& wanted, const TunedKey& stored) {
  std::vector<std::string> list;
  const auto compare = [&](const char* name, const std::string& a, const std::string& b) {
    if (a != b)
      list.push_back(std::string(name) + " is " + (a.empty() ? "empty" : a) + ", not " + (b.empty() ? "empty" : b));
  };
  compare("kernel", wanted.kernel, stored.kernel);
  compare("program", wanted.program, stored.program);
  compare("types", wanted.types, stored.types);
  compare("device", wanted.device, stored.device);
  compare("threads", std::to_string(wanted.threads), std::to_string(stored.threads));
  compare("mode", wanted.mode, stored.mode);
  for (const auto& [name, value] : wanted.extents) {
    const auto other = stored.extents.find(name);
    compare(("extent " + name).c_str(), std::to_string(value),
            other == stored.extents.end() ? "there" : std::to_string(other->second));
  }
  for (const auto& [name, value] : stored.extents)
    if (!wanted.extents.contains(name)) list.push_back("extent " + name + " is only in the stored key");
  return list;
}

bool read_rows(Database& db, const RowFilter& filter, std::string_view key, std::vector<Row>& rows, std::string& error,
               std::uint64_t* damaged) {
  std::string sql = select_rows(db);
  if (filter.key) sql += " WHERE kernel=? AND program=? AND types=? AND device=? AND threads=? AND mode=?";
  if (filter.key && !filter.any_extents) sql += " AND extents=?";
  Statement select(db.handle(), sql);
  if (const TunedKey* k = filter.key) {
    select.bind(k->kernel).bind(k->program).bind(k->types).bind(k->device).bind(std::int64_t{k->threads}).bind(k->mode);
    if (!filter.any_extents) select.bind(text(k->extents));
  }
  while (select.step()) {
    Row row;
    if (row_of(select, key, row))
      rows.push_back(std::move(row));
    else if (damaged)
      ++*damaged;
  }
  constexpr int done = 101;  // SQLITE_DONE
  if (select.result() == done) return true;
  error = db.error();
  return false;
}

bool write_rows(Database& db, const std::vector<Row>& rows, std::string_view key, std::string& error) {
  return transaction(db, error, [&] {
    Statement s(db.handle(), insert);
    for (const Row& row : rows)
      if (row.timing.chosen && !unmark(db, s, row, key, error)) return false;
    return std::all_of(rows.begin(), rows.end(), [&](const Row& row) { return write_one(s, row, key); });
  });
}

bool delete_rows(Database& db, const std::function<bool(const Row&)>& which, std::string_view key, std::uint64_t& gone,
                 std::string& error) {
  std::uint64_t count = 0;
  const bool good = transaction(db, error, [&] {
    struct Victim {
      std::string part[8];
      std::int64_t threads;
    };
    std::vector<Victim> victims;
    {
      Statement select(db.handle(), select_rows(db));
      while (select.step()) {
        Row row;
        if (row_of(select, key, row) && !which(row)) continue;
        victims.push_back({{select.text(0), select.text(1), select.text(2), select.text(3), select.text(5),
                            select.text(6), select.text(8)},
                           select.integer(4)});
      }
    }
    Statement drop(db.handle(),
                   "DELETE FROM timing WHERE kernel=? AND program=? AND types=? AND device=? AND mode=? AND extents=? "
                   "AND configuration=? AND threads=?");
    for (const Victim& v : victims) {
      for (int k = 0; k < 7; ++k) drop.bind(v.part[k]);
      if (!drop.bind(v.threads).run()) return false;
      ++count;
    }
    return true;
  });
  if (good) gone += count;
  return good;
}

bool merge_rows(Database& db, const std::vector<Row>& rows, const Versions& now, std::string_view key,
                MergeReport& report, std::string& error) {
  return transaction(db, error, [&] {
    Statement put(db.handle(), insert);
    for (Row row : rows) {
      std::vector<Row> there;
      if (!read_rows(db, RowFilter::exactly(row.key), key, there, error)) return false;
      const std::string mine = text(row.timing.configuration);
      const auto old =
          std::find_if(there.begin(), there.end(), [&](const Row& r) { return text(r.timing.configuration) == mine; });
      if (row.timing.chosen)
        for (const Row& other : there)
          if (other.timing.chosen && text(other.timing.configuration) != mine)
            row.timing.chosen = row.timing.chosen && chose_better(row.timing, other.timing, now);
      if (old == there.end()) {
        ++report.added;
        if (row.timing.chosen && !unmark(db, put, row, key, error)) return false;
        if (!write_one(put, row, key)) return false;
        continue;
      }
      const Timing &a = row.timing, &b = old->timing;
      const bool current_a = a.versions == now, current_b = b.versions == now;
      const bool better = current_a != current_b ? current_a
                          : a.runs != b.runs     ? a.runs > b.runs
                                                 : a.seconds < b.seconds;
      if (!better) {
        ++report.kept;
        continue;
      }
      ++report.better;
      report.notes.push_back(row.key.kernel + " " + text(row.key.extents) + ": " + mine + ": the imported entry is " +
                             (current_a != current_b ? "of this version"
                              : a.runs != b.runs     ? "of more runs"
                                                     : "faster"));
      if (row.timing.chosen && !unmark(db, put, row, key, error)) return false;
      row.timing.chosen = row.timing.chosen || old->timing.chosen;
      if (!write_one(put, row, key)) return false;
    }
    return true;
  });
}

std::optional<Timing> best_of(std::vector<Timing> timings, std::string_view bits) {
  std::erase_if(timings,
                [&](const Timing& t) { return t.outcome != Outcome::ok || (!bits.empty() && t.bits != bits); });
  if (std::any_of(timings.begin(), timings.end(), [](const Timing& t) { return !t.stale; }))
    std::erase_if(timings, [](const Timing& t) { return t.stale; });
  if (timings.empty()) return std::nullopt;
  if (std::any_of(timings.begin(), timings.end(), [](const Timing& t) { return t.chosen; }))
    std::erase_if(timings, [](const Timing& t) { return !t.chosen; });
  const Timing* fastest = &timings.front();
  for (const Timing& t : timings)
    if (t.seconds < fastest->seconds) fastest = &t;
  // A tie is what the measurements cannot tell apart, as long as that is little: then any rule will do that every
  // process follows alike.
  constexpr double most = 1.02;
  const Timing* winner = fastest;
  for (const Timing& t : timings)
    if (t.low <= fastest->high && t.seconds <= fastest->seconds * most &&
        text(t.configuration) < text(winner->configuration))
      winner = &t;
  return *winner;
}

}  // namespace autotune
TESSERA_END
