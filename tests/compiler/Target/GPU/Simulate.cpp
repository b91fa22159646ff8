//===- Simulate.cpp - A block of a GPU, on the CPU ------------------------===//

#include "Simulate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <cstring>
#include <map>

using namespace mlir;

namespace nereid::simulate {

namespace {

/// The bits of one SSA value in every thread; vectors have several parts.
struct Bits {
  unsigned parts = 1;
  std::vector<uint64_t> of; ///< [thread * parts + part]
};

using Mask = std::vector<bool>;

unsigned bitsOf(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return bitsOf(vector.getElementType());
  if (isa<LLVM::LLVMPointerType, IndexType>(type))
    return 64;
  return type.getIntOrFloatBitWidth();
}

unsigned partsOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? unsigned(vector.getNumElements()) : 1;
}

uint64_t truncated(uint64_t value, unsigned bits) {
  return bits >= 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

int64_t extended(uint64_t value, unsigned bits) {
  return bits >= 64 ? int64_t(value)
                    : int64_t(value << (64 - bits)) >> (64 - bits);
}

class Machine {
public:
  Machine(const Launch &launch)
      : launch(launch), shared(size_t(launch.sharedBytes), 0xA5),
        shadow(size_t(launch.sharedBytes)) {}

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
    const Bits &bits = values[value];
    return bits.of.empty() ? 0 : bits.of[size_t(thread) * bits.parts + part];
  }
  void copy(Value from, Value to, const Mask &mask) {
    Bits source = values[from];
    Bits &target = make(to);
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        for (unsigned p = 0; p < target.parts; ++p)
          target.of[size_t(t) * target.parts + p] =
              source.of[size_t(t) * source.parts + p];
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
  int epoch = 0;
};

} // namespace

//===-- Scalars -----------------------------------------------------------===//

static uint64_t bitsOfFloat(const APFloat &value) {
  return value.bitcastToAPInt().getZExtValue();
}

uint64_t Machine::scalar(Operation *op, int t, unsigned p, bool &known) {
  known = true;
  auto in = [&](unsigned i) { return at(op->getOperand(i), t, p); };
  Type from = op->getNumOperands() ? op->getOperand(0).getType() : Type();
  const unsigned width = from ? bitsOf(from) : 0;
  auto sin = [&](unsigned i) {
    return extended(in(i), bitsOf(op->getOperand(i).getType()));
  };
  auto fin = [&](unsigned i) { return number(op->getOperand(i), t, p); };
  auto rounding = APFloat::rmNearestTiesToEven;
  auto arithmetic = [&](auto fn) {
    APFloat value = fin(0);
    fn(value, fin(1));
    return bitsOfFloat(value);
  };
  auto resultFloat = [&] {
    return cast<FloatType>(getElementTypeOrSelf(op->getResult(0).getType()));
  };
  return llvm::TypeSwitch<Operation *, uint64_t>(op)
      .Case<arith::ConstantOp>([&](auto c) -> uint64_t {
        if (auto number = dyn_cast<FloatAttr>(c.getValue()))
          return bitsOfFloat(number.getValue());
        if (auto number = dyn_cast<IntegerAttr>(c.getValue()))
          return number.getValue().getZExtValue();
        known = false;
        return 0;
      })
      .Case<LLVM::ConstantOp>([&](auto c) -> uint64_t {
        if (auto number = dyn_cast<IntegerAttr>(c.getValue()))
          return number.getValue().getZExtValue();
        if (auto number = dyn_cast<FloatAttr>(c.getValue()))
          return bitsOfFloat(number.getValue());
        known = false;
        return 0;
      })
      .Case<LLVM::ZeroOp>([](auto) { return 0; })
      .Case<arith::AddIOp, LLVM::AddOp>([&](auto) { return in(0) + in(1); })
      .Case<arith::SubIOp, LLVM::SubOp>([&](auto) { return in(0) - in(1); })
      .Case<arith::MulIOp, LLVM::MulOp>([&](auto) { return in(0) * in(1); })
      .Case<arith::AndIOp, LLVM::AndOp>([&](auto) { return in(0) & in(1); })
      .Case<arith::OrIOp, LLVM::OrOp>([&](auto) { return in(0) | in(1); })
      .Case<arith::XOrIOp, LLVM::XOrOp>([&](auto) { return in(0) ^ in(1); })
      .Case<arith::ShLIOp, LLVM::ShlOp>(
          [&](auto) { return in(1) >= width ? 0 : in(0) << in(1); })
      .Case<arith::ShRUIOp, LLVM::LShrOp>(
          [&](auto) { return in(1) >= width ? 0 : in(0) >> in(1); })
      .Case<arith::ShRSIOp>([&](auto) {
        return uint64_t(sin(0) >> std::min<uint64_t>(in(1), 63));
      })
      .Case<arith::DivUIOp>([&](auto) { return in(1) ? in(0) / in(1) : 0; })
      .Case<arith::RemUIOp>([&](auto) { return in(1) ? in(0) % in(1) : 0; })
      .Case<arith::DivSIOp>([&](auto) { return sin(1) ? sin(0) / sin(1) : 0; })
      .Case<arith::RemSIOp>([&](auto) { return sin(1) ? sin(0) % sin(1) : 0; })
      .Case<arith::MaxSIOp>([&](auto) { return std::max(sin(0), sin(1)); })
      .Case<arith::MinSIOp>([&](auto) { return std::min(sin(0), sin(1)); })
      .Case<arith::MaxUIOp>([&](auto) { return std::max(in(0), in(1)); })
      .Case<arith::MinUIOp>([&](auto) { return std::min(in(0), in(1)); })
      .Case<arith::CmpIOp>([&](auto c) -> uint64_t {
        return arith::applyCmpPredicate(c.getPredicate(), APInt(width, in(0)),
                                        APInt(width, in(1)));
      })
      .Case<arith::CmpFOp>([&](auto c) -> uint64_t {
        return arith::applyCmpPredicate(c.getPredicate(), fin(0), fin(1));
      })
      .Case<arith::SelectOp, LLVM::SelectOp>(
          [&](auto) { return at(op->getOperand(0), t) & 1 ? in(1) : in(2); })
      .Case<arith::ExtUIOp, arith::TruncIOp, arith::BitcastOp, LLVM::ZExtOp,
            LLVM::TruncOp, LLVM::PtrToIntOp, LLVM::IntToPtrOp,
            LLVM::AddrSpaceCastOp>([&](auto) { return in(0); })
      .Case<arith::ExtSIOp, LLVM::SExtOp, arith::IndexCastOp>(
          [&](auto) { return uint64_t(sin(0)); })
      .Case<arith::AddFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.add(b, rounding); });
      })
      .Case<arith::SubFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.subtract(b, rounding); });
      })
      .Case<arith::MulFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.multiply(b, rounding); });
      })
      .Case<arith::DivFOp>([&](auto) {
        return arithmetic(
            [&](APFloat &a, const APFloat &b) { a.divide(b, rounding); });
      })
      .Case<math::FmaOp>([&](auto) {
        APFloat value = fin(0);
        value.fusedMultiplyAdd(fin(1), fin(2), rounding);
        return bitsOfFloat(value);
      })
      .Case<arith::NegFOp>([&](auto) { return bitsOfFloat(-fin(0)); })
      .Case<arith::MaxNumFOp>(
          [&](auto) { return bitsOfFloat(llvm::maxnum(fin(0), fin(1))); })
      .Case<arith::MinNumFOp>(
          [&](auto) { return bitsOfFloat(llvm::minnum(fin(0), fin(1))); })
      .Case<arith::MaximumFOp>(
          [&](auto) { return bitsOfFloat(llvm::maximum(fin(0), fin(1))); })
      .Case<arith::MinimumFOp>(
          [&](auto) { return bitsOfFloat(llvm::minimum(fin(0), fin(1))); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) {
        APFloat value = fin(0);
        bool lost;
        value.convert(resultFloat().getFloatSemantics(), rounding, &lost);
        return bitsOfFloat(value);
      })
      .Case<arith::SIToFPOp>([&](auto) {
        APFloat value(resultFloat().getFloatSemantics());
        value.convertFromAPInt(APInt(64, uint64_t(sin(0)), true), true,
                               rounding);
        return bitsOfFloat(value);
      })
      .Case<arith::UIToFPOp>([&](auto) {
        APFloat value(resultFloat().getFloatSemantics());
        value.convertFromAPInt(APInt(64, in(0)), false, rounding);
        return bitsOfFloat(value);
      })
      .Default([&](Operation *) {
        known = false;
        return 0;
      });
}

