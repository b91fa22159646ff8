//===- PromotionTest.cpp - Every pair of types, every operator class ------===//
//
// The tables are the language's own, cell by cell; "e5" is fp8e5, "e4nv" is
// fp8e4nv, "ERR" a compile error.
//
//===----------------------------------------------------------------------===//

#include "compiler/Lang/Promotion.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace nereid::lang;

namespace {

// Tensor op tensor: + - *, comparisons, bitwise operators, where.
const char sumTable[] =
    "+ i1 i8 u8 i16 u16 i32 u32 i64 u64 e5 e4nv f16 bf16 f32 f64\n"
    "i1 i1 i8 u8 i16 u16 i32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "i8 i8 i8 u8 i16 u16 i32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "u8 u8 u8 u8 i16 u16 i32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "i16 i16 i16 i16 i16 u16 i32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "u16 u16 u16 u16 u16 u16 i32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "i32 i32 i32 i32 i32 i32 i32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "u32 u32 u32 u32 u32 u32 u32 u32 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "i64 i64 i64 i64 i64 i64 i64 i64 i64 u64 ERR ERR f16 f32 f32 f64\n"
    "u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 ERR ERR f16 f32 f32 f64\n"
    "e5 ERR ERR ERR ERR ERR ERR ERR ERR ERR e5 f16 f16 f32 f32 f64\n"
    "e4nv ERR ERR ERR ERR ERR ERR ERR ERR ERR f16 e4nv f16 f32 f32 f64\n"
    "f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f32 f64\n"
    "bf16 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f16 bf16 f32 f64\n"
    "f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64\n"
    "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64\n";

// Tensor op tensor: / // %.
const char quotientTable[] =
    "/ % i1 i8 u8 i16 u16 i32 u32 i64 u64 e5 e4nv f16 bf16 f32 f64\n"
    "i1 i1 ERR u8 ERR u16 ERR u32 ERR u64 f32 f32 f32 f32 f32 f64\n"
    "i8 ERR i8 ERR i16 ERR i32 ERR i64 ERR f32 f32 f32 f32 f32 f64\n"
    "u8 u8 ERR u8 ERR u16 ERR u32 ERR u64 f32 f32 f32 f32 f32 f64\n"
    "i16 ERR i16 ERR i16 ERR i32 ERR i64 ERR f32 f32 f32 f32 f32 f64\n"
    "u16 u16 ERR u16 ERR u16 ERR u32 ERR u64 f32 f32 f32 f32 f32 f64\n"
    "i32 ERR i32 ERR i32 ERR i32 ERR i64 ERR f32 f32 f32 f32 f32 f64\n"
    "u32 u32 ERR u32 ERR u32 ERR u32 ERR u64 f32 f32 f32 f32 f32 f64\n"
    "i64 ERR i64 ERR i64 ERR i64 ERR i64 ERR f32 f32 f32 f32 f32 f64\n"
    "u64 u64 ERR u64 ERR u64 ERR u64 ERR u64 f32 f32 f32 f32 f32 f64\n"
    "e5 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64\n"
    "e4nv f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64\n"
    "f16 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64\n"
    "bf16 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64\n"
    "f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64\n"
    "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64\n";

// Tensor op literal: + - *, comparisons, bitwise operators, where.
const char literalTable[] =
    "tensor op scalar True 3 2**31 2**40 2**63 1.0 1e300\n"
    "i1 i1 i32 u32 i64 u64 f32 f64\n"
    "i8 i8 i8 i8 i8 i8 f32 f64\n"
    "u8 u8 u8 u8 u8 u8 f32 f64\n"
    "i16 i16 i16 i16 i16 i16 f32 f64\n"
    "u16 u16 u16 u16 u16 u16 f32 f64\n"
    "i32 i32 i32 i32 i32 i32 f32 f64\n"
    "u32 u32 u32 u32 u32 u32 f32 f64\n"
    "i64 i64 i64 i64 i64 i64 f32 f64\n"
    "u64 u64 u64 u64 u64 u64 f32 f64\n"
    "e5 e5 e5 e5 e5 e5 e5 e5\n"
    "e4nv e4nv e4nv e4nv e4nv e4nv e4nv e4nv\n"
    "f16 f16 f16 f16 f16 f16 f16 f16\n"
    "bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16\n"
    "f32 f32 f32 f32 f32 f32 f32 f32\n"
    "f64 f64 f64 f64 f64 f64 f64 f64\n";

const std::pair<const char *, Number> literals[] = {
    {"True", Number::ofBool(true)},
    {"3", Number::ofInt(3)},
    {"2**31", Number::ofInt(static_cast<__int128>(1) << 31)},
    {"2**40", Number::ofInt(static_cast<__int128>(1) << 40)},
    {"2**63", Number::ofInt(static_cast<__int128>(1) << 63)},
    {"1.0", Number::ofFloat(1.0)},
    {"1e300", Number::ofFloat(1e300)},
};

std::optional<ScalarId> parse(llvm::StringRef word) {
  if (word == "e5")
    return ScalarId::Float8E5;
  if (word == "e4nv")
    return ScalarId::Float8E4NV;
  if (word == "f16")
    return ScalarId::Float16;
  if (word == "f32")
    return ScalarId::Float32;
  if (word == "f64")
    return ScalarId::Float64;
  for (const ScalarInfo &info : allScalars())
    if (info.signature == word)
      return info.id;
  EXPECT_EQ(word, "ERR");
  return std::nullopt;
}

std::string name(std::optional<ScalarId> id) {
  return id ? getScalarInfo(*id).signature.str() : "ERR";
}

using Rows = llvm::SmallVector<llvm::SmallVector<llvm::StringRef, 16>, 16>;
Rows read(llvm::StringRef text) {
  Rows rows;
  llvm::SmallVector<llvm::StringRef, 16> lines;
  text.split(lines, '\n', -1, false);
  for (llvm::StringRef line : lines) {
    rows.emplace_back();
    line.split(rows.back(), ' ', -1, false);
  }
  return rows;
}

class Promotion : public testing::Test {
protected:
  std::optional<ScalarId> combine(ScalarId a, bool aLiteral, ScalarId b,
                                  bool bLiteral, bool divides) {
    std::string error;
    auto result =
        computationType({types.getScalar(a), aLiteral},
                        {types.getScalar(b), bLiteral}, divides, error);
    EXPECT_EQ(error.empty(), result.has_value());
    return result;
  }

