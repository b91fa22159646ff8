//===- Suggest.cpp - "did you mean" ---------------------------------------===//

#include "packager/Suggest.h"

#include <algorithm>
#include <cctype>

namespace nereid::pack {

static char folded(char c) {
  return c == '-'
             ? '_'
             : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// Edits between two words, where case and '-' against '_' cost nothing and two
// neighbours exchanged cost one.
static size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1,
                                        std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (!i || !j) {
        cost[i][j] = i + j;
        continue;
      }
      bool same = folded(a[i - 1]) == folded(b[j - 1]);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
          folded(a[i - 2]) == folded(b[j - 1]))
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

std::string nearest(std::string_view word,
                    const std::vector<std::string> &candidates) {
  std::string best;
  // A third of the word may be wrong; of one or two letters, only their case.
  size_t bestCost = std::min<size_t>(word.size() / 3, 3) + 1;
  for (const std::string &candidate : candidates) {
    // The table is quadratic, and nobody mistypes that much.
    if (candidate.size() > 200 || word.size() > 200 || candidate == word)
      continue;
    size_t cost = distance(word, candidate);
    // Of two that are as near, the one that only goes on.
    bool goesOn = std::string_view(candidate).substr(0, word.size()) == word;
    if (cost < bestCost || (cost == bestCost && !best.empty() && goesOn)) {
      bestCost = cost;
      best = candidate;
    }
  }
  if (!best.empty() || word.empty())
    return best;
  // A word cut short, when it can only mean one.
  for (const std::string &candidate : candidates)
    if (candidate.size() > word.size() &&
        std::string_view(candidate).substr(0, word.size()) == word) {
      if (!best.empty())
        return "";
      best = candidate;
    }
  return best;
}

std::string suggestion(std::string_view word,
                       const std::vector<std::string> &candidates,
                       std::string_view listed) {
  std::string near = nearest(word, candidates);
  if (!near.empty())
    return "; did you mean '" + near + "'?";
  if (candidates.empty() || candidates.size() > 24)
    return "";
  std::string text = "; " + std::string(listed) + ": ";
  for (size_t i = 0; i < candidates.size(); ++i)
    text += (i ? ", " : "") + candidates[i];
  return text;
}

std::string listText(const std::vector<std::string> &words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return text;
}

} // namespace nereid::pack
