//===- Fault.h - What a kernel does to this process -------------*- C++ -*-===//
//
// A kernel on the CPU runs in this process, so one that leaves its arrays, or
// is given too small ones, would end it without a word. Arrays between pages
// that may not be touched make that sure to be noticed, and a watch says which
// argument it was.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_FAULT_H
#define NEREID_PACKAGER_TOOLS_FAULT_H

#include "packager/Result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace nereid::tool {

/// Bytes that end where memory may not be touched, but for what alignment to 64
/// leaves; what is left there is watched too.
class GuardedArray {
public:
  GuardedArray() = default;
  GuardedArray(GuardedArray &&other) noexcept { *this = std::move(other); }
  GuardedArray &operator=(GuardedArray &&other) noexcept;
  ~GuardedArray();

  static pack::Result<GuardedArray> make(size_t size);

  void *data() const { return begin; }
  /// Is what lies around the bytes as it was?
  bool isIntact() const;

private:
  char *mapping = nullptr; ///< with a page in front and one behind
  size_t mapped = 0, size = 0;
  char *begin = nullptr;
};

/// An argument as a message names it. No `data`: a null pointer.
struct WatchedArgument {
  std::string name, type;
  const char *data = nullptr;
  size_t size = 0;
};

/// While it lives, a fault ends the program with a sentence about the kernel
/// and the argument next to where it was.
class FaultWatch {
public:
  FaultWatch(std::string kernel, std::vector<WatchedArgument> arguments);
  ~FaultWatch();
  FaultWatch(const FaultWatch &) = delete;
  FaultWatch &operator=(const FaultWatch &) = delete;
};

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_FAULT_H
