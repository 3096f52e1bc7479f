// Owns the opening of folders and files that others may have prepared: what is not plainly ours is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// A file descriptor, closed at its end; -1 is none. None of them outlives a call, so none crosses a fork for long.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Whom the bytes in a folder may come from.
enum class Trust {
  owner,          ///< this user alone: folders and files are ours, and nobody else may write them
  owner_or_root,  ///< read-only layers: ours or the administrator's
  anyone,         ///< entries are signed
};

/// Opens a folder without following a link in its last part, and looks at what was opened. `create` makes it, and what
/// is missing above it, for this user alone. None: `problem` says why in one sentence.
Fd open_folder(const std::string& path, bool create, Trust trust, std::string& problem);
/// The same for a folder inside an open one.
Fd open_folder_at(const Fd& parent, const std::string& name, bool create, Trust trust, std::string& problem);

enum class Access { read, write, create };
/// Opens a regular file inside an open folder. None with an empty `problem`: it does not exist.
Fd open_file(const Fd& folder, const std::string& name, Access access, Trust trust, std::string& problem);

/// What lies in an open folder.
std::vector<std::string> file_names(const Fd& folder);

/// Whole reads and writes, whatever the system does in between; false with errno where that cannot be.
bool read_at(int fd, std::uint64_t offset, char* to, std::size_t count);
bool write_at(int fd, std::uint64_t offset, std::string_view bytes);

/// The whole of a regular file, at most `most` bytes; false: `problem` says why.
bool read_file(const std::string& path, std::uint64_t most, std::string& bytes, std::string& problem);

/// "No space left on device": errno in words.
std::string error_text(int number);

/// Locks a whole file for this descriptor, shared or exclusive; waits at most `seconds`. A process's end releases it.
bool lock_file(int fd, bool exclusive, double seconds);
void unlock_file(int fd);

}  // namespace jit
TESSERA_END
