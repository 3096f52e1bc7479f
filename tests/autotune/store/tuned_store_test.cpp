// Tests the store of tuned configurations: rows, winners, neighbours, versions, processes, forks, damage.
#include "autotune/store/tuned_store.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "jit/cache/embedded.hpp"
#include "tests/support/folder.hpp"

using namespace tessera;
using namespace tessera::autotune;
namespace fs = std::filesystem;

namespace {

TunedKey key_of(std::int64_t m, std::int64_t n) {
  TunedKey key;
  key.kernel = "gemm";
  key.program = "0123456789abcdef0123456789abcdef";
  key.extents = {{"M", m}, {"N", n}};
  key.types = "f32,f32";
  key.device = "cpu; test";
  key.threads = 2;
  return key;
}

Timing timing(std::int64_t block, double seconds, double spread = 0) {
  Timing t;
  t.configuration = {{"BN", 8}, {"BM", block}};
  t.seconds = seconds;
  t.low = seconds - spread, t.high = seconds + spread;
  t.runs = 10;
  return t;
}

TunedOptions in(const std::string& folder) {
  TunedOptions options;
  options.folder = folder;
  return options;
}

void sql(const std::string& file, const char* text) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, text, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

}  // namespace

TEST_CASE("texts of configurations and extents") {
  CHECK(text(std::vector<Tuned>{{"BN", 8}, {"BM", 16}}) == "BM=16 BN=8");
  CHECK(text(*parse_configuration("BM=16 BN=8")) == "BM=16 BN=8");
  for (const char* wrong :
       {"BM", "BM=", "=3", "BM=x", "BM=0", "BM=-1", "BM=1  BN=2", "BM=1 BM=2", "BM=99999999999999999999"})
    CHECK_FALSE_MESSAGE(parse_configuration(wrong), wrong);
  CHECK(text(*parse_extents("K=300 M/2=5")) == "K=300 M/2=5");
  CHECK_FALSE(parse_extents("K=1 K=2"));
  CHECK(bucket({{"A", 300}, {"B", 0}, {"C", 1}}) == "A=2^8 B=0 C=2^0");
}

TEST_CASE("tuned once, found by the next process: the fastest wins, and all timings stay (triton#4020)") {
  test::TemporaryFolder folder;
  {
    TunedStore store(in(folder.path()));
    CHECK_FALSE(store.best(key_of(512, 512)));
    REQUIRE(store.record(key_of(512, 512), {timing(16, 3e-3), timing(32, 1e-3), timing(64, 2e-3)}));
  }
  TunedStore store(in(folder.path()));
  CHECK(text(store.best(key_of(512, 512))->configuration) == "BM=32 BN=8");
  CHECK(store.all(key_of(512, 512)).size() == 3);
  CHECK(store.all(key_of(512, 512))[1].seconds == 2e-3);
  CHECK_FALSE(store.best(key_of(512, 513)));
  CHECK(store.journal() == "wal");
  struct stat s{};
  REQUIRE(stat(store.file().c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0600);
}

TEST_CASE("one more configuration is one more row: what was timed stays timed (triton#6355, #9822)") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  REQUIRE(store.record(key_of(64, 64), {timing(16, 3e-3), timing(32, 1e-3)}));
  REQUIRE(store.record(key_of(64, 64), {timing(48, 5e-4)}));
  CHECK(store.all(key_of(64, 64)).size() == 3);
  CHECK(text(store.best(key_of(64, 64))->configuration) == "BM=48 BN=8");
  REQUIRE(store.record(key_of(64, 64), {timing(48, 9e-3)}));  // timed again: replaces its own row only
  CHECK(store.all(key_of(64, 64)).size() == 3);
  CHECK(text(store.best(key_of(64, 64))->configuration) == "BM=32 BN=8");
}

TEST_CASE("lost configurations are kept with their reasons and never win (triton#6547)") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  Timing wrong = timing(8, 1e-9);
  wrong.outcome = Outcome::wrong;
  wrong.note = "y(3) is 1, not 2";
  REQUIRE(store.record(key_of(1, 1), {wrong}));
  CHECK_FALSE(store.best(key_of(1, 1)));
  CHECK(store.explain(key_of(1, 1)) ==
        "every configuration that was tried was lost, such as BM=8 BN=8: wrong, y(3) is 1, not 2");
  REQUIRE(store.record(key_of(1, 1), {timing(16, 1)}));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=16 BN=8");
  CHECK(store.all(key_of(1, 1)).back().note == "y(3) is 1, not 2");
}

