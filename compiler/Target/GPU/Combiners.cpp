//===- Combiners.cpp - Which regions may exchange their operands ----------===//
//
// A reduction is cheaper when its elements may be combined in any order. Two
// ways to know it:
//
//  * by form: with the operands exchanged, every result is the same expression,
//    where commutative operations forget the order of theirs;
//  * by trial: a region that only compares and selects sees nothing of its
//    operands but how they are ordered. Two values have few orders, so a small
//    set of values shows all that can happen.
//
// argmax is of the second kind: it commutes but for NaNs, where it is not even
// associative, so that no order of combination is promised.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/GPU/Axis.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <map>

using namespace mlir;

namespace nereid::gpu {

namespace {

//===-- By form -----------------------------------------------------------===//

class Forms {
public:
  explicit Forms(Block &block) : block(block) {}

  bool symmetric() {
    for (Value result : block.getTerminator()->getOperands())
      if (form(result, false) != form(result, true))
        return false;
    return true;
  }

private:
  using Key =
      std::pair<std::pair<const void *, const void *>, SmallVector<uint64_t>>;

  unsigned number(Key key) {
    return numbers.try_emplace(std::move(key), unsigned(numbers.size()))
        .first->second;
  }

  unsigned form(Value value, bool exchanged) {
    auto known = forms.find({value.getAsOpaquePointer(), exchanged});
    if (known != forms.end())
      return known->second;
    unsigned result = makeForm(value, exchanged);
    forms[{value.getAsOpaquePointer(), exchanged}] = result;
    return result;
  }

  unsigned makeForm(Value value, bool exchanged) {
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner() == &block) {
      unsigned all = block.getNumArguments();
      unsigned which = argument.getArgNumber();
      if (exchanged)
        which = (which + all / 2) % all;
      return number({{nullptr, nullptr}, {which}});
    }
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != &block || op->getNumRegions())
      return number({{value.getAsOpaquePointer(), nullptr}, {}});
    SmallVector<uint64_t> parts;
    for (Value operand : op->getOperands())
      parts.push_back(form(operand, exchanged));
    DictionaryAttr attributes = op->getAttrDictionary();
    if (op->hasTrait<OpTrait::IsCommutative>()) {
      llvm::sort(parts);
    } else if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
      parts = compareForm(parts, unsigned(compare.getPredicate()),
                          unsigned(mirror(compare.getPredicate())));
      attributes = {};
    } else if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
      parts = compareForm(parts, unsigned(compare.getPredicate()),
                          unsigned(mirror(compare.getPredicate())));
      attributes = {};
    }
    parts.push_back(cast<OpResult>(value).getResultNumber());
    parts.push_back(uint64_t(value.getType().getAsOpaquePointer()));
    return number({{op->getName().getAsOpaquePointer(),
                    attributes ? attributes.getAsOpaquePointer() : nullptr},
                   std::move(parts)});
  }

  /// a < b and b > a have one form: the smaller of the two.
  static SmallVector<uint64_t> compareForm(ArrayRef<uint64_t> operands,
                                           unsigned predicate,
                                           unsigned mirrored) {
    SmallVector<uint64_t> one = {operands[0], operands[1], predicate};
    SmallVector<uint64_t> other = {operands[1], operands[0], mirrored};
    return std::min(one, other);
  }

  static arith::CmpIPredicate mirror(arith::CmpIPredicate predicate) {
    using P = arith::CmpIPredicate;
    switch (predicate) {
    case P::slt:
      return P::sgt;
    case P::sgt:
      return P::slt;
    case P::sle:
      return P::sge;
    case P::sge:
      return P::sle;
    case P::ult:
      return P::ugt;
    case P::ugt:
      return P::ult;
    case P::ule:
      return P::uge;
    case P::uge:
      return P::ule;
    default:
      return predicate;
    }
  }
  static arith::CmpFPredicate mirror(arith::CmpFPredicate predicate) {
    using P = arith::CmpFPredicate;
    switch (predicate) {
    case P::OLT:
      return P::OGT;
    case P::OGT:
      return P::OLT;
    case P::OLE:
      return P::OGE;
    case P::OGE:
      return P::OLE;
    case P::ULT:
      return P::UGT;
    case P::UGT:
      return P::ULT;
    case P::ULE:
      return P::UGE;
    case P::UGE:
      return P::ULE;
    default:
      return predicate;
    }
  }

  Block &block;
  std::map<Key, unsigned> numbers;
  std::map<std::pair<void *, bool>, unsigned> forms;
};

//===-- By trial ----------------------------------------------------------===//

class Trial {
public:
  explicit Trial(Block &block) : block(block) {}

