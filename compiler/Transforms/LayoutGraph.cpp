//===- LayoutGraph.cpp - Choosing a layout for every tensor ---------------===//
//
// Building the graph and choosing; LayoutRewrite.cpp applies the choice.
//
//===----------------------------------------------------------------------===//

#include "compiler/Transforms/LayoutGraph.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace nereid {
namespace {

using tgpu::LayoutAttr;

/// Iterations that a loop is taken to have.
constexpr double kIterations = 8;
constexpr double kMaxWeight = kIterations * kIterations * kIterations;
/// Light tensors of more parts than this are few; the others count as made of
/// these alone.
constexpr size_t kMaxLeaves = 16;

bool isTensor(Value value) { return isa<RankedTensorType>(value.getType()); }

/// How often a block is executed for one execution of the function.
double weightOf(Block *block) {
  double weight = 1;
  for (Operation *op = block->getParentOp(); op && !isa<tt::FuncOp>(op);
       op = op->getParentOp())
    if (isa<scf::ForOp, scf::WhileOp>(op))
      weight = std::min(weight * kIterations, kMaxWeight);
  return weight;
}

} // namespace

LayoutGraph::LayoutGraph(tt::FuncOp function, tgpu::ThreadCounts threads)
    : function(function), threads(threads), costs(threads) {}

void LayoutGraph::fixResults(Operation *op, LayoutAttr layout) {
  fixedResults[op] = layout;
}

void LayoutGraph::fixOperand(Operation *op, unsigned operand,
                             LayoutAttr layout) {
  fixedOperands[{op, operand}] = layout;
}

//===-- Building ----------------------------------------------------------===//

LayoutGraph::Kind LayoutGraph::classify(Operation *op) {
  LayoutRule rule = getLayoutRule(op);
  if (rule == LayoutRule::Create)
    return isPure(op) ? Kind::Free : Kind::Anchored;
  if ((rule != LayoutRule::Same && rule != LayoutRule::Shape) || !isCheap(op))
    return Kind::Anchored;
  Kind kind = Kind::Free;
  for (Value operand : op->getOperands())
    if (isTensor(operand))
      kind = std::max(kind, kinds.lookup(operand));
  if (kind != Kind::Anchored || rule != LayoutRule::Shape)
    return kind;
  // Shapes only rename registers; a broadcast's operand is the less to move.
  return Kind::Light;
}

int LayoutGraph::addNode(Operation *op, ValueRange values) {
  int index = int(nodes.size());
  Node &node = nodes.emplace_back();
  node.op = op;
  node.weight = weight;
  if (op) {
    nodeOfOp[op] = index;
    Value shaped;
    if (op->getNumResults() && isTensor(op->getResult(0)) &&
        !worksOnOperands(op))
      shaped = op->getResult(0);
    for (Value operand : op->getOperands())
      if (!shaped && isTensor(operand))
        shaped = operand;
    node.shape = cast<RankedTensorType>(shaped.getType()).getShape();
  }
  for (Value value : values)
    if (isTensor(value))
      addValue(index, value);
  return index;
}

void LayoutGraph::addValue(int node, Value value) {
  nodes[node].values.push_back(value);
  if (!nodes[node].op)
    nodes[node].shape = cast<RankedTensorType>(value.getType()).getShape();
  nodeOf[value] = node;
  kinds[value] = Kind::Anchored;
}

const SmallVector<LayoutGraph::Leaf> &LayoutGraph::leaves(Value value) {
  auto known = leavesOf.find(value);
  if (known != leavesOf.end())
    return known->second;
  SmallVector<Leaf> result;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands()) {
    if (!isTensor(operand) || kinds.lookup(operand) == Kind::Free)
      continue;
    SmallVector<Leaf> parts;
    if (kinds.lookup(operand) == Kind::Light)
      parts = leaves(operand);
    else
      parts.push_back({operand, {}});
    for (Leaf &part : parts) {
      if (getLayoutRule(op) == LayoutRule::Shape)
        part.path.insert(part.path.begin(), op);
      if (result.size() < kMaxLeaves && !llvm::is_contained(result, part))
        result.push_back(part);
    }
  }
  return leavesOf[value] = std::move(result);
}

void LayoutGraph::need(int node, unsigned operand, Value value) {
  if (!isTensor(value))
    return;
  Kind kind = kinds.lookup(value);
  if (kind == Kind::Free)
    return;
  SmallVector<Leaf> parts;
  if (kind == Kind::Light)
    parts = leaves(value);
  else
    parts.push_back({value, {}});
  for (Leaf &part : parts) {
    int index = int(edges.size());
    int from = nodeOf.lookup(part.value);
    edges.push_back({from, node, part.value, operand, std::move(part.path)});
    nodes[from].outs.push_back(index);
    nodes[node].ins.push_back(index);
  }
}

