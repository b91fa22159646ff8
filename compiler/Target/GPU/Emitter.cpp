//===- Emitter.cpp - The walk over a kernel, and what files share ---------===//

#include "compiler/Target/GPU/Emitter.h"

#include "compiler/Dialect/TGPU/Recipe.h"
#include "compiler/Target/GPU/Moves.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace nereid::gpu {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ArrayRef<Value> Emitter::get(Value value) const {
  auto found = values.find(value);
  assert(found != values.end() && "a value that was not emitted");
  return found->second;
}

Value Emitter::getScalar(Value value) const {
  ArrayRef<Value> all = get(value);
  assert(all.size() == 1 && "not a scalar");
  return all.front();
}

void Emitter::set(Value value, ArrayRef<Value> registers) {
  assert(int64_t(registers.size()) == count(value.getType()) &&
         "a layout's number of registers");
  values[value] = registers.copy(storage);
}

int64_t Emitter::scalarsPerWord(Type type) const {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !isa<FloatType>(tensor.getElementType()))
    return 1;
  unsigned bits = tensor.getElementTypeBitWidth();
  int64_t each = bits < 32 ? 32 / bits : 1;
  return count(type) % each == 0 ? each : 1;
}

Registers Emitter::flatten(ValueRange range) {
  Registers all;
  for (Value value : range) {
    ArrayRef<Value> scalars = get(value);
    int64_t each = scalarsPerWord(value.getType());
    if (each == 1) {
      llvm::append_range(all, scalars);
      continue;
    }
    for (; !scalars.empty(); scalars = scalars.drop_front(each))
      all.push_back(packWord(*this, value.getLoc(), scalars.take_front(each)));
  }
  return all;
}

SmallVector<Type> Emitter::flattenTypes(TypeRange types) const {
  SmallVector<Type> all;
  for (Type type : types) {
    int64_t each = scalarsPerWord(type);
    all.append(count(type) / each, each == 1
                                       ? scalarType(type)
                                       : Type(IntegerType::get(context(), 32)));
  }
  return all;
}

void Emitter::unflatten(ValueRange range, ValueRange flat) {
  for (Value value : range) {
    int64_t size = count(value.getType());
    int64_t each = scalarsPerWord(value.getType());
    Registers scalars;
    for (Value carried : flat.take_front(size / each))
      if (each == 1)
        scalars.push_back(carried);
      else
        llvm::append_range(scalars, unpackWord(*this, value.getLoc(), carried,
                                               scalarType(value.getType()),
                                               unsigned(each)));
    set(value, scalars);
    flat = flat.drop_front(size / each);
  }
}

Type Emitter::scalarType(Type type) const {
  MLIRContext *ctx = context();
  if (isa<tgpu::TileType, tgpu::BarriersType>(type))
    return LLVM::LLVMPointerType::get(ctx, 3);
  if (isa<tgpu::TensorMapType, tgpu::VariableType>(type))
    return LLVM::LLVMPointerType::get(ctx);
  type = tt::getElementType(type);
  if (auto pointer = dyn_cast<tt::PointerType>(type))
    return LLVM::LLVMPointerType::get(ctx, pointer.getAddressSpace());
  if (auto number = dyn_cast<FloatType>(type); number && number.getWidth() == 8)
    return IntegerType::get(ctx, 8);
  return type;
}

int64_t Emitter::count(Type type) const {
  tgpu::LayoutAttr layout = tgpu::getLayout(type);
  return layout ? layout.getLinear().inSize("register") : 1;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emit(Operation *op) {
  auto row = table.find(op->getName().getStringRef());
  if (row == table.end())
    return emitError(op->getLoc())
           << "'" << op->getName() << "' has no code on " << target.name;
  for (Type type : llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()),
                                      SmallVector<Type>(op->getResultTypes())))
    if (isa<RankedTensorType>(type) && !tgpu::getLayout(type))
      return emitError(op->getLoc())
             << "'" << op->getName() << "' has a tensor without a layout";
  if (failed(row->second(*this, op)))
    return failure();
  for (Value result : op->getResults()) {
    auto found = values.find(result);
    if (found == values.end() ||
        int64_t(found->second.size()) != count(result.getType()))
      return emitError(op->getLoc())
             << "the code of '" << op->getName()
             << "' does not fit its layout; this is a mistake of the compiler";
  }
  return success();
}

