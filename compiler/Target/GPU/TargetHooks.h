//===- TargetHooks.h - What the shared lowering asks a GPU -----*- C++ -*-===//
//
// One class per vendor implements this with its instructions. Everything here
// is about one thread; the caller holds the layouts.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_TARGETHOOKS_H
#define NEREID_COMPILER_TARGET_GPU_TARGETHOOKS_H

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Image.h"
#include "compiler/Target/Convert.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

namespace nereid::gpu {

class Emitter;

/// How a global access may be cached, as tt.load and tt.store say it.
struct CacheHints {
  tt::CacheModifier cache = tt::CacheModifier::NONE;
  tt::EvictionPolicy evict = tt::EvictionPolicy::NORMAL;
  bool isVolatile = false;
};

/// What a kernel's code says of its launch.
struct LaunchBounds {
  int threads;
  /// Per thread; 0 where the assembler may choose.
  int maxRegisters;
  /// Tiles are copied ahead of their use, so no thread waits for its own loads.
  bool copiesAhead;
};

/// A pointer as a base and a number of bytes, where it was written so.
std::pair<mlir::Value, int64_t> splitConstantOffset(mlir::Value pointer);

class TargetHooks {
public:
  using Builder = mlir::OpBuilder;
  using Loc = mlir::Location;
  using Value = mlir::Value;
  virtual ~TargetHooks() = default;

  int blockThreads = 0; ///< threads of the block; known before emission

  //===-- Places ---------------------------------------------------------===//

  virtual Value threadId(Builder &b, Loc loc) = 0; ///< i32, within the block
  virtual Value programId(Builder &b, Loc loc, int axis) = 0;   ///< i32
  virtual Value numPrograms(Builder &b, Loc loc, int axis) = 0; ///< i32
  /// `value`, which is the same in all lanes, in a form the code generator
  /// knows to be the same.
  virtual Value uniform(Builder &b, Loc loc, Value value) = 0;

  //===-- Warps and barriers ---------------------------------------------===//

  /// The value that another lane holds: i32 only; `lane` is i32.
  virtual Value shuffle(Builder &b, Loc loc, Value value, Value lane) = 0;
  /// The value of lane `own ^ mask`.
  virtual Value shuffleXor(Builder &b, Loc loc, Value value, int mask) = 0;
  /// `threads` threads wait for each other at barrier `id`; 0 and all threads
  /// of the block is the block's barrier. Orders shared memory.
  virtual void barrier(Builder &b, Loc loc, int id, int threads) = 0;
  /// The same barrier, where only the warps that `takesPart` holds for wait;
  /// the others do at another place (`second`: this is the second of the two,
  /// and what computes `ready`, at least, stays in front of it).
  virtual void barrierOfHalf(Builder &b, Loc loc, Value takesPart, bool second,
                             int id, int threads, mlir::ValueRange ready);
  virtual void syncWarp(Builder &b, Loc loc) = 0;
  /// A combination over a warp that one instruction does; null when none does.
  virtual Value reduceWarp(Builder &, Loc, mlir::Operation * /*combiner*/,
                           Value /*value*/) {
    return {};
  }

  //===-- Numbers --------------------------------------------------------===//

  /// Converts registers between float formats by instructions; empty where the
  /// target has none for this pair. fp8 is held as i8.
  virtual llvm::SmallVector<Value> convert(Builder &, Loc,
                                           mlir::ValueRange /*values*/,
                                           mlir::Type /*from*/,
                                           mlir::Type /*to*/, Rounding) {
    return {};
  }

  //===-- Global memory --------------------------------------------------===//

  /// Bits of the widest access of one thread: 128.
  virtual int maxAccessBits() const { return 128; }
  /// `count` neighbouring elements of `type` from `pointer` (!llvm.ptr<1>), one
  /// access. `pred` (i1) may be null: always. Where false gives `other`, or
  /// anything where `other` is empty.
  virtual llvm::SmallVector<Value> load(Builder &b, Loc loc, Value pointer,
                                        mlir::Type type, int count, Value pred,
                                        mlir::ValueRange other,
                                        const CacheHints &hints) = 0;
  virtual void store(Builder &b, Loc loc, Value pointer,
                     mlir::ValueRange values, Value pred,
                     const CacheHints &hints) = 0;
  /// One atomic operation; gives the old value (anything where pred is false).
  virtual Value atomicRMW(Builder &b, Loc loc, tt::RMWOp kind, Value pointer,
                          Value value, Value pred, tt::MemSemantic sem,
                          tt::MemSyncScope scope) = 0;
  virtual Value atomicCAS(Builder &b, Loc loc, Value pointer, Value compare,
                          Value value, Value pred, tt::MemSemantic sem,
                          tt::MemSyncScope scope) = 0;

  //===-- Shared memory (!llvm.ptr<3>) -----------------------------------===//

  /// `count` neighbouring elements; the address is aligned to all of them.
  virtual llvm::SmallVector<Value> loadShared(Builder &b, Loc loc,
                                              Value pointer, mlir::Type type,
                                              int count, Value pred);
  virtual void storeShared(Builder &b, Loc loc, Value pointer,
                           mlir::ValueRange values, Value pred);
  /// Instructions of a whole warp that move `count` matrices of eight 16-byte
  /// rows: lane 8i + j gives the address of row j of matrix i; each lane gets
  /// or gives one i32 of each matrix, four lanes to a row, or as if the matrix
  /// (of 16-bit elements) were transposed.
  virtual bool hasMatrixLoad(bool /*transposed*/) const { return false; }
  virtual bool hasMatrixStore(bool /*transposed*/) const { return false; }
  virtual llvm::SmallVector<Value> loadMatrix(Builder &, Loc, Value /*pointer*/,
                                              int /*count*/,
                                              bool /*transposed*/) {
    return {};
  }
  virtual void storeMatrix(Builder &, Loc, Value /*pointer*/,
                           mlir::ValueRange /*words*/, bool /*transposed*/) {}
  /// A clock that all threads share, i64.
  virtual Value nanoseconds(Builder &b, Loc loc) = 0;
  /// Start of the kernel's shared memory; !llvm.ptr<3>.
  virtual Value sharedBase(Builder &b, Loc loc, mlir::ModuleOp module) = 0;

  //===-- Kernel ---------------------------------------------------------===//

  /// Marks the kernel with the target's calling convention and launch bounds.
  virtual void finishKernel(mlir::LLVM::LLVMFuncOp kernel,
                            const LaunchBounds &bounds) = 0;
  /// printf-like output of one thread; an error where there is none.
  virtual mlir::LogicalResult print(Emitter &emitter, mlir::Operation *op) = 0;
  virtual mlir::LogicalResult trap(Emitter &emitter, mlir::Operation *op,
                                   Value condition) = 0;

  /// Adds rows for what only this target emits, and overrides shared rows:
  /// matrix units, asynchronous copies, inline asm, library functions.
  virtual void addOperations(
      llvm::StringMap<mlir::LogicalResult (*)(Emitter &, mlir::Operation *)>
          &table) = 0;
};

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_TARGETHOOKS_H
