use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Args, Subcommand};

use super::*;
use crate::config::{Database, Listen, Secret, Telemetry};

#[derive(Parser, Debug)]
#[command(name = "selvedge", version = "1.2.3")]
struct Selvedge {
    #[command(flatten)]
    telemetry: Telemetry,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Starts it
    Up {
        #[command(flatten)]
        listen: Listen,
        #[command(flatten)]
        database: Box<Database>,
        #[command(flatten)]
        more: More,
    },
    /// Looks at it
    Doctor,
}

#[derive(Args, Debug)]
struct More {
    /// Something that must be there
    #[arg(long, env = "SELVEDGE_NEEDED")]
    needed: String,
    /// Something that is not for the environment
    #[arg(long)]
    never: Option<String>,
    /// A switch
    #[arg(long, env = "SELVEDGE_SWITCH")]
    switch: bool,
    /// A list
    #[arg(long, env = "SELVEDGE_LIST", value_delimiter = ';')]
    list: Vec<u8>,
}

/// A directory that is removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("selvedge-config-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A command line, an environment and a directory with files.
struct Case {
    arguments: Vec<String>,
    environment: BTreeMap<String, OsString>,
    files: Directory,
}

impl Case {
    fn new(arguments: &[&str]) -> Self {
        let arguments = ["selvedge"].iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
        Self { arguments, environment: BTreeMap::new(), files: Directory::new() }
    }

    /// `selvedge up` with what it needs.
    fn up(arguments: &[&str]) -> Self {
        Self::new(&[&["up", "--needed=n"], arguments].concat())
    }

    fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.files.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn env_with_file(self, name: &str, text: &str) -> Self {
        let path = self.file(name, text);
        self.env(name, path)
    }

    fn env_file(self, text: &str) -> Self {
        self.env_with_file("SELVEDGE_ENV_FILE", text)
    }

    fn outcome(&self) -> Result<Outcome<Selvedge>, clap::Error> {
        try_parse_from(&self.arguments, |name| self.environment.get(name).cloned())
    }

    fn run(&self) -> Selvedge {
        match self.outcome() {
            Ok(Outcome::Run(parsed)) => parsed,
            Ok(Outcome::PrintConfig(text)) => panic!("printed instead: {text}"),
            Err(error) => panic!("{error}"),
        }
    }

    fn database(&self) -> Database {
        match self.run().action {
            Action::Up { database, .. } => *database,
            Action::Doctor => panic!("not up"),
        }
    }

    fn password(&self) -> String {
        self.database().password.expect("a password").expose().to_owned()
    }

    fn error(&self) -> String {
        self.outcome().expect_err("an error").to_string()
    }

    fn printed(&self) -> String {
        match self.outcome().unwrap() {
            Outcome::PrintConfig(text) => text,
            Outcome::Run(parsed) => panic!("{parsed:?}"),
        }
    }
}

#[test]
fn each_source_goes_before_the_next() {
    let name = "SELVEDGE_DATABASE_PASSWORD";
    let file_name = "SELVEDGE_DATABASE_PASSWORD_FILE";
    let behind = |case: Case| {
        let path = case.file("behind", "env file's file");
        case.env_file(&format!("{file_name}={}\n", path.display()))
    };
    assert_eq!(Case::up(&[]).database().password, None);
    assert_eq!(behind(Case::up(&[])).password(), "env file's file");
    let both = behind(Case::up(&[]));
    let text = fs::read_to_string(both.files.0.join("SELVEDGE_ENV_FILE")).unwrap();
    let both = both.env_file(&format!("{text}{name}=env file\n"));
    assert_eq!(both.password(), "env file");
    let file = both.env_with_file(file_name, "file\n");
    assert_eq!(file.password(), "file");
    let environment = Case::up(&[]).env_file(&format!("{name}=env file")).env(name, "environment");
    assert_eq!(environment.password(), "environment");
    let line = Case::up(&["--database-password=line"]).env(name, "environment");
    assert_eq!(line.password(), "line");
    // Not even a broken source matters, if another goes before it.
    let line = Case::up(&["--database-password=line"]).env(file_name, "/does/not/exist");
    assert_eq!(line.password(), "line");
}

#[test]
fn defaults_give_way_to_all_sources() {
    let log = |case: Case| case.run().telemetry.log;
    assert_eq!(log(Case::up(&[])), "info");
    assert_eq!(log(Case::up(&[]).env_file("SELVEDGE_LOG=debug")), "debug");
    assert_eq!(log(Case::up(&[]).env_file("SELVEDGE_LOG=debug").env("SELVEDGE_LOG", "warn")), "warn");
    assert_eq!(log(Case::new(&["--log=error", "up", "--needed=n"]).env("SELVEDGE_LOG", "warn")), "error");
    assert_eq!(log(Case::up(&[]).env("SELVEDGE_LOG", "")), "info", "an empty variable counts as none");
    let empty_and_file = Case::up(&[]).env("SELVEDGE_DATABASE_PASSWORD", "");
    assert_eq!(empty_and_file.env_with_file("SELVEDGE_DATABASE_PASSWORD_FILE", "x").password(), "x");
}

