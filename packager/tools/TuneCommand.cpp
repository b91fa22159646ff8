//===- TuneCommand.cpp - nereid tune --------------------------------------===//
//
// Times every config of a kernel on the device at hand, over all combinations
// of the given sizes, and keeps which was fastest. Nothing is compiled.
//
//===----------------------------------------------------------------------===//

#include "packager/tools/Commands.h"
#include "packager/tools/Console.h"
#include "packager/tools/Session.h"
#include "packager/tools/SignatureText.h"

#include "packager/File.h"
#include "packager/Suggest.h"
#include "packager/Tuning.h"

#include <algorithm>

namespace nereid::tool {

using pack::concat;
using pack::Result;
using pack::Status;

namespace {

// An integer argument with several values: one key of the table.
struct Sweep {
  std::string name;
  std::vector<int64_t> values;
};

// One combination of sizes and what was measured there, by config; negative:
// the config cannot run.
struct Point {
  std::vector<int64_t> sizes;
  std::vector<double> seconds;
  size_t best = 0;
};

class Tuner {
public:
  explicit Tuner(const TuneCommand &command)
      : command(command), session(command.launch) {}

  int run() {
    if (!openPack(command.launch.pack, pack))
      return kFailure;
    if (Status status = session.open(); !status)
      return fail(status.message());
    for (pack::Kernel &one : pack.kernels)
      if (one.name == command.launch.kernel)
        kernel = &one;
    if (!kernel)
      return fail("the pack has no kernel '" + command.launch.kernel + "'");
    if (std::string_view(nrd_device_name(session.device.get())).substr(0, 4) ==
        "null")
      return fail("'null' runs nothing, so nothing is faster on it; tune on "
                  "the device that the table is for");
    if (Status status = readSweeps(); !status)
      return fail(status.message());
    if (Status status = measureAll(); !status)
      return fail(status.message());
    print(report());
    return write();
  }

private:
  Status readSweeps() {
    Result<std::map<std::string, std::string>> arguments =
        session.givenArguments();
    if (!arguments)
      return arguments.status();
    given = *arguments;
    size_t combinations = 1;
    for (size_t i = 0; i < nrd_kernel_slot_count(session.kernel); ++i) {
      const nrd_slot_t &slot = *nrd_kernel_slot(session.kernel, i);
      auto it = given.find(slot.name);
      if (slot.kind != NRD_SLOT_INTEGER || it == given.end() ||
          it->second.find(',') == std::string::npos)
        continue;
      Sweep sweep;
      sweep.name = slot.name;
      for (const auto &piece : splitOutside(it->second, ',')) {
        Result<int64_t> value = parseInteger(piece.second);
        if (!value)
          return value.status().within("argument '" + sweep.name + "'");
        sweep.values.push_back(*value);
      }
      std::sort(sweep.values.begin(), sweep.values.end());
      sweep.values.erase(std::unique(sweep.values.begin(), sweep.values.end()),
                         sweep.values.end());
      combinations *= sweep.values.size();
      if (combinations > 4096)
        return Status::error("these sizes make more than 4096 combinations");
      sweeps.push_back(std::move(sweep));
    }
    if (sweeps.empty())
      return Status::error("no size varies; give a size several values, such "
                           "as --arg n=1024,65536,1048576");
    if (kernel->configs.size() < 2)
      return Status::error("kernel '", kernel->name,
                           "' has one config, so "
                           "there is nothing to choose");
    return {};
  }

  Status measureAll() {
    std::vector<size_t> at(sweeps.size(), 0);
    size_t total = 1;
    for (const Sweep &sweep : sweeps)
      total *= sweep.values.size();
    Progress progress(total, !command.quiet);
    // The last sweep turns fastest, so points come in the order of the rows.
    for (size_t n = 0; n < total; ++n) {
      Point point;
      size_t rest = n;
      for (size_t s = sweeps.size(); s-- > 0;) {
        at[s] = rest % sweeps[s].values.size();
        rest /= sweeps[s].values.size();
      }
      std::string what;
      std::map<std::string, std::string> arguments = given;
      for (size_t s = 0; s < sweeps.size(); ++s) {
        int64_t value = sweeps[s].values[at[s]];
        point.sizes.push_back(value);
        arguments[sweeps[s].name] = std::to_string(value);
        what += concat(s ? ", " : "", sweeps[s].name, "=", value);
      }
      progress.begin(what);
      if (Status status = session.setArguments(arguments); !status)
        return status.within(what);
      if (Status status = session.setChoices(); !status)
        return status.within(what);
      if (Status status = measurePoint(point); !status)
        return status.within(what);
      points.push_back(std::move(point));
      progress.done();
    }
    return {};
  }

  std::string boundTarget() const {
    uint32_t variant = 0;
    nrd_call_variant(session.call.get(), &variant);
    return nrd_kernel_variant(session.kernel, variant)->target;
  }

  Status measurePoint(Point &point) {
    // A table is one target's: that of the variant a call would take anyway.
    if (nrd_call_set_config(session.call.get(), NRD_CONFIG_AUTO) ||
        nrd_call_bind(session.call.get()))
      return runtimeError();
    target = boundTarget();
    std::string reason;
    for (uint32_t c = 0; c < kernel->configs.size(); ++c) {
      point.seconds.push_back(-1);
      if (nrd_call_set_config(session.call.get(), c) ||
          nrd_call_bind(session.call.get())) {
        reason = nrd_error_message();
        continue;
      }
      if (boundTarget() != target) {
        reason = concat("config ", c, " has no variant for ", target);
        continue;
      }
      Result<std::vector<double>> times =
          session.measure(command.launch.warmup, command.launch.repeat);
      if (!times)
        return times.status();
      point.seconds.back() = (*times)[times->size() / 2];
    }
    // An earlier config keeps its place unless another is clearly faster: what
    // is within the noise should not make the table restless.
    bool found = false;
    for (size_t c = 0; c < point.seconds.size(); ++c)
      if (point.seconds[c] >= 0 &&
          (!found || point.seconds[c] < 0.98 * point.seconds[point.best])) {
        point.best = c;
        found = true;
      }
    return found ? Status() : Status::error("no config runs: ", reason);
  }

