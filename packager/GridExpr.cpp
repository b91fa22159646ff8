//===- GridExpr.cpp - Grid expressions ------------------------------------===//

#include "packager/GridExpr.h"

#include "packager/Suggest.h"

#include <algorithm>
#include <cctype>

namespace nereid::pack {

struct GridNode {
  enum class Kind { Constant, Name, Dim, Operation };
  Kind kind = Kind::Constant;
  size_t offset = 0;
  int64_t value = 0; ///< Constant; Dim: the dimension
  std::string name;  ///< Name, Dim
  GridOp op = GridOp::Add;
  std::unique_ptr<GridNode> lhs, rhs;
};

GridExpr::GridExpr() = default;
GridExpr::~GridExpr() = default;
GridExpr::GridExpr(GridExpr &&) = default;
GridExpr &GridExpr::operator=(GridExpr &&) = default;

//===-- Parsing -----------------------------------------------------------===//

namespace {

struct Function {
  const char *name;
  GridOp op;
};
constexpr Function kFunctions[] = {
    {"cdiv", GridOp::CDiv}, {"min", GridOp::Min}, {"max", GridOp::Max}};

using Node = std::unique_ptr<GridNode>;

class Parser {
public:
  Parser(std::string_view text, GridError &error) : text(text), error(error) {}

  Node run() {
    Node node = sum();
    if (!node)
      return nullptr;
    skip();
    if (at == text.size())
      return node;
    if (text[at] == '/')
      return fail("'/' would not give an integer; use '//' (floor) or "
                  "'cdiv(a, b)' (ceiling)");
    if (text[at] == ',')
      return fail("one string holds one axis of the grid; write grid = "
                  "[\"x\", \"y\"] for two");
    return fail(concat("unexpected '", text.substr(at, 1),
                       "'; allowed: + - * // % ( ), cdiv, min, max, integers "
                       "and names"));
  }

private:
  Node fail(std::string message) { return failAt(at, std::move(message)); }
  Node failAt(size_t offset, std::string message) {
    if (error.text.empty()) {
      error.offset = offset;
      error.text = std::move(message);
    }
    return nullptr;
  }

  void skip() {
    while (at < text.size() &&
           std::isspace(static_cast<unsigned char>(text[at])))
      ++at;
  }
  bool take(std::string_view token) {
    skip();
    if (text.substr(at, token.size()) != token)
      return false;
    at += token.size();
    return true;
  }
  bool startsName() const {
    return at < text.size() &&
           (std::isalpha(static_cast<unsigned char>(text[at])) ||
            text[at] == '_');
  }
  std::string_view takeName() {
    size_t begin = at;
    while (
        at < text.size() &&
        (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_'))
      ++at;
    return text.substr(begin, at - begin);
  }

  static Node binary(GridOp op, size_t offset, Node lhs, Node rhs) {
    auto node = std::make_unique<GridNode>();
    node->kind = GridNode::Kind::Operation;
    node->offset = offset;
    node->op = op;
    node->lhs = std::move(lhs);
    node->rhs = std::move(rhs);
    return node;
  }
  static Node constant(size_t offset, int64_t value) {
    auto node = std::make_unique<GridNode>();
    node->offset = offset;
    node->value = value;
    return node;
  }

  Node sum() {
    Node lhs = product();
    while (lhs) {
      skip();
      size_t offset = at;
      GridOp op;
      if (take("+"))
        op = GridOp::Add;
      else if (take("-"))
        op = GridOp::Sub;
      else
        break;
      Node rhs = product();
      if (!rhs)
        return nullptr;
      lhs = binary(op, offset, std::move(lhs), std::move(rhs));
    }
    return lhs;
  }

  Node product() {
    Node lhs = unary();
    while (lhs) {
      skip();
      size_t offset = at;
      GridOp op;
      if (text.substr(at, 2) == "**")
        return fail("'**' is not allowed in a grid; allowed: + - * // %, "
                    "cdiv, min, max");
      if (take("*"))
        op = GridOp::Mul;
      else if (take("//"))
        op = GridOp::Div;
      else if (take("%"))
        op = GridOp::Mod;
      else
        break;
      Node rhs = unary();
      if (!rhs)
        return nullptr;
      lhs = binary(op, offset, std::move(lhs), std::move(rhs));
    }
    return lhs;
  }

  Node unary() {
    skip();
    size_t offset = at;
    if (!take("-"))
      return primary();
    if (!enter())
      return nullptr;
    Node operand = unary();
    --depth;
    if (!operand)
      return nullptr;
    return binary(GridOp::Sub, offset, constant(offset, 0), std::move(operand));
  }

  // Bounds the recursion, so that hostile text cannot exhaust the stack.
  bool enter() {
    if (++depth <= 64)
      return true;
    fail("the expression is nested more than 64 deep");
    return false;
  }

  Node primary() {
    skip();
    if (at == text.size())
      return text.empty() || at == 0
                 ? fail("the grid expression is empty; write for example "
                        "\"cdiv(n, BLOCK)\"")
                 : fail("the expression ends where a value is expected");
    size_t offset = at;
    if (take("(")) {
      if (!enter())
        return nullptr;
      Node inner = sum();
      --depth;
      if (!inner)
        return nullptr;
      if (!take(")"))
        return failAt(offset, "this '(' is never closed");
      return inner;
    }
    if (std::isdigit(static_cast<unsigned char>(text[at])))
      return number();
    if (startsName())
      return nameOrCall();
    return fail(concat("expected a name, an integer or '(', found '",
                       text.substr(at, 1), "'"));
  }

  Node number() {
    size_t offset = at;
    int64_t value = 0;
    while (at < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[at])) ||
            text[at] == '_')) {
      if (text[at] != '_' &&
          (__builtin_mul_overflow(value, int64_t(10), &value) ||
           __builtin_add_overflow(value, int64_t(text[at] - '0'), &value)))
        return failAt(offset, "this integer does not fit 64 bits");
      ++at;
    }
    if (at < text.size() && (text[at] == '.' || startsName()))
      return failAt(offset, "only whole decimal numbers are allowed in a grid");
    return constant(offset, value);
  }

