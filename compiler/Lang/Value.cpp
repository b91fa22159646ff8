//===- Value.cpp - What an expression evaluates to ------------------------===//

#include "compiler/Lang/Module.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"

#include <charconv>
#include <cmath>

using namespace nereid::lang;

//===----------------------------------------------------------------------===//
// Builtins
//===----------------------------------------------------------------------===//

static constexpr BuiltinInfo builtinInfos[] = {
#define NEREID_BUILTIN(ID, MODULE, NAME) {BuiltinId::ID, MODULE, NAME},
#include "compiler/Lang/Builtins.def"
};

const BuiltinInfo &nereid::lang::getBuiltinInfo(BuiltinId id) {
  return builtinInfos[static_cast<unsigned>(id)];
}

llvm::ArrayRef<BuiltinInfo> nereid::lang::allBuiltins() { return builtinInfos; }

std::string BuiltinInfo::display() const {
  if (module == "builtins")
    return name.str();
  if (module == "triton.language")
    return "tl." + name.str();
  llvm::StringRef last = module.rsplit('.').second;
  if (module.starts_with("triton.language.") && !last.empty())
    return last.str() + "." + name.str();
  return module.str() + "." + name.str();
}

//===----------------------------------------------------------------------===//
// Value
//===----------------------------------------------------------------------===//

bool nereid::lang::anyNested(const Value &value,
                             llvm::function_ref<bool(const Value &)> test) {
  llvm::SmallVector<Value, 16> work{value};
  // Lists may hold themselves, and tuples one another many times over.
  llvm::DenseSet<const void *> seen;
  while (!work.empty()) {
    Value v = work.pop_back_val();
    if (test(v))
      return true;
    if (v.isSequence()) {
      const void *object = v.isTuple() ? static_cast<void *>(&v.getTuple())
                                       : static_cast<void *>(&v.getList());
      if (seen.insert(object).second)
        work.append(v.getElements().begin(), v.getElements().end());
    } else if (v.is(Value::Kind::Instance)) {
      if (seen.insert(&v.getInstance()).second)
        for (const auto &field : v.getInstance().fields)
          work.push_back(field.second);
    }
  }
  return false;
}

bool Value::isCompileTime() const {
  return !anyNested(*this, [](const Value &v) {
    return !v || v.isUnknown() || v.isTensor() || v.is(Kind::Handle) ||
           (v.isList() && v.getList().poison);
  });
}

llvm::ArrayRef<Value> Value::getElements() const {
  if (isTuple())
    return getTuple().elements;
  return getList().elements;
}

bool Value::isSame(const Value &other) const {
  if (kind != other.kind)
    return false;
  switch (kind) {
  case Kind::Invalid:
  case Kind::None:
  case Kind::Ellipsis:
    return true;
  case Kind::Bool:
  case Kind::Int:
    return getInt() == other.getInt();
  case Kind::Float:
    return payload.words[0] == other.payload.words[0];
  case Kind::String:
    return getString() == other.getString();
  case Kind::Function:
    return getFunction().origin == other.getFunction().origin;
  case Kind::Tensor:
    return payload.pointers[1] == other.payload.pointers[1];
  default:
    return payload.pointers[0] == other.payload.pointers[0];
  }
}

namespace {
/// Python's == and hash. Both remember the objects they have been in: a pair
/// that is met again was found equal or is being compared.
class Equality {
public:
  bool equal(const Value &a, const Value &b);

private:
  llvm::DenseSet<std::pair<const void *, const void *>> seen;
  unsigned depth = 0;
};

class Hasher {
public:
  uint64_t hash(const Value &value);

private:
  llvm::DenseMap<const void *, uint64_t> seen;
  unsigned depth = 0;
};
} // namespace

static const void *containerOf(const Value &v) {
  switch (v.getKind()) {
  case Value::Kind::Tuple:
    return &v.getTuple();
  case Value::Kind::List:
    return &v.getList();
  case Value::Kind::Dict:
  case Value::Kind::Set:
    return &v.getDict();
  case Value::Kind::Instance:
    return &v.getInstance();
  default:
    return nullptr;
  }
}