  bool commutes() {
    for (Operation &op : block) {
      if (&op != block.getTerminator() && !understands(op))
        return false;
      // A value from outside could be anything, but for a constant.
      for (Value operand : op.getOperands()) {
        if (operand.getParentBlock() == &block)
          continue;
        Operation *constant = operand.getDefiningOp();
        if (!constant || !isa<arith::ConstantOp>(constant) ||
            !understands(*constant))
          return false;
        outside[operand] = evaluate(*constant, {});
      }
    }
    const size_t operands = block.getNumArguments() / 2;
    // Three values that are ordered alike, signed and unsigned, and one that is
    // not; for floats the last is a NaN.
    size_t count = 1;
    for (size_t i = 0; i < operands; ++i)
      count *= 4;
    if (count > 64)
      return false;
    SmallVector<Sample> samples;
    SmallVector<bool> hasNaN;
    for (size_t number = 0; number < count; ++number) {
      Sample sample;
      bool nan = false;
      size_t rest = number;
      for (size_t i = 0; i < operands; ++i, rest /= 4) {
        Type type = block.getArgument(i).getType();
        bool special = rest % 4 == 3;
        if (isa<FloatType>(type)) {
          nan |= special;
          sample.push_back(special ? kNaN : int64_t(rest % 4));
        } else if (type.isInteger(1)) {
          sample.push_back(int64_t(rest % 2));
        } else {
          sample.push_back(special ? -1 : int64_t(rest % 4));
        }
      }
      samples.push_back(std::move(sample));
      hasNaN.push_back(nan);
    }
    bool always = true;
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < i; ++j)
        if (combine(samples[i], samples[j]) !=
            combine(samples[j], samples[i])) {
          if (!hasNaN[i] && !hasNaN[j])
            return false;
          always = false;
        }
    if (always)
      return true;
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j)
        for (size_t k = 0; k < count; ++k)
          if (combine(combine(samples[i], samples[j]), samples[k]) !=
              combine(samples[i], combine(samples[j], samples[k])))
            return true; // not associative: no order is promised
    return false;
  }

private:
  using Sample = SmallVector<int64_t, 4>;
  static constexpr int64_t kNaN = INT64_MIN;

  static bool understands(Operation &op) {
    auto truth = [&] { return op.getResult(0).getType().isInteger(1); };
    if (isa<arith::SelectOp>(op))
      return op.getOperand(0).getType().isInteger(1);
    if (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op))
      return truth();
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return truth() && isa<IntegerAttr>(constant.getValue());
    return isa<arith::CmpIOp, arith::CmpFOp>(op);
  }

  Sample combine(const Sample &lhs, const Sample &rhs) {
    llvm::DenseMap<Value, int64_t> values = outside;
    size_t next = 0;
    for (const Sample *sample : {&lhs, &rhs})
      for (int64_t value : *sample)
        values[block.getArgument(unsigned(next++))] = value;
    for (Operation &op : block.without_terminator()) {
      SmallVector<int64_t, 3> in;
      for (Value operand : op.getOperands())
        in.push_back(values.lookup(operand));
      values[op.getResult(0)] = evaluate(op, in);
    }
    Sample result;
    for (Value value : block.getTerminator()->getOperands())
      result.push_back(values.lookup(value));
    return result;
  }

  static int64_t evaluate(Operation &op, ArrayRef<int64_t> in) {
    if (isa<arith::SelectOp>(op))
      return in[0] ? in[1] : in[2];
    if (isa<arith::AndIOp>(op))
      return in[0] & in[1];
    if (isa<arith::OrIOp>(op))
      return in[0] | in[1];
    if (isa<arith::XOrIOp>(op))
      return in[0] ^ in[1];
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return cast<IntegerAttr>(constant.getValue()).getValue().isZero() ? 0 : 1;
    if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
      const unsigned bits = compare.getLhs().getType().getIntOrFloatBitWidth();
      return arith::applyCmpPredicate(compare.getPredicate(),
                                      APInt(bits, uint64_t(in[0]), true, true),
                                      APInt(bits, uint64_t(in[1]), true, true));
    }
    auto number = [](int64_t value) {
      return value == kNaN ? APFloat::getNaN(APFloat::IEEEdouble())
                           : APFloat(double(value));
    };
    return arith::applyCmpPredicate(cast<arith::CmpFOp>(op).getPredicate(),
                                    number(in[0]), number(in[1]));
  }

  Block &block;
  llvm::DenseMap<Value, int64_t> outside; ///< constants
};

} // namespace

bool commutes(Region &region) {
  if (!region.hasOneBlock())
    return false;
  Block &block = region.front();
  return Forms(block).symmetric() || Trial(block).commutes();
}

} // namespace nereid::gpu
