// Owns the system calls on cache folders and files.
#include "jit/cache/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

TESSERA_BEGIN
namespace jit {
namespace {

/// Nothing, or what is wrong with what was opened.
std::string refuse(const struct stat& s, Trust trust) {
  if (trust == Trust::anyone) return {};
  if (s.st_uid != geteuid() && !(trust == Trust::owner_or_root && s.st_uid == 0))
    return "belongs to user " + std::to_string(s.st_uid) + ", not to " + std::to_string(geteuid());
  if ((s.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "can be written by others";
  return {};
}

Fd checked_folder(int fd, const std::string& path, Trust trust, std::string& problem) {
  Fd folder(fd);
  struct stat s{};
  if (!folder || fstat(fd, &s) != 0) {
    const int number = errno;
    problem = path + (number == ELOOP ? " is a link" : number == ENOTDIR ? " is no folder" : ": " + error_text(number));
    return {};
  }
  if (std::string why = refuse(s, trust); !why.empty()) {
    problem = path + " " + why;
    return {};
  }
  return folder;
}

// O_NOFOLLOW with O_DIRECTORY reports a link as ENOTDIR; which of both it is matters to the reader only.
void name_link(int at, const std::string& name, const std::string& path, std::string& problem) {
  struct stat s{};
  if (fstatat(at, name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(s.st_mode)) problem = path + " is a link";
}

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    if (mkdir(path.substr(0, slash).c_str(), 0700) != 0 && errno != EEXIST && errno != EACCES && errno != EROFS &&
        errno != EPERM)
      return false;
    if (slash == std::string::npos) return true;
  }
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

std::string error_text(int number) { return std::generic_category().message(number); }

Fd open_folder(const std::string& given, bool create, Trust trust, std::string& problem) {
  std::string path = given;
  while (path.size() > 1 && path.back() == '/') path.pop_back();  // a trailing slash would follow a link
  if (path.empty() || path[0] != '/') {
    problem = "\"" + path + "\" is not an absolute path";
    return {};
  }
  int fd = open(path.c_str(), folder_flags);
  if (fd < 0 && errno == ENOENT && create) {
    if (!make_folders(path)) {
      problem = path + ": " + error_text(errno);
      return {};
    }
    fd = open(path.c_str(), folder_flags);
  }
  Fd folder = checked_folder(fd, path, trust, problem);
  if (fd < 0) name_link(AT_FDCWD, path, path, problem);
  return folder;
}

Fd open_folder_at(const Fd& parent, const std::string& name, bool create, Trust trust, std::string& problem) {
  int fd = openat(parent.get(), name.c_str(), folder_flags);
  if (fd < 0 && errno == ENOENT) {
    if (!create) return {};
    if (mkdirat(parent.get(), name.c_str(), trust == Trust::anyone ? 0770 : 0700) != 0 && errno != EEXIST) {
      problem = name + ": " + error_text(errno);
      return {};
    }
    fd = openat(parent.get(), name.c_str(), folder_flags);
  }
  Fd folder = checked_folder(fd, name, trust, problem);
  if (fd < 0) name_link(parent.get(), name, name, problem);
  return folder;
}

Fd open_file(const Fd& folder, const std::string& name, Access access, Trust trust, std::string& problem) {
  // O_NONBLOCK: a FIFO must not make anybody wait; it means nothing for regular files.
  const int flags = (access == Access::read ? O_RDONLY : O_RDWR) | (access == Access::create ? O_CREAT : 0) |
                    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  Fd file(openat(folder.get(), name.c_str(), flags, trust == Trust::anyone ? 0660 : 0600));
  struct stat s{};
  if (!file || fstat(file.get(), &s) != 0) {
    if (errno == ENOENT && access != Access::create) return {};
    problem = name + (errno == ELOOP ? " is a link" : ": " + error_text(errno));
    return {};
  }
  std::string why = !S_ISREG(s.st_mode) ? "is no regular file" : refuse(s, trust);
  if (why.empty() && access != Access::read && s.st_nlink > 1) why = "has a second name";
  if (why.empty()) return file;
  problem = name + " " + why;
  return {};
}

std::vector<std::string> file_names(const Fd& folder) {
  std::vector<std::string> names;
  const int again = openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* list = again >= 0 ? fdopendir(again) : nullptr;
  if (list == nullptr) {
    if (again >= 0) close(again);
    return names;
  }
  while (const dirent* entry = readdir(list)) names.emplace_back(entry->d_name);
  closedir(list);
  return names;
}

bool read_at(int fd, std::uint64_t offset, char* to, std::size_t count) {
  while (count > 0) {
    const ssize_t got = pread(fd, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got == 0) errno = 0;
      return false;
    }
    to += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_at(int fd, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      if (put == 0) errno = ENOSPC;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return true;
}

bool read_file(const std::string& path, std::uint64_t most, std::string& bytes, std::string& problem) {
  const Fd file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat s{};
  if (!file || fstat(file.get(), &s) != 0) {
    problem = path + ": " + error_text(errno);
    return false;
  }
  if (!S_ISREG(s.st_mode) || static_cast<std::uint64_t>(s.st_size) > most) {
    problem =
        path + (S_ISREG(s.st_mode) ? ": is larger than " + std::to_string(most) + " bytes" : ": is no regular file");
    return false;
  }
  bytes.resize(static_cast<std::size_t>(s.st_size));
  if (read_at(file.get(), 0, bytes.data(), bytes.size())) return true;
  problem = path + ": " + (errno != 0 ? error_text(errno) : "became shorter while it was read");
  return false;
}

bool lock_file(int fd, bool exclusive, double seconds) {
  using namespace std::chrono;
  const auto until = steady_clock::now() + duration<double>(seconds);
  for (auto pause = microseconds(50);; pause = std::min(pause * 2, microseconds(5000))) {
    if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return true;
    if ((errno != EWOULDBLOCK && errno != EINTR) || steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
  }
}

void unlock_file(int fd) { (void)flock(fd, LOCK_UN); }

}  // namespace jit
TESSERA_END
