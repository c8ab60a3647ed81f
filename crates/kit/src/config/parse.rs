//! Fills a clap struct from all the places that configuration comes from.
//!
//! clap itself looks at the process's environment, once, when a command is built, and knows nothing of files. So each
//! variable is taken off its option, and the value that was found for it becomes the option's default.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::{Resettable, StyledStr};
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Parser};

use super::env_file::EnvFile;
use super::print;
use super::sources::{Found, Sources, variable};

const ENV_FILE: &str = "env-file";
const ENV_FILE_VARIABLE: &str = "SELVEDGE_ENV_FILE";
const PRINT_CONFIG: &str = "print-config";

/// What was found for each variable.
pub(super) type Values = BTreeMap<String, Found>;

/// What a process is asked to do.
#[derive(Debug)]
pub enum Outcome<P> {
    /// To run with this configuration.
    Run(P),
    /// To print its configuration, which is this, and end.
    PrintConfig(String),
}

/// The configuration of this process. Ends the process where there is nothing to run: after an error, and after
/// `--help`, `--version` and `--print-config`.
pub fn parse<P: Parser>() -> P {
    match try_parse_from(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(Outcome::Run(parsed)) => parsed,
        Ok(Outcome::PrintConfig(text)) => {
            let printed = std::io::stdout().write_all(text.as_bytes());
            std::process::exit(i32::from(printed.is_err()))
        }
        Err(error) => error.exit(),
    }
}

/// The configuration from these arguments (the first is the program) and this environment.
///
/// What the command line says goes before the environment, that before the file that `NAME_FILE` names (for secrets),
/// that before the env file, and that before the default. An option whose variable is set counts for clap as one that
/// has that default: such a value does not conflict with another option, and fills no `Option` of a whole group.
pub fn try_parse_from<P: Parser>(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Outcome<P>, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let bare = P::command();
    let known = names(&bare);
    let original = add_options(bare);

    // A first look finds the env file and the subcommand. It also answers --help, with the true defaults.
    let mut command = document(original.clone()).ignore_errors(true);
    let preview = command.try_get_matches_from_mut(&arguments)?;
    let values = find_values(&original, &preview, &known, &environment)
        .map_err(|message| command.error(ErrorKind::ValueValidation, message))?;

    let mut command = document(fill(original.clone(), &values));
    let matches = command.try_get_matches_from_mut(&arguments)?;
    if deepest(&matches).get_flag(PRINT_CONFIG) {
        return Ok(Outcome::PrintConfig(print::render(&original, &matches, &values)));
    }
    P::from_arg_matches(&matches).map(Outcome::Run).map_err(|error| error.format(&mut command))
}

/// Whether an option is a secret: marked by clap's `hide_env_values`.
pub(super) fn is_secret(option: &Arg) -> bool {
    option.is_hide_env_values_set()
}

/// The variable of an option.
pub(super) fn variable_of(option: &Arg) -> Option<String> {
    option.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// The matches of the last subcommand, which know all global options.
pub(super) fn deepest(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| deepest(inner))
}

/// Whether `option` is one that [`try_parse_from`] adds.
pub(super) fn is_own(option: &Arg) -> bool {
    [ENV_FILE, PRINT_CONFIG].contains(&option.get_id().as_str())
}

fn add_options(command: Command) -> Command {
    let env_file = Arg::new(ENV_FILE)
        .long(ENV_FILE)
        .value_name("PATH")
        .value_parser(clap::value_parser!(PathBuf))
        .env(ENV_FILE_VARIABLE)
        .help("A file of NAME=value lines for what neither the command line nor the environment sets; values are taken literally");
    let print_config = Arg::new(PRINT_CONFIG)
        .long(PRINT_CONFIG)
        .action(ArgAction::SetTrue)
        .help("Print the configuration and where it comes from, and exit");
    command.args([env_file, print_config].map(|option| option.global(true).help_heading("Configuration")))
}

