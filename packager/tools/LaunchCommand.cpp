//===- LaunchCommand.cpp - nereid run, bench, check -----------------------===//
//
// These use the runtime through its public C API, as any program would.
//
//===----------------------------------------------------------------------===//

#include "nereid/runtime.h"
#include "packager/tools/Commands.h"
#include "packager/tools/Console.h"
#include "packager/tools/Dtype.h"
#include "packager/tools/Json.h"
#include "packager/tools/Npy.h"
#include "packager/tools/SignatureText.h"

#include "packager/Suggest.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>

namespace nereid::tool {

using pack::concat;
using pack::Result;
using pack::Status;

namespace {

template <typename T, void (*Close)(T *)> struct Closer {
  void operator()(T *handle) const { Close(handle); }
};
using DeviceHandle =
    std::unique_ptr<nrd_device_t, Closer<nrd_device_t, nrd_device_close>>;
using PackHandle =
    std::unique_ptr<nrd_pack_t, Closer<nrd_pack_t, nrd_pack_close>>;
using CallHandle =
    std::unique_ptr<nrd_call_t, Closer<nrd_call_t, nrd_call_destroy>>;

Status runtimeError(const std::string &what = {}) {
  return Status::error(what, what.empty() ? "" : ": ", nrd_error_message());
}

//===-- Arguments ---------------------------------------------------------===//

Result<double> parseNumber(std::string_view text) {
  std::string string(trim(text));
  string.erase(std::remove(string.begin(), string.end(), '_'), string.end());
  char *end = nullptr;
  double value = std::strtod(string.c_str(), &end);
  if (string.empty() || *end)
    return Status::error("'", text, "' is no number");
  return value;
}

Result<int64_t> parseInteger(std::string_view text) {
  std::string string(trim(text));
  if (string == "True" || string == "true")
    return 1;
  if (string == "False" || string == "false")
    return 0;
  string.erase(std::remove(string.begin(), string.end(), '_'), string.end());
  char *end = nullptr;
  errno = 0;
  long long value = std::strtoll(string.c_str(), &end, 0);
  if (!string.empty() && !*end && errno == ERANGE && string[0] != '-') {
    errno = 0;
    value = static_cast<long long>(std::strtoull(string.c_str(), &end, 0));
  }
  if (string.empty() || *end || errno)
    return Status::error("'", text, "' is no integer of 64 bits");
  return int64_t(value);
}

constexpr const char *kFills[] = {"zeros", "ones", "arange", "rand",
                                  "randn", "full", "poison"};

// "zeros:fp32[64,64]", "full:fp32[8]:1.5".
Result<Array> makeArray(const std::string &text, const pack::ScalarType &wanted,
                        std::mt19937_64 &random) {
  size_t colon = text.find(':');
  std::string fill = text.substr(0, colon);
  std::vector<std::string> known(std::begin(kFills), std::end(kFills));
  if (colon == std::string::npos ||
      std::find(known.begin(), known.end(), fill) == known.end())
    return Status::error("'", text, "' is no array; give @FILE.npy, or ",
                         "zeros, ones, arange, rand, randn, full or poison "
                         "as in 'zeros:",
                         wanted.name, "[4096]'",
                         colon == std::string::npos
                             ? std::string()
                             : pack::suggestion(fill, known));
  std::string rest = text.substr(colon + 1);
  size_t open = rest.find('['), close = rest.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open)
    return Status::error("'", text, "' has no shape; write for example '", fill,
                         ":", wanted.name, "[4096]'");
  std::string typeName = rest.substr(0, open);
  const pack::ScalarType *type =
      typeName.empty() ? &wanted : pack::findScalar(typeName);
  if (!type)
    return Status::error("unknown type '", typeName, "' in '", text, "'",
                         pack::suggestion(typeName, pack::scalarNames()));
  if (type != &wanted)
    return Status::error("'", text, "' is ", type->name,
                         ", but the kernel takes ", wanted.name);
  Array array;
  array.type = type;
  std::string shape = rest.substr(open + 1, close - open - 1);
  for (auto [offset, piece] : splitOutside(shape, ',')) {
    (void)offset;
    Result<int64_t> size = parseInteger(piece);
    if (!size || *size < 0 || *size > (int64_t(1) << 40))
      return Status::error("the shape of '", text, "' is no list of sizes");
    array.shape.push_back(uint64_t(*size));
  }
  uint64_t bytes = elementSize(*type);
  for (uint64_t size : array.shape)
    if (__builtin_mul_overflow(bytes, size, &bytes) ||
        bytes > (uint64_t(1) << 40))
      return Status::error("'", text, "' is too large");
  double constant = 0;
  if (fill == "full") {
    if (rest.size() <= close + 1 || rest[close + 1] != ':')
      return Status::error("'", text,
                           "' has no value; write for example "
                           "'full:",
                           wanted.name, "[8]:1.5'");
    Result<double> value = parseNumber(rest.substr(close + 2));
    if (!value)
      return value.status();
    constant = *value;
  } else if (close + 1 != rest.size()) {
    return Status::error("'", rest.substr(close + 1), "' after the shape of '",
                         text, "' means nothing");
  }
  if (fill == "zeros" || fill == "poison") {
    array.bytes.assign(bytes, fill == "zeros" ? '\0' : '\xff');
    return array;
  }
  array.bytes.resize(bytes);
  bool isFloat = type->kind == pack::ScalarType::Class::Float;
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::uniform_int_distribution<int> integers(0, type->bits == 1 ? 1 : 99);
  std::normal_distribution<double> normal;
  uint64_t count = array.count();
  size_t step = elementSize(*type);
  for (uint64_t i = 0; i < count; ++i) {
    double value = fill == "ones"     ? 1
                   : fill == "full"   ? constant
                   : fill == "arange" ? double(i)
                   : !isFloat         ? integers(random)
                   : fill == "rand"   ? uniform(random)
                                      : normal(random);
    encode(*type, value, &array.bytes[i * step]);
  }
  return array;
}

struct Argument {
  uint32_t slot = 0;
  Array array; ///< of a pointer or descriptor
  void *device = nullptr;
};

// A kernel with its arguments in place, ready to launch.
class Session {
public:
  explicit Session(const LaunchCommand &command)
      : command(command), random(command.seed) {}
  ~Session() {
    call.reset();
    for (Argument &argument : arguments)
      if (argument.device)
        nrd_buffer_free(device.get(), argument.device);
  }

