//===- OneToN.h - Types that become several values --------------*- C++ -*-===//
//
// The part of a conversion that does not depend on the types converted: how
// functions, calls, loops, branches and selects carry several values where
// they carried one.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_ONETON_H
#define NEREID_COMPILER_TRANSFORMS_ONETON_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace nereid {

/// Runs `patterns` on `module` together with the patterns for functions, calls,
/// returns, selects, scf and cf. An op that still has an operand, a result or a
/// block argument that `converter` wants converted is reported as an error that
/// names it and `what` (as in "a block pointer").
mlir::LogicalResult convertOneToN(mlir::ModuleOp module,
                                  const mlir::TypeConverter &converter,
                                  mlir::RewritePatternSet patterns,
                                  llvm::StringRef what);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_ONETON_H
