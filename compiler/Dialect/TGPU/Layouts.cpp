//===- Layouts.cpp - Which layouts there are ------------------------------===//
//
// Fragments are those of the vendors' instruction manuals: PTX ISA, "Matrix
// fragments for mma.m16n8k8/k16/k32"; AMD CDNA3 ISA, "MFMA register layout".
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/TGPU/Layouts.h"

#include "compiler/Dialect/TGPU/TGPUDialect.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cassert>

using namespace llvm;

namespace nereid::tgpu {
namespace {

using Basis = LinearLayout::Basis;
using InDim = LinearLayout::InDim;
using OutDim = LinearLayout::OutDim;

std::string dimName(size_t dim) { return "dim" + std::to_string(dim); }

SmallVector<OutDim, 4> outsOf(ArrayRef<int64_t> shape) {
  SmallVector<OutDim, 4> outs;
  for (auto [dim, size] : enumerate(shape))
    outs.push_back({dimName(dim), int32_t(size)});
  return outs;
}

SmallVector<int64_t, 4> shapeOf(const LinearLayout &layout) {
  SmallVector<int64_t, 4> shape;
  for (const OutDim &out : layout.outDims())
    shape.push_back(out.size);
  return shape;
}

/// The four input dimensions with no bits.
SmallVector<InDim, 4> emptyPlaces() {
  return {{"register", {}}, {"lane", {}}, {"warp", {}}, {"block", {}}};
}

/// The same places over a tensor of another shape: bases outside it become
/// copies, and registers are added for elements that no place reaches.
LinearLayout fit(const LinearLayout &layout, ArrayRef<int64_t> shape) {
  SmallVector<InDim, 4> ins(layout.inDims());
  SmallVector<int64_t, 4> own = shapeOf(layout);
  for (InDim &in : ins)
    for (Basis &basis : in.bases)
      for (auto [value, size] : zip(basis, shape))
        value &= int32_t(size) - 1;
  for (size_t dim = shape.size(); dim-- > 0;)
    for (int64_t bit = own[dim]; bit < shape[dim]; bit *= 2) {
      Basis basis(shape.size(), 0);
      basis[dim] = int32_t(bit);
      ins[0].bases.push_back(std::move(basis));
    }
  return LinearLayout(std::move(ins), outsOf(shape));
}

/// Registers that hold what lower registers hold already.
LinearLayout dropCopies(const LinearLayout &layout) {
  int32_t copies = layout.freeVariableMask("register");
  SmallVector<InDim, 4> ins(layout.inDims());
  SmallVector<Basis, 8> kept;
  for (auto [bit, basis] : enumerate(ins[0].bases))
    if (!(copies >> bit & 1))
      kept.push_back(basis);
  ins[0].bases = std::move(kept);
  return LinearLayout(std::move(ins), SmallVector<OutDim, 4>(layout.outDims()));
}

/// Every basis passed through `fn`, onto a tensor of another shape.
template <typename Fn>
LinearLayout mapBases(const LinearLayout &layout, ArrayRef<int64_t> shape,
                      Fn fn) {
  SmallVector<InDim, 4> ins(layout.inDims());
  for (InDim &in : ins)
    for (Basis &basis : in.bases)
      basis = fn(basis);
  return LinearLayout(std::move(ins), outsOf(shape));
}

Basis along(unsigned rank, unsigned dim, int32_t value) {
  Basis basis(rank, 0);
  basis[dim] = value;
  return basis;
}

/// Adds to `bases` the bits of `count` places that walk `dim` from `*next` on,
/// as far as `limit`; the rest of the count is returned.
int32_t walk(SmallVectorImpl<Basis> &bases, unsigned rank, unsigned dim,
             int64_t &next, int64_t limit, int32_t count) {
  while (count > 1 && next < limit) {
    bases.push_back(along(rank, dim, int32_t(next)));
    next *= 2;
    count /= 2;
  }
  return count;
}

} // namespace

LinearLayout blockedLayout(ArrayRef<int64_t> shape, ArrayRef<unsigned> order,
                           int32_t vector, ThreadCounts threads) {
  unsigned rank = shape.size();
  SmallVector<InDim, 4> ins = emptyPlaces();
  SmallVector<int64_t, 4> next(rank, 1);
  if (rank)
    walk(ins[0].bases, rank, order[0], next[order[0]], shape[order[0]], vector);
  int32_t counts[] = {threads.lanes, threads.warps};
  for (unsigned place : {0u, 1u}) {
    int32_t left = counts[place];
    for (unsigned dim : order)
      left = walk(ins[1 + place].bases, rank, dim, next[dim], shape[dim], left);
    for (; left > 1; left /= 2) // more threads than elements: copies
      ins[1 + place].bases.push_back(Basis(rank, 0));
  }
  for (unsigned dim : order)
    walk(ins[0].bases, rank, dim, next[dim], shape[dim],
         std::numeric_limits<int32_t>::max());
  return LinearLayout(std::move(ins), outsOf(shape));
}

LinearLayout accumulatorTile(MatrixInstruction instruction) {
  switch (instruction) {
  case MatrixInstruction::NVIDIA_m16n8:
    return LinearLayout({{"register", {{0, 1}, {8, 0}}},
                         {"lane", {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}},
                         {"warp", {}},
                         {"block", {}}},
                        {{"dim0", 16}, {"dim1", 8}});
  case MatrixInstruction::AMD_16x16x16:
    return LinearLayout(
        {{"register", {{1, 0}, {2, 0}}},
         {"lane", {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {4, 0}, {8, 0}}},
         {"warp", {}},
         {"block", {}}},
        {{"dim0", 16}, {"dim1", 16}});
  }
  llvm_unreachable("covered switch");
}

LinearLayout operandTile(MatrixInstruction instruction, unsigned operand,
                         unsigned bits) {
  // Written as (outer, k) with outer = rows of A or columns of B.
  SmallVector<Basis, 8> registers, lanes;
  int32_t outerSize = 16, kSize = 16;
  switch (instruction) {
  case MatrixInstruction::NVIDIA_m16n8: {
    // Elements of one 32-bit register; f64 takes a register pair each.
    int32_t packed = bits == 64 ? 1 : 32 / int32_t(bits);
    for (int32_t k = 1; k < packed; k *= 2)
      registers.push_back({0, k});
    if (operand == 0)
      registers.push_back({8, 0});
    if (bits != 64)
      registers.push_back({0, 4 * packed});
    lanes = {{0, packed}, {0, 2 * packed}, {1, 0}, {2, 0}, {4, 0}};
    outerSize = operand == 0 ? 16 : 8;
    kSize = bits == 64 ? 4 : 8 * packed;
    break;
  }
  case MatrixInstruction::AMD_16x16x16:
    registers = {{0, 1}, {0, 2}};
    lanes = {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {0, 4}, {0, 8}};
    break;
  }
  if (operand == 1)
    for (auto *bases : {&registers, &lanes})
      for (Basis &basis : *bases)
        std::swap(basis[0], basis[1]);
  SmallVector<OutDim, 4> outs = {{"dim0", outerSize}, {"dim1", kSize}};
  if (operand == 1)
    std::swap(outs[0].size, outs[1].size);
  return LinearLayout(
      {{"register", registers}, {"lane", lanes}, {"warp", {}}, {"block", {}}},
      outs);
}

namespace {

/// A fragment repeated over warps and registers. `warps` is given per
/// dimension, with or without the batch's; those of dimension `copiesOf` of the
/// matrix hold copies.
LinearLayout repeatTile(const LinearLayout &tile, ArrayRef<int64_t> shape,
                        ArrayRef<int32_t> warps, int copiesOf) {
  assert(shape.size() >= 2 && warps.size() >= 2 && "a matrix, maybe batched");
  SmallVector<InDim, 4> ins(tile.inDims());
  SmallVector<OutDim, 4> outs(tile.outDims());
  ArrayRef<int32_t> matrixWarps = warps.take_back(2);
  // The last dimension's warps are the lowest warp bits.
  for (int dim : {1, 0})
    for (int32_t count = matrixWarps[dim]; count > 1; count /= 2) {
      bool copies = dim == copiesOf;
      ins[2].bases.push_back(along(2, dim, copies ? 0 : outs[dim].size));
      if (!copies)
        outs[dim].size *= 2;
    }
  LinearLayout matrix(std::move(ins), std::move(outs));
  matrix = fit(matrix, shape.take_back(2));
  if (shape.size() == 2)
    return dropCopies(matrix);
  SmallVector<int64_t, 4> unit(shape);
  unit.front() = 1;
  LinearLayout batched = mapBases(matrix, unit, [](const Basis &basis) {
    return Basis{0, basis[0], basis[1]};
  });
  if (warps.size() == 3 && warps[0] > 1) {
    SmallVector<InDim, 4> places(batched.inDims());
    unit.front() = warps[0];
    for (int32_t batch = 1; batch < warps[0]; batch *= 2)
      places[2].bases.push_back({batch, 0, 0});
    batched = LinearLayout(std::move(places), outsOf(unit));
  }
  return dropCopies(fit(batched, shape));
}

} // namespace

LinearLayout accumulatorLayout(ArrayRef<int64_t> shape,
                               MatrixInstruction instruction,
                               ArrayRef<int32_t> warps) {
  return repeatTile(accumulatorTile(instruction), shape, warps, -1);
}

LinearLayout operandLayout(ArrayRef<int64_t> shape,
                           MatrixInstruction instruction, unsigned operand,
                           unsigned bits, ArrayRef<int32_t> warps) {
  // A is spread over the warps of the rows only, B over those of the columns:
  // the contraction is never split.
  return repeatTile(operandTile(instruction, operand, bits), shape, warps,
                    operand == 0 ? 1 : 0);
}

std::optional<SmallVector<int32_t, 3>>
matchAccumulator(const LinearLayout &layout, MatrixInstruction instruction) {
  SmallVector<int64_t, 4> shape = shapeOf(layout);
  if (shape.size() != 2 && shape.size() != 3)
    return std::nullopt;
  int32_t all = layout.inSize("warp");
  for (int32_t batch = 1; batch <= (shape.size() == 3 ? all : 1); batch *= 2)
    for (int32_t rows = all / batch; rows >= 1; rows /= 2) {
      SmallVector<int32_t, 3> warps = {rows, all / batch / rows};
      if (shape.size() == 3)
        warps.insert(warps.begin(), batch);
      if (accumulatorLayout(shape, instruction, warps) == layout)
        return warps;
    }
  return std::nullopt;
}

//===-- Warpgroups --------------------------------------------------------===//

namespace {

/// The fragments of a warpgroup, over warps, warpgroups and registers. `n` is
/// the size of dimension 1, over which the warpgroups along it are spread, or
/// hold copies.
LinearLayout spreadOverWarpgroups(const LinearLayout &tile,
                                  ArrayRef<int64_t> shape,
                                  ArrayRef<int32_t> groups, bool copies) {
  SmallVector<InDim, 4> ins(tile.inDims());
  SmallVector<OutDim, 4> outs(tile.outDims());
  int64_t rows = outs[0].size, columns = outs[1].size;
  for (int32_t count = 4 * groups[0]; count > 1; count /= 2, rows *= 2)
    ins[2].bases.push_back({int32_t(rows), 0});
  // The columns of one warpgroup are neighbours: they are in the low bits.
  int64_t own = copies ? shape[1] : std::max<int64_t>(8, shape[1] / groups[1]);
  walk(ins[0].bases, 2, 1, columns, own, std::numeric_limits<int32_t>::max());
  for (int32_t count = groups[1]; count > 1; count /= 2, own *= 2)
    ins[2].bases.push_back({0, copies ? 0 : int32_t(own)});
  outs[0].size = int32_t(rows);
  outs[1].size = int32_t(std::max(columns, own));
  return dropCopies(fit(LinearLayout(std::move(ins), std::move(outs)), shape));
}

} // namespace

LinearLayout wgmmaAccumulatorLayout(ArrayRef<int64_t> shape,
                                    ArrayRef<int32_t> groups) {
  return spreadOverWarpgroups(accumulatorTile(MatrixInstruction::NVIDIA_m16n8),
                              shape, groups, /*copies=*/false);
}

LinearLayout wgmmaOperandLayout(ArrayRef<int64_t> shape, unsigned bits,
                                ArrayRef<int32_t> groups) {
  return spreadOverWarpgroups(
      operandTile(MatrixInstruction::NVIDIA_m16n8, 0, bits), shape, groups,
      /*copies=*/true);
}

std::optional<SmallVector<int32_t, 2>>
matchWgmmaAccumulator(const LinearLayout &layout) {
  SmallVector<int64_t, 4> shape = shapeOf(layout);
  int32_t all = layout.inSize("warp");
  if (shape.size() != 2 || all % 4 || shape[0] % 64 || shape[1] % 8)
    return std::nullopt;
  for (int32_t rows = all / 4; rows >= 1; rows /= 2) {
    SmallVector<int32_t, 2> groups = {rows, all / 4 / rows};
    if (wgmmaAccumulatorLayout(shape, groups) == layout)
      return groups;
  }
  return std::nullopt;
}

//===-- Tiles in shared memory --------------------------------------------===//

namespace {

/// `swizzledTile` with the order of the rows: fastest first.
LinearLayout swizzledRows(ArrayRef<int64_t> shape, unsigned elementBits,
                          unsigned contiguousDim, int32_t swizzleBytes,
                          ArrayRef<unsigned> rowOrder) {
  unsigned rank = shape.size();
  int64_t elementBytes = std::max<int64_t>(1, elementBits / 8);
  int64_t width = shape[contiguousDim];
  while (swizzleBytes > 16 && width * elementBytes < swizzleBytes)
    swizzleBytes /= 2;
  int64_t panel = swizzleBytes ? swizzleBytes / elementBytes : width;
  SmallVector<InDim, 4> ins = {{"offset", {}}};
  auto &bases = ins[0].bases;
  int32_t all = std::numeric_limits<int32_t>::max();
  int64_t column = 1;
  walk(bases, rank, contiguousDim, column, std::min(panel, width), all);
  size_t firstRow = bases.size();
  for (unsigned dim : rowOrder) {
    int64_t row = 1;
    walk(bases, rank, dim, row, shape[dim], all);
  }
  // Chunks of 16 bytes: the bit that flips chunk bit i is that of the row
  // 2^i * 128 / swizzleBytes.
  size_t rows = bases.size() - firstRow;
  unsigned skipped = swizzleBytes ? Log2_32(128 / swizzleBytes) : 0;
  for (int64_t chunk = 16; chunk < swizzleBytes; chunk *= 2, ++skipped)
    if (skipped < rows)
      bases[firstRow + skipped][contiguousDim] = int32_t(chunk / elementBytes);
  walk(bases, rank, contiguousDim, column, width, all);
  return LinearLayout(std::move(ins), outsOf(shape));
}

SmallVector<unsigned, 4> otherDims(unsigned rank, unsigned contiguousDim) {
  SmallVector<unsigned, 4> dims;
  for (unsigned dim = rank; dim-- > 0;)
    if (dim != contiguousDim)
      dims.push_back(dim);
  return dims;
}

} // namespace

LinearLayout swizzledTile(ArrayRef<int64_t> shape, unsigned elementBits,
                          unsigned contiguousDim, int32_t swizzleBytes) {
  return swizzledRows(shape, elementBits, contiguousDim, swizzleBytes,
                      otherDims(shape.size(), contiguousDim));
}

std::optional<SwizzledTile> matchSwizzledTile(const LinearLayout &layout,
                                              unsigned elementBits) {
  SmallVector<int64_t, 4> shape = shapeOf(layout);
  unsigned rank = shape.size();
  for (unsigned fromEnd = 1; fromEnd <= rank; ++fromEnd) {
    unsigned contiguous = rank - fromEnd;
    // Row major is tried first, then the other orders.
    SmallVector<unsigned, 4> order = otherDims(rank, contiguous);
    SmallVector<unsigned, 4> permutation(order);
    std::sort(permutation.begin(), permutation.end());
    SmallVector<SmallVector<unsigned, 4>> orders = {order};
    do {
      orders.push_back(permutation);
    } while (std::next_permutation(permutation.begin(), permutation.end()));
    for (ArrayRef<unsigned> rowOrder : orders)
      for (int32_t bytes : {128, 64, 32, 16, 0})
        if (swizzledRows(shape, elementBits, contiguous, bytes, rowOrder) ==
            layout) {
          int64_t width = shape[contiguous] * std::max(8u, elementBits) / 8;
          while (bytes > 16 && width < bytes)
            bytes /= 2; // the mode that the builder fell back to
          if (width < bytes)
            bytes = 0;
          return SwizzledTile{contiguous, bytes,
                              SmallVector<unsigned, 4>(rowOrder)};
        }
  }
  return std::nullopt;
}

std::optional<SwizzledTile> matchSwizzledTile(TileType tile) {
  return matchSwizzledTile(
      tile.getLinear(),
      unsigned(tile.getTileBytes() * 8 >> tile.getLinear().totalInBits()));
}

int64_t tileAlignment(TileType tile) {
  auto match = matchSwizzledTile(tile);
  return match ? std::max(16, 8 * match->swizzleBytes) : 16;
}

//===-- Rules -------------------------------------------------------------===//

LinearLayout expandDims(const LinearLayout &layout, unsigned axis) {
  SmallVector<int64_t, 4> shape = shapeOf(layout);
  shape.insert(shape.begin() + axis, 1);
  return mapBases(layout, shape, [&](Basis basis) {
    basis.insert(basis.begin() + axis, 0);
    return basis;
  });
}

LinearLayout expandDimsOperand(const LinearLayout &layout, unsigned axis) {
  SmallVector<int64_t, 4> shape = shapeOf(layout);
  shape.erase(shape.begin() + axis);
  return mapBases(layout, shape, [&](Basis basis) {
    basis.erase(basis.begin() + axis);
    return basis;
  });
}

LinearLayout broadcast(const LinearLayout &layout, ArrayRef<int64_t> shape) {
  return fit(layout, shape);
}

LinearLayout broadcastOperand(const LinearLayout &layout,
                              ArrayRef<int64_t> shape) {
  return dropCopies(fit(layout, shape));
}

LinearLayout permute(const LinearLayout &layout, ArrayRef<int32_t> order) {
  SmallVector<int64_t, 4> from = shapeOf(layout), shape;
  for (int32_t dim : order)
    shape.push_back(from[dim]);
  return mapBases(layout, shape, [&](const Basis &basis) {
    Basis result;
    for (int32_t dim : order)
      result.push_back(basis[dim]);
    return result;
  });
}

LinearLayout permuteOperand(const LinearLayout &layout,
                            ArrayRef<int32_t> order) {
  SmallVector<int32_t, 4> inverse(order.size());
  for (auto [to, from] : enumerate(order))
    inverse[from] = int32_t(to);
  return permute(layout, inverse);
}

LinearLayout reshape(const LinearLayout &layout, ArrayRef<int64_t> shape) {
  // Row major: the last dimension is in the lowest bits.
  SmallVector<std::string, 4> names;
  SmallVector<StringRef, 4> reversed;
  for (const OutDim &out : layout.outDims())
    names.push_back(out.name);
  for (const std::string &name : llvm::reverse(names))
    reversed.push_back(name);
  SmallVector<OutDim, 4> outs = outsOf(shape), reversedOuts;
  SmallVector<StringRef, 4> forward;
  for (const OutDim &out : llvm::reverse(outs))
    reversedOuts.push_back(out);
  for (const OutDim &out : outs)
    forward.push_back(out.name);
  return layout.reorderOuts(reversed)
      .reshapeOuts(reversedOuts)
      .reorderOuts(forward);
}

LinearLayout reduce(const LinearLayout &layout, unsigned axis) {
  return dropCopies(expandDimsOperand(layout, axis));
}

//===-- Conversions -------------------------------------------------------===//

ConversionKind classifyConversion(const LinearLayout &from,
                                  const LinearLayout &to) {
  // Where each place of the result finds its element. Where the source has
  // copies, the nearest one matters: try to stay in the thread, then in the
  // warp, by asking whether the element lies in the span of nearer places.
  auto within = [&](ArrayRef<StringRef> near) {
    SmallVector<StringRef, 4> outs;
    for (const OutDim &out : from.outDims())
      outs.push_back(out.name);
    // Remove the identity on the other places first: result place and source
    // place agree there, so their difference must be reachable from `near`.
    SmallVector<InDim, 4> differences;
    for (const InDim &in : to.inDims()) {
      InDim difference{in.name, {}};
      bool isNear = is_contained(near, in.name);
      for (auto [bit, basis] : enumerate(in.bases)) {
        Basis value = basis;
        if (!isNear)
          for (auto [o, out] : enumerate(outs))
            if (int32_t(bit) < from.inBits(in.name))
              value[o] ^= from.basis(in.name, int32_t(bit), out);
        difference.bases.push_back(std::move(value));
      }
      differences.push_back(std::move(difference));
    }
    LinearLayout wanted(std::move(differences),
                        SmallVector<OutDim, 4>(to.outDims()));
    return wanted.invertAndCompose(from.sublayout(near, outs)).has_value();
  };
  if (within({"register"}))
    return ConversionKind::Registers;
  if (within({"register", "lane"}))
    return ConversionKind::Shuffle;
  return ConversionKind::Shared;
}

} // namespace nereid::tgpu