//===-- Vectors and memory ------------------------------------------------===//

bool Machine::runVector(Operation *op, const Mask &mask) {
  if (isa<LLVM::UndefOp, LLVM::PoisonOp>(op)) {
    Bits &bits = make(op->getResult(0));
    for (uint64_t &part : bits.of)
      part = truncated(0xDEADBEEFDEADBEEF, bitsOf(op->getResult(0).getType()));
    return true;
  }
  if (auto insert = dyn_cast<LLVM::InsertElementOp>(op)) {
    copy(insert.getVector(), op->getResult(0), mask);
    Bits &bits = make(op->getResult(0));
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        bits.of[size_t(t) * bits.parts + at(insert.getPosition(), t)] =
            at(insert.getValue(), t);
    return true;
  }
  if (auto extract = dyn_cast<LLVM::ExtractElementOp>(op)) {
    Bits &bits = make(op->getResult(0));
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        bits.of[t] =
            at(extract.getVector(), t, unsigned(at(extract.getPosition(), t)));
    return true;
  }
  if (isa<LLVM::BitcastOp>(op)) {
    // The first part is in the lowest bits.
    Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
    const unsigned fromBits = bitsOf(from), toBits = bitsOf(to);
    Bits &bits = make(op->getResult(0));
    for (int t = 0; t < launch.threads; ++t) {
      if (!mask[t])
        continue;
      for (unsigned p = 0; p < bits.parts; ++p) {
        uint64_t value = 0;
        for (unsigned bit = 0; bit < toBits; ++bit) {
          unsigned whole = p * toBits + bit;
          value |= (at(op->getOperand(0), t, whole / fromBits) >>
                        (whole % fromBits) &
                    1)
                   << bit;
        }
        bits.of[size_t(t) * bits.parts + p] = value;
      }
    }
    return true;
  }
  return false;
}

