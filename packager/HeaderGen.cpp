//===- HeaderGen.cpp - C and C++ headers for a pack -----------------------===//

#include "packager/HeaderGen.h"

#include "packager/SignatureType.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

namespace nereid::pack {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char &c : result)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

bool isName(std::string_view text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])))
    return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_';
  });
}

// Words that a parameter may be called in Python but not in C or C++, and the
// names that the generated functions use themselves.
std::string safeName(const std::string &name) {
  static const std::set<std::string> taken = {
      "alignas", "alignof", "and", "asm", "auto", "bool", "break", "case",
      "catch", "char", "class", "compl", "const", "constexpr", "continue",
      "decltype", "default", "delete", "do", "double", "else", "enum",
      "explicit", "export", "extern", "false", "float", "for", "friend", "goto",
      "if", "inline", "int", "long", "mutable", "namespace", "new", "noexcept",
      "not", "nullptr", "operator", "or", "private", "protected", "public",
      "register", "restrict", "return", "short", "signed", "sizeof", "static",
      "static_assert", "struct", "switch", "template", "this", "thread_local",
      "throw", "true", "try", "typedef", "typeid", "typename", "typeof",
      "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t",
      "while", "xor", "linux", "unix",
      // ours
      "kernels", "stream", "call", "status", "kernel", "device", "out_call",
      "grid_x", "grid_y", "grid_z", "nereid", "NULL", "errno", "assert"};
  return taken.count(name) || name.rfind("__", 0) == 0 ||
                 (name.size() > 1 && name[0] == '_' &&
                  std::isupper(static_cast<unsigned char>(name[1])))
             ? "arg_" + name
             : name;
}

// A comment's text must not end the comment or continue the line.
std::string commentText(const std::string &text, const std::string &indent) {
  std::string result;
  auto endLine = [&] {
    while (!result.empty() && (result.back() == '\\' || result.back() == ' '))
      result.pop_back();
  };
  for (char c : text)
    if (c == '\n') {
      endLine();
      result += "\n" + indent + "// ";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      result += c;
    }
  endLine();
  return result;
}

std::string cType(const Param &param) {
  switch (param.kind) {
  case Param::Kind::Pointer:
    return param.isConst ? "const void *" : "void *";
  case Param::Kind::Integer:
  case Param::Kind::Float:
    if (const ScalarType *scalar = findScalar(param.type))
      return std::string(scalar->cType) + " ";
    break;
  case Param::Kind::Descriptor:
    return "const void *";
  }
  return "";
}

// One kernel's part of the header.
class KernelHeader {
public:
  KernelHeader(const Kernel &kernel, const std::string &prefix)
      : kernel(kernel), prefix(prefix), base(prefix + "_" + kernel.name) {
    callerGrid =
        std::any_of(kernel.configs.begin(), kernel.configs.end(),
                    [](const Config &config) { return config.grid.empty(); });
  }

  std::string slots() const {
    std::string text = "// Slots of " + kernel.name + ".\nenum {\n";
    for (size_t i = 0; i < kernel.params.size(); ++i)
      text += concat("  ", slot(kernel.params[i]), " = ", i, ",\n");
    return kernel.params.empty() ? "" : text + "};\n\n";
  }

  std::string functions() const {
    return heading() + setter() + binder() + launcher() + typedSetters();
  }

  std::string cxxMembers() const {
    std::string args = arguments();
    std::string values = forwarded();
    // The class's own members keep their names.
    static const std::set<std::string> taken = {"Kernels", "open", "preload",
                                                "get"};
    std::string method = safeName(kernel.name);
    if (taken.count(method))
      method += "_kernel";
    return concat(
        "  /// Launches ", kernel.name, " once; see ", base, "_launch.\n",
        "  nereid::Status ", method, "(void *stream", args,
        ") const {\n    return ", base, "_launch(&kernels_, stream", values,
        ");\n  }\n", "  /// A bound call of ", kernel.name,
        ", to launch any number of times.\n", "  nereid::Result<nereid::Call> ",
        method, "_bind(", args.empty() ? "" : args.substr(2),
        ") const {\n    nrd_call_t *bound = nullptr;\n",
        "    if (nrd_status_t failed = ", base, "_bind(&kernels_", values,
        ", &bound))\n      return nereid::Status(failed);\n",
        "    return nereid::Call(bound);\n  }\n");
  }

private:
  std::string slot(const Param &param) const {
    return upper(base) + "_" + upper(param.name);
  }

