// Owns how a tuning shows itself while it runs: a bar with the best so far on a terminal, plain lines elsewhere.
#pragma once

#include <string>

#include "tessera/tune.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// "1.24 ms", "820 ns": three digits.
std::string time_text(double seconds);

/// Writes to a descriptor as it goes. On a terminal one line is drawn again and again, at most ten times a second;
/// elsewhere a line is written when the stage changes or a better configuration is found.
class ProgressWriter {
 public:
  ProgressWriter(std::string kernel, int descriptor, bool terminal)
      : kernel_(std::move(kernel)), descriptor_(descriptor), terminal_(terminal) {}
  void show(const TuneProgress& progress);

 private:
  void write(const std::string& text) const;
  std::string kernel_;
  int descriptor_;
  bool terminal_;
  double shown_ = -1;
  std::string stage_, best_;
};

}  // namespace autotune
TESSERA_END
