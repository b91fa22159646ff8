//===- Session.cpp - A kernel with its arguments in place -----------------===//

#include "packager/tools/Session.h"

#include "packager/GridExpr.h"
#include "packager/Suggest.h"
#include "packager/tools/Npy.h"
#include "packager/tools/SignatureText.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace nereid::tool {

using pack::concat;
using pack::Result;
using pack::Status;

Status runtimeError() { return Status::error(nrd_error_message()); }

static Result<double> parseNumber(std::string_view text) {
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
    // A u64's upper half.
    errno = 0;
    value = static_cast<long long>(std::strtoull(string.c_str(), &end, 0));
  }
  if (string.empty() || *end || errno)
    return Status::error("'", text, "' is no integer of 64 bits");
  return int64_t(value);
}

//===-- Arrays ------------------------------------------------------------===//

// An expression of a size is one of a grid, but should not be called that.
static Status sizeError(std::string text) {
  for (const auto &[grid, size] :
       {std::pair<std::string_view, std::string_view>("the grid is ", "it is "),
        {" in the grid", ""}})
    if (size_t at = text.find(grid); at != std::string::npos)
      text.replace(at, grid.size(), size);
  return Status::error(text);
}

Result<int64_t> Session::sizeValue(std::string_view text) const {
  pack::GridNames names;
  names.constants = integers;
  pack::GridExpr expr;
  pack::GridAxis axis;
  pack::GridError problem;
  if (!pack::GridExpr::parse(text, expr, problem) ||
      !expr.compile(names, axis, problem))
    return sizeError(problem.text);
  Result<int64_t> value = pack::runGridProgram(axis.steps, {});
  return value ? value : sizeError(value.message());
}

// "zeros:fp32[64,64]", "full:fp32[M*K]:1.5".
Result<Array> Session::makeArray(const std::string &text,
                                 const pack::ScalarType &wanted) {
  static const std::vector<std::string> fills = {
      "zeros", "ones", "arange", "rand", "randn", "full", "poison"};
  size_t colon = text.find(':');
  std::string fill = text.substr(0, colon);
  if (colon == std::string::npos ||
      std::find(fills.begin(), fills.end(), fill) == fills.end())
    return Status::error("'", text, "' is no array; give @FILE.npy, or ",
                         "zeros, ones, arange, rand, randn, full or poison "
                         "as in 'zeros:",
                         wanted.name, "[4096]'",
                         colon == std::string::npos
                             ? std::string()
                             : pack::suggestion(fill, fills));
  std::string rest = text.substr(colon + 1);
  size_t open = rest.find('['), close = rest.rfind(']');
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
  uint64_t bytes = elementSize(*type);
  std::string shape = rest.substr(open + 1, close - open - 1);
  for (const auto &piece : splitOutside(shape, ',')) {
    Result<int64_t> size = sizeValue(trim(piece.second));
    if (!size)
      return size.status().within("the shape of '" + text + "'");
    if (*size < 0 || __builtin_mul_overflow(bytes, uint64_t(*size), &bytes) ||
        bytes > (uint64_t(1) << 40))
      return Status::error("the shape of '", text,
                           "' is negative or too "
                           "large");
    array.shape.push_back(uint64_t(*size));
  }
  double constant = 0;
  std::string after = rest.substr(close + 1);
  if (fill == "full") {
    if (after.empty() || after[0] != ':')
      return Status::error("'", text,
                           "' has no value; write for example "
                           "'full:",
                           wanted.name, "[8]:1.5'");
    Result<double> value = parseNumber(after.substr(1));
    if (!value)
      return value.status();
    constant = *value;
  } else if (!after.empty()) {
    return Status::error("'", after, "' after the shape of '", text,
                         "' means nothing");
  }
  if (fill == "zeros" || fill == "poison") {
    array.bytes.assign(bytes, fill == "zeros" ? '\0' : '\xff');
    return array;
  }
  array.bytes.resize(bytes);
  bool isFloat = type->kind == pack::ScalarType::Class::Float;
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::uniform_int_distribution<int> whole(0, type->bits == 1 ? 1 : 99);
  std::normal_distribution<double> normal;
  uint64_t count = array.count();
  size_t step = elementSize(*type);
  for (uint64_t i = 0; i < count; ++i) {
    double value = fill == "ones"     ? 1
                   : fill == "full"   ? constant
                   : fill == "arange" ? double(i)
                   : !isFloat         ? whole(random)
                   : fill == "rand"   ? uniform(random)
                                      : normal(random);
    encode(*type, value, &array.bytes[i * step]);
  }
  return array;
}

