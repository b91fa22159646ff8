// runtime/driver/cpu/elf.c - loads freestanding ELF objects from memory.
//
// "Address" below means an offset from the object's address 0. Every address
// taken from the object goes through at(), which checks it against the mapping.

#include "runtime/driver/cpu/elf.h"

#include "nereid/cpu_kernel.h"
#include "runtime/error.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__aarch64__)
enum {
  MACHINE = EM_AARCH64,
  RELATIVE = R_AARCH64_RELATIVE,
  GLOB_DAT = R_AARCH64_GLOB_DAT,
  JUMP_SLOT = R_AARCH64_JUMP_SLOT,
  ABSOLUTE = R_AARCH64_ABS64
};
#else
enum {
  MACHINE = EM_X86_64,
  RELATIVE = R_X86_64_RELATIVE,
  GLOB_DAT = R_X86_64_GLOB_DAT,
  JUMP_SLOT = R_X86_64_JUMP_SLOT,
  ABSOLUTE = R_X86_64_64
};
#endif

enum { MAX_SEGMENTS = 16, MAX_DYNAMIC = 256 };
static const uint64_t MAX_SPAN = UINT64_C(1) << 30;

// What the dynamic section says.
typedef struct dynamic_t {
  uint64_t strings, string_size;
  uint64_t symbols, symbol_size;
  uint64_t hash, gnu_hash;
  uint64_t relocations, relocations_size, relocation_size;
  uint64_t jumps, jumps_size, jumps_kind;
} dynamic_t;

typedef struct loader_t {
  nrd_elf_t *elf;
  const char *what;
  uint64_t page;
  Elf64_Phdr segments[MAX_SEGMENTS]; // PT_LOAD, rising
  uint32_t segment_count;
  uint64_t relro_begin, relro_end;
} loader_t;

NRD_COLD static nrd_status_t refuse(const loader_t *l, const char *problem) {
  return nrd_fail(NRD_CORRUPT, "%s cannot be loaded: %s", l->what, problem);
}

#define REFUSE_IF(condition, problem)                                          \
  do {                                                                         \
    if (condition)                                                             \
      return refuse(l, problem);                                               \
  } while (0)

// |size| bytes at |address| of the mapping, or NULL if they are not inside.
static uint8_t *at(const nrd_elf_t *elf, uint64_t address, uint64_t size) {
  if (address > elf->size || size > elf->size - address)
    return NULL;
  return elf->base + address;
}

static nrd_status_t check_header(const loader_t *l, const uint8_t *bytes,
                                 size_t size, Elf64_Ehdr *header) {
  REFUSE_IF(size < sizeof *header, "it is too short to be an ELF object");
  memcpy(header, bytes, sizeof *header);
  REFUSE_IF(memcmp(header->e_ident, ELFMAG, SELFMAG) ||
                header->e_ident[EI_CLASS] != ELFCLASS64 ||
                header->e_ident[EI_DATA] != ELFDATA2LSB ||
                header->e_type != ET_DYN,
            "it is not a 64-bit little-endian ELF shared object");
  if (header->e_machine != MACHINE)
    return nrd_fail(NRD_INCOMPATIBLE,
                    "%s cannot be loaded: it is for ELF machine %u, and this "
                    "processor is %u",
                    l->what, header->e_machine, (unsigned)MACHINE);
  REFUSE_IF(header->e_phentsize != sizeof(Elf64_Phdr) ||
                header->e_phoff > size ||
                (uint64_t)header->e_phnum * sizeof(Elf64_Phdr) >
                    size - header->e_phoff,
            "its program headers lie outside the file");
  return NRD_OK;
}