  Status prepare() {
    nrd_device_options_t options = NRD_DEVICE_OPTIONS_INIT;
    options.threads = command.threads;
    nrd_device_t *openedDevice = nullptr;
    if (nrd_device_open_with(command.device.c_str(), &options, &openedDevice))
      return runtimeError();
    device.reset(openedDevice);
    nrd_pack_t *openedPack = nullptr;
    if (nrd_pack_open_file(command.pack.c_str(), nullptr, &openedPack))
      return runtimeError();
    pack.reset(openedPack);
    if (nrd_kernel_find(pack.get(), device.get(), command.kernel.c_str(),
                        &kernel))
      return runtimeError();
    nrd_call_t *made = nullptr;
    if (nrd_call_create(kernel, &made))
      return runtimeError();
    call.reset(made);
    if (Status status = setArguments(); !status)
      return status;
    if (Status status = setGrid(); !status)
      return status;
    if (command.config >= 0 &&
        nrd_call_set_config(call.get(), uint32_t(command.config)))
      return runtimeError();
    if (nrd_call_bind(call.get()))
      return runtimeError();
    return {};
  }

  const LaunchCommand &command;
  std::mt19937_64 random;
  DeviceHandle device;
  PackHandle pack;
  const nrd_kernel_t *kernel = nullptr;
  CallHandle call;
  std::vector<Argument> arguments; ///< arrays only

  Argument *find(const std::string &name) {
    for (Argument &argument : arguments)
      if (name == nrd_kernel_slot(kernel, argument.slot)->name)
        return &argument;
    return nullptr;
  }

  std::vector<std::string> slotNames() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < nrd_kernel_slot_count(kernel); ++i)
      names.push_back(nrd_kernel_slot(kernel, i)->name);
    return names;
  }

  // "variant 2 (x86-64-v3), grid 4 x 1 x 1".
  std::string chosen() const {
    uint32_t variant = 0, grid[3] = {0, 0, 0};
    nrd_call_variant(call.get(), &variant);
    nrd_call_grid(call.get(), grid);
    const nrd_variant_t *facts = nrd_kernel_variant(kernel, variant);
    return concat("variant ", variant, " (", facts ? facts->target : "?",
                  "), grid ", grid[0], " x ", grid[1], " x ", grid[2]);
  }