bool Machine::runMemory(Operation *op, const Mask &mask) {
  if (auto gep = dyn_cast<LLVM::GEPOp>(op)) {
    Bits &bits = make(op->getResult(0));
    const int64_t size = std::max(1u, bitsOf(gep.getElemType()) / 8);
    for (int t = 0; t < launch.threads; ++t) {
      if (!mask[t])
        continue;
      int64_t index = 0;
      for (auto part : gep.getIndices()) {
        if (auto value = dyn_cast<Value>(part))
          index = extended(at(value, t), bitsOf(value.getType()));
        else
          index = cast<IntegerAttr>(part).getInt();
      }
      bits.of[t] = at(gep.getBase(), t) + uint64_t(index * size);
    }
    return true;
  }
  if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
    Type type = load.getType();
    Bits &bits = make(op->getResult(0));
    const unsigned bytes = std::max(1u, bitsOf(type) / 8);
    bool inShared = cast<LLVM::LLVMPointerType>(load.getAddr().getType())
                        .getAddressSpace() == 3;
    outcome.sharedLoads += inShared;
    for (int t = 0; t < launch.threads && !failed(); ++t) {
      if (!mask[t])
        continue;
      uint8_t *from = address(op, load.getAddr().getType(),
                              at(load.getAddr(), t), bytes * bits.parts,
                              unsigned(load.getAlignment().value_or(bytes)));
      read(op, t, from, bytes * bits.parts);
      for (unsigned p = 0; from && p < bits.parts; ++p) {
        uint64_t value = 0;
        std::memcpy(&value, from + size_t(p) * bytes, bytes);
        bits.of[size_t(t) * bits.parts + p] = value;
      }
    }
    return true;
  }
  if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    Type type = store.getValue().getType();
    const unsigned bytes = std::max(1u, bitsOf(type) / 8),
                   parts = partsOf(type);
    outcome.sharedStores +=
        cast<LLVM::LLVMPointerType>(store.getAddr().getType())
            .getAddressSpace() == 3;
    for (int t = 0; t < launch.threads && !failed(); ++t) {
      if (!mask[t])
        continue;
      uint8_t *to = address(op, store.getAddr().getType(),
                            at(store.getAddr(), t), bytes * parts,
                            unsigned(store.getAlignment().value_or(bytes)));
      uint8_t data[64];
      for (unsigned p = 0; p < parts; ++p) {
        uint64_t value = at(store.getValue(), t, p);
        std::memcpy(data + size_t(p) * bytes, &value, bytes);
      }
      write(op, t, to, data, bytes * parts);
    }
    return true;
  }
  if (auto atomic = dyn_cast<LLVM::AtomicRMWOp>(op)) {
    const unsigned bytes = bitsOf(atomic.getVal().getType()) / 8;
    Bits &bits = make(op->getResult(0));
    if (atomic.getBinOp() != LLVM::AtomicBinOp::add) {
      fail(op, "unknown atomic operation");
      return true;
    }
    for (int t = 0; t < launch.threads && !failed(); ++t) {
      if (!mask[t])
        continue;
      uint8_t *to = address(op, atomic.getPtr().getType(),
                            at(atomic.getPtr(), t), bytes, bytes);
      if (!to)
        break;
      uint64_t old = 0;
      std::memcpy(&old, to, bytes);
      bits.of[t] = old;
      old += at(atomic.getVal(), t);
      write(op, t, to, reinterpret_cast<uint8_t *>(&old), bytes, true);
    }
    return true;
  }
  return false;
}

