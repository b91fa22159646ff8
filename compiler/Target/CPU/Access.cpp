//===- Access.cpp - Memory through symbolic strips ------------------------===//
//
// A strip of addresses with a known stride becomes one scalar access (stride
// 0), one vector access (stride of one element, masked where need be), or lane
// by lane accesses. Where the instruction set has no masked access for a type,
// lanes that are off are sent to a harmless place instead.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/CPU/Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

namespace nereid::cpu {

// What lies in memory for an element: i1 is a byte, a pointer its address.
static Type memoryType(const ElementOps &ops, Type element) {
  Type type = ops.storage(element);
  MLIRContext *context = type.getContext();
  if (type.isInteger(1))
    return IntegerType::get(context, 8);
  if (isa<LLVM::LLVMPointerType>(type))
    return IntegerType::get(context, 64);
  return type;
}

bool NestEmitter::hasMaskedMemory(Type held) const {
  unsigned bits = getElementTypeOrSelf(held).getIntOrFloatBitWidth();
  if (kernel.target.vectorBits >= 512)
    return bits >= 8;
  return kernel.target.vectorBits >= 256 && bits >= 32;
}

bool NestEmitter::hasGather(Type held) const {
  return kernel.target.vectorBits >= 512 &&
         getElementTypeOrSelf(held).getIntOrFloatBitWidth() >= 32;
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

Strip NestEmitter::linear(ArrayRef<int64_t> dims, const Point &point) {
  Strip r = constStrip(0);
  int64_t stride = 1;
  SmallVector<int64_t> strides(dims.size());
  for (unsigned i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  for (auto [i, index] : llvm::enumerate(point.index))
    if (dims[i] != 1)
      r = add(r, mulConst(index, strides[i]));
  return r;
}

Strip NestEmitter::bufferAddress(Buffer *buffer, const Point &point) {
  int64_t size = kernel.ops.bytes(buffer->stored);
  Strip offset;
  if (!buffer->strides.empty()) {
    offset = constStrip(0);
    for (auto [index, stride] : llvm::zip(point.index, buffer->strides))
      offset = add(offset, mulConst(index, stride));
  } else if (buffer->panel == 0) {
    offset = linear(buffer->shape, point);
  } else {
    unsigned rank = buffer->shape.size();
    auto [panel, column] = splitIndex(point.index[rank - 1], buffer->panel);
    auto [row, part] = splitIndex(point.index[rank - 2], buffer->group);
    int64_t rows = buffer->paddedK / buffer->group;
    int64_t rowSize = buffer->panel * buffer->group;
    offset = add(mulConst(panel, rows * rowSize), mulConst(row, rowSize));
    if (rank == 3)
      offset = add(
          mulConst(point.index[0], buffer->paddedK * buffer->shape[rank - 1]),
          offset);
    offset = add(add(offset, part), mulConst(column, buffer->group));
  }
  Strip p = mulConst(offset, size);
  p.ptr = buffer->base;
  kernel.pool.touch(buffer);
  return p;
}

Value NestEmitter::address(const Strip &pointer) {
  Strip p = toLane(pointer);
  auto c = constantInt(p.value);
  if (c && *c == 0)
    return p.ptr;
  insertFor(p.ptr, p.value);
  return LLVM::GEPOp::create(b, loc, p.ptr.getType(), b.getI8Type(), p.ptr,
                             ArrayRef<LLVM::GEPArg>{p.value});
}

Strip NestEmitter::assumeContiguous(Strip p, int64_t size) {
  if (p.isAffine() && lanes == 1) {
    // One lane has no stride.
    p = toLane(p);
    p.stride = kernel.constI64(size);
    return p;
  }
  if (!p.isAffine() || constantInt(p.stride) || version == Version::General)
    return p;
  unsigned level = levelOf(p.stride);
  if (deepest() > 0 && level == deepest())
    return p;
  insertAt(level);
  Value test = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, p.stride,
                                     kernel.constI64(size));
  strideTests.push_back(test);
  if (version == Version::Fast)
    addBound(arith::SelectOp::create(b, loc, test, kernel.constI64(extent),
                                     kernel.constI64(0)));
  p.stride = kernel.constI64(size);
  p.assumed = true;
  return p;
}

Value NestEmitter::convertStored(Location at, Value v, Type from, Type to) {
  if (from == to)
    return v;
  insertFor(v);
  if (isa<FloatType>(from))
    return kernel.ops.convertFloat(b, at, v, from, to);
  auto vt = dyn_cast<VectorType>(v.getType());
  Type type = vt ? Type(VectorType::get(vt.getShape(), to)) : to;
  if (from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth())
    return arith::ExtSIOp::create(b, at, type, v);
  return arith::TruncIOp::create(b, at, type, v);
}

Strip NestEmitter::loadBuffer(Buffer *buffer, const Point &point, bool pinned) {
  Strip s =
      load(loc, bufferAddress(buffer, point), buffer->stored, {}, {}, pinned);
  if (buffer->stored == buffer->element || s.ptr)
    return s;
  Strip r = s;
  r.value = convertStored(loc, s.value, buffer->stored, buffer->element);
  return r;
}

void NestEmitter::storeBuffer(Buffer *buffer, const Point &point, Strip value) {
  if (buffer->stored != buffer->element && !value.ptr) {
    Value v = value.isUniform() ? value.value : vecOffset(value);
    bool uniform = value.isUniform();
    v = convertStored(loc, v, buffer->element, buffer->stored);
    value = uniform ? Strip::uniform(v) : Strip::vector(v);
  }
  store(loc, bufferAddress(buffer, point), buffer->stored, value, {});
}

//===----------------------------------------------------------------------===//
// Lane by lane
//===----------------------------------------------------------------------===//

// Vector of pointers, those of lanes that are off replaced by a safe place.
static Value lanePointers(OpBuilder &b, Location loc, Kernel &kernel,
                          Value addresses, Value mask) {
  int64_t lanes = cast<VectorType>(addresses.getType()).getNumElements();
  auto type = VectorType::get({lanes}, kernel.nullPtr().getType());
  if (mask) {
    Value safe =
        LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), kernel.dummy());
    addresses = arith::SelectOp::create(b, loc, mask, addresses,
                                        kernel.ops.splat(b, loc, safe, lanes));
  }
  return LLVM::IntToPtrOp::create(b, loc, type, addresses);
}

