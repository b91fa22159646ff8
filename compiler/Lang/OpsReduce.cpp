//===- OpsReduce.cpp - Reductions, scans and other uses of functions ------===//

#include "compiler/Lang/OpTable.h"

namespace nereid::lang {

/// The tensors of an argument that is one tensor or a tuple of tensors.
static bool tensorList(OpArgs &args, unsigned i,
                       llvm::SmallVectorImpl<Tensor> &out) {
  llvm::SmallVector<Scalar, 4> list;
  if (!args.scalars(i, list))
    return false;
  for (const Scalar &scalar : list) {
    out.push_back(args.sem.toTensor(scalar));
    if (!out.back())
      return false;
  }
  if (out.empty())
    return args.failAt(i, args.describe(i) + " holds at least one tensor");
  return true;
}

static bool equalShapes(OpArgs &args, llvm::ArrayRef<Tensor> tensors) {
  for (const Tensor &tensor : tensors)
    if (tensor.shape() != tensors.front().shape())
      return args.failAt(0, "the tensors of " + args.describe(0) +
                                " must have one shape, found " +
                                tensors.front().str() + " and " + tensor.str());
  return true;
}

/// Fills a region with a call of a combining function on two elements of each
/// tensor; `results` gets one value of each element type.
static bool combineRegion(OpArgs &args, mlir::Region &region, Value combine,
                          llvm::ArrayRef<Tensor> tensors,
                          SourceRange combineRange,
                          llvm::SmallVectorImpl<mlir::Value> &results) {
  llvm::SmallVector<const Type *, 8> types;
  llvm::SmallVector<mlir::Value, 8> blockArgs;
  mlir::OpBuilder &builder = args.sem.getBuilder();
  mlir::OpBuilder::InsertionGuard guard(builder);
  mlir::Block *block = builder.createBlock(&region);
  for (int side = 0; side < 2; ++side)
    for (const Tensor &tensor : tensors) {
      types.push_back(tensor.elem());
      blockArgs.push_back(
          block->addArgument(args.sem.toIR(tensor.elem()), args.sem.getLoc()));
    }
  llvm::SmallVector<Value, 4> values;
  if (!args.fn.callInRegion(region, combine, types, blockArgs, combineRange,
                            values))
    return false;
  if (values.size() != tensors.size()) {
    args.fn.error(combineRange, "the combining function gives one value for "
                                "each tensor, " +
                                    llvm::Twine(tensors.size()) +
                                    " here, found " +
                                    llvm::Twine(values.size()));
    return false;
  }
  for (auto [value, tensor] : llvm::zip(values, tensors)) {
    Tensor result = args.fn.toTensor(value, combineRange,
                                     "the result of the combining function");
    if (!result)
      return false;
    if (result.type != tensor.elem()) {
      args.fn.error(combineRange,
                    "the combining function must give the element type " +
                        tensor.elem()->signature() + ", found " + result.str());
      return false;
    }
    results.push_back(result.handle);
  }
  return true;
}

Value opReduce(OpArgs &args) {
  llvm::SmallVector<Tensor, 4> tensors;
  std::optional<int64_t> axis;
  bool keepDims;
  if (!tensorList(args, 0, tensors) || !args.optionalInteger(1, axis) ||
      !args.boolean(3, keepDims) || !equalShapes(args, tensors))
    return Value();
  bool isTuple = args.value(0).isSequence();
  int64_t rank = tensors.front().rank();
  if (rank == 0)
    return args.fail("a scalar cannot be reduced, found " +
                     tensors.front().str());
  if (axis && (*axis < -rank || *axis >= rank)) {
    args.failAt(1, "the axis of a reduction of a tensor of rank " +
                       llvm::Twine(rank) + " lies in -" + llvm::Twine(rank) +
                       ".." + llvm::Twine(rank - 1) + ", found " +
                       llvm::Twine(*axis));
    return Value();
  }
  if (axis && *axis < 0)
    axis = *axis + rank;
  // Without an axis everything is reduced, in any order.
  if (!axis)
    for (Tensor &tensor : tensors)
      tensor = args.sem.reshape(tensor, {tensor.type->getNumElements()},
                                /*reorder=*/true);
  int64_t actualAxis = axis.value_or(0);

  mlir::Location loc = args.sem.getLoc();
  SourceRange range = args.range;
  llvm::SmallVector<mlir::Value, 4> handles, results;
  for (const Tensor &tensor : tensors)
    handles.push_back(tensor.handle);
  auto op = tt::ReduceOp::create(args.sem.getBuilder(), loc, handles,
                                 static_cast<int>(actualAxis));
  if (!combineRegion(args, op.getCombineOp(), args.value(2), tensors,
                     args.rangeOf(2), results)) {
    op->erase();
    return Value();
  }
  {
    mlir::OpBuilder::InsertionGuard guard(args.sem.getBuilder());
    args.sem.getBuilder().setInsertionPointToEnd(&op.getCombineOp().front());
    tt::ReduceReturnOp::create(args.sem.getBuilder(), loc, results);
  }
  args.sem.setPosition(range, loc);
  llvm::SmallVector<int64_t, 4> shape(tensors.front().shape());
  shape.erase(shape.begin() + actualAxis);
  llvm::SmallVector<Tensor, 4> reduced;
  for (auto [result, tensor] : llvm::zip(op.getResults(), tensors)) {
    Tensor value(result, args.sem.blockOf(tensor.elem(), shape));
    if (keepDims && axis)
      value = args.sem.expandDims(value, *axis);
    else if (keepDims)
      for (int64_t i = 0; i < rank; ++i)
        value = args.sem.expandDims(value, 0);
    reduced.push_back(value);
  }
  return isTuple ? args.results(reduced) : args.result(reduced.front());
}

Value opAssociativeScan(OpArgs &args) {
  llvm::SmallVector<Tensor, 4> tensors;
  int64_t axis;
  bool reverse;
  if (!tensorList(args, 0, tensors) || !args.integer(1, axis) ||
      !args.boolean(3, reverse) || !equalShapes(args, tensors))
    return Value();
  int64_t rank = tensors.front().rank();
  if (axis < -rank || axis >= rank) {
    args.failAt(1, "the axis of a scan of a tensor of rank " +
                       llvm::Twine(rank) + " lies in -" + llvm::Twine(rank) +
                       ".." + llvm::Twine(rank - 1) + ", found " +
                       llvm::Twine(axis));
    return Value();
  }
  if (axis < 0)
    axis += rank;
  mlir::Location loc = args.sem.getLoc();
  SourceRange range = args.range;
  llvm::SmallVector<mlir::Value, 4> handles, results;
  for (const Tensor &tensor : tensors)
    handles.push_back(tensor.handle);
  auto op = tt::ScanOp::create(args.sem.getBuilder(), loc, handles,
                               static_cast<int>(axis), reverse);
  if (!combineRegion(args, op.getCombineOp(), args.value(2), tensors,
                     args.rangeOf(2), results)) {
    op->erase();
    return Value();
  }
  {
    mlir::OpBuilder::InsertionGuard guard(args.sem.getBuilder());
    args.sem.getBuilder().setInsertionPointToEnd(&op.getCombineOp().front());
    tt::ScanReturnOp::create(args.sem.getBuilder(), loc, results);
  }
  args.sem.setPosition(range, loc);
  llvm::SmallVector<Tensor, 4> scanned;
  for (auto [result, tensor] : llvm::zip(op.getResults(), tensors))
    scanned.push_back({result, tensor.type});
  return args.value(0).isSequence() ? args.results(scanned)
                                    : args.result(scanned.front());
}

Value opHistogram(OpArgs &args) {
  Tensor input;
  int64_t bins;
  std::optional<Tensor> mask;
  if (!args.tensor(0, input) || !args.integer(1, bins) ||
      !args.optionalTensor(2, mask))
    return Value();
  return args.result(args.sem.histogram(input, bins, mask));
}

Value opGather(OpArgs &args) {
  Tensor source, index;
  int64_t axis;
  if (!args.tensor(0, source) || !args.tensor(1, index) ||
      !args.integer(2, axis))
    return Value();
  return args.result(args.sem.gather(source, index, axis));
}

Value opMapElementwise(OpArgs &args) {
  llvm::SmallVector<Tensor, 4> tensors;
  int64_t pack;
  if (!tensorList(args, 1, tensors) || !args.integer(2, pack))
    return Value();
  if (pack < 1 || (pack & (pack - 1)) != 0) {
    args.failAt(2, args.describe(2) + " is a power of two, found " +
                       llvm::Twine(pack));
    return Value();
  }
  for (size_t pass = 0; pass < 2; ++pass)
    for (Tensor &tensor : llvm::MutableArrayRef<Tensor>(tensors).drop_front())
      if (!args.sem.broadcast(tensors.front(), tensor))
        return Value();
  if (!tensors.front().isBlock())
    return args.fail("'tl.map_elementwise' takes at least one tensor");
  if (tensors.front().type->getNumElements() % pack != 0)
    return args.fail("'pack' must divide the number of elements, found " +
                     llvm::Twine(pack) + " for " + tensors.front().str());

  mlir::Location loc = args.sem.getLoc();
  SourceRange range = args.range;
  mlir::OpBuilder &builder = args.sem.getBuilder();
  mlir::Region region;
  llvm::SmallVector<const Type *, 8> types;
  llvm::SmallVector<mlir::Value, 8> blockArgs, handles, returned;
  llvm::SmallVector<Value, 8> values;
  llvm::SmallVector<const Type *, 4> resultTypes;
  {
    mlir::OpBuilder::InsertionGuard guard(builder);
    mlir::Block *block = builder.createBlock(&region);
    for (const Tensor &tensor : tensors) {
      handles.push_back(tensor.handle);
      for (int64_t i = 0; i < pack; ++i) {
        types.push_back(tensor.elem());
        blockArgs.push_back(
            block->addArgument(args.sem.toIR(tensor.elem()), loc));
      }
    }
    if (!args.fn.callInRegion(region, args.value(0), types, blockArgs,
                              args.rangeOf(0), values))
      return Value();
    builder.setInsertionPointToEnd(block);
    if (values.empty() || values.size() % pack != 0)
      return args.fail("the function of 'tl.map_elementwise' gives 'pack' "
                       "values for each result, found " +
                       llvm::Twine(values.size()) +
                       " values with pack = " + llvm::Twine(pack));
    for (auto [index, value] : llvm::enumerate(values)) {
      Tensor result = args.fn.toTensor(value, args.rangeOf(0),
                                       "a result of the mapped function");
      if (!result)
        return Value();
      if (result.isBlock() || result.isVoid())
        return args.fail("the function of 'tl.map_elementwise' gives scalars, "
                         "found " +
                         result.str());
      if (index % pack == 0)
        resultTypes.push_back(result.type);
      else if (result.type != resultTypes.back())
        return args.fail("the values of one result of the mapped function "
                         "must have one type, found " +
                         resultTypes.back()->signature() + " and " +
                         result.str());
      returned.push_back(result.handle);
    }
    tt::MapElementwiseReturnOp::create(builder, loc, returned);
  }
  args.sem.setPosition(range, loc);
  llvm::SmallVector<mlir::Type, 4> irTypes;
  for (const Type *&type : resultTypes) {
    type = args.sem.like(tensors.front(), type);
    irTypes.push_back(args.sem.toIR(type));
  }
  auto op = tt::MapElementwiseOp::create(builder, loc, irTypes, handles,
                                         static_cast<uint32_t>(pack));
  op.getScalarOp().takeBody(region);
  llvm::SmallVector<Tensor, 4> results;
  for (auto [result, type] : llvm::zip(op.getResults(), resultTypes))
    results.push_back({result, type});
  return results.size() == 1 ? args.result(results.front())
                             : args.results(results);
}

} // namespace nereid::lang
