//===- CopyBox.h - Blocks as the copy engine moves them --------*- C++ -*-===//
//
// The copy engine (TMA) moves boxes between an array in global memory and
// shared memory. One choice, made from a block's shape and element alone, says
// how a block is cut into boxes and how it then stands in shared memory, so
// that the tensor map, the copies and the readers of the tile agree.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_COPYBOX_H
#define NEREID_COMPILER_DIALECT_TGPU_COPYBOX_H

#include "compiler/Dialect/TGPU/TGPUDialect.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace nereid::tgpu {

struct CopyBox {
  llvm::SmallVector<int64_t, 5> size; ///< in elements, dimension 0 first
  int32_t swizzleBytes = 0;           ///< the map's mode: 0, 32, 64 or 128
};

/// The boxes of a block, or null where the engine cannot serve it: a rank above
/// 5, elements that are not of 8, 16, 32 or 64 bits, rows of less than 16
/// bytes, less than 128 bytes in all.
std::optional<CopyBox> copyBox(llvm::ArrayRef<int64_t> shape,
                               mlir::Type element);

/// The tile in shared memory that the boxes fill: panels of up to 128 bytes,
/// swizzled as wide as they are. Requires that `copyBox` serves the block.
TileType copyTile(llvm::ArrayRef<int64_t> shape, mlir::Type element);

/// Calls `fn` for each box of the block: where it starts in the block, and at
/// which byte of the tile.
void forEachBox(
    TileType tile, const CopyBox &box,
    llvm::function_ref<void(llvm::ArrayRef<int64_t> start, int64_t byte)> fn);

} // namespace nereid::tgpu

#endif // NEREID_COMPILER_DIALECT_TGPU_COPYBOX_H
