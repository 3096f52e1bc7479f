// Owns the description of commands in CLI11's terms.
#include "autotune/cli/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

TESSERA_BEGIN
namespace cli {

Command Command::command(const std::string& name, const std::string& description) {
  CLI::App* child = app_->add_subcommand(name, description);
  app_->require_subcommand(1);
  return {*child, *choice_, path_.empty() ? name : path_ + " " + name};
}

Command& Command::argument(const std::string& placeholder, std::string& value, const std::string& help) {
  optional(placeholder, value, help);
  return required();
}

Command& Command::optional(const std::string& placeholder, std::string& value, const std::string& help) {
  last_ = app_->add_option(placeholder, value, help)->type_name("");
  return *this;
}

Command& Command::arguments(const std::string& placeholder, std::vector<std::string>& values, const std::string& help) {
  last_ = app_->add_option(placeholder, values, help)->type_name("");
  return *this;
}

Command& Command::option(const std::string& names, const std::string& placeholder, std::string& value,
                         const std::string& help) {
  last_ = app_->add_option(names, value, help)->type_name(placeholder);
  return *this;
}

Command& Command::option(const std::string& names, const std::string& placeholder, std::vector<std::string>& values,
                         const std::string& help) {
  last_ = app_->add_option(names, values, help)->type_name(placeholder)->allow_extra_args(false);
  return *this;
}

Command& Command::option(const std::string& names, const std::string& placeholder, std::int64_t& value,
                         std::int64_t least, const std::string& help) {
  const auto parse = [&value, least, names](const std::string& text) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least)
      throw CLI::ValidationError(names, "\"" + text + "\" is not a whole number from " + std::to_string(least));
  };
  last_ = app_->add_option_function<std::string>(names, parse, help)->type_name(placeholder);
  return *this;
}

Command& Command::choice(const std::string& names, const std::vector<std::string>& choices, std::string& value,
                         const std::string& help) {
  std::string list;
  for (const std::string& one : choices) list.append(list.empty() ? "" : "|").append(one);
  last_ = app_->add_option(names, value, help)->type_name(list);
  last_->check(
      [choices](const std::string& text) -> std::string {
        if (std::find(choices.begin(), choices.end(), text) != choices.end()) return {};
        std::string all;
        for (const std::string& one : choices) all.append(all.empty() ? "" : ", ").append(one);
        return "\"" + text + "\" is none of " + all;
      },
      "");
  return *this;
}

Command& Command::flag(const std::string& names, bool& value, const std::string& help) {
  last_ = app_->add_flag(names, value, help);
  return *this;
}

Command& Command::required() {
  last_->required();
  return *this;
}

Command& Command::example(const std::string& line, const std::string& what) {
  const std::string before = app_->get_footer();
  app_->footer((before.empty() ? "Examples:\n" : before + "\n") + "  " + line + "\n      " + what);
  return *this;
}

void Command::runs(Action action, bool with_json) {
  if (with_json) app_->add_flag("--json", choice_->json, "write one JSON document instead of text");
  app_->final_callback([choice = choice_, path = path_, action = std::move(action)] {
    choice->name = path;
    choice->action = action;
  });
}

}  // namespace cli
TESSERA_END
