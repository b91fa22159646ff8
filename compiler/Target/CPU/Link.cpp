//===- Link.cpp - In-process linking, and the rules of an image -----------===//

#include "compiler/Target/CPU/Link.h"
#include "compiler/Target/CPU/Emit.h"
#include "compiler/Target/Link.h"

#include "nereid/cpu_kernel.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/DataExtractor.h"

using namespace llvm;
using namespace llvm::object;

namespace nereid::cpu {

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Expected<std::string> linkSharedObject(StringRef object) {
  return nereid::linkSharedObject(object,
                                  {"-Bsymbolic", "--strip-all", "--gc-sections",
                                   "--hash-style=both", "-znow", "-zrelro",
                                   "-zmax-page-size=4096"});
}

//===----------------------------------------------------------------------===//
// The rules of nereid/cpu_kernel.h
//===----------------------------------------------------------------------===//

static bool mayImport(StringRef name) {
#define NRD_COMPARE(symbol)                                                    \
  if (name == #symbol)                                                         \
    return true;
  NRD_CPU_IMPORT_LIST(NRD_COMPARE)
#undef NRD_COMPARE
  return false;
}

static std::string importList() {
  std::string text;
#define NRD_APPEND(symbol) text += text.empty() ? #symbol : ", " #symbol;
  NRD_CPU_IMPORT_LIST(NRD_APPEND)
#undef NRD_APPEND
  return text;
}

// Of the functions that LLVM calls for an operation that the target cannot do,
// says which operation it was.
static StringRef causeOfCall(StringRef symbol) {
  static const std::pair<StringLiteral, StringLiteral> kCauses[] = {
      {"__extend", "a widening of f16 or another narrow float"},
      {"__trunc", "a narrowing to f16 or another narrow float"},
      {"__fix", "a conversion from float to a wide integer"},
      {"__float", "a conversion from a wide integer to float"},
      {"__div", "a 128-bit division"},
      {"__udiv", "a 128-bit division"},
      {"__mod", "a 128-bit remainder"},
      {"__umod", "a 128-bit remainder"},
      {"__mul", "a 128-bit multiplication"},
      {"__atomic", "an atomic operation that the target lacks"},
      {"__sync", "an atomic operation that the target lacks"},
      {"__tls", "thread-local storage"},
      {"fma", "a fused multiply-add without hardware fma"},
      {"fmod", "a float remainder"},
      {"pow", "a power"},
      {"round", "a rounding to integer"},
  };
  for (const auto &[prefix, cause] : kCauses)
    if (symbol.starts_with(prefix))
      return cause;
  return "";
}

static Error checkSymbols(const ELFFile<ELF64LE> &file, StringRef entry) {
  bool exported = false;
  for (const ELF64LE::Shdr &section : cantFail(file.sections())) {
    if (section.sh_type != ELF::SHT_DYNSYM)
      continue;
    Expected<ELF64LE::SymRange> symbols = file.symbols(&section);
    if (!symbols)
      return symbols.takeError();
    Expected<StringRef> names = file.getStringTableForSymtab(section);
    if (!names)
      return names.takeError();
    for (const ELF64LE::Sym &symbol : *symbols) {
      Expected<StringRef> name = symbol.getName(*names);
      if (!name)
        return name.takeError();
      if (symbol.getBinding() == ELF::STB_LOCAL || name->empty())
        continue;
      if (symbol.isUndefined()) {
        if (mayImport(*name))
          continue;
        StringRef cause = causeOfCall(*name);
        return fail("the compiled kernel calls '" + *name + "'" +
                    (cause.empty() ? "" : " (" + cause + ")") +
                    ", which does not exist where kernels run; allowed are " +
                    importList());
      }
      if (*name != entry)
        return fail("the compiled kernel exports '" + *name + "' besides '" +
                    entry + "'");
      if (symbol.getType() != ELF::STT_FUNC)
        return fail("'" + entry + "' is not a function");
      exported = true;
    }
  }
  if (!exported)
    return fail("the compiled kernel does not export '" + entry + "'");
  return Error::success();
}

static Error checkRelocations(const ELFFile<ELF64LE> &file) {
  for (const ELF64LE::Shdr &section : cantFail(file.sections())) {
    if (section.sh_type != ELF::SHT_RELA && section.sh_type != ELF::SHT_REL)
      continue;
    if (section.sh_type == ELF::SHT_REL)
      return fail("the compiled kernel holds relocations without addends");
    Expected<ELF64LE::RelaRange> relocations = file.relas(section);
    if (!relocations)
      return relocations.takeError();
    for (const ELF64LE::Rela &relocation : *relocations) {
      uint32_t type = relocation.getType(/*isMips64EL=*/false);
      switch (type) {
      case ELF::R_X86_64_RELATIVE:
      case ELF::R_X86_64_GLOB_DAT:
      case ELF::R_X86_64_JUMP_SLOT:
      case ELF::R_X86_64_64:
        break;
      default:
        return fail("the compiled kernel holds a relocation of type " +
                    getELFRelocationTypeName(ELF::EM_X86_64, type));
      }
    }
  }
  return Error::success();
}

static Error checkDynamic(const ELFFile<ELF64LE> &file) {
  Expected<ELF64LE::DynRange> entries = file.dynamicEntries();
  if (!entries)
    return entries.takeError();
  for (const ELF64LE::Dyn &entry : *entries) {
    switch (entry.getTag()) {
    case ELF::DT_NEEDED:
      return fail("the compiled kernel depends on another library");
    case ELF::DT_INIT:
    case ELF::DT_FINI:
    case ELF::DT_INIT_ARRAY:
    case ELF::DT_FINI_ARRAY:
    case ELF::DT_PREINIT_ARRAY:
      return fail("the compiled kernel has a constructor or destructor");
    case ELF::DT_TEXTREL:
      return fail("the compiled kernel has relocations in its code");
    default:
      break;
    }
  }
  Expected<ELF64LE::PhdrRange> segments = file.program_headers();
  if (!segments)
    return segments.takeError();
  for (const ELF64LE::Phdr &segment : *segments) {
    if (segment.p_type == ELF::PT_TLS)
      return fail("the compiled kernel uses thread-local storage");
    if (segment.p_type == ELF::PT_INTERP)
      return fail("the compiled kernel asks for a dynamic linker");
    if (segment.p_type == ELF::PT_LOAD && (segment.p_flags & ELF::PF_W) &&
        (segment.p_flags & ELF::PF_X))
      return fail("the compiled kernel has writable code");
  }
  return Error::success();
}

static Expected<ELFFile<ELF64LE>> openElf(StringRef bytes) {
  Expected<ELFFile<ELF64LE>> file = ELFFile<ELF64LE>::create(bytes);
  if (!file)
    return file.takeError();
  if (Error error = file->sections().takeError())
    return error;
  return file;
}

Error verifySharedObject(StringRef bytes, StringRef entry) {
  Expected<ELFFile<ELF64LE>> file = openElf(bytes);
  if (!file)
    return file.takeError();
  if (file->getHeader().e_type != ELF::ET_DYN ||
      file->getHeader().e_machine != ELF::EM_X86_64)
    return fail("the compiled kernel is not an x86-64 shared object");
  if (Error error = checkSymbols(*file, entry))
    return error;
  if (Error error = checkRelocations(*file))
    return error;
  return checkDynamic(*file);
}

// .stack_sizes holds, per function, an 8-byte address (relocated) and the size
// of its frame as ULEB128.
static uint64_t largestFrame(const ELFFile<ELF64LE> &file) {
  uint64_t largest = 0;
  for (const ELF64LE::Shdr &section : cantFail(file.sections())) {
    Expected<StringRef> name = file.getSectionName(section);
    Expected<ArrayRef<uint8_t>> bytes = file.getSectionContents(section);
    if (!name || !bytes || *name != ".stack_sizes") {
      consumeError(name.takeError());
      consumeError(bytes.takeError());
      continue;
    }
    DataExtractor data(toStringRef(*bytes), /*IsLittleEndian=*/true,
                       /*AddressSize=*/8);
    DataExtractor::Cursor cursor(0);
    while (cursor && !data.eof(cursor)) {
      data.getU64(cursor);
      uint64_t frame = data.getULEB128(cursor);
      if (cursor)
        largest = std::max(largest, frame);
    }
    consumeError(cursor.takeError());
  }
  return largest;
}

Error fillReport(StringRef image, StringRef object, ResourceReport &report) {
  Expected<ELFFile<ELF64LE>> linked = openElf(image);
  if (!linked)
    return linked.takeError();
  uint64_t text = 0;
  for (const ELF64LE::Shdr &section : cantFail(linked->sections()))
    if ((section.sh_flags & ELF::SHF_EXECINSTR) &&
        section.sh_type == ELF::SHT_PROGBITS)
      text += section.sh_size;
  report.textSize = static_cast<uint32_t>(text);
  Expected<ELFFile<ELF64LE>> relocatable = openElf(object);
  if (!relocatable)
    return relocatable.takeError();
  if (uint64_t frame = largestFrame(*relocatable)) {
    report.spillBytes = static_cast<uint32_t>(frame);
    report.notes.push_back("stack frame: " + std::to_string(frame) + " bytes");
  }
  return Error::success();
}

} // namespace nereid::cpu
