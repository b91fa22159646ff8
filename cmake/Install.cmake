# Install.cmake - headers, libraries, the tool, and what find_package(nereid)
# and pkg-config read.
include(CMakePackageConfigHelpers)
set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/nereid)

install(TARGETS nereid_runtime nereid_runtime_static nereid_headers EXPORT nereidTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT nereidTargets NAMESPACE nereid:: DESTINATION ${folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/nereidConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/nereidConfig.cmake
  INSTALL_DESTINATION ${folder} PATH_VARS CMAKE_INSTALL_BINDIR)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/nereidConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/nereidConfig.cmake
  ${PROJECT_BINARY_DIR}/cmake/nereidConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/NereidAddPack.cmake DESTINATION ${folder})

# Written when installing, because --prefix is only known then.
install(CODE "
  set(PROJECT_VERSION ${PROJECT_VERSION})
  set(CMAKE_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
  set(CMAKE_INSTALL_LIBDIR ${CMAKE_INSTALL_LIBDIR})
  set(NEREID_OPENMP_FLAGS \"${NEREID_OPENMP_LIBRARY}\")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/nereid.pc.in ${PROJECT_BINARY_DIR}/cmake/nereid.pc @ONLY)
  file(INSTALL ${PROJECT_BINARY_DIR}/cmake/nereid.pc
    DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig\")")
