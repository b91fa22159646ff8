# NereidHelpers.cmake - what every component's CMakeLists.txt shares.

# Warnings are errors for Nereid's own code. Includes are rooted at the
# repository, so each one names its component (tests/layering greps for that).
add_library(nereid_own_code INTERFACE)
target_compile_options(nereid_own_code INTERFACE -Wall -Wextra -Werror -fvisibility=hidden)
target_include_directories(nereid_own_code INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR})
if(NEREID_SANITIZE)
  target_compile_options(nereid_own_code INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(nereid_own_code INTERFACE -fsanitize=address,undefined)
  target_sources(nereid_own_code INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${PROJECT_SOURCE_DIR}/cmake/SanitizerOptions.cpp>)
endif()

# Compiler code follows LLVM: no exceptions, no RTTI. LLVM's and MLIR's headers
# are SYSTEM, because the warnings they raise are not ours to mend. A macro, so
# that mlir_tablegen finds what find_package set.
macro(nereid_setup_mlir)
  find_package(MLIR 22.1 REQUIRED CONFIG)
  list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
  include(TableGen)
  include(AddLLVM)
  include(AddMLIR)
  add_library(nereid_mlir INTERFACE)
  target_include_directories(nereid_mlir SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(nereid_mlir INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions> $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  target_compile_definitions(nereid_mlir INTERFACE ${LLVM_DEFINITIONS_LIST})
  target_link_libraries(nereid_mlir INTERFACE nereid_own_code)
  include(NereidLLVM)
endmacro()

# nereid_compiler_library(NAME sources... DEPENDS tablegen-targets... LINK libs...)
# A static library of the compiler. Every one of them reuses the precompiled
# header of nereid_pch: it is what keeps a pass file at 2 s instead of 19 s.
function(nereid_compiler_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC nereid_mlir ${ARG_LINK})
  target_precompile_headers(${name} REUSE_FROM nereid_pch)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()
