//===- Value.h - What an expression evaluates to ---------------*- C++ -*-===//
//
// One Value serves the compile-time evaluator and the kernel code generator.
// It is 24 bytes, trivially copyable, and owns nothing: everything it points
// to belongs to a ValueContext and lives as long as that.
//
//   kind      payload
//   None Ellipsis   -
//   Bool Int Float  inline (Int: 128 bits, signed)
//   String          inline pointer and size of an interned UTF-8 text
//   Tuple List Dict Set Slice Range   objects below
//   DType           a language type: tl.float32, tl.pointer_type(...)
//   Function        a Python function, lambda, jit or constexpr function
//   Builtin         a name of Builtins.def: `tl.load`, `triton.cdiv`, `len`
//   BoundMethod     `object.name` before it is called
//   Module Class Instance Config
//   Unknown         cannot be known at compile time; carries the reason
//   Tensor          a run-time value: language type + opaque IR value
//   Handle          anything else the code generator wants to pass around
//
// Constexpr-ness: `tl.constexpr(3)` is the Int 3 with the constexpr mark. The
// mark matters only where upstream tells a wrapped global from a plain one.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_VALUE_H
#define NEREID_COMPILER_LANG_VALUE_H

#include "compiler/Lang/AST.h"
#include "compiler/Lang/Types.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <cassert>
#include <memory>
#include <vector>

namespace nereid::lang {

using Int128 = __int128;

class Module;
class Evaluator;
class EvaluatorImpl;
class ModuleLoader;
struct TupleObject;
struct ListObject;
struct DictObject;
struct SliceObject;
struct RangeObject;
struct FunctionObject;
struct BuiltinInfo;
struct BoundMethodObject;
struct ModuleObject;
struct ClassObject;
struct InstanceObject;
struct ConfigObject;
struct UnknownObject;
struct RuntimeObject;

class Value {
public:
  enum class Kind : uint8_t {
    Invalid,
    None,
    Ellipsis,
    Bool,
    Int,
    Float,
    String,
    Tuple,
    List,
    Dict,
    Set,
    Slice,
    Range,
    DType,
    Function,
    Builtin,
    BoundMethod,
    Module,
    Class,
    Instance,
    Config,
    Unknown,
    Tensor,
    Handle,
  };

  /// The invalid value: "no value", "an error was raised".
  Value() = default;

  static Value none() { return Value(Kind::None); }
  static Value ellipsis() { return Value(Kind::Ellipsis); }
  static Value boolean(bool value) {
    Value v(Kind::Bool);
    v.payload.words[0] = value;
    return v;
  }
  static Value integer(Int128 value) {
    Value v(Kind::Int);
    v.payload.words[0] = static_cast<uint64_t>(value);
    v.payload.words[1] =
        static_cast<uint64_t>(static_cast<unsigned __int128>(value) >> 64);
    return v;
  }
  static Value real(double value) {
    Value v(Kind::Float);
    v.payload.real = value;
    return v;
  }
  /// `text` must be interned (ValueContext::string does it) or static.
  static Value internedString(llvm::StringRef text) {
    Value v(Kind::String);
    v.payload.text = {text.data(), text.size()};
    return v;
  }
  static Value dtype(const Type *type) { return object(Kind::DType, type); }
  static Value builtin(const BuiltinInfo *info) {
    return object(Kind::Builtin, info);
  }
  /// A run-time value of language type `type`; `irValue` is what the code
  /// generator stores (mlir::Value::getAsOpaquePointer()).
  static Value tensor(const Type *type, const void *irValue) {
    Value v(Kind::Tensor);
    v.payload.pointers[0] = type;
    v.payload.pointers[1] = irValue;
    return v;
  }
  static Value handle(const RuntimeObject *object_) {
    return object(Kind::Handle, object_);
  }
  static Value of(TupleObject *o) { return object(Kind::Tuple, o); }
  static Value of(ListObject *o) { return object(Kind::List, o); }
  static Value of(SliceObject *o) { return object(Kind::Slice, o); }
  static Value of(RangeObject *o) { return object(Kind::Range, o); }
  static Value of(FunctionObject *o) { return object(Kind::Function, o); }
  static Value of(BoundMethodObject *o) { return object(Kind::BoundMethod, o); }
  static Value of(ModuleObject *o) { return object(Kind::Module, o); }
  static Value of(ClassObject *o) { return object(Kind::Class, o); }
  static Value of(InstanceObject *o) { return object(Kind::Instance, o); }
  static Value of(ConfigObject *o) { return object(Kind::Config, o); }
  static Value of(UnknownObject *o) { return object(Kind::Unknown, o); }
  static Value dict(DictObject *o) { return object(Kind::Dict, o); }
  static Value set(DictObject *o) { return object(Kind::Set, o); }