private:
  Status setArguments() {
    std::map<std::string, std::string> given;
    for (const std::string &text : command.arguments) {
      size_t equal = text.find('=');
      if (equal == std::string::npos || equal == 0)
        return Status::error("--arg takes NAME=VALUE; found '", text, "'");
      if (!given.emplace(text.substr(0, equal), text.substr(equal + 1)).second)
        return Status::error("argument '", text.substr(0, equal),
                             "' is given twice");
    }
    std::vector<std::string> names = slotNames(), missing;
    for (const auto &entry : given)
      if (std::find(names.begin(), names.end(), entry.first) == names.end())
        return Status::error(
            "kernel '", command.kernel, "' has no parameter '", entry.first,
            "'", pack::suggestion(entry.first, names, "its parameters"));
    arguments.reserve(names.size());
    for (uint32_t i = 0; i < names.size(); ++i) {
      const nrd_slot_t &slot = *nrd_kernel_slot(kernel, i);
      auto it = given.find(names[i]);
      if (it == given.end()) {
        if (!slot.has_constant)
          missing.push_back(concat(names[i], " (", slot.type, ")"));
        continue;
      }
      if (Status status = setArgument(i, slot, it->second); !status)
        return status.within("argument '" + names[i] + "'");
    }
    if (!missing.empty())
      return Status::error("no value for ", pack::listText(missing),
                           "; give each with --arg NAME=VALUE");
    return {};
  }

  Status setArgument(uint32_t index, const nrd_slot_t &slot,
                     const std::string &text) {
    if (slot.kind == NRD_SLOT_INTEGER) {
      Result<int64_t> value = parseInteger(text);
      if (!value)
        return value.status();
      return nrd_call_set_int(call.get(), index, *value) ? runtimeError()
                                                         : Status();
    }
    if (slot.kind == NRD_SLOT_FLOAT) {
      Result<double> value = parseNumber(text);
      if (!value)
        return value.status();
      return nrd_call_set_float(call.get(), index, *value) ? runtimeError()
                                                           : Status();
    }
    if (text == "null" || text == "None")
      return nrd_call_set_pointer(call.get(), index, nullptr) ? runtimeError()
                                                              : Status();
    Result<pack::SignatureType> type = pack::parseSignatureType(slot.type);
    if (!type)
      return type.status();
    Result<Array> array = text[0] == '@'
                              ? readNpy(text.substr(1), *type->scalar)
                              : makeArray(text, *type->scalar, random);
    if (!array)
      return array.status();
    Argument argument;
    argument.slot = index;
    argument.array = std::move(*array);
    size_t size = argument.array.bytes.size();
    if (nrd_buffer_alloc(device.get(), std::max<size_t>(size, 1),
                         &argument.device))
      return runtimeError();
    arguments.push_back(std::move(argument));
    const Argument &kept = arguments.back();
    if (size && nrd_buffer_copy_to_device(device.get(), kept.device,
                                          kept.array.bytes.data(), size))
      return runtimeError();
    if (slot.kind == NRD_SLOT_POINTER)
      return nrd_call_set_pointer(call.get(), index, kept.device)
                 ? runtimeError()
                 : Status();
    if (kept.array.shape.size() != slot.rank)
      return Status::error("the parameter is a tensor of rank ", slot.rank,
                           "; found ", arrayText(kept.array));
    std::vector<int64_t> shape(kept.array.shape.begin(),
                               kept.array.shape.end());
    return nrd_call_set_descriptor(call.get(), index, kept.device, shape.data(),
                                   nullptr)
               ? runtimeError()
               : Status();
  }

  Status setGrid() {
    if (command.grid.empty()) {
      const nrd_config_t *config = nrd_kernel_config(kernel, 0);
      if (config && config->grid_rank == 0)
        return Status::error("kernel '", command.kernel,
                             "' leaves the grid to "
                             "the caller; give it with --grid X[,Y[,Z]]");
      return {};
    }
    uint32_t grid[3] = {1, 1, 1};
    size_t axis = 0;
    for (auto [offset, piece] : splitOutside(command.grid, ',')) {
      (void)offset;
      Result<int64_t> value = parseInteger(piece);
      if (axis == 3 || !value || *value < 0 || *value > INT32_MAX)
        return Status::error("--grid takes up to three sizes, such as 128 or "
                             "64,8; found '",
                             command.grid, "'");
      grid[axis++] = uint32_t(*value);
    }
    return nrd_call_set_grid(call.get(), grid[0], grid[1], grid[2])
               ? runtimeError()
               : Status();
  }
};

