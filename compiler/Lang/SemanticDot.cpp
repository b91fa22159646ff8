//===- SemanticDot.cpp - Matrix products (R13) ----------------------------===//

#include "compiler/Lang/Semantic.h"

#include "llvm/ADT/StringSwitch.h"

namespace nereid::lang {

static bool isDotType(const Type *type) {
  return type->is(ScalarId::Int8) || type->is(ScalarId::UInt8) ||
         type->isStandardFloat();
}

Tensor Semantic::dot(Tensor lhs, Tensor rhs, std::optional<Tensor> acc,
                     const DotOptions &options) {
  if (!lhs || !rhs || (acc && !*acc))
    return Tensor();
  if (!lhs.isBlock() || !rhs.isBlock())
    return fail("'tl.dot' takes two tensors, found " + lhs.str() + " and " +
                rhs.str());
  bool bothFloat8 = lhs.elem()->isFloat8() && rhs.elem()->isFloat8();
  if (!bothFloat8) {
    for (const Tensor &side : {lhs, rhs})
      if (!isDotType(side.elem()) && !side.elem()->isFloat8())
        return fail("'tl.dot' takes operands of int8, fp8, fp16, bf16, fp32 or "
                    "fp64, found " +
                    side.str());
    if (lhs.elem() != rhs.elem())
      return fail("both operands of 'tl.dot' must have one type, found " +
                  lhs.str() + " and " + rhs.str() + "; cast one of them");
  }
  // fp8e4b15 has no matrix unit and no IR type of its own.
  if (lhs.elem()->is(ScalarId::Float8E4B15) ||
      rhs.elem()->is(ScalarId::Float8E4B15)) {
    lhs = cast(lhs, ScalarId::Float16);
    rhs = cast(rhs, ScalarId::Float16);
    if (!lhs || !rhs)
      return Tensor();
  }

  auto precision = llvm::StringSwitch<std::optional<tt::InputPrecision>>(
                       options.inputPrecision.lower())
                       .Case("", tt::InputPrecision::TF32)
                       .Case("tf32", tt::InputPrecision::TF32)
                       .Case("tf32x3", tt::InputPrecision::TF32x3)
                       .Case("ieee", tt::InputPrecision::IEEE)
                       .Case("bf16x3", tt::InputPrecision::BF16x3)
                       .Case("bf16x6", tt::InputPrecision::BF16x6)
                       .Default(std::nullopt);
  if (!precision)
    return fail("'input_precision' is \"tf32\", \"tf32x3\", \"ieee\", "
                "\"bf16x3\" or \"bf16x6\", found \"" +
                options.inputPrecision + "\"");

  int64_t rank = lhs.rank();
  if (rank != rhs.rank() || rank < 2 || rank > 3)
    return fail("'tl.dot' takes two matrices or two batches of matrices, "
                "found " +
                lhs.str() + " and " + rhs.str());
  llvm::ArrayRef<int64_t> a = lhs.shape(), b = rhs.shape();
  int64_t k = a[rank - 1];
  if (b[rank - 2] != k)
    return fail("the inner dimensions of 'tl.dot' must agree, found " +
                lhs.str() + " and " + rhs.str() + ": " + llvm::Twine(k) +
                " against " + llvm::Twine(b[rank - 2]));
  if (rank == 3 && a[0] != b[0])
    return fail("the batch dimensions of 'tl.dot' must agree, found " +
                lhs.str() + " and " + rhs.str());

  const Type *outType = options.outType;
  if (!outType)
    outType = acc ? acc->elem() : scalar(ScalarId::Float32);
  const Type *element = outType;
  if (lhs.elem()->isInteger()) {
    if (!lhs.elem()->is(ScalarId::Int8))
      return fail("of the integers 'tl.dot' takes int8 only, found " +
                  lhs.str());
    element = scalar(ScalarId::Int32);
    if (!acc)
      outType = element;
  } else if (outType->is(ScalarId::BFloat16)) {
    return fail("'tl.dot' has no bf16 result; use out_dtype=tl.float32 and "
                "cast with .to(tl.bfloat16)");
  } else if (lhs.elem()->is(ScalarId::Float32) ||
             lhs.elem()->is(ScalarId::BFloat16)) {
    element = scalar(ScalarId::Float32);
  } else if (lhs.elem()->is(ScalarId::Float64)) {
    element = scalar(ScalarId::Float64);
    if (!acc && !options.outType)
      outType = element;
  } else if (!outType->is(ScalarId::Float32) &&
             !outType->is(ScalarId::Float16)) {
    return fail("'out_dtype' of 'tl.dot' on " + lhs.elem()->signature() +
                " is tl.float32 or tl.float16, found " + outType->signature());
  }

  llvm::SmallVector<int64_t, 3> shape;
  if (rank == 3)
    shape.push_back(a[0]);
  shape.push_back(a[rank - 2]);
  shape.push_back(b[rank - 1]);
  if (!checkShape(shape, "the result of 'tl.dot'"))
    return Tensor();
  const Type *type = types.getBlock(element, shape);
  Tensor start;
  if (!acc) {
    start = splat(
        constant(element->isInteger() ? Number::ofInt(0) : Number::ofFloat(0),
                 element),
        shape);
  } else {
    start = *acc;
    if (start.shape() != llvm::ArrayRef<int64_t>(shape))
      return fail("'acc' of 'tl.dot' must have shape [" + shapeText(shape) +
                  "], found " + start.str());
    if (start.elem() != outType || start.elem() != element)
      return fail("'acc' of 'tl.dot' must be of type " + element->signature() +
                  " for operands of " + lhs.elem()->signature() + ", found " +
                  start.str() +
                  (options.outType && start.elem() == element
                       ? "; out_dtype says " + outType->signature()
                       : ""));
  }

  int64_t imprecise = 0;
  if (options.maxNumImpreciseAcc) {
    imprecise = *options.maxNumImpreciseAcc;
    if (bothFloat8 && imprecise > k)
      return fail("'max_num_imprecise_acc' may not exceed K, found " +
                  llvm::Twine(imprecise) + " with K = " + llvm::Twine(k));
  } else if (bothFloat8) {
    imprecise = int64_t(1) << 30; // no limit, as on the targets that have one
  }
  return {tt::DotOp::create(builder, loc, lhs.handle, rhs.handle, start.handle,
                            *precision, static_cast<uint32_t>(imprecise)),
          type};
}

//===----------------------------------------------------------------------===//
// Scaled products
//===----------------------------------------------------------------------===//

static std::optional<tt::ScaleDotElemType> scaledFormat(llvm::StringRef text) {
  return llvm::StringSwitch<std::optional<tt::ScaleDotElemType>>(text)
      .Case("e2m1", tt::ScaleDotElemType::E2M1)
      .Case("e4m3", tt::ScaleDotElemType::E4M3)
      .Case("e5m2", tt::ScaleDotElemType::E5M2)
      .Case("bf16", tt::ScaleDotElemType::BF16)
      .Case("fp16", tt::ScaleDotElemType::FP16)
      .Default(std::nullopt);
}

Tensor Semantic::toScaledFormat(Tensor value, llvm::StringRef format,
                                llvm::StringRef side) {
  struct Row {
    llvm::StringLiteral format;
    ScalarId type, raw;
  };
  static constexpr Row rows[] = {
      {"e5m2", ScalarId::Float8E5, ScalarId::UInt8},
      {"e4m3", ScalarId::Float8E4NV, ScalarId::UInt8},
      {"bf16", ScalarId::BFloat16, ScalarId::UInt16},
      {"fp16", ScalarId::Float16, ScalarId::UInt16},
      {"e2m1", ScalarId::UInt8, ScalarId::UInt8},
  };
  for (const Row &row : rows) {
    if (row.format != format)
      continue;
    if (value.elem()->is(row.type))
      return value;
    if (value.elem()->is(row.raw))
      return bitcast(value, scalar(row.type));
    return fail(
        "the " + side + " operand of 'tl.dot_scaled' in format \"" + format +
        "\" is of type " + scalar(row.type)->signature() +
        (row.type == row.raw ? "" : " or " + scalar(row.raw)->signature()) +
        ", found " + value.str());
  }
  return fail("the formats of 'tl.dot_scaled' are \"e2m1\", \"e4m3\", "
              "\"e5m2\", \"bf16\" and \"fp16\", found \"" +
              format + "\"");
}

Tensor Semantic::dotScaled(ScaledOperand lhs, ScaledOperand rhs,
                           std::optional<Tensor> acc, bool fastMath,
                           const Type *outType) {
  if (!lhs.value || !rhs.value || (acc && !*acc) ||
      (lhs.scale && !*lhs.scale) || (rhs.scale && !*rhs.scale))
    return Tensor();
  int64_t rank = lhs.value.rank();
  if (rank != rhs.value.rank() || rank < 2 || rank > 3)
    return fail("'tl.dot_scaled' takes two matrices or two batches of "
                "matrices, found " +
                lhs.value.str() + " and " + rhs.value.str());
  lhs.value = toScaledFormat(lhs.value, lhs.format, "left");
  rhs.value = toScaledFormat(rhs.value, rhs.format, "right");
  if (!lhs.value || !rhs.value)
    return Tensor();
  if ((!lhs.kPack && lhs.format != "e2m1") ||
      (!rhs.kPack && rhs.format != "e2m1"))
    return fail("only the format \"e2m1\" can be packed along a dimension "
                "other than K");

  int64_t packLhs = lhs.format == "e2m1" ? 2 : 1;
  int64_t packRhs = rhs.format == "e2m1" ? 2 : 1;
  int64_t m = lhs.value.shape()[rank - 2], kLhs = lhs.value.shape()[rank - 1];
  int64_t kRhs = rhs.value.shape()[rank - 2], n = rhs.value.shape()[rank - 1];
  (lhs.kPack ? kLhs : m) *= packLhs;
  (rhs.kPack ? kRhs : n) *= packRhs;
  if (kLhs != kRhs)
    return fail("the inner dimensions of 'tl.dot_scaled' must agree, found " +
                llvm::Twine(kLhs) + " elements on the left and " +
                llvm::Twine(kRhs) + " on the right");
  llvm::SmallVector<int64_t, 3> shape;
  if (rank == 3) {
    if (lhs.value.shape()[0] != rhs.value.shape()[0])
      return fail("the batch dimensions of 'tl.dot_scaled' must agree, found " +
                  lhs.value.str() + " and " + rhs.value.str());
    shape.push_back(lhs.value.shape()[0]);
  }
  shape.push_back(m);
  shape.push_back(n);
  if (!outType->isStandardFloat())
    return fail("'out_dtype' of 'tl.dot_scaled' is a float type, found " +
                outType->signature());
  const Type *type = types.getBlock(outType, shape);

  Tensor start;
  if (acc) {
    start = *acc;
    if (start.type != type)
      return fail("'acc' of 'tl.dot_scaled' must be " + type->signature() +
                  ", found " + start.str());
  } else {
    start = splat(constant(Number::ofFloat(0), outType), shape);
  }

  mlir::Value scales[2];
  const std::pair<ScaledOperand *, int64_t> sides[] = {{&lhs, m}, {&rhs, n}};
  for (auto [index, side] : llvm::enumerate(sides)) {
    auto [operand, rows] = side;
    if (!operand->scale)
      continue;
    llvm::StringRef name = index == 0 ? "lhs_scale" : "rhs_scale";
    const Tensor &scale = *operand->scale;
    // u8 holds e8m0 (groups of 32), e4m3 is nvfp4's (groups of 16).
    bool isE4M3 = scale.elem()->is(ScalarId::Float8E4NV);
    if (!isE4M3 && !scale.elem()->is(ScalarId::UInt8) &&
        !scale.elem()->is(ScalarId::Int8))
      return fail("'" + name + "' is of type u8 (e8m0) or fp8e4nv, found " +
                  scale.str());
    int64_t group = isE4M3 ? 16 : 32;
    llvm::ArrayRef<int64_t> have = scale.shape();
    if (scale.rank() != rank || have[rank - 2] != rows ||
        have[rank - 1] * group != kLhs)
      return fail("'" + name + "' must have the shape [" +
                  (rank == 3 ? "..., " : "") + llvm::Twine(rows) + ", " +
                  llvm::Twine(kLhs / group) + "], found " + scale.str());
    scales[index] = scale.handle;
  }
  return {tt::DotScaledOp::create(
              builder, loc, toIR(type), lhs.value.handle, rhs.value.handle,
              start.handle, scales[0], scales[1], *scaledFormat(lhs.format),
              *scaledFormat(rhs.format), fastMath, lhs.kPack, rhs.kPack),
          type};
}

} // namespace nereid::lang
