//===- Asm.cpp - Inline PTX and intrinsics, in short form -----------------===//

#include "compiler/Target/NVPTX/Asm.h"

using namespace mlir;

namespace nereid::nvptx {

SmallVector<Value> inlineAsm(OpBuilder &b, Location loc, TypeRange results,
                             StringRef text, StringRef constraints,
                             ValueRange operands, AsmEffects effects) {
  MLIRContext *context = b.getContext();
  Type type = LLVM::LLVMVoidType::get(context);
  if (results.size() == 1)
    type = results.front();
  else if (results.size() > 1)
    type =
        LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(results));
  bool memory = effects == AsmEffects::Memory;
  std::string all = constraints.str();
  if (memory)
    all += all.empty() ? "~{memory}" : ",~{memory}";
  SmallVector<Type> resultTypes;
  if (!results.empty())
    resultTypes.push_back(type);
  auto op = LLVM::InlineAsmOp::create(
      b, loc, resultTypes, operands, text, all,
      /*has_side_effects=*/effects != AsmEffects::None,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(context, LLVM::AsmDialect::AD_ATT),
      /*operand_attrs=*/ArrayAttr());
  SmallVector<Value> values;
  if (results.size() == 1)
    values.push_back(op.getRes());
  else
    for (int64_t i = 0, n = results.size(); i < n; ++i)
      values.push_back(LLVM::ExtractValueOp::create(b, loc, op.getRes(), i));
  return values;
}

Value intrinsic(OpBuilder &b, Location loc, Type result, StringRef name,
                ValueRange operands) {
  auto attribute = b.getStringAttr(name);
  if (!result) {
    LLVM::CallIntrinsicOp::create(b, loc, attribute, operands);
    return {};
  }
  return LLVM::CallIntrinsicOp::create(b, loc, result, attribute, operands)
      .getResults();
}

Value constantInt(OpBuilder &b, Location loc, int bits, int64_t value) {
  Type type = b.getIntegerType(bits);
  return LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value));
}

StringRef constraintOf(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return cast<LLVM::LLVMPointerType>(type).getAddressSpace() == 3 ? "r" : "l";
  if (type.isF32())
    return "f";
  if (type.isF64())
    return "d";
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return "b";
  case 16:
    return "h";
  case 32:
    return "r";
  case 64:
    return "l";
  }
  llvm_unreachable("no PTX register holds this type");
}

} // namespace nereid::nvptx
