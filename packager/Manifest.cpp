//===- Manifest.cpp - pack.toml -------------------------------------------===//

#include "packager/Manifest.h"

#include "packager/SignatureType.h"
#include "packager/Sort.h"
#include "packager/Suggest.h"
#include "packager/Toml.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <unistd.h>

namespace nereid::pack {

std::string render(const Diagnostic &diagnostic, std::string_view source) {
  const Location &where = diagnostic.where;
  std::string text = where.file;
  if (where.line)
    text += concat(":", where.line, ":", where.column);
  text += (text.empty() ? "" : ": ") + std::string("error: ") + diagnostic.text;
  if (!where.line || source.empty())
    return text;
  for (unsigned line = 1; line < where.line; ++line) {
    size_t end = source.find('\n');
    if (end == std::string_view::npos)
      return text;
    source.remove_prefix(end + 1);
  }
  std::string_view line = source.substr(0, source.find('\n'));
  if (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  text += "\n  " + std::string(line) + "\n  ";
  // Tabs stay tabs, so that the caret stands below what it means.
  for (unsigned i = 1; i < where.column; ++i)
    text += i - 1 < line.size() && line[i - 1] == '\t' ? '\t' : ' ';
  return text + "^";
}

std::string pythonString(std::string_view text) {
  std::string literal = "'";
  for (char c : text) {
    if (c == '\\' || c == '\'')
      literal += '\\';
    if (c == '\n')
      literal += "\\n";
    else if (c == '\t')
      literal += "\\t";
    else if (c == '\r')
      literal += "\\r";
    else
      literal += c;
  }
  return literal + "'";
}

std::string pythonFloat(double value) {
  if (std::isnan(value))
    return "float('nan')";
  if (std::isinf(value))
    return value > 0 ? "float('inf')" : "float('-inf')";
  char buffer[64];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof(buffer), "%.*g", digits, value);
    if (std::strtod(buffer, nullptr) == value)
      break;
  }
  std::string text = buffer;
  if (text.find_first_of(".en") == std::string::npos)
    text += ".0";
  return text;
}

namespace {

const char *kindName(const toml::node &node) {
  switch (node.type()) {
  case toml::node_type::table:
    return "a table";
  case toml::node_type::array:
    return "an array";
  case toml::node_type::string:
    return "a string";
  case toml::node_type::integer:
    return "an integer";
  case toml::node_type::floating_point:
    return "a float";
  case toml::node_type::boolean:
    return "a boolean";
  case toml::node_type::date:
  case toml::node_type::time:
  case toml::node_type::date_time:
    return "a date or time";
  case toml::node_type::none:
    break;
  }
  return "nothing";
}

bool isIdentifier(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])))
    return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_';
  });
}

class Reader {
public:
  Reader(const ManifestOptions &options, Manifest &out,
         std::vector<Diagnostic> &errors)
      : options(options), out(out), errors(errors) {
    size_t slash = options.file.rfind('/');
    if (slash != std::string::npos)
      folder = options.file.substr(0, slash + 1);
  }

  void read(const toml::table &root) {
    knownKeys(root, {"pack", "kernel"}, "at the top of a manifest");
    const toml::node *pack = root.get("pack");
    if (!pack)
      error({options.file, 1, 1},
            "there is no [pack] table; begin with [pack], name = "
            "\"my_kernels\" and targets = [\"x86-64-v3\"]");
    else if (const toml::table *table = asTable(*pack, "pack"))
      readPack(*table);
    readKernels(root);
  }

private:
  //===-- Reporting ----------------------------------------------------------//

  Location where(const toml::node &node) const {
    return {options.file, node.source().begin.line, node.source().begin.column};
  }
  Location where(const toml::key &key) const {
    return {options.file, key.source().begin.line, key.source().begin.column};
  }
  void error(Location where, std::string text) {
    errors.push_back({std::move(where), std::move(text)});
  }
  void error(const toml::node &node, std::string text) {
    error(where(node), std::move(text));
  }

  void knownKeys(const toml::table &table, std::vector<std::string> known,
                 std::string_view place) {
    for (const auto &[key, node] : table)
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        error(where(key), concat("unknown key '", key.str(), "' ", place,
                                 suggestion(key.str(), known, "allowed")));
  }

