//===- LayoutRules.cpp - How layouts follow from each other ---------------===//

#include "compiler/Transforms/LayoutRules.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::LayoutAttr;
using Basis = LinearLayout::Basis;
using InDim = LinearLayout::InDim;
using OutDim = LinearLayout::OutDim;

SmallVector<OutDim, 4> outsOf(ArrayRef<int64_t> shape) {
  SmallVector<OutDim, 4> outs;
  for (auto [dim, size] : llvm::enumerate(shape))
    outs.push_back({"dim" + std::to_string(dim), int32_t(size)});
  return outs;
}

SmallVector<int64_t, 4> shapeOf(const LinearLayout &layout) {
  SmallVector<int64_t, 4> shape;
  for (const OutDim &out : layout.outDims())
    shape.push_back(out.size);
  return shape;
}

/// The register bit that alone moves along `dim` by `value`, when nothing else
/// touches that bit of the dimension; -1 otherwise.
int pureRegister(const LinearLayout &layout, size_t dim, int32_t value) {
  int found = -1;
  for (auto [i, in] : llvm::enumerate(layout.inDims()))
    for (auto [bit, basis] : llvm::enumerate(in.bases)) {
      if (!(basis[dim] & value))
        continue;
      bool alone = i == 0 && basis[dim] == value;
      for (auto [other, image] : llvm::enumerate(basis))
        alone &= other == dim || image == 0;
      if (!alone || found >= 0)
        return -1;
      found = int(bit);
    }
  return found;
}

/// The place bit that alone moves along the last dimension, and only along it:
/// the input dimension and the bit, or none.
std::optional<std::pair<unsigned, int>> lastBit(const LinearLayout &layout) {
  size_t last = layout.outDims().size() - 1;
  std::optional<std::pair<unsigned, int>> found;
  for (auto [i, in] : llvm::enumerate(layout.inDims()))
    for (auto [bit, basis] : llvm::enumerate(in.bases)) {
      if (!basis[last])
        continue;
      bool pure = llvm::all_of(ArrayRef(basis).drop_back(),
                               [](int32_t value) { return value == 0; });
      if (!pure || found)
        return std::nullopt;
      found = {unsigned(i), int(bit)};
    }
  return found;
}

/// Without register bit `bit`, onto a tensor of another shape; a dimension
/// beyond the new rank is dropped.
LinearLayout withoutRegister(const LinearLayout &layout, int bit,
                             ArrayRef<int64_t> shape) {
  SmallVector<InDim, 4> ins(layout.inDims());
  ins[0].bases.erase(ins[0].bases.begin() + bit);
  for (InDim &in : ins)
    for (Basis &basis : in.bases)
      basis.resize(shape.size());
  return LinearLayout(std::move(ins), outsOf(shape));
}

ArrayRef<int64_t> operandShape(Operation *op) {
  return cast<RankedTensorType>(op->getOperand(0).getType()).getShape();
}

bool hasTensor(Operation *op) {
  auto isTensor = [](Type type) { return isa<RankedTensorType>(type); };
  return llvm::any_of(op->getOperandTypes(), isTensor) ||
         llvm::any_of(op->getResultTypes(), isTensor);
}

} // namespace