bool Equality::equal(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber()) {
    if (a.isFloat() && b.isFloat())
      return a.getFloat() == b.getFloat();
    if (a.isFloat() || b.isFloat()) {
      // Exactly: 2**53 + 1 is not 2.0**53.
      double real = a.isFloat() ? a.getFloat() : b.getFloat();
      Int128 integer = a.isFloat() ? b.getInt() : a.getInt();
      return std::fabs(real) < 1.7e38 && real == std::trunc(real) &&
             static_cast<Int128>(real) == integer;
    }
    return a.getInt() == b.getInt();
  }
  if (a.getKind() != b.getKind())
    return false;
  if (a.isSame(b))
    return true;
  if (const void *object = containerOf(a))
    if (!seen.insert({object, containerOf(b)}).second)
      return true;
  // Values this deep are nobody's; the C++ stack has an end.
  if (depth > 400)
    return false;
  auto equal = [this](const Value &x, const Value &y) {
    ++depth;
    bool result = this->equal(x, y);
    --depth;
    return result;
  };
  switch (a.getKind()) {
  case Value::Kind::Tuple:
  case Value::Kind::List:
    return llvm::equal(a.getElements(), b.getElements(), equal);
  case Value::Kind::Dict:
  case Value::Kind::Set: {
    DictObject &x = a.getDict(), &y = b.getDict();
    if (x.items.size() != y.items.size())
      return false;
    return llvm::all_of(x.items, [&](const std::pair<Value, Value> &item) {
      Value *other = y.find(item.first);
      return other && equal(item.second, *other);
    });
  }
  case Value::Kind::Range: {
    const RangeObject &x = a.getRange(), &y = b.getRange();
    return x.size() == y.size() &&
           (x.size() == 0 ||
            (x.start == y.start && (x.size() == 1 || x.step == y.step)));
  }
  case Value::Kind::Slice: {
    const SliceObject &x = a.getSlice(), &y = b.getSlice();
    return equal(x.lower, y.lower) && equal(x.upper, y.upper) &&
           equal(x.step, y.step);
  }
  case Value::Kind::Instance: {
    const InstanceObject &x = a.getInstance(), &y = b.getInstance();
    if (&x == &y)
      return true;
    // Only dataclasses compare by value.
    if (x.type != y.type || x.type->role != ClassObject::Role::Dataclass ||
        x.fields.size() != y.fields.size())
      return false;
    return llvm::equal(x.fields, y.fields, [&](const auto &f, const auto &g) {
      return f.first == g.first && equal(f.second, g.second);
    });
  }
  default:
    return false;
  }
}

bool nereid::lang::valuesEqual(const Value &a, const Value &b) {
  return Equality().equal(a, b);
}

uint64_t Hasher::hash(const Value &value) {
  switch (value.getKind()) {
  case Value::Kind::Bool:
  case Value::Kind::Int: {
    auto bits = static_cast<unsigned __int128>(value.getInt());
    return llvm::hash_combine(static_cast<uint64_t>(bits),
                              static_cast<uint64_t>(bits >> 64));
  }
  case Value::Kind::Float: {
    double number = value.getFloat();
    // 1.0 is the same key as 1.
    if (number == std::floor(number) && std::fabs(number) < 1e18)
      return hash(Value::integer(static_cast<int64_t>(number)));
    return llvm::hash_value(llvm::bit_cast<uint64_t>(number));
  }
  case Value::Kind::String:
    return llvm::hash_value(value.getString());
  case Value::Kind::Tuple: {
    auto it = seen.find(&value.getTuple());
    if (it != seen.end())
      return it->second;
    uint64_t hash = 0x7461;
    // Deeper, equality decides alone.
    if (depth < 50) {
      ++depth;
      for (const Value &element : value.getElements())
        hash = llvm::hash_combine(hash, this->hash(element));
      --depth;
    }
    seen[&value.getTuple()] = hash;
    return hash;
  }
  case Value::Kind::DType:
    return llvm::hash_value(value.getDType());
  case Value::Kind::Function:
    return llvm::hash_value(value.getFunction().origin);
  case Value::Kind::Builtin:
    return llvm::hash_value(&value.getBuiltin());
  default:
    // Equality decides.
    return static_cast<uint64_t>(value.getKind());
  }
}

