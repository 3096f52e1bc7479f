# Builds and runs the project outside/<kind> with README's first C++ listing as its main.cpp.
# Takes kind, compiler, source (this tree), build (where it is built) and work (a folder that is emptied first).
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

file(READ ${source}/README.md readme)
string(FIND "${readme}" "```cpp\n" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "README.md has no C++ listing")
endif()
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${readme}" ${begin} -1 readme)
string(FIND "${readme}" "\n```" end)
string(SUBSTRING "${readme}" 0 ${end} listing)
file(WRITE ${work}/main.cpp "${listing}\n")

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

# What the build of this tree was configured with: equal flags let ccache answer for the library's sources.
set(inherited)
foreach(name CMAKE_BUILD_TYPE CMAKE_CXX_FLAGS_RELWITHDEBINFO CMAKE_GENERATOR TESSERA_WARNINGS_AS_ERRORS)
  file(STRINGS ${build}/CMakeCache.txt line REGEX "^${name}:")
  string(REGEX REPLACE "^[^=]*=" "" ${name} "${line}")
endforeach()
list(APPEND inherited -G ${CMAKE_GENERATOR} -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}
  "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=${CMAKE_CXX_FLAGS_RELWITHDEBINFO}" -DMAIN=${work}/main.cpp)
if(kind STREQUAL "add_subdirectory")
  list(APPEND inherited -DTESSERA_WARNINGS_AS_ERRORS=${TESSERA_WARNINGS_AS_ERRORS})
endif()
set(ENV{CCACHE_NOHASHDIR} true)
find_program(ccache ccache)
if(ccache)
  list(APPEND inherited -DCMAKE_CXX_COMPILER_LAUNCHER=${ccache})
endif()

if(kind STREQUAL "find_package")
  run("installing" ${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix --component tessera)
  run("configuring" ${CMAKE_COMMAND} -S ${source}/tests/outside/${kind} -B ${work}/build ${inherited}
      -DCMAKE_PREFIX_PATH=${work}/prefix)
else()
  run("configuring" ${CMAKE_COMMAND} -S ${source}/tests/outside/${kind} -B ${work}/build ${inherited}
      -DTESSERA_SOURCE=${source})
endif()
run("building" ${CMAKE_COMMAND} --build ${work}/build -j 2)
run("running" ${work}/build/outside)
message("${out}")
file(REMOVE_RECURSE ${work})
