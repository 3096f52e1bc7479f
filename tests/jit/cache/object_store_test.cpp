// Tests the store of objects: what is put is found whole, what is damaged is missed, and what is too much goes.
#include "jit/cache/object_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

#include "jit/cache/pack.hpp"
#include "tests/support/folder.hpp"

using namespace tessera;
namespace fs = std::filesystem;

namespace {

jit::ObjectKey key_of(int number) {
  jit::ObjectKey key;
  key.add("program", "p" + std::to_string(number));
  key.add("features", "native");
  key.add(jit::compiler_field, "c");
  return key;
}

std::string image_of(int number, std::size_t size = 500) {
  std::string image;
  std::mt19937 random(static_cast<unsigned>(number));
  while (image.size() < size) image.push_back(static_cast<char>(random()));
  return image;
}

jit::StoreOptions in(const std::string& folder) {
  jit::StoreOptions options;
  options.folder = folder;
  return options;
}

std::vector<std::string> packs(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder + "/objects-1"))
    if (entry.path().extension() == ".pack") files.push_back(entry.path());
  return files;
}

bool clean(jit::ObjectStore& store) {
  for (const jit::VerifyReport& report : store.verify())
    if (!report.clean()) return false;
  return true;
}

}  // namespace

TEST_CASE("what is put is found, in this process and by another store, with its notes") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder / "deep/er"));
  CHECK_FALSE(store.get(key_of(1)));
  REQUIRE(store.put(key_of(1), {{"kernel", "k"}}, image_of(1)));
  REQUIRE(store.put(key_of(2), {}, ""));
  jit::ObjectStore again(in(folder / "deep/er"));
  const auto object = again.get(key_of(1));
  REQUIRE(object);
  CHECK(object->image == image_of(1));
  CHECK(object->note("kernel") == "k");
  CHECK(again.get(key_of(2))->image.empty());
  CHECK(again.totals().entries == 2);
  struct stat s{};
  REQUIRE(stat((folder / "deep/er").c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0700);
  for (const std::string& pack : packs(folder / "deep/er")) {
    REQUIRE(stat(pack.c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0600);
  }
}

TEST_CASE("an object that is there already is not written twice") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  REQUIRE(store.put(key_of(1), {}, image_of(1)));
  const auto before = store.totals().bytes;
  REQUIRE(store.put(key_of(1), {}, image_of(1)));
  CHECK(store.totals().bytes == before);
}

TEST_CASE("few inodes, whatever the number of entries (triton#11778)") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  for (int i = 0; i < 2000; ++i) REQUIRE(store.put(key_of(i), {}, image_of(i, 64)));
  CHECK(store.totals().entries == 2000);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) files += entry.is_regular_file();
  CHECK(files <= 257);
}

TEST_CASE("every byte of an entry, flipped, is a miss; put mends it") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  REQUIRE(store.put(key_of(1), {{"kernel", "k"}}, image_of(1)));
  const std::string pack = packs(folder.path()).front(), good = test::read_all(pack);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    test::write_all(pack, bad);
    CHECK_MESSAGE(!store.get(key_of(1)), "byte ", i);
  }
  REQUIRE(store.put(key_of(1), {{"kernel", "k"}}, image_of(1)));
  CHECK(store.get(key_of(1))->image == image_of(1));
}

TEST_CASE("a damaged entry does not hide those before and after it") {
  test::TemporaryFolder folder;
  std::vector<int> same;  // keys of one pack
  const unsigned pack = static_cast<unsigned>(key_of(0).digest() >> 56);
  for (int i = 0; same.size() < 5; ++i)
    if (key_of(i).digest() >> 56 == pack) same.push_back(i);
  jit::ObjectStore store(in(folder.path()));
  std::vector<std::uint64_t> ends;
  for (int i : same) {
    REQUIRE(store.put(key_of(i), {}, image_of(i)));
    ends.push_back(fs::file_size(packs(folder.path()).front()));
  }
  const std::string file = packs(folder.path()).front(), good = test::read_all(file);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string bad = good;
    bad[ends[1] + random() % (ends[2] - ends[1])] ^= static_cast<char>(1 + random() % 255);
    test::write_all(file, bad);
    for (std::size_t k = 0; k < same.size(); ++k) CHECK(store.get(key_of(same[k])).has_value() == (k != 2));
  }
}

