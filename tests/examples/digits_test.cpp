// Owns the tests of the digits example: its data, and that its kernels read what plain float64 loops read.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tessera/call/statistics.hpp>

#include "examples/digits/read.hpp"

namespace {

using namespace digits;

const Images& all_images() {
  static const Images images = load(TESSERA_SOURCE_DIR "/examples/digits/data/digits.csv.gz");
  return images;
}

// The interpreter, where nothing compiles, is too slow for all of it.
bool compiles() {
  static const bool answer = [] {
    std::vector<float> image(pixels), norm(1);
    square_norms(view(image, {1, pixels}), norm);
    return !tessera::compilations().empty();
  }();
  return answer;
}

std::string temporary(const char* name, const std::string& content) {
  const auto path = std::filesystem::temp_directory_path() / name;
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

std::string why(const std::string& file) {
  try {
    load(file);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("digits: the data are whole") {
  const Images& images = all_images();
  REQUIRE(images.count() == 1797);
  REQUIRE(images.ink.size() == 1797 * pixels);
  std::array<int, 10> count{};
  for (const auto label : images.label) ++count[static_cast<std::size_t>(label)];
  CHECK(count == std::array{178, 182, 177, 183, 181, 182, 181, 179, 174, 180});  // as the data set's description has it
  for (const float ink : images.ink)
    REQUIRE((ink >= 0 && ink <= darkest && ink == static_cast<float>(static_cast<int>(ink))));
}

TEST_CASE("digits: damaged files are refused with a reason") {
  CHECK(why("/absent/digits.csv.gz").find("cannot be opened") != std::string::npos);

  std::ifstream in(TESSERA_SOURCE_DIR "/examples/digits/data/digits.csv.gz", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::string cut = temporary("tessera_digits_cut.csv.gz", bytes.substr(0, bytes.size() / 2));
  CHECK(!why(cut).empty());

  std::string row;
  for (int i = 0; i < pixels; ++i) row += "16,";
  for (const std::string& wrong : {row, row + "10", row + "3,", "17," + row.substr(3) + "3", row.substr(3) + "3"}) {
    const std::string file =
        temporary("tessera_digits_wrong.csv", row + "3\n" + wrong + "\n");  // zlib reads plain text too
    CHECK(why(file).find("line 2 is not") != std::string::npos);
  }
  std::filesystem::remove(cut);
  std::filesystem::remove(std::filesystem::temp_directory_path() / "tessera_digits_wrong.csv");
}

TEST_CASE("digits: the kernels read what float64 reads, from the same neighbours") {
  const Images& images = all_images();
  // Whole numbers up to 16 in 64 pixels: every distance is exact in f32, so that nothing may differ.
  for (const std::size_t known : {std::size_t{1000}, std::size_t{1700}}) {
    Split split = digits::split(images, known);
    if (!compiles()) split.unread.ink.resize(10 * pixels), split.unread.label.resize(10);
    Reader reader{split};
    const Reading reading = reader.read(), expected = read_in_float64(split);
    CHECK(reading.digit == expected.digit);
    CHECK(reading.nearest == expected.nearest);
    if (known == 1000 && compiles()) CHECK(reading.right(split.unread) == 766);
  }
}

TEST_CASE("digits: an image that is known is nearest to itself") {
  const Images& images = all_images();
  Split split = digits::split(images, compiles() ? 300 : 20);
  split.unread = split.known;
  Reader reader{split};
  const Reading reading = reader.read();
  for (std::size_t i = 0; i < split.known.count(); ++i) {
    REQUIRE(reading.nearest[i * voters] == static_cast<std::int64_t>(i));
    REQUIRE(reader.d[i * split.known.count() + i] == 0);
  }
}

TEST_CASE("digits: three neighbours need three known images") {
  const Split split = digits::split(all_images(), 2);
  Reader reader{split};
  CHECK_THROWS_AS(reader.read(), tessera::UserError);
}
