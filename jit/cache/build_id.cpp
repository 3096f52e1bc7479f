// Owns the reading of build ids from ELF files.
#include "jit/cache/build_id.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>

#include <cstring>
#include <vector>

#include "jit/cache/file.hpp"

#ifndef TESSERA_LLVM_LIBRARY
#define TESSERA_LLVM_LIBRARY "libtessera_llvm.so"
#endif
#ifndef TESSERA_LIBLLVM
#define TESSERA_LIBLLVM ""
#endif

TESSERA_BEGIN
namespace jit {
namespace {

std::string own_path() {
  Dl_info here{};
  return dladdr(reinterpret_cast<const void*>(&jit_build_id), &here) != 0 && here.dli_fname ? here.dli_fname : "";
}

}  // namespace

std::string build_id_of(const std::string& file) {
  const Fd in(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  Elf64_Ehdr head{};
  if (!in || !read_at(in.get(), 0, reinterpret_cast<char*>(&head), sizeof head) ||
      std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > 256)
    return {};
  std::vector<Elf64_Phdr> parts(head.e_phnum);
  if (!read_at(in.get(), head.e_phoff, reinterpret_cast<char*>(parts.data()), parts.size() * sizeof(Elf64_Phdr)))
    return {};
  for (const Elf64_Phdr& part : parts) {
    if (part.p_type != PT_NOTE || part.p_filesz > 4096) continue;
    std::vector<char> notes(part.p_filesz);
    if (!read_at(in.get(), part.p_offset, notes.data(), notes.size())) continue;
    for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
      Elf64_Nhdr note;
      std::memcpy(&note, notes.data() + at, sizeof note);
      const std::size_t name = at + sizeof note, text = name + (note.n_namesz + 3) / 4 * 4;
      const std::size_t end = text + (note.n_descsz + 3) / 4 * 4;
      if (end > notes.size() || end <= at) break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(&notes[name], "GNU", 4) == 0) {
        std::string hex;
        for (std::size_t k = 0; k < note.n_descsz; ++k) {
          const auto byte = static_cast<unsigned char>(notes[text + k]);
          hex += "0123456789abcdef"[byte >> 4];
          hex += "0123456789abcdef"[byte & 15];
        }
        return hex;
      }
      at = end;
    }
  }
  return {};
}

std::string llvm_library_path() {
  const std::string mine = own_path();
  const auto slash = mine.rfind('/');
  return (slash == std::string::npos ? "" : mine.substr(0, slash + 1)) + TESSERA_LLVM_LIBRARY;
}

const std::string& jit_build_id() {
  static const std::string id = build_id_of(own_path());
  return id;
}

const std::string& compiler_build_id() {
  static const std::string id = [] {
    const std::string ours = build_id_of(llvm_library_path()), theirs = build_id_of(TESSERA_LIBLLVM);
    return ours.empty() || theirs.empty() ? "" : ours + "+" + theirs;
  }();
  return id;
}

}  // namespace jit
TESSERA_END