LogicalResult Emitter::emitBody(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(emit(&op)))
      return failure();
  return success();
}

LogicalResult
Emitter::emitBlocks(Region &region, Block *entry,
                    llvm::function_ref<LogicalResult(Operation *)> atEnd) {
  Region *into = entry->getParent();
  blocks[&region.front()] = entry;
  for (Block &block : llvm::drop_begin(region)) {
    Block *copy = new Block;
    into->push_back(copy);
    blocks[&block] = copy;
    for (BlockArgument argument : block.getArguments())
      for (Type type : flattenTypes(argument.getType()))
        copy->addArgument(type, argument.getLoc());
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(copy);
    unflatten(block.getArguments(), ValueRange(copy->getArguments()));
  }
  // In an order in which what dominates comes first.
  llvm::ReversePostOrderTraversal<Region *> order(&region);
  DenseSet<Block *> reached;
  for (Block *block : order) {
    reached.insert(block);
    builder.setInsertionPointToEnd(blocks[block]);
    if (failed(emitBody(*block)))
      return failure();
    Operation *last = block->getTerminator();
    bool branches = isa<cf::BranchOp, cf::CondBranchOp>(last);
    if (failed(branches ? emit(last) : atEnd(last)))
      return failure();
  }
  for (Block &block : llvm::drop_begin(region))
    if (!reached.contains(&block))
      blocks[&block]->erase();
  return success();
}

