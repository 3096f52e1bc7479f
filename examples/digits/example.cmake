# What the digits need beside Tessera: zlib, for the data, which is shipped compressed; and the tuner, where it is built.
find_package(ZLIB QUIET)
if(ZLIB_FOUND)
  set(libraries ZLIB::ZLIB)
  if(TARGET tessera_autotune)   # its longest kernel is tuned, once on a machine
    list(APPEND libraries tessera::autotune)
    set_source_files_properties(digits/main.cpp PROPERTIES COMPILE_DEFINITIONS DIGITS_TUNES=1)
  endif()
else()
  set(missing "zlib (Debian: zlib1g-dev)")
endif()