  Node nameOrCall() {
    size_t offset = at;
    std::string name(takeName());
    if ((name == "triton" || name == "tl") && take(".")) {
      skip();
      name = takeName();
      skip();
      if (text.substr(at, 1) != "(" || !findFunction(name))
        return failAt(offset, concat("unknown function '", name,
                                     "'; allowed: cdiv, min and max"));
    }
    skip();
    if (text.substr(at, 1) == "(") {
      const Function *function = findFunction(name);
      if (!function)
        return failAt(offset, concat("unknown function '", name,
                                     "'; allowed: cdiv, min and max"));
      ++at;
      return call(*function, offset);
    }
    if ((name == "META" || name == "meta") && take("["))
      return metaName(offset);
    auto node = std::make_unique<GridNode>();
    node->kind = GridNode::Kind::Name;
    node->offset = offset;
    node->name = std::move(name);
    if (take(".")) {
      if (!take("shape") || !take("["))
        return failAt(offset, concat("only '.shape[i]' may follow a "
                                     "descriptor's name, as in '",
                                     node->name, ".shape[0]'"));
      skip();
      size_t begin = at;
      Node dimension =
          at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))
              ? number()
              : nullptr;
      if (!dimension || !take("]"))
        return failAt(begin, "expected a dimension and ']', as in "
                             "'x.shape[0]'");
      node->kind = GridNode::Kind::Dim;
      node->value = dimension->value;
    }
    return node;
  }

  // META['BLOCK'], as a grid lambda spells a constant.
  Node metaName(size_t offset) {
    skip();
    char quote = at < text.size() ? text[at] : '\0';
    if (quote != '\'' && quote != '"')
      return fail("expected a quoted name, as in META['BLOCK']");
    ++at;
    auto node = std::make_unique<GridNode>();
    node->kind = GridNode::Kind::Name;
    node->offset = offset;
    node->name = std::string(takeName());
    if (at >= text.size() || text[at] != quote)
      return fail("expected a quoted name, as in META['BLOCK']");
    ++at;
    if (!take("]"))
      return fail("expected ']'");
    return node;
  }

  static const Function *findFunction(std::string_view name) {
    for (const Function &function : kFunctions)
      if (name == function.name)
        return &function;
    return nullptr;
  }

  Node call(const Function &function, size_t offset) {
    if (!enter())
      return nullptr;
    Node result;
    unsigned count = 0;
    do {
      Node argument = sum();
      if (!argument)
        return nullptr;
      ++count;
      result = result ? binary(function.op, offset, std::move(result),
                               std::move(argument))
                      : std::move(argument);
    } while (take(","));
    --depth;
    if (!take(")"))
      return failAt(
          offset, concat("the call of '", function.name, "' is never closed"));
    bool right = function.op == GridOp::CDiv ? count == 2 : count >= 2;
    if (!right)
      return failAt(offset, concat("'", function.name, "' takes ",
                                   function.op == GridOp::CDiv
                                       ? "two arguments"
                                       : "two arguments or more",
                                   "; found ", count));
    return result;
  }

  std::string_view text;
  GridError &error;
  size_t at = 0;
  unsigned depth = 0;
};

} // namespace

bool GridExpr::parse(std::string_view text, GridExpr &out, GridError &error) {
  error = {};
  if (text.size() > 4096) {
    error.text = "the grid expression is longer than 4096 characters";
    return false;
  }
  out.text = std::string(text);
  out.root = Parser(text, error).run();
  return out.root != nullptr;
}

