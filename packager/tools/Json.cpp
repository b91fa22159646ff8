//===- Json.cpp - JSON for machines ---------------------------------------===//

#include "packager/tools/Json.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace nereid::tool {

void Json::value(double number) {
  // JSON has no infinity and no NaN.
  if (!std::isfinite(number))
    return null();
  char buffer[40];
  for (int digits = 6; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof(buffer), "%.*g", digits, number);
    if (std::strtod(buffer, nullptr) == number)
      break;
  }
  raw(buffer);
}

void Json::string(std::string_view value) {
  text += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof(buffer), "\\u%04x", c);
      text += buffer;
    } else {
      text += c;
    }
  }
  text += '"';
}

} // namespace nereid::tool
