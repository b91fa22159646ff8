//===- GridExpr.h - Grid expressions ----------------------------*- C++ -*-===//
//
// "triton.cdiv(M, BLOCK_M) * batch" -> a program for the small stack machine
// that the runtime runs when a call is bound. Constants of the configuration
// are folded in; what remains are the kernel's integer slots.
//
//   expression  := sum
//   sum         := product (('+' | '-') product)*
//   product     := unary (('*' | '//' | '%') unary)*
//   unary       := '-' unary | primary
//   primary     := integer | name | name '.shape[' integer ']' | '(' sum ')'
//                | ('cdiv' | 'min' | 'max') '(' sum (',' sum)+ ')'
//                | ('META' | 'meta') '[' quoted name ']'
//
// 'triton.' and 'tl.' before a function are accepted, so that a grid can be
// pasted from Triton code.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_GRIDEXPR_H
#define NEREID_PACKAGER_GRIDEXPR_H

#include "nereid/archive_limits.h"
#include "packager/Result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace nereid::pack {

/// What a step does; the values and meanings are those of archive.fbs.
enum class GridOp : uint8_t {
  PushConst,
  PushSlot,
  PushDim,
  Add,
  Sub,
  Mul,
  Div,
  Mod,
  CDiv,
  Min,
  Max,
};

struct GridStep {
  int64_t operand = 0;
  GridOp op = GridOp::PushConst;
  bool operator==(const GridStep &other) const {
    return operand == other.operand && op == other.op;
  }
};

/// One axis of a grid: the program and the text it came from.
struct GridAxis {
  std::vector<GridStep> steps;
  std::string text;
};

/// The deepest stack a program may need: readers reserve this much.
constexpr unsigned kMaxGridStack = NRD_MAX_GRID_DEPTH;

/// A failure inside an expression, with the place it was found at.
struct GridError {
  size_t offset = 0; ///< bytes from the start of the text
  std::string text;
};

/// What a name in a grid expression stands for.
struct GridNames {
  struct Slot {
    uint32_t index = 0;
    bool isInteger = true;
    uint32_t rank = 0; ///< of a descriptor, else 0
    std::string type;  ///< for messages
  };
  std::map<std::string, Slot, std::less<>> slots;
  std::map<std::string, int64_t, std::less<>> constants;
  /// Names that exist but are no integers ("None", "'gelu'"), for messages.
  std::map<std::string, std::string, std::less<>> others;
};

struct GridNode;

/// A parsed expression; names are not resolved yet.
class GridExpr {
public:
  GridExpr();
  ~GridExpr();
  GridExpr(GridExpr &&);
  GridExpr &operator=(GridExpr &&);

  /// Parses `text`; false with `error` set when it is no expression.
  static bool parse(std::string_view text, GridExpr &out, GridError &error);

  /// Compiles to a program, constants folded; false with `error` set when a
  /// name is unknown or a constant part fails.
  bool compile(const GridNames &names, GridAxis &out, GridError &error) const;

private:
  std::string text;
  std::unique_ptr<GridNode> root;
};

/// Checks that a program is well formed: known operations, a stack that neither
/// underflows nor exceeds kMaxGridStack and ends with one value, operands in
/// range. `ranks[i]` is slot i's descriptor rank, 0 for an integer, -1 for
/// anything else.
Status checkGridProgram(const std::vector<GridStep> &steps,
                        const std::vector<int> &ranks);

/// Runs a program on the slots' values (programs that read descriptors are
/// refused); the reference for the runtime's own machine.
Result<int64_t> runGridProgram(const std::vector<GridStep> &steps,
                               const std::vector<int64_t> &slots);

} // namespace nereid::pack

#endif // NEREID_PACKAGER_GRIDEXPR_H
