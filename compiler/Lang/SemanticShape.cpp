//===- SemanticShape.cpp - Making tensors and changing their shape --------===//

#include "compiler/Lang/Semantic.h"

#include <limits>

namespace nereid::lang {

Tensor Semantic::arange(__int128 start, __int128 end) {
  constexpr int32_t low = std::numeric_limits<int32_t>::min();
  constexpr int32_t high = std::numeric_limits<int32_t>::max();
  for (__int128 bound : {start, end})
    if (bound < low || bound > high)
      return fail("the bounds of 'tl.arange' must fit into 32 bits, found " +
                  Number::ofInt(bound).str());
  if (end <= start)
    return fail("the end of 'tl.arange' must be greater than its start, "
                "found tl.arange(" +
                Number::ofInt(start).str() + ", " + Number::ofInt(end).str() +
                ")");
  int64_t size = static_cast<int64_t>(end - start);
  if ((size & (size - 1)) != 0)
    return fail("the size of 'tl.arange' must be a power of two, found " +
                llvm::Twine(size));
  if (!checkShape({size}, "the result of 'tl.arange'"))
    return Tensor();
  const Type *type = types.getBlock(scalar(ScalarId::Int32), {size});
  return {tt::MakeRangeOp::create(builder, loc, toIR(type),
                                  static_cast<int32_t>(start),
                                  static_cast<int32_t>(end)),
          type};
}

//===----------------------------------------------------------------------===//
// Broadcasting (R6)
//===----------------------------------------------------------------------===//

bool Semantic::broadcast(Tensor &lhs, Tensor &rhs) {
  if (!lhs || !rhs)
    return false;
  if (!lhs.isBlock() && !rhs.isBlock())
    return true;
  if (!rhs.isBlock()) {
    rhs = splat(rhs, lhs.shape());
    return true;
  }
  if (!lhs.isBlock()) {
    lhs = splat(lhs, rhs.shape());
    return true;
  }
  Tensor a = lhs, b = rhs;
  while (a.rank() < b.rank())
    a = expandDims(a, 0);
  while (b.rank() < a.rank())
    b = expandDims(b, 0);
  llvm::SmallVector<int64_t, 4> shape;
  for (auto [index, sizes] : llvm::enumerate(llvm::zip(a.shape(), b.shape()))) {
    auto [sizeA, sizeB] = sizes;
    if (sizeA != sizeB && sizeA != 1 && sizeB != 1)
      return failBool("shapes [" + shapeText(lhs.shape()) + "] and [" +
                      shapeText(rhs.shape()) +
                      "] cannot be broadcast together: dimension " +
                      llvm::Twine(index) + " is " + llvm::Twine(sizeA) +
                      " against " + llvm::Twine(sizeB));
    shape.push_back(sizeA == 1 ? sizeB : sizeA);
  }
  if (!checkShape(shape, "the broadcast tensor"))
    return false;
  lhs = broadcastTo(a, shape);
  rhs = broadcastTo(b, shape);
  return lhs && rhs;
}

Tensor Semantic::broadcastTo(Tensor input, llvm::ArrayRef<int64_t> shape) {
  if (!input)
    return input;
  if (!checkShape(shape, "the broadcast tensor"))
    return Tensor();
  if (!input.isBlock())
    return splat(input, shape);
  if (input.shape() == shape)
    return input;
  if (input.rank() != static_cast<int64_t>(shape.size()))
    return fail("'tl.broadcast_to' keeps the rank, found [" +
                shapeText(input.shape()) + "] to [" + shapeText(shape) +
                "]; add dimensions with x[:, None] first");
  for (auto [index, sizes] : llvm::enumerate(llvm::zip(input.shape(), shape))) {
    auto [from, to] = sizes;
    if (from != to && from != 1)
      return fail("[" + shapeText(input.shape()) +
                  "] cannot be broadcast to [" + shapeText(shape) +
                  "]: dimension " + llvm::Twine(index) + " is " +
                  llvm::Twine(from) + ", and only 1 stretches");
  }
  const Type *type = types.getBlock(input.elem(), shape);
  return {tt::BroadcastOp::create(builder, loc, toIR(type), input.handle),
          type};
}

//===----------------------------------------------------------------------===//
// Changes of shape
//===----------------------------------------------------------------------===//

Tensor Semantic::expandDims(Tensor input, int64_t axis) {
  if (!input)
    return input;
  int64_t newRank = input.rank() + 1;
  if (axis < -newRank || axis >= newRank)
    return fail("axis " + llvm::Twine(axis) + " is out of range for a result " +
                "of rank " + llvm::Twine(newRank));
  if (axis < 0)
    axis += newRank;
  llvm::SmallVector<int64_t, 4> shape(input.shape());
  shape.insert(shape.begin() + axis, 1);
  if (!input.isBlock())
    return splat(input, shape);
  const Type *type = types.getBlock(input.elem(), shape);
  return {tt::ExpandDimsOp::create(builder, loc, toIR(type), input.handle,
                                   static_cast<uint32_t>(axis)),
          type};
}

Tensor Semantic::reshape(Tensor input, llvm::ArrayRef<int64_t> shape,
                         bool reorder) {
  if (!input || !checkShape(shape, "a reshaped tensor"))
    return Tensor();
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  if (count != input.type->getNumElements())
    return fail("a reshape keeps the number of elements, found [" +
                shapeText(input.shape()) + "] to [" + shapeText(shape) + "]");
  if (shape.empty())
    return input.isBlock() ? unsplat(input) : input;
  if (!input.isBlock())
    return splat(input, shape);
  const Type *type = types.getBlock(input.elem(), shape);
  return {tt::ReshapeOp::create(builder, loc, toIR(type), input.handle, reorder,
                                /*efficient_layout=*/false),
          type};
}

Tensor Semantic::unsplat(Tensor input) {
  if (!input || !input.isBlock())
    return input;
  if (input.type->getNumElements() != 1)
    return fail("only a one-element tensor converts to a scalar, found " +
                input.str());
  return {tt::UnsplatOp::create(builder, loc, toIR(input.elem()), input.handle),
          input.elem()};
}

Tensor Semantic::permute(Tensor input, llvm::ArrayRef<int64_t> order) {
  if (!input)
    return input;
  if (input.rank() != static_cast<int64_t>(order.size()))
    return fail("a permutation of a tensor of rank " +
                llvm::Twine(input.rank()) + " names " +
                llvm::Twine(input.rank()) + " dimensions, found (" +
                shapeText(order) + ")");
  llvm::SmallVector<int64_t, 4> shape;
  llvm::SmallVector<int32_t, 4> dims;
  llvm::SmallVector<bool, 4> seen(order.size(), false);
  for (int64_t dim : order) {
    int64_t index = dim < 0 ? dim + input.rank() : dim;
    if (index < 0 || index >= input.rank() || seen[index])
      return fail("the dimensions of a permutation are each of 0.." +
                  llvm::Twine(input.rank() - 1) + " once, found (" +
                  shapeText(order) + ")");
    seen[index] = true;
    shape.push_back(input.shape()[index]);
    dims.push_back(static_cast<int32_t>(index));
  }
  if (!input.isBlock())
    return input;
  const Type *type = types.getBlock(input.elem(), shape);
  return {tt::TransOp::create(builder, loc, toIR(type), input.handle, dims),
          type};
}

Tensor Semantic::join(Tensor lhs, Tensor rhs) {
  if (!lhs || !rhs)
    return Tensor();
  if (lhs.elem() != rhs.elem())
    return fail("'tl.join' takes two tensors of one type, found " + lhs.str() +
                " and " + rhs.str());
  if (!broadcast(lhs, rhs))
    return Tensor();
  bool wasScalar = !lhs.isBlock();
  if (wasScalar) {
    lhs = expandDims(lhs, 0);
    rhs = expandDims(rhs, 0);
  }
  llvm::SmallVector<int64_t, 4> shape(lhs.shape());
  shape.push_back(2);
  if (!checkShape(shape, "the joined tensor"))
    return Tensor();
  const Type *type = types.getBlock(lhs.elem(), shape);
  Tensor result(
      tt::JoinOp::create(builder, loc, toIR(type), lhs.handle, rhs.handle),
      type);
  return wasScalar ? reshape(result, {2}, /*reorder=*/false) : result;
}

std::optional<std::pair<Tensor, Tensor>> Semantic::split(Tensor input) {
  if (!input)
    return std::nullopt;
  if (!input.isBlock() || input.shape().back() != 2) {
    fail("'tl.split' takes a tensor whose last dimension is 2, found " +
         input.str());
    return std::nullopt;
  }
  // The IR splits into tensors; two scalars take a detour.
  bool toScalars = input.rank() == 1;
  if (toScalars)
    input = expandDims(input, 0);
  const Type *type = blockOf(input.elem(), input.shape().drop_back());
  auto op =
      tt::SplitOp::create(builder, loc, toIR(type), toIR(type), input.handle);
  Tensor left(op.getOutLHS(), type), right(op.getOutRHS(), type);
  if (toScalars) {
    left = unsplat(left);
    right = unsplat(right);
  }
  return std::make_pair(left, right);
}

Tensor Semantic::cat(Tensor lhs, Tensor rhs, int64_t dim) {
  if (!lhs || !rhs)
    return Tensor();
  if (lhs.type != rhs.type || !lhs.isBlock())
    return fail("'tl.cat' takes two tensors of one type and shape, found " +
                lhs.str() + " and " + rhs.str());
  int64_t rank = lhs.rank();
  if (dim < -rank || dim >= rank)
    return fail("'tl.cat' joins along a dimension of 0.." +
                llvm::Twine(rank - 1) + ", found " + llvm::Twine(dim));
  if (dim < 0)
    dim += rank;
  // Ordered: join puts the pair last, the permutation moves it before `dim`,
  // and the reshape merges the two.
  Tensor joined = join(lhs, rhs);
  if (!joined)
    return joined;
  llvm::SmallVector<int64_t, 5> order;
  llvm::SmallVector<int64_t, 5> shape(lhs.shape());
  for (int64_t i = 0; i < rank; ++i) {
    if (i == dim)
      order.push_back(rank);
    order.push_back(i);
  }
  shape[dim] *= 2;
  return reshape(permute(joined, order), shape, /*reorder=*/false);
}

Tensor Semantic::gather(Tensor source, Tensor index, int64_t axis) {
  if (!source || !index)
    return Tensor();
  if (!index.elem()->isInteger())
    return fail("'tl.gather' takes an integer index, found " + index.str());
  int64_t rank = source.rank();
  if (!source.isBlock() || index.rank() != rank)
    return fail("'tl.gather' takes a source and an index of equal rank, at "
                "least 1, found " +
                source.str() + " and " + index.str());
  if (axis < -rank || axis >= rank)
    return fail("the axis of 'tl.gather' is one of 0.." +
                llvm::Twine(rank - 1) + ", found " + llvm::Twine(axis));
  if (axis < 0)
    axis += rank;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis && source.shape()[dim] != index.shape()[dim])
      return fail("'tl.gather' along axis " + llvm::Twine(axis) +
                  " needs equal sizes elsewhere; dimension " +
                  llvm::Twine(dim) + " is " + llvm::Twine(source.shape()[dim]) +
                  " in the source and " + llvm::Twine(index.shape()[dim]) +
                  " in the index");
  const Type *type = like(index, source.elem());
  return {tt::GatherOp::create(builder, loc, toIR(type), source.handle,
                               index.handle, static_cast<uint32_t>(axis),
                               /*efficient_layout=*/false),
          type};
}

