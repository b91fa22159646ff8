//===- Hash.h - The two hashes of a pack ------------------------*- C++ -*-===//
//
// XXH3 finds damage at memory speed; BLAKE2b-256 is what a signature vouches
// for.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_HASH_H
#define NEREID_PACKAGER_HASH_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace nereid::pack {

using Digest = std::array<uint8_t, 32>;

/// XXH3, 64 bits, seed 0.
uint64_t xxh3(std::string_view bytes);

/// BLAKE2b with 32 bytes of output and no key.
Digest blake2b(std::string_view bytes);

/// Lower-case hexadecimal.
std::string hexText(const void *bytes, size_t size);
inline std::string hexText(const Digest &digest) {
  return hexText(digest.data(), digest.size());
}

/// The bytes that `text` spells in hexadecimal; false unless it spells exactly
/// `size`.
bool parseHex(std::string_view text, void *bytes, size_t size);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_HASH_H
