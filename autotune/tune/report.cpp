// Owns the page that shows a tuning: two pictures in SVG, two tables.
#include "autotune/tune/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>

#include "autotune/tune/progress.hpp"
#include "jit/runtime/html.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

using jit::escaped;

constexpr double width = 860, height = 300, left = 70, bottom = 40, top = 20, right = 20;

template <class... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, numbers...);
  return text;
}

std::string open_picture(const std::string& title) {
  return "<h2>" + title + "</h2>" + format("<svg viewBox='0 0 %g %g' role='img'>", width, height) +
         format("<path class='axis' d='M%g %gV%gH%g'/>", left, top, height - bottom, width - right);
}

/// A logarithmic axis from `low` to `high` onto [from, to].
struct Axis {
  double low, high, from, to;
  double at(double v) const {
    return from + (to - from) * (std::log(v) - std::log(low)) / std::max(1e-9, std::log(high) - std::log(low));
  }
  std::vector<double> ticks() const {  // 1, 2, 5 times powers of ten
    std::vector<double> all;
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (const double digit : {1.0, 2.0, 5.0})
        if (digit * power >= low && digit * power <= high) all.push_back(digit * power);
    return all;
  }
};

std::string times_picture(const TuneResult& r) {
  double low = INFINITY, high = 0;
  for (const Trial& t : r.trials)
    if (t.outcome == "ok" && t.seconds > 0) {
      low = std::min({low, t.seconds, t.predicted > 0 ? t.predicted : t.seconds});
      high = std::max({high, t.high, t.seconds});
    }
  if (high <= 0) return "";
  const Axis y{low * 0.9, high * 1.1, height - bottom, top};
  std::string svg = open_picture("Configurations against time");
  for (const double tick : y.ticks())
    svg += format("<path class='grid' d='M%g %.1fH%g'/><text x='%g' y='%.1f' text-anchor='end'>%s</text>", left,
                  y.at(tick), width - right, left - 6, y.at(tick) + 4, time_text(tick).c_str());
  const double step = (width - left - right) / static_cast<double>(std::max<std::size_t>(1, r.trials.size()));
  for (std::size_t i = 0; i < r.trials.size(); ++i) {
    const Trial& t = r.trials[i];
    const double x = left + step * (static_cast<double>(i) + 0.5);
    const std::string name = escaped(text_of(t.tunables));
    if (t.outcome != "ok" || t.seconds <= 0) {
      svg += format("<text class='lost' x='%.1f' y='%g' text-anchor='middle'>×<title>", x, height - bottom - 4) + name +
             ": " + escaped(t.outcome + (t.note.empty() ? "" : ", " + t.note)) + "</title></text>";
      continue;
    }
    const bool best = text_of(t.tunables) == text_of(r.config.tunables);
    if (t.low > 0 && t.high > 0)
      svg += format("<path class='spread' d='M%.1f %.1fV%.1f'/>", x, y.at(t.low), y.at(t.high));
    if (t.predicted > 0)
      svg += format("<path class='predicted' d='M%.1f %.1fh6'/>", x - 3, y.at(std::max(t.predicted, y.low)));
    svg += format("<circle class='%s' cx='%.1f' cy='%.1f' r='%g'><title>", best ? "best" : "tried", x, y.at(t.seconds),
                  best ? 6.0 : 4.0) +
           name + ": " + time_text(t.seconds) + (t.predicted > 0 ? ", predicted " + time_text(t.predicted) : "") +
           "</title></circle>";
  }
  return svg +
         format("<text x='%g' y='%g' text-anchor='end'>in the order of trying →</text></svg>", width - right,
                height - 12) +
         "<p class='key'><b class='best'>●</b> the winner <b class='tried'>●</b> tried, with its interval "
         "<b class='predicted'>–</b> predicted <b class='lost'>×</b> lost</p>";
}