  // ", const void *a, int32_t M": every slot that the caller must set.
  std::string arguments() const {
    std::string text;
    for (const Param &param : kernel.params) {
      if (param.hasConstant)
        continue;
      std::string name = safeName(param.name);
      text += ", " + cType(param) + name;
      if (param.kind == Param::Kind::Descriptor)
        text += ", const int64_t *" + name + "_shape, const int64_t *" + name +
                "_strides";
    }
    if (callerGrid)
      text += ", uint32_t grid_x, uint32_t grid_y, uint32_t grid_z";
    return text;
  }
  std::string forwarded() const {
    std::string text;
    for (const Param &param : kernel.params) {
      if (param.hasConstant)
        continue;
      std::string name = safeName(param.name);
      text += ", " + name;
      if (param.kind == Param::Kind::Descriptor)
        text += ", " + name + "_shape, " + name + "_strides";
    }
    return text + (callerGrid ? ", grid_x, grid_y, grid_z" : "");
  }

  // The call that sets one slot.
  std::string set(const Param &param) const {
    std::string name = safeName(param.name);
    std::string place = "(call, " + slot(param) + ", ";
    switch (param.kind) {
    case Param::Kind::Pointer:
      return "nrd_call_set_pointer" + place + name + ")";
    case Param::Kind::Integer:
      return "nrd_call_set_int" + place + "(int64_t)" + name + ")";
    case Param::Kind::Float:
      return "nrd_call_set_float" + place + "(double)" + name + ")";
    case Param::Kind::Descriptor:
      break;
    }
    return "nrd_call_set_descriptor" + place + name + ", " + name + "_shape, " +
           name + "_strides)";
  }

  std::string heading() const {
    std::string text =
        "//===-- " + kernel.name + " " +
        std::string(std::max<int>(3, 70 - int(kernel.name.size())), '-') +
        "===//\n//\n";
    if (!kernel.doc.empty())
      text += "// " + commentText(kernel.doc, "") + "\n//\n";
    text += "// " + commentText(kernel.function + " of " + kernel.source, "") +
            "\n//\n";
    size_t width = 0;
    for (const Param &param : kernel.params)
      width = std::max(width, safeName(param.name).size());
    for (const Param &param : kernel.params) {
      std::string name = safeName(param.name);
      text += "//   " + name + std::string(width - name.size() + 2, ' ');
      if (param.hasConstant)
        text += param.type + ", always " + constantText(param) +
                ": not an argument";
      else
        text += typeText(param);
      if (!param.doc.empty())
        text += "; " + commentText(param.doc, "");
      text += "\n";
    }
    if (callerGrid) {
      text += "//   grid  programs along x, y and z\n";
    } else {
      std::string grid;
      for (const GridAxis &axis : kernel.configs[0].grid)
        grid += (grid.empty() ? "" : ", ") + axis.text;
      text += "//   grid: " + commentText(grid, "") + "\n";
    }
    std::set<std::string> targets;
    for (const Variant &variant : kernel.variants)
      targets.insert(variant.target);
    return text + "// Targets: " + listText({targets.begin(), targets.end()}) +
           ".\n\n";
  }

