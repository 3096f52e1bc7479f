// Tortures the caches: crowds of processes, kill -9, damaged bytes, failing calls. One program, which runs itself again
// as the processes that are tortured; together here because each part is a worker and its judge.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "autotune/store/tuned_store.hpp"
#include "jit/cache/object_store.hpp"
#include "tessera/call/statistics.hpp"
#include "tests/support/folder.hpp"
#include "tests/torture/kernels.hpp"

namespace fs = std::filesystem;
using namespace tessera;
using Clock = std::chrono::steady_clock;

namespace {

// ---- what is kept
// ------------------------------------------------------------------------------------------------------

jit::ObjectKey key_of(std::uint64_t number) {
  jit::ObjectKey key;
  key.add("program", "p" + std::to_string(number));
  key.add(jit::compiler_field, "c");
  return key;
}

std::string image_of(std::uint64_t number) {
  std::mt19937_64 random(number);
  std::string image(200 + random() % 20000, '\0');
  for (char& c : image) c = static_cast<char>(random());
  return image;
}

autotune::TunedKey tuned_key_of(std::uint64_t number) {
  autotune::TunedKey key;
  key.kernel = "k";
  key.program = "p";
  key.extents = {{"N", static_cast<std::int64_t>(number)}};
  key.device = "d";
  key.threads = 1;
  return key;
}

autotune::Timing timing_of(std::uint64_t number) {
  autotune::Timing t;
  t.configuration = {{"B", static_cast<std::int64_t>(number % 1000 + 1)}};
  t.seconds = static_cast<double>(number);
  t.runs = 1;
  return t;
}

// ---- processes
// ---------------------------------------------------------------------------------------------------------

struct Child {
  pid_t pid = -1;
  int out = -1, err = -1;
  std::string output, errors;
  int status = 0;
};

Child start(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) std::abort();
  Child child;
  child.pid = fork();
  if (child.pid == 0) {
    dup2(out[1], 1);
    dup2(err[1], 2);
    unsetenv("TESSERA_CACHE");
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv = {const_cast<char*>("torture")};
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  close(out[1]), close(err[1]);
  child.out = out[0], child.err = err[0];
  return child;
}

// Reads what a child says until its end; kills it after `milliseconds`, where that is not negative.
void finish(Child& child, int milliseconds = -1) {
  const auto until = Clock::now() + std::chrono::milliseconds(milliseconds);
  bool killed = false;
  for (int open = 2; open > 0;) {
    pollfd fds[2] = {{child.out, POLLIN, 0}, {child.err, POLLIN, 0}};
    int wait = -1;
    if (milliseconds >= 0 && !killed) {
      wait = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count());
      if (wait <= 0) kill(child.pid, SIGKILL), killed = true, wait = -1;
    }
    if (poll(fds, 2, wait) <= 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t got = read(fds[i].fd, buffer, sizeof buffer);
      if (got > 0) {
        (i == 0 ? child.output : child.errors).append(buffer, static_cast<std::size_t>(got));
      } else {
        close(fds[i].fd);
        (i == 0 ? child.out : child.err) = -1;
        --open;
      }
    }
  }
  waitpid(child.pid, &child.status, 0);
}

bool well(const Child& child) { return WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0; }

// ---- counting
// ----------------------------------------------------------------------------------------------------------

int passed = 0, failed = 0;

void check(bool good, const std::string& what) {
  good ? ++passed : ++failed;
  if (!good) std::printf("FAILED: %s\n", what.c_str());
  std::fflush(stdout);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

jit::StoreOptions in(const std::string& folder) {
  jit::StoreOptions options;
  options.folder = folder;
  return options;
}

std::string wrongs(jit::ObjectStore& store) {
  std::string text;
  for (const auto& report : store.verify())
    for (const std::string& note : report.notes) text += note + "; ";
  return text;
}

// ---- workers
// -----------------------------------------------------------------------------------------------------------

// Calls every kernel in every configuration, on 8 threads at once; says what it compiled.
int crowd_worker() {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8; ++t) threads.emplace_back([&, t] { wrong += torture::call_all(t); });
  for (auto& t : threads) t.join();
  const Counts c = counts();
  std::printf("%d %llu %llu\n", wrong.load(), static_cast<unsigned long long>(c.compiled),
              static_cast<unsigned long long>(c.loaded));
  return 0;
}

void confirm(std::uint64_t number) {
  char line[32];
  const int size = std::snprintf(line, sizeof line, "%llu\n", static_cast<unsigned long long>(number));
  if (write(1, line, static_cast<std::size_t>(size)) != size) _exit(3);
}

