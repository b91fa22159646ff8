//===- Ptxas.cpp - The user's assembler, and what it says -----------------===//

#include "compiler/Target/NVPTX/Emit.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

#include <mutex>

#include <unistd.h>

using namespace llvm;

namespace nereid::nvptx {

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

std::string findPtxas() {
  auto inFolder = [](StringRef root) -> std::string {
    SmallString<256> path(root);
    sys::path::append(path, "bin", "ptxas");
    return sys::fs::can_execute(path) ? std::string(path.str()) : "";
  };
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (std::optional<std::string> root = sys::Process::GetEnv(variable))
      if (std::string path = inFolder(*root); !path.empty())
        return path;
  if (ErrorOr<std::string> path = sys::findProgramByName("ptxas"))
    return *path;
  return inFolder("/usr/local/cuda");
}

/// The number before `unit` in "ptxas info : Used 32 registers, ...".
static uint32_t numberBefore(StringRef text, StringRef unit) {
  size_t at = text.find(unit);
  if (at == StringRef::npos)
    return 0;
  StringRef before = text.take_front(at).rtrim();
  size_t start = before.find_last_not_of("0123456789");
  uint32_t number = 0;
  before.drop_front(start == StringRef::npos ? 0 : start + 1)
      .getAsInteger(10, number);
  return number;
}

void fillReport(StringRef log, StringRef cubin, ResourceReport &report) {
  SmallVector<StringRef> lines;
  log.split(lines, '\n');
  for (StringRef line : lines) {
    if (line.contains("bytes spill stores")) {
      report.spillBytes += numberBefore(line, "bytes spill stores") +
                           numberBefore(line, "bytes spill loads");
      if (uint32_t stack = numberBefore(line, "bytes stack frame"))
        report.notes.push_back(std::to_string(stack) +
                               " bytes of stack per thread");
    }
    if (line.contains(" registers"))
      report.registers =
          std::max(report.registers, numberBefore(line, " registers"));
    // Serialised wgmma, ignored setmaxnreg and other performance warnings.
    size_t code = line.find("(C7");
    if (code != StringRef::npos || line.contains("warning"))
      report.notes.push_back(line.trim().str());
  }
  auto object =
      object::ObjectFile::createELFObjectFile(MemoryBufferRef(cubin, "cubin"));
  if (!object) {
    consumeError(object.takeError());
    return;
  }
  for (const object::SectionRef &section : (*object)->sections()) {
    Expected<StringRef> name = section.getName();
    if (!name)
      consumeError(name.takeError());
    else if (name->starts_with(".text"))
      report.textSize += section.getSize();
  }
}

// ptxas spends most of its start, and a tenth of assembling a large kernel, on
// page faults of its heap. glibc is asked for large pages; other libraries, and
// kernels that grant none, do not mind.
static ArrayRef<StringRef> environment() {
  static const std::vector<StringRef> variables = [] {
    std::vector<StringRef> result;
    for (char **variable = environ; *variable; ++variable)
      result.push_back(*variable);
    if (!sys::Process::GetEnv("GLIBC_TUNABLES"))
      result.push_back("GLIBC_TUNABLES=glibc.malloc.hugetlb=1");
    return result;
  }();
  return variables;
}

Expected<std::string> assemble(StringRef ptxas, StringRef ptx,
                               const TargetInfo &target,
                               ResourceReport &report) {
  SmallString<128> input, output, log;
  for (auto [file, suffix] :
       {std::make_pair(&input, "ptx"), std::make_pair(&output, "cubin"),
        std::make_pair(&log, "log")})
    if (std::error_code code =
            sys::fs::createTemporaryFile("nereid", suffix, *file))
      return fail("no temporary file for ptxas: " + code.message());
  auto remove = scope_exit([&] {
    for (StringRef file : {input, output, log})
      sys::fs::remove(file);
  });
  {
    std::error_code code;
    raw_fd_ostream stream(input, code);
    stream << ptx;
    stream.close();
    if (code || stream.has_error())
      return fail("cannot write '" + input + "' for ptxas");
  }
  SmallVector<StringRef> arguments = {ptxas, "-v",   "--gpu-name", target.cpu,
                                      "-o",  output, input};
  std::string problem;
  int status =
      sys::ExecuteAndWait(ptxas, arguments, environment(),
                          {StringRef(), StringRef(log), StringRef(log)},
                          /*SecondsToWait=*/600, 0, &problem);
  std::string said;
  if (auto text = MemoryBuffer::getFile(log))
    said = (*text)->getBuffer().str();
  if (status != 0) {
    StringRef text = StringRef(said).trim();
    return fail(Twine(ptxas) + " failed" +
                (problem.empty() ? "" : " (" + problem + ")") + ": " +
                (text.empty() ? StringRef("no message") : text));
  }
  auto cubin = MemoryBuffer::getFile(output, /*IsText=*/false,
                                     /*RequiresNullTerminator=*/false);
  if (!cubin)
    return fail("ptxas wrote no output");
  std::string bytes = (*cubin)->getBuffer().str();
  fillReport(said, bytes, report);
  return bytes;
}

int64_t blocksWithFewerRegisters(const TargetInfo &target, int64_t threads,
                                 int64_t sharedBytes, int64_t registers) {
  constexpr int64_t file = 65536, unit = 8;
  if (threads <= 0 || registers <= 0)
    return 0;
  int64_t blocks = file / (alignTo(registers, unit) * threads) + 1;
  if (blocks * threads > target.residentThreads ||
      blocks > blocksBySharedMemory(target, sharedBytes))
    return 0;
  int64_t most = alignDown(file / (blocks * threads), unit);
  return registers - most <= most / 8 ? blocks : 0;
}

Expected<std::string> assembleKernel(StringRef ptxas, StringRef ptx,
                                     const TargetInfo &target, int64_t threads,
                                     int64_t sharedBytes,
                                     ResourceReport &report) {
  Expected<std::string> image = assemble(ptxas, ptx, target, report);
  // How many blocks there are to be stands beside how many threads each has.
  StringRef directive = ".minnctapersm 1\n";
  size_t at = ptx.find(directive), length = directive.size();
  if (at == StringRef::npos) {
    size_t line = ptx.find(".reqntid ");
    at = ptx.find('\n', line);
    if (line == StringRef::npos || at == StringRef::npos ||
        ptx.contains(".maxnreg "))
      return image;
    ++at;
    length = 0;
  }
  if (!image || !ptx.contains("mma.") || report.spillBytes)
    return image;
  int64_t blocks =
      blocksWithFewerRegisters(target, threads, sharedBytes, report.registers);
  if (!blocks)
    return image;
  ResourceReport saved;
  Expected<std::string> other =
      assemble(ptxas,
               (ptx.take_front(at) + ".minnctapersm " + Twine(blocks) + "\n" +
                ptx.drop_front(at + length))
                   .str(),
               target, saved);
  if (!other) {
    consumeError(other.takeError());
    return image;
  }
  if (saved.spillBytes || saved.notes.size() > report.notes.size())
    return image;
  report = std::move(saved);
  return other;
}

/// The 13 of "release 13.0"; 0 where the text says no release.
static uint32_t majorRelease(StringRef text) {
  uint32_t major = 0;
  text.split("release ").second.split('.').first.getAsInteger(10, major);
  return major;
}

// What `ptxas --version` says, asked once.
static uint32_t releaseOf(StringRef ptxas) {
  static std::mutex mutex;
  static StringMap<uint32_t> known;
  std::lock_guard<std::mutex> lock(mutex);
  auto [row, isNew] = known.try_emplace(ptxas, 0);
  SmallString<128> output;
  if (isNew && !sys::fs::createTemporaryFile("nereid", "log", output)) {
    sys::ExecuteAndWait(ptxas, {ptxas, "--version"}, std::nullopt,
                        {StringRef(), StringRef(output), StringRef("")});
    if (auto text = MemoryBuffer::getFile(output))
      row->second = majorRelease((*text)->getBuffer());
    sys::fs::remove(output);
  }
  return row->second;
}

// A cubin loads on drivers of its toolkit's major version and later. Since CUDA
// 13 a note in the cubin says which toolkit that is.
uint32_t minimumDriver(StringRef ptxas, StringRef cubin,
                       const TargetInfo &target) {
  uint32_t major = 0;
  auto object =
      object::ObjectFile::createELFObjectFile(MemoryBufferRef(cubin, "cubin"));
  if (!object) {
    consumeError(object.takeError());
  } else {
    for (const object::SectionRef &section : (*object)->sections()) {
      Expected<StringRef> name = section.getName(),
                          contents = section.getContents();
      if (name && contents && *name == ".note.nv.tkinfo")
        major = majorRelease(*contents);
      consumeError(name.takeError());
      consumeError(contents.takeError());
    }
  }
  if (!major)
    major = releaseOf(ptxas);
  return major ? major * 1000 : minimumDriver(target);
}

// The CUDA version of each PTX version, which is the driver's.
uint32_t minimumDriver(const TargetInfo &target) {
  StringRef features = target.features;
  features.consume_front("+ptx");
  unsigned version = 0;
  features.getAsInteger(10, version);
  if (version < 80)
    return 11000;
  if (version <= 85)
    return 12000 + (version - 80) * 10;
  if (version <= 88) // 8.6 came with CUDA 12.7
    return 12010 + (version - 80) * 10;
  return 13000;
}

} // namespace nereid::nvptx
