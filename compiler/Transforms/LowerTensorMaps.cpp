//===- LowerTensorMaps.cpp - Tensor descriptors to tensor maps ------------===//
//
// What the pass promises is in Passes.td.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/CopyBox.h"
#include "compiler/Dialect/TGPU/Recipe.h"
#include "compiler/Target/Target.h"
#include "compiler/Transforms/Factor.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace nereid {
#define GEN_PASS_DEF_LOWERTENSORMAPS
#include "compiler/Transforms/Passes.h.inc"

namespace {

// Readers of packs refuse more.
constexpr size_t kMaxMaps = 16;
constexpr size_t kMaxSteps = 32;
// A tensor map's base is a multiple of this many bytes.
constexpr int64_t kBaseAlignment = 16;

//===----------------------------------------------------------------------===//
// What the copy engine can do
//===----------------------------------------------------------------------===//

/// CUtensorMapDataType; none for what no map describes.
std::optional<int32_t> mapElement(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    switch (integer.getWidth()) {
    case 8:
      return 0;
    case 16:
      return 1;
    case 32:
      return integer.isUnsigned() ? 2 : 3;
    case 64:
      return integer.isUnsigned() ? 4 : 5;
    default:
      return std::nullopt;
    }
  }
  if (type.isF16())
    return 6;
  if (type.isF32())
    return 7;
  if (type.isF64())
    return 8;
  if (type.isBF16())
    return 9;
  if (type.isFloat() && type.getIntOrFloatBitWidth() == 8)
    return 0;
  return std::nullopt;
}

/// The engine's word for a reduction of these elements; empty: it has none.
StringRef reduction(tt::DescriptorReduceKind kind, Type type) {
  using Kind = tt::DescriptorReduceKind;
  bool isWide = type.isInteger(32) || type.isInteger(64) ||
                type.isUnsignedInteger(32) || type.isUnsignedInteger(64) ||
                type.isSignedInteger(32) || type.isSignedInteger(64);
  bool isHalf = type.isF16() || type.isBF16();
  switch (kind) {
  case Kind::ADD:
    return isWide || isHalf || type.isF32() || type.isF64() ? "add" : "";
  case Kind::MIN:
    return isWide || isHalf ? "min" : "";
  case Kind::MAX:
    return isWide || isHalf ? "max" : "";
  case Kind::AND:
    return isWide ? "and" : "";
  case Kind::OR:
    return isWide ? "or" : "";
  case Kind::XOR:
    return isWide ? "xor" : "";
  case Kind::INC:
    return type.isUnsignedInteger(32) ? "inc" : "";
  case Kind::DEC:
    return type.isUnsignedInteger(32) ? "dec" : "";
  case Kind::NONE:
    return "";
  }
  return "";
}

/// The engine stops with an illegal instruction where the coordinate of the
/// fastest dimension is not a multiple of 16 bytes (seen on an H200).
bool isPlaced(Value fastest, Type element, FactorAnalysis &factors) {
  unsigned bits = std::max(8u, element.getIntOrFloatBitWidth());
  return factors.of(fastest) * bits % 128 == 0;
}

/// Whether the engine does what `user` does with a descriptor of `type`.
bool isServed(Operation *user, tt::TensorDescType type,
              FactorAnalysis &factors) {
  Type element = type.getSignlessBlockType().getElementType();
  if (auto load = dyn_cast<tt::DescriptorLoadOp>(user))
    return isPlaced(load.getIndices().back(), element, factors);
  if (auto store = dyn_cast<tt::DescriptorStoreOp>(user))
    return isPlaced(store.getIndices().back(), element, factors);
  if (auto reduce = dyn_cast<tt::DescriptorReduceOp>(user))
    return !reduction(reduce.getKind(), type.getElementType()).empty() &&
           isPlaced(reduce.getIndices().back(), element, factors);
  return false; // rows at any place: pointers
}

int64_t divisibility(BlockArgument argument) {
  auto kernel = dyn_cast<tt::FuncOp>(argument.getOwner()->getParentOp());
  if (!kernel)
    return 1;
  auto known = kernel.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(),
                                                    "tt.divisibility");
  return known ? known.getInt() : 1;
}

//===----------------------------------------------------------------------===//
// One kernel
//===----------------------------------------------------------------------===//

class Lowering {
public:
  explicit Lowering(tt::FuncOp kernel)
      : kernel(kernel), builder(kernel.getContext()),
        entry(&kernel.getBody().front()) {}

