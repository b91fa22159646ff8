//===- Sort.h - Stable sorting ----------------------------------*- C++ -*-===//
//
// std::stable_sort of this libstdc++ warns, with clang, about its own
// temporary buffer.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_SORT_H
#define NEREID_PACKAGER_SORT_H

#include <algorithm>
#include <numeric>
#include <vector>

namespace nereid::pack {

/// Sorts `all`; elements that are neither less than the other keep their order.
template <typename T, typename Less>
void sortStably(std::vector<T> &all, Less less) {
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return less(all[a], all[b]) || (!less(all[b], all[a]) && a < b);
  });
  std::vector<T> sorted;
  sorted.reserve(all.size());
  for (size_t i : order)
    sorted.push_back(std::move(all[i]));
  all = std::move(sorted);
}

} // namespace nereid::pack

#endif // NEREID_PACKAGER_SORT_H