  static std::string typeText(const Param &param) {
    switch (param.kind) {
    case Param::Kind::Pointer:
      return "device pointer to " + param.type.substr(param.isConst ? 2 : 1) +
             (param.isConst ? ", only read" : "");
    case Param::Kind::Descriptor:
      return "tensor of rank " + std::to_string(param.rank) + ", " +
             param.type +
             ": device pointer, shape, strides in elements (or NULL)";
    case Param::Kind::Integer:
    case Param::Kind::Float:
      break;
    }
    return param.type;
  }

  static std::string constantText(const Param &param) {
    if (param.kind != Param::Kind::Float)
      return std::to_string(param.constant);
    double value;
    std::memcpy(&value, &param.constant, sizeof(value));
    return concat(value);
  }

  std::string setter() const {
    std::string text =
        concat("// Sets every argument of a call of ", kernel.name,
               ".\nstatic inline nrd_status_t ", base, "_set(nrd_call_t *call",
               arguments(), ") {\n  nrd_status_t status = NRD_OK;\n");
    bool any = false;
    for (const Param &param : kernel.params)
      if (!param.hasConstant) {
        any = true;
        text += "  if (status == NRD_OK)\n    status = " + set(param) + ";\n";
      }
    if (callerGrid)
      text += "  if (status == NRD_OK)\n    status = nrd_call_set_grid(call, "
              "grid_x, grid_y, grid_z);\n";
    else if (!any)
      text += "  (void)call;\n";
    return text + "  return status;\n}\n\n";
  }

  std::string binder() const {
    return concat(
        "// Makes a bound call of ", kernel.name,
        ": launch it with nrd_call_launch any number of\n"
        "// times, change its arguments with the setters below, end it with\n"
        "// nrd_call_destroy.\nstatic inline nrd_status_t ",
        base, "_bind(const ", prefix, "_t *kernels", arguments(),
        ", nrd_call_t **out_call) {\n"
        "  nrd_call_t *call = NULL;\n"
        "  const nrd_kernel_t *kernel = NULL;\n"
        "  nrd_status_t status = nrd_kernel_find(kernels->pack, "
        "kernels->device, \"",
        kernel.name, "\", &kernel);\n",
        "  if (status == NRD_OK)\n"
        "    status = nrd_call_create(kernel, &call);\n"
        "  if (status == NRD_OK)\n"
        "    status = ",
        base, "_set(call", forwarded(),
        ");\n"
        "  if (status == NRD_OK)\n"
        "    status = nrd_call_bind(call);\n"
        "  if (status != NRD_OK) {\n"
        "    nrd_call_destroy(call);\n"
        "    return status;\n"
        "  }\n"
        "  *out_call = call;\n"
        "  return NRD_OK;\n}\n\n");
  }

  std::string launcher() const {
    return concat(
        "// Launches ", kernel.name,
        " once on |stream| (NULL: the default one). To launch often, bind\n"
        "// once.\nstatic inline nrd_status_t ",
        base, "_launch(const ", prefix, "_t *kernels, void *stream",
        arguments(), ") {\n",
        "  nrd_call_t *call = NULL;\n"
        "  size_t scratch = 0;\n"
        "  nrd_status_t status = ",
        base, "_bind(kernels", forwarded(),
        ", &call);\n"
        "  if (status != NRD_OK)\n"
        "    return status;\n"
        "  status = nrd_call_launch(call, stream);\n"
        "  // The call owns its scratch, which the launch still uses.\n"
        "  if (status == NRD_OK && nrd_call_scratch_size(call, &scratch) == "
        "NRD_OK &&\n"
        "      scratch != 0)\n"
        "    status = nrd_stream_synchronize(kernels->device, stream);\n"
        "  nrd_call_destroy(call);\n"
        "  return status;\n}\n\n");
  }

  std::string typedSetters() const {
    std::string text;
    for (const Param &param : kernel.params) {
      if (param.hasConstant)
        continue;
      std::string name = safeName(param.name);
      std::string args = cType(param) + name;
      if (param.kind == Param::Kind::Descriptor)
        args += ", const int64_t *" + name + "_shape, const int64_t *" + name +
                "_strides";
      text += concat("static inline nrd_status_t ", base, "_set_", param.name,
                     "(nrd_call_t *call, ", args, ") {\n  return ", set(param),
                     ";\n}\n");
    }
    return text.empty() ? "" : text + "\n";
  }