#[test]
fn the_environment_of_the_process_does_not_matter() {
    // PATH is certainly set; were clap to look it up, the option would have its value.
    #[derive(Parser, Debug)]
    struct Process {
        #[arg(long, env = "PATH")]
        path: Option<String>,
    }
    assert!(std::env::var_os("PATH").is_some());
    let outcome = try_parse_from::<Process>(["process"], |_| None).unwrap();
    assert!(matches!(outcome, Outcome::Run(Process { path: None })), "{outcome:?}");
}

#[test]
fn switches_lists_and_required_options_have_variables_too() {
    let case = Case::new(&["up"]).env("SELVEDGE_NEEDED", "e").env("SELVEDGE_SWITCH", "true");
    let Action::Up { more, .. } = case.env("SELVEDGE_LIST", "1;2;3").run().action else { panic!("not up") };
    assert_eq!((more.needed.as_str(), more.switch, more.list), ("e", true, vec![1, 2, 3]));
    assert!(Case::new(&["up"]).error().contains("--needed"));
    let error = Case::up(&[]).env("SELVEDGE_LIST", "1;x").error();
    assert!(error.contains("SELVEDGE_LIST=1;x (environment): "), "{error}");
    assert!(
        Case::up(&[])
            .env("SELVEDGE_SWITCH", "maybe")
            .error()
            .contains("SELVEDGE_SWITCH=maybe (environment): ")
    );
}

#[test]
fn an_env_file_is_named_anywhere() {
    let text = "SELVEDGE_DATABASE_PASSWORD=DevSecurePass123!@# \nSELVEDGE_LOG=debug\n";
    let other = Case::new(&[]);
    let path = other.file("env", text);
    let path = path.to_str().unwrap();
    for arguments in [
        vec!["--env-file", path, "up", "--needed=n"],
        vec!["up", "--needed=n", "--env-file", path],
        vec!["up", &format!("--env-file={path}"), "--needed=n"],
    ] {
        let case = Case::new(&arguments).env("SELVEDGE_ENV_FILE", "/does/not/exist");
        assert_eq!(case.password(), "DevSecurePass123!@# ");
        assert_eq!(case.run().telemetry.log, "debug");
    }
    let missing = Case::up(&["--env-file", "/does/not/exist"]).error();
    assert!(missing.contains("the env file /does/not/exist cannot be read: No such file"), "{missing}");
    let typing_error = Case::up(&[]).env_file("\nSELVEDGE_DATABASE_PASWORD=Tiger").error();
    assert!(
        typing_error.contains("line 2: ")
            && typing_error.contains("did you mean SELVEDGE_DATABASE_PASSWORD?")
    );
    assert!(!typing_error.contains("Tiger"), "{typing_error}");
    // One file serves all subcommands.
    Case::new(&["doctor"]).env_file("SELVEDGE_DATABASE_PASSWORD_FILE=/x\nSELVEDGE_PORT=1\n").run();
}

#[test]
fn secrets_come_from_files_without_their_last_line_end() {
    for (text, password) in
        [("a b#\n", "a b#"), ("a\r\n", "a"), ("a", "a"), ("a\n\n", "a\n"), ("\ta \n", "\ta "), ("a\r", "a\r")]
    {
        let case = Case::up(&[]).env_with_file("SELVEDGE_DATABASE_PASSWORD_FILE", text);
        assert_eq!(case.password(), password);
    }
    // Only secrets do.
    let host = Case::up(&[]).env_with_file("SELVEDGE_DATABASE_HOST_FILE", "db\n");
    assert_eq!(host.database().host, None);
}

#[test]
fn secret_files_that_are_no_use_are_named_and_not_shown() {
    let name = "SELVEDGE_DATABASE_PASSWORD_FILE";
    for (path, reason) in
        [("/does/not/exist", "No such file"), ("/dev/zero", "larger than 1 MiB"), ("/dev/null", "is empty")]
    {
        let error = Case::up(&[]).env(name, path).error();
        assert!(error.contains(name) && error.contains(path) && error.contains(reason), "{error}");
    }
    let case = Case::up(&[]);
    let path = case.files.0.join("latin1");
    fs::write(&path, b"Tiger\xff").unwrap();
    let error = case.env(name, &path).error();
    assert!(error.contains("UTF-8") && !error.contains("Tiger"), "{error}");
    let both = Case::up(&[]).env("SELVEDGE_DATABASE_PASSWORD", "Tiger").env(name, "/x").error();
    assert!(
        both.contains("both SELVEDGE_DATABASE_PASSWORD and SELVEDGE_DATABASE_PASSWORD_FILE are set"),
        "{both}"
    );
    assert!(!both.contains("Tiger"), "{both}");
}

#[test]
fn only_what_the_subcommand_needs_is_looked_at() {
    let broken = |arguments: &[&str]| {
        Case::new(arguments)
            .env("SELVEDGE_DATABASE_PASSWORD_FILE", "/does/not/exist")
            .env("SELVEDGE_PORT", "many")
    };
    broken(&["doctor"]).run();
    broken(&["up", "--needed=n"]).error();
}

