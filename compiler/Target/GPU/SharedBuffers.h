//===- SharedBuffers.h - What stands in shared memory ----------*- C++ -*-===//
//
// The buffers of a kernel (tiles, barriers, scratch of operations) and which of
// them a value may point into. Facts for `nrd-allocate-shared` and
// `nrd-insert-barriers`.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_GPU_SHAREDBUFFERS_H
#define NEREID_COMPILER_TARGET_GPU_SHAREDBUFFERS_H

#include "compiler/Dialect/TGPU/TGPUDialect.h"
#include "compiler/Target/Target.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace nereid::gpu {

struct SharedBuffer {
  mlir::Operation *op; ///< local_alloc, barrier_alloc, or who needs scratch
  int64_t bytes;
  int64_t alignment;
  bool scratch;
};

/// A part of a buffer.
struct SharedSlice {
  unsigned buffer;
  int64_t begin, end; ///< bytes from the buffer's start
  bool inRing;        ///< one tile of a ring, which one not being known

  bool operator==(const SharedSlice &o) const {
    return buffer == o.buffer && begin == o.begin && end == o.end &&
           inRing == o.inRing;
  }
};

class SharedBuffers {
public:
  SharedBuffers(mlir::Operation *root, const TargetInfo *target);

  llvm::ArrayRef<SharedBuffer> all() const { return buffers; }
  /// The buffer of an op, or none.
  std::optional<unsigned> bufferOf(mlir::Operation *op) const;
  /// What a tile or barriers may point to.
  llvm::ArrayRef<SharedSlice> slices(mlir::Value value) const;

private:
  bool add(mlir::Value value, llvm::ArrayRef<SharedSlice> more);
  bool propagate(mlir::Operation *op);

  llvm::SmallVector<SharedBuffer> buffers;
  llvm::DenseMap<mlir::Operation *, unsigned> numbers;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<SharedSlice, 1>> pointsTo;
};

/// True for a tile or barriers.
bool isShared(mlir::Type type);

} // namespace nereid::gpu

#endif // NEREID_COMPILER_TARGET_GPU_SHAREDBUFFERS_H
