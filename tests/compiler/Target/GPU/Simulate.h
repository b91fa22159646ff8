//===- Simulate.h - A block of a GPU, on the CPU ---------------*- C++ -*-===//
//
// Executes what `emitKernel` writes for SimulatedHooks: scalar scf, arith, math
// and llvm, all threads of a block in lockstep, one operation after the other
// under a mask. No GPU and no code generator is needed, and what hardware hides
// is an error here:
//
//  * two threads that touch the same byte of shared memory, one of them
//    writing another value, with no barrier in between (a race);
//  * shared memory that is read before it is written, or is not there;
//  * shuffles and barriers that not all threads reach;
//  * a matrix unit that reads what no proxy fence has shown it, and tiles that
//    are written while it may still read them;
//  * an address that is not aligned for its access.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_TESTS_COMPILER_TARGET_GPU_SIMULATE_H
#define NEREID_TESTS_COMPILER_TARGET_GPU_SIMULATE_H

#include "compiler/Target/GPU/Emitter.h"

#include <string>
#include <vector>

namespace nereid::simulate {

/// The hooks of the simulated machine. `matrices`: it has ldmatrix and stmatrix
/// (or their like). Two operations for tests move whole tensors of any layout:
///
///     %x = "test.load"(%pointer) : (!tt.ptr<f32>) -> tensor<32x16xf32, #l>
///     "test.store"(%pointer, %x) : (!tt.ptr<f32>, tensor<32x16xf32, #l>) -> ()
///
/// in row-major order; every place that holds an element stores it, and it is
/// an error when copies differ. Of matrix units it has `tt.dot` in any layouts
/// and `tgpu.warpgroup_mma`, of asynchronous copies those by threads: their
/// bytes come at the last moment that a wait allows.
class SimulatedHooks : public gpu::TargetHooks {
public:
  explicit SimulatedHooks(bool matrices = true) : matrices(matrices) {}

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
  bool hasMatrixLoad(bool) const override { return matrices; }
  bool hasMatrixStore(bool) const override { return matrices; }
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
  bool matrices;
};

struct Launch {
  int threads = 128, lanes = 32;
  int64_t sharedBytes = 0;
  int32_t program[3] = {0, 0, 0}, programs[3] = {1, 1, 1};
  /// One per parameter: a host address, or the number's bits.
  std::vector<uint64_t> arguments;
};

/// What a run did, for tests of how much code moves data.
struct Outcome {
  std::string error; ///< empty when all went well
  int shuffles = 0, barriers = 0;
  int sharedLoads = 0, sharedStores = 0; ///< instructions of the block
};

/// Runs one block of the kernel in a module that `emitKernel` wrote.
Outcome run(mlir::LLVM::LLVMFuncOp kernel, const Launch &launch);

} // namespace nereid::simulate

#endif // NEREID_TESTS_COMPILER_TARGET_GPU_SIMULATE_H