  Kind getKind() const { return kind; }
  explicit operator bool() const { return kind != Kind::Invalid; }
  bool is(Kind k) const { return kind == k; }
  bool isNone() const { return is(Kind::None); }
  bool isBool() const { return is(Kind::Bool); }
  bool isInt() const { return is(Kind::Int); }
  bool isFloat() const { return is(Kind::Float); }
  bool isString() const { return is(Kind::String); }
  bool isTuple() const { return is(Kind::Tuple); }
  bool isList() const { return is(Kind::List); }
  bool isDType() const { return is(Kind::DType); }
  bool isFunction() const { return is(Kind::Function); }
  bool isBuiltin() const { return is(Kind::Builtin); }
  bool isUnknown() const { return is(Kind::Unknown); }
  bool isTensor() const { return is(Kind::Tensor); }
  /// Bool or Int (Python's bool is an int).
  bool isIntegral() const { return isBool() || isInt(); }
  bool isNumber() const { return isIntegral() || isFloat(); }
  bool isSequence() const { return isTuple() || isList(); }
  /// Known at compile time and not a container of run-time values. False for
  /// Unknown, Tensor, Handle, Invalid, and tuples that hold one of them.
  bool isCompileTime() const;

  bool getBool() const {
    assert(isBool());
    return payload.words[0] != 0;
  }
  /// Of an Int or Bool.
  Int128 getInt() const {
    assert(isIntegral());
    if (isBool())
      return getBool();
    return static_cast<Int128>(
        (static_cast<unsigned __int128>(payload.words[1]) << 64) |
        payload.words[0]);
  }
  /// Of an Int or Bool: its value when it fits in 64 bits.
  std::optional<int64_t> getInt64() const {
    if (!isIntegral())
      return std::nullopt;
    Int128 wide = getInt();
    if (wide != static_cast<int64_t>(wide))
      return std::nullopt;
    return static_cast<int64_t>(wide);
  }
  double getFloat() const {
    assert(isFloat());
    return payload.real;
  }
  /// Of a Float, Int or Bool, as a double.
  double getNumber() const {
    return isFloat() ? getFloat() : static_cast<double>(getInt());
  }
  llvm::StringRef getString() const {
    assert(isString());
    return {payload.text.data, payload.text.size};
  }
  const Type *getDType() const {
    assert(isDType());
    return static_cast<const Type *>(payload.pointers[0]);
  }
  const Type *getTensorType() const {
    assert(isTensor());
    return static_cast<const Type *>(payload.pointers[0]);
  }
  const void *getTensorValue() const {
    assert(isTensor());
    return payload.pointers[1];
  }
  /// Of a Tuple or List.
  llvm::ArrayRef<Value> getElements() const;

  TupleObject &getTuple() const { return ref<TupleObject>(Kind::Tuple); }
  ListObject &getList() const { return ref<ListObject>(Kind::List); }
  DictObject &getDict() const { // also of a Set
    assert(is(Kind::Dict) || is(Kind::Set));
    return *static_cast<DictObject *>(pointer());
  }
  SliceObject &getSlice() const { return ref<SliceObject>(Kind::Slice); }
  RangeObject &getRange() const { return ref<RangeObject>(Kind::Range); }
  FunctionObject &getFunction() const {
    return ref<FunctionObject>(Kind::Function);
  }
  const BuiltinInfo &getBuiltin() const {
    return ref<BuiltinInfo>(Kind::Builtin);
  }
  BoundMethodObject &getBoundMethod() const {
    return ref<BoundMethodObject>(Kind::BoundMethod);
  }
  ModuleObject &getModule() const { return ref<ModuleObject>(Kind::Module); }
  ClassObject &getClass() const { return ref<ClassObject>(Kind::Class); }
  InstanceObject &getInstance() const {
    return ref<InstanceObject>(Kind::Instance);
  }
  ConfigObject &getConfig() const { return ref<ConfigObject>(Kind::Config); }
  UnknownObject &getUnknown() const {
    return ref<UnknownObject>(Kind::Unknown);
  }
  RuntimeObject &getHandle() const { return ref<RuntimeObject>(Kind::Handle); }

  bool isConstexprMarked() const { return constexprMark; }
  Value asConstexpr(bool mark = true) const {
    Value v = *this;
    v.constexprMark = mark;
    return v;
  }