LayoutRule getLayoutRule(Operation *op) {
  if (!hasTensor(op) ||
      isa<scf::ForOp, scf::IfOp, scf::WhileOp, scf::YieldOp, scf::ConditionOp,
          tt::FuncOp, tt::ReturnOp, tgpu::ConvertLayoutOp>(op))
    return LayoutRule::None;
  return llvm::TypeSwitch<Operation *, LayoutRule>(op)
      .Case<tt::MakeRangeOp, tt::SplatOp, arith::ConstantOp, ub::PoisonOp>(
          [](Operation *) { return LayoutRule::Create; })
      .Case<tt::ExpandDimsOp, tt::BroadcastOp, tt::ReshapeOp, tt::TransOp>(
          [](Operation *) { return LayoutRule::Shape; })
      .Case<tt::ReduceOp>([](Operation *) { return LayoutRule::Reduce; })
      .Case<tt::JoinOp>([](tt::JoinOp join) {
        return isa<RankedTensorType>(join.getLhs().getType())
                   ? LayoutRule::Join
                   : LayoutRule::Create;
      })
      .Case<tt::SplitOp>([](Operation *) { return LayoutRule::Split; })
      .Case<tt::CatOp>([](Operation *) { return LayoutRule::Cat; })
      .Case<tt::HistogramOp>([](Operation *) { return LayoutRule::Histogram; })
      .Case<tt::GatherOp>([](Operation *) { return LayoutRule::Gather; })
      .Case<tt::DotOp, tgpu::WarpgroupMMAOp>(
          [](Operation *) { return LayoutRule::Dot; })
      .Case<tgpu::WarpgroupWaitOp>([](Operation *) { return LayoutRule::Wait; })
      .Case<tt::ScanOp, tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp,
            tt::AtomicCASOp, tt::MapElementwiseOp, tgpu::AsyncCopyOp>(
          [](Operation *) { return LayoutRule::Same; })
      .Case<tgpu::LocalLoadOp>([](Operation *) { return LayoutRule::Create; })
      .Case<tgpu::LocalAllocOp, tgpu::LocalStoreOp, tt::PrintOp, tt::AssertOp,
            tt::UnsplatOp>([](Operation *) { return LayoutRule::Consume; })
      .Default([](Operation *op) {
        return op->hasTrait<OpTrait::Elementwise>() ? LayoutRule::Same
                                                    : LayoutRule::Opaque;
      });
}

bool worksOnOperands(Operation *op) {
  return isa<tt::ReduceOp, tt::SplitOp, tt::HistogramOp>(op);
}

LayoutAttr operandLayout(Operation *op, LayoutAttr result) {
  const LinearLayout &layout = result.getLinear();
  MLIRContext *context = op->getContext();
  return llvm::TypeSwitch<Operation *, LayoutAttr>(op)
      .Case<tt::ExpandDimsOp>([&](tt::ExpandDimsOp expand) {
        return LayoutAttr::get(
            context, tgpu::expandDimsOperand(layout, expand.getAxis()));
      })
      .Case<tt::BroadcastOp>([&](tt::BroadcastOp) {
        return LayoutAttr::get(
            context, tgpu::broadcastOperand(layout, operandShape(op)));
      })
      .Case<tt::ReshapeOp>([&](tt::ReshapeOp) {
        return LayoutAttr::get(context,
                               tgpu::reshape(layout, operandShape(op)));
      })
      .Case<tt::TransOp>([&](tt::TransOp trans) {
        return LayoutAttr::get(context,
                               tgpu::permuteOperand(layout, trans.getOrder()));
      })
      .Case<tt::JoinOp>([&](tt::JoinOp) {
        auto bit = lastBit(layout);
        if (!bit)
          return LayoutAttr();
        if (bit->first == 0)
          return LayoutAttr::get(
              context, withoutRegister(layout, bit->second, operandShape(op)));
        // Lanes or warps that differ in the bit hold copies.
        SmallVector<InDim, 4> ins(layout.inDims());
        for (InDim &in : ins)
          for (Basis &basis : in.bases)
            basis.pop_back();
        return LayoutAttr::get(
            context, LinearLayout(std::move(ins), outsOf(operandShape(op))));
      })
      .Case<tt::CatOp>([&](tt::CatOp) {
        int bit = pureRegister(layout, 0, layout.outDims()[0].size / 2);
        return bit < 0 ? LayoutAttr()
                       : LayoutAttr::get(
                             context,
                             withoutRegister(layout, bit, operandShape(op)));
      })
      .Default([&](Operation *) { return result; });
}