  void run() {
    SmallVector<Value> descriptors;
    for (BlockArgument argument : entry->getArguments())
      if (isa<tt::TensorDescType>(argument.getType()))
        descriptors.push_back(argument);
    kernel.walk([&](tt::MakeTensorDescOp op) {
      descriptors.push_back(op.getResult());
    });
    for (Value descriptor : descriptors)
      lower(descriptor);
    if (maps && !needsHints)
      forgetIntegers();
  }

private:
  /// Where maps serve every access to blocks, nothing asks how integers divide:
  /// the variant need not demand it.
  void forgetIntegers() {
    bool isServedByMaps =
        !kernel
             .walk([](Operation *op) {
               if (isa<tt::DescriptorGatherOp, tt::DescriptorScatterOp,
                       tt::DescriptorLoadOp, tt::DescriptorStoreOp,
                       tt::DescriptorReduceOp>(op))
                 return WalkResult::interrupt();
               bool isAccess = isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp,
                                   tt::AtomicCASOp>(op);
               return isAccess &&
                              isa<RankedTensorType>(op->getOperand(0).getType())
                          ? WalkResult::interrupt()
                          : WalkResult::advance();
             })
             .wasInterrupted();
    if (!isServedByMaps)
      return;
    for (BlockArgument argument : entry->getArguments())
      if (argument.getType().isInteger())
        kernel.removeArgAttr(argument.getArgNumber(), "tt.divisibility");
  }

  void lower(Value descriptor) {
    auto type = cast<tt::TensorDescType>(descriptor.getType());
    Type element = type.getSignlessBlockType().getElementType();
    auto box = tgpu::copyBox(type.getShape(), element);
    auto made = descriptor.getDefiningOp<tt::MakeTensorDescOp>();
    bool padsWithNaN = made && made.getPadding() == tt::PaddingOption::PAD_NAN;
    // Bytes have no NaN.
    if (!box || !mapElement(type.getElementType()) ||
        (padsWithNaN &&
         (!isa<FloatType>(element) || element.getIntOrFloatBitWidth() < 16)))
      return;
    SmallVector<Operation *> users;
    for (OpOperand &use : descriptor.getUses())
      if (isServed(use.getOwner(), type, hinted)) {
        users.push_back(use.getOwner());
        needsHints |= !isServed(use.getOwner(), type, plain);
      }
    if (users.empty())
      return;
    Value map = fromArguments(descriptor, *box, padsWithNaN);
    if (!map && made)
      map = onDevice(made, *box, padsWithNaN);
    if (!map)
      return;
    for (Operation *user : users)
      rewrite(user, map, type);
  }

  /// A map that the host can encode before the launch: a hidden argument.
  Value fromArguments(Value descriptor, const tgpu::CopyBox &box,
                      bool padsWithNaN) {
    auto made = descriptor.getDefiningOp<tt::MakeTensorDescOp>();
    auto root = dyn_cast<BlockArgument>(made ? made.getBase() : descriptor);
    if (!root || root.getOwner() != entry ||
        divisibility(root) % kBaseAlignment || maps == kMaxMaps)
      return {};
    NamedAttrList recipe;
    auto type = cast<tt::TensorDescType>(descriptor.getType());
    if (made) {
      SmallVector<Attribute> shape, strides;
      for (auto [values, programs] :
           {std::make_pair(ValueRange(made.getShape()), &shape),
            std::make_pair(ValueRange(made.getStrides()), &strides)})
        for (Value value : values) {
          SmallVector<int64_t> program;
          if (!addProgram(value, program) || program.size() > 2 * kMaxSteps)
            return {};
          programs->push_back(builder.getDenseI64ArrayAttr(program));
        }
      recipe.set("shape", builder.getArrayAttr(shape));
      recipe.set("strides", builder.getArrayAttr(strides));
    }
    SmallVector<int32_t> fastestFirst(llvm::reverse(box.size));
    recipe.set("box", builder.getDenseI32ArrayAttr(fastestFirst));
    recipe.set("element",
               builder.getI32IntegerAttr(*mapElement(type.getElementType())));
    recipe.set("swizzle", builder.getI32IntegerAttr(box.swizzleBytes));
    recipe.set("fill", builder.getI32IntegerAttr(padsWithNaN));

    unsigned position = kernel.getNumArguments();
    SmallVector<NamedAttribute> attributes = {
        {builder.getStringAttr(kFieldAttr),
         builder.getStringAttr("tensor_map")},
        {builder.getStringAttr(kIndexAttr),
         builder.getI32IntegerAttr(int32_t(maps++))},
        {builder.getStringAttr(kSlotAttr),
         builder.getI32IntegerAttr(int32_t(slotOf(root)))},
        {builder.getStringAttr(tgpu::kRecipeAttr),
         recipe.getDictionary(builder.getContext())}};
    LogicalResult inserted = kernel.insertArgument(
        position, tgpu::TensorMapType::get(builder.getContext()),
        builder.getDictionaryAttr(attributes), descriptor.getLoc());
    return succeeded(inserted) ? Value(entry->getArgument(position)) : Value();
  }

  int64_t slotOf(BlockArgument argument) {
    auto slot = kernel.getArgAttrOfType<IntegerAttr>(argument.getArgNumber(),
                                                     kSlotAttr);
    return slot ? slot.getInt() : argument.getArgNumber();
  }

