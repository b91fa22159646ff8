//===- CodeObject.cpp - The rules of a code object ------------------------===//

#include "compiler/Target/AMDGPU/CodeObject.h"

#include "llvm/BinaryFormat/MsgPackDocument.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace llvm;
using namespace llvm::object;

namespace nereid::amdgpu {
namespace {

Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

using File = ELFFile<ELF64LE>;

Error checkSymbols(const File &file, StringRef entry) {
  bool hasCode = false, hasDescriptor = false;
  for (const ELF64LE::Shdr &section : cantFail(file.sections())) {
    if ((section.sh_type == ELF::SHT_RELA || section.sh_type == ELF::SHT_REL) &&
        section.sh_size != 0)
      return fail("the code object has relocations");
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
      if (symbol.isUndefined())
        return fail("the compiled kernel calls '" + *name +
                    "', which does not exist on the device");
      hasCode |= *name == entry;
      hasDescriptor |= *name == (entry + ".kd").str();
    }
  }
  if (!hasCode || !hasDescriptor)
    return fail("the code object does not define '" + entry + "'");
  return Error::success();
}

/// The metadata note, as bytes of MessagePack.
Expected<StringRef> findMetadata(const File &file) {
  Expected<ELF64LE::PhdrRange> segments = file.program_headers();
  if (!segments)
    return segments.takeError();
  for (const ELF64LE::Phdr &segment : *segments) {
    if (segment.p_type != ELF::PT_NOTE)
      continue;
    Error error = Error::success();
    StringRef found;
    for (const ELF64LE::Note &note : file.notes(segment, error))
      if (note.getName() == "AMDGPU" &&
          note.getType() == ELF::NT_AMDGPU_METADATA)
        found = note.getDescAsStringRef(segment.p_align);
    if (error)
      return std::move(error);
    if (!found.empty())
      return found;
  }
  return fail("the code object has no metadata");
}

uint64_t number(msgpack::MapDocNode &map, StringRef key) {
  auto found = map.find(key);
  if (found == map.end())
    return 0;
  msgpack::DocNode &node = found->second;
  if (node.getKind() == msgpack::Type::UInt)
    return node.getUInt();
  return node.getKind() == msgpack::Type::Int ? uint64_t(node.getInt()) : 0;
}

StringRef text(msgpack::MapDocNode &map, StringRef key) {
  auto found = map.find(key);
  return found != map.end() && found->second.getKind() == msgpack::Type::String
             ? found->second.getString()
             : StringRef();
}

/// The arguments stand where the fields of the pack put them.
Error checkArguments(msgpack::MapDocNode &kernel,
                     const CodeObjectFacts &facts) {
  size_t next = 0;
  auto arguments = kernel.find(".args");
  if (arguments != kernel.end() && arguments->second.isArray())
    for (msgpack::DocNode &node : arguments->second.getArray()) {
      msgpack::MapDocNode &argument = node.getMap();
      StringRef kind = text(argument, ".value_kind");
      if (kind.starts_with("hidden_"))
        return fail("the code object wants the argument '" + kind +
                    "', which a launch does not give");
      if (next == facts.fields.size())
        return fail("the code object has more arguments than the pack");
      const ParamField &field = facts.fields[next++];
      if (number(argument, ".offset") != field.offset ||
          number(argument, ".size") != field.size)
        return fail("argument " + Twine(next - 1) + " lies at byte " +
                    Twine(number(argument, ".offset")) + " with " +
                    Twine(number(argument, ".size")) +
                    " bytes; the pack says byte " + Twine(field.offset) +
                    " with " + Twine(field.size));
    }
  if (next != facts.fields.size())
    return fail("the code object has " + Twine(next) +
                " arguments; the pack says " + Twine(facts.fields.size()));
  if (number(kernel, ".kernarg_segment_size") != facts.paramSize)
    return fail("the code object has " +
                Twine(number(kernel, ".kernarg_segment_size")) +
                " bytes of arguments; the pack says " + Twine(facts.paramSize));
  return Error::success();
}

} // namespace

int codeObjectVersion(const TargetInfo &target) {
  return StringRef(target.cpu).contains("generic") ? 6 : 5;
}

Error verifyCodeObject(StringRef bytes, const TargetInfo &target,
                       const CodeObjectFacts &facts, ResourceReport *report) {
  Expected<File> file = File::create(bytes);
  if (!file)
    return file.takeError();
  if (Error error = file->sections().takeError())
    return error;
  const ELF64LE::Ehdr &header = file->getHeader();
  if (header.e_type != ELF::ET_DYN || header.e_machine != ELF::EM_AMDGPU ||
      header.e_ident[ELF::EI_OSABI] != ELF::ELFOSABI_AMDGPU_HSA)
    return fail("the compiled kernel is not a code object");
  if (header.e_ident[ELF::EI_ABIVERSION] != codeObjectVersion(target) - 2)
    return fail("the code object is not of version " +
                Twine(codeObjectVersion(target)));
  if (Error error = checkSymbols(*file, facts.entry))
    return error;

  Expected<StringRef> note = findMetadata(*file);
  if (!note)
    return note.takeError();
  msgpack::Document document;
  if (!document.readFromBlob(*note, /*Multi=*/false) ||
      !document.getRoot().isMap())
    return fail("the code object's metadata cannot be read");
  msgpack::MapDocNode &root = document.getRoot().getMap();
  std::string wanted = ("amdgcn-amd-amdhsa--" + target.cpu).str();
  if (text(root, "amdhsa.target") != wanted)
    return fail("the code object is for '" + text(root, "amdhsa.target") +
                "', not for '" + wanted + "'");
  auto kernels = root.find("amdhsa.kernels");
  if (kernels == root.end() || !kernels->second.isArray() ||
      kernels->second.getArray().size() != 1)
    return fail("the code object does not hold exactly one kernel");
  msgpack::MapDocNode &kernel = kernels->second.getArray()[0].getMap();
  if (text(kernel, ".name") != facts.entry)
    return fail("the code object's kernel is '" + text(kernel, ".name") +
                "', not '" + facts.entry + "'");
  if (Error error = checkArguments(kernel, facts))
    return error;
  if (number(kernel, ".max_flat_workgroup_size") != facts.threads)
    return fail("the code object is for blocks of " +
                Twine(number(kernel, ".max_flat_workgroup_size")) +
                " threads, not of " + Twine(facts.threads));
  if (number(kernel, ".wavefront_size") != target.warpSize)
    return fail("the code object has waves of " +
                Twine(number(kernel, ".wavefront_size")) + " lanes, not of " +
                Twine(target.warpSize));
  if (!report)
    return Error::success();
  report->registers = uint32_t(number(kernel, ".vgpr_count"));
  report->spillBytes = uint32_t(number(kernel, ".private_segment_fixed_size"));
  uint64_t code = 0;
  for (const ELF64LE::Shdr &section : cantFail(file->sections()))
    if (section.sh_flags & ELF::SHF_EXECINSTR)
      code += section.sh_size;
  report->textSize = uint32_t(code);
  report->notes.push_back(
      "scalar registers: " + std::to_string(number(kernel, ".sgpr_count")) +
      ", accumulation registers: " +
      std::to_string(number(kernel, ".agpr_count")));
  return Error::success();
}

} // namespace nereid::amdgpu
