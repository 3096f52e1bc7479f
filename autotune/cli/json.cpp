// Owns the writing of Json, which nlohmann's library does.
#include "autotune/cli/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>

TESSERA_BEGIN
namespace cli {

struct Converted {
  static nlohmann::ordered_json of(const Json& json) {
    return std::visit(
        [](const auto& value) -> nlohmann::ordered_json {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            return nullptr;
          } else if constexpr (std::is_same_v<T, Json::List>) {
            auto list = nlohmann::ordered_json::array();
            for (const Json& element : value) list.push_back(of(element));
            return list;
          } else if constexpr (std::is_same_v<T, Json::Object>) {
            auto object = nlohmann::ordered_json::object();
            for (const auto& [key, member] : value) object[key] = of(member);
            return object;
          } else {
            return value;
          }
        },
        json.value_);
  }
};

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  auto& members = std::get<Object>(value_);
  const auto found = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == key; });
  if (found != members.end())
    found->second = std::move(value);
  else
    members.emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = List{};
  std::get<List>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::text() const {
  return Converted::of(*this).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cli
TESSERA_END