LayoutAttr resultLayout(Operation *op, LayoutAttr operand) {
  const LinearLayout &layout = operand.getLinear();
  MLIRContext *context = op->getContext();
  return llvm::TypeSwitch<Operation *, LayoutAttr>(op)
      .Case<tt::ExpandDimsOp>([&](tt::ExpandDimsOp expand) {
        return LayoutAttr::get(context,
                               tgpu::expandDims(layout, expand.getAxis()));
      })
      .Case<tt::BroadcastOp>([&](tt::BroadcastOp broadcast) {
        return LayoutAttr::get(
            context, tgpu::broadcast(layout, broadcast.getType().getShape()));
      })
      .Case<tt::ReshapeOp>([&](tt::ReshapeOp reshape) {
        return LayoutAttr::get(
            context, tgpu::reshape(layout, reshape.getType().getShape()));
      })
      .Case<tt::TransOp>([&](tt::TransOp trans) {
        return LayoutAttr::get(context,
                               tgpu::permute(layout, trans.getOrder()));
      })
      .Case<tt::ReduceOp>([&](tt::ReduceOp reduce) {
        return LayoutAttr::get(context, tgpu::reduce(layout, reduce.getAxis()));
      })
      .Case<tt::JoinOp>([&](tt::JoinOp) {
        SmallVector<InDim, 4> ins(layout.inDims());
        SmallVector<int64_t, 4> shape = shapeOf(layout);
        shape.push_back(2);
        Basis *copies = nullptr;
        for (auto [i, in] : llvm::enumerate(ins))
          for (Basis &basis : in.bases) {
            bool zero = llvm::all_of(basis, [](int32_t v) { return v == 0; });
            if (zero && !copies && i != 0)
              copies = &basis;
            basis.push_back(0);
          }
        Basis last(shape.size(), 0);
        last.back() = 1;
        // Threads that hold copies can hold one part each. Else the new bit is
        // the lowest register: both elements are neighbours in memory.
        if (copies)
          *copies = last;
        else
          ins[0].bases.insert(ins[0].bases.begin(), last);
        return LayoutAttr::get(context,
                               LinearLayout(std::move(ins), outsOf(shape)));
      })
      .Case<tt::CatOp>([&](tt::CatOp) {
        SmallVector<InDim, 4> ins(layout.inDims());
        SmallVector<int64_t, 4> shape = shapeOf(layout);
        Basis half(shape.size(), 0);
        half[0] = int32_t(shape[0]);
        shape[0] *= 2;
        ins[0].bases.push_back(half);
        return LayoutAttr::get(context,
                               LinearLayout(std::move(ins), outsOf(shape)));
      })
      .Case<tt::SplitOp>([&](tt::SplitOp) {
        SmallVector<int64_t, 4> shape = shapeOf(layout);
        shape.pop_back();
        int bit = pureRegister(layout, shape.size(), 1);
        return bit < 0 ? LayoutAttr()
                       : LayoutAttr::get(context,
                                         withoutRegister(layout, bit, shape));
      })
      .Default([&](Operation *) { return operand; });
}

bool isLegalLayout(Operation *op, LayoutAttr layout) {
  if (isa<tt::JoinOp, tt::CatOp>(op))
    return !isa<RankedTensorType>(op->getOperand(0).getType()) ||
           operandLayout(op, layout) != nullptr;
  if (isa<tt::SplitOp>(op))
    return resultLayout(op, layout) != nullptr;
  if (auto map = dyn_cast<tt::MapElementwiseOp>(op)) {
    // A pack is a run of neighbours along the last dimension, in one thread.
    size_t rank = layout.getLinear().outDims().size();
    return rank == 0 || layout.getLinear().contiguousInputs(
                            "register", "dim" + std::to_string(rank - 1)) >=
                            int32_t(map.getPack());
  }
  return true;
}

