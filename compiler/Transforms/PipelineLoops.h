//===- PipelineLoops.h - Copies and products that overlap -------*- C++ -*-===//
//
// The steps of `nrd-pipeline-loops` (Passes.td says what it does), and those
// that warp specialisation shares with it.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_PIPELINELOOPS_H
#define NEREID_COMPILER_TRANSFORMS_PIPELINELOOPS_H

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Target/Target.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace nereid {

/// How the products of a loop's body overlap after `makeProductsAsync`.
struct ProductSchedule {
  /// The first wait of the body: when it is passed, all products of the
  /// iterations before have ended. Null when the body has none.
  mlir::Operation *firstWait = nullptr;
  /// Products of the same iteration that have ended then.
  llvm::SmallPtrSet<mlir::Operation *, 4> endedAtFirstWait;
  /// Nothing reads what is ready then: the wait is there to free operands.
  bool onlyFrees = false;
  /// Products may be in flight when an iteration ends.
  bool crosses = false;
};

/// Where, in a body that has no other wait, products are waited for so that
/// what they read becomes free.
enum class FreeingWait {
  Before, ///< at the top of the body: products of the iteration before end
  Behind, ///< behind the body's products
};

/// Lets the matrix products (wgmma) of a loop's body run on while other work is
/// done: each `warpgroup_wait 0` moves down to the first use of the result,
/// into the next iteration where the result is only carried there.
///
/// `keeps(operand)` says of an operand that it lasts until the first wait of
/// the next iteration (a ring with a slot to spare).
ProductSchedule makeProductsAsync(mlir::RewriterBase &rewriter,
                                  mlir::scf::ForOp loop,
                                  llvm::function_ref<bool(mlir::Value)> keeps,
                                  FreeingWait where);

/// One load of a loop that becomes a copy into a ring, ahead of its use.
struct RingLoad {
  mlir::Operation *load; ///< tt.load
  tgpu::TileType slot;   ///< type of one tile of the ring
  /// Tiles (`local_alloc`) that are this load, perhaps with its dimensions in
  /// another order; they become views of the ring.
  struct TileUse {
    tgpu::LocalAllocOp alloc;
    llvm::SmallVector<int32_t> order; ///< empty: the same
  };
  llvm::SmallVector<TileUse> tiles;
  /// Values (the load, conversions and transpositions of it) that other
  /// operations need in registers.
  struct RegisterUse {
    mlir::Value value;
    llvm::SmallVector<int32_t> order;
  };
  llvm::SmallVector<RegisterUse> registers;

  bool zeroFill = true;  ///< masked elements are zero, or undefined
  mlir::Value ring;      ///< the allocation
  bool early = false;    ///< read before the synchronisation point
  unsigned distance = 0; ///< iterations between copy and use
};

/// The loads of a loop that can be copied ahead and are worth it.
llvm::SmallVector<RingLoad> findRingLoads(mlir::scf::ForOp loop,
                                          const TargetInfo &target);

/// Whether asynchronous copies can do what `load` and a store of all it loads
/// into `tile` do.
bool canCopyInto(tt::LoadOp load, tgpu::TileType tile);

/// The type of `type`'s memory with its dimensions in another order, as
/// `tgpu.tile_permute` gives it.
tgpu::TileType permutedTile(tgpu::TileType type, llvm::ArrayRef<int32_t> order);

/// The stages asked for: by the loop itself, or by the module.
int64_t stagesOf(mlir::scf::ForOp loop);

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_PIPELINELOOPS_H