LogicalResult LayoutGraph::visitOp(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    SmallVector<int> carried;
    for (auto [argument, result, init] : llvm::zip(
             loop.getRegionIterArgs(), loop.getResults(), loop.getInitArgs())) {
      carried.push_back(
          isTensor(argument) ? addNode(nullptr, {argument, result}) : -1);
      if (carried.back() >= 0)
        need(carried.back(), 0, init);
    }
    if (failed(visit(*loop.getBody())))
      return failure();
    for (auto [node, value] :
         llvm::zip(carried, loop.getBody()->getTerminator()->getOperands()))
      if (node >= 0)
        need(node, 0, value);
    return success();
  }
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    SmallVector<int> before, after;
    for (auto [argument, init] :
         llvm::zip(loop.getBeforeArguments(), loop.getInits())) {
      before.push_back(isTensor(argument) ? addNode(nullptr, {argument}) : -1);
      if (before.back() >= 0)
        need(before.back(), 0, init);
    }
    if (failed(visit(*loop.getBeforeBody())))
      return failure();
    for (auto [argument, result, value] :
         llvm::zip(loop.getAfterArguments(), loop.getResults(),
                   loop.getConditionOp().getArgs())) {
      after.push_back(isTensor(argument) ? addNode(nullptr, {argument, result})
                                         : -1);
      if (after.back() >= 0)
        need(after.back(), 0, value);
    }
    if (failed(visit(*loop.getAfterBody())))
      return failure();
    for (auto [node, value] :
         llvm::zip(before, loop.getYieldOp().getOperands()))
      if (node >= 0)
        need(node, 0, value);
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
      if (!region->empty() && failed(visit(region->front())))
        return failure();
    for (auto [index, result] : llvm::enumerate(branch.getResults())) {
      if (!isTensor(result))
        continue;
      int node = addNode(nullptr, {result});
      need(node, 0, branch.thenYield().getOperand(index));
      need(node, 0, branch.elseYield().getOperand(index));
    }
    return success();
  }

  LayoutRule rule = getLayoutRule(op);
  bool ownRegions = isa<tt::ReduceOp, tt::ScanOp, tt::MapElementwiseOp>(op);
  if (rule == LayoutRule::Opaque && op->getNumRegions())
    return op->emitError() << "has tensors and regions; the layouts of '"
                           << op->getName() << "' are not known";
  if (!ownRegions)
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (failed(visit(block)))
          return failure();
  if (rule == LayoutRule::None)
    return success();
  Kind kind = classify(op);
  if (kind != Kind::Anchored) {
    for (Value result : op->getResults())
      kinds[result] = kind;
    recomputed.push_back(op);
    return success();
  }
  if (rule == LayoutRule::Wait) {
    for (auto [operand, result] :
         llvm::zip(op->getOperands(), op->getResults()))
      if (isTensor(result)) {
        int node = addNode(nullptr, {result});
        nodes[node].tied = true;
        need(node, 0, operand);
      }
    return success();
  }
  int node = addNode(op, op->getResults());
  for (OpOperand &operand : op->getOpOperands())
    need(node, operand.getOperandNumber(), operand.get());
  return success();
}

LogicalResult LayoutGraph::visit(Block &block) {
  double outer = std::exchange(weight, weightOf(&block));
  for (Operation &op : block.without_terminator())
    if (failed(visitOp(&op)))
      return failure();
  weight = outer;
  return success();
}

LogicalResult LayoutGraph::build() {
  Block &body = function.getBody().front();
  for (BlockArgument argument : body.getArguments())
    if (isTensor(argument))
      addNode(nullptr, {argument});
  if (failed(visit(body)))
    return failure();

  // From the makers down to the users; what a loop carries may come to be known
  // only from its end, so several rounds.
  bool unknown = true, progress = true;
  while (unknown) {
    bool guess = !progress;
    unknown = progress = false;
    for (Node &node : nodes) {
      if (node.layout)
        continue;
      node.layout = firstLayout(node);
      if (!node.layout && guess) {
        node.layout = LayoutAttr::get(function.getContext(),
                                      defaultLayout(node.shape, threads));
        if (node.op && !isLegalLayout(node.op, node.layout))
          node.layout = {};
        guess = false;
      }
      node.fixed |= node.tied && node.layout;
      (node.layout ? progress : unknown) = true;
    }
    if (unknown && !progress && guess) {
      // Only operations that take few layouts are left.
      for (Node &node : nodes)
        if (!node.layout)
          return node.op->emitError()
                 << "has no layout that the operation can work in";
    }
  }
  return success();
}