  void checkTensors(const char *table, bool divides) {
    Rows rows = read(table);
    llvm::ArrayRef<llvm::StringRef> head = rows.front();
    // The heading of the second table has two words.
    head = head.take_back(rows.back().size() - 1);
    ASSERT_EQ(head.size(), 15u);
    ASSERT_EQ(rows.size(), 16u);
    for (auto &row :
         llvm::ArrayRef<llvm::SmallVector<llvm::StringRef, 16>>(rows)
             .drop_front()) {
      ASSERT_EQ(row.size(), 16u);
      for (size_t i = 0; i < head.size(); ++i)
        EXPECT_EQ(name(combine(*parse(row[0]), false, *parse(head[i]), false,
                               divides)),
                  name(parse(row[i + 1])))
            << row[0].str() << (divides ? " / " : " + ") << head[i].str();
    }
  }

  TypeContext types;
};

TEST_F(Promotion, TensorsAdded) { checkTensors(sumTable, false); }

TEST_F(Promotion, TensorsDivided) { checkTensors(quotientTable, true); }

TEST_F(Promotion, TensorWithLiteral) {
  Rows rows = read(literalTable);
  for (auto &row : llvm::ArrayRef<llvm::SmallVector<llvm::StringRef, 16>>(rows)
                       .drop_front()) {
    ASSERT_EQ(row.size(), std::size(literals) + 1);
    ScalarId tensor = *parse(row[0]);
    for (auto [i, literal] : llvm::enumerate(literals)) {
      ScalarId id = *literalType(literal.second);
      std::optional<ScalarId> expected = parse(row[i + 1]);
      // The order of the operands does not matter.
      EXPECT_EQ(name(combine(tensor, false, id, true, false)), name(expected))
          << row[0].str() << " + " << literal.first;
      EXPECT_EQ(name(combine(id, true, tensor, false, false)), name(expected))
          << literal.first << " + " << row[0].str();
    }
  }
}

// With / // and % every fp8, f16 and bf16 result of that table becomes f32, and
// i1 with a signed literal is an error.
TEST_F(Promotion, TensorDividedByLiteral) {
  Rows rows = read(literalTable);
  for (auto &row : llvm::ArrayRef<llvm::SmallVector<llvm::StringRef, 16>>(rows)
                       .drop_front()) {
    ScalarId tensor = *parse(row[0]);
    for (auto [i, literal] : llvm::enumerate(literals)) {
      ScalarId id = *literalType(literal.second);
      std::optional<ScalarId> expected = parse(row[i + 1]);
      const ScalarInfo &info = getScalarInfo(*expected);
      if (info.kind == ScalarKind::Float8 || info.bits == 16)
        if (info.kind != ScalarKind::Signed &&
            info.kind != ScalarKind::Unsigned)
          expected = ScalarId::Float32;
      if (tensor == ScalarId::Int1 &&
          getScalarInfo(id).kind == ScalarKind::Signed)
        expected = std::nullopt;
      EXPECT_EQ(name(combine(tensor, false, id, true, true)), name(expected))
          << row[0].str() << " / " << literal.first;
    }
  }
}

TEST_F(Promotion, LiteralTypes) {
  auto ofInt = [](__int128 value) { return literalType(Number::ofInt(value)); };
  __int128 one = 1;
  EXPECT_EQ(ofInt(0), ScalarId::Int32);
  EXPECT_EQ(ofInt((one << 31) - 1), ScalarId::Int32);
  EXPECT_EQ(ofInt(-(one << 31)), ScalarId::Int32);
  EXPECT_EQ(ofInt(one << 31), ScalarId::UInt32);
  EXPECT_EQ(ofInt((one << 32) - 1), ScalarId::UInt32);
  EXPECT_EQ(ofInt(one << 32), ScalarId::Int64);
  EXPECT_EQ(ofInt(-(one << 31) - 1), ScalarId::Int64);
  EXPECT_EQ(ofInt(-(one << 63)), ScalarId::Int64);
  EXPECT_EQ(ofInt(one << 63), ScalarId::UInt64);
  EXPECT_EQ(ofInt((one << 64) - 1), ScalarId::UInt64);
  EXPECT_EQ(ofInt(one << 64), std::nullopt);
  EXPECT_EQ(ofInt(-(one << 63) - 1), std::nullopt);

  auto ofFloat = [](double value) {
    return literalType(Number::ofFloat(value));
  };
  EXPECT_EQ(ofFloat(0.0), ScalarId::Float32);
  EXPECT_EQ(ofFloat(-0.0), ScalarId::Float32);
  EXPECT_EQ(ofFloat(INFINITY), ScalarId::Float32);
  EXPECT_EQ(ofFloat(-INFINITY), ScalarId::Float32);
  EXPECT_EQ(ofFloat(NAN), ScalarId::Float32);
  EXPECT_EQ(ofFloat(std::ldexp(1.0, -126)), ScalarId::Float32);
  EXPECT_EQ(ofFloat(std::ldexp(1.0, -127)), ScalarId::Float64);
  EXPECT_EQ(ofFloat(3.4028234663852886e38), ScalarId::Float32);
  EXPECT_EQ(ofFloat(3.4028234663852889e38), ScalarId::Float64);
}

TEST_F(Promotion, NumbersPrintAsPython) {
  EXPECT_EQ(Number::ofBool(true).str(), "True");
  EXPECT_EQ(Number::ofInt(-12).str(), "-12");
  EXPECT_EQ(Number::ofInt(-(static_cast<__int128>(1) << 100)).str(),
            "-1267650600228229401496703205376");
  EXPECT_EQ(Number::ofFloat(1.5).str(), "1.5");
  EXPECT_EQ(Number::ofFloat(2).str(), "2.0");
  EXPECT_EQ(Number::ofFloat(-INFINITY).str(), "-inf");
}

} // namespace