  //===-- Typed access -------------------------------------------------------//

  const toml::table *asTable(const toml::node &node, std::string_view name) {
    const toml::table *table = node.as_table();
    if (!table)
      error(node,
            concat("'", name, "' must be a table; found ", kindName(node)));
    return table;
  }

  // The string `name` of `table`; null when absent or, with an error, when it
  // is something else.
  const toml::value<std::string> *string(const toml::table &table,
                                         std::string_view name) {
    const toml::node *node = table.get(name);
    if (!node)
      return nullptr;
    const toml::value<std::string> *value = node->as_string();
    if (!value)
      error(*node,
            concat("'", name, "' must be a string; found ", kindName(*node)));
    else if (value->get().empty()) {
      error(*node, concat("'", name, "' is empty"));
      return nullptr;
    }
    return value;
  }

  // Calls `use` for each string of the array `name`; a lone string counts as
  // an array of one.
  void
  strings(const toml::table &table, std::string_view name,
          const std::function<void(const toml::value<std::string> &)> &use) {
    const toml::node *node = table.get(name);
    if (!node)
      return;
    if (const auto *value = node->as_string()) {
      use(*value);
      return;
    }
    const toml::array *array = node->as_array();
    if (!array) {
      error(*node, concat("'", name, "' must be an array of strings; found ",
                          kindName(*node)));
      return;
    }
    for (const toml::node &element : *array)
      if (const auto *value = element.as_string())
        use(*value);
      else
        error(element, concat("'", name, "' must hold strings; found ",
                              kindName(element)));
  }

  //===-- [pack] -------------------------------------------------------------//

  void readPack(const toml::table &table) {
    knownKeys(table, {"name", "targets", "search_paths", "bindings", "tuning"},
              "in [pack]");
    if (const auto *name = string(table, "name")) {
      out.name = name->get();
      if (!isIdentifier(out.name))
        error(*name, concat("the pack's name '", out.name,
                            "' must be made of "
                            "letters, digits and '_', because generated C "
                            "names begin with it"));
    } else if (!table.get("name")) {
      error(table, "[pack] has no 'name'");
    }
    std::vector<std::string> listed =
        readTargets(table, options.knownTargets, "known targets");
    out.targets = options.targets.empty() ? listed : options.targets;
    if (!table.get("targets") && options.targets.empty())
      error(table, "[pack] has no 'targets'; say which to build for, such as "
                   "targets = [\"x86-64-v3\", \"sm_90a\"]");
    else if (table.get("targets") && listed.empty() && errors.empty())
      error(*table.get("targets"), "'targets' is empty");
    strings(table, "search_paths", [&](const auto &path) {
      out.searchPaths.push_back(fromFolder(path.get()));
    });
    strings(table, "tuning", [&](const auto &path) {
      out.tuning.push_back(fromFolder(path.get()));
    });
    if (const toml::node *bindings = table.get("bindings"))
      if (const toml::table *inner = asTable(*bindings, "bindings"))
        for (const auto &[key, node] : *inner)
          if (std::optional<ManifestConstant> value = constant(key, node))
            out.bindings.push_back(*value);
  }

  std::vector<std::string> readTargets(const toml::table &table,
                                       const std::vector<std::string> &allowed,
                                       std::string_view listed) {
    std::vector<std::string> targets;
    strings(table, "targets", [&](const toml::value<std::string> &value) {
      const std::string &target = value.get();
      if (std::find(options.knownTargets.begin(), options.knownTargets.end(),
                    target) == options.knownTargets.end())
        error(value, concat("unknown target '", target, "'",
                            suggestion(target, options.knownTargets,
                                       "known targets")));
      else if (std::find(allowed.begin(), allowed.end(), target) ==
               allowed.end())
        error(value, concat("target '", target, "' is not among ", listed, ": ",
                            listText(allowed)));
      else if (std::find(targets.begin(), targets.end(), target) !=
               targets.end())
        error(value, concat("target '", target, "' is listed twice"));
      else
        targets.push_back(target);
    });
    return targets;
  }

  std::string fromFolder(const std::string &path) const {
    return path.empty() || path[0] == '/' ? path : folder + path;
  }

  //===-- [[kernel]] ---------------------------------------------------------//