LayoutAttr LayoutGraph::firstLayout(Node &node) {
  MLIRContext *context = function.getContext();
  Operation *op = node.op;
  if (op) {
    auto fixed = fixedResults.find(op);
    if (fixed != fixedResults.end()) {
      node.fixed = true;
      return fixed->second;
    }
  }
  // What stands in the types already.
  Value known;
  LayoutRule rule = op ? getLayoutRule(op) : LayoutRule::Same;
  if (!node.values.empty() && !(op && worksOnOperands(op)))
    known = node.values.front();
  else if (op)
    known = *llvm::find_if(op->getOperands(), isTensor);
  LayoutAttr layout = tgpu::getLayout(known.getType());
  if (layout)
    return op ? legalLayout(op, layout, threads) : layout;

  if (op &&
      isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(op)) {
    llvm::SmallSetVector<LayoutAttr, 8> own;
    addOwn(node, own);
    if (!own.empty())
      return own.front();
  }
  for (int index : node.ins) {
    const Edge &edge = edges[index];
    LayoutAttr from = nodes[edge.from].layout;
    if (!from)
      continue;
    LayoutAttr found = given(nodes[edge.from], from);
    found = down(edge.path, found);
    if (!found)
      continue;
    if (rule == LayoutRule::Shape || rule == LayoutRule::Join ||
        rule == LayoutRule::Cat)
      return forth(op, found);
    if (rule == LayoutRule::Split)
      return legalLayout(op, found, threads);
    if (needsSame(edge))
      return op ? legalLayout(op, found, threads) : found;
  }
  // Nothing comes from elsewhere: what the operation has of its own.
  bool waits = llvm::any_of(
      node.ins, [&](int index) { return !nodes[edges[index].from].layout; });
  if (!op || (waits && rule != LayoutRule::Opaque))
    return {};
  layout = LayoutAttr::get(context, defaultLayout(node.shape, threads));
  return legalLayout(op, layout, threads);
}

//===-- Asking ------------------------------------------------------------===//

LayoutAttr LayoutGraph::back(Operation *op, LayoutAttr layout) {
  auto [at, isNew] = backs.try_emplace({op, layout});
  if (isNew) {
    LayoutAttr result = operandLayout(op, layout);
    return backs[{op, layout}] = result;
  }
  return at->second;
}

LayoutAttr LayoutGraph::forth(Operation *op, LayoutAttr layout) {
  auto [at, isNew] = forths.try_emplace({op, layout});
  if (isNew) {
    LayoutAttr result = resultLayout(op, layout);
    return forths[{op, layout}] = result;
  }
  return at->second;
}

LayoutAttr LayoutGraph::given(const Node &node, LayoutAttr layout) {
  if (!node.op || !worksOnOperands(node.op))
    return layout;
  if (isa<tt::HistogramOp>(node.op))
    return LayoutAttr::get(
        function.getContext(),
        defaultLayout(tt::getShape(node.op->getResult(0).getType()), threads));
  return forth(node.op, layout);
}

LayoutAttr LayoutGraph::needed(const Node &node, unsigned operand,
                               LayoutAttr layout) {
  if (!node.op)
    return layout;
  auto fixed = fixedOperands.find({node.op, operand});
  if (fixed != fixedOperands.end())
    return fixed->second;
  switch (getLayoutRule(node.op)) {
  case LayoutRule::Shape:
  case LayoutRule::Join:
  case LayoutRule::Cat:
    return back(node.op, layout);
  case LayoutRule::Gather:
    return operand == 1 ? layout : LayoutAttr();
  case LayoutRule::Dot:
    return operand == 2 ? layout : LayoutAttr();
  case LayoutRule::Same:
  case LayoutRule::Reduce:
  case LayoutRule::Split:
  case LayoutRule::Histogram:
    return layout;
  default:
    return {};
  }
}

LayoutAttr LayoutGraph::demand(const Edge &edge) {
  const Node &to = nodes[edge.to];
  LayoutAttr layout = needed(to, edge.operand, to.layout);
  for (Operation *op : edge.path) {
    if (!layout)
      return {};
    layout = back(op, layout);
  }
  return layout;
}

LayoutAttr LayoutGraph::down(ArrayRef<Operation *> path, LayoutAttr layout) {
  for (Operation *op : llvm::reverse(path)) {
    // Layouts of small tensors say little about a big one.
    if (isa<tt::BroadcastOp>(op))
      return {};
    layout = forth(op, layout);
  }
  return layout;
}

