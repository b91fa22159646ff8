//===- ReduceAfterLoops.h - Sums across threads once -----------*- C++ -*-===//

#ifndef NEREID_COMPILER_TRANSFORMS_REDUCEAFTERLOOPS_H
#define NEREID_COMPILER_TRANSFORMS_REDUCEAFTERLOOPS_H

#include "compiler/Dialect/TT/TTDialect.h"

namespace nereid {

/// Where a loop of a kernel with layouts combines a carried value with a
/// reduction of the same kind (`acc += sum(x)`), lets each thread carry what it
/// has itself and reduces across threads after the loop.
void reduceAfterLoops(tt::FuncOp function);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_REDUCEAFTERLOOPS_H
