//===- Layouts.h - Which layouts there are ---------------------*- C++ -*-===//
//
// Builders of the layouts that passes choose from, and the rules by which the
// layout of an operation's result follows from its operand's. All results are
// LinearLayouts from (register, lane, warp, block) onto (dim0, dim1, ...).
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_DIALECT_TGPU_LAYOUTS_H
#define NEREID_COMPILER_DIALECT_TGPU_LAYOUTS_H

#include "compiler/Dialect/TGPU/LinearLayout.h"

#include "llvm/ADT/ArrayRef.h"

#include <optional>

namespace nereid::tgpu {

class TileType;

/// How many threads share a tile.
struct ThreadCounts {
  int32_t lanes = 32; ///< of a warp: 32 on NVIDIA and RDNA, 64 on CDNA
  int32_t warps = 4;  ///< of a block
};

/// The usual layout of a tile for memory accesses: each thread holds `vector`
/// neighbours along the fastest dimension, lanes and then warps continue along
/// it, then along the next. `order` lists the dimensions fastest first. Where
/// there are more threads than vectors, places repeat elements (their bases are
/// 0); where there are fewer, registers continue over the rest of the tile.
LinearLayout blockedLayout(llvm::ArrayRef<int64_t> shape,
                           llvm::ArrayRef<unsigned> order, int32_t vector,
                           ThreadCounts threads);

/// The matrix instructions whose fragments are built in.
enum class MatrixInstruction {
  NVIDIA_m16n8, ///< mma.sync: 8-bit k32, 16-bit k16, tf32 k8, f64 k4
  AMD_16x16x16, ///< v_mfma_f32_16x16x16: 64 lanes, 4 values along k
};

/// The fragment of one instruction's accumulator, of 16 x 8 (NVIDIA) or
/// 16 x 16 (AMD) elements.
LinearLayout accumulatorTile(MatrixInstruction instruction);

/// The fragment of operand 0 (rows x k) or 1 (k x columns), for elements of
/// `bits` bits.
LinearLayout operandTile(MatrixInstruction instruction, unsigned operand,
                         unsigned bits);

/// The accumulator of a whole tile: the instruction's fragment, repeated over
/// warps (`warps` per dimension, dimension 0 first) and then over registers.
/// A third, leading dimension of `shape` is the batch; registers cover it, and
/// warps too where `warps` has three entries. In a tile smaller than the
/// fragment, lanes hold copies and registers that would are left out.
LinearLayout accumulatorLayout(llvm::ArrayRef<int64_t> shape,
                               MatrixInstruction instruction,
                               llvm::ArrayRef<int32_t> warps);

/// The layout in which operand `operand` of a product must stand for an
/// accumulator laid out by `accumulatorLayout` with the same warps: warps that
/// differ only along the other operand's dimension hold copies.
LinearLayout operandLayout(llvm::ArrayRef<int64_t> shape,
                           MatrixInstruction instruction, unsigned operand,
                           unsigned bits, llvm::ArrayRef<int32_t> warps);

/// The warps per dimension with which `accumulatorLayout` gives `layout`; null
/// when it is no accumulator of the instruction. How many warps there are is
/// said by the layout itself.
std::optional<llvm::SmallVector<int32_t, 3>>
matchAccumulator(const LinearLayout &layout, MatrixInstruction instruction);

//===-- Warpgroups (wgmma) ------------------------------------------------===//
//
// Four warps, a warpgroup, compute 64 rows together: 16 each, one below the
// other. `groups` says how many warpgroups stand along the rows and along the
// columns. A warpgroup's columns are neighbours, its further blocks of 64 rows
// lie a whole round of warpgroups apart.

/// The accumulator of wgmma: m16n8 fragments side by side.
LinearLayout wgmmaAccumulatorLayout(llvm::ArrayRef<int64_t> shape,
                                    llvm::ArrayRef<int32_t> groups);

/// Operand A (rows x k) in registers. For 16-bit elements and a square tile
/// this is the accumulator's layout: a product's result, converted, is the next
/// one's A without moving.
LinearLayout wgmmaOperandLayout(llvm::ArrayRef<int64_t> shape, unsigned bits,
                                llvm::ArrayRef<int32_t> groups);

/// The groups with which `wgmmaAccumulatorLayout` gives `layout`, or null.
std::optional<llvm::SmallVector<int32_t, 2>>
matchWgmmaAccumulator(const LinearLayout &layout);

//===-- Tiles in shared memory --------------------------------------------===//

/// A tile as the copy engine writes it and wgmma reads it: the contiguous
/// dimension is cut into panels of `swizzleBytes` bytes; a panel holds all rows
/// (the other dimensions, row major), one after the other; and within each
/// 8 x `swizzleBytes` bytes the 16-byte chunks are XORed as the modes define:
///
///     bytes  chunk ^=              so that eight rows of one chunk
///     128    row & 7               fall on different banks
///     64     (row >> 1) & 3
///     32     (row >> 2) & 1
///     16     nothing: panels of one chunk, the mode without a swizzle
///     0      nothing: one panel, plain row major
///
/// A dimension narrower than `swizzleBytes` has one panel of its own width in
/// the widest mode that fits. The tile must start at a multiple of
/// `8 * swizzleBytes`.
LinearLayout swizzledTile(llvm::ArrayRef<int64_t> shape, unsigned elementBits,
                          unsigned contiguousDim, int32_t swizzleBytes);

/// What `matchSwizzledTile` recognised.
struct SwizzledTile {
  unsigned contiguousDim;
  int32_t swizzleBytes; ///< 128, 64, 32, 16 or 0
  /// The other dimensions, the one whose rows are neighbours first.
  llvm::SmallVector<unsigned, 4> rowOrder;
};

/// The arguments with which `swizzledTile` gives `layout` (an `offset` layout),
/// possibly with its dimensions permuted; null when nothing does.
std::optional<SwizzledTile> matchSwizzledTile(const LinearLayout &layout,
                                              unsigned elementBits);
std::optional<SwizzledTile> matchSwizzledTile(TileType tile);

/// The multiple of bytes at which a tile must start: of the swizzle's period
/// where it has one, else 16.
int64_t tileAlignment(TileType tile);

//===-- Rules -------------------------------------------------------------===//

/// Result layouts of shape operations, from the operand's. They are total:
/// every layout has an image.
LinearLayout expandDims(const LinearLayout &layout, unsigned axis);
/// Registers cover the dimensions that grew from 1.
LinearLayout broadcast(const LinearLayout &layout,
                       llvm::ArrayRef<int64_t> shape);
LinearLayout permute(const LinearLayout &layout, llvm::ArrayRef<int32_t> order);
LinearLayout reshape(const LinearLayout &layout, llvm::ArrayRef<int64_t> shape);
/// What is left of a layout when a dimension is reduced away: places that held
/// elements along it now hold copies. Registers that became copies are removed.
LinearLayout reduce(const LinearLayout &layout, unsigned axis);

/// Operand layouts from the result's, for computing an operation again in
/// another layout. `broadcast`'s operand keeps one register per element.
LinearLayout expandDimsOperand(const LinearLayout &layout, unsigned axis);
LinearLayout broadcastOperand(const LinearLayout &layout,
                              llvm::ArrayRef<int64_t> shape);
LinearLayout permuteOperand(const LinearLayout &layout,
                            llvm::ArrayRef<int32_t> order);

//===-- Conversions -------------------------------------------------------===//

/// The cheapest way from one layout to another.
enum class ConversionKind {
  Registers, ///< each thread has its elements already
  Shuffle,   ///< each warp has its elements already
  Shared     ///< through shared memory
};
ConversionKind classifyConversion(const LinearLayout &from,
                                  const LinearLayout &to);

} // namespace nereid::tgpu

#endif // NEREID_COMPILER_DIALECT_TGPU_LAYOUTS_H
