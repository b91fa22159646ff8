//===- EvalSequences.cpp - Evaluator: sequences and subscripts ------------===//

#include "compiler/Lang/EvaluatorImpl.h"

#include "llvm/ADT/Twine.h"

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

/// Offsets of the characters of a UTF-8 text; identity for ASCII.
static void characters(llvm::StringRef text,
                       llvm::SmallVectorImpl<llvm::StringRef> &out) {
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && (text[end] & 0xC0) == 0x80)
      ++end;
    out.push_back(text.slice(i, end));
    i = end;
  }
}

std::optional<Int128> EvaluatorImpl::length(Value value, SourceRange range) {
  if (Value unknown = firstUnknown(value, range)) {
    raiseUnknown(unknown, range);
    return std::nullopt;
  }
  switch (value.getKind()) {
  case Value::Kind::String:
    return llvm::count_if(value.getString(),
                          [](char c) { return (c & 0xC0) != 0x80; });
  case Value::Kind::Tuple:
  case Value::Kind::List:
    return value.getElements().size();
  case Value::Kind::Dict:
  case Value::Kind::Set:
    return value.getDict().items.size();
  case Value::Kind::Range:
    return value.getRange().size();
  case Value::Kind::Instance:
    if (Value function = value.getInstance().type->find("__len__")) {
      Value result = call(function, value, {}, range);
      if (!result)
        return std::nullopt;
      if (result.isIntegral())
        return result.getInt();
    }
    [[fallthrough]];
  default:
    raise("TypeError", range, "a " + typeName(value) + " has no length");
    return std::nullopt;
  }
}

bool EvaluatorImpl::iterate(Value iterable, llvm::SmallVectorImpl<Value> &out,
                            SourceRange range) {
  if (Value unknown = firstUnknown(iterable, range))
    return raiseUnknown(unknown, range), false;
  switch (iterable.getKind()) {
  case Value::Kind::Tuple:
  case Value::Kind::List:
    if (!charge(iterable.getElements().size() / 8, range))
      return false;
    out.append(iterable.getElements().begin(), iterable.getElements().end());
    return true;
  case Value::Kind::Dict:
  case Value::Kind::Set:
    if (!charge(iterable.getDict().items.size() / 8, range))
      return false;
    for (const auto &item : iterable.getDict().items)
      out.push_back(item.first);
    return true;
  case Value::Kind::Range: {
    const RangeObject &r = iterable.getRange();
    if (!checkSize(r.size(), range))
      return false;
    Int128 value = r.start;
    for (Int128 i = 0, size = r.size(); i < size; ++i, value += r.step)
      out.push_back(Value::integer(value));
    return true;
  }
  case Value::Kind::String: {
    llvm::SmallVector<llvm::StringRef, 32> letters;
    if (!checkSize(iterable.getString().size(), range))
      return false;
    characters(iterable.getString(), letters);
    for (llvm::StringRef letter : letters)
      out.push_back(values.string(letter));
    return true;
  }
  case Value::Kind::Class:
    if (iterable.getClass().role == ClassObject::Role::Enum) {
      for (const ClassField &field : iterable.getClass().fields)
        if (Value member = iterable.getClass().find(field.name))
          out.push_back(member);
      return true;
    }
    break;
  case Value::Kind::Instance:
    if (Value function = iterable.getInstance().type->find("__iter__")) {
      NestGuard guard(*this, range);
      if (!guard.ok)
        return false;
      Value items = call(function, iterable, {}, range);
      return items && !items.isSame(iterable) && iterate(items, out, range);
    }
    break;
  default:
    break;
  }
  raise("TypeError", range, "cannot iterate over a " + typeName(iterable));
  return false;
}

Value EvaluatorImpl::slice(Value object, const SliceObject &s,
                           SourceRange range) {
  Int128 size = object.isString() ? *length(object, range)
                : object.is(Value::Kind::Range)
                    ? object.getRange().size()
                    : Int128(object.getElements().size());
  auto bound = [&](Value value, Int128 fallback, Int128 low,
                   Int128 high) -> std::optional<Int128> {
    if (value.isNone())
      return fallback;
    if (!value.isIntegral()) {
      raise("TypeError", range,
            "the bounds of a slice must be int, found " + typeName(value));
      return std::nullopt;
    }
    Int128 index = value.getInt();
    if (index < 0)
      index += size;
    return index < low ? low : index > high ? high : index;
  };
  if (!s.step.isNone() && (!s.step.isIntegral() || s.step.getInt() == 0))
    return raise("ValueError", range,
                 "the step of a slice must be an int that is not zero");
  Int128 step = s.step.isNone() ? 1 : s.step.getInt();
  // A longer step takes the first element only, like this one.
  constexpr Int128 kMaxStep = Int128(1) << 62;
  step = step > kMaxStep ? kMaxStep : step < -kMaxStep ? -kMaxStep : step;
  bool down = step < 0;
  std::optional<Int128> lower = bound(s.lower, down ? size - 1 : 0,
                                      down ? -1 : 0, down ? size - 1 : size);
  std::optional<Int128> upper =
      lower ? bound(s.upper, down ? -1 : size, down ? -1 : 0,
                    down ? size - 1 : size)
            : std::nullopt;
  if (!upper)
    return Value();
  RangeObject indices;
  indices.start = *lower;
  indices.stop = *upper;
  indices.step = step;
  Int128 count = indices.size();
  if (!checkSize(count, range))
    return Value();
  if (object.is(Value::Kind::Range)) {
    auto *result = values.create<RangeObject>();
    const RangeObject &r = object.getRange();
    result->start = r.start + indices.start * r.step;
    result->step = r.step * step;
    result->stop = result->start + count * result->step;
    return Value::of(result);
  }
  if (object.isString()) {
    llvm::SmallVector<llvm::StringRef, 32> letters;
    characters(object.getString(), letters);
    std::string text;
    for (Int128 i = 0, at = *lower; i < count; ++i, at += step)
      text += letters[static_cast<size_t>(at)];
    return values.string(text);
  }
  llvm::SmallVector<Value, 16> items;
  for (Int128 i = 0, at = *lower; i < count; ++i, at += step)
    items.push_back(object.getElements()[static_cast<size_t>(at)]);
  return object.isTuple() ? values.tuple(items) : values.list(items);
}