uint64_t nereid::lang::hashValue(const Value &value) {
  return Hasher().hash(value);
}

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

Value *DictObject::find(const Value &key) {
  auto it = index.find(hashValue(key) >> 2);
  if (it == index.end())
    return nullptr;
  for (uint32_t i : it->second)
    if (valuesEqual(items[i].first, key))
      return &items[i].second;
  return nullptr;
}

Value *DictObject::find(llvm::StringRef key) {
  return find(Value::internedString(key));
}

void DictObject::set(const Value &key, const Value &value) {
  if (Value *slot = find(key)) {
    *slot = value;
    return;
  }
  index[hashValue(key) >> 2].push_back(static_cast<uint32_t>(items.size()));
  items.push_back({key, value});
}

bool DictObject::erase(const Value &key) {
  Value *slot = find(key);
  if (!slot)
    return false;
  size_t at = 0;
  while (&items[at].second != slot)
    ++at;
  items.erase(items.begin() + at);
  index.clear();
  for (size_t i = 0; i < items.size(); ++i)
    index[hashValue(items[i].first) >> 2].push_back(static_cast<uint32_t>(i));
  return true;
}

Int128 RangeObject::size() const {
  if (step > 0)
    return start < stop ? (stop - start - 1) / step + 1 : 0;
  return start > stop ? (start - stop - 1) / -step + 1 : 0;
}

Value ClassObject::find(llvm::StringRef attribute) const {
  auto it = attributes.find(attribute);
  if (it != attributes.end())
    return it->second;
  for (const Value &base : bases)
    if (base.is(Value::Kind::Class))
      if (Value found = base.getClass().find(attribute))
        return found;
  return Value();
}

bool ClassObject::isSubclassOf(const ClassObject *other) const {
  if (this == other)
    return true;
  return llvm::any_of(bases, [&](const Value &base) {
    return base.is(Value::Kind::Class) && base.getClass().isSubclassOf(other);
  });
}

Value *InstanceObject::find(llvm::StringRef name) {
  for (auto &[field, value] : fields)
    if (field == name)
      return &value;
  return nullptr;
}

void InstanceObject::set(llvm::StringRef name, Value value) {
  if (Value *slot = find(name))
    *slot = value;
  else
    fields.push_back({name, value});
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string intText(Int128 value) {
  bool negative = value < 0;
  auto magnitude = static_cast<unsigned __int128>(value);
  if (negative)
    magnitude = -magnitude;
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude);
  if (negative)
    digits += '-';
  return std::string(digits.rbegin(), digits.rend());
}

/// As Python: the shortest digits that read back, with an exponent below
/// 1e-4 and from 1e16.
static std::string floatText(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[64];
  auto result = std::to_chars(buffer, buffer + sizeof(buffer), value,
                              std::chars_format::scientific);
  llvm::StringRef text(buffer, result.ptr - buffer);
  std::string sign = text.consume_front("-") ? "-" : "";
  auto [mantissa, exponentText] = text.split('e');
  int exponent = 0;
  exponentText.consume_front("+");
  exponentText.getAsInteger(10, exponent);
  std::string digits;
  for (char c : mantissa)
    if (c != '.')
      digits += c;
  int size = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    std::string out = sign + digits[0];
    if (size > 1)
      out += "." + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    std::string power = std::to_string(std::abs(exponent));
    return out + (power.size() < 2 ? "0" : "") + power;
  }
  if (exponent < 0)
    return sign + "0." + std::string(-exponent - 1, '0') + digits;
  if (exponent + 1 >= size)
    return sign + digits + std::string(exponent + 1 - size, '0') + ".0";
  return sign + digits.substr(0, exponent + 1) + "." +
         digits.substr(exponent + 1);
}