  /// Python's `is`: same object; numbers and strings by value.
  bool isSame(const Value &other) const;

private:
  explicit Value(Kind kind) : kind(kind) {}
  static Value object(Kind kind, const void *pointer) {
    Value v(kind);
    v.payload.pointers[0] = pointer;
    return v;
  }
  void *pointer() const { return const_cast<void *>(payload.pointers[0]); }
  template <typename T> T &ref([[maybe_unused]] Kind expected) const {
    assert(kind == expected);
    return *static_cast<T *>(pointer());
  }

  union {
    uint64_t words[2];
    double real;
    struct {
      const char *data;
      size_t size;
    } text;
    const void *pointers[2];
  } payload = {{0, 0}};
  Kind kind = Kind::Invalid;
  bool constexprMark = false;
};
static_assert(sizeof(Value) == 24);

/// `name=value` of a call.
struct NamedValue {
  llvm::StringRef name;
  Value value;
  SourceRange range;
};

/// What every object begins with. Objects are made by a ValueContext only.
struct ObjectBase {
  virtual ~ObjectBase() = default;
};

struct TupleObject : ObjectBase {
  std::vector<Value> elements;
  /// The class of a named tuple, else null; its field names are
  /// `type->fields[i].name`.
  const ClassObject *type = nullptr;
};

struct ListObject : ObjectBase {
  std::vector<Value> elements;
  /// Set when code under an undecidable condition changed the list: reading
  /// it then gives this value.
  Value poison;
  /// How many undecidable conditions it was made under.
  unsigned uncertainty = 0;
};

/// Insertion-ordered. A Set is a dict whose values are None.
struct DictObject : ObjectBase {
  std::vector<std::pair<Value, Value>> items;
  Value poison;             ///< as in ListObject
  unsigned uncertainty = 0; ///< as in ListObject
  /// Null when absent. Keys compare as in Python (1 == 1.0 == True).
  Value *find(const Value &key);
  Value *find(llvm::StringRef key);
  void set(const Value &key, const Value &value);
  bool erase(const Value &key);

private:
  llvm::DenseMap<uint64_t, llvm::SmallVector<uint32_t, 1>> index;
};

struct SliceObject : ObjectBase {
  Value lower, upper, step; ///< None when left out
};

/// `range(...)`, known bounds.
struct RangeObject : ObjectBase {
  Int128 start = 0, stop = 0, step = 1;
  Int128 size() const;
};

/// A block of names; its parent is the enclosing function's (never a class's),
/// the outermost one is the module's globals.
class Scope {
public:
  explicit Scope(Module *module, Scope *parent = nullptr)
      : module(module), parent(parent) {}
  Module *getModule() const { return module; }
  Scope *getParent() const { return parent; }
  /// Names imported but not yet asked for are absent: Evaluator::lookup finds
  /// those too.
  Value *find(llvm::StringRef name) {
    auto it = names.find(name);
    return it == names.end() ? nullptr : &it->second;
  }
  void set(llvm::StringRef name, Value value) {
    names[name] = value;
    if (!lazy.empty())
      lazy.erase(name);
  }
  void erase(llvm::StringRef name) {
    names.erase(name);
    lazy.erase(name);
  }
  const llvm::StringMap<Value> &all() const { return names; }
  /// The function whose locals these are; null for a module, class, lambda or
  /// comprehension.
  const FunctionDef *function = nullptr;

private:
  friend class Evaluator;
  friend class EvaluatorImpl;
  friend class ModuleLoader;
  /// `from module import name`, resolved on first use.
  struct LazyImport {
    const ImportFromStmt *stmt = nullptr;
    llvm::StringRef name;
    SourceRange range;
    bool resolving = false; ///< who asks now imports in a circle
  };
  Module *module;
  Scope *parent;
  llvm::StringMap<Value> names;
  llvm::StringMap<LazyImport> lazy;
  llvm::SmallVector<llvm::StringRef, 0> globalNames, nonlocalNames;
  bool isComprehension = false;
};

/// A `triton.Config`.
struct ConfigObject : ObjectBase {
  std::vector<std::pair<llvm::StringRef, Value>> constants;
  int64_t numWarps = 4;
  int64_t numStages = 3;
  int64_t numCtas = 1;
  std::optional<int64_t> maxRegisters; ///< maxnreg=
  bool fpFusion = true;                ///< enable_fp_fusion
  SourceRange range;
};

/// What `@triton.jit(...)` and the decorators around it said.
struct JitInfo {
  /// Parameter names; numbers in the source are turned into names.
  std::vector<llvm::StringRef> doNotSpecialize;
  std::vector<llvm::StringRef> doNotSpecializeOnAlignment;
  bool isNoinline = false;
  bool debug = false;
  /// @triton.autotune; empty without one or when `configsUnknown` is valid.
  std::vector<ConfigObject *> configs;
  /// Why the list of configs could not be evaluated, else invalid.
  Value configsUnknown;
  std::vector<llvm::StringRef> key;
  struct Heuristic {
    llvm::StringRef parameter;
    Value callable; ///< called with one dict of arguments; may be Unknown
  };
  /// In order of evaluation. The name may also be num_warps, num_stages or
  /// num_ctas, which are no parameters.
  std::vector<Heuristic> heuristics;
  /// Decorators that were skipped because they mean nothing to the compiler.
  struct Skipped {
    std::string text;
    SourceRange range;
  };
  std::vector<Skipped> skippedDecorators;
  /// Wrong uses of triton's decorators. Like syntax errors, they are reported
  /// when the function is used: Frontend::checkSyntax.
  struct Problem {
    std::string message;
    SourceRange range;
  };
  std::vector<Problem> problems;
};

struct FunctionObject : ObjectBase {
  enum class Role : uint8_t {
    Jit,       ///< @triton.jit: compiled when called from a kernel
    Constexpr, ///< @triton.constexpr_function: evaluated
    Host,      ///< plain Python
    Lambda,
  };
  Role role = Role::Host;
  llvm::StringRef name;               ///< "<lambda>" for a lambda
  llvm::StringRef qualifiedName;      ///< "module.outer.name"
  const FunctionDef *def = nullptr;   ///< null for a lambda
  const LambdaExpr *lambda = nullptr; ///< null for a def
  Module *module = nullptr;
  /// Where free names are looked up first: the enclosing function's locals,
  /// or the module's globals.
  Scope *closure = nullptr;
  /// Evaluated defaults, one per parameter, invalid where there is none.
  std::vector<Value> defaults;
  /// Jit only. A copy made by autotune or heuristics has its own.
  JitInfo jit;
  /// The undecorated function this was copied from, or itself: equal for
  /// everything that runs the same code.
  const FunctionObject *origin = this;
  /// The class that a method was defined in, else null.
  const ClassObject *owner = nullptr;
  enum class MethodKind : uint8_t { Plain, Static, Class, Property };
  MethodKind methodKind = MethodKind::Plain;

