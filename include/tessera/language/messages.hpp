// Owns how a message of the recorder reaches the user: built in constant evaluation, shown in pieces by the compiler.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tessera/language/name.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace detail {

/// A message under construction; what exceeds its capacity is cut off.
class Text {
 public:
  constexpr Text& operator<<(std::string_view text) {
    for (char c : text)
      if (size_ < capacity) data_[size_++] = c;
    return *this;
  }
  constexpr Text& operator<<(std::integral auto value) {
    if (value < 0) *this << "-";
    char digits[20]{};
    int count = 0;
    do {
      const int digit = static_cast<int>(value % 10);
      digits[count++] = static_cast<char>('0' + (digit < 0 ? -digit : digit));
      value /= 10;
    } while (value != 0);
    while (count > 0) *this << std::string_view(&digits[--count], 1);
    return *this;
  }
  constexpr std::string_view view() const { return {data_, size_}; }
  constexpr void clear() { size_ = 0; }

 private:
  static constexpr std::size_t capacity = 512;
  char data_[capacity]{};
  std::size_t size_ = 0;
};

/// clang shortens texts of more than 32 characters in its notes.
inline constexpr std::size_t piece_size = 32;

/// The end of the piece of `message` that starts at `from`: after a blank where there is one.
constexpr std::size_t piece_end(std::string_view message, std::size_t from) {
  const std::size_t limit = from + piece_size;
  if (limit >= message.size()) return message.size();
  for (std::size_t end = limit; end > from + 1; --end)
    if (message[end - 1] == ' ') return end;
  return limit;
}

/// The start of the piece of number `index`; the size where there are fewer pieces.
constexpr std::size_t piece_start(std::string_view message, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < message.size(); --index) at = piece_end(message, at);
  return at;
}

constexpr std::size_t piece_count(std::string_view message) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < message.size(); ++count) at = piece_end(message, at);
  return count;
}

template <name... Why>
inline constexpr bool nothing_wrong = false;

}  // namespace detail

/// Not a type to use: the compiler shows a wrong kernel's message as this template's arguments, in pieces.
template <name... Why>
struct error {
  static_assert(detail::nothing_wrong<Why...>,
                "tessera: this kernel is wrong: read the text in error<...> beside this line");
};

namespace detail {

/// Shows `Source::message()`, a constant expression, as a compile error.
template <class Source>
struct Report {
  template <std::size_t From, std::size_t To>
  static constexpr name<To - From + 1> piece() {
    char text[To - From + 1]{};
    constexpr std::string_view message = Source::message();
    for (std::size_t i = From; i < To; ++i) text[i - From] = message[i];
    return name<To - From + 1>(text);
  }
  template <std::size_t... I>
  static void show(std::index_sequence<I...>) {
    (void)sizeof(error<piece<piece_start(Source::message(), I), piece_start(Source::message(), I + 1)>()...>);
  }
  static void report() { show(std::make_index_sequence<piece_count(Source::message())>{}); }
};

}  // namespace detail
TESSERA_END
