//===- OpsDebug.cpp - Printing and assertions -----------------------------===//

#include "compiler/Lang/OpTable.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace nereid::lang {

Value opStaticPrint(OpArgs &args) {
  std::string text;
  llvm::StringRef separator, end;
  if (!args.string(1, separator) || !args.string(2, end))
    return Value();
  for (auto [index, value] : llvm::enumerate(args.value(0).getElements())) {
    if (index)
      text += separator;
    text += value.isCompileTime() ? str(value) : describeType(value);
  }
  text += end;
  ModuleCodeGen &cg = args.fn.getModuleCodeGen();
  if (cg.getOptions().print)
    cg.getOptions().print(text);
  else
    (void)cg.getDiags().report(Severity::Note, args.range, text);
  return Value::none();
}

Value opStaticAssert(OpArgs &args) {
  if (!args.value(0).isBool()) {
    args.failAt(0, "'tl.static_assert' takes a bool known at compile time, "
                   "found " +
                       describeType(args.value(0)));
    return Value();
  }
  if (args.value(0).getBool())
    return Value::none();
  std::string message = str(args.value(1));
  args.fn.setAssertionFailed();
  return args.fail("static assertion failed" +
                   (message.empty() ? "" : ": " + message));
}

Value opDevicePrint(OpArgs &args) {
  if (!args.value(0).isString()) {
    args.failAt(0, "the prefix of 'tl.device_print' is a string, found " +
                       describeType(args.value(0)));
    return Value();
  }
  bool hex;
  if (!args.boolean(2, hex))
    return Value();
  std::string prefix = args.value(0).getString().str();
  for (char c : prefix)
    if (static_cast<unsigned char>(c) < 32 || c == 127) {
      args.failAt(0, "the prefix of 'tl.device_print' holds printable "
                     "characters only");
      return Value();
    }
  llvm::SmallVector<mlir::Value, 4> handles;
  llvm::SmallVector<int32_t, 4> isSigned;
  for (Value value : args.value(1).getElements()) {
    Tensor tensor =
        args.fn.toTensor(value, args.rangeOf(1), "an argument of a print");
    if (!tensor)
      return Value();
    if (tensor.isVoid())
      return args.fail("an argument of a print is a call that gives no value");
    handles.push_back(tensor.handle);
    isSigned.push_back(tensor.elem()->isSigned());
  }
  // " prefix: ", as R25 has it.
  if (!handles.empty()) {
    if (!llvm::StringRef(prefix).ends_with(" "))
      prefix += " ";
    if (!llvm::StringRef(prefix).ends_with(": ")) {
      prefix.pop_back();
      prefix += ": ";
    }
  }
  if (prefix.size() > 2 && prefix.front() != ' ')
    prefix = " " + prefix;
  tt::PrintOp::create(args.sem.getBuilder(), args.sem.getLoc(), prefix, hex,
                      handles, isSigned);
  return Value::none();
}

Value opDeviceAssert(OpArgs &args) {
  Tensor condition;
  llvm::StringRef message;
  std::optional<Tensor> mask;
  if (!args.tensor(0, condition) || !args.string(1, message) ||
      !args.optionalTensor(2, mask))
    return Value();
  if (mask) {
    if (!mask->elem()->isBool())
      return args.fail("'mask' takes i1, found " + mask->str());
    condition =
        args.sem.bitwise(Bitwise::Or, args.sem.cast(condition, ScalarId::Int1),
                         args.sem.logicalNot(*mask));
  } else {
    condition = args.sem.cast(condition, ScalarId::Int1);
  }
  if (!condition)
    return Value();
  if (args.fn.getModuleCodeGen().getOptions().debug)
    tt::AssertOp::create(args.sem.getBuilder(), args.sem.getLoc(),
                         condition.handle, message);
  return Value::none();
}

Value opAssume(OpArgs &args) {
  // What is known at compile time needs no assumption.
  if (args.value(0).isBool()) {
    if (!args.value(0).getBool())
      args.fn.warn(args.range, "this assumption is known to be false");
    return Value::none();
  }
  Tensor condition;
  if (!args.tensor(0, condition))
    return Value();
  if (condition.isBlock())
    return args.fail("'tl.assume' takes a scalar, found " + condition.str());
  condition = args.sem.cast(condition, ScalarId::Int1);
  if (!condition)
    return Value();
  mlir::LLVM::AssumeOp::create(args.sem.getBuilder(), args.sem.getLoc(),
                               condition.handle);
  return Value::none();
}

Value opDebugBarrier(OpArgs &args) {
  ttg::BarrierOp::create(args.sem.getBuilder(), args.sem.getLoc(),
                         ttg::BarrierScope::All);
  return Value::none();
}

} // namespace nereid::lang
