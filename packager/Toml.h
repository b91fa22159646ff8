//===- Toml.h - The TOML reader, made safe ----------------------*- C++ -*-===//
//
// toml++ 3.3 asserts on some wrong documents ("[!") and, built with NDEBUG,
// assumes they do not exist. Here such an assertion is one more mistake in the
// document.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOML_H
#define NEREID_PACKAGER_TOML_H

#include "packager/Manifest.h"

#include <optional>

namespace nereid::pack {
struct TomlAssertion {};
} // namespace nereid::pack

#ifdef NDEBUG
#define NEREID_HAD_NDEBUG
#undef NDEBUG
#endif
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(expr)                                                      \
  ((expr) ? void() : throw nereid::pack::TomlAssertion())
#include <toml++/toml.h>
#ifdef NEREID_HAD_NDEBUG
#undef NEREID_HAD_NDEBUG
#define NDEBUG
#endif

namespace nereid::pack {

/// Reads a document; nothing, with `error` set, when it is no TOML.
std::optional<toml::table>
parseToml(std::string_view text, const std::string &file, Diagnostic &error);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_TOML_H