//===-- Session -----------------------------------------------------------===//

Session::~Session() {
  call.reset();
  freeArguments();
}

void Session::freeArguments() {
  for (Argument &argument : arguments)
    if (argument.device && argument.device != argument.guarded.data())
      nrd_buffer_free(device.get(), argument.device);
  arguments.clear();
  nulls.clear();
}

// "cpu" and "cpu:LEVEL" run in this process and on its memory.
bool Session::isHost() const {
  return std::string_view(nrd_device_name(device.get())).substr(0, 3) == "cpu";
}

std::unique_ptr<FaultWatch> Session::watch() const {
  if (!isHost())
    return nullptr;
  std::vector<WatchedArgument> watched;
  for (const Argument &argument : arguments)
    watched.push_back({nrd_kernel_slot(kernel, argument.slot)->name,
                       arrayText(argument.array),
                       static_cast<const char *>(argument.device),
                       argument.array.bytes.size()});
  for (const std::string &name : nulls)
    watched.push_back({name, "", nullptr, 0});
  return std::make_unique<FaultWatch>(command.kernel, std::move(watched));
}

Status Session::launch() {
  std::unique_ptr<FaultWatch> watching = watch();
  if (nrd_call_launch(call.get(), nullptr) ||
      nrd_device_synchronize(device.get()))
    return runtimeError();
  for (const Argument &argument : arguments)
    if (!argument.guarded.isIntact())
      return Status::error(
          "kernel '", command.kernel, "' wrote beside '",
          nrd_kernel_slot(kernel, argument.slot)->name, "', ",
          arrayText(argument.array),
          "; give an array of the size that the other arguments say");
  return {};
}

Status Session::open() {
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
  return {};
}

Result<std::map<std::string, std::string>> Session::givenArguments() const {
  std::map<std::string, std::string> given;
  std::vector<std::string> names = slotNames();
  for (const std::string &text : command.arguments) {
    size_t equal = text.find('=');
    if (equal == std::string::npos || equal == 0)
      return Status::error("--arg takes NAME=VALUE; found '", text, "'");
    std::string name = text.substr(0, equal);
    if (std::find(names.begin(), names.end(), name) == names.end())
      return Status::error("kernel '", command.kernel, "' has no parameter '",
                           name, "'",
                           pack::suggestion(name, names, "its parameters"));
    if (!given.emplace(name, text.substr(equal + 1)).second)
      return Status::error("argument '", name, "' is given twice");
  }
  return given;
}