Value EvaluatorImpl::subscript(Value object, Value index, SourceRange range) {
  if (Value unknown = firstUnknown({object, index}, range))
    return unknown;
  index = plain(index);
  switch (object.getKind()) {
  case Value::Kind::Dict: {
    if (Value *value = object.getDict().find(index))
      return *value;
    return raise("KeyError", range, repr(index));
  }
  case Value::Kind::Tuple:
  case Value::Kind::List:
  case Value::Kind::String:
  case Value::Kind::Range: {
    if (index.is(Value::Kind::Slice)) {
      const SliceObject &s = index.getSlice();
      if (Value unknown = firstUnknown({s.lower, s.upper, s.step}, range))
        return unknown;
      return slice(object, s, range);
    }
    if (!index.isIntegral())
      return raise("TypeError", range,
                   "the index of a " + typeName(object) +
                       " must be an int or a slice, found " + typeName(index));
    std::optional<Int128> size = length(object, range);
    if (!size)
      return Value();
    Int128 at = index.getInt();
    if (at < 0)
      at += *size;
    if (at < 0 || at >= *size)
      return raise("IndexError", range,
                   "index " + repr(index) + " is out of range for a " +
                       typeName(object) + " of " + repr(Value::integer(*size)) +
                       " elements");
    if (object.is(Value::Kind::Range))
      return Value::integer(object.getRange().start +
                            at * object.getRange().step);
    if (object.isString()) {
      llvm::SmallVector<llvm::StringRef, 32> letters;
      characters(object.getString(), letters);
      return values.string(letters[static_cast<size_t>(at)]);
    }
    return object.getElements()[static_cast<size_t>(at)];
  }
  case Value::Kind::Function:
    if (object.getFunction().isJit())
      return values.unknown(range, "it is the launch of kernel '" +
                                       object.getFunction().name + "'");
    break;
  case Value::Kind::Builtin:
  case Value::Kind::DType:
    // `list[int]`, `Optional[int]`, `tl.tensor[...]`: annotations.
    return object;
  case Value::Kind::Class: {
    ClassObject &type = object.getClass();
    if (type.role == ClassObject::Role::Enum && index.isString()) {
      if (Value member = type.find(index.getString()))
        return member;
      return raise("KeyError", range, repr(index));
    }
    return object; // A generic class.
  }
  case Value::Kind::Instance:
    if (Value function = object.getInstance().type->find("__getitem__"))
      return call(function, {object, index}, {}, range);
    break;
  default:
    break;
  }
  return raise("TypeError", range,
               "a " + typeName(object) + " cannot be subscripted");
}

bool EvaluatorImpl::setItem(Value object, Value index, Value value,
                            SourceRange range) {
  if (firstUnknown(object, range))
    return true; // Nobody can read it back.
  Value unknown = firstUnknown(index, range);
  switch (object.getKind()) {
  case Value::Kind::Dict:
    touch(object.getDict());
    if (unknown) {
      object.getDict().poison = unknown;
      return true;
    }
    if (index.isList() || index.is(Value::Kind::Dict) ||
        index.is(Value::Kind::Set)) {
      raise("TypeError", range,
            "a " + typeName(index) + " cannot be the key of a dict");
      return false;
    }
    object.getDict().set(index, value);
    return checkSize(object.getDict().items.size() / 64, range);
  case Value::Kind::List: {
    touch(object.getList());
    if (unknown) {
      object.getList().poison = unknown;
      return true;
    }
    std::vector<Value> &elements = object.getList().elements;
    std::optional<int64_t> at = index.getInt64();
    if (!at) {
      raise("Unsupported", range,
            "assigning to a slice is not supported at compile time");
      return false;
    }
    if (*at < 0)
      *at += elements.size();
    if (*at < 0 || *at >= static_cast<int64_t>(elements.size())) {
      raise("IndexError", range,
            "index " + repr(index) + " is out of range for a list of " +
                llvm::Twine(elements.size()) + " elements");
      return false;
    }
    elements[*at] = value;
    return true;
  }
  case Value::Kind::Instance:
    if (Value function = object.getInstance().type->find("__setitem__"))
      return static_cast<bool>(
          call(function, {object, index, value}, {}, range));
    break;
  default:
    break;
  }
  raise("TypeError", range,
        "a " + typeName(object) + " does not support item assignment");
  return false;
}
