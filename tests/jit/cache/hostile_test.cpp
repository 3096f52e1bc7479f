// Tests folders that others have prepared: refused, said once, and the call goes on in memory.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "jit/cache/object_store.hpp"
#include "jit/cache/pack.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/skip.hpp"

using namespace tessera;
namespace fs = std::filesystem;

namespace {

constexpr uid_t other_user = 54321;

jit::ObjectKey the_key() {
  jit::ObjectKey key;
  key.add("program", "p");
  return key;
}

std::string pack_name() {
  char name[16];
  std::snprintf(name, sizeof name, "%02x.pack", static_cast<unsigned>(the_key().digest() >> 56));
  return name;
}

// What was written to standard error meanwhile.
std::string said(const std::function<void()>& f) {
  std::fflush(stderr);
  char name[] = "/tmp/tessera-said-XXXXXX";
  const int fd = mkstemp(name), saved = dup(2);
  dup2(fd, 2);
  f();
  std::fflush(stderr);
  dup2(saved, 2);
  close(saved), close(fd);
  const std::string text = test::read_all(name);
  unlink(name);
  return text;
}

struct Hostile {
  const char* name;
  const char* expected;  // in the message
  bool as_root;          // needs to give files to another user
  std::function<void(const std::string& folder)> prepare;
};

// A store at `folder`, which is inside a folder of the test's own.
const std::vector<Hostile>& hostile() {
  const auto make = [](const std::string& path) { fs::create_directories(path); };
  const auto own = [](const std::string& path) { REQUIRE(chown(path.c_str(), other_user, 0) == 0); };
  const auto file = [](const std::string& path) { test::write_all(path, "x"); };
  static const std::vector<Hostile> list = {
      {"the folder belongs to another", "belongs to user 54321", true, [=](auto& f) { make(f), own(f); }},
      {"the folder is writable by all", "can be written by others", false,
       [=](auto& f) { make(f), chmod(f.c_str(), 0777); }},
      {"the folder is writable by the group", "can be written by others", false,
       [=](auto& f) { make(f), chmod(f.c_str(), 0770); }},
      {"the folder is sticky and writable by all", "can be written by others", false,
       [=](auto& f) { make(f), chmod(f.c_str(), 01777); }},
      {"the folder is a link to a folder", "is a link", false,
       [=](auto& f) { make(f + "-real"), fs::create_symlink(f + "-real", f); }},
      {"the folder is a link to nothing", "is a link", false, [=](auto& f) { fs::create_symlink(f + "-nothing", f); }},
      {"the folder is a link to itself", "is a link", false, [=](auto& f) { fs::create_symlink(f, f); }},
      {"the folder is a file", "is no folder", false, [=](auto& f) { file(f); }},
      {"the folder is a FIFO", "is no folder", false, [=](auto& f) { mkfifo(f.c_str(), 0600); }},
      {"a parent is a file", "is no folder", false,
       [=](auto& f) { fs::remove_all(fs::path(f).parent_path()), file(fs::path(f).parent_path()); }},
      {"objects-1 belongs to another", "belongs to user 54321", true,
       [=](auto& f) { make(f + "/objects-1"), own(f + "/objects-1"); }},
      {"objects-1 is writable by all", "can be written by others", false,
       [=](auto& f) { make(f + "/objects-1"), chmod((f + "/objects-1").c_str(), 0777); }},
      {"objects-1 is a link", "is a link", false,
       [=](auto& f) { make(f), make(f + "/else"), fs::create_symlink(f + "/else", f + "/objects-1"); }},
      {"objects-1 is a file", "is no folder", false, [=](auto& f) { make(f), file(f + "/objects-1"); }},
      {"objects-1 is a FIFO", "is no folder", false,
       [=](auto& f) { make(f), mkfifo((f + "/objects-1").c_str(), 0600); }},
      {"a pack belongs to another", "belongs to user 54321", true,
       [=](auto& f) {
         make(f + "/objects-1"), file(f + "/objects-1/" + pack_name()), own(f + "/objects-1/" + pack_name());
       }},
      {"a pack is writable by all", "can be written by others", false,
       [=](auto& f) {
         make(f + "/objects-1"), file(f + "/objects-1/" + pack_name()),
             chmod((f + "/objects-1/" + pack_name()).c_str(), 0666);
       }},
      {"a pack is a link", "is a link", false,
       [=](auto& f) {
         make(f + "/objects-1"), file(f + "/victim"),
             fs::create_symlink(f + "/victim", f + "/objects-1/" + pack_name());
       }},
      {"a pack is a link to nothing", "is a link", false,
       [=](auto& f) { make(f + "/objects-1"), fs::create_symlink(f + "/victim", f + "/objects-1/" + pack_name()); }},
      {"a pack has a second name", "has a second name", false,
       [=](auto& f) {
         make(f + "/objects-1"), file(f + "/victim"),
             fs::create_hard_link(f + "/victim", f + "/objects-1/" + pack_name());
       }},
      {"a pack is a FIFO", "is no regular file", false,
       [=](auto& f) { make(f + "/objects-1"), mkfifo((f + "/objects-1/" + pack_name()).c_str(), 0600); }},
      {"a pack is a folder", "is no regular file", false, [=](auto& f) { make(f + "/objects-1/" + pack_name()); }},
      {"a pack is a socket", "No such device", false,
       [=](auto& f) {
         make(f + "/objects-1");
         const int s = socket(AF_UNIX, SOCK_STREAM, 0);
         sockaddr_un address{};
         address.sun_family = AF_UNIX;
         std::snprintf(address.sun_path, sizeof address.sun_path, "%s", (f + "/objects-1/" + pack_name()).c_str());
         REQUIRE(bind(s, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
         close(s);
       }},
      {"the path is relative", "is not an absolute path", false, [](auto&) {}},
      {"there is no place", "neither TESSERA_CACHE_DIR nor XDG_CACHE_HOME nor HOME", false, [](auto&) {}},
      {"the signing key cannot be read", "TESSERA_CACHE_KEY_FILE", false, [](auto&) {}},
  };
  return list;
}

}  // namespace

TEST_CASE("hostile folders are refused, once said, and nothing is followed or written") {
  CHECK(hostile().size() >= 20);
  for (const Hostile& one : hostile()) {
    if (one.as_root && geteuid() != 0) {
      test::note_absent("giving files to another user needs root", one.name);
      continue;
    }
    CAPTURE(std::string(one.name));
    test::TemporaryFolder root;
    const std::string folder = root / "parent/cache";
    fs::create_directories(root / "parent");
    one.prepare(folder);
    jit::StoreOptions options;
    options.folder = folder;
    if (std::string(one.name) == "the path is relative") options.folder = "some/where";
    if (std::string(one.name) == "there is no place") {
      for (const char* name : {"TESSERA_CACHE", "TESSERA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) unsetenv(name);
      options = jit::store_options_from_environment();
      setenv("TESSERA_CACHE", "off", 1);
    }
    if (std::string(one.name) == "the signing key cannot be read") {
      setenv("TESSERA_CACHE", "on", 1), setenv("TESSERA_CACHE_KEY_FILE", (root / "none").c_str(), 1);
      options = jit::store_options_from_environment();
      setenv("TESSERA_CACHE", "off", 1), unsetenv("TESSERA_CACHE_KEY_FILE");
    }
    const std::string text = said([&] {
      jit::ObjectStore store(options);
      CHECK_FALSE(store.get(the_key()));
      CHECK_FALSE(store.put(the_key(), {}, "image"));
      CHECK_FALSE(store.put(the_key(), {}, "image"));
      CHECK_FALSE(store.get(the_key()));
      (void)store.lock(the_key(), 0.01);
      (void)store.verify();
    });
    CHECK_MESSAGE(text.find(one.expected) != std::string::npos, text);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    std::error_code none;  // a link to itself cannot be looked through
    if (fs::is_regular_file(folder + "/victim", none)) CHECK(test::read_all(folder + "/victim") == "x");
    CHECK_FALSE(fs::exists(folder + "-nothing", none));
  }
}

TEST_CASE("a read-only layer may be the administrator's, not another user's") {
  if (geteuid() != 0) return test::note_skipped("needs root");
  test::TemporaryFolder layer;
  jit::StoreOptions options;
  options.folder = layer.path();
  REQUIRE(jit::ObjectStore(options).put(the_key(), {}, "image"));
  jit::StoreOptions reader;
  reader.folder = layer / "mine";
  reader.layers = {layer.path()};
  CHECK(jit::ObjectStore(reader).get(the_key()));
  REQUIRE(chown((layer.path() + "/objects-1/" + pack_name()).c_str(), other_user, 0) == 0);
  CHECK_FALSE(jit::ObjectStore(reader).get(the_key()));
}

TEST_CASE("a predictable folder that somebody made first in a world-writable one is refused") {
  if (geteuid() != 0) return test::note_skipped("needs root");
  test::TemporaryFolder shared;
  REQUIRE(chmod(shared.path().c_str(), 01777) == 0);
  fs::create_directory(shared / "tessera");
  REQUIRE(chown((shared / "tessera").c_str(), other_user, 0) == 0);
  jit::StoreOptions options;
  options.folder = shared / "tessera";
  CHECK_FALSE(jit::ObjectStore(options).put(the_key(), {}, "image"));
}

TEST_CASE("the folder may be deleted while a store uses it") {
  test::TemporaryFolder root;
  jit::StoreOptions options;
  options.folder = root / "cache";
  jit::ObjectStore store(options);
  REQUIRE(store.put(the_key(), {}, "image"));
  fs::remove_all(root / "cache");
  CHECK_FALSE(store.get(the_key()));
  REQUIRE(store.put(the_key(), {}, "again"));
  CHECK(store.get(the_key())->image == "again");
}

TEST_CASE("sizes and places of the environment") {
  std::uint64_t bytes = 0;
  CHECK((jit::parse_size("512M", bytes) && bytes == 512u << 20));
  CHECK((jit::parse_size("2g", bytes) && bytes == std::uint64_t{2} << 30));
  CHECK((jit::parse_size("100", bytes) && bytes == 100));
  for (const char* wrong : {"", "M", "-1", "1.5G", "12MB", "99999999999999999999", "9999999999G"})
    CHECK_FALSE(jit::parse_size(wrong, bytes));
  const std::string off = getenv("TESSERA_CACHE") ? getenv("TESSERA_CACHE") : "";
  unsetenv("TESSERA_CACHE"), unsetenv("TESSERA_CACHE_DIR");
  setenv("XDG_CACHE_HOME", "/somewhere", 1), setenv("TESSERA_CACHE_LAYERS", "/a::/b", 1);
  CHECK(jit::store_options_from_environment().folder == "/somewhere/tessera");
  CHECK(jit::store_options_from_environment().layers == std::vector<std::string>{"/a", "/b"});
  setenv("XDG_CACHE_HOME", "relative", 1), setenv("HOME", "/home/me", 1), unsetenv("TESSERA_CACHE_LAYERS");
  CHECK(jit::store_options_from_environment().folder == "/home/me/.cache/tessera");
  setenv("TESSERA_CACHE_DIR", "/direct", 1);
  CHECK(jit::store_options_from_environment().folder == "/direct");
  setenv("TESSERA_CACHE", "off", 1);
  CHECK(jit::store_options_from_environment().off);
  unsetenv("TESSERA_CACHE_DIR"), unsetenv("XDG_CACHE_HOME");
  setenv("TESSERA_CACHE", off.c_str(), 1);
}
