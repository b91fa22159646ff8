//===- Recipe.h - How passes name the recipes of tensor maps ---*- C++
//-*-===//
//
// A hidden kernel argument of type `!tgpu.tensor_map` carries its recipe: a
// dictionary from which the host encodes the map when a call is bound.
//
//   box      array<i32>, fastest dimension first
//   element  CUtensorMapDataType
//   swizzle  bytes: 0, 32, 64 or 128
//   fill     1: reads out of bounds give NaN; else zero
//   shape, strides
//            per dimension, outermost first, a program for the machine of grid
//            expressions: array<i64> of (GridOp, operand) pairs; strides count
//            elements. Absent where the slot is a tensor descriptor.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_RECIPE_H
#define NEREID_COMPILER_DIALECT_TGPU_RECIPE_H

#include "llvm/ADT/StringRef.h"

namespace nereid::tgpu {

constexpr llvm::StringLiteral kRecipeAttr = "nrd.recipe";

} // namespace nereid::tgpu

#endif // NEREID_COMPILER_DIALECT_TGPU_RECIPE_H
