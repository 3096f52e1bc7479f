// Owns the words of Tile IR's text form: what the parser reads, with the place of each for messages.
#pragma once

#include <cstdint>
#include <string_view>

#include "tessera/ir/chars.hpp"

TESSERA_BEGIN
namespace ir::detail {

enum class TokenKind : std::uint8_t { end, newline, word, number, string, symbol, bad };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;    ///< as written; of a string, between the quotes; of `bad`, what is wrong with it
  std::uint64_t value = 0;  ///< of a number
  int line = 1, column = 1;
};

/// Splits a text into tokens. Comments run from # to the end of a line; blank lines are skipped.
class Lexer {
 public:
  constexpr explicit Lexer(std::string_view text) : text_(text) { next(); }

  constexpr const Token& token() const { return token_; }

  constexpr void next() {
    const bool fresh = token_.kind == TokenKind::newline || at_ == 0;
    skip(fresh);
    token_ = Token{TokenKind::end, text_.substr(at_, 0), 0, line_, static_cast<int>(at_ - line_start_) + 1};
    if (at_ >= text_.size()) return;
    const char c = text_[at_];
    if (c == '\n') {
      take(1, TokenKind::newline);
      start_line();
    } else if (letter(c)) {
      std::size_t size = 1;
      while (at_ + size < text_.size() && (letter(text_[at_ + size]) || digit(text_[at_ + size]))) ++size;
      take(size, TokenKind::word);
    } else if (digit(c)) {
      number();
    } else if (c == '"') {
      string();
    } else {
      take(1, TokenKind::symbol);
    }
  }

 private:
  static constexpr bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  static constexpr bool digit(char c) { return c >= '0' && c <= '9'; }
  static constexpr int hex_digit(char c) {
    return digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  }

  constexpr void skip(bool newlines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '\n' && newlines) {
        ++at_;
        start_line();
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }
  constexpr void start_line() {
    ++line_;
    line_start_ = at_;
  }
  constexpr void take(std::size_t size, TokenKind kind) {
    token_.kind = kind;
    token_.text = text_.substr(at_, size);
    at_ += size;
  }
  constexpr void number() {
    const bool hex = text_[at_] == '0' && at_ + 1 < text_.size() && text_[at_ + 1] == 'x';
    std::size_t size = hex ? 2 : 0;
    const std::uint64_t base = hex ? 16 : 10;
    bool fits = true;
    for (; at_ + size < text_.size(); ++size) {
      const int d = hex_digit(text_[at_ + size]);
      if (d < 0 || static_cast<std::uint64_t>(d) >= base) break;
      const auto digit = static_cast<std::uint64_t>(d);
      fits = fits && token_.value <= (~std::uint64_t{0} - digit) / base;
      token_.value = token_.value * base + digit;
    }
    const bool whole = !(hex && size == 2) && !(at_ + size < text_.size() && letter(text_[at_ + size]));
    take(size, fits && whole ? TokenKind::number : TokenKind::bad);
    if (!fits)
      token_.text = "the number exceeds 64 bits";
    else if (!whole)
      token_.text = "a number ends in the middle";
  }
  constexpr void string() {
    std::size_t size = 1;
    while (at_ + size < text_.size() && text_[at_ + size] != '"' && text_[at_ + size] != '\n')
      size += text_[at_ + size] == '\\' && at_ + size + 1 < text_.size() && text_[at_ + size + 1] != '\n' ? 2 : 1;
    const bool closed = at_ + size < text_.size() && text_[at_ + size] == '"';
    const std::string_view inside = text_.substr(at_ + 1, size - 1);
    take(closed ? size + 1 : size, closed ? TokenKind::string : TokenKind::bad);
    token_.text = closed ? inside : "the text is not closed";
  }

 public:
  /// What a string token stands for; false where it has an unknown escape.
  static constexpr bool unescape(std::string_view s, Chars& out) {
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (s[i] != '\\') {
        out += s[i];
        continue;
      }
      if (++i >= s.size()) return false;
      if (s[i] == '"' || s[i] == '\\')
        out += s[i];
      else if (s[i] == 'n')
        out += '\n';
      else if (s[i] == 'x' && i + 2 < s.size() && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
        out += static_cast<char>(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
        i += 2;
      } else {
        return false;
      }
    }
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
  Token token_;
};

}  // namespace ir::detail
TESSERA_END
