//===- Signing.h - Ed25519 signatures over a pack ---------------*- C++ -*-===//
//
// A signature covers the header, the root and the directory; the directory
// holds a BLAKE2b of each kernel's buffer, and those hold one of each blob, so
// it vouches for the whole pack while a reader checks only what it uses.
//
// Key files are one line of text:
//   nereid-secret-key-v1 <64 hexadecimal digits: the seed>
//   nereid-public-key-v1 <64 hexadecimal digits>
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_SIGNING_H
#define NEREID_PACKAGER_SIGNING_H

#include "packager/Archive.h"

namespace nereid::pack {

using PublicKey = std::array<uint8_t, 32>;
using SecretSeed = std::array<uint8_t, 32>;

/// Draws a key pair and writes it to `path` (readable by its owner only) and
/// `path`.pub; refuses to replace either.
Status writeNewKeys(const std::string &path);

Result<SecretSeed> readSecretKey(const std::string &path);
/// From a file, or from 64 hexadecimal digits.
Result<PublicKey> readPublicKey(const std::string &pathOrHex);

/// The pack with a signature by `seed`, in place of one it may have had.
Result<std::string> signPack(std::string_view bytes, const SecretSeed &seed);

/// Checks that the pack is signed by `key`. The rest of the pack is the
/// reader's to check.
Status verifySignature(std::string_view bytes, const PublicKey &key);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_SIGNING_H
