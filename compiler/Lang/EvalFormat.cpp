//===- EvalFormat.cpp - Evaluator: f-strings, str.format, '%' -------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <cmath>
#include <cstdio>

using namespace nereid::lang;

namespace {
/// [[fill]align][sign][#][0][width][grouping][.precision][type]
struct FormatSpec {
  char fill = ' ';
  char align = 0;
  char sign = '-';
  bool alternate = false;
  char grouping = 0;
  unsigned width = 0;
  int precision = -1;
  char type = 0;

  bool parse(llvm::StringRef text) {
    auto isAlign = [](char c) {
      return c == '<' || c == '>' || c == '=' || c == '^';
    };
    if (text.size() >= 2 && isAlign(text[1])) {
      fill = text[0];
      align = text[1];
      text = text.drop_front(2);
    } else if (!text.empty() && isAlign(text[0])) {
      align = text[0];
      text = text.drop_front();
    }
    if (!text.empty() && (text[0] == '+' || text[0] == '-' || text[0] == ' ')) {
      sign = text[0];
      text = text.drop_front();
    }
    text.consume_front("z");
    alternate = text.consume_front("#");
    if (text.starts_with("0")) {
      if (!align) {
        fill = '0';
        align = '=';
      }
      text = text.drop_front();
    }
    if (!text.empty() && llvm::isDigit(text[0]) &&
        text.consumeInteger(10, width))
      return false;
    if (text.starts_with(",") || text.starts_with("_")) {
      grouping = text[0];
      text = text.drop_front();
    }
    if (text.consume_front(".")) {
      unsigned digits;
      if (text.consumeInteger(10, digits) || digits > 1000)
        return false;
      precision = static_cast<int>(digits);
    }
    if (!text.empty()) {
      type = text[0];
      text = text.drop_front();
    }
    return text.empty() && width <= 100000;
  }

  /// Pads `body`; `prefix` (sign, 0x) stays in front of '=' padding.
  std::string pad(std::string prefix, std::string body,
                  char defaultAlign) const {
    size_t size = 0;
    for (char c : prefix + body)
      size += (c & 0xC0) != 0x80;
    char how = align ? align : defaultAlign;
    size_t missing = width > size ? width - size : 0;
    if (how == '=')
      return prefix + std::string(missing, fill) + body;
    size_t left = how == '<' ? 0 : how == '^' ? missing / 2 : missing;
    return std::string(left, fill) + prefix + body +
           std::string(missing - left, fill);
  }
};
} // namespace

static std::string group(const std::string &digits, char separator,
                         unsigned every) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i && (digits.size() - i) % every == 0)
      out += separator;
    out += digits[i];
  }
  return out;
}

static std::string formatInt(Int128 value, const FormatSpec &spec) {
  bool negative = value < 0;
  auto magnitude = static_cast<unsigned __int128>(value);
  if (negative)
    magnitude = -magnitude;
  unsigned radix = spec.type == 'x' || spec.type == 'X' ? 16
                   : spec.type == 'o'                   ? 8
                   : spec.type == 'b'                   ? 2
                                                        : 10;
  std::string digits;
  do {
    digits += llvm::hexdigit(static_cast<unsigned>(magnitude % radix),
                             spec.type != 'X');
    magnitude /= radix;
  } while (magnitude);
  digits = std::string(digits.rbegin(), digits.rend());
  if (spec.grouping)
    digits = group(digits, spec.grouping, radix == 10 ? 3 : 4);
  std::string prefix = negative           ? "-"
                       : spec.sign == '+' ? "+"
                       : spec.sign == ' ' ? " "
                                          : "";
  if (spec.alternate && radix != 10)
    prefix += std::string("0") + spec.type;
  return spec.pad(prefix, digits, '>');
}

static std::string formatFloat(double value, FormatSpec spec) {
  bool negative = std::signbit(value);
  double magnitude = std::fabs(value);
  std::string digits;
  char type = spec.type;
  bool percent = type == '%';
  if (percent) {
    magnitude *= 100;
    type = 'f';
  }
  if (std::isnan(magnitude)) {
    digits = "nan";
    negative = false;
  } else if (std::isinf(magnitude)) {
    digits = "inf";
  } else if (!type && spec.precision < 0) {
    digits = repr(Value::real(magnitude));
  } else {
    if (!type || type == 'n')
      type = 'g';
    char pattern[] = {'%', '.', '*', type, 0};
    int precision = spec.precision < 0 ? 6 : spec.precision;
    if (type == 'g' && precision == 0)
      precision = 1;
    llvm::SmallString<512> buffer;
    buffer.resize_for_overwrite(400 + precision);
    int length = std::snprintf(buffer.data(), buffer.size(), pattern, precision,
                               magnitude);
    digits.assign(buffer.data(), std::max(0, length));
    // Without a type Python keeps a trailing ".0".
    if (!spec.type && digits.find_first_of(".en") == std::string::npos)
      digits += ".0";
  }
  if (spec.grouping) {
    size_t end = digits.find_first_not_of("0123456789");
    std::string whole = digits.substr(0, end);
    digits = group(whole, spec.grouping, 3) +
             (end == std::string::npos ? "" : digits.substr(end));
  }
  if (percent)
    digits += '%';
  std::string prefix = negative           ? "-"
                       : spec.sign == '+' ? "+"
                       : spec.sign == ' ' ? " "
                                          : "";
  return spec.pad(prefix, digits, '>');
}