  bool isJit() const { return role == Role::Jit; }
  llvm::ArrayRef<Parameter> params() const {
    return def ? def->params : lambda->params;
  }
  SourceRange getRange() const {
    return def ? def->getRange() : lambda->getRange();
  }
  /// Where to point when talking about it.
  SourceRange getNameRange() const {
    return def ? def->nameRange : lambda->getRange();
  }
};

/// `self.name`: `function` is set for methods of Python classes, else the
/// method belongs to the kind of `self` (list.append, str.format, dtype.is_fp8,
/// tensor.to ...).
struct BoundMethodObject : ObjectBase {
  Value self;
  llvm::StringRef name;
  Value function;
};

/// A module: a file (`module` set) or a built-in one (`table` name set).
struct ModuleObject : ObjectBase {
  llvm::StringRef name;     ///< dotted
  Module *module = nullptr; ///< a module read from source
  /// Built-in: canonical name in Builtins.def, e.g. "triton.language".
  llvm::StringRef builtin;
  /// A folder without __init__.py: neither of the above.
  llvm::StringRef directory;
};

struct ClassField {
  llvm::StringRef name;
  Expr *annotation = nullptr; ///< may be null
  Value defaultValue;         ///< invalid without one
  SourceRange range;
};

struct ClassObject : ObjectBase {
  enum class Role : uint8_t {
    Plain,
    NamedTuple, ///< typing.NamedTuple, collections.namedtuple
    Aggregate,  ///< @triton.language.core._aggregate
    Dataclass,
    Enum,
    Exception,
  };
  Role role = Role::Plain;
  llvm::StringRef name;
  const ClassDef *def = nullptr; ///< null for collections.namedtuple(...)
  Module *module = nullptr;
  Scope *scope = nullptr;         ///< where its body's free names are looked up
  std::vector<Value> bases;       ///< Class or Unknown
  std::vector<ClassField> fields; ///< annotated names in order, inherited first
  /// Methods and class attributes of its own body.
  llvm::StringMap<Value> attributes;
  /// In the class or its known bases; invalid when absent.
  Value find(llvm::StringRef name) const;
  bool isSubclassOf(const ClassObject *other) const;
};

struct InstanceObject : ObjectBase {
  ClassObject *type = nullptr;
  /// In order of creation; of an aggregate, the order of ClassObject::fields.
  std::vector<std::pair<llvm::StringRef, Value>> fields;
  Value *find(llvm::StringRef name);
  void set(llvm::StringRef name, Value value);
};

struct UnknownObject : ObjectBase {
  /// A clause that completes "its value is not known: ...", for example
  /// "module 'torch' is not available to the compiler".
  std::string reason;
  SourceRange origin; ///< where it became unknown
  /// What to write after --bind to settle it, e.g. "HAS_TMA"; may be empty.
  std::string bindName;
  /// "torch.cuda" when it is an attribute path of an unknown module.
  std::string path;
  bool isModule = false; ///< an imported module that was not found
};

/// Base of what the code generator passes around in a Kind::Handle value:
/// block pointers, descriptors with their shape, and so on.
struct RuntimeObject : ObjectBase {
  /// What messages call it, e.g. "tensor descriptor".
  virtual llvm::StringRef describe() const = 0;
};

/// Names of Builtins.def.
enum class BuiltinId : uint16_t {
#define NEREID_BUILTIN(ID, MODULE, NAME) ID,
#include "compiler/Lang/Builtins.def"
};

struct BuiltinInfo {
  BuiltinId id;
  llvm::StringRef module; ///< "triton.language"
  llvm::StringRef name;   ///< "load"
  /// As people write it: "tl.load", "triton.cdiv", "libdevice.exp", "len".
  std::string display() const;
};
const BuiltinInfo &getBuiltinInfo(BuiltinId id);
llvm::ArrayRef<BuiltinInfo> allBuiltins();

/// Makes and owns the objects. Not thread-safe.
class ValueContext {
public:
  ValueContext(ASTContext &ast, TypeContext &types) : ast(ast), types(types) {}
  ValueContext(const ValueContext &) = delete;
  ValueContext &operator=(const ValueContext &) = delete;

