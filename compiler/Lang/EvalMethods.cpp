//===- EvalMethods.cpp - Evaluator: methods of built-in types -------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

Value EvaluatorImpl::callMethod(const BoundMethodObject &m, Args args,
                                Keywords keywords, SourceRange range) {
  Value self = m.self;
  llvm::StringRef name = m.name;
  llvm::SmallVector<Value, 8> all{self};
  all.append(args.begin(), args.end());
  if (Value unknown = firstUnknown(self, range))
    return unknown;
  switch (self.getKind()) {
  case Value::Kind::String: {
    // A text made from unknown parts is unknown.
    if (Value unknown = firstUnknown(args, range))
      return unknown;
    for (const NamedValue &keyword : keywords)
      if (Value unknown = firstUnknown(keyword.value, range))
        return unknown;
    return stringMethod(self.getString(), name, args, keywords, range);
  }
  case Value::Kind::List:
    return listMethod(self, name, args, keywords, range);
  case Value::Kind::Dict:
    return dictMethod(self, name, args, keywords, range);
  case Value::Kind::Set:
    return setMethod(self, name, args, keywords, range);
  case Value::Kind::DType:
    if (name == "to")
      return args.empty() ? self : args[0];
    return dtypeMethod(*self.getDType(), name, range);
  case Value::Kind::Tuple:
    if (name == "_replace" || name == "_asdict") {
      const ClassObject *type = self.getTuple().type;
      llvm::SmallVector<Value, 8> items(self.getElements().begin(),
                                        self.getElements().end());
      Value dict = values.dict();
      for (size_t i = 0; i < items.size(); ++i) {
        for (const NamedValue &keyword : keywords)
          if (keyword.name == type->fields[i].name)
            items[i] = keyword.value;
        dict.getDict().set(Value::internedString(type->fields[i].name),
                           items[i]);
      }
      if (name == "_asdict")
        return dict;
      Value tuple = values.tuple(items);
      tuple.getTuple().type = type;
      return tuple;
    }
    return listMethod(self, name, args, keywords, range);
  case Value::Kind::Bool:
  case Value::Kind::Int: {
    Int128 value = self.getInt();
    auto bits = static_cast<unsigned __int128>(value < 0 ? -value : value);
    int length = 0, ones = 0;
    for (; bits; bits >>= 1, ++length)
      ones += static_cast<int>(bits & 1);
    if (name == "bit_length")
      return Value::integer(length);
    if (name == "bit_count")
      return Value::integer(ones);
    return self;
  }
  case Value::Kind::Float:
    if (name == "is_integer")
      return Value::boolean(
          self.getFloat() ==
          static_cast<double>(static_cast<int64_t>(self.getFloat())));
    break;
  case Value::Kind::Config:
    if (name == "all_kwargs") {
      Value dict = attributeOrNone(self, "kwargs", range);
      for (llvm::StringRef key : {"num_warps", "num_stages", "num_ctas"})
        dict.getDict().set(Value::internedString(key),
                           attributeOrNone(self, key, range));
      return dict;
    }
    break;
  case Value::Kind::Builtin:
    if (name == "fromkeys" && !args.empty()) {
      llvm::SmallVector<Value, 8> keys;
      if (!iterate(args[0], keys, range))
        return Value();
      Value dict = values.dict();
      for (const Value &key : keys)
        dict.getDict().set(key, args.size() > 1 ? args[1] : Value::none());
      return dict;
    }
    if (name == "from_iterable" && args.size() == 1) {
      llvm::SmallVector<Value, 8> lists, items;
      if (!iterate(args[0], lists, range))
        return Value();
      for (const Value &list : lists)
        if (!iterate(list, items, range))
          return Value();
      return values.list(items);
    }
    if (name == "join" && args.size() == 2 && args[0].isString())
      return stringMethod(args[0].getString(), name, args.drop_front(), {},
                          range);
    break;
  default:
    break;
  }
  return raise("Unsupported", range,
               "the method '" + name + "' of a " + typeName(self) +
                   " is not supported at compile time");
}

//===----------------------------------------------------------------------===//
// str
//===----------------------------------------------------------------------===//

static std::string mapText(llvm::StringRef text, char (*f)(char)) {
  std::string out;
  for (char c : text)
    out += f(c);
  return out;
}

