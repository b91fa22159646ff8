//===- Machine.h - The simulated machine, inside ---------------*- C++ -*-===//
//
// Internal to the files of the simulator: Simulate.cpp has control flow and
// memory, SimulateScalars.cpp arithmetic, SimulateIntrinsics.cpp what hooks
// call.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_TESTS_COMPILER_TARGET_GPU_MACHINE_H
#define NEREID_TESTS_COMPILER_TARGET_GPU_MACHINE_H

#include "Simulate.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <cstring>
#include <map>

namespace nereid::simulate {

using namespace mlir;

/// The bits of one SSA value in every thread; vectors have several parts.
struct Bits {
  unsigned parts = 1;
  std::vector<uint64_t> of; ///< [thread * parts + part]
};

using Mask = std::vector<bool>;

inline unsigned bitsOf(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return bitsOf(vector.getElementType());
  if (isa<LLVM::LLVMPointerType, IndexType>(type))
    return 64;
  return type.getIntOrFloatBitWidth();
}

inline unsigned partsOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? unsigned(vector.getNumElements()) : 1;
}

inline uint64_t truncated(uint64_t value, unsigned bits) {
  return bits >= 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

inline int64_t extended(uint64_t value, unsigned bits) {
  return bits >= 64 ? int64_t(value)
                    : int64_t(value << (64 - bits)) >> (64 - bits);
}

inline uint64_t bitsOfFloat(const APFloat &value) {
  return value.bitcastToAPInt().getZExtValue();
}

class Machine {
public:
  Machine(const Launch &launch)
      : launch(launch), shared(size_t(launch.sharedBytes), 0xA5),
        shadow(size_t(launch.sharedBytes)), copies(launch.threads) {
    for (auto &groups : copies)
      groups.emplace_back();
  }

  Outcome outcome;

  void run(LLVM::LLVMFuncOp kernel) {
    Block &entry = kernel.getBody().front();
    for (auto [argument, value] :
         llvm::zip(entry.getArguments(), launch.arguments))
      values[argument] = {1, std::vector<uint64_t>(launch.threads, value)};
    Mask all(launch.threads, true);
    runBlock(entry, all);
  }

private:
  //===-- Values ---------------------------------------------------------===//

  Bits &make(Value value) {
    Bits &bits = values[value];
    bits.parts = partsOf(value.getType());
    bits.of.resize(size_t(launch.threads) * bits.parts);
    return bits;
  }
  uint64_t at(Value value, int thread, unsigned part = 0) {
    auto found = values.find(value); // references into the map stay valid
    if (found == values.end() || found->second.of.empty())
      return 0;
    const Bits &bits = found->second;
    return bits.of[size_t(thread) * bits.parts + part];
  }
  void copy(Value from, Value to, const Mask &mask) {
    Bits source;
    if (auto found = values.find(from); found != values.end())
      source = found->second;
    Bits &target = make(to);
    source.of.resize(target.of.size());
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        for (unsigned p = 0; p < target.parts; ++p) {
          size_t at = size_t(t) * target.parts + p;
          target.of[at] = source.of[at];
        }
  }
  void fail(Operation *op, const Twine &what) {
    if (!outcome.error.empty())
      return;
    llvm::raw_string_ostream os(outcome.error);
    os << what << " at ";
    op->print(os, OpPrintingFlags().skipRegions().elideLargeElementsAttrs());
  }
  bool failed() const { return !outcome.error.empty(); }

  /// Whole warps, or all of the block, must be there.
  void requireTogether(Operation *op, const Mask &mask, int group) {
    for (int first = 0; first < launch.threads; first += group)
      for (int t = first; t < std::min(first + group, launch.threads); ++t)
        if (mask[t] != mask[first])
          return fail(op, "not all threads reach this");
  }

  //===-- Memory ---------------------------------------------------------===//

  struct Shadow {
    int epochWritten = -1, writer = -1, epochRead = -1, reader = -1;
    bool readByMany = false, atomic = false, known = false;
    bool fenced = false; ///< seen by the matrix unit
    int products = 0;    ///< that may still read it
  };

  uint8_t *address(Operation *op, Type pointer, uint64_t where, unsigned bytes,
                   unsigned alignment) {
    if (where % alignment)
      fail(op, llvm::formatv("address {0} is not a multiple of {1}", where,
                             alignment));
    if (cast<LLVM::LLVMPointerType>(pointer).getAddressSpace() != 3)
      return reinterpret_cast<uint8_t *>(where);
    if (where + bytes > shared.size()) {
      fail(op, llvm::formatv("byte {0} of {1} bytes of shared memory", where,
                             shared.size()));
      return nullptr;
    }
    return shared.data() + where;
  }

  bool isShared(const uint8_t *byte) const {
    return byte >= shared.data() && byte < shared.data() + shared.size();
  }

  void read(Operation *op, int thread, uint8_t *from, unsigned bytes) {
    if (!from || !isShared(from))
      return;
    for (unsigned i = 0; i < bytes; ++i) {
      Shadow &s = shadow[from + i - shared.data()];
      if (!s.known)
        fail(op, "shared memory is read before it is written");
      if (s.epochWritten == epoch && (s.writer != thread || s.atomic))
        fail(op, llvm::formatv("race: thread {0} reads what thread {1} wrote, "
                               "byte {2}",
                               thread, s.writer, from + i - shared.data()));
      s.readByMany =
          s.epochRead == epoch && (s.readByMany || s.reader != thread);
      s.epochRead = epoch;
      s.reader = thread;
    }
  }

  void write(Operation *op, int thread, uint8_t *to, const uint8_t *data,
             unsigned bytes, bool atomic = false) {
    if (!to)
      return;
    if (isShared(to))
      for (unsigned i = 0; i < bytes; ++i) {
        Shadow &s = shadow[to + i - shared.data()];
        if (s.epochRead == epoch && (s.readByMany || s.reader != thread))
          fail(op, llvm::formatv("race: thread {0} writes what thread {1} "
                                 "reads, byte {2}",
                                 thread, s.reader, to + i - shared.data()));
        if (s.epochWritten == epoch && s.writer != thread && to[i] != data[i] &&
            !(s.atomic && atomic))
          fail(op, llvm::formatv("race: threads {0} and {1} write byte {2}",
                                 thread, s.writer, to + i - shared.data()));
        s.epochWritten = epoch;
        s.writer = thread;
        s.atomic = atomic;
        s.known = true;
        s.fenced = false;
        if (s.products)
          fail(op, llvm::formatv("a product still reads byte {0}",
                                 to + i - shared.data()));
      }
    std::memcpy(to, data, bytes);
  }

  //===-- Control --------------------------------------------------------===//

  static bool any(const Mask &mask) { return llvm::is_contained(mask, true); }
  Mask and_(const Mask &mask, Value condition, bool wanted) {
    Mask result = mask;
    for (int t = 0; t < launch.threads; ++t)
      result[t] = mask[t] && bool(at(condition, t) & 1) == wanted;
    return result;
  }
  void runBlock(Block &block, const Mask &mask) {
    for (Operation &op : block) {
      if (failed())
        return;
      runOp(&op, mask);
    }
  }
  void runOp(Operation *op, const Mask &mask);
  void runFor(scf::ForOp loop, Mask mask);
  void runWhile(scf::WhileOp loop, Mask mask);
  void runIntrinsic(LLVM::CallIntrinsicOp op, const Mask &mask);
  void runMatrix(LLVM::CallIntrinsicOp op, StringRef name, const Mask &mask);
  void runDot(LLVM::CallIntrinsicOp op, StringRef name, const Mask &mask);
  void waitProducts(size_t pending);
  void runCopy(LLVM::CallIntrinsicOp op, StringRef name, const Mask &mask);
  bool runMemory(Operation *op, const Mask &mask);
  bool runVector(Operation *op, const Mask &mask);
  uint64_t scalar(Operation *op, int thread, unsigned part, bool &known);
  APFloat number(Value value, int thread, unsigned part) {
    auto type = cast<FloatType>(getElementTypeOrSelf(value.getType()));
    return APFloat(type.getFloatSemantics(),
                   APInt(type.getWidth(), at(value, thread, part)));
  }

  const Launch &launch;
  llvm::DenseMap<Value, Bits> values;
  std::vector<uint8_t> shared;
  std::vector<Shadow> shadow;
  std::map<uint64_t, int> stored; ///< agreeing_store: by whom
  struct Copy {
    uint8_t *to;
    std::array<uint8_t, 8> data;
    unsigned bytes;
  };
  /// Bytes of shared memory that each open product of a warpgroup reads.
  std::vector<std::vector<int64_t>> products;
  /// The open groups of each thread; the last one takes copies.
  std::vector<std::vector<std::vector<Copy>>> copies;
  int epoch = 0;
};

} // namespace nereid::simulate

#endif // NEREID_TESTS_COMPILER_TARGET_GPU_MACHINE_H
