//===- KernelValues.cpp - Run-time values beyond single tensors -----------===//

#include "compiler/Lang/KernelValues.h"

namespace nereid::lang {

/// Calls `visit(Tensor &)` for every tensor of a handle object.
template <typename Visitor>
static void forEachTensor(DescriptorObject &object, Visitor visit) {
  for (Tensor &size : object.desc.shape)
    visit(size);
  for (Tensor &stride : object.desc.strides)
    visit(stride);
}
template <typename Visitor>
static void forEachTensor(BlockPointerObject &object, Visitor visit) {
  visit(object.base);
  for (auto *list : {&object.shape, &object.strides, &object.offsets})
    for (Tensor &tensor : *list)
      visit(tensor);
}

void flatten(Value value, llvm::SmallVectorImpl<mlir::Value> &out) {
  auto push = [&](Tensor &tensor) { out.push_back(tensor.handle); };
  switch (value.getKind()) {
  case Value::Kind::Tensor:
    // A void result has no SSA value.
    if (!value.getTensorType()->is(ScalarId::Void))
      out.push_back(getTensor(value).handle);
    return;
  case Value::Kind::Tuple:
  case Value::Kind::List:
    for (Value element : value.getElements())
      flatten(element, out);
    return;
  case Value::Kind::Instance:
    for (auto &field : value.getInstance().fields)
      flatten(field.second, out);
    return;
  case Value::Kind::BoundMethod:
    flatten(value.getBoundMethod().self, out);
    return;
  case Value::Kind::Handle:
    if (auto *object = asDescriptor(value)) {
      out.push_back(object->desc.handle);
      forEachTensor(*object, push);
    } else if (auto *object = asBlockPointer(value)) {
      forEachTensor(*object, push);
    }
    return;
  default:
    return;
  }
}

unsigned countValues(Value value) {
  llvm::SmallVector<mlir::Value, 8> found;
  flatten(value, found);
  return found.size();
}

Value rebuild(ValueContext &context, Value like,
              llvm::ArrayRef<mlir::Value> &values) {
  auto take = [&]() {
    mlir::Value value = values.front();
    values = values.drop_front();
    return value;
  };
  auto replace = [&](Tensor &tensor) { tensor.handle = take(); };
  switch (like.getKind()) {
  case Value::Kind::Tensor:
    if (like.getTensorType()->is(ScalarId::Void))
      return like;
    return Value::tensor(like.getTensorType(), take().getAsOpaquePointer());
  case Value::Kind::Tuple:
  case Value::Kind::List: {
    auto *object = context.create<TupleObject>();
    for (Value element : like.getElements())
      object->elements.push_back(rebuild(context, element, values));
    if (like.isTuple())
      object->type = like.getTuple().type;
    return Value::of(object);
  }
  case Value::Kind::Instance: {
    InstanceObject &source = like.getInstance();
    auto *object = context.create<InstanceObject>();
    object->type = source.type;
    for (auto &field : source.fields)
      object->fields.emplace_back(field.first,
                                  rebuild(context, field.second, values));
    return Value::of(object);
  }
  case Value::Kind::Handle:
    if (auto *source = asDescriptor(like)) {
      auto *object = context.createRuntime<DescriptorObject>();
      object->desc = source->desc;
      object->desc.handle = take();
      forEachTensor(*object, replace);
      return Value::handle(object);
    }
    if (auto *source = asBlockPointer(like)) {
      auto *object = context.createRuntime<BlockPointerObject>(*source);
      forEachTensor(*object, replace);
      return Value::handle(object);
    }
    return like;
  default:
    return like;
  }
}

void flattenTypes(const Semantic &sem, Value value,
                  llvm::SmallVectorImpl<mlir::Type> &out) {
  auto push = [&](Tensor &tensor) { out.push_back(sem.toIR(tensor.type)); };
  switch (value.getKind()) {
  case Value::Kind::Tensor:
    if (!value.getTensorType()->is(ScalarId::Void))
      out.push_back(sem.toIR(value.getTensorType()));
    return;
  case Value::Kind::Tuple:
  case Value::Kind::List:
    for (Value element : value.getElements())
      flattenTypes(sem, element, out);
    return;
  case Value::Kind::Instance:
    for (auto &field : value.getInstance().fields)
      flattenTypes(sem, field.second, out);
    return;
  case Value::Kind::Handle:
    if (auto *object = asDescriptor(value)) {
      out.push_back(sem.descriptorToIR(object->desc.blockType));
      forEachTensor(*object, push);
    } else if (auto *object = asBlockPointer(value)) {
      forEachTensor(*object, push);
    }
    return;
  default:
    return;
  }
}

static std::string blockKey(llvm::ArrayRef<int64_t> shape) {
  std::string text = "S";
  for (auto [index, size] : llvm::enumerate(shape))
    text += (index ? "_" : "") + std::to_string(size);
  return text + "S";
}

/// A type as a part of a symbol: "fp32S64_32S", "Pfp16".
static std::string mangle(const Type *type) {
  switch (type->getKind()) {
  case Type::Kind::Block:
    return mangle(type->getElement()) + blockKey(type->getShape());
  case Type::Kind::Pointer:
    return (type->isConstPointer() ? "kP" : "P") + mangle(type->getElement());
  default:
    return type->signature();
  }
}

std::string typeKey(Value value) {
  switch (value.getKind()) {
  case Value::Kind::Tensor:
    return mangle(value.getTensorType());
  case Value::Kind::Tuple:
  case Value::Kind::List: {
    std::string text = "T";
    if (value.isTuple() && value.getTuple().type)
      text += value.getTuple().type->name.str() + "_";
    for (auto [index, element] : llvm::enumerate(value.getElements()))
      text += (index ? "_" : "") + typeKey(element);
    return text + "T";
  }
  case Value::Kind::Instance: {
    InstanceObject &object = value.getInstance();
    std::string text = "A" + object.type->name.str() + "_";
    for (auto &field : object.fields)
      text += "_" + typeKey(field.second);
    return text + "A";
  }
  case Value::Kind::BoundMethod:
    return "M" + value.getBoundMethod().name.str() + "_" +
           typeKey(value.getBoundMethod().self);
  case Value::Kind::Function:
    // Two functions of one name may differ; the address tells them apart.
    return "F" + value.getFunction().qualifiedName.str() + "_" +
           llvm::utohexstr(
               reinterpret_cast<uintptr_t>(value.getFunction().origin));
  case Value::Kind::Handle:
    if (auto *object = asDescriptor(value))
      return "TD" + mangle(object->desc.blockType);
    if (auto *object = asBlockPointer(value))
      return "BP" + mangle(object->base.type) + blockKey(object->blockShape);
    return value.getHandle().describe().str();
  default:
    return "c" + repr(value);
  }
}

std::string describeType(Value value) {
  switch (value.getKind()) {
  case Value::Kind::Invalid:
    return "an erroneous value";
  case Value::Kind::Tensor:
    return value.getTensorType()->is(ScalarId::Void)
               ? "a call that gives no value"
               : value.getTensorType()->signature();
  case Value::Kind::Tuple:
  case Value::Kind::List: {
    std::string text = "(";
    for (auto [index, element] : llvm::enumerate(value.getElements()))
      text += (index ? ", " : "") + describeType(element);
    return text + ")";
  }
  case Value::Kind::None:
    return "None";
  case Value::Kind::Bool:
  case Value::Kind::Int:
  case Value::Kind::Float:
    return "the constant " + repr(value);
  case Value::Kind::String:
    return "the string " + repr(value);
  case Value::Kind::DType:
    return "the type " + value.getDType()->signature();
  case Value::Kind::Function:
    return "the function '" + value.getFunction().name.str() + "'";
  case Value::Kind::Builtin:
    return "the function '" + value.getBuiltin().display() + "'";
  case Value::Kind::Handle:
    if (auto *object = asDescriptor(value))
      return "a tensor descriptor of " + object->desc.blockType->signature();
    if (auto *object = asBlockPointer(value))
      return "a block pointer of " +
             object->base.elem()->getElement()->signature() + "[" +
             shapeText(object->blockShape) + "]";
    return ("a " + value.getHandle().describe()).str();
  case Value::Kind::Instance:
    return ("an instance of '" + value.getInstance().type->name + "'").str();
  default:
    return typeName(value);
  }
}

} // namespace nereid::lang
