// Owns the call of a captured kernel: check, find machine code, jump; throwing, and not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "tessera/call/config.hpp"
#include "tessera/call/fast_bind.hpp"
#include "tessera/call/record.hpp"
#include "tessera/call/registration.hpp"
#include "tessera/version.hpp"

// Programs that only capture and interpret kernels need no library: nothing here is instantiated without a call.

TESSERA_BEGIN
namespace call {

/// The full check, for what the quick one does not accept.
template <class Captured, class... Args>
[[gnu::cold, gnu::noinline]] Status check_again(std::uint64_t* frame, Args&... args) noexcept {
  return check_arguments(Captured::program, raw_arguments<Captured>(args...), frame);
}

/// Runs a kernel, with a configuration and its key, or null and 0. Whatever is wrong comes back as the Status, before
/// any work; nothing is thrown. Arguments: for arrays a View, container, span, C array or mdspan; for scalars numbers;
/// in the kernel's order.
template <class Captured, class... Args>
Status try_invoke_with(const Config* config, std::uint64_t config_key, Args&&... args) noexcept {
  if constexpr (types_fit<Captured, std::remove_reference_t<Args>...>()) {
    Frame<Captured> frame;
    if (!fast_bind<Captured>(frame.data(), args...)) [[unlikely]]
      if (Status status = check_again<Captured>(frame.data(), args...); !status) return status;
    if (const Variant* variant = record_of<Captured>.find(frame.data(), config_key)) [[likely]]
      return run(record_of<Captured>, *variant, frame.data());
    return launch(record_of<Captured>, frame.data(), frame.size(), config);
  } else {
    return {};
  }
}
template <class Captured, class... Args>
Status try_invoke(Args&&... args) noexcept {
  return try_invoke_with<Captured>(nullptr, 0, args...);
}

/// Runs a kernel; throws UserError, DeviceError or InternalError.
template <class Captured, class... Args>
void invoke(Args&&... args) {
  try_invoke_with<Captured>(nullptr, 0, args...).raise();
}

/// A kernel with a configuration, as `kernel.with(config)` makes it: called like the kernel itself.
template <class Captured>
class Configured {
 public:
  explicit Configured(Config config) : config_(std::move(config)), key_(config_.key()) {
    status_ = check_config(Captured::program, config_);
  }

  template <class... Args>
  void operator()(Args&&... args) const {
    try_call(args...).raise();
  }
  template <class... Args>
  Status try_call(Args&&... args) const noexcept {
    if (!status_) return status_;
    return try_invoke_with<Captured>(&config_, key_, args...);
  }
  const Config& config() const { return config_; }

 private:
  Config config_;
  std::uint64_t key_;
  Status status_;
};

/// What a kernel can be asked for; the captured kernel `Self` inherits it.
///
///     gemm(view(A, {512, 300}), …);                         // throws
///     Status s = gemm.try_call(view(A, {512, 300}), …);     // does not
///     gemm.with(Config{.threads = 1})(view(A, {512, 300}), …);
template <class Self>
struct Callable {
  template <class... Args>
  void operator()(Args&&... args) const {
    invoke<Self>(args...);
  }
  template <class... Args>
  Status try_call(Args&&... args) const noexcept {
    return try_invoke<Self>(args...);
  }
  static Configured<Self> with(Config config) { return Configured<Self>(std::move(config)); }
  static KernelRecord& record() { return record_of<Self>; }
};

/// Runs a program made at run time, with arguments of erased types.
inline Status invoke_program(KernelRecord& record, std::span<const RawArg> args,
                             const Config* config = nullptr) noexcept {
  constexpr std::size_t capacity = 1024;
  std::uint64_t frame[capacity];
  const std::size_t words = frame_layout(*record.program).words();
  if (words > capacity) return {ErrorKind::user, "a program with more than 1024 numbers in its Frame"};
  if (Status status = check_arguments(*record.program, args, frame); !status) return status;
  if (const Variant* variant = record.find(frame, config != nullptr ? config->key() : 0))
    return run(record, *variant, frame);
  return launch(record, frame, words, config);
}

}  // namespace call
TESSERA_END
