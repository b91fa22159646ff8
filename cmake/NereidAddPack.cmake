# NereidAddPack.cmake - builds packs of kernels as part of a project.
#
#   nereid_add_pack(NAME MANIFEST pack.toml [EMBED] [OUTPUT file.nrd]
#                   [TARGETS sm_90a x86-64-v3 ...] [OPTIONS -I dir ...])
#
# Compiles the manifest's kernels into OUTPUT (default NAME.nrd in the current
# binary folder) and writes the header NAME.h. The target NAME carries the
# header's folder and links nereid::runtime. With EMBED it is a static library
# that holds the pack itself, so the program needs no file beside it. The pack
# is built again when the manifest, a kernel source or a file they import has
# changed, or the tool. The target's property NEREID_PACK is the pack's path.

function(nereid_add_pack name)
  cmake_parse_arguments(ARG "EMBED" "MANIFEST;OUTPUT" "TARGETS;OPTIONS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nereid_add_pack(${name}): unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_MANIFEST)
    message(FATAL_ERROR "nereid_add_pack(${name}): MANIFEST is missing")
  endif()
  if(NOT NEREID_TOOL)
    message(FATAL_ERROR "nereid_add_pack(${name}): the nereid tool was not found; "
      "set NEREID_TOOL to its path on this machine")
  endif()
  get_filename_component(manifest ${ARG_MANIFEST} ABSOLUTE)
  if(NOT ARG_OUTPUT)
    set(ARG_OUTPUT ${name}.nrd)
  endif()
  get_filename_component(pack ${ARG_OUTPUT} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_BINARY_DIR})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.pack)
  file(MAKE_DIRECTORY ${folder})

  set(flags ${ARG_OPTIONS})
  foreach(target ${ARG_TARGETS})
    list(APPEND flags --target ${target})
  endforeach()
  add_custom_command(OUTPUT ${pack}
    COMMAND ${NEREID_TOOL} build ${manifest} -o ${pack} --depfile ${folder}/${name}.d --quiet ${flags}
    DEPENDS ${manifest} ${NEREID_TOOL}
    DEPFILE ${folder}/${name}.d
    COMMENT "Packing kernels into ${ARG_OUTPUT}" VERBATIM)

  set(generated ${folder}/${name}.h)
  if(ARG_EMBED)
    set(embed --embed)
    list(APPEND generated ${folder}/${name}.c)
  endif()
  add_custom_command(OUTPUT ${generated}
    COMMAND ${NEREID_TOOL} header ${pack} -o ${folder}/${name}.h ${embed}
    DEPENDS ${pack} ${NEREID_TOOL} COMMENT "Writing ${name}.h" VERBATIM)

  if(ARG_EMBED)
    add_library(${name} STATIC ${generated})
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C POSITION_INDEPENDENT_CODE ON)
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    add_custom_target(${name}_files ALL DEPENDS ${pack} ${generated})
    add_dependencies(${name} ${name}_files)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} ${folder})
  target_link_libraries(${name} ${scope} nereid::runtime)
  set_target_properties(${name} PROPERTIES NEREID_PACK ${pack})
endfunction()