  template <typename T> T *create() {
    auto owned = std::make_unique<T>();
    T *object = owned.get();
    objects.push_back(std::move(owned));
    return object;
  }
  /// For objects that the code generator derives from RuntimeObject.
  template <typename T, typename... Args> T *createRuntime(Args &&...args) {
    auto owned = std::make_unique<T>(std::forward<Args>(args)...);
    T *object = owned.get();
    objects.push_back(std::move(owned));
    return object;
  }
  Scope *createScope(Module *module, Scope *parent = nullptr) {
    scopes.push_back(std::make_unique<Scope>(module, parent));
    return scopes.back().get();
  }
  Value string(llvm::StringRef text) {
    return Value::internedString(ast.intern(text));
  }
  llvm::StringRef intern(llvm::StringRef text) { return ast.intern(text); }
  Value tuple(llvm::ArrayRef<Value> elements) {
    auto *object = create<TupleObject>();
    object->elements = elements.vec();
    return Value::of(object);
  }
  Value list(llvm::ArrayRef<Value> elements) {
    auto *object = create<ListObject>();
    object->elements = elements.vec();
    return Value::of(object);
  }
  /// An empty one.
  Value dict() { return Value::dict(create<DictObject>()); }
  Value unknown(SourceRange origin, const llvm::Twine &reason,
                const llvm::Twine &bindName = "") {
    auto *object = create<UnknownObject>();
    object->reason = reason.str();
    object->origin = origin;
    object->bindName = bindName.str();
    return Value::of(object);
  }
  ASTContext &getAST() { return ast; }
  TypeContext &getTypes() { return types; }
  size_t getNumObjects() const { return objects.size(); }

private:
  ASTContext &ast;
  TypeContext &types;
  std::vector<std::unique_ptr<ObjectBase>> objects;
  std::vector<std::unique_ptr<Scope>> scopes;
};

/// True when `test` holds for the value or one inside it: in tuples, lists and
/// the fields of instances. Each object is visited once.
bool anyNested(const Value &value,
               llvm::function_ref<bool(const Value &)> test);

/// Python's == and hash on compile-time values.
bool valuesEqual(const Value &a, const Value &b);
uint64_t hashValue(const Value &value);

/// Python's repr() and str(). repr of a number, bool, None, string or tuple of
/// them is a literal that reads back as the same value.
std::string repr(const Value &value);
std::string str(const Value &value);

/// What messages call its type: "int", "tuple", "jit function", "fp32[128]".
std::string typeName(const Value &value);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_VALUE_H