//===-- Evaluating --------------------------------------------------------===//

// Applies one operation as the runtime does: checked, floor division as
// Python's. Returns null, or what went wrong.
static const char *apply(GridOp op, int64_t a, int64_t b, int64_t &out) {
  const char *const overflow = "the value does not fit 64 bits";
  switch (op) {
  case GridOp::Add:
    return __builtin_add_overflow(a, b, &out) ? overflow : nullptr;
  case GridOp::Sub:
    return __builtin_sub_overflow(a, b, &out) ? overflow : nullptr;
  case GridOp::Mul:
    return __builtin_mul_overflow(a, b, &out) ? overflow : nullptr;
  case GridOp::Min:
    out = std::min(a, b);
    return nullptr;
  case GridOp::Max:
    out = std::max(a, b);
    return nullptr;
  case GridOp::Div:
  case GridOp::Mod:
  case GridOp::CDiv: {
    if (b == 0)
      return "division by zero";
    if (b == -1) {
      // INT64_MIN / -1 traps.
      if (op == GridOp::Mod) {
        out = 0;
        return nullptr;
      }
      return __builtin_sub_overflow(int64_t(0), a, &out) ? overflow : nullptr;
    }
    int64_t quotient = a / b, rest = a % b;
    bool negative = (rest != 0) && ((rest < 0) != (b < 0));
    if (op == GridOp::Div)
      out = quotient - (negative ? 1 : 0);
    else if (op == GridOp::Mod)
      out = rest + (negative ? b : 0);
    else
      out = quotient + (rest != 0 && !negative ? 1 : 0);
    return nullptr;
  }
  case GridOp::PushConst:
  case GridOp::PushSlot:
  case GridOp::PushDim:
    break;
  }
  return "not an operation on two values";
}

namespace {

class Emitter {
public:
  Emitter(const GridNames &names, GridAxis &out, GridError &error)
      : names(names), out(out), error(error) {}

  bool emit(const GridNode &node) {
    switch (node.kind) {
    case GridNode::Kind::Constant:
      out.steps.push_back({node.value, GridOp::PushConst});
      return true;
    case GridNode::Kind::Name:
      return emitName(node);
    case GridNode::Kind::Dim:
      return emitDim(node);
    case GridNode::Kind::Operation:
      break;
    }
    size_t lhsAt = out.steps.size();
    if (!emit(*node.lhs))
      return false;
    size_t rhsAt = out.steps.size();
    if (!emit(*node.rhs))
      return false;
    // Both sides constant: do it now.
    if (rhsAt == lhsAt + 1 && out.steps.size() == rhsAt + 1 &&
        out.steps[lhsAt].op == GridOp::PushConst &&
        out.steps[rhsAt].op == GridOp::PushConst) {
      int64_t value = 0;
      if (const char *what = apply(node.op, out.steps[lhsAt].operand,
                                   out.steps[rhsAt].operand, value))
        return fail(node, what);
      out.steps.resize(lhsAt);
      out.steps.push_back({value, GridOp::PushConst});
      return true;
    }
    out.steps.push_back({0, node.op});
    return true;
  }

private:
  bool fail(const GridNode &node, std::string text) {
    error.offset = node.offset;
    error.text = std::move(text);
    return false;
  }

  std::vector<std::string> known() const {
    std::vector<std::string> all;
    for (const auto &[name, slot] : names.slots)
      if (slot.isInteger || slot.rank)
        all.push_back(name);
    for (const auto &entry : names.constants)
      all.push_back(entry.first);
    std::sort(all.begin(), all.end());
    return all;
  }

  bool emitName(const GridNode &node) {
    if (auto it = names.constants.find(node.name);
        it != names.constants.end()) {
      out.steps.push_back({it->second, GridOp::PushConst});
      return true;
    }
    if (auto it = names.slots.find(node.name); it != names.slots.end()) {
      if (it->second.rank)
        return fail(node, concat("'", node.name,
                                 "' is a tensor descriptor; "
                                 "use '",
                                 node.name, ".shape[0]'"));
      if (!it->second.isInteger)
        return fail(node, concat("'", node.name, "' has type ", it->second.type,
                                 "; a grid is made of integers"));
      out.steps.push_back({it->second.index, GridOp::PushSlot});
      return true;
    }
    if (auto it = names.others.find(node.name); it != names.others.end())
      return fail(node, concat("'", node.name, "' is ", it->second,
                               "; a grid is made of integers"));
    return fail(node, concat("unknown name '", node.name, "' in the grid",
                             suggestion(node.name, known())));
  }

