# NereidLLVM.cmake - how a program is linked with LLVM, MLIR and lld.
#
# Compiler libraries link `nereid_llvm`. What that means is the program's choice:
# most share the system's libLLVM and libMLIR, which makes them small and quick
# to link; `nereid_hold_llvm(program)` gives a program its own copy of what it
# uses. Loading the shared ones costs 20 ms of relocations in every process,
# a tenth of what compiling a large kernel takes.
include(CheckLinkerFlag)
option(NEREID_STATIC_LLVM "Link LLVM into the nereid tool" ON)

find_package(LLD REQUIRED CONFIG HINTS ${LLVM_DIR}/../lld)
file(GLOB nereid_llvm_archives ${LLVM_LIBRARY_DIR}/libMLIR*.a ${LLVM_LIBRARY_DIR}/libLLVM*.a)
list(FILTER nereid_llvm_archives EXCLUDE REGEX "CAPI|TableGen|gtest|Test")
if(NEREID_SANITIZE OR NOT nereid_llvm_archives)
  set(NEREID_STATIC_LLVM OFF)
endif()

# lld's imported targets would bring the shared LLVM.
add_library(nereid_llvm INTERFACE)
set(own "$<BOOL:$<TARGET_PROPERTY:NEREID_HOLDS_LLVM>>")
target_link_libraries(nereid_llvm INTERFACE
  $<TARGET_FILE:lldELF> $<TARGET_FILE:lldCommon>
  "$<${own}:nereid_llvm_own>" "$<$<NOT:${own}>:MLIR>" "$<$<NOT:${own}>:LLVM>" ZLIB::ZLIB zstd::libzstd_shared)

if(NEREID_STATIC_LLVM)
  # lld asks LLVM for every processor there is, and LLVM's LTO for Polly, when it
  # links bitcode, which is never. Functions that do nothing keep them out.
  set(used X86 AMDGPU NVPTX)
  set(unused ${LLVM_TARGETS_TO_BUILD})
  list(REMOVE_ITEM unused ${used})
  set(text "// Made by NereidLLVM.cmake, which says why.\n#include \"llvm/Plugins/PassPlugin.h\"\n")
  foreach(target IN LISTS unused)
    foreach(part TargetInfo Target TargetMC AsmPrinter AsmParser)
      string(APPEND text "extern \"C\" void LLVMInitialize${target}${part}() {}\n")
    endforeach()
  endforeach()
  string(APPEND text "llvm::PassPluginLibraryInfo getPollyPluginInfo() { return {}; }\n")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/UnusedLLVM.cpp CONTENT "${text}" @ONLY)

  add_library(nereid_llvm_own STATIC ${PROJECT_BINARY_DIR}/UnusedLLVM.cpp)
  set_target_properties(nereid_llvm_own PROPERTIES COMPILE_OPTIONS "-fno-rtti;-fno-exceptions")
  target_include_directories(nereid_llvm_own SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  target_link_libraries(nereid_llvm_own INTERFACE
    "$<LINK_GROUP:RESCAN,${nereid_llvm_archives}>")
endif()

function(nereid_hold_llvm program)
  # LLVM's libraries, OpenMP's too, lie in a folder that the system does not search.
  set_target_properties(${program} PROPERTIES INSTALL_RPATH_USE_LINK_PATH TRUE)
  # Asks for the target, because this is called from folders that do not see
  # what the variable became here.
  if(NOT TARGET nereid_llvm_own)
    return()
  endif()
  set_target_properties(${program} PROPERTIES NEREID_HOLDS_LLVM TRUE)
  # At a fixed address and without libstdc++.so there is next to nothing left to
  # relocate.
  target_link_options(${program} PRIVATE
    -no-pie -static-libstdc++ -static-libgcc -Wl,--gc-sections -Wl,--as-needed)
  check_linker_flag(CXX -fuse-ld=lld NEREID_HAS_LLD)
  if(NEREID_HAS_LLD)
    target_link_options(${program} PRIVATE -fuse-ld=lld)
  endif()
endfunction()