// Collects the segments and where the dynamic section stands.
static nrd_status_t read_segments(loader_t *l, const uint8_t *bytes,
                                  size_t size, const Elf64_Ehdr *header,
                                  Elf64_Phdr *out_dynamic) {
  uint64_t end = 0;
  memset(out_dynamic, 0, sizeof *out_dynamic);
  for (uint32_t i = 0; i < header->e_phnum; ++i) {
    Elf64_Phdr segment;
    memcpy(&segment, bytes + header->e_phoff + i * sizeof segment,
           sizeof segment);
    switch (segment.p_type) {
    case PT_LOAD:
      if (!segment.p_memsz)
        break;
      REFUSE_IF(l->segment_count == MAX_SEGMENTS, "it has too many segments");
      REFUSE_IF(segment.p_filesz > segment.p_memsz || segment.p_offset > size ||
                    segment.p_filesz > size - segment.p_offset,
                "a segment lies outside the file");
      REFUSE_IF(segment.p_memsz > MAX_SPAN || segment.p_vaddr > MAX_SPAN,
                "a segment is too large");
      REFUSE_IF((segment.p_flags & PF_W) && (segment.p_flags & PF_X),
                "a segment is writable and executable");
      // Each page has one protection, so segments may not share one.
      REFUSE_IF(segment.p_vaddr / l->page < (end + l->page - 1) / l->page,
                "its segments overlap or share a page");
      end = segment.p_vaddr + segment.p_memsz;
      l->segments[l->segment_count++] = segment;
      break;
    case PT_DYNAMIC:
      *out_dynamic = segment;
      break;
    case PT_GNU_RELRO:
      REFUSE_IF(segment.p_vaddr > MAX_SPAN || segment.p_memsz > MAX_SPAN,
                "its RELRO range is too large");
      l->relro_begin = segment.p_vaddr;
      l->relro_end = segment.p_vaddr + segment.p_memsz;
      break;
    case PT_GNU_STACK:
      REFUSE_IF(segment.p_flags & PF_X, "it asks for an executable stack");
      break;
    case PT_TLS:
      return refuse(l, "it has thread-local storage");
    case PT_INTERP:
      return refuse(l, "it asks for a program interpreter");
    default:
      break;
    }
  }
  REFUSE_IF(!l->segment_count, "it has nothing to load");
  REFUSE_IF(!out_dynamic->p_memsz, "it has no dynamic section");
  return NRD_OK;
}

static nrd_status_t map_segments(loader_t *l, const uint8_t *bytes) {
  const Elf64_Phdr *last = &l->segments[l->segment_count - 1];
  uint64_t span =
      (last->p_vaddr + last->p_memsz + l->page - 1) / l->page * l->page;
  void *base = mmap(NULL, span, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return nrd_fail_memory(span, "a kernel's code");
  l->elf->base = base;
  l->elf->size = span;
  for (uint32_t i = 0; i < l->segment_count; ++i) {
    const Elf64_Phdr *segment = &l->segments[i];
    memcpy(l->elf->base + segment->p_vaddr, bytes + segment->p_offset,
           segment->p_filesz);
    if (!(segment->p_flags & PF_X))
      continue;
    REFUSE_IF(l->elf->code_end, "it has more than one executable segment");
    l->elf->code_begin = segment->p_vaddr;
    l->elf->code_end = segment->p_vaddr + segment->p_memsz;
  }
  return NRD_OK;
}

static nrd_status_t read_dynamic(const loader_t *l, const Elf64_Phdr *segment,
                                 dynamic_t *d) {
  uint64_t count = segment->p_memsz / sizeof(Elf64_Dyn);
  REFUSE_IF(count > MAX_DYNAMIC, "its dynamic section is too long");
  const uint8_t *entries =
      at(l->elf, segment->p_vaddr, count * sizeof(Elf64_Dyn));
  REFUSE_IF(!entries, "its dynamic section lies outside its segments");
  memset(d, 0, sizeof *d);
  for (uint64_t i = 0; i < count; ++i) {
    Elf64_Dyn entry;
    memcpy(&entry, entries + i * sizeof entry, sizeof entry);
    uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
    case DT_NULL:
      return NRD_OK;
    case DT_STRTAB:
      d->strings = value;
      break;
    case DT_STRSZ:
      d->string_size = value;
      break;
    case DT_SYMTAB:
      d->symbols = value;
      break;
    case DT_SYMENT:
      d->symbol_size = value;
      break;
    case DT_HASH:
      d->hash = value;
      break;
    case DT_GNU_HASH:
      d->gnu_hash = value;
      break;
    case DT_RELA:
      d->relocations = value;
      break;
    case DT_RELASZ:
      d->relocations_size = value;
      break;
    case DT_RELAENT:
      d->relocation_size = value;
      break;
    case DT_JMPREL:
      d->jumps = value;
      break;
    case DT_PLTRELSZ:
      d->jumps_size = value;
      break;
    case DT_PLTREL:
      d->jumps_kind = value;
      break;
    case DT_NEEDED:
      return refuse(l, "it depends on another library");
    case DT_TEXTREL:
      return refuse(l, "it has relocations in its code");
    case DT_INIT:
    case DT_FINI:
      return refuse(l, "it has constructors or destructors");
    case DT_INIT_ARRAYSZ:
    case DT_FINI_ARRAYSZ:
    case DT_PREINIT_ARRAYSZ:
      REFUSE_IF(value, "it has constructors or destructors");
      break;
    case DT_REL:
    case 36: // DT_RELR
      return refuse(l, "it has relocations of another form than RELA");
    default:
      break;
    }
  }
  return NRD_OK;
}

