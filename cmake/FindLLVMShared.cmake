# Finds LLVM as one shared library with its headers, of exactly the major version asked for, by llvm-config.
# Defines LLVMShared::LLVM. LLVM's own package file is not used: it demands every tool and static library of LLVM.
find_program(LLVMShared_CONFIG NAMES llvm-config-${LLVMShared_FIND_VERSION_MAJOR} llvm-config
             HINTS /usr/lib/llvm-${LLVMShared_FIND_VERSION_MAJOR}/bin)
if(LLVMShared_CONFIG)
  foreach(part version includedir libdir)
    execute_process(COMMAND ${LLVMShared_CONFIG} --${part} OUTPUT_VARIABLE LLVMShared_${part}
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endforeach()
  if(NOT LLVMShared_version VERSION_LESS LLVMShared_FIND_VERSION_MAJOR
     AND LLVMShared_version VERSION_LESS ${LLVMShared_FIND_VERSION_MAJOR}.99)
    find_library(LLVMShared_LIBRARY NAMES LLVM-${LLVMShared_FIND_VERSION_MAJOR} LLVM HINTS ${LLVMShared_libdir}
                 NO_DEFAULT_PATH)
    find_path(LLVMShared_INCLUDE_DIR llvm/IR/Module.h HINTS ${LLVMShared_includedir} NO_DEFAULT_PATH)
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LLVMShared REQUIRED_VARS LLVMShared_LIBRARY LLVMShared_INCLUDE_DIR
                                  VERSION_VAR LLVMShared_version)
mark_as_advanced(LLVMShared_CONFIG LLVMShared_LIBRARY LLVMShared_INCLUDE_DIR)
if(LLVMShared_FOUND AND NOT TARGET LLVMShared::LLVM)
  add_library(LLVMShared::LLVM SHARED IMPORTED)
  set_target_properties(LLVMShared::LLVM PROPERTIES IMPORTED_LOCATION ${LLVMShared_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${LLVMShared_INCLUDE_DIR}
    INTERFACE_COMPILE_DEFINITIONS "_GNU_SOURCE;__STDC_CONSTANT_MACROS;__STDC_FORMAT_MACROS;__STDC_LIMIT_MACROS")
endif()
