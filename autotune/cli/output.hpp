// Owns what `tessera` writes: text for people or one JSON document for programs, on standard output or into a file.
#pragma once

#include <string>
#include <string_view>

#include "autotune/cli/json.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace cli {

/// The version of the JSON documents: members may be added to a version, never changed or taken away.
inline constexpr int json_schema = 1;

/// The output of one command. Nothing is written before `finish`, except by `now`.
class Output {
 public:
  /// `json`: a document instead of text.
  Output(std::string command, bool json) : command_(std::move(command)), json_(json) {}

  bool json() const { return json_; }

  /// A line for people; nothing where a document is wanted.
  void line(std::string_view text = {}) {
    if (!json_) text_.append(text).append("\n");
  }
  /// Bytes for standard output, as they are; nothing where a document is wanted.
  void raw(std::string_view bytes) {
    if (!json_) text_.append(bytes);
  }
  /// A member of the document; nothing where text is wanted.
  void set(std::string_view key, Json value) {
    if (json_) document_.set(key, std::move(value));
  }
  /// Writes the lines so far at once: before waiting for an answer.
  void now();

  /// Writes everything. Throws DeviceError when standard output takes no more (a full disk); a reader that went away
  /// (`tessera … | head`) is no error.
  void finish();

  /// Instead of `finish`, when the command failed: the document of an error.
  void fail(int exit, std::string_view kind, std::string_view text, std::string_view hint);

 private:
  std::string command_, text_;
  bool json_;
  Json document_ = Json::object();
};

/// Writes a file anew. Throws DeviceError, naming the file and the reason, when it cannot; then no half-written file
/// stays behind.
void write_file(const std::string& path, std::string_view bytes);

/// A message as one line: without line breaks, its hint in parentheses.
std::string one_line(std::string_view message);

/// "1.4 MB", "12 kB", "830 bytes".
std::string bytes_text(std::uint64_t bytes);

/// "1 kernel", "2 kernels".
std::string counted(std::uint64_t count, std::string_view what);

}  // namespace cli
TESSERA_END