Value EvaluatorImpl::stringMethod(llvm::StringRef self, llvm::StringRef name,
                                  Args args, Keywords keywords,
                                  SourceRange range) {
  if (!charge(self.size() / 16, range))
    return Value();
  auto text = [&](llvm::StringRef t) { return values.string(t); };
  auto boolean = [](bool b) { return Value::boolean(b); };
  auto stringArg = [&](size_t i, llvm::StringRef &out) {
    if (i < args.size() && args[i].isString()) {
      out = args[i].getString();
      return true;
    }
    raise("TypeError", range,
          "str." + name + "() takes a str, found " +
              (i < args.size() ? typeName(args[i]) : "nothing"));
    return false;
  };
  llvm::StringRef a, b;
  if (name == "format")
    return formatMethod(self, args, keywords, range);
  if (name == "upper")
    return text(mapText(self, llvm::toUpper));
  if (name == "lower")
    return text(mapText(self, llvm::toLower));
  if (name == "capitalize") {
    std::string out = mapText(self, llvm::toLower);
    if (!out.empty())
      out[0] = llvm::toUpper(out[0]);
    return text(out);
  }
  if (name == "title") {
    std::string out = mapText(self, llvm::toLower);
    for (size_t i = 0; i < out.size(); ++i)
      if (i == 0 || !llvm::isAlpha(out[i - 1]))
        out[i] = llvm::toUpper(out[i]);
    return text(out);
  }
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    llvm::StringRef chars = " \t\n\r\f\v";
    if (!args.empty() && !args[0].isNone() && !stringArg(0, chars))
      return Value();
    llvm::StringRef out = self;
    if (name != "rstrip")
      out = out.ltrim(chars);
    if (name != "lstrip")
      out = out.rtrim(chars);
    return text(out);
  }
  if (name == "startswith" || name == "endswith") {
    llvm::SmallVector<Value, 4> options;
    if (!args.empty() && args[0].isTuple())
      options.append(args[0].getElements().begin(),
                     args[0].getElements().end());
    else if (stringArg(0, a))
      options.push_back(args[0]);
    else
      return Value();
    return boolean(llvm::any_of(options, [&](const Value &v) {
      return v.isString() &&
             (name == "startswith" ? self.starts_with(v.getString())
                                   : self.ends_with(v.getString()));
    }));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    if (!stringArg(0, a))
      return Value();
    llvm::StringRef out = self;
    if (name == "removeprefix")
      out.consume_front(a);
    else
      out.consume_back(a);
    return text(out);
  }
  if (name == "replace") {
    if (!stringArg(0, a) || !stringArg(1, b))
      return Value();
    int64_t count = args.size() > 2 ? args[2].getInt64().value_or(-1) : -1;
    std::string out;
    llvm::StringRef rest = self;
    while (count != 0) {
      if (a.empty()) {
        // Between all characters; rare enough to refuse.
        return raise("Unsupported", range,
                     "replacing the empty string is not supported at compile "
                     "time");
      }
      size_t at = rest.find(a);
      if (at == llvm::StringRef::npos)
        break;
      out += rest.take_front(at);
      out += b;
      rest = rest.drop_front(at + a.size());
      --count;
      if (!checkSize(out.size(), range))
        return Value();
    }
    return text(out + rest.str());
  }
  if (name == "find" || name == "rfind" || name == "index") {
    if (!stringArg(0, a))
      return Value();
    size_t at = name == "rfind" ? self.rfind(a) : self.find(a);
    if (at == llvm::StringRef::npos)
      return name == "index" ? raise("ValueError", range, "substring not found")
                             : Value::integer(-1);
    // In characters, not bytes.
    return Value::integer(llvm::count_if(
        self.take_front(at), [](char c) { return (c & 0xC0) != 0x80; }));
  }
  if (name == "count") {
    if (!stringArg(0, a))
      return Value();
    return a.empty() ? Value::integer(self.size() + 1)
                     : Value::integer(self.count(a));
  }
  if (name == "join") {
    llvm::SmallVector<Value, 8> items;
    if (args.size() != 1)
      return raise("TypeError", range, "str.join() takes one sequence");
    if (!iterate(args[0], items, range))
      return Value();
    std::string out;
    for (size_t i = 0; i < items.size(); ++i) {
      if (Value unknown = firstUnknown(items[i], range))
        return unknown;
      if (!items[i].isString())
        return raise("TypeError", range,
                     "str.join() takes strings, found " + typeName(items[i]));
      out += i ? self.str() : "";
      out += items[i].getString();
      if (!checkSize(out.size() / 16, range))
        return Value();
    }
    return text(out);
  }
  if (name == "split" || name == "rsplit") {
    Value out[2];
    if (!take("str." + name.str(), args, keywords, range, {"sep", "maxsplit"},
              0, out))
      return Value();
    int64_t limit = out[1] ? out[1].getInt64().value_or(-1) : -1;
    llvm::SmallVector<llvm::StringRef, 8> parts;
    if (!out[0] || out[0].isNone()) {
      llvm::StringRef rest = self;
      constexpr llvm::StringLiteral blanks = " \t\n\r\f\v";
      if (name == "split") {
        while (!(rest = rest.ltrim(blanks)).empty()) {
          if (limit >= 0 && static_cast<int64_t>(parts.size()) == limit) {
            parts.push_back(rest.rtrim(blanks));
            break;
          }
          size_t end = std::min(rest.find_first_of(blanks), rest.size());
          parts.push_back(rest.take_front(end));
          rest = rest.drop_front(end);
        }
      } else {
        while (!(rest = rest.rtrim(blanks)).empty()) {
          if (limit >= 0 && static_cast<int64_t>(parts.size()) == limit) {
            parts.insert(parts.begin(), rest.ltrim(blanks));
            break;
          }
          size_t at = rest.find_last_of(blanks);
          size_t begin = at == llvm::StringRef::npos ? 0 : at + 1;
          parts.insert(parts.begin(), rest.drop_front(begin));
          rest = rest.take_front(begin);
        }
      }
    } else if (out[0].isString() && !out[0].getString().empty()) {
      llvm::StringRef separator = out[0].getString(), rest = self;
      while (true) {
        size_t at = limit >= 0 && static_cast<int64_t>(parts.size()) >= limit
                        ? llvm::StringRef::npos
                    : name == "split" ? rest.find(separator)
                                      : rest.rfind(separator);
        if (at == llvm::StringRef::npos)
          break;
        if (name == "split") {
          parts.push_back(rest.take_front(at));
          rest = rest.drop_front(at + separator.size());
        } else {
          parts.push_back(rest.drop_front(at + separator.size()));
          rest = rest.take_front(at);
        }
      }
      parts.push_back(rest);
      if (name == "rsplit")
        std::reverse(parts.begin(), parts.end());
    } else {
      return raise("ValueError", range,
                   "the separator must be a str that is "
                   "not empty");
    }
    if (!checkSize(parts.size(), range))
      return Value();
    llvm::SmallVector<Value, 8> items;
    for (llvm::StringRef part : parts)
      items.push_back(text(part));
    return values.list(items);
  }
  if (name == "partition" || name == "rpartition") {
    if (!stringArg(0, a))
      return Value();
    size_t at = name == "partition" ? self.find(a) : self.rfind(a);
    if (at == llvm::StringRef::npos)
      return name == "partition"
                 ? values.tuple({text(self), text(""), text("")})
                 : values.tuple({text(""), text(""), text(self)});
    return values.tuple({text(self.take_front(at)), text(a),
                         text(self.drop_front(at + a.size()))});
  }
  if (name == "splitlines") {
    llvm::SmallVector<llvm::StringRef, 8> lines;
    self.split(lines, '\n');
    if (!lines.empty() && lines.back().empty())
      lines.pop_back();
    llvm::SmallVector<Value, 8> items;
    for (llvm::StringRef line : lines)
      items.push_back(text(line.rtrim('\r')));
    return values.list(items);
  }
  if (name == "zfill" || name == "ljust" || name == "rjust" ||
      name == "center") {
    std::optional<int64_t> width =
        args.empty() ? std::nullopt : args[0].getInt64();
    if (!width)
      return raise("TypeError", range, "str." + name + "() takes an int");
    if (!checkSize(*width, range))
      return Value();
    size_t missing =
        std::max<int64_t>(0, *width - static_cast<int64_t>(self.size()));
    llvm::StringRef fill = name == "zfill" ? "0" : " ";
    if (args.size() > 1 && !stringArg(1, fill))
      return Value();
    char c = fill.empty() ? ' ' : fill[0];
    if (name == "zfill" && (self.starts_with("-") || self.starts_with("+")))
      return text(self.take_front(1).str() + std::string(missing, c) +
                  self.drop_front(1).str());
    size_t left = name == "ljust"    ? 0
                  : name == "center" ? missing / 2
                                     : missing;
    return text(std::string(left, c) + self.str() +
                std::string(missing - left, c));
  }
  if (name == "encode")
    return values.unknown(range, "it is a bytes object");
  auto all = [&](bool (*test)(char)) {
    return boolean(!self.empty() && llvm::all_of(self, test));
  };
  if (name == "isdigit")
    return all([](char c) { return llvm::isDigit(c); });
  if (name == "isalpha")
    return all([](char c) { return llvm::isAlpha(c); });
  if (name == "isalnum")
    return all([](char c) { return llvm::isAlnum(c); });
  if (name == "isspace")
    return all([](char c) { return llvm::isSpace(c); });
  if (name == "isidentifier")
    return boolean(!self.empty() && !llvm::isDigit(self[0]) &&
                   llvm::all_of(self, [](char c) {
                     return llvm::isAlnum(c) || c == '_';
                   }));
  if (name == "islower" || name == "isupper") {
    bool lower = name == "islower";
    bool some = false;
    for (char c : self) {
      if (!llvm::isAlpha(c))
        continue;
      some = true;
      if (llvm::isLower(c) != lower)
        return boolean(false);
    }
    return boolean(some);
  }
  return raise("Unsupported", range,
               "str." + name + "() is not supported at compile time");
}

