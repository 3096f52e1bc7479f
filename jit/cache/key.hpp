// Owns ObjectKey: what identifies compiled code, every part under a name of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// One part of a key, or one thing that is noted beside an object.
struct Field {
  std::string
      name;  ///< "program", "tunable 0", "extent 2", "features" …: the same for kernels that differ in names only
  std::string value;       ///< any bytes; texts and numbers in decimal, where a person may read them
  std::string label = {};  ///< for messages only, never stored: the kernel's own word, such as "BM" for "tunable 0"
};

/// Fields as bytes and back: count, then each name and value after their lengths (32 bits, little-endian).
std::string encode(const std::vector<Field>& fields);
std::optional<std::vector<Field>> decode(std::string_view bytes);

/// The one field that two equal keys may differ in: which build of which compiler made the code. Where no compiler is
/// installed its value is empty, and any entry will do.
inline constexpr std::string_view compiler_field = "compiler";

/// What identifies compiled code. Stores keep and compare all of its bytes; the digest only finds them.
class ObjectKey {
 public:
  /// Adds a field; names are unique, and their order is part of the key.
  void add(std::string_view name, std::string_view value, std::string_view label = {});
  const std::vector<Field>& fields() const { return fields_; }
  /// The value of a field, or empty.
  std::string_view value(std::string_view name) const;

  /// All fields but the compiler's, as bytes.
  const std::string& bytes() const { return bytes_; }
  /// 64 bits of `bytes`.
  std::uint64_t digest() const;
  std::string_view compiler() const { return value(compiler_field); }
  /// Whether code under `stored` serves a search for this.
  bool accepts(const ObjectKey& stored) const;

 private:
  std::vector<Field> fields_;
  std::string bytes_;
};

/// A field in which a stored key differs from the wanted one; a value is absent where only the other has the field.
struct FieldDifference {
  std::string name, label;
  std::optional<std::string> wanted, stored;

  /// "tunable 0 (BM) is 64, not 32"; values that nobody can read are not shown.
  std::string text() const;
};
std::vector<FieldDifference> differences(const ObjectKey& wanted, const ObjectKey& stored);

}  // namespace jit
TESSERA_END