  const Kernel &kernel;
  const std::string &prefix;
  std::string base;
  bool callerGrid = false;
};

std::string openFunction(const std::string &prefix,
                         const HeaderOptions &options) {
  if (options.embed)
    return concat(
        "// The pack itself, in the C file beside this header.\n"
        "extern const uint64_t ",
        prefix, "_pack_words[];\n", "extern const size_t ", prefix,
        "_pack_size; // bytes\n\n",
        "// Opens the kernels for |device|, which must stay open as long.\n"
        "static inline nrd_status_t ",
        prefix, "_open(nrd_device_t *device, ", prefix, "_t *out_kernels) {\n",
        "  nrd_pack_t *pack = NULL;\n"
        "  nrd_status_t status = nrd_pack_open_memory(",
        prefix, "_pack_words, ", prefix, "_pack_size, NULL, &pack);\n",
        "  if (status != NRD_OK)\n    return status;\n"
        "  out_kernels->pack = pack;\n"
        "  out_kernels->device = device;\n"
        "  return NRD_OK;\n}\n\n");
  return concat(
      "// Opens the kernels of the pack at |path| (", options.packFile,
      ") for |device|, which\n// must stay open as long. NRD_INCOMPATIBLE if "
      "the pack's kernels do not have\n// the parameters that this header was "
      "made for.\nstatic inline nrd_status_t ",
      prefix, "_open(nrd_device_t *device, const char *path, ", prefix,
      "_t *out_kernels) {\n"
      "  nrd_pack_t *pack = NULL;\n"
      "  nrd_status_t status = nrd_pack_open_file(path, NULL, &pack);\n"
      "  if (status != NRD_OK)\n    return status;\n"
      "  if (!",
      prefix,
      "_matches(pack)) {\n"
      "    nrd_pack_close(pack);\n"
      "    return NRD_INCOMPATIBLE;\n  }\n"
      "  out_kernels->pack = pack;\n"
      "  out_kernels->device = device;\n"
      "  return NRD_OK;\n}\n\n");
}

// Whether a pack from a file is the one that the header describes.
std::string matchFunction(const Pack &pack, const std::string &prefix) {
  std::string text = concat(
      "// Says whether every kernel of |pack| has the parameters below.\n"
      "static inline int ",
      prefix,
      "_matches(nrd_pack_t *pack) {\n"
      "  static const char *const expected[] = {\n");
  for (const Kernel &kernel : pack.kernels) {
    text += "      \"" + kernel.name + "\",";
    for (const Param &param : kernel.params)
      text += " \"" + param.type + "\",";
    text += " NULL,\n";
  }
  return text + concat("      NULL};\n"
                       "  size_t i = 0;\n"
                       "  while (expected[i] != NULL) {\n"
                       "    const nrd_kernel_t *kernel = NULL;\n"
                       "    size_t slot = 0;\n"
                       "    if (nrd_kernel_find(pack, NULL, expected[i++], "
                       "&kernel) != NRD_OK)\n"
                       "      return 0;\n"
                       "    for (; expected[i] != NULL; ++i, ++slot)\n"
                       "      if (slot >= nrd_kernel_slot_count(kernel) ||\n"
                       "          strcmp(nrd_kernel_slot(kernel, slot)->type, "
                       "expected[i]) != "
                       "0)\n"
                       "        return 0;\n"
                       "    if (slot != nrd_kernel_slot_count(kernel))\n"
                       "      return 0;\n"
                       "    ++i;\n"
                       "  }\n"
                       "  return 1;\n}\n\n");
}