FailureOr<Registers> Emitter::inlineRegion(Region &region,
                                           ValueRange arguments) {
  Location loc = region.getLoc();
  for (auto [argument, value] :
       llvm::zip_equal(region.getArguments(), arguments))
    set(argument, value);
  if (region.hasOneBlock()) {
    if (failed(emitBody(region.front())))
      return failure();
    return flatten(region.front().getTerminator()->getOperands());
  }
  // Several blocks stand in an operation that gives their values.
  Operation *leaves = nullptr;
  for (Block &block : region)
    if (block.getNumSuccessors() == 0)
      leaves = block.getTerminator();
  if (!leaves)
    return emitError(loc) << "this code never ends";
  auto execute = scf::ExecuteRegionOp::create(
      builder, loc, flattenTypes(leaves->getOperandTypes()));
  Block *entry = new Block;
  execute.getRegion().push_back(entry);
  OpBuilder::InsertionGuard guard(builder);
  if (failed(emitBlocks(region, entry, [&](Operation *last) {
        scf::YieldOp::create(builder, last->getLoc(),
                             flatten(last->getOperands()));
        return success();
      })))
    return failure();
  return Registers(execute.getResults());
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

Value Emitter::lane() { return laneHere; }
Value Emitter::thread() { return threadHere; }

Value Emitter::warp() {
  if (warpHere)
    return warpHere;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(laneHere.getDefiningOp());
  Location loc = laneHere.getLoc();
  if (numWarpsHere == 1)
    return warpHere = i32(loc, 0);
  int bits = int(llvm::Log2_32(target.warpSize));
  warpHere = hooks.uniform(
      builder, loc,
      arith::ShRUIOp::create(builder, loc, threadHere, i32(loc, bits)));
  return warpHere;
}

// At the start of a function or a partition, so that it dominates all uses.
void Emitter::findPlaces(Location loc) {
  threadHere = hooks.threadId(builder, loc);
  if (firstWarpHere)
    threadHere = arith::SubIOp::create(
        builder, loc, threadHere,
        i32(loc, int64_t(firstWarpHere) * target.warpSize));
  laneHere = arith::AndIOp::create(builder, loc, threadHere,
                                   i32(loc, int64_t(target.warpSize) - 1));
  warpHere = {};
}

LogicalResult Emitter::inPartition(int32_t numWarps, int32_t firstWarp, int id,
                                   llvm::function_ref<LogicalResult()> fn) {
  auto outer = std::make_tuple(numWarpsHere, firstWarpHere, partitionId,
                               threadHere, laneHere, warpHere);
  numWarpsHere = numWarps;
  firstWarpHere = firstWarp;
  partitionId = id;
  findPlaces(laneHere.getLoc());
  LogicalResult result = fn();
  std::tie(numWarpsHere, firstWarpHere, partitionId, threadHere, laneHere,
           warpHere) = outer;
  return result;
}

// Output bit o is the XOR of the bits of the thread's number (its lane, then
// its warp) whose bases hold it. Bits that move by the same distance are taken
// together: one mask and one shift.
SmallVector<Value, 4> Emitter::threadPart(Location loc,
                                          const LinearLayout &map) {
  SmallVector<Value, 4> parts;
  auto flags =
      arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;
  int laneBits = int(llvm::Log2_32(target.warpSize));
  for (const LinearLayout::OutDim &out : map.outDims()) {
    SmallVector<int32_t, 12> bases(laneBits, 0);
    for (int32_t bit = 0; bit < map.inBits("lane"); ++bit)
      bases[bit] = map.basis("lane", bit, out.name);
    for (int32_t bit = 0; bit < map.inBits("warp"); ++bit)
      bases.push_back(map.basis("warp", bit, out.name));
    Value sum;
    int64_t sumBits = 0;
    for (int shift = -31; shift < 31; ++shift) {
      int64_t mask = 0;
      for (auto [bit, basis] : llvm::enumerate(bases))
        if (int to = int(bit) + shift; to >= 0 && to < 31 && (basis >> to & 1))
          mask |= int64_t(1) << bit;
      if (!mask)
        continue;
      Value term = threadHere;
      if (mask != threads() - 1)
        term = arith::AndIOp::create(builder, loc, term, i32(loc, mask));
      if (shift > 0)
        term =
            arith::ShLIOp::create(builder, loc, term, i32(loc, shift), flags);
      else if (shift < 0)
        term = arith::ShRUIOp::create(builder, loc, term, i32(loc, -shift));
      int64_t bits = shift > 0 ? mask << shift : mask >> -shift;
      if (!sum)
        sum = term;
      else if (sumBits & bits)
        sum = arith::XOrIOp::create(builder, loc, sum, term);
      else
        sum = arith::AddIOp::create(builder, loc, sum, term, flags);
      sumBits |= bits;
    }
    parts.push_back(sum ? sum : i32(loc, 0));
  }
  return parts;
}

SmallVector<SmallVector<Value, 4>>
Emitter::elements(Location loc, const LinearLayout &layout) {
  SmallVector<Value, 4> base = threadPart(loc, layout);
  auto flags =
      arith::IntegerOverflowFlags::nsw | arith::IntegerOverflowFlags::nuw;
  int32_t registers = layout.inSize("register");
  SmallVector<SmallVector<Value, 4>> all(registers);
  for (auto [dim, out] : llvm::enumerate(layout.outDims())) {
    int64_t threadBits = 0;
    for (StringRef in : {"lane", "warp"})
      for (int32_t bit = 0; bit < layout.inBits(in); ++bit)
        threadBits |= layout.basis(in, bit, out.name);
    DenseMap<int64_t, Value> known;
    for (int32_t r = 0; r < registers; ++r) {
      int64_t place = 0;
      for (int32_t bit = 0; bit < layout.inBits("register"); ++bit)
        if (r >> bit & 1)
          place ^= layout.basis("register", bit, out.name);
      Value &value = known[place];
      if (!value) {
        if (place == 0)
          value = base[dim];
        else if (threadBits == 0)
          value = i32(loc, place);
        else if (place & threadBits)
          value =
              arith::XOrIOp::create(builder, loc, base[dim], i32(loc, place));
        else
          value = arith::AddIOp::create(builder, loc, base[dim],
                                        i32(loc, place), flags);
      }
      all[r].push_back(value);
    }
  }
  return all;
}

Value Emitter::holdsFirstCopy(Location loc, const LinearLayout &layout) {
  int laneBits = int(llvm::Log2_32(target.warpSize));
  int32_t mask = 0;
  for (StringRef in : {"lane", "warp"}) {
    int32_t places = in == "lane" ? int32_t(target.warpSize) : numWarpsHere;
    // Places beyond the layout's bits are copies too.
    int32_t part = (places - 1) & ~(layout.inSize(in) - 1);
    if (layout.hasInDim(in))
      part |= layout.freeVariableMask(in);
    mask |= in == "lane" ? part : part << laneBits;
  }
  if (!mask)
    return {};
  Value place = threadHere;
  if (mask != threads() - 1)
    place = arith::AndIOp::create(builder, loc, place, i32(loc, mask));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, place,
                               i32(loc, 0));
}

