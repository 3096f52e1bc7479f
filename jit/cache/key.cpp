// Owns the canonical bytes of keys, and what differs between two of them.
#include "jit/cache/key.hpp"

#include <algorithm>

#include "jit/cache/digest.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

void append(std::string& out, std::uint32_t number) {
  for (int k = 0; k < 4; ++k) out.push_back(static_cast<char>(number >> (8 * k)));
}

bool take(std::string_view& bytes, std::uint32_t& number) {
  if (bytes.size() < 4) return false;
  number = 0;
  for (std::size_t k = 0; k < 4; ++k) number |= std::uint32_t{static_cast<unsigned char>(bytes[k])} << (8 * k);
  bytes.remove_prefix(4);
  return true;
}

bool take(std::string_view& bytes, std::string& text) {
  std::uint32_t size = 0;
  if (!take(bytes, size) || bytes.size() < size) return false;
  text.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

void append(std::string& out, const Field& field) {
  append(out, static_cast<std::uint32_t>(field.name.size()));
  out += field.name;
  append(out, static_cast<std::uint32_t>(field.value.size()));
  out += field.value;
}

bool readable(const std::string& text) {
  return text.size() <= 80 && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; });
}

}  // namespace

std::string encode(const std::vector<Field>& fields) {
  std::string out;
  append(out, static_cast<std::uint32_t>(fields.size()));
  for (const Field& field : fields) append(out, field);
  return out;
}

std::optional<std::vector<Field>> decode(std::string_view bytes) {
  std::uint32_t count = 0;
  if (!take(bytes, count) || count > bytes.size() / 8) return std::nullopt;
  std::vector<Field> fields(count);
  for (Field& field : fields)
    if (!take(bytes, field.name) || !take(bytes, field.value)) return std::nullopt;
  if (!bytes.empty()) return std::nullopt;
  return fields;
}

void ObjectKey::add(std::string_view name, std::string_view value, std::string_view label) {
  fields_.push_back({std::string(name), std::string(value), std::string(label)});
  if (name != compiler_field) append(bytes_, fields_.back());
}

std::string_view ObjectKey::value(std::string_view name) const {
  for (const Field& field : fields_)
    if (field.name == name) return field.value;
  return {};
}

std::uint64_t ObjectKey::digest() const { return short_hash(bytes_); }

bool ObjectKey::accepts(const ObjectKey& stored) const {
  return bytes_ == stored.bytes_ && (compiler().empty() || compiler() == stored.compiler());
}

std::string FieldDifference::text() const {
  std::string out = name + (label.empty() ? "" : " (" + label + ")");
  if (!stored) return out + " is not in the stored key";
  if (!wanted) return out + " is only in the stored key";
  if (!readable(*wanted) || !readable(*stored)) return out + " differs";
  return out + " is " + (wanted->empty() ? "empty" : *wanted) + ", not " + (stored->empty() ? "empty" : *stored);
}

std::vector<FieldDifference> differences(const ObjectKey& wanted, const ObjectKey& stored) {
  std::vector<FieldDifference> list;
  const auto find = [](const ObjectKey& key, const std::string& name) -> const Field* {
    for (const Field& field : key.fields())
      if (field.name == name) return &field;
    return nullptr;
  };
  for (const Field& field : wanted.fields()) {
    const Field* other = find(stored, field.name);
    if (field.name == compiler_field && field.value.empty()) continue;
    if (!other || other->value != field.value)
      list.push_back({field.name, field.label, field.value, other ? std::optional(other->value) : std::nullopt});
  }
  for (const Field& field : stored.fields())
    if (field.name != compiler_field && !find(wanted, field.name))
      list.push_back({field.name, {}, std::nullopt, field.value});
  return list;
}

}  // namespace jit
TESSERA_END
