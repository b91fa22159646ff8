//===- Hash.cpp - The two hashes of a pack --------------------------------===//

#include "packager/Hash.h"

#include <sodium.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace nereid::pack {

uint64_t xxh3(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

Digest blake2b(std::string_view bytes) {
  Digest digest;
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char *>(bytes.data()),
                     bytes.size(), nullptr, 0);
  return digest;
}

std::string hexText(const void *bytes, size_t size) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * size);
  for (size_t i = 0; i < size; ++i) {
    uint8_t byte = static_cast<const uint8_t *>(bytes)[i];
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool parseHex(std::string_view text, void *bytes, size_t size) {
  if (text.size() != 2 * size)
    return false;
  for (size_t i = 0; i < size; ++i) {
    unsigned value = 0;
    for (char c : text.substr(2 * i, 2)) {
      unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                       : c >= 'a' && c <= 'f' ? c - 'a' + 10
                       : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                              : 16;
      if (digit == 16)
        return false;
      value = 16 * value + digit;
    }
    static_cast<uint8_t *>(bytes)[i] = static_cast<uint8_t>(value);
  }
  return true;
}

} // namespace nereid::pack