bool LayoutGraph::needsSame(const Edge &edge) {
  const Node &to = nodes[edge.to];
  if (!to.op)
    return true;
  if (fixedOperands.count({to.op, edge.operand}))
    return false;
  switch (getLayoutRule(to.op)) {
  case LayoutRule::Same:
  case LayoutRule::Reduce:
  case LayoutRule::Split:
  case LayoutRule::Histogram:
    return true;
  case LayoutRule::Gather:
    return edge.operand == 1;
  case LayoutRule::Dot:
    return edge.operand == 2;
  default:
    return false;
  }
}

LayoutAttr LayoutGraph::suggestion(const Edge &edge, LayoutAttr from) {
  const Node &to = nodes[edge.to];
  LayoutAttr layout = down(edge.path, given(nodes[edge.from], from));
  if (!layout)
    return {};
  LayoutRule rule = to.op ? getLayoutRule(to.op) : LayoutRule::Same;
  if (rule == LayoutRule::Shape || rule == LayoutRule::Join ||
      rule == LayoutRule::Cat)
    return forth(to.op, layout);
  if (!needsSame(edge))
    return {};
  return to.op ? legalLayout(to.op, layout, threads) : layout;
}

LayoutAttr LayoutGraph::wish(const Edge &edge, LayoutAttr to) {
  const Node &from = nodes[edge.from];
  if (from.op && worksOnOperands(from.op))
    return {};
  LayoutAttr layout = needed(nodes[edge.to], edge.operand, to);
  for (Operation *op : edge.path) {
    if (!layout)
      return {};
    layout = back(op, layout);
  }
  return layout && from.op && !isLegalLayout(from.op, layout) ? LayoutAttr()
                                                              : layout;
}

//===-- Choosing ----------------------------------------------------------===//

void LayoutGraph::addOwn(const Node &node,
                         llvm::SmallSetVector<LayoutAttr, 8> &found) {
  MLIRContext *context = function.getContext();
  ArrayRef<int64_t> shape = node.shape;
  if (!node.op || shape.empty())
    return;
  if (isa<tt::LoadOp, tt::StoreOp, tt::AtomicRMWOp, tt::AtomicCASOp>(node.op)) {
    // Coalesced: neighbours in memory in neighbouring threads.
    Access access = getAccess(node.op, unsigned(shape.size()));
    Type pointee = tt::getPointeeType(node.op->getOperand(0).getType());
    int64_t bytes = std::max(1u, tt::getElementBits(pointee) / 8);
    bool atomic = isa<tt::AtomicRMWOp, tt::AtomicCASOp>(node.op);
    int64_t width = std::min<int64_t>(
        access.width, std::max<int64_t>(1, (atomic ? 4 : 16) / bytes));
    for (bool outside : {false, true})
      found.insert(LayoutAttr::get(
          context, spreadLayout(shape, access.dim, width, threads, outside)));
  }
  if (auto scan = dyn_cast<tt::ScanOp>(node.op))
    for (bool outside : {false, true})
      found.insert(LayoutAttr::get(
          context, spreadLayout(shape, scan.getAxis(), 8, threads, outside)));
}

SmallVector<LayoutAttr> LayoutGraph::candidates(const Group &group) {
  llvm::SmallSetVector<LayoutAttr, 8> found;
  llvm::SmallDenseSet<int, 16> members;
  for (const Member &member : group)
    members.insert(member.node);
  for (auto [position, member] : llvm::enumerate(group)) {
    const Node &node = nodes[member.node];
    llvm::SmallSetVector<LayoutAttr, 8> here;
    addOwn(node, here);
    for (int index : node.ins) {
      const Edge &edge = edges[index];
      if (members.contains(edge.from) || !nodes[edge.from].layout)
        continue;
      if (LayoutAttr layout = suggestion(edge, nodes[edge.from].layout))
        here.insert(layout);
    }
    for (int index : node.outs) {
      const Edge &edge = edges[index];
      if (members.contains(edge.to) || !nodes[edge.to].layout)
        continue;
      if (LayoutAttr layout = wish(edge, nodes[edge.to].layout))
        here.insert(layout);
    }
    // Up to the first member.
    for (LayoutAttr layout : here) {
      for (size_t at = position; at != 0 && layout; at = group[at].parent) {
        const Edge &edge = edges[group[at].edge];
        bool parentGives = edge.from == group[group[at].parent].node;
        layout = parentGives ? wish(edge, layout) : suggestion(edge, layout);
      }
      if (layout)
        found.insert(layout);
    }
  }
  return found.takeVector();
}

