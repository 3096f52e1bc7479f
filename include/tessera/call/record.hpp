// Owns what a call site and libtessera_jit share: a kernel's record, and the variants of machine code that it can run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tessera/call/errors.hpp"
#include "tessera/export.hpp"
#include "tessera/ir/program.hpp"
#include "tessera/version.hpp"

// The header finds a variant and jumps to it without the library; everything else (compiling, many threads, scratch,
// failed checks) is behind `launch` and `run_variant`. These structures are written by the library and only read here.

TESSERA_BEGIN
struct Config;
namespace jit {
struct Context;  // jit/runtime/context.hpp: what machine code may ask of the library
}

namespace call {

struct RawArg;

/// A pointer that one thread publishes and others read; what std::atomic is, without its header's third of a second.
template <class T>
class Published {
 public:
  constexpr Published() = default;
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  T load() const noexcept { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
  void store(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
  T exchange(T value) noexcept { return __atomic_exchange_n(&value_, value, __ATOMIC_ACQ_REL); }

 private:
  T value_ = nullptr;
};

/// Machine code: runs the programs [first, end) of the grid, numbered row-major in the order of the grid's dimensions.
/// `context` is null where Variant::needs_context is false.
using Entry = void (*)(const std::uint64_t* frame, std::int64_t first, std::int64_t end, jit::Context* context);

/// A condition on one Frame word under which a variant may run.
struct Guard {
  enum Kind : std::uint32_t {
    masked,    ///< (word & a) == b: equal to a value (a all ones), or a multiple of a power of two (b = 0)
    between,   ///< a <= word <= b, signed
    multiple,  ///< word is a multiple of a (a > 0), unsigned
  };
  std::uint32_t word = 0;
  Kind kind = masked;
  std::uint64_t a = 0, b = 0;

  static constexpr Guard equal(std::size_t word, std::uint64_t value) {
    return {static_cast<std::uint32_t>(word), masked, ~std::uint64_t{0}, value};
  }
  /// `word` is a multiple of `alignment`, a power of two: addresses, strides, extents.
  static constexpr Guard aligned(std::size_t word, std::uint64_t alignment) {
    return {static_cast<std::uint32_t>(word), masked, alignment - 1, 0};
  }
  static constexpr Guard at_most(std::size_t word, std::int64_t largest, std::int64_t smallest = 0) {
    return {static_cast<std::uint32_t>(word), between, static_cast<std::uint64_t>(smallest),
            static_cast<std::uint64_t>(largest)};
  }
  /// `word` is a multiple of `factor`; a power of two needs no division.
  static constexpr Guard multiple_of(std::size_t word, std::uint64_t factor) {
    if ((factor & (factor - 1)) == 0) return aligned(word, factor);
    return {static_cast<std::uint32_t>(word), multiple, factor, 0};
  }

  bool holds(const std::uint64_t* frame) const noexcept {
    const std::uint64_t value = frame[word];
    switch (kind) {
      case masked:
        return (value & a) == b;
      case between:
        return static_cast<std::int64_t>(value) >= static_cast<std::int64_t>(a) &&
               static_cast<std::int64_t>(value) <= static_cast<std::int64_t>(b);
      case multiple:
        return value % a == 0;
    }
    return false;
  }
};

/// One dimension of a grid of blocks: cdiv(frame[word], cut) programs.
struct GridTerm {
  std::uint32_t word = 0;
  std::int64_t cut = 1;
};

/// One piece of compiled code for a kernel. Immutable once published.
struct Variant {
  Entry entry = nullptr;
  const Guard* guards = nullptr;  ///< all must hold; none: runs any Frame
  std::uint32_t guard_count = 0;
  std::uint32_t grid_count = 0;
  GridTerm grid[ir::max_rank] = {};  ///< the number of programs is their product, times `programs(…)` if that is set
  std::int64_t (*programs)(const Variant&, const std::uint64_t* frame) = nullptr;  ///< the rest of the grid, or null
  void (*prologue)(const Variant&, const std::uint64_t* frame) = nullptr;  ///< runs once before the grid, or null
  std::uint64_t config_key = 0;   ///< Config::key of the calls that it serves; 0: calls without one
  bool needs_context = true;      ///< the code uses scratch, checks or prints
  std::int64_t inline_limit = 0;  ///< grids of at most this many programs run on the caller's thread
  std::int64_t grain = 1;         ///< fewest programs worth a task of their own
  std::int32_t threads = 0;       ///< most threads to use; 0: all
  const void* owner = nullptr;    ///< the library's own data about it

  bool matches(const std::uint64_t* frame) const noexcept {
    for (std::uint32_t i = 0; i < guard_count; ++i)
      if (!guards[i].holds(frame)) return false;
    return true;
  }
  std::int64_t count(const std::uint64_t* frame) const noexcept {
    std::int64_t total = 1;
    for (std::uint32_t i = 0; i < grid_count; ++i) {
      const auto extent = static_cast<std::int64_t>(frame[grid[i].word]);
      const std::int64_t blocks = extent / grid[i].cut + (extent % grid[i].cut != 0);
      if (__builtin_mul_overflow(total, blocks, &total)) return -1;
    }
    if (programs != nullptr && __builtin_mul_overflow(total, programs(*this, frame), &total)) return -1;
    return total;
  }
};

/// The variants of a kernel, in the order in which they are tried: the most special first, the generic one last.
struct VariantTable {
  std::size_t count = 0;
  const Variant* const* variants = nullptr;
};

/// What Tessera knows of a kernel in this process. One per captured kernel and shared library, of static storage.
///
/// The library publishes a new `table` (release) when it has compiled a variant; tables and variants that were ever
/// published stay valid until `retire`. `retire`, set by the library with `state`, is called when the shared library
/// that holds the kernel is unloaded, and at the end of the process: no call of this kernel is running then.
struct KernelRecord {
  const ir::Program* program = nullptr;
  Published<const VariantTable*> table;
  Published<void*> state;
  Published<void (*)(KernelRecord&) noexcept> retire;

  constexpr explicit KernelRecord(const ir::Program& p) : program(&p) {}
  KernelRecord(const KernelRecord&) = delete;
  KernelRecord& operator=(const KernelRecord&) = delete;

  std::string_view name() const { return program->name; }

  /// The first variant that serves this Frame, or null.
  const Variant* find(const std::uint64_t* frame, std::uint64_t config_key) const noexcept {
    const VariantTable* published = table.load();
    if (published == nullptr) return nullptr;
    for (std::size_t i = 0; i < published->count; ++i) {
      const Variant& variant = *published->variants[i];
      if (variant.config_key == config_key && variant.matches(frame)) return &variant;
    }
    return nullptr;
  }
};

/// In libtessera_jit: the full check of bind.hpp, kept out of every file that calls a kernel.
TESSERA_API Status check_arguments(const ir::Program& program, std::span<const RawArg> args,
                                   std::uint64_t* frame) noexcept;

/// In libtessera_jit: runs the kernel on a bound Frame; finds, loads or compiles a variant for it where none matches.
/// `config` may be null. Thread-safe.
TESSERA_API Status launch(KernelRecord& record, const std::uint64_t* frame, std::size_t words,
                          const Config* config) noexcept;

/// In libtessera_jit: runs `count` programs (Variant::count) of a variant: prologue, context, threads. Failed checks of
/// the kernel end in a UserError that names them.
TESSERA_API Status run_variant(const KernelRecord& record, const Variant& variant, const std::uint64_t* frame,
                               std::int64_t count) noexcept;

/// Runs a variant that matches `frame`; small grids of plain code directly, on this thread.
inline Status run(const KernelRecord& record, const Variant& variant, const std::uint64_t* frame) noexcept {
  const std::int64_t count = variant.count(frame);
  if (count >= 0 && count <= variant.inline_limit && !variant.needs_context && variant.prologue == nullptr) [[likely]] {
    variant.entry(frame, 0, count, nullptr);
    return {};
  }
  return run_variant(record, variant, frame, count);
}

}  // namespace call
TESSERA_END
