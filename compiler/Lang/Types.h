//===- Types.h - The language's types --------------------------*- C++ -*-===//
//
// dtypes, pointers, blocks and descriptors as the program sees them: signed
// and unsigned are different, which they are not in the tt IR. Types are
// interned: equal types have equal addresses.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_TYPES_H
#define NEREID_COMPILER_LANG_TYPES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Allocator.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace nereid::lang {

enum class ScalarId : uint8_t {
#define NEREID_DTYPE(ID, PY, NAME, SIG, KIND, BITS, MANT, BIAS) ID,
#include "compiler/Lang/DTypes.def"
};
constexpr unsigned kNumScalarIds = 0
#define NEREID_DTYPE(ID, PY, NAME, SIG, KIND, BITS, MANT, BIAS) +1
#include "compiler/Lang/DTypes.def"
    ;

enum class ScalarKind : uint8_t { Void, Bool, Signed, Unsigned, Float, Float8 };

/// One row of DTypes.def.
struct ScalarInfo {
  ScalarId id;
  llvm::StringRef pythonName; ///< "float32"
  llvm::StringRef name;       ///< "fp32"
  llvm::StringRef signature;  ///< "fp32"
  ScalarKind kind;
  unsigned bits;
  unsigned mantissaBits;
  int exponentBias;
};
const ScalarInfo &getScalarInfo(ScalarId id);
llvm::ArrayRef<ScalarInfo> allScalars();

class Type {
public:
  enum class Kind : uint8_t {
    Scalar,
    Pointer,    ///< element; isConst; addressSpace
    Block,      ///< element (Scalar or Pointer); shape
    Descriptor, ///< element is the Block type of one tile
    Tuple,      ///< elements, and names when it is a named tuple
    Constexpr,  ///< the annotation `tl.constexpr`
  };

  Kind getKind() const { return kind; }
  bool isScalar() const { return kind == Kind::Scalar; }
  bool isPointer() const { return kind == Kind::Pointer; }
  bool isBlock() const { return kind == Kind::Block; }
  bool isDescriptor() const { return kind == Kind::Descriptor; }

  /// Scalars only.
  ScalarId getScalarId() const { return scalar; }
  const ScalarInfo &getScalar() const { return getScalarInfo(scalar); }
  bool is(ScalarId id) const { return isScalar() && scalar == id; }

  /// Pointer: pointee. Block: element. Descriptor: its block type.
  const Type *getElement() const { return element; }
  /// Block: its element; anything else: itself (what `.scalar` gives).
  const Type *getScalarType() const { return isBlock() ? element : this; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  llvm::ArrayRef<const Type *> getElements() const { return elements; }
  llvm::ArrayRef<llvm::StringRef> getNames() const { return names; }
  bool isConstPointer() const { return isConst; }
  unsigned getAddressSpace() const { return addressSpace; }

  // Questions about a scalar type (false for anything else).
  bool isBool() const { return isKind(ScalarKind::Bool); }
  bool isSigned() const { return isKind(ScalarKind::Signed); }
  /// The boolean counts as unsigned, as in Triton.
  bool isUnsigned() const { return isKind(ScalarKind::Unsigned) || isBool(); }
  bool isInteger() const { return isSigned() || isUnsigned(); }
  bool isFloat() const { return isKind(ScalarKind::Float) || isFloat8(); }
  bool isFloat8() const { return isKind(ScalarKind::Float8); }
  bool isStandardFloat() const { return isKind(ScalarKind::Float); }
  /// Scalar: its width; pointer: 64; else 0.
  unsigned getBits() const {
    return isPointer() ? 64 : isScalar() ? getScalar().bits : 0;
  }
  /// Elements of a block, else 1.
  int64_t getNumElements() const;

  /// As str(dtype) writes it: "fp32", "pointer<fp16>", "<['128'], fp32>".
  std::string str() const;
  /// As signatures write it: "fp32", "*fp16", "*kfp16",
  /// "tensordesc<fp16[64,64]>"; a block reads "fp32[128,64]".
  std::string signature() const;

private:
  friend class TypeContext;
  bool isKind(ScalarKind k) const {
    return isScalar() && getScalar().kind == k;
  }
  Kind kind = Kind::Scalar;
  ScalarId scalar = ScalarId::Void;
  bool isConst = false;
  unsigned addressSpace = 1;
  const Type *element = nullptr;
  llvm::ArrayRef<int64_t> shape;
  llvm::ArrayRef<const Type *> elements;
  llvm::ArrayRef<llvm::StringRef> names;
};

/// Makes and owns the types.
class TypeContext {
public:
  TypeContext();
  TypeContext(const TypeContext &) = delete;
  TypeContext &operator=(const TypeContext &) = delete;

  const Type *getScalar(ScalarId id) const {
    return &scalars[static_cast<unsigned>(id)];
  }
  const Type *getPointer(const Type *element, unsigned addressSpace = 1,
                         bool isConst = false);
  const Type *getBlock(const Type *element, llvm::ArrayRef<int64_t> shape);
  const Type *getDescriptor(const Type *block);
  const Type *getTuple(llvm::ArrayRef<const Type *> elements,
                       llvm::ArrayRef<llvm::StringRef> names = {});
  const Type *getConstexpr() const { return &constexprType; }

  /// "fp32" or "float32", "*fp16", "*kfp16", "tensordesc<fp16[64,64]>",
  /// "constexpr", also the alternative words "u1", "B" (i1). Null when it is
  /// none; `error` then says why.
  const Type *parseSignature(llvm::StringRef text, std::string &error);

private:
  const Type *intern(Type type);
  using Key =
      std::tuple<Type::Kind, const Type *, unsigned, bool, std::vector<int64_t>,
                 std::vector<const Type *>, std::vector<std::string>>;
  llvm::BumpPtrAllocator allocator;
  Type scalars[kNumScalarIds];
  Type constexprType;
  std::map<Key, const Type *> types;
};

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_TYPES_H