// How many symbols there are: ELF says so only through its hash tables.
static nrd_status_t count_symbols(const loader_t *l, const dynamic_t *d,
                                  uint64_t *out_count) {
  if (d->hash) {
    const uint8_t *table = at(l->elf, d->hash, 8);
    REFUSE_IF(!table, "its hash table lies outside its segments");
    uint32_t count;
    memcpy(&count, table + 4, 4);
    *out_count = count;
    return NRD_OK;
  }
  REFUSE_IF(!d->gnu_hash, "it has no hash table");
  uint32_t head[4]; // buckets, first symbol, bloom words, bloom shift
  const uint8_t *table = at(l->elf, d->gnu_hash, sizeof head);
  REFUSE_IF(!table, "its hash table lies outside its segments");
  memcpy(head, table, sizeof head);
  uint64_t buckets = d->gnu_hash + sizeof head + 8 * (uint64_t)head[2];
  const uint8_t *bucket = at(l->elf, buckets, 4 * (uint64_t)head[0]);
  REFUSE_IF(!bucket, "its hash table lies outside its segments");
  uint64_t last = 0;
  for (uint32_t i = 0; i < head[0]; ++i) {
    uint32_t symbol;
    memcpy(&symbol, bucket + 4 * (uint64_t)i, 4);
    if (symbol > last)
      last = symbol;
  }
  if (!last) {
    *out_count = head[1];
    return NRD_OK;
  }
  REFUSE_IF(last < head[1], "its hash table is damaged");
  uint64_t chain = buckets + 4 * (uint64_t)head[0];
  for (;; ++last) { // to the end mark of the last chain
    const uint8_t *link = at(l->elf, chain + 4 * (last - head[1]), 4);
    REFUSE_IF(!link, "its hash table lies outside its segments");
    if (link[0] & 1)
      break;
  }
  *out_count = last + 1;
  return NRD_OK;
}

// The symbol's name if it lies in the string table and is terminated.
static const char *symbol_name(const nrd_elf_t *elf, const Elf64_Sym *symbol) {
  if (symbol->st_name >= elf->string_size)
    return NULL;
  const uint8_t *strings = elf->base + elf->strings;
  uint64_t room = elf->string_size - symbol->st_name;
  return memchr(strings + symbol->st_name, 0, room)
             ? (const char *)strings + symbol->st_name
             : NULL;
}