/// The variables of a command and of all its subcommands: one env file may serve them all.
fn names(command: &Command) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = command.get_subcommands().flat_map(names).collect();
    for option in command.get_arguments() {
        let name = variable_of(option);
        names.extend(name.iter().filter(|_| is_secret(option)).map(|name| format!("{name}_FILE")));
        names.extend(name);
    }
    names
}

fn find_values(
    command: &Command,
    preview: &ArgMatches,
    known: &BTreeSet<String>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Values, String> {
    let path = deepest(preview).get_one::<PathBuf>(ENV_FILE).cloned();
    let path = path.or_else(|| variable(environment, ENV_FILE_VARIABLE).map(PathBuf::from));
    let file = path.as_deref().map(|path: &Path| EnvFile::read(path, known)).transpose()?.unwrap_or_default();
    let mut values = Values::new();
    find_chosen(command, preview, &Sources { environment, file }, &mut values)?;
    Ok(values)
}

/// Finds what the command and its chosen subcommand need. What others need is not looked at, lest a service that needs
/// no password fail because of an unreadable one.
fn find_chosen(
    command: &Command,
    preview: &ArgMatches,
    sources: &Sources<'_>,
    values: &mut Values,
) -> Result<(), String> {
    for option in command.get_arguments().filter(|option| !is_own(option)) {
        let given = preview.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
        let Some(name) = variable_of(option).filter(|_| !given) else { continue };
        if let Some(found) = sources.find(&name, is_secret(option))? {
            check(option, &name, &found)?;
            values.insert(name, found);
        }
    }
    let Some((name, preview)) = preview.subcommand() else { return Ok(()) };
    // Absent for clap's own `help` and for external subcommands.
    let Some(chosen) = command.find_subcommand(name) else { return Ok(()) };
    find_chosen(chosen, preview, sources, values)
}

/// Refuses a value that its option does not take. clap would too, but speaks of the command line, where it is not.
fn check(option: &Arg, name: &str, found: &Found) -> Result<(), String> {
    let mut probe = Arg::new("value").long("value").value_parser(option.get_value_parser().clone());
    if let Some(delimiter) = option.get_value_delimiter() {
        probe = probe.value_delimiter(delimiter);
    }
    let mut argument = OsString::from("--value=");
    argument.push(&found.value);
    let Err(error) = Command::new("probe").no_binary_name(true).arg(probe).try_get_matches_from([argument])
    else {
        return Ok(());
    };
    let shown = if is_secret(option) { String::new() } else { format!("={}", found.value.to_string_lossy()) };
    let reason = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => source.to_string(),
        (None, Some(valid)) => format!("must be one of {valid}"),
        (None, None) if found.value.to_str().is_none() => "is not UTF-8".to_owned(),
        (None, None) => "is not a value for it".to_owned(),
    };
    Err(format!("{name}{shown} ({}): {reason}", found.origin))
}

/// Makes what was found the default of its option.
fn fill(command: Command, values: &Values) -> Command {
    command
        .mut_args(|option| match variable_of(&option).and_then(|name| values.get(&name)) {
            Some(found) => option.required(false).default_value(found.value.clone()),
            None => option,
        })
        .mut_subcommands(|subcommand| fill(subcommand, values))
}

/// Takes the variables from the options, so that clap does not look at them, and puts them into the help.
fn document(command: Command) -> Command {
    let describe = |option: Arg| {
        let Some(name) = variable_of(&option) else { return option };
        let names = if is_secret(&option) {
            format!("[env: {name} or {name}_FILE]")
        } else {
            format!("[env: {name}]")
        };
        let add = |help: &StyledStr, gap: &str| StyledStr::from(format!("{help}{gap}{names}"));
        let help = option.get_help().map(|help| add(help, " "));
        let long_help = option.get_long_help().map(|help| add(help, "\n\n"));
        option.env(Resettable::Reset).help(Resettable::from(help)).long_help(Resettable::from(long_help))
    };
    command.mut_args(describe).mut_subcommands(document)
}

#[cfg(test)]
mod tests;