  std::string report() const {
    Table table(0);
    std::vector<std::string> heads;
    for (const Sweep &sweep : sweeps)
      heads.push_back(sweep.name);
    heads.insert(heads.end(), {"CONFIG", "TIME", "FIRST CONFIG'S"});
    table.row(heads);
    for (const Point &point : points) {
      std::vector<std::string> row;
      for (int64_t size : point.sizes)
        row.push_back(std::to_string(size));
      double first = point.seconds[0];
      row.push_back(std::to_string(point.best));
      row.push_back(timeText(point.seconds[point.best]));
      row.push_back(first < 0 ? "cannot run" : timeText(first));
      table.row(row);
    }
    std::string text = concat(kernel->name, " on ",
                              nrd_device_description(session.device.get()),
                              ":\n", table.text("  "));
    for (size_t c = 0; c < kernel->configs.size(); ++c)
      text += concat("config ", c, ": ", pack::configText(kernel->configs[c]),
                     "\n");
    return text;
  }

  pack::TuningTable makeTable() const {
    pack::TuningTable table;
    table.target = target;
    if (!command.anyDevice) {
      // "NVIDIA H100 80GB HBM3, sm_90, CUDA 13.0": the model comes first.
      std::string text = nrd_device_description(session.device.get());
      table.device = text.substr(0, text.find(", "));
    }
    pack::GridNames names;
    for (size_t i = 0; i < kernel->params.size(); ++i)
      names.slots[kernel->params[i].name] = {uint32_t(i), true, 0, ""};
    for (const Sweep &sweep : sweeps) {
      pack::GridExpr expr;
      pack::GridError ignored;
      pack::GridAxis axis;
      if (pack::GridExpr::parse(sweep.name, expr, ignored))
        expr.compile(names, axis, ignored);
      table.keys.push_back(std::move(axis));
    }
    for (const Point &point : points) {
      pack::TuningRow row;
      row.config = uint32_t(point.best);
      // Beyond the largest size that was tried, its config is the best guess.
      for (size_t s = 0; s < sweeps.size(); ++s)
        row.upper.push_back(point.sizes[s] == sweeps[s].values.back()
                                ? pack::kAnyBound
                                : point.sizes[s]);
      table.rows.push_back(std::move(row));
    }
    shorten(table);
    return table;
  }

  // With one key, neighbours that choose the same are one row; when all rows
  // choose the same, whatever the keys, one row says it.
  static void shorten(pack::TuningTable &table) {
    bool same = std::all_of(table.rows.begin(), table.rows.end(),
                            [&](const pack::TuningRow &row) {
                              return row.config == table.rows[0].config;
                            });
    if (same) {
      table.rows = {table.rows.back()};
      return;
    }
    if (table.keys.size() != 1)
      return;
    std::vector<pack::TuningRow> kept;
    for (pack::TuningRow &row : table.rows)
      if (!kept.empty() && kept.back().config == row.config)
        kept.back() = std::move(row);
      else
        kept.push_back(std::move(row));
    table.rows = std::move(kept);
  }

  int write() {
    pack::TuningTable table = makeTable();
    if (!command.table.empty()) {
      std::string text = "# Made by nereid tune; put it into a pack with "
                         "nereid merge --tuning.\n" +
                         pack::tuningText(*kernel, table);
      if (Status status = pack::writeFile(command.table, text); !status)
        return fail(status.message());
      print("wrote " + command.table + "\n");
    }
    if (!command.output.empty()) {
      pack::setTuning(*kernel, std::move(table));
      if (!savePack(pack, command.output))
        return kFailure;
      print("wrote " + command.output + "\n");
    }
    return kSuccess;
  }

  const TuneCommand &command;
  Session session;
  pack::Pack pack;
  pack::Kernel *kernel = nullptr;
  std::map<std::string, std::string> given;
  std::vector<Sweep> sweeps;
  std::vector<Point> points;
  std::string target;
};

} // namespace

int runTune(const TuneCommand &command) {
  if (command.output.empty() && command.table.empty())
    return usage("say where the table goes: -o PACK or --table FILE.toml");
  if (command.launch.repeat == 0)
    return usage("--repeat must be 1 or more");
  for (const std::string &path : {command.output, command.table})
    if (Status status = pack::checkWritable(path); !path.empty() && !status)
      return fail(status.message());
  return Tuner(command).run();
}

bool applyTuningFiles(const std::vector<std::string> &files, pack::Pack &pack) {
  for (const std::string &file : files) {
    Result<std::string> text = pack::readFile(file);
    if (!text) {
      fail(text.message());
      return false;
    }
    std::vector<pack::TuningEntry> entries;
    std::vector<pack::Diagnostic> errors;
    if (pack::parseTuning(*text, file, entries, errors))
      pack::applyTuning(pack, entries, errors);
    for (const pack::Diagnostic &error : errors)
      printRendered(pack::render(error, *text));
    if (!errors.empty())
      return false;
  }
  return true;
}

} // namespace nereid::tool
