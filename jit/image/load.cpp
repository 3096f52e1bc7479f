// Owns the loading of images into memory: three protections, addresses filled in, every number checked.
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "jit/cache/file.hpp"
#include "jit/image/image.hpp"
#include "tessera/call/errors.hpp"

// An image is a shared library that dlopen would take too, by way of a memory file. This does the same without a file
// descriptor, /proc or the loader's lock, so that code loads where those run out or are not there.

TESSERA_BEGIN
namespace jit {
namespace {

constexpr std::uint64_t page = 4096, most_bytes = std::uint64_t{1} << 31;

[[noreturn]] void refuse(const std::string& why) { throw DeviceError("compiled code cannot be loaded: " + why); }

class Mapped final : public LoadedImage {
 public:
  explicit Mapped(std::string_view image) {
    try {
      map(image);
    } catch (...) {
      release();
      throw;
    }
  }
  ~Mapped() override { release(); }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  void* symbol(const std::string& name) const override {
    for (std::uint64_t i = 1; i < symbol_count_; ++i) {
      const auto s = at<Elf64_Sym>(symbols_ + i * sizeof(Elf64_Sym));
      if (s.st_shndx != SHN_UNDEF && name_of(s) == name && s.st_value < size_) return memory_ + s.st_value;
    }
    return nullptr;
  }

 private:
  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > size_ || sizeof(T) > size_ - offset) refuse("a table lies outside the image");
    T value;
    std::memcpy(&value, memory_ + offset, sizeof value);
    return value;
  }

  std::string name_of(const Elf64_Sym& s) const {
    const std::uint64_t start = strings_ + s.st_name;
    if (start < strings_ || start >= size_) refuse("a name lies outside the image");
    const char* text = memory_ + start;
    return {text, strnlen(text, size_ - start)};
  }

  void map(std::string_view image) {
    Elf64_Ehdr head{};
    if (image.size() < sizeof head) refuse("the image is too short");
    std::memcpy(&head, image.data(), sizeof head);
    if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_type != ET_DYN || head.e_machine != EM_X86_64 ||
        head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum > 16 || head.e_phoff > image.size() ||
        head.e_phnum * sizeof(Elf64_Phdr) > image.size() - head.e_phoff)
      refuse("the image is no shared library of x86-64");
    std::vector<Elf64_Phdr> segments(head.e_phnum);
    if (!segments.empty())
      std::memcpy(segments.data(), image.data() + head.e_phoff, segments.size() * sizeof(Elf64_Phdr));
    std::uint64_t dynamic = 0;
    for (const Elf64_Phdr& s : segments) {
      if (s.p_vaddr > most_bytes || s.p_memsz > most_bytes) refuse("the image is too large");
      if (s.p_type == PT_DYNAMIC) dynamic = s.p_vaddr;
      if (s.p_type != PT_LOAD) continue;
      if (s.p_vaddr % page != 0 || s.p_filesz > s.p_memsz || s.p_offset > image.size() ||
          s.p_filesz > image.size() - s.p_offset)
        refuse("a segment of the image is wrong");
      size_ = std::max<std::uint64_t>(size_, (s.p_vaddr + s.p_memsz + page - 1) / page * page);
    }
    if (size_ == 0 || dynamic == 0) refuse("the image has no segments");
    void* place = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) refuse(error_text(errno));
    memory_ = static_cast<char*>(place);
    for (const Elf64_Phdr& s : segments)
      if (s.p_type == PT_LOAD && s.p_filesz > 0)
        std::memcpy(memory_ + s.p_vaddr, image.data() + s.p_offset, s.p_filesz);
    read_tables(dynamic);
    relocate();
    for (const Elf64_Phdr& s : segments) {
      if (s.p_type != PT_LOAD || (s.p_flags & PF_W) != 0 || s.p_memsz == 0) continue;
      const int protection = PROT_READ | ((s.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
      if (mprotect(memory_ + s.p_vaddr, (s.p_memsz + page - 1) / page * page, protection) != 0)
        refuse("memory cannot be made executable: " + error_text(errno));
    }
  }

  void read_tables(std::uint64_t dynamic) {
    std::uint64_t hash = 0;
    for (std::uint64_t k = 0;; ++k) {
      const auto entry = at<Elf64_Dyn>(dynamic + k * sizeof(Elf64_Dyn));
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_SYMTAB) symbols_ = entry.d_un.d_val;
      if (entry.d_tag == DT_STRTAB) strings_ = entry.d_un.d_val;
      if (entry.d_tag == DT_HASH) hash = entry.d_un.d_val;
      if (entry.d_tag == DT_RELA) relocations_ = entry.d_un.d_val;
      if (entry.d_tag == DT_RELASZ) relocation_count_ = entry.d_un.d_val / sizeof(Elf64_Rela);
    }
    symbol_count_ = at<Elf64_Word>(hash + sizeof(Elf64_Word));
  }

  void relocate() {
    for (std::uint64_t k = 0; k < relocation_count_; ++k) {
      const auto r = at<Elf64_Rela>(relocations_ + k * sizeof(Elf64_Rela));
      std::uint64_t value = reinterpret_cast<std::uintptr_t>(memory_);
      if (ELF64_R_TYPE(r.r_info) != R_X86_64_RELATIVE) {
        if (ELF64_R_TYPE(r.r_info) != R_X86_64_GLOB_DAT && ELF64_R_TYPE(r.r_info) != R_X86_64_64)
          refuse("the image has relocations of type " + std::to_string(ELF64_R_TYPE(r.r_info)));
        const std::string name = name_of(at<Elf64_Sym>(symbols_ + ELF64_R_SYM(r.r_info) * sizeof(Elf64_Sym)));
        value = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, name.c_str()));
        if (value == 0) refuse("the process has no " + name);
      }
      value += static_cast<std::uint64_t>(r.r_addend);
      (void)at<std::uint64_t>(r.r_offset);
      std::memcpy(memory_ + r.r_offset, &value, sizeof value);
    }
  }

  void release() noexcept {
    if (memory_) munmap(memory_, size_);
    memory_ = nullptr;
  }

  char* memory_ = nullptr;
  std::uint64_t size_ = 0, symbols_ = 0, symbol_count_ = 0, strings_ = 0, relocations_ = 0, relocation_count_ = 0;
};

}  // namespace

std::shared_ptr<LoadedImage> load_image(std::string_view image) { return std::make_shared<Mapped>(image); }

}  // namespace jit
TESSERA_END
