// Owns Json, a value to be written as JSON: nlohmann's takes five seconds in every file that includes it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// Null, a truth value, a number, a text, a list, or an object whose members keep their order.
class Json {
 public:
  using List = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(std::nullptr_t) {}                                                       // NOLINT(google-explicit-constructor)
  Json(bool value) : value_(value) {}                                           // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                                         // NOLINT(google-explicit-constructor)
  Json(std::integral auto value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}                         // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}                  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}                       // NOLINT(google-explicit-constructor)
  Json(List value) : value_(std::move(value)) {}                                // NOLINT(google-explicit-constructor)
  static Json list() { return Json(List{}); }
  static Json object(Object members = {}) {
    Json json;
    json.value_ = std::move(members);
    return json;
  }

  /// Adds a member, or replaces it; a null becomes an object first.
  Json& set(std::string_view key, Json value);
  /// Adds an element; a null becomes a list first.
  Json& push(Json value);
  bool is_null() const { return value_.index() == 0; }

  /// The text: two spaces an indent, UTF-8; numbers that JSON lacks (infinities) become null, bytes that are no UTF-8
  /// the replacement character.
  std::string text() const;

 private:
  friend struct Converted;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Object> value_;
};

}  // namespace cli
TESSERA_END
