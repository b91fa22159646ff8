//===- Emitter.h - From tiles in layouts to one thread's code --*- C++ -*-===//
//
// The lowering that all GPU targets share. It walks a kernel in `tgpu` (tt,
// arith, math and scf on tensors with layouts) once, and writes the code of one
// thread: every tensor becomes as many scalars as its layout has registers,
// every `scf.for` that carries tensors one that carries those scalars. The
// result is scalar scf, arith, math and llvm; no dialect conversion framework
// is involved, which is what keeps compile time low.
//
// One function emits one kind of op. It is found by the op's name in a table
// that this folder fills for what all targets share, and a target for what only
// it has (matrix units, asynchronous copies). Machine questions (how to
// shuffle, load, wait) go to TargetHooks.
//
// Scalars of a tile: integers, i1 and floats are themselves, fp8 is i8, a
// pointer is !llvm.ptr<1>. A tile's scalars are in the order of its layout's
// register number. Shared memory is !llvm.ptr<3>, a tile or barriers are its
// address, a tensor map is a generic !llvm.ptr.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_EMITTER_H
#define NEREID_COMPILER_TARGET_GPU_EMITTER_H

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Target/GPU/TargetHooks.h"
#include "compiler/Target/Target.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Allocator.h"

#include <memory>

namespace nereid::gpu {

class Emitter;
using Registers = llvm::SmallVector<mlir::Value>;
using EmitFn = mlir::LogicalResult (*)(Emitter &, mlir::Operation *);
/// Op name ("tt.load") to the function that emits it.
using EmitTable = llvm::StringMap<EmitFn>;

// What each file of this folder adds to the table.
void addControlFlow(EmitTable &table); ///< Control.cpp: scf, func, calls
void addElementwise(EmitTable &table); ///< Elementwise.cpp
void addAddresses(EmitTable &table);   ///< Addresses.cpp: addptr
void addConversions(EmitTable &table); ///< Conversions.cpp: fp_to_fp
void addShapes(EmitTable &table);      ///< Shapes.cpp: splat, reshape, join ...
void addMemory(EmitTable &table);      ///< Memory.cpp: load, store, atomics
void addShared(EmitTable &table);      ///< Shared.cpp: convert_layout, local_*
void addReductions(EmitTable &table);  ///< Reductions.cpp: reduce, scan ...
void addGathers(EmitTable &table);     ///< Gathers.cpp: gather, histogram, cat
void addDebug(EmitTable &table);       ///< Debug.cpp: print, assert
void addDots(EmitTable &table);        ///< Dots.cpp: tt.dot without matrix unit

class Emitter {
public:
  Emitter(const TargetInfo &target, TargetHooks &hooks, const EmitTable &table,
          mlir::OpBuilder &builder)
      : target(target), hooks(hooks), builder(builder), table(table) {}

  const TargetInfo &target;
  TargetHooks &hooks;
  mlir::OpBuilder &builder; ///< at the end of what was written so far

  //===-- Values ---------------------------------------------------------===//

  /// The scalars of a value of the kernel; one for a scalar, tile or barrier.
  /// Valid until the value is set again.
  llvm::ArrayRef<mlir::Value> get(mlir::Value value) const;
  mlir::Value getScalar(mlir::Value value) const;
  void set(mlir::Value value, llvm::ArrayRef<mlir::Value> registers);
  /// What carries values through control flow: their scalars, one after the
  /// other, narrow floats put together in words of 32 bits. As such they are
  /// packed where they are made, which one instruction does, and a word is what
  /// matrix units take.
  Registers flatten(mlir::ValueRange values);
  llvm::SmallVector<mlir::Type> flattenTypes(mlir::TypeRange types) const;
  /// Gives `values` the scalars that `flat` carries, which is as `flatten` made
  /// it. Writes code at the insertion point.
  void unflatten(mlir::ValueRange values, mlir::ValueRange flat);
  /// The type of each scalar of a value of this type, and how many there are.
  mlir::Type scalarType(mlir::Type type) const;
  int64_t count(mlir::Type type) const;

