// Owns the cutting of Loop IR's text form into tokens with their places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jit/loop/spelling.hpp"

TESSERA_BEGIN
namespace loop::detail {

struct Token {
  enum Kind : std::uint8_t { end, word, number, string, value, punct, bad };
  Kind kind = end;
  std::string text;  ///< of a value without its %, of a string without quotes and escapes
  int line = 1, column = 1;
};

/// Cuts text; comments run from // to the end of the line. A token that is none has kind `bad` and says why in `text`.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next() {
    skip();
    Token t;
    t.line = line_, t.column = column_;
    if (at_ >= text_.size()) return t;
    const char c = text_[at_];
    if (c == '"') return string(t);
    if (c == '%') {
      take();
      t.kind = Token::value;
      while (at_ < text_.size() && is_word(text_[at_])) t.text += take();
      if (t.text.empty()) t.kind = Token::bad, t.text = "a value has no name";
      return t;
    }
    if (is_word_start(c)) {
      t.kind = Token::word;
      while (at_ < text_.size() && is_word(text_[at_])) t.text += take();
      return t;
    }
    const bool sign = c == '-' && at_ + 1 < text_.size() && digit(text_[at_ + 1]);
    if (digit(c) || sign) {
      t.kind = Token::number;
      t.text += take();
      while (at_ < text_.size()) {
        const char d = text_[at_];
        const bool exponent_sign = (d == '-' || d == '+') && (t.text.back() == 'e' || t.text.back() == 'E') &&
                                   t.text.find('x') == std::string::npos;
        if (!is_word(d) && !exponent_sign) break;
        t.text += take();
      }
      return t;
    }
    if (c == '-' && at_ + 1 < text_.size() && text_[at_ + 1] == '>') {
      take(), take();
      t.kind = Token::punct, t.text = "->";
      return t;
    }
    t.kind = std::string_view("()[]{}<>,:=@#").find(c) != std::string_view::npos ? Token::punct : Token::bad;
    t.text = std::string(1, take());
    if (t.kind == Token::bad) t.text = "a character that starts nothing";
    return t;
  }

 private:
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  char take() {
    const char c = text_[at_++];
    if (c == '\n')
      ++line_, column_ = 1;
    else
      ++column_;
    return c;
  }
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        take();
      } else if (c == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') take();
      } else {
        return;
      }
    }
  }
  Token string(Token t) {
    take();
    t.kind = Token::string;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      char c = take();
      if (c == '\\' && at_ < text_.size()) {
        c = take();
        if (c == 'n') c = '\n';
        if (c == 'x') {
          int code = 0;
          for (int i = 0; i < 2; ++i) {
            const char d = at_ < text_.size() ? text_[at_] : ' ';
            const int v = digit(d) ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1;
            if (v < 0) return t.kind = Token::bad, t.text = "\\x wants two hexadecimal digits", t;
            code = code * 16 + v;
            take();
          }
          c = static_cast<char>(code);
        }
      }
      t.text += c;
    }
    if (at_ >= text_.size() || text_[at_] != '"') return t.kind = Token::bad, t.text = "a text has no end", t;
    take();
    return t;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1, column_ = 1;
};

}  // namespace loop::detail
TESSERA_END
