//===- Types.h - The types of the Triton language --------------*- C++ -*-===//
//
// A Triton type is a scalar type, a pointer, or a block (tensor) of either.
// Unlike MLIR's, integer types carry their signedness. Type is a small value
// that is compared and copied freely; it knows no MLIR except for the one
// function that converts it (Semantic.h).
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_COMPILER_LANG_TYPES_H
#define NEREID_COMPILER_LANG_TYPES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace nereid::lang {

enum class DType : uint8_t {
#define NRD_DTYPE(name, ...) name,
#include "compiler/Lang/DTypes.def"
};

enum class DTypeKind : uint8_t { Void, Bool, Signed, Unsigned, Float, Float8 };

/// What the table says about a scalar type.
struct DTypeInfo {
  llvm::StringLiteral pythonName;    ///< "float16"
  llvm::StringLiteral signatureName; ///< "fp16"
  DTypeKind kind;
  unsigned bits;
  unsigned mantissaBits;
  unsigned exponentBias;
};
const DTypeInfo &getInfo(DType dtype);
/// By the name in triton.language ("float16") or in signatures ("fp16", also
/// "u1" and "B" for i1); no value when there is no such type.
std::optional<DType> dtypeByPythonName(llvm::StringRef name);
std::optional<DType> dtypeBySignatureName(llvm::StringRef name);
/// Every scalar type but void, in table order.
llvm::ArrayRef<DType> allDTypes();

/// The largest number of elements of a block.
inline constexpr int64_t maxTensorElements = 1 << 20;

/// A scalar, pointer or block type.
class Type {
public:
  /// One level of indirection: a pointer to what the outer levels describe.
  struct PointerLevel {
    bool isConst = false;
    int addressSpace = 1;
    bool operator==(const PointerLevel &other) const {
      return isConst == other.isConst && addressSpace == other.addressSpace;
    }
  };

  Type() = default; ///< void
  Type(DType base) : base(base) {}

  /// A pointer to `pointee`, which is a scalar or a pointer.
  static Type pointerTo(Type pointee, bool isConst = false,
                        int addressSpace = 1);
  /// A block of `element` (a scalar or a pointer). An empty shape gives the
  /// element type itself: there are no blocks of rank 0.
  static Type block(Type element, llvm::ArrayRef<int64_t> shape);

  bool isVoid() const { return base == DType::Void && !isPointer(); }
  bool isBlock() const { return !shape.empty(); }
  /// The element type of a block, else the type itself.
  Type scalar() const;
  /// The same shape with another element type.
  Type withElement(Type element) const;
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return static_cast<int64_t>(shape.size()); }
  int64_t getNumElements() const;

  // The following describe the element type of a block.
  bool isPointer() const { return !pointers.empty(); }
  bool isConstPointer() const { return isPointer() && pointers.back().isConst; }
  int getAddressSpace() const { return pointers.back().addressSpace; }
  /// What a pointer points to.
  Type pointee() const;
  /// The scalar type; only meaningful when not a pointer.
  DType dtype() const { return base; }
  bool is(DType dtype) const { return !isPointer() && base == dtype; }
  DTypeKind kind() const { return getInfo(base).kind; }
  bool isBool() const { return is(DType::I1); }
  /// Any integer, bool included.
  bool isInt() const;
  bool isSignedInt() const {
    return !isPointer() && kind() == DTypeKind::Signed;
  }
  /// Unsigned integers; bool counts as one.
  bool isUnsignedInt() const { return isInt() && !isSignedInt(); }
  bool isFloat8() const { return !isPointer() && kind() == DTypeKind::Float8; }
  bool isStandardFloat() const {
    return !isPointer() && kind() == DTypeKind::Float;
  }
  bool isFloat() const { return isFloat8() || isStandardFloat(); }
  /// Width of the element in bits; pointers are 64.
  unsigned bits() const { return isPointer() ? 64 : getInfo(base).bits; }

  bool operator==(const Type &other) const {
    return base == other.base && pointers == other.pointers &&
           shape == other.shape;
  }
  bool operator!=(const Type &other) const { return !(*this == other); }

  /// As messages and signatures write it: "fp16", "*fp32", "*ki8",
  /// "fp32[64, 32]".
  std::string str() const;
  /// As Triton prints it: "fp16", "pointer<fp32>", "<['64', '32'], fp32>".
  std::string tritonStr() const;
  /// As a part of a function's symbol: "fp32S64_32S".
  std::string mangle() const;

private:
  DType base = DType::Void;
  llvm::SmallVector<PointerLevel, 1> pointers; ///< innermost first
  llvm::SmallVector<int64_t, 4> shape;
};

/// Parses a scalar or pointer type in signature syntax without hints: "fp16",
/// "*fp16", "*ki8", "**i32". No value on a syntax error.
std::optional<Type> parseScalarType(llvm::StringRef text);

/// "64, 32": a shape as messages show it (without brackets).
std::string shapeText(llvm::ArrayRef<int64_t> shape);

} // namespace nereid::lang

#endif // NEREID_COMPILER_LANG_TYPES_H
