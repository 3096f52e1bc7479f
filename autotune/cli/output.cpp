// Owns the writing of bytes to standard output and files, and the wording of amounts.
#include "autotune/cli/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

/// 0, or the errno of the write that failed.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void write_standard_output(std::string_view bytes) {
  const int error = write_all(STDOUT_FILENO, bytes);
  if (error != 0 && error != EPIPE)
    throw DeviceError(std::string("cannot write to standard output: ") + std::strerror(error));
}

}  // namespace

void Output::now() {
  write_standard_output(text_);
  text_.clear();
}

void Output::finish() {
  if (json_) {
    Json whole = Json::object({{"tessera", TESSERA_VERSION}, {"schema", json_schema}, {"command", command_}});
    whole.set("result", document_);
    text_ = whole.text() + "\n";
  }
  now();
}

void Output::fail(int exit, std::string_view kind, std::string_view text, std::string_view hint) {
  if (!json_) return;
  Json error = Json::object({{"kind", kind}, {"text", text}, {"hint", hint}, {"exit", exit}});
  const Json whole = Json::object(
      {{"tessera", TESSERA_VERSION}, {"schema", json_schema}, {"command", command_}, {"error", std::move(error)}});
  write_all(STDOUT_FILENO, whole.text() + "\n");  // what cannot be said here is said on standard error
}

void write_file(const std::string& path, std::string_view bytes) {
  const auto fail = [&](int error) { throw DeviceError("cannot write " + path + ": " + std::strerror(error)); };
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(errno);
  int error = write_all(descriptor, bytes);
  struct stat status{};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (::close(descriptor) != 0 && error == 0 && errno != EINTR) error = errno;
  if (error == 0) return;
  if (regular) ::unlink(path.c_str());
  fail(error);
}

std::string one_line(std::string_view message) {
  std::string text, hint;
  constexpr std::string_view mark = "\n  hint: ";
  if (const auto at = message.find(mark); at != std::string_view::npos) {
    hint = message.substr(at + mark.size());
    message = message.substr(0, at);
  }
  const auto flat = [](std::string_view lines) {
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i] != '\n') {
        out += lines[i];
        continue;
      }
      while (i + 1 < lines.size() && (lines[i + 1] == ' ' || lines[i + 1] == '\n')) ++i;
      if (i + 1 < lines.size()) out += "; ";
    }
    return out;
  };
  text = flat(message);
  return hint.empty() ? text : text + " (" + flat(hint) + ")";
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  static constexpr const char* units[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) value /= 1000, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

std::string counted(std::uint64_t count, std::string_view what) {
  std::string text = std::to_string(count) + " " + std::string(what);
  if (count == 1) return text;
  if (text.back() == 'y') return text.replace(text.size() - 1, 1, "ies");
  return text + "s";
}

}  // namespace cli
TESSERA_END