  void readKernels(const toml::table &root) {
    const toml::node *node = root.get("kernel");
    if (!node) {
      error({options.file, 1, 1}, "there is no [[kernel]]; a pack needs at "
                                  "least one");
      return;
    }
    const toml::array *array = node->as_array();
    if (!array) {
      error(*node, node->is_table()
                       ? std::string("write [[kernel]] with two brackets: "
                                     "there may be several")
                       : concat("'kernel' must be [[kernel]] tables; found ",
                                kindName(*node)));
      return;
    }
    std::map<std::string, unsigned> lines;
    for (const toml::node &element : *array) {
      const toml::table *table = element.as_table();
      if (!table) {
        error(element, concat("'kernel' must be [[kernel]] tables; found ",
                              kindName(element)));
        continue;
      }
      ManifestKernel kernel = readKernel(*table);
      if (!kernel.name.empty()) {
        auto [it, isNew] = lines.emplace(kernel.name, kernel.where.line);
        if (!isNew)
          error(table->get("name") ? where(*table->get("name")) : kernel.where,
                concat("the name '", kernel.name,
                       "' is taken by the kernel "
                       "of line ",
                       it->second,
                       "; give this one another with "
                       "'name = \"...\"'"));
      }
      out.kernels.push_back(std::move(kernel));
    }
  }

  ManifestKernel readKernel(const toml::table &table) {
    knownKeys(table,
              {"source", "function", "name", "doc", "grid", "signature",
               "constants", "config", "targets", "variants"},
              "in [[kernel]]");
    ManifestKernel kernel;
    kernel.where = kernel.sourceWhere = kernel.functionWhere =
        kernel.signatureWhere = where(table);
    if (const auto *source = string(table, "source")) {
      kernel.source = source->get();
      kernel.path = fromFolder(kernel.source);
      kernel.sourceWhere = where(*source);
      bool isIR = hasSuffix(kernel.source, ".ttir");
      if (!isIR && !hasSuffix(kernel.source, ".py"))
        error(*source, concat("source '", kernel.source,
                              "' is neither a .py "
                              "nor a .ttir file"));
      else if (options.checkFiles && ::access(kernel.path.c_str(), R_OK) != 0)
        error(*source, concat("source '", kernel.path,
                              "' cannot be read; it "
                              "is looked for beside the manifest"));
    } else if (!table.get("source")) {
      error(table, "this [[kernel]] has no 'source'; name the .py or .ttir "
                   "file it is in");
    }
    if (const auto *function = string(table, "function")) {
      kernel.function = function->get();
      kernel.functionWhere = where(*function);
      if (!isIdentifier(kernel.function))
        error(*function, concat("function '", kernel.function,
                                "' is no "
                                "Python name"));
    } else if (!table.get("function")) {
      error(table, "this [[kernel]] has no 'function'; name the @triton.jit "
                   "function of its source");
    }
    kernel.name = kernel.function;
    if (const auto *name = string(table, "name")) {
      kernel.name = name->get();
      if (!isIdentifier(kernel.name))
        error(*name, concat("the kernel's name '", kernel.name,
                            "' must be "
                            "made of letters, digits and '_', because "
                            "generated C names contain it"));
    }
    if (const auto *doc = string(table, "doc"))
      kernel.doc = doc->get();
    kernel.targets = out.targets;
    if (table.get("targets")) {
      std::vector<std::string> chosen =
          readTargets(table, out.targets, "the pack's targets");
      if (!chosen.empty())
        kernel.targets = chosen;
    }
    readVariants(table, kernel);
    readGrid(table, kernel);
    readSignature(table, kernel);
    if (const toml::node *node = table.get("constants"))
      if (const toml::table *constants = asTable(*node, "constants"))
        for (const auto &[key, value] : *constants)
          if (std::optional<ManifestConstant> one = constant(key, value))
            kernel.constants.push_back(*one);
    readConfigs(table, kernel);
    return kernel;
  }

  static bool hasSuffix(std::string_view text, std::string_view suffix) {
    return text.size() >= suffix.size() &&
           text.substr(text.size() - suffix.size()) == suffix;
  }

