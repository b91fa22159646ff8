//===- PipelineRotate.cpp - The last product one iteration late -----------===//
//
// In attention a product's result (the scores) is worked on by the threads and
// then feeds a second product, and the matrix unit idles while the threads
// work. When the second product of iteration i-1 is issued in iteration i,
// right behind the first one, it runs during that work:
//
//   for i: S = QK(i); p, alpha = f(S); O = O * alpha + pack(p) V(i)
//   becomes
//   if there are iterations:
//     S = QK(0); p, alpha = f(S)
//     for i from the second on:
//       S = QK(i); O = O * alpha + pack(p) V(i-1); p, alpha = f(S)
//     O = O * alpha + pack(p) V(last)
//
// The second product is then waited for at the top of the next iteration. A
// wait behind f would be as good, but the assembler moves a wait up over
// arithmetic as far as it can, though never around a loop. For the same reason
// pack moves along: registers that the product reads are written behind that
// wait.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/Layouts.h"
#include "compiler/Transforms/PipelineLoops.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::WarpgroupMMAOp;
using tgpu::WarpgroupWaitOp;

/// Registers of a thread that a tensor takes.
int64_t registersOf(Type type) {
  auto layout = tgpu::getLayout(type);
  if (!layout)
    return 0;
  return layout.getLinear().inSize("register") * tt::getElementBits(type) / 32;
}

/// With these in use by accumulators and operands, what is left of 255 is
/// enough for a softmax.
constexpr int64_t kMostRegisters = 176;

/// The wait that directly gives a product's result back; null for another
/// shape.
WarpgroupWaitOp waitOf(WarpgroupMMAOp product) {
  if (!product.getResult().hasOneUse())
    return {};
  auto wait = dyn_cast<WarpgroupWaitOp>(*product.getResult().user_begin());
  if (!wait || wait.getPending() != 0 || wait.getValues().size() != 1 ||
      wait->getBlock() != product->getBlock())
    return {};
  return wait;
}

/// Whether an operation only spreads or reshapes its operand.
bool isShape(Operation *op) {
  return isa<tt::ExpandDimsOp, tt::BroadcastOp, tt::SplatOp>(op);
}

/// Whether an operation makes other registers of each element: packs them.
bool isPack(Operation *op) { return isa<arith::TruncFOp, tt::FpToFpOp>(op); }

/// Conversions that only rename registers.
bool isRename(Operation *op) {
  auto conversion = dyn_cast<tgpu::ConvertLayoutOp>(op);
  return conversion &&
         tgpu::classifyConversion(
             tgpu::getLayout(conversion.getSrc().getType()).getLinear(),
             tgpu::getLayout(conversion.getType()).getLinear()) ==
             tgpu::ConversionKind::Registers;
}

/// Collects what must move with the last product.
class Finder {
public:
  Finder(scf::ForOp loop, Rotation &rotation)
      : loop(loop), body(loop.getBody()), rotation(rotation) {}

  /// What is done to the sum between two products; false when it is more than
  /// arithmetic on its own registers, or something else reads it.
  bool findScaling(BlockArgument sum, WarpgroupMMAOp last) {
    llvm::SetVector<Value> values;
    values.insert(sum);
    for (size_t i = 0; i < values.size(); ++i)
      for (OpOperand &use : values[i].getUses()) {
        Operation *op = use.getOwner();
        if (op == last)
          continue;
        if (op->getBlock() != body || op->getNumRegions() ||
            op->getNumResults() != 1 || !isPure(op) ||
            isa<scf::YieldOp, tgpu::ConvertLayoutOp>(op))
          return false;
        rotation.scaling.insert(op);
        values.insert(op->getResult(0));
      }
    for (OpOperand &use : last->getOpOperands())
      if (values.contains(use.get()) &&
          use.getOperandNumber() != last.getAccMutable().getOperandNumber())
        return false;
    for (size_t i = 0; i < rotation.scaling.size(); ++i)
      for (Value operand : rotation.scaling[i]->getOperands())
        if (!values.contains(operand))
          add(operand, isShape);
    return values.contains(last.getAcc());
  }

  /// From `value` back through operations that `moves` takes along to what is
  /// carried instead.
  void add(Value value, function_ref<bool(Operation *)> moves) {
    if (value.getParentBlock() != body)
      return;
    Operation *op = value.getDefiningOp();
    if (!op || !moves(op)) {
      rotation.sources.insert(value);
      return;
    }
    rotation.along.insert(op);
    for (Value operand : op->getOperands())
      add(operand, moves);
  }

private:
  scf::ForOp loop;
  Block *body;
  Rotation &rotation;
};

} // namespace

