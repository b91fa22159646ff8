//===- fuzz.cpp - Bytes from strangers, for libFuzzer ---------------------===//
//
// The first byte says who reads the rest. Packs get their hashes made right
// first, as a hostile author would, so that the fuzzer reaches what lies behind
// them. Nothing may crash, and every refusal must have a sentence.
//
//   ninja -C build packager-fuzz
//   build/bin/packager-fuzz -max_total_time=900 CORPUS
//
//===----------------------------------------------------------------------===//

#include "packager/ArchiveFormat.h"
#include "packager/Elf.h"
#include "packager/Manifest.h"
#include "packager/SignatureType.h"
#include "packager/Tuning.h"

#include <cstdlib>

using namespace nereid;
using namespace nereid::pack;

namespace {

// Makes every hash right that lies where the header says.
std::string repaired(std::string_view bytes) {
  std::string file(bytes);
  if (file.size() < kHeaderSize)
    return file;
  archive::Header h;
  std::memcpy(static_cast<void *>(&h), file.data(), kHeaderSize);
  auto inside = [&](uint64_t offset, uint64_t size) {
    return offset <= file.size() && size <= file.size() - offset;
  };
  uint64_t count = h.kernel_count(), root = 0, directory = 0;
  if (inside(h.root_offset(), h.root_size()))
    root = xxh3(rootBytes(file, h));
  if (count < 1000 && inside(h.directory_offset(), count * 64)) {
    for (uint64_t i = 0; i < count; ++i) {
      char *at = &file[h.directory_offset() + i * 64];
      archive::DirectoryEntry entry;
      std::memcpy(static_cast<void *>(&entry), at, 64);
      if (!inside(entry.offset(), entry.size()))
        continue;
      std::string_view buffer =
          std::string_view(file).substr(entry.offset(), entry.size());
      archive::DirectoryEntry right(entry.name_xxh3(), entry.offset(),
                                    entry.size(), xxh3(buffer),
                                    flatbuffers::make_span(blake2b(buffer)));
      std::memcpy(at, &right, 64);
    }
    directory = xxh3(directoryBytes(file, h));
  }
  uint64_t magic;
  std::memcpy(&magic, kMagic.data(), 8);
  archive::Header right(magic, kVersionMajor, h.version_minor(), file.size(),
                        h.root_offset(), h.root_size(), root,
                        h.directory_offset(), count, directory,
                        h.signature_offset(), 0);
  file.replace(0, kHeaderSize, headerBytes(right));
  return file;
}

void mustExplain(bool good, const std::string &message) {
  if (!good && message.empty())
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
  switch (data[0] % 6) {
  case 0: {
    Result<Pack> pack = readPack(text);
    mustExplain(bool(pack), pack.message());
    break;
  }
  case 1: {
    Result<Pack> pack = readPack(repaired(text));
    mustExplain(bool(pack), pack.message());
    // What is read can be written.
    if (pack && !writePack(*pack))
      std::abort();
    break;
  }
  case 2: {
    ManifestOptions options;
    options.file = "pack.toml";
    options.knownTargets = {"sm_90a", "x86-64-v3"};
    options.checkFiles = false;
    Manifest manifest;
    std::vector<Diagnostic> errors;
    bool good = parseManifest(text, options, manifest, errors);
    mustExplain(good, errors.empty() ? "" : errors[0].text);
    for (const Diagnostic &error : errors)
      (void)render(error, text);
    break;
  }
  case 3: {
    GridExpr expr;
    GridAxis axis;
    GridError problem;
    GridNames names;
    names.slots["n"] = {0, true, 0, "i32"};
    names.slots["d"] = {1, false, 2, "tensordesc<fp16[64,64]>"};
    names.constants["B"] = 128;
    bool good = GridExpr::parse(text, expr, problem) &&
                expr.compile(names, axis, problem);
    mustExplain(good, problem.text);
    if (good && !checkGridProgram(axis.steps, {0, 2}))
      std::abort();
    if (good)
      (void)runGridProgram(axis.steps, {7, 0});
    Result<SignatureType> type = parseSignatureType(text);
    mustExplain(bool(type), type.message());
    // A type's one spelling is a type of that spelling.
    if (type && parseSignatureType(type->text)->text != type->text)
      std::abort();
    break;
  }
  case 4: {
    Status status = checkCpuImage(text, "x86-64-v3", "kernel");
    mustExplain(bool(status), status.message());
    break;
  }
  case 5: {
    std::vector<TuningEntry> entries;
    std::vector<Diagnostic> errors;
    Pack pack;
    bool good = parseTuning(text, "t.toml", entries, errors) &&
                applyTuning(pack, entries, errors);
    mustExplain(good, errors.empty() ? "" : errors[0].text);
    break;
  }
  }
  return 0;
}