  //===-- Emission -------------------------------------------------------===//

  /// Emits an op through the table. An op that no row serves is an error at its
  /// source location that names the op and the target.
  mlir::LogicalResult emit(mlir::Operation *op);
  /// Emits the ops of a block but its terminator.
  mlir::LogicalResult emitBody(mlir::Block &block);
  /// Emits a region of one or more blocks into `target` (empty), a block for
  /// each of its blocks; `atEnd` emits what leaves it (no cf branch). Arguments
  /// of the entry block have their scalars already.
  mlir::LogicalResult
  emitBlocks(mlir::Region &region, mlir::Block *entry,
             llvm::function_ref<mlir::LogicalResult(mlir::Operation *)> atEnd);
  /// The block that stands for a block of the kernel, in `emitBlocks`.
  mlir::Block *blockFor(mlir::Block *block) const {
    return blocks.lookup(block);
  }
  /// A copy of a region of scalars (reduce, scan, map_elementwise) on these
  /// arguments; gives what its terminator yields.
  mlir::FailureOr<Registers> inlineRegion(mlir::Region &region,
                                          mlir::ValueRange arguments);

  //===-- Places ---------------------------------------------------------===//

  /// This thread's lane, and its warp counted within its partition; i32. The
  /// code generator knows that the warp is uniform.
  mlir::Value lane();
  mlir::Value warp();
  mlir::Value thread(); ///< warp * lanes + lane, within the partition
  int32_t warps() const { return numWarpsHere; }
  int32_t threads() const { return numWarpsHere * int32_t(target.warpSize); }

  /// Runs `fn` as the code of a partition: `warps` warps that start at
  /// `firstWarp` of the block; barriers inside use the named barrier `id`.
  mlir::LogicalResult inPartition(int32_t warps, int32_t firstWarp, int id,
                                  llvm::function_ref<mlir::LogicalResult()> fn);

  /// The element that each register of this thread holds: [register][dim], i32.
  /// What does not depend on the register is computed once.
  llvm::SmallVector<llvm::SmallVector<mlir::Value, 4>>
  elements(mlir::Location loc, const LinearLayout &layout);
  /// `map` applied to (lane, warp) with the register part left out: one i32 per
  /// output dimension.
  llvm::SmallVector<mlir::Value, 4> threadPart(mlir::Location loc,
                                               const LinearLayout &map);

  /// True in one of the threads that hold copies of the same element of
  /// `layout`; null when no two threads do. Guards stores and atomics.
  mlir::Value holdsFirstCopy(mlir::Location loc, const LinearLayout &layout);

  //===-- Shared memory --------------------------------------------------===//

  /// Start of shared memory plus a constant; !llvm.ptr<3>.
  mlir::Value sharedAddress(mlir::Location loc, int64_t byteOffset);
  /// The scratch that `nrd-allocate-shared` gave an op.
  mlir::Value scratch(mlir::Operation *op);
  /// All threads of this partition wait for each other.
  void syncThreads(mlir::Location loc);
  /// `tgpu.sync_threads half`, behind what computes `ready`.
  void syncHalf(mlir::Location loc, int half, mlir::ValueRange ready);

  //===-- Short hands ----------------------------------------------------===//

  mlir::MLIRContext *context() const { return builder.getContext(); }
  /// The module that is being written.
  mlir::ModuleOp module() const { return moduleHere; }
  mlir::Value i32(mlir::Location loc, int64_t value);
  mlir::Value i64(mlir::Location loc, int64_t value);
  mlir::Value i1(mlir::Location loc, bool value);
  mlir::Value zero(mlir::Location loc, mlir::Type scalar);
  /// `pointer` + `bytes` (a constant).
  mlir::Value offset(mlir::Location loc, mlir::Value pointer, int64_t bytes);