#[test]
fn wrong_values_are_named_with_where_they_are() {
    let environment = Case::up(&[]).env("SELVEDGE_PORT", "many").error();
    assert!(
        environment.contains("SELVEDGE_PORT=many (environment): invalid digit found in string"),
        "{environment}"
    );
    let env_file = Case::up(&[]).env_file("SELVEDGE_LOG_FORMAT=xml").error();
    assert!(
        env_file.contains("SELVEDGE_LOG_FORMAT=xml (env file): must be one of auto, pretty, json"),
        "{env_file}"
    );
    for name in ["SELVEDGE_DATABASE_HOST", "SELVEDGE_DATABASE_PASSWORD"] {
        let error = Case::up(&[]).env(name, OsString::from_vec(b"Tiger\xff".to_vec())).error();
        assert!(error.contains("(environment): is not UTF-8"), "{error}");
        assert_eq!(error.contains("Tiger"), name.ends_with("HOST"), "{error}");
    }
    Case::up(&["--port=7000"]).env("SELVEDGE_PORT", "many").run();
    assert!(Case::up(&["--port=many"]).error().contains("'--port"));
    assert_eq!(Case::up(&["--port=many"]).outcome().unwrap_err().exit_code(), 2);
}

#[test]
fn help_names_the_variables_and_the_true_defaults() {
    let help = |argument: &str| {
        let case =
            Case::new(&["up", argument]).env("SELVEDGE_DATABASE_TLS", "require").env("SELVEDGE_PORT", "many");
        let error = case.env("SELVEDGE_DATABASE_PASSWORD", "Tiger").outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for help in [help("-h"), help("--help")] {
        for part in [
            "[env: SELVEDGE_DATABASE_PASSWORD or SELVEDGE_DATABASE_PASSWORD_FILE]",
            "[env: SELVEDGE_PORT]",
            "[env: SELVEDGE_DATABASE_TLS]",
            "[default: prefer]",
            "[env: SELVEDGE_ENV_FILE]",
            "Database: --database-url <URL>",
            "--print-config",
        ] {
            assert!(help.contains(part), "{part} in {help}");
        }
        assert!(!help.contains("Tiger"));
    }
    assert_eq!(Case::new(&["--version"]).outcome().unwrap_err().kind(), ErrorKind::DisplayVersion);
}

#[test]
fn the_configuration_is_printed_with_its_origins() {
    let case = Case::new(&["--log=warn", "up", "--print-config", "--needed=n"])
        .env("SELVEDGE_DATABASE_HOST", "#db ")
        .env("SELVEDGE_DATABASE_URL", "postgres://u:Tiger@h/d")
        .env("SELVEDGE_LIST", "1;2")
        .env_with_file("SELVEDGE_DATABASE_PASSWORD_FILE", "Tiger")
        .env_file("SELVEDGE_PORT=7401");
    let printed = case.printed();
    let path = case.environment["SELVEDGE_DATABASE_PASSWORD_FILE"].to_str().unwrap();
    for part in [
        "# command line\nSELVEDGE_LOG=warn\n",
        "# environment\nSELVEDGE_DATABASE_HOST=#db \n",
        "# environment\n#SELVEDGE_DATABASE_URL=***\n",
        "# environment\nSELVEDGE_LIST=1;2\n",
        &format!("# file {path}\n#SELVEDGE_DATABASE_PASSWORD=***\n"),
        "# env file\nSELVEDGE_PORT=7401\n",
        "# default\nSELVEDGE_DATABASE_TLS=prefer\n",
        "# default\nSELVEDGE_SWITCH=false\n",
        "# not set\n#SELVEDGE_DATABASE_NAME=\n",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert!(!printed.contains("Tiger"), "{printed}");
    let doctor = Case::new(&["doctor", "--print-config"]).printed();
    assert!(doctor.contains("SELVEDGE_LOG=info") && !doctor.contains("SELVEDGE_PORT"), "{doctor}");
}

#[test]
fn what_is_printed_is_an_env_file() {
    let first = Case::up(&["--print-config", "--database-host= #\"x\" $y='z' ", "--list=1;2"])
        .env("SELVEDGE_DATABASE_PASSWORD", "Tiger")
        .env("SELVEDGE_DATABASE_NAME", "two\nSELVEDGE_LOG=lines")
        .env("SELVEDGE_DATABASE_USER", "return\r");
    let printed = first.printed();
    let second = Case::new(&["up", "--print-config"]).env_file(&printed);
    let values = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(values(&second.printed()), values(&printed));
    assert!(second.printed().contains("# env file\nSELVEDGE_NEEDED=n\n"));
    let database = Case::new(&["up"]).env_file(&printed).database();
    assert_eq!(database.host.as_deref(), Some(" #\"x\" $y='z' "));
    // What a line cannot hold is left out, with a word on why.
    assert_eq!((database.name, database.user, database.password), (None, None, None::<Secret>));
    assert_eq!(printed.matches("it cannot be in an env file").count(), 2, "{printed}");
}
