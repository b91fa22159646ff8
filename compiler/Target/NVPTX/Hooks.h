//===- Hooks.h - NVIDIA's instructions for the shared lowering -*- C++ -*-===//

#ifndef NEREID_COMPILER_TARGET_NVPTX_HOOKS_H
#define NEREID_COMPILER_TARGET_NVPTX_HOOKS_H

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/TargetHooks.h"
#include "compiler/Target/Target.h"

namespace nereid::nvptx {

// What each file of this folder adds to the table of emission.
void addMma(gpu::EmitTable &table);        ///< Mma.cpp: tt.dot by mma.sync
void addWgmma(gpu::EmitTable &table);      ///< Wgmma.cpp: warpgroup_*
void addAsyncCopy(gpu::EmitTable &table);  ///< AsyncCopy.cpp: async_*
void addTma(gpu::EmitTable &table);        ///< Tma.cpp: tma_*, barrier_*
void addPartitions(gpu::EmitTable &table); ///< Partitions.cpp: warp_specialize
void addInline(gpu::EmitTable &table);     ///< Inline.cpp: asm, library calls
void addNumbers(gpu::EmitTable &table);    ///< Numbers.cpp: approximate math

/// 80, 86, 89, 90, 100, 120.
int computeCapability(const TargetInfo &target);

class Hooks : public gpu::TargetHooks {
public:
  explicit Hooks(const TargetInfo &target)
      : capability(computeCapability(target)) {}

  Value threadId(Builder &b, Loc loc) override;
  Value programId(Builder &b, Loc loc, int axis) override;
  Value numPrograms(Builder &b, Loc loc, int axis) override;
  Value uniform(Builder &b, Loc loc, Value value) override;

  Value shuffle(Builder &b, Loc loc, Value value, Value lane) override;
  Value shuffleXor(Builder &b, Loc loc, Value value, int mask) override;
  void barrier(Builder &b, Loc loc, int id, int threads) override;
  void barrierOfHalf(Builder &b, Loc loc, Value takesPart, bool second, int id,
                     int threads, mlir::ValueRange ready) override;
  void syncWarp(Builder &b, Loc loc) override;
  Value reduceWarp(Builder &b, Loc loc, mlir::Operation *combiner,
                   Value value) override;

  llvm::SmallVector<Value> convert(Builder &b, Loc loc, mlir::ValueRange values,
                                   mlir::Type from, mlir::Type to,
                                   Rounding rounding) override;
  llvm::SmallVector<Value> load(Builder &b, Loc loc, Value pointer,
                                mlir::Type type, int count, Value pred,
                                mlir::ValueRange other,
                                const gpu::CacheHints &hints) override;
  void store(Builder &b, Loc loc, Value pointer, mlir::ValueRange values,
             Value pred, const gpu::CacheHints &hints) override;
  Value atomicRMW(Builder &b, Loc loc, tt::RMWOp kind, Value pointer,
                  Value value, Value pred, tt::MemSemantic sem,
                  tt::MemSyncScope scope) override;
  Value atomicCAS(Builder &b, Loc loc, Value pointer, Value compare,
                  Value value, Value pred, tt::MemSemantic sem,
                  tt::MemSyncScope scope) override;
  bool hasMatrixLoad(bool) const override { return capability >= 75; }
  bool hasMatrixStore(bool) const override { return capability >= 90; }
  llvm::SmallVector<Value> loadMatrix(Builder &b, Loc loc, Value pointer,
                                      int count, bool transposed) override;
  void storeMatrix(Builder &b, Loc loc, Value pointer, mlir::ValueRange words,
                   bool transposed) override;
  Value nanoseconds(Builder &b, Loc loc) override;
  Value sharedBase(Builder &b, Loc loc, mlir::ModuleOp module) override;

  void finishKernel(mlir::LLVM::LLVMFuncOp kernel,
                    const gpu::LaunchBounds &bounds) override;
  mlir::LogicalResult print(gpu::Emitter &emitter,
                            mlir::Operation *op) override;
  mlir::LogicalResult trap(gpu::Emitter &emitter, mlir::Operation *op,
                           Value condition) override;
  void addOperations(gpu::EmitTable &table) override;

private:
  int capability;
};

/// Makes NVIDIA targets known to the shared lowering.
void registerTarget();

} // namespace nereid::nvptx

#endif // NEREID_COMPILER_TARGET_NVPTX_HOOKS_H
