// Owns the messages between a tuning process and its worker: lists of texts over a socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "autotune/tune/stop.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// A message: its kind, then what belongs to it.
using Message = std::vector<std::string>;

std::string text(double value);  ///< that reads back exactly
double number(const std::string& text);
std::int64_t integer(const std::string& text);

/// One end of a socket of messages; owns the descriptor. Neither end trusts the other to live.
class Wire {
 public:
  explicit Wire(int descriptor = -1) : descriptor_(descriptor) {}
  Wire(Wire&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  Wire& operator=(Wire&& other) noexcept;
  ~Wire() { close(); }

  bool open() const { return descriptor_ >= 0; }
  void close();
  /// False where the other end is gone.
  bool send(const Message& message);
  /// Waits `seconds` for the whole next message (below 0: for ever), or until it is `stopped`; nothing where it does
  /// not come. `gone` says whether the other end is gone.
  std::optional<Message> receive(double seconds, bool& gone, const StopRequest& stopped = {});

 private:
  bool read(void* to, std::size_t bytes, double until, bool& gone, const StopRequest& stopped);
  int descriptor_;
};

}  // namespace autotune
TESSERA_END
