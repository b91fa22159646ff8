//===- Frontend.h - From a loaded file to one kernel's tt IR ---*- C++ -*-===//
//
// The entry that the pipeline uses: it matches signature and constants to the
// parameters of a kernel, evaluates defaults and heuristics, and runs the code
// generator.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_FRONTEND_H
#define NEREID_COMPILER_LANG_FRONTEND_H

#include "compiler/Lang/Module.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nereid::lang {

/// The library written in the language, for FrontendOptions::prelude.
std::vector<std::pair<std::string, std::string>> preludeTexts();

/// What to specialise a kernel on.
struct KernelRequest {
  std::string function; ///< may be empty when the file holds one kernel
  /// Parameter -> type text: "*fp16", "i32:16", "tensordesc<fp16[64,64]>",
  /// "None", "(*fp32, i32)".
  std::vector<std::pair<std::string, std::string>> signature;
  /// Parameter -> Python expression. These parameters vanish.
  std::vector<std::pair<std::string, std::string>> constants;
  /// Ordinary parameters with a known value: public slots all the same.
  std::vector<std::pair<std::string, std::string>> fixed;
  bool debug = false; ///< emit device_assert
  /// Where static_print goes; a note when empty.
  std::function<void(llvm::StringRef)> print;
};

/// One public parameter, in source order.
struct KernelSlot {
  std::string name;
  std::string type; ///< canonical signature text without hints
  bool hasConstant = false;
  int64_t constantBits = 0; ///< integer value, or a double's bits
  bool divisibleBy16 = false;
};

struct BuiltKernel {
  std::string name;
  mlir::OwningOpRef<mlir::ModuleOp> module; ///< verified
  std::vector<KernelSlot> slots;
  /// Every constexpr with its value as a Python literal, source order.
  std::vector<std::pair<std::string, std::string>> constants;
};

/// Nothing on error; every problem has been reported then.
std::optional<BuiltKernel> buildKernel(Frontend &frontend, Module &module,
                                       const KernelRequest &request,
                                       mlir::MLIRContext &context);

/// One parameter of a signature as written.
struct SignatureType {
  enum class Kind : uint8_t { Type, None, Tuple, Constant };
  Kind kind = Kind::Type;
  const Type *type = nullptr;          ///< a Type
  bool divisibleBy16 = false;          ///< ":16"
  bool isOne = false;                  ///< ":1"
  std::vector<SignatureType> elements; ///< of a Tuple
  std::string constant;                ///< of a Constant: its text
};

/// Parses the type of one parameter. On failure `error` says what is wrong and
/// `column` (from 0) where.
std::optional<SignatureType> parseSignatureType(TypeContext &types,
                                                llvm::StringRef text,
                                                std::string &error,
                                                size_t &column);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_FRONTEND_H
