//===- Buffers.cpp - Tiles that live in scratch memory --------------------===//

#include "compiler/Target/CPU/Buffers.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid::cpu {

Buffer *BufferPool::create(OpBuilder &entry, Location loc, Value scratch,
                           ArrayRef<int64_t> shape, Type element, Type stored,
                           int64_t elementBytes, int64_t elements) {
  auto buffer = std::make_unique<Buffer>();
  buffer->shape.assign(shape.begin(), shape.end());
  buffer->element = element;
  buffer->stored = stored;
  if (elements == 0) {
    elements = 1;
    for (int64_t d : shape)
      elements *= d;
  }
  buffer->bytes =
      llvm::alignTo(std::max<int64_t>(elements * elementBytes, 1), 64);
  buffer->offset =
      arith::ConstantOp::create(entry, loc, entry.getI64IntegerAttr(0));
  buffer->base = LLVM::GEPOp::create(
      entry, loc, scratch.getType(), entry.getI8Type(), scratch,
      ArrayRef<LLVM::GEPArg>{buffer->offset.getResult()});
  buffer->number = buffers.size();
  buffers.push_back(std::move(buffer));
  return buffers.back().get();
}

void BufferPool::touch(Buffer *buffer) {
  if (buffer->parent)
    return touch(buffer->parent);
  if (buffer->first == 0)
    buffer->first = clock;
  buffer->last = std::max(buffer->last, clock);
}

void BufferPool::closeLoop(unsigned start) {
  for (auto &buffer : buffers)
    if (buffer->first != 0 && buffer->first <= start && buffer->last > start)
      buffer->last = std::max(buffer->last, clock);
}

int64_t BufferPool::assignOffsets() {
  // Largest first, each at the lowest place that no overlapping life occupies.
  SmallVector<Buffer *> order;
  for (auto &buffer : buffers)
    if (buffer->first != 0)
      order.push_back(buffer.get());
  llvm::sort(order, [](Buffer *a, Buffer *b) {
    return std::tuple(-a->bytes, a->first, a->number) <
           std::tuple(-b->bytes, b->first, b->number);
  });
  struct Placed {
    Buffer *buffer;
    int64_t offset;
  };
  SmallVector<Placed> placed;
  int64_t total = 0;
  for (Buffer *buffer : order) {
    int64_t offset = 0;
    bool moved = true;
    while (moved) {
      moved = false;
      for (const Placed &p : placed)
        if (p.buffer->first <= buffer->last &&
            buffer->first <= p.buffer->last &&
            p.offset < offset + buffer->bytes &&
            offset < p.offset + p.buffer->bytes) {
          offset = p.offset + p.buffer->bytes;
          moved = true;
        }
    }
    placed.push_back({buffer, offset});
    total = std::max(total, offset + buffer->bytes);
    OpBuilder b(buffer->offset);
    buffer->offset.setValueAttr(b.getI64IntegerAttr(offset));
  }
  return total;
}

} // namespace nereid::cpu