// Puts objects, and writes packs anew now and then; says the number of each after it is kept.
int put_worker(std::uint64_t first) {
  jit::ObjectStore& store = jit::ObjectStore::process();
  for (std::uint64_t i = first;; ++i) {
    if (store.put(key_of(i), {{"kind", "real"}}, image_of(i))) confirm(i);
    (void)store.put(key_of(i + (std::uint64_t{1} << 60)), {{"kind", "junk"}}, "junk");
    if (i % 4 == 3) (void)store.clear([](const auto& e) { return e.note("kind") == "junk"; });
  }
}

int record_worker(std::uint64_t first) {
  autotune::TunedStore& store = autotune::TunedStore::process();
  for (std::uint64_t i = first;; ++i)
    if (store.record(tuned_key_of(i), {timing_of(i)})) confirm(i);
}

// Some of everything, then its end: for failing calls.
int few_worker() {
  jit::ObjectStore& store = jit::ObjectStore::process();
  int good = 0;
  for (std::uint64_t i = 0; i < 3; ++i) {
    (void)store.lock(key_of(i), 0.5);
    (void)store.put(key_of(i), {}, image_of(i));
    const auto object = store.get(key_of(i));
    if (object && object->image != image_of(i)) return 4;
    good += object.has_value();
  }
  (void)store.prune(1000);
  std::printf("%d\n", good);
  return 0;
}

int few_records_worker() {
  autotune::TunedStore& store = autotune::TunedStore::process();
  int good = 0;
  for (std::uint64_t i = 0; i < 3; ++i) {
    (void)store.record(tuned_key_of(i), {timing_of(i)});
    const auto best = store.best(tuned_key_of(i));  // where the disk refuses, from memory
    if (!best || best->seconds != static_cast<double>(i)) return 4;
    ++good;
  }
  std::printf("%d\n", good);
  return 0;
}

int kernel_worker() { return torture::call_all(0) == 0 ? 0 : 4; }

// ---- judges
// ------------------------------------------------------------------------------------------------------------

void crowd() {
  const auto start_time = Clock::now();
  test::TemporaryFolder folder;
  std::vector<Child> children;
  for (int i = 0; i < 16; ++i) children.push_back(start({"crowd"}, {{"TESSERA_CACHE_DIR", folder.path()}}));
  unsigned long long compiled = 0, loaded = 0;
  for (Child& child : children) {
    finish(child);
    int wrong = -1;
    unsigned long long c = 0, l = 0;
    check(well(child) && std::sscanf(child.output.c_str(), "%d %llu %llu", &wrong, &c, &l) == 3 && wrong == 0 &&
              child.errors.empty(),
          "a process of the crowd: " + child.output + child.errors);
    compiled += c, loaded += l;
  }
  check(compiled == torture::variants, "one compilation a key: " + std::to_string(compiled) + " of " +
                                           std::to_string(torture::variants) + " variants");
  jit::ObjectStore store(in(folder.path()));
  check(store.totals().entries == torture::variants && wrongs(store).empty(), "the crowd's cache is whole");
  Child again = start({"crowd"}, {{"TESSERA_CACHE_DIR", folder.path()}});
  finish(again);
  int wrong = -1;
  unsigned long long c = 9, l = 0;
  std::sscanf(again.output.c_str(), "%d %llu %llu", &wrong, &c, &l);
  check(wrong == 0 && c == 0 && l == torture::variants, "the next process compiles nothing: " + again.output);
  std::printf("crowd: 16 processes of 8 threads, %llu compilations for %d variants, %llu loads, %.1f s\n", compiled,
              torture::variants, loaded, seconds_since(start_time));
}

