//===- Prelude.cpp - The library written in the language, embedded --------===//

#include "compiler/Lang/Frontend.h"

namespace nereid::lang {

std::vector<std::pair<std::string, std::string>> preludeTexts() {
  return {
#include "compiler/Lang/Prelude.inc"
  };
}

} // namespace nereid::lang
