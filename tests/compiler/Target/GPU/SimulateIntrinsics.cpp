//===- SimulateIntrinsics.cpp - What hooks call
//---------------------------------===//

#include "Machine.h"

#include "compiler/Target/GPU/Movement.h"

using namespace mlir;

namespace nereid::simulate {

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

void Machine::runDot(LLVM::CallIntrinsicOp op, StringRef name,
                     const Mask &mask) {
  requireTogether(op, mask, launch.threads);
  auto types = op->getAttrOfType<ArrayAttr>("sim.types");
  const bool byWarpgroups = name == "warpgroup_mma";
  struct Matrix {
    ArrayRef<int64_t> shape;
    Type element;
    gpu::Places places;
    std::vector<double> values;
  } matrices[3];
  auto numberOf = [&](Type type, uint64_t bits) {
    auto number = dyn_cast<FloatType>(type);
    if (!number)
      return double(extended(bits, bitsOf(type)));
    APFloat wide(number.getFloatSemantics(), APInt(number.getWidth(), bits));
    bool lost;
    wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return wide.convertToDouble();
  };
  auto elementAt = [&](const Matrix &matrix, int t, unsigned r) {
    return gpu::combine(matrix.places.reg, r) ^
           gpu::combine(matrix.places.lane, uint64_t(t % launch.lanes)) ^
           gpu::combine(matrix.places.warp, uint64_t(t / launch.lanes));
  };
  // Elements are numbered with the first dimension in the lowest bits.
  unsigned operand = 0;
  std::vector<int64_t> bytesRead;
  for (auto [matrix, attribute] : llvm::zip(matrices, types)) {
    Type type = cast<TypeAttr>(attribute).getValue();
    if (auto tile = dyn_cast<tgpu::TileType>(type)) {
      matrix.shape = tile.getShape();
      matrix.element = tile.getElementType();
      gpu::Columns offsets = gpu::offsetsOf(tile.getLinear());
      const unsigned bytes = std::max(1u, bitsOf(matrix.element) / 8);
      uint64_t base = at(op.getOperand(operand), 0);
      Type pointer = op.getOperand(operand++).getType();
      for (uint64_t n = 0; n < uint64_t(1) << offsets.size(); ++n) {
        uint64_t where = base + gpu::combine(offsets, n) * bytes;
        uint8_t *from = address(op, pointer, where, bytes, bytes);
        if (failed())
          return;
        uint64_t value = 0;
        std::memcpy(&value, from, bytes);
        matrix.values.push_back(numberOf(matrix.element, value));
        for (unsigned i = 0; i < bytes; ++i) {
          const Shadow &s = shadow[where + i];
          if (!s.known)
            fail(op, "shared memory is read before it is written");
          else if (s.epochWritten == epoch)
            fail(op, llvm::formatv("race: a product reads byte {0}, which "
                                   "thread {1} wrote",
                                   where + i, s.writer));
          else if (!s.fenced)
            fail(op, llvm::formatv("byte {0} has no proxy fence", where + i));
          bytesRead.push_back(int64_t(where + i));
        }
      }
      continue;
    }
    auto tensor = cast<RankedTensorType>(type);
    matrix.shape = tensor.getShape();
    matrix.element = tensor.getElementType();
    matrix.places = gpu::placesOf(tgpu::getLayout(tensor).getLinear());
    matrix.values.resize(tensor.getNumElements());
    for (unsigned r = 0; r < unsigned(matrix.places.registers());
         ++r, ++operand)
      for (int t = 0; t < launch.threads; ++t)
        matrix.values[elementAt(matrix, t, r)] =
            numberOf(matrix.element, at(op.getOperand(operand), t));
  }
  auto &[a, b, d] = matrices;
  if (byWarpgroups) {
    if (!(at(op.getOperand(operand), 0) & 1))
      std::fill(d.values.begin(), d.values.end(), 0.0);
    for (int64_t byte : bytesRead)
      ++shadow[byte].products;
    products.push_back(std::move(bytesRead));
  }
  const size_t rank = d.shape.size();
  const int64_t batch = rank == 3 ? d.shape[0] : 1, m = d.shape[rank - 2],
                n = d.shape[rank - 1], k = a.shape[rank - 1];
  for (int64_t s = 0; s < batch; ++s)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t c = 0; c < k; ++c)
          sum += a.values[s + batch * (i + m * c)] *
                 b.values[s + batch * (c + k * j)];
        d.values[s + batch * (i + m * j)] += sum;
      }
  Bits &bits = make(op.getResult(0));
  for (int t = 0; t < launch.threads; ++t)
    for (unsigned r = 0; r < bits.parts; ++r) {
      double value = d.values[elementAt(d, t, r)];
      uint64_t held;
      if (auto number = dyn_cast<FloatType>(d.element)) {
        APFloat rounded(value);
        bool lost;
        rounded.convert(number.getFloatSemantics(),
                        APFloat::rmNearestTiesToEven, &lost);
        held = bitsOfFloat(rounded);
      } else {
        held = truncated(uint64_t(int64_t(value)), bitsOf(d.element));
      }
      bits.of[size_t(t) * bits.parts + r] = held;
    }
}

/// What a product read, its own threads may write again; the others may do so
/// after a barrier.
void Machine::waitProducts(size_t pending) {
  while (products.size() > pending) {
    for (int64_t byte : products.front()) {
      Shadow &s = shadow[byte];
      --s.products;
      s.epochRead = epoch;
      s.readByMany = true;
    }
    products.erase(products.begin());
  }
}

void Machine::runCopy(LLVM::CallIntrinsicOp op, StringRef name,
                      const Mask &mask) {
  for (int t = 0; t < launch.threads && !failed(); ++t) {
    if (!mask[t])
      continue;
    auto in = [&](unsigned i) { return at(op.getOperand(i), t); };
    auto &groups = copies[t];
    if (name == "async_copy") {
      if (!(in(3) & 1))
        continue;
      Copy copy{nullptr, {}, unsigned(in(4))};
      copy.to = address(op, op.getOperand(0).getType(), in(0), copy.bytes,
                        copy.bytes);
      if (in(2) & 1)
        std::memcpy(copy.data.data(), reinterpret_cast<void *>(in(1)),
                    copy.bytes);
      groups.back().push_back(copy);
    } else if (name == "async_commit") {
      groups.emplace_back();
    } else {
      while (groups.size() > 1 + in(0)) {
        for (Copy &copy : groups.front())
          write(op, t, copy.to, copy.data.data(), copy.bytes);
        groups.erase(groups.begin());
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
  if (name == "dot" || name == "warpgroup_mma")
    return runDot(op, name, mask);
  if (name == "warpgroup_wait") {
    requireTogether(op, mask, launch.threads);
    return waitProducts(at(op.getOperand(0), 0));
  }
  if (name == "proxy_fence") {
    for (Shadow &s : shadow)
      s.fenced |= s.writer >= 0 && mask[s.writer];
    return;
  }
  if (name.starts_with("async_"))
    return runCopy(op, name, mask);
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

} // namespace nereid::simulate
