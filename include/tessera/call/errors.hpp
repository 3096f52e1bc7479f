// Owns what a failed call says: the exceptions, and Status, the way without exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "tessera/version.hpp"

// With -fno-exceptions everything here still works but `throw`: what would throw prints its text and terminates. Such
// programs use the non-throwing ways (`try_call`), which end in a Status.
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define TESSERA_HAS_EXCEPTIONS 1
#else
#define TESSERA_HAS_EXCEPTIONS 0
#include <cstdio>
#endif

TESSERA_BEGIN

/// Whose fault a failure is: the caller's, the machine's (a device, a compiler, memory), or Tessera's own.
enum class ErrorKind : std::uint8_t { none, user, device, internal };

/// What all of Tessera's exceptions have in common. `what()` is the text, then the hint on a line of its own:
///
///     gemm: argument b: extent K is 200, but a has K = 300
///       hint: K is one number in a call: pass arrays that agree
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// The caller gave something that cannot be right. Nothing has been done yet: no memory was written.
class UserError : public Error {
 public:
  explicit UserError(const std::string& message) : Error(ErrorKind::user, message) {}
};

/// A device, the compiler, a library or memory that is needed is absent or failed.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ErrorKind::device, message) {}
};

/// Tessera contradicts itself: please report it.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& message) : Error(ErrorKind::internal, message) {}
};

/// The result of a call for those who ban exceptions: success, or the kind and text of the failure. One pointer, null
/// on success; copies share the text; making one never throws (without memory for the text, it says "out of memory").
class [[nodiscard]] Status {
 public:
  /// Success.
  constexpr Status() noexcept = default;

  /// A failure; `text` is one sentence, `hint` the mend (may be empty).
  Status(ErrorKind kind, std::string_view text, std::string_view hint = {}) noexcept {
#if TESSERA_HAS_EXCEPTIONS
    try {
      failure_ = describe(kind, text, hint);
    } catch (...) {
      static Failure no_memory{1, kind, 13, "out of memory"};  // short enough to need no memory itself; never freed
      failure_ = &no_memory;
      share();
    }
#else
    failure_ = describe(kind, text, hint);
#endif
  }
  Status(const Status& other) noexcept : failure_(other.failure_) { share(); }
  Status(Status&& other) noexcept : failure_(std::exchange(other.failure_, nullptr)) {}
  Status& operator=(Status other) noexcept {
    std::swap(failure_, other.failure_);
    return *this;
  }
  constexpr ~Status() {
    if (failure_ != nullptr) drop();
  }

  bool ok() const noexcept { return failure_ == nullptr; }
  explicit operator bool() const noexcept { return ok(); }
  ErrorKind kind() const noexcept { return failure_ ? failure_->kind : ErrorKind::none; }

  /// Text and hint, as in an exception's `what()`; empty on success.
  std::string_view message() const noexcept {
    return failure_ ? std::string_view(failure_->message) : std::string_view();
  }
  /// The sentence without the hint.
  std::string_view text() const noexcept { return message().substr(0, failure_ ? failure_->text_size : 0); }
  /// The hint alone, or nothing.
  std::string_view hint() const noexcept {
    return failure_ && failure_->text_size < failure_->message.size() ? message().substr(failure_->text_size + 9)
                                                                      : std::string_view();
  }

  /// Throws the exception of this failure; does nothing on success.
  void raise() const {
    if (!ok()) raise_failure();
  }

  /// The failure of the exception being handled: for turning exceptions into a Status at a noexcept boundary.
  static Status from_current_exception() noexcept {
#if !TESSERA_HAS_EXCEPTIONS
    return {ErrorKind::internal, "no exceptions in this program"};
#else
    try {
      throw;
    } catch (const Error& e) {
      return split(e.kind(), e.what());
    } catch (const std::bad_alloc&) {
      return {ErrorKind::device, "out of memory"};
    } catch (const std::exception& e) {
      return {ErrorKind::internal, e.what()};
    } catch (...) {
      return {ErrorKind::internal, "an exception that is not a std::exception"};
    }
#endif
  }

 private:
  struct Failure {
    int owners;  // counted atomically; std::atomic costs a third of a second in every file that includes this
    ErrorKind kind;
    std::size_t text_size;
    std::string message;
  };

  static Failure* describe(ErrorKind kind, std::string_view text, std::string_view hint) {
    std::string message;
    message.reserve(text.size() + hint.size() + 9);
    message.append(text);
    if (!hint.empty()) message.append("\n  hint: ").append(hint);
    return new Failure{1, kind, text.size(), std::move(message)};
  }
  void share() noexcept {
    if (failure_ != nullptr) __atomic_add_fetch(&failure_->owners, 1, __ATOMIC_RELAXED);
  }
  [[gnu::cold, gnu::noinline]] void drop() noexcept {
    if (__atomic_sub_fetch(&failure_->owners, 1, __ATOMIC_ACQ_REL) == 0) delete failure_;
  }

  [[noreturn, gnu::cold, gnu::noinline]] void raise_failure() const {
#if TESSERA_HAS_EXCEPTIONS
    switch (kind()) {
      case ErrorKind::user:
        throw UserError(failure_->message);
      case ErrorKind::device:
        throw DeviceError(failure_->message);
      default:
        throw InternalError(failure_->message);
    }
#else
    std::fprintf(stderr, "tessera: %s\n", failure_->message.c_str());
    std::terminate();
#endif
  }

  static Status split(ErrorKind kind, std::string_view message) noexcept {
    auto at = message.find("\n  hint: ");
    if (at == std::string_view::npos) return {kind, message};
    return {kind, message.substr(0, at), message.substr(at + 9)};
  }

  Failure* failure_ = nullptr;
};

TESSERA_END
