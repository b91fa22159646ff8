//===- Nest.h - Emits one loop nest ----------------------------*- C++ -*-===//
//
// Loops over all dimensions of a tile but one, and over strips of lanes along
// that one. Values that do not change in an inner loop are emitted outside it:
// each is placed at the level of the innermost loop it depends on.
//
// The strip loop exists in up to three versions: Fast, for the strips of a row
// on which every mask that compares ranges holds and every runtime stride is
// one; Contiguous, for the rest of such a row; General, for everything.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_TARGET_CPU_NEST_H
#define NEREID_COMPILER_TARGET_CPU_NEST_H

#include "compiler/Target/CPU/Kernel.h"
#include "compiler/Target/CPU/Strip.h"

namespace nereid::cpu {

class NestEmitter {
public:
  NestEmitter(Kernel &kernel, Nest &nest);
  mlir::LogicalResult run();

private:
  enum class Version { Fast, Contiguous, General };

  struct Level {
    mlir::Block *body = nullptr;
    mlir::Operation *anchor = nullptr; ///< hoisted values go before it
  };

  // A reduction along the strip dimension keeps partial results in lanes.
  struct LaneReduction {
    Sink *sink;
    bool hasIdentity = false;
    llvm::SmallVector<mlir::TypedAttr> identity;
    unsigned firstAcc = 0, count = 0;
  };

  //===- Nest.cpp: loops, versions, sinks ---------------------------------===//
  void chooseStripDim();
  void chooseLanes();
  mlir::LogicalResult emitLoops();
  mlir::LogicalResult emitStrips();
  /// Emits strips from `first` on (null: the one strip there is) at the end of
  /// `block`; `anchor` is what precedes code hoisted out of them.
  mlir::LogicalResult emitVersion(Version version, int64_t lanes,
                                  mlir::Value first, mlir::ValueRange accs,
                                  mlir::Block *block, mlir::Operation *anchor,
                                  llvm::SmallVectorImpl<mlir::Value> &out);
  mlir::LogicalResult emitBody(mlir::ValueRange accs,
                               llvm::SmallVectorImpl<mlir::Value> &out);
  mlir::LogicalResult emitSink(Sink &sink);
  mlir::LogicalResult emitEdge(mlir::Value first, mlir::ValueRange accs,
                               mlir::Block *block, mlir::Operation *anchor,
                               llvm::SmallVectorImpl<mlir::Value> &out);
  void loadBefore(mlir::Operation *store, unsigned sink);
  mlir::Value fullStrips(mlir::Operation *anchor);

  //===- Reduce.cpp -------------------------------------------------------===//
  void prepareSinks();
  llvm::SmallVector<mlir::Value> initialAccs(int64_t lanes);
  mlir::LogicalResult accumulate(LaneReduction &r, mlir::ValueRange accs,
                                 llvm::SmallVectorImpl<mlir::Value> &out);
  mlir::LogicalResult accumulateInBuffer(Sink &sink);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  foldLanes(mlir::Operation *op, mlir::ValueRange accs, int64_t from,
            int64_t to);
  mlir::LogicalResult foldAll(mlir::ValueRange accs, int64_t from, int64_t to,
                              llvm::SmallVectorImpl<mlir::Value> &out);
  mlir::LogicalResult finishReductions(mlir::ValueRange accs, int64_t lanes);

  //===- ElementSinks.cpp: one element at a time --------------------------===//
  mlir::LogicalResult emitAtomic(Sink &sink);
  mlir::LogicalResult emitHistogram(Sink &sink);
  mlir::LogicalResult emitMap(Sink &sink);
  mlir::LogicalResult emitAssert(Sink &sink);
  mlir::LogicalResult emitPrint(Sink &sink);
  /// The one lane of a strip, as a scalar.
  mlir::Value laneScalar(const Strip &s);
  mlir::Value onlyWhere(mlir::Value condition, mlir::Type type,
                        llvm::function_ref<mlir::Value()> body);

  //===- Algebra.cpp: symbolic strips -------------------------------------===//
  unsigned levelOf(mlir::Value v) const;
  unsigned levelOf(const Strip &s) const;
  unsigned deepest() const { return levels.size() - 1; }
  void insertAt(unsigned level);
  void insertAfter(unsigned level);
  template <typename... Vs> void insertFor(Vs... vs) {
    unsigned level = 0;
    ((level = std::max(level, levelOf(vs))), ...);
    insertAt(level);
  }
  mlir::Value addV(mlir::Value a, mlir::Value b);
  mlir::Value subV(mlir::Value a, mlir::Value b);
  mlir::Value mulV(mlir::Value a, mlir::Value b);
  mlir::Value minV(mlir::Value a, mlir::Value b);
  mlir::Value castV(mlir::Value a, mlir::Type to, bool isSigned);
  Strip constStrip(int64_t v);
  Strip toLane(Strip s);
  Strip add(Strip a, Strip b);
  Strip sub(Strip a, Strip b);
  Strip mul(Strip a, Strip b);
  Strip mulConst(Strip a, int64_t c);
  Strip castStrip(Strip a, mlir::Type to, bool isSigned);
  /// (s / c, s % c) of a non-negative index and a power of two.
  std::pair<Strip, Strip> splitIndex(Strip s, int64_t c);
  int64_t divisibility(mlir::Value v) const;
  /// Vector of lanes; of addresses for pointers.
  mlir::Value vec(const Strip &s);
  /// Vector of lanes of `value` alone.
  mlir::Value vecOffset(const Strip &s);
  /// The scalar of a uniform strip; an address for pointers.
  mlir::Value uniformValue(const Strip &s);
  Strip wrap(mlir::Value v, mlir::Type element, bool uniform);
  bool isTrue(const Strip &mask) const;
  bool rowLevel(const Strip &s) const;
  std::optional<std::pair<Strip, Strip>> assumeQuotient(Strip a, Strip b,
                                                        bool isSigned);
  bool assumeCompare(mlir::arith::CmpIPredicate predicate, Strip a, Strip b);
  void addBound(mlir::Value n);

