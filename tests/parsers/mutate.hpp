// Owns the mutation of texts for fuzzers: by whole words, numbers and lines, so that many mutants get past the parser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace fuzz {

inline bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '%' || c == '.';
}

/// The part of `text` around `at` that is one word, or one character.
inline std::pair<std::size_t, std::size_t> word_at(std::string_view text, std::size_t at) {
  if (!is_word(text[at])) return {at, 1};
  std::size_t first = at, last = at;
  while (first > 0 && is_word(text[first - 1])) --first;
  while (last + 1 < text.size() && is_word(text[last + 1])) ++last;
  return {first, last - first + 1};
}
/// The line around `at`, with its end.
inline std::pair<std::size_t, std::size_t> line_at(std::string_view text, std::size_t at) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const std::size_t first = before == std::string_view::npos ? 0 : before + 1, last = text.find('\n', first);
  return {first, (last == std::string_view::npos ? text.size() : last + 1) - first};
}

/// One change of a text; half of them are libFuzzer's own (bytes, its dictionary, what comparisons wanted).
inline std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  if (size == 0 || random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  static constexpr std::string_view numbers[] = {"0",
                                                 "1",
                                                 "2",
                                                 "7",
                                                 "8",
                                                 "32",
                                                 "64",
                                                 "255",
                                                 "256",
                                                 "65535",
                                                 "65536",
                                                 "2147483647",
                                                 "4294967295",
                                                 "9223372036854775807",
                                                 "18446744073709551615",
                                                 "0x7fffffff",
                                                 "-1"};
  std::string text(reinterpret_cast<const char*>(data), size);
  for (std::size_t changes = 1 + random() % 3; changes > 0 && !text.empty(); --changes) {
    const std::size_t at = random() % text.size(), other = random() % text.size();
    const auto [word, letters] = word_at(text, at);
    const auto [line, length] = line_at(text, at);
    switch (random() % 6) {
      case 0: {  // another word of the text
        const auto [from, count] = word_at(text, other);
        text.replace(word, letters, text.substr(from, count));
        break;
      }
      case 1: {  // another number
        std::size_t digit = text.find_first_of("0123456789", at), end = digit;
        if (digit == std::string::npos) break;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
        text.replace(
            digit, end - digit,
            random() % 2 ? std::string(numbers[random() % std::size(numbers)]) : std::to_string(random() % 20));
        break;
      }
      case 2:
        text.erase(word, letters);
        break;
      case 3:
        text.erase(line, length);
        break;
      case 4: {  // a line once more, elsewhere
        const std::string copy = text.substr(line, length);
        text.insert(line_at(text, other).first, copy);
        break;
      }
      default: {  // two lines change places
        const auto [to, size_to] = line_at(text, other);
        if (to == line) break;
        const std::string a = text.substr(line, length), b = text.substr(to, size_to);
        const auto [first, second] = line < to ? std::pair{line, to} : std::pair{to, line};
        text.replace(second, line < to ? size_to : length, line < to ? a : b);
        text.replace(first, line < to ? length : size_to, line < to ? b : a);
      }
    }
  }
  if (text.size() > max_size) text.resize(max_size);
  text.copy(reinterpret_cast<char*>(data), text.size());
  return text.size();
}

/// Ends the run, which keeps the text, where a promise does not hold.
inline void hold(bool promise) {
  if (!promise) __builtin_trap();
}

}  // namespace fuzz

extern "C" inline std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                                      unsigned seed) {
  return fuzz::mutate(data, size, max_size, seed);
}
