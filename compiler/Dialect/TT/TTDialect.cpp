//===- TTDialect.cpp - The dialect: registration, inlining, constants -----===//

#include "compiler/Dialect/TT/TTDialect.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace nereid::tt;

#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "compiler/Dialect/TT/TTDialect.cpp.inc"
#include "compiler/Dialect/TT/TTGDialect.cpp.inc"

// `local|global_read`, or `all`.
static ParseResult parseBarrierScope(OpAsmParser &parser,
                                     nereid::ttg::BarrierScopeAttr &scope) {
  auto bits = nereid::ttg::BarrierScope::None;
  do {
    StringRef keyword;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&keyword))
      return failure();
    auto bit = nereid::ttg::symbolizeBarrierScope(keyword);
    if (!bit)
      return parser.emitError(loc)
             << "'" << keyword << "' is not a memory of a barrier";
    bits = bits | *bit;
  } while (succeeded(parser.parseOptionalVerticalBar()));
  scope = nereid::ttg::BarrierScopeAttr::get(parser.getContext(), bits);
  return success();
}

static void printBarrierScope(OpAsmPrinter &printer, Operation *,
                              nereid::ttg::BarrierScopeAttr scope) {
  printer << nereid::ttg::stringifyBarrierScope(scope.getValue());
}

#define GET_OP_CLASSES
#include "compiler/Dialect/TT/TTOps.cpp.inc"
#define GET_OP_CLASSES
#include "compiler/Dialect/TT/TTGOps.cpp.inc"

namespace {

// Lets calls of any function be inlined that did not ask to stay a call. A
// body of several blocks goes only where several blocks are allowed; the
// inliner itself checks that.
struct TTInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Operation *callable, bool) const final {
    auto function = dyn_cast<FuncOp>(callable);
    return !function || !function.isNoInline();
  }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final {
    return true;
  }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }

  void handleTerminator(Operation *op, Block *next) const final {
    auto ret = dyn_cast<ReturnOp>(op);
    if (!ret)
      return;
    OpBuilder builder(op);
    cf::BranchOp::create(builder, op->getLoc(), next, ret.getSrcs());
    op->erase();
  }

  void handleTerminator(Operation *op, ValueRange results) const final {
    auto ret = cast<ReturnOp>(op);
    for (auto [from, to] : llvm::zip_equal(results, ret.getSrcs()))
      from.replaceAllUsesWith(to);
  }
};

// What Triton's GPU dialect adds goes wherever its function goes.
struct TTGInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;

  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final {
    return true;
  }
};

} // namespace

void TTDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "compiler/Dialect/TT/TTOps.cpp.inc"
      >();
  addInterfaces<TTInliner>();
}

Operation *TTDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                          Type type, Location loc) {
  if (auto poison = dyn_cast<ub::PoisonAttr>(value))
    return ub::PoisonOp::create(builder, loc, type, poison);
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

void nereid::ttg::TTGDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/Dialect/TT/TTGOps.cpp.inc"
      >();
  addInterfaces<TTGInliner>();
}
