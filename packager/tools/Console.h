//===- Console.h - How the tool speaks --------------------------*- C++ -*-===//
//
// Results go to standard output, everything about them to standard error.
// Colours and progress appear on a terminal only, and not under NO_COLOR.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_CONSOLE_H
#define NEREID_PACKAGER_TOOLS_CONSOLE_H

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace nereid::tool {

/// The exit statuses of every command.
enum ExitCode { kSuccess = 0, kFailure = 1, kUsage = 2 };

enum class Style { Plain, Bold, Dim, Red, Green, Yellow, Cyan };

/// `text` in `style` where standard output (or error) shows styles.
std::string styled(Style style, std::string_view text, bool onError = false);

/// Prints "nereid: error: text" and returns kFailure.
int fail(std::string_view text);

/// Prints "nereid: error: text" and how to get help; returns kUsage.
int usage(std::string_view text);

/// Prints "nereid: note: text".
void note(std::string_view text);

/// Prints a message that has its own location, "error:" and "warning:" in
/// colour.
void printRendered(std::string_view rendered);

/// Writes to standard output; a closed pipe ends the program quietly.
void print(std::string_view text);

/// "512 B", "3.4 KiB", "12 MiB".
std::string sizeText(uint64_t bytes);
/// "3.2 s", "45 ms", "8.1 us".
std::string timeText(double seconds);

/// Columns of text, each as wide as its widest cell. Cells of columns from
/// `rightFrom` on are set to the right.
class Table {
public:
  explicit Table(size_t rightFrom = ~size_t(0)) : rightFrom(rightFrom) {}
  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  /// The first row is in bold.
  std::string text(std::string_view indent = "") const;

private:
  size_t rightFrom;
  std::vector<std::vector<std::string>> rows;
};

/// One line that says how far a long job is, on a terminal only. Safe to use
/// from several threads.
class Progress {
public:
  Progress(size_t total, bool wanted);
  ~Progress();
  /// Says that `what` begins.
  void begin(const std::string &what);
  /// Says that one unit is done.
  void done();

private:
  void draw();
  std::mutex mutex;
  size_t total, finished = 0;
  bool shown;
  std::string current;
};

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_CONSOLE_H
