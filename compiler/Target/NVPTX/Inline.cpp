//===- Inline.cpp - The program's own assembly and library calls ----------===//

#include "compiler/Target/NVPTX/Asm.h"
#include "compiler/Target/NVPTX/Hooks.h"

using namespace mlir;

namespace nereid::nvptx {
namespace {

using gpu::Emitter;
using gpu::Registers;

unsigned bitsOf(Type type) {
  return isa<LLVM::LLVMPointerType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

/// How many elements share one register of the assembly: as many as fit into
/// 32 bits, of those that one run of the assembly gets.
int64_t perRegister(Type scalar, int64_t pack) {
  unsigned bits = bitsOf(scalar);
  return std::min<int64_t>(bits < 32 ? 32 / bits : 1, pack);
}

/// The type of such a register.
Type registerType(OpBuilder &b, Type scalar, int64_t together) {
  if (together == 1)
    return scalar;
  return b.getIntegerType(bitsOf(scalar) * together);
}

// The assembly runs on `packed_element` registers of every operand at a time.
LogicalResult emitInlineAsm(Emitter &e, Operation *op) {
  auto assembly = cast<tt::ElementwiseInlineAsmOp>(op);
  Location loc = op->getLoc();
  OpBuilder &b = e.builder;
  int64_t pack = assembly.getPackedElement();
  int64_t count = e.count(op->getResult(0).getType());

  SmallVector<Type> types; // of the assembly's results, in order
  for (Type type : op->getResultTypes()) {
    Type scalar = e.scalarType(type);
    int64_t together = perRegister(scalar, pack);
    types.append(pack / together, registerType(b, scalar, together));
  }
  Type result = types.front();
  if (types.size() > 1)
    result = LLVM::LLVMStructType::getLiteral(b.getContext(), types);

  SmallVector<Registers> results(op->getNumResults());
  for (int64_t r = 0; r < count; r += pack) {
    SmallVector<Value> operands;
    for (Value argument : assembly.getArgs()) {
      ArrayRef<Value> held = e.get(argument);
      // The last run may lack elements: it sees the last one again.
      auto element = [&](int64_t i) {
        return held.size() == 1 ? held.front()
                                : held[std::min<int64_t>(i, held.size() - 1)];
      };
      Type scalar = e.scalarType(argument.getType());
      int64_t together = perRegister(scalar, pack);
      for (int64_t i = 0; i < pack; i += together) {
        if (together == 1) {
          operands.push_back(element(r + i));
          continue;
        }
        Value whole =
            LLVM::UndefOp::create(b, loc, VectorType::get(together, scalar));
        for (int64_t k = 0; k < together; ++k)
          whole = LLVM::InsertElementOp::create(
              b, loc, whole, element(r + i + k), constantInt(b, loc, 32, k));
        operands.push_back(LLVM::BitcastOp::create(
            b, loc, registerType(b, scalar, together), whole));
      }
    }
    auto call = LLVM::InlineAsmOp::create(
        b, loc, TypeRange{result}, operands, assembly.getAsmString(),
        assembly.getConstraints(), /*has_side_effects=*/!assembly.getPure(),
        /*is_align_stack=*/false, LLVM::TailCallKind::None,
        LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT),
        /*operand_attrs=*/ArrayAttr());
    SmallVector<Value> given;
    if (types.size() == 1)
      given.push_back(call.getRes());
    else
      for (size_t i = 0; i < types.size(); ++i)
        given.push_back(
            LLVM::ExtractValueOp::create(b, loc, call.getRes(), int64_t(i)));
    size_t next = 0;
    for (auto [k, type] : llvm::enumerate(op->getResultTypes())) {
      Type scalar = e.scalarType(type);
      int64_t together = perRegister(scalar, pack);
      for (int64_t i = 0; i < pack; i += together) {
        Value held = given[next++];
        if (together > 1)
          held = LLVM::BitcastOp::create(
              b, loc, VectorType::get(together, scalar), held);
        for (int64_t j = 0; j < together; ++j) {
          if (r + i + j >= count)
            break;
          results[k].push_back(
              together == 1 ? held
                            : LLVM::ExtractElementOp::create(
                                  b, loc, held, constantInt(b, loc, 32, j))
                                  .getResult());
        }
      }
    }
  }
  for (auto [value, registers] : llvm::zip(op->getResults(), results))
    e.set(value, std::move(registers));
  return success();
}

// What nrd-expand-library-calls does not know.
LogicalResult emitExtern(Emitter &e, Operation *op) {
  return emitError(op->getLoc())
         << "the library function '"
         << cast<tt::ExternElementwiseOp>(op).getSymbol()
         << "' has no implementation on " << e.target.name;
}

} // namespace

void addInline(gpu::EmitTable &table) {
  table["tt.elementwise_inline_asm"] = emitInlineAsm;
  table["tt.extern_elementwise"] = emitExtern;
}

} // namespace nereid::nvptx
