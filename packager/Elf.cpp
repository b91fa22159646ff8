//===- Elf.cpp - What a CPU image may contain -----------------------------===//

#include "packager/Elf.h"

#include "nereid/cpu_kernel.h"

#include <cstring>
#include <elf.h>
#include <vector>

namespace nereid::pack {

namespace {

class Checker {
public:
  Checker(std::string_view image, std::string_view symbol)
      : image(image), symbol(symbol) {}

  Status run(std::string_view target) {
    Elf64_Ehdr header;
    if (!read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
      return Status::error("the image is no ELF file");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB)
      return Status::error("the image is not 64-bit little-endian ELF");
    if (header.e_type != ET_DYN)
      return Status::error("the image is no ELF shared object");
    machine = header.e_machine;
    unsigned expected =
        target.substr(0, 7) == "aarch64" ? EM_AARCH64 : EM_X86_64;
    if (machine != expected)
      return Status::error("the image is for ELF machine ", machine,
                           ", but its target ", target, " is machine ",
                           expected);
    if (header.e_phentsize != sizeof(Elf64_Phdr))
      return damaged("the program headers");
    bool hasDynamic = false;
    Elf64_Phdr dynamic = {};
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      if (!read(header.e_phoff + i * sizeof(segment), segment))
        return damaged("the program headers");
      if (segment.p_type == PT_TLS)
        return Status::error("the image has thread-local storage, which a "
                             "kernel may not have");
      if (segment.p_type == PT_INTERP)
        return Status::error("the image is a program, not a shared object");
      if (segment.p_type == PT_LOAD)
        loads.push_back(segment);
      if (segment.p_type == PT_DYNAMIC) {
        dynamic = segment;
        hasDynamic = true;
      }
    }
    if (!hasDynamic)
      return Status::error("the image has no dynamic section");
    if (Status status = readDynamic(dynamic); !status)
      return status;
    if (Status status = checkSymbols(); !status)
      return status;
    if (Status status = checkRelocations(rela, relaSize); !status)
      return status;
    return checkRelocations(jumps, jumpsSize);
  }

private:
  static Status damaged(const char *what) {
    return Status::error("the image is damaged: ", what,
                         " lie outside the file");
  }

  template <typename T> bool read(uint64_t offset, T &out) const {
    if (offset > image.size() || sizeof(T) > image.size() - offset)
      return false;
    std::memcpy(&out, image.data() + offset, sizeof(T));
    return true;
  }

  // The place in the file of a virtual address.
  bool offsetOf(uint64_t address, uint64_t &offset) const {
    for (const Elf64_Phdr &load : loads)
      if (address >= load.p_vaddr && address - load.p_vaddr < load.p_filesz) {
        offset = address - load.p_vaddr + load.p_offset;
        return true;
      }
    return false;
  }

  Status readDynamic(const Elf64_Phdr &segment) {
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_filesz;
         at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      if (!read(segment.p_offset + at, entry))
        return damaged("the dynamic entries");
      switch (entry.d_tag) {
      case DT_NULL:
        return {};
      case DT_NEEDED:
        return Status::error("the image needs another library; a kernel may "
                             "need none");
      case DT_INIT:
      case DT_FINI:
      case DT_INIT_ARRAY:
      case DT_FINI_ARRAY:
      case DT_PREINIT_ARRAY:
        return Status::error("the image runs code when it is loaded or "
                             "unloaded, which a kernel may not");
      case DT_TEXTREL:
        return Status::error("the image has relocations in its code");
      case DT_REL:
      case DT_RELR:
        return Status::error("the image has relocations of a kind that the "
                             "loader does not know");
      case DT_SYMTAB:
        symbols = entry.d_un.d_ptr;
        break;
      case DT_STRTAB:
        strings = entry.d_un.d_ptr;
        break;
      case DT_STRSZ:
        stringsSize = entry.d_un.d_val;
        break;
      case DT_HASH:
        hash = entry.d_un.d_ptr;
        break;
      case DT_GNU_HASH:
        gnuHash = entry.d_un.d_ptr;
        break;
      case DT_RELA:
        rela = entry.d_un.d_ptr;
        break;
      case DT_RELASZ:
        relaSize = entry.d_un.d_val;
        break;
      case DT_JMPREL:
        jumps = entry.d_un.d_ptr;
        break;
      case DT_PLTRELSZ:
        jumpsSize = entry.d_un.d_val;
        break;
      default:
        break;
      }
    }
    return {};
  }