static std::string stringRepr(llvm::StringRef text) {
  char quote = text.contains('\'') && !text.contains('"') ? '"' : '\'';
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\\x" + llvm::utohexstr(c & 0xFF, /*LowerCase=*/true, 2);
    } else {
      out += c;
    }
  }
  return out + quote;
}

/// A list may hold itself, and a text has its limit too.
static constexpr unsigned kMaxReprDepth = 20;
static constexpr size_t kMaxReprSize = 1 << 20;

static void appendRepr(const Value &value, std::string &out, unsigned depth) {
  if (depth > kMaxReprDepth || out.size() > kMaxReprSize) {
    out += "...";
    return;
  }
  auto list = [&](llvm::ArrayRef<Value> elements) {
    llvm::ListSeparator separator;
    for (const Value &element : elements) {
      out += static_cast<llvm::StringRef>(separator);
      appendRepr(element, out, depth + 1);
    }
  };
  switch (value.getKind()) {
  case Value::Kind::Invalid:
    out += "<no value>";
    return;
  case Value::Kind::None:
    out += "None";
    return;
  case Value::Kind::Ellipsis:
    out += "Ellipsis";
    return;
  case Value::Kind::Bool:
    out += value.getBool() ? "True" : "False";
    return;
  case Value::Kind::Int:
    out += intText(value.getInt());
    return;
  case Value::Kind::Float:
    out += floatText(value.getFloat());
    return;
  case Value::Kind::String:
    out += stringRepr(value.getString());
    return;
  case Value::Kind::Tuple: {
    const TupleObject &tuple = value.getTuple();
    if (tuple.type) {
      out += tuple.type->name.str() + "(";
      for (size_t i = 0; i < tuple.elements.size(); ++i) {
        out += i ? ", " : "";
        if (i < tuple.type->fields.size())
          out += tuple.type->fields[i].name.str() + "=";
        appendRepr(tuple.elements[i], out, depth + 1);
      }
      out += ")";
      return;
    }
    out += "(";
    list(tuple.elements);
    out += tuple.elements.size() == 1 ? ",)" : ")";
    return;
  }
  case Value::Kind::List:
    out += "[";
    list(value.getElements());
    out += "]";
    return;
  case Value::Kind::Dict: {
    out += "{";
    llvm::ListSeparator separator;
    for (const auto &[key, item] : value.getDict().items) {
      out += static_cast<llvm::StringRef>(separator);
      appendRepr(key, out, depth + 1);
      out += ": ";
      appendRepr(item, out, depth + 1);
    }
    out += "}";
    return;
  }
  case Value::Kind::Set: {
    if (value.getDict().items.empty()) {
      out += "set()";
      return;
    }
    out += "{";
    llvm::ListSeparator separator;
    for (const auto &item : value.getDict().items) {
      out += static_cast<llvm::StringRef>(separator);
      appendRepr(item.first, out, depth + 1);
    }
    out += "}";
    return;
  }
  case Value::Kind::Slice: {
    const SliceObject &slice = value.getSlice();
    out += "slice(";
    list({slice.lower, slice.upper, slice.step});
    out += ")";
    return;
  }
  case Value::Kind::Range: {
    const RangeObject &range = value.getRange();
    out += "range(" + intText(range.start) + ", " + intText(range.stop);
    if (range.step != 1)
      out += ", " + intText(range.step);
    out += ")";
    return;
  }
  case Value::Kind::DType:
    out += value.getDType()->str();
    return;
  case Value::Kind::Function:
    out += "<function " + value.getFunction().name.str() + ">";
    return;
  case Value::Kind::Builtin:
    out += "<built-in " + value.getBuiltin().display() + ">";
    return;
  case Value::Kind::BoundMethod:
    out += "<method " + value.getBoundMethod().name.str() + ">";
    return;
  case Value::Kind::Module:
    out += "<module '" + value.getModule().name.str() + "'>";
    return;
  case Value::Kind::Class:
    out += "<class '" + value.getClass().name.str() + "'>";
    return;
  case Value::Kind::Instance: {
    const InstanceObject &instance = value.getInstance();
    if (instance.type->role == ClassObject::Role::Enum) {
      auto &mutableInstance = const_cast<InstanceObject &>(instance);
      Value *name = mutableInstance.find("name");
      out += instance.type->name.str() + "." +
             (name && name->isString() ? name->getString().str() : "?");
      return;
    }
    out += instance.type->name.str() + "(";
    llvm::ListSeparator separator;
    for (const auto &[name, field] : instance.fields) {
      out += static_cast<llvm::StringRef>(separator);
      out += name.str() + "=";
      appendRepr(field, out, depth + 1);
    }
    out += ")";
    return;
  }
  case Value::Kind::Config: {
    const ConfigObject &config = value.getConfig();
    out += "Config(";
    for (const auto &[name, constant] : config.constants) {
      out += name.str() + "=";
      appendRepr(constant, out, depth + 1);
      out += ", ";
    }
    out += "num_warps=" + std::to_string(config.numWarps) +
           ", num_stages=" + std::to_string(config.numStages) +
           ", num_ctas=" + std::to_string(config.numCtas) + ")";
    return;
  }
  case Value::Kind::Unknown:
    out += "<unknown>";
    return;
  case Value::Kind::Tensor:
    out += value.getTensorType()->signature();
    return;
  case Value::Kind::Handle:
    out += "<" + value.getHandle().describe().str() + ">";
    return;
  }
}