//===-- Intrinsics --------------------------------------------------------===//

void Machine::runMatrix(LLVM::CallIntrinsicOp op, StringRef name,
                        const Mask &mask) {
  requireTogether(op, mask, launch.lanes);
  const bool load = name.starts_with("load"),
             transposed = name.ends_with("transposed");
  Value pointer = op.getOperand(0);
  const unsigned count =
      load ? partsOf(op.getResult(0).getType()) : op->getNumOperands() - 1;
  (load ? outcome.sharedLoads : outcome.sharedStores) += 1;
  Bits *bits = load ? &make(op.getResult(0)) : nullptr;
  for (int t = 0; t < launch.threads && !failed(); ++t) {
    if (!mask[t])
      continue;
    const int warp = t / launch.lanes * launch.lanes, lane = t % launch.lanes;
    for (unsigned m = 0; m < count; ++m) {
      auto row = [&](int j) {
        return address(op, pointer.getType(),
                       at(pointer, warp + int(8 * m) + j), 16, 16);
      };
      uint8_t *parts[2];
      unsigned size = 4;
      if (transposed) {
        size = 2;
        for (int i = 0; i < 2; ++i)
          parts[i] = row(2 * (lane % 4) + i) + 2 * (lane / 4);
      } else {
        parts[0] = row(lane / 4) + 4 * (lane % 4);
      }
      if (failed())
        return;
      uint8_t data[4];
      if (!load) {
        uint32_t word = uint32_t(at(op.getOperand(m + 1), t));
        std::memcpy(data, &word, 4);
      }
      for (unsigned i = 0; i < 4 / size; ++i) {
        if (load) {
          read(op, t, parts[i], size);
          std::memcpy(data + size * i, parts[i], size);
        } else {
          write(op, t, parts[i], data + size * i, size);
        }
      }
      if (load) {
        uint32_t word;
        std::memcpy(&word, data, 4);
        bits->of[size_t(t) * count + m] = word;
      }
    }
  }
}