Tensor Semantic::histogram(Tensor input, int64_t bins,
                           std::optional<Tensor> mask) {
  if (!input)
    return input;
  if (input.rank() != 1 || !input.elem()->isInteger() ||
      input.elem()->getBits() != 32)
    return fail("'tl.histogram' takes a 1-dimensional tensor of i32 or u32, "
                "found " +
                input.str());
  if (!checkShape({bins}, "the result of 'tl.histogram'"))
    return Tensor();
  mlir::Value maskValue;
  if (mask) {
    if (!*mask)
      return Tensor();
    if (!mask->elem()->isBool())
      return fail("the mask of 'tl.histogram' is a tensor of i1, found " +
                  mask->str());
    Tensor shaped = broadcastTo(*mask, input.shape());
    if (!shaped)
      return shaped;
    maskValue = shaped.handle;
  }
  const Type *type = types.getBlock(scalar(ScalarId::Int32), {bins});
  return {tt::HistogramOp::create(builder, loc, toIR(type), input.handle,
                                  maskValue),
          type};
}

Tensor Semantic::hint(Tensor input, llvm::StringRef attribute,
                      llvm::ArrayRef<int64_t> values,
                      llvm::StringRef function) {
  if (!input)
    return input;
  size_t expected = std::max<size_t>(1, input.shape().size());
  if (values.size() != expected)
    return fail("'tl." + function + "' takes one value per dimension, " +
                llvm::Twine(expected) + " for " + input.str() + ", found " +
                llvm::Twine(values.size()));
  llvm::SmallVector<int32_t, 4> small;
  for (int64_t value : values) {
    if (value < 1 || value > std::numeric_limits<int32_t>::max())
      return fail("the values of 'tl." + function +
                  "' are positive 32-bit numbers, found " + llvm::Twine(value));
    small.push_back(static_cast<int32_t>(value));
  }
  // On an argument of the function the fact goes to the argument's attributes.
  auto attr = mlir::DenseIntElementsAttr::get(
      mlir::RankedTensorType::get({static_cast<int64_t>(small.size())},
                                  builder.getI32Type()),
      llvm::ArrayRef<int32_t>(small));
  if (mlir::Operation *op = input.handle.getDefiningOp()) {
    op->setDiscardableAttr(attribute, attr);
  } else {
    auto argument = llvm::cast<mlir::BlockArgument>(input.handle);
    // The body of a loop under construction has no parent yet.
    auto function = llvm::dyn_cast_or_null<mlir::FunctionOpInterface>(
        argument.getOwner()->getParentOp());
    if (function && argument.getOwner()->isEntryBlock())
      function.setArgAttr(argument.getArgNumber(), attribute, attr);
  }
  return input;
}

} // namespace nereid::lang
