//===- LayoutGraph.h - Choosing a layout for every tensor ------*- C++ -*-===//
//
// How the layout passes see a function.
//
// Tensors are of three kinds. A *free* one follows from ranges, scalars and
// constants by cheap operations: pointers, masks. It is computed again in every
// layout in which it is needed. A *light* one follows from free ones and from
// broadcasts of small tensors: it is computed again too, and only the small
// tensors are moved. The others are *anchored*: each stands in one layout, and
// is moved (`tgpu.convert_layout`) to where it is needed in another.
//
// An anchored tensor belongs to a node: the operation that makes it, or a value
// that a loop carries or a branch gives. Operations that only consume tensors
// are nodes too. An edge leads from a node that gives a tensor to one that
// needs it, directly or through light tensors, and knows how the layout of the
// need follows from the layout of the needing node.
//
// The choice starts from what each node likes best and then improves it step by
// step: a node, or a connected group of nodes in the same layout, takes another
// layout from its surroundings when the sum of all costs becomes less.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TRANSFORMS_LAYOUTGRAPH_H
#define NEREID_COMPILER_TRANSFORMS_LAYOUTGRAPH_H

#include "compiler/Transforms/LayoutCosts.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace nereid {

class LayoutGraph {
public:
  LayoutGraph(tt::FuncOp function, tgpu::ThreadCounts threads);

  /// Fixes the layout in which `op` gives its results, and those in which it
  /// takes its operands (null: any), before `build`.
  void fixResults(mlir::Operation *op, tgpu::LayoutAttr layout);
  void fixOperand(mlir::Operation *op, unsigned operand,
                  tgpu::LayoutAttr layout);

  /// Builds nodes and edges and gives every node its first layout: the one that
  /// its tensors have already, else one that fits the operation.
  mlir::LogicalResult build();
  /// Improves the layouts.
  void improve();
  /// Puts the layouts on all types, and conversions between them.
  mlir::LogicalResult rewrite();

private:
  enum class Kind : uint8_t { Free, Light, Anchored };

  struct Node {
    mlir::Operation *op = nullptr; ///< null: a carried value
    llvm::SmallVector<mlir::Value, 2> values;
    llvm::SmallVector<int, 4> ins, outs; ///< edges
    llvm::ArrayRef<int64_t> shape;       ///< of the layout
    tgpu::LayoutAttr layout;
    bool tied = false;  ///< stands in the layout of the value it waits for
    bool fixed = false; ///< the layout is no choice
    double weight = 1;  ///< how often it is executed
  };

  struct Edge {
    int from, to;
    mlir::Value value; ///< of `from`
    unsigned operand;  ///< of `to`
    /// Shape operations from the needing node back to `value`.
    llvm::SmallVector<mlir::Operation *, 2> path;
  };

  /// An anchored tensor that a light one is made of, and how.
  struct Leaf {
    mlir::Value value;
    llvm::SmallVector<mlir::Operation *, 2> path;
    bool operator==(const Leaf &other) const {
      return value == other.value && path == other.path;
    }
  };

  // Building.
  mlir::LogicalResult visit(mlir::Block &block);
  mlir::LogicalResult visitOp(mlir::Operation *op);
  Kind classify(mlir::Operation *op);
  int addNode(mlir::Operation *op, mlir::ValueRange values);
  void addValue(int node, mlir::Value value);
  void need(int node, unsigned operand, mlir::Value value);
  const llvm::SmallVector<Leaf> &leaves(mlir::Value value);
  tgpu::LayoutAttr firstLayout(Node &node);

  // Asking.
  tgpu::LayoutAttr back(mlir::Operation *op, tgpu::LayoutAttr layout);
  tgpu::LayoutAttr forth(mlir::Operation *op, tgpu::LayoutAttr layout);
  /// The layout of a node's values when the node stands in `layout`.
  tgpu::LayoutAttr given(const Node &node, tgpu::LayoutAttr layout);
  /// The layout that the operand of a node has; null: any.
  tgpu::LayoutAttr needed(const Node &node, unsigned operand,
                          tgpu::LayoutAttr layout);
  /// What the value of an edge must be in; null: any.
  tgpu::LayoutAttr demand(const Edge &edge);
  /// The layout at the end of a path of shape operations, from the one at its
  /// start; null where the path broadcasts.
  tgpu::LayoutAttr down(llvm::ArrayRef<mlir::Operation *> path,
                        tgpu::LayoutAttr layout);
  /// Whether the needing node works in the very layout of this operand.
  bool needsSame(const Edge &edge);
  /// The layout of the needing node with which nothing has to be moved when the
  /// giving one stands in `from`, and the other way round; null: none.
  tgpu::LayoutAttr suggestion(const Edge &edge, tgpu::LayoutAttr from);
  tgpu::LayoutAttr wish(const Edge &edge, tgpu::LayoutAttr to);

  // Choosing.
  /// Nodes between which nothing is moved, and nothing would be if the first
  /// had another layout and the others followed, each from its parent.
  struct Member {
    int node;
    int parent; ///< position in the group
    int edge;
  };
  using Group = llvm::SmallVector<Member, 4>;
  std::vector<Group> groups();
  /// Layouts that a node likes for itself.
  void addOwn(const Node &node,
              llvm::SmallSetVector<tgpu::LayoutAttr, 8> &found);
  /// Layouts for the first member that somebody around the group would like.
  llvm::SmallVector<tgpu::LayoutAttr> candidates(const Group &group);
  /// Gives the first member a layout and the others what follows; false when
  /// one of them cannot work so.
  bool apply(const Group &group, tgpu::LayoutAttr layout);
  double cost(const Group &group);
  double conversions(const Node &node);
  bool improveGroup(const Group &group);

  // Rewriting.
  mlir::Value get(mlir::Value value, tgpu::LayoutAttr layout);
  mlir::Value recompute(mlir::Value value, tgpu::LayoutAttr layout);
  /// A layout for a free or light tensor that may stand in any: one for which
  /// nothing has to be moved, if there is one.
  tgpu::LayoutAttr anyLayout(mlir::Value value);

  tt::FuncOp function;
  tgpu::ThreadCounts threads;
  LayoutCosts costs;
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  llvm::DenseMap<mlir::Value, int> nodeOf;
  llvm::DenseMap<mlir::Operation *, int> nodeOfOp;
  llvm::DenseMap<mlir::Value, Kind> kinds;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Leaf>> leavesOf;
  llvm::DenseMap<mlir::Operation *, tgpu::LayoutAttr> fixedResults;
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, tgpu::LayoutAttr>
      fixedOperands;
  llvm::SmallVector<mlir::Operation *> recomputed; ///< originals, in order
  llvm::DenseMap<std::pair<mlir::Operation *, mlir::Attribute>,
                 tgpu::LayoutAttr>
      backs, forths;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Attribute>, mlir::Value> versions;
  double weight = 1; ///< of the block being visited
};

} // namespace nereid

#endif // NEREID_COMPILER_TRANSFORMS_LAYOUTGRAPH_H
