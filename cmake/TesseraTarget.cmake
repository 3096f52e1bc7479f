# Owns the functions that make this tree's CMake targets: source globs, compile flags, the registry of targets/.

# Puts the .cpp files below the given folders into a variable; an absent or empty folder gives none.
function(tessera_glob out)
  set(patterns)
  foreach(folder IN LISTS ARGN)
    list(APPEND patterns ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  endforeach()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns})
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# Finds a dependency of tessera_jit, or says which Debian package has it.
macro(tessera_find_dependency name package)
  find_package(${name} QUIET)
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "tessera needs ${name}; on Debian and Ubuntu it is the package ${package}")
  endif()
endmacro()

# What every library, test and benchmark of this tree is compiled with. Internal headers are included from the root.
function(tessera_internal target)
  target_include_directories(${target} PRIVATE ${tessera_SOURCE_DIR} ${tessera_SOURCE_DIR}/include)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of g++ 12's flow analysis inside libstdc++ (std::string, std::vector) at -O2.
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds
                                             -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
  if(TESSERA_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TESSERA_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${TESSERA_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${TESSERA_SANITIZE})
  endif()
  get_target_property(kind ${target} TYPE)
  if(kind STREQUAL "SHARED_LIBRARY")
    # Both libraries lie in one folder, built and installed: each finds the other, and dlopen finds tessera_llvm.
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${tessera_BINARY_DIR}/lib
      BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH ON VERSION ${tessera_VERSION} NO_SONAME OFF
      SOVERSION ${tessera_VERSION_MAJOR}.${tessera_VERSION_MINOR})
  endif()
endfunction()

# Folds every folder of targets/ that has sources into `library`, generates the registry that calls each one's
# register_target(), and gives each an alias tessera::target_<name>. Appends the new CMake targets to `list`.
# A folder may hold a target.cmake, included with `tessera_target` naming its object library, for what it links.
function(tessera_add_targets library list)
  file(GLOB folders CONFIGURE_DEPENDS RELATIVE ${tessera_SOURCE_DIR}/targets ${tessera_SOURCE_DIR}/targets/*)
  set(declarations)
  set(calls)
  foreach(name IN LISTS folders)
    tessera_glob(sources targets/${name})
    if(NOT sources)
      continue()
    endif()
    set(tessera_target tessera_target_${name}_objects)
    add_library(${tessera_target} OBJECT ${sources})
    tessera_internal(${tessera_target})
    target_link_libraries(${tessera_target} PRIVATE tessera_headers)
    if(EXISTS ${tessera_SOURCE_DIR}/targets/${name}/target.cmake)
      include(${tessera_SOURCE_DIR}/targets/${name}/target.cmake)
    endif()
    target_sources(${library} PRIVATE $<TARGET_OBJECTS:${tessera_target}>)
    add_library(tessera_target_${name} INTERFACE)
    add_library(tessera::target_${name} ALIAS tessera_target_${name})
    set_target_properties(tessera_target_${name} PROPERTIES EXPORT_NAME target_${name})
    target_link_libraries(tessera_target_${name} INTERFACE ${library})
    list(APPEND ${list} tessera_target_${name})
    string(APPEND declarations "namespace ${name} {\nvoid register_target();\n}\n")
    string(APPEND calls "  ${name}::register_target();\n")
  endforeach()
  set(${list} ${${list}} PARENT_SCOPE)
  configure_file(${tessera_SOURCE_DIR}/cmake/targets_registry.cpp.in ${tessera_BINARY_DIR}/generated/targets_registry.cpp
                 @ONLY)
  target_sources(${library} PRIVATE ${tessera_BINARY_DIR}/generated/targets_registry.cpp)
endfunction()
