//! `--print-config`: the configuration as an env file, with the origin of each value in a comment above it.

use std::fmt::Write as _;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::parse::{Values, deepest, is_own, is_secret, variable_of};

/// All options of the command and of its chosen subcommand that have a variable.
pub(super) fn render(command: &Command, matches: &ArgMatches, values: &Values) -> String {
    let mut text = String::new();
    let (mut command, mut level) = (command, matches);
    loop {
        for option in command.get_arguments().filter(|option| !is_own(option)) {
            if let Some(name) = variable_of(option) {
                // A global option may have been given after the subcommand, and only its matches know of that.
                let matches = if option.is_global_set() { deepest(matches) } else { level };
                text.push_str(&render_option(option, &name, matches, values));
            }
        }
        let Some((name, inner)) = level.subcommand() else { return text };
        let Some(chosen) = command.find_subcommand(name) else { return text };
        (command, level) = (chosen, inner);
    }
}

fn render_option(option: &Arg, name: &str, matches: &ArgMatches, values: &Values) -> String {
    let id = option.get_id().as_str();
    let origin = match (matches.value_source(id), values.get(name)) {
        (None, _) => "not set".to_owned(),
        (Some(ValueSource::CommandLine), _) => "command line".to_owned(),
        (Some(_), Some(found)) => found.origin.to_string(),
        (Some(_), None) => "default".to_owned(),
    };
    // A path may hold a line break, which would end the comment.
    let mut text = format!("# {}", origin.replace(['\n', '\r'], "?"));
    let delimiter = option.get_value_delimiter().unwrap_or(',').to_string();
    let raw =
        matches.get_raw(id).map(|values| values.map(|value| value.to_str()).collect::<Option<Vec<_>>>());
    let written = match raw {
        None => write!(text, "\n#{name}=\n"),
        Some(_) if is_secret(option) => write!(text, "\n#{name}=***\n"),
        Some(Some(values)) if !values.iter().any(|value| value.contains(['\n', '\r'])) => {
            write!(text, "\n{name}={}\n", values.join(&delimiter))
        }
        Some(_) => write!(text, " (with a line break or not UTF-8: it cannot be in an env file)\n#{name}=\n"),
    };
    written.expect("a String takes all that is written to it");
    text
}
