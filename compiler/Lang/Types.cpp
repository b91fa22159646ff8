//===- Types.cpp - The language's types -----------------------------------===//

#include "compiler/Lang/Types.h"
#include "compiler/Lang/Module.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;
