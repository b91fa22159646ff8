//===- Types.cpp - The types of the Triton language -----------------------===//

#include "compiler/Lang/Types.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace nereid::lang;

static const DTypeInfo infos[] = {
#define NRD_DTYPE(name, python, signature, kind, bits, mantissa, bias)         \
  {python, signature, DTypeKind::kind, bits, mantissa, bias},
#include "compiler/Lang/DTypes.def"
};

static const DType scalarTypes[] = {
#define NRD_DTYPE(name, ...) DType::name,
#include "compiler/Lang/DTypes.def"
};

const DTypeInfo &nereid::lang::getInfo(DType dtype) {
  return infos[static_cast<unsigned>(dtype)];
}

llvm::ArrayRef<DType> nereid::lang::allDTypes() {
  return llvm::ArrayRef<DType>(scalarTypes).drop_front();
}

std::optional<DType> nereid::lang::dtypeByPythonName(llvm::StringRef name) {
  for (DType dtype : scalarTypes)
    if (getInfo(dtype).pythonName == name)
      return dtype;
  return std::nullopt;
}

std::optional<DType> nereid::lang::dtypeBySignatureName(llvm::StringRef name) {
  if (name == "u1" || name == "B")
    return DType::I1;
  for (DType dtype : allDTypes())
    if (getInfo(dtype).signatureName == name)
      return dtype;
  return std::nullopt;
}

Type Type::pointerTo(Type pointee, bool isConst, int addressSpace) {
  Type result = pointee.scalar();
  result.pointers.push_back({isConst, addressSpace});
  return result;
}

Type Type::block(Type element, llvm::ArrayRef<int64_t> shape) {
  Type result = element.scalar();
  result.shape.assign(shape.begin(), shape.end());
  return result;
}

Type Type::scalar() const {
  Type result = *this;
  result.shape.clear();
  return result;
}

Type Type::withElement(Type element) const { return block(element, shape); }

int64_t Type::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

Type Type::pointee() const {
  Type result = scalar();
  result.pointers.pop_back();
  return result;
}

bool Type::isInt() const {
  return !isPointer() &&
         (kind() == DTypeKind::Bool || kind() == DTypeKind::Signed ||
          kind() == DTypeKind::Unsigned);
}

std::string nereid::lang::shapeText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(shape, os);
  return text;
}

std::string Type::str() const {
  std::string text;
  for (const PointerLevel &level : llvm::reverse(pointers))
    text += level.isConst ? "*k" : "*";
  text += getInfo(base).signatureName;
  if (isBlock())
    text += "[" + shapeText(shape) + "]";
  return text;
}

std::string Type::tritonStr() const {
  std::string text = getInfo(base).signatureName.str();
  for (const PointerLevel &level : pointers)
    text = (level.isConst ? "const_pointer<" : "pointer<") + text + ">";
  if (!isBlock())
    return text;
  std::string sizes;
  for (int64_t size : shape)
    sizes += (sizes.empty() ? "'" : ", '") + std::to_string(size) + "'";
  return "<[" + sizes + "], " + text + ">";
}

std::string Type::mangle() const {
  std::string text;
  for (const PointerLevel &level : llvm::reverse(pointers))
    text += level.isConst ? "kP" : "P";
  text += getInfo(base).signatureName;
  if (!isBlock())
    return text;
  text += "S";
  llvm::raw_string_ostream os(text);
  llvm::interleave(shape, os, "_");
  return text + "S";
}

std::optional<Type> nereid::lang::parseScalarType(llvm::StringRef text) {
  llvm::SmallVector<bool, 2> levels;
  while (text.consume_front("*"))
    levels.push_back(text.consume_front("k"));
  std::optional<DType> base = dtypeBySignatureName(text);
  if (!base)
    return std::nullopt;
  Type type(*base);
  for (bool isConst : llvm::reverse(levels))
    type = Type::pointerTo(type, isConst);
  return type;
}