std::string roofline_picture(const TuneResult& r, const ReportFacts& f) {
  if (f.roof.operations <= 0 || f.roof.bandwidth <= 0) return "";
  double low = f.roof.operations / f.roof.bandwidth / 64, high = f.roof.operations / f.roof.bandwidth * 64,
         least = f.roof.operations;
  for (std::size_t i = 0; i < r.trials.size(); ++i)
    if (f.operations[i] > 0 && f.bytes[i] > 0 && r.trials[i].outcome == "ok" && r.trials[i].seconds > 0) {
      low = std::min(low, f.operations[i] / f.bytes[i] / 2);
      high = std::max(high, f.operations[i] / f.bytes[i] * 2);
      least = std::min(least, f.operations[i] / r.trials[i].seconds);
    }
  if (least == f.roof.operations) return "";
  const Axis x{low, high, left, width - right};
  const Axis y{std::min(least / 2, f.roof.bandwidth * low), f.roof.operations * 1.6, height - bottom, top};
  std::string svg = open_picture("Roofline");
  for (const double tick : y.ticks())
    if (std::log10(tick) == std::floor(std::log10(tick)))
      svg += format("<path class='grid' d='M%g %.1fH%g'/><text x='%g' y='%.1f' text-anchor='end'>%g</text>", left,
                    y.at(tick), width - right, left - 6, y.at(tick) + 4, tick * 1e-9);
  for (const double tick : x.ticks())
    if (std::log10(tick) == std::floor(std::log10(tick)))
      svg += format("<text x='%.1f' y='%g' text-anchor='middle'>%g</text>", x.at(tick), height - bottom + 16, tick);
  const double knee = std::clamp(f.roof.operations / f.roof.bandwidth, low, high);
  svg += format("<path class='roof' d='M%.1f %.1fL%.1f %.1fH%.1f'/>", x.at(low), y.at(f.roof.bandwidth * low),
                x.at(knee), y.at(f.roof.operations), x.at(high));
  for (std::size_t i = 0; i < r.trials.size(); ++i) {
    const Trial& t = r.trials[i];
    if (t.outcome != "ok" || t.seconds <= 0 || f.operations[i] <= 0 || f.bytes[i] <= 0) continue;
    const bool best = text_of(t.tunables) == text_of(r.config.tunables);
    svg += format("<circle class='%s' cx='%.1f' cy='%.1f' r='%g'><title>", best ? "best" : "tried",
                  x.at(f.operations[i] / f.bytes[i]), y.at(f.operations[i] / t.seconds), best ? 6.0 : 4.0) +
           escaped(text_of(t.tunables)) + format(": %.1f Gop/s</title></circle>", f.operations[i] / t.seconds * 1e-9);
  }
  return svg +
         format(
             "<text x='%g' y='%g' text-anchor='end'>operations a byte →</text><text x='%g' y='%g'>Gop/s</text></svg>",
             width - right, height - 8, 8.0, top - 6) +
         format(
             "<p class='key'>The roof: %.1f Gop/s, and %.1f GB/s from memory, measured. Data that stay in a cache may "
             "lie above the slope.</p>",
             f.roof.operations * 1e-9, f.roof.bandwidth * 1e-9);
}

std::string trials_table(const TuneResult& r) {
  std::string html =
      "<h2>Tried</h2><table><tr><th>configuration<th>time<th>interval<th>predicted<th>samples<th>outcome</tr>";
  std::vector<const Trial*> order;
  for (const Trial& t : r.trials) order.push_back(&t);
  std::stable_sort(order.begin(), order.end(), [](const Trial* a, const Trial* b) {
    const bool runs = a->outcome == "ok", other = b->outcome == "ok";
    return runs != other ? runs : a->seconds < b->seconds;
  });
  for (const Trial* t : order) {
    html += text_of(t->tunables) == text_of(r.config.tunables) ? "<tr class='won'><td>" : "<tr><td>";
    html += escaped(text_of(t->tunables)) + "<td>" + (t->seconds > 0 ? time_text(t->seconds) : "") + "<td>" +
            (t->low > 0 ? time_text(t->low) + " … " + time_text(t->high) : "") + "<td>" +
            (t->predicted > 0 ? time_text(t->predicted) : "") + "<td>" + std::to_string(t->runs) + "<td>" +
            escaped(t->outcome + (t->note.empty() ? "" : ": " + t->note) + (t->stored ? " (known before)" : "")) +
            "</tr>";
  }
  return html + "</table>";
}

