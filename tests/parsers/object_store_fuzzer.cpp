// A libFuzzer target: any bytes are read as the fields of a key and as a pack of objects; what was changed is no
// object.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jit/cache/pack.hpp"
#include "tests/parsers/mutate.hpp"

using namespace tessera;

namespace {

void scan(std::string_view bytes, std::string_view signing_key) {
  const jit::PackBytes pack(bytes);
  jit::PackScan records(pack);
  jit::Record record;
  std::uint64_t last = 0;
  while (records.next(record)) {
    fuzz::hold(record.offset >= last && record.end() <= bytes.size() + jit::Record::alignment);
    last = record.end();
    std::string why;
    (void)jit::load_entry(pack, record);
    const auto object = jit::load_record(pack, record, signing_key, why);
    fuzz::hold(object.has_value() == why.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto fields = jit::decode(text)) fuzz::hold(jit::encode(*fields) == text);
  scan(text, "");
  scan(text, "a key that signs, of 32 bytes ...");

  // A sound record into which the input is folded from some place on: it is found as it was, or not at all.
  static const std::string image(300, 'i');
  static const std::string sound = [] {
    jit::ObjectKey key;
    key.add("program", "0123456789abcdef");
    key.add("tunable 0", "64");
    return jit::make_record(key, {{"kernel", "gemm"}, {"entry", "main"}}, image, 1'700'000'000, "");
  }();
  if (size < 2) return 0;
  std::string changed = sound;
  const std::size_t from = (data[0] | static_cast<std::size_t>(data[1]) << 8) % changed.size();
  for (std::size_t i = 2; i < size && from + i - 2 < changed.size(); ++i)
    changed[from + i - 2] = static_cast<char>(changed[from + i - 2] ^ data[i]);
  const jit::PackBytes pack(changed);
  jit::PackScan records(pack);
  jit::Record record;
  while (records.next(record)) {
    std::string why;
    if (const auto object = jit::load_record(pack, record, "", why))
      fuzz::hold(object->image == image && object->key.value("tunable 0") == "64");
  }
  return 0;
}