void kills(int rounds) {
  const auto start_time = Clock::now();
  test::TemporaryFolder folder;
  std::mt19937 random(1);
  std::vector<std::uint64_t> objects, records;
  int killed = 0, by_call = 0;
  const char* calls[] = {"write", "rename", "sync", "truncate", "open", "unlink"};
  std::uint64_t lost = 0;
  jit::ObjectStore store(in(folder.path()));
  for (int round = 0; round < rounds; ++round) {
    const bool tuned = round % 2 == 1;
    const std::uint64_t first = std::uint64_t(round) * 1000000;
    std::map<std::string, std::string> environment = {{"TESSERA_CACHE_DIR", folder.path()}};
    int after = -1;
    if (round % 4 < 2) {
      after = 5 + int(random() % 40);
    } else {
      environment["LD_PRELOAD"] = TESSERA_TORTURE_FAULTS;
      environment["TESSERA_FAULT_DIR"] = folder.path();
      environment["TESSERA_FAULT"] =
          std::string("kill:") + calls[random() % 6] + ":" + std::to_string(1 + random() % 12);
      after = 300;
    }
    Child child = start({tuned ? "record" : "put", std::to_string(first)}, environment);
    finish(child, after);
    by_call += round % 4 >= 2;
    killed += WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL;
    // The last line may be cut short: it is no confirmation then.
    for (std::size_t at = 0, end; (end = child.output.find('\n', at)) != std::string::npos; at = end + 1) {
      const std::uint64_t number = std::strtoull(child.output.c_str() + at, nullptr, 10);
      (tuned ? records : objects).push_back(number);
      if (!tuned) {
        const auto object = store.get(key_of(number));
        lost += !object || object->image != image_of(number);
      }
    }
  }
  std::uint64_t waste = 0;
  for (std::uint64_t number : objects) {
    const auto object = store.get(key_of(number));
    lost += !object || object->image != image_of(number);
  }
  for (const auto& report : store.verify()) waste += report.waste;
  autotune::TunedOptions options;
  options.folder = folder.path();
  autotune::TunedStore tuned(options);
  for (std::uint64_t number : records) {
    const auto best = tuned.best(tuned_key_of(number));
    lost += !best || best->seconds != static_cast<double>(number);
  }
  check(killed == rounds, "every process was killed: " + std::to_string(killed) + " of " + std::to_string(rounds));
  check(objects.size() > std::size_t(rounds) / 4 && records.size() > std::size_t(rounds) / 4, "much was confirmed");
  check(lost == 0, "nothing that was confirmed is lost: " + std::to_string(lost) + " are");
  check(wrongs(store).empty(), "verify is clean: " + wrongs(store));
  const auto notes = tuned.verify();
  check(notes.empty(), "the database is whole: " + (notes.empty() ? "" : notes.front()));
  std::printf(
      "kills: %d (%d at a system call), %zu objects and %zu records confirmed, %llu lost, %llu bytes waste, %.1f s\n",
      killed, by_call, objects.size(), records.size(), static_cast<unsigned long long>(lost),
      static_cast<unsigned long long>(waste), seconds_since(start_time));
}

void damage(int rounds) {
  const auto start_time = Clock::now();
  test::TemporaryFolder folder;
  jit::ObjectStore store(in(folder.path()));
  std::vector<std::uint64_t> same;
  for (std::uint64_t i = 0; same.size() < 3; ++i)
    if (key_of(i).digest() >> 56 == key_of(0).digest() >> 56) same.push_back(i);
  std::map<std::uint64_t, std::string> images;
  for (std::uint64_t i : same) images[i] = image_of(i).substr(0, 1500);
  for (std::uint64_t i : same) check(store.put(key_of(i), {}, images[i]), "put");
  std::string file;
  for (const auto& entry : fs::directory_iterator(folder.path() + "/objects-1")) file = entry.path();
  const std::string good = test::read_all(file);
  const int fd = open(file.c_str(), O_RDWR | O_CLOEXEC);
  const auto write_back = [&](const std::string& bytes) {
    if (pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()) ||
        ftruncate(fd, static_cast<off_t>(bytes.size())) != 0)
      std::abort();
  };
  const auto end = good.size() / 3;  // about: the first entry's bytes, and some of the second
  std::uint64_t hits = 0, wrong = 0, flips = 0;
  jit::ObjectStore one(in(folder.path()));
  for (std::size_t i = 0; i < end; ++i, ++flips) {
    const char bad = static_cast<char>(good[i] ^ (1 << (i % 8)));
    if (pwrite(fd, &bad, 1, static_cast<off_t>(i)) != 1) std::abort();
    for (std::uint64_t k : same)
      if (const auto object = one.get(key_of(k))) wrong += object->image != images[k], ++hits;
    if (pwrite(fd, &good[i], 1, static_cast<off_t>(i)) != 1) std::abort();
  }
  check(wrong == 0 && hits == flips * 2, "each flipped byte is a miss of its entry alone: " + std::to_string(hits) +
                                             " hits of " + std::to_string(flips * 2));
  std::mt19937 random(2);
  std::uint64_t misses = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string bad = good;
    const std::size_t a = random() % good.size(), b = random() % good.size(), n = 1 + random() % 300;
    if (random() % 2 == 0)
      bad.resize(a);
    else
      for (std::size_t i = 0; i < n && a + i < bad.size() && b + i < bad.size(); ++i) std::swap(bad[a + i], bad[b + i]);
    write_back(bad);
    for (std::uint64_t k : same)
      if (const auto object = one.get(key_of(k)))
        wrong += object->image != images[k];
      else
        ++misses;
  }
  close(fd);
  check(wrong == 0 && misses > 0, "no damaged entry is taken for a sound one");
  std::printf("damage: %llu flips, %d truncations and swaps, %llu misses, %llu wrong, %.1f s\n",
              static_cast<unsigned long long>(flips), rounds, static_cast<unsigned long long>(misses),
              static_cast<unsigned long long>(wrong), seconds_since(start_time));
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void faults(bool all) {
  const auto start_time = Clock::now();
  int runs = 0, warned = 0;
  const char* calls[] = {"open", "mkdir", "read", "write", "truncate", "rename", "sync", "lock", "unlink"};
  const char* whats[] = {"ENOSPC", "EROFS", "EMFILE", "EIO", "EINTR", "short"};
  for (const char* worker : {"few", "few-records"})
    for (const char* call : calls)
      for (const char* what : whats) {
        if (std::strcmp(what, "short") == 0 && std::strcmp(call, "read") != 0 && std::strcmp(call, "write") != 0)
          continue;
        if (!all && std::strcmp(what, "EROFS") != 0 && std::strcmp(what, "ENOSPC") != 0 &&
            std::strcmp(what, "short") != 0 && !(std::strcmp(what, "EMFILE") == 0 && std::strcmp(call, "open") == 0))
          continue;
        for (int number = 1; number <= (!all ? 4 : std::strcmp(call, "open") == 0 ? 30 : 12); ++number)
          for (const char* after : {"", "+"}) {
            test::TemporaryFolder folder;
            Child child = start(
                {worker}, {{"TESSERA_CACHE_DIR", folder.path()},
                           {"LD_PRELOAD", TESSERA_TORTURE_FAULTS},
                           {"TESSERA_FAULT_DIR", folder.path()},
                           {"TESSERA_FAULT", std::string(what) + ":" + call + ":" + std::to_string(number) + after}});
            finish(child, 60000);
            ++runs;
            const std::size_t said = lines(child.errors);
            warned += said == 1;
            check(well(child) && said <= 1, std::string(worker) + ", " + what + " at " + call + " " +
                                                std::to_string(number) + after + ": status " +
                                                std::to_string(child.status) + ": " + child.errors);
          }
      }
  // Whole calls of kernels: the results are right, whatever the disk says, and it is said once.
  for (const char* fault :
       {"ENOSPC:write:1+", "EROFS:open:1+", "EMFILE:open:1+", "EROFS:mkdir:1+", "short:write:1+", "EIO:read:1+"}) {
    test::TemporaryFolder folder;
    Child child = start({"kernel"}, {{"TESSERA_CACHE_DIR", folder / "new"},
                                     {"LD_PRELOAD", TESSERA_TORTURE_FAULTS},
                                     {"TESSERA_FAULT_DIR", folder.path()},
                                     {"TESSERA_FAULT", fault}});
    finish(child, 120000);
    ++runs;
    const bool harmless = std::strncmp(fault, "short", 5) == 0 || std::strncmp(fault, "EIO", 3) == 0;
    check(well(child) && (harmless ? lines(child.errors) <= 1 : lines(child.errors) == 1),
          std::string("kernels under ") + fault + ": " + child.errors);
  }
  std::printf("faults: %d runs, %d of them with a warning, none with two, no wrong result, %.1f s\n", runs, warned,
              seconds_since(start_time));
}

