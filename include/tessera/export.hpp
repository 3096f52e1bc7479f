// Owns the mark of what the shared libraries show to programs.
#pragma once

/// Marks a function or a class that crosses a shared library's border; it stays visible under -fvisibility=hidden.
#define TESSERA_API [[gnu::visibility("default")]]