static Elf64_Sym get_symbol(const nrd_elf_t *elf, uint64_t index) {
  Elf64_Sym symbol;
  memcpy(&symbol, elf->base + elf->symbols + index * sizeof symbol,
         sizeof symbol);
  return symbol;
}

static nrd_status_t read_symbols(const loader_t *l, const dynamic_t *d) {
  nrd_elf_t *elf = l->elf;
  NRD_TRY(count_symbols(l, d, &elf->symbol_count));
  elf->symbols = d->symbols;
  elf->strings = d->strings;
  elf->string_size = d->string_size;
  REFUSE_IF(d->symbol_size != sizeof(Elf64_Sym) ||
                !at(elf, d->symbols, elf->symbol_count * sizeof(Elf64_Sym)),
            "its symbols lie outside its segments");
  REFUSE_IF(!at(elf, d->strings, d->string_size),
            "its strings lie outside its segments");
  return NRD_OK;
}

static const struct {
  const char *name;
  void *address;
} imports[] = {
#define IMPORT(name) {#name, (void *)(uintptr_t)name},
    NRD_CPU_IMPORT_LIST(IMPORT)
#undef IMPORT
};

static nrd_status_t resolve(const loader_t *l, uint64_t index,
                            uint64_t *out_value) {
  REFUSE_IF(index >= l->elf->symbol_count,
            "a relocation names a symbol that does not exist");
  Elf64_Sym symbol = get_symbol(l->elf, index);
  if (symbol.st_shndx != SHN_UNDEF) {
    REFUSE_IF(ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC ||
                  ELF64_ST_TYPE(symbol.st_info) == STT_TLS ||
                  symbol.st_shndx == SHN_ABS,
              "a symbol is of a kind that kernels may not have");
    REFUSE_IF(symbol.st_value > l->elf->size,
              "a symbol lies outside its segments");
    *out_value = (uint64_t)(uintptr_t)l->elf->base + symbol.st_value;
    return NRD_OK;
  }
  const char *name = symbol_name(l->elf, &symbol);
  REFUSE_IF(!name, "a symbol has no proper name");
  for (size_t i = 0; i < sizeof imports / sizeof *imports; ++i)
    if (!strcmp(imports[i].name, name)) {
      *out_value = (uint64_t)(uintptr_t)imports[i].address;
      return NRD_OK;
    }
  return nrd_fail(NRD_CORRUPT,
                  "%s cannot be loaded: it needs '%.100s', which kernels may "
                  "not import",
                  l->what, name);
}

static nrd_status_t relocate(const loader_t *l, uint64_t table,
                             uint64_t table_size) {
  REFUSE_IF(table_size % sizeof(Elf64_Rela) || !at(l->elf, table, table_size),
            "its relocations lie outside its segments");
  for (uint64_t i = 0; i < table_size / sizeof(Elf64_Rela); ++i) {
    Elf64_Rela entry;
    memcpy(&entry, l->elf->base + table + i * sizeof entry, sizeof entry);
    uint8_t *place = at(l->elf, entry.r_offset, 8);
    REFUSE_IF(!place, "a relocation lies outside its segments");
    REFUSE_IF(entry.r_offset < l->elf->code_end &&
                  entry.r_offset + 8 > l->elf->code_begin,
              "it has relocations in its code");
    uint64_t value = 0;
    switch (ELF64_R_TYPE(entry.r_info)) {
    case RELATIVE:
      value = (uint64_t)(uintptr_t)l->elf->base;
      break;
    case GLOB_DAT:
    case JUMP_SLOT:
    case ABSOLUTE:
      NRD_TRY(resolve(l, ELF64_R_SYM(entry.r_info), &value));
      break;
    default:
      return nrd_fail(NRD_CORRUPT,
                      "%s cannot be loaded: kernels may not have relocations "
                      "of type %u",
                      l->what, (unsigned)ELF64_R_TYPE(entry.r_info));
    }
    value += (uint64_t)entry.r_addend;
    memcpy(place, &value, 8);
  }
  return NRD_OK;
}

