//===- Kernel.h - The state of lowering one kernel -------------*- C++ -*-===//
//
// What the parts of the lowering share: where scalars and tiles have gone, the
// builder, the scratch buffers and the program's place in the grid.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_KERNEL_H
#define NEREID_COMPILER_TARGET_CPU_KERNEL_H

#include "compiler/Dialect/TT/TTDialect.h"
#include "compiler/Target/CPU/Buffers.h"
#include "compiler/Target/CPU/ElementOps.h"
#include "compiler/Target/CPU/LoopDot.h"
#include "compiler/Target/CPU/Lowering.h"
#include "compiler/Target/CPU/Plan.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace nereid::cpu {

/// Bytes at the start of the scratch memory where lanes that are masked off
/// read and write when the instruction set cannot leave them out.
constexpr int64_t kDummyBytes = 64;

class Kernel {
public:
  Kernel(tt::FuncOp source, const TargetInfo &target, KernelLayout &layout);
  mlir::LogicalResult run();

  //===- Values -----------------------------------------------------------===//

  /// The held scalar that stands for a scalar of the tile program.
  mlir::Value scalar(mlir::Value v);
  void setScalar(mlir::Value v, mlir::Value held) { scalars[v] = held; }
  /// The buffer whose contents are the tensor `v`, or null.
  Buffer *buffer(mlir::Value v) const { return buffers.lookup(v); }
  void bind(mlir::Value v, Buffer *buffer) { buffers[v] = buffer; }

  /// Constants live in the entry block, one op each.
  mlir::Value constInt(mlir::Type type, int64_t value);
  mlir::Value constI64(int64_t value) {
    return constInt(b.getI64Type(), value);
  }
  mlir::Value constant(mlir::TypedAttr scalar, int64_t lanes = 0);
  /// The address of a constant table in the image.
  mlir::Value table(mlir::DenseElementsAttr values);
  /// The address of a NUL-terminated string in the image.
  mlir::Value string(llvm::StringRef text);
  mlir::Value nullPtr();

  //===- Memory -----------------------------------------------------------===//

  Buffer *newBuffer(mlir::Location loc, llvm::ArrayRef<int64_t> shape,
                    mlir::Type element, mlir::Type stored = {},
                    int64_t elements = 0);
  Buffer *newBuffer(mlir::Location loc, mlir::Value tensor);
  /// A store that nothing in the kernel reads back and that is done once per
  /// program, so that it may bypass the caches.
  bool mayStream(tt::StoreOp op);
  /// i1: all programs of the launch together write so much, at `bytes` each,
  /// that no cache would keep it.
  mlir::Value writesMuch(int64_t bytes);
  /// Sets every element.
  void fillBuffer(mlir::Location loc, Buffer *buffer, mlir::Value held);
  /// Copies one buffer onto another of the same shape and type.
  void copyBuffer(mlir::Location loc, Buffer *from, Buffer *to);
  /// Where lanes that are masked off may read and write kDummyBytes.
  mlir::Value dummy();
  /// One element (i1 is a byte in memory; pointers are !llvm.ptr).
  mlir::Value loadElement(mlir::Location loc, mlir::Value ptr, mlir::Type type);
  void storeElement(mlir::Location loc, mlir::Value value, mlir::Value ptr,
                    mlir::Type type);

  //===- Parts ------------------------------------------------------------===//

  /// Lowers a block: every op but the terminator, and the tiles the terminator
  /// hands on, into `targets`.
  mlir::LogicalResult lowerBlock(mlir::Block &block,
                                 llvm::ArrayRef<HandOver> targets);
  mlir::LogicalResult emitNest(Nest &nest);
  mlir::LogicalResult emitDot(DotPlan &plan);
  mlir::LogicalResult emitScan(ScanPlan &plan);
  mlir::LogicalResult lowerScalarOp(mlir::Operation *op);
  mlir::LogicalResult lowerFor(mlir::scf::ForOp op);
  mlir::LogicalResult lowerIf(mlir::scf::IfOp op);
  mlir::LogicalResult lowerWhile(mlir::scf::WhileOp op);

  //===- LoopDot.cpp: dots in loops ---------------------------------------===//

