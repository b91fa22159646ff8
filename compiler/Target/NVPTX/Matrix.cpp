//===- Matrix.cpp - ldmatrix and stmatrix ---------------------------------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {

static std::string matrixName(StringRef verb, int count, bool transposed) {
  return ("llvm.nvvm." + verb + ".sync.aligned.m8n8.x" + Twine(count) +
          (transposed ? ".trans" : "") + ".b16.p3")
      .str();
}

SmallVector<Value> Hooks::loadMatrix(Builder &b, Loc loc, Value pointer,
                                     int count, bool transposed) {
  Type i32 = b.getI32Type();
  std::string name = matrixName("ldmatrix", count, transposed);
  if (count == 1)
    return {intrinsic(b, loc, i32, name, {pointer})};
  Value all = intrinsic(b, loc,
                        LLVM::LLVMStructType::getLiteral(
                            b.getContext(), SmallVector<Type>(count, i32)),
                        name, {pointer});
  SmallVector<Value> words;
  for (int i = 0; i < count; ++i)
    words.push_back(LLVM::ExtractValueOp::create(b, loc, all, i));
  return words;
}

void Hooks::storeMatrix(Builder &b, Loc loc, Value pointer, ValueRange words,
                        bool transposed) {
  SmallVector<Value> operands{pointer};
  operands.append(words.begin(), words.end());
  intrinsic(b, loc, {}, matrixName("stmatrix", int(words.size()), transposed),
            operands);
}

} // namespace nereid::nvptx
