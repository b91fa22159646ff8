//===- Moves.h - Writing the code of plans ---------------------*- C++ -*-===//
//
// What Shared.cpp, Reductions.cpp and Gathers.cpp share: code for the plans of
// Movement.h through an Emitter.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_MOVES_H
#define NEREID_COMPILER_TARGET_GPU_MOVES_H

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/Movement.h"

namespace nereid::gpu {

/// Bytes of a scalar of this type in shared memory.
unsigned bytesInShared(mlir::Type scalar);
/// Of an element of a tensor of the kernel, which a scalar will hold.
unsigned elementBytesInShared(mlir::Type tensorOrElement);

/// A scalar as a number that memory and shuffles can hold: i1 and less than a
/// byte as i8, a pointer as i64; and back.
mlir::Value toStorage(Emitter &e, mlir::Location loc, mlir::Value value);
mlir::Value fromStorage(Emitter &e, mlir::Location loc, mlir::Value value,
                        mlir::Type scalar);

/// Scalars of at most 32 bits together as one i32, the first in the lowest
/// bits; and back.
mlir::Value packWord(Emitter &e, mlir::Location loc, mlir::ValueRange scalars);
Registers unpackWord(Emitter &e, mlir::Location loc, mlir::Value word,
                     mlir::Type scalar, unsigned count);

/// The scalar of another lane, of any type. `ask` gets one i32 for another.
mlir::Value moveLanes(Emitter &e, mlir::Location loc, mlir::Value value,
                      llvm::function_ref<mlir::Value(mlir::Value)> ask);

/// A linear map of this thread's lane and warp, given by columns; i32.
mlir::Value threadValue(Emitter &e, mlir::Location loc,
                        llvm::ArrayRef<uint64_t> lane,
                        llvm::ArrayRef<uint64_t> warp, unsigned scale = 1);
/// The parity of the bits of (lane, warp) under two masks; i1.
mlir::Value threadParity(Emitter &e, mlir::Location loc, uint64_t laneMask,
                         uint64_t warpMask);

mlir::Value select(Emitter &e, mlir::Location loc, mlir::Value condition,
                   mlir::Value yes, mlir::Value no);

/// Addresses `base + (thread part XOR constant)`: what of the constant cannot
/// meet the thread part becomes an offset that instructions hold.
class ThreadAddress {
public:
  /// Columns are offsets in elements of `elementBytes`.
  ThreadAddress(Emitter &e, mlir::Location loc, mlir::Value base,
                llvm::ArrayRef<uint64_t> lane, llvm::ArrayRef<uint64_t> warp,
                unsigned elementBytes);
  mlir::Value at(uint64_t offset);

private:
  Emitter &e;
  mlir::Location loc;
  mlir::Value base, thread;
  uint64_t reach = 0; ///< bits that the thread part may set, in bytes
  unsigned elementBytes;
  llvm::DenseMap<uint64_t, mlir::Value> known;
};

/// Writes all registers to shared memory, or reads them. `places` are offsets.
/// Only what belongs to `round` is moved: offsets' bits from `roundBit` on. Of
/// another round `load` leaves registers as they are.
void storePlaces(Emitter &e, mlir::Location loc, mlir::Value base,
                 const Places &places, mlir::ValueRange registers,
                 unsigned roundBit = 63, uint64_t round = 0);
void loadPlaces(Emitter &e, mlir::Location loc, mlir::Value base,
                const Places &places, mlir::Type scalar, Registers &registers,
                unsigned roundBit = 63, uint64_t round = 0);

/// The same elements in another layout. `scratch` gives the address of
/// `conversionScratch` bytes, which no thread reads or writes any more.
Registers convertLayout(Emitter &e, mlir::Location loc, Registers source,
                        const LinearLayout &from, const LinearLayout &to,
                        llvm::function_ref<mlir::Value()> scratch,
                        int64_t limit);
int64_t conversionScratch(const LinearLayout &from, const LinearLayout &to,
                          unsigned elementBytes, int64_t limit);
/// Bytes of scratch an op should keep to where it can.
int64_t scratchLimit(mlir::Operation *op);

// Parts of `scratchBytes`.
int64_t reductionScratchBytes(mlir::Operation *op);
int64_t gatherScratchBytes(mlir::Operation *op);

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_MOVES_H
