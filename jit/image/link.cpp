// Owns the linking of one relocatable object into a shared library: layout, relocations, dynamic tables.
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

#include "jit/image/image.hpp"
#include "tessera/call/errors.hpp"

// lld as a library would do this too, with global state, in milliseconds, through files, and by libraries that a
// program without LLVM lacks. The code generator writes few kinds of sections and relocations: any other is refused
// here.

TESSERA_BEGIN
namespace jit {
namespace {

constexpr std::uint64_t page = 4096;

[[noreturn]] void refuse(const std::string& why) {
  throw InternalError("an object cannot be made into an image: " + why);
}

std::uint64_t align(std::uint64_t at, std::uint64_t to) { return to > 1 ? (at + to - 1) / to * to : at; }

/// A part of the image: what is read, what is executed, what is written.
enum Part : std::size_t { readable, executable, writable, part_count };

struct Section {
  Part part = readable;
  std::uint64_t address = 0;  // in the image; 0: not in it
};

class Linker {
 public:
  explicit Linker(std::string_view object) : object_(object) {}

  std::string link(const std::vector<std::string>& exported) {
    read_object();
    place_sections();
    find_imports();
    make_tables(exported);
    relocate();
    return write();
  }

 private:
  template <class T>
  T at(std::uint64_t offset) const {
    if (offset > object_.size() || sizeof(T) > object_.size() - offset) refuse("it ends too early");
    T value;
    std::memcpy(&value, object_.data() + offset, sizeof value);
    return value;
  }

  std::string_view text(const Elf64_Shdr& strings, std::uint64_t offset) const {
    if (strings.sh_offset > object_.size() || strings.sh_size > object_.size() - strings.sh_offset ||
        offset >= strings.sh_size)
      refuse("a name lies outside");
    const char* start = object_.data() + strings.sh_offset + offset;
    return {start, strnlen(start, strings.sh_size - offset)};
  }

  void read_object() {
    const auto head = at<Elf64_Ehdr>(0);
    if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_type != ET_REL || head.e_machine != EM_X86_64 || head.e_shentsize != sizeof(Elf64_Shdr))
      refuse("it is no relocatable object of x86-64");
    for (std::uint64_t i = 0; i < head.e_shnum; ++i)
      headers_.push_back(at<Elf64_Shdr>(head.e_shoff + i * sizeof(Elf64_Shdr)));
    if (head.e_shstrndx >= headers_.size()) refuse("its sections have no names");
    sections_.resize(headers_.size());
    for (const Elf64_Shdr& s : headers_) {
      if (s.sh_type != SHT_NOBITS && (s.sh_offset > object_.size() || s.sh_size > object_.size() - s.sh_offset))
        refuse("a section lies outside");
      if (s.sh_type != SHT_SYMTAB) continue;
      for (std::uint64_t k = 0; k < s.sh_size / sizeof(Elf64_Sym); ++k)
        symbols_.push_back(at<Elf64_Sym>(s.sh_offset + k * sizeof(Elf64_Sym)));
      if (s.sh_link >= headers_.size()) refuse("its symbols have no names");
      symbol_names_ = headers_[s.sh_link];
    }
    names_ = headers_[head.e_shstrndx];
  }

  bool wanted(std::size_t i) const {
    const Elf64_Shdr& s = headers_[i];
    // Kernels neither throw nor are unwound through; notes are for linkers.
    return (s.sh_flags & SHF_ALLOC) != 0 && s.sh_size > 0 && s.sh_type != SHT_NOTE && s.sh_type != SHT_X86_64_UNWIND &&
           text(names_, s.sh_name) != ".eh_frame";
  }

  template <class F>
  void each_relocation(F f) const {
    for (const Elf64_Shdr& s : headers_) {
      if (s.sh_type == SHT_REL) refuse("it has relocations without addends");
      if (s.sh_type != SHT_RELA || s.sh_info >= headers_.size() || !wanted(s.sh_info)) continue;
      for (std::uint64_t k = 0; k < s.sh_size / sizeof(Elf64_Rela); ++k) {
        const auto r = at<Elf64_Rela>(s.sh_offset + k * sizeof(Elf64_Rela));
        if (ELF64_R_SYM(r.r_info) >= symbols_.size()) refuse("a relocation has no symbol");
        f(static_cast<std::size_t>(s.sh_info), r, symbols_[ELF64_R_SYM(r.r_info)]);
      }
    }
  }