  /// Appends (operation, operand) pairs of a program that gives `value` on the
  /// host, where integers are wide: what wraps here is no extent there, and the
  /// launch takes another variant.
  bool addProgram(Value value, SmallVectorImpl<int64_t> &program) {
    enum { Const = 0, Slot = 1, Add = 3, Sub = 4, Mul = 5, Min = 9, Max = 10 };
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      program.append({Const, constant.getSExtValue()});
      return true;
    }
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (argument.getOwner() != entry || !argument.getType().isInteger())
        return false;
      program.append({Slot, slotOf(argument)});
      return true;
    }
    Operation *op = value.getDefiningOp();
    if (isa<arith::ExtSIOp, arith::ExtUIOp>(op))
      return addProgram(op->getOperand(0), program);
    int64_t code = isa<arith::AddIOp>(op)    ? Add
                   : isa<arith::SubIOp>(op)  ? Sub
                   : isa<arith::MulIOp>(op)  ? Mul
                   : isa<arith::MinSIOp>(op) ? Min
                   : isa<arith::MaxSIOp>(op) ? Max
                                             : -1;
    if (code < 0 || program.size() > 2 * kMaxSteps ||
        !addProgram(op->getOperand(0), program) ||
        !addProgram(op->getOperand(1), program))
      return false;
    program.append({code, 0});
    return true;
  }

  /// A map that each program writes for itself. The language promises what the
  /// engine needs of its base and strides; a variant that assumes nothing of
  /// its pointers does not rely on that.
  Value onDevice(tt::MakeTensorDescOp made, const tgpu::CopyBox &box,
                 bool padsWithNaN) {
    Value root = made.getBase();
    while (auto moved = root.getDefiningOp<tt::AddPtrOp>())
      root = moved.getPtr();
    auto argument = dyn_cast<BlockArgument>(root);
    if (argument && argument.getOwner() == entry &&
        divisibility(argument) % kBaseAlignment)
      return {};
    if (!llvm::any_of(entry->getArguments(), [](BlockArgument argument) {
          return isa<tt::PointerType>(argument.getType()) &&
                 divisibility(argument) % kBaseAlignment == 0;
        }))
      return {};
    builder.setInsertionPoint(made);
    SmallVector<int32_t> size(box.size.begin(), box.size.end());
    return tgpu::TensorMapCreateOp::create(
        builder, made.getLoc(), tgpu::TensorMapType::get(builder.getContext()),
        made.getBase(), made.getShape(), made.getStrides(),
        builder.getDenseI32ArrayAttr(size),
        builder.getI32IntegerAttr(box.swizzleBytes),
        TypeAttr::get(made.getType().getElementType()),
        builder.getBoolAttr(padsWithNaN));
  }

  void rewrite(Operation *user, Value map, tt::TensorDescType type) {
    Location loc = user->getLoc();
    RankedTensorType block = type.getSignlessBlockType();
    builder.setInsertionPoint(user);
    if (auto load = dyn_cast<tt::DescriptorLoadOp>(user)) {
      Value value =
          tgpu::MapLoadOp::create(builder, loc, block, map, load.getIndices());
      load.replaceAllUsesWith(reshaped(loc, value, load.getType()));
    } else if (auto store = dyn_cast<tt::DescriptorStoreOp>(user)) {
      tgpu::MapStoreOp::create(builder, loc, map, store.getIndices(),
                               reshaped(loc, store.getSrc(), block), "");
    } else {
      auto reduce = cast<tt::DescriptorReduceOp>(user);
      tgpu::MapStoreOp::create(
          builder, loc, map, reduce.getIndices(),
          reshaped(loc, reduce.getSrc(), block),
          reduction(reduce.getKind(), type.getElementType()));
    }
    user->erase();
  }

  // A block may be loaded or stored without its dimensions of size one.
  Value reshaped(Location loc, Value value, Type type) {
    if (value.getType() == type)
      return value;
    return tt::ReshapeOp::create(
        builder, loc, cast<RankedTensorType>(type).getShape(), value);
  }

  tt::FuncOp kernel;
  OpBuilder builder;
  Block *entry;
  size_t maps = 0;
  FactorAnalysis plain{/*withHints=*/false}, hinted{/*withHints=*/true};
  bool needsHints = false; ///< a place is known only by integers' hints
};

struct LowerTensorMaps : impl::LowerTensorMapsBase<LowerTensorMaps> {
  using LowerTensorMapsBase::LowerTensorMapsBase;

  void runOnOperation() override {
    const TargetInfo *info = findTarget(target);
    if (!info) {
      getOperation().emitError() << "unknown target '" << target << "'";
      return signalPassFailure();
    }
    if (!hasCopyEngine(*info))
      return;
    for (auto kernel : getOperation().getOps<tt::FuncOp>())
      if (kernel.isKernel() && !kernel.isExternal() &&
          kernel.getBody().hasOneBlock())
        Lowering(kernel).run();
  }
};

} // namespace
} // namespace nereid