TEST_CASE("a tie goes to the same configuration in every process (triton#9368)") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  REQUIRE(
      store.record(key_of(1, 1), {timing(32, 1.000e-3, 2e-5), timing(16, 1.005e-3, 2e-5), timing(64, 1.5e-3, 1e-3)}));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=16 BN=8");
  REQUIRE(store.record(key_of(1, 1), {timing(32, 1.004e-3, 2e-5), timing(16, 1.001e-3, 2e-5)}));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=16 BN=8");
}

TEST_CASE("what a tuning chose is the best in every process, and its times stay as they were (triton#9368)") {
  test::TemporaryFolder folder, other;
  const auto chosen = [](Timing t) {
    t.chosen = true;
    return t;
  };
  const auto best = [](TunedStore& store) { return text(store.best(key_of(1, 1))->configuration); };
  TunedStore store(in(folder.path()));
  REQUIRE(store.record(key_of(1, 1), {chosen(timing(16, 1.02e-3)), timing(32, 0.95e-3)}));
  CHECK(best(store) == "BM=16 BN=8");
  CHECK(store.all(key_of(1, 1)).front().seconds == 0.95e-3);
  REQUIRE(store.record(key_of(1, 1), {timing(64, 0.9e-3)}));  // timed, not chosen
  CHECK(best(store) == "BM=16 BN=8");
  REQUIRE(store.record(key_of(1, 1), {chosen(timing(32, 0.95e-3))}));
  TunedStore again(in(folder.path()));
  CHECK(best(again) == "BM=32 BN=8");
  int marks = 0;
  for (const Timing& t : again.all(key_of(1, 1))) marks += t.chosen;
  CHECK(marks == 1);
  CHECK(again.verify().empty());

  TunedStore theirs(in(other.path()));
  REQUIRE(theirs.record(key_of(1, 1), {chosen(timing(128, 0.96e-3))}));
  MergeReport report;
  std::string error;
  REQUIRE(again.import_json(theirs.export_json(false), report, error));
  CHECK(best(again) == "BM=32 BN=8");  // ours stays
  REQUIRE(theirs.record(key_of(1, 1), {chosen(timing(256, 0.5e-3))}));
  REQUIRE(again.import_json(theirs.export_json(false), report, error));
  CHECK(best(again) == "BM=256 BN=8");  // unless theirs is surely faster
  TunedOptions layered = in(other.path());
  layered.layers = {folder.path()};
  TunedStore both(layered);
  REQUIRE(both.record(key_of(1, 1), {chosen(timing(8, 0.8e-3))}));
  CHECK(best(both) == "BM=8 BN=8");  // our folder's choice, before a layer's
}

TEST_CASE("databases of before the mark are read, and get it when they are written") {
  test::TemporaryFolder folder, mine;
  {
    TunedStore store(in(folder.path()));
    REQUIRE(store.record(key_of(1, 1), {timing(16, 2), timing(32, 1)}));
  }
  sql(folder / "tuned.sqlite", "ALTER TABLE timing DROP COLUMN chosen; PRAGMA user_version=1");
  TunedOptions layered = in(mine.path());
  layered.layers = {folder.path()};
  CHECK(text(TunedStore(layered).best(key_of(1, 1))->configuration) == "BM=32 BN=8");
  TunedStore store(in(folder.path()));
  CHECK(store.all(key_of(1, 1)).size() == 2);
  Timing winner = timing(16, 2);
  winner.chosen = true;
  REQUIRE(store.record(key_of(1, 1), {winner}));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=16 BN=8");
  CHECK(store.verify().empty());
}

TEST_CASE("only bitwise equal results compete where that is asked for") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  Timing a = timing(16, 2e-3), b = timing(32, 1e-3);
  a.bits = "aa", b.bits = "bb";
  REQUIRE(store.record(key_of(1, 1), {a, b}));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=32 BN=8");
  CHECK(text(store.best(key_of(1, 1), "aa")->configuration) == "BM=16 BN=8");
  CHECK_FALSE(store.best(key_of(1, 1), "cc"));
}

TEST_CASE("another version makes entries stale: still used, after fresh ones (triton#9757)") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  Timing old = timing(16, 1e-3);
  old.versions = {"0.0.9", "b", "c"};
  REQUIRE(store.record(key_of(1, 1), {old}));
  REQUIRE(store.best(key_of(1, 1)));
  CHECK(store.best(key_of(1, 1))->stale);
  CHECK(store.explain(key_of(1, 1)) == "its entry is stale: tessera is " TESSERA_VERSION ", not 0.0.9");
  REQUIRE(store.record(key_of(1, 1), {timing(32, 2e-3)}));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=32 BN=8");
  CHECK_FALSE(store.best(key_of(1, 1))->stale);
  CHECK(store.totals().stale == 1);
  CHECK(store.prune(1000, true) == 1);
  CHECK(store.totals().timings == 1);
}