  // How many dynamic symbols there are: ELF says it only through the hash
  // tables.
  Status countSymbols(uint64_t &count) const {
    uint64_t offset;
    uint32_t words[4];
    if (hash && offsetOf(hash, offset) && read(offset, words)) {
      count = words[1];
      return {};
    }
    if (!gnuHash || !offsetOf(gnuHash, offset) || !read(offset, words))
      return Status::error("the image has no symbol hash table");
    uint64_t buckets = offset + 16 + uint64_t(words[2]) * 8;
    uint64_t last = 0;
    for (uint64_t i = 0; i < words[0]; ++i) {
      uint32_t bucket;
      if (!read(buckets + 4 * i, bucket))
        return damaged("the symbol hashes");
      last = bucket > last ? bucket : last;
    }
    count = words[1];
    if (last < words[1])
      return {};
    uint64_t chains = buckets + uint64_t(words[0]) * 4;
    for (;; ++last) {
      uint32_t link;
      if (!read(chains + 4 * (last - words[1]), link))
        return damaged("the symbol hashes");
      if (link & 1)
        break;
    }
    count = last + 1;
    return {};
  }

  Status checkSymbols() const {
    uint64_t count, table, names;
    if (Status status = countSymbols(count); !status)
      return status;
    if (!symbols || !offsetOf(symbols, table) || !offsetOf(strings, names) ||
        stringsSize > image.size() || names > image.size() - stringsSize)
      return damaged("the dynamic symbols");
    std::string_view text = image.substr(names, stringsSize);
    bool found = false;
    for (uint64_t i = 1; i < count; ++i) {
      Elf64_Sym entry;
      if (i > image.size() || !read(table + i * sizeof(entry), entry) ||
          entry.st_name >= text.size())
        return damaged("the dynamic symbols");
      std::string_view name = text.substr(entry.st_name);
      name = name.substr(0, name.find('\0'));
      if (entry.st_shndx == SHN_UNDEF) {
        if (!isAllowed(name))
          return Status::error("the image imports '", name,
                               "'; a kernel may "
                               "import ",
                               allowedNames(), " only");
      } else if (name == symbol) {
        found = true;
      }
    }
    if (!found)
      return Status::error("the image does not export its entry point '",
                           symbol, "'");
    return {};
  }

  static bool isAllowed(std::string_view name) {
#define NRD_ALLOWED(allowed)                                                   \
  if (name == #allowed)                                                        \
    return true;
    NRD_CPU_IMPORT_LIST(NRD_ALLOWED)
#undef NRD_ALLOWED
    return false;
  }
  static std::string allowedNames() {
    std::string names;
#define NRD_ALLOWED(allowed) names += names.empty() ? #allowed : ", " #allowed;
    NRD_CPU_IMPORT_LIST(NRD_ALLOWED)
#undef NRD_ALLOWED
    return names;
  }

  Status checkRelocations(uint64_t address, uint64_t size) const {
    if (!size)
      return {};
    uint64_t offset;
    if (!offsetOf(address, offset))
      return damaged("the relocations");
    for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= size;
         at += sizeof(Elf64_Rela)) {
      Elf64_Rela entry;
      if (!read(offset + at, entry))
        return damaged("the relocations");
      uint32_t type = static_cast<uint32_t>(ELF64_R_TYPE(entry.r_info));
      bool known =
          machine == EM_AARCH64
              ? type == R_AARCH64_RELATIVE || type == R_AARCH64_GLOB_DAT ||
                    type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_ABS64
              : type == R_X86_64_RELATIVE || type == R_X86_64_GLOB_DAT ||
                    type == R_X86_64_JUMP_SLOT || type == R_X86_64_64;
      if (!known)
        return Status::error("the image has a relocation of type ", type,
                             ", which the loader does not know");
    }
    return {};
  }

  std::string_view image, symbol;
  unsigned machine = 0;
  std::vector<Elf64_Phdr> loads;
  uint64_t symbols = 0, strings = 0, stringsSize = 0, hash = 0, gnuHash = 0;
  uint64_t rela = 0, relaSize = 0, jumps = 0, jumpsSize = 0;
};

} // namespace

Status checkCpuImage(std::string_view image, std::string_view target,
                     std::string_view symbol) {
  return Checker(image, symbol).run(target);
}

} // namespace nereid::pack
