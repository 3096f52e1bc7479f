// Owns main() of the program `tessera`: the tree of commands, and how a failure ends.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>

#include "autotune/cli/command.hpp"
#include "tessera/call/errors.hpp"

namespace {

using namespace tessera;
using namespace tessera::cli;

void add_commands(CLI::App& app, Choice& choice) {
  app.description("Looks at, compiles and tunes kernels of Tessera, and cares for their caches.");
  app.set_version_flag("--version", "tessera " TESSERA_VERSION);
  Command root(app, choice, "");
  add_doctor(root);
  add_kernels(root);
  add_ir(root);
  add_compile(root);
  add_tune(root);
  add_cache(root);
  add_completion(root, app);
  add_man(root, app);
}

/// Says a failure: one line on standard error, and a document where one was asked for.
int failed(Choice& choice, int exit, const char* kind, std::string_view message) {
  constexpr std::string_view mark = "\n  hint: ";
  const auto at = message.find(mark);
  const std::string_view hint = at == std::string_view::npos ? std::string_view() : message.substr(at + mark.size());
  Output(choice.name, choice.json).fail(exit, kind, one_line(message.substr(0, at)), one_line(hint));
  const std::string name = choice.name.empty() ? "tessera" : "tessera " + choice.name;
  std::fprintf(stderr, "%s: %s\n", name.c_str(), one_line(message).c_str());
  return exit;
}

const char* name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::user:
      return "usage";
    case ErrorKind::device:
      return "machine";
    default:
      return "internal";
  }
}

/// The command that the command line got to.
const CLI::App& reached(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  return *at;
}

/// With those above it: "tessera cache list".
std::string full_name(const CLI::App& app) {
  return app.get_parent() ? full_name(*app.get_parent()) + " " + app.get_name() : app.get_name();
}

/// What is wrong with the command line.
std::string complaint(const CLI::ParseError& e, const CLI::App& at) {
  const auto children = at.get_subcommands([](const CLI::App*) { return true; });
  if (children.empty()) return e.what();
  std::string names;
  for (const CLI::App* child : children) names.append(names.empty() ? "" : ", ").append(child->get_name());
  const std::vector<std::string> rest = at.remaining();
  if (rest.empty()) return "name a command: " + names;
  const bool option = rest.front().rfind('-', 0) == 0;
  return (option ? "there is no option " : "there is no command ") + rest.front() +
         (option ? "" : ": there are " + names);
}

/// Help and the version are output like any other: a full disk is an error.
int print(const std::string& text) {
  Output output("", false);
  output.raw(text);
  output.finish();
  return exit_done;
}

int run(CLI::App& app, Choice& choice, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print(app.help());
  } catch (const CLI::CallForVersion& e) {
    return print(std::string(e.what()) + "\n");
  } catch (const CLI::ParseError& e) {
    const CLI::App& at = reached(app);
    const std::string name = full_name(at);
    choice.name = at.get_parent() ? name.substr(name.find(' ') + 1) : "";
    return failed(choice, exit_usage, "usage", complaint(e, at) + "\n  hint: see " + name + " --help");
  }
  Output output(choice.name, choice.json);
  const int exit = choice.action(output);
  output.finish();
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away shows as EPIPE
  Choice choice;
  try {
    CLI::App app("", "tessera");
    add_commands(app, choice);
    return run(app, choice, argc, argv);
  } catch (const Error& e) {
    return failed(choice, exit_code(e.kind()), name_of(e.kind()), e.what());
  } catch (const std::bad_alloc&) {
    return failed(choice, exit_machine, "machine", "out of memory");
  } catch (const std::exception& e) {
    return failed(choice, exit_internal, "internal", e.what());
  }
}