std::string pruned_table(const TuneResult& r) {
  if (r.pruned.empty()) return "";
  std::map<std::string, std::pair<std::size_t, std::string>> reasons;  // those of one kind together
  for (const Pruned& p : r.pruned) {
    const bool same = p.why.starts_with("the same code as");
    auto& [count, example] = reasons[same ? "the same code as another configuration" : p.why];
    if (count++ == 0) example = text_of(p.tunables) + (same ? ": " + p.why : "");
  }
  std::string html = "<h2>Not compiled</h2><table><tr><th>why<th>configurations<th>for example</tr>";
  for (const auto& [why, what] : reasons)
    html += "<tr><td>" + escaped(why) + "<td>" + std::to_string(what.first) + "<td>" + escaped(what.second) + "</tr>";
  return html + "</table>";
}

}  // namespace

std::string report_page(const TuneResult& r, const ReportFacts& f) {
  std::string page =
      "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Tuning of " + escaped(f.kernel) +
      "</title><style>body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222;"
      "background:#fcfcfc}svg{width:100%;height:auto}svg text{font-size:12px;fill:#555}.axis{fill:none;stroke:#888}"
      ".grid{stroke:#ddd}.spread{stroke:#90a4ae;stroke-width:2}.predicted{stroke:#e65100;stroke-width:2;color:#e65100}"
      ".roof{fill:none;stroke:#37474f;stroke-width:2}.tried{fill:#1976d2;color:#1976d2}.best{fill:#2e7d32;color:#"
      "2e7d32}"
      "svg .lost,.lost{fill:#c62828;color:#c62828;font-weight:bold}table{border-collapse:collapse;width:100%}th,td{"
      "text-align:left;padding:3px 10px;border-bottom:1px solid #ddd}.won{background:#e8f5e9}.key{color:#555}"
      "@media(prefers-color-scheme:dark){body{background:#1e1e1e;color:#ddd}.grid{stroke:#333}svg text{fill:#aaa}"
      ".roof{stroke:#b0bec5}.won{background:#1b3a1f}th,td{border-color:#444}}</style></head><body>";
  page += "<h1>" + escaped(f.kernel) + "</h1><p>" + escaped(f.shape) + "<br>" + escaped(f.device) + "</p><p><b>" +
          escaped(text_of(r.config.tunables)) + "</b>: " + time_text(r.seconds);
  if (r.default_seconds > 0 && r.seconds > 0)
    page += format(", %.2f × as fast as the default, ", r.default_seconds / r.seconds) +
            escaped(text_of(r.default_tunables)) + " (" + time_text(r.default_seconds) + ")";
  page += "</p><p>" + std::to_string(r.trials.size()) + format(" of %.0f configurations tried, ", r.space) +
          std::to_string(r.timed) + format(" timed now, in %.1f s; ", r.elapsed) + escaped(r.stopped) +
          ". Results were checked against " + escaped(r.reference) + ".</p>";
  return page + times_picture(r) + roofline_picture(r, f) + trials_table(r) + pruned_table(r) + "</body></html>\n";
}

void check_page(const std::string& path) {
  const std::string next = path + ".new";
  const bool made = static_cast<bool>(std::ofstream(next, std::ios::binary));
  if (!made || std::remove(next.c_str()) != 0) throw UserError("tuning: the report " + path + " cannot be written");
}

void write_page(const std::string& path, const std::string& page) {
  const std::string next = path + ".new";
  {
    std::ofstream out(next, std::ios::binary);
    out << page;
    if (!out.flush()) throw UserError("tuning: the report " + path + " cannot be written");
  }
  if (std::rename(next.c_str(), path.c_str()) != 0)
    throw UserError("tuning: the report " + path + " cannot be written");
}

}  // namespace autotune
TESSERA_END
