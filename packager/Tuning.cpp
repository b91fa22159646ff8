//===- Tuning.cpp - Tuning tables as text ---------------------------------===//

#include "packager/Tuning.h"

#include "packager/Suggest.h"
#include "packager/Toml.h"

#include <algorithm>

namespace nereid::pack {

std::string configText(const Config &config) {
  std::string text;
  for (const Constant &constant : config.constants)
    text += constant.name + "=" + constant.text + " ";
  text +=
      concat("num_warps=", config.numWarps, " num_stages=", config.numStages);
  return config.numCtas > 1 ? text + concat(" num_ctas=", config.numCtas)
                            : text;
}

void setTuning(Kernel &kernel, TuningTable table) {
  for (TuningTable &known : kernel.tuning)
    if (known.target == table.target && known.device == table.device) {
      known = std::move(table);
      return;
    }
  kernel.tuning.push_back(std::move(table));
}

//===-- Writing -----------------------------------------------------------===//

static std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string tuningText(const Kernel &kernel, const TuningTable &table) {
  std::string text = "[[tuning]]\nkernel = " + quoted(kernel.name) +
                     "\ntarget = " + quoted(table.target) + "\n";
  if (!table.device.empty())
    text += "device = " + quoted(table.device) + "\n";
  text += "keys = [";
  for (size_t i = 0; i < table.keys.size(); ++i)
    text += (i ? ", " : "") + quoted(table.keys[i].text);
  text += "]\nrows = [\n";
  for (const TuningRow &row : table.rows) {
    text += "  { upper = [";
    for (size_t i = 0; i < row.upper.size(); ++i)
      text += (i ? ", " : "") + (row.upper[i] == kAnyBound
                                     ? std::string("\"any\"")
                                     : std::to_string(row.upper[i]));
    const Config &config = kernel.configs[row.config];
    text += "], config = { ";
    for (const Constant &constant : config.constants)
      text += constant.name + " = " + quoted(constant.text) + ", ";
    text += concat("num_warps = ", config.numWarps,
                   ", num_stages = ", config.numStages,
                   ", num_ctas = ", config.numCtas, " } },\n");
  }
  return text + "]\n";
}

//===-- Reading -----------------------------------------------------------===//

namespace {

class Reader {
public:
  Reader(const std::string &file, std::vector<TuningEntry> &out,
         std::vector<Diagnostic> &errors)
      : file(file), out(out), errors(errors) {}

  void read(const toml::table &root) {
    for (const auto &[key, node] : root)
      if (key.str() != "tuning")
        error({file, key.source().begin.line, key.source().begin.column},
              concat("unknown key '", key.str(),
                     "'; a tuning file holds "
                     "[[tuning]] tables"));
    const toml::array *tables =
        root.get("tuning") ? root.get("tuning")->as_array() : nullptr;
    if (!tables) {
      error({file, 1, 1}, "there is no [[tuning]] table");
      return;
    }
    for (const toml::node &node : *tables) {
      if (const toml::table *table = node.as_table())
        readEntry(*table);
      else
        error(where(node), "'tuning' must be [[tuning]] tables");
    }
  }

private:
  Location where(const toml::node &node) const {
    return {file, node.source().begin.line, node.source().begin.column};
  }
  void error(Location where, std::string text) {
    errors.push_back({std::move(where), std::move(text)});
  }

  std::string string(const toml::table &table, const char *name, bool required,
                     Location &at) {
    const toml::node *node = table.get(name);
    at = where(node ? *node : table);
    if (node && node->is_string())
      return node->as_string()->get();
    if (node || required)
      error(at, concat("'", name, "' must be a string"));
    return "";
  }

  void readEntry(const toml::table &table) {
    TuningEntry entry;
    entry.where = where(table);
    Location ignored;
    entry.kernel = string(table, "kernel", true, entry.kernelWhere);
    entry.target = string(table, "target", true, entry.targetWhere);
    entry.device = string(table, "device", false, ignored);
    std::vector<std::string> known = {"kernel", "target", "device", "keys",
                                      "rows"};
    for (const auto &[key, node] : table)
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        error({file, key.source().begin.line, key.source().begin.column},
              concat("unknown key '", key.str(), "' in [[tuning]]",
                     suggestion(key.str(), known, "allowed")));
    if (const toml::array *keys = array(table, "keys"))
      for (const toml::node &key : *keys) {
        if (!key.is_string()) {
          error(where(key), "'keys' must hold strings");
          continue;
        }
        entry.keys.push_back(key.as_string()->get());
        entry.keyWhere.push_back(where(key));
      }
    if (const toml::array *rows = array(table, "rows"))
      for (const toml::node &row : *rows) {
        if (const toml::table *inner = row.as_table())
          readRow(*inner, entry);
        else
          error(where(row),
                "'rows' must hold { upper = [...], config = {...} }");
      }
    out.push_back(std::move(entry));
  }

  const toml::array *array(const toml::table &table, const char *name) {
    const toml::node *node = table.get(name);
    const toml::array *array = node ? node->as_array() : nullptr;
    if (!array)
      error(where(node ? *node : table),
            concat("'", name, "' must be an array"));
    return array;
  }