  /// `bytes` of this program's global scratch, 128-byte aligned; a generic
  /// !llvm.ptr. What it returns differs from what earlier calls returned.
  mlir::Value globalScratchSlot(mlir::Location loc, int64_t bytes);
  /// Registers per thread that the kernel must be compiled for
  /// (`.maxnreg`, for setmaxnreg); 0 leaves it to the assembler.
  int32_t maxRegisters = 0;
  /// Whether copies run ahead of what uses them.
  bool copiesAhead = false;

private:
  /// How many scalars of a value of this type share a word; 1 for none.
  int64_t scalarsPerWord(mlir::Type type) const;
  friend mlir::LogicalResult emitKernel(mlir::ModuleOp, const TargetInfo &,
                                        TargetHooks &, struct KernelFacts &);
  const EmitTable &table;
  mlir::ModuleOp moduleHere;
  llvm::BumpPtrAllocator storage;
  llvm::DenseMap<mlir::Value, llvm::ArrayRef<mlir::Value>> values;
  llvm::DenseMap<mlir::Block *, mlir::Block *> blocks;
  void findPlaces(mlir::Location loc);
  int32_t numWarpsHere = 4, firstWarpHere = 0;
  int partitionId = 0;
  /// Computed once per function or partition; the warp, whose number must be
  /// made uniform, where it is first asked for.
  mlir::Value threadHere, laneHere, warpHere;
  mlir::Value globalScratch;      ///< this program's scratch, or null
  int64_t globalScratchBytes = 0; ///< per program
};

/// What a launch must know of one emitted kernel.
struct KernelFacts {
  std::string symbol;
  int32_t numThreads = 0;
  int64_t sharedBytes = 0;
  int64_t globalScratchBytes = 0; ///< per program
  uint32_t paramSize = 0;
  std::vector<ParamField> fields;
  std::vector<TensorMapRecipe> tensorMaps;
  std::vector<uint32_t> freeSlots; ///< see Image.h
};

/// Replaces the module's one public `tt.func`, in tgpu with shared memory
/// allocated, by an `llvm.func` whose body is scalar scf, arith, math and llvm.
/// Argument attributes are those of the CPU back end (`nrd.slot`, `nrd.field`
/// with "tensor_map" besides, `nrd.index`); parameters lie in argument order,
/// each naturally aligned (tensor maps to 64). Where the kernel uses global
/// scratch, a pointer to it follows as the last parameter.
mlir::LogicalResult emitKernel(mlir::ModuleOp module, const TargetInfo &target,
                               TargetHooks &hooks, KernelFacts &facts);

/// What `emitKernel` fills its table with, before a target adds its own.
void addSharedLowerings(EmitTable &table);

/// Makes a target's hooks; targets register theirs when a tool starts.
using MakeHooks = std::unique_ptr<TargetHooks> (*)(const TargetInfo &target);
void registerHooks(TargetFamily family, MakeHooks make);
/// Null for a target without code generation.
std::unique_ptr<TargetHooks> makeHooks(const TargetInfo &target);

/// The width in elements that a memory operation may use for registers of
/// `layout`: of its `nrd.access`, no more than `maxBits`. The lowest registers
/// hold neighbours then.
int32_t accessWidth(mlir::Operation *op, const LinearLayout &layout,
                    unsigned elementBits, int maxBits);

/// Bytes of scratch that an op should keep to, where it can work in rounds. Set
/// by `nrd-allocate-shared` when a kernel would not fit otherwise.
inline constexpr llvm::StringLiteral kScratchLimitAttr = "nrd.scratch_limit";

/// Bytes of shared memory an op needs while it runs, beyond its tiles: what
/// `nrd-allocate-shared` asks. Kept beside the code that uses it.
int64_t scratchBytes(mlir::Operation *op, const TargetInfo &target);
/// The part of it that Memory.cpp uses: results of atomics for other threads.
int64_t memoryScratchBytes(mlir::Operation *op, const TargetInfo &target);

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_EMITTER_H