TEST_CASE("random truncations, swaps and zeros: a miss or the right image, and writing goes on") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  std::vector<int> same;
  const unsigned pack = static_cast<unsigned>(key_of(0).digest() >> 56);
  for (int i = 0; same.size() < 4; ++i)
    if (key_of(i).digest() >> 56 == pack) same.push_back(i);
  for (int i : same) REQUIRE(store.put(key_of(i), {}, image_of(i)));
  const std::string file = packs(folder.path()).front(), good = test::read_all(file);
  std::mt19937 random(11);
  for (int round = 0; round < 1000; ++round) {
    std::string bad = good;
    const std::size_t a = random() % good.size(), b = random() % good.size(), n = 1 + random() % 200;
    switch (random() % 3) {
      case 0:
        bad.resize(a);
        break;
      case 1:
        for (std::size_t i = 0; i < n && a + i < bad.size() && b + i < bad.size(); ++i)
          std::swap(bad[a + i], bad[b + i]);
        break;
      default:
        for (std::size_t i = 0; i < n && a + i < bad.size(); ++i) bad[a + i] = 0;
    }
    test::write_all(file, bad);
    for (int i : same)
      if (const auto object = store.get(key_of(i))) CHECK(object->image == image_of(i));
    if (round % 50 == 0) {
      for (int i : same) REQUIRE(store.put(key_of(i), {}, image_of(i)));
      for (int i : same) REQUIRE(store.get(key_of(i)));
    }
  }
}

TEST_CASE("what a killed writer left at the end of a pack neither hides nor stops what follows") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  std::vector<int> same;
  const unsigned pack = static_cast<unsigned>(key_of(0).digest() >> 56);
  for (int i = 0; same.size() < 3; ++i)
    if (key_of(i).digest() >> 56 == pack) same.push_back(i);
  REQUIRE(store.put(key_of(same[0]), {}, image_of(0)));
  const std::string file = packs(folder.path()).front(), one = test::read_all(file);
  REQUIRE(store.put(key_of(same[1]), {}, image_of(1)));
  const std::string two = test::read_all(file);
  for (std::size_t cut = one.size(); cut <= two.size(); ++cut) {
    test::write_all(file, two.substr(0, cut));
    CHECK(store.get(key_of(same[0])));
    REQUIRE(store.put(key_of(same[2]), {}, image_of(2)));
    CHECK(store.get(key_of(same[0])));
    CHECK(store.get(key_of(same[2]))->image == image_of(2));
    CHECK(store.get(key_of(same[1])).has_value() == (cut == two.size()));
    CHECK(clean(store));
  }
}

TEST_CASE("one orphan file does not stop writes, and goes some day") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  REQUIRE(store.put(key_of(1), {}, image_of(1)));
  const std::string orphan = folder.path() + "/objects-1/new-123";
  test::write_all(orphan, "half of a pack");
  fs::last_write_time(orphan, fs::file_time_type::clock::now() - std::chrono::hours(2));
  REQUIRE(store.put(key_of(2), {}, image_of(2)));
  CHECK(store.get(key_of(1)));
  CHECK(clean(store));
  store.prune(UINT64_MAX);
  CHECK_FALSE(fs::exists(orphan));
}

