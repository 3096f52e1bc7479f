// Owns Tessera's version and the inline namespace that carries it into every symbol.
#pragma once

#define TESSERA_VERSION_MAJOR 0
#define TESSERA_VERSION_MINOR 1
#define TESSERA_VERSION_PATCH 0
#define TESSERA_VERSION "0.1.0"

/// Opens and closes `tessera` with its inline version namespace, so that two versions can live in one process.
#define TESSERA_BEGIN \
  namespace tessera { \
  inline namespace v0_1 {
#define TESSERA_END \
  }                 \
  }
