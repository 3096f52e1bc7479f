// Tests dumps: files, the page, and folders that cannot be written.
#include "jit/runtime/dump.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace tessera;

namespace {
std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}
}  // namespace

TEST_CASE("a dump has a file a stage and one page that needs nothing else") {
  const auto folder = std::filesystem::temp_directory_path() / ("tessera_dump_" + std::to_string(::getpid()));
  const jit::Stage stages[] = {{"tile", "a < b && c"}, {"loop", "for i"}, {"assembly", "vfmadd"}};
  const std::string first = jit::write_dump(folder.string(), "my kernel/1", "cpu native", stages);
  const std::string second = jit::write_dump(folder.string(), "my kernel/1", "cpu native", stages);
  REQUIRE(!first.empty());
  CHECK(first != second);
  CHECK(read(first + "/0-tile.txt") == "a < b && c");
  CHECK(read(first + "/2-assembly.txt") == "vfmadd");
  const std::string page = read(first + "/index.html");
  CHECK(page.find("a &lt; b &amp;&amp; c") != std::string::npos);
  CHECK(page.find("cpu native") != std::string::npos);
  CHECK(page.find("http") == std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a dump that cannot be written makes nothing fail") {
  const jit::Stage stages[] = {{"tile", "x"}};
  CHECK(jit::write_dump("/proc/no/such/folder", "kernel", "", stages).empty());
}