  //===- Eval.cpp: tensors on strips --------------------------------------===//
  unsigned intern(Point point);
  Strip eval(mlir::Value v, unsigned point);
  bool betterInline(mlir::Operation *op, unsigned point) const;
  Strip evalUncached(mlir::Value v, unsigned point);
  Strip evalElementwise(mlir::Operation *op, unsigned point, unsigned result);
  Strip divideByUniform(Strip x, Strip d);
  Strip evalCat(mlir::Operation *op, unsigned point);
  Strip evalJoin(mlir::Operation *op, unsigned point);
  Strip evalConstant(mlir::Operation *op, unsigned point);
  Strip evalLoad(tt::LoadOp op, unsigned point);
  Strip evalMask(mlir::Value v, unsigned point);
  Strip select(mlir::Location loc, Strip condition, Strip a, Strip b);
  std::optional<unsigned> throughShape(mlir::Operation *op, unsigned point);
  bool memoize(mlir::Value v, unsigned point, Strip s);

  //===- Access.cpp: memory -----------------------------------------------===//
  Strip linear(mlir::ArrayRef<int64_t> shape, const Point &point);
  Strip bufferAddress(Buffer *buffer, const Point &point);
  Strip loadBuffer(Buffer *buffer, const Point &point, bool pinned = false);
  void storeBuffer(Buffer *buffer, const Point &point, Strip value);
  /// Loads through a pointer strip; `mask` and `other` may be none.
  Strip load(mlir::Location loc, Strip pointer, mlir::Type element, Strip mask,
             Strip other, bool pinned);
  void store(mlir::Location loc, Strip pointer, mlir::Type element, Strip value,
             Strip mask, bool mayStream = false);
  /// Turns a runtime stride that equals `size` into a constant where this
  /// version may assume so.
  Strip assumeContiguous(Strip pointer, int64_t size);
  mlir::Value address(const Strip &pointer);
  mlir::Value lanePointer(mlir::Location at, const Strip &p, int64_t lane);
  void prefetchNext(tt::LoadOp op, Strip pointer);
  mlir::Value streams(const Strip &pointer, mlir::Value where, int64_t size);
  mlir::Value gather(mlir::Location loc, const Strip &pointer, mlir::Type held,
                     mlir::Value mask, mlir::Value other, bool pinned);
  void scatter(mlir::Location loc, const Strip &pointer, mlir::Value value,
               mlir::Value mask);
  mlir::Value convertStored(mlir::Location loc, mlir::Value v, mlir::Type from,
                            mlir::Type to);
  bool hasMaskedMemory(mlir::Type held) const;
  bool hasGather(mlir::Type held) const;

  Kernel &kernel;
  Nest &nest;
  mlir::OpBuilder &b;
  mlir::Location loc;
  llvm::ArrayRef<int64_t> shape;
  unsigned stripDim = 0;
  int64_t extent = 1;    ///< size along the strip dimension
  int64_t fastLanes = 1; ///< lanes of the Fast version
  int64_t edgeLanes = 1; ///< lanes of the others
  int64_t lanes = 1;     ///< lanes of the version being emitted
  Version version = Version::General;

  mlir::OpBuilder::InsertPoint start;
  llvm::SmallVector<Level> levels;
  llvm::SmallVector<mlir::Value> outer; ///< index per dimension (null: strips)
  mlir::Value strip;                    ///< i64 start of the strip
  llvm::DenseMap<mlir::Value, int64_t> loopSteps;
  mlir::scf::ForOp fastLoop;
  llvm::SmallVector<mlir::Value> bounds;
  llvm::SmallVector<mlir::Value> strideTests; ///< i1
  llvm::SmallVector<LaneReduction> laneReductions;
  unsigned root = 0;
  std::vector<Point> points;
  using Memo = llvm::DenseMap<std::pair<mlir::Value, unsigned>, Strip>;
  llvm::SmallVector<Memo> memo; ///< one per level
  llvm::DenseMap<std::pair<mlir::Value, unsigned>, bool> assumedMasks;
  llvm::SmallPtrSet<mlir::Operation *, 8> loads; ///< evaluated in this nest
  bool keepRolled = false; ///< the strip loop's body fills the registers
  bool bad = false;        ///< an error was reported
};

} // namespace nereid::cpu

#endif // NEREID_COMPILER_TARGET_CPU_NEST_H
