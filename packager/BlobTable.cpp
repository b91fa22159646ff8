//===- BlobTable.cpp - The blobs of one file ------------------------------===//

#include "packager/BlobTable.h"

#include "packager/Compress.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace nereid::pack {

size_t BlobTable::add(const Bytes &bytes, const Bytes &resembles) {
  Digest digest = blake2b(*bytes);
  auto it = numbers.find(digest);
  if (it != numbers.end())
    return it->second;
  int64_t dictionary = -1;
  if (resembles && resembles != bytes) {
    auto base = numbers.find(blake2b(*resembles));
    // A dictionary has none itself, so unpacking nests once.
    if (base != numbers.end() && blobs[base->second].dictionary == -1)
      dictionary = static_cast<int64_t>(base->second);
  }
  numbers.emplace(digest, blobs.size());
  blobs.push_back({bytes, digest, dictionary});
  return blobs.size() - 1;
}

void BlobTable::packOne(Entry &entry) {
  entry.stored = compress(*entry.raw);
  entry.codec = archive::Codec::zstd;
  if (entry.dictionary != -1) {
    std::string smaller = compress(*entry.raw, *blobs[entry.dictionary].raw);
    // Whoever unpacks it must unpack the dictionary too: a tenth must be won.
    if (smaller.size() + entry.stored.size() / 10 < entry.stored.size())
      entry.stored = std::move(smaller);
    else
      entry.dictionary = -1;
  }
  if (entry.stored.size() >= entry.raw->size()) {
    entry.stored = *entry.raw;
    entry.codec = archive::Codec::none;
    entry.dictionary = -1;
  }
}

void BlobTable::pack() {
  // Entries depend on each other's raw bytes alone, so any order will do.
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < blobs.size();)
      packOne(blobs[i]);
  };
  size_t count = std::min<size_t>(std::thread::hardware_concurrency(),
                                  blobs.size() / 4 + 1);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
}

uint64_t BlobTable::place(uint64_t offset) {
  for (Entry &entry : blobs) {
    entry.offset = alignUp(offset, kPartAlignment);
    offset = entry.offset + entry.stored.size();
  }
  return offset;
}

archive::Blob BlobTable::describe(size_t number, int32_t dictionary) const {
  const Entry &entry = blobs[number];
  return archive::Blob(entry.offset, entry.stored.size(), entry.raw->size(),
                       xxh3(*entry.raw), flatbuffers::make_span(entry.digest),
                       entry.codec, dictionary);
}

void BlobTable::write(std::string &file) const {
  for (const Entry &entry : blobs) {
    file.resize(entry.offset, '\0');
    file += entry.stored;
  }
}

} // namespace nereid::pack
