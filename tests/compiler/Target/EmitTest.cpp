//===- EmitTest.cpp - The rules of a CPU image ----------------------------===//

#include "compiler/Target/CPU/Emit.h"
#include "tests/compiler/Target/Harness.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <thread>

using namespace mlir;
using namespace nereid;
using namespace nereid::test;

namespace {

// Compiles LLVM-dialect text as it stands and returns the error, or "".
std::string errorOf(StringRef text, StringRef entry = "entry",
                    StringRef targetName = "x86-64-v3") {
  const TargetInfo &target = *findTarget(targetName);
  Harness harness(target);
  harness.module = parseSourceString<ModuleOp>(text, &harness.context);
  if (!harness.module)
    return "parse: " + harness.messages;
  llvm::Expected<std::string> bytes =
      cpu::emitSharedObject(*harness.module, entry, target);
  return bytes ? "" : llvm::toString(bytes.takeError());
}

// Lowers text through the whole pipeline and returns its diagnostics.
std::string lowerErrors(StringRef text, StringRef targetName) {
  Harness harness(*findTarget(targetName));
  harness.module = parseSourceString<ModuleOp>(text, &harness.context);
  if (!harness.module)
    return "parse: " + harness.messages;
  return harness.lower() ? "" : harness.messages;
}

TEST(Emit, SmallKernel) {
  EXPECT_EQ(errorOf(R"(
    llvm.func @entry(%p: !llvm.ptr) {
      %x = llvm.load %p : !llvm.ptr -> f32
      %y = llvm.fadd %x, %x : f32
      llvm.store %y, %p : f32, !llvm.ptr
      llvm.return
    })"),
            "");
}

TEST(Emit, ImportsOfTheList) {
  EXPECT_EQ(errorOf(R"(
    llvm.func @memcpy(!llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
    llvm.func @entry(%p: !llvm.ptr, %q: !llvm.ptr, %n: i64) {
      %r = llvm.call @memcpy(%p, %q, %n) : (!llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
      llvm.return
    })"),
            "");
}

TEST(Emit, UnknownImport) {
  EXPECT_EQ(errorOf(R"(
    llvm.func @malloc(i64) -> !llvm.ptr
    llvm.func @use(!llvm.ptr)
    llvm.func @entry(%n: i64) {
      %r = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
      llvm.call @use(%r) : (!llvm.ptr) -> ()
      llvm.return
    })"),
            "the compiled kernel calls 'malloc', which does not exist where "
            "kernels run; allowed are memcpy, memmove, memset, memcmp");
}

TEST(Emit, LibraryCallFromCodeGeneration) {
  EXPECT_EQ(errorOf(R"(
    llvm.func @entry(%p: !llvm.ptr) {
      %x = llvm.load %p : !llvm.ptr -> f32
      %y = llvm.fptrunc %x : f32 to f16
      llvm.store %y, %p : f16, !llvm.ptr
      llvm.return
    })",
                    "entry", "x86-64-v2"),
            "the compiled kernel calls '__truncsfhf2' (a narrowing to f16 or "
            "another narrow float), which does not exist where kernels run; "
            "allowed are memcpy, memmove, memset, memcmp");
}

TEST(Emit, MissingEntry) {
  EXPECT_EQ(errorOf("llvm.func @other() { llvm.return }"),
            "the module defines no function 'entry'");
}

TEST(Emit, ThreadLocalStorage) {
  EXPECT_EQ(errorOf(R"(
    llvm.mlir.global internal thread_local @counter(0 : i32) : i32
    llvm.func @entry(%p: !llvm.ptr) {
      %a = llvm.mlir.addressof @counter : !llvm.ptr
      %x = llvm.load %a : !llvm.ptr -> i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %y = llvm.add %x, %one : i32
      llvm.store %y, %a : i32, !llvm.ptr
      llvm.store %y, %p : i32, !llvm.ptr
      llvm.return
    })"),
            "the compiled kernel calls '__tls_get_addr' (thread-local storage),"
            " which does not exist where kernels run; allowed are memcpy, "
            "memmove, memset, memcmp");
}

TEST(Emit, Constructor) {
  EXPECT_EQ(errorOf(R"(
    llvm.mlir.global internal @state(0 : i32) : i32
    llvm.func internal @start() {
      %a = llvm.mlir.addressof @state : !llvm.ptr
      %one = llvm.mlir.constant(1 : i32) : i32
      llvm.store volatile %one, %a : i32, !llvm.ptr
      llvm.return
    }
    llvm.mlir.global_ctors ctors = [@start], priorities = [1 : i32], data = [#llvm.zero]
    llvm.func @entry(%p: !llvm.ptr) {
      %a = llvm.mlir.addressof @state : !llvm.ptr
      %x = llvm.load volatile %a : !llvm.ptr -> i32
      llvm.store %x, %p : i32, !llvm.ptr
      llvm.return
    })"),
            "the compiled kernel has a constructor or destructor");
}

TEST(Emit, OnlyTheEntryIsExported) {
  EXPECT_EQ(errorOf(R"(
    llvm.mlir.global external @table(dense<[1, 2, 3, 4]> : tensor<4xi32>) : !llvm.array<4 x i32>
    llvm.func @helper(%p: !llvm.ptr, %i: i64) -> i32 attributes {no_inline} {
      %a = llvm.mlir.addressof @table : !llvm.ptr
      %e = llvm.getelementptr %a[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i32
      %x = llvm.load %e : !llvm.ptr -> i32
      llvm.return %x : i32
    }
    llvm.func @entry(%p: !llvm.ptr, %i: i64) {
      %x = llvm.call @helper(%p, %i) : (!llvm.ptr, i64) -> i32
      llvm.store %x, %p : i32, !llvm.ptr
      llvm.return
    })"),
            "");
}

TEST(Emit, NotAnImage) {
  EXPECT_NE(llvm::toString(cpu::verifySharedObject("not an ELF", "entry")), "");
  std::string zeros(4096, '\0');
  EXPECT_NE(llvm::toString(cpu::verifySharedObject(zeros, "entry")), "");
}

TEST(Emit, TruncatedImages) {
  const TargetInfo &target = *findTarget("x86-64-v3");
  Harness harness(target);
  harness.build({}, [](OpBuilder &, Location, ValueRange) {});
  ASSERT_TRUE(harness.lower()) << harness.messages;
  llvm::Expected<std::string> bytes = harness.emit();
  ASSERT_TRUE(bool(bytes));
  for (size_t length = 0; length < bytes->size(); length += 13)
    llvm::consumeError(
        cpu::verifySharedObject(StringRef(*bytes).take_front(length), "entry"));
  EXPECT_EQ(llvm::toString(cpu::verifySharedObject(*bytes, "other")),
            "the compiled kernel exports 'entry' besides 'other'");
}

// The same module gives the same bytes, from several threads at once too.
TEST(Emit, Reproducible) {
  std::vector<std::string> images(4);
  std::vector<std::thread> threads;
  for (std::string &image : images)
    threads.emplace_back([&image] {
      const TargetInfo &target = *findTarget("x86-64-v4");
      Harness harness(target);
      Type pointer = LLVM::LLVMPointerType::get(&harness.context);
      harness.build({pointer}, [&](OpBuilder &b, Location loc,
                                   ValueRange args) {
        Type vector = VectorType::get({16}, b.getF32Type());
        Value x = LLVM::LoadOp::create(b, loc, vector, args[0], 4);
        Value y = math::ExpOp::create(b, loc, x);
        LLVM::StoreOp::create(b, loc, y, args[0], 4);
      });
      if (!harness.lower())
        return;
      llvm::Expected<std::string> bytes = harness.emit();
      if (bytes)
        image = *bytes;
      else
        llvm::consumeError(bytes.takeError());
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_FALSE(images[0].empty());
  for (const std::string &image : images)
    EXPECT_EQ(image, images[0]);
}

TEST(Emit, Texts) {
  const TargetInfo &target = *findTarget("x86-64-v4");
  Harness harness(target);
  Type pointer = LLVM::LLVMPointerType::get(&harness.context);
  harness.build({pointer}, [&](OpBuilder &b, Location loc, ValueRange args) {
    Type vector = VectorType::get({16}, b.getF32Type());
    Value x = LLVM::LoadOp::create(b, loc, vector, args[0], 4);
    LLVM::StoreOp::create(b, loc, Value(arith::AddFOp::create(b, loc, x, x)),
                          args[0], 4);
  });
  ASSERT_TRUE(harness.lower());
  EXPECT_NE(harness.assembly().find("vaddps"), std::string::npos);
  EXPECT_NE(harness.assembly().find("zmm"), std::string::npos);
  llvm::Expected<std::string> ir =
      cpu::emitText(*harness.module, "entry", target, cpu::TextKind::LLVM);
  ASSERT_TRUE(bool(ir));
  EXPECT_NE(ir->find("fadd <16 x float>"), std::string::npos);
}

TEST(Emit, Report) {
  const TargetInfo &target = *findTarget("x86-64-v3");
  Harness harness(target);
  harness.build({}, [](OpBuilder &, Location, ValueRange) {});
  ASSERT_TRUE(harness.lower());
  ResourceReport report;
  llvm::Expected<std::string> bytes = harness.emit(&report);
  ASSERT_TRUE(bool(bytes));
  EXPECT_EQ(report.textSize, 1u); // ret
  EXPECT_EQ(report.spillBytes, 0u);
}

TEST(Emit, ReportsSpills) {
  const TargetInfo &target = *findTarget("x86-64-v2");
  Harness harness(target);
  Type pointer = LLVM::LLVMPointerType::get(&harness.context);
  // More vectors live at once than there are registers: all are loaded before
  // the first store may overwrite one.
  harness.build({pointer}, [&](OpBuilder &b, Location loc, ValueRange args) {
    Type vector = VectorType::get({4}, b.getF32Type());
    auto at = [&](int32_t i) -> Value {
      return LLVM::GEPOp::create(b, loc, pointer, vector, args[0],
                                 LLVM::GEPArg(i));
    };
    SmallVector<Value> values;
    for (int32_t i = 0; i < 40; ++i)
      values.push_back(LLVM::LoadOp::create(b, loc, vector, at(i), 4));
    for (int32_t i = 0; i < 40; ++i)
      LLVM::StoreOp::create(b, loc, values[39 - i], at(i), 4);
  });
  ASSERT_TRUE(harness.lower()) << harness.messages;
  ResourceReport report;
  llvm::Expected<std::string> bytes = harness.emit(&report);
  ASSERT_TRUE(bool(bytes));
  EXPECT_GE(report.spillBytes, 24u * 16);
  ASSERT_EQ(report.notes.size(), 2u);
  EXPECT_NE(report.notes[1].find("register spills"), std::string::npos);
  EXPECT_GT(countSpills(harness.assembly()).inAll, 0u);
}

TEST(Lower, NamesTheOperationThatWouldCallALibrary) {
  std::string text = lowerErrors(R"(
    func.func @entry(%p: !llvm.ptr) {
      %x = llvm.load %p : !llvm.ptr -> f16
      %y = math.sin %x : f16
      llvm.store %y, %p : f16, !llvm.ptr
      return
    })",
                                 "x86-64-v3");
  EXPECT_NE(text.find("'llvm.intr.sin' op would call 'sin' of the C library"),
            std::string::npos)
      << text;
}

TEST(Lower, NamesTheFunctionThatDoesNotExist) {
  std::string text = lowerErrors(R"(
    func.func private @missing()
    func.func @entry() {
      call @missing() : () -> ()
      return
    })",
                                 "x86-64-v3");
  EXPECT_NE(text.find("calls 'missing', which does not exist"),
            std::string::npos)
      << text;
}

} // namespace
