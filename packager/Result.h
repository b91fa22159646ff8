//===- Result.h - How the packager reports failure --------------*- C++ -*-===//
//
// A function that can fail returns a Status or a Result; the message is one
// sentence that says what was found, where, and what would have been right.
// Nothing in the packager throws at its users.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_RESULT_H
#define NEREID_PACKAGER_RESULT_H

#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace nereid::pack {

/// Joins anything that prints into one string.
template <typename... Args> std::string concat(const Args &...args) {
  std::ostringstream stream;
  (stream << ... << args);
  return stream.str();
}

/// Success, or a sentence.
class [[nodiscard]] Status {
public:
  Status() = default;
  template <typename... Args> static Status error(const Args &...args) {
    Status status;
    status.text = concat(args...);
    status.failed = true;
    return status;
  }

  explicit operator bool() const { return !failed; }
  const std::string &message() const { return text; }
  /// The same failure, said to be inside `where`.
  Status within(const std::string &where) const {
    return failed ? error(where, ": ", text) : *this;
  }

private:
  std::string text;
  bool failed = false;
};

/// A value, or a sentence.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value(std::move(value)) {}
  Result(Status status) : failure(std::move(status)) {}

  explicit operator bool() const { return value.has_value(); }
  T &operator*() { return *value; }
  const T &operator*() const { return *value; }
  T *operator->() { return &*value; }
  const T *operator->() const { return &*value; }
  const std::string &message() const { return failure.message(); }
  const Status &status() const { return failure; }

private:
  std::optional<T> value;
  Status failure;
};

} // namespace nereid::pack

#endif // NEREID_PACKAGER_RESULT_H
