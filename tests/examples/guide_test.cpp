// Tests docs/examples.md: every example has a section there, with its code letter by letter, and has fewer than 80
// lines.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string text_of(const std::string& path) {
  std::ifstream in(std::string(TESSERA_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("every example of one file has a section of the guide, and fewer than 80 lines") {
  const std::string guide = text_of("docs/examples.md"), readme = text_of("README.md");
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TESSERA_SOURCE_DIR "/examples")) {
    const std::string name = entry.path().stem().string();
    if (name == "digits" || name == "support" || name == "CMakeLists") continue;
    const std::string file =
        entry.is_directory() ? "examples/" + name + "/" + name + ".cpp" : "examples/" + name + ".cpp";
    const std::string code = text_of(file);
    INFO(file);
    CHECK(std::count(code.begin(), code.end(), '\n') < 80);
    CHECK(readme.find("(" + file + ")") != std::string::npos);

    const std::size_t section = guide.find("[" + file + "](../" + file + ") · `./dev demo " + name + "`");
    REQUIRE(section != std::string::npos);
    std::size_t at = guide.find("\n```cpp\n", section);
    REQUIRE(at != std::string::npos);
    at += 8;
    // A block is made of pieces of the file, in order; a piece is a kernel, a function or a struct.
    const std::string block = guide.substr(at, guide.find("\n```", at) - at);
    std::size_t piece = 0;
    while (piece < block.size()) {
      std::size_t end = block.find("\n}", piece);
      REQUIRE(end != std::string::npos);
      end = std::min(block.find('\n', end + 1), block.size());
      INFO(block.substr(piece, end - piece));
      CHECK(code.find(block.substr(piece, end - piece)) != std::string::npos);
      piece = end + 1;
    }
    ++examples;
  }
  CHECK(examples >= 20);
}
