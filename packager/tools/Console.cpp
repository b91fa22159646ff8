//===- Console.cpp - How the tool speaks ----------------------------------===//

#include "packager/tools/Console.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace nereid::tool {

static bool showsStyle(int fd) {
  const char *no = std::getenv("NO_COLOR");
  const char *term = std::getenv("TERM");
  return ::isatty(fd) && !(no && *no) &&
         !(term && std::string_view(term) == "dumb");
}

std::string styled(Style style, std::string_view text, bool onError) {
  static const bool onOut = showsStyle(STDOUT_FILENO);
  static const bool onErr = showsStyle(STDERR_FILENO);
  if (style == Style::Plain || !(onError ? onErr : onOut))
    return std::string(text);
  const char *code = "0";
  switch (style) {
  case Style::Plain:
    break;
  case Style::Bold:
    code = "1";
    break;
  case Style::Dim:
    code = "2";
    break;
  case Style::Red:
    code = "1;31";
    break;
  case Style::Green:
    code = "32";
    break;
  case Style::Yellow:
    code = "1;33";
    break;
  case Style::Cyan:
    code = "36";
    break;
  }
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

static void toError(const std::string &text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int fail(std::string_view text) {
  toError("nereid: " + styled(Style::Red, "error:", true) + " " +
          std::string(text) + "\n");
  return kFailure;
}

int usage(std::string_view text) {
  fail(text);
  toError("run 'nereid --help', or 'nereid COMMAND --help' for an example\n");
  return kUsage;
}

void note(std::string_view text) {
  toError("nereid: " + styled(Style::Cyan, "note:", true) + " " +
          std::string(text) + "\n");
}

void printRendered(std::string_view rendered) {
  std::string text(rendered);
  for (auto [word, style] : {std::pair("error:", Style::Red),
                             {"warning:", Style::Yellow},
                             {"note:", Style::Cyan}}) {
    size_t at = text.find(word);
    if (at != std::string::npos && at < text.find('\n'))
      text.replace(at, std::string_view(word).size(),
                   styled(style, word, true));
  }
  if (text.empty() || text.back() != '\n')
    text += '\n';
  toError(text);
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

std::string sizeText(uint64_t bytes) {
  char buffer[32];
  if (bytes < 1024)
    std::snprintf(buffer, sizeof(buffer), "%llu B",
                  static_cast<unsigned long long>(bytes));
  else if (bytes < 10 * 1024)
    std::snprintf(buffer, sizeof(buffer), "%.1f KiB", bytes / 1024.0);
  else if (bytes < 1024 * 1024)
    std::snprintf(buffer, sizeof(buffer), "%.0f KiB", bytes / 1024.0);
  else
    std::snprintf(buffer, sizeof(buffer), "%.1f MiB",
                  static_cast<double>(bytes) / (1024.0 * 1024.0));
  return buffer;
}

std::string timeText(double seconds) {
  char buffer[32];
  if (seconds < 1e-3)
    std::snprintf(buffer, sizeof(buffer), "%.2f us", seconds * 1e6);
  else if (seconds < 1)
    std::snprintf(buffer, sizeof(buffer), "%.1f ms", seconds * 1e3);
  else
    std::snprintf(buffer, sizeof(buffer), "%.1f s", seconds);
  return buffer;
}

// The columns a text takes: UTF-8 continuation bytes and styles take none.
static size_t width(std::string_view text) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      while (i < text.size() && text[i] != 'm')
        ++i;
      continue;
    }
    columns += (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
  }
  return columns;
}

std::string Table::text(std::string_view indent) const {
  std::vector<size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t i = 0; i < rows[r].size(); ++i) {
      const std::string &cell = rows[r][i];
      std::string gap(widths[i] - width(cell), ' ');
      std::string shown = r == 0 ? styled(Style::Bold, cell) : cell;
      line += (i ? "  " : "") + (i >= rightFrom ? gap + shown : shown + gap);
    }
    while (!line.empty() && line.back() == ' ')
      line.pop_back();
    text += std::string(indent) + line + "\n";
  }
  return text;
}

Progress::Progress(size_t total, bool wanted)
    : total(total), shown(wanted && showsStyle(STDERR_FILENO)) {}

Progress::~Progress() {
  if (shown)
    toError("\r\033[K");
}

void Progress::begin(const std::string &what) {
  std::lock_guard<std::mutex> lock(mutex);
  current = what;
  draw();
}

void Progress::done() {
  std::lock_guard<std::mutex> lock(mutex);
  ++finished;
  draw();
}

void Progress::draw() {
  if (!shown)
    return;
  std::string line = "[" + std::to_string(finished) + "/" +
                     std::to_string(total) + "] " + current;
  struct winsize size;
  size_t columns = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col
                       ? size.ws_col
                       : 80;
  if (line.size() >= columns)
    line.resize(columns - 1);
  toError("\r\033[K" + line);
}

} // namespace nereid::tool
