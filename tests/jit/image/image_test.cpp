// Tests images: objects linked into shared libraries, loaded by us and by the system, damaged ones refused.
#include "jit/image/image.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <random>

#include "tessera/call/errors.hpp"
#include "tests/support/folder.hpp"

using namespace tessera;

namespace {

const std::vector<std::string> names = {"object_next", "object_call", "object_text",
                                        "object_copy", "object_cos",  "object_choose"};

std::string object() { return test::read_all(TESSERA_TEST_OBJECT); }

// Uses every function of the object, whoever loaded it.
template <class Find>
void use(Find find) {
  const auto next = reinterpret_cast<int (*)()>(find("object_next"));
  const auto call = reinterpret_cast<int (*)(int, int, int)>(find("object_call"));
  const auto text = reinterpret_cast<const char* (*)()>(find("object_text"));
  const auto copy = reinterpret_cast<void (*)(char*, const char*, unsigned long)>(find("object_copy"));
  const auto cosine = reinterpret_cast<double (*)(double)>(find("object_cos"));
  const auto choose = reinterpret_cast<int (*)(int)>(find("object_choose"));
  REQUIRE(static_cast<bool>(next));
  CHECK(next() == 41);
  CHECK(next() == 42);
  CHECK(call(0, 3, 4) == 7);
  CHECK(call(1, 3, 4) == 12);
  CHECK(std::string(text()) == "constant text");
  char to[6] = {};
  copy(to, "hello", 5);
  CHECK(std::string(to) == "hello");
  CHECK(cosine(0.5) == std::cos(0.5) * 2.5);
  CHECK(choose(6) == 26);
  CHECK(choose(7) == -1);
}

}  // namespace

TEST_CASE("an object becomes an image that we load: calls, imports, addresses, data, zeros") {
  const std::string image = jit::link_image(object(), names);
  const auto first = jit::load_image(image), second = jit::load_image(image);
  use([&](const char* name) { return first->symbol(name); });
  use([&](const char* name) { return second->symbol(name); });  // with data of its own
  CHECK(first->symbol("object_next") != second->symbol("object_next"));
  CHECK(first->symbol("add") == nullptr);
}

TEST_CASE("the image is a shared library that the system loads too") {
  const std::string image = jit::link_image(object(), names);
  const int fd = memfd_create("tessera-test", MFD_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, image.data(), image.size()) == static_cast<ssize_t>(image.size()));
  void* library = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(fd);
  REQUIRE_MESSAGE(library != nullptr, dlerror());
  use([&](const char* name) { return dlsym(library, name); });
  dlclose(library);
}

TEST_CASE("objects that cannot be linked are refused in a sentence") {
  CHECK_THROWS_WITH_AS(
      jit::link_image("not an object at all, but long enough to have a head like one of those files", {"x"}),
      "an object cannot be made into an image: it is no relocatable object of x86-64", InternalError);
  CHECK_THROWS_WITH_AS(jit::link_image("", {"x"}), "an object cannot be made into an image: it ends too early",
                       InternalError);
  CHECK_THROWS_WITH_AS(jit::link_image(object(), {"object_missing"}),
                       "an object cannot be made into an image: it does not define object_missing", InternalError);
  const std::string whole = object();
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    try {
      (void)jit::link_image(std::string_view(whole).substr(0, random() % whole.size()), names);
    } catch (const InternalError&) {
      ++refused;
    }
  }
  CHECK(refused == 200);  // the table of sections is at the end
}

TEST_CASE("images that are cut short or are something else are refused, never run") {
  const std::string image = jit::link_image(object(), names);
  for (std::size_t n = 0; n < image.size(); n += 97)
    CHECK_THROWS_AS(jit::load_image(std::string_view(image).substr(0, n)), DeviceError);
  CHECK_THROWS_WITH_AS(jit::load_image(std::string(5000, 'x')),
                       "compiled code cannot be loaded: the image is no shared library of x86-64", DeviceError);
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {  // heads and tables with wrong numbers: an error, or an image that has other names
    std::string bad = image;
    bad[random() % 2000 % bad.size()] = static_cast<char>(random());
    try {
      (void)jit::load_image(bad);
    } catch (const Error&) {
    }
  }
}
