// Owns the process-wide lists that static objects enter when they are made and leave at their end.
#pragma once

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace call {

/// A list of `Entry` objects, each linked by its member `next_`; of constant initialisation and without a destructor,
/// so that it outlives its entries.
template <class Entry>
struct ProcessList {
  Entry* first = nullptr;
  bool locked = false;

  void lock() noexcept {
    while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE)) {  // held for a few instructions only
    }
  }
  void unlock() noexcept { __atomic_clear(&locked, __ATOMIC_RELEASE); }

  void enter(Entry& entry) noexcept {
    lock();
    entry.next_ = first;
    first = &entry;
    unlock();
  }
  void leave(Entry& entry) noexcept {
    lock();
    Entry** link = &first;
    while (*link != nullptr && *link != &entry) link = &(*link)->next_;
    if (*link != nullptr) *link = entry.next_;
    unlock();
  }
};

}  // namespace call
TESSERA_END