//===----------------------------------------------------------------------===//
// Shared memory and scratch
//===----------------------------------------------------------------------===//

Value Emitter::sharedAddress(Location loc, int64_t byteOffset) {
  return offset(loc, hooks.sharedBase(builder, loc, moduleHere), byteOffset);
}

Value Emitter::scratch(Operation *op) {
  auto at = op->getAttrOfType<IntegerAttr>(tgpu::kSharedOffsetAttr);
  assert(at && "nrd-allocate-shared has not run");
  return sharedAddress(op->getLoc(), at ? at.getInt() : 0);
}

void Emitter::syncThreads(Location loc) {
  hooks.barrier(builder, loc, partitionId, threads());
}

void Emitter::syncHalf(Location loc, int half, ValueRange ready) {
  // A warpgroup is four warps.
  Value odd = arith::AndIOp::create(
      builder, loc, arith::ShRUIOp::create(builder, loc, warp(), i32(loc, 2)),
      i32(loc, 1));
  Value takesPart = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::eq, odd, i32(loc, half));
  hooks.barrierOfHalf(builder, loc, takesPart, /*second=*/half == 0,
                      partitionId, threads(), flatten(ready));
}

Value Emitter::globalScratchSlot(Location loc, int64_t bytes) {
  int64_t start = llvm::alignTo(globalScratchBytes, 128);
  globalScratchBytes = start + bytes;
  return offset(loc, globalScratch, start);
}

//===----------------------------------------------------------------------===//
// Short hands
//===----------------------------------------------------------------------===//

Value Emitter::i32(Location loc, int64_t value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getI32IntegerAttr(int32_t(value)));
}
Value Emitter::i64(Location loc, int64_t value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getI64IntegerAttr(value));
}
Value Emitter::i1(Location loc, bool value) {
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(value));
}
Value Emitter::zero(Location loc, Type scalar) {
  if (isa<LLVM::LLVMPointerType>(scalar))
    return LLVM::ZeroOp::create(builder, loc, scalar);
  return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(scalar));
}
Value Emitter::offset(Location loc, Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(builder, loc, pointer.getType(),
                             builder.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{int32_t(bytes)});
}