TEST_CASE("the least recently used goes first when there is too much (triton#11778)") {
  test::TemporaryFolder folder;
  jit::StoreOptions options = in(folder.path());
  jit::ObjectStore store(options);
  for (int i = 0; i < 20; ++i) REQUIRE(store.put(key_of(i), {}, image_of(i, 1000)));
  // As if all had been put long ago; then some are used.
  for (const std::string& file : packs(folder.path())) {
    std::string bytes = test::read_all(file);
    const jit::PackBytes pack{std::string_view(bytes)};
    jit::PackScan scan(pack);
    for (jit::Record r; scan.next(r);) {
      const std::string long_ago = jit::used_bytes(1'000'000, r.seal);
      std::copy(long_ago.begin(), long_ago.end(),
                bytes.begin() + static_cast<std::ptrdiff_t>(r.offset + jit::Record::used_at));
    }
    test::write_all(file, bytes);
  }
  for (int i : {3, 5, 7}) REQUIRE(store.get(key_of(i)));
  const auto gone = store.prune(5000);
  CHECK(gone.entries >= 15);
  CHECK(store.totals().bytes <= 5000);
  for (int i : {3, 5, 7}) CHECK(store.get(key_of(i)));
}

TEST_CASE("prune drops what is damaged, also where there is room") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  for (int i = 0; i < 3; ++i) REQUIRE(store.put(key_of(i), {}, image_of(i, 1000)));
  const std::string file = packs(folder.path()).front();
  std::string bytes = test::read_all(file);
  bytes[bytes.size() - 100] ^= 1;
  test::write_all(file, bytes);
  CHECK_FALSE(clean(store));
  CHECK(store.prune(UINT64_MAX).entries == 1);
  CHECK(clean(store));
  CHECK(store.totals().entries == 2);
}

TEST_CASE("put keeps to the size limit by itself") {
  test::TemporaryFolder folder;
  jit::StoreOptions options = in(folder.path());
  options.most_bytes = 100'000;
  jit::ObjectStore store(options);
  for (int i = 0; i < 300; ++i) REQUIRE(store.put(key_of(i), {}, image_of(i, 1000)));
  CHECK(store.totals().bytes <= 110'000);
  CHECK(store.totals().entries >= 50);
  CHECK(store.get(key_of(299)));
}

TEST_CASE("a clock that jumps makes nobody immortal, and nothing is lost by it") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  REQUIRE(store.put(key_of(1), {}, image_of(1)));
  const std::string file = packs(folder.path()).front();
  for (const std::int64_t time : {std::int64_t{0}, std::int64_t{1} << 39}) {
    std::string bytes = test::read_all(file);
    {
      const jit::PackBytes pack{std::string_view(bytes)};
      jit::PackScan scan(pack);
      jit::Record r;
      REQUIRE(scan.next(r));
      const std::string other = jit::used_bytes(time, r.seal);
      std::copy(other.begin(), other.end(), bytes.begin() + jit::Record::used_at);
    }
    test::write_all(file, bytes);
    REQUIRE(store.get(key_of(1)));  // and its time is set right
    bytes = test::read_all(file);
    const jit::PackBytes pack{std::string_view(bytes)};
    jit::PackScan scan(pack);
    jit::Record r;
    REQUIRE(scan.next(r));
    CHECK(std::abs(static_cast<double>(r.used - std::time(nullptr))) < 100);
  }
}

TEST_CASE("layers: read only ones are read and never written, the writable one comes first") {
  test::TemporaryFolder fleet, mine;
  jit::ObjectStore shared(in(fleet.path()));
  REQUIRE(shared.put(key_of(1), {}, "fleet"));
  const auto before = shared.totals().bytes;
  jit::StoreOptions options = in(mine.path());
  options.layers = {fleet / "absent", fleet.path()};
  jit::ObjectStore store(options);
  CHECK(store.get(key_of(1))->image == "fleet");
  REQUIRE(store.put(key_of(1), {}, "mine"));
  CHECK(store.get(key_of(1))->image == "mine");
  CHECK(shared.totals().bytes == before);
  options.read_only = true;
  jit::ObjectStore reader(options);
  CHECK_FALSE(reader.put(key_of(2), {}, "x"));
  CHECK(reader.get(key_of(1))->image == "mine");
}

