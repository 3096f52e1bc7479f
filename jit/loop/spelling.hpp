// Owns what the printer and the parser of Loop IR share: the words of the text form and the shape of each instruction's
// line.
#pragma once

#include <string>
#include <string_view>

#include "jit/loop/layout.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace loop::detail {

/// How the line of an instruction looks after its name, flags and result types.
enum class Form : std::uint8_t {
  plain,     // %a, %b
  constant,  // a number
  word,      // a frame word
  memory,    // buffer[%offset, …], %rest
  buffer,    // buffer, %rest
  text,      // "text", %rest
  call,      // function(%arguments)
  channel,   // channel[%slot]
  loop,      // %iv = %lo to %hi step %step (%param = %init) {…}
  repeat,    // (%param = %init) {…} do (%param) {…}
  branch,    // %condition {…} else {…}
  roles,     // role 4 {…} role 4 {…}
  map,       // (%param = %tile) {…}
  mma,       // "shape" a, b, %c
  copy,      // destination[%offset] from source[%offset, %stride], %extents box [8, 64] on channel[%slot]
  transfer,  // channel, buffer[%offset], %count
  scope,     // program 0
  place,     // lane
};

constexpr Form form(Op op) {
  switch (op) {
    case Op::constant:
      return Form::constant;
    case Op::word:
      return Form::word;
    case Op::load:
    case Op::store:
    case Op::gather:
    case Op::scatter:
    case Op::atomic:
    case Op::compare_exchange:
    case Op::prefetch:
    case Op::fill:
    case Op::tile_load:
    case Op::tile_store:
      return Form::memory;
    case Op::alloc:
      return Form::buffer;
    case Op::print:
    case Op::fail:
      return Form::text;
    case Op::call:
      return Form::call;
    case Op::acquire:
    case Op::commit:
    case Op::wait:
    case Op::release:
      return Form::channel;
    case Op::for_loop:
      return Form::loop;
    case Op::while_loop:
      return Form::repeat;
    case Op::if_else:
      return Form::branch;
    case Op::roles:
      return Form::roles;
    case Op::map_tile:
      return Form::map;
    case Op::mma:
      return Form::mma;
    case Op::copy_async:
      return Form::copy;
    case Op::send:
    case Op::recv:
      return Form::transfer;
    case Op::fence:
    case Op::barrier:
      return Form::scope;
    case Op::place_id:
      return Form::place;
    default:
      return Form::plain;
  }
}

/// How many operands of a `memory` line stand in the brackets; −1: 1 + the tile's rank. The rest follow after a comma.
constexpr int bracketed(Op op) { return op == Op::tile_load || op == Op::tile_store ? -1 : 1; }

struct FlagName {
  std::uint32_t flag;
  std::string_view name;
};
inline constexpr FlagName flag_names[] = {{flag_masked, "masked"},     {flag_nontemporal, "nontemporal"},
                                          {flag_unroll, "unroll"},     {flag_contract, "contract"},
                                          {flag_volatile, "volatile"}, {flag_branch, "branch"}};
inline constexpr std::string_view space_names[] = {"global", "scratch", "shared", "registers", "local"};
inline constexpr std::string_view kind_names[] = {"entry", "helper", "host"};
inline constexpr std::string_view scope_names[] = {"thread", "program", "device", "warp", "role"};
inline constexpr std::string_view atomic_names[] = {"min", "max", "exchange", "compare_exchange",
                                                    "and", "or",  "xor",      "add"};
inline constexpr std::string_view rounding_names[] = {"standard", "nearest_even", "toward_zero", "stochastic"};
inline constexpr std::string_view saturation_names[] = {"standard", "saturate", "overflow"};

template <std::size_t N>
constexpr int find_name(const std::string_view (&names)[N], std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<int>(i);
  return -1;
}

constexpr bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_word(char c) { return is_word_start(c) || (c >= '0' && c <= '9') || c == '.'; }

/// Whether a name can stand without quotes.
constexpr bool is_plain_name(std::string_view name) {
  if (name.empty() || !is_word_start(name[0])) return false;
  for (char c : name)
    if (!is_word(c)) return false;
  DType t{};
  return !parse_dtype(name, t);
}

}  // namespace loop::detail
TESSERA_END
