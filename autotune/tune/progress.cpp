// Owns how a tuning shows itself while it runs.
#include "autotune/tune/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

TESSERA_BEGIN
namespace autotune {

std::string time_text(double seconds) {
  static constexpr const char* units[] = {"s", "ms", "µs", "ns"};
  int unit = 0;
  while (unit < 3 && seconds < 0.9995) seconds *= 1e3, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %s", seconds < 9.995 ? 2 : seconds < 99.95 ? 1 : 0, seconds, units[unit]);
  return text;
}

void ProgressWriter::write(const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(descriptor_, text.data() + done, text.size() - done);
    if (n <= 0) return;  // a terminal that is gone is no reason to stop tuning
    done += static_cast<std::size_t>(n);
  }
}

void ProgressWriter::show(const TuneProgress& p) {
  const bool done = p.stage == "done", news = p.stage != stage_ || p.configuration != best_;
  std::string found;
  if (p.best > 0) {
    found = ", best " + time_text(p.best) + " by " + p.configuration;
    if (p.initial > 0) {
      char gain[32];
      std::snprintf(gain, sizeof gain, " (%.2f × the default)", p.initial / p.best);
      found += gain;
    }
  }
  if (terminal_) {
    if (!news && p.elapsed - shown_ < 0.1) return;
    constexpr int width = 24;
    const double by_count = static_cast<double>(p.tried) / static_cast<double>(std::max<std::size_t>(1, p.planned));
    const double by_time = p.elapsed / std::max(1e-9, p.elapsed + p.left);
    const int full = done ? width : static_cast<int>(std::clamp(std::max(by_count, by_time), 0.0, 1.0) * (width - 1));
    std::string bar;
    for (int i = 0; i < width; ++i) bar += i < full ? "█" : "░";
    char left[48];
    std::snprintf(left, sizeof left, " %zu/%zu, at most %.0f s left", p.tried, p.planned, p.left);
    write("\r\x1b[K" + kernel_ + " " + bar + (done ? " " + std::to_string(p.tried) + " tried" : left) + found +
          (done ? "\n" : ""));
  } else if (news) {
    char head[96];
    std::snprintf(head, sizeof head, ": %s, %.1f s, %zu tried", p.stage.c_str(), p.elapsed, p.tried);
    write(kernel_ + head + found + "\n");
  }
  shown_ = p.elapsed, stage_ = p.stage, best_ = p.configuration;
}

}  // namespace autotune
TESSERA_END
