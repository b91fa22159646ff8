//===- Buffers.h - Tiles that live in scratch memory -----------*- C++ -*-===//
//
// A tile that is used by more than one loop nest gets a buffer in the scratch
// memory that the runtime lends. Buffers whose lives do not overlap share
// memory; offsets are decided after the whole kernel has been emitted.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_BUFFERS_H
#define NEREID_COMPILER_TARGET_CPU_BUFFERS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

#include <memory>
#include <vector>

namespace nereid::cpu {

struct Buffer {
  llvm::SmallVector<int64_t> shape;
  mlir::Type element; ///< what the tile program calls it (may be a pointer)
  mlir::Type stored;  ///< what lies in memory: f32 for a packed f16 operand
  /// Panels of B for a dot: [batch][n / panel][rows / group][panel][group];
  /// 0 means row-major.
  int64_t panel = 0, group = 1, paddedK = 0;
  /// Row-major otherwise than by its shape: elements between neighbours.
  llvm::SmallVector<int64_t> strides;
  Buffer *parent = nullptr; ///< a part of another buffer; `base` moves
  int64_t bytes = 0;
  mlir::arith::ConstantOp offset; ///< set when offsets are known
  mlir::Value base;               ///< !llvm.ptr
  unsigned number = 0;
  unsigned first = 0, last = 0; ///< life, in emission time
  bool complete = false;        ///< its contents can be read
};

class BufferPool {
public:
  /// Emission time: `tick` before each piece of work.
  unsigned now() const { return clock; }
  unsigned tick() { return ++clock; }

  /// Creates a buffer; `entry` is where its address is computed.
  Buffer *create(mlir::OpBuilder &entry, mlir::Location loc,
                 mlir::Value scratch, llvm::ArrayRef<int64_t> shape,
                 mlir::Type element, mlir::Type stored, int64_t elementBytes,
                 int64_t elements = 0);
  /// Notes that the buffer is read or written now.
  void touch(Buffer *buffer);
  /// A loop ran since `start`: what was alive before and used inside lives to
  /// its end.
  void closeLoop(unsigned start);
  /// Makes every buffer live from beginning to end.
  void keepAll() {
    for (auto &buffer : buffers)
      if (buffer->first)
        buffer->first = 1, buffer->last = ~0u;
  }
  /// Gives every buffer its offset; returns the bytes needed.
  int64_t assignOffsets();

private:
  std::vector<std::unique_ptr<Buffer>> buffers;
  unsigned clock = 1;
};

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_BUFFERS_H
