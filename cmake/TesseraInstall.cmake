# Owns installing and exporting: find_package(tessera) gives tessera::tessera, ::headers, ::jit and ::target_<name>.
include(CMakePackageConfigHelpers)
set(tessera_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tessera)

install(DIRECTORY include/tessera DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT tessera)
install(TARGETS ${tessera_libraries} EXPORT tessera_targets COMPONENT tessera
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET tessera_tune_worker)   # found beside the library
  install(TARGETS tessera_tune_worker RUNTIME DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT tessera)
endif()
install(EXPORT tessera_targets NAMESPACE tessera:: DESTINATION ${tessera_package_dir} COMPONENT tessera)
configure_package_config_file(cmake/tessera-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tessera-config.cmake
                              INSTALL_DESTINATION ${tessera_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tessera-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tessera-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/tessera-config-version.cmake
        cmake/TesseraEmbed.cmake DESTINATION ${tessera_package_dir} COMPONENT tessera)