//===----------------------------------------------------------------------===//
// list and tuple
//===----------------------------------------------------------------------===//

bool EvaluatorImpl::sortValues(llvm::StringRef name, std::vector<Value> &items,
                               Keywords keywords, SourceRange range) {
  Value out[2];
  if (!take(name, {}, keywords, range, {"key", "reverse"}, 0, out))
    return false;
  bool reverse = false;
  if (out[1]) {
    std::optional<bool> truth = isTrue(out[1], range);
    if (!truth)
      return false;
    reverse = *truth;
  }
  Value key = out[0];
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value &item : items) {
    Value k = item;
    if (key && !key.isNone() && !(k = call(key, item, {}, range)))
      return false;
    if (Value unknown = firstUnknown(k, range))
      return raiseUnknown(unknown, range), false;
    keyed.push_back({plain(k), item});
  }
  if (!charge(items.size(), range))
    return false;
  // A merge sort that stops comparing once a comparison raised; std::sort
  // would not survive an inconsistent order.
  std::vector<std::pair<Value, Value>> buffer(keyed.size());
  for (size_t width = 1; width < keyed.size(); width *= 2) {
    for (size_t begin = 0; begin < keyed.size(); begin += 2 * width) {
      size_t middle = std::min(begin + width, keyed.size());
      size_t end = std::min(begin + 2 * width, keyed.size());
      size_t i = begin, j = middle, out = begin;
      while (i < middle && j < end) {
        std::optional<int> sign =
            order(keyed[j].first, keyed[i].first, range, "<");
        if (ev.error)
          return false;
        int s = sign.value_or(0);
        bool takeRight = reverse ? s > 0 : s < 0;
        buffer[out++] = takeRight ? keyed[j++] : keyed[i++];
      }
      while (i < middle)
        buffer[out++] = keyed[i++];
      while (j < end)
        buffer[out++] = keyed[j++];
    }
    keyed.swap(buffer);
  }
  for (size_t i = 0; i < items.size(); ++i)
    items[i] = keyed[i].second;
  return true;
}