static nrd_status_t protect(const loader_t *l) {
  uint8_t *base = l->elf->base;
  int failed = mprotect(base, l->elf->size, PROT_READ); // the gaps too
  for (uint32_t i = 0; i < l->segment_count && !failed; ++i) {
    const Elf64_Phdr *segment = &l->segments[i];
    uint64_t begin = segment->p_vaddr / l->page * l->page;
    uint64_t end =
        (segment->p_vaddr + segment->p_memsz + l->page - 1) / l->page * l->page;
    int flags = PROT_READ;
    if (segment->p_flags & PF_W)
      flags |= PROT_WRITE;
    if (segment->p_flags & PF_X)
      flags |= PROT_EXEC;
    failed = mprotect(base + begin, end - begin, flags);
  }
  // Whole pages of RELRO only; the linker pads it to them.
  uint64_t begin = (l->relro_begin + l->page - 1) / l->page * l->page;
  uint64_t end = l->relro_end / l->page * l->page;
  if (!failed && begin < end && at(l->elf, begin, end - begin) &&
      (end <= l->elf->code_begin || begin >= l->elf->code_end))
    failed = mprotect(base + begin, end - begin, PROT_READ);
  if (failed)
    return nrd_fail(NRD_UNSUPPORTED,
                    "%s cannot be loaded: this system does not let programs "
                    "make memory executable",
                    l->what);
  __builtin___clear_cache((char *)base, (char *)base + l->elf->size);
  return NRD_OK;
}

static nrd_status_t load(loader_t *l, const uint8_t *bytes, size_t size) {
  Elf64_Ehdr header;
  Elf64_Phdr dynamic_segment;
  dynamic_t d;
  NRD_TRY(check_header(l, bytes, size, &header));
  NRD_TRY(read_segments(l, bytes, size, &header, &dynamic_segment));
  NRD_TRY(map_segments(l, bytes));
  NRD_TRY(read_dynamic(l, &dynamic_segment, &d));
  NRD_TRY(read_symbols(l, &d));
  REFUSE_IF(d.relocations_size && d.relocation_size != sizeof(Elf64_Rela),
            "its relocations have an impossible size");
  REFUSE_IF(d.jumps_size && d.jumps_kind != DT_RELA,
            "it has relocations of another form than RELA");
  NRD_TRY(relocate(l, d.relocations, d.relocations_size));
  NRD_TRY(relocate(l, d.jumps, d.jumps_size));
  return protect(l);
}

nrd_status_t nrd_elf_load(const uint8_t *bytes, size_t size, const char *what,
                          nrd_elf_t *out_elf) {
  nrd_elf_t elf;
  memset(&elf, 0, sizeof elf);
  loader_t loader = {.elf = &elf, .what = what};
  long page = sysconf(_SC_PAGESIZE);
  loader.page = page > 0 ? (uint64_t)page : 4096;
  nrd_status_t status = load(&loader, bytes, size);
  if (status == NRD_OK)
    *out_elf = elf;
  else
    nrd_elf_unload(&elf);
  return status;
}

void nrd_elf_unload(nrd_elf_t *elf) {
  if (elf->base)
    munmap(elf->base, elf->size);
  elf->base = NULL;
}

void *nrd_elf_function(const nrd_elf_t *elf, const char *name) {
  for (uint64_t i = 0; i < elf->symbol_count; ++i) {
    Elf64_Sym symbol = get_symbol(elf, i);
    const char *own = symbol_name(elf, &symbol);
    if (own && symbol.st_shndx != SHN_UNDEF &&
        ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && !strcmp(own, name))
      return symbol.st_value >= elf->code_begin &&
                     symbol.st_value < elf->code_end
                 ? elf->base + symbol.st_value
                 : NULL;
  }
  return NULL;
}