Value EvaluatorImpl::format(Value value, char conversion, llvm::StringRef spec,
                            SourceRange range) {
  if (Value unknown = firstUnknown(value, range))
    return unknown;
  if (conversion) {
    value = values.string(conversion == 's' ? str(value) : repr(value));
    if (!charge(value.getString().size() / 16, range))
      return Value();
  } else {
    value = plain(value);
    if (value.is(Value::Kind::Instance))
      for (llvm::StringRef name : {"__format__", "__str__", "__repr__"})
        if (Value function = value.getInstance().type->find(name)) {
          llvm::SmallVector<Value, 2> args{value};
          if (name == "__format__")
            args.push_back(values.string(spec));
          Value text = call(function, args, {}, range);
          if (!text || text.isUnknown() || name == "__format__")
            return text;
          value = text;
          break;
        }
  }
  if (spec.empty()) {
    std::string text = str(value);
    return charge(text.size() / 16, range) ? values.string(text) : Value();
  }
  FormatSpec parsed;
  if (!parsed.parse(spec))
    return raise("ValueError", range,
                 "invalid format specification '" + spec + "'");
  bool floatType = llvm::StringRef("eEfFgG%").contains(parsed.type);
  if (parsed.type == 0)
    floatType = false;
  if (value.isIntegral() && !floatType &&
      (!value.isBool() || parsed.type != 0)) {
    if (parsed.type == 'c')
      return values.string(parsed.pad(
          "", std::string(1, static_cast<char>(value.getInt())), '<'));
    if (!llvm::StringRef("dboxXn").contains(parsed.type) && parsed.type)
      return raise("ValueError", range,
                   llvm::Twine("format code '") + llvm::Twine(parsed.type) +
                       "' does not apply to an int");
    return values.string(formatInt(value.getInt(), parsed));
  }
  if (value.isNumber() && !value.isBool() && (value.isFloat() || floatType)) {
    if (parsed.type && !floatType && parsed.type != 'n')
      return raise("ValueError", range,
                   llvm::Twine("format code '") + llvm::Twine(parsed.type) +
                       "' does not apply to a float");
    return values.string(formatFloat(value.getNumber(), parsed));
  }
  if (parsed.type && parsed.type != 's')
    return raise("ValueError", range,
                 llvm::Twine("format code '") + llvm::Twine(parsed.type) +
                     "' does not apply to a " + typeName(value));
  std::string text = str(value);
  if (parsed.precision >= 0)
    text = llvm::StringRef(text).take_front(parsed.precision).str();
  return values.string(parsed.pad("", text, '<'));
}