int32_t accessWidth(Operation *op, const LinearLayout &layout,
                    unsigned elementBits, int maxBits) {
  auto access = op->getAttrOfType<DenseI32ArrayAttr>(tgpu::kAccessAttr);
  if (!access)
    return 1;
  int32_t width = access[1];
  width = std::min(width, layout.contiguousInputs(
                              "register", "dim" + std::to_string(access[0])));
  width = std::min(width, int32_t(maxBits / std::max(8u, elementBits)));
  return std::max(1, width);
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void addSharedLowerings(EmitTable &table) {
  addControlFlow(table);
  addElementwise(table);
  addShapes(table);
  addMemory(table);
  addShared(table);
  addReductions(table);
  addGathers(table);
  addDebug(table);
  addDots(table);
}

static MakeHooks &hooksOf(TargetFamily family) {
  static MakeHooks makers[3] = {};
  return makers[int(family)];
}
void registerHooks(TargetFamily family, MakeHooks make) {
  hooksOf(family) = make;
}
std::unique_ptr<TargetHooks> makeHooks(const TargetInfo &target) {
  MakeHooks make = hooksOf(target.family);
  return make ? make(target) : nullptr;
}

static LogicalResult findKernel(ModuleOp module, tt::FuncOp &kernel) {
  for (auto func : llvm::make_early_inc_range(module.getOps<tt::FuncOp>())) {
    if (!func.isKernel()) {
      if (SymbolTable::symbolKnownUseEmpty(func, module)) {
        func.erase(); // inlined everywhere
        continue;
      }
      return emitError(func.getLoc())
             << "function '" << func.getName()
             << "' was not inlined; GPU targets need every call inlined";
    }
    if (kernel)
      return emitError(func.getLoc())
             << "a module has one kernel; this is the second";
    kernel = func;
  }
  if (!kernel || kernel.isExternal())
    return emitError(module.getLoc()) << "the module has no kernel";
  return success();
}

namespace {
/// How the parameters of the kernel lie, and the function type that says so.
struct Parameters {
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  std::vector<ParamField> fields;
  std::vector<TensorMapRecipe> maps;
  std::vector<uint32_t> freeSlots;
  uint32_t size = 0;
};
} // namespace

/// The recipe that a hidden argument carries (Recipe.h).
static TensorMapRecipe readRecipe(DictionaryAttr from, uint32_t slot) {
  auto number = [&](StringRef name) {
    auto value = from.getAs<IntegerAttr>(name);
    return value ? value.getInt() : 0;
  };
  TensorMapRecipe recipe;
  recipe.slot = slot;
  recipe.elementType = uint8_t(number("element"));
  // The driver's modes are 0 and log2 of the bytes less 4: 32, 64, 128.
  int64_t swizzle = number("swizzle");
  recipe.swizzle = uint8_t(swizzle ? llvm::Log2_64(swizzle) - 4 : 0);
  recipe.l2Promotion = 2; // 128 bytes
  recipe.oobFill = uint8_t(number("fill"));
  if (auto box = from.getAs<DenseI32ArrayAttr>("box"))
    recipe.box.assign(box.asArrayRef().begin(), box.asArrayRef().end());
  for (auto [name, programs] : {std::make_pair("shape", &recipe.shape),
                                std::make_pair("strides", &recipe.strides)})
    if (auto list = from.getAs<ArrayAttr>(name))
      for (auto steps : list.getAsRange<DenseI64ArrayAttr>()) {
        TensorMapRecipe::Program &program = programs->emplace_back();
        for (int64_t i = 0; i + 1 < steps.size(); i += 2)
          program.emplace_back(uint8_t(steps[i]), steps[i + 1]);
      }
  return recipe;
}

static LogicalResult layoutParameters(tt::FuncOp source, const Emitter &emitter,
                                      Parameters &out) {
  MLIRContext *ctx = source.getContext();
  Builder b(ctx);
  for (BlockArgument argument : source.getArguments()) {
    unsigned i = argument.getArgNumber();
    Type type = argument.getType();
    ParamField field;
    field.slot = i;
    if (auto slot = source.getArgAttrOfType<IntegerAttr>(i, "nrd.slot"))
      field.slot = slot.getInt();
    if (auto index = source.getArgAttrOfType<IntegerAttr>(i, "nrd.index"))
      field.index = index.getInt();
    if (auto kind = source.getArgAttrOfType<StringAttr>(i, "nrd.field")) {
      if (kind.getValue() == "shape")
        field.kind = ParamField::Kind::Shape;
      else if (kind.getValue() == "stride")
        field.kind = ParamField::Kind::Stride;
      else if (kind.getValue() == "tensor_map")
        field.kind = ParamField::Kind::TensorMap;
    }
    uint32_t align = 0;
    SmallVector<NamedAttribute> attributes;
    if (isa<tgpu::TensorMapType>(type)) {
      field.kind = ParamField::Kind::TensorMap;
      field.size = 128;
      if (auto recipe =
              source.getArgAttrOfType<DictionaryAttr>(i, tgpu::kRecipeAttr)) {
        field.index = uint32_t(out.maps.size());
        out.maps.push_back(readRecipe(recipe, field.slot));
      }
      align = 64;
      auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 128);
      attributes.push_back(b.getNamedAttr("llvm.byval", TypeAttr::get(bytes)));
      attributes.push_back(
          b.getNamedAttr("llvm.align", b.getI64IntegerAttr(64)));
      out.types.push_back(LLVM::LLVMPointerType::get(ctx));
    } else if (isa<IntegerType, FloatType, tt::PointerType>(type) &&
               !tt::isBlockPtr(type)) {
      Type held = emitter.scalarType(type);
      // A truth value is a byte in the parameter block.
      if (held.isInteger() && held.getIntOrFloatBitWidth() < 8)
        held = b.getI8Type();
      field.size = isa<LLVM::LLVMPointerType>(held)
                       ? 8
                       : held.getIntOrFloatBitWidth() / 8;
      align = field.size;
      if (isa<LLVM::LLVMPointerType>(held))
        if (auto divisor =
                source.getArgAttrOfType<IntegerAttr>(i, "tt.divisibility");
            divisor && llvm::isPowerOf2_64(divisor.getInt()))
          attributes.push_back(b.getNamedAttr(
              "llvm.align", b.getI64IntegerAttr(divisor.getInt())));
      out.types.push_back(held);
    } else {
      return emitError(argument.getLoc())
             << "parameter " << i << " has type " << type
             << "; a kernel takes numbers and pointers to elements here";
    }
    if (field.kind == ParamField::Kind::Value &&
        !source.getArgAttr(i, "tt.divisibility"))
      out.freeSlots.push_back(field.slot);
    out.attributes.push_back(b.getDictionaryAttr(attributes));
    field.offset = llvm::alignTo(out.size, align);
    out.size = field.offset + field.size;
    out.fields.push_back(field);
  }
  return success();
}

