// Owns the full check of a call's arguments against a program, at run time: what it refuses, and in which words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tessera/call/argument.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/extents.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/call/overlap.hpp"
#include "tessera/call/uniform.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

// fast_bind.hpp accepts the calls that are plainly right; every other one comes here, where it is either found right
// (an empty array, interleaved views) or described. Both must agree: whatever that accepts, this accepts with the same
// Frame.

TESSERA_BEGIN
namespace call {

/// Binds arguments to a program: fills `frame` (frame_layout(program).words() words), or says what is wrong.
class Binder {
 public:
  Binder(const ir::Program& program, std::span<const RawArg> args, std::uint64_t* frame)
      : program_(program), layout_(frame_layout(program)), args_(args), frame_(frame) {}

  Status run() {
    if (args_.size() != layout_.args)
      return user(
          "takes " + std::to_string(layout_.args) + " arguments, but " + std::to_string(args_.size()) + " were given",
          "", " ");
    for (std::size_t i = 0; i < layout_.args; ++i)
      if (Status status = shape(i); !status) return status;
    if (Status status = extents(); !status) return status;
    for (std::size_t i = 0; i < layout_.args; ++i)
      if (Status status = memory(i); !status) return status;
    for (std::size_t i = 0; i < layout_.args; ++i)
      for (std::size_t j = 0; j < layout_.args; ++j)
        if (i != j)
          if (Status status = aliasing(i, j); !status) return status;
    return expectations();
  }

 private:
  const ir::Arg& arg(std::size_t i) const { return program_.args[i]; }
  std::string arg_name(std::size_t i) const { return std::string(program_.str(arg(i).name)); }

  Status user(const std::string& text, std::string_view hint, std::string_view joint = ": ") const {
    return {ErrorKind::user, std::string(program_.name).append(joint).append(text), hint};
  }
  Status bad(std::size_t i, const std::string& text, std::string_view hint) const {
    return user("argument " + arg_name(i) + text, hint);
  }