TEST_CASE("each field of a key, changed alone, is a miss that explain names") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  CHECK(store.explain(key_of(1, 1)) == "nothing is tuned yet");
  REQUIRE(store.record(key_of(64, 32), {timing(16, 1)}));
  const auto missed = [&](const char* expected, auto change) {
    TunedKey key = key_of(64, 32);
    change(key);
    CHECK_FALSE(store.best(key));
    CHECK(store.explain(key) == "the nearest entry differs: " + std::string(expected));
  };
  missed("kernel is other, not gemm", [](TunedKey& k) { k.kernel = "other"; });
  missed("program is ff, not 0123456789abcdef0123456789abcdef", [](TunedKey& k) { k.program = "ff"; });
  missed("types is f64, not f32,f32", [](TunedKey& k) { k.types = "f64"; });
  missed("device is cpu; other, not cpu; test", [](TunedKey& k) { k.device = "cpu; other"; });
  missed("threads is 1, not 2", [](TunedKey& k) { k.threads = 1; });
  missed("mode is deterministic, not empty", [](TunedKey& k) { k.mode = "deterministic"; });
  missed("extent M is 65, not 64", [](TunedKey& k) { k.extents["M"] = 65; });
  missed("extent K is 1, not there", [](TunedKey& k) { k.extents["K"] = 1; });
  CHECK(store.best(key_of(64, 32)));
}

TEST_CASE("neighbours: the nearest shapes first, of the same kernel on the same device") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  for (std::int64_t m : {64, 100, 1000, 4000}) REQUIRE(store.record(key_of(m, 32), {timing(m, 1), timing(1, 2)}));
  TunedKey other = key_of(90, 32);
  other.device = "another";
  REQUIRE(store.record(other, {timing(7, 1)}));
  const auto list = store.nearest(key_of(90, 32), 2);
  REQUIRE(list.size() == 2);
  CHECK(list[0].key.extents.at("M") == 100);
  CHECK(list[1].key.extents.at("M") == 64);
  CHECK(list[0].best.configuration[0].value == 100);
  CHECK(list[0].distance < list[1].distance);
}

TEST_CASE("export, import, merge: the better entry stays, and it is said") {
  test::TemporaryFolder a, b;
  TunedStore from(in(a.path())), to(in(b.path()));
  REQUIRE(from.record(key_of(1, 1), {timing(16, 1e-3), timing(32, 2e-3)}));
  REQUIRE(from.record(key_of(2, 2), {timing(16, 4e-3)}));
  REQUIRE(to.record(key_of(1, 1), {timing(16, 5e-3)}));
  Timing old = timing(16, 1e-9);
  old.versions = {"0.0.1", "", ""};
  REQUIRE(to.record(key_of(2, 2), {old}));
  MergeReport report;
  std::string error;
  REQUIRE(to.import_json(from.export_json(false), report, error));
  CHECK(report.added == 1);
  CHECK(report.better == 2);
  CHECK(report.notes.size() == 2);
  CHECK(report.notes[0].find("the imported entry is faster") != std::string::npos);
  CHECK(report.notes[1].find("the imported entry is of this version") != std::string::npos);
  CHECK(to.best(key_of(1, 1))->seconds == 1e-3);
  REQUIRE(to.merge(from.file(), report, error));
  CHECK(report.kept == 3);
  CHECK(report.added + report.better == 0);
  CHECK_FALSE(to.import_json("{}", report, error));
  CHECK(error.find("this is no table of tuned configurations") == 0);
  CHECK_FALSE(to.import_json("[1,", report, error));
  CHECK_FALSE(to.merge(b / "none", report, error));
  TunedStore third(in(""));
  REQUIRE(from.export_json(true).size() < from.export_json(false).size());
}

TEST_CASE("a network file system gets a rollback journal, and it works as well") {
  test::TemporaryFolder folder;
  TunedOptions options = in(folder.path());
  options.journal = "delete";
  TunedStore store(options);
  REQUIRE(store.record(key_of(1, 1), {timing(16, 1)}));
  CHECK(store.journal() == "delete");
  CHECK_FALSE(fs::exists(folder / "tuned.sqlite-wal"));
  TunedStore again(options);
  CHECK(again.best(key_of(1, 1)));
}

TEST_CASE("a damaged row is not used, and not counted") {
  test::TemporaryFolder folder;
  {
    TunedStore store(in(folder.path()));
    REQUIRE(store.record(key_of(1, 1), {timing(16, 1), timing(32, 2)}));
  }
  sql(folder / "tuned.sqlite", "UPDATE timing SET seconds=0.001 WHERE configuration='BM=32 BN=8'");
  TunedStore store(in(folder.path()));
  CHECK(text(store.best(key_of(1, 1))->configuration) == "BM=16 BN=8");
  CHECK(store.verify().size() == 1);
  CHECK(store.verify()[0] == "1 rows have a wrong checksum: they are not used");
}