Value EvaluatorImpl::listMethod(Value self, llvm::StringRef name, Args args,
                                Keywords keywords, SourceRange range) {
  llvm::ArrayRef<Value> elements = self.getElements();
  auto needs = [&](size_t low, size_t high) {
    if (args.size() >= low && args.size() <= high)
      return true;
    raise("TypeError", range,
          typeName(self) + "." + name + "() takes " + llvm::Twine(low) +
              (low == high ? "" : " to " + std::to_string(high)) + " argument" +
              (high == 1 ? "" : "s") + ", found " + llvm::Twine(args.size()));
    return false;
  };
  if (name == "count" || name == "index") {
    if (!needs(1, name == "count" ? 1 : 3))
      return Value();
    Int128 count = 0;
    for (size_t i = 0; i < elements.size(); ++i) {
      if (!charge(1, range))
        return Value();
      if (!valuesEqual(elements[i], args[0]))
        continue;
      if (name == "index")
        return Value::integer(i);
      ++count;
    }
    if (name == "index")
      return raise("ValueError", range,
                   repr(args[0]) + " is not in the " + typeName(self));
    return Value::integer(count);
  }
  if (name == "copy")
    return values.list(elements);
  if (!self.isList())
    return raise("AttributeError", range,
                 "a tuple has no attribute '" + name + "'");

  ListObject &list = self.getList();
  touch(list);
  std::vector<Value> &items = list.elements;
  if (name == "append") {
    if (!needs(1, 1) || !checkSize(items.size() / 64, range))
      return Value();
    items.push_back(args[0]);
    return Value::none();
  }
  if (name == "extend") {
    llvm::SmallVector<Value, 8> more;
    if (!needs(1, 1))
      return Value();
    if (Value unknown = firstUnknown(args[0], range)) {
      list.poison = unknown;
      return Value::none();
    }
    if (!iterate(args[0], more, range) ||
        !checkSize(items.size() + more.size(), range))
      return Value();
    items.insert(items.end(), more.begin(), more.end());
    return Value::none();
  }
  if (name == "insert") {
    if (!needs(2, 2))
      return Value();
    std::optional<int64_t> at = args[0].getInt64();
    if (!at)
      return raise("TypeError", range,
                   "list.insert() takes an int and a value");
    int64_t size = static_cast<int64_t>(items.size());
    if (*at < 0)
      *at += size;
    *at = std::max<int64_t>(0, std::min(*at, size));
    if (!checkSize(items.size(), range))
      return Value();
    items.insert(items.begin() + *at, args[1]);
    return Value::none();
  }
  if (name == "pop") {
    if (!needs(0, 1))
      return Value();
    int64_t size = static_cast<int64_t>(items.size());
    int64_t at = args.empty() ? -1 : args[0].getInt64().value_or(size);
    if (at < 0)
      at += size;
    if (at < 0 || at >= size)
      return raise("IndexError", range, "pop index out of range");
    Value value = items[at];
    items.erase(items.begin() + at);
    return charge(items.size() / 64, range) ? value : Value();
  }
  if (name == "remove") {
    if (!needs(1, 1))
      return Value();
    for (size_t i = 0; i < items.size(); ++i) {
      if (!charge(1, range))
        return Value();
      if (valuesEqual(items[i], args[0])) {
        items.erase(items.begin() + i);
        return Value::none();
      }
    }
    return raise("ValueError", range, repr(args[0]) + " is not in the list");
  }
  if (name == "clear") {
    items.clear();
    return Value::none();
  }
  if (name == "reverse") {
    std::reverse(items.begin(), items.end());
    return charge(items.size() / 8, range) ? Value::none() : Value();
  }
  // sort
  if (!sortValues("list.sort", items, keywords, range))
    return Value();
  return Value::none();
}