  bool emitDim(const GridNode &node) {
    auto it = names.slots.find(node.name);
    if (it == names.slots.end())
      return fail(node, concat("unknown name '", node.name, "' in the grid",
                               suggestion(node.name, known())));
    if (!it->second.rank)
      return fail(node, concat("'", node.name, "' has type ", it->second.type,
                               "; only a tensor descriptor has a shape"));
    if (node.value < 0 || node.value >= it->second.rank)
      return fail(node, concat("'", node.name, "' has ", it->second.rank,
                               " dimensions; shape[", node.value,
                               "] does not exist"));
    out.steps.push_back(
        {int64_t(it->second.index) * 8 + node.value, GridOp::PushDim});
    return true;
  }

  const GridNames &names;
  GridAxis &out;
  GridError &error;
};

} // namespace

bool GridExpr::compile(const GridNames &names, GridAxis &out,
                       GridError &error) const {
  out = {};
  error = {};
  out.text = text;
  if (!root || !Emitter(names, out, error).emit(*root))
    return false;
  unsigned depth = 0, deepest = 0;
  for (const GridStep &step : out.steps) {
    depth += step.op <= GridOp::PushDim ? 1 : -1;
    deepest = std::max(deepest, depth);
  }
  if (out.steps.size() > NRD_MAX_GRID_STEPS) {
    error.text = concat("the expression has ", out.steps.size(),
                        " steps; at most ", NRD_MAX_GRID_STEPS, " are allowed");
    return false;
  }
  if (deepest > kMaxGridStack) {
    error.text = concat("the expression needs a stack of ", deepest,
                        " values; at most ", kMaxGridStack, " are allowed");
    return false;
  }
  if (out.steps.size() == 1 && out.steps[0].op == GridOp::PushConst &&
      out.steps[0].operand < 0) {
    error.text =
        concat("the grid is ", out.steps[0].operand, "; it cannot be negative");
    return false;
  }
  return true;
}

Status checkGridProgram(const std::vector<GridStep> &steps,
                        const std::vector<int> &ranks) {
  unsigned depth = 0;
  if (steps.size() > NRD_MAX_GRID_STEPS)
    return Status::error("it has ", steps.size(), " steps; at most ",
                         NRD_MAX_GRID_STEPS, " are allowed");
  for (size_t i = 0; i < steps.size(); ++i) {
    const GridStep &step = steps[i];
    auto slotRank = [&](int64_t slot) {
      return slot >= 0 && uint64_t(slot) < ranks.size() ? ranks[slot] : -2;
    };
    switch (step.op) {
    case GridOp::PushConst:
      ++depth;
      break;
    case GridOp::PushSlot:
      if (slotRank(step.operand) != 0)
        return Status::error("step ", i, " reads slot ", step.operand,
                             ", which is no integer slot");
      ++depth;
      break;
    case GridOp::PushDim:
      if (step.operand < 0 || slotRank(step.operand / 8) <= step.operand % 8)
        return Status::error("step ", i, " reads dimension ", step.operand % 8,
                             " of slot ", step.operand / 8,
                             ", which does not exist");
      ++depth;
      break;
    case GridOp::Add:
    case GridOp::Sub:
    case GridOp::Mul:
    case GridOp::Div:
    case GridOp::Mod:
    case GridOp::CDiv:
    case GridOp::Min:
    case GridOp::Max:
      if (depth < 2)
        return Status::error("step ", i, " takes two values, the stack holds ",
                             depth);
      --depth;
      break;
    default:
      return Status::error("step ", i, " has the unknown operation ",
                           unsigned(step.op));
    }
    if (depth > kMaxGridStack)
      return Status::error("step ", i, " needs a stack of more than ",
                           kMaxGridStack, " values");
  }
  if (depth != 1)
    return Status::error("it leaves ", depth, " values, not one");
  return {};
}

Result<int64_t> runGridProgram(const std::vector<GridStep> &steps,
                               const std::vector<int64_t> &slots) {
  std::vector<int64_t> stack;
  for (const GridStep &step : steps) {
    if (step.op == GridOp::PushConst) {
      stack.push_back(step.operand);
    } else if (step.op == GridOp::PushSlot) {
      if (step.operand < 0 || uint64_t(step.operand) >= slots.size())
        return Status::error("slot ", step.operand, " does not exist");
      stack.push_back(slots[step.operand]);
    } else if (step.op == GridOp::PushDim || stack.size() < 2) {
      return Status::error("the program needs more than integers");
    } else {
      int64_t b = stack.back();
      stack.pop_back();
      if (const char *what = apply(step.op, stack.back(), b, stack.back()))
        return Status::error(what);
    }
  }
  if (stack.size() != 1)
    return Status::error("the program leaves ", stack.size(), " values");
  return stack.back();
}

} // namespace nereid::pack
