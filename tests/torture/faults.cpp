// Owns faults: a library to preload that makes one call on the cache's files fail, come up short, or kill the process.
//
//   TESSERA_FAULT=<what>:<call>:<number>[+]    what: an errno name, "short", or "kill"; call: open, mkdir, read, write,
//                                              truncate, rename, sync, lock, unlink; the number'th such call, and with
//                                              "+" every one after it
//   TESSERA_FAULT_DIR=<folder>                 only files below it count
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

namespace {

struct Plan {
  char what[16] = {}, call[16] = {};
  long number = 0;
  bool on = false, after = false;
  const char* folder = nullptr;

  Plan() {
    const char* text = std::getenv("TESSERA_FAULT");
    folder = std::getenv("TESSERA_FAULT_DIR");
    if (text == nullptr || folder == nullptr) return;
    const char* first = std::strchr(text, ':');
    const char* second = first != nullptr ? std::strchr(first + 1, ':') : nullptr;
    if (second == nullptr || first - text > 15 || second - first > 15) return;
    std::memcpy(what, text, static_cast<std::size_t>(first - text));
    std::memcpy(call, first + 1, static_cast<std::size_t>(second - first - 1));
    number = std::atol(second + 1);
    after = text[std::strlen(text) - 1] == '+';
    on = true;
  }
};

const Plan& plan() {
  static const Plan made;
  return made;
}

std::atomic<long> calls{0};

bool below(const char* path) {
  return path != nullptr && std::strncmp(path, plan().folder, std::strlen(plan().folder)) == 0;
}

bool below(int fd) {
  if (fd < 0) return false;
  char link[64] = "/proc/self/fd/", path[4096];
  int number = fd, digits = 0;
  char text[12];
  do text[digits++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) > 0);
  char* to = link + std::strlen(link);
  while (digits > 0) *to++ = text[--digits];
  *to = '\0';
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return false;
  path[size] = '\0';
  return below(path);
}

enum class Fault { none, fail, partly };

/// Whether this call is the one; sets errno, or does not return.
template <class Where>
Fault meets(const char* call, Where where) {
  if (!plan().on || std::strcmp(plan().call, call) != 0 || !below(where)) return Fault::none;
  const long number = ++calls;
  if (number != plan().number && !(plan().after && number > plan().number)) return Fault::none;
  const char* what = plan().what;
  if (std::strcmp(what, "kill") == 0) kill(getpid(), SIGKILL);
  if (std::strcmp(what, "short") == 0) return Fault::partly;
  errno = std::strcmp(what, "ENOSPC") == 0   ? ENOSPC
          : std::strcmp(what, "EROFS") == 0  ? EROFS
          : std::strcmp(what, "EMFILE") == 0 ? EMFILE
          : std::strcmp(what, "EINTR") == 0  ? EINTR
                                             : EIO;
  return Fault::fail;
}

template <class F>
F next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list list) { return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; }

}  // namespace

#define TESSERA_OPEN(name)                                                \
  int name(const char* path, int flags, ...) {                            \
    va_list list;                                                         \
    va_start(list, flags);                                                \
    const mode_t mode = mode_of(flags, list);                             \
    va_end(list);                                                         \
    if (meets("open", path) == Fault::fail) return -1;                    \
    static const auto real = next<int (*)(const char*, int, ...)>(#name); \
    return real(path, flags, mode);                                       \
  }
#define TESSERA_OPENAT(name)                                                   \
  int name(int folder, const char* path, int flags, ...) {                     \
    va_list list;                                                              \
    va_start(list, flags);                                                     \
    const mode_t mode = mode_of(flags, list);                                  \
    va_end(list);                                                              \
    if (meets("open", folder) == Fault::fail) return -1;                       \
    static const auto real = next<int (*)(int, const char*, int, ...)>(#name); \
    return real(folder, path, flags, mode);                                    \
  }
#define TESSERA_TRANSFER(name, call, pointer)                                        \
  ssize_t name(int fd, pointer data, size_t size, off_t at) {                        \
    const Fault fault = meets(call, fd);                                             \
    if (fault == Fault::fail) return -1;                                             \
    static const auto real = next<ssize_t (*)(int, pointer, size_t, off_t)>(#name);  \
    return real(fd, data, fault == Fault::partly && size > 1 ? size / 2 : size, at); \
  }
#define TESSERA_ON_FD(name, call, declaration, ...)           \
  int name declaration {                                      \
    if (meets(call, fd) == Fault::fail) return -1;            \
    static const auto real = next<int(*) declaration>(#name); \
    return real(__VA_ARGS__);                                 \
  }
#define TESSERA_ON_PATH(name, call, declaration, ...)         \
  int name declaration {                                      \
    if (meets(call, path) == Fault::fail) return -1;          \
    static const auto real = next<int(*) declaration>(#name); \
    return real(__VA_ARGS__);                                 \
  }

extern "C" {
TESSERA_OPEN(open)
TESSERA_OPEN(open64)
TESSERA_OPENAT(openat)
TESSERA_OPENAT(openat64)
TESSERA_TRANSFER(pread, "read", void*)
TESSERA_TRANSFER(pread64, "read", void*)
TESSERA_TRANSFER(pwrite, "write", const void*)
TESSERA_TRANSFER(pwrite64, "write", const void*)
TESSERA_ON_FD(ftruncate, "truncate", (int fd, off_t size), fd, size)
TESSERA_ON_FD(ftruncate64, "truncate", (int fd, off_t size), fd, size)
TESSERA_ON_FD(fsync, "sync", (int fd), fd)
TESSERA_ON_FD(fdatasync, "sync", (int fd), fd)
TESSERA_ON_FD(flock, "lock", (int fd, int operation), fd, operation)
TESSERA_ON_FD(renameat, "rename", (int fd, const char* from, int to, const char* name), fd, from, to, name)
TESSERA_ON_FD(mkdirat, "mkdir", (int fd, const char* path, mode_t mode), fd, path, mode)
TESSERA_ON_FD(unlinkat, "unlink", (int fd, const char* path, int flags), fd, path, flags)
TESSERA_ON_PATH(mkdir, "mkdir", (const char* path, mode_t mode), path, mode)
TESSERA_ON_PATH(unlink, "unlink", (const char* path), path)
TESSERA_ON_PATH(rename, "rename", (const char* path, const char* to), path, to)
}