bool LayoutGraph::apply(const Group &group, LayoutAttr layout) {
  for (auto [position, member] : llvm::enumerate(group)) {
    LayoutAttr own = layout;
    if (position != 0) {
      const Edge &edge = edges[member.edge];
      const Member &parent = group[member.parent];
      LayoutAttr above = nodes[parent.node].layout;
      own = edge.from == parent.node ? suggestion(edge, above)
                                     : wish(edge, above);
    }
    Node &node = nodes[member.node];
    if (!own || (node.op && !isLegalLayout(node.op, own)))
      return false;
    ArrayRef<LinearLayout::OutDim> outs = own.getLinear().outDims();
    if (outs.size() != node.shape.size())
      return false;
    for (auto [out, size] : llvm::zip(outs, node.shape))
      if (out.size != size)
        return false;
    node.layout = own;
  }
  return true;
}

double LayoutGraph::conversions(const Node &node) {
  // A value that several need in one layout is moved once. Each of them counts
  // a little all the same: else none would be the first to do without.
  constexpr double kEach = 0.05;
  SmallVector<std::pair<Value, LayoutAttr>, 4> moved;
  double sum = 0;
  LayoutAttr own = given(node, node.layout);
  for (int index : node.outs) {
    const Edge &edge = edges[index];
    LayoutAttr wanted = demand(edge);
    if (!wanted || wanted == own)
      continue;
    double cost =
        weightOf(Value(edge.value).getParentBlock()) *
        costs.conversion(own, wanted, tt::getElementBits(edge.value.getType()));
    sum += kEach * cost;
    if (llvm::is_contained(moved, std::pair(edge.value, wanted)))
      continue;
    moved.push_back({edge.value, wanted});
    sum += cost;
  }
  return sum;
}

double LayoutGraph::cost(const Group &group) {
  llvm::SmallSetVector<int, 16> touched;
  double sum = 0;
  for (const Member &member : group) {
    const Node &node = nodes[member.node];
    touched.insert(member.node);
    if (node.op)
      sum += node.weight * costs.execution(node.op, node.layout);
    for (int index : node.ins)
      touched.insert(edges[index].from);
  }
  for (int index : touched)
    sum += conversions(nodes[index]);
  return sum;
}

bool LayoutGraph::improveGroup(const Group &group) {
  SmallVector<LayoutAttr> before, best;
  for (const Member &member : group)
    before.push_back(nodes[member.node].layout);
  best = before;
  double lowest = cost(group);
  for (LayoutAttr layout : candidates(group)) {
    if (layout == before.front() || !apply(group, layout))
      continue;
    double sum = cost(group);
    if (sum < lowest * 0.9999 - 0.01) {
      lowest = sum;
      for (auto [layout, member] : llvm::zip(best, group))
        layout = nodes[member.node].layout;
    }
  }
  for (auto [layout, member] : llvm::zip(best, group))
    nodes[member.node].layout = layout;
  return best != before;
}

std::vector<LayoutGraph::Group> LayoutGraph::groups() {
  std::vector<Group> result;
  SmallVector<bool> taken(nodes.size(), false);
  for (int root = 0, end = int(nodes.size()); root < end; ++root) {
    if (taken[root] || nodes[root].fixed)
      continue;
    Group group = {{root, 0, -1}};
    taken[root] = true;
    for (size_t at = 0; at < group.size(); ++at) {
      auto join = [&](int index, int other) {
        const Edge &edge = edges[index];
        if (taken[other] || nodes[other].fixed ||
            demand(edge) != given(nodes[edge.from], nodes[edge.from].layout) ||
            suggestion(edge, nodes[edge.from].layout) !=
                nodes[edge.to].layout ||
            wish(edge, nodes[edge.to].layout) != nodes[edge.from].layout)
          return;
        taken[other] = true;
        group.push_back({other, int(at), index});
      };
      const Node &node = nodes[group[at].node];
      for (int index : node.ins)
        join(index, edges[index].from);
      for (int index : node.outs)
        join(index, edges[index].to);
    }
    if (group.size() > 1)
      result.push_back(std::move(group));
  }
  return result;
}

void LayoutGraph::improve() {
  constexpr int kRounds = 6;
  for (int round = 0; round < kRounds; ++round) {
    bool changed = false;
    for (const Group &group : groups())
      changed |= improveGroup(group);
    for (int node = 0, end = int(nodes.size()); node < end; ++node)
      if (!nodes[node].fixed)
        changed |= improveGroup({{node, 0, -1}});
    if (!changed)
      return;
  }
}

} // namespace nereid
