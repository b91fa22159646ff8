//===- LaunchCommand.cpp - nereid run, bench, check -----------------------===//

#include "packager/tools/Console.h"
#include "packager/tools/Json.h"
#include "packager/tools/Npy.h"
#include "packager/tools/Session.h"
#include "packager/tools/SignatureText.h"

#include "packager/File.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <cmath>

namespace nereid::tool {

using pack::concat;
using pack::Status;

namespace {

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
    if (!outputs.emplace(name, text.substr(equal + 1)).second)
      return fail("--out names '" + name +
                  "' twice; an array goes to one file");
    if (Status status = pack::checkWritable(outputs[name]); !status)
      return fail(status.message());
  }
  if (Status status = session.launch(); !status)
    return fail(status.message());

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
  pack::Result<std::vector<double>> measured =
      session.measure(command.warmup, command.repeat);
  if (!measured)
    return fail(measured.message());
  const std::vector<double> &times = *measured;
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

// A target word was opened as a null device of that target, which nobody who
// asked for the target needs to know.
static std::string plainly(std::string text, const std::string &target) {
  std::string made =
      concat("null:", target, " (runs nothing, takes what ", target, " takes)");
  if (size_t at = text.find(made); at != std::string::npos)
    text.replace(at, made.size(), target);
  return text;
}

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
        return fail(reason + ", or a target such as sm_90 or x86-64-v3");
    }
    if (status)
      return fail(word + ": " + nrd_error_message() +
                  "; a target such as sm_90 or gfx942 is checked without it");
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
                reasons += plainly(nrd_error_message(), words[d]) + "\n";
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
    fail(concat(gaps, " of ",
                counted(names.size() * words.size(), "combination"),
                gaps == 1 ? " is" : " are", " not served"));
  return kFailure;
}

} // namespace nereid::tool
