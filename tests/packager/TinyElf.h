//===- TinyElf.h - The smallest image that a CPU pack may hold --*- C++ -*-===//

#ifndef NEREID_TESTS_PACKAGER_TINYELF_H
#define NEREID_TESTS_PACKAGER_TINYELF_H

#include <cstring>
#include <elf.h>
#include <string>

namespace nereid {

/// What to get wrong.
struct TinyElfOptions {
  std::string import;        ///< an undefined symbol
  bool needsLibrary = false; ///< DT_NEEDED
  bool hasInit = false;      ///< DT_INIT_ARRAY
  bool hasTls = false;       ///< PT_TLS
  uint32_t relocation = 0;   ///< type of one relocation
  uint16_t machine = EM_X86_64;
};

/// An ELF shared object that exports `symbol`, a function that returns 0, and
/// has `payload` behind it.
inline std::string tinyElf(const std::string &symbol,
                           const std::string &payload = {},
                           const TinyElfOptions &options = {}) {
  struct Parts {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    Elf64_Sym symbols[3];
    uint32_t hash[6]; // one bucket, three chains
    uint32_t pad;
    Elf64_Rela relocation;
    Elf64_Dyn dynamic[12];
    unsigned char code[8];
    uint64_t data;
  } parts;
  std::memset(&parts, 0, sizeof(parts));
  std::string strings = std::string(1, '\0') + symbol + '\0';
  size_t importAt = strings.size();
  strings += options.import + '\0';
  size_t stringsAt = sizeof(parts);
  auto place = [&](const void *member) {
    return uint64_t(static_cast<const char *>(member) -
                    reinterpret_cast<const char *>(&parts));
  };

  std::memcpy(parts.header.e_ident, ELFMAG, SELFMAG);
  parts.header.e_ident[EI_CLASS] = ELFCLASS64;
  parts.header.e_ident[EI_DATA] = ELFDATA2LSB;
  parts.header.e_ident[EI_VERSION] = EV_CURRENT;
  parts.header.e_type = ET_DYN;
  parts.header.e_machine = options.machine;
  parts.header.e_version = EV_CURRENT;
  parts.header.e_phoff = place(parts.segments);
  parts.header.e_ehsize = sizeof(Elf64_Ehdr);
  parts.header.e_phentsize = sizeof(Elf64_Phdr);
  parts.header.e_phnum = 3;
  uint64_t size = stringsAt + strings.size() + payload.size();
  parts.segments[0] = {PT_LOAD, PF_R | PF_X, 0, 0, 0, size, size, 4096};
  parts.segments[1] = {PT_DYNAMIC,
                       PF_R,
                       place(parts.dynamic),
                       place(parts.dynamic),
                       place(parts.dynamic),
                       sizeof(parts.dynamic),
                       sizeof(parts.dynamic),
                       8};
  parts.segments[2].p_type = options.hasTls ? PT_TLS : PT_NULL;
  parts.symbols[1].st_name = 1;
  parts.symbols[1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  parts.symbols[1].st_shndx = 1;
  parts.symbols[1].st_value = place(parts.code);
  parts.symbols[1].st_size = sizeof(parts.code);
  parts.symbols[2].st_name = uint32_t(importAt);
  parts.symbols[2].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  uint32_t count = options.import.empty() ? 2 : 3;
  uint32_t hash[6] = {1, count, 1, 0, count == 3 ? 2u : 0u, 0};
  std::memcpy(parts.hash, hash, sizeof(hash));
  parts.relocation.r_offset = place(&parts.data);
  parts.relocation.r_info = ELF64_R_INFO(0, options.relocation);
  size_t n = 0;
  auto dynamic = [&](int64_t tag, uint64_t value) {
    parts.dynamic[n].d_tag = tag;
    parts.dynamic[n++].d_un.d_val = value;
  };
  dynamic(DT_SYMTAB, place(parts.symbols));
  dynamic(DT_SYMENT, sizeof(Elf64_Sym));
  dynamic(DT_STRTAB, stringsAt);
  dynamic(DT_STRSZ, strings.size());
  dynamic(DT_HASH, place(parts.hash));
  if (options.needsLibrary)
    dynamic(DT_NEEDED, 1);
  if (options.hasInit)
    dynamic(DT_INIT_ARRAY, place(&parts.data));
  if (options.relocation) {
    dynamic(DT_RELA, place(&parts.relocation));
    dynamic(DT_RELASZ, sizeof(parts.relocation));
    dynamic(DT_RELAENT, sizeof(parts.relocation));
  }
  const unsigned char code[] = {0x31, 0xc0, 0xc3}; // xor eax, eax; ret
  std::memcpy(parts.code, code, sizeof(code));
  return std::string(reinterpret_cast<const char *>(&parts), sizeof(parts)) +
         strings + payload;
}

} // namespace nereid

#endif // NEREID_TESTS_PACKAGER_TINYELF_H
