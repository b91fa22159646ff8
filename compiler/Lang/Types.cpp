//===- Types.cpp - The language's types -----------------------------------===//

#include "compiler/Lang/Types.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

#include <memory>

using namespace nereid::lang;

static constexpr ScalarInfo scalarInfos[] = {
#define NEREID_DTYPE(ID, PY, NAME, SIG, KIND, BITS, MANT, BIAS)                \
  {ScalarId::ID, PY, NAME, SIG, ScalarKind::KIND, BITS, MANT, BIAS},
#include "compiler/Lang/DTypes.def"
};

const ScalarInfo &nereid::lang::getScalarInfo(ScalarId id) {
  return scalarInfos[static_cast<unsigned>(id)];
}

llvm::ArrayRef<ScalarInfo> nereid::lang::allScalars() { return scalarInfos; }

int64_t Type::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

std::string Type::str() const {
  switch (kind) {
  case Kind::Scalar:
    return getScalar().name.str();
  case Kind::Pointer:
    return (isConst ? "const_pointer<" : "pointer<") + element->str() + ">";
  case Kind::Block: {
    std::string sizes;
    for (int64_t size : shape)
      sizes += (sizes.empty() ? "'" : ", '") + std::to_string(size) + "'";
    return "<[" + sizes + "], " + element->str() + ">";
  }
  case Kind::Descriptor:
    return "tensor_descriptor<" + element->str() + ">";
  case Kind::Tuple: {
    std::string text;
    for (const Type *type : elements)
      text += (text.empty() ? "" : ", ") + type->str();
    return "(" + text + ")";
  }
  case Kind::Constexpr:
    return "constexpr";
  }
  return "";
}

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

std::string Type::signature() const {
  switch (kind) {
  case Kind::Scalar:
    return getScalar().signature.str();
  case Kind::Pointer:
    return (isConst ? "*k" : "*") + element->signature();
  case Kind::Block:
    return element->signature() + "[" + shapeText(shape) + "]";
  case Kind::Descriptor:
    return "tensordesc<" + element->signature() + ">";
  case Kind::Tuple: {
    std::string text;
    for (const Type *type : elements)
      text += (text.empty() ? "" : ",") + type->signature();
    return "(" + text + ")";
  }
  case Kind::Constexpr:
    return "constexpr";
  }
  return "";
}

TypeContext::TypeContext() {
  for (unsigned i = 0; i < kNumScalarIds; ++i) {
    scalars[i].kind = Type::Kind::Scalar;
    scalars[i].scalar = static_cast<ScalarId>(i);
  }
  constexprType.kind = Type::Kind::Constexpr;
}

const Type *TypeContext::intern(Type type) {
  std::vector<std::string> names;
  for (llvm::StringRef name : type.names)
    names.push_back(name.str());
  Key key(type.kind, type.element, type.addressSpace, type.isConst,
          type.shape.vec(), type.elements.vec(), std::move(names));
  auto [it, isNew] = types.try_emplace(std::move(key), nullptr);
  if (!isNew)
    return it->second;
  // The key's vectors are stable (std::map), so the type may refer to them;
  // the names need StringRefs of their own.
  auto *copy = new (allocator.Allocate<Type>()) Type(type);
  copy->shape = std::get<4>(it->first);
  copy->elements = std::get<5>(it->first);
  const std::vector<std::string> &owned = std::get<6>(it->first);
  auto *refs = allocator.Allocate<llvm::StringRef>(owned.size());
  for (size_t i = 0; i < owned.size(); ++i)
    new (refs + i) llvm::StringRef(owned[i]);
  copy->names = llvm::ArrayRef(refs, owned.size());
  it->second = copy;
  return copy;
}

const Type *TypeContext::getPointer(const Type *element, unsigned addressSpace,
                                    bool isConst) {
  Type type;
  type.kind = Type::Kind::Pointer;
  type.element = element;
  type.addressSpace = addressSpace;
  type.isConst = isConst;
  return intern(type);
}

const Type *TypeContext::getBlock(const Type *element,
                                  llvm::ArrayRef<int64_t> shape) {
  Type type;
  type.kind = Type::Kind::Block;
  type.element = element;
  type.shape = shape;
  return intern(type);
}

const Type *TypeContext::getDescriptor(const Type *block) {
  Type type;
  type.kind = Type::Kind::Descriptor;
  type.element = block;
  return intern(type);
}

const Type *TypeContext::getTuple(llvm::ArrayRef<const Type *> elements,
                                  llvm::ArrayRef<llvm::StringRef> names) {
  Type type;
  type.kind = Type::Kind::Tuple;
  type.elements = elements;
  type.names = names;
  return intern(type);
}

const Type *TypeContext::parseSignature(llvm::StringRef text,
                                        std::string &error) {
  llvm::StringRef whole = text;
  text = text.trim();
  llvm::SmallVector<bool, 2> pointers;
  if (text.consume_front("tensordesc<")) {
    if (!text.consume_back(">")) {
      error = "'" + whole.str() + "' lacks its closing '>'";
      return nullptr;
    }
    auto [elementText, rest] = text.split('[');
    auto [sizesText, tail] = rest.split(']');
    if (!rest.contains(']') || !tail.trim().empty()) {
      error = "'" + whole.str() +
              "' is no descriptor type: it is written "
              "tensordesc<fp16[64,64]>, the element type and the block shape";
      return nullptr;
    }
    const Type *element = parseSignature(elementText, error);
    if (!element)
      return nullptr;
    if (!element->isScalar() || element->is(ScalarId::Void)) {
      error = "the element of '" + whole.str() + "' is no scalar type";
      return nullptr;
    }
    llvm::SmallVector<int64_t, 4> shape;
    llvm::SmallVector<llvm::StringRef, 4> sizes;
    sizesText.split(sizes, ',');
    for (llvm::StringRef size : sizes) {
      int64_t value;
      if (size.trim().getAsInteger(10, value) || value <= 0) {
        error = "'" + size.trim().str() + "' in '" + whole.str() +
                "' is no block size: a positive integer is needed";
        return nullptr;
      }
      shape.push_back(value);
    }
    return getDescriptor(getBlock(element, shape));
  }
  while (text.consume_front("*")) {
    // `k` says const; no scalar type begins with it.
    pointers.push_back(text.consume_front("k"));
    text = text.ltrim();
  }
  const Type *type = nullptr;
  if (text == "u1" || text == "B")
    type = getScalar(ScalarId::Int1);
  for (const ScalarInfo &info : scalarInfos)
    if (text == info.signature || text == info.pythonName)
      type = getScalar(info.id);
  if (!type && text == "constexpr" && pointers.empty())
    return getConstexpr();
  if (!type) {
    std::string words;
    for (const ScalarInfo &info : scalarInfos)
      if (info.kind != ScalarKind::Void)
        words += (words.empty() ? "" : " ") + info.signature.str();
    error = "'" + text.str() + "' is no type; the types are " + words +
            ", '*' before one for a pointer ('*k' for a const one), and "
            "tensordesc<T[sizes]>";
    return nullptr;
  }
  if (type->is(ScalarId::Void) && pointers.empty()) {
    error = "'void' is no type of a parameter";
    return nullptr;
  }
  for (bool isConst : llvm::reverse(pointers))
    type = getPointer(type, 1, isConst);
  return type;
}