Status checkNames(const Pack &pack, const std::string &prefix) {
  if (!isName(prefix))
    return Status::error("the prefix '", prefix,
                         "' cannot begin a C name; choose another with "
                         "--prefix");
  // Every name that the header defines, and whose it is.
  std::map<std::string, std::string> owners;
  for (const char *own :
       {"t", "open", "close", "preload", "matches", "pack_words", "pack_size"})
    owners[prefix + "_" + own] = "the pack itself";
  for (const Kernel &kernel : pack.kernels) {
    if (!isName(kernel.name))
      return Status::error("the kernel's name '", kernel.name,
                           "' cannot be part of a C name");
    std::string base = prefix + "_" + kernel.name;
    std::vector<std::string> names = {base + "_set", base + "_bind",
                                      base + "_launch"};
    for (const Param &param : kernel.params) {
      if (!isName(param.name))
        return Status::error("kernel '", kernel.name,
                             "': the parameter's name '", param.name,
                             "' cannot be a C name");
      names.push_back(upper(base) + "_" + upper(param.name));
      if (!param.hasConstant)
        names.push_back(base + "_set_" + param.name);
    }
    std::string owner = "kernel '" + kernel.name + "'";
    for (const std::string &name : names) {
      auto [it, isNew] = owners.emplace(name, owner);
      if (!isNew)
        return Status::error(
            "the C name ", name, " would be made for ", it->second, " and for ",
            it->second == owner ? "another of its parameters" : owner,
            "; rename one of them");
    }
  }
  return {};
}

} // namespace

Result<std::string> generateHeader(const Pack &pack,
                                   const HeaderOptions &options) {
  std::string prefix = options.prefix.empty() ? pack.name : options.prefix;
  if (Status status = checkNames(pack, prefix); !status)
    return status;
  std::vector<const Kernel *> kernels;
  for (const Kernel &kernel : pack.kernels)
    kernels.push_back(&kernel);
  std::sort(kernels.begin(), kernels.end(),
            [](auto *a, auto *b) { return a->name < b->name; });

  std::string guard = upper(prefix) + "_KERNELS_H";
  std::string text = concat(
      "// ", options.headerName, " - the kernels of ",
      options.packFile.empty() ? pack.name : options.packFile,
      ". Generated by nereid; do not edit.\n//\n", "//   ", prefix,
      "_t kernels;\n", "//   ", prefix, "_open(device, ",
      options.embed ? "" : "\"" + options.packFile + "\", ", "&kernels);\n");
  if (!kernels.empty())
    text += concat("//   ", prefix, "_", kernels[0]->name,
                   "_launch(&kernels, stream, ...);\n");
  text += concat(
      "//   ", prefix, "_close(&kernels);\n//\n",
      "// Every function returns NRD_OK, or a status that nrd_error_message() "
      "explains.\n// One ",
      prefix,
      "_t may be used by many threads; a call "
      "belongs to one at a time.\n\n",
      "#ifndef ", guard, "\n#define ", guard, "\n\n",
      "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
      "#include <string.h>\n\n"
      "#include \"nereid/runtime.h\"\n\n"
      "#ifdef __cplusplus\n#include \"nereid/nereid.hpp\"\n\n"
      "extern \"C\" {\n#endif\n\n",
      "// The kernels on one device.\ntypedef struct ", prefix,
      "_t {\n  nrd_pack_t *pack;\n  nrd_device_t *device;\n} ", prefix,
      "_t;\n\n");
  if (!options.embed)
    text += matchFunction(pack, prefix);
  text += openFunction(prefix, options);
  text += concat("// Calls made from |kernels| stay usable.\n"
                 "static inline void ",
                 prefix, "_close(", prefix,
                 "_t *kernels) {\n  nrd_pack_close(kernels->pack);\n"
                 "  kernels->pack = NULL;\n}\n\n",
                 "// Loads every kernel now, so that no later launch does: "
                 "before a graph is\n// captured, or a clock is started.\n"
                 "static inline nrd_status_t ",
                 prefix, "_preload(const ", prefix,
                 "_t *kernels) {\n  return "
                 "nrd_pack_preload(kernels->pack, kernels->device);\n}\n\n");
  for (const Kernel *kernel : kernels) {
    KernelHeader part(*kernel, prefix);
    text += part.slots() + part.functions();
  }
  text += concat("#ifdef __cplusplus\n} // extern \"C\"\n\nnamespace ", prefix,
                 " {\n\n",
                 "/// The kernels on one device, closed by "
                 "themselves.\nclass Kernels {\npublic:\n",
                 "  static nereid::Result<Kernels> open(const nereid::Device "
                 "&device",
                 options.embed ? "" : ", const char *path", ") {\n",
                 "    Kernels kernels(device);\n"
                 "    if (nrd_status_t failed = ",
                 prefix, "_open(device.get(), ", options.embed ? "" : "path, ",
                 "&kernels.kernels_))\n      return nereid::Status(failed);\n"
                 "    return kernels;\n  }\n",
                 "  Kernels(Kernels &&other) noexcept\n"
                 "      : device_(other.device_), kernels_(other.kernels_) {\n"
                 "    other.kernels_.pack = nullptr;\n  }\n"
                 "  Kernels &operator=(Kernels &&other) noexcept {\n"
                 "    std::swap(device_, other.device_);\n"
                 "    std::swap(kernels_, other.kernels_);\n"
                 "    return *this;\n  }\n"
                 "  ~Kernels() { nrd_pack_close(kernels_.pack); }\n\n"
                 "  nereid::Status preload() const {\n    return ",
                 prefix,
                 "_preload(&kernels_);\n  }\n"
                 "  const ",
                 prefix,
                 "_t *get() const noexcept { return "
                 "&kernels_; }\n\n");
  for (const Kernel *kernel : kernels)
    text += KernelHeader(*kernel, prefix).cxxMembers();
  return text +
         concat(
             "\nprivate:\n  explicit Kernels(const nereid::Device &device) : "
             "device_(device) {}\n\n"
             "  nereid::Device device_;\n  ",
             prefix, "_t kernels_ = {nullptr, nullptr};\n};\n\n} // namespace ",
             prefix, "\n#endif\n\n#endif // ", guard, "\n");
}