static Value allLanes(OpBuilder &b, Location loc, int64_t lanes) {
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(VectorType::get({lanes}, b.getI1Type()), true));
}

// The address of one lane of a strip that is affine in its lanes.
Value NestEmitter::lanePointer(Location at, const Strip &p, int64_t lane) {
  Value offset = p.value;
  if (lane) {
    Value distance = p.stride;
    if (auto c = constantInt(p.stride))
      distance = kernel.constI64(*c * lane);
    else if (lane != 1)
      distance = arith::MulIOp::create(b, at, p.stride, kernel.constI64(lane));
    offset = arith::AddIOp::create(b, at, offset, distance);
  }
  return LLVM::GEPOp::create(b, at, p.ptr.getType(), b.getI8Type(), p.ptr,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value NestEmitter::gather(Location at, const Strip &pointer, Type held,
                          Value mask, Value other, bool pinned) {
  Type element = getElementTypeOrSelf(held);
  unsigned align = std::max(1u, element.getIntOrFloatBitWidth() / 8);
  Value pass = other;
  if (hasGather(held)) {
    // Base and offsets apart: that is what the instruction takes.
    Value offsets = vecOffset(pointer);
    insertFor(pointer.ptr, offsets, mask, other);
    if (pinned)
      insertAt(deepest());
    auto ptrs = VectorType::get({lanes}, kernel.nullPtr().getType());
    Value where = LLVM::GEPOp::create(b, at, ptrs, b.getI8Type(), pointer.ptr,
                                      ArrayRef<LLVM::GEPArg>{offsets});
    if (!mask)
      mask = allLanes(b, at, lanes);
    if (!pass)
      pass = arith::ConstantOp::create(b, at, b.getZeroAttr(held));
    return LLVM::masked_gather::create(
        b, at, held, where, mask, ValueRange{pass}, b.getI32IntegerAttr(align));
  }
  // Lanes at a fixed distance need no vector of addresses.
  if (!mask && pointer.isAffine()) {
    Strip p = toLane(pointer);
    insertFor(p.ptr, p.value, p.stride);
    if (pinned)
      insertAt(deepest());
    SmallVector<Value> values;
    for (int64_t i = 0; i < lanes; ++i)
      values.push_back(
          LLVM::LoadOp::create(b, at, element, lanePointer(at, p, i), align));
    return vector::FromElementsOp::create(b, at, llvm::cast<VectorType>(held),
                                          values);
  }
  Value addresses = vec(pointer);
  insertFor(addresses, mask, other);
  if (pinned)
    insertAt(deepest());
  Value where = lanePointers(b, at, kernel, addresses, mask);
  Value zero = arith::ConstantOp::create(b, at, b.getZeroAttr(held));
  Value v =
      LLVM::masked_gather::create(b, at, held, where, allLanes(b, at, lanes),
                                  ValueRange{zero}, b.getI32IntegerAttr(align));
  if (mask && other)
    v = arith::SelectOp::create(b, at, mask, v, other);
  return v;
}

void NestEmitter::scatter(Location at, const Strip &pointer, Value value,
                          Value mask) {
  Type held = value.getType();
  Type element = getElementTypeOrSelf(held);
  unsigned align = std::max(1u, element.getIntOrFloatBitWidth() / 8);
  if (hasGather(held)) {
    Value offsets = vecOffset(pointer);
    insertAt(deepest());
    auto ptrs = VectorType::get({lanes}, kernel.nullPtr().getType());
    Value where = LLVM::GEPOp::create(b, at, ptrs, b.getI8Type(), pointer.ptr,
                                      ArrayRef<LLVM::GEPArg>{offsets});
    if (!mask)
      mask = allLanes(b, at, lanes);
    LLVM::masked_scatter::create(b, at, value, where, mask,
                                 b.getI32IntegerAttr(align));
    return;
  }
  if (!mask && pointer.isAffine()) {
    Strip p = toLane(pointer);
    insertAt(deepest());
    for (int64_t i = 0; i < lanes; ++i)
      LLVM::StoreOp::create(b, at, vector::ExtractOp::create(b, at, value, i),
                            lanePointer(at, p, i), align);
    return;
  }
  Value addresses = vec(pointer);
  insertAt(deepest());
  Value where = lanePointers(b, at, kernel, addresses, mask);
  LLVM::masked_scatter::create(b, at, value, where, allLanes(b, at, lanes),
                               b.getI32IntegerAttr(align));
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

Strip NestEmitter::load(Location at, Strip pointer, Type element, Strip mask,
                        Strip other, bool pinned) {
  loc = at;
  Type mem = memoryType(kernel.ops, element);
  Type narrow = kernel.ops.storage(element);
  int64_t size = std::max(1u, mem.getIntOrFloatBitWidth() / 8);
  if (isTrue(mask))
    mask = other = {};
  if (mask && mask.isUniform())
    if (auto c = constantInt(mask.value); c && *c == 0) {
      if (other)
        return other;
      return wrap(kernel.constInt(mem, 0), element, true);
    }
  pointer = assumeContiguous(pointer, size);
  pinned |= pointer.assumed;
  auto stride = pointer.isAffine() ? constantInt(pointer.stride) : std::nullopt;
  bool uniform = pointer.isUniform() || (stride && *stride == 0);

  // The held value from what lies in memory.
  auto fromMemory = [&](Value v) -> Value {
    if (!narrow.isInteger(1))
      return v;
    insertFor(v);
    int64_t n = isa<VectorType>(v.getType()) ? lanes : 0;
    return arith::CmpIOp::create(
        b, at, arith::CmpIPredicate::ne, v,
        kernel.ops.constant(b, at, b.getI8IntegerAttr(0), n));
  };
  auto place = [&](unsigned level) { insertAt(pinned ? deepest() : level); };
  // A load under a condition that is the same for all lanes.
  auto guarded = [&](Value cond, Type type, function_ref<Value()> emitLoad,
                     Value otherwise) -> Value {
    auto ifOp = scf::IfOp::create(b, at, TypeRange{type}, cond, true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifOp.thenBlock());
    scf::YieldOp::create(b, at, emitLoad());
    b.setInsertionPointToStart(ifOp.elseBlock());
    if (!otherwise)
      otherwise = arith::ConstantOp::create(b, at, b.getZeroAttr(type));
    scf::YieldOp::create(b, at, otherwise);
    return ifOp.getResult(0);
  };

  if (uniform) {
    Value where = address(pointer.isUniform() ? pointer : [&] {
      Strip u = Strip::uniform(pointer.value);
      u.ptr = pointer.ptr;
      return u;
    }());
    if (!mask) {
      place(levelOf(where));
      Value v = LLVM::LoadOp::create(b, at, mem, where, size);
      Strip s = wrap(fromMemory(v), element, true);
      s.assumed = pinned;
      return s;
    }
    Value cond = mask.value, lanesMask;
    if (!mask.isUniform()) {
      lanesMask = vecOffset(mask);
      insertFor(lanesMask);
      cond = vector::ReductionOp::create(b, at, vector::CombiningKind::OR,
                                         lanesMask);
    }
    place(std::max(levelOf(where), levelOf(cond)));
    Value v = guarded(cond, mem,
                      [&]() -> Value {
                        return LLVM::LoadOp::create(b, at, mem, where, size);
                      },
                      {});
    Strip s = wrap(fromMemory(v), element, true);
    if (other)
      s = select(at, mask, s, other);
    s.assumed |= pinned;
    return s;
  }

  auto held = VectorType::get({lanes}, mem);
  Value lanesMask, cond;
  if (mask && mask.isUniform())
    cond = mask.value;
  else if (mask)
    lanesMask = vecOffset(mask);
  Value otherLanes;
  if (other && !narrow.isInteger(1))
    otherLanes = vec(other);

  Value v;
  if (stride && *stride == size) {
    Value where = address(pointer);
    unsigned level = levelOf(where);
    if (lanesMask && hasMaskedMemory(mem)) {
      Value pass = otherLanes;
      place(std::max({level, levelOf(lanesMask), levelOf(otherLanes)}));
      if (!pass)
        pass = arith::ConstantOp::create(b, at, b.getZeroAttr(held));
      v = LLVM::MaskedLoadOp::create(b, at, held, where, lanesMask, pass,
                                     unsigned(size), /*nontemporal=*/false);
    } else if (lanesMask) {
      v = gather(at, pointer, held, lanesMask, otherLanes, pinned);
    } else if (cond) {
      place(std::max({level, levelOf(cond), levelOf(otherLanes)}));
      v = guarded(
          cond, held,
          [&]() -> Value {
            return LLVM::LoadOp::create(b, at, held, where, size);
          },
          otherLanes);
    } else {
      place(level);
      v = LLVM::LoadOp::create(b, at, held, where, size);
    }
  } else {
    if (cond) {
      insertFor(cond);
      lanesMask = kernel.ops.splat(b, at, cond, lanes);
    }
    v = gather(at, pointer, held, lanesMask, otherLanes, pinned);
  }
  Strip s = wrap(fromMemory(v), element, false);
  if (other && narrow.isInteger(1))
    s = select(at, mask, s, other);
  s.assumed = pinned;
  return s;
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

// A row that is read again is in the cache by now: the memory has time to fetch
// what the next program will read.
void NestEmitter::prefetchNext(tt::LoadOp op, Strip pointer) {
  int64_t size = kernel.ops.bytes(getElementTypeOrSelf(op.getType()));
  auto stride = pointer.isAffine() ? constantInt(pointer.stride) : std::nullopt;
  if (!stride || *stride != size || !pointer.overIndex || levels.size() > 2 ||
      lanes * size < 32)
    return;
  insertFor(pointer.ptr, pointer.value);
  Value base =
      LLVM::GEPOp::create(b, loc, pointer.ptr.getType(), b.getI8Type(),
                          pointer.ptr, ArrayRef<LLVM::GEPArg>{pointer.value});
  Value next = kernel.inNextProgram(base);
  if (!next)
    return;
  insertAt(deepest());
  for (int64_t at = 0; at < lanes * size; at += 64) {
    Value offset = arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, strip, kernel.constI64(size)),
        kernel.constI64(at));
    Value where = LLVM::GEPOp::create(b, loc, next.getType(), b.getI8Type(),
                                      next, ArrayRef<LLVM::GEPArg>{offset});
    LLVM::Prefetch::create(b, loc, where, /*rw=*/0, /*hint=*/3, /*cache=*/1);
  }
}

// Whether the rows that start at this address may bypass the caches: the launch
// writes so much that none of it would stay, and stores of whole registers are
// aligned.
Value NestEmitter::streams(const Strip &pointer, Value where, int64_t size) {
  if (version != Version::Fast || lanes * size % 64 != 0)
    return {};
  Value large = kernel.writesMuch(
      size * std::accumulate(shape.begin(), shape.end(), int64_t(1),
                             std::multiplies<int64_t>()));
  Value base = pointer.value;
  unsigned level = std::max(levelOf(pointer.ptr), levelOf(base));
  if (!pointer.overIndex || (deepest() > 0 && level == deepest()))
    base = {};
  insertAt(base ? level : levelOf(where));
  Value address = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(),
                                           base ? pointer.ptr : where);
  if (base)
    address = arith::AddIOp::create(b, loc, address, base);
  Value rest = arith::AndIOp::create(b, loc, address, kernel.constI64(63));
  Value aligned = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest,
                                        kernel.constI64(0));
  return arith::AndIOp::create(b, loc, aligned, large);
}

