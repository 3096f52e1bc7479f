// Owns what a loop or a branch of a kernel is while C++ runs through its body once to record it.
#pragma once

#include "tessera/language/recorder.hpp"

TESSERA_BEGIN
namespace detail {

/// What a `for` runs over: one pass through its body records it.
template <class Value>
class Loop {
 public:
  constexpr Loop(Recorder* r, int region, Value v) : recorder_(r), region_(region), value_(v), done_(r->bad) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  constexpr ~Loop() {
    if (!done_) recorder_->left_early();
  }
  struct End {};
  struct Iterator {
    Loop* loop;
    constexpr Value operator*() const { return loop->value_; }
    constexpr void operator++() const {
      loop->done_ = true;
      loop->recorder_->leave(loop->region_);
    }
    constexpr bool operator!=(End) const { return !loop->done_; }
  };
  constexpr Iterator begin() { return {this}; }
  constexpr End end() const { return {}; }

 private:
  Recorder* recorder_;
  int region_;
  Value value_;
  bool done_;
};

/// A branch while it is recorded.
class [[maybe_unused]] Branch {
 public:
  constexpr Branch(Recorder* r, int region) : recorder_(r), region_(region) {}
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;
  constexpr ~Branch() {
    if (region_ >= 0) recorder_->leave(region_);
  }
  constexpr explicit operator bool() const { return true; }

 private:
  Recorder* recorder_;
  int region_;
};

}  // namespace detail
TESSERA_END