  void readVariants(const toml::table &table, ManifestKernel &kernel) {
    strings(table, "variants", [&](const toml::value<std::string> &value) {
      if (value.get() == "aligned")
        kernel.variants.push_back(Specialization::Aligned);
      else if (value.get() == "generic")
        kernel.variants.push_back(Specialization::Generic);
      else
        error(value, concat("unknown variant '", value.get(), "'",
                            suggestion(value.get(), {"aligned", "generic"},
                                       "allowed")));
    });
    if (!kernel.variants.empty() &&
        std::find(kernel.variants.begin(), kernel.variants.end(),
                  Specialization::Generic) == kernel.variants.end())
      error(*table.get("variants"),
            "without the 'generic' variant some arguments would find no "
            "variant at all; add it");
  }

  void readGrid(const toml::table &table, ManifestKernel &kernel) {
    strings(table, "grid", [&](const toml::value<std::string> &value) {
      ManifestGridAxis axis;
      axis.text = value.get();
      axis.where = where(value);
      // The text begins after the quote; an escape or several lines would
      // shift columns, and then the quote is near enough.
      const toml::source_region &region = value.source();
      bool plain =
          region.begin.line == region.end.line &&
          region.end.column - region.begin.column == axis.text.size() + 2;
      if (plain)
        ++axis.where.column;
      GridError problem;
      if (!GridExpr::parse(axis.text, axis.expr, problem)) {
        Location at = axis.where;
        if (plain)
          at.column += static_cast<unsigned>(problem.offset);
        error(at, problem.text);
        return;
      }
      kernel.grid.push_back(std::move(axis));
    });
    if (const toml::array *array =
            table.get("grid") ? table.get("grid")->as_array() : nullptr) {
      if (array->size() > 3)
        error(*array,
              concat("a grid has at most 3 axes; found ", array->size()));
      if (array->empty())
        error(*array, "the grid has no axis; leave 'grid' out when the caller "
                      "sets it");
    }
  }

  void readSignature(const toml::table &table, ManifestKernel &kernel) {
    const toml::node *node = table.get("signature");
    if (!node) {
      if (!hasSuffix(kernel.source, ".ttir"))
        error(table, "this [[kernel]] has no [kernel.signature]; give each "
                     "parameter a type, such as x_ptr = \"*fp32\"");
      return;
    }
    const toml::table *signature = asTable(*node, "signature");
    if (!signature)
      return;
    kernel.signatureWhere = where(*signature);
    for (const auto &[key, value] : *signature) {
      ManifestParam param;
      param.name = std::string(key.str());
      param.where = where(key);
      param.valueWhere = where(value);
      const toml::value<std::string> *text = value.as_string();
      if (text && text->get() != "None") {
        Result<SignatureType> type = parseSignatureType(text->get());
        if (!type) {
          bool isWord = !looksLikeType(text->get()) &&
                        nearest(text->get(), scalarNames()).empty();
          error(value, isWord ? concat("'", text->get(),
                                       "' is no type, such as \"*fp32\" or "
                                       "\"i32\"; a string constant goes into "
                                       "[kernel.constants]")
                              : type.message());
          continue;
        }
        param.type = type->text;
        if (type->hint)
          param.type += concat(":", type->hint);
      } else if (std::optional<ManifestConstant> one = constant(key, value)) {
        param.constant = *one;
      } else {
        continue;
      }
      kernel.signature.push_back(std::move(param));
    }
  }

  // A compile-time value as Python spells it.
  std::optional<ManifestConstant> constant(const toml::key &key,
                                           const toml::node &node) {
    ManifestConstant result;
    result.name = std::string(key.str());
    result.where = where(key);
    if (!literal(node, result))
      return std::nullopt;
    return result;
  }