  void readRow(const toml::table &table, TuningEntry &entry) {
    TuningEntry::Row row;
    row.where = where(table);
    if (const toml::array *upper = array(table, "upper"))
      for (const toml::node &bound : *upper) {
        if (const auto *value = bound.as_integer())
          row.upper.push_back(value->get());
        else if (bound.is_string() && bound.as_string()->get() == "any")
          row.upper.push_back(kAnyBound);
        else
          error(where(bound), "a bound is an integer or \"any\"");
      }
    if (row.upper.size() != entry.keys.size())
      error(row.where, concat("this row has ", row.upper.size(), " bounds for ",
                              entry.keys.size(), " keys"));
    const toml::node *node = table.get("config");
    const toml::table *config = node ? node->as_table() : nullptr;
    if (!config) {
      error(node ? where(*node) : row.where, "'config' must be a table");
      return;
    }
    for (const auto &[key, value] : *config) {
      Constant constant{std::string(key.str()), ""};
      if (const auto *text = value.as_string())
        constant.text = text->get();
      else if (const auto *number = value.as_integer())
        constant.text = std::to_string(number->get());
      else if (const auto *flag = value.as_boolean())
        constant.text = flag->get() ? "True" : "False";
      else
        error(where(value), "a config's values are strings and integers");
      row.config.push_back(std::move(constant));
    }
    entry.rows.push_back(std::move(row));
  }

  const std::string &file;
  std::vector<TuningEntry> &out;
  std::vector<Diagnostic> &errors;
};

bool fits(const Config &config, const std::vector<Constant> &wanted) {
  return std::all_of(
      wanted.begin(), wanted.end(), [&](const Constant &constant) {
        if (constant.name == "num_warps")
          return std::to_string(config.numWarps) == constant.text;
        if (constant.name == "num_stages")
          return std::to_string(config.numStages) == constant.text;
        if (constant.name == "num_ctas")
          return std::to_string(config.numCtas) == constant.text;
        return std::find(config.constants.begin(), config.constants.end(),
                         constant) != config.constants.end();
      });
}

} // namespace

bool parseTuning(std::string_view text, const std::string &file,
                 std::vector<TuningEntry> &out,
                 std::vector<Diagnostic> &errors) {
  size_t before = errors.size();
  Diagnostic problem;
  std::optional<toml::table> parsed = parseToml(text, file, problem);
  if (!parsed) {
    errors.push_back(problem);
    return false;
  }
  Reader(file, out, errors).read(*parsed);
  return errors.size() == before;
}

bool applyTuning(Pack &pack, const std::vector<TuningEntry> &entries,
                 std::vector<Diagnostic> &errors) {
  size_t before = errors.size();
  for (const TuningEntry &entry : entries) {
    auto kernel = std::find_if(
        pack.kernels.begin(), pack.kernels.end(),
        [&](const Kernel &one) { return one.name == entry.kernel; });
    if (kernel == pack.kernels.end()) {
      std::vector<std::string> names;
      for (const Kernel &one : pack.kernels)
        names.push_back(one.name);
      errors.push_back({entry.kernelWhere,
                        concat("the pack has no kernel '", entry.kernel, "'",
                               suggestion(entry.kernel, names, "it has"))});
      continue;
    }
    std::vector<std::string> targets;
    for (const Variant &variant : kernel->variants)
      if (std::find(targets.begin(), targets.end(), variant.target) ==
          targets.end())
        targets.push_back(variant.target);
    if (std::find(targets.begin(), targets.end(), entry.target) ==
        targets.end()) {
      errors.push_back(
          {entry.targetWhere,
           concat("kernel '", kernel->name, "' has no target '", entry.target,
                  "'", suggestion(entry.target, targets, "it has"))});
      continue;
    }
    GridNames names;
    for (size_t i = 0; i < kernel->params.size(); ++i) {
      const Param &param = kernel->params[i];
      names.slots[param.name] = {uint32_t(i),
                                 param.kind == Param::Kind::Integer, param.rank,
                                 param.type};
    }
    TuningTable table;
    table.target = entry.target;
    table.device = entry.device;
    for (size_t i = 0; i < entry.keys.size(); ++i) {
      GridExpr expr;
      GridAxis axis;
      GridError problem;
      if (!GridExpr::parse(entry.keys[i], expr, problem) ||
          !expr.compile(names, axis, problem))
        errors.push_back({entry.keyWhere[i], problem.text});
      table.keys.push_back(std::move(axis));
    }
    for (const TuningEntry::Row &row : entry.rows) {
      std::vector<uint32_t> fitting;
      for (uint32_t c = 0; c < kernel->configs.size(); ++c) {
        bool served = std::any_of(
            kernel->variants.begin(), kernel->variants.end(),
            [&](const Variant &variant) {
              return variant.target == entry.target && variant.config == c;
            });
        if (served && fits(kernel->configs[c], row.config))
          fitting.push_back(c);
      }
      if (fitting.size() != 1) {
        std::string text = concat(
            fitting.empty() ? "no config" : "more than one config", " of '",
            kernel->name, "' for ", entry.target, " fits; it has:");
        for (const Config &config : kernel->configs)
          text += "\n    " + configText(config);
        errors.push_back({row.where, text});
        continue;
      }
      table.rows.push_back({row.upper, fitting[0]});
    }
    setTuning(*kernel, std::move(table));
  }
  return errors.size() == before;
}

} // namespace nereid::pack