TEST_CASE("signed entries: only those of the same key are believed") {
  test::TemporaryFolder folder;
  jit::StoreOptions options = in(folder.path());
  options.key = jit::signing_key("a secret of the fleet");
  jit::ObjectStore fleet(options);
  REQUIRE(fleet.put(key_of(1), {}, "signed"));
  CHECK(fleet.get(key_of(1))->image == "signed");
  options.key = jit::signing_key("another secret");
  std::string why;
  CHECK_FALSE(jit::ObjectStore(options).get(key_of(1), &why));
  CHECK(why == "the entry's signature is wrong");
  options.key.clear();
  jit::ObjectStore plain(options);  // has a checksum only: whoever can write could have made it
  REQUIRE(plain.put(key_of(2), {}, "forged"));
  CHECK_FALSE(fleet.get(key_of(2)));
}

TEST_CASE("packs go out and come in again") {
  test::TemporaryFolder a, b;
  jit::ObjectStore from(in(a.path())), to(in(b.path()));
  for (int i = 0; i < 10; ++i) REQUIRE(from.put(key_of(i), {{"kernel", i % 2 ? "odd" : "even"}}, image_of(i)));
  std::string error;
  jit::StoreTotals written, added, kept;
  REQUIRE(from.write_pack(a / "out.pack", [](const auto& e) { return e.note("kernel") == "odd"; }, error, written));
  CHECK(written.entries == 5);
  REQUIRE(to.put(key_of(1), {}, "own"));
  REQUIRE(to.read_pack(a / "out.pack", error, added, kept));
  CHECK(added.entries == 4);
  CHECK(kept.entries == 1);
  CHECK(to.get(key_of(3))->image == image_of(3));
  CHECK(to.get(key_of(1))->image == "own");
  test::write_all(b / "text", std::string(300, 'x'));
  CHECK_FALSE(to.read_pack(b / "text", error, added, kept));
  CHECK(error.find("is no pack of objects") != std::string::npos);
  CHECK_FALSE(to.read_pack(b / "nothing", error, added, kept));
  CHECK(error.find("No such file") != std::string::npos);
}

TEST_CASE("explain and clear") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  CHECK(store.explain(key_of(1)) == "the cache is empty");
  for (int i = 0; i < 10; ++i) REQUIRE(store.put(key_of(i), {{"n", std::to_string(i)}}, image_of(i)));
  CHECK(store.explain(key_of(1)) == "it is in the cache");
  jit::ObjectKey other;
  other.add("program", "p1"), other.add("features", "avx2"), other.add(jit::compiler_field, "c");
  CHECK(store.explain(other) == "the nearest entry differs: features is avx2, not native");
  CHECK(store.clear([](const auto& e) { return e.note("n") == "4"; }).entries == 1);
  CHECK_FALSE(store.get(key_of(4)));
  CHECK(store.totals().entries == 9);
  CHECK(store.clear().entries == 9);
  CHECK(store.totals().bytes == 0);
}

TEST_CASE("a key's lock is held by one at a time, in threads too") {
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  int inside = 0, most = 0, total = 0;
  std::mutex counts;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto held = store.lock(key_of(1));
        {
          const std::lock_guard lock(counts);
          most = std::max(most, ++inside);
          ++total;
        }
        std::this_thread::yield();
        const std::lock_guard lock(counts);
        --inside;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(most == 1);
  CHECK(total == 80);
  const auto held = store.lock(key_of(1));
  const auto other = store.lock(key_of(2), 0.0);  // another key is free
  CHECK(other);
}

TEST_CASE("threads put and get at once") {
  test::TemporaryFolder folder;
  jit::StoreOptions options = in(folder.path());
  options.most_bytes = 60'000;  // so that packs are written anew meanwhile
  jit::ObjectStore store(options);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 150; ++i) {
        const int n = (t * 37 + i) % 120;
        if (const auto object = store.get(key_of(n)))
          wrong += object->image != image_of(n, 700);
        else
          wrong += !store.put(key_of(n), {}, image_of(n, 700));
      }
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
  CHECK(clean(store));
}
