//===- Movement.h - How elements get from places to places -----*- C++ -*-===//
//
// The plans of everything that moves data between registers, lanes and shared
// memory, computed from layouts alone by linear algebra over F2. Shared.cpp and
// its neighbours turn plans into code; `scratchBytes` and the tests read them.
//
// Elements are bit strings here: the indices of a tensor concatenated, the
// first dimension in the lowest bits. Places are the bits of a layout's
// register, lane and warp; `offset` counts elements in shared memory.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_MOVEMENT_H
#define NEREID_COMPILER_TARGET_GPU_MOVEMENT_H

#include "compiler/Dialect/TGPU/LinearLayout.h"
#include "compiler/Target/GPU/Span.h"

namespace nereid::gpu {

/// A layout as columns: the element (or offset) of each place bit.
struct Places {
  Columns reg, lane, warp;

  int32_t registers() const { return 1 << reg.size(); }
};

Places placesOf(const LinearLayout &layout);

/// The same places with every element sent through a linear map, which is
/// given by the image of each element bit.
Places mapPlaces(const Places &places, llvm::ArrayRef<uint64_t> images);

/// The offset of each element bit of a tile with this layout (from `offset`).
/// A tile with room for copies uses the first of each.
Columns offsetsOf(const LinearLayout &tile);

//===-- Accesses to shared memory -----------------------------------------===//

/// The accesses by which each thread reads or writes all of its registers.
struct SharedAccess {
  struct Access {
    uint64_t offset;                         ///< of the register part
    llvm::SmallVector<unsigned, 8> elements; ///< registers, in memory's order
  };
  int32_t width;      ///< elements of each access
  Columns lane, warp; ///< offsets of the thread part
  llvm::SmallVector<Access> accesses;
};

/// The widest accesses, of up to 16 bytes. `places` gives offsets.
SharedAccess planAccess(const Places &places, unsigned elementBytes);

/// The same by instructions that move 8 x 16-byte matrices for a whole warp
/// (ldmatrix, stmatrix): a lane gives the address of a 16-byte row, and gets or
/// gives the 4-byte pieces that are its own.
struct MatrixAccess {
  struct Access {
    uint64_t offset;
    /// One entry per matrix: the registers of this lane's 4 bytes.
    llvm::SmallVector<llvm::SmallVector<unsigned, 4>, 4> words;
  };
  bool transposed;
  /// Offsets of the bits of a lane's number, as far as it gives an address:
  /// three for the row of a matrix, then which matrix.
  Columns lane, warp;
  llvm::SmallVector<Access> accesses;
};
/// Offset bits from `roundBit` on tell rounds, of which one access may touch
/// only one.
std::optional<MatrixAccess> planMatrixAccess(const Places &places,
                                             unsigned elementBytes,
                                             unsigned roundBit = 64);

//===-- Conversions within warps ------------------------------------------===//

/// The element of (register r, lane l, warp w) of the result is, with all
/// capital letters linear maps given by columns:
///
///     r1 = r + G l                 (after the shuffle)
///     l' = L r1 + N l + P w        (the lane that is asked)
///     r2 = M r1
///     r' = r2 + H l' + K w         (before the shuffle, in lane l', warp w)
///
/// The shuffle moves whole registers; what varies with the lane are exchanges
/// of registers before and after it, by selects.
struct ShufflePlan {
  Columns L, M; ///< by register bits of the result
  Columns G, N; ///< by lane bits of the result
  Columns P, K; ///< by warp bits
  Columns H;    ///< by lane bits of the source
  /// All lanes ask themselves, for a register whose L part is 0.
  bool lanesStay;
  /// Bits of r1 that may be packed into one 32-bit word.
  llvm::SmallVector<unsigned, 2> packed;
};
/// Null where a warp does not have all of its elements, or one shuffle per
/// register cannot do.
std::optional<ShufflePlan> planShuffle(const Places &from, const Places &to,
                                       unsigned elementBits);

//===-- Conversions through shared memory ---------------------------------===//

/// Where elements stand in scratch on the way.
struct ScratchPlan {
  /// Offset of each element bit. Bits of offsets from `bits` on tell the round
  /// in which the element goes: scratch holds 2^bits elements.
  Columns offset;
  unsigned bits, rounds; ///< log2
  int64_t bytes(unsigned elementBytes) const {
    return (int64_t(1) << bits) * elementBytes;
  }
};
/// `limit` is the number of bytes to stay below where rounds make it possible.
ScratchPlan planScratch(const Places &from, const Places &to,
                        unsigned elementBytes, int64_t limit);

/// How many times the busiest bank is asked more often than it need be, for an
/// access by a warp; 1 is free of conflicts.
int bankConflicts(const SharedAccess &access, unsigned elementBytes);

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_MOVEMENT_H