void many(std::uint64_t entries) {
  test::TemporaryFolder folder;
  jit::StoreOptions options = in(folder.path());
  options.most_bytes = std::uint64_t{8} << 30;
  jit::ObjectStore store(options);
  const std::string image(1000, 'x');
  const auto put = [&](std::uint64_t from, std::uint64_t to) {
    const auto start_time = Clock::now();
    for (std::uint64_t i = from; i < to; ++i)
      if (!store.put(key_of(i), {}, image)) return -1.0;
    return seconds_since(start_time) / static_cast<double>(to - from) * 1e6;
  };
  const double first = put(0, 1000);
  (void)put(1000, entries - 1000);
  const double last = put(entries - 1000, entries);
  const auto start_time = Clock::now();
  int found = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) found += store.get(key_of(i * entries / 1000)).has_value();
  const double get = seconds_since(start_time) * 1e3;
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) files += entry.is_regular_file();
  check(found == 1000 && files <= 257, "all are there, in few files");
  check(first > 0 && last > 0 && last < 5000, "put stays fast: " + std::to_string(last) + " us");
  std::printf("many: %llu entries in %zu files; a put takes %.0f us at first and %.0f us at last, a get %.0f us\n",
              static_cast<unsigned long long>(entries), files, first, last, get);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "crowd") return crowd_worker();
  if (mode == "put") return put_worker(std::strtoull(argv[2], nullptr, 10));
  if (mode == "record") return record_worker(std::strtoull(argv[2], nullptr, 10));
  if (mode == "few") return few_worker();
  if (mode == "few-records") return few_records_worker();
  if (mode == "kernel") return kernel_worker();
  if (!mode.empty() && mode != "--long") {
    std::fprintf(stderr, "torture [--long]: tortures the caches, in less than a minute or in some\n");
    return 2;
  }
  const bool all = mode == "--long";
  crowd();
  kills(all ? 1000 : 200);
  damage(all ? 100000 : 10000);
  faults(all);
  many(all ? 100000 : 5000);
  std::printf("%d passed, %d failed, 0 skipped\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
