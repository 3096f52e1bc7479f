// Owns the lists of embedded data, and the functions that programs made by tessera_embed_kernels call at their start.
#include "jit/cache/embedded.hpp"

#include <cstddef>
#include <mutex>

#include "tessera/export.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

struct List {
  std::mutex mutex;
  std::vector<Embedded> all;

  void add(std::string_view name, std::string_view data) {
    const std::lock_guard lock(mutex);
    all.push_back({std::string(name), data});
  }
  std::vector<Embedded> get() {
    const std::lock_guard lock(mutex);
    return all;
  }
};

// Never destroyed, and made at first use: programs add to them before main.
List& packs() {
  static auto* list = new List;
  return *list;
}
List& tables() {
  static auto* list = new List;
  return *list;
}

}  // namespace

void add_embedded_pack(std::string_view name, std::string_view data) { packs().add(name, data); }
std::vector<Embedded> embedded_packs() { return packs().get(); }
void add_embedded_table(std::string_view name, std::string_view data) { tables().add(name, data); }
std::vector<Embedded> embedded_tables() { return tables().get(); }

}  // namespace jit
TESSERA_END

extern "C" {
TESSERA_API void tessera_embed_pack(const char* name, const char* data, std::size_t size);
TESSERA_API void tessera_embed_table(const char* name, const char* data, std::size_t size);
void tessera_embed_pack(const char* name, const char* data, std::size_t size) {
  tessera::jit::add_embedded_pack(name, {data, size});
}
void tessera_embed_table(const char* name, const char* data, std::size_t size) {
  tessera::jit::add_embedded_table(name, {data, size});
}
}