  static std::string extent_text(const ir::Program& program, const ir::Extent& extent) {
    std::string text(program.str(extent.base));
    if (extent.divide != 1) text += "/" + std::to_string(extent.divide);
    if (extent.plus != 0) text += (extent.plus > 0 ? "+" : "") + std::to_string(extent.plus);
    return text;
  }
  static std::string list(const std::int64_t* numbers, int count, const char* joint) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i > 0 ? joint : "") + std::to_string(numbers[i]);
    return text;
  }
  static std::string shape_text(const RawArg& raw) {
    return raw.rank == 0
               ? "one element"
               : list(raw.extents, raw.rank, " x ") + (raw.rank == 1 && raw.extents[0] == 1 ? " element" : " elements");
  }
  static std::string_view effect_text(const ir::Arg& arg) {
    return arg.effect == ir::Effect::in ? "In" : arg.effect == ir::Effect::out ? "Out" : "InOut";
  }
  const ir::Extent& extent_of(int arg_extent) const {
    return program_.extents[static_cast<std::size_t>(program_.arg_extents[static_cast<std::size_t>(arg_extent)])];
  }
  std::int64_t given(int arg_extent) const {
    const Place place = place_of(program_, arg_extent);
    return args_[static_cast<std::size_t>(place.arg)].extents[place.axis];
  }
  static bool empty(const RawArg& raw) {
    for (int i = 0; i < raw.rank; ++i)
      if (raw.extents[i] == 0) return true;
    return false;
  }

  /// One argument by itself: type, rank, signs; scalars become words.
  Status shape(std::size_t i) {
    const RawArg& raw = args_[i];
    const ir::Arg& wanted = arg(i);
    const std::string type(dtype_name(wanted.type));
    if (!is_array(wanted)) {
      if (raw.array) return bad(i, " is a scalar of " + type + ", but an array was given", "pass a number");
      if (convert_scalar(raw.type, wanted.type, raw.bits, frame_[layout_.arg_word(i)])) return {};
      std::string hint = type + " holds ";
      if (info(wanted.type).is_integer())
        hint += "the integers " + number_text(wanted.type, lowest_bits(wanted.type)) + " to " +
                number_text(wanted.type, largest_bits(wanted.type));
      else if (info(wanted.type).is_floating())
        hint += (info(wanted.type).has_sign ? "numbers up to ±" : "positive numbers up to ") +
                number_text(wanted.type, largest_bits(wanted.type)) + "; integers only if they need no rounding";
      else
        hint += "false and true";
      return bad(i, ": " + number_text(raw.type, raw.bits) + " is no value of " + type, hint);
    }
    if (!raw.array) return bad(i, " is an array, but a number was given", "pass a view, a container or an mdspan");
    if (raw.type != wanted.type)
      return bad(i, " has elements of " + type + ", but those given are " + std::string(dtype_name(raw.type)),
                 "element types of arrays are never converted");
    if (is_written(wanted) && !raw.writable)
      return bad(i, " is " + std::string(effect_text(wanted)) + ", but what is given is const",
                 "the kernel writes it: pass memory that may be written");
    if (raw.fault != nullptr) return bad(i, ": the view cannot be: " + std::string(raw.fault), "");
    if (raw.rank != wanted.rank)
      return bad(
          i, " has rank " + std::to_string(wanted.rank) + ", but the array given has rank " + std::to_string(raw.rank),
          "view(data, {extents…}) gives one extent an axis");
    for (int axis = 0; axis < raw.rank; ++axis)
      if (raw.extents[axis] < 0)
        return bad(i,
                   ": extent " + extent_text(program_, extent_of(wanted.first_extent + axis)) + " is " +
                       std::to_string(raw.extents[axis]),
                   "extents are 0 or more");
    return {};
  }

  /// Names bound and checked across arguments.
  Status extents() {
    for (std::size_t i = 0; i < program_.extents.size(); ++i)
      if (Status status = bind_extent(static_cast<int>(i)); !status) return status;
    for (std::size_t i = 0; i < layout_.args; ++i) {
      const ir::Arg& wanted = arg(i);
      if (!is_array(wanted)) continue;
      for (int axis = 0; axis < wanted.rank; ++axis) {
        const int entry = wanted.first_extent + axis;
        const auto extent = static_cast<std::size_t>(program_.arg_extents[static_cast<std::size_t>(entry)]);
        const auto value = static_cast<std::int64_t>(frame_[layout_.extent_word(extent)]);
        if (args_[i].extents[axis] != value) return disagrees(entry, value);
      }
    }
    return {};
  }

  Status bind_extent(int extent) {
    const ir::Extent& wanted = program_.extents[static_cast<std::size_t>(extent)];
    const int entry = binding_entry(program_, extent);
    if (entry < 0)
      return user("extent " + extent_text(program_, wanted) + " cannot be found from the arguments",
                  "some array needs an axis " + std::string(program_.str(wanted.base)) + ", or it and a number");
    const ir::Extent& binding = extent_of(entry);
    const std::int64_t base = given(entry) - binding.plus;
    if (base < 0)
      return bad(static_cast<std::size_t>(place_of(program_, entry).arg),
                 ": extent " + extent_text(program_, binding) + " is " + std::to_string(given(entry)) + ", so that " +
                     std::string(program_.str(wanted.base)) + " would be " + std::to_string(base),
                 "extents are 0 or more");
    frame_[layout_.extent_word(static_cast<std::size_t>(extent))] =
        static_cast<std::uint64_t>(extent_value(wanted, base));
    return {};
  }

  Status disagrees(int entry, std::int64_t wanted) const {
    const Place place = place_of(program_, entry);
    const ir::Extent& extent = extent_of(entry);
    const int binder = binding_entry(program_, program_.arg_extents[static_cast<std::size_t>(entry)]);
    const Place source = place_of(program_, binder);
    const std::string name = extent_text(program_, extent), bound = extent_text(program_, extent_of(binder));
    std::string text = ": extent " + name + " is " + std::to_string(given(entry)) + ", but ";
    if (source.arg == place.arg)
      text += "its own axis " + std::to_string(source.axis + 1);
    else
      text += arg_name(static_cast<std::size_t>(source.arg));
    text += " has " + bound + " = " + std::to_string(given(binder));
    if (bound != name) text += ", so " + name + " = " + std::to_string(wanted);
    std::string hint = std::string(program_.str(extent.base)) + " is one number in a call: arrays that name it agree";
    if (extent.divide != 1) hint = name + " is rounded up";
    return bad(static_cast<std::size_t>(place.arg), text, hint);
  }

  /// Where an array lies; `limit` bytes are more than any machine can address.
  static constexpr std::int64_t limit = std::int64_t{1} << 57;

  /// The footprint in `unit` bits (8, or 1 where packed elements are concerned); false where it exceeds what can be.
  static bool footprint(const RawArg& raw, std::int64_t unit, Footprint& result) {
    const std::int64_t width = info(raw.type).bits;
    std::int64_t before = 0, total = 0;  // in bits, of the part below `data` and of the whole
    result.rank = raw.rank;
    for (int i = 0; i < raw.rank; ++i) {
      const auto at = static_cast<std::size_t>(i);
      std::int64_t span = 0;
      result.last[at] = raw.extents[i] - 1;
      if (result.last[at] == 0) {
        result.stride[at] = 0;
        continue;
      }
      if (__builtin_mul_overflow(raw.strides[i], width, &result.stride[at]) ||
          __builtin_mul_overflow(result.stride[at], result.last[at], &span) || span < -8 * limit || span > 8 * limit)
        return false;
      if (span < 0) {
        before -= span;
        span = -span;
        result.stride[at] = -result.stride[at];
      }
      total += span;
      result.stride[at] /= unit;
      if (total > 8 * limit) return false;
    }
    if (raw.data > static_cast<std::uintptr_t>(INT64_MAX / 8)) return false;
    result.first = (static_cast<std::int64_t>(raw.data) * 8 - before) / unit;
    result.width = width / unit;
    return static_cast<std::int64_t>(raw.data) * 8 >= before && total + width <= 8 * limit;
  }

  /// One array's data: there, aligned, inside its container, and every element of what is written in a place of its
  /// own.
  Status memory(std::size_t i) {
    if (!is_array(arg(i))) return {};
    const RawArg& raw = args_[i];
    frame_[layout_.arg_word(i)] = raw.data;
    for (int axis = 0; axis < raw.rank; ++axis)
      frame_[layout_.stride_word(static_cast<std::size_t>(arg(i).first_extent + axis))] =
          static_cast<std::uint64_t>(raw.strides[axis]);
    if (empty(raw)) return {};
    const std::int64_t width = info(raw.type).bits;
    const auto alignment = static_cast<std::uintptr_t>(width >= 8 ? width / 8 : 1);
    if (raw.data == 0) return bad(i, ": null data for " + shape_text(raw), "only an empty array may have none");
    if (raw.data % alignment != 0)
      return bad(i,
                 ": data at " + address_text(raw.data) + " is not aligned to the " + std::to_string(alignment) +
                     " bytes of " + std::string(dtype_name(raw.type)),
                 "elements stand at multiples of their size");
    if (width < 8 && raw.rank > 0 && raw.extents[raw.rank - 1] > 1 && raw.strides[raw.rank - 1] != 1)
      return bad(i,
                 ": packed elements of " + std::string(dtype_name(raw.type)) + " have stride " +
                     std::to_string(raw.strides[raw.rank - 1]) + " along the last axis",
                 "elements narrower than a byte lie side by side along it");
    if (width < 8 && is_written(arg(i)))
      for (int axis = 0; axis + 1 < raw.rank; ++axis)
        if (raw.extents[axis] > 1 && raw.strides[axis] % 8 * width % 8 != 0)
          return bad(i,
                     " is " + std::string(effect_text(arg(i))) + ", but its stride " +
                         std::to_string(raw.strides[axis]) + " along axis " + std::to_string(axis + 1) +
                         " starts inside a byte",
                     "rows of packed elements that are written start with a byte: give them a wider stride");
    Footprint bits;
    if (!footprint(raw, 1, bits))
      return bad(i,
                 ": " + shape_text(raw) + " with strides (" + list(raw.strides, raw.rank, ", ") +
                     ") reach beyond the address space",
                 "");
    const auto begin = static_cast<std::uintptr_t>(bits.first >= 0 ? bits.first / 8 : 0);
    const auto end = static_cast<std::uintptr_t>(bits.end() / 8 + 1);
    if (begin < raw.bounds.begin || end > raw.bounds.end) return outside(i, begin, end);
    if (is_written(arg(i))) switch (repeats_address(bits)) {
        case Shares::no:
          break;
        case Shares::yes:
          return bad(i,
                     ": strides (" + list(raw.strides, raw.rank, ", ") + ") put several of its " + shape_text(raw) +
                         " at one address",
                     "it is " + std::string(effect_text(arg(i))) + ": every element needs a place of its own");
        case Shares::unknown:
          return bad(i,
                     ": whether strides (" + list(raw.strides, raw.rank, ", ") + ") put several of its " +
                         shape_text(raw) + " at one address takes too long to find out",
                     "it is " + std::string(effect_text(arg(i))) + ": use strides that nest");
      }
    return {};
  }

  Status outside(std::size_t i, std::uintptr_t begin, std::uintptr_t end) const {
    const RawArg& raw = args_[i];
    const auto width = static_cast<std::uintptr_t>(info(raw.type).bits);
    const std::uintptr_t held = (raw.bounds.end - raw.bounds.begin) * 8 / width;
    std::string text = ": " + shape_text(raw);
    bool dense = true;
    std::int64_t stride = 1;
    for (int axis = raw.rank - 1; axis >= 0; --axis) {
      dense = dense && raw.strides[axis] == stride;
      stride *= raw.extents[axis];
    }
    if (!dense) text += " with strides (" + list(raw.strides, raw.rank, ", ") + ")";
    if (begin >= raw.bounds.begin)
      text += " need " + std::to_string((end - raw.bounds.begin) * 8 / width);
    else
      text += " begin " + std::to_string((raw.bounds.begin - begin) * 8 / width) + " before its container's first";
    return bad(i, text + ", but its container holds " + std::to_string(held), "views stay inside their containers");
  }

  static std::string address_text(std::uintptr_t address) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
    return text;
  }

  /// Two arrays of which the first is written (each pair is named once).
  Status aliasing(std::size_t i, std::size_t j) const {
    if (!is_array(arg(i)) || !is_array(arg(j)) || !is_written(arg(i))) return {};
    if (is_written(arg(j)) && j < i) return {};
    if (empty(args_[i]) || empty(args_[j])) return {};
    const std::int64_t unit = info(arg(i).type).is_sub_byte() || info(arg(j).type).is_sub_byte() ? 1 : 8;
    Footprint a, b;
    if (!footprint(args_[i], unit, a) || !footprint(args_[j], unit, b)) return {};  // memory() has refused these
    const Shares shares = share_memory(a, b);
    if (shares == Shares::no) return {};
    const auto bytes = [unit](const Footprint& f) {
      return address_text(static_cast<std::uintptr_t>(f.first) / static_cast<std::uintptr_t>(8 / unit)) + " to " +
             address_text(static_cast<std::uintptr_t>(f.end()) / static_cast<std::uintptr_t>(8 / unit));
    };
    const std::string where = " (" + bytes(a) + ", " + bytes(b) + ")";
    if (shares == Shares::unknown)
      return bad(i,
                 " is " + std::string(effect_text(arg(i))) + ", and whether it overlaps argument " + arg_name(j) +
                     " takes too long to find out" + where,
                 "use strides that nest, or memory that is plainly apart");
    return bad(
        i, " is " + std::string(effect_text(arg(i))) + " and overlaps argument " + arg_name(j) + " in memory" + where,
        "what is written shares no memory with other arguments; to update in place, a kernel has one InOut");
  }

  /// `k.expects`, as far as no tunable is concerned.
  Status expectations() const {
    for (std::size_t id = 0; id < program_.nodes.size(); ++id) {
      const ir::Node& node = program_.nodes[id];
      if (node.op != ir::Op::expects) continue;
      const std::int32_t condition = program_.operand(node, 0);
      if (uniformity(program_, condition) != Uniformity::frame) continue;
      const Uniform value = evaluate_uniform(program_, condition, frame_);
      if (!value.defined || value.word == 0) return unexpected(node, condition, value.defined);
    }
    return {};
  }

  Status unexpected(const ir::Node& node, std::int32_t condition, bool defined) const {
    std::string values;
    leaves(condition, values);
    const std::string why(program_.str(static_cast<std::int32_t>(node.imm)));
    return user(
        "expects: " + why + (values.empty() ? "" : ", but " + values) + (defined ? "" : ", which divides by zero"), "");
  }

  /// Names and values of what a condition is made of.
  void leaves(std::int32_t id, std::string& text) const {
    const ir::Node& node = program_.node(id);
    std::string one;
    const auto index = static_cast<std::size_t>(node.imm);
    if (node.op == ir::Op::extent)
      one = extent_text(program_, program_.extents[index]) + " = " +
            std::to_string(static_cast<std::int64_t>(frame_[layout_.extent_word(index)]));
    else if (node.op == ir::Op::scalar)
      one = arg_name(index) + " = " + number_text(arg(index).type, frame_[layout_.arg_word(index)]);
    else
      for (std::int32_t operand : program_.operands_of(node)) leaves(operand, text);
    if (one.empty() || (", " + text + ",").find(", " + one + ",") != std::string::npos) return;
    text += (text.empty() ? "" : ", ") + one;
  }

  const ir::Program& program_;
  FrameLayout layout_;
  std::span<const RawArg> args_;
  std::uint64_t* frame_;
};

/// Binds arguments of any types to a program, made at compile time or at run time, before any work. `frame` has
/// frame_layout(program).words() words; after a failure they mean nothing.
inline Status bind(const ir::Program& program, std::span<const RawArg> args, std::uint64_t* frame) noexcept {
#if TESSERA_HAS_EXCEPTIONS
  try {
    return Binder(program, args, frame).run();
  } catch (...) {
    return Status::from_current_exception();
  }
#else
  return Binder(program, args, frame).run();
#endif
}

}  // namespace call
TESSERA_END