  bool literal(const toml::node &node, ManifestConstant &result) {
    using Kind = ManifestConstant::Kind;
    if (const auto *value = node.as_integer()) {
      result.kind = Kind::Integer;
      result.integer = value->get();
      result.text = std::to_string(value->get());
    } else if (const auto *real = node.as_floating_point()) {
      result.kind = Kind::Float;
      result.text = pythonFloat(real->get());
    } else if (const auto *boolean = node.as_boolean()) {
      result.kind = Kind::Bool;
      result.integer = boolean->get();
      result.text = boolean->get() ? "True" : "False";
    } else if (const auto *text = node.as_string()) {
      const std::string &string = text->get();
      result.kind = string == "None" ? Kind::None : Kind::String;
      bool isName = string.rfind("tl.", 0) == 0;
      if (isName)
        result.kind = Kind::Other;
      result.text = isName || string == "None" ? string : pythonString(string);
    } else if (const toml::array *array = node.as_array()) {
      result.kind = Kind::Other;
      std::string joined = "(";
      for (const toml::node &element : *array) {
        ManifestConstant one;
        if (!literal(element, one))
          return false;
        joined += one.text + ", ";
      }
      result.text = joined + ")";
    } else if (const toml::table *table = node.as_table()) {
      const toml::node *python = table->get("python");
      if (!python || !python->is_string() || table->size() != 1) {
        error(node, "a table as a value must be { python = \"...\" }, which "
                    "gives the value as Python source");
        return false;
      }
      result.kind = Kind::Other;
      result.text = python->as_string()->get();
    } else {
      error(node, concat("a value must be an integer, float, boolean, string, "
                         "array or { python = \"...\" }; found ",
                         kindName(node)));
      return false;
    }
    return true;
  }

  void readConfigs(const toml::table &table, ManifestKernel &kernel) {
    const toml::node *node = table.get("config");
    if (!node)
      return;
    const toml::array *array = node->as_array();
    if (!array) {
      error(*node, node->is_table()
                       ? std::string("write [[kernel.config]] with two "
                                     "brackets: there may be several")
                       : concat("'config' must be [[kernel.config]] tables; "
                                "found ",
                                kindName(*node)));
      return;
    }
    for (const toml::node &element : *array) {
      const toml::table *config = element.as_table();
      if (!config)
        error(element, concat("'config' must be [[kernel.config]] tables; "
                              "found ",
                              kindName(element)));
      else
        kernel.configs.push_back(readConfig(*config, kernel));
    }
  }

  ManifestConfig readConfig(const toml::table &table,
                            const ManifestKernel &kernel) {
    ManifestConfig config;
    config.where = where(table);
    for (const auto &[key, value] : table) {
      std::string_view name = key.str();
      if (name == "num_warps")
        config.numWarps = number(value, name, 1, 32, true);
      else if (name == "num_stages")
        config.numStages = number(value, name, 0, 32, false);
      else if (name == "num_ctas")
        config.numCtas = number(value, name, 1, 16, true);
      else if (name == "targets")
        config.targets =
            readTargets(table, kernel.targets, "this kernel's targets");
      else if (std::optional<ManifestConstant> one = constant(key, value))
        config.constants.push_back(*one);
    }
    return config;
  }

  int number(const toml::node &node, std::string_view name, int64_t low,
             int64_t high, bool powerOfTwo) {
    const toml::value<int64_t> *value = node.as_integer();
    bool good = value && value->get() >= low && value->get() <= high &&
                (!powerOfTwo || (value->get() & (value->get() - 1)) == 0);
    if (!good)
      error(node, concat("'", name, "' must be ",
                         powerOfTwo ? "a power of two" : "an integer", " from ",
                         low, " to ", high, "; found ",
                         value ? std::to_string(value->get())
                               : std::string(kindName(node))));
    return good ? static_cast<int>(value->get()) : static_cast<int>(low);
  }

  const ManifestOptions &options;
  Manifest &out;
  std::vector<Diagnostic> &errors;
  std::string folder;
};

} // namespace

bool parseManifest(std::string_view text, const ManifestOptions &options,
                   Manifest &out, std::vector<Diagnostic> &errors) {
  out = {};
  std::vector<Diagnostic> found;
  Diagnostic problem;
  std::optional<toml::table> parsed = parseToml(text, options.file, problem);
  if (!parsed) {
    errors.push_back(problem);
    return false;
  }
  Reader(options, out, found).read(*parsed);
  // In the order of the file, whatever order they were found in.
  sortStably(found, [](const Diagnostic &a, const Diagnostic &b) {
    return std::make_pair(a.where.line, a.where.column) <
           std::make_pair(b.where.line, b.where.column);
  });
  errors.insert(errors.end(), found.begin(), found.end());
  return found.empty();
}

} // namespace nereid::pack