void Machine::runIntrinsic(LLVM::CallIntrinsicOp op, const Mask &mask) {
  StringRef name = op.getIntrin();
  if (!name.consume_front("sim."))
    return fail(op, "unknown intrinsic");
  if (name.contains("matrix"))
    return runMatrix(op, name, mask);
  if (name == "barrier") {
    if (at(op.getOperand(1), 0) != uint64_t(launch.threads))
      return fail(op, "barriers of a part of the block are not simulated");
    requireTogether(op, mask, launch.threads);
    ++outcome.barriers;
    ++epoch;
    return;
  }
  if (name == "agreeing_store") {
    const unsigned bytes = std::max(1u, bitsOf(op.getOperand(1).getType()) / 8);
    for (int t = 0; t < launch.threads; ++t) {
      if (!mask[t])
        continue;
      uint64_t where = at(op.getOperand(0), t), value = at(op.getOperand(1), t);
      auto [known, isNew] = stored.try_emplace(where, t);
      if (!isNew && std::memcmp(reinterpret_cast<void *>(where), &value, bytes))
        return fail(op, llvm::formatv("threads {0} and {1} hold different "
                                      "copies of one element",
                                      known->second, t));
      std::memcpy(reinterpret_cast<void *>(where), &value, bytes);
    }
    return;
  }
  std::vector<uint64_t> result(launch.threads);
  const bool wholeWarps = name.starts_with("shuffle") ||
                          name.starts_with("reduce") || name == "uniform";
  if (wholeWarps)
    requireTogether(op, mask, launch.lanes);
  outcome.shuffles += name.starts_with("shuffle");
  for (int t = 0; t < launch.threads && !failed(); ++t) {
    if (!mask[t])
      continue;
    const int lane = t % launch.lanes, warp = t - lane;
    auto in = [&](unsigned i) { return at(op.getOperand(i), t); };
    if (name == "thread") {
      result[t] = uint64_t(t);
    } else if (name == "program") {
      result[t] = uint64_t(launch.program[in(0)]);
    } else if (name == "programs") {
      result[t] = uint64_t(launch.programs[in(0)]);
    } else if (name == "uniform") {
      result[t] = at(op.getOperand(0), warp);
      if (result[t] != in(0))
        fail(op, "not the same in all lanes");
    } else if (name == "shuffle" || name == "shuffle_xor") {
      uint64_t from = name == "shuffle" ? in(1) : uint64_t(lane) ^ in(1);
      result[t] =
          at(op.getOperand(0), warp + int(from % uint64_t(launch.lanes)));
    } else if (name.consume_front("reduce.arith.")) {
      uint32_t all = uint32_t(at(op.getOperand(0), warp));
      for (int l = 1; l < launch.lanes; ++l) {
        uint32_t next = uint32_t(at(op.getOperand(0), warp + l));
        all = name == "addi"    ? all + next
              : name == "andi"  ? all & next
              : name == "ori"   ? all | next
              : name == "xori"  ? all ^ next
              : name == "maxui" ? std::max(all, next)
              : name == "minui" ? std::min(all, next)
              : name == "maxsi"
                  ? uint32_t(std::max(int32_t(all), int32_t(next)))
                  : uint32_t(std::min(int32_t(all), int32_t(next)));
      }
      result[t] = all;
      name = op.getIntrin().drop_front(4);
    } else {
      fail(op, "unknown intrinsic");
    }
  }
  if (op->getNumResults()) {
    Bits &bits = make(op.getResult(0));
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        bits.of[t] = result[t];
  }
}

//===-- Control -----------------------------------------------------------===//

