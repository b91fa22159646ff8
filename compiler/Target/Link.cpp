//===- Link.cpp - In-process linking of one object ------------------------===//

#include "compiler/Target/Link.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace nereid {

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

static Expected<std::string> readFile(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false,
                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail("cannot read '" + path + "': " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

// lld's driver keeps its state in globals: one link at a time, and none after
// one that it could not clean up.
static Error runLinker(ArrayRef<const char *> arguments) {
  static std::mutex mutex;
  static bool broken = false;
  std::lock_guard<std::mutex> lock(mutex);
  if (broken)
    return fail("the linker failed earlier in this process");
  std::string messages;
  raw_string_ostream stream(messages);
  static const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(arguments, stream, stream, drivers);
  broken = !result.canRunAgain;
  if (result.retCode != 0)
    return fail("linking the kernel failed: " + StringRef(messages).trim());
  return Error::success();
}

Expected<std::string> linkSharedObject(StringRef object,
                                       ArrayRef<const char *> options) {
  // lld reads and writes files only.
  SmallString<128> input, output;
  int descriptor = -1;
  if (std::error_code code =
          sys::fs::createTemporaryFile("nereid", "o", descriptor, input))
    return fail("cannot create a temporary file: " + code.message());
  scope_exit removeInput([&] { sys::fs::remove(input); });
  {
    raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << object;
    stream.close();
    if (stream.has_error()) {
      std::string message = stream.error().message();
      stream.clear_error();
      return fail("cannot write '" + input + "': " + message);
    }
  }
  if (std::error_code code =
          sys::fs::createTemporaryFile("nereid", "so", output))
    return fail("cannot create a temporary file: " + code.message());
  scope_exit removeOutput([&] { sys::fs::remove(output); });

  SmallVector<const char *, 16> arguments = {"ld.lld", "-shared",
                                             "--build-id=none", "--threads=1"};
  arguments.append(options.begin(), options.end());
  arguments.append({"-o", output.c_str(), input.c_str()});
  if (Error error = runLinker(arguments))
    return error;
  return readFile(output);
}

} // namespace nereid
