# The picture is written by stb.
find_path(TESSERA_STB stb/stb_image_write.h)
find_library(TESSERA_STB_LIBRARY stb)
if(TESSERA_STB AND TESSERA_STB_LIBRARY)
  set(libraries ${TESSERA_STB_LIBRARY})
else()
  set(missing "stb (Debian: libstb-dev)")
endif()
