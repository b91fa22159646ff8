//===- Json.h - JSON for machines -------------------------------*- C++ -*-===//

#ifndef NEREID_PACKAGER_TOOLS_JSON_H
#define NEREID_PACKAGER_TOOLS_JSON_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nereid::tool {

/// Writes one JSON value, indented, keys in the order they are given.
///
///   json.object([&] { json.member("name", pack.name); });
class Json {
public:
  template <typename Body> void object(Body body) { nest('{', '}', body); }
  template <typename Body> void array(Body body) { nest('[', ']', body); }

  void key(std::string_view name) {
    separate();
    string(name);
    text += ": ";
    afterKey = true;
  }
  template <typename T> void member(std::string_view name, const T &value) {
    key(name);
    this->value(value);
  }
  template <typename Body> void objectMember(std::string_view name, Body body) {
    key(name);
    object(body);
  }
  template <typename Body> void arrayMember(std::string_view name, Body body) {
    key(name);
    array(body);
  }

  void value(std::string_view value) {
    separate();
    string(value);
  }
  void value(const std::string &text) { value(std::string_view(text)); }
  void value(const char *text) { value(std::string_view(text)); }
  void value(bool flag) { raw(flag ? "true" : "false"); }
  void value(double number);
  void value(int64_t number) { raw(std::to_string(number)); }
  void value(uint64_t number) { raw(std::to_string(number)); }
  void value(int number) { raw(std::to_string(number)); }
  void value(unsigned number) { raw(std::to_string(number)); }
  template <typename T> void value(const std::vector<T> &all) {
    array([&] {
      for (const T &one : all)
        value(one);
    });
  }
  void null() { raw("null"); }

  /// What was written, with a newline at the end.
  std::string take() { return std::move(text) + "\n"; }

private:
  template <typename Body> void nest(char open, char close, Body body) {
    separate();
    text += open;
    ++depth;
    first = true;
    body();
    --depth;
    if (!first)
      newline();
    first = false;
    text += close;
  }
  void separate() {
    if (afterKey) {
      afterKey = false;
      return;
    }
    if (!first)
      text += ',';
    if (depth)
      newline();
    first = false;
  }
  void newline() { text += '\n' + std::string(2 * depth, ' '); }
  void raw(std::string_view token) {
    separate();
    text += token;
  }
  void string(std::string_view value);

  std::string text;
  unsigned depth = 0;
  bool first = true, afterKey = false;
};

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_JSON_H