Status Session::setArguments(const std::map<std::string, std::string> &given) {
  freeArguments();
  integers.clear();
  std::vector<std::string> names = slotNames(), missing;
  arguments.reserve(names.size());
  // Integers first: sizes of arrays may be made of them.
  for (bool wantsInteger : {true, false})
    for (uint32_t i = 0; i < names.size(); ++i) {
      const nrd_slot_t &slot = *nrd_kernel_slot(kernel, i);
      if ((slot.kind == NRD_SLOT_INTEGER) != wantsInteger)
        continue;
      auto it = given.find(names[i]);
      if (it == given.end()) {
        if (!slot.has_constant)
          missing.push_back(concat(names[i], " (", slot.type, ")"));
        else if (wantsInteger)
          integers[names[i]] = slot.constant;
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

Status Session::setArgument(uint32_t index, const nrd_slot_t &slot,
                            const std::string &text) {
  auto done = [](nrd_status_t status) {
    return status ? runtimeError() : Status();
  };
  if (slot.kind == NRD_SLOT_INTEGER) {
    Result<int64_t> value = parseInteger(text);
    if (!value)
      return value.status();
    integers[slot.name] = *value;
    return done(nrd_call_set_int(call.get(), index, *value));
  }
  if (slot.kind == NRD_SLOT_FLOAT) {
    Result<double> value = parseNumber(text);
    if (!value)
      return value.status();
    return done(nrd_call_set_float(call.get(), index, *value));
  }
  if (text == "null" || text == "None") {
    nulls.push_back(slot.name);
    return done(nrd_call_set_pointer(call.get(), index, nullptr));
  }
  Result<pack::SignatureType> type = pack::parseSignatureType(slot.type);
  if (!type)
    return type.status();
  Result<Array> array = !text.empty() && text[0] == '@'
                            ? readNpy(text.substr(1), *type->scalar)
                            : makeArray(text, *type->scalar);
  if (!array)
    return array.status();
  arguments.push_back({index, std::move(*array), nullptr, {}});
  Argument &kept = arguments.back();
  size_t size = kept.array.bytes.size();
  if (isHost()) {
    Result<GuardedArray> guarded = GuardedArray::make(size);
    if (!guarded)
      return guarded.status();
    kept.guarded = std::move(*guarded);
    kept.device = kept.guarded.data();
  } else if (nrd_buffer_alloc(device.get(), std::max<size_t>(size, 1),
                              &kept.device)) {
    return runtimeError();
  }
  if (size && nrd_buffer_copy_to_device(device.get(), kept.device,
                                        kept.array.bytes.data(), size))
    return runtimeError();
  if (slot.kind == NRD_SLOT_POINTER)
    return done(nrd_call_set_pointer(call.get(), index, kept.device));
  if (kept.array.shape.size() != slot.rank)
    return Status::error("the parameter is a tensor of rank ", slot.rank,
                         "; found ", arrayText(kept.array));
  std::vector<int64_t> shape(kept.array.shape.begin(), kept.array.shape.end());
  return done(nrd_call_set_descriptor(call.get(), index, kept.device,
                                      shape.data(), nullptr));
}

Status Session::setChoices() {
  if (command.config >= 0 &&
      nrd_call_set_config(call.get(), uint32_t(command.config)))
    return runtimeError();
  if (command.grid.empty()) {
    const nrd_config_t *config = nrd_kernel_config(kernel, 0);
    if (config && config->grid_rank == 0)
      return Status::error("kernel '", command.kernel,
                           "' leaves the grid to the caller; give it with "
                           "--grid X[,Y[,Z]]");
    return {};
  }
  uint32_t grid[3] = {1, 1, 1};
  size_t axis = 0;
  for (const auto &piece : splitOutside(command.grid, ',')) {
    Result<int64_t> value = axis < 3
                                ? sizeValue(trim(piece.second))
                                : Status::error("a grid has at most 3 axes");
    if (value && (*value < 0 || *value > INT32_MAX))
      value = Status::error("a grid's sizes are from 0 to 2147483647");
    if (!value)
      return value.status().within("--grid '" + command.grid + "'");
    grid[axis++] = uint32_t(*value);
  }
  return nrd_call_set_grid(call.get(), grid[0], grid[1], grid[2])
             ? runtimeError()
             : Status();
}

Status Session::prepare() {
  if (Status status = open(); !status)
    return status;
  Result<std::map<std::string, std::string>> given = givenArguments();
  if (!given)
    return given.status();
  if (Status status = setArguments(*given); !status)
    return status;
  if (Status status = setChoices(); !status)
    return status;
  return nrd_call_bind(call.get()) ? runtimeError() : Status();
}

Argument *Session::find(const std::string &name) {
  for (Argument &argument : arguments)
    if (name == nrd_kernel_slot(kernel, argument.slot)->name)
      return &argument;
  return nullptr;
}

std::vector<std::string> Session::slotNames() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < nrd_kernel_slot_count(kernel); ++i)
    names.push_back(nrd_kernel_slot(kernel, i)->name);
  return names;
}

std::string Session::chosen() const {
  uint32_t variant = 0, grid[3] = {0, 0, 0};
  nrd_call_variant(call.get(), &variant);
  nrd_call_grid(call.get(), grid);
  const nrd_variant_t *facts = nrd_kernel_variant(kernel, variant);
  return concat("variant ", variant, " (", facts ? facts->target : "?",
                "), grid ", grid[0], " x ", grid[1], " x ", grid[2]);
}

Result<std::vector<double>> Session::measure(unsigned warmup, unsigned repeat) {
  std::unique_ptr<FaultWatch> watching = watch();
  auto launch = [&] {
    return nrd_call_launch(call.get(), nullptr) == NRD_OK &&
           nrd_device_synchronize(device.get()) == NRD_OK;
  };
  for (unsigned i = 0; i < warmup; ++i)
    if (!launch())
      return runtimeError();
  std::vector<double> times;
  for (unsigned i = 0; i < repeat; ++i) {
    auto start = std::chrono::steady_clock::now();
    if (!launch())
      return runtimeError();
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::sort(times.begin(), times.end());
  return times;
}

} // namespace nereid::tool