//===----------------------------------------------------------------------===//
// dict and set
//===----------------------------------------------------------------------===//

Value EvaluatorImpl::dictMethod(Value self, llvm::StringRef name, Args args,
                                Keywords keywords, SourceRange range) {
  DictObject &dict = self.getDict();
  auto keyGiven = [&] {
    if (!args.empty())
      return true;
    raise("TypeError", range, "dict." + name + "() takes a key");
    return false;
  };
  if (name == "get" || name == "pop" || name == "setdefault") {
    if (!keyGiven())
      return Value();
    if (Value unknown = firstUnknown(args[0], range))
      return unknown;
    Value fallback = args.size() > 1 ? args[1] : Value();
    for (const NamedValue &keyword : keywords)
      if (keyword.name == "default")
        fallback = keyword.value;
    Value *found = dict.find(args[0]);
    if (name == "get")
      return found ? *found : fallback ? fallback : Value::none();
    touch(dict);
    if (name == "setdefault") {
      if (found)
        return *found;
      Value value = fallback ? fallback : Value::none();
      dict.set(args[0], value);
      return value;
    }
    if (!found)
      return fallback ? fallback : raise("KeyError", range, repr(args[0]));
    Value value = *found;
    if (!charge(dict.items.size() / 8, range))
      return Value();
    dict.erase(args[0]);
    return value;
  }
  if (!charge(dict.items.size() / 8 + 1, range))
    return Value();
  if (name == "keys" || name == "values" || name == "items") {
    llvm::SmallVector<Value, 8> list;
    for (const auto &[key, value] : dict.items)
      list.push_back(name == "keys"     ? key
                     : name == "values" ? value
                                        : values.tuple({key, value}));
    return values.list(list);
  }
  if (name == "copy") {
    Value copy = values.dict();
    for (const auto &[key, value] : dict.items)
      copy.getDict().set(key, value);
    return copy;
  }
  touch(dict);
  if (name == "clear") {
    while (!dict.items.empty())
      dict.erase(dict.items.back().first);
    return Value::none();
  }
  if (name == "popitem") {
    if (dict.items.empty())
      return raise("KeyError", range, "the dict is empty");
    auto [key, value] = dict.items.back();
    dict.erase(key);
    return values.tuple({key, value});
  }
  // update
  if (!args.empty()) {
    if (Value unknown = firstUnknown(args[0], range)) {
      dict.poison = unknown;
      return Value::none();
    }
    if (args[0].is(Value::Kind::Dict)) {
      auto copy = args[0].getDict().items;
      for (const auto &[key, value] : copy)
        dict.set(key, value);
    } else {
      llvm::SmallVector<Value, 8> pairs;
      if (!iterate(args[0], pairs, range))
        return Value();
      for (const Value &pair : pairs) {
        if (!pair.isSequence() || pair.getElements().size() != 2)
          return raise("TypeError", range,
                       "dict.update() takes a dict or pairs");
        dict.set(pair.getElements()[0], pair.getElements()[1]);
      }
    }
  }
  for (const NamedValue &keyword : keywords)
    dict.set(Value::internedString(keyword.name), keyword.value);
  return Value::none();
}