void NestEmitter::store(Location at, Strip pointer, Type element, Strip value,
                        Strip mask, bool mayStream) {
  loc = at;
  Type mem = memoryType(kernel.ops, element);
  int64_t size = std::max(1u, mem.getIntOrFloatBitWidth() / 8);
  if (isTrue(mask))
    mask = {};
  if (mask && mask.isUniform())
    if (auto c = constantInt(mask.value); c && *c == 0)
      return;
  pointer = assumeContiguous(pointer, size);
  auto stride = pointer.isAffine() ? constantInt(pointer.stride) : std::nullopt;
  bool uniform = pointer.isUniform() || (stride && *stride == 0);
  auto toMemory = [&](Value v) -> Value {
    Type type = v.getType();
    if (isa<LLVM::LLVMPointerType>(type)) {
      insertFor(v);
      return LLVM::PtrToIntOp::create(b, at, mem, v);
    }
    if (!getElementTypeOrSelf(type).isInteger(1))
      return v;
    insertFor(v);
    return arith::ExtUIOp::create(
        b, at,
        isa<VectorType>(type) ? Type(VectorType::get({lanes}, mem)) : mem, v);
  };
  auto guarded = [&](Value cond, function_ref<void()> body) {
    if (!cond)
      return body();
    auto ifOp = scf::IfOp::create(b, at, cond, false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifOp.thenBlock());
    body();
  };

  // Every lane writes the same place: the last one that is on stays. One lane
  // is all there is in most tiles of this kind.
  if (uniform && lanes == 1) {
    Strip u = Strip::uniform(pointer.value);
    u.ptr = pointer.ptr;
    Value where = address(u);
    Value v = value.isUniform() ? toMemory(uniformValue(value)) : Value();
    if (!v) {
      Value held = toMemory(vec(value));
      insertFor(held);
      v = vector::ExtractOp::create(b, at, held, 0);
    }
    Value cond;
    if (mask) {
      cond = mask.value;
      if (!mask.isUniform()) {
        insertFor(cond);
        cond = vector::ExtractOp::create(b, at, cond, 0);
      }
    }
    insertAt(deepest());
    guarded(cond, [&] { LLVM::StoreOp::create(b, at, v, where, size); });
    return;
  }

  Value v = toMemory(vec(value));
  Value lanesMask, cond;
  if (mask && mask.isUniform())
    cond = mask.value;
  else if (mask)
    lanesMask = vecOffset(mask);
  if (stride && *stride == size && (!lanesMask || hasMaskedMemory(mem))) {
    Value where = address(pointer);
    insertAt(deepest());
    if (lanesMask) {
      LLVM::MaskedStoreOp::create(b, at, v, where, lanesMask,
                                  b.getI32IntegerAttr(size));
      return;
    }
    Value stream = mayStream && !cond ? streams(pointer, where, size) : Value();
    insertAt(deepest());
    if (stream) {
      auto ifOp = scf::IfOp::create(b, at, stream, true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(ifOp.thenBlock());
      LLVM::StoreOp::create(b, at, v, where, /*alignment=*/64,
                            /*isVolatile=*/false, /*isNonTemporal=*/true);
      b.setInsertionPointToStart(ifOp.elseBlock());
      LLVM::StoreOp::create(b, at, v, where, size);
      return;
    }
    guarded(cond, [&] { LLVM::StoreOp::create(b, at, v, where, size); });
    return;
  }
  if (cond) {
    insertFor(cond);
    lanesMask = kernel.ops.splat(b, at, cond, lanes);
  }
  scatter(at, pointer, v, lanesMask);
}

} // namespace nereid::cpu