std::string generateEmbedding(const Pack &pack, std::string_view bytes,
                              const HeaderOptions &options) {
  std::string prefix = options.prefix.empty() ? pack.name : options.prefix;
  // Words instead of bytes: an eighth of the tokens, so a large pack compiles
  // in a blink.
  std::string text =
      concat("// The pack ", options.packFile, ", for ", options.headerName,
             ". Generated by nereid; do not edit.\n\n"
             "#include <stddef.h>\n#include <stdint.h>\n\n"
             "#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != "
             "__ORDER_LITTLE_ENDIAN__\n"
             "#error \"this pack is laid out for a little-endian machine\"\n"
             "#endif\n\n",
             "extern const uint64_t ", prefix, "_pack_words[];\n",
             "extern const size_t ", prefix, "_pack_size;\n\n", "const size_t ",
             prefix, "_pack_size = ", bytes.size(), ";\n", "const uint64_t ",
             prefix, "_pack_words[] = {");
  size_t words = (bytes.size() + 7) / 8;
  text.reserve(text.size() + words * 20);
  for (size_t i = 0; i < words; ++i) {
    uint64_t word = 0;
    for (size_t b = 0; b < 8 && 8 * i + b < bytes.size(); ++b)
      word |= uint64_t(static_cast<unsigned char>(bytes[8 * i + b])) << (8 * b);
    char buffer[32];
    std::snprintf(buffer, sizeof(buffer), "%s0x%llxu,", i % 6 ? "" : "\n",
                  static_cast<unsigned long long>(word));
    text += buffer;
  }
  return text + "\n};\n";
}

} // namespace nereid::pack
