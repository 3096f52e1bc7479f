# What the digits need beside Tessera: zlib, for the data, which is shipped compressed.
find_package(ZLIB QUIET)
if(ZLIB_FOUND)
  set(libraries ZLIB::ZLIB)
else()
  set(missing "zlib (Debian: zlib1g-dev)")
endif()
