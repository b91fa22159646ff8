//===- Fault.cpp - What a kernel does to this process ---------------------===//

#include "packager/tools/Fault.h"

#include "packager/tools/Console.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace nereid::tool {

using pack::Result;
using pack::Status;

//===-- Arrays ------------------------------------------------------------===//

static constexpr size_t kAlignment = 64; // the largest vector there is
static constexpr char kUntouched = 0x5a;

GuardedArray &GuardedArray::operator=(GuardedArray &&other) noexcept {
  std::swap(mapping, other.mapping);
  std::swap(mapped, other.mapped);
  std::swap(size, other.size);
  std::swap(begin, other.begin);
  return *this;
}

GuardedArray::~GuardedArray() {
  if (mapping)
    ::munmap(mapping, mapped);
}

Result<GuardedArray> GuardedArray::make(size_t size) {
  size_t page = size_t(::sysconf(_SC_PAGESIZE));
  size_t room = (size + kAlignment - 1) / kAlignment * kAlignment;
  size_t inner = (room + page - 1) / page * page;
  GuardedArray array;
  void *made = ::mmap(nullptr, inner + 2 * page, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made == MAP_FAILED)
    return Status::error("there is no memory for an array of ", size, " bytes");
  array.mapping = static_cast<char *>(made);
  array.mapped = inner + 2 * page;
  array.size = size;
  char *usable = array.mapping + page;
  if (inner && ::mprotect(usable, inner, PROT_READ | PROT_WRITE) != 0)
    return Status::error("there is no memory for an array of ", size, " bytes");
  array.begin = usable + (inner - room);
  std::memset(usable, kUntouched, size_t(array.begin - usable));
  std::memset(array.begin + size, kUntouched, room - size);
  return array;
}

bool GuardedArray::isIntact() const {
  if (!mapping)
    return true;
  size_t page = size_t(::sysconf(_SC_PAGESIZE));
  auto untouched = [](const char *from, const char *to) {
    return std::all_of(from, to, [](char c) { return c == kUntouched; });
  };
  return untouched(mapping + page, begin) &&
         untouched(begin + size, mapping + mapped - page);
}

//===-- Watch -------------------------------------------------------------===//

namespace {

struct {
  std::string kernel;
  std::vector<WatchedArgument> arguments;
  struct sigaction before[3];
} watched;

constexpr int kSignals[3] = {SIGSEGV, SIGBUS, SIGFPE};

// How far `address` is from the argument; 0: inside.
uint64_t distance(const WatchedArgument &argument, uint64_t address) {
  uint64_t begin = reinterpret_cast<uintptr_t>(argument.data);
  uint64_t end = begin + argument.size;
  return address < begin ? begin - address
         : address < end ? 0
                         : address - end + 1;
}

// Only reads what was made before; what a handler may not call is not called,
// but for snprintf, which takes no lock for these formats.
void onFault(int signal, siginfo_t *info, void *) {
  char text[600];
  int length = 0;
  const char *kernel = watched.kernel.c_str();
  uint64_t address = reinterpret_cast<uintptr_t>(info->si_addr);
  const WatchedArgument *nearest = nullptr;
  for (const WatchedArgument &argument : watched.arguments)
    if (!nearest || distance(argument, address) < distance(*nearest, address))
      nearest = &argument;
  uint64_t away = nearest ? distance(*nearest, address) : UINT64_MAX;
  if (signal == SIGFPE)
    length = std::snprintf(text, sizeof text,
                           "kernel '%s' divided an integer by zero, or the "
                           "least one by -1",
                           kernel);
  else if (away > (uint64_t(1) << 32))
    length = std::snprintf(text, sizeof text,
                           "kernel '%s' read or wrote at 0x%llx, which is in "
                           "none of its arguments",
                           kernel, static_cast<unsigned long long>(address));
  else if (!nearest->data)
    length = std::snprintf(text, sizeof text,
                           "kernel '%s' read or wrote through '%s', which is "
                           "null; give it an array",
                           kernel, nearest->name.c_str());
  else
    length = std::snprintf(
        text, sizeof text,
        "kernel '%s' read or wrote %s '%s', %s: %llu bytes from its %s; give "
        "an array of the size that the other arguments say",
        kernel,
        address < reinterpret_cast<uintptr_t>(nearest->data) ? "in front of"
                                                             : "behind",
        nearest->name.c_str(), nearest->type.c_str(),
        static_cast<unsigned long long>(away ? away - 1 : 0),
        address < reinterpret_cast<uintptr_t>(nearest->data) ? "begin" : "end");
  static const char head[] = "nereid: error: ";
  ssize_t ignored = ::write(STDERR_FILENO, head, sizeof head - 1);
  ignored = ::write(STDERR_FILENO, text,
                    std::min(size_t(std::max(length, 0)), sizeof text - 1));
  ignored = ::write(STDERR_FILENO, "\n", 1);
  (void)ignored;
  ::_exit(kFailure);
}

} // namespace

FaultWatch::FaultWatch(std::string kernel,
                       std::vector<WatchedArgument> arguments) {
  watched.kernel = std::move(kernel);
  watched.arguments = std::move(arguments);
  struct sigaction action = {};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < 3; ++i)
    ::sigaction(kSignals[i], &action, &watched.before[i]);
}

FaultWatch::~FaultWatch() {
  for (size_t i = 0; i < 3; ++i)
    ::sigaction(kSignals[i], &watched.before[i], nullptr);
}

} // namespace nereid::tool
