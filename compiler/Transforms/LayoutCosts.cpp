//===- LayoutCosts.cpp - What layouts cost --------------------------------===//

#include "compiler/Transforms/LayoutCosts.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::LayoutAttr;
using Basis = LinearLayout::Basis;

constexpr double kSector = 1.25;   // L2 bandwidth of one multiprocessor
constexpr double kSharedTrip = 64; // two barriers and the latency between

bool isZero(const Basis &basis) {
  return llvm::all_of(basis, [](int32_t value) { return value == 0; });
}

/// Bits of a place that hold different elements.
int distinctBits(const LinearLayout &layout, unsigned place) {
  int bits = 0;
  for (const Basis &basis : layout.inDims()[place].bases)
    bits += !isZero(basis);
  return bits;
}

/// Bits of a place that move along a dimension.
int bitsAlong(const LinearLayout &layout, unsigned place, unsigned dim) {
  int bits = 0;
  for (const Basis &basis : layout.inDims()[place].bases)
    bits += basis[dim] != 0;
  return bits;
}

int64_t registers(const LinearLayout &layout) {
  return int64_t(1) << layout.inDims()[0].bases.size();
}

/// Clocks of one instruction per thread for one element.
double elementCost(Operation *op) {
  if (isa<math::MathDialect>(op->getDialect()))
    return isa<math::AbsFOp, math::AbsIOp, math::FmaOp>(op) ? 0.5 : 4;
  if (isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemSIOp,
          arith::RemUIOp, arith::RemFOp, tt::PreciseDivFOp, tt::PreciseSqrtOp>(
          op))
    return 6;
  if (isa<tt::ExternElementwiseOp, tt::ElementwiseInlineAsmOp,
          tt::MapElementwiseOp>(op))
    return 8;
  return 0.5;
}

} // namespace

bool isCheap(Operation *op) {
  return isPure(op) && !isa<math::MathDialect>(op->getDialect()) &&
         !isa<arith::DivFOp, arith::RemFOp, tt::PreciseDivFOp,
              tt::PreciseSqrtOp, tt::ExternElementwiseOp,
              tt::ElementwiseInlineAsmOp, tt::MapElementwiseOp>(op);
}

double LayoutCosts::conversion(LayoutAttr from, LayoutAttr to, unsigned bits) {
  if (from == to)
    return 0;
  auto [at, isNew] = kinds.try_emplace({from, to});
  if (isNew)
    at->second = tgpu::classifyConversion(from.getLinear(), to.getLinear());
  double warps = threads.warps, bytes = std::max(1u, bits / 8);
  double in = double(registers(from.getLinear())) * warps;
  double out = double(registers(to.getLinear())) * warps;
  // Each thread's registers, a warp at a time, four bytes per bank and lane;
  // 16-bit neighbours go in pairs.
  double shared = 1.25 * (in + out) * std::max(0.5, bytes / 4) + kSharedTrip;
  switch (at->second) {
  case tgpu::ConversionKind::Registers:
    return 0.05 * out;
  case tgpu::ConversionKind::Shuffle:
    return std::min(shared, 4 * out * std::max(1.0, bytes / 4) + 4);
  case tgpu::ConversionKind::Shared:
    return shared;
  }
  llvm_unreachable("covered switch");
}

double LayoutCosts::execution(Operation *op, LayoutAttr layout) {
  auto [at, isNew] = executions.try_emplace({op, layout}, 0);
  if (!isNew)
    return at->second;
  const LinearLayout &linear = layout.getLinear();
  double cost = 0;
  if (isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op))
    cost = access(op, linear);
  else if (auto reduce = dyn_cast<tt::ReduceOp>(op))
    cost = reduction(reduce, layout);
  else if (auto scanOp = dyn_cast<tt::ScanOp>(op))
    cost = scan(scanOp, linear);
  else if (getLayoutRule(op) == LayoutRule::Same)
    cost = double(registers(linear)) * threads.warps * elementCost(op);
  return executions[{op, layout}] = cost;
}

double LayoutCosts::access(Operation *op, const LinearLayout &layout) {
  Type pointers = op->getOperand(0).getType();
  unsigned rank = cast<RankedTensorType>(pointers).getRank();
  Type pointee = tt::getPointeeType(pointers);
  int64_t bytes = std::max(1u, tt::getElementBits(pointee) / 8);
  Access found = getAccess(op, rank);
  int64_t neighbours = rank ? layout.contiguousInputs(
                                  "register", "dim" + std::to_string(found.dim))
                            : 1;
  bool atomic = isa<tt::AtomicRMWOp, tt::AtomicCASOp>(op);
  int64_t width =
      std::min({neighbours, found.width, std::max<int64_t>(1, 16 / bytes)});
  if (atomic)
    width = std::min<int64_t>(width, std::max<int64_t>(1, 4 / bytes));
  double instructions = double(registers(layout)) / double(width);

  // Sectors that one instruction of a warp touches, when each lane moves
  // `chunk` bytes: lanes that continue a run share them.
  auto sectors = [&](int64_t chunk) {
    double count = std::max<double>(1, double(chunk) / 32);
    for (const Basis &basis : layout.inDims()[1].bases) {
      if (isZero(basis))
        continue;
      bool along = rank > 0;
      for (auto [dim, value] : llvm::enumerate(basis))
        along &= dim == found.dim ? value != 0 : value == 0;
      bool shares = along && basis[found.dim] < found.run &&
                    basis[found.dim] * bytes < 32;
      count *= shares ? 1 : 2;
    }
    return count;
  };
  double perWarp = 0;
  int warpBits = int(layout.inDims()[2].bases.size());
  if (isa<tt::LoadOp>(op)) {
    // The cache brings a whole run of a thread at once; each instruction still
    // looks its sectors up.
    int64_t run = std::min(neighbours, found.run);
    double lookups = instructions * (1 + sectors(width * bytes) / 8);
    double fetched = double(registers(layout)) / double(run) *
                     sectors(run * bytes) * kSector;
    perWarp = lookups + fetched;
  } else {
    perWarp = instructions *
              (1 + sectors(width * bytes) * kSector * (atomic ? 2 : 1));
    warpBits = distinctBits(layout, 2); // copies do not store
  }
  return perWarp * double(int64_t(1) << warpBits);
}

double LayoutCosts::reduction(tt::ReduceOp op, LayoutAttr layout) {
  const LinearLayout &linear = layout.getLinear();
  unsigned axis = op.getAxis();
  double left = double(registers(tgpu::reduce(linear, axis)));
  double warps = threads.warps, values = op.getSrcs().size();
  double cost = double(registers(linear)) * warps * 0.5 * values;
  cost += left * warps * bitsAlong(linear, 1, axis) * 4 * values;
  if (int bits = bitsAlong(linear, 2, axis))
    cost +=
        kSharedTrip + left * warps * (2 + double(int64_t(1) << bits)) * values;
  return cost;
}

double LayoutCosts::scan(tt::ScanOp op, const LinearLayout &layout) {
  unsigned axis = op.getAxis();
  double warps = threads.warps, count = double(registers(layout));
  int64_t run =
      layout.contiguousInputs("register", "dim" + std::to_string(axis));
  // Runs are scanned in the thread, their ends across lanes and warps.
  double ends = count / double(run);
  double cost = count * warps;
  cost += ends * warps * bitsAlong(layout, 1, axis) * 6;
  if (int bits = bitsAlong(layout, 2, axis))
    cost += kSharedTrip + ends * warps * (2 + double(int64_t(1) << bits));
  return cost * double(op.getSrcs().size());
}

} // namespace nereid
