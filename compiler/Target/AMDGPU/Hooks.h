//===- Hooks.h - AMD's instructions for the shared lowering ----*- C++ -*-===//

#ifndef NEREID_COMPILER_TARGET_AMDGPU_HOOKS_H
#define NEREID_COMPILER_TARGET_AMDGPU_HOOKS_H

#include "compiler/Target/GPU/Emitter.h"
#include "compiler/Target/GPU/TargetHooks.h"
#include "compiler/Target/Target.h"

namespace nereid::amdgpu {

/// Mfma.cpp: tt.dot by matrix instructions.
void addMfma(gpu::EmitTable &table);

/// A call of an LLVM intrinsic by its name; null without a result type.
mlir::Value intrinsic(mlir::OpBuilder &b, mlir::Location loc, mlir::Type result,
                      llvm::StringRef name, mlir::ValueRange operands);
/// A constant of the LLVM dialect.
mlir::Value constantInt(mlir::OpBuilder &b, mlir::Location loc, int bits,
                        int64_t value);

class Hooks : public gpu::TargetHooks {
public:
  explicit Hooks(const TargetInfo &target) : target(target) {}

  Value threadId(Builder &b, Loc loc) override;
  Value programId(Builder &b, Loc loc, int axis) override;
  Value numPrograms(Builder &b, Loc loc, int axis) override;
  Value uniform(Builder &b, Loc loc, Value value) override;

  Value shuffle(Builder &b, Loc loc, Value value, Value lane) override;
  Value shuffleXor(Builder &b, Loc loc, Value value, int mask) override;
  void barrier(Builder &b, Loc loc, int id, int threads) override;
  void syncWarp(Builder &b, Loc loc) override;

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
  const TargetInfo &target;
};

/// Makes AMD targets known to the shared lowering.
void registerTarget();

} // namespace nereid::amdgpu

#endif // NEREID_COMPILER_TARGET_AMDGPU_HOOKS_H