Value EvaluatorImpl::setMethod(Value self, llvm::StringRef name, Args args,
                               Keywords, SourceRange range) {
  DictObject &set = self.getDict();
  if (name == "copy")
    return setBinary(BinaryOp::BitOr, self, self, range);
  if (name == "clear") {
    touch(set);
    while (!set.items.empty())
      set.erase(set.items.back().first);
    return Value::none();
  }
  if (name == "pop") {
    if (set.items.empty())
      return raise("KeyError", range, "the set is empty");
    touch(set);
    Value item = set.items.front().first;
    set.erase(item);
    return item;
  }
  if (args.size() != 1)
    return raise("TypeError", range, "set." + name + "() takes one argument");
  if (Value unknown = firstUnknown(args[0], range)) {
    if (name == "add" || name == "update" || name == "discard")
      set.poison = unknown;
    return unknown;
  }
  if (name == "add") {
    touch(set);
    set.set(args[0], Value::none());
    return Value::none();
  }
  if (name == "remove" || name == "discard") {
    touch(set);
    if (!set.erase(args[0]) && name == "remove")
      return raise("KeyError", range, repr(args[0]));
    return charge(set.items.size() / 8, range) ? Value::none() : Value();
  }
  llvm::SmallVector<Value, 8> items;
  if (!iterate(args[0], items, range))
    return Value();
  Value other = Value::set(values.create<DictObject>());
  for (const Value &item : items)
    other.getDict().set(item, Value::none());
  if (name == "update") {
    touch(set);
    for (const Value &item : items)
      set.set(item, Value::none());
    return Value::none();
  }
  if (name == "union")
    return setBinary(BinaryOp::BitOr, self, other, range);
  if (name == "intersection")
    return setBinary(BinaryOp::BitAnd, self, other, range);
  if (name == "difference")
    return setBinary(BinaryOp::Sub, self, other, range);
  if (name == "issubset")
    return compare(CompareOp::LtE, self, other, range);
  if (name == "issuperset")
    return compare(CompareOp::GtE, self, other, range);
  // isdisjoint
  Value both = setBinary(BinaryOp::BitAnd, self, other, range);
  return both ? Value::boolean(both.getDict().items.empty()) : Value();
}
