// Owns what machine code gets from its context: a thread's scratch arena, the note of a failed check, printed lines.
#include "jit/runtime/run_context.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "tessera/call/argument.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

constexpr std::size_t alignment = 64;

/// A thread's scratch: blocks that are filled one after the other and emptied together. After a launch that needed
/// several, one block of their size replaces them.
class Arena {
 public:
  void* take(std::size_t bytes) noexcept {
    bytes = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    if (blocks_.empty() || blocks_.back().size - used_ < bytes) {
      if (!grow(std::max(bytes, std::max(wanted_, smallest)))) return nullptr;
    }
    void* place = blocks_.back().data.get() + used_;
    used_ += bytes;
    return place;
  }
  void reset() noexcept {
    used_ = 0;
    if (blocks_.size() < 2) return;
    wanted_ = 0;
    for (const Block& block : blocks_) wanted_ += block.size;
    blocks_.clear();
  }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  struct Block {
    std::unique_ptr<std::byte, Free> data;
    std::size_t size;
  };
  static constexpr std::size_t smallest = std::size_t{1} << 16;
  static constexpr std::size_t huge = std::size_t{2} << 20;  // a huge page: packed panels walk through many pages

  bool grow(std::size_t size) noexcept {
    try {
      const bool large = size >= huge;
      if (large) size = (size + huge - 1) / huge * huge;
      auto* data = static_cast<std::byte*>(std::aligned_alloc(large ? huge : alignment, size));
      if (data == nullptr) return false;
      if (large) (void)madvise(data, size, MADV_HUGEPAGE);
      blocks_.push_back({std::unique_ptr<std::byte, Free>(data), size});
    } catch (const std::bad_alloc&) {
      return false;
    }
    used_ = 0;
    return true;
  }

  std::vector<Block> blocks_;
  std::size_t used_ = 0;    // of the last block
  std::size_t wanted_ = 0;  // what a launch needed altogether
};

thread_local Arena arena;

}  // namespace

RunContext::RunContext() noexcept {
  scratch = take_scratch;
  fail = note_failure;
  print = print_values;
}

void RunContext::run(Entry entry, const std::uint64_t* frame, std::int64_t first, std::int64_t end) noexcept {
  entry(frame, first, end, this);
  arena.reset();
}

void* RunContext::take_scratch(Context* self, std::int64_t bytes) {
  // Beyond 2^46 bytes aligned_alloc is not worth asking, and rounding up would overflow.
  void* place = bytes < 0 || bytes > (std::int64_t{1} << 46) ? nullptr : arena.take(static_cast<std::size_t>(bytes));
  if (place == nullptr) {
    auto& context = *static_cast<RunContext*>(self);
    const std::lock_guard lock(context.mutex_);
    context.missing_bytes_ = bytes;
  }
  return place;
}

void RunContext::note_failure(Context* self, std::int64_t id, const char* text) {
  auto& context = *static_cast<RunContext*>(self);
  const std::lock_guard lock(context.mutex_);
  if (context.failures_++ == 0 || id < context.first_failure_) {
    context.first_failure_ = id;
    context.failure_text_ = text;
  }
}

void RunContext::print_values(Context* self, const char* format, const std::uint64_t* values, const std::uint8_t* types,
                              std::int64_t count) {
  try {
    std::string line;
    std::int64_t next = 0;  // each "{}" becomes the next value; values beyond the last follow after a blank
    const auto value = [&] { return call::number_text(static_cast<DType>(types[next]), values[next]); };
    for (const char* c = format; *c != '\0'; ++c) {
      if (c[0] == '{' && c[1] == '}' && next < count) {
        line += value(), ++next, ++c;
      } else {
        line += *c;
      }
    }
    for (; next < count; ++next) line += " " + value();
    line += "\n";
    const std::lock_guard lock(static_cast<RunContext*>(self)->mutex_);
    std::fwrite(line.data(), 1, line.size(), stdout);
  } catch (const std::bad_alloc&) {
    std::fputs("out of memory while printing\n", stdout);
  }
}

Status RunContext::status(std::string_view kernel) const noexcept {
  const std::lock_guard lock(mutex_);
  if (missing_bytes_ == 0 && failures_ == 0) return {};
  try {
    std::string text(kernel);
    if (missing_bytes_ != 0)
      return {ErrorKind::device, text + ": no memory for " + std::to_string(missing_bytes_) + " bytes of scratch",
              "its results are not complete"};
    text.append(": check failed: ").append(failure_text_);
    if (failures_ > 1) text.append(" (and ").append(std::to_string(failures_ - 1)).append(" more)");
    return {ErrorKind::user, text, "its results are not to be trusted; the interpreter tells where"};
  } catch (...) {
    return Status::from_current_exception();
  }
}

}  // namespace jit
TESSERA_END
