//===- Pipeline.h - The compiler as the nereid tool sees it ----*- C++ -*-===//
//
// From a Triton file (or Triton IR text) to one image per target, as plain
// data: no LLVM or MLIR type crosses this header, so its users need neither.
// The one ordered list of passes is in Pipeline.cpp; read that to know the
// compiler.
//
//   nereid::Compiler compiler(options, print);
//   auto ir = compiler.buildIR(spec);             // parse, type, emit tt
//   if (ir) compiler.compile(*ir, "x86-64-v3", image);
//
// Every failure is reported through the sink before the call returns false or
// null; there may be several. A Compiler is used by one thread at a time;
// different Compilers are independent.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_PIPELINE_H
#define NEREID_COMPILER_PIPELINE_H

#include "compiler/Image.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nereid {

/// One message about the user's input, ready to print.
struct Message {
  enum class Severity { Error, Warning, Note };
  Severity severity = Severity::Error;
  std::string file;     ///< empty when there is no source position
  unsigned line = 0;    ///< from 1
  unsigned column = 0;  ///< from 1
  std::string text;     ///< one sentence: what was found, what is allowed
  std::string rendered; ///< the whole message as clang would print it:
                        ///< location, source line, caret, call chain
};
using MessageSink = std::function<void(const Message &)>;

struct CompilerOptions {
  std::vector<std::string> searchPaths; ///< -I
  std::vector<std::pair<std::string, std::string>>
      bindings;        ///< --bind name=value
  bool timing = false; ///< report time per stage as notes
};

/// A parameter as `nereid compile --list` shows it.
struct ParameterDescription {
  std::string name;
  std::string annotation;  ///< "tl.constexpr", "" ...
  std::string defaultText; ///< source text of the default, "" without one
  bool isConstexpr = false;
};

/// One set of compile-time choices, from @triton.autotune or the manifest.
struct ConfigSpec {
  std::vector<std::pair<std::string, std::string>>
      constants; ///< name, Python literal
  int numWarps = 4;
  int numStages = 3;
  int numCtas = 1;
  bool fpFusion = true; ///< a product and a sum may be rounded as one
};

struct KernelDescription {
  std::string name;
  unsigned line = 0;
  std::vector<ParameterDescription> parameters;
  std::vector<ConfigSpec> configs; ///< from @triton.autotune, evaluated
  std::vector<std::string> autotuneKey;
  std::vector<std::string>
      heuristics; ///< parameters that @triton.heuristics computes
};

/// What to compile.
struct KernelSpec {
  std::string source;   ///< a .py file, or a .ttir file
  std::string function; ///< may be empty when the file holds one kernel
  /// Parameter -> type, as in signatures: "*fp16", "*fp16:16", "i32",
  /// "tensordesc<fp16[64,64]>". Hints ":16" and ":1" as Triton's.
  std::vector<std::pair<std::string, std::string>> signature;
  /// Parameter -> Python literal: constexpr parameters, and ordinary ones that
  /// the manifest fixes (they vanish from the device's parameter list).
  ConfigSpec config;
  /// Ordinary parameters (not constexpr) that are fixed to a constant: they
  /// stay public slots, checked at bind time.
  std::vector<std::pair<std::string, std::string>> fixed;
  /// What target_info answers in the source; the IR is for this target alone
  /// when the source asks. Empty: such a question is an error.
  std::string target;
};

/// A parameter of the kernel that stays public, in source order: one slot.
struct SlotInfo {
  std::string name;
  std::string type;         ///< canonical signature text without hints
  bool hasConstant = false; ///< fixed, or specialised with ":1"
  int64_t constantBits = 0; ///< integer value, or a double's bits
};

/// The tt IR of one kernel, held by the compiler's context.
class KernelIR {
public:
  virtual ~KernelIR() = default;
  virtual const std::string &name() const = 0; ///< the function
  virtual const std::vector<SlotInfo> &slots() const = 0;
  /// The facts it was specialised on (":16" hints), as variant predicates.
  virtual const std::vector<VariantPredicate> &predicates() const = 0;
  /// The config with every constexpr, defaults and heuristics included.
  virtual const ConfigSpec &config() const = 0;
  virtual std::string text() const = 0; ///< tt IR, round-trips
  /// Every file that was read to make it, the source first: what a build
  /// system must watch.
  virtual std::vector<std::string> dependencies() const { return {}; }
};

/// Which text `emit` writes.
enum class EmitKind { TT, TGPU, LLVM, Asm };

class Compiler {
public:
  Compiler(CompilerOptions options, MessageSink sink);
  ~Compiler();
  Compiler(const Compiler &) = delete;
  Compiler &operator=(const Compiler &) = delete;

  /// Describes every @triton.jit function of a file.
  bool listKernels(const std::string &source,
                   std::vector<KernelDescription> &out);

  /// Parses, types and emits one kernel as verified tt IR; null on error.
  std::unique_ptr<KernelIR> buildIR(const KernelSpec &spec);

  /// Compiles for one target into `out`; false on error.
  bool compile(const KernelIR &ir, const std::string &target, Image &out);

  /// Writes an intermediate form as text into `out`; false on error.
  bool emit(const KernelIR &ir, const std::string &target, EmitKind kind,
            std::string &out);

  /// The names of every known target.
  static std::vector<std::string> targets();
  /// Whether `target` is a GPU; false for an unknown name.
  static bool isGPU(const std::string &target);
  /// "LLVM 22.1.8", for provenance.
  static std::string toolVersion();

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace nereid

#endif // NEREID_COMPILER_PIPELINE_H