  llvm::SmallVector<LoopDot *> prepareLoopDots(mlir::scf::ForOp loop);
  void enterLoopDot(LoopDot &dot, mlir::Value count, mlir::Value last);
  mlir::Value claimSlot(LoopDot &dot);
  LoopDot *loopDot(mlir::Operation *op) const {
    auto it = loopDots.find(op);
    return it == loopDots.end() ? nullptr : it->second.get();
  }
  /// Some store or atomic of the kernel may write through this argument.
  bool writesTo(mlir::Value pointer);

  /// One read-modify-write; the builder is where it happens.
  mlir::FailureOr<mlir::Value> atomicRMW(tt::AtomicRMWOp op, mlir::Value ptr,
                                         mlir::Value value);
  mlir::FailureOr<mlir::Value> atomicCAS(tt::AtomicCASOp op, mlir::Value ptr,
                                         mlir::Value compare,
                                         mlir::Value value);
  /// Waits; `timeout` may be null.
  mlir::Value atomicPoll(tt::AtomicPollOp op, mlir::Value ptr,
                         mlir::Value expected, mlir::Value timeout);
  /// Runs a region of scalars (tt.map_elementwise) here.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  inlineScalars(mlir::Region &region, mlir::ValueRange arguments);
  void callAssertFailed(tt::AssertOp op);
  void callPrint(tt::PrintOp op, unsigned operand, mlir::Value held,
                 llvm::ArrayRef<mlir::Value> index);

  /// `v` as the next program along x would compute it; null when that takes
  /// more than a little arithmetic, or when it is the same.
  mlir::Value inNextProgram(mlir::Value v);
  /// Loads of the program's own block that an earlier nest did, and those whose
  /// memory has been fetched ahead for the next program.
  llvm::SmallPtrSet<mlir::Operation *, 8> loaded, fetchedAhead;

  /// Operands of dots that were packed before the loop they are used in.
  llvm::SmallVector<PackedOperand> packed;

  mlir::OpBuilder b;
  const TargetInfo &target;
  ElementOps ops;
  BufferPool pool;
  mlir::Value scratch, host, grid;
  mlir::Value programId[3]; ///< i32
  mlir::Value status;       ///< !llvm.ptr to the i32 status, with asserts only

private:
  mlir::LogicalResult layoutParameters();
  void createFunctions();
  void clearAtEntry();
  mlir::LogicalResult lowerBody();
  mlir::LogicalResult lowerBranches();
  mlir::LogicalResult branchTo(mlir::Block *target, mlir::ValueRange operands,
                               mlir::Location loc,
                               llvm::SmallVectorImpl<mlir::Value> &scalarsOut);
  mlir::LogicalResult lowerOp(mlir::Operation *op);
  void copyAll(mlir::Location loc,
               llvm::ArrayRef<std::pair<Buffer *, mlir::Value>> copies);

  mlir::OpBuilder entryBuilder();

  tt::FuncOp source;
  KernelLayout &layout;
  mlir::ModuleOp module;
  mlir::LLVM::LLVMFuncOp program;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, Buffer *> buffers;
  llvm::DenseMap<std::pair<mlir::Type, int64_t>, mlir::Value> ints;
  llvm::DenseMap<std::pair<mlir::Attribute, int64_t>, mlir::Value> constants;
  llvm::DenseMap<mlir::Block *, mlir::Block *> blocks;
  mlir::Value null;
  mlir::Value programs; ///< i64: programs of the whole launch
  mlir::Block *entryExit = nullptr;
  llvm::DenseMap<int64_t, mlir::Value> muchWritten;
  bool atomics = false;
  std::vector<std::unique_ptr<Buffer>> views;
  llvm::SmallVector<Buffer *> clearedAtEntry;
  llvm::DenseMap<mlir::Operation *, std::unique_ptr<LoopDot>> loopDots;
  mlir::Operation *entryStart = nullptr; ///< in the exported function
  mlir::Value entryScratch;
  Buffer *dummyBuffer = nullptr;
  Buffer *statusBuffer = nullptr;
  unsigned globals = 0;
};

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_KERNEL_H
