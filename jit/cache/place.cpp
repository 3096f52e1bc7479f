// Owns the reading of the environment for caches.
#include "jit/cache/place.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "jit/cache/digest.hpp"
#include "jit/cache/file.hpp"
#include "jit/runtime/log.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path full = std::filesystem::absolute(path, error);
  return error ? path : full.lexically_normal().string();
}

bool on(const std::string& value) { return !value.empty() && value != "0" && value != "off" && value != "no"; }

}  // namespace

bool parse_size(std::string_view text, std::uint64_t& bytes) {
  std::uint64_t number = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (number > (std::uint64_t{1} << 50)) return false;
    number = number * 10 + static_cast<std::uint64_t>(text[at] - '0');
  }
  if (at == 0 || text.size() > at + 1) return false;
  const char unit = at < text.size() ? static_cast<char>(std::toupper(static_cast<unsigned char>(text[at]))) : 'B';
  const int shift = unit == 'B' ? 0 : unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : -1;
  if (shift < 0 || number > (std::uint64_t{1} << 50) >> shift) return false;
  bytes = number << shift;
  return true;
}

StoreOptions store_options_from_environment() {
  StoreOptions options;
  if (const std::string cache = variable("TESSERA_CACHE"); cache == "off" || cache == "0" || cache == "no") {
    options.off = true;
    options.problem = "TESSERA_CACHE=" + cache;
    return options;
  }
  options.read_only = on(variable("TESSERA_CACHE_READONLY"));
  if (const std::string folder = variable("TESSERA_CACHE_DIR"); !folder.empty()) {
    options.folder = absolute(folder);
  } else if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty() && xdg[0] == '/') {
    options.folder = absolute(xdg + "/tessera");
  } else if (const std::string home = variable("HOME"); !home.empty() && home[0] == '/') {
    options.folder = absolute(home + "/.cache/tessera");
  } else {
    options.problem = "neither TESSERA_CACHE_DIR nor XDG_CACHE_HOME nor HOME names a folder";
  }
  const std::string layers = variable("TESSERA_CACHE_LAYERS");
  for (std::size_t at = 0; at < layers.size();) {
    const std::size_t end = std::min(layers.find(':', at), layers.size());
    if (end > at) options.layers.push_back(absolute(layers.substr(at, end - at)));
    at = end + 1;
  }
  if (const std::string size = variable("TESSERA_CACHE_SIZE"); !size.empty() && !parse_size(size, options.most_bytes))
    say_once("TESSERA_CACHE_SIZE is \"" + size + "\": a number of bytes is expected, such as 512M; 1G is used");
  if (const std::string file = variable("TESSERA_CACHE_KEY_FILE"); !file.empty()) {
    std::string secret, problem;
    if (read_file(file, 1 << 20, secret, problem) && secret.size() < 16) problem = file + " has fewer than 16 bytes";
    if (problem.empty()) {
      options.key = signing_key(secret);
    } else {  // without the key nothing in a shared folder can be believed, and what we wrote nobody would believe
      options.folder.clear();
      options.layers.clear();
      options.problem = "TESSERA_CACHE_KEY_FILE: " + problem;
    }
  }
  return options;
}

}  // namespace jit
TESSERA_END
