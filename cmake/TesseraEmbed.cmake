# Owns tessera_embed_kernels: compiled kernels and tuned configurations inside a user's program.

# tessera_embed_kernels(target [OBJECTS file.pack…] [TABLES file.json…])
#
# Compiles packs of objects (`tessera cache export`) and tables of tuned configurations into `target`, which must link
# tessera::tessera. What they have is neither compiled nor tuned when the program runs, with or without LLVM; anything else
# goes its usual way.
function(tessera_embed_kernels target)
  cmake_parse_arguments(PARSE_ARGV 1 embed "" "" "OBJECTS;TABLES")
  if(embed_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tessera_embed_kernels(${target}): not understood: ${embed_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT embed_OBJECTS AND NOT embed_TABLES)
    message(FATAL_ERROR "tessera_embed_kernels(${target}): give OBJECTS files or TABLES files")
  endif()
  set(declarations "")
  set(calls "")
  set(files "")
  set(number 0)
  foreach(kind OBJECTS TABLES)
    foreach(file IN LISTS embed_${kind})
      get_filename_component(path "${file}" ABSOLUTE)
      if(NOT EXISTS "${path}")
        message(FATAL_ERROR "tessera_embed_kernels(${target}): there is no file ${path}")
      endif()
      get_filename_component(name "${path}" NAME)
      set(symbol tessera_embedded_${number})
      math(EXPR number "${number} + 1")
      list(APPEND files "${path}")
      string(APPEND declarations
        "__asm__(\".section .rodata,\\\"a\\\",@progbits\\n.balign 64\\n.local ${symbol}, ${symbol}_end\\n${symbol}:\\n\"\n"
        "        \".incbin \\\"${path}\\\"\\n${symbol}_end:\\n.byte 0\\n.text\\n\");\n"
        "extern \"C\" {\nextern const char ${symbol}[] __asm__(\"${symbol}\");\n"
        "extern const char ${symbol}_end[] __asm__(\"${symbol}_end\");\n}\n")
      set(function tessera_embed_pack)
      if(kind STREQUAL "TABLES")
        set(function tessera_embed_table)
      endif()
      string(APPEND calls
        "    ${function}(\"${name}\", ${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol}));\n")
    endforeach()
  endforeach()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${target}_tessera_kernels.cpp")
  file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT
"// Made by tessera_embed_kernels: adds what is embedded before main.
#include <cstddef>

extern \"C\" void tessera_embed_pack(const char* name, const char* data, std::size_t size);
extern \"C\" void tessera_embed_table(const char* name, const char* data, std::size_t size);
@declarations@
namespace {
const struct Embed {
  Embed() {
@calls@  }
} embed;
}  // namespace
")
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE "${source}")
endfunction()
