//===- Manifest.h - pack.toml -----------------------------------*- C++ -*-===//
//
// What goes into a pack, as the user writes it:
//
//   [pack]
//   name = "attention"
//   targets = ["sm_90a", "x86-64-v3"]
//
//   [[kernel]]
//   source = "tile_kernels.py"
//   function = "matmul"
//   grid = ["cdiv(M, BLOCK_M) * cdiv(N, BLOCK_N)"]
//   [kernel.signature]
//   a_ptr = "*fp16"
//   M = "i32"
//   stride_ak = 1
//   [[kernel.config]]
//   BLOCK_M = 128
//   num_warps = 8
//
// This file knows the manifest alone; whether the kernel really has a parameter
// `M` is found out by whoever has its source.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_MANIFEST_H
#define NEREID_PACKAGER_MANIFEST_H

#include "packager/GridExpr.h"

#include <string>
#include <string_view>
#include <vector>

namespace nereid::pack {

/// A place in a text file; line and column count from 1, 0 means none.
struct Location {
  std::string file;
  unsigned line = 0, column = 0;
};

struct Diagnostic {
  Location where;
  std::string text;
};

/// "file:3:7: error: text", and the line with a caret when `source` is the
/// file's text.
std::string render(const Diagnostic &diagnostic, std::string_view source = {});

/// A compile-time value, spelled as Python does: "128", "True", "'gelu'".
struct ManifestConstant {
  enum class Kind { None, Bool, Integer, Float, String, Other };
  std::string name;
  std::string text;
  Kind kind = Kind::Other;
  int64_t integer = 0; ///< of an Integer
  Location where;      ///< of the name
};

/// One line of [kernel.signature]: a type, or a constant.
struct ManifestParam {
  std::string name;
  std::string type; ///< empty: a constant
  ManifestConstant constant;
  Location where;      ///< of the name
  Location valueWhere; ///< of the type or constant
};

struct ManifestConfig {
  std::vector<ManifestConstant> constants;
  int numWarps = 4, numStages = 3, numCtas = 1;
  std::vector<std::string> targets; ///< empty: all of the kernel's
  Location where;
};

struct ManifestGridAxis {
  std::string text;
  Location where; ///< of the text's first character
  GridExpr expr;
};

/// The sets of argument facts that variants are built for.
enum class Specialization { Aligned, Generic };

struct ManifestKernel {
  std::string source; ///< as written
  std::string path;   ///< from the manifest's folder
  std::string function;
  std::string name;
  std::string doc;
  std::vector<ManifestGridAxis> grid;
  std::vector<ManifestParam> signature;
  std::vector<ManifestConstant> constants; ///< for every config
  std::vector<ManifestConfig> configs;
  std::vector<std::string> targets;
  /// Empty: the default of each target.
  std::vector<Specialization> variants;
  /// Made from --signature and --const: messages then name those.
  bool fromCommandLine = false;
  Location where, sourceWhere, functionWhere, signatureWhere;
};

struct Manifest {
  std::string name;
  std::vector<std::string> targets;
  std::vector<std::string> searchPaths; ///< from the manifest's folder
  std::vector<std::string> tuning;      ///< files of tables; the same
  std::vector<ManifestConstant> bindings;
  std::vector<ManifestKernel> kernels;
};

struct ManifestOptions {
  std::string file; ///< for messages, and its folder for relative paths
  std::vector<std::string> knownTargets;
  /// Overrides [pack] targets when not empty.
  std::vector<std::string> targets;
  bool checkFiles = true; ///< sources must exist
};

/// Reads a manifest; false with every mistake that was found.
bool parseManifest(std::string_view text, const ManifestOptions &options,
                   Manifest &out, std::vector<Diagnostic> &errors);

/// `text` as a Python string literal.
std::string pythonString(std::string_view text);
/// `value` as a Python float that reads back the same.
std::string pythonFloat(double value);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_MANIFEST_H