// "min -1.2, mean 0.003, max 1.4", and how many are not numbers.
std::string statistics(const Array &array) {
  uint64_t count = array.count(), notFinite = 0;
  double low = INFINITY, high = -INFINITY, sum = 0;
  size_t step = elementSize(*array.type);
  for (uint64_t i = 0; i < count; ++i) {
    double value = decode(*array.type, &array.bytes[i * step]);
    if (!std::isfinite(value)) {
      ++notFinite;
      continue;
    }
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  if (count == notFinite)
    return count ? "no finite value" : "empty";
  std::string text = concat("min ", low, ", mean ",
                            sum / double(count - notFinite), ", max ", high);
  return notFinite ? text + concat(", ", notFinite, " not finite") : text;
}

std::string explained(nrd_call_t *call) {
  std::string text(nrd_call_explain(call, nullptr, 0), '\0');
  if (!text.empty())
    nrd_call_explain(call, text.data(), text.size() + 1);
  return text;
}

} // namespace

//===-- run ---------------------------------------------------------------===//

int runRun(const LaunchCommand &command) {
  Session session(command);
  Status ready = session.prepare();
  if (command.explain && session.call)
    print(explained(session.call.get()));
  if (!ready)
    return fail(ready.message());
  std::map<std::string, std::string> outputs;
  for (const std::string &text : command.outputs) {
    size_t equal = text.find('=');
    if (equal == std::string::npos || equal == 0)
      return usage("--out takes NAME=FILE.npy; found '" + text + "'");
    std::string name = text.substr(0, equal);
    if (!session.find(name))
      return fail("there is no array argument '" + name + "' to write" +
                  pack::suggestion(name, session.slotNames(), "parameters"));
    outputs[name] = text.substr(equal + 1);
  }
  if (nrd_call_launch(session.call.get(), nullptr) ||
      nrd_device_synchronize(session.device.get()))
    return fail(nrd_error_message());

  Json json;
  Table table;
  table.row({"ARGUMENT", "TYPE", "VALUES AFTER THE LAUNCH"});
  Status written;
  json.object([&] {
    json.member("kernel", command.kernel);
    json.member("device", nrd_device_name(session.device.get()));
    json.member("launched", session.chosen());
    json.arrayMember("arrays", [&] {
      for (Argument &argument : session.arguments) {
        const nrd_slot_t &slot =
            *nrd_kernel_slot(session.kernel, argument.slot);
        bool wanted = outputs.count(slot.name) != 0;
        if (slot.is_const && !wanted)
          continue;
        Array &array = argument.array;
        if (!array.bytes.empty() &&
            nrd_buffer_copy_to_host(session.device.get(), array.bytes.data(),
                                    argument.device, array.bytes.size())) {
          written = runtimeError();
          continue;
        }
        if (wanted)
          if (Status status = writeNpy(outputs[slot.name], array); !status)
            written = status;
        table.row({slot.name, arrayText(array), statistics(array)});
        json.object([&] {
          json.member("name", slot.name);
          json.member("type", arrayText(array));
          json.member("values", statistics(array));
          json.member("file", wanted ? outputs[slot.name] : std::string());
        });
      }
    });
  });
  if (!written)
    return fail(written.message());
  print(command.json ? json.take()
                     : concat(command.kernel, " on ",
                              nrd_device_name(session.device.get()), ": ",
                              session.chosen(), "\n", table.text()));
  return kSuccess;
}

//===-- bench -------------------------------------------------------------===//