  void place_sections() {
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      const Elf64_Shdr& s = headers_[i];
      if ((s.sh_flags & SHF_TLS) != 0) refuse("it has thread-local data");
      sections_[i].part = (s.sh_flags & SHF_EXECINSTR) != 0 ? executable
                          : (s.sh_flags & SHF_WRITE) != 0   ? writable
                                                            : readable;
    }
    each_relocation([&](std::size_t i, const Elf64_Rela& r, const Elf64_Sym&) {
      if (ELF64_R_TYPE(r.r_info) == R_X86_64_64) sections_[i].part = writable;  // filled when the image is loaded
    });
    // Offsets within the parts first: the tables that come before them are not known yet.
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      if (!wanted(i)) continue;
      const Elf64_Shdr& s = headers_[i];
      if (s.sh_addralign > page) refuse("a section is aligned beyond a page");
      std::string& part = parts_[sections_[i].part];
      part.resize(align(part.size(), std::max<std::uint64_t>(s.sh_addralign, 1)));
      sections_[i].address = part.size();
      if (s.sh_type == SHT_NOBITS)
        part.resize(part.size() + s.sh_size);
      else
        part.append(object_.substr(s.sh_offset, s.sh_size));
    }
  }

  void find_imports() {
    each_relocation([&](std::size_t, const Elf64_Rela& r, const Elf64_Sym& symbol) {
      const auto number = static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info));
      const auto type = ELF64_R_TYPE(r.r_info);
      const bool undefined = symbol.st_shndx == SHN_UNDEF;
      const bool by_table = type == R_X86_64_GOTPCREL || type == R_X86_64_GOTPCRELX || type == R_X86_64_REX_GOTPCRELX;
      if (undefined && !by_table && type != R_X86_64_PLT32 && type != R_X86_64_64)
        refuse("it refers to " + std::string(text(symbol_names_, symbol.st_name)) + " in a way that needs its address");
      if (by_table || (undefined && type == R_X86_64_PLT32)) slots_.emplace(number, 0);
      if (undefined && type == R_X86_64_PLT32) stubs_.emplace(number, 0);
      if (undefined) imports_.emplace(number, 0);
    });
    std::string& code = parts_[executable];
    for (auto& [number, offset] : stubs_) {  // jmp *slot(%rip), filled in when slots have addresses
      code.resize(align(code.size(), 16));
      offset = code.size();
      code.append("\xff\x25\0\0\0\0", 6);
    }
    std::string& data = parts_[writable];
    for (auto& [number, offset] : slots_) {
      data.resize(align(data.size(), 8));
      offset = data.size();
      data.append(8, '\0');
    }
  }

  /// Dynamic symbols and their names, then the addresses of all parts.
  void make_tables(const std::vector<std::string>& exported) {
    dynamic_symbols_.push_back({});
    strings_.push_back('\0');
    const auto add = [&](std::string_view name, Elf64_Sym symbol) {
      symbol.st_name = static_cast<Elf64_Word>(strings_.size());
      strings_.append(name).push_back('\0');
      dynamic_symbols_.push_back(symbol);
      return dynamic_symbols_.size() - 1;
    };
    for (auto& [number, index] : imports_)
      index = add(text(symbol_names_, symbols_[number].st_name),
                  {0, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, SHN_UNDEF, 0, 0});
    for (const std::string& name : exported) {
      const auto found = std::find_if(symbols_.begin(), symbols_.end(), [&](const Elf64_Sym& s) {
        return s.st_shndx != SHN_UNDEF && s.st_name != 0 && text(symbol_names_, s.st_name) == name;
      });
      if (found == symbols_.end() || !defined(*found)) refuse("it does not define " + name);
      Elf64_Sym symbol = *found;
      symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, ELF64_ST_TYPE(symbol.st_info));
      symbol.st_other = STV_DEFAULT;
      add(name, symbol);
      exports_.emplace_back(dynamic_symbols_.size() - 1, *found);
    }
    std::uint64_t relocations = slots_.size();
    each_relocation([&](std::size_t, const Elf64_Rela& r, const Elf64_Sym&) {
      relocations += ELF64_R_TYPE(r.r_info) == R_X86_64_64;
    });

    // The part that is read starts with the tables, the part that is written with the dynamic section.
    std::uint64_t end = sizeof(Elf64_Ehdr) + program_headers * sizeof(Elf64_Phdr);
    const auto table = [&](std::uint64_t size) {
      const std::uint64_t start = align(end, 8);
      end = start + size;
      return start;
    };
    symbols_at_ = table(dynamic_symbols_.size() * sizeof(Elf64_Sym));
    hash_at_ = table((2 + 1 + dynamic_symbols_.size()) * sizeof(Elf64_Word));
    strings_at_ = table(strings_.size());
    relocations_at_ = table(relocations * sizeof(Elf64_Rela));
    base_[readable] = align(end, 64);
    base_[executable] = align(base_[readable] + parts_[readable].size(), page);
    dynamic_at_ = align(base_[executable] + parts_[executable].size(), page);
    base_[writable] = align(dynamic_at_ + dynamic_entries * sizeof(Elf64_Dyn), 64);
    end_ = base_[writable] + parts_[writable].size();
    // The parts' own alignments are at most a page; their bases must honour them.
    for (std::size_t i = 0; i < headers_.size(); ++i)
      if (wanted(i) && headers_[i].sh_addralign > 64) refuse("a section is aligned beyond 64 bytes");
    for (std::size_t i = 0; i < headers_.size(); ++i)
      if (wanted(i)) sections_[i].address += base_[sections_[i].part];
    for (auto& [number, offset] : slots_) offset += base_[writable];
    for (auto& [number, offset] : stubs_) offset += base_[executable];
  }

  bool defined(const Elf64_Sym& symbol) const { return symbol.st_shndx < headers_.size() && wanted(symbol.st_shndx); }

  std::uint64_t address(const Elf64_Sym& symbol) const {
    if (!defined(symbol)) refuse("a symbol is not in the object's memory");
    return sections_[symbol.st_shndx].address + symbol.st_value;
  }

  void store(Part part, std::uint64_t place, const void* bytes, std::size_t count) {
    std::string& to = parts_[part];
    const std::uint64_t offset = place - base_[part];
    if (offset > to.size() || count > to.size() - offset) refuse("a relocation lies outside");
    std::memcpy(to.data() + offset, bytes, count);
  }

  void store_relative(Part part, std::uint64_t place, std::uint64_t target, std::int64_t addend) {
    const auto distance = static_cast<std::int64_t>(target) + addend - static_cast<std::int64_t>(place);
    const auto narrow = static_cast<std::int32_t>(distance);
    if (narrow != distance) refuse("code and data are too far apart");
    store(part, place, &narrow, sizeof narrow);
  }

  void relocate() {
    each_relocation([&](std::size_t i, const Elf64_Rela& r, const Elf64_Sym& symbol) {
      const Section& section = sections_[i];
      const std::uint64_t place = section.address + r.r_offset;
      const auto number = static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info));
      switch (ELF64_R_TYPE(r.r_info)) {
        case R_X86_64_NONE:
          return;
        case R_X86_64_PC32:
        case R_X86_64_PLT32:
          store_relative(section.part, place, stubs_.contains(number) ? stubs_.at(number) : address(symbol),
                         r.r_addend);
          return;
        case R_X86_64_PC64: {
          const std::uint64_t distance = address(symbol) + static_cast<std::uint64_t>(r.r_addend) - place;
          store(section.part, place, &distance, sizeof distance);
          return;
        }
        case R_X86_64_GOTPCREL:
        case R_X86_64_GOTPCRELX:
        case R_X86_64_REX_GOTPCRELX:
          store_relative(section.part, place, slots_.at(number), r.r_addend);
          return;
        case R_X86_64_64:
          if (symbol.st_shndx == SHN_UNDEF)
            dynamic_relocations_.push_back({place, ELF64_R_INFO(imports_.at(number), R_X86_64_64), r.r_addend});
          else
            dynamic_relocations_.push_back(
                {place, ELF64_R_INFO(0, R_X86_64_RELATIVE), static_cast<std::int64_t>(address(symbol)) + r.r_addend});
          return;
        default:
          refuse("it has relocations of type " + std::to_string(ELF64_R_TYPE(r.r_info)));
      }
    });
    for (const auto& [number, place] : slots_) {
      if (symbols_[number].st_shndx == SHN_UNDEF)
        dynamic_relocations_.push_back({place, ELF64_R_INFO(imports_.at(number), R_X86_64_GLOB_DAT), 0});
      else
        dynamic_relocations_.push_back(
            {place, ELF64_R_INFO(0, R_X86_64_RELATIVE), static_cast<std::int64_t>(address(symbols_[number]))});
    }
    for (const auto& [number, place] : stubs_) store_relative(executable, place + 2, slots_.at(number), -4);
    for (const auto& [index, symbol] : exports_) {
      dynamic_symbols_[index].st_value = address(symbol);
      dynamic_symbols_[index].st_shndx = 1;  // any section: it is defined
    }
  }

  std::string write() const {
    std::string out(static_cast<std::size_t>(end_), '\0');
    const auto put = [&](std::uint64_t to, const void* bytes, std::size_t count) {
      if (count > 0) std::memcpy(out.data() + to, bytes, count);  // an empty table has no address
    };
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_ident[EI_VERSION] = head.e_version = EV_CURRENT;
    head.e_type = ET_DYN;
    head.e_machine = EM_X86_64;
    head.e_phoff = head.e_ehsize = sizeof head;
    head.e_phentsize = sizeof(Elf64_Phdr);
    head.e_phnum = program_headers;
    head.e_shentsize = sizeof(Elf64_Shdr);
    put(0, &head, sizeof head);

    const auto segment = [](Elf64_Word type, Elf64_Word flags, std::uint64_t start, std::uint64_t size,
                            std::uint64_t alignment) {
      return Elf64_Phdr{type, flags, start, start, start, size, size, alignment};
    };
    const std::uint64_t code_size = parts_[executable].size();
    const Elf64_Phdr segments[program_headers] = {
        segment(PT_LOAD, PF_R, 0, base_[readable] + parts_[readable].size(), page),
        segment(PT_LOAD, PF_R | PF_X, base_[executable], code_size, page),
        segment(PT_LOAD, PF_R | PF_W, dynamic_at_, end_ - dynamic_at_, page),
        segment(PT_DYNAMIC, PF_R | PF_W, dynamic_at_, dynamic_entries * sizeof(Elf64_Dyn), 8),
        segment(PT_GNU_STACK, PF_R | PF_W, 0, 0, 16)};
    put(sizeof head, segments, sizeof segments);

    put(symbols_at_, dynamic_symbols_.data(), dynamic_symbols_.size() * sizeof(Elf64_Sym));
    // One bucket: the symbols are a handful.
    std::vector<Elf64_Word> hash = {1, static_cast<Elf64_Word>(dynamic_symbols_.size()),
                                    dynamic_symbols_.size() > 1 ? 1u : 0u};
    for (std::size_t i = 0; i < dynamic_symbols_.size(); ++i)
      hash.push_back(i == 0 || i + 1 == dynamic_symbols_.size() ? 0 : static_cast<Elf64_Word>(i + 1));
    put(hash_at_, hash.data(), hash.size() * sizeof(Elf64_Word));
    put(strings_at_, strings_.data(), strings_.size());
    put(relocations_at_, dynamic_relocations_.data(), dynamic_relocations_.size() * sizeof(Elf64_Rela));
    const auto entry = [](Elf64_Sxword tag, std::uint64_t value) {
      Elf64_Dyn d{};
      d.d_tag = tag;
      d.d_un.d_val = value;
      return d;
    };
    const Elf64_Dyn dynamic[dynamic_entries] = {entry(DT_HASH, hash_at_),
                                                entry(DT_SYMTAB, symbols_at_),
                                                entry(DT_SYMENT, sizeof(Elf64_Sym)),
                                                entry(DT_STRTAB, strings_at_),
                                                entry(DT_STRSZ, strings_.size()),
                                                entry(DT_RELA, relocations_at_),
                                                entry(DT_RELASZ, dynamic_relocations_.size() * sizeof(Elf64_Rela)),
                                                entry(DT_RELAENT, sizeof(Elf64_Rela)),
                                                entry(DT_FLAGS, DF_BIND_NOW),
                                                entry(DT_NULL, 0)};
    put(dynamic_at_, dynamic, sizeof dynamic);
    for (std::size_t part = 0; part < part_count; ++part) put(base_[part], parts_[part].data(), parts_[part].size());
    return out;
  }

  static constexpr std::size_t program_headers = 5, dynamic_entries = 10;

  std::string_view object_;
  std::vector<Elf64_Shdr> headers_;
  std::vector<Section> sections_;
  std::vector<Elf64_Sym> symbols_;
  Elf64_Shdr names_{}, symbol_names_{};
  std::array<std::string, part_count> parts_;
  std::array<std::uint64_t, part_count> base_{};
  // By symbol number: addresses of slots that hold addresses, of stubs that jump through them, and dynamic symbols.
  std::map<std::uint32_t, std::uint64_t> slots_, stubs_, imports_;
  std::vector<std::pair<std::size_t, Elf64_Sym>> exports_;
  std::vector<Elf64_Sym> dynamic_symbols_;
  std::vector<Elf64_Rela> dynamic_relocations_;
  std::string strings_;
  std::uint64_t symbols_at_ = 0, hash_at_ = 0, strings_at_ = 0, relocations_at_ = 0, dynamic_at_ = 0, end_ = 0;
};

}  // namespace

std::string link_image(std::string_view object, const std::vector<std::string>& exported) {
  return Linker(object).link(exported);
}

}  // namespace jit
TESSERA_END