/// Whether anything asks for global scratch, which is a hidden parameter.
static bool usesGlobalScratch(tt::FuncOp source) {
  return source
      ->walk([](tgpu::TensorMapCreateOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

LogicalResult emitKernel(ModuleOp module, const TargetInfo &target,
                         TargetHooks &hooks, KernelFacts &facts) {
  tt::FuncOp source;
  if (failed(findKernel(module, source)))
    return failure();
  MLIRContext *ctx = module.getContext();
  EmitTable table;
  addSharedLowerings(table);
  hooks.addOperations(table);

  OpBuilder builder(source);
  Emitter emitter(target, hooks, table, builder);
  emitter.moduleHere = module;
  emitter.numWarpsHere = tgpu::numWarps(source);
  facts.numThreads = emitter.threads();
  // The groups of a specialised kernel make up the block.
  source->walk([&](tgpu::WarpSpecializeOp groups) {
    int32_t warps = 0;
    for (int32_t count : groups.getWarps())
      warps += count;
    facts.numThreads =
        std::max(facts.numThreads, warps * int32_t(target.warpSize));
  });
  hooks.blockThreads = facts.numThreads;
  emitter.numWarpsHere = facts.numThreads / int32_t(target.warpSize);
  Location loc = source.getLoc();

  Parameters parameters;
  if (failed(layoutParameters(source, emitter, parameters)))
    return failure();
  bool scratch = usesGlobalScratch(source);
  if (scratch) {
    ParamField field;
    field.kind = ParamField::Kind::Scratch;
    field.size = 8;
    field.offset = llvm::alignTo(parameters.size, 8);
    parameters.size = field.offset + 8;
    parameters.fields.push_back(field);
    parameters.types.push_back(LLVM::LLVMPointerType::get(ctx, 1));
    parameters.attributes.push_back(builder.getDictionaryAttr({}));
  }
  facts.symbol = source.getName().str();
  facts.fields = parameters.fields;
  facts.tensorMaps = parameters.maps;
  facts.freeSlots = parameters.freeSlots;
  facts.paramSize = parameters.size;
  if (auto bytes = module->getAttrOfType<IntegerAttr>(tgpu::kSharedBytesAttr))
    facts.sharedBytes = bytes.getInt();
  if (facts.sharedBytes > int64_t(target.sharedBytes))
    return emitError(loc) << "'" << facts.symbol << "' needs "
                          << facts.sharedBytes << " bytes of shared memory; "
                          << target.name << " has " << target.sharedBytes
                          << " per block: use smaller tiles or fewer stages";

  auto kernel = LLVM::LLVMFuncOp::create(
      builder, loc, facts.symbol + ".gpu",
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(ctx),
                                  parameters.types));
  for (auto [i, attributes] : llvm::enumerate(parameters.attributes))
    for (NamedAttribute attribute : attributes)
      kernel.setArgAttr(i, attribute.getName(), attribute.getValue());
  Block *entry = kernel.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  emitter.findPlaces(loc);
  for (BlockArgument argument : source.getArguments()) {
    Value value = entry->getArgument(argument.getArgNumber());
    Type wanted = emitter.scalarType(argument.getType());
    if (wanted != value.getType() && wanted.isInteger(1))
      value = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne,
                                    value, emitter.zero(loc, value.getType()));
    else if (wanted != value.getType())
      value = arith::TruncIOp::create(builder, loc, wanted, value);
    emitter.set(argument, {value});
  }
  LLVM::ConstantOp scratchSize;
  if (scratch) {
    // Each program has its own part; how large is known at the end.
    scratchSize = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                           builder.getI64IntegerAttr(0));
    Type i64 = builder.getI64Type();
    auto wide = [&](Value value) -> Value {
      return arith::ExtUIOp::create(builder, loc, i64, value);
    };
    Value index = wide(hooks.programId(builder, loc, 2));
    for (int axis : {1, 0}) {
      Value count = wide(hooks.numPrograms(builder, loc, axis));
      Value scaled = arith::MulIOp::create(builder, loc, index, count);
      index = arith::AddIOp::create(builder, loc, scaled,
                                    wide(hooks.programId(builder, loc, axis)));
    }
    index = arith::MulIOp::create(builder, loc, index, scratchSize);
    Value mine = LLVM::GEPOp::create(
        builder, loc, LLVM::LLVMPointerType::get(ctx, 1), builder.getI8Type(),
        entry->getArguments().back(), ArrayRef<LLVM::GEPArg>{index});
    emitter.globalScratch = LLVM::AddrSpaceCastOp::create(
        builder, loc, LLVM::LLVMPointerType::get(ctx), mine);
  }

  LogicalResult emitted =
      emitter.emitBlocks(source.getBody(), entry, [&](Operation *last) {
        if (!isa<tt::ReturnOp>(last) || last->getNumOperands())
          return LogicalResult(emitError(last->getLoc())
                               << "'" << last->getName()
                               << "' cannot end a kernel");
        LLVM::ReturnOp::create(builder, last->getLoc(), ValueRange{});
        return success();
      });
  if (failed(emitted))
    return failure();

  facts.globalScratchBytes = llvm::alignTo(emitter.globalScratchBytes, 128);
  if (scratch)
    scratchSize.setValueAttr(
        builder.getI64IntegerAttr(facts.globalScratchBytes));
  hooks.finishKernel(
      kernel, {facts.numThreads, emitter.maxRegisters, emitter.copiesAhead});
  source.erase();
  SymbolTable::setSymbolName(kernel, facts.symbol);
  return success();
}

} // namespace nereid::gpu
