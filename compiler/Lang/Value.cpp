//===- Value.cpp - What an expression evaluates to ------------------------===//

#include "compiler/Lang/Module.h"

using namespace nereid::lang;

const Type *ValueContext::internType(const Type &type) {
  std::string key = type.mangle();
  if (type.isPointer())
    key += "@" + std::to_string(type.getAddressSpace());
  std::unique_ptr<Type> &slot = types[key];
  if (!slot)
    slot = std::make_unique<Type>(type);
  return slot.get();
}