void Machine::runFor(scf::ForOp loop, Mask mask) {
  Block *body = loop.getBody();
  copy(loop.getLowerBound(), loop.getInductionVar(), mask);
  for (auto [init, argument] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs()))
    copy(init, argument, mask);
  const unsigned width = bitsOf(loop.getInductionVar().getType());
  const Mask entered = mask;
  while (!failed()) {
    for (int t = 0; t < launch.threads; ++t)
      mask[t] = mask[t] && extended(at(loop.getInductionVar(), t), width) <
                               extended(at(loop.getUpperBound(), t), width);
    if (!any(mask))
      break;
    runBlock(*body, mask);
    Operation *yield = body->getTerminator();
    std::vector<Bits> next;
    for (Value value : yield->getOperands())
      next.push_back(values[value]);
    for (auto [argument, bits] : llvm::zip(loop.getRegionIterArgs(), next)) {
      Bits &target = make(argument);
      for (int t = 0; t < launch.threads; ++t)
        if (mask[t])
          for (unsigned p = 0; p < target.parts; ++p)
            target.of[size_t(t) * target.parts + p] =
                bits.of[size_t(t) * target.parts + p];
    }
    Bits &index = make(loop.getInductionVar());
    for (int t = 0; t < launch.threads; ++t)
      if (mask[t])
        index.of[t] = truncated(index.of[t] + at(loop.getStep(), t), width);
  }
  for (auto [argument, result] :
       llvm::zip(loop.getRegionIterArgs(), loop.getResults()))
    copy(argument, result, entered);
}

void Machine::runWhile(scf::WhileOp loop, Mask mask) {
  for (auto [init, argument] :
       llvm::zip(loop.getInits(), loop.getBeforeArguments()))
    copy(init, argument, mask);
  while (any(mask) && !failed()) {
    runBlock(*loop.getBeforeBody(), mask);
    auto condition = loop.getConditionOp();
    for (auto [value, result] :
         llvm::zip(condition.getArgs(), loop.getResults()))
      copy(value, result, mask);
    mask = and_(mask, condition.getCondition(), true);
    for (auto [value, argument] :
         llvm::zip(condition.getArgs(), loop.getAfterArguments()))
      copy(value, argument, mask);
    if (!any(mask))
      break;
    runBlock(*loop.getAfterBody(), mask);
    std::vector<Value> yielded(loop.getYieldOp().getOperands().begin(),
                               loop.getYieldOp().getOperands().end());
    for (auto [value, argument] : llvm::zip(yielded, loop.getBeforeArguments()))
      copy(value, argument, mask);
  }
}

void Machine::runOp(Operation *op, const Mask &mask) {
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (bool way : {true, false}) {
      Region &region = way ? branch.getThenRegion() : branch.getElseRegion();
      Mask inside = and_(mask, branch.getCondition(), way);
      if (region.empty() || !any(inside))
        continue;
      runBlock(region.front(), inside);
      for (auto [value, result] :
           llvm::zip(region.front().getTerminator()->getOperands(),
                     branch.getResults()))
        copy(value, result, inside);
    }
    return;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return runFor(loop, mask);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return runWhile(loop, mask);
  if (op->hasTrait<OpTrait::IsTerminator>())
    return;
  if (auto intrinsic = dyn_cast<LLVM::CallIntrinsicOp>(op))
    return runIntrinsic(intrinsic, mask);
  if (runMemory(op, mask) || runVector(op, mask))
    return;
  if (op->getNumResults() != 1)
    return fail(op, "an operation that is not simulated");
  const unsigned width = bitsOf(op->getResult(0).getType());
  Bits result;
  result.parts = partsOf(op->getResult(0).getType());
  result.of.resize(size_t(launch.threads) * result.parts);
  for (int t = 0; t < launch.threads; ++t)
    for (unsigned p = 0; mask[t] && p < result.parts; ++p) {
      bool known;
      uint64_t value = scalar(op, t, p, known);
      if (!known)
        return fail(op, "an operation that is not simulated");
      result.of[size_t(t) * result.parts + p] = truncated(value, width);
    }
  Bits &target = make(op->getResult(0));
  for (int t = 0; t < launch.threads; ++t)
    if (mask[t])
      for (unsigned p = 0; p < result.parts; ++p)
        target.of[size_t(t) * result.parts + p] =
            result.of[size_t(t) * result.parts + p];
}

Outcome run(LLVM::LLVMFuncOp kernel, const Launch &launch) {
  Machine machine(launch);
  machine.run(kernel);
  return machine.outcome;
}

} // namespace nereid::simulate