LayoutAttr legalLayout(Operation *op, LayoutAttr near,
                       tgpu::ThreadCounts threads) {
  if (isLegalLayout(op, near))
    return near;
  MLIRContext *context = op->getContext();
  SmallVector<int64_t, 4> shape = shapeOf(near.getLinear());
  if (auto map = dyn_cast<tt::MapElementwiseOp>(op)) {
    // As many neighbours as the pack needs, even if threads go without.
    SmallVector<unsigned> order;
    for (unsigned dim = shape.size(); dim-- > 0;)
      order.push_back(dim);
    return LayoutAttr::get(
        context,
        tgpu::blockedLayout(shape, order, int32_t(map.getPack()), threads));
  }
  if (isa<tt::CatOp>(op)) {
    shape[0] /= 2;
    return resultLayout(
        op, LayoutAttr::get(context, defaultLayout(shape, threads)));
  }
  // A split, or a join: the last dimension changes places with a register, one
  // of an early dimension, which pairs elements that lie far apart. (Of the
  // steps of a sorting network the next ones then still have their bits in
  // registers.)
  if (auto bit = lastBit(near.getLinear())) {
    SmallVector<InDim, 4> ins(near.getLinear().inDims());
    auto &registers = ins[0].bases;
    if (!registers.empty()) {
      auto *evicted = std::max_element(registers.begin(), registers.end(),
                                       [](const Basis &a, const Basis &b) {
                                         for (auto [x, y] : llvm::zip(a, b)) {
                                           if ((x != 0) != (y != 0))
                                             return y != 0;
                                           if (x != y)
                                             return x > y;
                                         }
                                         return false;
                                       });
      std::swap(*evicted, ins[bit->first].bases[bit->second]);
      return LayoutAttr::get(context,
                             LinearLayout(std::move(ins), outsOf(shape)));
    }
  }
  LinearLayout part = tgpu::reduce(near.getLinear(), shape.size() - 1);
  SmallVector<InDim, 4> ins(part.inDims());
  for (InDim &in : ins)
    for (Basis &basis : in.bases)
      basis.push_back(0);
  Basis last(shape.size(), 0);
  last.back() = 1;
  ins[0].bases.insert(ins[0].bases.begin(), last);
  return LayoutAttr::get(context, LinearLayout(std::move(ins), outsOf(shape)));
}

//===-- Choices -----------------------------------------------------------===//

LinearLayout spreadLayout(ArrayRef<int64_t> shape, unsigned fastest,
                          int64_t vector, tgpu::ThreadCounts threads,
                          bool warpsOutside) {
  int64_t elements = 1;
  for (int64_t size : shape)
    elements *= size;
  int64_t perThread =
      std::max<int64_t>(1, elements / (threads.lanes * threads.warps));
  vector = std::min(vector, perThread);

  SmallVector<unsigned, 4> order;
  if (!shape.empty())
    order.push_back(fastest);
  for (unsigned dim = shape.size(); dim-- > 0;)
    if (dim != fastest)
      order.push_back(dim);
  if (!warpsOutside)
    return tgpu::blockedLayout(shape, order, int32_t(vector), threads);

  // The warps take the slow dimensions, a thread continues along the fast one:
  // lay out one warp's part of the tile, then give its slow bits to the warps.
  SmallVector<int64_t, 4> part(shape);
  SmallVector<Basis, 4> warps;
  int32_t left = threads.warps;
  for (unsigned dim : llvm::reverse(order))
    for (; left > 1 && part[dim] > 1; left /= 2) {
      // Lanes come first: what they need of the fast dimensions stays.
      int64_t rest = 1;
      for (int64_t size : part)
        rest *= size;
      if (rest <= vector * threads.lanes)
        break;
      part[dim] /= 2;
      Basis basis(shape.size(), 0);
      basis[dim] = int32_t(part[dim]);
      warps.insert(warps.begin(), basis);
    }
  for (; left > 1; left /= 2)
    warps.push_back(Basis(shape.size(), 0));
  LinearLayout inner = tgpu::blockedLayout(part, order, int32_t(vector),
                                           {threads.lanes, /*warps=*/1});
  SmallVector<InDim, 4> ins(inner.inDims());
  ins[2].bases.assign(warps.begin(), warps.end());
  return LinearLayout(std::move(ins), outsOf(shape));
}

LinearLayout defaultLayout(ArrayRef<int64_t> shape,
                           tgpu::ThreadCounts threads) {
  return spreadLayout(shape, shape.empty() ? 0 : shape.size() - 1, 4, threads);
}

Access getAccess(Operation *op, unsigned rank) {
  auto attr = op->getAttrOfType<DenseI32ArrayAttr>(tgpu::kAccessAttr);
  if (!attr || attr.size() < 2 || attr[0] < 0 || unsigned(attr[0]) >= rank)
    return {rank ? rank - 1 : 0, 1, 1};
  return {unsigned(attr[0]), attr[1], attr.size() > 2 ? attr[2] : attr[1]};
}

void setAccess(Operation *op, Access access) {
  op->setAttr(tgpu::kAccessAttr,
              DenseI32ArrayAttr::get(op->getContext(), {int32_t(access.dim),
                                                        int32_t(access.width),
                                                        int32_t(access.run)}));
}

} // namespace nereid
