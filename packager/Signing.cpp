//===- Signing.cpp - Ed25519 signatures over a pack -----------------------===//

#include "packager/Signing.h"

#include "packager/ArchiveFormat.h"
#include "packager/File.h"

#include <sodium.h>
#include <unistd.h>

namespace nereid::pack {

// Says what is signed, so that a signature cannot be moved to another use.
static constexpr std::string_view kContext = "nereid-pack-signature-v1";
static constexpr std::string_view kSecretWord = "nereid-secret-key-v1";
static constexpr std::string_view kPublicWord = "nereid-public-key-v1";

static Status initialize() {
  if (sodium_init() < 0)
    return Status::error("libsodium cannot start on this machine");
  return {};
}

static std::string message(std::string_view bytes,
                           const archive::Header &header) {
  std::string index(bytes.substr(0, kHeaderSize));
  index += rootBytes(bytes, header);
  index += directoryBytes(bytes, header);
  Digest digest = blake2b(index);
  std::string text(kContext);
  text.append(reinterpret_cast<const char *>(digest.data()), digest.size());
  return text;
}

static void derive(const SecretSeed &seed, PublicKey &publicKey,
                   unsigned char secret[crypto_sign_SECRETKEYBYTES]) {
  crypto_sign_seed_keypair(publicKey.data(), secret, seed.data());
}

Status writeNewKeys(const std::string &path) {
  if (Status status = initialize(); !status)
    return status;
  std::string publicPath = path + ".pub";
  for (const std::string &one : {path, publicPath})
    if (::access(one.c_str(), F_OK) == 0)
      return Status::error("'", one,
                           "' exists; a key is never replaced, so "
                           "move it away or choose another name");
  SecretSeed seed;
  randombytes_buf(seed.data(), seed.size());
  PublicKey publicKey;
  unsigned char secret[crypto_sign_SECRETKEYBYTES];
  derive(seed, publicKey, secret);
  sodium_memzero(secret, sizeof(secret));
  if (Status status = writeFile(
          path,
          concat(kSecretWord, " ", hexText(seed.data(), seed.size()), "\n"),
          0600);
      !status)
    return status;
  return writeFile(publicPath,
                   concat(kPublicWord, " ",
                          hexText(publicKey.data(), publicKey.size()), "\n"));
}

static Result<std::array<uint8_t, 32>> readKey(const std::string &path,
                                               std::string_view word,
                                               std::string_view otherWord) {
  Result<std::string> text = readFile(path);
  if (!text)
    return text.status();
  std::string_view line = *text;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.remove_suffix(1);
  if (line.substr(0, otherWord.size()) == otherWord)
    return Status::error(
        "'", path, "' holds a ", otherWord == kSecretWord ? "secret" : "public",
        " key; the ", word == kSecretWord ? "secret" : "public",
        " one is needed here");
  std::array<uint8_t, 32> key;
  if (line.size() < word.size() + 1 || line.substr(0, word.size()) != word ||
      line[word.size()] != ' ' ||
      !parseHex(line.substr(word.size() + 1), key.data(), key.size()))
    return Status::error("'", path, "' is no key file: expected one line '",
                         word, " <64 hexadecimal digits>'");
  return key;
}

Result<SecretSeed> readSecretKey(const std::string &path) {
  return readKey(path, kSecretWord, kPublicWord);
}

Result<PublicKey> readPublicKey(const std::string &pathOrHex) {
  PublicKey key;
  if (parseHex(pathOrHex, key.data(), key.size()))
    return key;
  return readKey(pathOrHex, kPublicWord, kSecretWord);
}

Result<std::string> signPack(std::string_view bytes, const SecretSeed &seed) {
  if (Status status = initialize(); !status)
    return status;
  Result<archive::Header> header = readHeader(bytes);
  if (!header)
    return header.status();
  std::string file(bytes);
  uint64_t offset = header->signature_offset();
  if (!offset) {
    offset = alignUp(file.size(), kPartAlignment);
    file.resize(offset + kSignatureSize, '\0');
  }
  std::string newHeader = headerBytes(archive::Header(
      header->magic(), header->version_major(), header->version_minor(),
      file.size(), header->root_offset(), header->root_size(),
      header->root_xxh3(), header->directory_offset(), header->kernel_count(),
      header->directory_xxh3(), offset, 0));
  file.replace(0, newHeader.size(), newHeader);

  PublicKey publicKey;
  unsigned char secret[crypto_sign_SECRETKEYBYTES];
  derive(seed, publicKey, secret);
  unsigned char signature[crypto_sign_BYTES];
  std::string text = message(file, *readHeader(file));
  crypto_sign_detached(signature, nullptr,
                       reinterpret_cast<const unsigned char *>(text.data()),
                       text.size(), secret);
  sodium_memzero(secret, sizeof(secret));
  std::memcpy(&file[offset], publicKey.data(), publicKey.size());
  std::memcpy(&file[offset + publicKey.size()], signature, sizeof(signature));
  return file;
}

Status verifySignature(std::string_view bytes, const PublicKey &key) {
  if (Status status = initialize(); !status)
    return status;
  Result<archive::Header> header = readHeader(bytes);
  if (!header)
    return header.status();
  uint64_t offset = header->signature_offset();
  if (!offset)
    return Status::error("the pack is not signed");
  if (std::memcmp(bytes.data() + offset, key.data(), key.size()) != 0)
    return Status::error("the pack is signed with the key ",
                         hexText(bytes.data() + offset, key.size()), ", not ",
                         hexText(key.data(), key.size()));
  std::string text = message(bytes, *header);
  if (crypto_sign_verify_detached(
          reinterpret_cast<const unsigned char *>(bytes.data() + offset +
                                                  key.size()),
          reinterpret_cast<const unsigned char *>(text.data()), text.size(),
          key.data()) != 0)
    return Status::error("the signature is wrong: the pack was changed after "
                         "it was signed");
  return {};
}

} // namespace nereid::pack