std::optional<Rotation> findRotation(scf::ForOp loop) {
  Rotation rotation;
  SmallVector<WarpgroupMMAOp> products;
  Block *body = loop.getBody();
  WalkResult nested = body->walk([&](WarpgroupMMAOp product) {
    if (product->getBlock() != body)
      return WalkResult::interrupt();
    products.push_back(product);
    return WalkResult::advance();
  });
  if (nested.wasInterrupted() || products.size() < 2)
    return std::nullopt;
  WarpgroupMMAOp last = products.back(), before = products[products.size() - 2];
  WarpgroupWaitOp wait = waitOf(last);
  if (!wait || last.getUseAcc() ||
      !isa<RankedTensorType>(last.getA().getType()))
    return std::nullopt;

  // Its result is only carried. What the next iteration does to the sum moves
  // along, and the packing of the operand.
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  Value result = wait.getResult(0);
  if (!result.hasOneUse() || *result.user_begin() != yield)
    return std::nullopt;
  rotation.last = last;
  rotation.before = before;
  rotation.carried =
      unsigned(llvm::find(yield.getOperands(), result) - yield.operand_begin());
  Finder finder(loop, rotation);
  if (!finder.findScaling(loop.getRegionIterArg(rotation.carried), last))
    return std::nullopt;
  bool packs = false;
  finder.add(last.getA(), [&](Operation *op) {
    packs |= isPack(op);
    return isPack(op) || isRename(op);
  });
  if (!packs)
    return std::nullopt;
  finder.add(last.getB(), [&](Operation *op) {
    bool view = isa<tgpu::TileAtOp, tgpu::TilePermuteOp>(op);
    if (view)
      rotation.views.insert(op);
    return view;
  });
  // Carried is what registers hold; a tile would have to last.
  if (llvm::any_of(rotation.sources, [](Value value) {
        return isa<tgpu::TileType>(value.getType());
      }))
    return std::nullopt;

  int64_t registers = registersOf(last.getType()) +
                      registersOf(last.getA().getType()) +
                      registersOf(before.getType());
  if (registers > kMostRegisters)
    return std::nullopt;
  return rotation;
}

RotatedLoop rotateLoop(RewriterBase &rewriter, scf::ForOp loop,
                       const Rotation &rotation,
                       function_ref<void()> beforeFirst,
                       function_ref<void()> beforeLast) {
  Location loc = loop.getLoc();
  Block *body = loop.getBody();
  auto yield = cast<scf::YieldOp>(body->getTerminator());
  WarpgroupMMAOp last = rotation.last;
  WarpgroupWaitOp wait = waitOf(last);
  unsigned carried = rotation.carried;
  unsigned count = loop.getNumRegionIterArgs();

  // In the body's order.
  llvm::SetVector<Operation *> late(rotation.along);
  late.insert(rotation.scaling.begin(), rotation.scaling.end());
  SmallVector<Operation *> ordered(late.begin(), late.end());
  llvm::sort(ordered,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });

  // The product, what moves with it and its wait, on other values.
  auto product = [&](Value sum, ValueRange sources, Operation *packHere) {
    IRMapping mapping;
    mapping.map(loop.getRegionIterArg(carried), sum);
    for (auto [source, value] : llvm::zip(rotation.sources, sources))
      mapping.map(source, value);
    for (Operation *op : ordered) {
      OpBuilder::InsertionGuard guard(rewriter);
      if (packHere && (isPack(op) || isRename(op)) &&
          !rotation.scaling.contains(op))
        rewriter.setInsertionPoint(packHere);
      rewriter.clone(*op, mapping);
    }
    rewriter.clone(*last, mapping);
    return rewriter.clone(*wait, mapping)->getResult(0);
  };

  rewriter.setInsertionPoint(loop);
  Value some =
      arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt,
                            loop.getLowerBound(), loop.getUpperBound());
  auto branch = scf::IfOp::create(rewriter, loc, loop.getResultTypes(), some,
                                  /*withElseRegion=*/true);

  // The first iteration, without the last product.
  rewriter.setInsertionPointToStart(branch.thenBlock());
  beforeFirst();
  IRMapping first;
  first.map(loop.getInductionVar(), loop.getLowerBound());
  for (auto [argument, init] :
       llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs()))
    first.map(argument, init);
  for (Operation &op : body->without_terminator())
    if (&op != last && &op != wait)
      rewriter.clone(op, first);
  SmallVector<Value> inits;
  for (auto [number, value] : llvm::enumerate(yield.getOperands()))
    inits.push_back(number == carried ? loop.getInitArgs()[number]
                                      : first.lookupOrDefault(value));
  for (Value source : rotation.sources)
    inits.push_back(first.lookupOrDefault(source));

  // The others: the body moves, with the product of the iteration before.
  Value second = arith::AddIOp::create(rewriter, loc, loop.getLowerBound(),
                                       loop.getStep());
  auto rotated = scf::ForOp::create(rewriter, loc, second, loop.getUpperBound(),
                                    loop.getStep(), inits);
  rotated->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  rewriter.setInsertionPointAfter(rotation.before);
  Value previous =
      product(loop.getRegionIterArg(carried),
              rotated.getRegionIterArgs().drop_front(count), &body->front());
  auto moved = cast<WarpgroupMMAOp>(previous.getDefiningOp()->getPrevNode());
  SmallVector<Value> yields(yield.getOperands());
  yields[carried] = previous;
  llvm::append_range(yields, rotation.sources);

  // Behind them, the last one's product.
  rewriter.setInsertionPointAfter(rotated);
  beforeLast();
  Value sum = product(rotated.getResult(carried),
                      rotated.getResults().drop_front(count), nullptr);
  SmallVector<Value> results(rotated.getResults().take_front(count));
  results[carried] = sum;
  scf::YieldOp::create(rewriter, loc, results);
  rewriter.setInsertionPointToEnd(branch.elseBlock());
  scf::YieldOp::create(rewriter, loc, loop.getInitArgs());

  rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(yields); });
  rewriter.eraseOp(wait);
  rewriter.eraseOp(last);
  for (Operation *op : llvm::reverse(ordered))
    if (op->use_empty())
      rewriter.eraseOp(op);
  SmallVector<Value> arguments{rotated.getInductionVar()};
  llvm::append_range(arguments, rotated.getRegionIterArgs().take_front(count));
  rewriter.mergeBlocks(body, rotated.getBody(), arguments);
  rewriter.replaceOp(loop, branch.getResults());
  return {branch, rotated, moved};
}

} // namespace nereid
