//===- Toml.cpp - The TOML reader, made safe ------------------------------===//

#include "packager/Toml.h"

namespace nereid::pack {

// What the TOML reader found, without its own preamble.
static std::string plainDescription(std::string_view description) {
  std::string_view preamble = "Error while parsing ";
  size_t colon = description.find(": ");
  if (description.substr(0, preamble.size()) != preamble ||
      colon == std::string_view::npos)
    return std::string(description);
  std::string_view what =
      description.substr(preamble.size(), colon - preamble.size());
  std::string text = concat("in a ", what, ", ", description.substr(colon + 2));
  // "'18446744073709551615' is not representable in 64 bits": an unsigned
  // number that Python has and TOML has not.
  size_t open = text.find('\''), close = text.find('\'', open + 1);
  if (close != std::string::npos &&
      text.find("not representable in 64 bits") != std::string::npos)
    return concat(text, "; write { python = \"",
                  text.substr(open + 1, close - open - 1), "\" }");
  return what.find("key") == std::string_view::npos &&
                 what.find("table") == std::string_view::npos
             ? text + "; a text needs quotes"
             : text;
}

// Where a header begins that has no name after its brackets: what the reader
// asserts on.
static Location namelessHeader(std::string_view text, const std::string &file) {
  unsigned line = 1;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find('\n'));
    size_t at = one.find_first_not_of(" \t");
    if (at != std::string_view::npos && one[at] == '[') {
      size_t name = one.find_first_not_of(" \t[", at);
      unsigned char c = name == std::string_view::npos ? ' ' : one[name];
      if (!std::isalnum(c) && c != '_' && c != '-' && c != '"' && c != '\'')
        return {file, line, unsigned(at) + 1};
    }
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    ++line;
  }
  return {file, 1, 1};
}

std::optional<toml::table>
parseToml(std::string_view text, const std::string &file, Diagnostic &error) {
  try {
    toml::parse_result parsed = toml::parse(text, file);
    if (parsed)
      return std::move(parsed).table();
    const toml::parse_error &problem = parsed.error();
    error = {{file, problem.source().begin.line, problem.source().begin.column},
             "this is not TOML: " + plainDescription(problem.description())};
  } catch (const TomlAssertion &) {
    error = {namelessHeader(text, file),
             "this is not TOML: a table's name is expected between brackets"};
  }
  return std::nullopt;
}

} // namespace nereid::pack
