//===- Session.h - A kernel with its arguments in place ---------*- C++ -*-===//
//
// What `run`, `bench` and `tune` share: a device, a pack, a kernel, and its
// arguments from their texts. It uses the runtime through its public C API, as
// any program would.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_SESSION_H
#define NEREID_PACKAGER_TOOLS_SESSION_H

#include "nereid/runtime.h"
#include "packager/tools/Commands.h"
#include "packager/tools/Dtype.h"
#include "packager/tools/Fault.h"

#include <map>
#include <memory>
#include <random>

namespace nereid::tool {

template <typename T, void (*Close)(T *)> struct Closer {
  void operator()(T *handle) const { Close(handle); }
};
using DeviceHandle =
    std::unique_ptr<nrd_device_t, Closer<nrd_device_t, nrd_device_close>>;
using PackHandle =
    std::unique_ptr<nrd_pack_t, Closer<nrd_pack_t, nrd_pack_close>>;
using CallHandle =
    std::unique_ptr<nrd_call_t, Closer<nrd_call_t, nrd_call_destroy>>;

/// The runtime's own sentence as a failure.
pack::Status runtimeError();

/// "4096", "0x10", "1_000", "True".
pack::Result<int64_t> parseInteger(std::string_view text);

/// An array argument and where it is on the device.
struct Argument {
  uint32_t slot = 0;
  Array array;
  void *device = nullptr;
  GuardedArray guarded; ///< holds it where the device is this process
};

class Session {
public:
  explicit Session(const LaunchCommand &command)
      : command(command), random(command.seed) {}
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  /// Opens the device, the pack and the kernel.
  pack::Status open();

  /// The --arg texts by name; a mistake in their form is a sentence.
  pack::Result<std::map<std::string, std::string>> givenArguments() const;

  /// Sets every argument from its text. Sizes of arrays may be expressions of
  /// the integer arguments ("rand:fp32[M*K]").
  pack::Status setArguments(const std::map<std::string, std::string> &given);

  /// --grid and --config.
  pack::Status setChoices();

  /// One launch, finished. Fails where the kernel wrote beside an array.
  pack::Status launch();

  /// All of the above, and bound.
  pack::Status prepare();

  Argument *find(const std::string &name);
  std::vector<std::string> slotNames() const;

  /// "variant 2 (x86-64-v3), grid 4 x 1 x 1", of a bound call.
  std::string chosen() const;

  /// Seconds of each of `repeat` launches, sorted, after `warmup` others.
  pack::Result<std::vector<double>> measure(unsigned warmup, unsigned repeat);

  const LaunchCommand &command;
  DeviceHandle device;
  PackHandle pack;
  const nrd_kernel_t *kernel = nullptr;
  CallHandle call;
  std::vector<Argument> arguments; ///< arrays only

private:
  /// Says what a fault during a launch was; empty for devices with faults of
  /// their own.
  std::unique_ptr<FaultWatch> watch() const;
  bool isHost() const;

  pack::Status setArgument(uint32_t index, const nrd_slot_t &slot,
                           const std::string &text);
  pack::Result<Array> makeArray(const std::string &text,
                                const pack::ScalarType &wanted);
  pack::Result<int64_t> sizeValue(std::string_view text) const;
  void freeArguments();

  std::mt19937_64 random;
  std::map<std::string, int64_t, std::less<>> integers;
  std::vector<std::string> nulls; ///< pointers given as null
};

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_SESSION_H