int runBench(const LaunchCommand &command) {
  if (command.repeat == 0)
    return usage("--repeat must be 1 or more");
  Session session(command);
  if (Status status = session.prepare(); !status)
    return fail(status.message());
  auto launch = [&] {
    return nrd_call_launch(session.call.get(), nullptr) == NRD_OK &&
           nrd_device_synchronize(session.device.get()) == NRD_OK;
  };
  for (unsigned i = 0; i < command.warmup; ++i)
    if (!launch())
      return fail(nrd_error_message());
  std::vector<double> times;
  for (unsigned i = 0; i < command.repeat; ++i) {
    auto start = std::chrono::steady_clock::now();
    if (!launch())
      return fail(nrd_error_message());
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(times.begin(), times.end());
  auto quantile = [&](double q) {
    return times[size_t(q * double(times.size() - 1) + 0.5)];
  };
  uint64_t bytes = 0;
  for (const Argument &argument : session.arguments)
    bytes += argument.array.bytes.size();
  double median = quantile(0.5);
  if (command.json) {
    Json json;
    json.object([&] {
      json.member("kernel", command.kernel);
      json.member("device", nrd_device_name(session.device.get()));
      json.member("launched", session.chosen());
      json.member("repeat", command.repeat);
      json.member("median_s", median);
      json.member("min_s", times.front());
      json.member("p90_s", quantile(0.9));
      json.member("array_bytes", bytes);
    });
    print(json.take());
    return kSuccess;
  }
  print(concat(command.kernel, " on ", nrd_device_name(session.device.get()),
               ": ", session.chosen(), "\n", "median ", timeText(median),
               ", fastest ", timeText(times.front()), ", 90 % within ",
               timeText(quantile(0.9)), " of ", command.repeat, " launches\n"));
  if (bytes)
    print(concat("arrays hold ", sizeText(bytes), ": ",
                 double(int64_t(double(bytes) / median / 1e8)) / 10,
                 " GB/s if each is touched once\n"));
  return kSuccess;
}

//===-- check -------------------------------------------------------------===//

int runCheck(const CheckCommand &command) {
  nrd_pack_t *openedPack = nullptr;
  if (nrd_pack_open_file(command.pack.c_str(), nullptr, &openedPack))
    return fail(nrd_error_message());
  PackHandle pack(openedPack);
  std::vector<std::string> names;
  for (size_t i = 0; i < nrd_pack_kernel_count(pack.get()); ++i) {
    const char *name = nullptr;
    if (nrd_pack_kernel_name(pack.get(), i, &name))
      return fail(nrd_error_message());
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());

  // A target word stands for a device of that kind, with or without one here.
  std::vector<std::string> words;
  std::vector<DeviceHandle> devices;
  for (auto [offset, piece] : splitOutside(command.devices, ',')) {
    (void)offset;
    std::string word(trim(piece));
    nrd_device_t *device = nullptr;
    nrd_status_t status = nrd_device_open(word.c_str(), &device);
    if (status == NRD_NOT_FOUND) {
      std::string reason = nrd_error_message();
      status = nrd_device_open(("null:" + word).c_str(), &device);
      if (status)
        return fail(reason);
    }
    if (status)
      return fail(word + ": " + nrd_error_message());
    words.push_back(word);
    devices.emplace_back(device);
  }
  if (words.empty())
    return usage("--device names no device");

  Table table;
  std::vector<std::string> heads = {"KERNEL"};
  heads.insert(heads.end(), words.begin(), words.end());
  table.row(heads);
  std::string reasons;
  size_t gaps = 0;
  Json json;
  json.object([&] {
    json.member("pack", command.pack);
    json.arrayMember("kernels", [&] {
      for (const std::string &name : names) {
        std::vector<std::string> row = {name};
        json.object([&] {
          json.member("name", name);
          json.objectMember("devices", [&] {
            for (size_t d = 0; d < words.size(); ++d) {
              const nrd_kernel_t *kernel = nullptr;
              bool served = nrd_kernel_find(pack.get(), devices[d].get(),
                                            name.c_str(), &kernel) == NRD_OK;
              json.member(words[d], served);
              row.push_back(served ? styled(Style::Green, "yes")
                                   : styled(Style::Red, "NO"));
              if (!served) {
                ++gaps;
                reasons += std::string(nrd_error_message()) + "\n";
              } else if (command.verbose) {
                std::string text(
                    nrd_kernel_explain(kernel, nullptr, nullptr, 0), '\0');
                nrd_kernel_explain(kernel, nullptr, text.data(),
                                   text.size() + 1);
                reasons += text;
              }
            }
          });
        });
        table.row(row);
      }
    });
    json.member("gaps", uint64_t(gaps));
  });
  if (command.json) {
    print(json.take());
  } else {
    print(table.text());
    if (!reasons.empty())
      print("\n" + reasons);
  }
  if (!gaps)
    return kSuccess;
  if (!command.json)
    fail(concat(gaps, " of ", names.size() * words.size(),
                gaps == 1 ? " combination is" : " combinations are",
                " not served"));
  return kFailure;
}

} // namespace nereid::tool
