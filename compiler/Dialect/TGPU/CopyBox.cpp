//===- CopyBox.cpp - Blocks as the copy engine moves them -----------------===//

#include "compiler/Dialect/TGPU/CopyBox.h"

#include "compiler/Dialect/TGPU/Layouts.h"

using namespace mlir;

namespace nereid::tgpu {

// Limits of a tensor map.
constexpr int64_t kMaxBoxSize = 256;
constexpr int64_t kMinRowBytes = 16;
// A copy's address in shared memory is a multiple of this.
constexpr int64_t kTileAlignment = 128;

static unsigned bitsOf(Type element) {
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
}

/// Bytes of the panels that the tile is cut into; 0: it is plain row major.
/// Swizzles repeat after eight rows, so fewer rows have none.
static int32_t panelBytes(ArrayRef<int64_t> shape, unsigned bits) {
  int64_t rows = 1;
  for (int64_t size : shape.drop_back())
    rows *= size;
  if (rows < 8)
    return 0;
  return int32_t(std::min<int64_t>(128, shape.back() * bits / 8));
}

std::optional<CopyBox> copyBox(ArrayRef<int64_t> shape, Type element) {
  unsigned bits = bitsOf(element);
  if (shape.empty() || shape.size() > 5 || !llvm::isPowerOf2_32(bits) ||
      bits < 8 || bits > 64 || shape.back() * bits / 8 < kMinRowBytes)
    return std::nullopt;
  int64_t bytes = bits / 8;
  for (int64_t size : shape)
    bytes *= size;
  if (bytes < kTileAlignment)
    return std::nullopt;
  CopyBox box;
  int32_t panel = panelBytes(shape, bits);
  box.swizzleBytes = panel > 16 ? panel : 0;
  box.size.assign(shape.begin(), shape.end());
  // The panels of the last dimension stand one after the other; of the other
  // dimensions a box must be one run of rows, so nothing outside the first
  // dimension that is cut may stay whole.
  bool isCut = false;
  auto cut = [&](int64_t &size) {
    if (isCut)
      size = 1;
    isCut |= size > kMaxBoxSize;
    size = std::min(size, kMaxBoxSize);
  };
  if (panel)
    box.size.back() = panel * 8 / bits;
  else
    cut(box.size.back());
  for (int64_t &size : llvm::reverse(MutableArrayRef(box.size).drop_back()))
    cut(size);
  return box;
}

TileType copyTile(ArrayRef<int64_t> shape, Type element) {
  unsigned bits = bitsOf(element);
  return TileType::get(element.getContext(), shape, element,
                       swizzledTile(shape, bits, unsigned(shape.size() - 1),
                                    panelBytes(shape, bits)),
                       /*buffers=*/1);
}

void forEachBox(TileType tile, const CopyBox &box,
                llvm::function_ref<void(ArrayRef<int64_t>, int64_t)> fn) {
  ArrayRef<int64_t> shape = tile.getShape();
  int64_t elementBytes = bitsOf(tile.getElementType()) / 8;
  const LinearLayout &linear = tile.getLinear();
  std::optional<LinearLayout> place = linear.rightInverse();
  SmallVector<int64_t, 5> start(shape.size(), 0);
  while (true) {
    LinearLayout::Coordinates at;
    for (auto [out, value] : llvm::zip(linear.outDims(), start))
      at.emplace_back(out.name, int32_t(value));
    fn(start, place->apply(at).front().second * elementBytes);
    size_t dim = shape.size();
    while (dim > 0 && (start[dim - 1] += box.size[dim - 1]) == shape[dim - 1])
      start[--dim] = 0;
    if (dim == 0)
      return;
  }
}

} // namespace nereid::tgpu