/// "{} {0} {name.attr[0]!r:>{width}}".format(...)
Value EvaluatorImpl::formatMethod(llvm::StringRef text, Args args,
                                  Keywords keywords, SourceRange range) {
  NestGuard guard(*this, range);
  if (!guard.ok)
    return Value();
  std::string out;
  size_t nextIndex = 0;
  auto bad = [&](const llvm::Twine &why) {
    return raise("ValueError", range, "in the format string: " + why);
  };
  // The value of a field name such as "0.attr[key]".
  auto field = [&](llvm::StringRef name) -> Value {
    size_t end = std::min(name.find_first_of(".["), name.size());
    llvm::StringRef first = name.take_front(end);
    name = name.drop_front(end);
    Value value;
    unsigned index;
    if (first.empty() || !first.getAsInteger(10, index)) {
      if (first.empty())
        index = static_cast<unsigned>(nextIndex++);
      if (index >= args.size())
        return raise("IndexError", range,
                     "the format string names argument " + llvm::Twine(index) +
                         ", but there are " + llvm::Twine(args.size()));
      value = args[index];
    } else {
      for (const NamedValue &keyword : keywords)
        if (keyword.name == first)
          value = keyword.value;
      if (!value)
        return raise("KeyError", range, repr(values.string(first)));
    }
    while (value && !name.empty()) {
      if (name.consume_front(".")) {
        size_t stop = std::min(name.find_first_of(".["), name.size());
        value = attribute(value, values.intern(name.take_front(stop)), range);
        name = name.drop_front(stop);
      } else {
        size_t close = name.find(']');
        if (close == llvm::StringRef::npos)
          return bad("a '[' is not closed");
        llvm::StringRef key = name.slice(1, close);
        int64_t number;
        value = subscript(value,
                          key.getAsInteger(10, number) ? values.string(key)
                                                       : Value::integer(number),
                          range);
        name = name.drop_front(close + 1);
      }
    }
    return value;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    if (c == '}')
      return bad("a single '}'");
    if (c != '{') {
      out += c;
      continue;
    }
    size_t depth = 1, end = i + 1;
    while (end < text.size() && depth) {
      depth += text[end] == '{';
      depth -= text[end] == '}';
      ++end;
    }
    if (depth)
      return bad("a '{' is not closed");
    auto [head, spec] = text.slice(i + 1, end - 1).split(':');
    auto [name, conversion] = head.split('!');
    Value value = field(name);
    if (!value || value.isUnknown())
      return value;
    std::string specText = spec.str();
    if (spec.contains('{')) {
      Value inner =
          formatMethod(spec, args.drop_front(std::min(nextIndex, args.size())),
                       keywords, range);
      if (!inner || inner.isUnknown())
        return inner;
      specText = inner.getString().str();
    }
    Value formatted =
        format(value, conversion.empty() ? 0 : conversion[0], specText, range);
    if (!formatted || formatted.isUnknown())
      return formatted;
    out += formatted.getString();
    if (!checkSize(out.size() / 16, range))
      return Value();
    i = end - 1;
  }
  return values.string(out);
}

/// "%d %s" % (a, b)
Value EvaluatorImpl::percentFormat(llvm::StringRef text, Value args,
                                   SourceRange range) {
  std::string out;
  size_t next = 0;
  llvm::SmallVector<Value, 4> list;
  if (args.isTuple())
    list.append(args.getElements().begin(), args.getElements().end());
  else
    list.push_back(args);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    ++i;
    if (i < text.size() && text[i] == '%') {
      out += '%';
      continue;
    }
    Value value;
    if (i < text.size() && text[i] == '(') {
      size_t close = text.find(')', i);
      if (close == llvm::StringRef::npos || !args.is(Value::Kind::Dict))
        return raise("TypeError", range, "'%(name)' needs a dict");
      llvm::StringRef key = text.slice(i + 1, close);
      Value *found = args.getDict().find(key);
      if (!found)
        return raise("KeyError", range, repr(values.string(key)));
      value = *found;
      i = close + 1;
    }
    size_t begin = i;
    while (i < text.size() &&
           llvm::StringRef("-+ #0123456789.").contains(text[i]))
      ++i;
    if (i >= text.size())
      return raise("ValueError", range, "the format string ends after '%'");
    llvm::StringRef flags = text.slice(begin, i);
    char type = text[i];
    if (!value) {
      if (next >= list.size())
        return raise("TypeError", range,
                     "the format string needs more than " +
                         llvm::Twine(list.size()) + " values");
      value = list[next++];
    }
    if (Value unknown = firstUnknown(value, range))
      return unknown;
    value = plain(value);
    std::string spec;
    bool numeric = llvm::StringRef("diuxXoeEfFgG").contains(type);
    if (flags.consume_front("-"))
      spec += "<";
    else if (!numeric)
      spec += ">";
    spec += flags.str();
    if (numeric) {
      if (!value.isNumber())
        return raise("TypeError", range,
                     llvm::Twine("'%") + llvm::Twine(type) +
                         "' needs a number, found " + typeName(value));
      bool integral = llvm::StringRef("diuxXo").contains(type);
      if (integral && value.isFloat()) {
        if (!(std::fabs(value.getFloat()) < 1e18))
          return raise("ValueError", range, "the number is too large");
        value = Value::integer(static_cast<int64_t>(value.getFloat()));
      }
      if (value.isBool())
        value = Value::integer(value.getInt());
      spec += type == 'i' || type == 'u' ? 'd' : type;
    } else if (type == 's' || type == 'r' || type == 'a') {
      value = values.string(type == 's' ? str(value) : repr(value));
    } else {
      return raise("ValueError", range,
                   llvm::Twine("unknown format '%") + llvm::Twine(type) + "'");
    }
    Value formatted = format(value, 0, spec, range);
    if (!formatted)
      return Value();
    out += formatted.getString();
    if (!checkSize(out.size() / 16, range))
      return Value();
  }
  if (!args.is(Value::Kind::Dict) && next < list.size())
    return raise("TypeError", range,
                 "not all values were used by the format string");
  return values.string(out);
}