TEST_CASE("a file that is no database, or is cut short, is set aside and the store goes on") {
  for (const char* kind : {"text", "short", "zeros"}) {
    test::TemporaryFolder folder;
    {
      TunedStore store(in(folder.path()));
      for (int i = 1; i < 100; ++i) REQUIRE(store.record(key_of(i, i), {timing(16, 1)}));
    }
    const std::string file = folder / "tuned.sqlite", good = test::read_all(file);
    std::string bad = good;
    if (kind[0] == 't') bad = std::string(5000, 'x');
    if (kind[0] == 's') bad.resize(bad.size() / 2 + 10);
    if (kind[0] == 'z') std::fill(bad.begin(), bad.begin() + 4096, '\0');
    test::write_all(file, bad);
    fs::remove(file + "-wal");
    TunedStore store(in(folder.path()));
    (void)store.best(key_of(1, 1));
    for (int i = 200; i < 230; ++i) (void)store.record(key_of(i, i), {timing(16, 1)});
    CHECK(store.best(key_of(200, 200)));  // on disk or, where SQLite found the damage late, in memory
  }
}

TEST_CASE("later forms are left alone") {
  test::TemporaryFolder folder;
  {
    TunedStore store(in(folder.path()));
    REQUIRE(store.record(key_of(1, 1), {timing(16, 1)}));
  }
  sql(folder / "tuned.sqlite", "PRAGMA user_version=99");
  TunedStore store(in(folder.path()));
  CHECK_FALSE(store.best(key_of(1, 1)));
  CHECK_FALSE(store.record(key_of(2, 2), {timing(16, 1)}));
  CHECK(store.problem().find("it was written by a later Tessera (form 99)") != std::string::npos);
}

TEST_CASE("a store crosses a fork, a connection does not: parent and children write on") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  REQUIRE(store.record(key_of(1, 1), {timing(16, 1)}));
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    const pid_t child = fork();
    if (child == 0) {
      bool good = store.best(key_of(1, 1)).has_value();
      for (int i = 0; i < 10; ++i) good = store.record(key_of(100 + c, i), {timing(16, 1)}) && good;
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
    CHECK(store.record(key_of(50 + c, 1), {timing(16, 1)}));
  }
  for (pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  CHECK(store.totals().keys == 45);
  CHECK(store.verify().empty());
}

TEST_CASE("a fork while another thread writes") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      (void)store.record(key_of(1, i % 50), {timing(16, 1)});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // others get the lock too
    }
  });
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) _exit(store.record(key_of(2, round), {timing(16, 1)}) ? 0 : 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  stop = true;
  writer.join();
  CHECK(store.verify().empty());
}

TEST_CASE("many threads and stores write at once") {
  test::TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::atomic<int> lost = 0;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      TunedStore store(in(folder.path()));
      for (int i = 0; i < 15; ++i) lost += !store.record(key_of(t, i), {timing(16, 1)});
    });
  for (auto& t : threads) t.join();
  CHECK(lost == 0);
  TunedStore store(in(folder.path()));
  CHECK(store.totals().keys == 90);
}

TEST_CASE("clear asks nothing and drops what it is told") {
  test::TemporaryFolder folder;
  TunedStore store(in(folder.path()));
  for (int i = 0; i < 5; ++i) REQUIRE(store.record(key_of(i, 1), {timing(16, 1), timing(32, 1)}));
  CHECK(store.clear([](const TunedKey& key) { return key.extents.at("M") == 3; }) == 2);
  CHECK(store.totals().keys == 4);
  CHECK(store.clear() == 8);
  CHECK(store.totals().keys == 0);
}

// The last one: every store of this process has the table from here on.
TEST_CASE("an embedded table and read-only layers answer too") {
  test::TemporaryFolder fleet, mine;
  {
    TunedStore shared(in(fleet.path()));
    REQUIRE(shared.record(key_of(5, 5), {timing(40, 1)}));
  }
  TunedOptions options = in(mine.path());
  options.layers = {fleet.path(), fleet / "absent"};
  TunedStore store(options);
  CHECK(text(store.best(key_of(5, 5))->configuration) == "BM=40 BN=8");
  TunedStore memory(in(""));
  CHECK_FALSE(memory.record(key_of(9, 9), {timing(24, 1)}));  // kept in memory, not on disk
  CHECK(memory.best(key_of(9, 9)));
  static const std::string table = memory.export_json(true);
  jit::add_embedded_table("test", table);
  CHECK(store.best(key_of(9, 9)));
  CHECK(store.record(key_of(6, 6), {timing(8, 1)}));
  CHECK(fs::file_size(mine / "tuned.sqlite") > 0);
}
