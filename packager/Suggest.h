//===- Suggest.h - "did you mean" -------------------------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_SUGGEST_H
#define NEREID_PACKAGER_SUGGEST_H

#include <string>
#include <string_view>
#include <vector>

namespace nereid::pack {

/// The candidate nearest to `word` by spelling; empty when none is near.
std::string nearest(std::string_view word,
                    const std::vector<std::string> &candidates);

/// "; did you mean 'x'?" when one candidate is near, else "; known: a, b, c"
/// when there are few enough to read, else "".
std::string suggestion(std::string_view word,
                       const std::vector<std::string> &candidates,
                       std::string_view listed = "known");

/// "a, b and c".
std::string listText(const std::vector<std::string> &words);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_SUGGEST_H
