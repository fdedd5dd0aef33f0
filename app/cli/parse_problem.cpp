#include "app/cli/parse_problem.h"

#include <algorithm>

#include "core/base/diagnostic.h"
#include "core/base/text.h"

namespace moescope::cli {
namespace {

/// The verb in use, else the program itself.
const CLI::App& used(const CLI::App& program) {
  const auto verbs = program.get_subcommands();
  return verbs.empty() ? program : used(*verbs.front());
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + ' ' + app.get_name();
}

Diagnostic unknown_verb(const CLI::App& program, const std::string& word) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : program.get_subcommands({})) verbs.push_back(verb->get_name());
  const auto nearest = nearest_word(word, verbs);
  return error("there is no verb '" + printable(word) + '\'',
               nearest ? "did you mean '" + *nearest + "'?" : "verbs are " + join_or(verbs));
}

}  // namespace

std::string parse_problem(const CLI::App& program, const CLI::ParseError& problem,
                          const std::vector<std::string>& arguments) {
  const CLI::App& app = used(program);
  if (&app == &program && !arguments.empty() && !arguments.front().starts_with('-'))
    return format(unknown_verb(program, arguments.front()));
  const std::string help = full_name(app) + " --help tells what there is";
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    const std::vector<std::string> known = option_names(app);
    if (!name.starts_with("--") || name == "--" || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto nearest = nearest_word(name, known);
    return format(error(full_name(app) + " has no option '" + printable(name) + '\'',
                        nearest ? "did you mean '" + *nearest + "'?" : help));
  }
  return format(error(problem.what(), help));
}

}  // namespace moescope::cli