std::string nereid::lang::repr(const Value &value) {
  std::string out;
  appendRepr(value, out, 0);
  return out;
}

std::string nereid::lang::str(const Value &value) {
  if (value.isString())
    return value.getString().str();
  if (value.is(Value::Kind::Instance) &&
      value.getInstance().type->role == ClassObject::Role::Exception)
    if (Value *message = value.getInstance().find("message"))
      return str(*message);
  return repr(value);
}

std::string nereid::lang::typeName(const Value &value) {
  switch (value.getKind()) {
  case Value::Kind::Invalid:
    return "nothing";
  case Value::Kind::None:
    return "None";
  case Value::Kind::Ellipsis:
    return "'...'";
  case Value::Kind::Bool:
    return "bool";
  case Value::Kind::Int:
    return "int";
  case Value::Kind::Float:
    return "float";
  case Value::Kind::String:
    return "str";
  case Value::Kind::Tuple:
    return value.getTuple().type ? value.getTuple().type->name.str() : "tuple";
  case Value::Kind::List:
    return "list";
  case Value::Kind::Dict:
    return "dict";
  case Value::Kind::Set:
    return "set";
  case Value::Kind::Slice:
    return "slice";
  case Value::Kind::Range:
    return "range";
  case Value::Kind::DType:
    return "dtype";
  case Value::Kind::Function:
    switch (value.getFunction().role) {
    case FunctionObject::Role::Jit:
      return "jit function";
    case FunctionObject::Role::Constexpr:
      return "constexpr function";
    case FunctionObject::Role::Host:
      return "Python function";
    case FunctionObject::Role::Lambda:
      return "lambda";
    }
    return "function";
  case Value::Kind::Builtin:
    return "built-in function";
  case Value::Kind::BoundMethod:
    return "method";
  case Value::Kind::Module:
    return "module";
  case Value::Kind::Class:
    return "class";
  case Value::Kind::Instance:
    return value.getInstance().type->name.str();
  case Value::Kind::Config:
    return "triton.Config";
  case Value::Kind::Unknown:
    return "unknown value";
  case Value::Kind::Tensor:
    return value.getTensorType()->signature();
  case Value::Kind::Handle:
    return value.getHandle().describe().str();
  }
  return "";
}
