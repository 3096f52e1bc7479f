// Owns the JSON form of rows: for people, fleets, and tables that are compiled into programs.
#include <nlohmann/json.hpp>

#include "autotune/store/rows.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

using nlohmann::json;
constexpr const char form[] = "tessera tuned 1";

json to_json(const Row& row) {
  const Timing& t = row.timing;
  json configuration = json::object();
  for (const Tuned& tuned : t.configuration) configuration[tuned.name] = tuned.value;
  json out = {{"kernel", row.key.kernel},
              {"program", row.key.program},
              {"extents", row.key.extents},
              {"types", row.key.types},
              {"device", row.key.device},
              {"threads", row.key.threads},
              {"mode", row.key.mode},
              {"configuration", configuration},
              {"outcome", name(t.outcome)},
              {"seconds", t.seconds},
              {"low", t.low},
              {"high", t.high},
              {"runs", t.runs},
              {"when", t.when},
              {"tessera", t.versions.tessera},
              {"build", t.versions.build},
              {"compiler", t.versions.compiler}};
  if (!t.bits.empty()) out["bits"] = t.bits;
  if (!t.note.empty()) out["note"] = t.note;
  if (t.chosen) out["chosen"] = true;
  return out;
}

Row from_json(const json& in) {
  Row row;
  row.key.kernel = in.at("kernel");
  row.key.program = in.at("program");
  row.key.extents = in.at("extents").get<std::map<std::string, std::int64_t>>();
  row.key.types = in.at("types");
  row.key.device = in.at("device");
  row.key.threads = in.at("threads");
  row.key.mode = in.value("mode", "");
  Timing& t = row.timing;
  for (const auto& [name, value] : in.at("configuration").items()) {
    t.configuration.push_back({name, value.get<std::int64_t>()});
    if (t.configuration.back().value <= 0) throw std::runtime_error("tunable " + name + " is not positive");
  }
  const std::string outcome = in.value("outcome", "ok");
  int index = 0;
  while (name(static_cast<Outcome>(index)) != outcome)
    if (++index > static_cast<int>(Outcome::timeout))
      throw std::runtime_error("there is no outcome \"" + outcome + "\"");
  t.outcome = static_cast<Outcome>(index);
  t.seconds = in.at("seconds");
  t.low = in.value("low", t.seconds);
  t.high = in.value("high", t.seconds);
  t.runs = in.value("runs", std::int64_t{1});
  t.when = in.value("when", std::int64_t{1});
  t.bits = in.value("bits", "");
  t.note = in.value("note", "");
  t.chosen = in.value("chosen", false);
  t.versions = {in.value("tessera", ""), in.value("build", ""), in.value("compiler", "")};
  return row;
}

}  // namespace

std::string rows_to_json(const std::vector<Row>& rows) {
  json list = json::array();
  for (const Row& row : rows) list.push_back(to_json(row));
  return json{{"form", form}, {"timings", list}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

bool rows_from_json(std::string_view text, std::vector<Row>& rows, std::string& error) {
  try {
    const json in = json::parse(text);
    if (in.value("form", "") != form) {
      error = "this is no table of tuned configurations (\"form\" is not \"" + std::string(form) + "\")";
      return false;
    }
    for (const json& one : in.at("timings")) rows.push_back(from_json(one));
    return true;
  } catch (const std::exception& e) {
    error = std::string("this is no table of tuned configurations: ") + e.what();
    return false;
  }
}

}  // namespace autotune
TESSERA_END
