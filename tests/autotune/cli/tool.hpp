// Owns running the program `tessera` as a user does: a command line, its two streams and its exit code.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tessera_test {

/// A folder of its own for each test, removed at the end.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/tessera_tool_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
}

struct Ran {
  int exit = -1;
  std::string out, err;
};

/// Runs a script of bash in which $T is the program, $K the library of kernels, $C one that calls them, and $D a
/// folder, empty at first, that is removed at the end. Standard input is empty; no cache is read or written.
inline Ran shell(const std::string& script) {
  const Folder folder, work;
  write(folder / "script", "export TESSERA_CACHE=off T='" TESSERA_TEST_TOOL "' K='" TESSERA_TEST_TOOL_KERNELS
                           "' C='" TESSERA_TEST_TOOL_CALL "' D='" +
                               work.path() + "'\nset -o pipefail\n" + script + "\n");
  const std::string run =
      "bash " + (folder / "script") + " >" + (folder / "out") + " 2>" + (folder / "err") + " </dev/null";
  const int status = std::system(run.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder / "out"), read(folder / "err")};
}

}  // namespace tessera_test
